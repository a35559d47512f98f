"""The tickets of a plan by epic, by iteration and by person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from connectors.values import Item, ItemKey, ItemKind
from service.domain.plan.plan import Change


def field(change: Change, items: Mapping[ItemKey, Item], name: str) -> Any:
    """What the item of a change has in this field, as planned; of one that the plan does not want, as it was."""
    if change.key in items:
        return items[change.key].fields().get(name)
    return (change.before or {}).get(name)


def iteration_of(change: Change, items: Mapping[ItemKey, Item]) -> str:
    """The iteration of a ticket: its key, or the label that stands for it where the tracker has none of its own; empty
    for none."""
    labels = field(change, items, "labels") or ()
    label = next((str(one) for one in labels if str(one).startswith("iteration:")), "")
    return str(field(change, items, "iteration") or label)


def by_epic(changes: Iterable[Change], items: Mapping[ItemKey, Item]) -> dict[str, list[Change]]:
    """The tickets among these changes by the key of their epic, empty for none."""
    found: defaultdict[str, list[Change]] = defaultdict(list)
    for change in changes:
        if change.kind is ItemKind.TICKET:
            found[str(field(change, items, "epic") or "")].append(change)
    return dict(found)


def by_iteration(changes: Iterable[Change], items: Mapping[ItemKey, Item]) -> dict[str, list[Change]]:
    """The tickets among these changes by iteration, as `iteration_of` names it."""
    found: defaultdict[str, list[Change]] = defaultdict(list)
    for change in changes:
        if change.kind is ItemKind.TICKET:
            found[iteration_of(change, items)].append(change)
    return dict(found)


def by_person(changes: Iterable[Change], items: Mapping[ItemKey, Item]) -> dict[str, list[Change]]:
    """The tickets among these changes by the account of their person, empty for nobody."""
    found: defaultdict[str, list[Change]] = defaultdict(list)
    for change in changes:
        if change.kind is ItemKind.TICKET:
            found[str(field(change, items, "assignee") or "")].append(change)
    return dict(found)
