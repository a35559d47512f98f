"""What phaseloop itself did is told from what people did: its reminders, its iterations begun and closed, what it
released."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.values import ItemKey
from service.cli.plan_words import plan_lines
from service.domain.plan import run_state
from service.domain.plan.plan import Action
from service.usecases.plan import planning, undo_plan
from service.usecases.run import plan_apply
from tests.integration.desks import JiraDesk, TrelloDesk
from tests.integration.record_desks import DATA
from tests.integration.record_table import SECOND, SOON, RecordTable, record_table
from tests.integration.turntable import TEMPLATE, Turntable, turntable

BY = "lead@example.com"


@pytest.fixture(params=["jira", "trello"])
def records(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RecordTable]:
    with record_table(tmp_path / "home", request.param) as opened:
        yield opened


def applied(table: Turntable, plan_id: str) -> None:
    run = table.ended(plan_apply.apply(table.context, plan_id, BY, table.engine.start).id)
    assert run.state == run_state.COMPLETED, run.findings


def is_there(table: Turntable) -> bool:
    """Whether the project is still to be seen in the tracker, as its people see it."""
    try:
        return bool(JiraDesk(table.url).titles())
    except AssertionError:
        pass
    try:
        TrelloDesk(table.url).board()
    except StopIteration:
        return False
    return True


def test_a_project_that_nobody_touched_is_removed_whole_after_its_loop_has_turned(records: RecordTable) -> None:
    table = records.table
    records.looked(SOON)
    assert len(records.reminders()) == 1
    run = table.turned(2, SECOND)
    assert run.state == run_state.COMPLETED, run.findings
    table.ended(records.look_id(SECOND), *run_state.ENDED, run_state.HELD)
    assert is_there(table)

    kept = undo_plan.plan_removal(table.context, "ML")
    plan = planning.plan_of(kept)

    assert [(one.title, one.note) for one in plan.changes if one.action is Action.KEEP] == []
    applied(table, kept.id)
    assert not is_there(table)


def test_what_somebody_said_besides_a_reminder_keeps_the_record(records: RecordTable) -> None:
    records.looked(SOON)
    records.desk.says(DATA, "Document iteration 1", "I am on it.")

    plan = planning.plan_of(undo_plan.plan_removal(records.table.context, "ML"))

    assert {one.key: one.note for one in plan.changes if one.action is Action.KEEP}["record:1"] == "1 comment"


WHOLE = TEMPLATE.read_text(encoding="utf-8")
JUDGE = """      - {key: judge, title: Judge the model, epic: model, role: ml, description: Judge it.,
         done: [A decision is written], deliverable: a decision, points: 3, needs: [train]}
"""
WITHOUT = WHOLE.replace(JUDGE, "").replace("needs: [judge]", "needs: [train]")


@pytest.fixture(params=["jira", "trello"])
def table(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Turntable]:
    with turntable(tmp_path / "home", request.param) as opened:
        opened.plan_and_apply()
        opened.turned(1, "2026-03-02T09:00")
        yield opened


def titles(table: Turntable) -> int:
    desk = JiraDesk(table.url)
    try:
        return desk.titles()["Judge the model"]
    except AssertionError:
        return TrelloDesk(table.url).titles()["Judge the model"]


def test_a_ticket_that_left_the_template_and_comes_back_is_the_same_one(table: Turntable) -> None:
    key = ItemKey("ticket:judge")
    before = planning.draft(table.context, "ML").plan.known[key]
    kept = planning.make_plan(table.context, "ML", asked=table.asking(WITHOUT))
    lines = list(plan_lines(planning.plan_of(kept), kept.id, everything=False, connection="jira"))
    assert any("Judge the model" in line and "it stays in the tracker" in line for line in lines)
    applied(table, kept.id)
    assert key not in planning.draft(table.context, "ML").plan.known
    assert titles(table) == 1

    kept = planning.make_plan(table.context, "ML", asked=table.asking(WHOLE))

    (change,) = (one for one in planning.plan_of(kept).changes if one.key == key)
    assert change.action is Action.ADOPT
    applied(table, kept.id)
    assert titles(table) == 1
    assert planning.draft(table.context, "ML").plan.known[key] == before
    assert planning.draft(table.context, "ML").plan.empty


def test_what_left_the_template_and_nobody_touched_goes_with_the_project(table: Turntable) -> None:
    applied(table, planning.make_plan(table.context, "ML", asked=table.asking(WITHOUT)).id)

    kept = undo_plan.plan_removal(table.context, "ML")

    plan = planning.plan_of(kept)
    assert [(one.title, one.note) for one in plan.changes if one.action is Action.KEEP] == []
    assert "ticket:judge" in {one.key for one in plan.changes if one.action is Action.DELETE}
    applied(table, kept.id)
    assert not is_there(table)


def test_a_ticket_that_was_done_after_it_left_the_template_is_made_anew(tmp_path: Path) -> None:
    with turntable(tmp_path / "home") as table:
        table.plan_and_apply()
        applied(table, planning.make_plan(table.context, "ML", asked=table.asking(WITHOUT)).id)
        desk = JiraDesk(table.url)
        issue = desk.key("Judge the model")
        found = desk.send("GET", f"api/2/issue/{issue}/transitions")["transitions"]
        done = next(one["id"] for one in found if one["to"]["name"] == "Done")
        desk.send("POST", f"api/2/issue/{issue}/transitions", json={"transition": {"id": done}})

        applied(table, planning.make_plan(table.context, "ML", asked=table.asking(WHOLE)).id)

        assert titles(table) == 2
