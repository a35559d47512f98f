"""Time that several machines and a stopped process agree on: seconds that keep counting, and the database's clock.

No two replicas' own clocks are ever compared. What is written for another to read bears the database's time; how long
something takes is told from seconds that count while a process is stopped and, where the system can tell, while the
machine sleeps.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Ticking = Callable[[], float]
"""Seconds since some moment. They never go back."""


def ticking() -> float:
    """Seconds that count on while this process is stopped and, on Linux, while its machine sleeps."""
    return _ticking()


def _sleepless() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


_ticking: Ticking = _sleepless if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic


def utc_now() -> datetime:
    """The present instant by this machine's clock."""
    return datetime.now(UTC)


class SharedClock:
    """The database's time, told without asking it: what it said last, and the seconds since.

    Called, it gives the present instant. May be used by several threads.
    """

    def __init__(self, ask: Callable[[], datetime], ticks: Ticking = ticking) -> None:
        """Asks once. Raises what `ask` raises."""
        self._ask, self._ticks = ask, ticks
        self._lock = threading.Lock()
        self._said, self._at = datetime.min.replace(tzinfo=UTC), 0.0
        self.set()

    def __call__(self) -> datetime:
        with self._lock:
            return self._said + timedelta(seconds=self._ticks() - self._at)

    def set(self) -> None:
        """Ask again, so that the two do not drift apart."""
        sent = self._ticks()
        said = self._ask()
        got = self._ticks()
        with self._lock:
            self._said, self._at = said, (sent + got) / 2
