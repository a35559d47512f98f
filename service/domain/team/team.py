"""A team: people, how the tracker knows them, the roles they hold, their capacity and absences.

Read from YAML, CSV or JSON by one set of rules; every refusal names the line or the path and says what would be
right, all of them at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from service.domain.problems import InvalidInput, Problem
from service.domain.team.calendar import DateRange
from service.domain.team.calendar_file import CalendarSpec, Word, check_spec
from service.domain.team.team_csv import read_table
from service.domain.team.time_zones import check_time_zone
from service.domain.template import shape
from service.domain.template.reader import read_document
from service.domain.template.template import Key, Strict, Template
from service.domain.template.yaml_marks import Marks, readable

PEOPLE_LIMIT = 500

TeamFormat = Literal["yaml", "csv"]

Address = Annotated[str, StringConstraints(min_length=1, max_length=254, strip_whitespace=True)]

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


class Absence(Strict):
    """Calendar dates on which a person does no work, both included."""

    first: date = Field(alias="from", description="The first day away.")
    last: date = Field(alias="to", description="The last day away.")


class Member(Strict):
    """A person of the team, and how the tracker knows them: by e-mail address, account id or both."""

    person: Word = Field(description="What the person is called in plans; unique in the team.")
    email: Address | None = Field(default=None, description="The address of the person's account in the tracker.")
    account: Address | None = Field(default=None, description="The tracker's account id; where addresses are hidden.")
    roles: Annotated[tuple[Key, ...], Field(min_length=1)] = Field(description="Keys of the template's roles.")
    capacity: Annotated[int, Field(ge=0, le=1000)] | None = Field(
        default=None, description="Points in an iteration without absences; 0: no work, none given: no limit."
    )
    absences: tuple[Absence | date, ...] = Field(default=(), description="Days away: spans or single dates.")

    @property
    def handle(self) -> str:
        """What the tracker is asked for: the account id where it is known, else the e-mail address."""
        return self.account or self.email or ""

    @property
    def away(self) -> tuple[DateRange, ...]:
        """The absences as date ranges."""
        return tuple(
            DateRange(absence.first, absence.last) if isinstance(absence, Absence) else DateRange(absence, absence)
            for absence in self.absences
        )


class Team(Strict):
    """People who carry a project."""

    format: Literal["phaseloop/v1"] = Field(default="phaseloop/v1", description="The version of the format.")
    kind: Literal["team"] = Field(default="team", description="What this document is.")
    name: Word = Field(description="What the team is called.")
    time_zone: str | None = Field(default=None, description="An IANA name such as Europe/Paris; a project may differ.")
    calendar: CalendarSpec | None = Field(default=None, description="When the team works; a project may differ.")
    members: Annotated[tuple[Member, ...], Field(min_length=1)] = Field(description="Its people, 500 at most.")
    columns: dict[str, str] = Field(
        default_factory=dict, description="Of a team from a table: which column the headings of that table stand for."
    )

    @property
    def zone(self) -> str | None:
        """The time zone it names, in its calendar or outside."""
        return self.time_zone or (self.calendar.time_zone if self.calendar else None)

    def to_json(self) -> dict[str, Any]:
        """The team as plain JSON values; `team_from_json` gives it back."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def read_team(text: str, source: str, format: TeamFormat | None = None) -> Team:  # noqa: A002
    """Read a team file. `source` names it in problems; without a `format`, a name that ends in `.csv` is CSV and any
    other is YAML. A CSV file holds members only: the team is named after the file.

    Raises `InvalidInput` with every problem of its shape or, if that is right, every problem of what it says.
    """
    if format == "csv" or (format is None and is_table(source)):
        return read_team_table(text, source)[0]
    team, marks = read_document(text, source, Team, "team")
    return _checked(team, marks)


def is_table(source: str) -> bool:
    """Whether a file of that name is read as CSV."""
    return source.casefold().endswith(".csv")


def read_team_table(
    text: str,
    source: str,
    *,
    columns: Mapping[str, str] | None = None,
    remembered: Mapping[str, str] | None = None,
    time_zone: str | None = None,
) -> tuple[Team, tuple[str, ...]]:
    """Read a team from CSV, with notes on what was passed over. `columns` and `remembered` say what headings stand for
    (see `read_table`) and are kept with the team; a table has no time zone, so that one is given.

    Raises `InvalidInput` with every problem, each named by its line and column.
    """
    table = read_table(text, source, columns, remembered)
    problems = check_time_zone(time_zone, source, "time zone") if time_zone is not None else []
    team: Team | None = None
    try:
        team = _checked(shape.validate(Team, table.marks), table.marks)
    except InvalidInput as error:
        problems += [table.in_cells(problem) for problem in error.problems]
    if team is None or problems:
        raise InvalidInput(problems)
    kept = {**(remembered or {}), **(columns or {})}
    return team.model_copy(update={"time_zone": time_zone, "columns": kept}), table.notes


def team_from_json(value: object, source: str = "team") -> Team:
    """A team from plain JSON values. Raises `InvalidInput`; the problems' pointers lead into `value`."""
    marks = Marks.of(value, source)
    return _checked(shape.validate(Team, marks), marks)


def check_team(team: Team, template: Template) -> list[Problem]:
    """Roles that the template does not have. A role that it has switched off is no mistake: nobody works in it then."""
    return [
        Problem(
            f"team {team.name}",
            None,
            readable(("members", number, "roles", index)),
            f'"{member.person}" holds the unknown role "{role}"',
            shape.meant(role, template.roles) or shape.one_of(template.roles),
        )
        for number, member in enumerate(team.members)
        for index, role in enumerate(member.roles)
        if role not in template.roles
    ]


def _checked(team: Team, marks: Marks) -> Team:
    problems = [
        *_zone_problems(team, marks),
        *_calendar_problems(team, marks),
        *_size_problems(team, marks),
        *_duplicates(team, marks),
    ]
    for number, member in enumerate(team.members):
        problems += _member_problems(member, number, marks)
    if problems:
        raise InvalidInput(shape.in_order(problems))
    return team


def _zone_problems(team: Team, marks: Marks) -> list[Problem]:
    if team.time_zone is None:
        return []
    return check_time_zone(team.time_zone, marks.source, "time_zone", marks.line(("time_zone",)))


def _calendar_problems(team: Team, marks: Marks) -> Iterator[Problem]:
    if team.calendar is None:
        return
    yield from check_spec(team.calendar, marks, ("calendar",))
    if team.time_zone and team.calendar.time_zone and team.time_zone != team.calendar.time_zone:
        message = f'"{team.calendar.time_zone}" stands here and "{team.time_zone}" as the `time_zone` of the team'
        yield marks.problem(("calendar", "time_zone"), message, "keep one of the two")


def _size_problems(team: Team, marks: Marks) -> Iterator[Problem]:
    if len(team.members) > PEOPLE_LIMIT:
        message = f"{len(team.members)} people"
        yield marks.problem(("members",), message, f"{PEOPLE_LIMIT} are the most; make several teams of them")


def _member_problems(member: Member, number: int, marks: Marks) -> Iterator[Problem]:
    place = ("members", number)
    if not member.handle:
        message = f'"{member.person}" has neither `email` nor `account`'
        yield marks.problem(place, message, "give one of them")
    if member.email is not None and not _EMAIL.fullmatch(member.email):
        message = f'"{member.email}" is not an e-mail address'
        yield marks.problem((*place, "email"), message, "write one such as ml-1@example.com")
    if member.account is not None and re.search(r"\s", member.account):
        message = f'"{member.account}" is not an account id: it has spaces'
        yield marks.problem((*place, "account"), message, "copy it from the profile")
    for index, role in enumerate(member.roles):
        if role in member.roles[:index]:
            yield marks.problem((*place, "roles", index), f'"{role}" stands here twice', "keep one of the two")
    for index, span in enumerate(member.away):
        if span.first > span.last:
            message = f"`from` ({span.first}) is after `to` ({span.last})"
            yield marks.problem((*place, "absences", index), message, "exchange the two")


def _duplicates(team: Team, marks: Marks) -> Iterator[Problem]:
    """Two members who are the same person: by name or address in whatever letters, or by account."""
    keys: Mapping[str, Callable[[Member], str]] = {
        "person": lambda member: member.person.casefold(),
        "email": lambda member: (member.email or "").casefold(),
        "account": lambda member: member.account or "",
    }
    for field, key_of in keys.items():
        first: dict[str, int] = {}
        for number, member in enumerate(team.members):
            key = key_of(member)
            if not key or first.setdefault(key, number) == number:
                continue
            other = ("members", first[key], field)
            line = marks.line(other)
            where = f"on line {line}" if line is not None else f"at {readable(other)}"
            message = f'"{getattr(member, field)}" stands here and {where}'
            yield marks.problem(("members", number, field), message, "list every person once")
