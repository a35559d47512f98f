"""When a team works: its time zone, working days and hours, holidays and freezes, and the iterations that follow.

Everything counts in local calendar dates; instants appear only at the edges of an iteration, as aware datetimes on
the team's own clock, so that nine o'clock stays nine o'clock when the clocks change.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from connectors.values import Finding, Severity
from service.domain.problems import InvalidInput, Problem
from service.domain.team.public_holidays import check_place, make_up_days, public_holidays
from service.domain.team.time_zones import check_time_zone

MONDAY_TO_FRIDAY = frozenset({0, 1, 2, 3, 4})

SHORTEST_DAY = timedelta(hours=2)
"""A working day is at least this long: then its end comes after its start even when the clocks skip an hour in it."""

LONGEST_FREEZE = timedelta(days=366)
"""A freeze is at most this long; a team that rests longer pauses its projects."""

_LONGEST_STRETCH = timedelta(days=366)
"""How far an iteration is stretched to reach a working day."""

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
    clock times without a time zone. On the public holidays of `country` (ISO 3166, two letters) and of its
    `subdivision` nobody works, nor on `days_off`; days of the weekend on which the country makes up for a day off are
    working days; in `freezes` nobody works either, and iterations stand still.
    Raises `InvalidInput` with everything that is wrong with them.
    """

    time_zone: str = "UTC"
    working_days: frozenset[int] = MONDAY_TO_FRIDAY
    start_time: time = time(9)
    end_time: time = time(17)
    country: str | None = None
    subdivision: str | None = None
    days_off: frozenset[date] = frozenset()
    freezes: tuple[DateRange, ...] = ()

    def __post_init__(self) -> None:
        problems = [*check_time_zone(self.time_zone, _SOURCE, "time_zone"), *self._check_hours()]
        problems += check_place(self.country, self.subdivision, _SOURCE)
        for number, freeze in enumerate(self.freezes):
            problems += check_freeze(freeze, _SOURCE, f"freezes[{number}]")
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
        return [Problem(_SOURCE, None, "end_time", message, "end at least two hours after the start")]

    def is_working(self, day: date) -> bool:
        """Whether the team works on that day."""
        return (
            (day.weekday() in self.working_days or self._is_made_up(day))
            and day not in self.days_off
            and not self.is_frozen(day)
            and (self.country is None or day not in public_holidays(self.country, self.subdivision, day.year))
        )

    def _is_made_up(self, day: date) -> bool:
        """Whether the country works on that day of the weekend for one that it has off."""
        return self.country is not None and day in make_up_days(self.country, self.subdivision, day.year)

    def is_frozen(self, day: date) -> bool:
        """Whether iterations stand still on that day."""
        return any(day in freeze for freeze in self.freezes)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone as `datetime` wants it."""
        return ZoneInfo(self.time_zone)

    def at(self, day: date, clock: time) -> datetime:
        """That local date and time as an aware datetime that exists: a time skipped by the clocks is moved on."""
        local = datetime.combine(day, clock, tzinfo=self.zone)
        return local.astimezone(UTC).astimezone(self.zone)


def working_days(span: DateRange, calendar: Calendar) -> list[date]:
    """The working days of `span`, in order."""
    return [day for day in span if calendar.is_working(day)]


def absence_days(absences: Collection[DateRange], span: DateRange, calendar: Calendar) -> int:
    """How many working days of `span` fall into absences; a day that two absences cover counts once."""
    return sum(any(day in absence for absence in absences) for day in working_days(span, calendar))


def span_from(first: date, iteration_days: int, calendar: Calendar) -> DateRange:
    """The calendar dates of an iteration that begins on `first`; the next one begins on the day after its last.

    It has `iteration_days` days, of which those of a freeze do not count: a freeze makes it longer, by whole weeks if
    its length is whole weeks, so that the next one begins on the same weekday. Where holidays and days off leave it no
    working day, another length is added until there is one. Raises `InvalidInput` when it runs out of the calendar.
    """
    if iteration_days < 1:
        raise ValueError("iteration_days counts from 1")
    try:
        span = DateRange(first, _last(first, iteration_days, calendar))
        while not working_days(span, calendar) and _has_holidays(span, calendar):
            span = DateRange(first, _last(span.last + timedelta(days=1), iteration_days, calendar))
    except OverflowError as error:
        raise InvalidInput([_out_of_range(first)]) from error
    return span


def _last(first: date, iteration_days: int, calendar: Calendar) -> date:
    """The last day of what begins on `first` and has as many days outside freezes."""
    last, left = first, iteration_days
    while True:
        left -= not calendar.is_frozen(last)
        if not left:
            break
        last += timedelta(days=1)
    days = (last - first).days + 1
    return last + timedelta(days=-days % 7 if iteration_days % 7 == 0 else 0)


def _has_holidays(span: DateRange, calendar: Calendar) -> bool:
    """Whether it is for holidays, days off and freezes that nobody works in `span`, which is not yet stretched too
    far."""
    usual = any(day.weekday() in calendar.working_days for day in span)
    return usual and span.last - span.first < _LONGEST_STRETCH + sum(
        (freeze.last - freeze.first for freeze in calendar.freezes), timedelta()
    )


def bounds(span: DateRange, calendar: Calendar, number: int) -> tuple[datetime, datetime]:
    """When the iteration `number` with these dates starts and ends: on its first working day at the calendar's start
    time and on its last working day at the end time, both aware, on the local clock.

    Raises `InvalidInput` when it has no working day.
    """
    days = working_days(span, calendar)
    if not days:
        message = f"iteration {number} ({span.first} to {span.last}) has no working day"
        raise InvalidInput(
            [Problem(_SOURCE, None, "working_days", message, "make iterations longer or work more days")]
        )
    try:
        return calendar.at(days[0], calendar.start_time), calendar.at(days[-1], calendar.end_time)
    except OverflowError as error:
        raise InvalidInput([_out_of_range(span.first)]) from error


def working_day_after(day: date, count: int, calendar: Calendar) -> date:
    """The `count`-th working day after `day`; of none, `day` itself. Raises `InvalidInput` beyond the end of the
    calendar."""
    found = day
    try:
        for _ in range(count):
            found += timedelta(days=1)
            while not calendar.is_working(found):
                found += timedelta(days=1)
    except OverflowError as error:
        raise InvalidInput([_out_of_range(day)]) from error
    return found


def starts_in_the_past(span: DateRange, today: date) -> Finding | None:
    """A warning where the first iteration, with these dates, is to have begun before `today`, the project's date."""
    if span.first >= today:
        return None
    fix = "Give another start (parameter start_date: today, next-monday) if that is not meant."
    if span.last >= today:
        message = f"The first iteration begins on {span.first}, which is past: it is shorter than the others."
        return Finding(Severity.WARNING, "starts-in-the-past", message, fix)
    message = f"The first iteration ({span.first} to {span.last}) is over already: the loop waits until it is resumed."
    return Finding(Severity.WARNING, "starts-in-the-past", message, fix)


def check_freeze(freeze: DateRange, source: str, path: str, line: int | None = None) -> list[Problem]:
    """Refuse a freeze that ends before it begins or lasts for more than a year."""
    if freeze.first > freeze.last:
        message = f"`from` ({freeze.first}) is after `to` ({freeze.last})"
        return [Problem(source, line, path, message, "exchange the two")]
    if freeze.last - freeze.first >= LONGEST_FREEZE:
        message = f"a freeze from {freeze.first} to {freeze.last} is longer than a year"
        return [Problem(source, line, path, message, "pause the project instead")]
    return []


def _out_of_range(start_date: date) -> Problem:
    return Problem(
        _SOURCE,
        None,
        "start_date",
        f"no calendar goes as far as {start_date} and its iterations",
        "use a date of our time",
    )
