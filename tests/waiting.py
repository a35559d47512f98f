"""Waiting for what happens in another process or thread, bounded, without fixed sleeps."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

LOOK_EVERY = 0.05


def eventually(look: Callable[[], T], seconds: float = 60.0) -> T:
    """The first true answer of `look`; fails if there is none in time."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"did not happen within {seconds} s")
        pause.wait(LOOK_EVERY)
