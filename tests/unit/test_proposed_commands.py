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
        said = ""
        for part in parts(node):
            if isinstance(part, ast.Constant):
                said += str(part.value)
                continue
            if COMMAND.search(said):
                yield part
            said += "NAME"


def parts(node: ast.AST) -> list[ast.expr]:
    """The pieces of a text that is put together: by an f-string, by `+`, by `%` or by `format`; the last two fill in
    what they are given where the text has its first place for it."""
    match node:
        case ast.JoinedStr(values=values):
            return [one.value if isinstance(one, ast.FormattedValue) else one for one in values]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return [*(parts(left) or [left]), *(parts(right) or [right])]
        case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Mod(), right=right):
            return [ast.Constant(text.partition("%")[0]), right]
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format"), args=[first, *_]):
            return [ast.Constant(text.partition("{")[0]), first]
        case _:
            return []


def test_a_name_that_is_put_into_a_command_in_any_way_is_found() -> None:
    texts = ('f"See: phaseloop plan {key}"', '"See: phaseloop plan " + key', '"phaseloop plan %s" % key')
    for text in (*texts, '"phaseloop plan {}".format(key)', 'f"{a} is left: " "phaseloop plan " + key + "."'):
        assert {ast.unparse(one) for one in proposed(ast.parse(text))} == {"key"}, text


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


NEEDED = {
    path: [one.name for one in command.params if one.param_type_name == "argument" and one.required]
    for path, command in commands(typer.main.get_command(app))
}
_PATHS = "|".join(sorted(map(re.escape, NEEDED), key=len, reverse=True))
_SAID = re.compile(rf"(?P<tick>`?)(?P<path>{_PATHS})(?![\w-])(?P<rest>[^`\n]*)")
_ENDS = re.compile(r"[)\[]|[.,;:](?:\s|$)")


def texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The texts of a module without its docstrings, what is filled in written as NAME."""
    documented = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    within = {id(one) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for one in node.values}
    for node in ast.walk(tree):
        if id(node) in documented or id(node) in within:
            continue
        if isinstance(node, ast.JoinedStr):
            yield (
                node.lineno,
                "".join(str(one.value) if isinstance(one, ast.Constant) else "NAME" for one in node.values),
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def incomplete(text: str) -> Iterator[str]:
    """The commands in a text that lack an argument. In backquotes a command may be only called by its name."""
    for found in _SAID.finditer(text):
        rest = _ENDS.split(found["rest"])[0]
        given = [one for one in rest.split() if not one.startswith("-")]
        if len(given) < len(NEEDED[found["path"]]) and not found["tick"]:
            yield found[0]


@pytest.mark.parametrize(
    "text", ["look: phaseloop connections map", "(phaseloop audit waive)", "See: phaseloop connections add --replace"]
)
def test_a_command_that_lacks_what_it_needs_is_found(text: str) -> None:
    assert list(incomplete(text))


def test_proposed_commands_are_complete() -> None:
    found = [
        f"{file.relative_to(ROOT)}:{line} {one}"
        for room in ("service", "connectors")
        for file in sorted((ROOT / room).rglob("*.py"))
        for line, text in texts(ast.parse(file.read_text(encoding="utf-8")))
        for one in incomplete(text)
    ]
    assert found == []
