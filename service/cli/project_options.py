"""A project's settings as they are given on the command line, to plans and to `projects set`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.markup import escape

import service.templates as template_files
from connectors.values import Identity
from service.cli.library import TableOptions, keep_team_file, team_in_file
from service.cli.shell import again, err, fail, misused, not_text
from service.context import Context
from service.domain.commands import typed
from service.domain.problems import InvalidInput, Problem
from service.domain.team.calendar_file import CalendarSpec, read_calendar
from service.domain.team.team import Team
from service.usecases.errors import Conflict, NotFound, UseCaseError
from service.usecases.plan.planning import Asked
from service.usecases.setup import connections, project_identity, projects, teams
from service.views.setup import ProjectView

TemplateOption = Annotated[
    str | None, typer.Option("--template", help="Template name or file [default: iterative-ml, or the project's own].")
]
TeamOption = Annotated[str | None, typer.Option("--team", help="Team name or file; needed the first time.")]
NameOption = Annotated[str | None, typer.Option("--name", help="The project's name [default: its key].")]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", help="A template parameter, NAME=VALUE. May be repeated.")
]
TimeZoneOption = Annotated[
    str | None, typer.Option("--time-zone", "--timezone", help="IANA time zone [default: the team's, else UTC].")
]
CreateOption = Annotated[
    bool | None, typer.Option("--create/--existing", help="Create the tracker's project, or use one that is there.")
]
CalendarOption = Annotated[
    Path | None,
    typer.Option("--calendar", help="A calendar file: working days, holidays, freezes, in place of the team's."),
]
CarryOverOption = Annotated[
    str | None,
    typer.Option(
        "--carry-over", help="What becomes of unfinished work: ask, next, backlog or leave [default: the template's]."
    ),
]
AheadOption = Annotated[
    str | None,
    typer.Option("--ahead", help="How many iterations are kept prepared, or all [default: the template's]."),
]
WipLimitOption = Annotated[
    str | None,
    typer.Option("--wip-limit", help="How many tickets may be in progress at once, or none [default: the template's]."),
]


@dataclass(frozen=True, slots=True)
class Given:
    """What was given of a project's settings, None or empty for what was not; `values` are of the form NAME=VALUE."""

    template: str | None = None
    team: str | None = None
    name: str | None = None
    time_zone: str | None = None
    create: bool | None = None
    calendar: Path | None = None
    values: tuple[str, ...] = ()
    turning: Mapping[str, str | None] = field(default_factory=dict)


NOTHING = Given()


def settings_options(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the options of a project's settings in place of its parameter `given`, which is what was given
    with them. Every command that takes settings takes the same ones."""
    taken, options = signature(command, eval_str=True).parameters, signature(_given, eval_str=True).parameters

    @wraps(command)
    def whole(**values: Any) -> None:
        command(given=_given(**{name: values.pop(name) for name in options}), **values)

    parameters = [one for name, own in taken.items() for one in (options.values() if name == "given" else (own,))]
    whole.__signature__ = Signature([one.replace(kind=Parameter.KEYWORD_ONLY) for one in parameters])  # type: ignore[attr-defined]
    whole.__annotations__ = {one.name: one.annotation for one in parameters}
    return whole


def _given(
    template: TemplateOption = None,
    team: TeamOption = None,
    name: NameOption = None,
    values: SetOption = None,
    time_zone: TimeZoneOption = None,
    create: CreateOption = None,
    calendar: CalendarOption = None,
    carry_over: CarryOverOption = None,
    ahead: AheadOption = None,
    wip_limit: WipLimitOption = None,
) -> Given:
    if name is not None and not name.strip():
        misused("--name must not be empty.", "Leave it out to keep the name.")
    if wip_limit is not None and wip_limit.strip().casefold() != "none" and not wip_limit.strip().isdecimal():
        misused(f"--wip-limit: {wip_limit!r} is no limit.", "Write a whole number, or none for no limit.")
    said = {"carry_over": carry_over, "ahead": ahead, "wip_limit": wip_limit}
    turning: dict[str, str | None] = {one: value for one, value in said.items() if value is not None}
    if wip_limit is not None and wip_limit.casefold() == "none":
        turning = {**turning, "wip_limit": None}
    return Given(template, team, name, time_zone, create, calendar, tuple(values or ()), turning)


@dataclass(frozen=True, slots=True)
class ToPlan:
    """A project to plan. `asked` are the settings that its plan is to bring along, None where it is planned as it is;
    `new` says that nobody has set it up: it is there for its plans alone."""

    row: ProjectView
    asked: Asked | None = None
    new: bool = False


def to_plan(context: Context, key: str, given: Given, connection: str | None) -> ToPlan:
    """The project to plan, however it is named: nothing is changed of one that is there. One that is not there yet is
    none before a plan of it is applied: each of its plans brings all settings, where a team is given only those that
    are given with it, else what is not given is as its last plan has it."""
    present, found = _present(context, key, given, connection)
    if present is None or (present.planned and given.team is not None):
        return _first(context, key, given, connection, present, found)
    return ToPlan(present, _asked(context, given, present) if given != NOTHING else None)


def _present(
    context: Context, key: str, given: Given, connection: str | None
) -> tuple[ProjectView | None, Identity | None]:
    """The project of ours that is active and that a key means, on the connection that is named, else on any; and, where
    it was asked, which project of the tracker that is."""
    # With a team it may be a project that is to be set up: what another one is called is a key like any.
    if (known := _known(context, key, connection, by_name=given.team is None)) is not None:
        return known, None
    if connection is None and len(connections.listed(context)) != 1:
        return None, None
    return projects.there(context, connection or only_connection(context), key)


def _known(context: Context, key: str, connection: str | None, *, by_name: bool) -> ProjectView | None:
    """The project of that id or key, None where it is on another connection than the one that is named."""
    named = connections.get(context, connection) if connection is not None else None
    try:
        row = projects.going_on(context, key, by_name=by_name)
    except NotFound:
        return None
    except Conflict as error:
        if error.code != "ambiguous" or named is None:
            raise
        return None
    if named is None or row.connection_id == named.id:
        project_identity.make_sure_of(context, row.id, key)
        return row
    if row.id == key:
        there = next(one.name for one in connections.listed(context) if one.id == row.connection_id)
        fix = f"Leave --connection out, or name the project as {named.name!r} knows it."
        fail(f"The project {row.key} ({row.id}) is on the connection {there!r}.", fix)
    return None


def to_set(context: Context, given: Given, present: ProjectView) -> projects.Request:
    """What is asked of a project at once. A team file is imported."""
    team = present.team_id
    if given.team is not None:
        named = _team_in(context, given) is None
        team = teams.get(context, given.team).id if named else keep_team_file(Path(given.team), _of_table(given))[0].id
    return _request(context, present.key, given, present.connection_id, team, present)


def _asked(context: Context, given: Given, present: ProjectView) -> Asked:
    file = _team_in(context, given)
    if file is None:
        team = present.team_id if given.team is None else teams.get(context, given.team).id
    else:
        team = teams.proposed(context, file).id
    return Asked(_request(context, present.key, given, present.connection_id, team, present), file)


def _first(
    context: Context,
    key: str,
    given: Given,
    connection: str | None,
    held: ProjectView | None,
    found: Identity | None = None,
) -> ToPlan:
    """A project that nobody has set up, and the settings that a plan of it is to bring; `held` is what holds its former
    plans."""
    team = given.team
    if team is None:
        _no_such_project(context, key)
    file = _team_in(context, given)
    key, named = (key, connection or only_connection(context)) if held is None else (held.key, held.connection_id)
    row = teams.get(context, team) if file is None else teams.proposed(context, file)
    request = replace(_request(context, key, given, named, row.id), meant=found)
    try:
        return ToPlan(projects.plan_first(context, request, file), Asked(request, file, anew=True), new=True)
    except BaseException:
        teams.drop(context, row.id)
        raise


def _no_such_project(context: Context, key: str) -> NoReturn:
    """That there is no project of that name, and what it takes to have one."""
    new = f"To set it up: {again('--team', 'team.yaml')} (a team file, or an imported team's name)."
    try:
        projects.get(context, key, ask=False)
    except NotFound as error:
        fail(error.message, f"{error.fix}\n{new}" if projects.listed(context) else new)
    fail(f"The project {key!r} is on another connection.", new)


def _request(
    context: Context, key: str, given: Given, connection: str, team: str, present: ProjectView | None = None
) -> projects.Request:
    unreadable: list[Problem] = []
    template, parameters, calendar = (
        _kept(unreadable, read)
        for read in (
            lambda: _template(context, given.template, present),
            lambda: pairs("--set", given.values, "NAME=VALUE"),
            lambda: _calendar(given.calendar) if given.calendar is not None else None,
        )
    )
    return projects.Request(
        name=given.name or (present.name if present else key),
        key=key,
        connection=connection,
        team=team,
        template=template,
        parameters=parameters or {},
        time_zone=given.time_zone,
        create=given.create if given.create is not None else (present.create if present else False),
        calendar=calendar,
        turning=given.turning,
        unreadable=unreadable,
    )


def _kept(problems: list[Problem], read: Callable[[], Any]) -> Any:
    """What is read; where that is wrong nothing, and why is among the problems, which are told together."""
    try:
        return read()
    except InvalidInput as error:
        problems += error.problems
        return None


def _team_in(context: Context, given: Given) -> Team | None:
    """The team in the file that was given; None where it is not a file's name but a team's."""
    if given.team is None:
        return None
    path = Path(given.team)
    if path.suffix.casefold() not in {".yaml", ".yml", ".csv"} and not path.is_file():
        return None
    try:
        team, notes = team_in_file(context, path, _of_table(given))
    except InvalidInput as error:
        if any("--map" in problem.fix or "--encoding" in problem.fix for problem in error.problems):
            command = f"phaseloop teams import {typed(path)}"
            said = f"--map and --encoding are options of: {command}. Then plan with the team's name: {typed(path.stem)}"
            err.print(escape(said))
        raise
    for note in notes:
        err.print(escape(note))
    return team


def _of_table(given: Given) -> TableOptions:
    """A table has no time zone of its own: its team takes over the one that is given."""
    return TableOptions(time_zone=given.time_zone)


def _template(context: Context, given: str | None, present: ProjectView | None) -> template_files.TemplateText:
    if given is None and present is not None:
        return projects.template_text(context, present)
    return template_files.load(given or "iterative-ml")


def _calendar(file: Path) -> CalendarSpec:
    try:
        return read_calendar(file.read_text(encoding="utf-8"), str(file))
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}.", "Name a calendar file (YAML).")
    except UnicodeDecodeError:
        not_text(file, file.read_bytes())


def only_connection(context: Context) -> str:
    """The id of the connection where there is one only. Raises UseCaseError."""
    rows = connections.listed(context)
    if len(rows) == 1:
        return rows[0].id
    if not rows:
        message, fix = "There is no connection yet.", "`phaseloop connections add --help` says how to add one."
    else:
        message, fix = (
            "There are several connections: " + ", ".join(one.name for one in rows) + ".",
            f"Name one, such as: {again('--connection', rows[0].name)}",
        )
    raise UseCaseError("no-connection", message, fix)


def pairs(name: str, values: list[str] | tuple[str, ...], form: str) -> dict[str, str]:
    """Arguments of the form NAME=VALUE, of which all that are not so are told at once."""
    problems: list[Problem] = []
    pairs: dict[str, str] = {}
    for value in values:
        left, sign, right = value.partition("=")
        if not sign or not left.strip():
            problems.append(Problem(name, None, value, "is not two things with = between", f"write {form}"))
        elif left.strip() in pairs:
            problems.append(Problem(name, None, value, f"gives {left.strip()} twice", "give it once"))
        pairs[left.strip()] = right.strip()
    if problems:
        raise InvalidInput(problems)
    return pairs
