"""The iterations of a board that need not be ours, as its people made them visible. Pure.

Where phaseloop's own iterations stand on the board, these count. Else whatever is called like one does: a label or a
list named Sprint 3, Iteration 3, Week 12 or by a date, and a card of such a name, which has the dates.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time

from connectors.trello.board import State, turn_on
from connectors.trello.history import instant
from connectors.trello.layout import ListRole
from connectors.trello.mapping import Card, status, turn_status
from connectors.trello.markup import marks
from connectors.values import ItemKind, RemoteRef, kind_of

_WORDS = (
    "sprint|iteration|itération|iteración|iterazione|iteração|iteratie|iteracja|cycle|zyklus|ciclo|cyclus|cykl"
    "|week|woche|semaine|semana|settimana|tydzień|kw|スプリント|イテレーション|冲刺|迭代"
)
_NAMED = re.compile(
    rf"(?<!\w)({_WORDS})\s{{0,3}}(?:#|-|_|:|no\.?|nr\.?)?\s{{0,3}}(\d{{1,5}}(?:[.\-/]\d{{1,3}})?)(?!\d)"
)
_DATE = re.compile(
    r"(?<!\d)(?:(?P<y>\d{4})([-/.])(?P<m>\d{1,2})\2(?P<d>\d{1,2})|(?P<d2>\d{1,2})\.(?P<m2>\d{1,2})\.(?P<y2>\d{4}))(?!\d)"
)
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Called:
    """What a name says of an iteration: by which it is known among others (`key`: its word and its number, or a day),
    and its days where they are named. `alone` says that the name says nothing else."""

    key: tuple[str, tuple[int, ...]]
    days: tuple[date, ...] = ()
    alone: bool = True


@dataclass
class Group:
    """An iteration with its cards, by their ids. `own` is the card that stands for it; where people made that and wrote
    on it, it is one of its cards too."""

    ref: RemoteRef
    title: str
    order: tuple[str, tuple[int, ...]] = ("", ())
    starts: datetime | None = None
    ends: datetime | None = None
    own: Card | None = None
    archived: bool = False
    cards: list[str] = field(default_factory=list)


def called(name: str) -> Called | None:
    """The iteration that a name speaks of; None for a name that speaks of none."""
    plain = " ".join(name.casefold().split())[:_LONGEST_NAME]
    days = tuple(day for found in _DATE.finditer(plain) if (day := _day(found)) is not None)
    bare = _DATE.sub(" ", plain) if days else plain
    found = _NAMED.search(bare)
    if found is not None:
        number = tuple(int(part) for part in re.split(r"\D", found[2]))
        rest = bare[: found.start()] + bare[found.end() :]
        return Called((found[1], number), days, not any(char.isalpha() for char in rest))
    if days and not any(char.isalnum() for char in re.sub(rf"{_WORDS}|to|bis|au|al", " ", bare)):
        return Called(("", (days[0].toordinal(),)), days)
    return None


def _day(found: re.Match[str]) -> date | None:
    year, month, day = (found[name] or found[f"{name}2"] for name in ("y", "m", "d"))
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _noon(day: date) -> datetime:
    """A day as a moment that is on that day almost everywhere."""
    return datetime.combine(day, time(12), UTC)


def groups_of(
    cards: Mapping[str, Card], state: State, board: RemoteRef, made: Mapping[str, datetime | None]
) -> list[Group]:
    """The iterations of a board with the cards in them, oldest first; none where nothing is called like one. Epics are
    in none. `made` says when each card was."""
    tickets = {one: card for one, card in cards.items() if not is_epic(card, state)}
    found = _ours(tickets, state) or _named(tickets, state, board)
    return sorted(found, key=lambda group: _rank(group, found, made))


def status_of(group: Group, cards: Mapping[str, Card], state: State, now: datetime) -> str:
    """How far an iteration is: by the card that stands for it, its days, its list, and what became of its cards."""
    if group.own is not None:
        stands = turn_status(group.own, state.roles)
        if stands != "future" or _kind(group.own) is ItemKind.ITERATION:
            return stands
    if group.ends is not None and group.ends < now:
        return "closed"
    if group.starts is not None:
        return "future" if group.starts > now else "active"
    there = {status(cards[one], state.roles) for one in group.cards if group.own is None or one != group.own.id}
    if group.archived or there == {"done"}:
        return "closed"
    return "active" if there - {"todo"} else "future"


def _kind(card: Card) -> ItemKind | None:
    mark = marks(card.desc)
    return kind_of(mark[1]) if mark is not None else None


def is_epic(card: Card, state: State) -> bool:
    """Whether a card is an epic, by its marker or by its list."""
    return _kind(card) is ItemKind.EPIC or (_kind(card) is None and state.roles.get(card.list_id) is ListRole.EPICS)


def is_ticket(card: Card, state: State) -> bool:
    """Whether a card is work, and stands for nothing else."""
    return _kind(card) is not ItemKind.ITERATION and not is_epic(card, state)


# --- phaseloop's own -------------------------------------------------------------------------------------------------


def _ours(cards: Mapping[str, Card], state: State) -> list[Group]:
    """The iterations that carry a marker, of whichever project; a card with the labels of several is in the last."""
    groups: dict[str, Group] = {}
    for card in cards.values():
        turn = turn_on(card, state) if _kind(card) is ItemKind.ITERATION else None
        if turn is not None:
            starts, ends = instant(card.start or ""), instant(card.due or "")
            groups[turn.label] = Group(card.ref, card.name, starts=starts, ends=ends, own=card)
    for card in cards.values():
        mine = [groups[label] for label in card.labels if label in groups]
        if mine and _kind(card) is not ItemKind.ITERATION:
            max(mine, key=lambda group: (group.starts is not None, group.starts or 0)).cards.append(card.id)
    return list(groups.values())


# --- what people call one --------------------------------------------------------------------------------------------


def _named(cards: Mapping[str, Card], state: State, board: RemoteRef) -> list[Group]:
    """The iterations by labels, lists and cards of such names. A label says more of a card than the list where it
    stands, and of several labels the last iteration counts: the card was carried over."""
    labels = {one: name for one, name in state.label_names.items() if called(name)}
    lists = {one: name for one, name in state.list_names.items() if called(name)}
    groups: dict[tuple[str, tuple[int, ...]], Group] = {}
    for places, archived in ((labels, set[str]()), (lists, state.list_names.keys() - state.open_lists.keys())):
        for identity, name in places.items():
            group = _group(groups, name, RemoteRef(identity, name, board.url))
            group.archived = group.archived or identity in archived
    standing = {card.id for card in cards.values() if (found := called(card.name)) and found.alone and found.key[0]}
    for identity in standing:
        card = cards[identity]
        group = _group(groups, card.name, card.ref)
        group.ref, group.own = card.ref, card
        group.starts = instant(card.start or "") or group.starts
        group.ends = instant(card.due or "") or group.ends
        if card.desc.strip():  # what the team writes of an iteration may well stand on its own card
            group.cards.append(card.id)
    for card in cards.values():
        placed = None if card.id in standing else _place(card, groups, labels, lists)
        if placed is not None:
            placed.cards.append(card.id)
    return [group for group in groups.values() if group.cards or group.own is not None]


def _group(groups: dict[tuple[str, tuple[int, ...]], Group], name: str, ref: RemoteRef) -> Group:
    found = called(name)
    assert found is not None  # noqa: S101 - only such names come here
    group = groups.setdefault(found.key, Group(ref, name.strip(), order=found.key))
    if found.days and group.starts is None:
        group.starts = _noon(found.days[0])
        group.ends = _noon(found.days[1]) if len(found.days) > 1 else None
    return group


def _place(
    card: Card,
    groups: Mapping[tuple[str, tuple[int, ...]], Group],
    labels: Mapping[str, str],
    lists: Mapping[str, str],
) -> Group | None:
    """The iteration that a card is in: by its labels, its list, or its date where only cards stand for iterations."""
    said = [called(labels[one]) for one in card.labels if one in labels]
    keys = [one.key for one in said if one is not None]
    if not keys and card.list_id in lists and (found := called(lists[card.list_id])):
        keys = [found.key]
    if keys:
        return groups[max(keys, key=lambda key: key[1])]
    due = instant(card.due or "")
    return next((one for one in groups.values() if one.own and due is not None and _is_within(due, one)), None)


def _is_within(moment: datetime, group: Group) -> bool:
    return group.starts is not None and group.ends is not None and group.starts < moment <= group.ends


def _rank(group: Group, groups: Collection[Group], made: Mapping[str, datetime | None]) -> tuple[object, ...]:
    """Where an iteration stands among others: by its dates if all have some, else by its number among those of its
    word, which stand as their first cards do."""
    if all(one.starts for one in groups):
        return (group.starts, group.order[1])
    same = [one for one in groups if one.order[0] == group.order[0]]
    first = min((at for one in same for card in one.cards if (at := made.get(card)) is not None), default=None)
    return (first is None, first or 0, group.order[0], group.order[1])
