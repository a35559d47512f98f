"""What is entered for a new project: read as a request, with what is wrong of it by field; and written as fields."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from connectors.kinds import Kind
from connectors.registry import KINDS
from connectors.values import Finding, Severity
from service import templates as template_files
from service.context import Context
from service.domain.problems import MISSING, InvalidInput, Problem
from service.domain.team.team import Team, read_team_table
from service.pages.remedies import on_pages
from service.pages.template import builtin
from service.templates import TemplateText
from service.usecases.errors import Conflict, NotFound
from service.usecases.plan import new_project
from service.usecases.plan.new_project import Entered, wrong_but_for_people
from service.usecases.setup import connections, projects

OWN = "own"
"""The choice of a template of one's own, or of people who are no team yet."""

UNSHOWN = ("key",)
"""Settings of connections that are no secrets by their vendor's word, and are kept out of sight all the same."""

P = "p_"
"""What the fields of parameters begin with."""

_ERRORS_OF_NAMES = {"name": "name", "key": "key", "team": "team", "connection": "connection", "time_zone": "zone"}


@dataclass(frozen=True, slots=True)
class Given:
    """What was entered, by the names of the fields."""

    values: Mapping[str, str]

    def __call__(self, name: str, default: str = "") -> str:
        """A field as it was entered; the default where it was not there."""
        return self.values.get(name, default)


class Wrong(Exception):
    """Something that was entered is wrong: `problems` say what, by the name of the field."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(problems.values()))
        self.problems = dict(problems)


def given_by(entered: Entered, context: Context) -> Given:
    """The fields as a plan was made from them."""
    values = {
        "template": entered.template or OWN,
        "template_text": entered.template_text,
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
    elif key := _wrong_key(context, given):
        wrong["key"] = key
    if wrong and team is not None:
        # What the tracker would refuse is told with what else is wrong.
        wrong = {**by_field(new_project.wrong(context, request, team), given), **wrong}
    elif wrong and given("team", OWN) != OWN:
        wrong = {**by_field(new_project.wrong(context, request, None), given), **wrong}
    if wrong:
        raise Wrong(wrong)
    return request, team


def _wrong_key(context: Context, given: Given) -> str:
    """What is wrong with the key of a project that is to be made; empty where nothing is, or another message says
    it."""
    if given("create", "yes") == "no" or not given("key"):
        return ""
    try:
        kind = connections.get(context, given("connection")).kind
    except NotFound:
        return ""
    found = KINDS[kind].wrong_key(given("key").strip()) if kind in KINDS else None
    return " ".join(found) if found is not None else ""


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


_MEMBER = re.compile(r"members\[(\d+)\]")


def by_field(problems: Iterable[Problem], given: Given | None = None) -> dict[str, str]:
    """What is wrong by the field that it is about; what is about none of them is told for the template. What is wrong
    with people of a table that was entered is told with its line."""
    own = given is not None and given("team", OWN) == OWN
    found: dict[str, str] = {}
    for problem in problems:
        one = problem
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
        if own and name == "team" and one.source != "project" and given is not None:
            name, one = "people", replace(one, path="", line=_line_of(one.path, given("people")))
        if one.line is not None or name in ("template", "people"):
            said = _line(one)
        said = on_pages(said)
        found[name] = f"{found[name]}; {said}" if name in found else said
    return found


def _line_of(path: str, table: str) -> int | None:
    """The line of a table in which a person of a team stands."""
    found = _MEMBER.match(path)
    lines = [number for number, line in enumerate(table.splitlines(), 1) if line.strip()]
    at = int(found[1]) + 1 if found is not None else len(lines)
    return lines[at] if at < len(lines) else None


_CODES = {"project-key": "key", "project-name": "name"}


def blocking_fields(findings: Iterable[Finding]) -> dict[str, str]:
    """What blocks a plan and is about a field of the form: the key or the name."""
    found: dict[str, str] = {}
    for one in severe(findings):
        name = next((field for code, field in _CODES.items() if one.code.startswith(code)), "")
        if name:
            said = on_pages(f"{one.message} {one.fix}".strip())
            found[name] = f"{found[name]} {said}" if name in found else said
    return found


def wrong_of(error: InvalidInput | Conflict | NotFound, given: Given | None = None) -> dict[str, str]:
    """What an error of setting the project up says, by field."""
    if isinstance(error, InvalidInput):
        return by_field(error.problems, given)
    said = on_pages(f"{error.message} {error.fix}".strip())
    if isinstance(error, NotFound) and error.what in ("team", "connection"):
        return {error.what: said}
    return {"key": said}


def severe(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings that block a plan."""
    return tuple(one for one in findings if one.severity is Severity.ERROR)


# --- adding a connection ----------------------------------------------------------------------------------------------


def connection_name(given: Given) -> str:
    """What the connection that was entered is called."""
    return given("c_name") or _kind(given).name


def _kind(given: Given) -> Kind:
    return KINDS.get(given("c_kind")) or next(iter(KINDS.values()))


def connect(context: Context, given: Given, secret: str) -> str:
    """Add the connection that was entered; its name. Raises Wrong."""
    kind = _kind(given)
    try:
        return connections.put(context, connection_name(given), kind.name, _settings(kind, given), secret).name
    except InvalidInput as error:
        raise Wrong(_of_connection(kind, error)) from error
    except Conflict as error:
        said = f"{error.message} Choose another name, or change the credential of that one on its page."
        raise Wrong({"c_name": said}) from error


def reconnect(context: Context, name: str, given: Given, secret: str) -> str:
    """Change the credential of a connection, and what else was entered; its id. What was left empty of what is kept out
    of sight stays. Raises Wrong, NotFound, NotReplaced."""
    present = connections.get(context, name)
    kind = KINDS[present.kind]
    settings = _settings(kind, given)
    for one in kind.given:
        field_ = f"c_{kind.name}_{one.name}"
        if field_ not in given.values or (one.name in UNSHOWN and not given(field_)):
            settings[one.name] = present.settings.get(one.name)
    settings = {name_: value for name_, value in settings.items() if value is not None}
    try:
        return connections.change(context, name, settings, secret, unchecked=given("unchecked") == "yes")
    except InvalidInput as error:
        raise Wrong(_of_connection(kind, error)) from error


def _settings(kind: Kind, given: Given) -> dict[str, object]:
    settings: dict[str, object] = {}
    for one in kind.given:
        value = given(f"c_{kind.name}_{one.name}")
        if one.switch:
            settings[one.name] = value == "yes"
        elif value or one.needed:
            settings[one.name] = value
    return settings


def _of_connection(kind: Kind, error: InvalidInput) -> dict[str, str]:
    wrong: dict[str, str] = {}
    for problem in error.problems:
        field_ = "secret" if problem.path in ("secret", kind.secret_field) else problem.path
        name = "c_name" if field_ == "name" else f"c_{kind.name}_{field_}"
        wrong[name] = on_pages(f"{problem.message}; {problem.fix}" if problem.fix else problem.message)
    return wrong
