"""What goes wrong between people, templates and Jira: each told in words that say what to do, and nothing lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.testing import SandboxServer
from tests.integration.conftest import TEAM_FILE, Controls, Installation
from tests.integration.desks import JiraDesk

NEW = ("plan", "ML", "--create", "--team", TEAM_FILE, "--set", "start_date=2027-01-04")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"action": "status", "status": 401}, ["token"]),
        ({"action": "status", "status": 403}, ["permission"]),
        ({"action": "status", "status": 404, "body": "html"}, ["URL"]),
        ({"action": "status", "status": 200, "body": "html"}, ["URL"]),
        ({"action": "status", "status": 200, "body": "empty"}, ["URL"]),
        ({"action": "redirect"}, ["login"]),
        ({"action": "reset"}, ["127.0.0.1"]),
    ],
    ids=["401", "403", "html 404", "html", "nothing", "login page", "reset"],
)
def test_a_jira_that_does_not_answer_as_one_is_told_in_words(
    connected: Installation, controls: Controls, fault: dict[str, object], words: list[str]
) -> None:
    controls.set("faults", times=None, path="/rest/", **fault)

    answer = connected.ok("connections", "check", "jira", "--project", "SCRUM", code=1)

    said = answer.out + answer.err
    assert all(word in said for word in words), said
    assert "Traceback" not in said
    assert "sandbox-token" not in said


def test_a_wrong_token_names_the_connection_to_fix(installation: Installation, sandbox: SandboxServer) -> None:
    installation.connect(sandbox.url, token="not-the-token")

    answer = installation.ok(*NEW, code=1)

    assert "token" in answer.err
    assert "not-the-token" not in answer.out + answer.err


def test_an_account_without_permissions_hears_which_are_missing(
    installation: Installation, sandbox: SandboxServer
) -> None:
    installation.connect(sandbox.url, token="viewer-token", email="viewer@example.com")

    answer = installation.ok("connections", "check", "jira", "--project", "SCRUM", code=1)

    for permission in ("Create issues", "Manage sprints", "Link issues"):
        assert permission.casefold() in answer.out.casefold()
    assert "SCRUM" in answer.out


def test_an_account_that_may_not_create_projects_hears_so_before_anything_is_written(
    installation: Installation, sandbox: SandboxServer, controls: Controls
) -> None:
    installation.connect(sandbox.url, token="member-token", email="member@example.com")

    answer = installation.ok(*NEW, code=1)

    assert "administer" in (answer.out + answer.err).casefold()
    assert controls.writes() == 0


def test_a_required_field_that_nobody_fills_is_named(connected: Installation, controls: Controls) -> None:
    controls.set("required-fields", project="SCRUM", field="duedate", issueType="Task")

    answer = connected.ok("plan", "SCRUM", "--team", TEAM_FILE, code=1)

    assert "Due date" in answer.out
    assert "must be filled in to create a Task" in answer.out


def test_a_project_key_that_is_taken_is_not_built_in_by_accident(connected: Installation) -> None:
    answer = connected.ok("plan", "SCRUM", "--create", "--team", TEAM_FILE, code=1)

    assert "exists already" in answer.out
    assert "--create" in answer.out


@pytest.mark.parametrize("trashed", [False, True])
def test_a_project_name_that_another_project_has_is_told_before_anything_is_written(
    connected: Installation, sandbox: SandboxServer, controls: Controls, trashed: bool
) -> None:
    desk = JiraDesk(sandbox.url)
    me = desk.send("GET", "api/2/myself")["accountId"]
    body = {"key": "OLD", "name": "Churn", "projectTypeKey": "software", "leadAccountId": me}
    desk.send("POST", "api/2/project", json=body)
    if trashed:
        desk.send("DELETE", "api/2/project/OLD", params={"enableUndo": "true"})
    before = controls.writes()

    answer = connected.ok(*NEW, "--name", "churn", code=1)

    assert 'a project called "churn" already' in answer.out
    assert "perhaps in its trash" in answer.out
    assert '"churn 2"' in answer.out
    assert controls.writes() == before


def test_a_malformed_project_key_is_refused_with_the_rule(connected: Installation) -> None:
    answer = connected.ok("plan", "1-ml", "--create", "--team", TEAM_FILE, code=1)

    assert "1-ml" in answer.out
    assert "letter" in answer.out.casefold()


@pytest.mark.parametrize("option", ["key", "name"])
def test_a_character_that_nobody_sees_is_refused_and_no_project_is_kept(connected: Installation, option: str) -> None:
    key, name = ("M\u200bL", "ML") if option == "key" else ("ML", "Chu\u202ern")

    answer = connected.ok("plan", key, "--create", "--name", name, "--team", TEAM_FILE, code=1)

    assert f"the project's {option}: holds a character that nobody sees: " in answer.err
    assert "[U+20" in answer.err
    assert '"key": "M' not in connected.ok("status", "--json").out


def test_a_project_that_is_not_there_says_how_to_have_it_made(connected: Installation) -> None:
    answer = connected.ok("plan", "NONE", "--team", TEAM_FILE, code=1)

    assert "--create" in answer.out


def test_everybody_the_tracker_does_not_know_is_named_at_once(connected: Installation, tmp_path: Path) -> None:
    file = tmp_path / "team.yaml"
    text = TEAM_FILE.read_text().replace("pm-1@", "nobody-1@").replace("qa-1@", "left-1@")
    file.write_text(text)

    answer = connected.ok("plan", "SCRUM", "--team", file, code=1)

    assert "nobody-1@example.com" in answer.out
    assert "left-1@example.com" in answer.out


def test_a_blocked_plan_cannot_be_applied(connected: Installation, controls: Controls, sandbox: SandboxServer) -> None:
    connected.connect(sandbox.url, token="member-token", email="member@example.com")
    connected.ok("plan", "ML", "--team", TEAM_FILE, "--create", code=1)

    answer = connected.ok("apply", "ML", code=1)

    assert "cannot be applied" in answer.err
    assert controls.writes() == 0


def test_a_role_that_nobody_holds_is_a_vacancy_everywhere_until_somebody_takes_the_ticket(
    connected: Installation, tmp_path: Path, sandbox: SandboxServer
) -> None:
    file = tmp_path / "team.yaml"
    file.write_text(TEAM_FILE.read_text().replace("roles: [qa]", "roles: [data]"))

    plan = connected.ok("plan", "ML", "--create", "--team", file, "--json", code=2).json
    connected.ok("apply", "ML")
    status = connected.ok("status", "ML", "--json").json

    vacant = {vacancy["key"] for vacancy in plan["vacancies"]}
    assert "ticket:create-tests" in vacant or any("test" in key for key in vacant)
    assert all(vacancy["role"] == "qa" for vacancy in plan["vacancies"])
    assert {vacancy["key"] for vacancy in status[0]["vacancies"]} == vacant
    desk, taken = JiraDesk(sandbox.url), status[0]["vacancies"][0]
    me, path = desk.send("GET", "api/2/myself")["accountId"], f"api/2/issue/{taken['ticket']}"
    desk.send("PUT", path, json={"fields": {"assignee": {"accountId": me}}})
    (seen,) = connected.ok("status", "ML", "--json").json
    assert {vacancy["key"] for vacancy in seen["vacancies"]} == vacant - {taken["key"]}
    again = connected.ok("plan", "ML", "--json", code=2).json
    assert {one["key"] for one in again["vacancies"]} == vacant - {taken["key"]}
    connected.ok("apply", "ML")
    fields = desk.send("GET", path)["fields"]
    assert (fields["assignee"]["accountId"], "vacant:qa" in fields["labels"]) == (me, False)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("broken.yaml", "format: [", ["broken.yaml:1"]),
        ("future.yaml", "format: phaseloop/v9\nkind: template\n", ["future.yaml:1", "phaseloop/v1"]),
        ("big.yaml", "x" * 10_000_000, ["big.yaml"]),
        (
            "bomb.yaml",
            "a: &a [x,x,x,x,x,x,x,x,x]\n"
            + "".join(f"{k}: &{k} [{','.join(['*' + p] * 9)}]\n" for p, k in zip("abcdefgh", "bcdefghi", strict=True)),
            ["bomb.yaml"],
        ),
    ],
)
def test_a_template_that_cannot_be_read_names_its_place(
    installation: Installation, tmp_path: Path, name: str, text: str, words: list[str]
) -> None:
    (tmp_path / name).write_text(text)

    answer = installation.ok("templates", "validate", tmp_path / name, code=1)

    assert all(word in answer.out for word in words), answer.out
    assert "Traceback" not in answer.out + answer.err


def test_several_wrong_things_are_told_together(connected: Installation) -> None:
    answer = connected.ok(*NEW, "--set", "scale=huge", "--set", "nonsense=1", "--time-zone", "Europe/Berlim", code=1)

    assert "huge" in answer.err
    assert "nonsense" in answer.err
    assert "Europe/Berlin" in answer.err


def test_no_connection_says_how_to_add_one(installation: Installation) -> None:
    answer = installation.ok(*NEW, code=1)

    assert "phaseloop connections add" in answer.err


def test_no_secret_is_written_anywhere(connected: Installation, controls: Controls) -> None:
    connected.ok("plan", "SCRUM", "--team", TEAM_FILE, code=2)
    controls.set("faults", action="status", status=403, path="/issue/bulk")
    connected.ok("apply", "SCRUM", code=1)

    for path in connected.home.rglob("*"):
        if path.is_file():
            assert b"sandbox-token" not in path.read_bytes(), path
