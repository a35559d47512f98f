"""What people do in the tracker is in phaseloop's history, figures and records by the tracker's own event, without any
clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.values import ItemKey
from service.domain.loop.figures import Outcome, TicketRecord
from service.domain.plan import run_state
from service.store.tables import EventRow
from service.usecases.audit import history
from service.usecases.hook import registration, secret
from service.usecases.setup import connections
from tests.integration.hooked import Hooked, hooked
from tests.integration.record_desks import DATA, ML, TrelloRecords
from tests.integration.record_table import ONE, SECOND, RecordTable, record_table
from tests.waiting import eventually

TRELLO_SECRET = "sandbox-secret-of-the-power-up"
IN_TRELLO = pytest.mark.parametrize("table", ["trello"], indirect=True)


@pytest.fixture(params=["jira", "trello"])
def table(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RecordTable]:
    with record_table(tmp_path / "home", request.param) as opened:
        opened.table.sandbox.trello.data.secret = TRELLO_SECRET
        yield opened


@pytest.fixture
def door(table: RecordTable) -> Iterator[Hooked]:
    """The service, with the webhook of its tracker registered."""
    with hooked(table.table.context, table.table.engine.start) as opened:
        row = connections.get(opened.context, "tracker")
        if row.kind == "trello":
            secret.put(opened.context, secret.Owner(row.id, row.name, row.kind), TRELLO_SECRET)
        assert list(registration.register(opened.context, "tracker").findings) == []
        yield opened


def tickets(table: RecordTable, number: int = 1) -> dict[str, TicketRecord]:
    """The tickets of an iteration by title, as the history has them."""
    return {one.title: one for one in past(table, number).tickets}


def past(table: RecordTable, number: int = 1) -> history.Past:
    return history.history(table.table.context, table.table.project).iterations[number - 1]


def findings(table: RecordTable, code: str) -> list[EventRow]:
    found = history.history(table.table.context, table.table.project).events
    return [one for one in found if one.kind == "finding" and one.data.get("code") == code]


def test_status_and_tickets_that_come_and_go_are_in_the_history_while_the_iteration_goes_on(
    table: RecordTable, door: Hooked
) -> None:
    assert {one.outcome for one in past(table).tickets} == {Outcome.OPEN}

    table.desk.begins(ML, "Load the data")
    eventually(lambda: tickets(table)["Load the data"].status == "doing", 20)

    table.desk.finishes(ML, "Set the goals")
    eventually(lambda: tickets(table)["Set the goals"].outcome is Outcome.DONE, 20)

    table.desk.adds(ML, "Somebody's own", "Data 1")
    eventually(lambda: "Somebody's own" in tickets(table), 20)
    assert tickets(table)["Somebody's own"].planned is False

    table.desk.deletes("Load the data")
    eventually(lambda: tickets(table)["Load the data"].outcome is Outcome.REMOVED, 20)

    figures = past(table).figures.all
    assert (figures.done.tickets, figures.added.tickets, figures.removed.tickets) == (1, 1, 1)
    assert [row.error for row in door.events("failed")] == []


def test_what_was_seen_in_between_changes_nothing_in_the_figures_of_the_close(table: RecordTable, door: Hooked) -> None:
    planned = past(table).figures.all.planned
    table.desk.finishes(ML, "Set the goals")
    eventually(lambda: tickets(table)["Set the goals"].outcome is Outcome.DONE, 20)
    table.desk.adds(ML, "Somebody's own", "Data 1")
    eventually(lambda: "Somebody's own" in tickets(table), 20)

    run = table.table.turned(2, SECOND)
    assert run.state == run_state.COMPLETED, run.findings
    figures = past(table).figures.all

    assert figures.planned == planned
    assert figures.added.tickets == 1
    parts = (figures.done, figures.carried, figures.backlog, figures.left, figures.removed)
    assert figures.planned.tickets + figures.added.tickets == sum(one.tickets for one in parts)


def test_who_has_a_ticket_is_in_the_history(table: RecordTable, door: Hooked) -> None:
    before = tickets(table)["Set the goals"].person
    table.desk.gives(ML, "Set the goals", ML)

    eventually(lambda: tickets(table)["Set the goals"].person not in ("", before), 20)


def test_what_is_written_in_a_record_and_said_on_it_is_read_at_once(table: RecordTable, door: Hooked) -> None:
    door.settled()
    evidence = table.row().evidence_id

    table.desk.writes(DATA, ONE, "## Goal\n\nWritten just now, to be read without a clock.")
    eventually(lambda: table.row().evidence_id != evidence)

    said = table.row().evidence_id
    table.desk.says(DATA, ONE, "Is this enough?")
    eventually(lambda: table.row().evidence_id != said)


def test_many_events_at_once_take_few_looks(table: RecordTable, door: Hooked) -> None:
    door.settled()
    for _ in range(6):
        table.desk.says(ML, "Set the goals", "Nothing that an iteration shows.")
    door.settled()

    assert "history-follows" not in door.outcomes()


@IN_TRELLO
def test_a_list_that_people_move_rename_or_archive_is_answered_with_a_finding(table: RecordTable, door: Hooked) -> None:
    desk = table.desk
    assert isinstance(desk, TrelloRecords)
    lists = {one["name"]: one["id"] for one in desk.send(ML, "GET", f"boards/{desk.board()}/lists")}
    there = f"lists/{lists['In progress']}"

    desk.send(ML, "PUT", there, json={"pos": "top"})
    eventually(lambda: findings(table, "list-moved-by-hand"), 20)
    desk.send(ML, "PUT", there, json={"name": "Under way"})
    eventually(lambda: findings(table, "list-renamed-by-hand"), 20)
    desk.send(ML, "PUT", there, json={"closed": True})
    eventually(lambda: findings(table, "list-archived-by-hand"), 20)

    (moved,) = findings(table, "list-moved-by-hand")
    (archived,) = findings(table, "list-archived-by-hand")
    assert (moved.data["severity"], archived.data["severity"]) == ("info", "warning")
    assert "phaseloop connections map" in archived.text


def test_an_event_about_a_ticket_that_is_gone_by_then_does_no_harm(table: RecordTable, door: Hooked) -> None:
    table.desk.begins(ML, "Load the data")
    table.desk.deletes("Load the data")

    eventually(lambda: tickets(table)["Load the data"].outcome is Outcome.REMOVED, 20)
    door.settled()
    assert [row.error for row in door.events("failed")] == []
    assert ItemKey("ticket:load") in {one.key for one in past(table).tickets}
