"""The main job, end to end: sandbox and service as processes, the command line, then a plain Jira client."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest
from jira import JIRA

from sandbox.server import free_port
from service.domain.plan.assignment import assign
from service.domain.plan.blueprint import Blueprint, blueprint
from service.domain.team.calendar import Calendar
from service.domain.team.team import Team, read_team
from service.domain.template.parameters import settle
from service.domain.template.reader import read_template
from service.templates import load_builtin
from tests import plain
from tests.integration.conftest import TEAM_FILE, Installation, plain_client
from tests.waiting import eventually

START = "2027-01-04"
ZONE = "Europe/Berlin"


@dataclass
class Built:
    """The bootstrapped project: what was asked for, and what a plain client finds."""

    jira: JIRA
    wanted: Blueprint
    team: Team
    issues: dict[str, Any]
    """By item key, from our marker."""
    sprints: dict[str, Any]
    apply: dict[str, Any]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    installation = Installation(tmp_path_factory.mktemp("bootstrap") / "home")
    sandbox_port, service_port = free_port(0), free_port(0)
    url = f"http://127.0.0.1:{sandbox_port}"
    with (
        installation.process("sandbox", "--port", sandbox_port, "--quiet") as sandbox,
        installation.process("serve", "--port", service_port) as service,
    ):
        answering(sandbox, f"{url}/rest/api/2/serverInfo")
        answering(service, f"http://127.0.0.1:{service_port}/readyz")
        installation.connect(url)
        arguments = ("plan", "ML", "--create", "--team", TEAM_FILE, "--set", f"start_date={START}", "--time-zone", ZONE)
        installation.ok(*arguments, "--name", "ML demo", code=2)
        applied = installation.ok("apply", "ML", "--json").json
        jira = plain_client(url)
        yield looked_at(jira, applied)
        jira.close()


def answering(process: subprocess.Popen[bytes], url: str) -> None:
    def look() -> bool:
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        try:
            return plain.get(url).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    eventually(look)


def looked_at(jira: JIRA, applied: dict[str, Any]) -> Built:
    template = read_template(load_builtin("iterative-ml").text, "iterative-ml.yaml")
    parameters = settle(template, {"start_date": START}, date(2027, 1, 1))
    calendar = Calendar(time_zone=ZONE)
    wanted = blueprint(template, parameters, "ML demo", "ML", calendar)
    issues = {}
    for issue in jira.search_issues("project = ML ORDER BY key", maxResults=False):
        marker = jira.issue_property(issue.key, "phaseloop")
        issues[str(marker.value.key)] = jira.issue(issue.key)
    board = next(board for board in jira.boards(projectKeyOrID="ML"))
    sprints = {sprint.name: sprint for sprint in jira.sprints(board.id)}
    team = read_team(TEAM_FILE.read_text(), TEAM_FILE.name)
    return Built(jira, wanted, team, issues, sprints, applied)


def test_the_run_completed_through_the_service(built: Built) -> None:
    assert built.apply["state"] == "completed"
    assert built.apply["findings"] == []


def test_the_board_and_every_ticket_open_in_a_browser(built: Built) -> None:
    assert plain.get(built.apply["url"]).status_code == httpx.codes.OK
    for issue in list(built.issues.values())[:3]:
        page = plain.get(issue.permalink())
        assert page.status_code == httpx.codes.OK
        assert issue.fields.summary.split(":")[0] in page.text


def test_every_epic_and_ticket_exists_once_and_nothing_else(built: Built) -> None:
    keys = [epic.key for epic in built.wanted.epics] + [ticket.key for ticket in built.wanted.tickets]

    assert sorted(built.issues) == sorted(keys)
    assert len(built.jira.search_issues("project = ML", maxResults=False)) == len(keys)


def test_there_are_four_phases_with_four_epics_each(built: Built) -> None:
    epics = [issue for issue in built.issues.values() if issue.fields.issuetype.name == "Epic"]

    phases = Counter(label for epic in epics for label in epic.fields.labels if label.startswith("phase:"))
    assert sorted(phases.values()) == [4, 4, 4, 4]


def test_every_ticket_is_under_its_epic(built: Built) -> None:
    for ticket in built.wanted.tickets:
        parent = built.issues[ticket.key].fields.parent
        assert parent.key == built.issues[ticket.epic].key, ticket.key


def test_every_sprint_has_its_name_dates_and_state(built: Built) -> None:
    assert len(built.sprints) == len(built.wanted.iterations) == 7
    for iteration in built.wanted.iterations:
        sprint = built.sprints[iteration.title]
        assert len(sprint.name) < 30
        assert instant(sprint.startDate) == iteration.starts.astimezone(UTC)
        assert instant(sprint.endDate) == iteration.ends.astimezone(UTC)
        assert sprint.state == "future"


def test_the_first_sprint_starts_on_the_day_that_was_asked_for(built: Built) -> None:
    first = built.sprints[built.wanted.iterations[0].title]

    assert first.startDate.startswith(START)


def test_every_ticket_is_in_its_sprint(built: Built) -> None:
    titles = {iteration.key: iteration.title for iteration in built.wanted.iterations}
    expected = Counter((titles[ticket.iteration], built.issues[ticket.key].key) for ticket in built.wanted.tickets)

    found = Counter(
        (sprint.name, issue.key)
        for sprint in built.sprints.values()
        for issue in built.jira.search_issues(f"sprint = {sprint.id}", maxResults=False)
    )
    assert found == expected


def test_every_ticket_is_assigned_to_somebody_of_its_role(built: Built) -> None:
    roles = {member.email: set(member.roles) for member in built.team.members}
    template = read_template(load_builtin("iterative-ml").text, "iterative-ml.yaml")
    parameters = settle(template, {"start_date": START}, date(2027, 1, 1))
    assignment = assign(built.wanted, template, parameters, built.team, Calendar(time_zone=ZONE))

    for ticket in built.wanted.tickets:
        issue = built.issues[ticket.key]
        role = assignment.tickets[ticket.key].role
        assert issue.fields.assignee is not None, ticket.key
        assert role in roles[issue.fields.assignee.emailAddress], ticket.key
        assert f"role:{role}" in issue.fields.labels


def test_work_of_a_role_is_shared_by_its_people(built: Built) -> None:
    loads = Counter(
        issue.fields.assignee.emailAddress for issue in built.issues.values() if issue.fields.assignee is not None
    )

    assert abs(loads["ml-1@example.com"] - loads["ml-2@example.com"]) <= 5


def test_every_ticket_has_its_points(built: Built) -> None:
    points = next(field["id"] for field in built.jira.fields() if field["name"] == "Story Points")

    for ticket in built.wanted.tickets:
        assert getattr(built.issues[ticket.key].fields, points) == ticket.points, ticket.key


def test_every_ticket_says_what_done_means(built: Built) -> None:
    for ticket in built.wanted.tickets:
        text = built.issues[ticket.key].fields.description
        for line in ticket.checklist:
            words = [word for word in line.split() if word.isalpha()]
            assert all(word in text for word in words), (ticket.key, line)


def test_every_dependency_is_a_link_in_the_right_direction(built: Built) -> None:
    expected = Counter((built.issues[link.source].key, built.issues[link.target].key) for link in built.wanted.links)

    found: Counter[tuple[str, str]] = Counter()
    for issue in built.issues.values():
        for link in issue.fields.issuelinks:
            if hasattr(link, "inwardIssue"):
                assert link.type.inward == "is blocked by"
                found[(issue.key, link.inwardIssue.key)] += 1
    assert found == expected
    assert expected


def test_every_iteration_has_a_record_to_write(built: Built) -> None:
    records = {key: issue for key, issue in built.issues.items() if key.startswith("record:")}

    assert set(records) == {f"record:{number}" for number in range(1, 8)}
    for issue in records.values():
        assert "record" in issue.fields.labels
        assert "Sign-off" in issue.fields.description or "sign" in issue.fields.description.lower()


def test_every_sprint_carries_our_marker(built: Built) -> None:
    for iteration in built.wanted.iterations:
        sprint = built.sprints[iteration.title]
        answer = built.jira._session.get(
            built.jira._get_url(f"sprint/{sprint.id}/properties/phaseloop", base=built.jira.AGILE_BASE_URL)
        )
        assert answer.json()["value"]["key"] == iteration.key


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
