"""Runs as people see them: what they have done, what they wait for, what they cost, what came of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from connectors.registry import kind_of
from connectors.values import Usage
from service.context import Context
from service.domain.plan import run_state
from service.domain.plan.plan import Action, Purpose
from service.domain.plan.remainder import Pace, seconds_left
from service.store import items, runs
from service.store.database import Database
from service.store.tables import ConnectionRow, ItemRow, PlanRow, ProjectRow, RunRow, StepRow
from service.usecases import ids
from service.usecases.errors import NotFound
from service.views.made import instant
from service.views.run import RunView, StepView
from service.views.setup import ProjectView


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. `done` of `steps` batches have ended (0 of 0 until the project is opened); `written` of
    `planned` new items exist; `removed` of `removals` are gone. Of the other changes of its plan `updates` are to items
    that existed before, `taken_over` and `released` say how many become ours and stop to be. `requests` counts this
    run's own. `seconds_left` is None for a run that has ended.

    `tracker` is the name of the kind of tracker; `continued_by` the run that took this one's work up; `undoes` the one
    that this one takes back; `undone`: another one took this one back, so that what it had written is gone.
    """

    run: RunView
    project: ProjectView
    tracker: str
    steps: int
    done: int
    written: int
    planned: int
    removed: int
    removals: int
    updates: int
    taken_over: int
    released: int
    requests: Usage
    latest: StepView | None
    seconds_left: float | None
    continued_by: str | None
    undoes: str = ""
    undone: bool = False

    @property
    def ended(self) -> bool:
        """Whether the run is over."""
        return self.run.ended


def progress(context: Context, run_id: str) -> Progress:
    """How far the run is now. Raises NotFound."""
    with context.database.session() as session:
        run = session.get(RunRow, run_id)
        if run is None:
            raise NotFound("run", run_id, "`phaseloop runs list` names those there are.")
        project = session.get_one(ProjectRow, run.project_id)
        kind = session.get_one(ConnectionRow, project.connection_id).kind
        latest = runs.latest_step(session, run_id)
        totals = run.totals or count(session, run, _outline(context.database, run.plan_id))
        successor = session.get(RunRow, runs.next_id(run))
        undone = run_id in runs.taken_back(session, run.project_id)
    return Progress(
        run=RunView.of(run),
        project=ProjectView.of(project),
        tracker=kind_of(kind).title,
        steps=totals["steps"],
        done=totals["done"],
        written=totals["written"],
        planned=totals["planned"],
        removed=totals["removed"],
        removals=totals["removals"],
        updates=totals["updates"],
        taken_over=totals.get("taken_over", 0),
        released=totals.get("released", 0),
        requests=Usage(totals["reads"], totals["writes"]),
        latest=StepView.of(latest) if latest is not None else None,
        seconds_left=None if run.state in run_state.ENDED else _seconds_left(context, run, totals),
        continued_by=successor.id if successor is not None else None,
        undoes=_outline(context.database, run.plan_id).undoes if run.kind == Purpose.UNDO else "",
        undone=undone,
    )


@dataclass(frozen=True, slots=True)
class Outline:
    """What a plan asks for in short: the keys it creates and removes, how many other changes it has of each kind, and
    what it is expected to take."""

    created: frozenset[str]
    deleted: frozenset[str]
    updates: int
    taken_over: int
    released: int
    calls: int
    seconds: float
    undoes: str = ""


@lru_cache(maxsize=64)
def _outline(database: Database, plan_id: str | None) -> Outline:
    """The plan's outline; kept, because plans never change and a large one is slow to read at every look of somebody
    who follows its run. Empty for a run of the loop that has not made its plan."""
    if plan_id is None:
        return outline({})
    with database.session() as session:
        return outline(session.get_one(PlanRow, plan_id).body)


def outline(body: Mapping[str, Any]) -> Outline:
    """The outline of a stored plan."""
    changes = body.get("changes", ())
    expected = body.get("estimate", {"reads": 0, "writes": 0, "seconds": 0.0})
    return Outline(
        created=frozenset(change["key"] for change in changes if change["action"] == Action.CREATE),
        deleted=frozenset(change["key"] for change in changes if change["action"] == Action.DELETE),
        updates=sum(change["action"] == Action.UPDATE for change in changes),
        taken_over=sum(change["action"] == Action.ADOPT for change in changes),
        released=sum(change["action"] == Action.FORGET for change in changes),
        calls=expected["reads"] + expected["writes"],
        seconds=expected["seconds"],
        undoes=body.get("undoes") or "",
    )


def count(session: Session, run: RunRow, plan: Outline) -> dict[str, Any]:
    """The numbers of a run as they are now: its batches, items, requests, and the seconds it has worked."""
    ended = runs.steps(session, run.id)
    rows = session.execute(select(ItemRow.key, ItemRow.state).where(ItemRow.project_id == run.project_id)).all()
    there = {key for key, _state in rows}
    made = {key for key, state in rows if state == items.MADE}
    return {
        "steps": len(run.batches or []),
        "done": len({step.number for step in ended if step.state == "go" and step.number > 0}),
        "written": len(plan.created & made),
        "planned": len(plan.created),
        "removed": len(plan.deleted - there),
        "removals": len(plan.deleted),
        "updates": plan.updates,
        "taken_over": plan.taken_over,
        "released": plan.released,
        "reads": sum(step.reads for step in ended),
        "writes": sum(step.writes for step in ended),
        "seconds": sum((step.finished_at - step.started_at).total_seconds() for step in ended),
    }


def _seconds_left(context: Context, run: RunRow, totals: Mapping[str, Any]) -> float:
    """Seconds of work that are left, and of the wait where the run waits for a known time."""
    plan, share = _outline(context.database, run.plan_id), _share(context, run)
    pace = Pace(
        expected_calls=round(plan.calls * share),
        expected_seconds=plan.seconds * share,
        calls=totals["reads"] + totals["writes"],
        seconds=totals["seconds"],
    )
    left = seconds_left(pace, totals["steps"] - totals["done"])
    if run.waiting_until is not None:
        left += max(0.0, (run.waiting_until - context.now()).total_seconds())
    return round(left, 1)


def _share(context: Context, run: RunRow) -> float:
    """How much of its plan a run has to do: one that continues has fewer batches than the first one had."""
    if run.continues is None or run.batches is None:
        return 1.0
    former = run
    with context.database.session() as session:
        while former.continues is not None:
            former = session.get_one(RunRow, former.continues)
    return min(1.0, len(run.batches) / len(former.batches)) if former.batches else 1.0


def find(context: Context, given: str) -> str:
    """The id of the run that people name by it, or by the beginning of it or of its plan's. Raises NotFound; Conflict
    where several begin so."""
    with context.database.session() as session:
        if session.get(RunRow, given) is not None:
            return given
        begins = RunRow.id.startswith(given, autoescape=True) | RunRow.plan_id.startswith(given, autoescape=True)
        found = list(session.scalars(select(RunRow.id).where(begins).order_by(RunRow.created_at.desc()).limit(6)))
    if not found or not given:
        raise NotFound("run", given, "`phaseloop runs list` names those there are.")
    if len(found) > 1:
        raise ids.ambiguous("runs", given, found)
    return found[0]


def ended(context: Context, run_id: str | None) -> bool:
    """Whether there is such a run and it is over."""
    with context.database.session() as session:
        run = session.get(RunRow, run_id) if run_id is not None else None
    return run is not None and run.state in run_state.ENDED


def steps(context: Context, run_id: str, after: int = 0) -> list[StepView]:
    """The steps that have ended, those with an id above `after`."""
    with context.database.session() as session:
        return [StepView.of(row) for row in runs.steps(session, run_id, after)]


def listed(
    context: Context, project_id: str | None = None, limit: int = 50, before: str | None = None
) -> list[RunView]:
    """Runs, newest first; those older than the run `before`, at most `limit`."""
    query = select(RunRow).order_by(RunRow.created_at.desc(), RunRow.id.desc()).limit(limit)
    if context.sees is not None:
        query = query.where(RunRow.project_id.in_(context.sees))
    if project_id is not None:
        query = query.where(RunRow.project_id == project_id)
    with context.database.session() as session:
        if before is not None and (last := session.get(RunRow, before)) is not None:
            query = query.where(
                (RunRow.created_at < last.created_at) | ((RunRow.created_at == last.created_at) & (RunRow.id < last.id))
            )
        return [RunView.of(row) for row in session.scalars(query)]


@dataclass(frozen=True, slots=True)
class Pulse:
    """What changes whenever anything about a run does; cheap to read often."""

    state: str
    message: str
    waiting_until: datetime | None
    cancel_requested_at: datetime | None
    last_step: int


def pulse(context: Context, run_id: str) -> Pulse:
    """The run's pulse. Raises NotFound."""
    last = select(func.coalesce(func.max(StepRow.id), 0)).where(StepRow.run_id == run_id).scalar_subquery()
    with context.database.session() as session:
        about = select(RunRow.state, RunRow.message, RunRow.waiting_until, RunRow.cancel_requested_at, last)
        found = session.execute(about.where(RunRow.id == run_id)).one_or_none()
    if found is None:
        raise NotFound("run", run_id, "`phaseloop runs list` names those there are.")
    return Pulse(*found)


def run_json(found: Progress) -> dict[str, Any]:
    """A run as plain values, the form that CLI and REST show."""
    run = found.run
    return {
        **run.to_json(),
        "attempt": run.attempt,
        "undone": found.undone,
        "continues": run.continues,
        "continued_by": found.continued_by,
        "cancel_requested_at": instant(run.cancel_requested_at),
        "cancelled_by": run.cancelled_by,
        "cleaned_at": instant(run.cleaned_at),
        "waiting_until": instant(run.waiting_until),
        "tracker": found.tracker,
        "progress": {
            "steps": found.steps,
            "done": found.done,
            "items": found.planned,
            "written": found.written,
            "removals": found.removals,
            "removed": found.removed,
            "changes": found.updates + found.taken_over + found.released,
            "seconds_left": found.seconds_left,
        },
        "requests": {"reads": found.requests.reads, "writes": found.requests.writes},
        "findings": list(run.findings),
        "url": found.project.url,
    }
