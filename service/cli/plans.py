"""The commands around plans: plan, apply, adopt."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape

from connectors.values import Severity
from service.cli.execution import carry_out
from service.cli.plan_words import plan_lines
from service.cli.project_options import Given, pairs, settings_options, to_plan
from service.cli.runs import report
from service.cli.shell import AsJson, Exit, again, err, fail, opened, out, print_json, who
from service.cli.words import clock_words
from service.context import Context
from service.domain.commands import typed
from service.domain.plan.plan import Plan, Purpose
from service.usecases.errors import UseCaseError
from service.usecases.plan import planning
from service.usecases.plan.plan_options import Wish
from service.usecases.run import plan_apply, run_views
from service.usecases.setup import connections, project_identity, projects
from service.views.plan import PlanView


@settings_options
def plan(
    project: Annotated[
        str,
        typer.Argument(
            help="Key of the tracker's project, such as ML; of one that is set up also its name, or our id."
        ),
    ],
    given: Given,
    connection: Annotated[str | None, typer.Option(help="Connection name [default: the only one].")] = None,
    file: Annotated[Path | None, typer.Option("--output", help="Write the plan to this file as well.")] = None,
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
    project: what is given here travels with the plan, and becomes the project's when it is applied. A new project is
    none before a plan of it is applied, and its team is not imported before; without --team, what is not given is as in
    its last plan. A plan of one that the tracker does not show or could not make is not kept: the findings say why.

    Exit code 0: nothing to do. 1: an error, or findings that block it. 2: there are changes.
    """
    with opened() as context:
        wish, planned = Wish(restore=tuple(restore or ())), to_plan(context, project, given, connection)
        spelled = planned.row.key
        if not as_json and spelled != project and spelled.casefold() == project.strip().casefold():
            err.print(f"[dim]{escape(project)} is taken as {escape(spelled)}, as its tracker spells it.[/]")
        if planned.new:
            row, kept = planning.first_plan(context, planned.row.id, wish, planned.asked)
        else:
            if planned.row.planned:
                err.print(
                    f"[dim]{escape(planned.row.key)} is not set up yet: what is not given is as in its last plan.[/]"
                )
            row, kept = planning.make_plan(context, planned.row.id, wish, planned.asked), True
        document = row.to_json() if kept else _not_kept(row.to_json())
        until = until_line(context, row) if kept else ""
        there = connections.get(context, planned.row.connection_id).name
    made = row.plan
    if file is not None:
        file.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if as_json:
        print_json(document)
    else:
        for line in plan_lines(made, row.id if kept else "", everything=everything, connection=there):
            out.print(line)
        if not made.empty and not made.blocked:
            out.print(f"Apply it with: phaseloop apply {typed(file or row.id)}")
            out.print(until)
    if made.blocked:
        if not as_json:
            err.print("[bold red]The findings above marked error must be fixed before this can be applied.[/]")
            if not kept:
                for line in _plan_again(made):
                    err.print(escape(line))
        raise typer.Exit(Exit.ERROR)
    raise typer.Exit(Exit.NOTHING if made.empty else Exit.CHANGES)


def _plan_again(made: Plan) -> Iterator[str]:
    """The command that plans it once its findings are fixed, as these have it; not the one that they forbid."""
    codes = {found.code for found in made.findings if found.severity is Severity.ERROR}
    said = f"{made.spec.key} was not set up. "
    if codes & {"key-taken", "project-key-taken"}:
        yield f"{said}To build in the project that is there: {again(without='--create')}"
    elif codes & {"project-missing", "project-not-visible"} and not made.spec.create:
        yield f"{said}Plan it again once that is done: {again()}"
        yield f"Or have phaseloop create the project: {again('--create', without='--existing')}"
    else:
        yield f"{said}Plan it again once that is done: {again()}"


def _not_kept(document: dict[str, Any]) -> dict[str, Any]:
    """A plan that was only made to say what blocks it: neither it nor its project can be asked for."""
    return {**document, "id": None, "project": None}


def until_line(context: Context, kept: PlanView) -> str:
    """Until when a plan can be applied, by the project's clock as everything else that is shown of it."""
    zone = ZoneInfo(projects.get(context, kept.project_id).time_zone)
    return f"It can be applied until {clock_words(kept.expires_at.astimezone(zone))}."


def adopt(
    project: Annotated[str, typer.Argument(help="The project's key, name or id.")],
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
        there = projects.connection_of(context, kept.project_id)
        if not as_json:
            for line in plan_lines(kept.plan, kept.id, everything=False, connection=there):
                out.print(line)
        if not yes and not _agreed():
            fail("Nothing was taken over.", f"Do it with: phaseloop apply {kept.id}")
        found = apply_and_follow(context, kept.id)
    report(found, as_json=as_json)


def _agreed() -> bool:
    """Whether a person says yes; where nobody can be asked, nobody did."""
    return sys.stdin.isatty() and typer.confirm("Take these over?", err=True)


def apply(
    plan: Annotated[
        str,
        typer.Argument(
            help="A plan's id or a unique prefix of it, a file written by `plan --output`, or a project's key."
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Apply a saved plan and follow it until it is done. A project's key stands for its latest plan of what `plan`
    shows; one that takes something back or ends the project is applied by its id.
    """
    with opened() as context:
        plan_id = _plan_id(context, plan)
        if not as_json:
            out.print(what_it_does(context, plan_id))
        before = run_views.ended(context, planning.get(context, plan_id).run_id)
        found = apply_and_follow(context, plan_id)
    if before and not as_json:
        out.print(
            "This plan was applied before, and ended so. To see what is left: "
            f"phaseloop plan {escape(typed(found.project.key))}"
        )
    report(found, as_json=as_json)


def apply_and_follow(context: Context, plan_id: str) -> run_views.Progress:
    """Apply the plan and wait for the end."""
    return carry_out(context, lambda enqueue: plan_apply.apply(context, plan_id, who(), enqueue))


def _plan_id(context: Context, given: str) -> str:
    path = Path(given)
    if path.is_file():
        return _plan_id_in(path)
    if given.startswith("pln_"):
        return planning.find(context, given)
    if path.is_absolute() and path.is_dir():
        fail(f"{path} is a folder, not a plan.", "Name the file in it that `phaseloop plan --output` wrote.")
    project_id = projects.get(context, given).id
    project_identity.make_sure_of(context, project_id, given)
    row = planning.latest(context, project_id, (Purpose.APPLY,))
    other = planning.taking_back(context, project_id, row.created_at if row is not None else None)
    if other is not None:
        err.print(f"[bold yellow]Note:[/] {_not_meant(other.plan, other.id)}")
    if row is None:
        raise UseCaseError("no-plan", f"{given} has no plan to apply.", f"Make one with: phaseloop plan {typed(given)}")
    return row.id


def _not_meant(plan: Plan, plan_id: str) -> str:
    """That a newer plan is not the one that a project's key stands for."""
    what = "removes the project" if plan.purpose is Purpose.REMOVE else f"undoes what the run {plan.undoes} did"
    return f"A newer plan {what}; it is not applied by the project's key. Apply it with: phaseloop apply {plan_id}"


def what_it_does(context: Context, plan_id: str) -> str:
    """What applying the plan does, before it does."""
    row = planning.get(context, plan_id)
    key = escape(projects.get(context, row.project_id).key)
    match Purpose(row.body.get("purpose", Purpose.APPLY)):
        case Purpose.REMOVE:
            return f"Ends the project {key} (plan {plan_id})."
        case Purpose.UNDO:
            return f"Undoes in {key} what the run {escape(str(row.body.get('undoes')))} did (plan {plan_id})."
        case _:
            return f"Applies the plan {plan_id} of {key}."


def _plan_id_in(path: Path) -> str:
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
        plan_id = document["id"]
    except (OSError, ValueError, TypeError, KeyError):
        fail(f"{path} is not a plan.", "Write one with: phaseloop plan PROJECT --output FILE")
    if plan_id is None:
        fail(f"The plan in {path} was not kept: its project could not be set up.", "Fix its findings, and plan again.")
    return str(plan_id)
