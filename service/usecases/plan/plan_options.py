"""What a person asks of a plan by name: items to restore, items of the tracker to take over. Reads only."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.port import Tracker
from connectors.values import (
    Finding,
    Item,
    ItemKey,
    ItemKind,
    ObservedItem,
    Place,
    RemoteRef,
    Severity,
    kind_of,
)
from service.domain.plan.diff import NOTHING, Restore, is_settled, never_restored
from service.domain.plan.plan import Recorded
from service.domain.problems import InvalidInput, Problem
from service.domain.template.shape import meant, nearest
from service.store import items

DELETED = "deleted"
"""Stands for all that people deleted, among the names of items to restore."""

SOURCE = "plan"
"""Where problems with a wish are said to lie."""

ADOPTABLE = (ItemKind.EPIC, ItemKind.ITERATION, ItemKind.TICKET)

_NAMED_AT_MOST = 10
"""How many items an error names when a name fits none of them."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a plan is to do besides: `restore` names items by their titles, their keys or the tracker's, or says
    `deleted`; `adopt`
    gives for items of the plan what people call the ones that are to be them. A plan that adopts does only that."""

    restore: tuple[str, ...] = ()
    adopt: Mapping[str, str] = field(default_factory=dict)


NO_WISH = Wish()


def problems_of(wish: Wish) -> list[Problem]:
    """That it asks for two things that are two plans, if it does."""
    if not (wish.restore and wish.adopt):
        return []
    fix = "adopt first; then make a plan that restores"
    return [Problem(SOURCE, None, "restore", "cannot be asked for together with adopt", fix)]


def restoring(
    wish: Wish,
    desired: Sequence[Item],
    recorded: Mapping[ItemKey, Recorded],
    observed: Mapping[ItemKey, ObservedItem],
    history: Mapping[ItemKey, Recorded] | None = None,
) -> Restore:
    """Which items the wish means, by their names in the plan or in the tracker; `history` are all that there ever were.
    Raises InvalidInput for each name that means none, naming what there is, what people changed first."""
    if not wish.restore:
        return NOTHING
    ours = {item.key: recorded[item.key] for item in desired if item.key in recorded and recorded[item.key].ref}
    titles: dict[str, set[ItemKey]] = {}
    for key, title in _titles(desired, ours, observed):
        titles.setdefault(title.casefold(), set()).add(key)
    keys: set[ItemKey] = set()
    problems = []
    for place, name in enumerate(wish.restore):
        fitting = {key for key, record in ours.items() if _is_called(record, name)} or titles.get(
            name.strip().casefold(), set()
        )
        if len(fitting) > 1:
            fix = f"name one of {', '.join(sorted(fitting))}"
            problems.append(Problem(SOURCE, None, f"restore[{place}]", f"{name!r} is the title of several items", fix))
        if not fitting and name != DELETED:
            fix = _meant(name, desired, ours, observed)
            if not ours:
                fix = "nothing was made yet: plan without it, and apply that"
            elif not fix.endswith("?"):
                fix = f"name one of {_some(desired, ours, observed)}, or `{DELETED}` for all that was deleted"
            message = f"{name!r} is nothing that was made here"
            if any(_is_called(record, name) for record in (history or {}).values() if record.ref is not None):
                message = f"{name!r} was made here and is not planned any more: its iteration is over, or it left the"
                message, fix = f"{message} template", "change it in the tracker, where it is"
            problems.append(Problem(SOURCE, None, f"restore[{place}]", message, fix))
        keys |= fitting
    if problems:
        raise InvalidInput(problems)
    return Restore(frozenset(keys), deleted=DELETED in wish.restore)


def unrestored(
    restore: Restore,
    wanted: Sequence[Item],
    recorded: Mapping[ItemKey, Recorded],
    observed: Mapping[ItemKey, ObservedItem],
) -> list[Finding]:
    """What is left as people have it although it was asked for by name, because it is theirs to write."""
    findings = []
    for item in wanted:
        if item.key not in restore.keys or item.key not in observed:
            continue
        if never_restored(item.key):
            message = f'The text of "{item.title}" is what people write: it is left as it is.'
            fix = "Have an earlier text back from the ticket's history in the tracker."
            findings.append(Finding(Severity.INFO, "record-not-restored", message, fix, item.key))
        elif is_settled(item, recorded[item.key], observed[item.key]):
            message = (
                f'Somebody began or completed "{item.title}" in the tracker: its name and dates are left as they are.'
            )
            fix = "Change them in the tracker if they are wrong."
            findings.append(Finding(Severity.INFO, "iteration-not-restored", message, fix, item.key))
    return findings


def _is_called(record: Recorded, name: str) -> bool:
    ref = record.ref
    called = {record.key.casefold()}
    if ref is not None and record.kind in ADOPTABLE:
        called |= {ref.key.casefold(), ref.id.casefold(), ref.url.casefold()}
    return name.strip().casefold() in called


def _titles(
    desired: Sequence[Item], ours: Mapping[ItemKey, Recorded], observed: Mapping[ItemKey, ObservedItem]
) -> Iterator[tuple[ItemKey, str]]:
    """What items of ours are called: in the plan, and in the tracker, where people may have renamed them."""
    for item in desired:
        if item.key in ours and item.kind in ADOPTABLE:
            shown = observed[item.key].fields.get("title") if item.key in observed else None
            yield from ((item.key, title) for title in dict.fromkeys((item.title, shown)) if title)


def _meant(
    name: str,
    desired: Sequence[Item],
    ours: Mapping[ItemKey, Recorded],
    observed: Mapping[ItemKey, ObservedItem],
) -> str:
    """What a name that means nothing may have meant: a title, or a key where it is written like one."""
    by_title = "" if ":" in name else meant(name, [title for _key, title in _titles(desired, ours, observed)])
    return by_title or _nearest(name, ours)


def _some(desired: Sequence[Item], ours: Mapping[ItemKey, Recorded], observed: Mapping[ItemKey, ObservedItem]) -> str:
    """Some of the items for a person to choose from, by what the tracker calls them: what people changed first."""
    named = dict(_titles(desired, ours, observed))  # the last is the tracker's
    order = sorted(named, key=lambda key: not _was_changed(ours[key], observed.get(key)))
    shown = [f'"{named[key]}" ({ref.key})' for key in order if (ref := ours[key].ref) is not None]
    left = len(shown) - _NAMED_AT_MOST
    return ", ".join(shown[:_NAMED_AT_MOST]) + (f" and {left} more" if left > 0 else "")


def _was_changed(record: Recorded, seen: ObservedItem | None) -> bool:
    """Whether people changed it since we wrote it, or deleted it."""
    if seen is None:
        return True
    known = record.seen if record.seen is not None else record.wanted
    return any(seen.fields.get(name) != value for name, value in known.items())


def given(
    tracker: Tracker,
    place: Place | None,
    wish: Wish,
    desired: Sequence[Item],
    recorded: Mapping[ItemKey, Recorded],
    observed: Mapping[ItemKey, ObservedItem],
) -> Mapping[ItemKey, ObservedItem]:
    """The existing items that are to be these planned ones, as the tracker shows them.

    Raises InvalidInput with everything that blocks it. A few requests, not one for each item.
    """
    if place is None:
        raise InvalidInput([Problem(SOURCE, None, "adopt", "the tracker shows no such project, so nothing in it")])
    wanted = {item.key: item for item in desired if item.kind in ADOPTABLE}
    problems = [problem for key in wish.adopt if (problem := _misfit(key, wanted, observed)) is not None]
    asked = {ItemKey(key): name for key, name in wish.adopt.items() if key in wanted and key not in observed}
    found: dict[ItemKey, RemoteRef] = {}
    for kind in ADOPTABLE:
        mine = {key: name for key, name in asked.items() if wanted[key].kind is kind}
        answers = tracker.named(place, kind, set(mine.values())) if mine else {}
        found |= {key: answers[name] for key, name in mine.items() if name in answers}
    for key, name in asked.items():
        if key not in found:
            problems.append(_unfound(tracker, place, wanted[key], name))
        elif (owner := _owner(found, key, recorded, observed)) is not None:
            problems.append(_problem(key, f"{name} is {owner} already", "give another, or release that first"))
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
    for kind in ADOPTABLE:
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
