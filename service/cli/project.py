"""The commands about projects as such: list, show and set; removing one is with what is taken back."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from service.cli.project_options import NOTHING, Given, settings_options, to_set
from service.cli.shell import AsJson, misused, opened, out, print_json
from service.domain.commands import typed
from service.domain.project_settings import ProjectSettings
from service.store.tables import ProjectRow
from service.usecases import identity, project_changes, projects, scheduling

project = typer.Typer(help="Projects.", no_args_is_help=True)


@project.command("list")
def list_projects(as_json: AsJson = False) -> None:
    """List the projects, oldest first, those that have ended too."""
    with opened() as context:
        rows = projects.listed(context)
    if as_json:
        print_json([_project_json(row) for row in rows])
        return
    if not rows:
        out.print("No projects yet. Start one with: phaseloop plan KEY --team team.yaml --create")
        return
    table = Table("Key", "Name", "Id", "Since", "State", box=None, pad_edge=False)
    for row in rows:
        state = f"ended {row.ended_at:%Y-%m-%d}" if row.ended_at is not None else "going on"
        table.add_row(escape(row.key), escape(row.name), row.id, f"{row.created_at:%Y-%m-%d}", state)
    out.print(table)


def _project_json(row: ProjectRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "key": row.key,
        "name": row.name,
        "url": row.url,
        "created_at": row.created_at.isoformat(),
        "ended_at": row.ended_at.isoformat() if row.ended_at is not None else None,
    }


@project.command("show")
def show(
    name: Annotated[str, typer.Argument(metavar="PROJECT", help="The project's key or id.")],
    as_json: AsJson = False,
) -> None:
    """Show a project's settings: what the next plan is made from, unless it brings others."""
    with opened() as context:
        row = identity.up_to_date(context, projects.get(context, name))
        with context.database.session() as session:
            settings = project_changes.settings_of(session, row)
    if as_json:
        print_json(_settings_json(row, settings))
    else:
        out.print(_settings_table(row, settings))


@project.command("set")
@settings_options
def set_(
    project: Annotated[str, typer.Argument(metavar="PROJECT", help="The project's key or id.")],
    given: Given,
    as_json: AsJson = False,
) -> None:
    """Change a project's settings now, without a plan. The tracker follows with the next plan or advance.

    To see first what a change would do, give the same options to `phaseloop plan`: then they become the project's only
    when that plan is applied.
    """
    if given == NOTHING:
        misused("Nothing to set was given.", f"See what there is with: phaseloop project show {typed(project)}")
    with opened() as context:
        present = identity.up_to_date(context, projects.going_on(context, project))
        row = projects.put(context, to_set(context, given, present))
        scheduling.follow(context, row.id)
        with context.database.session() as session:
            settings = project_changes.settings_of(session, row)
    if as_json:
        print_json(_settings_json(row, settings))
        return
    out.print(_settings_table(row, settings))
    out.print(f"Kept. See what it changes in the tracker with: phaseloop plan {escape(typed(row.key))}")


def _settings_json(row: ProjectRow, settings: ProjectSettings) -> dict[str, Any]:
    return {
        "id": row.id,
        "key": row.key,
        "name": settings.name,
        "url": row.url,
        "connection": row.connection_id,
        "team": {"id": settings.team, "name": settings.team_name},
        "template": {"title": settings.template_title, "digest": settings.template},
        "create": settings.create,
        "parameters": dict(settings.parameters),
        "time_zone": settings.time_zone,
        "calendar": dict(settings.calendar),
        "turning": dict(settings.turning),
        "audit": dict(settings.audit),
        "serial": row.serial,
    }


def _settings_table(row: ProjectRow, settings: ProjectSettings) -> Table:
    table = Table("Setting", "Value", title=escape(row.key), title_justify="left", title_style="bold", box=None)
    plain = {
        "name": settings.name,
        "team": settings.team_name,
        "template": f"{settings.template_title} ({settings.template[:8]})",
        "time zone": settings.time_zone,
        "created by phaseloop": "yes" if settings.create else "no",
    }
    nested = ("parameters", "calendar", "turning", "audit")
    for name, value in {
        **plain,
        **{f"{group}.{one}": value for group in nested for one, value in getattr(settings, group).items()},
    }.items():
        table.add_row(escape(name), escape(str(value)))
    return table
