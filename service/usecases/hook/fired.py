"""What triggers did, as people see it: with what came of it, as far as that is there to be looked at."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from service.context import Context
from service.store.hook_tables import FiringRow, TriggerRow
from service.store.tables import PlanRow, RunRow
from service.views.hook import FiringView


def because_of(context: Context, event_id: str) -> list[FiringView]:
    """What triggers did because of an event, oldest first."""
    with context.database.session() as session:
        return _shown(session, FiringRow.event_id == event_id)


def by_trigger(context: Context, trigger_id: str, limit: int = 20) -> list[FiringView]:
    """What a trigger did, newest first, at most `limit`."""
    with context.database.session() as session:
        return _shown(session, FiringRow.trigger_id == trigger_id, limit)


def _shown(session: Session, which: ColumnElement[bool], newest: int | None = None) -> list[FiringView]:
    query = select(FiringRow).where(which)
    order = FiringRow.at.desc() if newest is not None else FiringRow.at
    rows = session.scalars(query.order_by(order, FiringRow.id).limit(newest)).all()
    effects = {row.effect for row in rows if row.effect}
    runs = set(session.scalars(select(RunRow.id).where(RunRow.id.in_(effects))))
    plans = set(session.scalars(select(PlanRow.id).where(PlanRow.id.in_(effects))))
    ids = {row.trigger_id for row in rows}
    found = session.execute(select(TriggerRow.id, TriggerRow.name).where(TriggerRow.id.in_(ids))).all()
    names = {str(number): str(name) for number, name in found}
    return [
        FiringView.of(row, names.get(row.trigger_id, ""), run=row.effect in runs, plan=row.effect in plans)
        for row in rows
    ]
