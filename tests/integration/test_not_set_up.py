"""A plan that could never be applied leaves no project behind, and no plan changes a project that is there. By the
command line, in both trackers."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from sqlalchemy import update

from sandbox.testing import SandboxServer
from service.store.tables import ProjectRow
from tests.integration.conftest import TEAM_FILE, Installation
from tests.integration.test_identity import SET_UP, Case, _connect, built, case

__all__ = ["built", "case"]


def _projects(installation: Installation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = installation.ok("projects", "list", "--json").json
    return found


def _settings(installation: Installation, project: str) -> Any:
    return installation.ok("projects", "show", project, "--json").json


def _codes(plan: dict[str, Any]) -> list[str]:
    return [one["code"] for one in plan["findings"] if one["severity"] == "error"]


def test_settings_travel_with_the_plan_also_where_an_address_is_what_another_record_is_called(
    built: Case, sandbox: SandboxServer
) -> None:
    installation, address = built.installation, built.spellings[-1]
    elsewhere = sandbox.url.replace("127.0.0.1", "localhost")
    _connect(installation, "second", built.name, elsewhere, other=False)
    (known,) = _projects(installation)
    built.plan("OTHER", *SET_UP, "--create", "--connection", "second")
    # As an earlier version left it: a record on the other connection that is called by the address.
    built.store(lambda: update(ProjectRow).where(ProjectRow.key == "OTHER").values(key=address, remote_id=None))
    before = _settings(installation, known["id"])

    plan = built.plan(address, *SET_UP, "--connection", "first", "--name", "Changed", "--carry-over", "leave")

    assert plan["project"] == known["id"]
    assert {"name", "turning.carry_over"} <= {one["field"] for one in plan["settings"]}
    assert _settings(installation, known["id"]) == before
    installation.ok("apply", plan["id"])
    assert _settings(installation, known["id"])["name"] == "Changed"


def test_settings_travel_with_the_plan_however_the_project_is_named(built: Case) -> None:
    (known,) = _projects(built.installation)
    before = _settings(built.installation, known["id"])

    for spelling in (built.key, known["id"], *built.spellings):
        for connection in ((), ("--connection", "first")):
            plan = built.plan(spelling, *connection, "--name", "Changed", "--set", "start_date=2027-02-01")
            assert (plan["project"], _settings(built.installation, known["id"])) == (known["id"], before), spelling


def test_a_project_by_its_id_is_not_looked_for_on_another_connection(built: Case, sandbox: SandboxServer) -> None:
    _connect(built.installation, "second", built.name, sandbox.url, other=False)
    (known,) = _projects(built.installation)

    refused = built.installation.run("plan", known["id"], *SET_UP, "--connection", "second")

    assert (refused.code, "on the connection 'first'" in refused.err) == (1, True), refused.out + refused.err
    assert _projects(built.installation) == [known]


def test_a_plan_that_could_never_be_applied_leaves_no_project(case: Case, tmp_path: Path) -> None:
    tries: list[tuple[tuple[str, ...], set[str]]] = [
        (("NOSUCH",), {"project-missing", "project-not-visible"}),
        (("https://example.com/browse/NOSUCH",), {"project-missing", "project-not-visible"}),
        ((case.key, "--create"), {"key-taken", "project-key-taken"}),
    ]
    if case.name == "jira":
        tries.append((("lower case", "--create"), {"project-key-malformed"}))
        tries.append((("GOOD", "--create", "--name", "x"), {"project-name-length"}))
    for words, codes in tries:
        plan = case.plan(*words, *SET_UP, code=1)
        assert codes & set(_codes(plan)), (words, _codes(plan))
        assert (plan["id"], plan["project"]) == (None, None)
        assert _projects(case.installation) == [], words
    assert case.installation.ok("status", "--json").json == []

    shown = case.installation.ok("plan", "NOSUCH", *SET_UP, "--output", tmp_path / "plan.json", code=1)
    assert "NOSUCH was not set up" in shown.err
    assert "pln_" not in shown.out
    assert shlex.join(["phaseloop", "plan", "NOSUCH", *map(str, SET_UP)]) in shown.err
    assert "--create" in shown.err.partition("have phaseloop create the project: ")[2]
    refused = case.installation.ok("apply", tmp_path / "plan.json", code=1)
    assert "was not kept" in refused.err

    taken = case.installation.ok("plan", case.key, "--create", *SET_UP, code=1).err
    assert "To build in the project that is there: phaseloop plan" in taken
    assert "--create" not in taken.partition("that is there: ")[2].splitlines()[0]


def test_a_first_plan_that_cannot_be_made_leaves_no_project(case: Case, sandbox: SandboxServer) -> None:
    refused = case.installation.ok("plan", case.key, *SET_UP, "--restore", "no such thing", code=1)

    assert "no such thing" in refused.err
    assert _projects(case.installation) == []


def test_a_first_plan_with_findings_about_other_things_is_kept(case: Case, tmp_path: Path) -> None:
    team = tmp_path / "team.yaml"
    text = TEAM_FILE.read_text(encoding="utf-8")
    team.write_text(text.replace("account: ", "account: nobody-", 1), encoding="utf-8")

    plan = case.plan(case.key, *SET_UP, "--team", team)

    assert f"phaseloop apply {plan['id']}" in case.installation.ok("projects", "list").out


def test_a_name_of_several_lines_and_a_folder_in_place_of_a_plan_are_refused(case: Case, tmp_path: Path) -> None:
    refused = case.installation.ok("plan", case.key, *SET_UP, "--name", "a\nb", code=1)
    assert "must be one line" in refused.err
    assert _projects(case.installation) == []

    folder = case.installation.ok("apply", tmp_path, code=1)
    assert f"{tmp_path} is a folder" in folder.err


def test_a_project_that_was_planned_before_stays_when_it_is_not_to_be_seen_any_more(built: Case) -> None:
    built.replace()

    plan = built.plan(built.key, code=1)

    assert plan["id"].startswith("pln_")
    assert len(_projects(built.installation)) == 1


def test_who_has_several_projects_of_a_key_is_told_how_to_be_rid_of_one(case: Case, sandbox: SandboxServer) -> None:
    _connect(case.installation, "second", case.name, sandbox.url, other=False)
    first = case.plan("ML", "--create", *SET_UP, "--connection", "first")
    case.store(lambda: update(ProjectRow).values(site=None, remote_id=None))
    second = case.plan("ML", "--create", *SET_UP, "--connection", "second", "--name", "Another")

    refused = case.installation.ok("plan", "ML", code=1)

    assert "phaseloop projects remove ID" in refused.err
    by_connection = case.plan("ML", "--connection", "second")
    assert by_connection["project"] == second["project"] != first["project"]
    case.installation.ok("projects", "remove", second["project"], "--yes")
    assert case.plan("ML")["project"] == first["project"]


def test_a_record_of_a_project_that_is_another_ones_can_be_removed(case: Case, sandbox: SandboxServer) -> None:
    _connect(case.installation, "second", case.name, sandbox.url, other=False)
    first = case.plan("ML", "--create", *SET_UP, "--connection", "first")
    case.store(lambda: update(ProjectRow).values(site=None, remote_id=None))
    second = case.plan("ML", "--create", *SET_UP, "--connection", "second", "--name", "Another")
    case.installation.ok("apply", first["id"])

    case.installation.ok("projects", "remove", second["project"], "--yes")

    going = [one["id"] for one in _projects(case.installation) if one["ended_at"] is None]
    assert (going, case.projects("ML")) == ([first["project"]], 1)
