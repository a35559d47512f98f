"""An address belongs to whom a search found, for a day."""

from __future__ import annotations

from connectors.trello.owners import KEPT, Owners, shared_owners


def test_an_owner_is_remembered_for_a_day() -> None:
    now = [0.0]
    owners = Owners(lambda: now[0])
    assert owners.of("ml-1@example.com") is None

    owners.remember("ml-1@example.com", "5e1")
    now[0] = KEPT - 1
    assert owners.of("ML-1@example.com") == "5e1"

    now[0] = KEPT
    assert owners.of("ml-1@example.com") is None


def test_connections_share_no_owners() -> None:
    shared_owners("one").remember("ml-1@example.com", "5e1")
    assert shared_owners("one").of("ml-1@example.com") == "5e1"
    assert shared_owners("another").of("ml-1@example.com") is None
