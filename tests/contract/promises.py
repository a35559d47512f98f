"""Which methods of the port are held to their word by a test, and what the tests of the contract share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest

from connectors.port import Tracker
from connectors.values import Creation, Done, Item, ItemKey, Place, RemoteRef

PROMISED: set[str] = set()
_Test = TypeVar("_Test", bound=Callable[..., None])


def promise(*methods: str) -> Callable[[_Test], _Test]:
    """Say which methods of the port a test holds to their word."""

    def note(test: _Test) -> _Test:
        PROMISED.update(methods)
        return test

    return note


def created(tracker: Tracker, place: Place, *items: Item) -> dict[ItemKey, RemoteRef]:
    """Create items that must not be refused."""
    outcomes = tracker.create(place, [Creation(item) for item in items])
    assert all(isinstance(outcome, Done) for outcome in outcomes), outcomes
    return {outcome.key: outcome.ref for outcome in outcomes if isinstance(outcome, Done)}


def needs(condition: bool, what: str) -> None:
    """Skip where the tracker's capabilities say that it cannot do this."""
    if not condition:
        pytest.skip(f"this project has no {what}, and says so in its capabilities")
