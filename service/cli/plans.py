"""The commands people use most: plan, apply, status."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

import service.templates as template_files
from connectors.tracker import ItemKind
from service.cli.library import keep_team_file
from service.cli.runs import report
from service.cli.shell import AsJson, Exit, err, fail, opened, out, print_json
from service.cli.show import plan_lines
from service.cli.work import carry_out
from service.context import Context
from service.domain.problems import InvalidInput, Problem
from service.store.tables import PlanRow, ProjectRow
from service.usecases import applying, connections, planning, projects, running, teams
from service.usecases.errors import NotFound, UseCaseError


def plan(
    project: Annotated[str, typer.Argument(help="Key of the tracker's project, such as ML, or our project's id.")],
    template: Annotated[
        str | None, typer.Option(help="Template name or file [default: iterative-ml, or the project's own].")
    ] = None,
    team: Annotated[str | None, typer.Option(help="Team name or file; needed the first time.")] = None,
    connection: Annotated[str | None, typer.Option(help="Connection name [default: the only one].")] = None,
    name: Annotated[str | None, typer.Option(help="The project's name [default: its key].")] = None,
    values: Annotated[
        list[str] | None, typer.Option("--set", help="A template parameter, NAME=VALUE. May be repeated.")
    ] = None,
    time_zone: Annotated[str | None, typer.Option(help="IANA time zone [default: the team's, else UTC].")] = None,
    create: Annotated[
        bool | None, typer.Option("--create/--existing", help="Create the tracker's project, or use one that is there.")
    ] = None,
    file: Annotated[Path | None, typer.Option("--out", help="Write the plan to this file as well.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Show what is unchanged, and every dependency.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what applying would change. Reads the tracker, writes nothing there.

    Exit code 0: nothing to do. 1: an error, or findings that stand in the way. 2: there are changes.
    """
    with opened() as context:
        row = _set_up(context, project, template, team, connection, name, values or [], time_zone, create)
        kept = planning.make_plan(context, row.id)
    made = planning.plan_of(kept)
    document = planning.plan_json(kept)
    if file is not None:
        file.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if as_json:
        print_json(document)
    else:
        for line in plan_lines(made, kept.id, everything=everything):
            out.print(line)
        if not made.empty and not made.blocked:
            out.print(f"Apply it with: phaseloop apply {file or kept.id}")
    if made.blocked:
        if not as_json:
            err.print("[bold red]The findings above marked error must be mended before this can be applied.[/]")
        raise typer.Exit(Exit.ERROR)
    raise typer.Exit(Exit.NOTHING if made.empty else Exit.CHANGES)


def _set_up(
    context: Context,
    key: str,
    template: str | None,
    team: str | None,
    connection: str | None,
    name: str | None,
    values: list[str],
    time_zone: str | None,
    create: bool | None,
) -> ProjectRow:
    """The project to plan: as it stands, or set up or changed by what was given."""
    try:
        present: ProjectRow | None = projects.get(context, key)
    except NotFound:
        present = None
    given = (template, team, connection, name, time_zone, create)
    if present is not None and not values and all(value is None for value in given):
        return present
    request = projects.Request(
        name=name or (present.name if present else key),
        key=present.key if present else key,
        connection=connection or (present.connection_id if present else _only_connection(context)),
        team=_team(context, team, present),
        template=_template(context, template, present),
        parameters=_parameters(values),
        time_zone=time_zone,
        create=create if create is not None else (present.create if present else False),
    )
    return projects.put(context, request)


def _only_connection(context: Context) -> str:
    rows = connections.listed(context)
    if len(rows) == 1:
        return rows[0].id
    if not rows:
        message, fix = "There is no connection yet.", "Add one with: phaseloop connections add NAME --url … --email …"
    else:
        message, fix = (
            "There are several connections.",
            "Name one with --connection: " + ", ".join(r.name for r in rows),
        )
    raise UseCaseError("no-connection", message, fix)


def _team(context: Context, given: str | None, present: ProjectRow | None) -> str:
    if given is None:
        if present is not None:
            return present.team_id
        fail("A new project needs a team.", "Give a team file with --team team.yaml, or the name of an imported team.")
    if Path(given).suffix.casefold() in {".yaml", ".yml", ".csv"} or Path(given).is_file():
        return keep_team_file(Path(given)).id
    return teams.get(context, given).id


def _template(context: Context, given: str | None, present: ProjectRow | None) -> template_files.TemplateText:
    if given is None and present is not None:
        return projects.template_text(context, present)
    return template_files.load(given or "iterative-ml")


def _parameters(values: list[str]) -> dict[str, object]:
    problems: list[Problem] = []
    parameters: dict[str, object] = {}
    for value in values:
        name, sign, text = value.partition("=")
        if not sign:
            problems.append(Problem("--set", None, value, "has no value", "write NAME=VALUE"))
        parameters[name.strip()] = text.strip()
    if problems:
        raise InvalidInput(problems)
    return parameters


def apply(
    plan: Annotated[str, typer.Argument(help="A plan's id, a file written by `plan --out`, or a project's key.")],
    as_json: AsJson = False,
) -> None:
    """Apply a saved plan and follow it until it is done. A project's key stands for its latest plan."""
    with opened() as context:
        plan_id = _plan_id(context, plan)
        before = running.ended(context, planning.get(context, plan_id).run_id)
        found = apply_and_follow(context, plan_id)
    if before and not as_json:
        out.print(
            "This plan was applied before, and ended so. To see what is left: phaseloop plan " + found.project.key
        )
    report(found, as_json=as_json)


def apply_and_follow(context: Context, plan_id: str) -> running.Progress:
    """Apply the plan and wait for the end."""
    return carry_out(context, lambda enqueue: applying.apply(context, plan_id, "command line", enqueue))


def _plan_id(context: Context, given: str) -> str:
    path = Path(given)
    if path.is_file():
        return _plan_id_in(path)
    if given.startswith("pln_"):
        return given
    row = planning.latest(context, projects.get(context, given).id)
    if row is None:
        raise UseCaseError("no-plan", f"{given} has no plan yet.", f"Make one with: phaseloop plan {given}")
    return row.id


def _plan_id_in(path: Path) -> str:
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
        plan_id = document["id"]
    except (OSError, ValueError, TypeError, KeyError):
        fail(f"{path} is not a plan.", "Write one with: phaseloop plan PROJECT --out FILE")
    return str(plan_id)


def status(
    project: Annotated[str | None, typer.Argument(help="The project's key or id; all of them if left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what projects have in their trackers, vacancies first. From our records: nothing is read remotely."""
    with opened() as context:
        rows = [projects.get(context, project)] if project else projects.listed(context)
        found = [(row, running.inventory(context, row.id), planning.latest(context, row.id)) for row in rows]
    if as_json:
        print_json([_status_json(row, inventory, latest) for row, inventory, latest in found])
        return
    if not found:
        out.print("No projects yet. Start one with: phaseloop plan KEY --team team.yaml --create")
    for row, inventory, _latest in found:
        counts = ", ".join(
            f"{inventory.count(kind)} {kind.value}s" for kind in (ItemKind.EPIC, ItemKind.ITERATION, ItemKind.TICKET)
        )
        out.print(f"[bold]{escape(row.key)}[/] ({escape(row.name)}) {row.id}: {counts}")
        if row.url:
            out.print(f"  {row.url}")
        for vacancy in inventory.vacancies:
            out.print(f"  [bold red]vacant[/] {vacancy.remote_key} {escape(str(vacancy.wanted.get('title')))}")
        for refused in inventory.refused:
            out.print(f"  [bold red]refused[/] {escape(refused.key)}: {escape('; '.join(refused.problems))}")


def _status_json(row: ProjectRow, inventory: running.Inventory, latest: PlanRow | None) -> dict[str, Any]:
    return {
        "id": row.id,
        "key": row.key,
        "name": row.name,
        "url": row.url,
        "epics": inventory.count(ItemKind.EPIC),
        "iterations": inventory.count(ItemKind.ITERATION),
        "tickets": inventory.count(ItemKind.TICKET),
        "vacancies": [{"key": vacancy.key, "ticket": vacancy.remote_key} for vacancy in inventory.vacancies],
        "refused": [{"key": refused.key, "problems": refused.problems} for refused in inventory.refused],
        "latest_plan": latest.id if latest else None,
    }
