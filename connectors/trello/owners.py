"""Who answers to an e-mail address, remembered for a while: Trello shows nobody's address, and allows a token a hundred
searches for one in 15 minutes, for all its boards together."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

KEPT = 86_400.0
"""Seconds after which an address is searched for again: so long may it go unnoticed that it has another owner."""


class Owners:
    """The member ids that addresses belong to, as searches found them. Safe to share between threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._found: dict[str, tuple[str, float]] = {}

    def of(self, address: str) -> str | None:
        """The member whom this address belonged to when it was searched for; None where that is too long ago."""
        member, since = self._found.get(address.casefold(), (None, 0.0))
        return member if member is not None and self._clock() - since < KEPT else None

    def remember(self, address: str, member: str) -> None:
        """Keep what a search for this address found."""
        self._found[address.casefold()] = member, self._clock()


_shared: dict[str, Owners] = {}
_lock = threading.Lock()


def shared_owners(connection: str) -> Owners:
    """The one memory of a connection in this process."""
    with _lock:
        return _shared.setdefault(connection, Owners())
