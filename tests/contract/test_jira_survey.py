"""How the Jira connector reads projects that people made, without ever having had a hand in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connectors.errors import CredentialsRefused, TrackerRefused, TrackerUnavailable
from connectors.jira.debt_survey import EXTRAS
from connectors.port import Tracker
from connectors.records import Part, Survey
from connectors.values import ProjectSpec
from tests import plain
from tests.contract.benches import Bench, opened
from tests.contract.people import JiraPerson


@pytest.fixture(scope="module")
def running() -> Iterator[Bench]:
    with opened("jira company-managed") as bench:
        yield bench


class Team:
    """People with a project that phaseloop knows nothing of."""

    def __init__(self, bench: Bench, tracker: Tracker, template: str = "scrum") -> None:
        self.bench, self.tracker, self.key = bench, tracker, bench.fresh_key()
        assert isinstance(bench.person, JiraPerson)
        self.person = bench.person
        me = self.send("GET", "api/2/myself")["accountId"]
        style = f"com.pyxis.greenhopper.jira:gh-simplified-{template}-classic"
        body = {"key": self.key, "name": f"Churn {self.key}", "projectTypeKey": "software", "leadAccountId": me}
        self.send("POST", "api/2/project", {**body, "projectTemplateKey": style})
        self.board = self.send("GET", f"agile/1.0/board?projectKeyOrId={self.key}")["values"][0]["id"]

    def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        return self.person.send(method, path, admin=True, **({"json": body} if body else {}))

    def ticket(self, title: str, kind: str = "Task", **fields: Any) -> str:
        """A ticket; its key."""
        base = {"project": {"key": self.key}, "issuetype": {"name": kind}, "summary": title}
        return str(self.send("POST", "api/2/issue", {"fields": {**base, **fields}})["key"])

    def tickets(self, count: int) -> list[str]:
        base = {"project": {"key": self.key}, "issuetype": {"name": "Task"}}
        keys: list[str] = []
        for start in range(0, count, 50):
            some = [{"fields": {**base, "summary": f"T {n}"}} for n in range(start, min(start + 50, count))]
            keys += [one["key"] for one in self.send("POST", "api/2/issue/bulk", {"issueUpdates": some})["issues"]]
        return keys

    def sprint(self, name: str, *keys: str, starts: str | None = None, ends: str | None = None) -> int:
        """A sprint with these tickets; its id."""
        dates = {name: day for name, day in (("startDate", starts), ("endDate", ends)) if day}
        number = int(self.send("POST", "agile/1.0/sprint", {"name": name, "originBoardId": self.board, **dates})["id"])
        if keys:
            self.send("POST", f"agile/1.0/sprint/{number}/issue", {"issues": list(keys)})
        return number

    def done(self, key: str) -> None:
        ways = self.send("GET", f"api/2/issue/{key}/transitions")["transitions"]
        way = next(one["id"] for one in ways if one["to"]["statusCategory"]["key"] == "done")
        self.send("POST", f"api/2/issue/{key}/transitions", {"transition": {"id": way}})

    def state(self, sprint: int, *states: str) -> None:
        for state in states:
            self.send("POST", f"agile/1.0/sprint/{sprint}", {"state": state})

    def survey(self, key: str | None = None, by: Tracker | None = None) -> Survey | None:
        return (by or self.tracker).survey(ProjectSpec(uid="", key=key or self.key, name=key or self.key))

    def found(self) -> Survey:
        survey = self.survey()
        assert survey is not None
        return survey


@pytest.fixture
def team(bench: Bench, tracker: Tracker) -> Team:
    return Team(bench, tracker)


def titles(survey: Survey) -> dict[str, list[str]]:
    return {one.title: [each.title for each in one.documents] for one in survey.iterations}


def test_sprints_are_told_oldest_first_with_their_tickets_and_the_rest_is_loose(team: Team) -> None:
    first, second, third, fourth = (team.ticket(name) for name in ("First", "Left", "Third", "Backlog"))
    late = team.sprint("B", third, starts="2026-10-05T09:00:00Z", ends="2026-10-16T17:00:00Z")
    early = team.sprint("A", first, second, starts="2026-09-07T09:00:00Z", ends="2026-09-18T17:00:00Z")
    team.sprint("C")
    team.state(early, "active")
    team.done(first)
    team.state(early, "closed")
    team.state(late, "active")
    before = team.bench.requests()
    survey = team.found()
    assert titles(survey) == {"A": ["First", "Left"], "B": ["Third"], "C": []}
    assert [one.title for one in survey.loose] == ["Backlog"]
    assert (survey.title, survey.ref.key) == (f"Churn {team.key}", team.key)
    a, b, c = survey.iterations
    assert [one.status for one in (a, b, c)] == ["closed", "active", "future"]
    assert a.starts is not None
    assert a.ends is not None
    assert [a.starts.isoformat(), a.ends.isoformat()] == ["2026-09-07T09:00:00+00:00", "2026-09-18T17:00:00+00:00"]
    assert (c.starts, c.ends) == (None, None)
    assert [one.status for one in a.documents[0].steps] == ["done"]
    assert survey.loose[0].ref.url.endswith(f"/browse/{fourth}")
    assert team.bench.requests()[1] == before[1]


def test_epics_are_no_tickets_and_sub_tasks_go_with_their_parents(team: Team) -> None:
    parent = team.ticket("Parent")
    team.ticket("Epic", "Epic")
    team.ticket("Part", "Sub-task", parent={"key": parent})
    team.sprint("A", parent)
    assert (titles(team.found()), team.found().loose) == ({"A": ["Parent", "Part"]}, ())


def test_documents_of_a_survey_are_as_documents_are(team: Team) -> None:
    key = team.ticket("Record", description="h2. Goal\n\n*Win*")
    team.send("POST", f"api/2/issue/{key}/comment", {"body": "/approve"})
    link = {"object": {"url": "https://example.com/run", "title": "Run"}}
    team.send("POST", f"api/2/issue/{key}/remotelink", link)
    [found] = team.found().loose
    assert (found.key, found.text, found.unread) == (None, "## Goal\n\n**Win**", ())
    assert [one.text for one in found.comments] == ["/approve"]
    assert [one.url for one in found.links] == ["https://example.com/run"]


@pytest.mark.parametrize(
    "form",
    [
        "{site}/browse/{key}-1",
        "{site}/jira/software/c/projects/{key}/boards/1?view=x",
        "{site}/projects/{key}/issues",
        "{site}/secure/RapidBoard.jspa?projectKey={key}",
    ],
)
def test_a_project_is_found_by_an_address_of_its_site(team: Team, form: str) -> None:
    site = team.tracker.survey(ProjectSpec("", team.key, ""))
    assert site is not None
    url = site.ref.url.partition("/browse/")[0]
    found = team.survey(form.format(site=url, key=team.key))
    assert found is not None
    assert found.ref == site.ref
    assert team.survey(form.format(site="https://other.example.com", key=team.key)) is None


def test_a_project_that_is_not_to_be_seen_is_none_and_a_refused_token_is_told(team: Team, bench: Bench) -> None:
    assert team.survey("NOSUCH") is None
    with pytest.raises(CredentialsRefused):
        team.survey(by=bench.tracker("stranger"))


def test_who_may_only_look_surveys_the_same(bench: Bench, tracker: Tracker) -> None:
    spec = ProjectSpec("", "SCRUM", "")
    assert bench.tracker("viewer").survey(spec) == tracker.survey(spec)


def test_a_tracker_that_goes_down_in_the_middle_raises(team: Team) -> None:
    team.done(team.ticket("A"))
    path = "/changelog/bulkfetch"
    team.bench.proxy.orders.fake.append((lambda passing: passing.path.endswith(path), 503, b"{}"))
    with pytest.raises(TrackerUnavailable):
        team.survey()


def test_data_center_is_refused_by_name(team: Team) -> None:
    plain.post(f"{team.person.url}/sandbox/deployment", json={"deployment": "Server"}).raise_for_status()
    try:
        with pytest.raises(TrackerRefused, match="Cloud only"):
            team.bench.tracker().survey(ProjectSpec("", team.key, ""))
    finally:
        plain.delete(f"{team.person.url}/sandbox/deployment").raise_for_status()


def test_a_survey_takes_few_requests_and_names_what_it_did_not_ask_for(team: Team) -> None:
    keys = team.tickets(230)
    for key in keys[: EXTRAS + 10]:
        link = {"object": {"url": "https://example.com/run", "title": "Run"}}
        team.send("POST", f"api/2/issue/{key}/remotelink", link)
    longest = keys[EXTRAS + 9]
    team.person.send("PUT", f"api/2/issue/{longest}", json={"fields": {"description": "Many words. " * 50}})
    before = team.bench.requests()
    survey = team.found()
    after = team.bench.requests()
    asked = EXTRAS + 2
    assert len(survey.loose) == 230
    assert after[0] - before[0] <= 10 + 3 + 2 + asked
    assert after[1] == before[1]
    unread = [one for one in survey.loose if one.unread]
    assert {one.unread for one in unread} == {(Part.LINKS,)}
    assert len(unread) == EXTRAS + 10 - asked
    assert [len(one.links) for one in survey.loose if one.ref.key == longest] == [1]


def test_without_sprints_labels_say_the_iteration_and_without_those_two_weeks(bench: Bench, tracker: Tracker) -> None:
    team = Team(bench, tracker, "kanban")
    team.done(team.ticket("First"))
    [stretch] = team.found().iterations
    assert [one.title for one in stretch.documents] == ["First"]
    assert stretch.status == "active"
    assert stretch.starts is not None
    assert stretch.ends is not None
    assert ((stretch.ends - stretch.starts).days, stretch.starts.weekday()) == (14, 0)
    team.done(team.ticket("Second", labels=["iteration:1"]))
    team.ticket("Third", labels=["Sprint-2", "data"])
    survey = team.found()
    assert titles(survey) == {"Iteration 1": ["Second"], "Iteration 2": ["Third"]}
    assert [one.status for one in survey.iterations] == ["closed", "future"]
    assert [one.title for one in survey.loose] == ["First"]
