"""A whole board as it is found, ours or not: its iterations and the cards in them, as evidence. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from connectors.inferred_iterations import fortnights
from connectors.pacing import utc_now
from connectors.records import Document, Survey, Surveyed
from connectors.trello.board import Boards
from connectors.trello.iterations import groups_of, is_ticket, status_of
from connectors.trello.layout import Layout
from connectors.trello.location import Locator, place_of
from connectors.trello.mapping import Card
from connectors.trello.markup import marks
from connectors.trello.records import Recorder, Scene
from connectors.values import ItemKey, ItemKind, ProjectSpec, RemoteRef, kind_of


class Surveyor:
    """Reads whole boards."""

    def __init__(
        self, locator: Locator, boards: Boards, recorder: Recorder, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._locator = locator
        self._boards = boards
        self._recorder = recorder
        self._now = now

    def survey(self, spec: ProjectSpec) -> Survey | None:
        """See `Tracker.survey`."""
        board = self._locator.board(spec.key, anew=True)
        if board is None:
            return None
        place = place_of(spec, board, self._locator.site)
        ref = RemoteRef(place.ref.id, str(board.get("shortLink") or place.ref.key), place.ref.url)
        return self._told(Layout.model_validate(place.facts), ref, str(board.get("name") or spec.key))

    def _told(self, layout: Layout, ref: RemoteRef, title: str) -> Survey:
        scene = self._recorder.look(layout, (), None)
        cards = {identity: card for identity, (card, _) in scene.cards.items()}
        keys = _keys(cards.values())
        names = [(key, cards[identity].ref) for identity, key in keys.items()]
        scene = replace(scene, view=self._boards.view(layout, list(cards.values()), names))
        documents = self._documents(scene, keys)
        state, now = self._boards.state(layout), self._now()
        groups = groups_of(cards, state, ref, {one: documents[one].created_at for one in documents})
        iterations = tuple(
            Surveyed(
                ref=group.ref,
                title=group.title,
                status=status_of(group, cards, state, now),
                starts=group.starts,
                ends=group.ends,
                documents=tuple(documents[one] for one in sorted(group.cards)),
            )
            for group in groups
        )
        aside = {group.own.id for group in groups if group.own is not None}
        aside |= {card for group in groups for card in group.cards}
        tickets = [one for one in sorted(cards) if is_ticket(cards[one], state)]
        loose = tuple(documents[one] for one in tickets if one not in aside)
        if not groups:
            iterations, loose = fortnights(loose, ref.url, now), ()
        return Survey(ref, title, iterations, loose)

    def _documents(self, scene: Scene, keys: dict[str, ItemKey]) -> dict[str, Document]:
        tickets = {one: key for one, key in keys.items() if kind_of(key) is ItemKind.TICKET}
        return self._recorder.read(scene, {one: tickets.get(one) for one in scene.cards})


def _keys(cards: Iterable[Card]) -> dict[str, ItemKey]:
    """Which items cards are, of whichever project; of a person's copies, none is."""
    found: dict[tuple[str, ItemKey], str] = {}
    for card in sorted(cards, key=lambda one: one.id):
        if (mark := marks(card.desc)) is not None:
            found.setdefault(mark, card.id)
    return {identity: key for (_, key), identity in found.items()}
