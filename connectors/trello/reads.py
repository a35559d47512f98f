"""Reading items back: by reference, by marker, by name, and after a lost answer. All from one reading of the cards.

The vendor's search is not used: it is rate-limited and trails the writes. That listing a board's cards sees every
write at once is so in practice, but not promised (unsure).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from connectors.pacing import utc_now
from connectors.trello.board import Boards
from connectors.trello.layout import Layout
from connectors.trello.mapping import CARD_LINK, Card, label_names, observed, ours
from connectors.trello.markup import marks
from connectors.values import Item, ItemKey, ItemKind, ObservedItem, RemoteRef, kind_of

_LEEWAY = timedelta(seconds=2)


class Reader:
    """Reads the cards of one board."""

    def __init__(self, boards: Boards) -> None:
        self._boards = boards

    def find(
        self, layout: Layout, known: Mapping[ItemKey, RemoteRef], only: Collection[ItemKey] | None
    ) -> dict[ItemKey, ObservedItem]:
        """See `Tracker.find`."""
        cards = self._boards.cards(layout)
        by_id = {card.id: card for card in cards}
        wanted = known if only is None else {key: known[key] for key in only if key in known}
        found: dict[ItemKey, Card] = {key: by_id[ref.id] for key, ref in wanted.items() if ref.id in by_id}
        if only is None:
            known_ids = {ref.id for ref in known.values()}
            mine = ours(cards, layout.uid)
            found |= {key: card for key, card in mine.items() if key not in known and card.id not in known_ids}
        # What leads to a card that is gone leads to no epic any more.
        there = {key: ref for key, ref in known.items() if ref.id in by_id}
        names = {**there, **{key: card.ref for key, card in found.items()}}
        view = self._boards.view(layout, cards, names.items())
        return {
            key: observed(card, key, view)
            for key, card in found.items()
            if kind_of(key) not in {ItemKind.LINK, ItemKind.PROJECT}
        }

    def elsewhere(self, layout: Layout, missing: Mapping[ItemKey, RemoteRef]) -> dict[ItemKey, RemoteRef]:
        """See `Tracker.elsewhere`."""
        keys = {ref.id: key for key, ref in missing.items() if kind_of(key) not in {ItemKind.LINK, ItemKind.PROJECT}}
        return {keys[ref.id]: ref for ref in self._boards.moved(layout, list(keys)) if ref.id in keys}

    def watermark(self) -> str:
        """See `Tracker.watermark`: a little before now, for clocks that differ."""
        return (utc_now() - _LEEWAY).isoformat()

    def recover(self, layout: Layout, items: Collection[Item], since: str) -> dict[ItemKey, RemoteRef]:
        """See `Tracker.recover`. What the cards stand on and was made since then is told by `made_along`."""
        cards = ours(self._boards.cards(layout), layout.uid)
        found = {item.key: cards[item.key].ref for item in items if item.key in cards}
        names = {name for item in items for name in label_names(item)}
        names |= {item.title for item in items if item.kind is ItemKind.ITERATION and item.key not in found}
        if len(found) < len(items):  # what is made again stands on lists and labels that may have come since
            self._boards.forget(layout)
        self._boards.claim(layout, names, datetime.fromisoformat(since) if since else None)
        return found

    def named(self, layout: Layout, kind: ItemKind, names: Collection[str]) -> dict[str, RemoteRef]:
        """See `Tracker.named`."""
        if not names:
            return {}
        cards = [card for card in self._boards.cards(layout) if self._may_be(layout, card, kind)]
        found: dict[str, RemoteRef] = {}
        for name in names:
            plain = name.strip()
            link = CARD_LINK.search(plain)
            meant = [card for card in cards if (link[1] if link else plain) in {card.id, card.key}]
            if not meant and kind is ItemKind.ITERATION:
                meant = [card for card in cards if self._is_titled(layout, card, plain)]
            if len(meant) == 1:
                found[name] = meant[0].ref
        return found

    def _may_be(self, layout: Layout, card: Card, kind: ItemKind) -> bool:
        """Whether a card can be an item of this kind: it is not one of another kind already."""
        mark = marks(card.desc)
        return mark is None or mark[0] != layout.uid or kind_of(mark[1]) is kind

    def _is_titled(self, layout: Layout, card: Card, title: str) -> bool:
        """Whether an open card is an iteration of that title: it has a label of its own name, or is one of ours."""
        state = self._boards.state(layout)
        is_turn = card.id in state.turns or card.name in {state.label_names.get(label) for label in card.labels}
        return is_turn and not card.closed and card.name.strip().casefold() == title.casefold()
