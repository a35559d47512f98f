"""Runs and their steps: begun, waiting, ended; what each step cost and found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
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


def set_running(run: RunRow, now: datetime) -> None:
    """The run is being worked on."""
    run.state, run.message, run.waiting_until = RUNNING, "", None
    run.started_at = run.started_at or now


def set_waiting(session: Session, run_id: str, message: str, until: datetime) -> None:
    """The run waits until then; `message` says for what."""
    run = session.get_one(RunRow, run_id)
    run.state, run.message, run.waiting_until = WAITING, message, until


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


def finish(session: Session, run_id: str, now: datetime, state: str | None = None) -> str:
    """End the run in this state; without one, incomplete if it found errors, else completed. Returns the state.

    Repeatable: a run that has ended stays as it is.
    """
    run = session.get_one(RunRow, run_id)
    if run.state in ENDED:
        return run.state
    errors = any(entry["severity"] == Severity.ERROR for entry in run.findings)
    run.state = state or (INCOMPLETE if errors else COMPLETED)
    run.message, run.waiting_until, run.finished_at = "", None, now
    # Plans made while the run was at work saw a tracker half built: they are stale now.
    run.serial = session.scalar(
        update(ProjectRow)
        .where(ProjectRow.id == run.project_id)
        .values(serial=ProjectRow.serial + 1)
        .returning(ProjectRow.serial)
    )
    return run.state


def steps(session: Session, run_id: str, after: int = 0) -> list[StepRow]:
    """The run's ended steps in order, those with a row id above `after`."""
    found = session.scalars(select(StepRow).where(StepRow.run_id == run_id, StepRow.id > after).order_by(StepRow.id))
    return list(found)
