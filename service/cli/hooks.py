"""Commands about the webhooks of connections: where they are, and their secrets."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from service.cli.shell import AsJson, Exit, fail, opened, out, print_json
from service.context import Context
from service.domain.audit.shown import visible
from service.domain.commands import typed
from service.domain.english import counted
from service.domain.hook.source import SOURCES
from service.usecases.hook import registration, secret
from service.usecases.setup import connections

hooks = typer.Typer(help="Webhooks: where trackers send events.", no_args_is_help=True)

Named = Annotated[str, typer.Argument(metavar="CONNECTION", help="The connection's name or id.")]
SecretFile = Annotated[
    typer.FileText | None,
    typer.Option("--secret-file", help="File with the secret, - for standard input; one is made up if left out."),
]
Overlap = Annotated[
    float, typer.Option(min=0, max=secret.LONGEST_OVERLAP_HOURS, help="Hours for which the former secret counts, too.")
]


@hooks.command("show")
def show(connection: Named, as_json: AsJson = False) -> None:
    """Show where a connection's tracker sends events, whether it may, and when it did last."""
    with opened() as context:
        found = registration.hook_json(context, connection)
        setting = registration.setting_command(found["connection"], connections.get(context, connection).kind)
    if as_json:
        print_json(found)
        return
    name = escape(visible(found["connection"]))
    if found["registered"]:
        out.print(f"{name} sends events to {found['address']}")
    else:
        out.print(f"{name} has no webhook here, as far as is known. It would deliver to {found['address']}")
        out.print(f"  Register it with: phaseloop hooks register {escape(typed(found['connection']))}")
    if not found["secrets"]:
        out.print("  It has no secret, so every delivery is refused.")
        out.print(f"  Set one with: {escape(setting)}")
    for until in found["secrets"]:
        out.print(f"  A secret counts{f' until {until}' if until else ''}")
    out.print(f"  Last event: {found['last_event_at'] or 'none yet'}")
    if found["waiting"]:
        waiting = counted(found["waiting"], "event")
        out.print(f"  To be handled: {waiting} of all senders, since {found['waiting_since']}")


@hooks.command("secret")
def set_secret(
    connection: Named,
    secret_file: SecretFile = None,
    overlap_hours: Overlap = secret.OVERLAP_HOURS,
    as_json: AsJson = False,
) -> None:
    """Set or rotate the secret by which a connection's tracker proves itself. One that is made up is printed, once.
    Where the tracker has a secret of its own, that has to be given."""
    with opened() as context:
        whose = secret.owner(context, connection, trigger=False)
        made = put_secret(context, whose, secret_file, overlap_hours)
        found = registration.hook_json(context, connection)
    if as_json:
        print_json({**found, **({"secret": made} if made else {})})
    elif made:
        sys.stdout.write(made + "\n")
    else:
        out.print("The secret was set.")


def put_secret(context: Context, whose: secret.Owner, given: typer.FileText | None, overlap_hours: float) -> str:
    """Set the secret; the one that was made up, empty where it was given."""
    if given is None and whose.source in SOURCES and SOURCES[whose.source].own_secret:
        source = SOURCES[whose.source]
        fail(f"{source.title} signs with a secret of its own.", f"Give it with --secret-file: {source.own_secret}.")
    text = given.read().strip() if given is not None else secret.made_up(whose.source)
    secret.put(context, whose, text, overlap_hours)
    return "" if given is not None else text


def _care(
    connection: str,
    act: Callable[[Context, str], registration.Cared],
    said: str,
    *,
    as_json: bool,
    ends: bool = False,
) -> None:
    """Look after a connection's webhooks, and tell what came of it. `ends`: it has none afterwards."""
    with opened() as context:
        found = registration.cared_json(context, connection, act(context, connection))
    _tell(found, said, as_json=as_json, ends=ends)


@hooks.command("register")
def register(connection: Named, as_json: AsJson = False) -> None:
    """Have a connection's tracker send events here: a webhook for the whole site, or one for each project. What is
    there already is put right. Needs PHASELOOP_PUBLIC_URL, and a running service where the tracker asks it first."""
    _care(connection, registration.register, "Registered.", as_json=as_json)


@hooks.command("check")
def check(connection: Named, as_json: AsJson = False) -> None:
    """Look at a connection's webhooks at its tracker: missing, switched off, failing. Changes nothing there."""
    _care(connection, registration.check, "Nothing is wrong with it.", as_json=as_json)


@hooks.command("repair")
def repair(connection: Named, as_json: AsJson = False) -> None:
    """Put a connection's webhooks right: what is missing is registered, what is switched off is on again, and the
    present secret is given to the tracker that takes it."""
    _care(connection, registration.register, "It is as it has to be.", as_json=as_json)


@hooks.command("remove")
def remove(connection: Named, as_json: AsJson = False) -> None:
    """Remove a connection's webhooks at its tracker, and its secret: nothing is taken in any more."""
    _care(connection, registration.remove, "Removed.", as_json=as_json, ends=True)


@hooks.command("list")
def list_hooks(as_json: AsJson = False) -> None:
    """List the webhooks of all connections."""
    with opened() as context:
        found = registration.listed_json(context)
    if as_json:
        print_json(found)
        return
    table = Table("Connection", "At the tracker", "Secret", "Last event", "", box=None, pad_edge=False)
    for one in found:
        there = str(len(one["registered"])) if one["checked_at"] else "not looked"
        has = "set" if one["secrets"] else "none: all is refused"
        cells = (one["connection"], there, has, one["last_event_at"] or "none yet", one["trouble"])
        table.add_row(*(escape(visible(cell)) for cell in cells))
    out.print(table)


def _tell(found: dict[str, Any], fine: str, *, as_json: bool, ends: bool) -> None:
    if as_json:
        print_json(found)
    for one in found["findings"] if not as_json else ():
        out.print(f"[yellow]{one['severity']}[/] {escape(visible(one['message']))}\n  {escape(visible(one['fix']))}")
    for number, step in enumerate(found["steps"] if not as_json else (), 1):
        out.print(f"  {number}. {escape(visible(step))}")
    if found["findings"]:
        raise typer.Exit(Exit.ERROR)
    if as_json:
        return
    name = escape(visible(found["connection"]))
    if not ends:
        out.print(f"{fine} {name} sends events to {found['address']}")
    elif found["steps"]:
        out.print(f"The secret of {name} was removed: whatever its webhook still delivers is refused.")
    else:
        out.print(f"{fine} {name} sends no events to phaseloop any more, and its secret is gone.")
