"""Places of an input are called as people call them, wherever a message is for people."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.domain.audit import rules
from service.domain.places import PLACES, place_words, setting_words
from service.domain.problems import Problem
from service.domain.template.template import Loop

ROOT = Path(__file__).parents[3] / "service"


def _constants(tree: ast.Module) -> dict[str, str]:
    found = {}
    for node in tree.body:
        target = (
            node.targets[0]
            if isinstance(node, ast.Assign)
            else node.target
            if isinstance(node, ast.AnnAssign)
            else None
        )
        value = getattr(node, "value", None)
        if isinstance(target, ast.Name) and isinstance(value, ast.Constant) and isinstance(value.value, str):
            found[target.id] = value.value
    return found


def said() -> Iterator[tuple[str, str, str]]:
    """File, source and path of every problem whose source is written in the code."""
    for file in sorted(ROOT.rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        known = _constants(tree)
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Problem"):
                continue
            if len(node.args) < 3:
                continue
            source, _line, path = node.args[:3]
            name = source.value if isinstance(source, ast.Constant) else known.get(getattr(source, "id", ""))
            if not isinstance(name, str) or name.startswith("--"):
                continue
            if isinstance(path, ast.Constant):
                yield file.name, name, str(path.value)
            else:  # a name that people gave, or one of several
                assert name in PLACES, name


PROBLEMS = sorted(set(said()))


@pytest.mark.parametrize(("file", "source", "path"), PROBLEMS, ids=str)
def test_every_problem_has_a_place_in_people_s_words(file: str, source: str, path: str) -> None:
    words = place_words(source, path)

    assert words, f"{file}: say in service/domain/places.py what people call {source} {path}"
    assert "_" not in words
    assert "[" not in words


def test_many_problems_are_looked_at() -> None:
    assert len(PROBLEMS) > 25
    assert {source for _file, source, _path in PROBLEMS} <= set(PLACES)


@pytest.mark.parametrize(
    "path",
    [
        *(f"turning.{name}" for name in Loop.model_fields),
        *(f"audit.{name}" for name in rules.ProjectAudit.model_fields),
        *("name", "create", "time_zone", "calendar.working_days", "parameters.start"),
    ],
)
def test_every_setting_has_a_name_that_is_no_path(path: str) -> None:
    words = setting_words(path)

    assert "_" not in words
    assert "." not in words


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        (Problem("plan", None, "restore[0]", "no"), "what to restore: no"),
        (Problem("turning", None, "carry_over", "no", "do"), "carry-over: no; do"),
        (Problem("answers", None, "FRD-16", "no"), "the answer for FRD-16: no"),
        (Problem("decision", None, "move", "no"), "what follows: no"),
        (Problem("parameters", None, "iteration_days", "no"), "parameter iteration_days: no"),
        (Problem("plan", None, "adopt.ticket:set-goals", "no"), "what to adopt, ticket:set-goals: no"),
        (Problem("audit", None, "checks.D05", "no"), "the checks' weights, D05: no"),
        (Problem("team.yaml", 3, "members[0].roles", "no"), "team.yaml:3 members[0].roles: no"),
        (Problem("process.yaml", None, "", "no"), "process.yaml: no"),
    ],
    ids=str,
)
def test_a_problem_is_told_by_its_place_in_people_s_words(problem: Problem, told: str) -> None:
    assert problem.told == told
