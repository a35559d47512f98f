"""When the people of a project are written to."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.notice.hours import NoticeHours
from service.domain.team.calendar import Calendar

PARIS = Calendar("Europe/Paris", days_off=frozenset({date(2026, 3, 17)}))
NIGHT = NoticeHours(time(20), time(7))
WEEKEND = NoticeHours(time(20), time(7), days_off=True)


def at(text: str) -> datetime:
    """A local time in Paris."""
    return datetime.fromisoformat(text).replace(tzinfo=PARIS.zone).astimezone(UTC)


@pytest.mark.parametrize(
    ("hours", "now", "until"),
    [
        (NoticeHours(), "2026-03-14 03:00", None),
        (NIGHT, "2026-03-16 19:59", None),
        (NIGHT, "2026-03-16 20:00", "2026-03-17 07:00"),
        (NIGHT, "2026-03-17 06:59", "2026-03-17 07:00"),
        (NIGHT, "2026-03-17 07:00", None),
        (NoticeHours(time(12), time(13)), "2026-03-16 12:30", "2026-03-16 13:00"),
        (NoticeHours(time(12), time(13)), "2026-03-16 13:30", None),
        (WEEKEND, "2026-03-13 21:00", "2026-03-16 07:00"),  # Friday night to Monday
        (WEEKEND, "2026-03-14 12:00", "2026-03-16 07:00"),
        (WEEKEND, "2026-03-16 20:30", "2026-03-18 07:00"),  # Tuesday is a day off
        (NoticeHours(days_off=True), "2026-03-14 12:00", "2026-03-16 00:00"),
        (NIGHT, "2026-03-28 22:00", "2026-03-29 07:00"),  # the clocks skip an hour in it
        (NoticeHours(time(0), time(2, 30)), "2026-03-29 01:00", "2026-03-29 03:30"),  # half past two is skipped
    ],
)
def test_what_is_due_while_it_is_quiet_waits_until_that_ends(hours: NoticeHours, now: str, until: str | None) -> None:
    assert hours.quiet_until(at(now), PARIS) == (at(until) if until is not None else None)


@pytest.mark.parametrize(
    ("now", "last", "following"),
    [
        ("2026-03-13 09:29", "2026-03-12 09:30", "2026-03-13 09:30"),
        ("2026-03-13 09:30", "2026-03-13 09:30", "2026-03-16 09:30"),  # Friday, then Monday
        ("2026-03-17 12:00", "2026-03-16 09:30", "2026-03-18 09:30"),  # Tuesday is a day off
        ("2026-03-28 12:00", "2026-03-27 09:30", "2026-03-30 09:30"),  # the clocks change, the hour stays
    ],
)
def test_a_stand_up_is_on_working_days_at_its_hour_on_the_local_clock(now: str, last: str, following: str) -> None:
    hours = NoticeHours(stand_up=time(9, 30))

    assert hours.last_stand_up(at(now), PARIS) == at(last)
    assert hours.next_stand_up(at(now), PARIS) == at(following)
    assert NoticeHours().next_stand_up(at(now), PARIS) is None


def test_a_time_that_the_clocks_show_twice_ends_the_quiet_each_time() -> None:
    hours = NoticeHours(time(1), time(2, 30))
    second = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)  # 02:10 for the second time

    assert hours.quiet_until(second, PARIS) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


@given(
    st.times().map(lambda one: one.replace(second=0, microsecond=0, fold=0)),
    st.times().map(lambda one: one.replace(second=0, microsecond=0, fold=0)),
    st.booleans(),
    st.timedeltas(timedelta(), timedelta(days=365)),
)
def test_when_the_quiet_has_ended_it_is_not_quiet(begins: time, ends: time, days_off: bool, into: timedelta) -> None:
    hours, now = NoticeHours(begins, ends, days_off), datetime(2026, 1, 1, tzinfo=UTC) + into
    until = hours.quiet_until(now, PARIS)

    assert NoticeHours.from_json(hours.to_json()) == hours
    if until is not None:
        assert until - now < timedelta(days=6)
        assert hours.quiet_until(until, PARIS) is None
