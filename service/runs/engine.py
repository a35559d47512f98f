"""The durable engine: DBOS on its own SQLite file or the shared PostgreSQL, launched once in a process.

Settings are explained in `docs/decisions/0002-durable-engine.md`, replicas in `0011-replicas.md`. Enqueueing goes
through `Engine.start` or, from a process that does not run the engine, `hand_over`: both name the queue and the
partition, because the engine accepts a wrong name in silence and never runs the work.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions, SetEnqueueOptions, SetWorkflowID
from sqlalchemy import NullPool, create_engine, inspect
from sqlalchemy.exc import OperationalError, ProgrammingError, SQLAlchemyError

from service.context import Context
from service.domain.loop import loop_state
from service.runs import advance, apply
from service.runs.active_runs import Traffic
from service.runs.lock import AlreadyRunning, HomeLock
from service.runs.loop_port import Turning
from service.runs.maintenance import Keeper
from service.runs.ownership import Registry
from service.runs.run_step import RUNS_AT_ONCE
from service.runs.slots import Slot
from service.settings import Settings
from service.store import runs

log = logging.getLogger(__name__)

QUEUE = "ops"
"""The one queue. It is partitioned by connection, so that one run at a time owns a connection."""

APPLICATION_VERSION = "1"
"""Pinned: by default the engine hashes our code and strands every pending run at an upgrade."""

EXECUTOR = "main"
"""The one executor of a home folder; on PostgreSQL each replica is named by its slot."""

LOOK_EVERY = 0.25
"""Seconds between two looks into the queue. A look costs 6 ms: at 0.1 s an idle service took 8 % of a core, now 4 %."""


class Engine:
    """The engine of this process. Use as a context manager; runs left by a dead process are resumed at launch.

    `turning` is how runs of the loop look and are recorded. On PostgreSQL the engine takes a slot, `visiting` if it is
    there for one command only. `chores` is done once a day. `lost` is called, from another thread, when the slot is
    another process's: the engine has stopped taking work then.
    """

    def __init__(
        self,
        context: Context,
        turning: Turning,
        *,
        visiting: bool = False,
        chores: Callable[[Context], object] | None = None,
        lost: Callable[[], None] = lambda: None,
    ) -> None:
        self._context, self._turning, self._chores, self._lost = context, turning, chores, lost
        self._visiting = visiting
        settings = context.settings
        self._lock = HomeLock(settings.home) if settings.embedded else None
        self._slot = None if settings.embedded else Slot(settings.engine_url, visiting=visiting)
        self._traffic = Traffic()
        self._keeper: Keeper | None = None
        self._registry: Registry | None = None

    def __enter__(self) -> Self:
        self.launch()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def executor(self) -> str:
        """The name under which this process works."""
        return self._slot.executor if self._slot is not None else EXECUTOR

    def is_gone(self, executor: str) -> bool:
        """Whether the process of that name is gone: another replica's, as its slot tells."""
        return self._slot is not None and self._slot.is_gone(executor)

    def launch(self) -> None:
        """Start working. Raises AlreadyRunning if another process has this home folder."""
        settings = self._context.settings
        self._occupy()
        self._traffic = Traffic()
        try:
            if settings.embedded:
                _write_ahead(settings)
            for name in ("dbos", "dbos.dbos"):
                logging.getLogger(name).setLevel(logging.ERROR)
            ask = self._slot.owners if self._slot is not None else None
            self._registry = Registry(self._context, self._traffic, ask)
            apply.bind(self._context, self._traffic, self._turning, self._registry)
            DBOS(config=_config(settings, self.executor))
            DBOS.launch()
            DBOS.register_queue(
                QUEUE, worker_concurrency=RUNS_AT_ONCE, partition_concurrency=1, polling_interval_sec=LOOK_EVERY
            )
        except BaseException:
            DBOS.destroy()
            self._vacate()
            raise
        self._keeper = Keeper(
            self._context,
            self._traffic,
            QUEUE,
            self.executor,
            self._slot,
            self.start,
            self._give_up,
            self._chores,
            self._registry,
            self._turning.keep_up,
        )
        self._keeper.start(clock=not self._visiting)

    def park(self) -> None:
        """Begin to stop: take no more work, release each run at the end of its current step. Returns at once."""
        if self._keeper is not None:
            self._keeper.stop()
        self._traffic.stop()

    def stop(self) -> None:
        """Stop taking work: each run ends its current step, within the grace that is set, and continues at the next
        launch or at another replica. Nothing is recorded as failed because of this."""
        settings = self._context.settings
        self.park()
        left = self._traffic.drain(settings.grace_seconds)
        if left:
            log.warning("left in the middle of a step, to be looked up when resumed: %s", ", ".join(left))
        if self._registry is not None:
            self._registry.revoke()  # slot or lock go now; whoever is left in a step is to send nothing more
        DBOS.destroy(workflow_completion_timeout_sec=0)
        if not settings.embedded:
            _hand_back(settings, self.executor, left)
        self._vacate()

    def start(self, workflow: str, partition: str) -> None:
        """Enqueue a run, by its id or, for an attempt after the first, by `runs.workflow_id`. Repeatable: what was
        enqueued before is not enqueued again."""
        run_id = runs.run_id_of(workflow)
        with SetWorkflowID(workflow), SetEnqueueOptions(queue_partition_key=partition):
            DBOS.enqueue_workflow(QUEUE, _workflow_of(run_id)[1], run_id)

    def _occupy(self) -> None:
        if self._slot is not None:
            self._slot.take()
        elif self._lock is not None and not self._lock.acquire():
            msg = (
                f"Another phaseloop is running in {self._context.settings.home}. Use that one, stop it, or give this "
                "one its own PHASELOOP_HOME; for several at once set PHASELOOP_DATABASE_URL to a PostgreSQL database."
            )
            raise AlreadyRunning(msg)

    def _vacate(self) -> None:
        if self._slot is not None:
            self._slot.release()
        if self._lock is not None:
            self._lock.release()

    def _give_up(self, reason: str) -> None:
        log.error("%s This process stops working; its runs continue at the other replicas.", reason)
        self._traffic.stop()
        self._lost()


def _workflow_of(run_id: str) -> tuple[str, Callable[[str], str]]:
    """What carries out a run, by name and as a function; the run's kind is the beginning of its id."""
    if run_id.partition("-")[0] in loop_state.KINDS:
        return advance.WORKFLOW, advance.turn_loop
    return apply.WORKFLOW, apply.apply_plan


def leave(code: int) -> None:
    """After `stop`: end this process at once if threads of it are still in the middle of a step, else return.

    The interpreter would wait for them, and they for a tracker. What they were about is looked up when the run is
    resumed.
    """
    deadline = time.monotonic() + 0.5
    others = [thread for thread in threading.enumerate() if thread is not threading.main_thread() and not thread.daemon]
    for thread in others:
        thread.join(max(0.0, deadline - time.monotonic()))
    if any(thread.is_alive() for thread in others):
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def hand_over(settings: Settings, workflow: str, partition: str) -> None:
    """Enqueue a run, named as for `Engine.start`, for the process that runs the engine, from one that does not.

    Where that process is just making its very first journal there is nothing to enqueue in: it finds the run recorded
    and without a workflow, and enqueues it itself (see `Keeper.reconcile`).
    """
    run_id = runs.run_id_of(workflow)
    options: EnqueueOptions = {
        "queue_name": QUEUE,
        "workflow_name": _workflow_of(run_id)[0],
        "workflow_id": workflow,
        "app_version": APPLICATION_VERSION,
        "queue_partition_key": partition,
    }
    client = DBOSClient(system_database_url=settings.engine_url)
    try:
        client.enqueue(options, run_id)
    except (OperationalError, ProgrammingError):
        if _has_journal(settings):
            raise
    finally:
        client.destroy()


def _has_journal(settings: Settings) -> bool:
    """Whether an engine was ever launched here: whether its table of workflows exists."""
    database = create_engine(settings.engine_url, poolclass=NullPool)
    with database.connect() as connection:
        return inspect(connection).has_table("workflow_status", schema=None if settings.embedded else "dbos")


def _hand_back(settings: Settings, executor: str, left: frozenset[str]) -> None:
    """Enqueue for the other replicas what this one released in order; they need not find it abandoned."""
    try:
        client = DBOSClient(system_database_url=settings.engine_url, retry_connection_errors=False)
        try:
            mine = client.list_workflows(status="PENDING", executor_id=executor, load_input=False, load_output=False)
            ids = [workflow.workflow_id for workflow in mine if workflow.workflow_id not in left]
            if ids:
                client.resume_workflows(ids, queue_name=QUEUE)
        finally:
            client.destroy()
    except SQLAlchemyError as error:
        log.warning("the runs of this process are left to be taken over: %s", type(error).__name__)


def _config(settings: Settings, executor: str) -> DBOSConfig:
    return {
        "name": "phaseloop",
        "system_database_url": settings.engine_url,
        "application_version": APPLICATION_VERSION,
        "executor_id": executor,
        "log_level": "ERROR",
        "max_executor_threads": RUNS_AT_ONCE + 8,
        "notification_listener_polling_interval_sec": 0.1,
    }


def _write_ahead(settings: Settings) -> None:
    """Put the engine's file into WAL mode, which stays with the file: steps cost a quarter less, readers never wait."""
    path = settings.engine_url.removeprefix("sqlite:///")
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()
