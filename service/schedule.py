"""When: what is due, and how a run of the loop begins. The clock and people begin runs in the same way, so that
replicas, restarts and clicks together begin each once.

What is due stands in the store (`LoopRow.next_due`). Whoever takes it inserts the run under its deterministic id and
takes the time away, in one unit of work; the run is handed to the engine after that, and by the keeper if we die in
between.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from service.context import Context
from service.settings import Settings
from service.store import loops, runs
from service.store.tables import LoopRow, ProjectRow, RunRow

BY_CLOCK = "clock"
"""Who started a run that was due."""

LONGEST_HOLD = 3600.0
"""Seconds between two looks of a held run, at most."""


def run_id(project_id: str, kind: str, number: int) -> str:
    """The id of the run that begins iteration `number` (advance), or that proposes what becomes of the unfinished work
    of iteration `number` (propose)."""
    return f"{kind}-{project_id}-{number}"


def begin(session: Session, project_id: str, kind: str, number: int, by: str, now: datetime) -> RunRow:
    """The run that advances to iteration `number`, or proposes for it (`kind`): made now unless there is one, whose
    next attempt begins if it is held. The caller enqueues `runs.workflow_id(run.id, run.attempt)` after the commit,
    unless the run has ended.

    A run that ended without turning the loop is continued by a new one (`…-2`). Nothing is due while the run is at
    work. Raises NoResultFound where the project has no loop.
    """
    loop = loops.locked(session, project_id)
    if loop is None:
        loop = session.get_one(LoopRow, project_id)  # raises
    return _begin(session, loop, session.get(RunRow, run_id(project_id, kind, number)), kind, number, by, now)


def fire(context: Context, now: datetime, limit: int = 200) -> list[tuple[str, str]]:
    """Begin what is due, at most `limit` runs, the longest overdue first; returns what is to be enqueued: the
    workflow's id and its partition. Safe to be done by several replicas at once: each takes what no other has taken.
    """
    # Of one table and in the order of its index: a look costs the same however many projects wait or are due at once.
    query = (
        select(LoopRow)
        .where(LoopRow.next_due.is_not(None), LoopRow.next_due <= now, LoopRow.state == loops.TURNING)
        .order_by(LoopRow.next_due)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    begun: list[tuple[str, str]] = []
    with context.database.session() as session:
        if context.database.embedded:
            if (first := next_due(session)) is None or first > now:
                return []
            loops.keep_others_out(session)
        due = [(loop, _number(loop)) for loop in session.scalars(query)]
        if not due:
            return []
        if not context.database.embedded:
            # A plan that PostgreSQL kept from when there were few runs would read all of them, each time.
            session.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
        partitions = _partitions(session, [loop.project_id for loop, _number in due])
        there = _runs(session, [run_id(loop.project_id, loop.due, number) for loop, number in due])
        for loop, number in due:
            if loop.project_id not in partitions:
                loop.next_due = None  # the project has ended
                continue
            known = there.get(run_id(loop.project_id, loop.due, number))
            run = _begin(session, loop, known, loop.due, number, BY_CLOCK, now)
            if run.state not in runs.ENDED:
                begun.append((runs.workflow_id(run.id, run.attempt), partitions[loop.project_id]))
        return begun


def next_due(session: Session) -> datetime | None:
    """When the next run is due, of all projects; may be past."""
    query = select(func.min(LoopRow.next_due)).where(LoopRow.next_due.is_not(None), LoopRow.state == loops.TURNING)
    return session.scalar(query)


def look_again_at(settings: Settings, attempt: int, now: datetime) -> datetime:
    """When a run that is held in this attempt looks again: `hold_seconds` after the first, twice as long each time, an
    hour at most (or as long as is set, if that is longer)."""
    longest = max(LONGEST_HOLD, settings.hold_seconds)
    return now + timedelta(seconds=min(longest, settings.hold_seconds * 2 ** min(attempt - 1, 30)))


def _number(loop: LoopRow) -> int:
    return loop.current + 1 if loop.due == loops.ADVANCE else loop.current


def _partitions(session: Session, ids: Sequence[str]) -> dict[str, str]:
    """In which partition the runs of these projects are, those left out that have ended."""
    query = select(ProjectRow.id, ProjectRow.connection_id, ProjectRow.ended_at).where(ProjectRow.id.in_(ids))
    return {id_: connection for id_, connection, ended_at in session.execute(query) if ended_at is None}


def _runs(session: Session, ids: Sequence[str]) -> dict[str, RunRow]:
    return {run.id: run for run in session.scalars(select(RunRow).where(RunRow.id.in_(ids)))}


def _begin(
    session: Session, loop: LoopRow, known: RunRow | None, kind: str, number: int, by: str, now: datetime
) -> RunRow:
    """As `begin`; `loop` is locked, `known` is the first run of this number, if there is one."""
    run = _newest(session, known)
    turned = number <= loop.current if kind == loops.ADVANCE else number < loop.current
    if run is not None and run.state in runs.ENDED and turned:
        return run
    if run is None or run.state in runs.ENDED:
        run = _new_run(loop.project_id, run, kind, number, by, now)
        session.add(run)
    elif run.state == runs.HELD:
        runs.next_attempt(session, run)
    loop.run_id, loop.due, loop.next_due, loop.updated_at = run.id, kind, None, now
    return run


def _newest(session: Session, run: RunRow | None) -> RunRow | None:
    """The last of the runs that continue one another."""
    while run is not None and run.state in runs.ENDED:
        successor = session.get(RunRow, runs.next_id(run))
        if successor is None:
            break
        run = successor
    return run


def _new_run(project_id: str, former: RunRow | None, kind: str, number: int, by: str, now: datetime) -> RunRow:
    return RunRow(
        id=runs.next_id(former) if former is not None else run_id(project_id, kind, number),
        kind=kind,
        project_id=project_id,
        attempt=1,
        iteration=number,
        state=runs.QUEUED,
        started_by=by,
        created_at=now,
        findings=[],
        continues=former.id if former is not None else None,
    )
