"""Commands around what a project is made of: templates, connections, teams."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

import service.templates as template_files
from connectors.kinds import Kind
from connectors.registry import KINDS, kind_of
from service.cli.shell import AsJson, Exit, again, fail, misused, not_text, nothing, opened, out, print_json, told
from service.cli.words import finding_lines, guessed_lines
from service.context import Context
from service.domain.commands import typed
from service.domain.english import counted, sentence
from service.domain.team.team import Team, is_table, read_team, read_team_table
from service.domain.team.team_csv import decoded
from service.domain.template.parameters import settle, tickets_on
from service.domain.template.reader import read_marked_template, read_template
from service.domain.template.references import lint
from service.domain.template.shape import meant_of
from service.domain.template.template import Template
from service.usecases.loop import scheduling
from service.usecases.setup import connections as connection_cases
from service.usecases.setup import teams as team_cases
from service.usecases.setup.connections import Preflight
from service.views.setup import ConnectionView, TeamView

templates = typer.Typer(help="The processes that can be built.", no_args_is_help=True)
connections = typer.Typer(help="Trackers we speak to.", no_args_is_help=True)
team = typer.Typer(help="Teams: people, roles, capacity.", no_args_is_help=True)


@templates.command("list")
def list_templates(as_json: AsJson = False) -> None:
    """List the built-in templates."""
    with told():
        found = [(text, read_template(text.text, text.source)) for text in template_files.builtin()]
    if as_json:
        print_json([{"name": t.name, "version": t.version, "title": t.title, "digest": x.digest} for x, t in found])
        return
    table = _table("Name", "Version", "Title")
    for _text, template in found:
        table.add_row(template.name, template.version, escape(template.title))
    out.print(table)


@templates.command("show")
def show_template(
    name: Annotated[str, typer.Argument(help="A built-in template's name, or a file.")] = "iterative-ml",
    as_json: AsJson = False,
    raw: Annotated[bool, typer.Option("--yaml", help="Print the template's own text.")] = False,
) -> None:
    """Show a template: its phases, roles and parameters."""
    with told():
        text = template_files.load(name)
        template = read_template(text.text, text.source)
    if raw:
        sys.stdout.write(text.text)
    elif as_json:
        print_json(template.model_dump(mode="json"))
    else:
        _describe(template)


def _describe(template: Template) -> None:
    out.print(
        f"[bold]{escape(template.title)}[/] ({template.name} {template.version})\n{escape(template.description)}\n"
    )
    phases = _table("Phase", "Epics", "Tickets", "Roles", title="Phases")
    for phase in template.phases:
        phases.add_row(escape(phase.title), str(len(phase.epics)), str(len(phase.tickets)), " ".join(phase.roles))
    roles = _table("Role", "Title", "Falls back to", title="Roles")
    for key, role in template.roles.items():
        roles.add_row(key, escape(role.title), role.fallback or "")
    parameters = _table("Parameter", "Default", "What it sets", title="Parameters (--set NAME=VALUE)")
    for name, parameter in template.parameters.items():
        parameters.add_row(name, str(parameter.default), escape(parameter.description))
    for table in (phases, roles, parameters):
        out.print(table)


@templates.command()
def validate(
    files: Annotated[list[str], typer.Argument(help="Template files, or names of built-in templates.")],
    as_json: AsJson = False,
    strict: Annotated[bool, typer.Option("--strict", help="Take warnings for problems.")] = False,
) -> None:
    """Check templates; every problem is printed as FILE:LINE PATH: what is wrong; what would be right. What may be
    wrong is a warning: the template works."""
    from datetime import UTC, datetime

    from service.domain.problems import InvalidInput

    answers: list[dict[str, Any]] = []
    for name in files:
        try:
            text = template_files.load(name)
            marked = read_marked_template(text.text, text.source)
        except InvalidInput as error:
            problems = [str(problem) for problem in error.problems]
            answers.append({"file": name, "valid": False, "problems": problems, "warnings": []})
            continue
        template = marked.template
        warnings = [str(warning) for warning in lint(template, marked.marks)]
        if strict and warnings:
            answers.append({"file": name, "valid": False, "problems": warnings, "warnings": []})
            continue
        tickets = len(tickets_on(template, settle(template, {}, datetime.now(UTC).date())))
        answers.append(
            {
                "file": name,
                "valid": True,
                "problems": [],
                "warnings": warnings,
                "phases": len(template.phases),
                "tickets": tickets,
            }
        )
    if as_json:
        print_json(answers)
    else:
        for answer in answers:
            for problem in answer["problems"]:
                out.print(escape(problem))
            for warning in answer["warnings"]:
                out.print(f"warning: {escape(warning)}")
            if answer["valid"]:
                out.print(f"{escape(answer['file'])}: valid, {_sizes(answer)}")
    if not all(answer["valid"] for answer in answers):
        raise typer.Exit(Exit.ERROR)


def _sizes(answer: Mapping[str, Any]) -> str:
    return f"{counted(answer['phases'], 'phase')}, {counted(answer['tickets'], 'ticket')}"


def adding(kinds: Mapping[str, Kind]) -> Callable[..., None]:
    """The command `connections add`, with an option for each setting that people give for one of these kinds."""
    first = next(iter(kinds))

    def add_connection(
        name: Annotated[str, typer.Argument(help=f"What you call it, such as `{first}`.")],
        kind: Annotated[str, typer.Option(help=f"The kind of tracker: {' or '.join(kinds)}.")] = first,
        token_file: Annotated[
            typer.FileText, typer.Option(help="File with the API token; - (the default) reads it from standard input.")
        ] = "-",  # type: ignore[assignment]  # noqa: S107 - typer opens it; - is standard input
        replace: Annotated[bool, typer.Option("--replace", help="Write an existing connection anew.")] = False,
        as_json: AsJson = False,
        **given: str | bool | None,
    ) -> None:
        """Add a tracker. The token is read from a file or standard input, encrypted, and never shown again."""
        kind = kind.strip().casefold()
        _refuse_what_does_not_fit(kinds, kind, {name for name, value in given.items() if value is not None})
        on_terminal = token_file.isatty()
        secret = typer.prompt("API token", hide_input=True, err=True) if on_terminal else token_file.read().strip()
        settings = {name: value for name, value in given.items() if value is not None}
        with opened(founds=True) as context:
            row = connection_cases.put(context, name, kind, settings, secret, replace=replace)
        if as_json:
            print_json(row.to_json())
        else:
            out.print(
                f"Connection [bold]{escape(row.name)}[/] kept. "
                f"Check it with: phaseloop connections check {escape(typed(row.name))}"
            )

    written = inspect.signature(add_connection, eval_str=True, locals={"first": first, "kinds": kinds})
    *before, _given = written.parameters.values()
    at = [one.name for one in before].index("token_file")
    shown = written.replace(parameters=[*before[:at], *_options(kinds), *before[at:]])
    add_connection.__signature__ = shown  # type: ignore[attr-defined]
    add_connection.__annotations__ = {name: one.annotation for name, one in shown.parameters.items()}
    return add_connection


def _refuse_what_does_not_fit(kinds: Mapping[str, Kind], kind: str, given: Set[str]) -> None:
    """Leave where a connection of this kind needs settings that are not given, or has none of those that are: before a
    secret is typed in vain."""
    if kind not in kinds:
        misused(f"--kind: there is no tracker {kind!r}.", f"{sentence(meant_of(kind, list(kinds)))}.")
    settings = kinds[kind].given
    lacking = [_flag(one.name) for one in settings if one.needed and one.name not in given]
    foreign = sorted(_flag(one) for one in given - {one.name for one in settings})
    wrong = [f"needs {' and '.join(lacking)}"] if lacking else []
    wrong += [f"has no {' and no '.join(foreign)}"] if foreign else []
    if wrong:
        added = [word for flag in lacking for word in (flag, flag.removeprefix("--").upper())]
        fix = f"Such as: {again(*added)}" if not foreign else "Leave out what it does not have."
        misused(f"A connection to {kinds[kind].title} {' and '.join(wrong)}.", fix)


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _options(kinds: Mapping[str, Kind]) -> list[inspect.Parameter]:
    """An option for each setting; its help says whose it is, unless it is everybody's."""
    told: dict[str, dict[str, str]] = {}
    switches = set()
    for kind in kinds.values():
        for setting in kind.given:
            told.setdefault(setting.name, {})[kind.title] = setting.help
            switches |= {setting.name} if setting.switch else set()
    return [_option(name, words, len(kinds), switch=name in switches) for name, words in told.items()]


def _option(name: str, words: Mapping[str, str], kinds: int, *, switch: bool) -> inspect.Parameter:
    if len(words) == kinds and len(set(words.values())) == 1:
        text = next(iter(words.values()))
        text = text[:1].upper() + text[1:]
    else:
        text = " ".join(f"{title}: {each}" for title, each in words.items())
    flag = _flag(name)
    made: Any = Annotated  # of a type that is known here and not to the type checker
    annotation = made[bool | None if switch else str | None, typer.Option(flag, help=text)]
    return inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=annotation)


connections.command("add")(adding(KINDS))


@connections.command("list")
def list_connections(as_json: AsJson = False) -> None:
    """List the connections."""
    with opened() as context:
        rows = connection_cases.listed(context)
    if as_json:
        print_json([row.to_json() for row in rows])
        return
    if not rows:
        nothing("No connections yet. `phaseloop connections add --help` says how to add one.")
        return
    table = _table("Name", "Kind", "Site", "Account")
    for row in rows:
        account = str(row.settings.get(kind_of(row.kind).account_field, ""))
        table.add_row(escape(row.name), row.kind, escape(_site(row)), escape(account))
    out.print(table)


def _site(row: ConnectionView) -> str:
    return str(row.settings.get(kind_of(row.kind).address_field, ""))


@connections.command("remove")
def remove_connection(
    name: Annotated[str, typer.Argument(help="The connection.")],
    as_json: AsJson = False,
) -> None:
    """Remove a connection with its credential. Nothing is sent to the tracker: revoke the token there, and have its
    webhooks removed before (`phaseloop hooks remove`). Refused while a project that has not ended, or a trigger, uses
    it.
    """
    with opened() as context:
        shown = connection_cases.get(context, name).name
        number = connection_cases.remove(context, name)
    if as_json:
        print_json({"id": number})
    else:
        out.print(f"Removed the connection {escape(shown)}, with its credential. Revoke the token at the tracker.")


@connections.command("check")
def check_connection(
    name: Annotated[str | None, typer.Argument(help="The connection; all of them if left out.")] = None,
    project: Annotated[str | None, typer.Option(help="Key of a project to check permissions and fields of.")] = None,
    create: Annotated[bool, typer.Option(help="Check whether that project could be created.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say who we are there, which permissions are missing and which fields would be refused. Writes nothing."""
    with opened() as context:
        rows = [connection_cases.get(context, name)] if name else connection_cases.listed(context)
        found = [connection_cases.check(context, row.id, project, create=create) for row in rows]
    if not found:
        fail("There is no connection yet.", "`phaseloop connections add --help` says how to add one.")
    if as_json:
        print_json([preflight.to_json() for preflight in found])
    else:
        for preflight in found:
            _print_preflight(preflight)
    if not all(preflight.ok for preflight in found):
        raise typer.Exit(Exit.ERROR)


def _print_preflight(preflight: Preflight) -> None:
    row = preflight.connection
    out.print(f"[bold]{escape(row.name)}[/] {row.kind} {escape(_site(row))}")
    if preflight.account is not None:
        out.print(f"  signed in as {escape(preflight.account.name)} ({escape(preflight.account.email or 'no e-mail')})")
    if preflight.place is not None:
        able = preflight.place.capabilities
        words = [
            word for word, can in (("sprints", able.iterations), ("points", able.points), ("links", able.links)) if can
        ]
        out.print(f"  project {preflight.place.ref.key}: {', '.join(words) or 'tickets only'}")
    if preflight.place is not None:
        for line in guessed_lines(preflight.place.mapping, row.name, preflight.place.ref.key):
            out.print(line)
    for line in finding_lines(preflight.findings):
        out.print(line)
    if preflight.ok:
        out.print("  [green]ready[/]")


@team.command("import")
def import_team(
    file: Annotated[Path, typer.Argument(help="A team file, YAML or CSV.")],
    columns: Annotated[
        list[str] | None,
        typer.Option("--map", help='CSV: what a heading stands for, "Work Email=email"; "-" skips it. Remembered.'),
    ] = None,
    time_zone: Annotated[
        str | None,
        typer.Option("--time-zone", "--timezone", help="CSV: the team's IANA time zone, which a table cannot say."),
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="CSV: how the file is encoded, if that is not seen.")] = None,
    as_json: AsJson = False,
) -> None:
    """Keep a team under its name; import it again when the file has changed."""
    if time_zone is not None and not is_table(str(file)):
        misused(f"{file} is not CSV.", "--time-zone is for tables; in YAML the time zone is a line of the file.")
    row, notes = keep_team_file(file, TableOptions(_columns(columns or []), time_zone, encoding), ask=not as_json)
    if as_json:
        print_json(row.in_full(notes))
        return
    for note in notes:
        out.print(escape(note))
    zone = row.team.zone
    there = f", in {zone}" if zone else ""
    people = f"{counted(len(row.body['members']), 'person', 'people')}, version {row.version}{there}"
    out.print(f"Team [bold]{escape(row.name)}[/] kept: {people}.")


@dataclass(frozen=True, slots=True)
class TableOptions:
    """What is said of a table besides the table: what headings stand for, its time zone, its encoding."""

    columns: Mapping[str, str] = field(default_factory=dict)
    time_zone: str | None = None
    encoding: str | None = None


def _columns(given: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in given:
        heading, says, column = one.rpartition("=")
        if not says or not heading.strip():
            misused(f"--map {one!r} is not HEADING=column.", "Such as --map 'Work Email=email'.")
        found[heading.strip()] = column.strip().casefold()
    return found


def keep_team_file(
    file: Path, options: TableOptions = TableOptions(), *, ask: bool = False
) -> tuple[TeamView, tuple[str, ...]]:
    """Read the file and keep the team in it; with notes on what was passed over or guessed.

    What is not said of a table is what was said when it was last imported. Its time zone is asked for where somebody
    can answer, and is never guessed."""
    with opened(founds=True) as context:
        found, notes = team_in_file(context, file, options, ask=ask)
        row = team_cases.put(context, found)
        scheduling.follow_team(context, row.id)
        return row, notes


def team_in_file(
    context: Context, file: Path, options: TableOptions = TableOptions(), *, ask: bool = False
) -> tuple[Team, tuple[str, ...]]:
    """The team in the file, as `keep_team_file` reads it; nothing is kept."""
    if not is_table(str(file)):
        if options.columns or options.encoding:
            misused(f"{file} is not CSV.", "--map and --encoding are for tables.")
        return read_team_file(file), ()
    kept = team_cases.kept_of_table(context, file.stem)
    text, notes = decoded(_bytes(file), str(file), options.encoding)

    def read(zone: str | None) -> tuple[Team, tuple[str, ...]]:
        columns, remembered = options.columns, kept.columns
        return read_team_table(text, str(file), columns=columns, remembered=remembered, time_zone=zone)

    zone = options.time_zone or kept.time_zone
    found, more = read(zone)
    if zone is None:
        if not (ask and sys.stdin.isatty()):
            fail(
                f"{file} says no time zone: a table has none.",
                f"Say which, such as: {again('--time-zone', 'Europe/Paris')}",
            )
        found, more = read(typer.prompt("In which time zone does the team work (such as Europe/Paris)?"))
    return found, (*notes, *more)


def read_team_file(file: Path) -> Team:
    """The team in the file. Raises InvalidInput; leaves with a word where the file cannot be read."""
    raw = _bytes(file)
    if is_table(str(file)):
        return read_team_table(decoded(raw, str(file))[0], str(file))[0]
    try:
        return read_team(raw.decode("utf-8-sig"), str(file))
    except UnicodeDecodeError:
        not_text(file, raw)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}.", "Name a team file: YAML, or a table as CSV.")


@team.command("list")
def list_teams(as_json: AsJson = False) -> None:
    """List the teams."""
    with opened() as context:
        rows = team_cases.listed(context)
    if as_json:
        print_json([row.to_json() for row in rows])
        return
    if not rows:
        nothing("No teams yet. Import one with: phaseloop teams import FILE")
        return
    table = _table("Name", "People", "Version")
    for row in rows:
        table.add_row(escape(row.name), str(row.people), str(row.version))
    out.print(table)


@team.command("show")
def show_team(
    name: Annotated[str, typer.Argument(help="The team's name or id.")],
    as_json: AsJson = False,
) -> None:
    """Show a team: its people, roles, capacity and absences."""
    with opened() as context:
        row = team_cases.get(context, name)
    if as_json:
        print_json(row.in_full())
        return
    table = _table("Person", "Account", "Roles", "Capacity", "Away", title=escape(row.name))
    for member in row.team.members:
        away = ", ".join(f"{span.first} to {span.last}" for span in member.away)
        capacity = "no limit" if member.capacity is None else counted(member.capacity, "pt")
        table.add_row(escape(member.person), escape(member.handle), " ".join(member.roles), capacity, away)
    out.print(table)
    out.print(f"Time zone: {escape(row.team.zone or 'UTC, because the team says none')}")
    if row.team.columns:
        meant = ", ".join(f'"{heading}" as {column}' for heading, column in row.team.columns.items())
        out.print(escape(f"Headings of its table: {meant}"))


def _table(*headings: str, title: str | None = None) -> Table:
    table = Table(*headings, title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.columns[0].no_wrap = True
    return table
