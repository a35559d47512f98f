"""How the loop of each project stands: its iterations, what was carried, what happened, when something is due."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Insert, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from connectors.tracker import ItemKey
from service.domain.calendar import DateRange
from service.domain.course import Begun, Stage
from service.domain.turnover import Policy, iteration_key
from service.store.secrets import new_feed_secret
from service.store.tables import CarryRow, EventRow, IterationRow, LoopRow, PlanRow, ProjectRow, RunRow, Table

TURNING = "turning"
PAUSED = "paused"
ENDED = "ended"

ADVANCE = "advance"
"""The kind of a run, and what is due: close the iteration that goes on and begin the next one."""
PROPOSE = "propose"
"""The kind of a run, and what is due: say what is unfinished and will be carried unless somebody answers."""

AUDIT = "audit"
"""The kind of a run: look at the records of the iterations, write what is known into them, remind people of the rest.
It has a time of its own in the loop, so that it stands in no advance's way, and no advance in its."""

TURNS = frozenset({ADVANCE, PROPOSE})
"""Runs that turn the loop: where one is stopped, the loop is paused until somebody says that it shall go on."""

KINDS = TURNS | {AUDIT}
"""Runs of the loop. They make their plan themselves, and are held where they cannot go on."""


def find(session: Session, project_id: str) -> LoopRow | None:
    """The project's loop; None before its first run has ended."""
    return session.get(LoopRow, project_id)


def locked(session: Session, project_id: str) -> LoopRow | None:
    """The project's loop as it is now, which nobody else changes until this unit of work ends."""
    keep_others_out(session)
    return session.get(LoopRow, project_id, with_for_update=True, populate_existing=True)


def keep_others_out(session: Session) -> None:
    """On SQLite, which locks no rows: let nobody else write until this unit of work ends. Elsewhere nothing."""
    connection = session.connection()
    raw = connection.connection.dbapi_connection
    if isinstance(raw, sqlite3.Connection) and not raw.in_transaction:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def create_if_missing(
    session: Session,
    project_id: str,
    now: datetime,
    *,
    next_due: datetime | None,
    state: str = TURNING,
    message: str = "",
    by: str = "",
) -> bool:
    """Begin the project's loop, before its first iteration; whether this call did. With a `state` of PAUSED, `message`
    says why and what to do."""
    values = {
        "project_id": project_id,
        "state": state,
        "current": 0,
        "next_due": next_due,
        "due": ADVANCE,
        "answers": {},
        "message": message,
        "changed_by": by,
        "feed": new_feed_secret(),
        "updated_at": now,
    }
    return _insert_once(session, LoopRow, values)


def pause(session: Session, project_id: str, by: str, message: str, now: datetime) -> bool:
    """Pause a loop that turns; whether it did turn. Nothing is due until somebody resumes it, no look at the records
    either."""
    return _change(session, project_id, TURNING, PAUSED, by, message, now)


def end(session: Session, project_id: str, by: str, message: str, now: datetime) -> bool:
    """End the loop for good, unless it has ended or there is none; whether this call did."""
    return any(_change(session, project_id, state, ENDED, by, message, now) for state in (TURNING, PAUSED))


def _change(session: Session, project_id: str, was: str, state: str, by: str, message: str, now: datetime) -> bool:
    changed = session.scalar(
        update(LoopRow)
        .where(LoopRow.project_id == project_id, LoopRow.state == was)
        .values(state=state, next_due=None, audit_due=None, message=message, changed_by=by, updated_at=now)
        .returning(LoopRow.project_id)
    )
    return changed is not None


def look_again(session: Session, run: RunRow, until: datetime, now: datetime) -> None:
    """Have the clock begin this run's next attempt then, if it is still the newest of its loop and that turns. Of a
    paused one, something is due once it is resumed."""
    if run.kind == AUDIT:
        audit_again(session, run, until)
        return
    newest = LoopRow.project_id == run.project_id, LoopRow.run_id == run.id, LoopRow.state == TURNING
    session.execute(update(LoopRow).where(*newest).values(next_due=until, due=run.kind, updated_at=now))


def set_audit_due(session: Session, project_id: str, due: datetime | None) -> None:
    """Have the clock look at the project's records then, unless the loop is paused; None: not any more."""
    going_on = LoopRow.project_id == project_id, LoopRow.state != PAUSED
    session.execute(update(LoopRow).where(*going_on).values(audit_due=due))


def audit_again(session: Session, run: RunRow, due: datetime | None) -> None:
    """After this look at the records, have the clock take the next one then (None: nothing more is to come), if it was
    the newest. A sooner one that somebody asked for meanwhile stays."""
    if due is None:
        return
    later = LoopRow.audit_due.is_(None) | (LoopRow.audit_due > due)
    newest = LoopRow.project_id == run.project_id, LoopRow.audit_run_id == run.id, LoopRow.state != PAUSED
    session.execute(update(LoopRow).where(*newest, later).values(audit_due=due))


def fall_behind(session: Session, team_id: str, version: int) -> None:
    """Say, in the unit of work that changes a team, that the loops of its projects are yet to follow this version: one
    statement, however many there are."""
    of_team = select(ProjectRow.id).where(ProjectRow.team_id == team_id, ProjectRow.ended_at.is_(None))
    waiting = LoopRow.project_id.in_(of_team), LoopRow.next_due.is_not(None)
    session.execute(update(LoopRow).where(*waiting).values(behind=version))


def behind(session: Session, team_id: str | None = None, limit: int | None = None) -> list[tuple[str, int]]:
    """The projects whose loops are yet to follow their team (this one, or any), each with the version to follow."""
    query = select(LoopRow.project_id, LoopRow.behind).where(LoopRow.behind.is_not(None))
    if team_id is not None:
        query = query.join(ProjectRow, ProjectRow.id == LoopRow.project_id).where(ProjectRow.team_id == team_id)
    found = session.execute(query.order_by(LoopRow.project_id).limit(limit))
    return [(project_id, version) for project_id, version in found if version is not None]


def caught_up(session: Session, project_id: str, version: int) -> None:
    """Say that a loop follows this version of its team; not where the team was changed again meanwhile."""
    same = LoopRow.project_id == project_id, LoopRow.behind == version
    session.execute(update(LoopRow).where(*same).values(behind=None))


def begun(session: Session, project_id: str) -> list[Begun]:
    """The iterations that were begun, in order."""
    rows = session.scalars(
        select(IterationRow).where(IterationRow.project_id == project_id).order_by(IterationRow.number)
    )
    return [
        Begun(
            row.number,
            Stage(row.phase, row.loop, row.of_phase),
            DateRange(row.first, row.last),
            closed=row.closed_at is not None,
        )
        for row in rows
    ]


def brought_to(session: Session, project_id: str) -> dict[ItemKey, str]:
    """The states that the loop brought its iterations to: `active` or `closed`."""
    return {iteration_key(one.number): "closed" if one.closed else "active" for one in begun(session, project_id)}


def carried(session: Session, project_id: str) -> dict[ItemKey, int]:
    """How often each ticket was carried into a next iteration; those that never were are missing."""
    query = select(CarryRow.ticket, func.count()).where(CarryRow.project_id == project_id)
    into_next = query.where(CarryRow.policy == Policy.NEXT.value).group_by(CarryRow.ticket)
    return {ItemKey(ticket): times for ticket, times in session.execute(into_next)}


def record_event(
    session: Session,
    project_id: str,
    name: str,
    kind: str,
    text: str,
    *,
    at: datetime,
    by: str,
    iteration: int | None = None,
    data: Mapping[str, Any] | None = None,
    run_id: str | None = None,
) -> bool:
    """Record that something happened, once by its name in the project; whether this call did. The first one stays."""
    values = {
        "project_id": project_id,
        "name": name,
        "kind": kind,
        "iteration": iteration,
        "text": text,
        "data": dict(data or {}),
        "by": by,
        "run_id": run_id,
        "at": at,
    }
    return _insert_once(session, EventRow, values)


def plans(session: Session, run: RunRow) -> list[PlanRow]:
    """The plans that this advance has made so far, oldest first: in all attempts of the run and of those it continues.
    A plan is its run's by `PlanRow.run_id`."""
    ids = [run.id]
    former: RunRow | None = run
    while former is not None and former.continues is not None:
        ids.append(former.continues)
        former = session.get(RunRow, former.continues)
    query = select(PlanRow).where(PlanRow.project_id == run.project_id, PlanRow.run_id.in_(ids))
    return list(session.scalars(query.order_by(PlanRow.created_at, PlanRow.id)))


def _insert_once(session: Session, table: type[Table], values: Mapping[str, Any]) -> bool:
    """Insert a row unless there is one with its key or unique name; whether it was inserted."""
    session.flush()  # the statement goes past what the session has not written yet
    of_sqlite = session.get_bind().dialect.name == "sqlite"
    insert: Insert = (
        sqlite.insert(table).values(**values).on_conflict_do_nothing()
        if of_sqlite
        else postgresql.insert(table).values(**values).on_conflict_do_nothing()
    )
    key = table.__mapper__.primary_key[0]
    return session.scalar(insert.returning(key)) is not None
