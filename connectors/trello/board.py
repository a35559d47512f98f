"""What stands on a board: its lists, labels, people and cards, read with few calls and kept as long as it serves.

A board has no marker index and no search that could be trusted; it is read whole, a thousand cards a call. What is
needed for writing (lists, labels, iterations, checklists to copy) is remembered from there until something turns out
to have changed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from connectors.errors import ItemRejected, OutcomeUnknown, TrackerRefused
from connectors.mapped import NEW, PURPOSES, Choice, Choices, Found, Mapped
from connectors.trello.client import TrelloClient, segment
from connectors.trello.columns import ROLES, Columns, columns_of
from connectors.trello.concurrency import all_of
from connectors.trello.layout import ITERATION_COLOR, READ_BATCH, Layout, ListRole, plain_color
from connectors.trello.mapping import (
    CARD_FIELDS,
    CHECKLIST,
    Card,
    Turn,
    View,
    card_of,
    checklists_of,
    label_body,
    made_at,
    marked_key,
    ours,
    turn_status,
)
from connectors.trello.markup import OF_BOARD, marks
from connectors.trello.memory import BOARD, FURTHER, GIVEN, LABELS, TURNS, Ids
from connectors.values import ItemKey, ItemKind, RemoteRef, kind_of

_BOARD: Mapping[str, str | int] = {
    "fields": "name,desc,closed,url,shortLink,idOrganization,limits,prefs",
    "lists": "all",
    "labels": "all",
    "labels_limit": 1000,
    "memberships": "all",
}
_AT_ONCE = 10
"""Paths that the vendor takes in one batch."""

_WHERE = "idBoard%2CshortLink%2CshortUrl"
"""What is asked of a card in a batch; a comma inside a path has to be encoded."""

_CARDS: Mapping[str, str | int] = {
    "fields": CARD_FIELDS,
    "attachments": "true",
    "attachment_fields": "url",
    "checklists": "all",
    "checklist_fields": "name,pos",
}
_ADORNED: Mapping[str, str | int] = {
    "fields": f"{CARD_FIELDS},cover,dueReminder,address,locationName,coordinates",
    "customFieldItems": "true",
    "stickers": "true",
    "pluginData": "true",
}
_EVIDENCE: Mapping[str, str | int] = {"attachment_fields": "name,url,mimeType,bytes,date,idMember,isUpload"}
_SMALLEST_READ = 50


@dataclass
class State:
    """A board as it was read last. `labels` by name: of several with one name the first counts. The names of lists
    and labels are by id. What is known by its id keeps its name in `labels` and `label_names`, and its role in `roles`
    and `lists`, whatever people call it now (which `list_names` and `shown_labels` tell)."""

    values: dict[str, Any]
    roles: dict[str, ListRole | None]
    lists: dict[ListRole, str]
    list_names: dict[str, str]
    open_lists: dict[str, str]
    labels: dict[str, str]
    label_names: dict[str, str]
    iteration_labels: set[str]
    """Labels in the colour of iterations."""
    phase_colors: list[str | None]
    members: dict[str, dict[str, Any]]
    shown_labels: dict[str, str] = field(default_factory=dict)
    ids: Ids = field(default_factory=lambda: Ids({}))
    turns: dict[str, Turn] = field(default_factory=dict)
    """Iterations by the id of their card, of all projects on the board."""
    copies: dict[tuple[str, ...], tuple[str, str]] = field(default_factory=dict)
    """Checklists that can be copied: a card and its checklist by the lines."""
    cards_read: bool = False
    columns: Columns = field(default_factory=Columns)

    @property
    def missing(self) -> list[ListRole]:
        """The lists of ours that the board lacks, in their order."""
        return [role for role in ListRole if role in self.columns.own and role not in self.lists]

    def list_for(self, role: ListRole) -> str:
        """The list for this role. Raises TrackerRefused where there is none."""
        if role not in self.lists:
            raise TrackerRefused(
                f"The board has no list for {PURPOSES[ROLES[role]]}: it is not there any more, or was never said.",
                fix="Say which list it is: phaseloop connections map CONNECTION --project PROJECT --set "
                f"{ROLES[role]}=LIST",
            )
        return self.lists[role]

    @property
    def running_list(self) -> str:
        """The list in which the card of an iteration stands that has begun. Raises TrackerRefused."""
        return self.list_for(self.columns.running)


class Boards:
    """Reads boards, and makes what cards need to stand on them: lists, labels, memberships."""

    def __init__(self, client: TrelloClient) -> None:
        self._client = client
        self._states: dict[tuple[str, str, str], State] = {}
        self._ids: dict[tuple[str, str], Ids] = {}
        self._kept: Mapping[str, Choices] = {}
        self._own: dict[str, dict[str, Choice]] = {}
        """Lists that were made here, by board and role: known by their ids from then on."""
        self._along: dict[ItemKey, RemoteRef] = {}
        self._told: set[str] = set()
        self._doubted: dict[ItemKey, tuple[Layout, str, str]] = {}

    # --- reading ---

    def state(self, layout: Layout, *, anew: bool = False) -> State:
        """The board without its cards: one request, none if it was read before and not `anew`."""
        ids = self._known(layout)
        if anew:
            self.forget(layout)
        found = self._states.get(self._key(layout))
        if found is None or found.ids is not ids:
            values = self._read(layout)
            found = self._states[self._key(layout)] = _state_of(values, self._choices(layout), ids)
        return found

    def remember(self, choices: Mapping[str, Choices]) -> None:
        """What was chosen for boards of this site, by the id of each, in place of what was remembered before."""
        self._kept = choices

    def resolved(self, layout: Layout) -> tuple[Layout, tuple[Mapped, ...]]:
        """The layout with which list is for what, as it was chosen or is found on the board now, and how. One request,
        and what it tells is remembered."""
        self.forget(layout)
        values = self._read(layout)
        columns = _columns(values, self._kept.get(layout.board_id, {}), self._known(layout), ours=_is_ours(values))
        known = layout.model_copy(update={"choices": columns.choices()})
        self._states[self._key(known)] = _state_of(values, self._choices(known), self._known(known))
        return known, columns.mapping

    def mapping(self, layout: Layout) -> tuple[Mapped, ...]:
        """Which list is for what now, with those of ours that were made meanwhile."""
        state = self.state(layout)
        made = {ROLES[role]: state.lists[role] for role in state.columns.own if role in state.lists}
        return tuple(
            replace(one, id=made[one.role], name=state.list_names.get(made[one.role], one.name), why="")
            if one.role in made
            else one
            for one in state.columns.mapping
        )

    def _read(self, layout: Layout) -> dict[str, Any]:
        path = f"boards/{segment(layout.board_id)}"
        values = self._client.get_object(path, _BOARD)
        for name, own in (("lists", "lists/all"), ("labels", "labels"), ("memberships", "memberships")):
            if not isinstance(values.get(name), list):  # not everybody answers with what is nested
                values[name] = self._client.get_list(f"{path}/{own}", {"limit": 1000} if name == "labels" else None)
        self._settle(layout, values)
        return values

    def _choices(self, layout: Layout) -> Choices | None:
        """What the layout says that lists are for. One of ours that was made after it was written down is known by
        its id since, whatever people call it now."""
        if layout.choices is None:
            return None
        choices = dict(layout.choices)
        for made in (self._kept.get(layout.board_id, {}), self._own.get(layout.board_id, {})):
            for role, one in made.items():
                if role in choices and choices[role].found is one.found is Found.OWN and one.id != NEW:
                    choices[role] = one
        return choices

    @staticmethod
    def _key(layout: Layout) -> tuple[str, str, str]:
        """A board, for one project: another one knows other things of it. It may be looked at in two ways: with what
        was chosen for it, and without."""
        chosen = sorted((layout.choices or {}).items())
        words = "" if layout.choices is None else ",".join(f"{role}={one.id}" for role, one in chosen)
        return layout.board_id, layout.uid, words

    def _known(self, layout: Layout) -> Ids:
        """What is known by its id: as it was handed in, and what was learned since."""
        of = layout.board_id, layout.uid
        ids = self._ids.get(of, Ids({}))
        if of not in self._ids or not ids.cover(layout.memory):
            ids = self._ids[of] = ids.renewed(layout.memory)
        return ids

    def learned(self, layout: Layout) -> dict[str, dict[str, Any]]:
        """See `Tracker.learned`."""
        ids = self._known(layout)
        if layout.name:
            ids.learn(BOARD, "name", layout.name)
        return ids.taken()

    def removed(self, layout: Layout, ids: Collection[str]) -> None:
        """These lists, labels and cards were removed by us: nothing of them is missed."""
        self._known(layout).forget(ids)
        made = self._own.get(layout.board_id, {})
        self._own[layout.board_id] = {role: one for role, one in made.items() if one.id not in ids}

    def forget(self, layout: Layout) -> None:
        """Read everything anew next time: something that was remembered is no longer so."""
        for key in [key for key in self._states if key[0] == layout.board_id]:
            del self._states[key]

    def cards(self, layout: Layout, *, adorned: bool = False) -> list[Card]:
        """All cards of the board, archived ones too: a request for each thousand. Newest last. `adorned` with what
        only people put on cards."""
        answers = self._answers(layout, _ADORNED if adorned else {})
        return [card for card, _ in self._understood(layout, answers)]

    def moved(self, layout: Layout, ids: Sequence[str]) -> list[RemoteRef]:
        """Which of these cards are on another board now: a request for each ten."""
        found = []
        for start in range(0, len(ids), _AT_ONCE):
            urls = ",".join(f"/cards/{segment(one)}?fields={_WHERE}" for one in ids[start : start + _AT_ONCE])
            answers = [
                one.get("200") for one in self._client.get_list("batch", {"urls": urls}) if isinstance(one, dict)
            ]
            away = [one for one in answers if isinstance(one, dict) and one.get("idBoard", "") != layout.board_id]
            found += [card.ref for one in away if (card := card_of(one)) is not None]
        return found

    def evidence(self, layout: Layout) -> list[tuple[Card, Mapping[str, Any]]]:
        """The same cards, each with the vendor's own words, in which its attachments are told in full."""
        return self._understood(layout, self._answers(layout, _EVIDENCE))

    def _answers(self, layout: Layout, more: Mapping[str, str | int]) -> list[dict[str, Any]]:
        """All cards of the board as the vendor tells them, by their ids."""
        found: dict[str, dict[str, Any]] = {}
        size, before = READ_BATCH, ""
        while True:
            page: dict[str, str | int] = {"limit": size, **_CARDS, **more}
            page |= {"before": before} if before else {}
            try:
                answer = self._client.get_list(f"boards/{segment(layout.board_id)}/cards/all", page)
            except TrackerRefused as error:
                if error.status != 413 or size <= _SMALLEST_READ:
                    raise
                size //= 2  # the vendor wants fewer cards in one call
                continue
            new = {str(one["id"]): one for one in answer if isinstance(one, dict) and one.get("id")}
            new = {identity: one for identity, one in new.items() if identity not in found}
            found |= new
            if len(answer) < size or not new:
                return [found[identity] for identity in sorted(found)]
            before = min(new)

    def _understood(self, layout: Layout, answers: Sequence[dict[str, Any]]) -> list[tuple[Card, Mapping[str, Any]]]:
        """The cards in these answers, with their answers, and the board remembered as they show it."""
        cards = [card for one in answers if (card := card_of(one)) is not None]
        if any(card.checklists is None for card in cards):
            cards = self._with_checklists(layout, cards)
        self._remember(layout, self.state(layout), cards)
        return list(zip(cards, answers, strict=True))

    def _with_checklists(self, layout: Layout, cards: Sequence[Card]) -> list[Card]:
        """The cards with their checklists, where the reading of the cards left them out: one more request."""
        path = f"boards/{segment(layout.board_id)}/checklists"
        by_card: dict[str, list[Any]] = {}
        for one in self._client.get_list(path, {"checkItems": "all"}):
            if isinstance(one, dict):
                by_card.setdefault(str(one.get("idCard")), []).append(one)
        return [replace(card, checklists=checklists_of(by_card.get(card.id, []))) for card in cards]

    def _remember(self, layout: Layout, state: State, cards: Sequence[Card]) -> None:
        state.turns = {turn.ref.id: turn for card in cards if (turn := _turn_of(card, state)) is not None}
        for card in cards:
            known = state.ids.of(TURNS).get(card.id) in state.label_names
            if not known and card.id in state.turns and marked_key(card, layout.uid) and _is_certain(card, state):
                state.ids.learn(TURNS, card.id, state.turns[card.id].label)
            turn = state.turns.get(card.id)
            if turn is not None and marked_key(card, layout.uid):
                given, shown = state.ids.of(GIVEN).get(turn.label), state.shown_labels.get(turn.label, "")
                named_twice = given is None and re.fullmatch(rf"{re.escape(card.name)} \(\d+\)", shown)
                # Called as its iteration is, it follows that: a process that died had no time to say that it was us.
                if given != shown and (shown == card.name or named_twice):
                    state.ids.learn(GIVEN, turn.label, shown)
        state.copies = {}
        for card in cards:
            for checklist in card.checklists or ():
                texts = checklist.texts
                # Copying a card copies all its checklists, so only a card with just ours can be the model.
                alone = checklist.name == CHECKLIST and len(card.checklists or ()) == 1
                if texts and alone and not card.closed and not any(line.complete for line in checklist.lines):
                    state.copies[texts] = (card.id, checklist.id)
        state.cards_read = True

    def turn(self, layout: Layout, ref: RemoteRef | None) -> Turn | None:
        """The iteration that a reference means; None for none, or one that is gone."""
        if ref is None:
            return None
        state = self.state(layout)
        if ref.id not in state.turns and not state.cards_read:
            self.cards(layout)
        return state.turns.get(ref.id)

    def copies(self, layout: Layout) -> dict[tuple[str, ...], tuple[str, str]]:
        """Checklists on the board that can be copied."""
        if not self.state(layout).cards_read:
            self.cards(layout)
        return self.state(layout).copies

    def view(self, layout: Layout, cards: Sequence[Card], names: Iterable[tuple[ItemKey, RemoteRef]]) -> View:
        """What is needed to read these cards in our words. Reads the board anew if there are lists or labels since."""
        state = self.state(layout)
        labels_known = state.label_names.keys() >= {label for card in cards for label in card.labels}
        if not labels_known or not state.roles.keys() >= {card.list_id for card in cards if not card.closed}:
            kept = (state.turns, state.copies, state.cards_read)
            state = self.state(layout, anew=True)
            state.turns, state.copies, state.cards_read = kept
        mine = ours(cards, layout.uid)
        by_id: dict[str, ItemKey] = {}
        for key, ref in names:
            by_id |= {ref.id: key, ref.key: key}
        known = {identity for identity, key in by_id.items() if kind_of(key) is ItemKind.ITERATION}
        known |= {card.id for key, card in mine.items() if kind_of(key) is ItemKind.ITERATION}
        labelled = {card.id: turn.label for card in cards if card.id in known and (turn := turn_on(card, state))}
        turns = {labelled[card.id]: card.ref for card in cards if card.id in labelled}
        epics = {one for key, card in mine.items() if kind_of(key) is ItemKind.EPIC for one in (card.id, card.key)}
        return View(state.label_names, state.roles, turns, by_id, epics, labelled.keys())

    # --- making what cards stand on ---

    def lists(self, layout: Layout) -> dict[ListRole, str]:
        """The board's lists by what they are for; those of ours that are missing are made, in their order."""
        state = self.state(layout)
        missing = state.missing
        for place, role in enumerate(ListRole, 1):
            if role in missing:
                # One after the other: two at once would each be put last.
                pos: Any = place * 65536 if len(missing) == len(ListRole) else "bottom"
                body = {"name": role.value, "idBoard": layout.board_id, "pos": pos}
                made = self._made(layout, "lists", body, ItemKind.COLUMN)
                state.lists[role], state.roles[made] = made, role
                self._own.setdefault(layout.board_id, {})[ROLES[role].value] = Choice(made, role.value, Found.OWN)
        return state.lists

    def labels(self, layout: Layout, names: Collection[str], *, iteration: bool = False) -> dict[str, str]:
        """The ids of labels by name; those that are missing are made, several at a time."""
        state = self.state(layout)
        missing = sorted(set(names) - state.labels.keys())
        bodies = []
        for name in missing:
            bodies.append(label_body(layout.board_id, name, state.phase_colors, iteration=iteration))
            if name.startswith("phase:"):
                state.phase_colors.append(bodies[-1]["color"])
        # An iteration's label belongs to the iteration, and goes with it.
        kind = None if iteration else ItemKind.LABEL
        all_of([partial(self._label, layout, state, body, kind) for body in bodies])
        if not iteration:
            for name in names:
                state.ids.learn(LABELS, name, state.labels[name])
        return {name: state.labels[name] for name in names}

    def label_again(self, layout: Layout, ref: RemoteRef, title: str) -> None:
        """Give an iteration's card that has lost it the label that says who is in it: the one that it had, if that is
        still on the board, else a new one."""
        state = self.state(layout)
        label = state.ids.of(TURNS).get(ref.id)
        if label not in state.shown_labels:
            label = self.labels(layout, [title], iteration=True)[title]
            state.ids.learn(GIVEN, label, title)
        self._client.write("POST", f"cards/{segment(ref.id)}/idLabels", {"value": label})
        state.ids.learn(TURNS, ref.id, label)
        self.forget(layout)

    def _label(self, layout: Layout, state: State, body: dict[str, Any], kind: ItemKind | None) -> str:
        identity = self._made(layout, "labels", body, kind)
        # Remembered at once: if another one fails, this one must not be made again.
        state.labels[body["name"]], state.label_names[identity] = identity, body["name"]
        if body["color"] == ITERATION_COLOR:
            state.iteration_labels.add(identity)
        return identity

    def _made(self, layout: Layout, what: str, body: dict[str, Any], kind: ItemKind | None) -> str:
        """Make a list or label and return its id. After a lost answer the next attempt looks for it by its name, so
        that it is not made twice. With a `kind` it is noted as made along."""
        try:
            answer = self._client.write("POST", what, body)
        except OutcomeUnknown:
            self._doubt(layout, what, body["name"], kind)
            raise
        except ItemRejected as error:
            plain = plain_color(body.get("color"))
            if plain != body.get("color") and any(problem.field == "color" for problem in error.problems):
                return self._made(layout, what, {**body, "color": plain}, kind)
            raise TrackerRefused(
                f"{error.message} It was about the {what[:-1]} {body['name']!r}.",
                fix="Look at the board's limits with `phaseloop connections check`.",
                request=error.request,
                status=error.status,
            ) from error
        if not isinstance(answer, dict) or not answer.get("id"):
            self._doubt(layout, what, body["name"], kind)
            raise OutcomeUnknown(
                f"{self._client.host} answered the creation of a {what[:-1]} without its id: it may exist.",
                fix="phaseloop looks for it by its name before it continues.",
                request=f"POST /1/{what}",
            )
        if kind is not None:
            self._note(layout, kind, str(answer["id"]), body["name"])
        return str(answer["id"])

    def _doubt(self, layout: Layout, what: str, name: str, kind: ItemKind | None) -> None:
        """Nobody knows whether this list or label was made; the next reading of the board shows it."""
        self.forget(layout)
        if kind is not None:
            self._doubted[ItemKey(f"{kind}:{name}")] = (layout, what, name)

    def _settle(self, layout: Layout, values: Mapping[str, Any]) -> None:
        """Note what a call in doubt made after all: it was not there when that was sent, so it is ours."""
        mine = [key for key, (board, _, _) in self._doubted.items() if board.board_id == layout.board_id]
        for key in mine:
            _, what, name = self._doubted.pop(key)
            for one in values[what]:
                if isinstance(one, dict) and one.get("name") == name and one.get("closed") is not True:
                    self._note(layout, kind_of(key), str(one["id"]), name)
                    break

    def _note(self, layout: Layout, kind: ItemKind, identity: str, name: str) -> None:
        if identity not in self._told:
            self._along[ItemKey(f"{kind}:{name}")] = RemoteRef(identity, name, layout.url)

    def orphaned(self, layout: Layout, label: str, name: str) -> None:
        """Note the label of an iteration whose card was not made: nothing else leads to it."""
        self._note(layout, ItemKind.LABEL, label, name)

    def claim(self, layout: Layout, names: Collection[str], since: datetime | None) -> None:
        """Note the lists and the labels of these names that were made since then: a call that was interrupted made
        them, and did not live to tell. Without a moment, those of a board that was made for the project."""
        state = self.state(layout)
        mark = marks(str(state.values.get("desc") or ""))
        if since is None and (mark is None or mark[0] != OF_BOARD):
            return
        for kind, things, wanted in (
            (ItemKind.COLUMN, state.open_lists, {role.value for role in ListRole}),
            (ItemKind.LABEL, state.label_names, set(names)),
        ):
            for identity, name in things.items():
                if name in wanted and (since is None or made_at(identity) >= since):
                    self._note(layout, kind, identity, name)

    def made_along(self) -> dict[ItemKey, RemoteRef]:
        """The lists and labels made since the last asking; an iteration's label is not among them."""
        taken, self._along = self._along, {}
        self._told |= {ref.id for ref in taken.values()}
        return taken

    def let_in(self, layout: Layout, people: Collection[str]) -> None:
        """Make these people members of the board, as far as they are not."""
        state = self.state(layout)
        for person in sorted(set(people) - state.members.keys()):
            path = f"boards/{segment(layout.board_id)}/members/{segment(person)}"
            self._client.write("PUT", path, {"type": "normal"})
            state.members[person] = {"idMember": person, "memberType": "normal"}


def _is_ours(board: Mapping[str, Any]) -> bool:
    """Whether phaseloop made the board."""
    mark = marks(str(board.get("desc") or ""))
    return mark is not None and mark[0] == OF_BOARD


def _columns(board: Mapping[str, Any], choices: Choices, ids: Ids, *, ours: bool) -> Columns:
    lists = [one for one in board.get("lists") or () if isinstance(one, dict) and one.get("id")]
    lists.sort(key=lambda one: one["pos"] if isinstance(one.get("pos"), int | float) else 0)
    there = [(str(one["id"]), str(one.get("name") or ""), one.get("closed") is not True) for one in lists]
    return columns_of(there, choices, ids.roles, ours=ours)


def _state_of(board: dict[str, Any], choices: Choices | None, ids: Ids) -> State:
    lists = [one for one in board.get("lists") or () if isinstance(one, dict) and one.get("id")]
    columns = _columns(board, choices or {}, ids, ours=choices is None or _is_ours(board))
    for identity, role in columns.roles.items():
        if role is not None and identity not in columns.lists.values():  # what serves is kept as a choice
            ids.learn(FURTHER, identity, role.value)
    labels = [one for one in board.get("labels") or () if isinstance(one, dict) and one.get("id")]
    shown = {str(one["id"]): str(one.get("name") or one.get("color") or "") for one in labels}
    kept = {identity: name for identity, name in ids.names.items() if identity in shown}
    by_name = {name: identity for identity, name in kept.items()}
    for one in labels:
        if one.get("name") and str(one["id"]) not in kept:
            by_name.setdefault(str(one["name"]), str(one["id"]))
    memberships = [one for one in board.get("memberships") or () if isinstance(one, dict) and one.get("idMember")]
    return State(
        values=board,
        columns=columns,
        roles=columns.roles,
        lists=columns.lists,
        list_names={str(one["id"]): str(one.get("name") or "") for one in lists},
        open_lists={str(one["id"]): str(one.get("name") or "") for one in lists if one.get("closed") is not True},
        labels=by_name,
        label_names=shown | kept,
        iteration_labels={str(one["id"]) for one in labels if one.get("color") == ITERATION_COLOR},
        phase_colors=[one.get("color") for one in labels if (shown | kept)[str(one["id"])].startswith("phase:")],
        members={str(one["idMember"]): one for one in memberships},
        shown_labels=shown,
        ids=ids,
    )


def _turn_of(card: Card, state: State) -> Turn | None:
    """A card that is an iteration, of whichever project: by its marker; where somebody took that off, by its dates and
    a label of its own name in the colour of iterations."""
    found = marks(card.desc)
    if found is not None:
        return turn_on(card, state) if kind_of(found[1]) is ItemKind.ITERATION else None
    own = _named_alike(card, state)
    looks_so = bool(card.start and card.due and state.iteration_labels.intersection(own))
    return turn_on(card, state) if looks_so or card.id in state.ids.of(TURNS) else None


def turn_on(card: Card, state: State) -> Turn | None:
    """The iteration of a card that is known to be one, marked or not: its label is the one that is known for it, while
    it is on the card; else the one with its own name, else the one in the colour of iterations, else its first, if it
    never had another; None for a card without such a label."""
    of_old = state.ids.of(TURNS).get(card.id)
    known = [label for label in card.labels if label == of_old] or _likely(card, state)
    if not known:
        return None
    active = turn_status(card, state.roles) == "active"
    return Turn(card.ref, known[0], card.start, card.due, active)


def _named_alike(card: Card, state: State) -> list[str]:
    return [label for label in card.labels if state.label_names.get(label) == card.name]


def _likely(card: Card, state: State) -> list[str]:
    blue = [label for label in card.labels if label in state.iteration_labels]
    any_at_all = [] if card.id in state.ids.of(TURNS) else list(card.labels)
    return _named_alike(card, state) or blue or any_at_all


def _is_certain(card: Card, state: State) -> bool:
    """Whether nothing but one label can be that of an iteration's card."""
    return len(_likely(card, state)) == 1
