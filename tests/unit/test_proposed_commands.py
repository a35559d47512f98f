"""Every command that a message proposes can be pasted into a shell, whatever things are called."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from service.cli.main import app
from service.cli.reference import commands
from service.domain.commands import typed

ROOT = Path(__file__).parents[2]
COMMANDS = {path.split()[1] for path, _command in commands(typer.main.get_command(app))}
COMMAND = re.compile(rf"phaseloop (?:{'|'.join(sorted(COMMANDS))}) (?:[^\s`{{}}]+ )*$")
PLAIN = re.compile(r"(?:.*\.)?(?:id|run_id|plan_id|continued_by|recorded_by)")
"""What we name ourselves, of letters, digits and hyphens."""


def proposed(tree: ast.AST) -> Iterator[ast.expr]:
    """What is filled into a command in any text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            said = ""
            for part in node.values:
                if isinstance(part, ast.Constant):
                    said += str(part.value)
                elif isinstance(part, ast.FormattedValue):
                    if COMMAND.search(said):
                        yield part.value
                    said += "NAME"


def is_safe(value: ast.expr) -> bool:
    written = ast.unparse(value)
    return "typed(" in written or PLAIN.fullmatch(written) is not None or written.isupper()


@pytest.mark.parametrize("file", sorted((ROOT / "service").rglob("*.py")), ids=lambda file: str(file.relative_to(ROOT)))
def test_names_in_proposed_commands_are_typed_as_one_word(file: Path) -> None:
    source = file.read_text(encoding="utf-8")
    tree = ast.parse(source)
    keys = set(re.findall(r"^\s+(\w+) = (?:escape\()?typed\(", source, re.MULTILINE))
    loose = [ast.unparse(value) for value in proposed(tree) if not is_safe(value) and ast.unparse(value) not in keys]
    assert loose == []


@pytest.mark.parametrize("name", ["ML", "Churn 2026", "Team's board", "$(rm -rf ~)", "a;b", "模型", "", "--all", "`x`"])
def test_a_name_is_one_word_to_a_shell(name: str) -> None:
    assert shlex.split(f"phaseloop plan {typed(name)}") == ["phaseloop", "plan", name]
