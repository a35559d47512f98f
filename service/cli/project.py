"""The commands about projects as such: list, show and set; removing one is with what is taken back."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from service.cli.past_projects import NamedPast, to_read
from service.cli.project_options import NOTHING, Given, settings_options, to_set
from service.cli.shell import AsJson, misused, nothing, opened, out, print_json
from service.context import Context
from service.domain.commands import typed
from service.domain.places import setting_words
from service.domain.plan.plan import Purpose
from service.usecases.errors import UseCaseError
from service.usecases.loop import scheduling
from service.usecases.plan import inventory, planning
from service.usecases.plan.inventory import ProjectShown
from service.usecases.setup import projects

project = typer.Typer(help="Projects.", no_args_is_help=True)


@project.command("list")
def list_projects(as_json: AsJson = False) -> None:
    """List the projects, oldest first, those that have ended too."""
    with opened() as context:
        rows, planned = projects.listed(context), only_planned_lines(context)
    if as_json:
        print_json([row.to_json() for row in rows])
        return
    if not rows:
        nothing("No projects yet. Start one with: phaseloop plan KEY --team team.yaml --create")
        for line in planned:
            out.print(line)
        return
    table = Table("Key", "Name", "Id", "Since", "State", box=None, pad_edge=False)
    for row in rows:
        state = f"ended {row.ended_at:%Y-%m-%d}" if row.ended_at is not None else "active"
        table.add_row(escape(row.key), escape(row.name), row.id, f"{row.created_at:%Y-%m-%d}", state)
    out.print(table)
    for line in planned:
        out.print(line)


def only_planned_lines(context: Context) -> list[str]:
    """How each project that is only planned is set up: by its last plan, for as long as that can be applied."""
    lines = []
    for row in projects.only_planned(context):
        plan = planning.latest(context, row.id, (Purpose.APPLY,))
        if plan is None or plan.expires_at <= context.now():
            continue
        said = f"Planned, and not set up: {escape(row.key)}."
        if plan.plan.blocked:
            again = f"phaseloop plan {escape(typed(row.key))}"
            lines.append(f"{said} Errors block its last plan. Fix what a new one names: {again}")
        else:
            lines.append(f"{said} Set it up with: phaseloop apply {plan.id}")
    return lines


@project.command("show")
def show(
    name: NamedPast,
    as_json: AsJson = False,
) -> None:
    """Show a project's settings: what the next plan is made from, unless it brings others."""
    with opened() as context:
        found = inventory.shown(context, projects.up_to_date(context, to_read(context, name).id))
        connection = projects.connection_of(context, found.project.id)
    if as_json:
        print_json(found.to_json())
    else:
        out.print(_settings_table(found, connection))


@project.command("set")
@settings_options
def set_(
    project: Annotated[str, typer.Argument(metavar="PROJECT", help="The project's key, name or id.")],
    given: Given,
    as_json: AsJson = False,
) -> None:
    """Change a project's settings now, without a plan. The tracker follows with the next plan or advance.

    To see first what a change would do, give the same options to `phaseloop plan`: then they become the project's only
    when that plan is applied.
    """
    if given == NOTHING:
        misused("Nothing to set was given.", f"See what there is with: phaseloop projects show {typed(project)}")
    with opened() as context:
        present = projects.up_to_date(context, projects.going_on(context, project).id)
        if present.planned:
            raise UseCaseError(
                "project-planned",
                f"{present.key} is only planned: it has no settings before a plan of it is applied.",
                f"Give the same options to: phaseloop plan {typed(present.key)}",
            )
        row = projects.put(context, to_set(context, given, present))
        scheduling.follow(context, row.id)
        found = inventory.shown(context, row)
        connection = projects.connection_of(context, row.id)
    if as_json:
        print_json(found.to_json())
        return
    out.print(_settings_table(found, connection))
    out.print(f"Kept. See what it changes in the tracker with: phaseloop plan {escape(typed(row.key))}")


def _settings_table(found: ProjectShown, connection: str) -> Table:
    settings = found.settings
    table = Table(
        "Setting", "Value", title=escape(found.project.key), title_justify="left", title_style="bold", box=None
    )
    plain = {
        "name": settings.name,
        "connection": connection,
        "team": settings.team_name,
        "template": f"{settings.template_title} ({settings.template[:8]})",
        "time zone": settings.time_zone,
        "created by phaseloop": "yes" if settings.create else "no",
    }
    nested = ("parameters", "calendar", "turning", "audit")
    for name, value in {
        **plain,
        **{
            setting_words(f"{group}.{one}"): value
            for group in nested
            for one, value in getattr(settings, group).items()
        },
    }.items():
        table.add_row(escape(name), escape(str(value)))
    return table
