"""What is kept of a project's iterations, on a real store."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest

from connectors.values import ItemKey
from service.domain.loop.figures import Cycle, Outcome, Sum, TicketRecord, count
from service.settings import Settings
from service.store.tables import IterationRow, ProjectRow
from service.usecases.audit.history import (
    csv_text,
    events,
    history,
    history_json,
    roles_csv,
    tickets_csv,
)
from service.usecases.errors import NotFound
from service.usecases.loop import decisions, scheduling
from tests.integration.loops import Shop, at

PM = "pm-1@example.com"

GOALS = TicketRecord(ItemKey("ticket:goals"), "Set the goals", "1", "ML-1", "https://t/1", "pm", PM, 2.0)
LOAD = TicketRecord(
    ItemKey("ticket:load"), '=HYPERLINK("https://evil.example.com")', "2", "ML-2", role="data", points=0.5
)

CLOSED = [
    replace(
        GOALS,
        status="done",
        outcome=Outcome.DONE,
        created=at("2026-02-20T12:00"),
        started=at("2026-03-28T12:00"),
        done=at("2026-03-29T13:30"),
    ),
    replace(LOAD, status="doing", outcome=Outcome.CARRIED, times=1),
]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Iteration 1 is closed, iteration 2 continues."""
    opened = Shop.open(Settings(home=tmp_path, _env_file=None))
    opened.begin_loop()
    opened.advance([GOALS, LOAD])
    opened.advance([replace(LOAD, times=1)], closed=CLOSED)
    with opened.context.database.session() as session:
        row = session.get_one(IterationRow, (opened.project.id, 1))
        row.figures = json.loads(json.dumps(count(CLOSED).to_json()))
        row.findings = [{"severity": "warning", "code": "x", "message": "A ticket was late.", "fix": "", "subject": ""}]
    yield opened
    opened.context.close()


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text)))


def test_an_iteration_that_was_closed_has_its_figures_and_tickets(shop: Shop) -> None:
    first, second = history(shop.context, "ML").iterations
    assert first.tickets == tuple(CLOSED)
    assert (first.figures.all.planned, first.figures.all.done, first.figures.all.carried) == (
        Sum(2, 2.5),
        Sum(1, 2),
        Sum(1, 0.5),
    )
    assert first.figures.cycle == Cycle(1, 25.5, 25.5)
    assert (second.figures.all.planned, second.figures.all.done) == (Sum(1, 0.5), Sum())
    assert [ticket.outcome for ticket in second.tickets] == [Outcome.OPEN]


def test_the_history_is_kept_after_the_project_has_ended(shop: Shop) -> None:
    scheduling.pause(shop.context, "ML", PM, "over")
    with shop.context.database.session() as session:
        session.get_one(ProjectRow, shop.project.id).ended_at = shop.clock()
    found = history(shop.context, shop.project.id)
    assert (len(found.iterations), len(found.events)) == (2, 1)
    assert found.cycle == Cycle(1, 25.5, 25.5)
    with pytest.raises(NotFound):
        history(shop.context, "NONE")


def test_a_project_that_has_not_begun_has_an_empty_history(tmp_path: Path) -> None:
    shop = Shop.open(Settings(home=tmp_path, _env_file=None))
    found = history(shop.context, "ML")
    assert (found.iterations, found.events, found.cycle) == ((), (), None)
    assert len(csv_text(found).splitlines()) == 1
    shop.context.close()


def test_the_history_is_plain_json(shop: Shop) -> None:
    decisions.answer(shop.context, "ML", {"*": "next"}, PM)
    found = history_json(history(shop.context, "ML"))
    assert json.loads(json.dumps(found)) == found
    first, second = found["iterations"]
    assert (first["number"], first["first"], first["starts"]) == (1, "2026-03-02", "2026-03-02T08:00:00+00:00")
    assert (first["closed_at"], second["closed_at"]) == ("2026-03-16T08:00:00+00:00", None)
    assert first["figures"]["by_role"]["pm"]["done"] == {"tickets": 1, "points": 2.0}
    assert first["tickets"][1]["outcome"] == "carried"
    assert found["events"][0]["text"] == "What is not done in iteration 2 of ML: all others: next."


def test_figures_are_a_line_for_each_iteration_in_project_time(shop: Shop) -> None:
    first, second = rows(csv_text(history(shop.context, "ML")))
    assert (first["iteration"], first["starts"], first["closed_at"]) == (
        "1",
        "2026-03-02T09:00:00+01:00",
        "2026-03-16T09:00:00+01:00",
    )
    assert (first["planned_tickets"], first["planned_points"], first["done_points"]) == ("2", "2.5", "2")
    assert (first["cycle_median_hours"], first["findings"]) == ("25.5", "A ticket was late.")
    assert (second["closed_at"], second["cycle_tickets"], second["cycle_median_hours"]) == ("", "0", "")


def test_figures_by_role_are_a_line_for_each_role_of_each_iteration(shop: Shop) -> None:
    found = [
        (row["iteration"], row["role"], row["carried_points"]) for row in rows(roles_csv(history(shop.context, "ML")))
    ]
    assert found == [("1", "data", "0.5"), ("1", "pm", "0"), ("2", "data", "0")]


def test_tickets_are_a_line_each_over_the_change_of_the_clocks(shop: Shop) -> None:
    goals, load, carried = rows(tickets_csv(history(shop.context, "ML")))
    assert (goals["ticket"], goals["outcome"], goals["cycle_hours"]) == ("ML-1", "done", "25.5")
    assert (goals["started"], goals["done"]) == ("2026-03-28T13:00:00+01:00", "2026-03-29T15:30:00+02:00")
    assert (load["points"], load["planned"], load["times"], load["done"]) == ("0.5", "yes", "1", "")
    assert (carried["iteration"], carried["outcome"]) == ("2", "open")


@pytest.mark.parametrize("title", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1", " =1+1"])
def test_no_title_becomes_a_formula_in_a_spreadsheet(shop: Shop, title: str) -> None:
    with shop.context.database.session() as session:
        row = session.get_one(IterationRow, (shop.project.id, 2))
        row.title, row.tickets = title, [replace(LOAD, title=title, person=title).to_json()]
    found = history(shop.context, "ML")
    assert rows(csv_text(found))[1]["title"] == f"'{title}"
    assert rows(roles_csv(found))[2]["title"] == f"'{title}"
    assert (rows(tickets_csv(found))[2]["title"], rows(tickets_csv(found))[2]["person"]) == (f"'{title}", f"'{title}")


@pytest.mark.parametrize(
    ("title", "cell"),
    [
        ("a;=1+1", "a;'=1+1"),
        ("a\t@x", "a\t'@x"),
        ('a\n" =1', "a\n\" '=1"),
        ("a; -b", "a; '-b"),
        ("\tx", "'\tx"),
        ("a - b", "a - b"),
    ],
)
def test_no_formula_begins_after_a_separator_within_a_cell(shop: Shop, title: str, cell: str) -> None:
    """A program whose separator is another one splits there."""
    with shop.context.database.session() as session:
        session.get_one(IterationRow, (shop.project.id, 2)).title = title
    assert rows(csv_text(history(shop.context, "ML")))[1]["title"] == cell


def test_events_are_told_in_order_and_from_where_one_left_off(shop: Shop) -> None:
    scheduling.skip(shop.context, "ML", PM, "a fair")
    scheduling.pause(shop.context, "ML", PM, "summer")
    skipped, paused = events(shop.context, "ML")
    assert (skipped["kind"], paused["kind"], paused["by"]) == ("skipped", "paused", PM)
    assert events(shop.context, "ML", after=skipped["id"]) == [paused]
    assert events(shop.context, "ML", limit=1) == [skipped]
