"""`phaseloop connections map`: what stands for what in a project of the tracker, shown and set."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from connectors.mapped import Mapped
from connectors.values import Severity
from service.cli.library import connections
from service.cli.project_options import pairs
from service.cli.shell import AsJson, Exit, opened, out, print_json, who
from service.cli.words import finding_lines
from service.domain.plan.mapping_findings import how
from service.usecases.setup import tracker_mapping

__all__ = ["connections", "map_connection"]

SHOWN_AT_MOST = 6
"""How many alternatives of a role the table names; `--json` has them all."""


@connections.command("map")
def map_connection(
    name: Annotated[str, typer.Argument(help="The connection.")],
    project: Annotated[
        str, typer.Option(help="The project of the tracker: its key, or a board's name or address.", show_default=False)
    ],
    values: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="ROLE=NAME_OR_ID",
            help="What stands for a role: a name or an id of the tracker's; `none` to do without, `new` to have"
            " phaseloop make a list of its own. May be repeated.",
        ),
    ] = None,
    unset: Annotated[
        list[str] | None, typer.Option(metavar="ROLE", help="Find this role anew. May be repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show which of the tracker's things stand for what (the issue type of tickets, the link type of dependencies, the
    list that means done), how each was found and what else there is; or set them. Writes nothing to the tracker.

    Things are kept by the tracker's ids: they may be renamed. Exit code 1 if something has to be said first.
    """
    with opened() as context:
        if values or unset:
            given = pairs("--set", values or [], "ROLE=NAME_OR_ID")
            found = tracker_mapping.put(context, name, project, given, who(), unset=unset or ())
        else:
            found = tracker_mapping.shown(context, name, project)
    if as_json:
        print_json(tracker_mapping.shown_json(found))
    else:
        out.print(f"[bold]{escape(found.connection.name)}[/] project {escape(found.place.ref.key)}")
        out.print(_table(found.entries))
        for line in finding_lines(found.findings):
            out.print(line)
    if any(one.severity is Severity.ERROR for one in found.findings):
        raise typer.Exit(Exit.ERROR)


def _table(entries: tuple[Mapped, ...]) -> Table:
    table = Table("Role", "Stands for it", "Id", "How it was found", "What else there is", box=None, pad_edge=False)
    table.columns[0].no_wrap = True
    for one in entries:
        name = f"[red]{escape(one.name or '?')}[/]" if one.unclear else escape(one.name or "-")
        table.add_row(one.role.value, name, escape(one.id), escape(how(one)), escape(_others(one)))
    return table


def _others(one: Mapped) -> str:
    there = [f"{each.name} ({each.id})" for each in one.candidates if each.id != one.id]
    more = [f"and {len(there) - SHOWN_AT_MOST} more"] if len(there) > SHOWN_AT_MOST else []
    return ", ".join([*there[:SHOWN_AT_MOST], *more, *one.special])
