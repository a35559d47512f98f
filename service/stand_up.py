"""Stand-ups: on working days at a project's hour people are told how it stands. What nobody was there for is told
within an hour, and else noted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.domain.loop import loop_state
from service.domain.notice.hours import NoticeHours
from service.domain.notice.kinds import STAND_UP, STAND_UP_SKIPPED
from service.domain.problems import InvalidInput
from service.domain.team.calendar import Calendar, DateRange, working_days
from service.domain.team.calendar_file import calendar_of, spec_from_json
from service.domain.team.team import team_from_json
from service.store import dues, loops
from service.store.tables import IterationRow, LoopRow, ProjectRow, TeamRow

LATE = timedelta(hours=1)
"""How long after its hour a stand-up still helps."""


def hold(session: Session, due: Sequence[LoopRow], now: datetime) -> None:
    """Tell the people of these projects, whose loops are locked, and say when the next stand-up is."""
    rows = session.scalars(select(ProjectRow).where(ProjectRow.id.in_([loop.project_id for loop in due])))
    projects = {row.id: row for row in rows}
    for loop in due:
        row = projects[loop.project_id]
        hours, calendar = NoticeHours.from_json(row.notices), calendar_for(session, row)
        at = hours.last_stand_up(now, calendar)
        if at is not None and loop.state == loop_state.TURNING and loop.current:
            _tell(session, loop, row, calendar, at, now)
        dues.put(session, row.id, dues.STAND_UP, hours.next_stand_up(now, calendar))


def calendar_for(session: Session, row: ProjectRow) -> Calendar:
    """The project's calendar; the usual week in its time zone where what it says does not go with its team."""
    team = session.get_one(TeamRow, row.team_id)
    try:
        return calendar_of(
            team_from_json(team.body, source=team.name).calendar, spec_from_json(row.calendar), row.time_zone
        )
    except InvalidInput:
        return Calendar(row.time_zone)


def _tell(session: Session, loop: LoopRow, row: ProjectRow, calendar: Calendar, at: datetime, now: datetime) -> None:
    today = at.astimezone(calendar.zone).date()
    iteration = session.get(IterationRow, (row.id, loop.current))
    kind, text, data = STAND_UP, f"How {row.key} stands.", {}
    if iteration is not None:
        days = working_days(DateRange(iteration.first, iteration.last), calendar)
        day = sum(one <= today for one in days)
        text = f'Day {day} of {len(days)} of "{iteration.title}" in {row.key}.'
        data = {"day": day, "of": len(days)}
    if now - at > LATE:
        kind, data = STAND_UP_SKIPPED, {}
        text = f"The stand-up of {today} was not told: nothing ran within an hour of its time."
    name, number = f"stand-up:{today}", loop.current
    loops.record_event(session, row.id, name, kind, text, at=now, by="clock", iteration=number, data=data)
