"""The command `status`: how projects stand in their loops, what they have, what people changed since, what a plan would
change now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape

from connectors.errors import TrackerError
from connectors.values import ItemKind
from service.cli.loop_words import how_it_goes_on, proposal_lines
from service.cli.past_projects import none_going_on
from service.cli.project import only_planned_lines
from service.cli.shell import AsJson, Exit, nothing, opened, out, print_json
from service.cli.turnover import day_words
from service.cli.words import clock_words, count_line, drift_lines, finding_lines
from service.context import Context
from service.domain.audit.shown import visible
from service.domain.commands import typed
from service.domain.english import counted
from service.domain.loop.turnover import decision_words
from service.domain.plan import run_state
from service.domain.plan.field_words import names_in
from service.domain.problems import InvalidInput
from service.usecases.errors import Conflict
from service.usecases.loop.loop_status import Standing, standing
from service.usecases.plan import project_status
from service.usecases.plan.project_status import Look
from service.usecases.setup import projects
from service.views.hook import TriggerView

if TYPE_CHECKING:
    from service.usecases.loop.flow import Flow
    from service.usecases.plan.planning import Draft

_TITLES = 5
"""How many titles are named that an option may be given."""


def status(
    project: Annotated[
        str | None, typer.Argument(help="The project's key, name or id; all of them if left out.")
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="From our records only: nothing is read remotely.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show where projects are in their loops and what comes next; what they have in their trackers, vacancies first;
    what people changed there since; and what a plan would change now. Reads the trackers, writes nothing anywhere.

    Exit code 1 if a tracker could not be read; what is recorded is shown all the same.
    """
    with opened(keyless=True) as context:
        planned = only_planned_lines(context) if project is None else []
        if project is None:
            found = project_status.look_at_all(context, offline=offline)
        else:
            found = [
                project_status.look(
                    context, projects.past_or_present(context, project, ask=not offline), offline=offline
                )
            ]
        loops = [_turned(context, entry, offline=offline) for entry in found]
        parked = [_parked(context, entry) for entry in found]
        none = none_going_on(context) if not found else ""
    if as_json:
        print_json([_json(entry, loop, rows) for entry, loop, rows in zip(found, loops, parked, strict=True)])
    elif not found:
        nothing(none)
    else:
        for entry, loop, rows in zip(found, loops, parked, strict=True):
            for line in _lines(entry, loop, rows):
                out.print(line)
    for line in planned if not as_json else ():
        out.print(line)
    raise typer.Exit(Exit.ERROR if any(entry.trouble for entry in found) else Exit.NOTHING)


@dataclass(frozen=True, slots=True)
class _Loop:
    """How the loop stands, and how work flows in it where the tracker could be asked."""

    standing: Standing
    flow: Flow | None
    now: datetime


def _turned(context: Context, found: Look, *, offline: bool) -> _Loop | None:
    """How the project's loop stands; None where our records do not go together (the look says so)."""
    try:
        seen = None if offline or found.trouble is not None else _flow(context, found.project.id)
        return _Loop(
            standing(context, found.project.id, seen.contents if seen is not None else None), seen, context.now()
        )
    except InvalidInput:
        return None


def _flow(context: Context, project_id: str) -> Flow | None:
    """How work flows; None where there is no current iteration, or the tracker went away just now."""
    from service.usecases.loop.flow import flow

    try:
        return flow(context, project_id)
    except (Conflict, TrackerError):
        return None


def _parked(context: Context, found: Look) -> Sequence[TriggerView]:
    """The triggers of the project that do nothing, because they failed too often."""
    from service.usecases.hook.triggers import parked_in

    return parked_in(context, found.project) if found.project.ended_at is None else ()


def _json(found: Look, loop: _Loop | None, parked: Sequence[TriggerView]) -> dict[str, Any]:
    stands = loop.standing.to_json() if loop is not None else None
    flows = None
    if loop is not None and loop.flow is not None:
        from service.usecases.loop.flow import flow_json

        flows = flow_json(loop.flow)
    stopped = [row.parked_json() for row in parked]
    return {**project_status.look_json(found), "loop": stands, "flow": flows, "parked_triggers": stopped}


def _lines(found: Look, loop: _Loop | None, parked: Sequence[TriggerView]) -> Iterator[str]:
    row, inventory = found.project, found.inventory
    kinds = (ItemKind.EPIC, ItemKind.ITERATION, ItemKind.TICKET)
    counts = ", ".join(counted(inventory.count(kind), kind.value) for kind in kinds)
    ended = ""
    if row.ended_at is not None:
        ended = f", ended {row.ended_at.astimezone(ZoneInfo(row.time_zone)):%Y-%m-%d}"
    yield f"[bold]{escape(row.key)}[/] ({escape(row.name)}) {row.id}: {counts}{ended}"
    if row.url:
        yield f"  {row.url}"
    if row.planned:
        yield "  Planned, and not set up: nothing is made and nothing turns before a plan of it is applied."
    elif loop is not None and row.ended_at is None:
        yield from (f"  {line}" for line in _loop_lines(loop.standing, loop.flow, loop.now))
    if row.ended_at is not None:
        yield f"  What became of it: phaseloop history {escape(typed(row.id))}"
    for vacancy in inventory.vacancies:
        yield f"  [bold red]vacant[/] {vacancy.remote_key} {escape(vacancy.title)}"
    for refused in inventory.refused:
        yield f"  [bold red]refused[/] {escape(refused.key)}: {escape('; '.join(refused.problems))}"
    for row_of in parked:
        times = counted(row_of.failures, "time")
        yield (
            f"  [yellow]parked[/] The trigger {escape(row_of.name)} failed {times} in a row: "
            f"{escape(visible(row_of.message))}"
        )
        yield f"  Correct it, then: phaseloop triggers enable {escape(typed(row_of.name))}"
    if found.trouble is not None:
        yield f"  [bold red]The tracker could not be read:[/] {escape(found.trouble.message)}"
        yield f"  {escape(found.trouble.fix)}"
    elif found.draft is not None:
        yield from _seen(row.key, found.draft)


def _loop_lines(stand: Standing, seen: Flow | None, now: datetime) -> Iterator[str]:
    """Where the project is in its loop, what blocks it, and what comes next."""
    turn, run = stand.turn, stand.run
    if turn is not None:
        title = escape(stand.phases.get(turn.stage.phase, turn.stage.phase))
        again = f", turn {turn.stage.loop} of the loop" if turn.stage.loop > 1 else ""
        days = day_words(turn.starts.date(), turn.ends.date())
        yield f"Iteration [bold]{turn.number}[/] of {stand.iterations}, phase [bold]{title}[/]{again}: {days}"
        yield from _flow_lines(seen) if seen is not None else ()
    elif stand.loop is not None:
        yield f"The first iteration of {stand.iterations} has not begun"
    for one in stand.often:
        yield f"[yellow]carried {counted(one.times, 'time')}[/] {escape(one.remote_key)} {escape(one.title)}"
    decision = stand.decision
    if decision is not None:
        what = escape(decision_words(decision.move, decision.phase))
        yield f"Decided by {escape(decision.by)}: {what}. {escape(decision.reason)}"
    yield from proposal_lines(stand)
    if run is not None and run.state == run_state.HELD:
        when = f"; looks again on {_local(stand, run.waiting_until)}" if run.waiting_until else ""
        yield f"[bold yellow]Held[/]: {escape(run.message)}"
        yield f"It resumes automatically once that is fixed{when}. See: phaseloop runs show {run.id}"
    elif run is not None:
        yield f"A run is in progress: phaseloop runs watch {run.id}"
    else:
        yield from how_it_goes_on(stand, now)


def _flow_lines(seen: Flow) -> Iterator[str]:
    """How far the iteration is, and how much is in progress against the limit."""
    if seen.contents is not None:
        doing, limit = seen.doing.tickets, seen.limit
        over = limit is not None and doing > limit
        progress = f"{doing} in progress" + (f" (limit {limit})" if limit is not None else "")
        done = f"{seen.done.tickets} of {counted(len(seen.contents), 'ticket')} done"
        yield f"{done}, " + (f"[bold red]{progress}[/]" if over else progress)
    for finding in seen.findings:
        yield f"[yellow]{escape(finding.message)}[/] {escape(finding.fix)}"


def _local(stand: Standing, moment: datetime) -> str:
    return clock_words(moment.astimezone(ZoneInfo(stand.project.time_zone)))


def _seen(key: str, draft: Draft) -> Iterator[str]:
    plan = draft.plan
    if plan.drift:
        yield from drift_lines(plan.drift, names_in(plan))
        yield f"To have any of it as planned again: phaseloop plan {escape(typed(key))} --restore TITLE"
        titles = list(dict.fromkeys(typed(entry.title) for entry in plan.drift if entry.field is not None))
        titles += ["deleted"] if any(entry.field is None and entry.observed is None for entry in plan.drift) else []
        if titles:
            yield escape(f"TITLE is {' or '.join(titles[:_TITLES])}{' or another of these' * (len(titles) > _TITLES)}.")
    yield from finding_lines(plan.findings)
    yield ""
    if plan.blocked:
        yield "[bold red]A plan could not be applied[/] before the findings marked error are fixed."
    elif plan.empty:
        yield "A plan would change nothing."
    else:
        yield f"A plan would change: {count_line(plan)}."
        yield f"See it with: phaseloop plan {escape(typed(key))}"
