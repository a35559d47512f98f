"""How the loop of each project stands: its iterations, what was carried, what happened, when something is due."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Insert, func, select, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Session

from connectors.values import ItemKey
from service.domain.loop import loop_state
from service.domain.loop.course import Begun, Stage
from service.domain.loop.turnover import Decision, Policy, iteration_key
from service.domain.team.calendar import DateRange
from service.store.rows import keep_others_out
from service.store.secrets import new_feed_secret
from service.store.tables import CarryRow, EventRow, IterationRow, LoopRow, PlanRow, ProjectRow, RunRow, Table

_DECISION = TypeAdapter(Decision)


def find(session: Session, project_id: str) -> LoopRow | None:
    """The project's loop; None before its first run has ended."""
    return session.get(LoopRow, project_id)


def decision(loop: LoopRow) -> Decision | None:
    """What a person decided about the coming iteration, which the next advance goes by."""
    return _DECISION.validate_python(loop.decision) if loop.decision is not None else None


def decision_json(made: Decision) -> dict[str, Any]:
    """A decision as the loop keeps it."""
    return dict(_DECISION.dump_python(made, mode="json"))


def locked(session: Session, project_id: str) -> LoopRow | None:
    """The project's loop as it is now, which nobody else changes until this unit of work ends."""
    keep_others_out(session)
    return session.get(LoopRow, project_id, with_for_update=True, populate_existing=True)


def create_if_missing(
    session: Session,
    project_id: str,
    now: datetime,
    *,
    next_due: datetime | None,
    state: str = loop_state.TURNING,
    message: str = "",
    by: str = "",
) -> bool:
    """Begin the project's loop, before its first iteration; whether this call did. If it begins `paused`, `message`
    says why and what to do."""
    values = {
        "project_id": project_id,
        "state": state,
        "current": 0,
        "next_due": next_due,
        "due": loop_state.ADVANCE,
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
    return _change(session, project_id, loop_state.TURNING, loop_state.PAUSED, by, message, now)


def end(session: Session, project_id: str, by: str, message: str, now: datetime) -> bool:
    """End the loop for good, unless it has ended or there is none; whether this call did."""
    return any(
        _change(session, project_id, state, loop_state.ENDED, by, message, now)
        for state in (loop_state.TURNING, loop_state.PAUSED)
    )


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
    if run.kind == loop_state.AUDIT:
        audit_again(session, run, until)
        return
    newest = LoopRow.project_id == run.project_id, LoopRow.run_id == run.id, LoopRow.state == loop_state.TURNING
    session.execute(update(LoopRow).where(*newest).values(next_due=until, due=run.kind, updated_at=now))


def set_audit_due(session: Session, project_id: str, due: datetime | None) -> None:
    """Have the clock look at the project's records then, unless the loop is paused; None: not any more."""
    going_on = LoopRow.project_id == project_id, LoopRow.state != loop_state.PAUSED
    session.execute(update(LoopRow).where(*going_on).values(audit_due=due))


def audit_again(session: Session, run: RunRow, due: datetime | None) -> None:
    """After this look at the records, have the clock take the next one then (None: nothing more is to come), if it was
    the newest. A sooner one that somebody asked for meanwhile stays."""
    if due is None:
        return
    later = LoopRow.audit_due.is_(None) | (LoopRow.audit_due > due)
    newest = LoopRow.project_id == run.project_id, LoopRow.audit_run_id == run.id, LoopRow.state != loop_state.PAUSED
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
    insert: Insert
    if of_sqlite:
        insert = sqlite.insert(table).values(**values).on_conflict_do_nothing()
    else:
        from sqlalchemy.dialects import postgresql  # brings asyncio along, which a command on SQLite does without

        insert = postgresql.insert(table).values(**values).on_conflict_do_nothing()
    key = table.__mapper__.primary_key[0]
    return session.scalar(insert.returning(key)) is not None
