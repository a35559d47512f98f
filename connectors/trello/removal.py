"""Removing what stands on a board, and the board itself.

Everything may be asked for again: what is gone already counts as removed. Cards and labels are gone for good, lists are
archived and boards closed, because that is all that Trello does with those at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from connectors.english import counted
from connectors.errors import CredentialsRefused, FieldProblem, NotVisible, TrackerRefused, problems_of
from connectors.trello.board import Boards, State
from connectors.trello.client import TrelloClient, segment
from connectors.trello.concurrency import all_of
from connectors.trello.layout import BATCH, Layout
from connectors.trello.mapping import Card, Turn, made_at
from connectors.trello.memory import TURNS
from connectors.values import Done, ItemKey, ItemKind, Outcome, Rejected, RemoteRef

_TOGETHER = timedelta(minutes=10)
"""An iteration's label is made just before its card; one that is older stood on the board already."""

_Items = Sequence[tuple[ItemKey, RemoteRef]]


class Remover:
    """Removes items of one board."""

    def __init__(self, client: TrelloClient, boards: Boards) -> None:
        self._client = client
        self._boards = boards

    def delete(self, layout: Layout, kind: ItemKind, items: _Items) -> list[Outcome]:
        """See `Tracker.delete`. Raises `ValueError` for a batch that the port does not allow."""
        if len(items) > BATCH:
            raise ValueError(f"at most {BATCH} items can be removed in one call, not {len(items)}")
        if kind is ItemKind.LINK:
            raise ValueError("Trello has no links between tickets")
        if kind is ItemKind.GUEST:
            raise ValueError("a guest is people's own: it is never removed")
        if not items:
            return []
        try:
            outcomes = self._deleted(layout, kind, items)
            self._boards.removed(layout, {outcome.ref.id for outcome in outcomes if isinstance(outcome, Done)})
            return outcomes
        except NotVisible:  # single things that are gone are no error: it is the board that is not there any more
            return [Done(key, ref) for key, ref in items]
        finally:
            self._boards.forget(layout)

    def _deleted(self, layout: Layout, kind: ItemKind, items: _Items) -> list[Outcome]:
        if kind in {ItemKind.EPIC, ItemKind.TICKET}:
            return all_of([partial(self._card, key, ref) for key, ref in items])
        state = self._boards.state(layout, anew=True)
        if kind is ItemKind.PROJECT:
            return [self._board(state, key, ref) for key, ref in items]
        cards = self._boards.cards(layout)
        each: Callable[[ItemKey, RemoteRef], Outcome] = {
            ItemKind.ITERATION: partial(self._iteration, state, cards, {ref.id for _, ref in items}),
            ItemKind.LABEL: partial(self._label, state, cards),
            ItemKind.COLUMN: partial(self._list, state, cards),
        }[kind]
        return all_of([partial(each, key, ref) for key, ref in items])

    def _card(self, key: ItemKey, ref: RemoteRef) -> Outcome:
        return self._sent(key, ref, "DELETE", f"cards/{segment(ref.id)}")

    def _iteration(
        self, state: State, cards: Sequence[Card], leaving: Collection[str], key: ItemKey, ref: RemoteRef
    ) -> Outcome:
        """The label first: the card is what leads to it, so that a second attempt finds both."""
        card = next((card for card in cards if card.id == ref.id), None)
        turn = state.turns.get(ref.id)
        if card is not None and turn is not None and self._is_its_own(state, cards, leaving, card, turn):
            outcome = self._sent(key, ref, "DELETE", f"labels/{segment(turn.label)}")
            if isinstance(outcome, Rejected):
                return outcome
        return self._card(key, ref)

    @staticmethod
    def _is_its_own(state: State, cards: Sequence[Card], leaving: Collection[str], card: Card, turn: Turn) -> bool:
        """Whether the label was made for this iteration, neither found on the board nor put on its card by a person,
        and no card that stays carries it. One that people renamed is known by its id."""
        if made_at(card.id) - made_at(turn.label) > _TOGETHER:
            return False
        named = re.fullmatch(re.escape(card.name) + r"( \(\d+\))?", state.label_names.get(turn.label, ""))
        its_own = named is not None or state.ids.of(TURNS).get(card.id) == turn.label
        return its_own and not any(turn.label in one.labels for one in cards if one.id not in leaving)

    def _label(self, state: State, cards: Sequence[Card], key: ItemKey, ref: RemoteRef) -> Outcome:
        if ref.id not in state.label_names:
            return Done(key, ref)
        if carriers := sum(ref.id in card.labels for card in cards):
            return _in_use(key, f"the label is on {counted(carriers, 'card')}, archived ones included")
        return self._sent(key, ref, "DELETE", f"labels/{segment(ref.id)}")

    def _list(self, state: State, cards: Sequence[Card], key: ItemKey, ref: RemoteRef) -> Outcome:
        if ref.id not in state.open_lists:
            return Done(key, ref)
        if held := sum(card.list_id == ref.id and not card.closed for card in cards):
            return _in_use(key, f"the list holds {counted(held, 'card')}")
        return self._sent(key, ref, "PUT", f"lists/{segment(ref.id)}", {"closed": True})

    def _board(self, state: State, key: ItemKey, ref: RemoteRef) -> Outcome:
        if state.values.get("closed") is True:
            return Done(key, ref)
        return self._sent(key, ref, "PUT", f"boards/{segment(ref.id)}", {"closed": True})

    def _sent(
        self, key: ItemKey, ref: RemoteRef, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> Outcome:
        try:
            self._client.write(method, path, body)
        except NotVisible:
            return Done(key, ref)
        except CredentialsRefused:
            raise
        except TrackerRefused as error:
            return Rejected(key, problems_of(error))
        return Done(key, ref)


def _in_use(key: ItemKey, why: str) -> Outcome:
    return Rejected(key, (FieldProblem(None, why),))
