"""Applying plans: once, fresh, and only what is missing."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from jira import JIRA

from sandbox.testing import SandboxServer
from tests.integration.conftest import TEAM_FILE, Controls, Installation

NEW = ("plan", "ML", "--create", "--team", TEAM_FILE, "--set", "start_date=2027-01-04", "--json")


def titles(jira: JIRA) -> Counter[str]:
    return Counter(issue.fields.summary for issue in jira.search_issues("project = ML", maxResults=False))


def test_planning_writes_nothing(connected: Installation, controls: Controls) -> None:
    controls.clear("requests")

    plan = connected.ok(*NEW, code=2).json

    assert controls.writes() == 0
    # Besides what the plan tells: the site, whether there is such a project, and who asks.
    assert plan["requests"] == {"reads": controls.reads() - 3, "writes": 0}


def test_applying_twice_writes_nothing_the_second_time(connected: Installation, controls: Controls, jira: JIRA) -> None:
    connected.ok(*NEW, code=2)
    connected.ok("apply", "ML")
    before = titles(jira)
    controls.clear("requests")

    plan = connected.ok("plan", "ML", "--json").json
    again = connected.ok("apply", plan["id"])

    assert plan["summary"]["create"] == plan["summary"]["update"] == 0
    assert "Nothing to do" in again.out
    assert controls.writes() == 0
    assert titles(jira) == before


def test_the_same_plan_asked_for_twice_is_applied_once(connected: Installation, controls: Controls, jira: JIRA) -> None:
    plan = connected.ok(*NEW, code=2).json
    first = connected.ok("apply", plan["id"], "--json").json
    before, writes = titles(jira), controls.writes()

    second = connected.ok("apply", plan["id"], "--json").json

    assert second["id"] == first["id"]
    assert controls.writes() == writes
    assert titles(jira) == before


def test_the_requests_that_a_run_reports_are_those_on_the_wire(connected: Installation, controls: Controls) -> None:
    plan = connected.ok(*NEW, code=2).json
    controls.clear("requests")

    run = connected.ok("apply", plan["id"], "--json").json

    assert run["requests"] == {"reads": controls.reads(), "writes": controls.writes()}


def test_a_plan_that_was_overtaken_is_refused(connected: Installation, controls: Controls) -> None:
    old = connected.ok(*NEW, code=2).json
    connected.ok(*NEW, code=2)
    connected.ok("apply", "ML")
    controls.clear("requests")

    refused = connected.ok("apply", old["id"], code=1)

    assert "stale" in refused.err
    assert "phaseloop plan" in refused.err
    assert controls.writes() == 0


def test_a_plan_made_from_other_settings_is_stale(connected: Installation, controls: Controls) -> None:
    connected.ok("apply", connected.ok(*NEW, code=2).json["id"])
    old = connected.ok("plan", "ML", "--set", "ux=true", "--json", code=2).json
    connected.ok("projects", "set", "ML", "--set", "iterations_feedback=2")
    before = controls.writes()

    refused = connected.ok("apply", old["id"], code=1)

    assert "stale" in refused.err
    assert controls.writes() == before


def test_a_project_that_is_only_planned_has_no_settings_to_change(connected: Installation, controls: Controls) -> None:
    connected.ok(*NEW, code=2)

    refused = connected.ok("projects", "set", "ML", "--set", "ux=true", code=1)

    assert "phaseloop plan ML" in refused.err
    assert controls.writes() == 0


def test_a_plan_can_be_applied_from_the_file_it_was_written_to(
    connected: Installation, jira: JIRA, tmp_path: Any
) -> None:
    file = tmp_path / "plan.json"
    connected.ok(*NEW, "--output", file, code=2)

    connected.ok("apply", file)

    assert titles(jira)["Set the goals"] == 1


def test_one_refused_ticket_leaves_the_others_and_is_the_only_one_in_the_next_plan(
    connected: Installation, controls: Controls, jira: JIRA
) -> None:
    plan = connected.ok(*NEW, code=2).json
    controls.set("faults", action="partial", skip=1, elements=[2], errors={"summary": "We do not like this one."})

    run = connected.ok("apply", plan["id"], "--json", code=1).json

    assert run["state"] == "incomplete"
    refused = [finding["subject"] for finding in run["findings"] if finding["code"] == "item-refused"]
    (key,) = refused
    assert "We do not like this one." in run["findings"][0]["message"]
    tickets = [change for change in plan["changes"] if change["kind"] in ("epic", "ticket")]
    assert sum(titles(jira).values()) == len(tickets) - 1

    again = connected.ok("plan", "ML", "--json", code=2).json
    creates = [change["key"] for change in again["changes"] if change["change"]["action"] == "create"]
    assert [created for created in creates if not created.startswith("link:")] == [key]

    connected.ok("apply", again["id"])
    assert titles(jira) == Counter(change["title"] for change in tickets)
    assert connected.ok("plan", "ML", "--json").json["summary"]["create"] == 0


def test_what_a_person_changed_is_shown_and_left_alone(connected: Installation, jira: JIRA) -> None:
    connected.ok(*NEW, code=2)
    connected.ok("apply", "ML")
    (goals,) = jira.search_issues('project = ML AND summary ~ "Set the goals"', maxResults=5)
    goals.update(fields={"summary": "Our own words for the goals"})
    (scope,) = jira.search_issues('project = ML AND summary ~ "Define the scope"', maxResults=5)
    scope.delete()

    plan = connected.ok("plan", "ML", "--json").json

    assert {(entry["key"], entry["field"]) for entry in plan["drift"]} >= {
        ("ticket:set-goals", "title"),
        ("ticket:define-scope", None),
    }
    connected.ok("apply", plan["id"])
    assert jira.issue(goals.key).fields.summary == "Our own words for the goals"
    assert titles(jira)["Define the scope from user needs"] == 0


def test_a_changed_parameter_changes_only_what_depends_on_it(connected: Installation, jira: JIRA) -> None:
    connected.ok(*NEW, code=2)
    connected.ok("apply", "ML")

    plan = connected.ok("plan", "ML", "--set", "ux=true", "--json", code=2).json
    connected.ok("apply", plan["id"])

    created = [c["key"] for c in plan["changes"] if c["change"]["action"] == "create" and c["kind"] == "ticket"]
    assert created
    assert all(titles(jira)[c["title"]] == 1 for c in plan["changes"] if c["kind"] == "ticket")
    assert connected.ok("plan", "ML", "--json").json["summary"]["create"] == 0


def test_an_existing_project_is_built_in_beside_what_is_there(
    connected: Installation, jira: JIRA, sandbox: SandboxServer
) -> None:
    theirs = jira.create_issue(
        fields={"project": {"key": "SCRUM"}, "issuetype": {"name": "Task"}, "summary": "Ours before"}
    )

    connected.ok("plan", "SCRUM", "--team", TEAM_FILE, code=2)
    connected.ok("apply", "SCRUM")

    found = jira.search_issues("project = SCRUM", maxResults=False)
    assert len(found) == 16 + 51 + 1
    assert jira.issue(theirs.key).fields.summary == "Ours before"


@pytest.mark.parametrize("project", ["TEAM", "KANBAN"])
def test_team_managed_and_kanban_projects_are_built_in_too(connected: Installation, jira: JIRA, project: str) -> None:
    method = ("--set", "method=kanban") if project == "KANBAN" else ()

    connected.ok("plan", project, "--team", TEAM_FILE, *method, code=2)
    run = connected.ok("apply", project, "--json").json

    assert run["state"] == "completed"
    found = jira.search_issues(f"project = {project}", maxResults=False)
    epics = [issue for issue in found if issue.fields.issuetype.name == "Epic"]
    assert len(epics) == 16
    assert all(issue.fields.parent for issue in found if issue.fields.issuetype.name != "Epic")
    assert connected.ok("plan", project, "--json").json["summary"]["create"] == 0
