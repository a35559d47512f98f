"""A clock that jumps: the service and the sandbox live by it together. Between jumps it runs on, so that waits end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Told = Callable[[datetime], None]
"""Somebody who sets a clock of their own to this instant; it runs on from there."""


def machine_time() -> datetime:
    """The machine's own time."""
    return datetime.now(UTC)


class VirtualClock:
    """Time that begins at `starts` and runs on as fast as the machine's, until somebody jumps ahead. Never goes back.

    Safe to be read by several threads; one of them jumps.
    """

    def __init__(self, starts: datetime, machine: Callable[[], datetime] = machine_time) -> None:
        self._machine = machine
        self._ahead = starts - machine()
        self._told: list[Told] = []
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        """The present instant, in UTC."""
        with self._lock:
            return (self._machine() + self._ahead).astimezone(UTC)

    def seconds(self) -> float:
        """The present instant in seconds, for who measures spans."""
        return self().timestamp()

    def sleep(self, seconds: float) -> None:
        """Let so much time pass, at once."""
        self.jump(self() + timedelta(seconds=seconds))

    def follow(self, told: Told) -> None:
        """Have another clock set now, and at every jump."""
        self._told.append(told)
        told(self())

    def jump(self, to: datetime) -> None:
        """Let it be that late; without effect if it is later already."""
        with self._lock:
            now = self._machine() + self._ahead
            self._ahead += max(timedelta(0), to - now)
            reached = max(to, now)
        for told in self._told:
            told(reached)
