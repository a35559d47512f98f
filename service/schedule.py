"""When: what is due, and how a run of the loop begins. The clock and people begin runs in the same way, so that
replicas, restarts and clicks together begin each once.

What is due stands in the store (`store.dues`), by project and kind, with a handler for each kind. Whoever takes it
inserts the run under its deterministic id and takes the due away, in one unit of work; the run is handed to the engine
after that, and by the keeper if we die in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from service import stand_up
from service.context import Context
from service.domain.loop import loop_state
from service.domain.plan import run_state
from service.settings import Settings
from service.store import dues, loops, runs
from service.store.tables import LoopRow, ProjectRow, RunRow

BY_CLOCK = "clock"
"""Who started a run that was due."""

LONGEST_HOLD = 3600.0
"""Seconds between two looks of a held run, at most."""


def run_id(project_id: str, kind: str, number: int) -> str:
    """The id of the run that begins iteration `number` (advance), or that proposes what becomes of the unfinished work
    of iteration `number` (propose)."""
    return f"{kind}-{project_id}-{number}"


def audit_id(project_id: str, day: date) -> str:
    """The id of the run that looks at a project's records on this day in its time zone."""
    return f"{loop_state.AUDIT}-{project_id}-{day.isoformat()}"


def begin(session: Session, project_id: str, kind: str, number: int, by: str, now: datetime) -> RunRow:
    """The run that advances to iteration `number`, or proposes for it (`kind`): made now unless there is one, whose
    next attempt begins if it is held. The caller enqueues `runs.workflow_id(run.id, run.attempt)` after the commit,
    unless the run has ended.

    A run that ended without turning the loop is continued by a new one (`…-2`). Nothing is due while the run is
    in progress. Raises NoResultFound where the project has no loop.
    """
    loop = loops.locked(session, project_id)
    if loop is None:
        loop = session.get_one(LoopRow, project_id)  # raises
    known = session.get(RunRow, run_id(project_id, kind, number))
    run = _begin(session, loop, known, kind, number, by, now)
    if run.state not in run_state.ENDED:
        dues.drop(session, dues.TURN, [project_id])
    return run


def begin_audit(session: Session, project: ProjectRow, by: str, now: datetime) -> RunRow:
    """The run that looks at the project's records: the one that is at it, the next attempt of the one that is held,
    else a new one, named by the day in the project's time zone; a second one of that day ends in `-2`. The caller
    enqueues it as after `begin`. None is due while it is running. Raises NoResultFound where the project has no loop.
    """
    loop = loops.locked(session, project.id)
    if loop is None:
        loop = session.get_one(LoopRow, project.id)  # raises
    ids = {audit_id(project.id, _day(project.time_zone, now)), loop.audit_run_id or ""}
    dues.drop(session, dues.AUDIT, [project.id])
    return _begin_audit(session, loop, _runs(session, sorted(ids)), project.time_zone, by, now)


def fire(context: Context, now: datetime, limit: int = 200) -> list[tuple[str, str]]:
    """Begin what is due, at most `limit` runs, the longest overdue first; returns what is to be enqueued: the
    workflow's id and its partition. Safe to be done by several replicas at once: each takes what no other has taken."""
    with context.database.session() as session:
        taken = dues.take(session, HANDLERS, now, limit)
        if not taken:
            return []
        if not context.database.embedded:
            # A plan that PostgreSQL kept from when there were few runs would read all of them, each time.
            session.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
        homes = _homes(session, [loop.project_id for _kind, loop in taken])
        begun: list[RunRow] = []
        for kind, begin_all in HANDLERS.items():
            due = [loop for each, loop in taken if each == kind]
            if not due:
                continue
            dues.drop(session, kind, [loop.project_id for loop in due])
            if going_on := [loop for loop in due if loop.project_id in homes]:
                begun += begin_all(session, going_on, homes, now)
        return [(runs.workflow_id(run.id, run.attempt), homes[run.project_id].partition) for run in begun]


def _begin_turns(
    session: Session, due: Sequence[LoopRow], _where: Mapping[str, _Home], now: datetime
) -> Iterator[RunRow]:
    turning = [loop for loop in due if loop.state == loop_state.TURNING]
    there = _runs(session, [run_id(loop.project_id, loop.due, _number(loop)) for loop in turning])
    for loop in turning:
        number = _number(loop)
        known = there.get(run_id(loop.project_id, loop.due, number))
        run = _begin(session, loop, known, loop.due, number, BY_CLOCK, now)
        if run.state not in run_state.ENDED:
            yield run


def _begin_audits(
    session: Session, due: Sequence[LoopRow], homes: Mapping[str, _Home], now: datetime
) -> Iterator[RunRow]:
    todays = [audit_id(loop.project_id, _day(homes[loop.project_id].time_zone, now)) for loop in due]
    there = _runs(session, [*todays, *(loop.audit_run_id for loop in due if loop.audit_run_id is not None)])
    for loop in due:
        yield _begin_audit(session, loop, there, homes[loop.project_id].time_zone, BY_CLOCK, now)


def _hold_stand_ups(
    session: Session, due: Sequence[LoopRow], _where: Mapping[str, _Home], now: datetime
) -> Iterator[RunRow]:
    """No run: what people are told is written at once."""
    stand_up.hold(session, due, now)
    yield from ()


Handler = Callable[[Session, Sequence[LoopRow], Mapping[str, "_Home"], datetime], Iterator[RunRow]]
HANDLERS: Mapping[str, Handler] = {
    dues.TURN: _begin_turns,
    dues.AUDIT: _begin_audits,
    dues.STAND_UP: _hold_stand_ups,
}
"""What the clock does about each kind of what is due: it begins a run for each of these loops, which are locked, and
gives those that are to be enqueued. A further kind is a line here."""


def look_again_at(settings: Settings, attempt: int, now: datetime) -> datetime:
    """When a run that is held in this attempt looks again: `hold_seconds` after the first, twice as long each time, an
    hour at most (or as long as is set, if that is longer)."""
    longest = max(LONGEST_HOLD, settings.hold_seconds)
    return now + timedelta(seconds=min(longest, settings.hold_seconds * 2 ** min(attempt - 1, 30)))


def _number(loop: LoopRow) -> int:
    return loop.current + 1 if loop.due == loop_state.ADVANCE else loop.current


@dataclass(frozen=True, slots=True)
class _Home:
    """In which partition the runs of a project are, and in which time zone its days."""

    partition: str
    time_zone: str


def _homes(session: Session, ids: Sequence[str]) -> dict[str, _Home]:
    """Of these projects, those left out that have ended."""
    columns = ProjectRow.id, ProjectRow.connection_id, ProjectRow.time_zone, ProjectRow.ended_at
    rows = session.execute(select(*columns).where(ProjectRow.id.in_(ids)))
    return {id_: _Home(connection, zone) for id_, connection, zone, ended_at in rows if ended_at is None}


def _day(time_zone: str, now: datetime) -> date:
    return now.astimezone(ZoneInfo(time_zone)).date()


def _runs(session: Session, ids: Sequence[str]) -> dict[str, RunRow]:
    return {run.id: run for run in session.scalars(select(RunRow).where(RunRow.id.in_(ids)))}


def _begin(
    session: Session, loop: LoopRow, known: RunRow | None, kind: str, number: int, by: str, now: datetime
) -> RunRow:
    """As `begin`; `loop` is locked, `known` is the first run of this number, if there is one."""
    run = _newest(session, known)
    turned = number <= loop.current if kind == loop_state.ADVANCE else number < loop.current
    if run is not None and run.state in run_state.ENDED and turned:
        return run
    if run is None or run.state in run_state.ENDED:
        run = _new_run(loop.project_id, run, kind, number, by, now)
        session.add(run)
    elif run.state == run_state.HELD:
        runs.next_attempt(session, run)
    loop.run_id, loop.due, loop.updated_at = run.id, kind, now
    return run


def _begin_audit(
    session: Session, loop: LoopRow, known: Mapping[str, RunRow], time_zone: str, by: str, now: datetime
) -> RunRow:
    """As `begin_audit`; `loop` is locked, `known` has its newest look and the first one of today, as far as there are
    such."""
    run = known.get(loop.audit_run_id or "")
    if run is None or run.state in run_state.ENDED:
        today = audit_id(loop.project_id, _day(time_zone, now))
        run = _newest(session, known.get(today))
        if run is None or run.state in run_state.ENDED:
            former = run
            run = RunRow(
                id=runs.next_id(former) if former is not None else today,
                kind=loop_state.AUDIT,
                project_id=loop.project_id,
                attempt=1,
                state=run_state.QUEUED,
                started_by=by,
                created_at=now,
                findings=[],
                continues=former.id if former is not None else None,
            )
            session.add(run)
    if run.state == run_state.HELD:
        runs.next_attempt(session, run)
    loop.audit_run_id = run.id
    return run


def _newest(session: Session, run: RunRow | None) -> RunRow | None:
    """The last of the runs that continue one another."""
    while run is not None and run.state in run_state.ENDED:
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
        state=run_state.QUEUED,
        started_by=by,
        created_at=now,
        findings=[],
        continues=former.id if former is not None else None,
    )
