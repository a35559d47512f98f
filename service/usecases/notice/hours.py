"""When the people of a project are written to, as somebody set it."""

from __future__ import annotations

import re
from datetime import datetime, time

from sqlalchemy import select

from service.context import Context
from service.domain.notice.hours import NoticeHours
from service.domain.problems import InvalidInput, Problem
from service.domain.team.calendar import Calendar
from service.stand_up import calendar_for
from service.store import dues, loops
from service.store.notice_tables import DeliveryRow
from service.store.tables import EventRow, ProjectRow
from service.usecases.setup import projects
from service.views.notice import HoursView

_CLOCK = re.compile(r"([01]?\d|2[0-3]):[0-5]\d")
_LIKE = "write it as 20:00, on the project's clock"


def get(context: Context, project: str) -> HoursView:
    """When the people of a project are written to. Raises NotFound."""
    number = projects.get(context, project).id
    with context.database.session() as session:
        row = session.get_one(ProjectRow, number)
        calendar = calendar_for(session, row)
    return _view(context, row, calendar)


def put(
    context: Context,
    project: str,
    quiet_from: str | None,
    quiet_to: str | None,
    days_off: bool,
    stand_up: str | None = None,
) -> HoursView:
    """Set when the people of a project are not written to, and when they have a stand-up. What waits is sent by the new
    hours. Raises NotFound, InvalidInput with every problem."""
    number = projects.get(context, project).id
    hours = _checked(quiet_from, quiet_to, days_off, stand_up)
    with context.database.session() as session:
        loops.locked(session, number)
        row = session.get_one(ProjectRow, number, with_for_update=True)
        row.notices = hours.to_json()
        coming = hours.next_stand_up(context.now(), calendar_for(session, row)) if row.ended_at is None else None
        dues.put(session, number, dues.STAND_UP, coming)
        waiting = session.scalars(
            select(DeliveryRow).where(DeliveryRow.project_id == number, DeliveryRow.quiet.is_(True)).with_for_update()
        )
        for message in waiting:
            message.next_at, message.quiet = context.now(), False
        context.done(session, row.id)
    return get(context, number)


def quiet_until(context: Context, message: DeliveryRow) -> datetime | None:
    """Until when a message waits because it is quiet in its project; None: it does not. One of several projects goes by
    the first of them."""
    with context.database.session() as session:
        number = message.project_id or session.scalar(select(EventRow.project_id).where(EventRow.id == message.seq))
        row = session.get(ProjectRow, number) if number is not None else None
        if row is None or not row.notices:
            return None
        calendar = calendar_for(session, row)
    return NoticeHours.from_json(row.notices).quiet_until(context.now(), calendar)


def _view(context: Context, row: ProjectRow, calendar: Calendar) -> HoursView:
    hours = NoticeHours.from_json(row.notices)
    until = hours.quiet_until(context.now(), calendar)
    quiet = hours.quiet_from, hours.quiet_to, hours.days_off
    return HoursView(row.key, row.time_zone, *quiet, hours.stand_up, until)


def _checked(quiet_from: str | None, quiet_to: str | None, days_off: bool, stand_up: str | None) -> NoticeHours:
    problems = []
    read: dict[str, time | None] = {}
    for name, said in (("quiet_from", quiet_from), ("quiet_to", quiet_to), ("stand_up", stand_up)):
        if said is not None and not _CLOCK.fullmatch(said):
            problems.append(Problem("hours", None, name, f"{said!r} is no time of day", _LIKE))
        elif said is not None:
            read[name] = time.fromisoformat(said.zfill(5))
    if (quiet_from is None) != (quiet_to is None):
        missing = "quiet_from" if quiet_from is None else "quiet_to"
        problems.append(Problem("hours", None, missing, "is missing: quiet hours have a beginning and an end", _LIKE))
    elif not problems and quiet_from is not None and read["quiet_from"] == read["quiet_to"]:
        message = "begin and end at the same time; nobody would ever be written to"
        problems.append(Problem("hours", None, "quiet_to", message, "leave both out for no quiet hours"))
    if problems:
        raise InvalidInput(problems)
    return NoticeHours(read.get("quiet_from"), read.get("quiet_to"), days_off, read.get("stand_up"))
