"""Commands around runs: list, show, watch; and how a run is followed until it ends."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from service.cli.shell import AsJson, Exit, err, opened, out, print_json
from service.cli.show import finding_lines, findings_of
from service.context import Context
from service.store import runs as stored
from service.usecases import projects, running

runs = typer.Typer(help="Durable runs.", no_args_is_help=True)

LOOK_EVERY = 0.1
"""Seconds between two looks at a run's records."""


@runs.command("list")
def list_runs(
    project: Annotated[str | None, typer.Option(help="Only those of this project.")] = None,
    as_json: AsJson = False,
) -> None:
    """List runs, the newest first."""
    with opened() as context:
        wanted = projects.get(context, project).id if project else None
        found = [running.progress(context, run.id) for run in running.listed(context, wanted)]
    if as_json:
        print_json([running.run_json(entry) for entry in found])
        return
    if not found:
        out.print("No runs yet.")
        return
    table = Table("Run", "Project", "State", "Steps", "Started by", "Created", box=None, pad_edge=False)
    for entry in found:
        run = entry.run
        done = f"{entry.done}/{entry.steps}"
        table.add_row(
            run.id, entry.project.key, run.state, done, run.started_by, f"{run.created_at:%Y-%m-%d %H:%M} UTC"
        )
    out.print(table)


@runs.command("show")
def show_run(
    run: Annotated[str, typer.Argument(help="The run's id.")],
    as_json: AsJson = False,
) -> None:
    """Show a run: its steps, what they cost, what they found."""
    with opened() as context:
        found = running.progress(context, run)
        ended = running.steps(context, run)
    if as_json:
        steps = [
            {
                "number": step.number,
                "title": step.title,
                "state": step.state,
                "message": step.message,
                "requests": {"reads": step.reads, "writes": step.writes},
                "started_at": step.started_at.isoformat(),
                "finished_at": step.finished_at.isoformat(),
            }
            for step in ended
        ]
        print_json({**running.run_json(found), "history": steps})
        return
    out.print(
        f"Run [bold]{run}[/] of {escape(found.project.key)}: [bold]{found.run.state}[/] {escape(found.run.message)}"
    )
    table = Table("Step", "What", "Ended", "Reads", "Writes", "Seconds", box=None, pad_edge=False)
    for step in ended:
        seconds = (step.finished_at - step.started_at).total_seconds()
        table.add_row(
            str(step.number), escape(step.title), step.state, str(step.reads), str(step.writes), f"{seconds:.2f}"
        )
    out.print(table)
    for line in finding_lines(findings_of(found.run.findings)):
        out.print(line)


@runs.command("watch")
def watch_run(
    run: Annotated[str, typer.Argument(help="The run's id.")],
    as_json: AsJson = False,
) -> None:
    """Follow a run until it ends."""
    with opened() as context:
        found = follow(context, run)
    report(found, as_json=as_json)


def follow(context: Context, run_id: str) -> running.Progress:
    """Look at the run until it ends, with a bar on a terminal and in silence elsewhere."""
    found = running.progress(context, run_id)
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    ) as bar:
        task = bar.add_task("Waiting to start", total=None)
        while not found.ended:
            bar.update(task, description=doing(found), total=found.steps or None, completed=found.done)
            time.sleep(LOOK_EVERY)
            found = running.progress(context, run_id)
    return found


def doing(found: running.Progress) -> str:
    """What the run is about, in a few words."""
    run = found.run
    if run.state == stored.QUEUED:
        return "Waiting to start"
    if run.state == stored.WAITING:
        return f"Waiting for the tracker: {escape(run.message)}"
    return escape(found.latest.title) if found.latest else "Opening the project"


def report(found: running.Progress, *, as_json: bool) -> None:
    """Say how a run ended; leaves with the exit code for errors unless it completed."""
    run = found.run
    if as_json:
        print_json(running.run_json(found))
    else:
        for line in finding_lines(findings_of(run.findings)):
            out.print(line)
        if found.steps == 0 and run.state == stored.COMPLETED:
            out.print("[bold]Nothing to do.[/]")
        else:
            colour = "green" if run.state == stored.COMPLETED else "bold red"
            parts = [f"{found.written} of {found.planned} new items written"] if found.planned else []
            parts += [f"{found.updates} changes to items that were there"] if found.updates else []
            cost = f"{found.requests.reads} reads and {found.requests.writes} writes"
            out.print(f"[{colour}]{run.state.capitalize()}[/]: {', '.join([*parts, cost])}.")
        if found.project.url:
            out.print(found.project.url)
    if run.state != stored.COMPLETED:
        raise typer.Exit(Exit.ERROR)
