"""Commands around what a project is made of: templates, connections, teams."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

import service.templates as template_files
from service.cli.shell import AsJson, Exit, fail, misused, opened, out, print_json, told
from service.cli.words import finding_lines, guessed_lines
from service.context import Context
from service.domain.commands import typed
from service.domain.english import counted
from service.domain.mapping import entry_json
from service.domain.parameters import settle, tickets_on
from service.domain.reading import read_marked_template, read_template
from service.domain.references import lint
from service.domain.team import Team, is_table, read_team, read_team_table
from service.domain.team_csv import decoded
from service.domain.template import Template
from service.domain.wire import finding_to_json
from service.store.tables import ConnectionRow, TeamRow
from service.usecases import connections as connection_cases
from service.usecases import scheduling
from service.usecases import teams as team_cases
from service.usecases.connections import Preflight

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


@connections.command("add")
def add_connection(
    name: Annotated[str, typer.Argument(help="What you call it, such as `jira`.")],
    kind: Annotated[str, typer.Option(help="The kind of tracker: jira or trello.")] = "jira",
    url: Annotated[
        str | None, typer.Option(help="The address: https://your-site.atlassian.net; not needed for trello.com.")
    ] = None,
    email: Annotated[str | None, typer.Option(help="Jira: the account's e-mail address.")] = None,
    key: Annotated[str | None, typer.Option(help="Trello: the API key of your Power-Up.")] = None,
    workspace: Annotated[str | None, typer.Option(help="Trello: the workspace that new boards belong to.")] = None,
    invite: Annotated[
        bool | None, typer.Option("--invite", help="Trello: let people who have work into the board.")
    ] = None,
    gateway: Annotated[
        str | None,
        typer.Option(help="Jira: the gateway for tokens with scopes, where it is not https://api.atlassian.com."),
    ] = None,
    token_file: Annotated[
        typer.FileText, typer.Option(help="File with the API token; - (the default) reads it from standard input.")
    ] = "-",  # type: ignore[assignment]  # noqa: S107 - typer opens it; - is standard input
    allow_http: Annotated[
        bool | None, typer.Option("--allow-http", help="Allow plain http beyond this machine.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Write an existing connection anew.")] = False,
    as_json: AsJson = False,
) -> None:
    """Add a tracker. The token is read from a file or standard input, encrypted, and never shown again."""
    given = {
        "url": url,
        "email": email,
        "gateway": gateway,
        "key": key,
        "workspace": workspace,
        "invite": invite,
        "allow_http": allow_http,
    }
    on_terminal = token_file.isatty()
    secret = typer.prompt("API token", hide_input=True, err=True) if on_terminal else token_file.read().strip()
    settings = {name: value for name, value in given.items() if value is not None}
    with opened() as context:
        row = connection_cases.put(context, name, kind, settings, secret, replace=replace)
    if as_json:
        print_json(connection_json(row))
    else:
        out.print(
            f"Connection [bold]{escape(row.name)}[/] kept. "
            f"Check it with: phaseloop connections check {escape(typed(row.name))}"
        )


@connections.command("list")
def list_connections(as_json: AsJson = False) -> None:
    """List the connections."""
    with opened() as context:
        rows = connection_cases.listed(context)
    if as_json:
        print_json([connection_json(row) for row in rows])
        return
    if not rows:
        out.print("No connections yet. Add one with: phaseloop connections add NAME --url … --email …")
        return
    table = _table("Name", "Kind", "Site", "Account")
    for row in rows:
        table.add_row(escape(row.name), row.kind, escape(row.settings.get("url", "")), row.settings.get("email", ""))
    out.print(table)


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
        found = [(row, connection_cases.check(context, row.id, project, create=create)) for row in rows]
    if not found:
        fail("There is no connection yet.", "Add one with: phaseloop connections add NAME --url … --email …")
    if as_json:
        print_json([_preflight_json(row, preflight) for row, preflight in found])
    else:
        for row, preflight in found:
            _print_preflight(row, preflight)
    if not all(preflight.ok for _row, preflight in found):
        raise typer.Exit(Exit.ERROR)


def _print_preflight(row: ConnectionRow, preflight: Preflight) -> None:
    out.print(f"[bold]{escape(row.name)}[/] {row.kind} {escape(row.settings.get('url', ''))}")
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


def _preflight_json(row: ConnectionRow, preflight: Preflight) -> dict[str, Any]:
    account = preflight.account
    return {
        "connection": row.name,
        "ok": preflight.ok,
        "account": {"id": account.id, "name": account.name, "email": account.email} if account else None,
        "project": preflight.place.ref.key if preflight.place else None,
        "mapping": [entry_json(one) for one in preflight.place.mapping] if preflight.place else [],
        "findings": [finding_to_json(finding) for finding in preflight.findings],
    }


def connection_json(row: ConnectionRow) -> dict[str, Any]:
    """A connection without its credential."""
    return {
        "id": row.id,
        "name": row.name,
        "kind": row.kind,
        "settings": row.settings,
        "created_at": row.created_at.isoformat(),
    }


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
        print_json({**_team_json(row), "notes": list(notes)} if notes else _team_json(row))
        return
    for note in notes:
        out.print(escape(note))
    zone = team_cases.team_of(row).zone
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
) -> tuple[TeamRow, tuple[str, ...]]:
    """Read the file and keep the team in it; with notes on what was passed over or guessed.

    What is not said of a table is what was said when it was last imported. Its time zone is asked for where somebody
    can answer, and is never guessed."""
    with opened() as context:
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
                f"Import it with: phaseloop team import {typed(file)} --time-zone Europe/Paris",
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
        fail(f"{file} is not UTF-8 text.", "Save it as UTF-8.")


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}.")


@team.command("list")
def list_teams(as_json: AsJson = False) -> None:
    """List the teams."""
    with opened() as context:
        rows = team_cases.listed(context)
    if as_json:
        print_json([_team_json(row) for row in rows])
        return
    if not rows:
        out.print("No teams yet. Import one with: phaseloop team import FILE")
        return
    table = _table("Name", "People", "Version")
    for row in rows:
        table.add_row(escape(row.name), str(len(row.body["members"])), str(row.version))
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
        print_json(_team_json(row))
        return
    table = _table("Person", "Account", "Roles", "Capacity", "Away", title=escape(row.name))
    for member in team_cases.team_of(row).members:
        away = ", ".join(f"{span.first} to {span.last}" for span in member.away)
        capacity = "no limit" if member.capacity is None else f"{member.capacity} pts"
        table.add_row(escape(member.person), escape(member.handle), " ".join(member.roles), capacity, away)
    out.print(table)


def _team_json(row: TeamRow) -> dict[str, Any]:
    return {"id": row.id, "version": row.version, **row.body}


def _table(*headings: str, title: str | None = None) -> Table:
    table = Table(*headings, title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.columns[0].no_wrap = True
    return table
