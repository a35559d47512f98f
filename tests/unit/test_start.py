"""A command imports only what it needs. Counted in modules, which are the same on every machine, and not in time."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from service.cli.main import Program, app

ROOT = Path(__file__).parents[2]

STARTED = """
import json, sys
from service.cli import main
sys.argv = ["phaseloop", *sys.argv[1:]]
try:
    main()
except SystemExit as ended:
    print("\\n" + json.dumps([ended.code, sorted(sys.modules)]))
"""

SERVING = {"fastapi", "starlette", "uvicorn", "dbos", "apscheduler"}
TRACKERS = {"jira", "trello", "requests", "httpx"}
STORING = {"sqlalchemy", "alembic", "psycopg", "cryptography"}


def started(home: Path, *arguments: str) -> tuple[int, set[str]]:
    """How a command ended, and all modules that were there then."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PHASELOOP_", "COV_"))}
    done = subprocess.run(
        [sys.executable, "-c", STARTED, *arguments],
        cwd=ROOT,
        env={**clean, "PHASELOOP_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    code, modules = json.loads(done.stdout.splitlines()[-1])
    return code, set(modules)


def packages(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], [], ["statsu"]], ids=" ".join)
def test_to_answer_for_itself_the_program_loads_no_command(arguments: list[str], tmp_path: Path) -> None:
    _code, modules = started(tmp_path, *arguments)

    assert {name for name in modules if name.startswith("service.")} == {
        "service.cli",
        *(f"service.cli.{name}" for name in ("exits", "home", "lazy", "main", "streams")),
    }
    assert packages(modules) & {*SERVING, *TRACKERS, *STORING, "rich", "connectors", "sandbox"} == set()
    assert len(modules) < 420


def test_of_a_group_only_its_own_commands_are_loaded(tmp_path: Path) -> None:
    _code, modules = started(tmp_path, "keys", "--help")

    assert "service.cli.admin" in modules
    assert modules & {"service.cli.audit", "service.cli.advance", "service.cli.plans", "service.cli.demo"} == set()


def test_a_look_at_our_own_records_loads_no_tracker_and_no_engine(tmp_path: Path) -> None:
    started(tmp_path, "db", "upgrade")  # makes the store, with what makes it
    code, modules = started(tmp_path, "status", "--offline")

    assert code == 0
    assert packages(modules) & {*SERVING, *TRACKERS, "alembic"} == set()
    assert len(modules) < 800


@pytest.mark.parametrize("name", Program.places)
def test_the_list_says_of_a_command_what_the_command_says_of_itself(name: str) -> None:
    program: Any = typer.main.get_command(app)

    for limit in range(20, 260):
        assert program.summary(name, limit) == program.commands[name].get_short_help_str(limit)


def test_all_commands_are_there_in_the_order_in_which_they_are_listed() -> None:
    program: Any = typer.main.get_command(app)

    assert list(program.commands) == list(Program.places) == program.list_commands(None)
    assert [command.name for command in program.commands.values()] == list(Program.places)


LISTING = """
import json, typer
from service.cli.main import Program, app
program = typer.main.get_command(app)
found = program.commands[__import__("sys").argv[1]]
print(json.dumps(sorted(getattr(found, "commands", {}))))
"""

REFERENCE = (ROOT / "docs/reference/command-line.md").read_text(encoding="utf-8")


def documented(group: str) -> list[str]:
    """The commands of a group that the reference describes."""
    return sorted(set(re.findall(rf"^## `phaseloop {group} ([a-z-]+)[ `]", REFERENCE, re.MULTILINE)))


@pytest.mark.parametrize("group", [name for name in Program.places if documented(name)])
def test_a_group_that_is_loaded_alone_has_all_its_commands(group: str) -> None:
    done = subprocess.run([sys.executable, "-c", LISTING, group], cwd=ROOT, capture_output=True, text=True, check=True)

    assert json.loads(done.stdout) == documented(group)
