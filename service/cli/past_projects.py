"""Projects for the commands that read: the active ones, and the last of a key that has ended, which is said."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape

from service.cli.shell import err
from service.context import Context
from service.domain.english import counted
from service.usecases.setup import projects
from service.views.setup import ProjectView

NamedPast = Annotated[
    str, typer.Argument(metavar="PROJECT", help="The project's key, name or id, also of one that has ended.")
]


def none_going_on(context: Context) -> str:
    """That there is no active project, and where those that have ended are."""
    ended = [row for row in projects.listed(context) if row.ended_at is not None]
    start = "Start one with: phaseloop plan KEY --team team.yaml --create"
    if not ended:
        return f"No projects yet. {start}"
    have = f"{counted(len(ended), 'project')} {'has' if len(ended) == 1 else 'have'} ended: phaseloop projects list"
    return f"No active project. {have}\n{start}"


def to_read(context: Context, name: str) -> ProjectView:
    """The project whose records are to be shown. Where it has ended, a line on standard error says so."""
    row = projects.past_or_present(context, name)
    if row.ended_at is not None:
        day = f"{row.ended_at.astimezone(ZoneInfo(row.time_zone)):%Y-%m-%d}"
        err.print(escape(f"The project {row.key} has ended on {day} ({row.id}): this is what was kept of it."))
    return row
