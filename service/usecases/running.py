"""Runs as people see them: what they have done, what they wait for, what they cost, what came of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from connectors.tracker import ItemKind, Usage
from service.context import Context
from service.domain.desired import is_vacant_label
from service.domain.plan import Action
from service.domain.remaining import Pace, seconds_left
from service.store import items, runs
from service.store.database import Database
from service.store.tables import ConnectionRow, ItemRow, PlanRow, ProjectRow, RunRow, StepRow
from service.usecases.errors import Conflict, NotFound


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. `done` of `steps` batches have ended (0 of 0 until the project is opened); `written` of
    `planned` new items exist; `removed` of `removals` are gone; `updates` is how many changes its plan has to items
    that existed before; `requests` counts this run's own. `seconds_left` is None for a run that has ended.

    `tracker` is the name of the kind of tracker; `continued_by` the run that took this one's work up.
    """

    run: RunRow
    project: ProjectRow
    tracker: str
    steps: int
    done: int
    written: int
    planned: int
    removed: int
    removals: int
    updates: int
    requests: Usage
    latest: StepRow | None
    seconds_left: float | None
    continued_by: str | None

    @property
    def ended(self) -> bool:
        """Whether the run is over."""
        return self.run.state in runs.ENDED


TRACKERS = {"jira": "Jira", "trello": "Trello"}
"""How people call the kinds of trackers."""


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
    return Progress(
        run=run,
        project=project,
        tracker=TRACKERS.get(kind, kind),
        steps=totals["steps"],
        done=totals["done"],
        written=totals["written"],
        planned=totals["planned"],
        removed=totals["removed"],
        removals=totals["removals"],
        updates=totals["updates"],
        requests=Usage(totals["reads"], totals["writes"]),
        latest=latest,
        seconds_left=None if run.state in runs.ENDED else _seconds_left(context, run, totals),
        continued_by=successor.id if successor is not None else None,
    )


@dataclass(frozen=True, slots=True)
class Outline:
    """What a plan asks for in short: the keys it creates and removes, how many other changes it has, and what it is
    expected to take."""

    created: frozenset[str]
    deleted: frozenset[str]
    updates: int
    calls: int
    seconds: float


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
        updates=sum(change["action"] in (Action.UPDATE, Action.ADOPT, Action.FORGET) for change in changes),
        calls=expected["reads"] + expected["writes"],
        seconds=expected["seconds"],
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
    """How much of its plan a run has to do: one that goes on has fewer batches than the first one had."""
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
        raise Conflict("ambiguous", f"Several runs begin with {given!r}: {', '.join(found[:5])}.", "Name one in full.")
    return found[0]


def ended(context: Context, run_id: str | None) -> bool:
    """Whether there is such a run and it is over."""
    with context.database.session() as session:
        run = session.get(RunRow, run_id) if run_id is not None else None
    return run is not None and run.state in runs.ENDED


def steps(context: Context, run_id: str, after: int = 0) -> list[StepRow]:
    """The steps that have ended, those with an id above `after`."""
    with context.database.session() as session:
        return runs.steps(session, run_id, after)


def listed(context: Context, project_id: str | None = None, limit: int = 50, before: str | None = None) -> list[RunRow]:
    """Runs, newest first; those older than the run `before`, at most `limit`."""
    query = select(RunRow).order_by(RunRow.created_at.desc(), RunRow.id.desc()).limit(limit)
    if project_id is not None:
        query = query.where(RunRow.project_id == project_id)
    with context.database.session() as session:
        if before is not None and (last := session.get(RunRow, before)) is not None:
            query = query.where(
                (RunRow.created_at < last.created_at) | ((RunRow.created_at == last.created_at) & (RunRow.id < last.id))
            )
        return list(session.scalars(query))


@dataclass(frozen=True, slots=True)
class Inventory:
    """What a project has in its tracker, and which of its tickets have nobody."""

    counts: Mapping[str, int]
    vacancies: tuple[ItemRow, ...]
    refused: tuple[ItemRow, ...]

    def count(self, kind: ItemKind) -> int:
        """How many items of this kind exist."""
        return self.counts.get(kind.value, 0)


def inventory(context: Context, project_id: str) -> Inventory:
    """What the project has in its tracker, from our records."""
    with context.database.session() as session:
        rows = list(items.rows(session, project_id).values())
    made = [row for row in rows if row.state == items.MADE]
    return Inventory(
        counts=Counter(row.kind for row in made),
        vacancies=tuple(row for row in made if _is_vacant(row)),
        refused=tuple(row for row in rows if row.state == items.REFUSED),
    )


def _is_vacant(row: ItemRow) -> bool:
    """Whether a ticket was given to nobody, by our records, and had nobody when it was read last."""
    marked = any(is_vacant_label(str(label)) for label in row.wanted.get("labels", ()))
    return marked and not row.wanted.get("assignee") and not (row.seen or {}).get("assignee")


def item_page(context: Context, project_id: str, limit: int, after: str = "") -> list[ItemRow]:
    """Recorded items of the project by key: at most `limit`, those with a key above `after`."""
    shown = (ItemRow.project_id == project_id, ItemRow.key > after, ItemRow.state != items.RELEASED)
    query = select(ItemRow).where(*shown).order_by(ItemRow.key)
    with context.database.session() as session:
        return list(session.scalars(query.limit(limit)))


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
        "id": run.id,
        "kind": run.kind,
        "state": run.state,
        "project": run.project_id,
        "plan": run.plan_id,
        "iteration": run.iteration,
        "attempt": run.attempt,
        "started_by": run.started_by,
        "created_at": run.created_at.isoformat(),
        "started_at": run.started_at.isoformat() if run.started_at else None,
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "continues": run.continues,
        "continued_by": found.continued_by,
        "cancel_requested_at": run.cancel_requested_at.isoformat() if run.cancel_requested_at else None,
        "cancelled_by": run.cancelled_by,
        "cleaned_at": run.cleaned_at.isoformat() if run.cleaned_at else None,
        "message": run.message,
        "waiting_until": run.waiting_until.isoformat() if run.waiting_until else None,
        "tracker": found.tracker,
        "progress": {
            "steps": found.steps,
            "done": found.done,
            "items": found.planned,
            "written": found.written,
            "removals": found.removals,
            "removed": found.removed,
            "changes": found.updates,
            "seconds_left": found.seconds_left,
        },
        "requests": {"reads": found.requests.reads, "writes": found.requests.writes},
        "findings": run.findings,
        "url": found.project.url,
    }


def step_json(row: StepRow) -> dict[str, Any]:
    """A step as plain values, the form that CLI, REST and events show."""
    return {
        "id": row.id,
        "number": row.number,
        "title": row.title,
        "state": row.state,
        "message": row.message,
        "requests": {"reads": row.reads, "writes": row.writes},
        "started_at": row.started_at.isoformat(),
        "finished_at": row.finished_at.isoformat(),
    }
