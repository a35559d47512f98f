"""Access: people and their roles, tokens, sessions, and which groups of the provider hold which roles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from service.context import Context
from service.domain.access.identity import Caller, Grant, Origin
from service.domain.access.roles import MEANING, Role
from service.domain.english import counted, sentence
from service.domain.problems import MISSING, InvalidInput, Problem
from service.domain.team.calendar import DateRange
from service.pages.moments import Moment, moment
from service.pages.new_project import Choice, Field
from service.pages.remedies import on_pages
from service.pages.signs import Sign
from service.usecases.access import people, role_rules, sessions, tokens
from service.usecases.access.people import PersonShown
from service.usecases.errors import Conflict, NotFound, UseCaseError
from service.usecases.setup import projects

UTC = "UTC"

PEOPLE, TOKENS, SESSIONS, GROUPS = "/access", "/access/tokens", "/access/sessions", "/access/groups"

MOST_SESSIONS = 200
"""Sessions on one page, the newest."""


@dataclass(frozen=True, slots=True)
class Tab:
    """A page of several that belong together."""

    href: str
    label: str
    here: bool


@dataclass(frozen=True, slots=True)
class Secret:
    """What is shown once and kept nowhere: `value` is empty where a repetition of the form shows that it was made."""

    title: str
    label: str
    value: str
    note: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What came of a press: what is wrong by field, what could not be done and at which button (`at`), what is new and
    is shown this once; and what was entered."""

    problems: Mapping[str, str] = field(default_factory=dict)
    refused: str = ""
    at: str = ""
    secret: Secret | None = None
    given: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PersonLine:
    """A person in the list; `seen` is None for one who never signed in."""

    href: str
    login: str
    roles: tuple[str, ...]
    sign: Sign
    seen: Moment | None


MEANINGS = tuple((sentence(role.value), meaning) for role, meaning in MEANING.items())
"""The roles, and what each may do."""


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """All people, and the form to add one."""

    tabs: tuple[Tab, ...]
    said: str
    rows: tuple[PersonLine, ...]
    fields: tuple[Field, ...]
    errors: tuple[tuple[str, str], ...]
    meanings: tuple[tuple[str, str], ...] = MEANINGS


@dataclass(frozen=True, slots=True)
class RoleLine:
    """A role that a person holds. `value` names it in a form, empty for one that their provider's groups give;
    `refused` is why it could not be taken away just now."""

    role: str
    where: str
    meaning: str
    value: str
    refused: str


@dataclass(frozen=True, slots=True)
class SessionLine:
    """A browser in which somebody is signed in; `own` for the one that looks."""

    id: str
    login: str
    href: str
    source: str
    begun: Moment
    used: Moment
    own: bool


@dataclass(frozen=True, slots=True)
class PersonPage:
    """One person. `refused` is why they could not be removed just now, `removed` when they were."""

    id: str
    login: str
    facts: tuple[tuple[str, str], ...]
    roles: tuple[RoleLine, ...]
    sessions: tuple[SessionLine, ...]
    secret: Secret | None
    fields: tuple[Field, ...]
    errors: tuple[tuple[str, str], ...]
    refused: str
    removed: Moment | None
    meanings: tuple[tuple[str, str], ...] = MEANINGS


@dataclass(frozen=True, slots=True)
class TokenLine:
    """A token: everything but itself."""

    id: str
    name: str
    sign: Sign
    may: tuple[str, ...]
    made: Moment
    used: Moment | None
    ends: Moment | None
    works: bool


@dataclass(frozen=True, slots=True)
class TokensPage:
    """All tokens, and the form to make one. `past` are those that open nothing any more."""

    tabs: tuple[Tab, ...]
    rows: tuple[TokenLine, ...]
    past: tuple[TokenLine, ...]
    secret: Secret | None
    fields: tuple[Field, ...]
    errors: tuple[tuple[str, str], ...]
    meanings: tuple[tuple[str, str], ...] = MEANINGS


@dataclass(frozen=True, slots=True)
class SessionsPage:
    """Who is signed in, the newest first; `left_out` are older ones."""

    tabs: tuple[Tab, ...]
    said: str
    rows: tuple[SessionLine, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class RuleLine:
    """That people of whom the provider says this hold a role."""

    id: str
    value: str
    claim: str
    role: str
    where: str


@dataclass(frozen=True, slots=True)
class GroupsPage:
    """Which groups hold which roles; `provider` is what the sign-in provider is called, empty where none is set."""

    tabs: tuple[Tab, ...]
    provider: str
    rows: tuple[RuleLine, ...]
    fields: tuple[Field, ...]
    errors: tuple[tuple[str, str], ...]
    meanings: tuple[tuple[str, str], ...] = MEANINGS


# --- people -----------------------------------------------------------------------------------------------------------


def people_of(context: Context, shown: Shown | None = None) -> PeoplePage:
    """All people by login, those who were removed last, with the roles they hold now."""
    shown, now = shown or Shown(), context.now()
    found = sorted(people.listed(context), key=lambda one: one.row.disabled_at is not None)
    keys = _keys(context, (grant for one in found for grant in one.grants))
    active = [one for one in found if one.row.disabled_at is None]
    rows = tuple(
        PersonLine(
            f"/access/people/{one.row.id}",
            one.row.login,
            tuple(_said(grant, keys) for grant in _in_force(one.grants, now)) if one.row.disabled_at is None else (),
            _ACTIVE if one.row.disabled_at is None else _REMOVED,
            moment(one.seen, UTC, now) if one.seen is not None else None,
        )
        for one in found
    )
    removed = len(found) - len(active)
    said = f"{counted(len(active), 'person', 'people')} can sign in" + (f", {removed} removed." if removed else ".")
    fields = _filled((_LOGIN, *_role_fields(shown, Role.VIEWER), *_bounds(shown)), shown)
    return PeoplePage(_tabs(PEOPLE), said, rows, fields, _errors(fields))


def person_of(context: Context, caller: Caller, person_id: str, present: str, shown: Shown | None = None) -> PersonPage:
    """One person, for whoever looks in the session of the id `present`. Raises NotFound."""
    shown, now = shown or Shown(), context.now()
    found = people.get(context, person_id)
    row = found.row
    keys = _keys(context, found.grants)
    fields = _filled((*_role_fields(shown, Role.VIEWER), *_bounds(shown)), shown)
    held = sessions.listed(context, row.id)
    return PersonPage(
        id=row.id,
        login=row.login,
        facts=tuple(_facts(found, now)),
        roles=tuple(_role(one, keys, shown) for one in _in_force(found.grants, now)),
        sessions=tuple(_session(one, now, present) for one in held),
        secret=shown.secret,
        fields=fields,
        errors=_errors(fields),
        refused=shown.refused if shown.at == "remove" else "",
        removed=moment(row.disabled_at, UTC, now) if row.disabled_at is not None else None,
    )


_ACTIVE = Sign("ok", "ok", "Active")
_REMOVED = Sign("neutral", "stop", "Removed")

_LOGIN = Field("login", "Login", help="The e-mail address or login they go by.", longest=300, needed=True)
_PERIOD_HELP = (
    "Of its iterations they see how they are documented, and nothing else. Empty: everything, of all iterations."
)
_PROJECTS_HELP = "Keys of projects, separated by commas. Empty: in all projects."


def _facts(found: PersonShown, now: datetime) -> Iterable[tuple[str, str]]:
    yield "Added", moment(found.row.created_at, UTC, now).text
    yield "Last seen", moment(found.seen, UTC, now).text if found.seen is not None else "never signed in"
    if found.subject is not None:
        yield "At the provider", found.subject


def _role_fields(shown: Shown, default: Role) -> tuple[Field, ...]:
    chosen = shown.given.get("role", default.value)
    choices = tuple(Choice(one.value, sentence(one.value), one.value == chosen) for one in Role)
    role = Field("role", "Role", chosen, "choice", choices=choices)
    return role, Field("projects", "In the projects", help=_PROJECTS_HELP, longest=1000)


def _bounds(shown: Shown) -> tuple[Field, ...]:
    """Until when a role is held, and an auditor's period."""
    chosen = shown.given.get("days", "")
    choices = tuple(Choice(days, words, days == chosen) for days, words in _LASTS)
    return (
        Field("days", "It ends", chosen, "choice", choices=choices),
        Field("first", "Auditors only: for iterations from", kind="date", help=_PERIOD_HELP),
        Field("last", "to (that day included)", kind="date"),
    )


def terms_of(given: Mapping[str, str], now: datetime) -> tuple[datetime | None, DateRange | None]:
    """Until when a role is to be held, and for which period, as a form says. Raises InvalidInput."""
    days, first, last = (given.get(name, "").strip() for name in ("days", "first", "last"))
    wrong: list[Problem] = []
    ends = _ends(days, now, wrong)
    bounds = []
    for name, value, other in (("first", first, last), ("last", last, first)):
        if not value and other:
            wrong.append(Problem("person", None, name, MISSING, "give both days, or neither"))
        elif value:
            try:
                bounds.append(date.fromisoformat(value))
            except ValueError:
                wrong.append(Problem("person", None, name, "is no day", "give one such as 2027-03-31"))
    if wrong:
        raise InvalidInput(wrong)
    return ends, DateRange(*bounds) if bounds else None


def ends_of(days: str, now: datetime) -> datetime | None:
    """When what a form makes ends; None for never. Raises InvalidInput."""
    wrong: list[Problem] = []
    ends = _ends(days.strip(), now, wrong)
    if wrong:
        raise InvalidInput(wrong)
    return ends


def _ends(days: str, now: datetime, wrong: list[Problem]) -> datetime | None:
    if days in dict(_LASTS):
        return now + timedelta(days=int(days)) if days else None
    wrong.append(Problem("person", None, "days", "is none of the choices", "choose one of those there are"))
    return None


def _role(one: Grant, keys: Mapping[str, str], shown: Shown) -> RoleLine:
    by_hand = one.origin is Origin.HAND
    value = f"{one.role.value}:{one.project or ''}" if by_hand else ""
    refused = shown.refused if value and shown.at == value else ""
    return RoleLine(one.role.value, _where(one, keys), one.meaning, value, refused)


def role_of(value: str) -> tuple[Role, str | None]:
    """The role and the project's id that a form names. Raises NotFound."""
    role, _, project = value.partition(":")
    if role not in set(Role):
        raise NotFound("role", role)
    return Role(role), project or None


def _session(one: sessions.SessionShown, now: datetime, present: str) -> SessionLine:
    row = one.row
    begun, used = (moment(at, UTC, now) for at in (row.created_at, row.last_used_at))
    href = f"/access/people/{row.person_id}"
    return SessionLine(row.id, one.login, href, row.source, begun, used, row.id == present)


# --- tokens, sessions, groups -----------------------------------------------------------------------------------------


def tokens_of(context: Context, shown: Shown | None = None) -> TokensPage:
    """All tokens, the newest first."""
    shown, now = shown or Shown(), context.now()
    found = tokens.listed(context)[::-1]
    keys = _keys(context, (grant for one in found for grant in one.grants))
    lines = [_token(one, keys, now) for one in found]
    name = Field("name", "Name", help="What it is for: runs that it starts show it.", longest=200, needed=True)
    ends = shown.given.get("days", "90")
    choices = tuple(Choice(value, label, value == ends) for value, label in _LASTS)
    days = Field("days", "Expires", ends, "choice", choices=choices)
    fields = _filled((name, *_role_fields(shown, Role.OPERATOR), days), shown)
    return TokensPage(
        _tabs(TOKENS),
        tuple(one for one in lines if one.works),
        tuple(one for one in lines if not one.works),
        shown.secret,
        fields,
        _errors(fields),
    )


_LASTS = (("7", "in 7 days"), ("30", "in 30 days"), ("90", "in 90 days"), ("365", "in a year"), ("", "never"))

_TOKENS = {
    "active": Sign("ok", "ok", "Works"),
    "expired": Sign("neutral", "stop", "Expired"),
    "revoked": Sign("neutral", "stop", "Revoked"),
}


def _token(one: tokens.TokenShown, keys: Mapping[str, str], now: datetime) -> TokenLine:
    row = one.row
    state = tokens.state_of(row, now)
    return TokenLine(
        row.id,
        row.name,
        _TOKENS[state],
        tuple(_said(grant, keys) for grant in one.grants) or ("nothing",),
        moment(row.created_at, UTC, now),
        moment(row.last_used_at, UTC, now) if row.last_used_at is not None else None,
        moment(row.expires_at, UTC, now) if row.expires_at is not None else None,
        state == "active",
    )


def sessions_of(context: Context, present: str) -> SessionsPage:
    """Who is signed in, for whoever looks in the session of the id `present`."""
    now = context.now()
    found = sessions.listed(context)
    persons = len({one.row.person_id for one in found})
    said = f"{counted(len(found), 'session')} of {counted(persons, 'person', 'people')}."
    rows = tuple(_session(one, now, present) for one in found[:MOST_SESSIONS])
    return SessionsPage(_tabs(SESSIONS), said, rows, max(0, len(found) - MOST_SESSIONS))


def groups_of(context: Context, shown: Shown | None = None) -> GroupsPage:
    """The rules, oldest first."""
    shown = shown or Shown()
    found = role_rules.listed(context)
    keys = projects.keys_of(context, [one.rule.project for one in found if one.rule.project is not None])
    rows = tuple(
        RuleLine(
            one.id,
            one.rule.value,
            one.rule.claim,
            one.rule.role.value,
            _place(one.rule.project, keys),
        )
        for one in found
    )
    group = Field("value", "Group", help="As the provider writes it, to the letter.", longest=600, needed=True)
    standard = context.settings.oidc_groups_claim
    claim = Field("claim", "Claim", help=f"What the provider says it under. Empty: {standard}.", longest=300)
    role = _role_fields(shown, Role.VIEWER)[0]
    project = Field("project", "In the project", help="The key of one project. Empty: in all projects.", longest=200)
    fields = _filled((group, role, project, claim), shown)
    provider = context.settings.oidc_name if context.provider is not None else ""
    return GroupsPage(_tabs(GROUPS), provider, rows, fields, _errors(fields))


# --- what they share --------------------------------------------------------------------------------------------------


def _tabs(here: str) -> tuple[Tab, ...]:
    pages = ((PEOPLE, "People"), (TOKENS, "Tokens"), (SESSIONS, "Sessions"), (GROUPS, "Roles by group"))
    return tuple(Tab(href, label, href == here) for href, label in pages)


def _keys(context: Context, granted: Iterable[Grant]) -> dict[str, str]:
    return projects.keys_of(context, [one.project for one in granted if one.project is not None])


def _said(one: Grant, keys: Mapping[str, str]) -> str:
    by = ", by group" if one.origin is Origin.PROVIDER else ""
    return f"{one.role.value} {_where(one, keys)}{by}"


def _where(one: Grant, keys: Mapping[str, str]) -> str:
    return _place(one.project, keys) + bounds_of(one)


def bounds_of(one: Grant) -> str:
    """The period of a role and its end, as they go on after its place; empty for one without."""
    period = f", for iterations from {one.period.first} to {one.period.last}" if one.period is not None else ""
    return period + (f", until {one.expires_at:%Y-%m-%d %H:%M} UTC" if one.expires_at is not None else "")


def _place(project: str | None, keys: Mapping[str, str]) -> str:
    return f"in {keys.get(project, project)}" if project is not None else "in all projects"


def _in_force(granted: Iterable[Grant], now: datetime) -> list[Grant]:
    return [one for one in granted if one.expires_at is None or one.expires_at > now]


def _filled(fields: Iterable[Field], shown: Shown) -> tuple[Field, ...]:
    """The fields with what was entered and what is wrong with it."""
    return tuple(one.filled(shown.given, shown.problems) for one in fields)


def _errors(fields: Iterable[Field]) -> tuple[tuple[str, str], ...]:
    return tuple((one.name, f"{one.label}: {one.error}") for one in fields if one.error)


def wrong_of(error: InvalidInput | UseCaseError, field_of_names: str = "projects") -> dict[str, str]:
    """What an error says, by field: of something that is not there, by the field that names projects."""
    if isinstance(error, InvalidInput):
        found: dict[str, str] = {}
        for one in error.problems:
            name = _FIELDS.get(one.path, one.path)
            said = on_pages(f"{one.message}; {one.fix}" if one.fix else one.message)
            found[name] = f"{found[name]}; {said}" if name in found else said
        return found
    return {field_of_names: refused_of(error)}


_FIELDS = {"expires_at": "days", "period": "first"}


def refused_of(error: UseCaseError) -> str:
    """Why something could not be done, for people at these pages."""
    if isinstance(error, Conflict) and error.code == "last-administrator":
        return f"{error.message} Make somebody else an administrator first."
    return on_pages(f"{error.message} {error.fix}".strip())
