"""Teams: who is in them, what they hold and can take, when they are away; changed by forms, one person at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from service.context import Context
from service.domain.access.identity import Caller
from service.domain.access.roles import Permission
from service.domain.english import counted
from service.domain.problems import InvalidInput
from service.domain.team.team import Member
from service.domain.template.shape import meant
from service.pages import moments, signs
from service.pages.events import UTC
from service.pages.moments import Moment, moment
from service.pages.new_project import Field
from service.pages.signs import Part
from service.pages.vacancies import VacantRole, by_role
from service.usecases.overview.staffing import Staffed, Staffing, staffing
from service.usecases.setup import team_roles, teams
from service.usecases.setup.team_roles import TeamRoles
from service.views.setup import TeamView

LONGEST = {"person": 80, "email": 254, "account": 254, "roles": 1000, "capacity": 10}
LONGEST_ABSENCES = 20_000


@dataclass(frozen=True, slots=True)
class TeamLine:
    """A team of the list."""

    id: str
    name: str
    people: str
    zone: str
    changed: Moment


@dataclass(frozen=True, slots=True)
class TeamsPage:
    """All teams that somebody may see, by name."""

    rows: tuple[TeamLine, ...]
    may_start: bool


@dataclass(frozen=True, slots=True)
class PersonShown:
    """A person: `known` is how the tracker knows them, `points` what they have of what they can take in the current
    iterations, `where` in which projects."""

    name: str
    known: str
    roles: str
    capacity: str
    away: tuple[str, ...]
    points: str
    said: str
    bar: tuple[Part, ...]
    over: str
    where: str


@dataclass(frozen=True, slots=True)
class TeamPage:
    """One team. `vacant` says what nobody has, by project and role; `unknown` are people with a role that no template
    of the team has."""

    id: str
    name: str
    said: str
    zone: str
    version: int
    changed: Moment
    people: tuple[PersonShown, ...]
    projects: tuple[tuple[str, str], ...]
    vacant: tuple[tuple[str, str, tuple[VacantRole, ...]], ...]
    unknown: tuple[tuple[str, str], ...]
    may_change: bool


@dataclass(frozen=True, slots=True)
class PersonPage:
    """The form of one person. `was` is their name as it is kept, empty for somebody new; `seen` what was kept when the
    form was shown; `conflict` says that the team was changed meanwhile, and `changes` what of this person."""

    id: str
    team: str
    version: int
    was: str
    seen: str
    fields: tuple[Field, ...]
    errors: tuple[tuple[str, str], ...]
    conflict: str
    changes: tuple[str, ...]
    gone: bool


@dataclass(frozen=True, slots=True)
class Entered:
    """What was entered of a person, by the names of the fields."""

    values: Mapping[str, str]

    def member(self) -> dict[str, Any]:
        """As a team file has it; what cannot be read stays text, to be refused in the words of the file's rules."""
        said = {name: self.values.get(name, "").strip() for name in ("person", "email", "account")}
        member: dict[str, Any] = {name: value for name, value in said.items() if value or name == "person"}
        member["roles"] = self.values.get("roles", "").replace(",", " ").split()
        capacity = self.values.get("capacity", "").strip()
        if capacity:
            member["capacity"] = int(capacity) if capacity.isdecimal() and len(capacity) < 10 else capacity
        if absences := [_absence(line) for line in self.values.get("absences", "").split("\n") if line.strip()]:
            member["absences"] = absences
        return member


def _absence(line: str) -> Any:
    first, dots, last = (one.strip() for one in line.strip().partition(".."))
    return {"from": first, "to": last} if dots else first


def entered_of(member: Mapping[str, Any]) -> Entered:
    """The fields as a person is kept."""
    away = [one if isinstance(one, str) else f"{one['from']}..{one['to']}" for one in member.get("absences", ())]
    return Entered(
        {
            **{name: str(member.get(name) or "") for name in ("person", "email", "account")},
            "roles": " ".join(member.get("roles", ())),
            "capacity": str(member.get("capacity", "")),
            "absences": "\n".join(away),
        }
    )


# --- to look at -------------------------------------------------------------------------------------------------------


def page_of(context: Context, caller: Caller) -> TeamsPage:
    """All teams that may be seen."""
    now = context.now()
    rows = tuple(
        TeamLine(
            one.id,
            one.name,
            counted(one.people, "person", "people"),
            one.team.zone or UTC,
            moment(one.updated_at, one.team.zone or UTC, now),
        )
        for one in teams.listed(context)
    )
    return TeamsPage(rows, caller.may(Permission.DECIDE))


def team_of(context: Context, caller: Caller, name: str) -> TeamPage:
    """One team with what its people have in the current iterations. Raises NotFound."""
    row = teams.get(context, name)
    found, now = staffing(context, row), context.now()
    zone = row.team.zone or UTC
    count = counted(row.people, "person", "people")
    over = sum(_over(one) > 0 for one in found.people.values())
    vacant = sum(sum(roles.values()) for roles in found.vacant.values())
    said = f"{count} in {counted(len(found.projects), 'project')}."
    said += f" {over} over capacity." if over else ""
    said += f" {counted(vacant, 'ticket')} without a person." if vacant else ""
    return TeamPage(
        id=row.id,
        name=row.name,
        said=said,
        zone=zone,
        version=row.version,
        changed=moment(row.updated_at, zone, now),
        people=tuple(_person(one, found.people[one.person], now) for one in row.team.members),
        projects=tuple((f"/projects/{one.id}", f"{one.name} ({one.key})") for one in found.projects),
        vacant=tuple(_vacant(found, row)),
        unknown=tuple(_unknown(team_roles.of_team(context, row), row)),
        may_change=caller.may(Permission.DECIDE),
    )


def _vacant(found: Staffing, row: TeamView) -> Iterator[tuple[str, str, tuple[VacantRole, ...]]]:
    for one in found.projects:
        if roles := found.vacant.get(one.id):
            yield f"/projects/{one.id}", one.key, by_role(roles, row.team)


def _unknown(roles: TeamRoles, row: TeamView) -> Iterator[tuple[str, str]]:
    """Who holds a role that is nobody's work here, and what may be meant."""
    where = "no template of its projects has" if roles.of_projects else "no built-in template has"
    for one in row.team.members:
        for role in one.roles:
            if role not in roles.known:
                fix = meant(role, roles.known)
                yield one.person, f"holds “{role}”, which {where}" + (f"; {fix}" if fix else "")


def _over(one: Staffed) -> float:
    return max(0.0, one.done + one.open - one.capacity) if one.capacity is not None else 0.0


def _person(one: Member, has: Staffed, now: datetime) -> PersonShown:
    whole, over = has.done + has.open, _over(has)
    limit = f" of {moments.points(round(has.capacity, 1))}" if has.capacity is not None else ""
    coming = [span for span in one.away if span.last >= now.date()]
    where = ", ".join(f"{share.project.key} {moments.points(share.done + share.open)}" for share in has.shares)
    return PersonShown(
        name=one.person,
        known=one.email or one.account or "",
        roles=", ".join(one.roles),
        capacity=counted(one.capacity, "point") if one.capacity is not None else "no limit",
        away=tuple(_span(span.first, span.last, now.year) for span in coming),
        points=f"{moments.points(whole)}{limit}",
        said=f"{counted(has.done, 'point')} done, {moments.points(has.open)} open",
        bar=signs.load(has.done, has.open, has.capacity),
        over=f"{moments.points(round(over, 1))} over" if over else "",
        where=where if len(has.shares) > 1 else "",
    )


def _span(first: date, last: date, year: int) -> str:
    return moments.day(first, year) if first == last else moments.days(first, last, year)


# --- to change --------------------------------------------------------------------------------------------------------


def person_form(context: Context, name: str, person: str, entered: Entered | None = None) -> PersonPage:
    """The form of somebody who is there, or of somebody new; with what was entered. Raises NotFound."""
    row = teams.get(context, name)
    member = _member(row, person)
    was = str(member["person"]) if member is not None else ""
    shown = entered or entered_of(member or {})
    seen = json.dumps(member, sort_keys=True) if member is not None else ""
    return PersonPage(
        row.id,
        row.name,
        row.version,
        was,
        seen,
        tuple(_fields(row, team_roles.of_team(context, row), shown)),
        (),
        "",
        (),
        gone=False,
    )


def _member(row: TeamView, person: str) -> Mapping[str, Any] | None:
    return next((one for one in row.body["members"] if one["person"] == person), None)


def _role_help(roles: TeamRoles, row: TeamView) -> str:
    """The keys that people can hold, those that nobody holds marked."""
    held = {role for one in row.team.members for role in one.roles}
    keys = ", ".join(key if key in held else f"{key} (nobody)" for key in roles.known)
    return f"Keys, with blanks between: {keys}."


def _fields(row: TeamView, roles: TeamRoles, entered: Entered) -> Iterator[Field]:
    kept = {name: entered.values.get(name, "") for name in (*LONGEST, "absences")}
    yield Field("person", "Name", kept["person"], help="What plans call them.", longest=80, needed=True)
    yield Field("email", "E-mail address", kept["email"], help="That of their account in the tracker.", longest=254)
    yield Field("account", "Account id", kept["account"], help="Where the tracker hides addresses.", longest=254)
    yield Field("roles", "Roles", kept["roles"], help=_role_help(roles, row), longest=1000)
    yield Field("capacity", "Points an iteration", kept["capacity"], help="Empty: no limit; 0: no work.", longest=10)
    help_ = "A day, or 2027-02-01..2027-02-12, one a line. Both days are included."
    yield Field("absences", "Absences", kept["absences"], "lines", help_, example="2027-02-01..2027-02-12")


def with_errors(page: PersonPage, error: InvalidInput) -> PersonPage:
    """The form with what is wrong beside the field that it is about."""
    wrong: dict[str, str] = {}
    for one in error.problems:
        field = one.path.partition(".")[0].partition("[")[0]
        field = field if field in (*LONGEST, "absences") else "person"
        said = f"{one.message}; {one.fix}" if one.fix else one.message
        wrong[field] = f"{wrong[field]}; {said}" if field in wrong else said
    fields = tuple(replace(one, error=wrong[one.name]) if one.name in wrong else one for one in page.fields)
    return replace(
        page, fields=fields, errors=tuple((one.name, f"{one.label}: {one.error}") for one in fields if one.error)
    )


def with_conflict(context: Context, page: PersonPage, was: str, seen: str, version: int) -> PersonPage:
    """The form with what was typed, after somebody else changed the team: what changed of this person."""
    row = teams.get(context, page.id)
    now = _member(row, was)
    at = moment(row.updated_at, row.team.zone or UTC, context.now())
    said = f"Somebody changed the team at {at.text}: it is version {row.version} now, and you had version {version}."
    if was and now is None:
        said += f" {was} is not in it any more: saving adds them again."
        return replace(page, was="", seen="", conflict=said, gone=True)
    changes = tuple(_changes(_read(seen), now or {})) if was else ()
    said += (
        " What you typed is below and not saved yet."
        if changes or not was
        else (" This person is as you saw them. What you typed is below and not saved yet.")
    )
    return replace(page, conflict=said, changes=changes)


def _read(seen: str) -> Mapping[str, Any]:
    try:
        found = json.loads(seen)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """What somebody else changed of a person, field by field."""
    try:
        old, new = entered_of(before).values, entered_of(now).values
    except (KeyError, TypeError, AttributeError):  # what the form carried was made up
        return
    labels = {"person": "Name", "email": "E-mail address", "account": "Account id", "roles": "Roles"}
    labels |= {"capacity": "Points an iteration", "absences": "Absences"}
    for name, label in labels.items():
        if before and old[name] != new[name]:
            yield f"{label}: was {_quoted(old[name])}, is {_quoted(new[name])} now"


def _quoted(value: str) -> str:
    return f"“{', '.join(value.splitlines())}”" if value else "empty"
