"""The same template, the same commands, in Trello; then a look with the plain `py-trello` client."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.testing import SandboxServer
from sandbox.trello.seed import KEY, TOKEN
from service.domain.plan.assignment import Assignment, assign
from service.domain.plan.blueprint import Blueprint, blueprint
from service.domain.team.calendar import Calendar
from service.domain.team.team import Team, read_team
from service.domain.template.parameters import settle
from service.domain.template.reader import read_template
from service.templates import load_builtin
from tests.integration.conftest import TEAM_FILE, Controls, Installation
from tests.trello_client import plain_trello

START = "2027-01-04"
ZONE = "Europe/Berlin"
MARKER = re.compile(r"\[//\]: # \(phaseloop \S+ (\S+)\)\s*$")


@dataclass
class Built:
    """The board as a plain client finds it, beside what was asked for."""

    installation: Installation
    controls: Controls
    board: Any
    cards: dict[str, Any]
    """By item key, from our marker."""
    wanted: Blueprint
    assignment: Assignment
    team: Team
    run: dict[str, Any]
    counts: dict[str, Any]
    """What was sent up to the end of the run."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    installation = Installation(tmp_path_factory.mktemp("trello") / "home")
    with SandboxServer() as sandbox:
        controls = Controls(sandbox.url)
        controls.set("limits", enabled=True)
        add = ("connections", "add", "trello", "--kind", "trello", "--url", sandbox.url, "--key", KEY, "--invite")
        installation.ok(*add, stdin=TOKEN)
        plan = ("plan", "ML", "--create", "--name", "ML board", "--team", TEAM_FILE, "--time-zone", ZONE)
        installation.ok(*plan, "--set", f"start_date={START}", code=2)
        run = installation.ok("apply", "ML", "--json").json
        counts = controls.counts()
        controls.clear("limits")  # the plain client below knows no pace
        client = plain_trello(sandbox.url)
        (board,) = [board for board in client.list_boards() if board.name == "ML board"]
        cards = {}
        for card in board.all_cards():
            found = MARKER.search(card.description)
            if found:
                cards[found[1]] = card
        template = read_template(load_builtin("iterative-ml").text, "iterative-ml.yaml")
        parameters = settle(template, {"start_date": START}, datetime(2027, 1, 1, tzinfo=UTC).date())
        calendar, team = Calendar(time_zone=ZONE), read_team(TEAM_FILE.read_text(), TEAM_FILE.name)
        wanted = blueprint(template, parameters, "ML board", "ML", calendar)
        assignment = assign(wanted, template, parameters, team, calendar)
        yield Built(installation, controls, board, cards, wanted, assignment, team, run, counts)
        client.http_service.session.close()


def test_the_run_completed_without_one_refusal_for_its_rate(built: Built) -> None:
    assert built.run["state"] == "completed"
    assert built.run["findings"] == []
    assert "429" not in built.counts["byStatus"]


def test_every_epic_and_ticket_is_one_card(built: Built) -> None:
    keys = {epic.key for epic in built.wanted.epics} | {ticket.key for ticket in built.wanted.tickets}

    assert keys <= set(built.cards)
    names = Counter(card.name for card in built.board.all_cards())
    assert all(names[ticket.title] == 1 for ticket in built.wanted.tickets)
    assert all(names[epic.title] == 1 for epic in built.wanted.epics)


def test_the_lists_are_those_of_the_documentation(built: Built) -> None:
    assert [one.name for one in built.board.open_lists()] == [
        *("Epics", "Backlog", "Iteration", "In progress", "Review", "Done")
    ]


def test_every_ticket_links_to_its_epic(built: Built) -> None:
    for ticket in built.wanted.tickets:
        card, epic = built.cards[ticket.key], built.cards[ticket.epic]
        assert any(epic.short_url in attachment["url"] for attachment in card.attachments), ticket.key


def test_every_ticket_has_its_iteration_as_label_and_dates(built: Built) -> None:
    iterations = {iteration.key: iteration for iteration in built.wanted.iterations}

    for ticket in built.wanted.tickets:
        card, iteration = built.cards[ticket.key], iterations[ticket.iteration]
        assert iteration.title in {label.name for label in card.labels}
        assert card.due_date == iteration.ends.astimezone(UTC)


def test_every_ticket_is_with_somebody_of_its_role(built: Built) -> None:
    roles = {member.person: set(member.roles) for member in built.team.members}
    ids = {member.username: member.id for member in built.board.all_members()}
    assert len(ids) >= len(built.team.members)

    for ticket in built.wanted.tickets:
        assigned = built.assignment.tickets[ticket.key]
        card = built.cards[ticket.key]
        assert len(card.member_id) == 1, ticket.key
        assert assigned.person is not None
        assert assigned.role in roles[assigned.person]
        assert f"role:{assigned.role}" in {label.name for label in card.labels}


def test_every_ticket_has_what_done_means_as_a_checklist(built: Built) -> None:
    for ticket in built.wanted.tickets:
        lines = [item["name"] for checklist in built.cards[ticket.key].checklists for item in checklist.items]
        assert lines == list(ticket.checklist), ticket.key


def test_applying_again_writes_nothing(built: Built) -> None:
    built.controls.clear("requests")

    plan = built.installation.ok("plan", "ML", "--json").json

    assert {name: plan["summary"][name] for name in ("create", "update", "adopt")} == {
        "create": 0,
        "update": 0,
        "adopt": 0,
    }
    built.installation.ok("apply", plan["id"])
    assert built.controls.writes() == 0, built.controls.get("requests")["requests"]


def test_what_a_person_drags_and_renames_is_theirs(built: Built) -> None:
    card = built.cards["ticket:set-goals"]
    doing = next(one for one in built.board.open_lists() if one.name == "In progress")
    card.change_list(doing.id)
    card.set_name("Our own words")

    plan = built.installation.ok("plan", "ML", "--json").json

    assert plan["summary"]["update"] == 0
    assert ("ticket:set-goals", "title") in {(entry["key"], entry["field"]) for entry in plan["drift"]}
