"""Cards as evidence: their texts, what people said and attached, ticked, edited and moved, and who did it.

Three readings tell it all for any number of cards: the board, its cards, and what happened on it. A single card is
asked for what happened to it only if it was on another board before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.errors import CredentialsRefused, TrackerError, TrackerRefused
from connectors.records import TEXT_READ, Attachment, Document, Part, WebLink, text_digest
from connectors.trello.board import Boards
from connectors.trello.card_actions import (
    TOLD,
    TOLD_FIELDS,
    Act,
    acts_by_card,
    came_from_elsewhere,
    maker_of,
    ticks_of,
    words_of,
)
from connectors.trello.client import TrelloClient
from connectors.trello.history import Change, changes_of, happened, happened_to, instant, steps_of
from connectors.trello.layout import Layout
from connectors.trello.mapping import CARD_LINK, Card, View, made_at, status
from connectors.trello.markup import continues
from connectors.values import ItemKey, ItemKind, RemoteRef, kind_of

_Raw = Mapping[str, Any]
_TOLD_BY_ACTIONS = (Part.COMMENTS, Part.HISTORY)


@dataclass(frozen=True, slots=True)
class Scene:
    """The cards of a board with their own words, and what is needed to read them in ours. `actions` is None where this
    account may not see what happened."""

    cards: Mapping[str, tuple[Card, _Raw]]
    view: View
    actions: Sequence[_Raw] | None


class Recorder:
    """Reads the cards of one board as evidence."""

    def __init__(self, client: TrelloClient, boards: Boards) -> None:
        self._client = client
        self._boards = boards

    def documents(
        self, layout: Layout, known: Mapping[ItemKey, RemoteRef], whole: Collection[ItemKey]
    ) -> dict[ItemKey, Document]:
        """See `Tracker.documents`. Everything comes with the same few readings, so no ticket is told less of than
        others."""
        wanted = {key: ref for key, ref in known.items() if kind_of(key) in {ItemKind.TICKET, ItemKind.GUEST}}
        if not wanted:
            return {}
        scene = self.look(layout, known.items(), {ref.id for ref in wanted.values()})
        there = {ref.id: key for key, ref in wanted.items() if ref.id in scene.cards}
        found = self.read(scene, there)
        return {key: found[identity] for identity, key in there.items()}

    def look(self, layout: Layout, names: Iterable[tuple[ItemKey, RemoteRef]], ids: Collection[str] | None) -> Scene:
        """The board as it is now, and what happened on it since the oldest of the cards of these ids was made; of all
        cards if there are none."""
        self._boards.state(layout, anew=True)
        cards = {card.id: (card, raw) for card, raw in self._boards.evidence(layout)}
        view = self._boards.view(layout, [card for card, _ in cards.values()], names)
        oldest = min((one for one in cards if ids is None or one in ids), default=None)
        actions = self._happened(layout, oldest) if oldest else []
        return Scene(cards, view, actions)

    def _happened(self, layout: Layout, oldest: str) -> list[dict[str, Any]] | None:
        try:
            return happened(self._client, layout, oldest, TOLD, TOLD_FIELDS, named=True)
        except CredentialsRefused:
            raise
        except TrackerRefused:
            return None

    def read(self, scene: Scene, cards: Mapping[str, ItemKey | None]) -> dict[str, Document]:
        """These cards as evidence, by their ids; `cards` says which items they are."""
        acts, changes = acts_by_card(scene.actions or ()), changes_of(scene.actions or ())
        silent = () if scene.actions is not None else _TOLD_BY_ACTIONS
        found = {}
        for identity, key in cards.items():
            mine, moved, unread = acts.get(identity, []), changes.get(identity, []), silent
            if came_from_elsewhere(mine):
                actions = self._happened_to(identity)
                unread = () if actions is not None else _TOLD_BY_ACTIONS
                if actions is not None:
                    mine = acts_by_card(actions).get(identity, [])
                    moved = changes_of(actions).get(identity, [])
            found[identity] = _document(scene, identity, key, mine, moved, unread)
        return found

    def _happened_to(self, card: str) -> list[dict[str, Any]] | None:
        """What happened to a card on all the boards where it was; None if it cannot be told."""
        try:
            return happened_to(self._client, card, TOLD, TOLD_FIELDS)
        except CredentialsRefused:
            raise
        except TrackerError:
            return None


def _document(
    scene: Scene,
    identity: str,
    key: ItemKey | None,
    acts: Sequence[Act],
    changes: Sequence[Change],
    silent: tuple[Part, ...],
) -> Document:
    card, raw = scene.cards[identity]
    view = scene.view
    words = words_of(card, acts)
    text = words.text[:TEXT_READ]
    attachments, links = _attached(raw, _epics(view))
    made = made_at(card.id)
    return Document(
        ref=card.ref,
        title=card.name,
        text=text,
        digest=text_digest(text),
        status=status(card, view.roles),
        key=key,
        labels=tuple(sorted(view.labels[one] for one in card.labels if one in view.labels and one not in view.turns)),
        assignee=card.members[0] if card.members else None,
        created_by=maker_of(acts),
        created_at=made if made.timestamp() > 0 else None,
        comments=words.comments,
        attachments=attachments,
        links=links,
        ticks=ticks_of(card, acts),
        edits=words.edits,
        steps=steps_of(card, changes, view.roles),
        unread=_unread(card, raw, silent),
        cut=len(words.text) > TEXT_READ,
    )


def _unread(card: Card, raw: _Raw, silent: tuple[Part, ...]) -> tuple[Part, ...]:
    """The parts of which nothing can be said, in the order of `Part`."""
    lost = set(silent)
    if "desc" not in raw or (continues(card.desc) and Part.COMMENTS in silent):
        lost.add(Part.TEXT)
    if card.links is None:
        lost |= {Part.ATTACHMENTS, Part.LINKS}
    if card.checklists is None:
        lost.add(Part.CHECKLIST)
    return tuple(part for part in Part if part in lost)


def _epics(view: View) -> frozenset[str]:
    """All that epics go by."""
    return frozenset(view.epics) | {one for one, key in view.names.items() if kind_of(key) is ItemKind.EPIC}


def _attached(raw: _Raw, epics: Collection[str]) -> tuple[tuple[Attachment, ...], tuple[WebLink, ...]]:
    """The files on a card and the addresses put there, without those that tie it to its epic."""
    files, links = [], []
    values = raw.get("attachments")
    for one in values if isinstance(values, list) else ():
        if not isinstance(one, dict) or not one.get("url"):
            continue
        url, name = str(one["url"]), str(one.get("name") or "")
        author, at = str(one.get("idMember") or ""), instant(one.get("date"))
        if one.get("isUpload") is True:
            size = one.get("bytes")
            kind = str(one.get("mimeType") or "")
            files.append(Attachment(name, url, kind, size if isinstance(size, int) else None, author, at))
        elif (card := CARD_LINK.search(url)) is None or card[1] not in epics:
            links.append(WebLink(url, "" if name == url else name, author, at))
    return tuple(files), tuple(links)
