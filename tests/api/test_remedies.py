"""What to do is said to each door in its own words: REST names requests, where one does what a command does."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from service.api import project_models
from service.api.models import Body
from service.api.remedies import HERE_ONLY, RULES, over_rest
from service.cli.main import Program
from service.domain.access import policy
from tests.api.conftest import SMALL_TEMPLATE, Api
from tests.api.test_problems import assert_problem, project_body

ROOT = Path(__file__).parents[2]
MESSAGES = [
    path
    for room in ("service/usecases", "service/domain", "service/runs", "service/store", "connectors")
    for path in sorted((ROOT / room).rglob("*.py"))
]
_COMMAND = re.compile(rf"phaseloop (?:{'|'.join(Program.places)})\b(?: [a-z][a-z-]*)?")


def proposed(path: Path) -> set[str]:
    """The commands that messages of a module propose: what stands in its texts, docstrings left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    texts = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented
    ]
    return {found[0] for text in texts for found in _COMMAND.finditer(text)}


def test_every_command_that_a_message_proposes_is_a_request_as_well_or_known_not_to_be() -> None:
    commands = {(path.name, command) for path in MESSAGES for command in proposed(path)}
    assert len(commands) > 30

    left = {
        (name, command)
        for name, command in commands
        if over_rest(command).startswith("phaseloop ")
        and command.removeprefix("phaseloop ") not in HERE_ONLY
        and not over_rest(f"{command} x").startswith(("GET", "POST", "PUT", "PATCH"))
    }

    assert left == {("registration.py", "phaseloop hooks")}  # its second word is one of check and repair


def test_every_request_that_is_proposed_is_one_that_the_service_answers() -> None:
    known = {re.sub(r"\{[a-z_]+\}", "{}", rule) for rule in policy.RULES}
    for _pattern, request in RULES:
        said = request({}).partition(" with ")[0].partition("?")[0]
        assert re.sub(r"\{[a-z_]+\}", "{}", said) in known, said


@pytest.mark.parametrize(
    ("said", "over"),
    [
        ("Apply it with: phaseloop apply pln_1.", "Apply it with: POST /api/v1/plans/pln_1/apply."),
        ("`phaseloop runs list` names them.", "`GET /api/v1/runs` names them."),
        ("Continue: phaseloop runs resume apply-pln_1", "Continue: POST /api/v1/runs/apply-pln_1/resume"),
        (
            "Have it again: phaseloop plan ML --restore ticket:set-goals; then apply that.",
            'Have it again: POST /api/v1/projects/ML/plans with {"restore": ["ticket:set-goals"]}; then apply that.',
        ),
        ("`phaseloop plan` shows it.", "`POST /api/v1/projects/{name}/plans` shows it."),
        ("(phaseloop phase ML back PHASE --reason …).", "(PUT /api/v1/projects/ML/loop/decision)."),
        ("again (phaseloop connections add NAME --replace).", "again (PUT /api/v1/connections/{name})."),
        ("Run: phaseloop db upgrade", "Run: phaseloop db upgrade"),
        ("phaseloop plans nothing", "phaseloop plans nothing"),
    ],
)
def test_a_command_in_a_text_is_the_request_that_does_the_same(said: str, over: str) -> None:
    assert over_rest(said) == over


def test_problems_name_the_request_to_send(api: Api) -> None:
    project = assert_problem(api("GET", "/runs/apply-pln_none"), "not-found", 404)
    plan = assert_problem(api("POST", "/plans/pln_none/apply"), "not-found", 404)
    team = assert_problem(api("GET", "/teams/nobody"), "not-found", 404)

    assert "`GET /api/v1/runs`" in project["detail"]
    assert "POST /api/v1/projects/{name}/plans" in plan["detail"]
    assert "POST /api/v1/teams" in team["detail"]
    for problem in (project, plan, team):
        assert "phaseloop " not in problem["detail"]


def test_everything_that_is_wrong_with_a_project_is_told_at_once(api: Api) -> None:
    body = project_body(
        connection="nowhere",
        team="nobody",
        template="no-such-template",
        name="x" * 81,
        time_zone="Europe/Nowhere",
    )
    problem = assert_problem(api("POST", "/projects", json=body), "invalid-input", 422)
    pointers = {error.get("pointer") for error in problem["errors"]}
    assert pointers == {"/connection", "/team", "/template", "/name", "/time_zone"}

    with_template = project_body(connection="nowhere", team="nobody", parameters={"x": 1}, carry_over="next")
    problem = assert_problem(api("POST", "/projects", json=with_template), "invalid-input", 422)
    assert {error.get("pointer") for error in problem["errors"]} == {"/connection", "/team", "/parameters/x"}


def test_a_connection_that_is_the_only_thing_wrong_is_not_found(api: Api) -> None:
    body = project_body(connection="nowhere", team=api.new_team(), template={"text": SMALL_TEMPLATE})
    assert_problem(api("POST", "/projects", json=body), "not-found", 404)


@pytest.mark.parametrize(
    "body",
    [project_models.NewProject, project_models.ProjectChanges, project_models.NewPlan],
    ids=lambda one: one.__name__,
)
def test_every_field_of_the_bodies_of_projects_and_plans_is_in_the_reference(body: type[Body]) -> None:
    reference = (ROOT / "docs" / "reference" / "rest-api.md").read_text(encoding="utf-8")

    assert [name for name in body.model_fields if f"| `{name}` |" not in reference] == []
