"""The current iteration over its days: from our records, or from a look at the tracker now. Keeps nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select

from connectors.values import Finding
from service.context import Context
from service.domain.loop.burn_up import BurnUp, burn_up
from service.domain.loop.figures import TicketRecord, as_they_stand
from service.domain.team.calendar import DateRange
from service.store.tables import IterationRow
from service.usecases.errors import Conflict
from service.usecases.loop.flow import flow
from service.usecases.plan.project_state import material
from service.usecases.setup import projects
from service.views.setup import ProjectView


@dataclass(frozen=True, slots=True)
class _Current:
    """The iteration that has begun and is not closed, by our records."""

    number: int
    span: DateRange
    began: datetime
    records: list[TicketRecord]


def recorded(context: Context, project: str) -> BurnUp | None:
    """The current iteration as its tracker told last, where it tells of changes; None where there is none. Reads no
    tracker. Raises NotFound, Conflict."""
    row = projects.past_or_present(context, project, ask=False)
    found = _current(context, row)
    if found is None:
        return None
    return burn_up(found.number, found.records, found.span, ZoneInfo(row.time_zone), found.began)


def looked_at(context: Context, project: str) -> tuple[BurnUp, tuple[Finding, ...]]:
    """The current iteration as the tracker shows it now, with what is to be said of that; where it is not in the
    tracker any more, by our records. Raises NotFound, Conflict (there is none), TrackerError."""
    row = projects.going_on(context, project)
    shown, found = flow(context, project), _current(context, row)
    if found is None or found.number != shown.number:
        raise Conflict("loop-moved-on", f"{row.key} began another iteration meanwhile.", "Look again.")
    records, looked = found.records, None
    if shown.contents is not None:
        records, looked = as_they_stand(records, shown.contents, material(context, row.id).people), context.now()
    return burn_up(found.number, records, found.span, ZoneInfo(row.time_zone), found.began, looked), shown.findings


def _current(context: Context, project: ProjectView) -> _Current | None:
    query = select(IterationRow).where(IterationRow.project_id == project.id, IterationRow.closed_at.is_(None))
    with context.database.session() as session:
        row = session.scalar(query.order_by(IterationRow.number.desc()).limit(1))
    if row is None:
        return None
    tickets = [TicketRecord.from_json(one) for one in row.tickets]
    return _Current(row.number, DateRange(row.first, row.last), row.began_at, tickets)
