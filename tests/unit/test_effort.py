"""What `make test` leaves out is there, and CI runs it."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()


def recipe(target: str) -> str:
    found = re.search(rf"^{target}: .*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    assert found is not None, target
    return found[1]


def test_what_is_left_out_by_one_command_is_run_by_the_other_and_ci_leaves_nothing_out() -> None:
    left_out = re.findall(r"tests/\S+\.py", MAKEFILE.partition("LONG_TESTS := ")[2].partition("\nPYTEST")[0])

    assert len(left_out) > 3
    assert [name for name in left_out if not (ROOT / name).is_file()] == []
    assert "$(PYTEST) $(LONG_TESTS:%=--ignore=%) $(ARGS)" in recipe("test")
    assert "$(PYTEST) $(LONG_TESTS) $(ARGS)" in recipe("test-long")
    assert "$(PYTEST) $(ARGS)" in recipe("test-all")
    assert re.findall(r"^make (\S+ \S+)", (ROOT / ".ci/run").read_text(), re.MULTILINE) == ["test LONG_TESTS="]
