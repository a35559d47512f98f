"""Records are due by the team's working days, on the team's clock."""

from __future__ import annotations

from dataclasses import astuple
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.audit.deadlines import clock_of, deadlines_of, next_change
from service.domain.audit.outcome import Clock
from service.domain.audit.subject import Deadlines, Rules
from service.domain.team.calendar import Calendar, DateRange
from tests.effort import examples
from tests.unit.domain.audit.subjects import CALENDAR, ENDS, STARTS, ZONE


def deadlines(grace: int = 2, soon: int = 2, escalate: int = 3, calendar: Calendar = CALENDAR) -> Deadlines:
    return deadlines_of(STARTS, ENDS, calendar, Rules({}, grace_days=grace, soon_days=soon, escalate_days=escalate))


def paris(day: int, hour: int, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=ZONE)


def test_the_grace_is_counted_in_working_days_over_the_weekend() -> None:
    assert deadlines() == Deadlines(paris(11, 9), paris(13, 9), ENDS, paris(17, 17), paris(20, 17))


def test_holidays_days_off_and_freezes_do_not_count() -> None:
    resting = Calendar(
        time_zone="Europe/Paris",
        days_off=frozenset({date(2026, 3, 12), date(2026, 3, 16)}),
        freezes=(DateRange(date(2026, 3, 18), date(2026, 3, 27)),),
    )
    found = deadlines(calendar=resting)
    assert found.soon == paris(10, 9)
    assert found.late == paris(30, 17)


def test_without_grace_the_record_is_late_when_the_iteration_ends_and_escalates_at_once_if_so_told() -> None:
    found = deadlines(grace=0, soon=0, escalate=0)
    assert (found.due, found.late, found.escalates) == (ENDS, ENDS, ENDS)
    assert found.soon == found.due_day == paris(13, 9)
    assert clock_of(found, ENDS) is Clock.ESCALATED


def test_a_day_of_grace_ends_when_the_team_goes_home_also_when_the_clocks_change() -> None:
    starts, ends = paris(16, 9), paris(27, 17)  # the clocks go forward on Sunday, 29 March
    found = deadlines_of(starts, ends, CALENDAR, Rules({}, grace_days=1))
    assert found.late.timetz() == time(17, tzinfo=ZONE)
    assert found.late - found.due == timedelta(days=3)
    assert found.late.astimezone(UTC) - found.due.astimezone(UTC) == timedelta(days=3, hours=-1)


def test_nobody_is_reminded_before_the_iteration_begins() -> None:
    found = deadlines(soon=30)
    assert found.soon == STARTS
    assert clock_of(found, STARTS - timedelta(seconds=1)) is Clock.UPCOMING


@pytest.mark.parametrize(
    ("now", "state"),
    [
        (paris(11, 8), Clock.UPCOMING),
        (paris(11, 9), Clock.DUE_SOON),
        (paris(13, 8), Clock.DUE_SOON),
        (paris(13, 9), Clock.DUE),
        (ENDS, Clock.IN_GRACE),
        (paris(17, 16), Clock.IN_GRACE),
        (paris(17, 17), Clock.OVERDUE),
        (paris(20, 17).astimezone(UTC), Clock.ESCALATED),
    ],
)
def test_each_state_begins_with_its_instant(now: datetime, state: Clock) -> None:
    assert clock_of(deadlines(), now) is state


def test_what_changes_next_is_known_until_nothing_does() -> None:
    found, now, seen = deadlines(), STARTS, []
    while (following := next_change(found, now)) is not None:
        assert clock_of(found, following) is not clock_of(found, following - timedelta(microseconds=1))
        seen.append(clock_of(found, following))
        now = following
    assert seen == [Clock.DUE_SOON, Clock.DUE, Clock.IN_GRACE, Clock.OVERDUE, Clock.ESCALATED]


@settings(max_examples=examples(200), deadline=None)
@given(
    first=st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    length=st.integers(0, 60),
    numbers=st.tuples(*[st.integers(0, 30)] * 3),
    week=st.frozensets(st.integers(0, 6), min_size=1),
    zone=st.sampled_from(["Europe/Paris", "America/St_Johns", "Pacific/Apia", "Africa/Casablanca", "UTC"]),
    off=st.frozensets(st.dates(date(2020, 1, 1), date(2030, 3, 1)), max_size=30),
)
def test_the_instants_are_in_order_for_every_team(
    first: date,
    length: int,
    numbers: tuple[int, int, int],
    week: frozenset[int],
    zone: str,
    off: frozenset[date],
) -> None:
    calendar = Calendar(time_zone=zone, working_days=week, days_off=off)
    starts, ends = calendar.at(first, time(9)), calendar.at(first + timedelta(days=length), time(17))
    grace, soon, escalate = numbers
    found = deadlines_of(starts, ends, calendar, Rules({}, grace_days=grace, soon_days=soon, escalate_days=escalate))
    instants = [one.astimezone(UTC) for one in astuple(found)]
    assert instants == sorted(instants)
    assert starts <= found.soon
    assert found.due == ends
