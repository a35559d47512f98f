"""What people left on the items of a board: seen on the cards as they are, and in what happened on the board.

The account that phaseloop acts as may be a person's own, so who did something says nothing. What was done does: after
a card was made, phaseloop puts it into iterations, writes its checklist, its marker and the rest of a long text, and
nothing of this counts. Nor does it that a card came from Backlog to Iteration when its iteration began.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.english import counted
from connectors.errors import CredentialsRefused, TrackerRefused
from connectors.trello.board import Boards, State
from connectors.trello.client import TrelloClient, segment
from connectors.trello.history import happened
from connectors.trello.layout import Layout, ListRole
from connectors.trello.mapping import Card, Turn, ours
from connectors.trello.markup import is_part, marks, normalised
from connectors.trello.memory import TURNS
from connectors.values import ItemKey, ItemKind, RemoteRef, Traces, kind_of

_HAPPENED = "commentCard,copyCommentCard,updateCard,removeMemberFromCard,updateBoard"
_OF_CARDS = frozenset({ItemKind.EPIC, ItemKind.ITERATION, ItemKind.TICKET})
_FIELDS = {"name": "title", "desc": "text", "start": "starts", "due": "ends"}


@dataclass
class _Story:
    """What happened to one card, or to the board, since it is ours."""

    comments: int = 0
    edited: set[str] = field(default_factory=set)
    came_from: str = ""
    """The list that it was moved from first."""
    dates: set[str] = field(default_factory=set)
    """Dates that were given to it, and those it had before."""


@dataclass(frozen=True, slots=True)
class _Scene:
    """The board and its cards, with what is needed to tell ours from people's."""

    state: State
    cards: Mapping[str, Card]
    known: Mapping[ItemKey, RemoteRef]
    ids: frozenset[str]
    epics: frozenset[str]
    """All that epics go by, for telling a link to one from other attachments."""
    turn_dates: frozenset[str]
    stories: Mapping[str, _Story]
    custom_fields: int = 0
    """How many the board has."""

    def strangers(self, cards: Sequence[Card]) -> tuple[str, ...]:
        """Those of the cards that are not ours, in words."""
        count = sum(card.id not in self.ids for card in cards)
        return (_not_ours(count, "ticket"),) if count else ()


class Tracer:
    """Reads what people left on the items of one board."""

    def __init__(self, client: TrelloClient, boards: Boards) -> None:
        self._client = client
        self._boards = boards

    def traces(
        self,
        layout: Layout,
        known: Mapping[ItemKey, RemoteRef],
        only: Collection[ItemKey],
        own: Collection[str] = (),
    ) -> dict[ItemKey, Traces]:
        """See `Tracker.traces`."""
        wanted = {key: known[key] for key in only if key in known}
        if not wanted:
            return {}
        state = self._boards.state(layout, anew=True)
        cards = {card.id: card for card in self._boards.cards(layout, adorned=True)}
        mine = ours(cards.values(), layout.uid)
        epics = [*known.items(), *((key, card.ref) for key, card in mine.items())]
        stories, turn_dates = self._stories(layout, state, known, wanted, own)
        scene = _Scene(
            state=state,
            cards=cards,
            known=known,
            ids=frozenset(ref.id for key, ref in known.items() if kind_of(key) is not ItemKind.GUEST),
            epics=frozenset(one for key, ref in epics if kind_of(key) is ItemKind.EPIC for one in (ref.id, ref.key)),
            turn_dates=turn_dates,
            stories=stories,
            custom_fields=self._custom_fields(layout) if ItemKind.PROJECT in map(kind_of, wanted) else 0,
        )
        found = {key: _traces_of(scene, key, ref) for key, ref in wanted.items()}
        return {key: traces for key, traces in found.items() if traces is not None}

    def _custom_fields(self, layout: Layout) -> int:
        """How many custom fields the board has; where the Power-Up is off it has none to show."""
        try:
            return len(self._client.get_list(f"boards/{segment(layout.board_id)}/customFields"))
        except CredentialsRefused:
            raise
        except TrackerRefused:
            return 0

    def _stories(
        self,
        layout: Layout,
        state: State,
        known: Mapping[ItemKey, RemoteRef],
        wanted: Mapping[ItemKey, RemoteRef],
        own: Collection[str],
    ) -> tuple[dict[str, _Story], frozenset[str]]:
        """What happened to each thing, by its id, and all dates that iterations have or had."""
        keys = {ref.id: key for key, ref in known.items() if kind_of(key) in {*_OF_CARDS, ItemKind.PROJECT}}
        stories: dict[str, _Story] = {}
        oldest = min((ref.id for key, ref in wanted.items() if ref.id in keys), default=None)
        for action in happened(self._client, layout, oldest, _HAPPENED, "type,data") if oldest else []:
            kind, data = str(action.get("type")), action.get("data")
            about = data.get("board" if kind == "updateBoard" else "card") if isinstance(data, dict) else None
            if isinstance(data, dict) and isinstance(about, dict) and about.get("id") and action.get("id") not in own:
                identity = str(about["id"])
                story = stories.setdefault(identity, _Story())
                _tell(story, kind, data, about, (layout.uid, keys.get(identity, ItemKey(""))))
        turns = {ref.id for key, ref in known.items() if kind_of(key) is ItemKind.ITERATION} | state.turns.keys()
        dates = {date for turn in state.turns.values() for date in (turn.start, turn.due) if date}
        return stories, frozenset(dates.union(*(stories[one].dates for one in turns if one in stories)))


# --- what happened ---------------------------------------------------------------------------------------------------


def _tell(
    story: _Story, kind: str, data: Mapping[str, Any], about: Mapping[str, Any], mark: tuple[str, ItemKey]
) -> None:
    """Continue with a story by one thing that happened. `mark` is the project and the item that a card should carry."""
    if kind in {"commentCard", "copyCommentCard"}:
        story.comments += not is_part(str(data.get("text") or ""))
    elif kind == "removeMemberFromCard":
        story.edited.add("assignee")
    else:
        old = data.get("old")
        for name, before in old.items() if isinstance(old, dict) else ():
            _change(story, name, before, about.get(name), mark)


def _change(story: _Story, name: str, before: Any, now: Any, mark: tuple[str, ItemKey]) -> None:
    if name == "desc":
        was, text = str(before or ""), str(now or "")
        if marks(was) != mark and marks(text) == mark:
            # From here on the card is ours: what it was before, a copied one or a person's, is no edit of the item.
            story.edited.clear()
            story.came_from = ""
        elif normalised(was) != normalised(text):
            story.edited.add("text")
    elif name == "idList":
        story.came_from = story.came_from or str(before or "")
    elif name in {"due", "start"}:
        story.dates |= {str(date) for date in (before, now) if date}
        story.edited.add(_FIELDS[name])
    elif name in _FIELDS:
        story.edited.add(_FIELDS[name])


# --- what is seen ----------------------------------------------------------------------------------------------------


def _traces_of(scene: _Scene, key: ItemKey, ref: RemoteRef) -> Traces | None:
    """What people left on one item; None if it is gone."""
    kind = kind_of(key)
    if kind in _OF_CARDS:
        card = scene.cards.get(ref.id)
        return _on_card(scene, kind, card) if card else None
    if kind is ItemKind.LABEL and ref.id in scene.state.shown_labels:
        carriers = [card for card in scene.cards.values() if ref.id in card.labels]
        return Traces(scene.strangers(carriers), _renamed(scene.state.shown_labels[ref.id], ref))
    if kind is ItemKind.COLUMN and ref.id in scene.state.open_lists:
        standing = [card for card in scene.cards.values() if card.list_id == ref.id and not card.closed]
        return Traces(scene.strangers(standing), _renamed(scene.state.open_lists[ref.id], ref))
    if kind is ItemKind.PROJECT and scene.state.values.get("closed") is not True:
        return _on_board(scene, ref)
    return None


def _renamed(name: str, ref: RemoteRef) -> frozenset[str]:
    return frozenset({"title"} if name != ref.key else ())


def _on_board(scene: _Scene, ref: RemoteRef) -> Traces:
    """What people made on the board, which was empty when it was made."""
    # A list of one of our names is not a person's, whoever has made it.
    mine = {*scene.state.lists.values(), *scene.ids}
    mine |= {identity for identity, name in scene.state.open_lists.items() if name in set(ListRole)}
    lists = sum(identity not in mine for identity in scene.state.open_lists)
    named = {*scene.ids, *scene.state.ids.names, *(turn.label for turn in scene.state.turns.values())}
    labels = sum(identity not in named for identity, name in scene.state.shown_labels.items() if name)
    others = [_not_ours(count, what) for count, what in ((lists, "list"), (labels, "label")) if count]
    others += [counted(scene.custom_fields, "custom field")] if scene.custom_fields else []
    additions = (*scene.strangers(list(scene.cards.values())), *others)
    return Traces(additions, frozenset(scene.stories.get(ref.id, _Story()).edited))


def _on_card(scene: _Scene, kind: ItemKind, card: Card) -> Traces:
    story = scene.stories.get(card.id, _Story())
    additions = [*_added(scene, kind, card, story), *_done_with(scene, kind, card, story)]
    if kind is ItemKind.EPIC:
        additions += scene.strangers(_attached_to(scene, card))
    edited = set(story.edited)
    if kind is ItemKind.ITERATION:
        turn = scene.state.turns.get(card.id)
        additions += _labels_on_turn(scene, card, turn)
        additions += scene.strangers([one for one in scene.cards.values() if turn and turn.label in one.labels])
        edited = {"goal" if name == "text" else name for name in edited}
    else:
        edited -= {"starts", "ends"}  # theirs are an iteration's, or a person's: see `_done_with`
    return Traces(tuple(additions), frozenset(edited))


def _labels_on_turn(scene: _Scene, card: Card, turn: Turn | None) -> list[str]:
    """What people did to the labels of an iteration's card, which has one of ours: that which says who is in it."""
    own = scene.state.ids.of(TURNS).get(card.id) or (turn.label if turn else None)
    others = sum(label != own for label in card.labels)
    gone = ["its own label taken off"] if own is not None and own not in card.labels else []
    return [*([counted(others, "label")] if others else []), *gone]


def _attached_to(scene: _Scene, epic: Card) -> list[Card]:
    """The cards with a link to this epic's card."""
    names = {epic.id, epic.key}
    return [one for one in scene.cards.values() if any(link in names for _, link in one.links or ())]


def _added(scene: _Scene, kind: ItemKind, card: Card, story: _Story) -> list[str]:
    """What people put on a card."""
    mine = scene.epics
    if kind is ItemKind.EPIC:
        # The vendor's own pages write such a link on both cards.
        mine = frozenset(name for one in _attached_to(scene, card) for name in (one.id, one.key))
    links = sum(link in mine for _, link in card.links or ())
    plan = card.done_means if kind is ItemKind.TICKET else None
    lines = plan.lines if plan else ()
    ticked, given = sum(line.complete for line in lines), sum(line.given for line in lines)
    counts = (
        (story.comments, "comment"),
        (card.attached - links, "attachment"),
        (len(card.checklists or ()) - (plan is not None), "checklist"),
        (ticked, "ticked line"),
        (given, "assigned or dated line"),
        (len(card.members) - (kind is ItemKind.TICKET), "more member"),
        (card.votes, "vote"),
        (card.values, "custom field"),
        (card.stickers, "sticker"),
        (int(card.cover), "cover"),
        (int(card.reminder), "reminder"),
        (int(card.location), "location"),
        (card.extras, "Power-Up value"),
    )
    return [counted(count, what) for count, what in counts if count > 0]


def _done_with(scene: _Scene, kind: ItemKind, card: Card, story: _Story) -> list[str]:
    """What people did with a card."""
    done = []
    if story.came_from and not _is_our_move(scene, kind, story.came_from, card.list_id):
        done.append(f"moved to {scene.state.list_names.get(card.list_id, 'another list')}")
    if card.closed:
        done.append("archived")
    if card.complete:
        done.append("ticked as done")
    given = (story.dates & {card.start, card.due}) - scene.turn_dates
    if given and kind is not ItemKind.ITERATION:
        done.append("dates of its own")
    return done


def _is_our_move(scene: _Scene, kind: ItemKind, before: str, now: str) -> bool:
    """Whether phaseloop may have brought a card from one list to the other: beginning and closing an iteration moves
    its card and its tickets. How far the iteration is shows in its status."""
    ours = {ListRole.BACKLOG, ListRole.ITERATION}
    if kind is ItemKind.ITERATION:
        ours |= {ListRole.DONE, scene.state.columns.running}
    movable = kind in {ItemKind.ITERATION, ItemKind.TICKET}
    return before == now or (movable and {scene.state.roles.get(before), scene.state.roles.get(now)} <= ours)


def _not_ours(count: int, what: str) -> str:
    return f"{counted(count, what)} that {'is' if count == 1 else 'are'} not ours"
