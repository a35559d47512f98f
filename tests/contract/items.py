"""Small items for the contract tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from connectors.values import Item, ItemKey, ItemKind


def ticket(name: str, title: str | None = None, **more: object) -> Item:
    return Item(key=ItemKey(f"ticket:{name}"), kind=ItemKind.TICKET, title=title or f"Ticket {name}", **more)  # type: ignore[arg-type]


def epic(name: str) -> Item:
    return Item(key=ItemKey(f"epic:{name}"), kind=ItemKind.EPIC, title=f"Epic {name}", text="What for.")


STARTS = datetime(2026, 11, 23, 8, tzinfo=UTC)


def iteration(number: int) -> Item:
    return Item(
        key=ItemKey(f"iteration:{number}"),
        kind=ItemKind.ITERATION,
        title=f"Iteration {number}",
        goal=f"Goal {number}",
        starts=STARTS + timedelta(days=14 * (number - 1)),
        ends=STARTS + timedelta(days=14 * number),
    )
