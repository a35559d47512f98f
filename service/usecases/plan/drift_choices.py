"""What people changed, item by item, with what can be chosen for each; and what a plan is asked for by the choices.
What is not chosen stays as people left it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from connectors.values import ItemKey, ItemKind
from service.domain.loop.turnover import STATE
from service.domain.plan.plan import Drift, Plan
from service.domain.problems import InvalidInput, Problem
from service.domain.template.shape import one_of
from service.usecases.plan.plan_options import ADOPTABLE, SOURCE, Wish


class Choice(StrEnum):
    """What becomes of an item that people changed."""

    KEEP = "keep"
    """It stays as they left it: nothing is planned for it."""
    RESTORE = "restore"
    """It is written as planned, or made again where it is gone."""
    ADOPT = "adopt"
    """Another item of theirs takes the place of one that is gone."""


@dataclass(frozen=True, slots=True)
class DriftedItem:
    """An item that people changed: everything that is otherwise in it, and what can be chosen. `url` is empty for what
    has no page in the tracker."""

    key: ItemKey
    kind: ItemKind
    title: str
    remote_key: str
    url: str
    entries: Sequence[Drift]
    choices: Sequence[Choice]

    @property
    def gone(self) -> bool:
        """Whether it was deleted, or moved to another project."""
        return any(one.field is None for one in self.entries)


def drifted(plan: Plan) -> tuple[DriftedItem, ...]:
    """The items that people changed, in the order of the plan."""
    found: dict[ItemKey, list[Drift]] = {}
    for one in plan.drift:
        found.setdefault(one.key, []).append(one)
    return tuple(_item(plan, entries) for entries in found.values())


def _item(plan: Plan, entries: Sequence[Drift]) -> DriftedItem:
    first = entries[0]
    ref = plan.known.get(first.key) if first.kind in ADOPTABLE else None
    gone = any(one.field is None for one in entries)
    choices = [Choice.KEEP]
    if any(one.field != STATE for one in entries):  # what was begun or completed is never taken back
        choices.append(Choice.RESTORE)
    if gone and first.kind in ADOPTABLE:
        choices.append(Choice.ADOPT)
    return DriftedItem(
        key=first.key,
        kind=first.kind,
        title=first.title,
        remote_key=ref.key if ref is not None else "",
        url=ref.url if ref is not None and not gone else "",
        entries=tuple(entries),
        choices=tuple(choices),
    )


def wish_of(chosen: Mapping[str, str], others: Mapping[str, str]) -> Wish:
    """What a plan is asked for by what was chosen, by item; `others` names what takes an item's place. Where everything
    is kept it asks for nothing. Raises InvalidInput with everything that is no choice."""
    problems = [
        Problem(SOURCE, None, f"adopt.{key}", f"{choice!r} is no choice", f"choose {one_of(Choice)}")
        for key, choice in chosen.items()
        if choice not in list(Choice)
    ]
    adopt = {key: others.get(key, "").strip() for key, choice in chosen.items() if choice == Choice.ADOPT}
    problems += [
        Problem(SOURCE, None, f"adopt.{key}", "nothing is named to take its place", "write its key, as in ML-12")
        for key, name in adopt.items()
        if not name
    ]
    if problems:
        raise InvalidInput(problems)
    return Wish(tuple(key for key, choice in chosen.items() if choice == Choice.RESTORE), adopt)
