"""The commands that take back: undo a run, remove a project."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.markup import escape

from service.cli.plan_words import plan_lines
from service.cli.plans import apply_and_follow, until_line
from service.cli.project import project
from service.cli.runs import report
from service.cli.shell import AsJson, Exit, err, misused, opened, out, print_json
from service.context import Context
from service.domain.plan.plan import Plan
from service.usecases.plan import undo_plan
from service.usecases.plan.undo_plan import NothingToUndo
from service.usecases.run import run_views
from service.usecases.setup import projects
from service.views.plan import PlanView

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
PlanOnly = Annotated[bool, typer.Option("--plan", help="Only show what would be done.")]
Everything = Annotated[bool, typer.Option("--all", help="Name each item that goes.")]


def _refuse_both(*, yes: bool, plan_only: bool) -> None:
    if yes and plan_only:
        misused("--plan and --yes exclude one another.", "--plan only shows; --yes does it without asking.")


def undo(
    run: Annotated[str, typer.Argument(help="The run's id, or a unique prefix of it or of its plan's.")],
    yes: Yes = False,
    plan_only: PlanOnly = False,
    everything: Everything = False,
    as_json: AsJson = False,
) -> None:
    """Take back what a run did: what it made and nobody touched since goes, what it wrote is put back.

    What people touched stays, and so does what it hangs on; the plan names both. It works for runs that ended half-way,
    and can be done again. Exit code 0: nothing to do, or done. 1: an error. 2: changes that were only shown.
    """
    _refuse_both(yes=yes, plan_only=plan_only)
    with opened() as context:
        run_id = run_views.find(context, run)
        try:
            kept = undo_plan.plan_undo(context, run_id)
        except NothingToUndo as nothing:
            if as_json:
                print_json({"undoes": run_id, "changes": [], "message": nothing.message})
            else:
                out.print(f"[bold]Nothing to do[/]: {escape(nothing.message)}")
            return
        _show_and_apply(context, kept, yes=yes, plan_only=plan_only, everything=everything, as_json=as_json)


@project.command("remove")
def remove(
    name: Annotated[str, typer.Argument(metavar="PROJECT", help="The project's key, name or id.")],
    undo_all: Annotated[
        bool, typer.Option("--undo", help="Also remove from the tracker what was made for it and nobody touched.")
    ] = False,
    yes: Yes = False,
    plan_only: PlanOnly = False,
    everything: Everything = False,
    as_json: AsJson = False,
) -> None:
    """End a project. Its runs stay on record, its key can be used anew.

    Without --undo everything stays in the tracker. With it, all that any of its runs made goes, as with undo. The exit
    codes are those of undo.
    """
    _refuse_both(yes=yes, plan_only=plan_only)
    with opened() as context:
        kept = undo_plan.plan_removal(context, name, undo=undo_all)
        _show_and_apply(context, kept, yes=yes, plan_only=plan_only, everything=everything, as_json=as_json)


def _show_and_apply(
    context: Context, kept: PlanView, *, yes: bool, plan_only: bool, everything: bool, as_json: bool
) -> None:
    """Show the plan; apply it and follow it to its end if that is wanted, else leave with the exit code of a plan."""
    made = kept.plan
    going_on = not made.empty and not made.blocked and not plan_only
    there = projects.connection_of(context, kept.project_id)
    if not as_json:
        for line in plan_lines(made, kept.id, everything=everything, connection=there):
            out.print(line)
    if going_on and (yes or _agreed(as_json=as_json)):
        report(apply_and_follow(context, kept.id), as_json=as_json)
        return
    _leave(context, made, kept, as_json=as_json)


def _agreed(*, as_json: bool) -> bool:
    """Whether a person says yes; where nobody can be asked, nobody did."""
    return not as_json and sys.stdin.isatty() and typer.confirm("Do this?", err=True)


def _leave(context: Context, made: Plan, kept: PlanView, *, as_json: bool) -> None:
    if as_json:
        print_json(kept.to_json())
    if made.blocked:
        if not as_json:
            err.print("[bold red]The findings above marked error must be fixed before this can be applied.[/]")
        raise typer.Exit(Exit.ERROR)
    if made.empty:
        return
    if not as_json:
        out.print(f"Nothing was changed yet. Do it with: phaseloop apply {kept.id}")
        out.print(until_line(context, kept))
    raise typer.Exit(Exit.CHANGES)
