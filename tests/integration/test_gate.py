"""What an iteration that is not documented does to the advance that closes it: it holds it, goes along as a debt, or
does nothing, as the template or the project says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from service.domain.audit.outcome import Verdict
from service.domain.loop import loop_state
from service.domain.plan import run_state
from service.store.tables import ProjectRow, RunRow
from service.usecases.audit import record_audit, waiver_log
from service.usecases.loop import advances
from service.usecases.run import run_control
from tests.integration.record_desks import DATA, PM
from tests.integration.record_table import GRACE, SECOND, RecordTable, record_table
from tests.integration.turntable import Turntable

THIRD = "2026-03-30T09:00"
BY = "pm-1@example.com"


@pytest.fixture(params=["jira", "trello"])
def blocked(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RecordTable]:
    """The first iteration continues, and the gate is `block`."""
    with record_table(tmp_path / "home", request.param, gate="block") as opened:
        yield opened


@pytest.fixture
def warned(tmp_path: Path) -> Iterator[RecordTable]:
    """The first iteration continues, and the gate is `warn`."""
    with record_table(tmp_path / "home") as opened:
        yield opened


def found(run: RunRow, code: str) -> list[dict[str, Any]]:
    return [entry for entry in run.findings if entry["code"] == code]


def looked_again(table: Turntable, run: RunRow) -> RunRow:
    """The run after it has looked once more."""
    again = run_control.resume(table.context, run.id, BY, table.engine.start)
    assert again.id == run.id
    return table.ended(run.id, *run_state.ENDED, run_state.HELD)


# --- block ------------------------------------------------------------------------------------------------------------


def test_an_iteration_that_is_not_documented_holds_the_advance_and_says_what_is_lacking(blocked: RecordTable) -> None:
    run = blocked.table.turned(2, SECOND)

    assert run.state == run_state.HELD
    (said,) = found(run, "undocumented")
    assert (said["severity"], said["subject"]) == ("error", "record:1")
    assert "D02" in said["message"]
    assert blocked.desk.key("Document iteration 1") in said["message"]
    assert "phaseloop audit waive ML" in said["fix"]
    assert blocked.table.loop.current == 1
    assert run.plan_id is None, "nothing was planned, so nothing was written"


def test_a_record_is_named_by_what_people_can_open(blocked: RecordTable) -> None:
    (said,) = found(blocked.table.turned(2, SECOND), "undocumented")

    assert re.search(r"the record of iteration 1 \((ML-\d+|https?://\S+)\): ", said["message"]), said["message"]


def test_a_record_that_is_mended_in_the_tracker_lets_it_go_on_by_the_next_look(blocked: RecordTable) -> None:
    held = blocked.table.turned(2, SECOND)
    blocked.documents()

    run = looked_again(blocked.table, held)

    assert run.state == run_state.COMPLETED, run.findings
    assert found(run, "undocumented") == []
    assert (blocked.table.loop.current, blocked.row().verdict) == (2, Verdict.DOCUMENTED)
    assert [name for name in blocked.table.events() if name.startswith("debt")] == []


def test_the_record_of_a_documented_iteration_is_completed_with_it_and_not_carried(blocked: RecordTable) -> None:
    blocked.documents()

    run = blocked.table.turned(2, SECOND)

    assert run.state == run_state.COMPLETED, run.findings
    assert blocked.document().status == "done"
    closed = {ticket["key"]: ticket["outcome"] for ticket in blocked.table.iteration(1).tickets}
    assert closed["record:1"] == "done"
    record_audit.run(blocked.table.context, blocked.table.project, [1])
    assert blocked.row().verdict == Verdict.DOCUMENTED, "that phaseloop completed it is no word of anybody's"


def test_what_is_waived_lets_it_go_on(blocked: RecordTable) -> None:
    held = blocked.table.turned(2, SECOND)
    (said,) = found(held, "undocumented")
    lacking = [check for check in ("D01", "D02", "D10", "D11", "D12") if check in said["message"]]
    for check in lacking:
        waiver_log.waive(
            blocked.table.context,
            blocked.table.project,
            check,
            number=1,
            by=BY,
            reason="The team was dissolved and nobody is left to write.",
            until=date(2026, 12, 31),
        )

    run = looked_again(blocked.table, held)

    assert run.state == run_state.COMPLETED, run.findings
    assert blocked.table.loop.current == 2


def test_an_earlier_iteration_holds_it_too(tmp_path: Path) -> None:
    with record_table(tmp_path / "home") as records:
        table = records.table
        assert table.turned(2, SECOND).state == run_state.COMPLETED
        table.ended(records.look_id(SECOND))
        records.documents(2)
        _tightened(records)

        run = table.turned(3, THIRD)

        assert run.state == run_state.HELD
        assert [entry["subject"] for entry in found(run, "undocumented")] == ["record:1"]


def test_records_that_cannot_be_read_hold_it_and_that_is_said(tmp_path: Path) -> None:
    with record_table(tmp_path / "home", gate="block") as records:
        records.documents()
        records.fault(action="status", status=403, body="json", path="/myself$")

        run = records.table.turned(2, SECOND)

        assert run.state == run_state.HELD
        assert [entry["severity"] for entry in found(run, "records-unread")] == ["error"]

        records.fix()
        assert looked_again(records.table, run).state == run_state.COMPLETED


def test_a_person_s_decision_does_not_open_the_gate(tmp_path: Path) -> None:
    with record_table(tmp_path / "home", gate="block") as records:
        run = records.table.advanced(2)

        assert run.state == run_state.HELD
        assert found(run, "undocumented")


def test_an_advance_that_was_let_through_is_not_held_half_way(tmp_path: Path) -> None:
    with record_table(tmp_path / "home", gate="block") as records:
        records.documents()
        records.fault(action="status", status=403, body="json", method="POST", path=r"/agile/1.0/sprint/\d+$", skip=1)
        held = records.table.turned(2, SECOND)
        assert held.state == run_state.HELD
        records.desk.writes(DATA, "Document iteration 1", "## Goal\n\nTBD")
        records.fix()

        run = looked_again(records.table, held)

        assert run.state == run_state.COMPLETED, run.findings
        assert records.table.loop.current == 2


# --- warn -------------------------------------------------------------------------------------------------------------


def test_a_debt_goes_along_and_is_told_once(warned: RecordTable) -> None:
    run = warned.table.turned(2, SECOND)

    assert run.state == run_state.COMPLETED
    assert [entry["severity"] for entry in found(run, "undocumented")] == ["warning"]
    event = warned.event("debt:1")
    assert (event.kind, event.iteration, event.data["records"]) == ("debt", 1, ["record:1"])
    assert "undocumented" in [entry["code"] for entry in warned.table.iteration(1).findings]


def test_a_record_that_is_not_late_yet_does_not_keep_the_phase(warned: RecordTable) -> None:
    warned.desk.finishes(PM, "Set the goals", "Load the data", "Clean the data")

    assert warned.table.turned(2, SECOND).state == run_state.COMPLETED

    assert warned.table.iteration(2).phase == "model"


def test_a_late_record_keeps_the_phase(warned: RecordTable) -> None:
    warned.table.turned(2, SECOND)
    warned.table.ended(warned.look_id(SECOND))
    warned.desk.finishes(PM, "Set the goals", "Load the data", "Clean the data")
    warned.documents(2)

    run = warned.table.turned(3, THIRD)

    assert run.state == run_state.COMPLETED, run.findings
    assert warned.table.iteration(3).phase == "data"
    assert any("iteration 1" in words for words in warned.event("began:3").data["lacking"])


def test_records_that_cannot_be_read_hold_nothing_under_warn(warned: RecordTable) -> None:
    warned.fault(action="status", status=403, body="json", path="/myself$")

    run = warned.table.turned(2, SECOND)

    assert run.state == run_state.COMPLETED, run.findings
    assert [entry["severity"] for entry in found(run, "records-unread")] == ["warning"]


def test_what_an_advance_would_say_of_the_records_is_in_its_preview(warned: RecordTable) -> None:
    warned.table.set(GRACE)

    plan = advances.preview(warned.table.context, warned.table.project).plan

    assert [one.code for one in plan.findings if one.subject == "record:1"] == ["undocumented"]
    assert not plan.blocked


def test_unfinished_work_is_proposed_with_what_is_to_be_documented(tmp_path: Path) -> None:
    with record_table(tmp_path / "home", gate="block", turning={"carry_over": "ask"}) as records:
        records.table.set(GRACE)
        records.table.ended(f"propose-{records.table.project}-1")

        told = records.table.told("proposed:1")
        assert "The advance is held until this is documented" in told
        assert ".." not in told
        assert ".;" not in told
        assert records.table.loop.due == loop_state.ADVANCE


def _tightened(records: RecordTable) -> None:
    with records.table.context.database.session() as session:
        session.get_one(ProjectRow, records.table.project).audit = {"gate": "block"}
