"""How the loop of each project stands: its iterations, what was carried, what happened, when something is due."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from connectors.values import ItemKey
from service.domain.loop import loop_state
from service.domain.loop.course import Begun, Stage
from service.domain.loop.turnover import Decision, Policy, iteration_key
from service.domain.team.calendar import DateRange
from service.store import dues
from service.store.rows import insert, keep_others_out
from service.store.secrets import new_feed_secret
from service.store.tables import CarryRow, EventRow, IterationRow, LoopRow, PlanRow, RunRow, Table

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
    """The project's loop as it is now, with what this unit of work changed; nobody else changes it until that ends."""
    keep_others_out(session)
    session.flush()  # what is read anew would go over it
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
        "due": loop_state.ADVANCE,
        "answers": {},
        "message": message,
        "changed_by": by,
        "feed": new_feed_secret(),
        "updated_at": now,
    }
    made = _insert_once(session, LoopRow, values)
    if made:
        dues.put(session, project_id, dues.TURN, next_due)
    return made


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
        .values(state=state, message=message, changed_by=by, updated_at=now)
        .returning(LoopRow.project_id)
    )
    if changed is not None:
        dues.drop(session, dues.TURN, [project_id])
        dues.drop(session, dues.AUDIT, [project_id])
        if state == loop_state.ENDED:
            dues.clear(session, project_id)  # of one that is paused the hours of stand-ups stay
    return changed is not None


def look_again(session: Session, run: RunRow, until: datetime, now: datetime) -> None:
    """Have the clock begin this run's next attempt then, if it is still the newest of its loop and that turns. Of a
    paused one, something is due once it is resumed."""
    if run.kind == loop_state.AUDIT:
        audit_again(session, run, until)
        return
    loop = locked(session, run.project_id)
    if loop is not None and loop.run_id == run.id and loop.state == loop_state.TURNING:
        loop.due, loop.updated_at = run.kind, now
        dues.put(session, run.project_id, dues.TURN, until)


def set_audit_due(session: Session, project_id: str, due: datetime | None) -> None:
    """Have the clock look at the project's records then, unless the loop is paused; None: not any more."""
    loop = locked(session, project_id)
    if loop is not None and loop.state != loop_state.PAUSED:
        dues.put(session, project_id, dues.AUDIT, due)


def audit_again(session: Session, run: RunRow, due: datetime | None) -> None:
    """After this look at the records, have the clock take the next one then (None: nothing more is to come), if it was
    the newest. A sooner one that somebody asked for meanwhile stays."""
    if due is None:
        return
    loop = locked(session, run.project_id)
    if loop is None or loop.audit_run_id != run.id or loop.state == loop_state.PAUSED:
        return
    sooner = dues.at(session, run.project_id, dues.AUDIT)
    if sooner is None or sooner > due:
        dues.put(session, run.project_id, dues.AUDIT, due)


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
    key = table.__mapper__.primary_key[0]
    made = insert(session, table).values(**values).on_conflict_do_nothing().returning(key)
    return session.scalar(made) is not None
