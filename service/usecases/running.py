"""Runs as people see them: what they have done, what they wait for, what they cost, what came of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from connectors.tracker import ItemKind, Usage
from service.context import Context
from service.store import items, runs
from service.store.tables import ItemRow, PlanRow, ProjectRow, RunRow, StepRow
from service.usecases.errors import NotFound


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. `done` of `steps` batches have ended (0 of 0 until the project is opened); `written` of
    `planned` new items exist; `updates` is how many changes its plan has to items that existed before; `requests`
    counts this run's own."""

    run: RunRow
    project: ProjectRow
    steps: int
    done: int
    written: int
    planned: int
    updates: int
    requests: Usage
    latest: StepRow | None

    @property
    def ended(self) -> bool:
        """Whether the run is over."""
        return self.run.state in runs.ENDED


def progress(context: Context, run_id: str) -> Progress:
    """How far the run is now. Raises NotFound."""
    with context.database.session() as session:
        run = session.get(RunRow, run_id)
        if run is None:
            raise NotFound("run", run_id, "`phaseloop runs list` names those there are.")
        project = session.get_one(ProjectRow, run.project_id)
        ended = runs.steps(session, run_id)
        made = _made(session, project.id)
    planned, updates = _outline(context, run.plan_id)
    return Progress(
        run=run,
        project=project,
        steps=len(run.batches or []),
        done=len({step.number for step in ended if step.state == "go" and step.number > 0}),
        written=len(planned & made),
        planned=len(planned),
        updates=updates,
        requests=Usage(sum(step.reads for step in ended), sum(step.writes for step in ended)),
        latest=ended[-1] if ended else None,
    )


@lru_cache(maxsize=64)
def _outline(context: Context, plan_id: str) -> tuple[frozenset[str], int]:
    """The keys that a plan creates and how many other changes it has; kept, because plans never change and a large one
    is slow to read at every look of somebody who follows its run."""
    with context.database.session() as session:
        changes = session.get_one(PlanRow, plan_id).body["changes"]
    created = frozenset(change["key"] for change in changes if change["action"] == "create")
    return created, sum(change["action"] in ("update", "adopt", "forget") for change in changes)


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
        vacancies=tuple(row for row in made if any(str(x).startswith("vacant:") for x in row.wanted.get("labels", ()))),
        refused=tuple(row for row in rows if row.state == items.REFUSED),
    )


def item_rows(context: Context, project_id: str) -> list[ItemRow]:
    """All recorded items of the project by key."""
    with context.database.session() as session:
        return sorted(items.rows(session, project_id).values(), key=lambda row: row.key)


def item_page(context: Context, project_id: str, limit: int, after: str = "") -> list[ItemRow]:
    """Recorded items of the project by key: at most `limit`, those with a key above `after`."""
    query = select(ItemRow).where(ItemRow.project_id == project_id, ItemRow.key > after).order_by(ItemRow.key)
    with context.database.session() as session:
        return list(session.scalars(query.limit(limit)))


@dataclass(frozen=True, slots=True)
class Pulse:
    """What changes whenever anything about a run does; cheap to read often."""

    state: str
    message: str
    last_step: int


def pulse(context: Context, run_id: str) -> Pulse:
    """The run's pulse. Raises NotFound."""
    last = select(func.coalesce(func.max(StepRow.id), 0)).where(StepRow.run_id == run_id).scalar_subquery()
    with context.database.session() as session:
        found = session.execute(select(RunRow.state, RunRow.message, last).where(RunRow.id == run_id)).one_or_none()
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
        "started_by": run.started_by,
        "created_at": run.created_at.isoformat(),
        "started_at": run.started_at.isoformat() if run.started_at else None,
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "message": run.message,
        "progress": {"steps": found.steps, "done": found.done, "items": found.planned, "written": found.written},
        "requests": {"reads": found.requests.reads, "writes": found.requests.writes},
        "findings": run.findings,
        "url": found.project.url,
    }


def _made(session: Session, project_id: str) -> set[str]:
    found = session.scalars(select(ItemRow.key).where(ItemRow.project_id == project_id, ItemRow.state == items.MADE))
    return set(found)
