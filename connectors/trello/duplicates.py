"""What calls that came late made a second time: cards, checklists and their lines, labels and lists.

A call of a process that has lost its run may arrive after the look of the one that has it now. What such a call leaves
is told by what it says: a card by the marker of one that is recorded, all else by a name or text that is there once
more than was ever asked for. It goes only if it came since the run began and nobody touched it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

from connectors.errors import NotVisible
from connectors.trello.board import Boards
from connectors.trello.client import TrelloClient, segment
from connectors.trello.concurrency import all_of
from connectors.trello.history import doer, happened_to
from connectors.trello.layout import Layout, ListRole
from connectors.trello.mapping import CHECKLIST, Card, Checklist, Line, label_names, made_at, marked_key, status
from connectors.trello.traces import Tracer
from connectors.values import Double, Item, ItemKey, ItemKind, RemoteRef

_MADE = "createCard,copyCard,emailCard,convertToCardFromCheckItem"
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Reconciler:
    """Finds doubles on one board, and removes those that nobody touched."""

    def __init__(self, client: TrelloClient, boards: Boards, tracer: Tracer, me: Callable[[], str]) -> None:
        self._client, self._boards, self._tracer, self._me = client, boards, tracer, me

    def reconcile(self, layout: Layout, items: Sequence[tuple[Item, RemoteRef]], since: str) -> list[Double]:
        """See `Tracker.reconcile`."""
        born = datetime.fromisoformat(since) if since else _LONG_AGO
        cards = {card.id: card for card in self._boards.cards(layout)}
        found = self._cards(layout, items, cards, born)
        for item, ref in items:
            if item.kind is ItemKind.TICKET and (card := cards.get(ref.id)) is not None:
                found += self._checklists(item, card, born)
        gone = {double.ref.id for double in found}
        found += self._names(layout, items, [card for card in cards.values() if card.id not in gone], born)
        if found:
            self._boards.forget(layout)
        return found

    # --- cards ---

    def _cards(
        self, layout: Layout, items: Sequence[tuple[Item, RemoteRef]], cards: Mapping[str, Card], born: datetime
    ) -> list[Double]:
        by_key = {item.key: (item, ref) for item, ref in items}
        twins: list[tuple[ItemKey, Card]] = []
        for card in cards.values():
            key = marked_key(card, layout.uid)
            if key in by_key and card.id != by_key[key][1].id and made_at(card.id) >= born and not card.closed:
                twins.append((key, card))
        others = [card for card in cards.values() if card.id not in {twin.id for _, twin in twins}]
        used = {label for card in others for label in card.labels}
        return [self._card(layout, by_key[key][0], card, used, born) for key, card in twins]

    def _card(self, layout: Layout, item: Item, card: Card, used: Collection[str], born: datetime) -> Double:
        why = self._touches(layout, item, card)
        if not why:
            for label in card.labels if item.kind is ItemKind.ITERATION else ():
                if label not in used and made_at(label) >= born:
                    self._delete(f"labels/{segment(label)}")
            self._delete(f"cards/{segment(card.id)}")
        return Double(item.key, card.ref, "card", card.name, tuple(why))

    def _touches(self, layout: Layout, item: Item, card: Card) -> list[str]:
        why = []
        made = happened_to(self._client, card.id, _MADE, "idMemberCreator")
        if not made or any(doer(one)[0] != self._me() for one in made):
            why.append("made by somebody else")
        traces = self._tracer.traces(layout, {item.key: card.ref}, [item.key]).get(item.key)
        if traces is not None:
            why += [*traces.additions, *(f"its {name} was changed" for name in sorted(traces.edited))]
        if status(card, self._boards.state(layout).roles) != "todo" and item.kind is not ItemKind.ITERATION:
            why.append("begun")
        lines = [line for one in card.checklists or () for line in one.lines]
        if any(line.complete for line in lines) or {line.text for line in lines} - set(item.checklist):
            why.append("its checklist was changed")
        return why

    # --- checklists ---

    def _checklists(self, item: Item, card: Card, born: datetime) -> list[Double]:
        mine = [one for one in card.checklists or () if one.name == CHECKLIST]
        late = [one for one in mine if made_at(one.id) >= born and _is_just(one, item.checklist)]
        found = []
        for one in sorted(
            late, key=lambda one: (-len(one.lines), one.id), reverse=True
        ):  # the fullest and oldest stays
            if any(other is not one and Counter(one.texts) <= Counter(other.texts) for other in mine):
                mine.remove(one)
                self._delete(f"checklists/{segment(one.id)}")
                found.append(Double(item.key, RemoteRef(one.id, CHECKLIST, card.url), "checklist", CHECKLIST))
        for one in mine:
            found += self._lines(item, card, one, born)
        return found

    def _lines(self, item: Item, card: Card, checklist: Checklist, born: datetime) -> list[Double]:
        extra = Counter(checklist.texts)
        extra.subtract(item.checklist)
        found: list[Double] = []
        for line in sorted(checklist.lines, key=lambda one: one.id, reverse=True):
            if line.text in item.checklist and extra[line.text] > 0 and _is_late(line, born):
                extra[line.text] -= 1
                self._delete(f"checklists/{segment(checklist.id)}/checkItems/{segment(line.id)}")
                found.append(Double(item.key, RemoteRef(line.id, line.text, card.url), "checklist line", line.text))
        return found

    # --- what is known by its name ---

    def _names(
        self, layout: Layout, items: Sequence[tuple[Item, RemoteRef]], cards: Sequence[Card], born: datetime
    ) -> list[Double]:
        """Labels and lists of one of our names that are there twice and hold nothing: the younger ones go."""
        state = self._boards.state(layout, anew=True)
        ours = {name for item, _ in items for name in label_names(item)}
        ours |= {item.title for item, _ in items if item.kind is ItemKind.ITERATION}
        used = {label for card in cards for label in card.labels}
        holding = {card.list_id for card in cards if not card.closed}
        tasks, found = [], []
        for identity in _younger(state.label_names, ours, used, born):
            tasks.append(partial(self._delete, f"labels/{segment(identity)}"))
            found.append(self._named(layout, ItemKind.LABEL, identity, state.label_names[identity]))
        for identity in _younger(state.open_lists, {role.value for role in ListRole}, holding, born):
            tasks.append(partial(self._archive, identity))
            found.append(self._named(layout, ItemKind.COLUMN, identity, state.open_lists[identity]))
        all_of(tasks)
        return found

    @staticmethod
    def _named(layout: Layout, kind: ItemKind, identity: str, name: str) -> Double:
        what = "label" if kind is ItemKind.LABEL else "list"
        return Double(ItemKey(f"{kind}:{name}"), RemoteRef(identity, name, layout.url), what, name)

    def _archive(self, identity: str) -> None:
        with suppress(NotVisible):
            self._client.write("PUT", f"lists/{segment(identity)}", {"closed": True})

    def _delete(self, path: str) -> None:
        with suppress(NotVisible):  # somebody was faster
            self._client.write("DELETE", path)


def _is_just(checklist: Checklist, wanted: Collection[str]) -> bool:
    """Whether a checklist holds nothing but lines of ours, as they were written."""
    return not any(line.complete or line.text not in wanted for line in checklist.lines)


def _is_late(line: Line, born: datetime) -> bool:
    return not line.complete and made_at(line.id) >= born


def _younger(names: Mapping[str, str], ours: Collection[str], used: Collection[str], born: datetime) -> list[str]:
    """Of those of one name that is ours all but one, as far as they hold nothing and are new."""
    found = []
    for name in ours:
        alike = sorted(identity for identity, one in names.items() if one == name)
        empty = [identity for identity in alike if identity not in used]
        kept = alike[0] if len(empty) == len(alike) and alike else ""
        found += [one for one in empty if one != kept and len(alike) > 1 and made_at(one) >= born]
    return found
