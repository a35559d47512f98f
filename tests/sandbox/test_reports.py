"""What other tools read of a sprint, and small ways in which the vendor is more lenient than its document says."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.testing import SandboxServer
from tests import plain
from tests.sandbox.conftest import Client

POINTS = "customfield_10024"
CHARTS = "/rest/greenhopper/1.0/rapid/charts"


@pytest.fixture
def jira(admin: Client) -> Client:
    return admin


def to_sprint(jira: Client, sprint: int | None, *keys: str) -> None:
    path = "/rest/agile/1.0/backlog/issue" if sprint is None else f"/rest/agile/1.0/sprint/{sprint}/issue"
    assert jira.post(path, json={"issues": list(keys)}).status_code == 204


def finish(jira: Client, key: str) -> None:
    transitions = jira.get(f"/rest/api/3/issue/{key}/transitions").json()["transitions"]
    (done,) = [one["id"] for one in transitions if one["to"]["statusCategory"]["key"] == "done"]
    assert jira.post(f"/rest/api/3/issue/{key}/transitions", json={"transition": {"id": done}}).status_code == 204


def estimate(jira: Client, key: str, points: float) -> None:
    assert jira.put(f"/rest/api/3/issue/{key}", json={"fields": {POINTS: points}}).status_code == 204


def later(sandbox: SandboxServer) -> None:
    plain.post(f"{sandbox.url}/sandbox/clock", json={"advanceSeconds": 3600}).raise_for_status()


def keys(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["key"] for entry in entries]


def test_a_sprint_report_tells_what_became_of_each_issue(sandbox: SandboxServer, jira: Client) -> None:
    plain.post(f"{sandbox.url}/sandbox/clock", json={"now": "2026-11-23T09:00:00Z"}).raise_for_status()
    done, left, out, before = (jira.issue(name, **{POINTS: 3.0}) for name in ("done", "left", "out", "before"))
    finish(jira, before)
    later(sandbox)
    sprint = jira.sprint("One")
    to_sprint(jira, sprint, done, left, out, before)
    jira.post(f"/rest/agile/1.0/sprint/{sprint}", json={"state": "active"}).raise_for_status()
    later(sandbox)
    added = jira.issue("added", **{POINTS: 1.0})
    to_sprint(jira, sprint, added)
    estimate(jira, done, 5.0)
    later(sandbox)
    finish(jira, done)
    to_sprint(jira, None, out)
    later(sandbox)
    jira.post(f"/rest/agile/1.0/sprint/{sprint}", json={"state": "closed"}).raise_for_status()
    later(sandbox)
    finish(jira, left)

    answer = jira.get(f"{CHARTS}/sprintreport", params={"rapidViewId": 1, "sprintId": sprint}).json()

    found = answer["contents"]
    assert keys(found["completedIssues"]) == [done]
    assert keys(found["issuesNotCompletedInCurrentSprint"]) == [left, added]
    assert keys(found["puntedIssues"]) == [out]
    assert keys(found["issuesCompletedInAnotherSprint"]) == [before]
    assert found["issueKeysAddedDuringSprint"] == {added: True}
    assert found["completedIssuesInitialEstimateSum"] == {"value": 3.0, "text": "3.0"}
    assert found["completedIssuesEstimateSum"] == {"value": 5.0, "text": "5.0"}
    assert found["issuesNotCompletedEstimateSum"]["value"] == 4.0
    assert found["allIssuesEstimateSum"]["value"] == 12.0
    assert (answer["sprint"]["name"], answer["sprint"]["state"]) == ("One", "CLOSED")
    assert answer["sprint"]["isoCompleteDate"].startswith("2026-11-23T")

    for path in ("velocity", "velocity.json"):
        velocity = jira.get(f"{CHARTS}/{path}", params={"rapidViewId": 1}).json()
        assert [one["id"] for one in velocity["sprints"]] == [sprint]
        assert velocity["velocityStatEntries"][str(sprint)] == {
            "estimated": {"value": 12.0, "text": "12.0"},
            "completed": {"value": 5.0, "text": "5.0"},
        }


def test_a_sprint_that_goes_on_is_reported_as_it_stands(jira: Client) -> None:
    sprint = jira.sprint("One", start=True)
    key = jira.issue("without an estimate")
    to_sprint(jira, sprint, key)
    found = jira.get(f"{CHARTS}/sprintreport", params={"rapidViewId": 1, "sprintId": sprint}).json()["contents"]
    assert keys(found["issuesNotCompletedInCurrentSprint"]) == [key]
    assert found["issuesNotCompletedEstimateSum"] == {"text": "null"}
    assert jira.get(f"{CHARTS}/velocity", params={"rapidViewId": 1}).json()["sprints"] == []


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        ("sprintreport", {"rapidViewId": 1}, 400),
        ("sprintreport", {"sprintId": 1}, 400),
        ("sprintreport", {"rapidViewId": 1, "sprintId": 99}, 404),
        ("velocity", {}, 400),
        ("velocity", {"rapidViewId": 99}, 404),
        ("velocity", {"rapidViewId": 3}, 400),
    ],
)
def test_a_report_of_what_is_not_there_is_refused(jira: Client, path: str, params: dict[str, int], status: int) -> None:
    assert jira.get(f"{CHARTS}/{path}", params=params).status_code == status
    assert plain.get(f"{jira.base_url}{CHARTS}/{path}", params=params).status_code == 401


@pytest.mark.parametrize(
    ("board", "status"), [("1", 201), (" 1 ", 201), ("one", 400), ("", 400), ("1.5", 400), ("99", 404)]
)
def test_the_board_of_a_new_sprint_may_be_a_number_as_text(jira: Client, board: str, status: int) -> None:
    answer = jira.post("/rest/agile/1.0/sprint", json={"name": "One", "originBoardId": board})
    assert answer.status_code == status
    if status == 201:
        assert answer.json()["originBoardId"] == 1


@pytest.mark.parametrize(
    ("seconds", "status"),
    [("3600", 201), (3600, 201), ("an hour", 400), ("", 400), ("59", 400), ("-60", 400), (True, 400)],
)
def test_seconds_of_work_may_be_a_number_as_text(jira: Client, seconds: object, status: int) -> None:
    key = jira.issue()
    answer = jira.post(f"/rest/api/3/issue/{key}/worklog", json={"timeSpentSeconds": seconds})
    assert answer.status_code == status
    if status == 201:
        assert answer.json()["timeSpentSeconds"] == 3600
        assert jira.get(f"/rest/api/3/issue/{key}?fields=timespent").json()["fields"]["timespent"] == 3600


def test_a_project_tells_all_its_keys_where_that_is_asked_for(jira: Client) -> None:
    assert jira.put("/rest/api/3/project/SCRUM", json={"key": "NEW"}).status_code == 200
    for path in ("/rest/api/3/project/NEW", "/rest/api/3/project/SCRUM"):
        assert jira.get(path, params={"expand": "projectKeys"}).json()["projectKeys"] == ["NEW", "SCRUM"]
    listed = jira.get("/rest/api/3/project/search", params={"expand": "projectKeys", "keys": "TEAM"}).json()["values"]
    assert listed[0]["projectKeys"] == ["TEAM"]
    assert "projectKeys" not in jira.get("/rest/api/3/project/TEAM").json()


@pytest.mark.parametrize("template", ["simplified-scrum-classic", "simplified-agility-scrum", "simplified-basic"])
def test_a_project_is_made_whatever_the_types_of_issues_are_called(jira: Client, template: str) -> None:
    for number, name in (("10000", "Epos"), ("10002", "Aufgabe"), ("10003", "Unteraufgabe")):
        assert jira.put(f"/rest/api/3/issuetype/{number}", json={"name": name}).status_code == 200
    lead = jira.get("/rest/api/3/myself").json()["accountId"]
    body = {
        "key": "NEU",
        "name": "Neu",
        "projectTypeKey": "software",
        "leadAccountId": lead,
        "projectTemplateKey": f"com.pyxis.greenhopper.jira:gh-{template}",
    }
    assert jira.post("/rest/api/3/project", json=body).status_code == 201
    types = jira.get("/rest/api/3/project/NEU").json()["issueTypes"]
    assert {one["hierarchyLevel"] for one in types} == {-1, 0, 1}
    assert ("Aufgabe" in {one["name"] for one in types}) is ("agility" not in template)


def test_a_search_takes_a_custom_fields_type_in_brackets_in_quotation_marks_or_not(jira: Client) -> None:
    key = jira.issue("One", **{POINTS: 3.0})
    for jql in ('project = SCRUM AND "Story Points[Number]" = 3', 'project = SCRUM AND "Sprint" is EMPTY'):
        found = jira.get("/rest/api/3/search/jql", params={"jql": jql, "fields": "key"}).json()["issues"]
        assert [one["key"] for one in found] == [key]
    answer = jira.get("/rest/api/3/search/jql", params={"jql": '"Story Points[Dropdown]" = 3'})
    assert answer.status_code == 400
    assert "does not exist" in answer.text
