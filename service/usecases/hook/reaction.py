"""What events from outside have written into a tracker: a ticket added or closed, a line in a record, a comment to
people. Each is a plan, kept with its run in one unit of work, under an id made from the firing: so it is done once,
whoever asks and how often.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from connectors.values import Severity
from service.context import Context
from service.domain.hook.action import PRIORITIES
from service.domain.plan import run_state
from service.domain.plan.event_ticket import reacting_run
from service.domain.plan.plan import Purpose
from service.domain.problems import InvalidInput, Problem
from service.domain.template.shape import one_of
from service.store import loops
from service.store.tables import LoopRow, ProjectRow, RunRow
from service.usecases.errors import Conflict, PlanBlocked
from service.usecases.hook import people, records, tickets
from service.usecases.hook.asked import Asked, Reaction
from service.usecases.loop.scheduling import refuse_at_work
from service.usecases.plan.planning import plan_row
from service.usecases.plan.project_state import Material, material
from service.usecases.queue import Enqueue

TRIES = 3
"""How often a plan is made anew when something of it was overtaken while the tracker was read."""


@dataclass(frozen=True, slots=True)
class Started:
    """What came of it: the run, None where nothing was to be written, and what was done in words."""

    run: str | None
    text: str


def react(
    context: Context, asked: Asked, enqueue: Enqueue, beside: Callable[[Session], None] = lambda _session: None
) -> Started:
    """Make the plan, keep it with its run, and start that; `beside` is done in the same unit of work. Repeatable by the
    claim of the context.

    Raises InvalidInput; Conflict where no iteration has begun, an advance is in progress or another event about the
    same ticket is; PlanBlocked; TrackerError.
    """
    for _ in range(TRIES):
        found = draft(context, asked, keeps=True)
        number = reacting_run(asked.once)
        with context.database.session() as session:
            loop = loops.locked(session, asked.project.id)
            if (
                loop is None
                or loop.current != found.current
                or _WRITERS[asked.action].is_overtaken(session, asked, found)
            ):
                continue
            _refuse_turning(session, asked.project, loop)
            beside(session)
            started = _kept(context, session, asked, found, number)
            context.done(session, started or f"{asked.action}:{asked.key}"[:200])
        if started is not None:  # after the commit: the keeper enqueues what was not
            enqueue(started, asked.project.connection_id)
        return Started(started, found.text)
    message = f"{asked.project.key} was changed again and again while its tracker was read."
    raise Conflict("loop-moved-on", message, "It is tried again.")


def draft(context: Context, asked: Asked, *, keeps: bool = False) -> Reaction:
    """What would be done, with the plan. Writes nothing, but for the evidence of a record that is written into, where
    `keeps`. Raises as `react` does."""
    _check(asked)
    ours = material(context, asked.project.id)
    if not ours.current:
        message = f"No iteration of {asked.project.key} has begun, so there is none to write to."
        raise Conflict("loop-not-begun", message, "The first one begins at its time, or with `phaseloop advance`.")
    if ours.pending is not None:
        raise Conflict("advance-in-progress", f"An advance of {asked.project.key} is running.", "It is tried again.")
    found = _WRITERS[asked.action].draft(context, ours, asked, keeps)
    if found.made is not None and found.made.plan.blocked:
        errors = [one for one in found.made.plan.findings if one.severity is Severity.ERROR]
        raise PlanBlocked(errors)
    return found


def _kept(context: Context, session: Session, asked: Asked, found: Reaction, number: str) -> str | None:
    """Keep the plan with its run, and tell the history; the run's id, None where nothing is to be written."""
    started: str | None = None
    if found.made is not None and session.get(RunRow, number) is None:
        row = plan_row(context, found.made, number)
        session.add(row)
        session.flush()
        session.add(
            RunRow(
                id=number,
                kind=Purpose.REACT.value,
                project_id=asked.project.id,
                plan_id=row.id,
                iteration=found.current,
                state=run_state.QUEUED,
                started_by=asked.by,
                created_at=context.now(),
                findings=[],
            )
        )
    if found.made is not None:
        started = number
    for event in found.events:
        loops.record_event(
            session,
            asked.project.id,
            event.name,
            event.kind,
            event.text,
            at=context.now(),
            by=asked.by,
            iteration=found.current,
            data=event.data,
            run_id=started,
        )
    return started


def _refuse_turning(session: Session, project: ProjectRow, loop: LoopRow) -> None:
    """Raises Conflict while an advance is under way; one that is held has changed nothing."""
    run = session.get(RunRow, loop.run_id) if loop.run_id is not None else None
    if run is not None and run.state != run_state.HELD:
        refuse_at_work(session, project, loop)


def _check(asked: Asked) -> None:
    """Raises InvalidInput where an argument came out empty, or is none."""
    needed = {"add-ticket": ("ticket", "title", "role"), "close-ticket": ("ticket", "note")}
    problems = [
        Problem("trigger", None, f"with.{name}", "came out empty", "look at what the event holds")
        for name in needed.get(asked.action, ("text",))
        if not asked.text(name)
    ]
    priority = asked.text("priority")
    if priority and priority not in PRIORITIES:
        fix = f"write {one_of(PRIORITIES)}"
        problems.append(Problem("trigger", None, "with.priority", f"{priority!r} is none", fix))
    if problems:
        raise InvalidInput(problems)


@dataclass(frozen=True, slots=True)
class _Writer:
    """How an action is planned, and whether that was overtaken before it was kept."""

    draft: Callable[[Context, Material, Asked, bool], Reaction]
    is_overtaken: Callable[[Session, Asked, Reaction], bool]


_WRITERS: Mapping[str, _Writer] = {
    "add-ticket": _Writer(tickets.added, tickets.is_overtaken),
    "close-ticket": _Writer(tickets.closed, tickets.is_overtaken),
    "record": _Writer(records.recorded, records.is_overtaken),
    "notify": _Writer(people.told, people.is_overtaken),
    "propose": _Writer(people.told, people.is_overtaken),
}

ACTIONS = frozenset(_WRITERS)
"""The actions that write to a tracker by a plan of their own."""
