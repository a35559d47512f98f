"""The commands around plans: plan, apply, adopt."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape

from service.cli.project_options import Given, pairs, settings_options, to_plan
from service.cli.runs import report
from service.cli.shell import AsJson, Exit, err, fail, opened, out, print_json, who
from service.cli.show import plan_lines
from service.cli.words import clock_words
from service.cli.work import carry_out
from service.context import Context
from service.domain.commands import typed
from service.store.tables import PlanRow
from service.usecases import applying, planning, projects, running
from service.usecases.errors import UseCaseError
from service.usecases.wishes import Wish


@settings_options
def plan(
    project: Annotated[str, typer.Argument(help="Key of the tracker's project, such as ML, or our project's id.")],
    given: Given,
    connection: Annotated[str | None, typer.Option(help="Connection name [default: the only one].")] = None,
    file: Annotated[Path | None, typer.Option("--out", help="Write the plan to this file as well.")] = None,
    restore: Annotated[
        list[str] | None,
        typer.Option(
            help="An item that people changed or deleted, to be as planned again: its title, its key, or the tracker's "
            "such as ML-12; `deleted` for all that were deleted. May be repeated."
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Show what is unchanged, and every dependency.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what applying would change. Reads the tracker, writes nothing there, and changes nothing of an existing
    project: what is given here travels with the plan, and becomes the project's when it is applied. A new project that
    the tracker does not show or could not make is not set up: the findings say why.

    Exit code 0: nothing to do. 1: an error, or findings that stand in the way. 2: there are changes.
    """
    with opened() as context:
        wish, planned = Wish(restore=tuple(restore or ())), to_plan(context, project, given, connection)
        if planned.new:
            row, kept = planning.first_plan(context, planned.row.id, wish)
        else:
            row, kept = planning.make_plan(context, planned.row.id, wish, planned.asked), True
        document = planning.plan_json(context, row) if kept else _not_kept(planning.plan_json(context, row))
        until = until_line(context, row) if kept else ""
    made = planning.plan_of(row)
    if file is not None:
        file.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if as_json:
        print_json(document)
    else:
        for line in plan_lines(made, row.id if kept else "", everything=everything):
            out.print(line)
        if not made.empty and not made.blocked:
            out.print(f"Apply it with: phaseloop apply {typed(file or row.id)}")
            out.print(until)
    if made.blocked:
        if not as_json:
            err.print("[bold red]The findings above marked error must be mended before this can be applied.[/]")
            if not kept:
                err.print(
                    escape(f"{made.spec.key} was not set up. Plan it again with the same options once that is done.")
                )
        raise typer.Exit(Exit.ERROR)
    raise typer.Exit(Exit.NOTHING if made.empty else Exit.CHANGES)


def _not_kept(document: dict[str, Any]) -> dict[str, Any]:
    """A plan that was only made to say what stands in its way: neither it nor its project can be asked for."""
    return {**document, "id": None, "project": None}


def until_line(context: Context, kept: PlanRow) -> str:
    """Until when a plan can be applied, by the project's clock as everything else that is shown of it."""
    zone = ZoneInfo(projects.get(context, kept.project_id).time_zone)
    return f"It can be applied until {clock_words(planning.expires_at(context, kept).astimezone(zone))}."


def adopt(
    project: Annotated[str, typer.Argument(help="The project's key or id.")],
    items: Annotated[
        list[str],
        typer.Argument(
            metavar="ITEM=KEY...",
            help="The plan's item, such as ticket:set-goals, and what the tracker calls the one to take over: its key "
            "(ML-12), its address, or an iteration's title.",
        ),
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take items that people made in the tracker over as items of the plan. They get our marker and stay as they are;
    nothing of ours ever removes them.
    """
    given = pairs("ITEM", items, "ITEM=KEY")
    with opened() as context:
        kept = planning.make_plan(context, project, Wish(adopt=given))
        if not as_json:
            for line in plan_lines(planning.plan_of(kept), kept.id, everything=False):
                out.print(line)
        if not yes and not _agreed():
            fail("Nothing was taken over.", f"Do it with: phaseloop apply {kept.id}")
        found = apply_and_follow(context, kept.id)
    report(found, as_json=as_json)


def _agreed() -> bool:
    """Whether a person says yes; where nobody can be asked, nobody did."""
    return sys.stdin.isatty() and typer.confirm("Take these over?", err=True)


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
    return carry_out(context, lambda enqueue: applying.apply(context, plan_id, who(), enqueue))


def _plan_id(context: Context, given: str) -> str:
    path = Path(given)
    if path.is_file():
        return _plan_id_in(path)
    if given.startswith("pln_"):
        return given
    if path.is_absolute() and path.is_dir():
        fail(f"{path} is a folder, not a plan.", "Name the file in it that `phaseloop plan --out` wrote.")
    row = planning.latest(context, projects.get(context, given).id)
    if row is None:
        raise UseCaseError("no-plan", f"{given} has no plan yet.", f"Make one with: phaseloop plan {typed(given)}")
    return row.id


def _plan_id_in(path: Path) -> str:
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
        plan_id = document["id"]
    except (OSError, ValueError, TypeError, KeyError):
        fail(f"{path} is not a plan.", "Write one with: phaseloop plan PROJECT --out FILE")
    if plan_id is None:
        fail(f"The plan in {path} was not kept: its project could not be set up.", "Mend its findings, and plan again.")
    return str(plan_id)
