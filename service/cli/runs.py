"""Commands that look at runs: list, show, watch; and how a run is followed until it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from connectors.values import Severity
from service.cli.past_projects import to_read
from service.cli.shell import AsJson, Exit, err, nothing, opened, out, print_json
from service.cli.words import finding_lines, findings_of
from service.context import Context
from service.domain.commands import typed
from service.domain.english import counted
from service.domain.loop import loop_state
from service.domain.plan import run_state
from service.domain.plan.plan import Purpose
from service.usecases.run import run_steps, run_views
from service.views.run import StepView
from service.views.setup import ProjectView

runs = typer.Typer(help="Durable runs.", no_args_is_help=True)

Named = Annotated[str, typer.Argument(metavar="RUN", help="The run's id, or a unique prefix of it or of its plan's.")]

INTERRUPTED = 130

LOOK_EVERY = 0.2
"""Seconds between two looks at a run's records."""


@runs.command("list")
def list_runs(
    project: Annotated[str | None, typer.Option(help="Only those of this project, also of one that has ended.")] = None,
    as_json: AsJson = False,
) -> None:
    """List runs, the newest first."""
    with opened() as context:
        wanted = to_read(context, project).id if project else None
        found = [run_views.progress(context, run.id) for run in run_views.listed(context, wanted)]
    if as_json:
        print_json([run_views.run_json(entry) for entry in found])
        return
    if not found:
        nothing("No runs yet.")
        return
    table = Table("Run", "Project", "State", "Steps", "Started by", "Created", box=None, pad_edge=False)
    for entry in found:
        run = entry.run
        done = f"{entry.done}/{entry.steps}"
        created = clock(run.created_at, entry.project, in_full=True)
        table.add_row(run.id, entry.project.key, _state(entry), done, run.started_by, created)
    out.print(table)


@runs.command("show")
def show_run(run: Named, as_json: AsJson = False) -> None:
    """Show a run: its steps, what they cost, what they found, and how to continue."""
    with opened() as context:
        found = run_views.progress(context, run_views.find(context, run))
        ended = run_views.steps(context, found.run.id)
        names = {one.number: one.name for one in run_steps.steps(context, found.run.id).steps if one.number > 0}
    if as_json:
        print_json({**run_views.run_json(found), "history": [step.to_json() for step in ended]})
        return
    for line in _about(found):
        out.print(line)
    if ended:
        out.print(_steps_table(ended, names, found.project))
    for line in (*finding_lines(findings_of(found.run.findings)), *how_to_go_on(found)):
        out.print(line)


def _about(found: run_views.Progress) -> Iterator[str]:
    run, project = found.run, found.project
    state = doing(found) if run.state in (run_state.WAITING, run_state.QUEUED) else _state(found)
    yield f"Run [bold]{run.id}[/] ({_kind(found)}) of {escape(project.key)}: [bold]{state}[/]"
    started = clock(run.created_at, project, in_full=True)
    plan = f"Plan {run.plan_id}, started" if run.plan_id is not None else "Started"
    yield f"  {plan} by {escape(run.started_by)} on {started}"
    if run.attempt > 1:
        yield f"  It has looked {counted(run.attempt, 'time')}; each look plans what is left"
    if run.continues:
        yield f"  Continues with what {run.continues} left"
    if run.cancel_requested_at is not None:
        asked = clock(run.cancel_requested_at, project, in_full=True)
        yield f"  Cancelling asked for by {escape(run.cancelled_by or '')} on {asked}"
    if found.undone:
        yield "  It was undone since: what it wrote was taken back, but for what people had touched"
    done = f"{found.done} of {counted(found.steps, 'step')}, " if found.steps else ""
    yield f"  {done}{', '.join(_numbers(found))}{_left(found)}"
    if run.cleaned_at is not None:
        yield f"  Its steps were cleaned up on {clock(run.cleaned_at, project, in_full=True)}; these numbers were kept"


def _state(found: run_views.Progress) -> str:
    """The run's state and, where it waits or is held, until when."""
    until = found.run.waiting_until
    return found.run.state if until is None else f"{found.run.state} until {clock(until, found.project)}"


def _kind(found: run_views.Progress) -> str:
    """What the run is for."""
    run = found.run
    if run.kind == loop_state.ADVANCE:
        return f"advance to iteration {run.iteration}"
    return f"proposal for iteration {run.iteration}" if run.kind == loop_state.PROPOSE else run.kind


def _steps_table(steps: list[StepView], names: Mapping[int, str], project: ProjectView) -> Table:
    table = Table("Step", "What", "Ended", "At", "Reads", "Writes", "Seconds", box=None, pad_edge=False)
    for step in steps:
        seconds = (step.finished_at - step.started_at).total_seconds()
        at = f"{step.started_at.astimezone(ZoneInfo(project.time_zone)):%H:%M:%S}"
        cells = (
            str(step.number),
            escape(names.get(step.number, step.title)),
            step.state,
            at,
            str(step.reads),
            str(step.writes),
        )
        table.add_row(*cells, f"{seconds:.2f}")
    return table


@runs.command("watch")
def watch_run(run: Named, as_json: AsJson = False) -> None:
    """Follow a run until it ends. Ctrl-C ends the watching, not the run.

    A run that is held resumes automatically once what blocks it is fixed; to watch it until then is not needed.
    """
    with opened() as context:
        run_id = run_views.find(context, run)
        try:
            found = follow(context, run_id, held=_tell_held)
        except KeyboardInterrupt:
            err.print(f"The run continues. Watch it again with: phaseloop runs watch {run_id}")
            raise typer.Exit(INTERRUPTED) from None
    report(found, as_json=as_json)


def follow(
    context: Context,
    run_id: str,
    beside: Callable[[], object] = lambda: None,
    held: Callable[[run_views.Progress], object] | None = None,
    enough: Callable[[run_views.Progress], bool] = lambda _found: False,
) -> run_views.Progress:
    """Look at the run until it ends, or until that is `enough`, with a bar on a terminal and in silence elsewhere; do
    `beside` at every look.

    One that is held may be so for days: without `held` that is its end here, else `held` is called each time.
    """
    seen, found = run_views.pulse(context, run_id), run_views.progress(context, run_id)
    told = 0
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[left]}"),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    ) as bar:
        task = bar.add_task("Waiting to start", total=None, left="")
        while not (found.ended or enough(found)):
            if found.run.state == run_state.HELD and held is None:
                break
            if found.run.state == run_state.HELD and held is not None and told < found.run.attempt:
                told = found.run.attempt
                held(found)
            bar.update(
                task, description=doing(found), total=found.steps or None, completed=found.done, left=_left(found)
            )
            beside()
            time.sleep(LOOK_EVERY)
            # One statement while nothing changed, in place of all that a look takes.
            now = run_views.pulse(context, run_id)
            if now != seen:
                seen, found = now, run_views.progress(context, run_id)
    return found


def _tell_held(found: run_views.Progress) -> None:
    """Say what holds a run up that is being watched."""
    for line in (*_why_held(found), "Watching may be ended with Ctrl-C: the run continues all the same."):
        err.print(line)


def _why_held(found: run_views.Progress) -> Iterator[str]:
    """What blocks a held run, who can fix it, and when it looks again."""
    errors = [finding for finding in findings_of(found.run.findings) if finding.severity is Severity.ERROR]
    yield from finding_lines(errors)
    yield f"[bold yellow]Held[/]: {_looks_again(found)}"


def _looks_again(found: run_views.Progress) -> str:
    until = found.run.waiting_until
    when = f" at {clock(until, found.project)}" if until is not None else ""
    return f"it resumes automatically once that is fixed; the service (phaseloop serve) has it look again{when}."


def doing(found: run_views.Progress) -> str:
    """What the run is about, in a few words."""
    run = found.run
    if run.state == run_state.QUEUED:
        return "Waiting to start"
    if run.state == run_state.WAITING:
        until = f" until {clock(run.waiting_until, found.project)}" if run.waiting_until else ""
        return f"Waiting for {found.tracker}{until}: {escape(run.message)}"
    if run.state == run_state.HELD:
        again = f", looks again at {clock(run.waiting_until, found.project)}" if run.waiting_until else ""
        return f"Held{again}: {escape(run.message)}"
    if run.cancel_requested_at is not None:
        return "Stopping after this step"
    return escape(found.latest.title) if found.latest else "Opening the project"


def clock(moment: datetime, project: ProjectView, *, in_full: bool = False) -> str:
    """The time of day in the project's time zone; date and zone with it if asked for or if it is not today's there."""
    zone = ZoneInfo(project.time_zone)
    there = moment.astimezone(zone)
    if in_full or there.date() != datetime.now(zone).date():
        return f"{there:%Y-%m-%d %H:%M %Z}"
    return f"{there:%H:%M}"


def _left(found: run_views.Progress) -> str:
    """How long it still takes, in words."""
    seconds = found.seconds_left
    if seconds is None or found.steps == 0 or found.run.state == run_state.HELD:
        return ""
    if seconds < 90:
        return f", about {max(1, round(seconds))} s left"
    minutes = round(seconds / 60)
    return f", about {minutes} min left" if minutes < 90 else f", about {round(minutes / 60)} h left"


def _numbers(found: run_views.Progress) -> list[str]:
    new = counted(found.planned, "new item")
    written = (
        f"{new} in its plan, {found.written} of them still there"
        if found.undone
        else f"{found.written} of {new} written"
    )
    parts = [written] if found.planned else []
    parts += [f"{found.removed} of {counted(found.removals, 'item')} removed"] if found.removals else []
    parts += [f"{counted(found.updates, 'change')} to items that were there"] if found.updates else []
    parts += [f"{found.taken_over} taken over"] if found.taken_over else []
    parts += [f"{found.released} let go"] if found.released else []
    calls = found.requests
    return [*parts, f"{counted(calls.reads, 'read')} and {counted(calls.writes, 'write')}"]


def how_to_go_on(found: run_views.Progress) -> Iterator[str]:
    """What to type next, where there is something to be done about the run."""
    key = escape(typed(found.project.key))
    run = found.run
    if found.continued_by:
        yield f"Continued by: phaseloop runs show {found.continued_by}"
    elif run.state in (run_state.WAITING, run_state.HELD):
        yield f"Have it look again now: phaseloop runs resume {run.id}. Stop it: phaseloop runs cancel {run.id}"
    elif run.kind == loop_state.AUDIT and run.state in run_state.ENDED - {run_state.COMPLETED}:
        yield f"The records are looked at again tomorrow, or now with: phaseloop runs retry {run.id}"
    elif run.kind in loop_state.KINDS and run.state in (run_state.FAILED, run_state.CANCELLED):
        yield f"The loop is paused. When it shall continue: phaseloop schedule resume {key}"
    elif run.kind == loop_state.ADVANCE and run.state == run_state.INCOMPLETE:
        yield f"The loop continues. To see what is left to do, if anything: phaseloop plan {key}"
    elif run.state in (run_state.INCOMPLETE, run_state.FAILED, run_state.CANCELLED):
        if run.serial != found.project.serial or run.cleaned_at is not None:
            yield f"The project was changed since. To see what is left: phaseloop plan {key}"
        elif _only_left_to_people(found):
            yield f"What people changed stays as it is. To do what is left: phaseloop plan {key}"
        elif run.state == run_state.CANCELLED:
            yield f"Continue with it: phaseloop runs resume {run.id}"
        else:
            yield f"Fix what the findings name, then: phaseloop runs retry {run.id}"
            yield f"If it cannot be fixed, plan what is left: phaseloop plan {key}"


def _only_left_to_people(found: run_views.Progress) -> bool:
    """Whether a run is incomplete only because people changed things meanwhile: a retry would leave them again."""
    wrong = {one.code for one in findings_of(found.run.findings) if one.severity is Severity.ERROR}
    theirs = all(code.endswith("-meanwhile") for code in wrong)
    return found.run.state == run_state.INCOMPLETE and bool(wrong) and theirs


def report(found: run_views.Progress, *, as_json: bool, said: Collection[str] = ()) -> None:
    """Say how a run ended, and how to continue; leaves with the exit code for errors unless it completed. Findings
    whose messages were `said` by the same command are not said again."""
    run = found.run
    if as_json:
        print_json(run_views.run_json(found))
    else:
        tell(found, said)
    if run.state != run_state.COMPLETED:
        raise typer.Exit(Exit.ERROR)


def what_it_did(found: run_views.Progress) -> str:
    """What a plan that was applied to its end did, by what it was for; empty for other runs."""
    key = escape(found.project.key)
    match found.run.kind:
        case Purpose.APPLY:
            return f"The plan {found.run.plan_id} of {key} is applied."
        case Purpose.UNDO:
            return f"Undone in {key}: {f'what the run {escape(found.undoes)} did' if found.undoes else 'a run'}."
        case Purpose.REMOVE:
            return f"The project {key} is ended."
        case _:
            return ""


def tell(found: run_views.Progress, said: Collection[str] = ()) -> None:
    """Say how a run ended, or what it waits for, and how to continue; but not the findings whose messages were `said`
    before."""
    run = found.run
    for line in finding_lines(one for one in findings_of(run.findings) if one.message not in said):
        out.print(line)
    if run.state == run_state.HELD:
        out.print(f"[bold yellow]Held[/]: {_looks_again(found)}")
    elif run.state == run_state.WAITING:
        out.print(f"[bold yellow]Not done yet[/]: {doing(found)}")
    elif found.steps == 0 and run.state == run_state.COMPLETED:
        looked = run.kind == loop_state.AUDIT
        out.print(
            "The records were looked at; nothing was to be written."
            if looked
            else "[bold]Nothing to do in the tracker.[/]"
        )
    else:
        colour = "green" if run.state == run_state.COMPLETED else "bold red"
        out.print(f"[{colour}]{run.state.capitalize()}[/]: {', '.join(_numbers(found))}.")
    if run.state == run_state.COMPLETED and (done := what_it_did(found)):
        out.print(done)
    for line in how_to_go_on(found):
        out.print(line)
    if found.project.url:
        out.print(found.project.url)
