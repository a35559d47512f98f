"""Time that replicas agree on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from service.clock import SharedClock, ticking
from service.context import Context
from tests.unit import stores

NOON = datetime(2026, 3, 16, 12, tzinfo=UTC)
AGO = timedelta(hours=1)


def test_it_is_what_the_database_said_and_the_seconds_since() -> None:
    seconds = [10.0]
    clock = SharedClock(lambda: NOON, lambda: seconds[0])
    seconds[0] += 90

    assert clock() == NOON + timedelta(seconds=90)


def test_asked_again_it_follows_the_database() -> None:
    said, seconds = [NOON], [10.0]
    clock = SharedClock(lambda: said[0], lambda: seconds[0])
    seconds[0], said[0] = 70.0, NOON + timedelta(seconds=61)
    clock.set()

    assert clock() == NOON + timedelta(seconds=61)


def test_postgresql_tells_the_time(tmp_path: Path) -> None:
    for context in stores.on("postgresql", tmp_path):
        assert isinstance(context, Context)
        said = SharedClock(context.database.time)()
        assert said.tzinfo is UTC
        assert abs(said - datetime.now(UTC)) < AGO


def test_seconds_count_while_a_process_is_stopped() -> None:
    program = "from service.clock import ticking; print(ticking(), flush=True); input(); print(ticking())"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin
        assert child.stdout
        before = float(child.stdout.readline())
        child.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)
        here = ticking()
        child.send_signal(signal.SIGCONT)
        after = float(child.communicate("\n")[0])

    assert before < here < after  # one clock for all processes of a machine
