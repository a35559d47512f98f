"""Iterations on the calendar: ordered, on working days, nine o'clock on the local clock whatever the season."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.calendar import Calendar, DateRange, absence_days, iteration_bounds, iteration_dates, working_days
from service.domain.problems import InvalidInput

MONDAY = date(2026, 3, 16)

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "America/Santiago",
    "Asia/Beirut",
    "Pacific/Kiritimati",
]

dates = st.dates(min_value=date(2015, 1, 1), max_value=date(2040, 12, 31))

relaxed = settings(deadline=None)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    start = draw(st.integers(min_value=0, max_value=21 * 60 + 59))
    end = draw(st.integers(min_value=start + 120, max_value=24 * 60 - 1))
    return Calendar(
        time_zone=draw(st.sampled_from(ZONES)),
        working_days=draw(st.frozensets(st.integers(min_value=0, max_value=6), min_size=3)),
        start_time=time(*divmod(start, 60)),
        end_time=time(*divmod(end, 60)),
    )


def refused(**fields: object) -> str:
    with pytest.raises(InvalidInput) as refusal:
        Calendar(**fields)  # type: ignore[arg-type]
    return str(refusal.value)


def test_a_fortnight_starts_on_monday_at_nine_and_ends_on_friday_at_five() -> None:
    starts, ends = iteration_bounds(MONDAY, 14, 1, Calendar("Europe/Berlin"))
    assert starts.isoformat() == "2026-03-16T09:00:00+01:00"
    assert ends.isoformat() == "2026-03-27T17:00:00+01:00"


def test_nine_o_clock_stays_nine_o_clock_when_the_clocks_change() -> None:
    starts, ends = iteration_bounds(MONDAY, 14, 2, Calendar("Europe/Berlin"))
    assert starts.isoformat() == "2026-03-30T09:00:00+02:00"
    assert ends.isoformat() == "2026-04-10T17:00:00+02:00"


def test_an_iteration_that_begins_on_a_saturday_starts_on_monday() -> None:
    starts, _ = iteration_bounds(date(2026, 3, 14), 14, 1, Calendar())
    assert starts == datetime(2026, 3, 16, 9, tzinfo=UTC)


def test_a_time_that_the_clocks_skip_is_moved_on_to_one_that_exists() -> None:
    sunday = Calendar("Europe/Berlin", frozenset({6}), time(2, 30), time(6))
    starts, ends = iteration_bounds(date(2026, 3, 29), 1, 1, sunday)
    assert (starts.isoformat(), ends.isoformat()) == ("2026-03-29T03:30:00+02:00", "2026-03-29T06:00:00+02:00")


def test_an_unknown_time_zone_is_refused_with_the_nearest_one() -> None:
    assert 'time_zone: unknown time zone "Europe/Berlim"; did you mean "Europe/Berlin"?' in refused(
        time_zone="Europe/Berlim"
    )


@pytest.mark.parametrize(
    ("written", "meant"),
    [("europe/paris", "Europe/Paris"), ("paris", "Europe/Paris"), ("New York", "America/New_York"), ("utc", "UTC")],
)
def test_a_time_zone_in_other_letters_or_without_its_continent_is_recognised(written: str, meant: str) -> None:
    assert f'did you mean "{meant}"?' in refused(time_zone=written)


@pytest.mark.parametrize("written", ["", "xxxxxxxx", "../etc/passwd"])
def test_a_time_zone_like_no_other_is_refused_with_an_example(written: str) -> None:
    assert 'write an IANA name such as "Europe/Paris" or "UTC"' in refused(time_zone=written)


def test_the_machine_s_own_time_zone_is_no_place() -> None:
    assert 'unknown time zone "localtime"' in refused(time_zone="localtime")


def test_everything_wrong_with_a_calendar_is_said_at_once() -> None:
    message = refused(time_zone="Mars/Olympus", working_days=frozenset({7}), start_time=time(9), end_time=time(10))
    assert "time_zone:" in message
    assert "working_days: not a set of weekdays" in message
    assert "end_time: a working day from 09:00 to 10:00 is too short" in message


def test_a_calendar_without_working_days_is_refused() -> None:
    assert "name at least one day" in refused(working_days=frozenset())


def test_an_iteration_without_a_working_day_is_refused() -> None:
    sundays = Calendar(working_days=frozenset({6}))
    with pytest.raises(InvalidInput, match=r"iteration 1 \(2026-03-16 to 2026-03-20\) has no working day"):
        iteration_bounds(MONDAY, 5, 1, sundays)


@pytest.mark.parametrize("start", [date.max, date(9999, 12, 1)])
def test_iterations_beyond_the_end_of_the_calendar_are_refused(start: date) -> None:
    with pytest.raises(InvalidInput, match="start_date"):
        iteration_bounds(start, 30, 2, Calendar())


def test_a_start_before_the_first_instant_of_utc_is_refused() -> None:
    with pytest.raises(InvalidInput, match="start_date"):
        iteration_bounds(date.min, 7, 1, Calendar("Asia/Tokyo"))


@pytest.mark.parametrize(("days", "number"), [(0, 1), (14, 0), (-1, 1)])
def test_counting_starts_at_one(days: int, number: int) -> None:
    with pytest.raises(ValueError, match="count from 1"):
        iteration_dates(MONDAY, days, number)


def test_an_absence_counts_its_working_days_inside_the_span_only() -> None:
    fortnight = DateRange(MONDAY, MONDAY + timedelta(days=13))
    from_friday_before_to_monday = DateRange(MONDAY - timedelta(days=3), MONDAY)
    over_the_weekend = DateRange(date(2026, 3, 20), date(2026, 3, 23))
    assert absence_days([from_friday_before_to_monday], fortnight, Calendar()) == 1
    assert absence_days([from_friday_before_to_monday, over_the_weekend], fortnight, Calendar()) == 3
    assert absence_days([], fortnight, Calendar()) == 0


def test_a_day_that_two_absences_cover_counts_once() -> None:
    week = DateRange(MONDAY, MONDAY + timedelta(days=6))
    assert absence_days([DateRange(MONDAY, MONDAY), week], week, Calendar()) == 5


@relaxed
@given(start=dates, days=st.integers(min_value=5, max_value=60), calendar=calendars(), count=st.integers(2, 6))
def test_iterations_are_ordered_and_do_not_overlap(start: date, days: int, calendar: Calendar, count: int) -> None:
    bounds = [iteration_bounds(start, days, number, calendar) for number in range(1, count + 1)]
    # Compared in UTC: two datetimes of one zone would be compared by their wall clocks.
    edges = [edge.astimezone(UTC) for pair in bounds for edge in pair]
    assert edges == sorted(set(edges))


@relaxed
@given(start=dates, days=st.integers(min_value=5, max_value=60), calendar=calendars(), count=st.integers(1, 6))
def test_every_working_day_is_in_exactly_one_iteration(start: date, days: int, calendar: Calendar, count: int) -> None:
    spans = [iteration_dates(start, days, number) for number in range(1, count + 1)]
    whole = DateRange(start, start + timedelta(days=days * count - 1))
    assert [day for span in spans for day in working_days(span, calendar)] == working_days(whole, calendar)


@relaxed
@given(start=dates, days=st.integers(min_value=5, max_value=60), calendar=calendars(), number=st.integers(1, 20))
def test_bounds_fall_on_the_first_and_last_working_day(start: date, days: int, calendar: Calendar, number: int) -> None:
    starts, ends = iteration_bounds(start, days, number, calendar)
    worked = working_days(iteration_dates(start, days, number), calendar)
    assert (starts.date(), ends.date()) == (worked[0], worked[-1])
    for edge, clock in ((starts, calendar.start_time), (ends, calendar.end_time)):
        assert edge.utcoffset() is not None
        skipped = datetime.combine(edge.date(), clock, tzinfo=calendar.zone).astimezone(UTC) != edge.astimezone(UTC)
        assert not skipped
        assert edge.time() == clock or not _exists(edge.date(), clock, calendar)


def _exists(day: date, clock: time, calendar: Calendar) -> bool:
    local = datetime.combine(day, clock, tzinfo=calendar.zone)
    return local.astimezone(UTC).astimezone(calendar.zone).replace(tzinfo=None) == local.replace(tzinfo=None)
