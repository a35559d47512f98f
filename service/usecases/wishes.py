"""What a person asks of a plan by name: items to restore, items of the tracker to take over. Reads only."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.tracker import Item, ItemKey, ItemKind, ObservedItem, Place, RemoteRef, Tracker, kind_of
from service.domain.diff import NOTHING, Restore
from service.domain.plan import Recorded
from service.domain.problems import InvalidInput, Problem
from service.domain.shape import nearest
from service.store import items

DELETED = "deleted"
"""Stands for all that people deleted, among the names of items to restore."""

SOURCE = "plan"
"""Where problems with a wish are said to lie."""

_ADOPTABLE = (ItemKind.EPIC, ItemKind.ITERATION, ItemKind.TICKET)

_NAMED_AT_MOST = 20
"""How many items an error names when a name fits none of them."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a plan is to do besides: `restore` names items by their titles, their keys or the tracker's, or says
    `deleted`; `adopt`
    gives for items of the plan what people call the ones that are to be them. A plan that adopts does only that."""

    restore: tuple[str, ...] = ()
    adopt: Mapping[str, str] = field(default_factory=dict)


NO_WISH = Wish()


def check(wish: Wish) -> None:
    """Raise InvalidInput if it asks for two things that are two plans."""
    if wish.restore and wish.adopt:
        fix = "adopt first; then make a plan that restores"
        raise InvalidInput([Problem(SOURCE, None, "restore", "cannot be asked for together with adopt", fix)])


def restoring(wish: Wish, desired: Sequence[Item], recorded: Mapping[ItemKey, Recorded]) -> Restore:
    """Which items the wish means. Raises InvalidInput for each name that means none, naming what there is."""
    if not wish.restore:
        return NOTHING
    ours = {item.key: recorded[item.key] for item in desired if item.key in recorded and recorded[item.key].ref}
    keys: set[ItemKey] = set()
    problems = []
    for place, name in enumerate(wish.restore):
        meant = {key for key, record in ours.items() if _is_called(record, name)} or _titled(desired, ours, name)
        if len(meant) > 1:
            fix = f"name one of {', '.join(sorted(meant))}"
            problems.append(Problem(SOURCE, None, f"restore[{place}]", f"{name!r} is the title of several items", fix))
        if not meant and name != DELETED:
            fix = _nearest(name, ours)
            if not ours:
                fix = "nothing was made yet: plan without it, and apply that"
            elif not fix.endswith("?"):
                fix = f"name one of {_some(ours)}, or `{DELETED}` for all that was deleted"
            problems.append(Problem(SOURCE, None, f"restore[{place}]", f"{name!r} is nothing that was made here", fix))
        keys |= meant
    if problems:
        raise InvalidInput(problems)
    return Restore(frozenset(keys), deleted=DELETED in wish.restore)


def _is_called(record: Recorded, name: str) -> bool:
    ref = record.ref
    called = {record.key.casefold()}
    if ref is not None and record.kind in _ADOPTABLE:
        called |= {ref.key.casefold(), ref.id.casefold(), ref.url.casefold()}
    return name.strip().casefold() in called


def _titled(desired: Sequence[Item], ours: Mapping[ItemKey, Recorded], name: str) -> set[ItemKey]:
    """The items of ours with that title."""
    wanted = name.strip().casefold()
    return {item.key for item in desired if item.key in ours and item.title.casefold() == wanted}


def _some(keys: Mapping[ItemKey, Recorded]) -> str:
    """Some of the items by both their names, for a person to choose from."""
    named = [f"{key} ({record.ref.key})" for key, record in keys.items() if record.ref and record.kind in _ADOPTABLE]
    left = len(named) - _NAMED_AT_MOST
    return ", ".join(named[:_NAMED_AT_MOST]) + (f" and {left} more" if left > 0 else "")


def given(
    tracker: Tracker,
    place: Place | None,
    wish: Wish,
    desired: Sequence[Item],
    recorded: Mapping[ItemKey, Recorded],
    observed: Mapping[ItemKey, ObservedItem],
) -> Mapping[ItemKey, ObservedItem]:
    """The existing items that are to be these planned ones, as the tracker shows them.

    Raises InvalidInput with everything that stands in the way. A few requests, not one for each item.
    """
    if place is None:
        raise InvalidInput([Problem(SOURCE, None, "adopt", "the tracker shows no such project, so nothing in it")])
    wanted = {item.key: item for item in desired if item.kind in _ADOPTABLE}
    problems = [problem for key in wish.adopt if (problem := _misfit(key, wanted, observed)) is not None]
    asked = {ItemKey(key): name for key, name in wish.adopt.items() if key in wanted and key not in observed}
    found: dict[ItemKey, RemoteRef] = {}
    for kind in _ADOPTABLE:
        mine = {key: name for key, name in asked.items() if wanted[key].kind is kind}
        answers = tracker.named(place, kind, set(mine.values())) if mine else {}
        found |= {key: answers[name] for key, name in mine.items() if name in answers}
    for key, name in asked.items():
        if key not in found:
            problems.append(_unfound(tracker, place, wanted[key], name))
        elif (owner := _owner(found, key, recorded, observed)) is not None:
            problems.append(_problem(key, f"{name} is {owner} already", "give another, or let go of that first"))
    if problems:
        raise InvalidInput(problems)
    known = {key: record.ref for key, record in recorded.items() if record.ref is not None}
    return tracker.find(place, items.readable({**known, **found}), only=found)


def _misfit(key: str, wanted: Mapping[ItemKey, Item], observed: Mapping[ItemKey, ObservedItem]) -> Problem | None:
    """What speaks against taking something over as this item, whatever it is."""
    if key not in wanted:
        return _problem(key, "is no epic, iteration or ticket of this project's template", _nearest(key, wanted))
    if (there := observed.get(ItemKey(key))) is not None:
        return _problem(key, f"exists already as {there.ref.key}", "delete that one in the tracker first")
    return None


def _nearest(name: str, wanted: Collection[str]) -> str:
    """The key that a wrong one may have meant, spelt alike, with its kind or without; else some of them."""
    by_name = {key.partition(":")[2]: key for key in reversed(list(wanted))}
    near = nearest(name.strip().rpartition(":")[2], by_name)
    if near is not None:
        return f'did you mean "{by_name[near]}"?'
    keys = sorted(wanted, key=lambda key: kind_of(ItemKey(key)) is not ItemKind.TICKET)  # mostly it is a ticket
    left = len(keys) - _NAMED_AT_MOST
    return f"name one of {', '.join(keys[:_NAMED_AT_MOST])}" + (f" and {left} more" if left > 0 else "")


def _unfound(tracker: Tracker, place: Place, item: Item, name: str) -> Problem:
    for kind in _ADOPTABLE:
        if kind is not item.kind and name in tracker.named(place, kind, [name]):
            message = f"{name} is of another kind: {_article(kind)}, and {item.key} is {_article(item.kind)}"
            return _problem(item.key, message)
    fix = f"write its key as in ML-12, its address, or an iteration's title, of {_article(item.kind)} in this project"
    return _problem(item.key, f"nothing, or more than one thing, in {place.ref.key} is called {name!r}", fix)


def _article(kind: ItemKind) -> str:
    return f"{'a' if kind is ItemKind.TICKET else 'an'} {kind.value}"


def _owner(
    found: Mapping[ItemKey, RemoteRef],
    key: ItemKey,
    recorded: Mapping[ItemKey, Recorded],
    observed: Mapping[ItemKey, ObservedItem],
) -> ItemKey | None:
    """The other item that this one of the tracker is already, or is asked to be as well."""
    taken = {other: record.ref.id for other, record in recorded.items() if record.ref is not None}
    taken |= {other: seen.ref.id for other, seen in observed.items()} | {other: ref.id for other, ref in found.items()}
    return next((other for other, ref in taken.items() if other != key and ref == found[key].id), None)


def _problem(key: str, message: str, fix: str = "") -> Problem:
    return Problem(SOURCE, None, f"adopt.{key}", message, fix)
