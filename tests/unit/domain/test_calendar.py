"""Iterations on the calendar: ordered, on working days, nine o'clock on the local clock whatever the season."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.values import Severity
from service.domain.problems import InvalidInput
from service.domain.team.calendar import (
    Calendar,
    DateRange,
    absence_days,
    bounds,
    span_from,
    starts_in_the_past,
    working_day_after,
    working_days,
)

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

PLACES = [(None, None), ("DE", "BY"), ("CN", None), ("IN", None), ("IL", None), ("US", "CA"), ("JP", None)]

dates = st.dates(min_value=date(2015, 1, 1), max_value=date(2040, 12, 31))

lengths = st.integers(min_value=5, max_value=60)

relaxed = settings(deadline=None)


@st.composite
def calendars(draw: st.DrawFn, near: date = date(2026, 3, 16)) -> Calendar:
    """Calendars of all kinds, with days off and freezes in the year from `near`."""
    start = draw(st.integers(min_value=0, max_value=21 * 60 + 59))
    end = draw(st.integers(min_value=start + 120, max_value=24 * 60 - 1))
    around = st.integers(min_value=-10, max_value=365).map(lambda offset: near + timedelta(days=offset))
    frozen = draw(st.lists(st.tuples(around, st.integers(0, 40)), max_size=3))
    country, subdivision = draw(st.sampled_from(PLACES))
    return Calendar(
        time_zone=draw(st.sampled_from(ZONES)),
        working_days=draw(st.frozensets(st.integers(min_value=0, max_value=6), min_size=1)),
        start_time=time(*divmod(start, 60)),
        end_time=time(*divmod(end, 60)),
        country=country,
        subdivision=subdivision,
        days_off=draw(st.frozensets(around, max_size=20)),
        freezes=tuple(DateRange(first, first + timedelta(days=length)) for first, length in frozen),
    )


@st.composite
def rows(draw: st.DrawFn) -> tuple[list[DateRange], int, Calendar]:
    """Iterations that follow each other, their length and their calendar; each has some weekday of work."""
    start, days = draw(dates), draw(lengths)
    calendar = draw(calendars(start))
    if days < 7:
        calendar = replace(calendar, working_days=frozenset(range(7)))
    return in_a_row(start, days, calendar, draw(st.integers(2, 8))), days, calendar


def in_a_row(start: date, days: int, calendar: Calendar, count: int) -> list[DateRange]:
    spans: list[DateRange] = []
    for _ in range(count):
        spans.append(span_from(spans[-1].last + timedelta(days=1) if spans else start, days, calendar))
    return spans


def first_of(start: date, days: int, calendar: Calendar, number: int = 1) -> tuple[datetime, datetime]:
    return bounds(in_a_row(start, days, calendar, number)[-1], calendar, number)


def refused(**fields: object) -> str:
    with pytest.raises(InvalidInput) as refusal:
        Calendar(**fields)  # type: ignore[arg-type]
    return str(refusal.value)


def test_a_fortnight_starts_on_monday_at_nine_and_ends_on_friday_at_five() -> None:
    starts, ends = first_of(MONDAY, 14, Calendar("Europe/Berlin"))
    assert starts.isoformat() == "2026-03-16T09:00:00+01:00"
    assert ends.isoformat() == "2026-03-27T17:00:00+01:00"


def test_nine_o_clock_stays_nine_o_clock_when_the_clocks_change() -> None:
    starts, ends = first_of(MONDAY, 14, Calendar("Europe/Berlin"), 2)
    assert starts.isoformat() == "2026-03-30T09:00:00+02:00"
    assert ends.isoformat() == "2026-04-10T17:00:00+02:00"


def test_an_iteration_that_begins_on_a_saturday_starts_on_monday() -> None:
    starts, _ = first_of(date(2026, 3, 14), 14, Calendar())
    assert starts == datetime(2026, 3, 16, 9, tzinfo=UTC)


def test_a_time_that_the_clocks_skip_is_moved_on_to_one_that_exists() -> None:
    sunday = Calendar("Europe/Berlin", frozenset({6}), time(2, 30), time(6))
    starts, ends = first_of(date(2026, 3, 29), 1, sunday)
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


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("India Standard Time", 'did you mean "Asia/Kolkata"?'),
        ("W. Europe Standard Time", 'did you mean "Europe/Berlin"?'),
        ("Calcutta", 'did you mean "Asia/Kolkata"?'),
        ("JST", 'did you mean "Asia/Tokyo"?'),
        ("IST", 'several places call it that, "Asia/Jerusalem", "Asia/Kolkata" among them; write the one you mean'),
        ("GMT+1", 'the same time all year round is "Etc/GMT-1"'),
        ("UTC-08:00", 'the same time all year round is "Etc/GMT+8"'),
        ("UTC+05:30", 'name the place whose clocks you keep, such as "Europe/Paris"'),
        ("Indiana", 'write an IANA name such as "Europe/Paris" or "UTC"'),
    ],
)
def test_a_time_zone_is_recognised_by_what_it_means_and_not_by_its_letters(written: str, meant: str) -> None:
    assert meant in refused(time_zone=written)
    assert "Etc/GMT+1" not in refused(time_zone="GMT+1")


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
        first_of(MONDAY, 5, sundays)


@pytest.mark.parametrize("start", [date.max, date(9999, 12, 1)])
def test_iterations_beyond_the_end_of_the_calendar_are_refused(start: date) -> None:
    with pytest.raises(InvalidInput, match="start_date"):
        first_of(start, 30, Calendar(), 2)


def test_a_start_before_the_first_instant_of_utc_is_refused() -> None:
    with pytest.raises(InvalidInput, match="start_date"):
        first_of(date.min, 7, Calendar("Asia/Tokyo"))


@pytest.mark.parametrize("days", [0, -1])
def test_an_iteration_has_at_least_a_day(days: int) -> None:
    with pytest.raises(ValueError, match="counts from 1"):
        span_from(MONDAY, days, Calendar())


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


def test_nobody_works_on_public_holidays_days_off_and_in_freezes() -> None:
    calendar = Calendar(
        country="DE",
        subdivision="BY",
        days_off=frozenset({date(2026, 1, 2)}),
        freezes=(DateRange(date(2026, 12, 24), date(2026, 12, 31)),),
    )
    assert not calendar.is_working(date(2026, 1, 1))
    assert not calendar.is_working(date(2026, 1, 2))
    assert not calendar.is_working(date(2026, 1, 6))  # kept in Bavaria
    assert Calendar(country="DE").is_working(date(2026, 1, 6))
    assert not calendar.is_working(date(2026, 1, 10))
    assert calendar.is_working(date(2026, 12, 23))
    assert not calendar.is_working(date(2026, 12, 28))


def test_feasts_that_are_not_yet_announced_are_no_trouble() -> None:
    indian = Calendar("Asia/Kolkata", country="IN")
    assert not indian.is_working(date(2080, 8, 15))
    assert indian.is_working(date(2080, 8, 16))


def test_a_week_can_start_and_end_elsewhere() -> None:
    sunday_to_thursday = Calendar("Asia/Jerusalem", frozenset({6, 0, 1, 2, 3}))
    starts, ends = first_of(date(2026, 3, 15), 14, sunday_to_thursday)
    assert starts.isoformat() == "2026-03-15T09:00:00+02:00"
    assert ends.isoformat() == "2026-03-26T17:00:00+02:00"


def test_a_holiday_moves_the_edge_of_an_iteration_to_the_next_working_day() -> None:
    german = Calendar(country="DE")
    starts, ends = first_of(date(2026, 3, 23), 14, german, 2)
    assert starts.date() == date(2026, 4, 7)  # after Easter Monday
    assert ends.date() == date(2026, 4, 17)
    assert first_of(date(2026, 3, 23), 12, german)[1].date() == date(2026, 4, 2)  # before Good Friday


def test_a_freeze_in_the_middle_makes_an_iteration_as_much_longer() -> None:
    rest = Calendar(freezes=(DateRange(date(2026, 12, 21), date(2027, 1, 3)),))
    assert span_from(date(2026, 12, 14), 14, rest) == DateRange(date(2026, 12, 14), date(2027, 1, 10))


def test_after_a_freeze_of_some_days_iterations_begin_on_the_same_weekday_again() -> None:
    rest = Calendar(freezes=(DateRange(date(2026, 12, 24), date(2027, 1, 3)),))
    assert span_from(date(2026, 12, 14), 14, rest) == DateRange(date(2026, 12, 14), date(2027, 1, 10))
    assert span_from(date(2026, 12, 14), 10, rest) == DateRange(date(2026, 12, 14), date(2026, 12, 23))
    assert span_from(date(2026, 12, 15), 10, rest) == DateRange(date(2026, 12, 15), date(2027, 1, 4))


def test_an_iteration_that_begins_with_a_freeze_starts_after_it() -> None:
    rest = Calendar(freezes=(DateRange(MONDAY, date(2026, 3, 29)),))
    span = span_from(MONDAY, 14, rest)
    assert span == DateRange(MONDAY, date(2026, 4, 12))
    assert bounds(span, rest, 1)[0] == datetime(2026, 3, 30, 9, tzinfo=UTC)


def test_a_week_of_nothing_but_holidays_is_joined_to_the_next() -> None:
    chinese = Calendar("Asia/Shanghai", country="CN")
    assert working_days(DateRange(date(2026, 2, 16), date(2026, 2, 22)), chinese) == []
    assert span_from(date(2026, 2, 16), 7, chinese) == DateRange(date(2026, 2, 16), date(2026, 3, 1))


def test_a_day_that_makes_up_for_a_day_off_is_a_working_day() -> None:
    saturday = date(2025, 2, 8)  # worked in China for a day of the spring festival
    week = DateRange(date(2025, 2, 3), date(2025, 2, 9))
    assert saturday in working_days(week, Calendar(country="CN"))
    assert saturday not in working_days(week, Calendar())
    assert saturday not in working_days(week, Calendar(country="CN", days_off=frozenset({saturday})))
    assert bounds(week, Calendar("Asia/Shanghai", country="CN"), 1)[1].date() == saturday


def test_a_calendar_that_has_no_working_day_for_a_year_is_refused() -> None:
    never = Calendar(days_off=frozenset(MONDAY + timedelta(days=offset) for offset in range(800)))
    with pytest.raises(InvalidInput, match="has no working day"):
        first_of(MONDAY, 14, never)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"country": "Germany"}, 'country: unknown country "Germany"; did you mean "DE"?'),
        ({"country": "de"}, 'country: unknown country "de"; did you mean "DE"?'),
        ({"country": "united states"}, 'country: unknown country "united states"; did you mean "US"?'),
        ({"country": "DEU"}, 'country: unknown country "DEU"; did you mean "DE"?'),
        ({"country": "UK"}, 'country: unknown country "UK"; did you mean "GB"?'),
        ({"country": "Germny"}, 'country: unknown country "Germny"; did you mean "DE"?'),
        ({"country": "Holland"}, 'country: unknown country "Holland"; write its two letters'),
        ({"country": "XX"}, 'country: unknown country "XX"; write its two letters, such as "DE" or "IN"'),
        ({"country": ""}, 'country: unknown country ""; write its two letters, such as "DE" or "IN"'),
        ({"country": "DE", "subdivision": "Bayern"}, 'subdivision: unknown subdivision "Bayern" of DE; did you mean'),
        ({"country": "DE", "subdivision": "!"}, "one of: BB, BE, BW, BY"),
        ({"country": "AF", "subdivision": "KAB"}, "AF has none; leave it out"),
        ({"subdivision": "BY"}, 'the subdivision "BY" stands without a country; name the country, too'),
        ({"freezes": (DateRange(MONDAY, date(2026, 3, 1)),)}, "freezes[0]: `from` (2026-03-16) is after `to`"),
        ({"freezes": (DateRange(MONDAY, date(2027, 3, 17)),)}, "is longer than a year; pause the project instead"),
    ],
)
def test_a_place_or_freeze_that_cannot_be_is_refused(fields: dict[str, object], message: str) -> None:
    assert message in refused(**fields)


def test_a_working_day_later_is_no_holiday() -> None:
    german = Calendar(country="DE")
    assert working_day_after(date(2026, 4, 2), 2, german) == date(2026, 4, 8)
    assert working_day_after(date(2026, 4, 2), 0, german) == date(2026, 4, 2)
    with pytest.raises(InvalidInput, match="start_date"):
        working_day_after(date.max, 1, german)


def test_a_start_that_is_past_is_a_warning_that_says_what_follows() -> None:
    fortnight = span_from(MONDAY, 14, Calendar())
    assert starts_in_the_past(fortnight, MONDAY) is None
    late = starts_in_the_past(fortnight, fortnight.last)
    assert late is not None
    assert (late.severity, late.code) == (Severity.WARNING, "starts-in-the-past")
    assert late.message == "The first iteration begins on 2026-03-16, which is past: it is shorter than the others."
    over = starts_in_the_past(fortnight, fortnight.last + timedelta(days=1))
    assert over is not None
    assert over.message == (
        "The first iteration (2026-03-16 to 2026-03-29) is over already: the loop waits until it is resumed."
    )


@relaxed
@given(rows())
def test_iterations_are_ordered_and_do_not_overlap(row: tuple[list[DateRange], int, Calendar]) -> None:
    spans, _, calendar = row
    edges = [edge for number, span in enumerate(spans, 1) for edge in bounds(span, calendar, number)]
    # Compared in UTC: two datetimes of one zone would be compared by their wall clocks.
    instants = [edge.astimezone(UTC) for edge in edges]
    assert instants == sorted(set(instants))


@relaxed
@given(rows())
def test_every_day_is_in_exactly_one_iteration(row: tuple[list[DateRange], int, Calendar]) -> None:
    spans, _, _ = row
    assert [day for span in spans for day in span] == list(DateRange(spans[0].first, spans[-1].last))


@relaxed
@given(rows())
def test_an_iteration_has_its_length_without_freezes_and_a_working_day(
    row: tuple[list[DateRange], int, Calendar],
) -> None:
    spans, days, calendar = row
    for span in spans:
        counted = sum(not calendar.is_frozen(day) for day in span)
        assert counted >= days
        assert working_days(span, calendar)
        if days % 7 == 0:
            assert (span.last - span.first).days % 7 == 6
        elif counted > days:  # stretched, because what came first had no working day
            assert not working_days(DateRange(span.first, span.first + timedelta(days=days - 1)), calendar)


@relaxed
@given(start=dates, days=lengths, count=st.integers(1, 30))
def test_without_holidays_and_freezes_iterations_are_all_of_one_length(start: date, days: int, count: int) -> None:
    spans = in_a_row(start, days, Calendar(), count)
    assert spans[-1] == DateRange(start + timedelta(days=(count - 1) * days), start + timedelta(days=count * days - 1))


@relaxed
@given(rows())
def test_bounds_fall_on_the_first_and_last_working_day(row: tuple[list[DateRange], int, Calendar]) -> None:
    spans, _, calendar = row
    for span in spans:
        starts, ends = bounds(span, calendar, 1)
        worked = working_days(span, calendar)
        assert (starts.date(), ends.date()) == (worked[0], worked[-1])
        for edge, clock in ((starts, calendar.start_time), (ends, calendar.end_time)):
            assert edge.utcoffset() is not None
            skipped = datetime.combine(edge.date(), clock, tzinfo=calendar.zone).astimezone(UTC) != edge.astimezone(UTC)
            assert not skipped
            assert edge.time() == clock or not _exists(edge.date(), clock, calendar)


@relaxed
@given(
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),  # the last shifts half an hour
    year=st.integers(2015, 2037),
    clock=st.integers(0, 21 * 60).map(lambda minutes: time(*divmod(minutes, 60))),
    days=st.integers(1, 14),
)
def test_clocks_that_change_neither_skip_nor_double_an_iteration(zone: str, year: int, clock: time, days: int) -> None:
    """A year of iterations on a team that works every day: each local start comes once, in order, on its own date."""
    end = (datetime.combine(MONDAY, clock) + timedelta(hours=2)).time()
    calendar = Calendar(zone, frozenset(range(7)), clock, end)
    spans = in_a_row(date(year, 1, 1), days, calendar, 366 // days)
    starts = [bounds(span, calendar, number)[0] for number, span in enumerate(spans, 1)]
    assert [instant.date() for instant in starts] == [span.first for span in spans]
    between = [after.astimezone(UTC) - before.astimezone(UTC) for before, after in pairwise(starts)]
    assert all(abs(gap - timedelta(days=days)) <= timedelta(hours=1) for gap in between)


def _exists(day: date, clock: time, calendar: Calendar) -> bool:
    local = datetime.combine(day, clock, tzinfo=calendar.zone)
    return local.astimezone(UTC).astimezone(calendar.zone).replace(tzinfo=None) == local.replace(tzinfo=None)
