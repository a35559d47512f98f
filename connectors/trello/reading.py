"""Reading items back: by reference, by marker, and after a lost answer. All from one reading of the board's cards.

The vendor's search is not used: it is rate-limited and trails the writes. That listing a board's cards sees every
write at once is so in practice, but not promised (unsure), so after a lost answer the board is looked at again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from connectors.tracker import Item, ItemKey, ItemKind, ObservedItem, RemoteRef, kind_of
from connectors.trello.board import Boards
from connectors.trello.client import TrelloClient
from connectors.trello.layout import Layout
from connectors.trello.mapping import Card, observed, ours

_QUIET_LOOKS = 3
"""How many looks in a row must find nothing new before an item counts as not created."""


class Reader:
    """Reads the cards of one board."""

    def __init__(self, client: TrelloClient, boards: Boards) -> None:
        self._client = client
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
        names = {**known, **{key: card.ref for key, card in found.items()}}
        view = self._boards.view(layout, cards, names.items())
        return {
            key: observed(card, key, view)
            for key, card in found.items()
            if kind_of(key) not in {ItemKind.LINK, ItemKind.PROJECT}
        }

    def recover(self, layout: Layout, items: Collection[Item]) -> dict[ItemKey, RemoteRef]:
        """See `Tracker.recover`.

        A lost answer may mean that Trello is still at work on the call, so one look is not enough: it looks again
        after a pause until several looks in a row find nothing new.
        """
        missing = {item.key for item in items}
        found: dict[ItemKey, RemoteRef] = {}
        quiet = 0
        while missing and quiet < _QUIET_LOOKS:
            if quiet:
                self._client.pause(float(quiet))
            cards = ours(self._boards.cards(layout), layout.uid)
            new = {key: cards[key].ref for key in missing if key in cards}
            found |= new
            missing -= new.keys()
            quiet = 1 if new else quiet + 1
        return found
