"""The keeper: what the engine does beside runs, by the clock. It holds the slot, begins what is due, takes over the
work of dead replicas, holds the journal against our record of runs, and cleans the journal.

Takeover and reconciling are repeatable and safe to do by several replicas at once: the engine moves a workflow on by
one conditional statement, and an execution that lost its workflow stops at its next write to the journal.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
from apscheduler.schedulers.background import BackgroundScheduler
from dbos import DBOS, WorkflowStatus
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from connectors.values import Finding, Severity
from service import schedule
from service.clock import SharedClock
from service.context import Context
from service.domain.plan import run_state
from service.runs import apply
from service.runs.active_runs import Traffic
from service.runs.lock import SlotLost
from service.runs.ownership import Registry
from service.runs.slots import Slot
from service.store import runs
from service.store.tables import ProjectRow, RunRow

log = logging.getLogger(__name__)

HOLD_EVERY = 0.5
"""Half of the next, so that a slot whose connection was cut is held again before it counts as abandoned; and a sixth of
what the proofs of our runs last (`ownership.BOUND`)."""

TAKE_OVER_EVERY = 1.0
RECONCILE_EVERY = 5.0
CLEAN_EVERY = 24 * 3600.0

ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
"""The engine's states in which a workflow is not worked on any more."""

CHUNK = 500
"""Runs that are held against the journal in one look: a look costs the same however many wait."""

OPEN = (run_state.QUEUED, run_state.RUNNING, run_state.WAITING)
"""The states in which a run is the engine's: named, for the database finds them by its index, however many ended."""


class Keeper:
    """The periodic jobs of one engine. `slot` is None on SQLite, `lost` is called when the slot is another's,
    `chores` once a day."""

    def __init__(
        self,
        context: Context,
        traffic: Traffic,
        queue: str,
        executor: str,
        slot: Slot | None,
        start: Callable[[str, str], None],
        lost: Callable[[str], None],
        chores: Callable[[Context], object] | None = None,
        registry: Registry | None = None,
        keep_up: Callable[[Context], object] | None = None,
    ) -> None:
        self._keep_up = keep_up
        self._registry = registry
        self._context, self._traffic, self._queue = context, traffic, queue
        self._executor, self._slot, self._start, self._lost, self._chores = executor, slot, start, lost, chores
        self._suspects: frozenset[tuple[str, str]] = frozenset()
        self._reached = ""
        self._troubled = self._stopped = False
        self._clock = BackgroundScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 60}
        )

    def start(self, *, clock: bool = False) -> None:
        """Reconcile now, and do everything by the clock from now on; with `clock`, begin what is due, too."""
        logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a job that is still running is no news
        self._safely(self.reconcile)
        if self._slot is not None:
            self._every(HOLD_EVERY, self.hold)
        self._every(TAKE_OVER_EVERY, self.take_over)
        self._every(RECONCILE_EVERY, self.reconcile)
        if clock:
            self._every(self._context.settings.tick_seconds, self.tick)
            self._every(self._context.settings.tick_seconds, self.keep_up)
        self._every(CLEAN_EVERY, self.clean, first=timedelta(minutes=1))
        self._clock.start()

    def stop(self) -> None:
        """Start nothing any more. What is under way ends by itself: each job is safe to end anywhere."""
        self._stopped = True
        if self._clock.running:
            self._clock.shutdown(wait=False)

    def _every(self, seconds: float, job: Callable[[], None], first: timedelta = timedelta()) -> None:
        begin = datetime.now(UTC) + first
        self._clock.add_job(lambda: self._safely(job), "interval", seconds=seconds, next_run_time=begin)

    def _safely(self, job: Callable[[], None]) -> None:
        """Do a job; a database that is away is told once, and the job comes again anyway."""
        try:
            job()
            self._troubled = False
        except (SQLAlchemyError, psycopg.Error) as error:
            if not self._troubled:
                log.warning(
                    "the database cannot be used: %s", next(iter(str(error).splitlines()), type(error).__name__)
                )
            self._troubled = True
        except Exception:
            if not self._stopped:  # else the engine was taken away beneath it
                log.exception("a periodic job failed")

    def hold(self) -> None:
        """Keep the slot and the proof that our runs are ours, or say that the slot is lost."""
        assert self._slot is not None  # noqa: S101 - scheduled with a slot only
        try:
            if self._registry is not None:
                self._registry.renew()
            else:
                self._slot.hold()
        except SlotLost as error:
            self.stop()
            self._lost(str(error))

    def tick(self) -> None:
        """Begin what is due. A run that is recorded and not enqueued, should we die in between, is reconciled."""
        while begun := schedule.fire(self._context, self._context.now()):
            for workflow, partition in begun:
                if self._stopped:
                    return
                self._start(workflow, partition)

    def keep_up(self) -> None:
        """Have loops follow what their teams were changed to, a part of them at a time; until then nothing of them
        begins."""
        if self._keep_up is not None:
            self._keep_up(self._context)

    def take_over(self) -> None:
        """Enqueue again what nobody is executing: the work of dead replicas, and what this process had to release.

        Only what was so at two looks in a row: a replica whose connection was cut gets its slot back in between, and a
        workflow that was just taken from the queue has begun.
        """
        pending = DBOS.list_workflows(status="PENDING", queue_name=self._queue, load_input=False, load_output=False)
        idle = _owned(pending) - {(self._executor, workflow) for workflow in self._traffic.active}
        abandoned: set[tuple[str, str]] = set()
        for executor in sorted({executor for executor, _run_id in idle}):
            with self._gone(executor) as gone:
                if gone:
                    theirs = {pair for pair in idle if pair[0] == executor}
                    self._resume(executor, {run_id for _owner, run_id in theirs & self._suspects})
                    abandoned |= theirs
        self._suspects = frozenset(abandoned)

    @contextmanager
    def _gone(self, executor: str) -> Iterator[bool]:
        if self._slot is None or executor == self._executor:
            yield True
            return
        with self._slot.dead(executor) as dead:
            yield dead

    def _resume(self, executor: str, run_ids: Collection[str]) -> None:
        """Enqueue these again, as far as they still are this executor's, in the queue whose limits they are under."""
        if not run_ids:
            return
        still = DBOS.list_workflows(
            status="PENDING", executor_id=executor, workflow_ids=list(run_ids), load_input=False, load_output=False
        )
        ids = [workflow.workflow_id for workflow in still if workflow.workflow_id not in self._traffic.active]
        if ids:
            DBOS.resume_workflows(ids, queue_name=self._queue)
            log.warning("taken over from %s: %s", executor, ", ".join(ids))

    def reconcile(self) -> None:
        """Hold the journal against our record of runs, which is the truth: the next `CHUNK` of open runs by their ids,
        after the last of them the first again.

        A run that the journal does not know (we died between recording and enqueueing it, or the journal was deleted)
        is enqueued; a run whose workflow ended without it is ended as failed, so that it can be resumed.
        """
        if isinstance(self._context.now, SharedClock):
            self._context.now.set()
        open_runs = self._next_open()
        ids = [workflow for workflow, _partition in open_runs]
        known = DBOS.list_workflows(workflow_ids=ids, load_input=False, load_output=False) if ids else []
        states = {workflow.workflow_id: workflow.status for workflow in known}
        for workflow, partition in open_runs:
            if workflow not in states:
                self._start(workflow, partition)
            elif states[workflow] in ENDED:
                self._end(workflow, states[workflow])

    def _next_open(self) -> list[tuple[str, str]]:
        """The open runs to be looked at now: their workflows and partitions."""
        coming = (
            select(RunRow.id, RunRow.attempt, RunRow.project_id)
            .where(RunRow.state.in_(OPEN), RunRow.id > self._reached)
            .order_by(RunRow.id)
            .limit(CHUNK)
            .subquery()
        )
        query = (
            select(coming.c.id, coming.c.attempt, ProjectRow.connection_id)
            .join(ProjectRow, ProjectRow.id == coming.c.project_id)
            .order_by(coming.c.id)
        )
        with self._context.database.session() as session:
            rows = session.execute(query).all()
        self._reached = rows[-1][0] if len(rows) == CHUNK else ""
        return [(runs.workflow_id(run_id, attempt), partition) for run_id, attempt, partition in rows]

    def _end(self, workflow: str, state: str) -> None:
        run_id = runs.run_id_of(workflow)
        finding = Finding(
            Severity.ERROR,
            "given-up",
            f"Run abandoned by the engine ({state.lower().replace('_', ' ')}). What was written so far is recorded.",
            f"Take it up again with: phaseloop runs retry {run_id}",
        )
        apply.fail(self._context, run_id, finding, workflow)

    def clean(self) -> None:
        """Delete workflows from the journal that ended longer ago than runs keep their steps; do the daily chores."""
        before = (self._context.now() - timedelta(days=self._context.settings.keep_runs_days)).isoformat()
        while old := DBOS.list_workflows(
            status=ENDED, completed_before=before, limit=CHUNK, load_input=False, load_output=False
        ):
            DBOS.delete_workflows([workflow.workflow_id for workflow in old], delete_children=True)
        if self._chores is not None:
            self._chores(self._context)


def _owned(workflows: Collection[WorkflowStatus]) -> set[tuple[str, str]]:
    """Pairs of executor and workflow."""
    return {(workflow.executor_id or "", workflow.workflow_id) for workflow in workflows}
