"""One durable step of a run: everything it needs, what it cost, and how its errors turn into what happens next."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from connectors.errors import OutcomeUnknown, TrackerError, TrackerRefused, TrackerUnavailable
from connectors.tracker import Finding, Item, ItemKey, Place, RemoteRef, Severity, Tracker, Usage
from service.context import Context
from service.domain.plan import Change, Plan
from service.domain.wire import place_from_json, plan_from_json
from service.store import items, runs
from service.store.tables import ConnectionRow, ItemRow, PlanRow, ProjectRow, RunRow

log = logging.getLogger(__name__)

ATTEMPTS = 8
"""How often a batch is tried before its run ends as incomplete; the waits between add up to about eight minutes."""

LONGEST_BACKOFF = 240.0
"""Seconds between two attempts when the tracker does not say how long to wait."""

RESUME = "Nothing is lost: once this is mended, plan again and apply; only what is missing will be done."


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a step ended: `next` is `go`, `again` (after `wait` seconds) or `stop`. Journaled, so plain values only."""

    next: str
    wait: float = 0.0


@dataclass
class Work:
    """One step's view of its run: the plan, the place, the recorded items, the tracker."""

    context: Context
    run: RunRow
    project: ProjectRow
    plan: Plan
    tracker: Tracker
    rows: dict[ItemKey, ItemRow]
    desired: dict[ItemKey, Item]
    changes: dict[ItemKey, Change]
    findings: list[Finding] = field(default_factory=list)

    @property
    def place(self) -> Place:
        """Where the run works; known once the project was opened."""
        assert self.run.place is not None  # noqa: S101 - the batches come after the step that sets it
        return place_from_json(self.run.place)

    def ref(self, key: ItemKey | None) -> RemoteRef | None:
        """The reference of an item that exists."""
        return items.reference(self.rows[key]) if key in self.rows else None

    def reload(self) -> None:
        """Look at the recorded items again."""
        with self.context.database.session() as session:
            self.rows = items.rows(session, self.project.id)


def step(
    context: Context, run_id: str, number: int, attempt: int, title: str, action: Callable[[Work], None]
) -> Verdict:
    """Run `action` as step `number` (0 opens the project, batches count from 1), record what it cost and how it ended.

    Errors of the tracker become a verdict and, when the run cannot go on, a finding. Other errors are ours and rise.
    """
    started = context.now()
    with context.database.session() as session:
        run = session.get_one(RunRow, run_id)
        runs.set_running(run, started)
        project = session.get_one(ProjectRow, run.project_id)
        connection = session.get_one(ConnectionRow, project.connection_id)
        rows = items.rows(session, project.id)
    plan, desired, changes = _plan(context, run.plan_id)
    with context.tracker(connection) as tracker:
        before = tracker.usage
        work = Work(context, run, project, plan, tracker, rows, desired, changes)
        verdict, message = Verdict("go"), ""
        try:
            action(work)
        except TrackerUnavailable as error:
            verdict, message = _wait(error, attempt), str(error)
        except OutcomeUnknown as error:
            # The next attempt finds intents without answers, and looks in the tracker before it writes.
            verdict, message = _again(attempt, 1.0), str(error)
        except TrackerError as error:
            verdict, message = Verdict("stop"), str(error)
            work.findings.append(_finding(error, title))
        if verdict.next == "stop" and not work.findings:
            work.findings.append(Finding(Severity.ERROR, "gave-up", f"{title}: {message}", RESUME, run_id))
        used = Usage(tracker.usage.reads - before.reads, tracker.usage.writes - before.writes)
    with context.database.session() as session:
        now = context.now()
        runs.record_step(session, run_id, number, title, verdict.next, message, used, started, now)
        runs.add_findings(session, run_id, work.findings)
        if verdict.next == "again":
            runs.set_waiting(session, run_id, message)
    return verdict


@lru_cache(maxsize=8)
def _plan(context: Context, plan_id: str) -> tuple[Plan, dict[ItemKey, Item], dict[ItemKey, Change]]:
    """The plan, read once for all steps of a run: plans never change after they are saved."""
    with context.database.session() as session:
        plan = plan_from_json(session.get_one(PlanRow, plan_id).body)
    return plan, {item.key: item for item in plan.items}, {change.key: change for change in plan.changes}


def _wait(error: TrackerUnavailable, attempt: int) -> Verdict:
    told = error.retry_after
    return _again(attempt, told if told is not None else min(LONGEST_BACKOFF, 2.0 * 2**attempt))


def _again(attempt: int, seconds: float) -> Verdict:
    return Verdict("again", seconds) if attempt + 1 < ATTEMPTS else Verdict("stop")


def _finding(error: TrackerError, title: str) -> Finding:
    code = "refused" if isinstance(error, TrackerRefused) else "not-a-tracker"
    return Finding(Severity.ERROR, code, f"{title}: {error.message}", error.fix or RESUME)
