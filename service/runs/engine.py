"""The durable engine: DBOS on its own SQLite file or the shared PostgreSQL, launched once in a process.

Settings are explained in `docs/decisions/0002-durable-engine.md`. Enqueueing goes through `Engine.start` or, from a
process that does not run the engine, `hand_over`: both name the queue and the partition, because the engine accepts
a wrong name in silence and never runs the work.
"""

from __future__ import annotations

import logging
import sqlite3
from types import TracebackType
from typing import Self

from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions, SetEnqueueOptions, SetWorkflowID

from service.context import Context
from service.runs import apply
from service.runs.lock import AlreadyRunning, HomeLock
from service.settings import Settings

QUEUE = "ops"
"""The one queue. It is partitioned by connection, so that one run at a time owns a connection."""

APPLICATION_VERSION = "1"
"""Pinned: by default the engine hashes our code and strands every pending run at an upgrade."""

EXECUTOR = "main"


class Engine:
    """The engine of this process. Use as a context manager; runs left by a dead process are taken up at launch."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lock = HomeLock(context.settings.home) if context.settings.embedded else None

    def __enter__(self) -> Self:
        self.launch()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def launch(self) -> None:
        """Start working. Raises AlreadyRunning if another process has this home folder."""
        settings = self._context.settings
        if self._lock is not None and not self._lock.acquire():
            msg = (
                f"Another phaseloop is at work in {settings.home}. Use that one, stop it, or give this one its own "
                "PHASELOOP_HOME; for several at once set PHASELOOP_DATABASE_URL to a PostgreSQL database."
            )
            raise AlreadyRunning(msg)
        if settings.embedded:
            _write_ahead(settings)
        for name in ("dbos", "dbos.dbos"):
            logging.getLogger(name).setLevel(logging.ERROR)
        apply.bind(self._context)
        DBOS(config=_config(settings))
        DBOS.launch()
        DBOS.register_queue(QUEUE, worker_concurrency=8, partition_concurrency=1, polling_interval_sec=0.1)

    def stop(self) -> None:
        """Stop taking work and let go of the home folder. A run in the middle goes on at the next launch."""
        DBOS.destroy(workflow_completion_timeout_sec=0)
        if self._lock is not None:
            self._lock.release()

    def start(self, run_id: str, partition: str) -> None:
        """Enqueue a run. Repeatable: a run that was enqueued before is not enqueued again."""
        with SetWorkflowID(run_id), SetEnqueueOptions(queue_partition_key=partition):
            DBOS.enqueue_workflow(QUEUE, apply.apply_plan, run_id)


def hand_over(settings: Settings, run_id: str, partition: str) -> None:
    """Enqueue a run for the process that runs the engine, from one that does not."""
    client = DBOSClient(system_database_url=settings.engine_url)
    options: EnqueueOptions = {
        "queue_name": QUEUE,
        "workflow_name": apply.WORKFLOW,
        "workflow_id": run_id,
        "app_version": APPLICATION_VERSION,
        "queue_partition_key": partition,
    }
    try:
        client.enqueue(options, run_id)
    finally:
        client.destroy()


def _config(settings: Settings) -> DBOSConfig:
    return {
        "name": "phaseloop",
        "system_database_url": settings.engine_url,
        "application_version": APPLICATION_VERSION,
        "executor_id": EXECUTOR,
        "log_level": "ERROR",
        "max_executor_threads": 16,
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
