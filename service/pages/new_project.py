"""A new project: what it is made from, entered on one page, with what is wrong beside the field that it is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from zoneinfo import available_timezones

from connectors.registry import KINDS, kind_of
from connectors.values import Finding
from service.context import Context
from service.domain.access.identity import Caller
from service.domain.access.roles import Permission
from service.domain.english import counted, sentence
from service.domain.problems import InvalidInput
from service.domain.template.reader import read_template
from service.domain.template.template import (
    ChoiceParameter,
    DateParameter,
    IntegerParameter,
    Parameter,
    SwitchParameter,
    Template,
)
from service.pages.entries import OWN, Given, P
from service.pages.plan import Told, told
from service.pages.signs import Sign
from service.pages.template import builtin
from service.usecases.setup import connections, teams
from service.usecases.setup.connections import Preflight
from service.views.setup import ConnectionCheck, ConnectionView


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

    def filled(self, given: Mapping[str, str], wrong: Mapping[str, str]) -> Field:
        """The field with what was entered, if anything was, and what is wrong with it."""
        return replace(self, value=given.get(self.name, self.value), error=wrong.get(self.name, ""))


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
    connection for those who may add one, `blocked` why the plan that was asked for could never be applied. `leads` is
    where a connection that does not work is put right: an address and its words."""

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
    leads: tuple[str, str] | None
    errors: tuple[tuple[str, str], ...]
    blocked: tuple[Told, ...]
    zones: tuple[str, ...]
    may_connect: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """What came of a press, to be told with the form: what is wrong by field, what a check found."""

    problems: Mapping[str, str] = field(default_factory=dict)
    blocked: Sequence[Finding] = ()
    preflight: Preflight | None = None
    said: str = ""
    leads: tuple[str, str] | None = None
    connecting: bool = False


# --- the form ---------------------------------------------------------------------------------------------------------


def page_of(context: Context, caller: Caller, given: Given, shown: Shown | None = None) -> NewProjectPage:
    """The form with what was entered, and what came of it."""
    shown = shown or Shown()
    wrong = shown.problems
    known, people = connections.listed(context), teams.listed(context)
    template = _template(given)
    chosen = given("connection") or connections.preselected(context) or (known[0].name if known else "")
    checks = connections.last_checks(context)
    fields = {
        "template": _templates(given),
        "template_text": Field("template_text", "Template in YAML", given("template_text"), kind="text"),
        "connection": _connections(known, checks, chosen),
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
    adding = tuple(kinds_of(given, wrong)) if caller.may(Permission.ADMINISTER) else ()
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
        checked=_checked(shown.preflight, given) if shown.preflight is not None else None,
        said=shown.said,
        leads=shown.leads,
        errors=tuple(_in_order(wrong, labels)),
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


_ORDER = (
    "template",
    "template_text",
    "connection",
    "create",
    "c_",
    "name",
    "key",
    "zone",
    "team",
    "people",
    "team_name",
    P,
)
"""The fields in the order in which they stand on the page; some by how their names begin."""


def _in_order(wrong: Mapping[str, str], labels: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """All that is wrong, in the order of the fields."""
    whole, shown = set(_ORDER), list(labels)

    def place(name: str) -> tuple[int, int]:
        kept = name if name in whole else next((one for one in _ORDER if name.startswith(one)), P)
        return _ORDER.index(kept), shown.index(name) if name in labels else len(shown)

    for name in sorted(wrong, key=place):
        yield name, f"{labels.get(name, sentence(name))}: {wrong[name]}"


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


def _connections(known: Sequence[ConnectionView], checks: Mapping[str, ConnectionCheck], chosen: str) -> Field:
    choices = tuple(
        Choice(
            one.name,
            f"{kind_of(one.kind).title} “{one.name}”, {_where(one)}"
            + (": not ready" if one.id in checks and not checks[one.id].ok else ""),
            chosen in (one.name, one.id),
        )
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
        label, rest = _called(name, one.description)
        yield _parameter(f"{P}{name}", label, rest, one, given(f"{P}{name}", _default(one)))


LONGEST_LABEL, ABBREVIATED = 60, 2


def _called(name: str, said: str) -> tuple[str, str]:
    """What a parameter is called, and what is left to be said of it: as its template describes it, where the beginning
    of that is short and no sentence; else by its key, of which a word of two letters is an abbreviation."""
    first, _, rest = said.partition(";")
    if len(first) <= LONGEST_LABEL and "," not in first and not first.startswith(("Whether ", "If ")):
        return sentence(first), sentence(rest.strip())
    words = (word.upper() if len(word) == ABBREVIATED else word for word in name.split("_"))
    return sentence(" ".join(words)), sentence(said)


def _default(parameter: Parameter) -> str:
    match parameter:
        case SwitchParameter():
            return "yes" if parameter.default else "no"
        case DateParameter():
            return str(parameter.default)
        case _:
            return str(parameter.default)


def _parameter(name: str, label: str, rest: str, one: Parameter, value: str) -> Field:
    match one:
        case IntegerParameter():
            span = f"{one.minimum} to {one.maximum}."
            said = f"{rest}: {span}" if rest else span
            return Field(name, label, value, "number", said, least=str(one.minimum), most=str(one.maximum))
        case ChoiceParameter():
            choices = tuple(Choice(word, sentence(word), word == value) for word in one.choices)
            return Field(name, label, value, "choice", f"{rest}." if rest else "", choices=choices)
        case SwitchParameter():
            choices = (Choice("no", "No", value == "no"), Choice("yes", "Yes", value == "yes"))
            return Field(name, label, value, "choice", f"{rest}." if rest else "", choices=choices)
        case _:
            help_ = "A date such as 2027-01-25, or a word such as next-monday."
            return Field(name, label, value, "text", f"{rest}. {help_}" if rest else help_)


def _roles(template: Template) -> Iterator[RoleShown]:
    for key, one in sorted(template.roles.items(), key=lambda found: not found[1].core):
        yield RoleShown(key, one.title, one.core, one.responsibility)


def kinds_of(given: Given, wrong: Mapping[str, str]) -> Iterator[KindShown]:
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


def _checked(found: Preflight, given: Given) -> Checked:
    """What a check found for what is chosen."""
    checked = checked_of(found)
    if found.ok and given("create", "yes") == "no" and not given("key"):
        more = f"{checked.message} What it may do in the project is checked once its key is entered."
        return replace(checked, message=more)
    return checked


def checked_of(found: Preflight) -> Checked:
    """What a check of a connection found, for people."""
    told_ = tuple(told(one.severity, one.code, one.message, one.fix) for one in found.findings)
    who = f"Signed in as {found.account.email or found.account.name}. " if found.account is not None else ""
    if not found.ok:
        return Checked(Sign("bad", "bad", "Not ready"), f"{who}What is below blocks it.", told_)
    where = f"The project {found.place.ref.key} is there." if found.place is not None else "Nothing was written."
    return Checked(Sign("ok", "ok", "Ready"), f"{who}{where}", told_)
