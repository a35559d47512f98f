"""When a team works: its time zone, working days and hours, and the iterations that follow from them.

Everything counts in local calendar dates; instants appear only at the edges of an iteration, as aware datetimes on
the team's own clock, so that nine o'clock stays nine o'clock when the clocks change.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from zoneinfo import ZoneInfo, available_timezones

from service.domain.problems import InvalidInput, Problem

MONDAY_TO_FRIDAY = frozenset({0, 1, 2, 3, 4})

SHORTEST_DAY = timedelta(hours=2)
"""A working day is at least this long: then its end comes after its start even when the clocks skip an hour in it."""

_NO_PLACES = frozenset({"Factory", "localtime", "posixrules"})
"""Files that some systems keep among the time zones; they mean another thing on every machine."""

_SOURCE = "calendar"


@dataclass(frozen=True, slots=True, order=True)
class DateRange:
    """Calendar dates from `first` to `last`, both included."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def __iter__(self) -> Iterator[date]:
        for offset in range((self.last - self.first).days + 1):
            yield self.first + timedelta(days=offset)


@dataclass(frozen=True, slots=True)
class Calendar:
    """A team's working time.

    `time_zone` is an IANA name, `working_days` are weekdays (Monday is 0), `start_time` and `end_time` are local wall
    clock times without a time zone. Raises `InvalidInput` with everything that is wrong with them.
    """

    time_zone: str = "UTC"
    working_days: frozenset[int] = MONDAY_TO_FRIDAY
    start_time: time = time(9)
    end_time: time = time(17)

    def __post_init__(self) -> None:
        problems = [*check_time_zone(self.time_zone, _SOURCE, "time_zone"), *self._check_hours()]
        if not self.working_days or not self.working_days <= frozenset(range(7)):
            problems.append(
                Problem(_SOURCE, None, "working_days", "not a set of weekdays", "name at least one day, Monday is 0")
            )
        if problems:
            raise InvalidInput(problems)

    def _check_hours(self) -> list[Problem]:
        if datetime.combine(date.min, self.end_time) - datetime.combine(date.min, self.start_time) >= SHORTEST_DAY:
            return []
        message = f"a working day from {self.start_time:%H:%M} to {self.end_time:%H:%M} is too short"
        return [Problem(_SOURCE, None, "end_time", message, "end at least two hours after start_time")]

    @property
    def zone(self) -> ZoneInfo:
        """The time zone as `datetime` wants it."""
        return ZoneInfo(self.time_zone)

    def at(self, day: date, clock: time) -> datetime:
        """That local date and time as an aware datetime that exists: a time skipped by the clocks is moved on."""
        local = datetime.combine(day, clock, tzinfo=self.zone)
        return local.astimezone(UTC).astimezone(self.zone)


def check_time_zone(name: str, source: str, path: str, line: int | None = None) -> list[Problem]:
    """Refuse a name that is not an IANA time zone, with the nearest one that is."""
    known = available_timezones() - _NO_PLACES
    if name in known:
        return []
    cities = {zone.rpartition("/")[2].casefold(): zone for zone in sorted(known, reverse=True)}
    by_folded = cities | {zone.casefold(): zone for zone in known}
    near = get_close_matches(name.casefold().replace(" ", "_"), sorted(by_folded), n=1, cutoff=0.6)
    fix = f'did you mean "{by_folded[near[0]]}"?' if near else 'write an IANA name such as "Europe/Paris" or "UTC"'
    return [Problem(source, line, path, f'unknown time zone "{name}"', fix)]


def working_days(span: DateRange, calendar: Calendar) -> list[date]:
    """The working days of `span`, in order."""
    return [day for day in span if day.weekday() in calendar.working_days]


def absence_days(absences: Collection[DateRange], span: DateRange, calendar: Calendar) -> int:
    """How many working days of `span` fall into absences; a day that two absences cover counts once."""
    return sum(any(day in absence for absence in absences) for day in working_days(span, calendar))


def iteration_dates(start_date: date, iteration_days: int, number: int) -> DateRange:
    """The calendar dates of iteration `number` (from 1), when iterations of `iteration_days` follow each other
    without a gap from `start_date`. Raises `InvalidInput` when they run out of the calendar."""
    if iteration_days < 1 or number < 1:
        raise ValueError("iteration_days and number count from 1")
    try:
        first = start_date + timedelta(days=(number - 1) * iteration_days)
        return DateRange(first, first + timedelta(days=iteration_days - 1))
    except OverflowError as error:
        raise InvalidInput([_out_of_range(start_date)]) from error


def iteration_bounds(
    start_date: date, iteration_days: int, number: int, calendar: Calendar
) -> tuple[datetime, datetime]:
    """When iteration `number` (from 1) starts and ends: on its first working day at the calendar's start time and on
    its last working day at the end time, both aware, on the local clock.

    Raises `InvalidInput` when the iteration has no working day.
    """
    span = iteration_dates(start_date, iteration_days, number)
    days = working_days(span, calendar)
    if not days:
        message = f"iteration {number} ({span.first} to {span.last}) has no working day"
        raise InvalidInput(
            [Problem(_SOURCE, None, "working_days", message, "make iterations longer or work more days")]
        )
    try:
        return calendar.at(days[0], calendar.start_time), calendar.at(days[-1], calendar.end_time)
    except OverflowError as error:
        raise InvalidInput([_out_of_range(start_date)]) from error


def _out_of_range(start_date: date) -> Problem:
    return Problem(
        _SOURCE,
        None,
        "start_date",
        f"no calendar goes as far as {start_date} and its iterations",
        "use a date of our time",
    )
