"""Runs and their steps: begun, waiting, ended; what each step cost and found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from connectors.values import Finding, Severity, Usage
from service.domain.loop import loop_state
from service.domain.plan import run_state
from service.domain.plan.plan import Purpose
from service.domain.plan.plan_json import finding_to_json
from service.store import loops
from service.store.rows import rows_changed
from service.store.tables import PlanRow, ProjectRow, RunRow, StepRow

TOLD_ERRORS = 3
"""How many of a run's errors people are told outside of it."""

NEXT_LOOK = timedelta(days=1)
"""When the records are looked at again after a look that was stopped."""


def taken_back(session: Session, project_id: str) -> set[str]:
    """The project's runs that an undo took back, alone or together with the one that took their work up."""
    done = RunRow.project_id == project_id, RunRow.state.in_((run_state.COMPLETED, run_state.INCOMPLETE))
    by_undo = select(PlanRow.body["undoes"].as_string()).join(RunRow, RunRow.plan_id == PlanRow.id)
    undone = set(session.scalars(by_undo.where(*done, RunRow.kind == Purpose.UNDO)))
    of_project = select(RunRow.id, RunRow.continues).where(RunRow.project_id == project_id)
    for run_id, continues in session.execute(of_project.order_by(RunRow.created_at.desc())):
        if run_id in undone and continues is not None:
            undone.add(continues)
    return undone


def begin(session: Session, run_id: str, now: datetime) -> RunRow | None:
    """Take the run into work, unless it has ended or shall be cancelled: None then. One statement decides, so that a
    run is either cancelled or begins another step, never both."""
    taken = session.execute(
        update(RunRow)
        .where(RunRow.id == run_id, RunRow.state.not_in(run_state.ENDED), RunRow.cancel_requested_at.is_(None))
        .values(state=run_state.RUNNING, message="", waiting_until=None)
    )
    if not rows_changed(taken):
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
        update(RunRow)
        .where(RunRow.id == run_id, RunRow.state.in_(run_state.PARKED))
        .values(state=run_state.CANCELLED, **asked)
    )
    if rows_changed(parked):
        _close(session, session.get_one(RunRow, run_id, populate_existing=True), now)
        return True
    still = RunRow.id == run_id, RunRow.state.not_in(run_state.ENDED)
    session.execute(update(RunRow).where(*still, RunRow.cancel_requested_at.is_(None)).values(**asked))
    return session.scalar(select(RunRow.id).where(*still)) is not None


def set_waiting(session: Session, run_id: str, message: str, until: datetime) -> bool:
    """The run waits until then; `message` says for what. False if it shall be cancelled instead."""
    waits = session.execute(
        update(RunRow)
        .where(RunRow.id == run_id, RunRow.state.not_in(run_state.ENDED), RunRow.cancel_requested_at.is_(None))
        .values(state=run_state.WAITING, message=message, waiting_until=until)
    )
    return rows_changed(waits) > 0


def hold(session: Session, run_id: str, findings: Sequence[Finding], until: datetime, now: datetime) -> bool:
    """The run cannot continue: it is held, with what was found, and looked at again then. False if it shall be
    cancelled instead. Repeatable: a run that is held, or whose next attempt is queued by now, stays so."""
    add_findings(session, run_id, findings)
    errors = [entry for entry in session.get_one(RunRow, run_id).findings if entry["severity"] == Severity.ERROR]
    held = session.execute(
        update(RunRow)
        .where(
            RunRow.id == run_id,
            RunRow.state.in_((run_state.RUNNING, run_state.WAITING)),
            RunRow.cancel_requested_at.is_(None),
        )
        .values(state=run_state.HELD, message=errors[0]["message"] if errors else "", waiting_until=until)
    )
    run = session.get_one(RunRow, run_id, populate_existing=True)
    if not rows_changed(held):
        return run.state in (run_state.HELD, run_state.QUEUED)
    loops.look_again(session, run, until, now)
    text = " ".join(f"{entry['message']} {entry['fix']}".strip() for entry in errors)
    loops.record_event(
        session,
        run.project_id,
        f"held:{run.id}",
        run_state.HELD,
        text,
        at=now,
        by=run.started_by,
        iteration=run.iteration,
        run_id=run.id,
    )
    return True


def next_attempt(session: Session, run: RunRow) -> None:
    """Have a held run begin anew: it makes a new plan with what is left. What it found before no longer counts; the
    steps of former attempts stay, and count as no batches of this one."""
    run.attempt += 1
    run.state, run.message, run.waiting_until = run_state.QUEUED, "", None
    run.plan_id = run.place = run.batches = run.since = run.conflicts = None
    run.findings = []
    session.execute(update(StepRow).where(StepRow.run_id == run.id, StepRow.number > 0).values(number=0))


def workflow_id(run_id: str, attempt: int) -> str:
    """The name under which the engine knows an attempt of a run."""
    return run_id if attempt == 1 else f"{run_id}{_ATTEMPT}{attempt}"


def run_id_of(workflow: str) -> str:
    """The run of which the engine's workflow is an attempt."""
    return workflow.partition(_ATTEMPT)[0]


_ATTEMPT = "~"


def wake(session: Session, run_id: str, now: datetime) -> None:
    """Have the run look again now, if it waits: whoever is executing it looks at this time again and again."""
    session.execute(
        update(RunRow).where(RunRow.id == run_id, RunRow.state == run_state.WAITING).values(waiting_until=now)
    )


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
    """Move the project's serial on, if it still is this one and the project is active: of two callers one is
    refused."""
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
        .where(RunRow.id == run_id, RunRow.state.not_in(run_state.ENDED))
        .values(state=state or (run_state.INCOMPLETE if errors else run_state.COMPLETED))
    )
    run = session.get_one(RunRow, run_id, populate_existing=True)
    if rows_changed(ended):
        _close(session, run, now)
    return run.state


def _close(session: Session, run: RunRow, now: datetime) -> None:
    stopped = run.state in (run_state.CANCELLED, run_state.FAILED)
    paused = run.kind in loop_state.TURNS and stopped and _pause_the_loop(session, run, now)
    if run.state in (run_state.FAILED, run_state.INCOMPLETE) and not paused:
        _tell_of_the_end(session, run, now)
    run.message, run.waiting_until, run.finished_at = "", None, now
    if run.kind == loop_state.AUDIT:
        # It writes nothing that plans are about, so they stay fresh; and one that was stopped stops nothing else.
        loop = loops.find(session, run.project_id)
        if stopped and loop is not None and loop.audit_run_id == run.id:
            loops.set_audit_due(session, run.project_id, now + NEXT_LOOK)
        return
    if run.kind == Purpose.REACT:  # what other plans are about is as it was
        run.serial = session.get_one(ProjectRow, run.project_id).serial
        return
    # Plans made while the run was in progress saw a tracker half built: they are stale now.
    run.serial = session.scalar(
        update(ProjectRow)
        .where(ProjectRow.id == run.project_id)
        .values(serial=ProjectRow.serial + 1)
        .returning(ProjectRow.serial)
    )


def _tell_of_the_end(session: Session, run: RunRow, now: datetime) -> None:
    """People hear of a run that did not do all it should; what it found says why, as far as that is short."""
    errors = [entry["message"] for entry in run.findings if entry["severity"] == Severity.ERROR]
    more = f" And {len(errors) - TOLD_ERRORS} more." if len(errors) > TOLD_ERRORS else ""
    how = "failed" if run.state == run_state.FAILED else "ended with something left undone"
    text = " ".join([f"The run {run.id} {how}.", *errors[:TOLD_ERRORS]]) + more
    name, by = f"{run.state}:{run.id}", run.started_by
    loops.record_event(
        session, run.project_id, name, run.state, text, at=now, by=by, iteration=run.iteration, run_id=run.id
    )


def tell_that_it_waits(session: Session, run_id: str, message: str, until: datetime, now: datetime) -> None:
    """People hear of a run that waits for long, once; `message` says for what."""
    run = session.get_one(RunRow, run_id)
    text = f"The run {run_id} waits until {until:%Y-%m-%d %H:%M} UTC. {message}".strip()
    name, kind, by = f"waiting:{run_id}", run_state.WAITING, run.started_by
    loops.record_event(session, run.project_id, name, kind, text, at=now, by=by, iteration=run.iteration, run_id=run_id)


def _pause_the_loop(session: Session, run: RunRow, now: datetime) -> bool:
    """A run of the loop ended without turning it: somebody has to say that it shall continue. Whether the loop was to
    turn."""
    if run.state == run_state.CANCELLED:
        by = run.cancelled_by or run.started_by
        message = f"{by} cancelled the run {run.id}. When the loop shall continue, resume it."
    else:
        by = "phaseloop"
        message = f"The run {run.id} failed; what it did is recorded. Look at its findings, then resume the loop."
    loop = loops.find(session, run.project_id)
    if loop is None or loop.run_id != run.id or not loops.pause(session, run.project_id, by, message, now):
        return False
    loops.record_event(
        session,
        run.project_id,
        f"paused:{run.id}",
        loop_state.PAUSED,
        message,
        at=now,
        by=by,
        iteration=run.iteration,
        run_id=run.id,
    )
    return True


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
