"""Which runs this process executes, and whether it still may: how runs are parked and waited for."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from service.runs import storage
from service.runs.lock import Parked

log = logging.getLogger(__name__)

LONGEST_PAUSE = 30.0
"""Seconds between two attempts to use our own database."""

_T = TypeVar("_T")


class Traffic:
    """The runs in this process. One for each launch of the engine."""

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._active: Counter[str] = Counter()
        self._stopping = False
        self._told: float | None = None

    @property
    def active(self) -> frozenset[str]:
        """The runs that this process executes."""
        with self._change:
            return frozenset(self._active)

    @contextmanager
    def working(self, run_id: str) -> Iterator[None]:
        """The run is executed here while the block lasts. What the engine's journal cannot take, or can no longer take
        because the engine is being stopped, parks the run: its last step is looked up when it is resumed."""
        with self._change:
            self._active[run_id] += 1
        try:
            self.check()
            yield
        except Exception as error:
            if self._stopping or storage.unusable(error):
                log.warning("run %s is parked: %s", run_id, type(error).__name__)
                raise Parked from error
            raise
        finally:
            with self._change:
                self._active -= Counter({run_id: 1})
                self._change.notify_all()

    def check(self) -> None:
        """Raise Parked if this process is to release its runs."""
        if self._stopping:
            raise Parked

    def pause(self, seconds: float) -> None:
        """Wait that long; raises Parked as soon as this process is to release its runs."""
        with self._change:
            self._change.wait_for(lambda: self._stopping, seconds)
        self.check()

    def patiently(self, call: Callable[[], _T]) -> _T:
        """Repeat `call` as long as our own database cannot be used. It looks up itself what was done meanwhile."""
        pause = 1.0
        while True:
            self.check()
            try:
                with storage.stored():
                    return call()
            except storage.StoreUnavailable as error:
                log.warning("the database cannot be used, trying again in %.0f s: %s", pause, error)
                self.pause(pause)
                pause = min(LONGEST_PAUSE, pause * 2)

    def stop(self) -> None:
        """Release all runs, each at the end of its current step, waiting ones at once."""
        with self._change:
            self._told = self._told or time.monotonic()
            self._stopping = True
            self._change.notify_all()

    def drain(self, seconds: float) -> frozenset[str]:
        """Wait until all runs are released, at most that long since `stop`; those in the middle of a step are
        returned."""
        deadline = (self._told or time.monotonic()) + seconds
        with self._change:
            while self._active and (left := deadline - time.monotonic()) > 0:
                self._change.wait(left)
            return frozenset(self._active)
