"""Records are looked at by the clock: what is known is written into them, and people are reminded of the rest, once in
each state. In Jira and Trello."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.domain.audit.outcome import Verdict
from service.domain.loop import loop_state
from service.domain.plan import run_state
from service.domain.plan.plan import Plan
from service.store import dues, runs
from service.store.tables import LoopRow, ProjectRow, RunRow
from service.usecases.audit import record_upkeep
from service.usecases.errors import Conflict
from service.usecases.loop import scheduling
from service.usecases.plan import planning, undo_plan
from service.usecases.plan.plan_options import Wish
from service.usecases.run import plan_apply, run_control
from tests.integration.record_desks import DATA, PM
from tests.integration.record_table import (
    DUE,
    ESCALATED,
    FIRST,
    GOAL,
    GRACE,
    ONE,
    OVERDUE,
    SECOND,
    SOON,
    RecordTable,
    record_table,
)
from tests.integration.turntable import turntable

BY = "pm-1@example.com"


@pytest.fixture(params=["jira", "trello"])
def records(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RecordTable]:
    with record_table(tmp_path / "home", request.param) as opened:
        yield opened


@pytest.fixture
def jira(tmp_path: Path) -> Iterator[RecordTable]:
    with record_table(tmp_path / "home") as opened:
        yield opened


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def begun(records: RecordTable) -> RunRow:
    """A look by hand, once it is over or held."""
    table = records.table
    run = record_upkeep.begin(table.context, table.project, BY, table.engine.start)
    return table.ended(run.id, *run_state.ENDED, run_state.HELD)


# --- what is written --------------------------------------------------------------------------------------------------


def test_what_is_known_is_written_when_an_iteration_begins_and_again_before_it_ends(records: RecordTable) -> None:
    first = records.document().text

    assert "Set the goals" in first
    assert "What was the goal?" in first, "the prompt stays until a person answers it"
    assert records.reminders() == [], "nothing is due yet"
    assert records.table.due(dues.AUDIT) == at(SOON)

    records.desk.finishes(PM, "Set the goals")
    look = records.looked(SOON)

    assert look.state == run_state.COMPLETED, look.findings
    assert records.document().text != first


def test_what_a_person_wrote_stays_to_the_character(records: RecordTable) -> None:
    records.desk.writes(DATA, ONE, f"## Goal\n\n{GOAL}\n\n## Something else\n\nOurs alone.")
    before = records.document().text
    records.desk.finishes(PM, "Set the goals")

    assert records.looked(SOON).state == run_state.COMPLETED
    assert records.looked(GRACE).state == run_state.COMPLETED

    assert records.document().text == before


def test_writing_a_record_is_no_drift_and_no_plan_takes_the_writing_back(records: RecordTable) -> None:
    def drafted(*restore: str) -> Plan:
        return planning.draft(records.table.context, records.table.project, Wish(restore=restore)).plan

    records.desk.writes(DATA, ONE, records.document().text + "\n\nOne more thing.")
    records.desk.finishes(PM, "Set the goals")
    records.looked(SOON)

    assert [entry for entry in drafted().drift if entry.key == "record:1"] == []

    asked = drafted("record:1")
    assert [change for change in asked.changes if change.key == "record:1" and change.writes] == []
    assert [finding.code for finding in asked.findings if finding.subject == "record:1"] == ["record-not-restored"]


def test_a_plan_that_somebody_made_stays_fresh(jira: RecordTable) -> None:
    serial = _project(jira).serial

    assert jira.looked(SOON).state == run_state.COMPLETED

    assert _project(jira).serial == serial


# --- who is reminded --------------------------------------------------------------------------------------------------


def test_people_are_reminded_once_in_each_state_of_the_clock(records: RecordTable) -> None:
    scheduling.pause(records.table.context, records.table.project, BY, "The first iteration lasts on.")
    states = {"due-soon": SOON, "due": DUE, "in-grace": GRACE, "overdue": OVERDUE, "escalated": ESCALATED}
    for number, (state, instant) in enumerate(states.items(), 1):
        records.table.set(instant)
        for _ in range(2):
            look = begun(records)
            assert look.state == run_state.COMPLETED, look.findings

        assert records.notices() == [f"record-due:1:{one}" for one in list(states)[:number]]
        assert len(records.reminders()) == number, state

    assert records.row().verdict == Verdict.UNDOCUMENTED


def test_a_reminder_names_what_is_lacking_and_is_for_who_writes_and_who_signs(records: RecordTable) -> None:
    records.looked(SOON)

    (reminder,) = records.reminders()
    assert "due on Fri 13 Mar 2026 at 17:00 +00:00" in reminder
    assert "D02" in reminder
    assert "D10" in reminder
    assert "Signed by: Product Manager" in reminder
    event = records.event("record-due:1:due-soon")
    assert (event.kind, event.iteration, event.run_id) == ("record-due", 1, records.look_id(SOON))
    assert event.data["to"]


def test_nobody_is_reminded_of_a_record_that_is_complete(records: RecordTable) -> None:
    records.documents()

    for instant in (SOON, DUE, GRACE):
        assert records.looked(instant).state == run_state.COMPLETED

    assert records.reminders() == records.notices() == []
    assert records.row().verdict == Verdict.DOCUMENTED


def test_states_that_were_slept_through_are_passed_over(jira: RecordTable) -> None:
    jira.table.engine.stop()
    jira.table.set("2026-03-15T12:00")
    jira.table.engine.launch()
    jira.table.ended(jira.look_id("2026-03-15"), *run_state.ENDED)

    assert jira.notices() == ["record-due:1:in-grace"]
    assert len(jira.reminders()) == 1


def test_a_record_that_somebody_deleted_is_told_of_although_nothing_can_be_said_on_it(records: RecordTable) -> None:
    records.desk.deletes(ONE)

    look = records.looked(SOON)

    assert look.state == run_state.COMPLETED, look.findings
    assert records.notices() == ["record-due:1:due-soon"]
    assert "Record exists" in records.table.told("record-due:1:due-soon")


def test_a_record_that_cannot_be_commented_on_is_told_of_and_holds_nothing(jira: RecordTable) -> None:
    jira.fault(action="status", status=403, body="json", path="/comment$", method="POST")

    look = jira.looked(SOON)

    assert look.state == run_state.COMPLETED
    assert [entry["code"] for entry in look.findings] == ["record-refused"]
    assert jira.notices() == ["record-due:1:due-soon"]


# --- when -------------------------------------------------------------------------------------------------------------


def test_what_is_not_complete_when_it_should_be_is_looked_at_daily(jira: RecordTable) -> None:
    jira.looked(GRACE)

    assert jira.table.due(dues.AUDIT) == pytest.approx(at(GRACE) + timedelta(days=1), abs=timedelta(minutes=1))

    jira.documents()
    jira.looked("2026-03-14T18:00")

    assert jira.row().verdict == Verdict.DOCUMENTED
    assert jira.table.due(dues.AUDIT) == at(OVERDUE), "until it is closed, its time continues"


def test_the_iteration_that_begins_is_seen_to_with_the_one_that_was_closed(jira: RecordTable) -> None:
    jira.looked(GRACE)
    assert jira.table.turned(2, SECOND).state == run_state.COMPLETED

    look = jira.table.ended(jira.look_id(SECOND))

    assert look.state == run_state.COMPLETED, look.findings
    assert "Clean the data" in jira.document(2).text
    assert "Set the goals" in jira.document(1).text


def test_under_the_gate_off_nothing_is_looked_at_unless_somebody_asks(tmp_path: Path) -> None:
    with turntable(tmp_path / "home") as table:
        table.plan_and_apply()
        assert table.turned(1, FIRST).state == run_state.COMPLETED
        assert (table.due(dues.AUDIT), table.loop.audit_run_id) == (None, None)

        run = record_upkeep.begin(table.context, table.project, BY, table.engine.start)
        table.set("2026-03-13T12:00")

        assert table.ended(run.id).state == run_state.COMPLETED
        assert table.due(dues.AUDIT) is None
        assert [name for name in table.events() if name.startswith("record")] == []


def test_a_gate_that_is_set_later_has_the_records_looked_at_at_once(tmp_path: Path) -> None:
    with turntable(tmp_path / "home") as table:
        table.plan_and_apply()
        table.turned(1, FIRST)
        with table.context.database.session() as session:
            session.get_one(ProjectRow, table.project).audit = {"gate": "warn"}

        scheduling.follow(table.context, table.project)

        assert table.ended(f"audit-{table.project}-{FIRST[:10]}").state == run_state.COMPLETED
        assert table.due(dues.AUDIT) == at(SOON)


def test_a_paused_loop_looks_at_nothing_and_one_that_is_resumed_at_once(jira: RecordTable) -> None:
    table = jira.table
    scheduling.pause(table.context, table.project, BY, "A freeze.")
    assert table.due(dues.AUDIT) is None

    table.set(SOON)
    scheduling.resume(table.context, table.project, BY)

    assert table.ended(jira.look_id(SOON)).state == run_state.COMPLETED
    assert jira.notices() == ["record-due:1:due-soon"]


def test_a_look_by_hand_is_the_clock_s_and_the_next_one_of_that_day_has_a_number(jira: RecordTable) -> None:
    first = begun(jira)
    second = begun(jira)

    assert [first.id, second.id] == [f"{jira.look_id(FIRST)}-2", f"{jira.look_id(FIRST)}-3"]
    assert (first.started_by, first.state, second.state) == (BY, run_state.COMPLETED, run_state.COMPLETED)
    assert first.plan_id is None, "there was nothing to write"
    assert jira.table.due(dues.AUDIT) == at(SOON)


def test_before_the_loop_has_begun_there_is_nothing_to_look_at(tmp_path: Path) -> None:
    with turntable(tmp_path / "home", audit={"gate": "warn"}) as table, pytest.raises(Conflict, match="has not begun"):
        record_upkeep.begin(table.context, table.project, BY, table.engine.start)


# --- trouble ----------------------------------------------------------------------------------------------------------


def test_a_tracker_that_is_down_holds_the_look_and_says_nothing_against_the_team(records: RecordTable) -> None:
    records.fault(action="status", status=403, body="json", path="")

    held = records.looked(OVERDUE)

    assert held.state == run_state.HELD, held.findings
    assert records.row().trouble
    assert records.row().verdict != Verdict.UNDOCUMENTED
    assert records.notices() == []
    assert records.table.loop.state == loop_state.TURNING

    records.fix()
    again = run_control.resume(records.table.context, held.id, BY, records.table.engine.start)

    assert again.id == held.id
    assert records.table.ended(held.id).state == run_state.COMPLETED
    assert records.row().verdict == Verdict.UNDOCUMENTED
    assert not records.row().trouble
    assert records.notices() == ["record-due:1:overdue"]


def test_a_look_that_was_cancelled_comes_again_the_next_day_and_the_loop_turns(jira: RecordTable) -> None:
    jira.fault(action="status", status=403, body="json", path="^/rest/")
    held = jira.looked(SOON)
    run_control.cancel(jira.table.context, held.id, BY)

    assert jira.table.loop.state == loop_state.TURNING
    assert jira.table.due(dues.AUDIT) == pytest.approx(at(SOON) + runs.NEXT_LOOK, abs=timedelta(minutes=1))

    jira.fix()
    run = run_control.resume(jira.table.context, held.id, BY, jira.table.engine.start)
    assert run.id == f"{held.id}-2"
    assert jira.table.ended(run.id).state == run_state.COMPLETED


def test_what_a_look_wrote_is_not_taken_back_which_is_said(jira: RecordTable) -> None:
    jira.desk.finishes(PM, "Set the goals")
    look = jira.looked(SOON)
    assert look.plan_id is not None

    with pytest.raises(undo_plan.NothingToUndo, match=r"what it filled in stays in 1 record, and 1 comment stays"):
        undo_plan.plan_undo(jira.table.context, look.id)

    with pytest.raises(Conflict, match="not applied by itself"):
        plan_apply.apply(jira.table.context, look.plan_id, BY, jira.table.engine.start)


def _project(records: RecordTable) -> ProjectRow:
    with records.table.context.database.session() as session:
        assert session.get(LoopRow, records.table.project) is not None
        return session.get_one(ProjectRow, records.table.project)
