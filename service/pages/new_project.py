"""A new project: what it is made from, entered on one page, with what is wrong beside the field that it is about."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from zoneinfo import available_timezones

from connectors.registry import KINDS, kind_of
from connectors.values import Finding, Severity
from service import templates as template_files
from service.context import Context
from service.domain.access.identity import Caller
from service.domain.access.roles import Permission
from service.domain.english import counted, sentence
from service.domain.problems import MISSING, InvalidInput, Problem
from service.domain.team.team import Team, read_team_table
from service.domain.template.reader import read_template
from service.domain.template.template import (
    ChoiceParameter,
    DateParameter,
    IntegerParameter,
    Parameter,
    SwitchParameter,
    Template,
)
from service.pages.plan import Told, told
from service.pages.remedies import on_pages
from service.pages.signs import Sign
from service.pages.template import builtin
from service.templates import TemplateText
from service.usecases.errors import Conflict, NotFound
from service.usecases.plan.new_project import Entered, wrong_but_for_people
from service.usecases.setup import connections, projects, teams
from service.usecases.setup.connections import Preflight
from service.views.setup import ConnectionView

OWN = "own"
"""The choice of a template of one's own, or of people who are no team yet."""

P = "p_"
"""What the fields of parameters begin with."""

_ERRORS_OF_NAMES = {"name": "name", "key": "key", "team": "team", "connection": "connection", "time_zone": "zone"}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several: `help` says more of it."""

    value: str
    label: str
    chosen: bool
    help: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """A field with what was entered, what is wrong with it, and help. `kind` is that of the control."""

    name: str
    label: str
    value: str = ""
    kind: str = "text"
    help: str = ""
    error: str = ""
    choices: tuple[Choice, ...] = ()
    least: str = ""
    most: str = ""
    longest: int = 200
    needed: bool = False
    example: str = ""

    @property
    def described(self) -> str:
        """The ids of what is said about it, the error first."""
        said = [f"{self.name}-e"] if self.error else []
        return " ".join([*said, *([f"{self.name}-h"] if self.help else [])])


@dataclass(frozen=True, slots=True)
class RoleShown:
    """A role that people can hold: its key is what is written in the table."""

    key: str
    title: str
    core: bool
    responsibility: str


@dataclass(frozen=True, slots=True)
class KindShown:
    """A kind of tracker that can be connected, with its fields; `more` are those that few need."""

    value: str
    title: str
    chosen: bool
    fields: tuple[Field, ...]
    more: tuple[Field, ...]
    more_open: bool


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check of the connection found."""

    sign: Sign
    message: str
    findings: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class NewProjectPage:
    """The form. `errors` are all that is wrong, with the field that each is about; `adding` holds the fields of a new
    connection for those who may add one, `blocked` why the plan that was asked for could never be applied."""

    template: Field
    template_text: Field
    connection: Field
    create: Field
    name: Field
    key: Field
    zone: Field
    team: Field
    team_name: Field
    people: Field
    parameters: tuple[Field, ...]
    roles: tuple[RoleShown, ...]
    adding: tuple[KindShown, ...]
    adding_name: Field
    adding_open: bool
    checked: Checked | None
    said: str
    errors: tuple[tuple[str, str], ...]
    blocked: tuple[Told, ...]
    zones: tuple[str, ...]
    may_connect: bool


@dataclass(frozen=True, slots=True)
class Given:
    """What was entered, by the names of the fields."""

    values: Mapping[str, str]

    def __call__(self, name: str, default: str = "") -> str:
        """A field as it was entered; the default where it was not there."""
        return self.values.get(name, default)


@dataclass(frozen=True, slots=True)
class Shown:
    """What came of a press, to be told with the form: what is wrong by field, what a check found."""

    problems: Mapping[str, str] = field(default_factory=dict)
    blocked: Sequence[Finding] = ()
    preflight: Preflight | None = None
    said: str = ""
    connecting: bool = False


class Wrong(Exception):
    """Something that was entered is wrong: `problems` say what, by the name of the field."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(problems.values()))
        self.problems = dict(problems)


# --- the form ---------------------------------------------------------------------------------------------------------


def page_of(context: Context, caller: Caller, given: Given, shown: Shown | None = None) -> NewProjectPage:
    """The form with what was entered, and what came of it."""
    shown = shown or Shown()
    wrong = shown.problems
    known, people = connections.listed(context), teams.listed(context)
    template = _template(given)
    chosen = given("connection") or (known[0].name if known else "")
    fields = {
        "template": _templates(given),
        "template_text": Field("template_text", "Template in YAML", given("template_text"), kind="text"),
        "connection": _connections(known, chosen),
        "create": _create(given, known, chosen),
        "name": Field("name", "Name", given("name"), longest=80, needed=True),
        "key": Field("key", "Key", given("key"), help=_KEY_HELP, longest=80, needed=True),
        "zone": Field("zone", "Time zone", given("zone"), help="Such as Europe/Berlin; empty: that of the team."),
        "team": _teams(given, [one.name for one in people]),
        "team_name": Field("team_name", "Name of the team", given("team_name"), help="Empty: that of the project."),
        "people": Field("people", "People, one a line", given("people"), "lines", _PEOPLE_HELP, example=_EXAMPLE),
    }
    fields = {name: _with(one, wrong) for name, one in fields.items()}
    parameters = tuple(_with(one, wrong) for one in _parameters(template, given))
    adding = tuple(_kinds(given, wrong)) if caller.may(Permission.ADMINISTER) else ()
    labels = {one.name: one.label for one in (*fields.values(), *parameters)}
    labels |= {one.name: one.label for kind in adding for one in (*kind.fields, *kind.more)}
    labels["c_name"] = "Name of the connection"
    return NewProjectPage(
        **fields,
        parameters=parameters,
        roles=tuple(_roles(template)),
        adding=adding,
        adding_name=_with(Field("c_name", "Name of the connection", given("c_name"), longest=80), wrong),
        adding_open=shown.connecting or (not known and bool(adding)),
        checked=_checked(shown.preflight) if shown.preflight is not None else None,
        said=shown.said,
        errors=tuple((name, f"{labels.get(name, sentence(name))}: {said}") for name, said in wrong.items()),
        blocked=tuple(told(one.severity, one.code, one.message, one.fix) for one in shown.blocked),
        zones=_zones(),
        may_connect=bool(adding),
    )


_KEY_HELP = "What the tracker knows it by: a short key such as ML, or where it has none, the name of the board."
_EXAMPLE = "person,email,roles,capacity\nML engineer 1,ml-1@example.com,ml,12"
_PEOPLE_HELP = "A line of headings first; the roles and their keys are listed below. Who is missing leaves a vacancy."


@cache
def _zones() -> tuple[str, ...]:
    return tuple(sorted(one for one in available_timezones() if "/" in one and not one.startswith(("Etc/", "posix"))))


def _with(one: Field, wrong: Mapping[str, str]) -> Field:
    return replace(one, error=wrong[one.name]) if one.name in wrong else one


def _template(given: Given) -> Template:
    """The template that is chosen, as far as it can be read; else the first built-in one."""
    built_in = builtin()
    if given("template") == OWN and given("template_text"):
        try:
            return read_template(given("template_text"), "template")
        except InvalidInput:
            pass
    return built_in.get(given("template")) or next(iter(built_in.values()))


def _templates(given: Given) -> Field:
    built_in = builtin()
    chosen = given("template") if given("template") in {*built_in, OWN} else next(iter(built_in))
    choices = [
        Choice(name, one.title, name == chosen, f"{one.version}. {counted(len(one.phases), 'phase')}, {_tickets(one)}.")
        for name, one in built_in.items()
    ]
    own = Choice(OWN, "A template of your own", chosen == OWN, "YAML; what is wrong with it is shown with its line.")
    return Field("template", "Template", chosen, choices=(*choices, own))


def _tickets(template: Template) -> str:
    number = sum(len(phase.tickets) for phase in template.phases)
    return f"{counted(number, 'ticket')} to choose from, a record for each iteration"


def _connections(known: Sequence[ConnectionView], chosen: str) -> Field:
    choices = tuple(
        Choice(one.name, f"{kind_of(one.kind).title} “{one.name}”, {_where(one)}", chosen in (one.name, one.id))
        for one in known
    )
    return Field("connection", "Connection", chosen, kind="choice", choices=choices)


def _where(one: ConnectionView) -> str:
    kind = kind_of(one.kind)
    address = str(one.settings.get(kind.address_field) or "")
    return address.removeprefix("https://").removeprefix("http://").rstrip("/") or kind.title


def _create(given: Given, known: Sequence[ConnectionView], chosen: str) -> Field:
    kind = next((kind_of(one.kind) for one in known if chosen in (one.name, one.id)), None)
    what = kind.project if kind is not None else "project of the tracker"
    makes = given("create", "yes") != "no"
    new = Choice("yes", f"Create a new {what}", makes)
    return Field("create", "Where", kind="choice", choices=(new, Choice("no", f"Use a {what} that exists", not makes)))


def _teams(given: Given, known: Sequence[str]) -> Field:
    chosen = given("team") if given("team") in known else OWN
    if not given("team") and not given("people") and known:
        chosen = known[0]
    choices = [Choice(name, f"Team “{name}”", name == chosen) for name in known]
    return Field(
        "team", "People", chosen, kind="choice", choices=(*choices, Choice(OWN, "People below", chosen == OWN))
    )


def _parameters(template: Template, given: Given) -> Iterator[Field]:
    for name, one in template.parameters.items():
        label = sentence(name.replace("_", " "))
        yield _parameter(f"{P}{name}", label, one, given(f"{P}{name}", _default(one)))


def _default(parameter: Parameter) -> str:
    match parameter:
        case SwitchParameter():
            return "yes" if parameter.default else "no"
        case DateParameter():
            return str(parameter.default)
        case _:
            return str(parameter.default)


def _parameter(name: str, label: str, one: Parameter, value: str) -> Field:
    match one:
        case IntegerParameter():
            said = f"{sentence(one.description)}: {one.minimum} to {one.maximum}."
            return Field(name, label, value, "number", said, least=str(one.minimum), most=str(one.maximum))
        case ChoiceParameter():
            choices = tuple(Choice(word, sentence(word), word == value) for word in one.choices)
            return Field(name, label, value, "choice", f"{sentence(one.description)}.", choices=choices)
        case SwitchParameter():
            choices = (Choice("no", "No", value == "no"), Choice("yes", "Yes", value == "yes"))
            return Field(name, label, value, "choice", f"{one.description}.", choices=choices)
        case _:
            help_ = f"{one.description}: a date such as 2027-01-25, or a word such as next-monday."
            return Field(name, label, value, "text", help_)


def _roles(template: Template) -> Iterator[RoleShown]:
    for key, one in sorted(template.roles.items(), key=lambda found: not found[1].core):
        yield RoleShown(key, one.title, one.core, one.responsibility)


def _kinds(given: Given, wrong: Mapping[str, str]) -> Iterator[KindShown]:
    """The kinds of trackers that can be connected. The credential is never shown again."""
    chosen = given("c_kind") if given("c_kind") in KINDS else next(iter(KINDS))
    for kind in KINDS.values():
        fields = []
        for one in kind.given:
            name = f"c_{kind.name}_{one.name}"
            label = _CALLED.get(one.name, sentence(one.name.replace("_", " ")))
            if one.switch:
                on = given(name, "no")
                choices = (Choice("no", "No", on != "yes"), Choice("yes", "Yes", on == "yes"))
                fields.append(Field(name, label, on, "choice", sentence(one.help), choices=choices))
            else:
                fields.append(Field(name, label, given(name), "text", sentence(one.help), needed=one.needed))
        secret = Field(f"c_{kind.name}_secret", "API token", kind="password", help=_SECRET_HELP, longest=4000)
        needed = tuple(_with(one, wrong) for one in (*(one for one in fields if one.needed), secret))
        more = tuple(_with(one, wrong) for one in fields if not one.needed)
        opened = any(one.error or one.value not in ("", "no") for one in more)
        yield KindShown(kind.name, kind.title, kind.name == chosen, needed, more, opened)


_CALLED = {"url": "Address", "email": "E-mail address", "key": "API key", "allow_http": "Allow plain http"}
_SECRET_HELP = "Encrypted, never shown again, and sent to the tracker alone."


def _checked(found: Preflight) -> Checked:
    told_ = tuple(told(one.severity, one.code, one.message, one.fix) for one in found.findings)
    who = f"Signed in as {found.account.email or found.account.name}. " if found.account is not None else ""
    if not found.ok:
        return Checked(Sign("bad", "bad", "Not ready"), f"{who}What is below blocks it.", told_)
    where = f"The project {found.place.ref.key} is there." if found.place is not None else "Nothing was written."
    return Checked(Sign("ok", "ok", "Ready"), f"{who}{where}", told_)


# --- what was entered -------------------------------------------------------------------------------------------------


def given_by(entered: Entered, context: Context) -> Given:
    """The fields as a plan was made from them."""
    values = {
        "template": entered.template,
        "connection": connections.get(context, entered.connection).name,
        "create": "yes" if entered.create else "no",
        "name": entered.name,
        "key": entered.key,
        "zone": entered.time_zone,
        "team": OWN if entered.people is not None else entered.team,
        **{f"{P}{name}": _said(value) for name, value in entered.parameters.items()},
    }
    if entered.people is not None:
        values |= {"team_name": entered.team, "people": table_of(entered.people)}
    return Given(values)


def _said(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


_COLUMNS = ("person", "email", "account", "roles", "capacity", "absences")


def table_of(team: Team) -> str:
    """The people of a team as the table that they can be read from again."""
    written = io.StringIO()
    table = csv.writer(written, lineterminator="\n")
    table.writerow(_COLUMNS)
    for one in team.members:
        away = " ".join(_span(span.first, span.last) for span in one.away)
        capacity = "" if one.capacity is None else one.capacity
        table.writerow([one.person, one.email or "", one.account or "", " ".join(one.roles), capacity, away])
    return written.getvalue()


def _span(first: object, last: object) -> str:
    return str(first) if first == last else f"{first}..{last}"


def request_of(context: Context, given: Given) -> tuple[projects.Request, Team | None]:
    """What is asked for, and the people that it brings. Raises Wrong with everything that is wrong."""
    problems: list[Problem] = []
    text, team = None, None
    try:
        text = _text(given)
    except InvalidInput as error:
        problems += error.problems
    wrong: dict[str, str] = {}
    if given("team", OWN) == OWN:
        team, wrong = _people(given)
    parameters = {name.removeprefix(P): value for name, value in given.values.items() if name.startswith(P) and value}
    request = projects.Request(
        name=given("name"),
        key=given("key"),
        connection=given("connection"),
        team=team.name if team is not None else given("team"),
        template=text,
        parameters=parameters,
        time_zone=given("zone") or None,
        create=given("create", "yes") != "no",
        unreadable=tuple(problems),
    )
    if team is None and given("team", OWN) == OWN:
        # The people cannot be read: what else is wrong is told with that.
        wrong = {**by_field(wrong_but_for_people(context, request)), **wrong}
    if not given("connection"):
        wrong.setdefault("connection", "is missing; add one below, or have an administrator add it")
    if wrong:
        raise Wrong(wrong)
    return request, team


def _text(given: Given) -> TemplateText:
    if given("template") != OWN:
        return template_files.load_builtin(given("template") or next(iter(builtin())))
    if not given("template_text").strip():
        raise InvalidInput([Problem("template", None, "", MISSING, "paste it, or choose a built-in one")])
    return TemplateText.of(given("template_text"), "template.yaml")


def _people(given: Given) -> tuple[Team | None, dict[str, str]]:
    """The people that were pasted, as a team; or what is wrong with them."""
    if not given("people").strip():
        return None, {"people": "nobody is named; paste a table of people, or choose a team"}
    name = (given("team_name") or given("name") or "team").replace("/", " ").replace("\\", " ")
    try:
        return read_team_table(given("people"), f"{name[:60]}.csv", time_zone=given("zone") or None)[0], {}
    except InvalidInput as error:
        zone = [one for one in error.problems if one.path == "time zone" or "time zone" in one.message]
        wrong = {"zone": _line(zone[0])} if zone else {}
        lines = [_line(one) for one in error.problems if one not in zone]
        return None, wrong | ({"people": "; ".join(lines)} if lines else {})


def _line(problem: Problem) -> str:
    where = f"line {problem.line}" + (f", {problem.path}" if problem.path else "") if problem.line else problem.path
    fix = f"; {problem.fix}" if problem.fix else ""
    return on_pages(f"{where}: {problem.message}{fix}" if where else f"{problem.message}{fix}")


def by_field(problems: Iterable[Problem]) -> dict[str, str]:
    """What is wrong by the field that it is about; what is about none of them is told for the template."""
    found: dict[str, str] = {}
    for one in problems:
        match one.source:
            case "project":
                name = _ERRORS_OF_NAMES.get(one.path, "name")
            case "parameters":
                name = f"{P}{one.path}"
            case "calendar":
                name = "zone"
            case _ if one.source.endswith(".csv") or one.source == "team" or "role" in one.path:
                name = "people" if one.line is not None or one.source.endswith(".csv") else "team"
            case _:
                name = "template"
        said = f"{one.message}; {one.fix}" if one.fix else one.message
        if one.line is not None or name in ("template", "people"):
            said = _line(one)
        said = on_pages(said)
        found[name] = f"{found[name]}; {said}" if name in found else said
    return found


def wrong_of(error: InvalidInput | Conflict | NotFound) -> dict[str, str]:
    """What an error of setting the project up says, by field."""
    if isinstance(error, InvalidInput):
        return by_field(error.problems)
    said = on_pages(f"{error.message} {error.fix}".strip())
    if isinstance(error, NotFound) and error.what in ("team", "connection"):
        return {error.what: said}
    return {"key": said}


def severe(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings that block a plan."""
    return tuple(one for one in findings if one.severity is Severity.ERROR)


# --- adding a connection ----------------------------------------------------------------------------------------------


def connect(context: Context, given: Given, secret: str) -> str:
    """Add the connection that was entered; its name. Raises Wrong."""
    kind = KINDS.get(given("c_kind")) or next(iter(KINDS.values()))
    settings: dict[str, object] = {}
    for one in kind.given:
        value = given(f"c_{kind.name}_{one.name}")
        if one.switch:
            settings[one.name] = value == "yes"
        elif value or one.needed:
            settings[one.name] = value
    try:
        return connections.put(context, given("c_name") or kind.name, kind.name, settings, secret).name
    except InvalidInput as error:
        wrong: dict[str, str] = {}
        for problem in error.problems:
            field_ = "secret" if problem.path in ("secret", kind.secret_field) else problem.path
            name = "c_name" if field_ == "name" else f"c_{kind.name}_{field_}"
            wrong[name] = f"{problem.message}; {problem.fix}" if problem.fix else problem.message
        raise Wrong(wrong) from error
    except Conflict as error:
        raise Wrong({"c_name": f"{error.message} Choose another name."}) from error
