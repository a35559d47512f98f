"""What a team or a project says of its working time: zone, days and hours, holidays, days off, freezes.

A team file has it as its section `calendar`; a project says field by field where it differs. It can also be read from
a YAML file of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from service.domain.problems import InvalidInput, Problem
from service.domain.team.calendar import (
    MONDAY_TO_FRIDAY,
    SHORTEST_DAY,
    Calendar,
    DateRange,
    check_freeze,
)
from service.domain.team.public_holidays import check_place
from service.domain.team.time_zones import check_time_zone
from service.domain.template import shape
from service.domain.template.reader import read_document
from service.domain.template.template import Name, Strict
from service.domain.template.yaml_marks import Marks, Path, readable

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Clock = Annotated[str, StringConstraints(pattern=r"^([01]?[0-9]|2[0-3]):[0-5][0-9]$")]

Word = Annotated[str, StringConstraints(min_length=1, max_length=60, strip_whitespace=True, pattern=r"^[^\r\n]+$")]

NO_COUNTRY = "none"
"""Where a country is asked for: no public holidays are kept, though the team has some."""

_NINE_TO_FIVE = ("09:00", "17:00")


class Holidays(Strict):
    """Where public holidays are kept."""

    country: Word = Field(description="Two letters, as ISO 3166 has them (DE, IN, US), or `none`.")
    subdivision: Word | None = Field(default=None, description="A region with holidays of its own: BY, NSW, CA.")

    @property
    def place(self) -> tuple[str | None, str | None]:
        """The country and subdivision, as `Calendar` has them."""
        return (None if self.country == NO_COUNTRY else self.country), self.subdivision


class Freeze(Strict):
    """Calendar dates on which nobody works and iterations stand still, both included."""

    first: date = Field(alias="from", description="The first day.")
    last: date = Field(alias="to", description="The last day.")
    reason: Name = Field(default="freeze", description="Why; shown where the iterations are.")

    @property
    def dates(self) -> DateRange:
        """The freeze as a date range."""
        return DateRange(self.first, self.last)


class CalendarSpec(Strict):
    """Working time, as far as it is said; what is left out comes from the team or is the usual."""

    time_zone: str | None = Field(default=None, description="An IANA name such as Europe/Paris.")
    working_days: Annotated[tuple[Weekday, ...], Field(min_length=1)] | None = Field(
        default=None, description="The days of the week on which there is work; usually mon to fri."
    )
    start: Clock | None = Field(default=None, description="When a working day starts, on the local clock: 09:00.")
    end: Clock | None = Field(default=None, description="When it ends: 17:00.")
    holidays: Holidays | None = Field(default=None, description="Whose public holidays are kept.")
    days_off: Annotated[tuple[date, ...], Field(max_length=1000)] | None = Field(
        default=None, description="Single days on which nobody works."
    )
    freezes: Annotated[tuple[Freeze, ...], Field(max_length=100)] | None = Field(
        default=None, description="Weeks in which nobody works and iterations stand still."
    )

    def to_json(self) -> dict[str, Any]:
        """What is said, as plain JSON values; `spec_from_json` gives it back."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class _CalendarFile(CalendarSpec):
    """A calendar in a file of its own."""

    format: Literal["phaseloop/v1"] = "phaseloop/v1"
    kind: Literal["calendar"] = "calendar"


NOTHING_SAID = CalendarSpec()


def read_calendar(text: str, source: str) -> CalendarSpec:
    """Read a calendar file (YAML). `source` names it in problems.

    Raises `InvalidInput` with every problem of its shape or, if that is right, every problem of what it says.
    """
    found, marks = read_document(text, source, _CalendarFile, "calendar")
    said = {name: getattr(found, name) for name in CalendarSpec.model_fields}
    return _checked(CalendarSpec.model_construct(**said), marks)


def spec_from_json(value: object, source: str = "calendar") -> CalendarSpec:
    """A calendar from plain JSON values. Raises `InvalidInput`; the problems' pointers lead into `value`."""
    marks = Marks.of(value, source)
    return _checked(shape.validate(CalendarSpec, marks), marks)


def calendar_of(team: CalendarSpec | None, project: CalendarSpec, time_zone: str) -> Calendar:
    """The calendar of a project: what it says, else what its team says, else nine to five from Monday to Friday.
    `time_zone` is the project's. Raises `InvalidInput`, above all where the two do not go together."""
    said = over(team or NOTHING_SAID, project)
    marks = Marks.of(said.to_json(), "calendar")
    if problems := list(check_spec(said, marks)):
        raise InvalidInput(problems)
    country, subdivision = said.holidays.place if said.holidays else (None, None)
    return Calendar(
        time_zone=time_zone,
        working_days=frozenset(map(WEEKDAYS.index, said.working_days)) if said.working_days else MONDAY_TO_FRIDAY,
        start_time=clock(said.start or _NINE_TO_FIVE[0]),
        end_time=clock(said.end or _NINE_TO_FIVE[1]),
        country=country,
        subdivision=subdivision,
        days_off=frozenset(said.days_off or ()),
        freezes=tuple(freeze.dates for freeze in said.freezes or ()),
    )


def over(team: CalendarSpec, project: CalendarSpec) -> CalendarSpec:
    """What the project says and, where it says nothing, what the team says: field by field."""
    said = {name: getattr(project, name) for name in CalendarSpec.model_fields if getattr(project, name) is not None}
    return team.model_copy(update=said)


def clock(written: str) -> time:
    """`9:00` or `09:00` as a time of day."""
    hours, minutes = written.split(":")
    return time(int(hours), int(minutes))


def check_spec(spec: CalendarSpec, marks: Marks, at: Path = (), *, whole: bool = True) -> Iterator[Problem]:
    """Every problem of what a calendar says; `at` is where it stands in the document. Unless it is the `whole`, a start
    without an end (or an end without a start) is not judged: the other belongs to the team."""

    def line(*way: str | int) -> int | None:
        return marks.line((*at, *way))

    if spec.time_zone is not None:
        place = readable((*at, "time_zone"))
        yield from check_time_zone(spec.time_zone, marks.source, place, line("time_zone"))
    if (spec.start and spec.end) or whole:
        yield from _hours(spec, marks, at)
    if spec.holidays is not None:
        lines = line("holidays", "country"), line("holidays", "subdivision")
        place = readable((*at, "holidays"))
        yield from check_place(*spec.holidays.place, marks.source, place, lines)
    for number, freeze in enumerate(spec.freezes or ()):
        place = readable((*at, "freezes", number))
        yield from check_freeze(freeze.dates, marks.source, place, line("freezes", number))


def _hours(spec: CalendarSpec, marks: Marks, at: Path) -> Iterator[Problem]:
    start, end = spec.start or _NINE_TO_FIVE[0], spec.end or _NINE_TO_FIVE[1]
    starts, ends = (datetime.combine(date.min, clock(written)) for written in (start, end))
    if ends - starts < SHORTEST_DAY:
        message = f"a working day from {start} to {end} is too short"
        yield marks.problem((*at, "end" if spec.end else "start"), message, "end at least two hours after the start")


def _checked(spec: CalendarSpec, marks: Marks) -> CalendarSpec:
    problems = list(check_spec(spec, marks, whole=False))
    if problems:
        raise InvalidInput(shape.in_order(problems))
    return spec
