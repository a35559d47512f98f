"""Iterations as they turn: begun, closed, and what is in them.

An iteration is planned while its card stands in Backlog, continues once it stands in Iteration, and is over when it
stands in Done. Its tickets are the cards with its label, whoever made them: those on which nobody has begun wait in
Backlog, and stand in Iteration while it is open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from connectors.errors import CredentialsRefused, FieldProblem, NotVisible, TrackerRefused, problems_of
from connectors.trello.board import Boards, State, turn_on
from connectors.trello.client import TrelloClient, segment
from connectors.trello.concurrency import all_of
from connectors.trello.history import Times, changes_of, happened, times_of
from connectors.trello.layout import Layout, ListRole
from connectors.trello.mapping import Card, View, points_of, status, turn_status
from connectors.trello.markup import marks
from connectors.trello.people import members_of
from connectors.values import (
    Content,
    Done,
    Item,
    ItemKey,
    ItemKind,
    Outcome,
    Rejected,
    RemoteRef,
    kind_of,
)

_NO_TICKETS = frozenset({ItemKind.EPIC, ItemKind.ITERATION})


@dataclass(frozen=True, slots=True)
class _Scene:
    """The board's cards, by their ids, and whose they are."""

    cards: Mapping[str, Card]
    view: View
    keys: Mapping[str, ItemKey]


class Turner:
    """Begins and closes the iterations of one board, and reads what is in them."""

    def __init__(self, client: TrelloClient, boards: Boards) -> None:
        self._client = client
        self._boards = boards

    # --- begin and close ---

    def start(self, layout: Layout, item: Item, ref: RemoteRef) -> None:
        """See `Tracker.start_iteration`. The tickets first, so that a card in Iteration says that all of it is done."""
        cards, card = self._read(layout, item, ref)
        state = self._boards.state(layout)
        if turn_status(card, state.roles) == "closed":
            where = "archived" if card.closed else "closed: its card stands in Done, or is ticked as done"
            raise TrackerRefused(
                f"The iteration {card.name!r} is {where}, so it cannot begin.",
                fix=f"A member of the board {layout.key} can put its card back into Backlog, not archived or ticked.",
            )
        turn = turn_on(card, state)
        if turn is None:
            raise TrackerRefused(
                f"The card of the iteration {card.name!r} has no label, so nothing tells which tickets are in it.",
                fix=f"A member of the board {layout.key} can put the label of that name on it, and on its tickets.",
            )
        self._boards.lists(layout)
        current, running = state.list_for(ListRole.ITERATION), state.running_list
        waiting = _waiting(cards, card, turn.label, state, ListRole.BACKLOG)
        all_of([partial(self._bring, one, current) for one in waiting if one.list_id != current])
        if turn_status(card, state.roles) != "active":
            self._put(card, running, "top")
        state.turns[card.id] = replace(turn, active=True)

    def close(self, layout: Layout, item: Item, ref: RemoteRef) -> None:
        """See `Tracker.close_iteration`. Tickets that nobody has begun go back to Backlog, also where a person closed
        it; again the tickets first. Those in an open iteration, too, stay."""
        cards, card = self._read(layout, item, ref)
        state = self._boards.state(layout)
        stands = turn_status(card, state.roles)
        if stands == "future":
            raise TrackerRefused(
                f"The iteration {card.name!r} has not begun: its card stands in"
                f" {state.list_names.get(card.list_id, 'another list')}.",
                fix=f"A member of the board {layout.key} can put its card into the list"
                f" {state.list_names.get(state.running_list, 'Iteration')}, or into the one for what is done.",
            )
        turn = turn_on(card, state)
        back: list[Card] = []
        if turn is not None:
            go_on = {other.label for other in state.turns.values() if other.active} - {turn.label}
            left = _waiting(cards, card, turn.label, state, ListRole.ITERATION)
            back = [one for one in left if go_on.isdisjoint(one.labels)]
        if back:
            self._boards.lists(layout)
            backlog = state.list_for(ListRole.BACKLOG)
            all_of([partial(self._bring, one, backlog) for one in back])
        if stands != "closed":
            self._boards.lists(layout)
            self._put(card, state.list_for(ListRole.DONE), "top")
            if turn is not None:
                state.turns[card.id] = replace(turn, active=False)

    def _read(self, layout: Layout, item: Item, ref: RemoteRef) -> tuple[list[Card], Card]:
        """The board's cards as they are now, and the iteration's among them."""
        self._boards.state(layout, anew=True)
        cards = self._boards.cards(layout)
        card = next((card for card in cards if card.id == ref.id), None)
        if card is None:
            raise NotVisible(
                f"The card of the iteration {item.title!r} ({ref.key}) is gone from the board {layout.key}.",
                fix="If it was moved to another board, bring it back; if it was deleted, plan it anew.",
            )
        return cards, card

    def _bring(self, card: Card, list_id: str) -> None:
        """Bring a ticket to another list, to the same place among the others: the vendor would put it last."""
        with suppress(NotVisible):  # somebody deleted it since it was read
            self._put(card, list_id, card.pos or "bottom")

    def _put(self, card: Card, list_id: str, pos: Any) -> None:
        self._client.write("PUT", f"cards/{segment(card.id)}", {"idList": list_id, "pos": pos})

    def set_status(self, layout: Layout, items: Sequence[tuple[ItemKey, RemoteRef]], status: str) -> list[Outcome]:
        """See `Tracker.set_status`. The list tells the status: Done, In Progress, and for what is not begun Iteration
        while an iteration of the card's is open, else Backlog."""
        self._boards.state(layout, anew=True)
        cards = {card.id: card for card in self._boards.cards(layout)}
        self._boards.lists(layout)
        return all_of([partial(self._stand, layout, key, ref, cards.get(ref.id), status) for key, ref in items])

    def _stand(self, layout: Layout, key: ItemKey, ref: RemoteRef, card: Card | None, wanted: str) -> Outcome:
        state = self._boards.state(layout)
        if card is None:
            return Rejected(key, (FieldProblem(None, "the card is gone"),))
        if status(card, state.roles) == wanted:
            return Done(key, ref)
        if card.closed or card.complete:
            what = "archived" if card.closed else "ticked as done"
            return Rejected(key, (FieldProblem(None, f"the card is {what}"),))
        going_on = {turn.label for turn in state.turns.values() if turn.active}
        waits = ListRole.BACKLOG if going_on.isdisjoint(card.labels) else ListRole.ITERATION
        role = {"done": ListRole.DONE, "doing": ListRole.IN_PROGRESS}.get(wanted, waits)
        try:
            self._put(card, state.list_for(role), "top" if wanted == "done" else card.pos or "bottom")
        except CredentialsRefused:
            raise
        except TrackerRefused as error:
            return Rejected(key, problems_of(error))
        return Done(key, ref)

    # --- contents ---

    def contents(
        self, layout: Layout, known: Mapping[ItemKey, RemoteRef], iterations: Mapping[ItemKey, RemoteRef]
    ) -> dict[ItemKey, list[Content]]:
        """See `Tracker.contents`. A ticket with the labels of several of the project's iterations is in the first."""
        if not iterations:
            return {}
        state = self._boards.state(layout, anew=True)
        cards = {card.id: card for card in self._boards.cards(layout)}
        view = self._boards.view(layout, list(cards.values()), {**known, **iterations}.items())
        state = self._boards.state(layout)
        labels = {
            key: turn.label
            for key, ref in iterations.items()
            if ref.id in cards and (turn := turn_on(cards[ref.id], state)) is not None
        }
        scene = _Scene(cards, view, _owners(layout, cards.values(), {**known, **iterations}))
        tickets = {key: self._in_it(scene, state, label) for key, label in labels.items()}
        everyone = [card for inside in tickets.values() for card in inside]
        if not everyone:
            return {key: [] for key in tickets}
        oldest = min(card.id for card in everyone)
        changes = changes_of(happened(self._client, layout, oldest, "updateCard", "data,date"))
        names = {str(one["id"]): str(one.get("fullName") or "") for one in members_of(self._client, layout.board_id)}

        def content(card: Card) -> Content:
            times = times_of(card, changes.get(card.id, ()), state.roles)
            return _content(card, scene, times, names)

        return {key: [content(card) for card in inside] for key, inside in tickets.items()}

    @staticmethod
    def _in_it(scene: _Scene, state: State, label: str) -> list[Card]:
        """The tickets with this label, before any other iteration's, as they stand on the board from the top."""
        inside = [
            card
            for card in scene.cards.values()
            if next((one for one in card.labels if one in scene.view.turns), None) == label
            and card.id not in state.turns
            and kind_of(scene.keys.get(card.id, ItemKey(""))) not in _NO_TICKETS
        ]
        return sorted(inside, key=lambda card: (card.pos, card.id))


def _waiting(cards: Iterable[Card], iteration: Card, label: str, state: State, where: ListRole) -> list[Card]:
    """The iteration's tickets that stand in this list, and that nobody is done with."""
    turns = {iteration.id, *state.turns}
    inside = (one for one in cards if label in one.labels and one.id not in turns)
    return [one for one in inside if state.roles.get(one.list_id) is where and status(one, state.roles) == "todo"]


def _owners(layout: Layout, cards: Iterable[Card], known: Mapping[ItemKey, RemoteRef]) -> dict[str, ItemKey]:
    """Which of our items a card is, by its id; cards that people made are not among them.

    Cards of other projects on the board are, as far as they are epics or iterations, which are no tickets here either.
    """
    found: dict[str, ItemKey] = {}
    seen = set(known)
    for card in cards:
        mark = marks(card.desc)
        if mark is None:
            continue
        uid, key = mark
        if kind_of(key) in _NO_TICKETS:
            found[card.id] = key
        elif uid == layout.uid and key not in seen:
            # A person's copy of a card carries its marker too; the cards come oldest first, and the oldest is ours.
            found[card.id] = key
            seen.add(key)
    return found | {ref.id: key for key, ref in known.items() if kind_of(key) is not ItemKind.GUEST}


def _epic_title(card: Card, scene: _Scene) -> str:
    for _, link in card.links or ():
        key = scene.view.names.get(link)
        if link in scene.view.epics or (key is not None and kind_of(key) is ItemKind.EPIC):
            epic = next((one for one in scene.cards.values() if link in {one.id, one.key}), None)
            if epic is not None:
                return epic.name
    return ""


def _content(card: Card, scene: _Scene, times: Times, names: Mapping[str, str]) -> Content:
    view = scene.view
    labels = sorted(view.labels[one] for one in card.labels if one in view.labels and one not in view.turns)
    person = card.members[0] if card.members else None
    return Content(
        ref=card.ref,
        title=card.name,
        status=status(card, view.roles),
        key=scene.keys.get(card.id),
        points=points_of(labels),
        assignee=person,
        person=names.get(person, "") if person else "",
        epic=_epic_title(card, scene),
        labels=tuple(labels),
        created_at=times.created,
        started_at=times.started,
        done_at=times.done,
    )
