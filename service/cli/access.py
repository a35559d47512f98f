"""Commands around who may do what, and who did: tokens and the log of changes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from service.cli.shell import AsJson, Exit, err, opened, out, print_json
from service.domain.access.roles import MEANING, Role
from service.domain.english import counted
from service.domain.problems import InvalidInput, Problem
from service.usecases.access import change_log
from service.usecases.access import tokens as token_cases
from service.usecases.access.change_log import Asked
from service.usecases.setup import projects
from service.views.access import ChangeView

tokens = typer.Typer(help="Tokens for the REST API.", no_args_is_help=True)
log = typer.Typer(help="The log of every change: who, when, from where, before and after.", no_args_is_help=True)


@tokens.command()
def create(
    name: Annotated[str, typer.Argument(help="What the token is for; shown in runs as who started them.")],
    role: Annotated[
        Role, typer.Option(help="What it may do: " + "; ".join(f"{one.value} {MEANING[one]}" for one in Role) + ".")
    ] = Role.ADMIN,
    project: Annotated[
        list[str] | None, typer.Option(help="Only in this project (id or key); repeat for several [default: in all].")
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, max=3650, help="Days until it expires [default: never].")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a token and print it, once."""
    with opened(founds=True) as context:
        until = context.now() + timedelta(days=days) if days is not None else None
        row, token = token_cases.make(context, name, role=role, within=project or (), expires_at=until)
        shown = token_cases.token_json(context, token_cases.get(context, row.id))
    if as_json:
        print_json({**shown, "token": token})
        return
    sys.stdout.write(token + "\n")
    what = f"{row.name}: {role.value}{_within(project)}, which {MEANING[role]}"
    err.print(escape(f"{what}. It is not shown again; revoke it with: phaseloop tokens revoke {row.id}"))


@tokens.command("list")
def list_tokens(as_json: AsJson = False) -> None:
    """List the tokens: what each may do, when it was used last, whether it still opens anything."""
    with opened() as context:
        found = [token_cases.token_json(context, one) for one in token_cases.listed(context)]
        keys = projects.keys(context)
    if as_json:
        print_json(found)
        return
    if not found:
        out.print("There are no tokens. Make one: phaseloop tokens create NAME")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Name", "May", "State", "Last used", "Expires", "Id"):
        table.add_column(heading)
    for one in found:
        used, ends = _minute(one["last_used_at"]) or "never", _minute(one["expires_at"]) or "never"
        table.add_row(escape(one["name"]), _may(one["grants"], keys), one["state"], used, ends, one["id"])
    out.print(table)


@tokens.command()
def revoke(
    token: Annotated[str, typer.Argument(help="The token's id, or its name.")],
    as_json: AsJson = False,
) -> None:
    """Have a token open nothing any more, from its next request on. It stays in the list."""
    with opened() as context:
        found = token_cases.token_json(context, token_cases.revoke(context, token))
    if as_json:
        print_json(found)
    else:
        out.print(escape(f"The token {found['name']} ({found['id']}) opens nothing any more."))


By = Annotated[str | None, typer.Option(help="Only what was done by this login or token.")]
Thing = Annotated[str | None, typer.Option(help="Only changes of such things, like connection, team, waiver, token.")]
Of = Annotated[str | None, typer.Option("--project", help="Only changes of this project (id or key).")]
Since = Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="Only from this day on (UTC).")]
Until = Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="Only up to this day, included (UTC).")]


@log.command("list")
def list_changes(
    by: By = None,
    thing: Thing = None,
    project: Of = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, max=10000, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List the changes, the newest first."""
    with opened() as context:
        rows = change_log.page(context, limit, asked=_asked(by, thing, project, since, until))
    if as_json:
        print_json([row.to_json() for row in rows])
        return
    if not rows:
        out.print("No change fits.")
    for row in rows:
        for line in _lines(row):
            out.print(line)


@log.command()
def export(
    by: By = None,
    thing: Thing = None,
    project: Of = None,
    since: Since = None,
    until: Until = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="As a table; as JSON if left out.")] = False,
) -> None:
    """Write the changes to standard output, the newest first: all of them, or those that fit."""
    with opened() as context:
        rows = change_log.whole(context, _asked(by, thing, project, since, until))
        if as_csv:
            sys.stdout.write(change_log.csv_text(rows))
        else:
            print_json([row.to_json() for row in rows])


@log.command()
def verify(as_json: AsJson = False) -> None:
    """Hold the log against its seals: whether an entry was changed, left out or put in between. Exits with 3 if so.

    Note the digest that it prints somewhere else: what was before it cannot be changed any more without its showing.
    """
    with opened() as context:
        found = change_log.verify(context)
    if as_json:
        print_json(change_log.verified_json(found))
    else:
        for wrong in found.breaks:
            out.print(escape(f"{wrong}."))
        holds = "does not hold" if found.breaks else "holds"
        newest = f", the newest sealed {found.head}" if found.head else ""
        out.print(f"The log {holds}: {counted(found.entries, 'entry', 'entries')}{newest}")
    if found.breaks:
        raise typer.Exit(Exit.FOUND)


def _asked(by: str | None, thing: str | None, project: str | None, since: str | None, until: str | None) -> Asked:
    """What is asked for. Raises InvalidInput with every day that is none."""
    problems = []
    days: dict[str, datetime | None] = {}
    for name, given in (("since", since), ("until", until)):
        try:
            days[name] = datetime.fromisoformat(given).replace(tzinfo=UTC) if given is not None else None
        except ValueError:
            problems.append(Problem("log", None, name, f"{given!r} is no day", f"write it like --{name} 2027-01-31"))
    if problems:
        raise InvalidInput(problems)
    last = days["until"]
    day = timedelta(days=1)
    beyond = last + day if last is not None and last.date() < date.max else None
    return Asked(by, thing, project, days["since"], beyond)


def _lines(row: ChangeView) -> Iterable[str]:
    told = row.to_json()
    name = f" {told['name']}" if told["name"] else ""
    what = f"{row.thing}{name} {row.action}"
    yield f"{row.at:%Y-%m-%d %H:%M:%S} [bold]{escape(what)}[/] by {escape(row.by)} [dim]({escape(told['from'])})[/]"
    for field in sorted({*told["before"], *told["after"]}):
        yield "    " + escape(_difference(field, told["before"], told["after"]))


def _difference(field: str, before: dict[str, Any], after: dict[str, Any]) -> str:
    if field not in before:
        return f"{field}: {_short(after[field])}"
    if field not in after:
        return f"{field}: was {_short(before[field])}"
    return f"{field}: {_short(before[field])} → {_short(after[field])}"


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else f"{text[:99]}…"


def _within(projects: list[str] | None) -> str:
    return f" in {', '.join(projects)}" if projects else " in all projects"


def _may(grants: list[dict[str, Any]], keys: Mapping[str, str]) -> str:
    """What these grants allow; `keys` are what people call projects, by id."""
    said = []
    for one in grants:
        where = f" in {keys.get(one['project'], one['project'])}" if one["project"] else ""
        said.append(one["role"] + where)
    return escape(", ".join(said)) or "nothing"


def _minute(instant: str | None) -> str:
    return f"{datetime.fromisoformat(instant):%Y-%m-%d %H:%M}" if instant is not None else ""
