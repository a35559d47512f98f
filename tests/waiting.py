"""Waiting for what happens in another process or thread, bounded, without fixed sleeps."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

LOOK_EVERY = 0.05


def eventually(look: Callable[[], T], seconds: float = 60.0) -> T:
    """The first true answer of `look`; fails if there is none in time. Time is counted in looks, so that a machine that
    is slow or busy, where looks are late as well, has more of it."""
    pause = threading.Event()
    for _ in range(round(seconds / LOOK_EVERY)):
        found = look()
        if found:
            return found
        pause.wait(LOOK_EVERY)
    raise AssertionError(f"did not happen within {seconds:g} s, and longer on a busy machine")
