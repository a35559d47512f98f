"""When the record of an iteration is due, in working days of the team, and how that stands to an instant."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from service.domain.audit.outcome import Clock
from service.domain.audit.subject import Deadlines, Rules
from service.domain.team.calendar import Calendar, working_day_after

_FURTHEST_BACK = timedelta(days=400)
"""How far back a working day is looked for; a reminder that would be earlier comes when the iteration starts."""


def deadlines_of(starts: datetime, ends: datetime, calendar: Calendar, rules: Rules) -> Deadlines:
    """When the record of an iteration with these bounds is due, as aware instants on the team's clock.

    Days of holidays and freezes do not count. The five instants are in order, and none is before `starts`. Raises
    `InvalidInput` when they run out of the calendar.
    """
    last = ends.astimezone(calendar.zone).date()
    begins = calendar.at(last, calendar.start_time)
    due_day = min(max(begins, starts), ends)
    soon = min(
        max(calendar.at(_working_day_before(last, rules.soon_days, calendar), calendar.start_time), starts), due_day
    )
    late_day = working_day_after(last, rules.grace_days, calendar)
    late = max(calendar.at(late_day, calendar.end_time), ends) if rules.grace_days else ends
    others_day = working_day_after(late_day, rules.escalate_days, calendar)
    escalates = max(calendar.at(others_day, calendar.end_time), late) if rules.escalate_days else late
    return Deadlines(soon=soon, due_day=due_day, due=ends, late=late, escalates=escalates)


def clock_of(deadlines: Deadlines, now: datetime) -> Clock:
    """How the record stands to its deadlines at `now`, which is aware. Each state begins with its instant."""
    return next(state for state, begins in reversed(_states(deadlines)) if begins is None or begins <= now)


def next_change(deadlines: Deadlines, now: datetime) -> datetime | None:
    """When the state changes next after `now`; None: never again."""
    return min((begins for _, begins in _states(deadlines) if begins is not None and begins > now), default=None)


def _states(deadlines: Deadlines) -> list[tuple[Clock, datetime | None]]:
    return [
        (Clock.UPCOMING, None),
        (Clock.DUE_SOON, deadlines.soon),
        (Clock.DUE, deadlines.due_day),
        (Clock.IN_GRACE, deadlines.due),
        (Clock.OVERDUE, deadlines.late),
        (Clock.ESCALATED, deadlines.escalates),
    ]


def _working_day_before(day: date, count: int, calendar: Calendar) -> date:
    """The `count`-th working day before `day`, or a day long ago where there are not so many."""
    found, earliest = day, day - min(_FURTHEST_BACK, day - date.min)
    for _ in range(count):
        while found > earliest:
            found -= timedelta(days=1)
            if calendar.is_working(found):
                break
    return found
