# The commands of this project. Everything runs in .venv, which is made on first use from the pinned dependencies.
.DEFAULT_GOAL := help
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
ARGS ?=
# Tests at once, a file of them in each process and the slow ones first: much of their time is processes starting.
JOBS ?= 4
# Where this is set, each process and each test worker would compile and rewrite every module again.
unexport PYTHONDONTWRITEBYTECODE

# What takes longest and seldom tells of a change what nothing else tells: months of a project, and faults at a spread of
# calls and moments. `make test` leaves these out; CI runs both.
LONG_TESTS := \
  tests/faults/test_fencing.py \
  tests/faults/test_matrix.py \
  tests/faults/test_replicas_killed.py \
  tests/integration/test_telling_month.py \
  tests/simulation/test_audited_year.py \
  tests/simulation/test_half_a_year_in_jira.py \
  tests/simulation/test_half_a_year_in_trello.py
PYTEST := $(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder

.PHONY: help install demo test test-long test-all lint checks advisories format bench eval heads told faults screenshots schema lock clean

help: ## Show what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one with: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

# Standard output stays clean, because `make demo ARGS="--once --json"` promises one JSON document there.
$(INSTALLED): requirements-dev.lock pyproject.toml | $(BIN)/python
	@echo "Installing the pinned dependencies into $(VENV) (once; 135 packages, 600 MB; a minute or two) ..." >&2
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-dev.lock >&2
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e . >&2
	@touch $@

install: $(INSTALLED) ## Make .venv with phaseloop in it

demo: $(INSTALLED) ## Build the ML template in a Jira on this machine (ARGS="--once --json")
	@$(BIN)/phaseloop demo $(ARGS)

test: $(INSTALLED) ## Run the checks and all that a change can break (ARGS="-k word", JOBS=1 for one after the other)
	@$(MAKE) --no-print-directory -j2 checks tests/__pycache__
	@$(PYTEST) $(LONG_TESTS:%=--ignore=%) $(ARGS)

test-long: $(INSTALLED) ## Run the rest: months of a project, faults at a spread of calls
	@$(PYTEST) $(LONG_TESTS) $(ARGS)

test-all: export PHASELOOP_LONG_TESTS = 1
test-all: $(INSTALLED) ## Run everything, with many examples of each property and longer simulations
	@$(MAKE) --no-print-directory -j2 checks tests/__pycache__
	@$(PYTEST) $(ARGS)

# In a fresh clone all tests are compiled once, beside the checks, and not by each process of tests at the same time.
tests/__pycache__: | $(INSTALLED)
	@$(BIN)/python -m pytest --collect-only -qq >/dev/null || true

lint: checks advisories ## Check style, types, formatting and known weaknesses, of ours and of what is pinned

# Rules of bandit are among those of ruff (S).
checks: $(INSTALLED)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

# Advisories that do not concern us, by id; each with its reason in SECURITY.md.
NOT_OURS :=
ADVISORIES := .venv-advisories

$(ADVISORIES)/.installed: requirements-advisories.lock | $(BIN)/python
	@$(BIN)/python -m venv $(ADVISORIES)
	@$(ADVISORIES)/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-advisories.lock >&2
	@touch $@

advisories: $(ADVISORIES)/.installed ## Ask the advisory service about what is pinned; tests never do
	@$(BIN)/python -m bench.advisories $(ADVISORIES)/bin/pip-audit $(NOT_OURS)

format: $(INSTALLED) ## Format the code and fix what can be fixed
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(INSTALLED) ## Count requests against the lower bound and the obvious script
	@$(BIN)/python -m bench $(ARGS)

faults: $(INSTALLED) ## Fail every call of a bootstrap in every way, in Jira and Trello (ARGS="--every 10")
	@$(BIN)/python -m tests.faults $(ARGS)

eval: $(INSTALLED) ## Measure how well records are judged, on texts that nothing was trained on (ARGS="--json", "--write")
	@$(BIN)/python -m evaluation.measure $(ARGS)

heads: $(INSTALLED) ## Train the second opinion anew from the corpus in evaluation/
	@$(BIN)/python -m evaluation.training

screenshots: $(INSTALLED) ## Take a picture of every page, light, dark and as on a phone, into screenshots/ (ARGS="project")
	@$(BIN)/python -m tests.screenshots $(ARGS)

told: $(INSTALLED) ## Collect what the documentation of the audit tells, so that a copy of it in a record is known
	@$(BIN)/python -m evaluation.told

schema: $(INSTALLED) ## Write the JSON Schema of templates anew
	@$(BIN)/python -m service.domain.template.schema > templates/template.schema.json

lock: $(INSTALLED) ## Pin the dependencies anew: hashes, every platform, no index address
	@$(BIN)/uv pip compile -q $(LOCK) pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile -q $(LOCK) pyproject.toml --group pyproject.toml:dev -c requirements.lock -o requirements-dev.lock
	@$(BIN)/uv pip compile -q $(LOCK) --group pyproject.toml:advisories -o requirements-advisories.lock

LOCK := --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url

clean: ## Remove what was built
	@rm -rf $(VENV) $(ADVISORIES) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
