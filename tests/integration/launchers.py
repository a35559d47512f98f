"""The command line as a process with one thing changed, for tests of what cannot be brought about from outside.

python -m tests.integration.launchers NAME COMMAND...
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dbos import DBOS
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import ExceptionContext

from connectors import pacing
from connectors.trello import reads
from service import clock, context, schedule
from service.runs import apply
from service.runs.maintenance import Keeper
from service.runs.run_step import Verdict


def former_waits() -> None:
    """Waits as version 0.1 had them: a sleep of the engine after each attempt, unguarded."""

    def until_done(_run_id: str, attempt_step: Callable[[int], dict[str, Any]]) -> str:
        attempt = 0
        while True:
            verdict = Verdict(**attempt_step(attempt))
            if verdict.next != "again":
                return verdict.next
            DBOS.sleep(verdict.wait)
            attempt += 1

    apply.until_done = until_done


def small_disk() -> None:
    """SQLite files that do not grow while there is a file of their name and ".full" beside them; ".struck" appears once
    a write was refused because of that."""

    @event.listens_for(Engine, "engine_connect")
    def limit(connection: Connection) -> None:
        full = Path(f"{connection.engine.url.database}.full").exists()
        raw = connection.connection.dbapi_connection
        assert raw is not None
        raw.cursor().execute(f"PRAGMA max_page_count={1 if full else 2**30}")

    @event.listens_for(Engine, "handle_error")
    def strike(context: ExceptionContext) -> None:
        if context.engine is not None and "full" in str(context.original_exception):
            Path(f"{context.engine.url.database}.struck").touch()


def dies_with_what_is_due() -> None:
    """The clock takes what is due, and the process is killed before it hands any of it to the engine."""

    def tick(keeper: Keeper) -> None:
        if schedule.fire(keeper._context, keeper._context.now()):
            os.kill(os.getpid(), signal.SIGKILL)

    Keeper.tick = tick  # type: ignore[method-assign]


def _shifted(seconds: float) -> None:
    """A machine whose clock is wrong by so much: what tells the time of day does, what counts seconds does not."""
    real, offset = time.time, timedelta(seconds=seconds)

    def now() -> datetime:
        return datetime.now(UTC) + offset

    time.time = lambda: real() + seconds
    pacing.utc_now = reads.utc_now = now
    for module in (clock, context):
        module.utc_now = now


def ahead() -> None:
    """A clock that is a minute fast."""
    _shifted(60)


def behind() -> None:
    """A clock that is a minute slow."""
    _shifted(-60)


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    sys.argv[1:2] = []
    from service.cli import main

    main()
