"""Runs and their steps: begun, waiting, ended; what each step cost and found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, Result, select, update
from sqlalchemy.orm import Session

from connectors.tracker import Finding, Severity, Usage
from service.domain.wire import finding_to_json
from service.store.tables import ProjectRow, RunRow, StepRow

QUEUED = "queued"
RUNNING = "running"
WAITING = "waiting"
COMPLETED = "completed"
INCOMPLETE = "incomplete"
FAILED = "failed"
CANCELLED = "cancelled"

ENDED = frozenset({COMPLETED, INCOMPLETE, FAILED, CANCELLED})
"""States that a run does not leave."""


PARKED = frozenset({QUEUED, WAITING})
"""States in which nothing is under way: a run that is cancelled in one of them is over at once."""


def begin(session: Session, run_id: str, now: datetime) -> RunRow | None:
    """Take the run into work, unless it has ended or shall be cancelled: None then. One statement decides, so that a
    run is either cancelled or begins another step, never both."""
    taken = session.execute(
        update(RunRow)
        .where(RunRow.id == run_id, RunRow.state.not_in(ENDED), RunRow.cancel_requested_at.is_(None))
        .values(state=RUNNING, message="", waiting_until=None)
    )
    if not _count(taken):
        return None
    run = session.get_one(RunRow, run_id, populate_existing=True)
    run.started_at = run.started_at or now
    return run


def request_cancel(session: Session, run_id: str, by: str, now: datetime) -> bool:
    """Have the run cancelled: at once where nothing of it is under way, else at its next step. False if it has ended.

    Repeatable: who asked first stays.
    """
    asked = {"cancel_requested_at": now, "cancelled_by": by}
    parked = session.execute(
        update(RunRow).where(RunRow.id == run_id, RunRow.state.in_(PARKED)).values(state=CANCELLED, **asked)
    )
    if _count(parked):
        _close(session, session.get_one(RunRow, run_id, populate_existing=True), now)
        return True
    still = RunRow.id == run_id, RunRow.state.not_in(ENDED)
    session.execute(update(RunRow).where(*still, RunRow.cancel_requested_at.is_(None)).values(**asked))
    return session.scalar(select(RunRow.id).where(*still)) is not None


def set_waiting(session: Session, run_id: str, message: str, until: datetime) -> bool:
    """The run waits until then; `message` says for what. False if it shall be cancelled instead."""
    waits = session.execute(
        update(RunRow)
        .where(RunRow.id == run_id, RunRow.state.not_in(ENDED), RunRow.cancel_requested_at.is_(None))
        .values(state=WAITING, message=message, waiting_until=until)
    )
    return _count(waits) > 0


def wake(session: Session, run_id: str, now: datetime) -> None:
    """Have the run look again now, if it waits: whoever is at work on it looks at this time again and again."""
    session.execute(update(RunRow).where(RunRow.id == run_id, RunRow.state == WAITING).values(waiting_until=now))


def record_step(
    session: Session,
    run_id: str,
    number: int,
    title: str,
    state: str,
    message: str,
    used: Usage,
    started: datetime,
    finished: datetime,
) -> None:
    """Write down how a step ended and what it cost."""
    session.add(
        StepRow(
            run_id=run_id,
            number=number,
            title=title,
            state=state,
            message=message,
            reads=used.reads,
            writes=used.writes,
            started_at=started,
            finished_at=finished,
        )
    )


def add_findings(session: Session, run_id: str, findings: Sequence[Finding]) -> None:
    """Add what a step found; a finding that stands already (the step ran twice) is not added again."""
    run = session.get_one(RunRow, run_id)
    known = list(run.findings)
    known += [entry for finding in findings if (entry := finding_to_json(finding)) not in known]
    run.findings = known


def claim(session: Session, project_id: str, serial: int | None) -> bool:
    """Move the project's serial on, if it still is this one and the project goes on: of two callers one is refused."""
    moved = session.scalar(
        update(ProjectRow)
        .where(ProjectRow.id == project_id, ProjectRow.serial == serial, ProjectRow.ended_at.is_(None))
        .values(serial=ProjectRow.serial + 1)
        .returning(ProjectRow.serial)
    )
    return moved is not None


def finish(session: Session, run_id: str, now: datetime, state: str | None = None) -> str:
    """End the run in this state; without one, incomplete if it found errors, else completed. Returns the state.

    Repeatable: a run that has ended stays as it is.
    """
    errors = any(entry["severity"] == Severity.ERROR for entry in session.get_one(RunRow, run_id).findings)
    ended = session.execute(
        update(RunRow)
        .where(RunRow.id == run_id, RunRow.state.not_in(ENDED))
        .values(state=state or (INCOMPLETE if errors else COMPLETED))
    )
    run = session.get_one(RunRow, run_id, populate_existing=True)
    if _count(ended):
        _close(session, run, now)
    return run.state


def _close(session: Session, run: RunRow, now: datetime) -> None:
    run.message, run.waiting_until, run.finished_at = "", None, now
    # Plans made while the run was at work saw a tracker half built: they are stale now.
    run.serial = session.scalar(
        update(ProjectRow)
        .where(ProjectRow.id == run.project_id)
        .values(serial=ProjectRow.serial + 1)
        .returning(ProjectRow.serial)
    )


def _count(result: Result[Any]) -> int:
    assert isinstance(result, CursorResult)  # noqa: S101 - what an UPDATE gives
    return result.rowcount


def batches_done(session: Session, run_id: str) -> set[int]:
    """The numbers of the run's batches that have ended; they count from 1."""
    done = select(StepRow.number).where(StepRow.run_id == run_id, StepRow.state == "go", StepRow.number > 0)
    return set(session.scalars(done))


def next_id(run: RunRow) -> str:
    """The id of the run that takes this one up, if there is one: -2 after the first, then -3, and so on."""
    if run.continues is None:
        return f"{run.id}-2"
    stem, _, number = run.id.rpartition("-")
    return f"{stem}-{int(number) + 1}"


def latest_step(session: Session, run_id: str) -> StepRow | None:
    """The step that ended last."""
    return session.scalar(select(StepRow).where(StepRow.run_id == run_id).order_by(StepRow.id.desc()).limit(1))


def steps(session: Session, run_id: str, after: int = 0) -> list[StepRow]:
    """The run's ended steps in order, those with a row id above `after`."""
    found = session.scalars(select(StepRow).where(StepRow.run_id == run_id, StepRow.id > after).order_by(StepRow.id))
    return list(found)
