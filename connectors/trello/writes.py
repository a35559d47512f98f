"""Writing items. Each write is sent once; what may have happened without an answer is `OutcomeUnknown`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from connectors.errors import (
    CredentialsRefused,
    FieldProblem,
    ItemRejected,
    NotATracker,
    NotVisible,
    OutcomeUnknown,
    TrackerError,
    TrackerRefused,
    problems_of,
)
from connectors.trello.board import Boards, State, turn_on
from connectors.trello.client import TrelloClient, segment
from connectors.trello.completion import Finisher
from connectors.trello.concurrency import all_of, together
from connectors.trello.layout import BATCH, TITLE_LIMIT, Layout, ListRole
from connectors.trello.mapping import (
    Card,
    Turn,
    card_body,
    card_of,
    first_text,
    home,
    is_priority,
    joined,
    label_names,
    marked_key,
    moment,
    status,
)
from connectors.trello.markup import marked
from connectors.trello.memory import GIVEN, TURNS
from connectors.values import (
    Creation,
    Done,
    Fields,
    Item,
    ItemKey,
    ItemKind,
    Outcome,
    Rejected,
    RemoteRef,
    kind_of,
)

_T = TypeVar("_T")

_STALE = frozenset({"idList", "labels", "idCardSource"})
"""Fields whose refusal may mean that somebody removed what was remembered."""


class Writer:
    """Creates, changes and moves the items of one board."""

    def __init__(self, client: TrelloClient, boards: Boards, *, invites: bool) -> None:
        self._client = client
        self._boards = boards
        self._invites = invites
        self._finisher = Finisher(client, boards)

    # --- create ---

    def create(self, layout: Layout, creations: Sequence[Creation]) -> list[Outcome]:
        """See `Tracker.create`. Raises `ValueError` for a batch that the port does not allow."""
        kinds = {creation.item.kind for creation in creations}
        if len(creations) > BATCH:
            raise ValueError(f"at most {BATCH} items can be created in one call, not {len(creations)}")
        if len(kinds) > 1 or kinds & {ItemKind.PROJECT, ItemKind.LINK, ItemKind.GUEST}:
            raise ValueError(f"items of one kind, epics, iterations or tickets, not {sorted(kinds)}")
        if not creations:
            return []
        outcomes = self._cards(layout, creations)
        stale = [place for place, outcome in enumerate(outcomes) if _is_stale(outcome)]
        if stale:
            # A list or label was removed since it was read. These cards do not exist; try them on the board as it is.
            self._boards.forget(layout)
            second = self._unknown_from_here(lambda: self._cards(layout, [creations[place] for place in stale]))
            for place, outcome in zip(stale, second, strict=True):
                outcomes[place] = outcome
        return outcomes

    def _cards(self, layout: Layout, creations: Sequence[Creation]) -> list[Outcome]:
        """The cards of a batch, several at a time. What they stand on is made first, and may be made again."""
        kind = creations[0].item.kind
        self._boards.lists(layout)
        if kind is ItemKind.ITERATION:
            return self._iterations(layout, creations)
        self._boards.labels(layout, {name for creation in creations for name in label_names(creation.item)})
        if self._invites:
            self._boards.let_in(layout, {one.item.assignee for one in creations if one.item.assignee})
        if any(creation.item.checklist for creation in creations):
            self._boards.copies(layout)
        turns = {creation.item.key: self._boards.turn(layout, creation.iteration) for creation in creations}
        results = together([partial(self._card, layout, one, turns[one.item.key]) for one in creations])
        return self._agreed(results)

    def _iterations(self, layout: Layout, creations: Sequence[Creation]) -> list[Outcome]:
        """Each iteration is a label, which puts tickets into it, and a card, which holds its dates, its aim and its
        marker. One after the other: a label without its card is found by its name and used again."""
        outcomes: list[Outcome] = []
        for creation in creations:
            write = partial(self._iteration, layout, creation)
            outcomes.append(self._unknown_from_here(write) if outcomes else write())
        return outcomes

    def _iteration(self, layout: Layout, creation: Creation) -> Outcome:
        item = creation.item
        if problem := _title_problem(item):
            return Rejected(item.key, (problem,))
        name = self._free_label(layout, item.title)
        is_new = name not in self._boards.state(layout).labels
        label = self._boards.labels(layout, [name], iteration=True)[name]
        turn = Turn(RemoteRef("", "", ""), label, moment(item.starts), moment(item.ends))
        outcome: Outcome | None = None
        try:
            outcome = self._card(layout, creation, turn)
        finally:
            if is_new and not isinstance(outcome, Done):
                self._boards.orphaned(layout, label, name)
        if isinstance(outcome, Done):
            kept = Turn(outcome.ref, label, turn.start, turn.due)
            self._boards.state(layout).turns[outcome.ref.id] = kept
            self._boards.state(layout).ids.learn(TURNS, outcome.ref.id, label)
            self._boards.state(layout).ids.learn(GIVEN, label, name)
        return outcome

    def _free_label(self, layout: Layout, title: str) -> str:
        """A name for an iteration's label that no other iteration of the board goes by."""
        self._boards.copies(layout)  # the cards are known from here on, iterations among them
        state = self._boards.state(layout)
        taken = {state.label_names.get(turn.label) for turn in state.turns.values()}
        number, name = 1, title
        while name in taken:
            number += 1
            name = f"{title} ({number})"
        return name

    def _card(self, layout: Layout, creation: Creation, turn: Turn | None) -> Outcome:
        item = creation.item
        if problem := _title_problem(item):
            return Rejected(item.key, (problem,))
        state = self._boards.state(layout)
        copy = state.copies.get(item.checklist) if item.checklist else None
        labels = [state.labels[name] for name in label_names(item)] if item.kind is not ItemKind.ITERATION else []
        stands = state.list_for(home(item.kind, turn))
        body = card_body(layout.uid, creation, stands, labels, turn, copy[0] if copy else None)
        try:
            card, carried = self._posted(layout, item, body)
        except ItemRejected as error:
            if copy is None or any(problem.field == "title" for problem in error.problems):
                return Rejected(item.key, error.problems)
            # The card to copy may be gone. This one does not exist, so it may be sent without.
            state.copies.pop(item.checklist, None)
            return self._card(layout, creation, turn)
        later = [
            *(["checklist"] if item.checklist and not carried else []),
            *(["text"] if first_text(layout.uid, item)[1] else []),
        ]
        return Done(item.key, card.ref, later=tuple(later))

    def _posted(self, layout: Layout, item: Item, body: dict[str, Any]) -> tuple[Card, bool]:
        """The new card, and whether it has the checklist that was to be copied."""
        answer = self._client.write("POST", "cards", body)
        card = card_of(answer)
        if card is None:
            raise OutcomeUnknown(
                f"Trello at {self._client.host} answered the creation of a card without its id: it may exist.",
                fix="phaseloop looks it up before writing again.",
                request="POST /1/cards",
            )
        if "idCardSource" in body and marked_key(card, layout.uid) != item.key:
            # That a copy takes the text given with it is so in practice, but not documented (unsure).
            repair = {"name": body["name"], "desc": body["desc"]}
            self._unknown_from_here(lambda: self._client.write("PUT", f"cards/{segment(card.id)}", repair))
        return card, "idCardSource" in body and bool(answer.get("idChecklists"))

    def _agreed(self, results: Sequence[Outcome | TrackerError | None]) -> list[Outcome]:
        """The outcomes of a batch. If some cards were made and others failed on the way, the whole is in doubt."""
        errors = [result for result in results if isinstance(result, TrackerError)]
        if not errors:
            return [result for result in results if isinstance(result, Done | Rejected)]
        unknown = next((error for error in errors if isinstance(error, OutcomeUnknown)), None)
        if unknown is not None:
            raise unknown
        if any(isinstance(result, Done) for result in results):
            raise self._broke_off(errors[0]) from errors[0]
        raise errors[0]

    def _broke_off(self, error: TrackerError) -> OutcomeUnknown:
        return OutcomeUnknown(
            f"Some items of this batch were created at {self._client.host}, then it broke off: {error.message}",
            fix="phaseloop looks up what exists before it continues.",
            request=error.request,
            status=error.status,
        )

    def _unknown_from_here(self, write: Callable[[], _T]) -> _T:
        """Do a later write of a call whose earlier ones may have succeeded: any failure leaves the whole in doubt."""
        try:
            return write()
        except OutcomeUnknown:
            raise
        except TrackerError as error:
            raise self._broke_off(error) from error

    def finish(
        self,
        layout: Layout,
        items: Sequence[tuple[Item, RemoteRef]],
        going: Mapping[ItemKey, Sequence[str]] | None = None,
    ) -> list[Outcome]:
        """See `Tracker.finish`."""
        if len(items) > BATCH:
            raise ValueError(f"at most {BATCH} items can be finished in one call, not {len(items)}")
        return self._finisher.finish(layout, items, going) if items else []

    # --- change ---

    def mark(self, layout: Layout, key: ItemKey, ref: RemoteRef) -> None:
        """Write the marker at the end of a card's description. The description is read first, to be kept."""
        card = self._read(ref)
        self._client.write("PUT", f"cards/{segment(card.id)}", {"desc": marked(card.desc, layout.uid, key)})

    def move(
        self, layout: Layout, items: Sequence[tuple[ItemKey, RemoteRef]], iteration: RemoteRef | None
    ) -> list[Outcome]:
        """See `Tracker.move`: the iteration's label takes the place of any other iteration's, and its dates those of
        another iteration; a date that a person set stays. Without an iteration they are only taken off."""
        if len(items) > BATCH:
            raise ValueError(f"at most {BATCH} items can be moved in one call, not {len(items)}")
        if not items:
            return []
        cards = {card.id: card for card in self._boards.cards(layout)}
        state = self._boards.state(layout)
        target = self._target(state, cards, iteration) if iteration else None
        if iteration is not None and target is None:
            problem = FieldProblem("iteration", "its card is gone, or lost the label that says who is in it")
            return [Rejected(key, (problem,)) for key, _ in items]
        return all_of([partial(self._moved, state, key, ref, cards.get(ref.id), target) for key, ref in items])

    @staticmethod
    def _target(state: State, cards: Mapping[str, Card], iteration: RemoteRef) -> Turn | None:
        """The iteration to move to, also if somebody took the marker off its card."""
        card = cards.get(iteration.id)
        return turn_on(card, state) if card else None

    def _moved(self, state: State, key: ItemKey, ref: RemoteRef, card: Card | None, target: Turn | None) -> Outcome:
        """The new label first and the old one last: until that is gone the ticket counts as in its former iteration, so
        that a second attempt does what is missing. What other labels there are is people's."""
        if card is None:
            return Rejected(key, (FieldProblem(None, "the card is gone"),))
        turns = state.turns.values()
        others = {turn.label for turn in turns} - ({target.label} if target else set())
        body: dict[str, Any] = {}
        if card.due is None or card.due in {turn.due for turn in turns}:
            body["due"] = target.due if target else None
        if card.start is None or card.start in {turn.start for turn in turns}:
            body["start"] = target.start if target else None
        body = {name: value for name, value in body.items() if value != getattr(card, name)} | _place(
            state, card, target
        )
        try:
            if target is not None and target.label not in card.labels:
                self._put_on(card.id, target.label)
            if body:
                self._client.write("PUT", f"cards/{segment(card.id)}", body)
            for label in card.labels:
                if label in others:
                    self._take_off(card.id, label)
        except CredentialsRefused:
            raise
        except TrackerRefused as error:
            return Rejected(key, problems_of(error))
        return Done(key, ref)

    def _put_on(self, card: str, label: str) -> None:
        """Put one label on a card; that it is there already is success."""
        try:
            self._client.write("POST", f"cards/{segment(card)}/idLabels", {"value": label})
        except ItemRejected:
            if label not in self._labels_on(card):
                raise

    def _take_off(self, card: str, label: str) -> None:
        """Take one label off a card; that it is not there is success."""
        try:
            self._client.write("DELETE", f"cards/{segment(card)}/idLabels/{segment(label)}")
        except (ItemRejected, NotVisible):
            if label in self._labels_on(card):
                raise

    def _labels_on(self, card: str) -> Collection[str]:
        return self._read(RemoteRef(card, card, "")).labels

    def update(
        self,
        layout: Layout,
        ref: RemoteRef,
        item: Item,
        changed: Collection[str],
        epic: RemoteRef | None,
        shown: Fields | None,
        known: Mapping[ItemKey, RemoteRef],
    ) -> None:
        """See `Tracker.update`."""
        if "title" in changed and (problem := _title_problem(item)):
            raise ItemRejected(f"Trello would refuse the change to {ref.key}: {problem}", [problem])
        try:
            card = self._read(ref) if {"labels", "priority", "assignee"} & set(changed) else None
            body = self._change(layout, item, changed, card)
            if item.kind is ItemKind.ITERATION and "title" in changed:
                self._boards.turn(layout, ref)  # while card and label go by one name
            if item.kind is ItemKind.ITERATION and {"start", "due"} & body.keys():
                self._redate(layout, ref, body, known)
            if body:
                answer = self._client.write("PUT", f"cards/{segment(ref.id)}", body)
                self._put_first(ref, item, body.get("idMembers", ""), answer)
            if card is not None and {"labels", "priority"} & set(changed):
                self._relabel(layout, card, item, changed, shown)
            if "epic" in changed and item.kind is ItemKind.TICKET:
                self._attach(layout, ref, epic, known)
            if item.kind is ItemKind.ITERATION and "title" in changed:
                self._rename_label(layout, ref, item.title)
        except ItemRejected as error:
            message = f"Trello refused the change to {ref.key}: {'; '.join(map(str, error.problems))}"
            raise ItemRejected(message, error.problems, request=error.request, status=error.status) from error
        if item.kind is ItemKind.TICKET and (
            "checklist" in changed or ("text" in changed and first_text(layout.uid, item)[1])
        ):
            for outcome in self._finisher.finish(layout, [(item, ref)]):
                if isinstance(outcome, Rejected):
                    raise ItemRejected(f"Trello refused the rest of {ref.key}.", outcome.problems)

    def _change(self, layout: Layout, item: Item, changed: Collection[str], card: Card | None) -> dict[str, Any]:
        """The body that writes just the changed fields of this card."""
        body: dict[str, Any] = {}
        if "title" in changed:
            body["name"] = item.title
        if "text" in changed or "goal" in changed:
            body["desc"] = first_text(layout.uid, item)[0]
        body |= {
            field: moment(value)
            for name, field, value in (("starts", "start", item.starts), ("ends", "due", item.ends))
            if name in changed
        }
        if "assignee" in changed and card is not None:
            if self._invites and item.assignee:
                self._boards.let_in(layout, [item.assignee])
            # People who joined the first one stay on the card.
            others = [one for one in card.members[1:] if one != item.assignee]
            body["idMembers"] = joined([*([item.assignee] if item.assignee else []), *others])
        return body

    def _redate(
        self, layout: Layout, ref: RemoteRef, dates: Mapping[str, Any], known: Mapping[ItemKey, RemoteRef]
    ) -> None:
        """Give an iteration's new dates to its tickets that are ours, as far as they have its old ones and are not
        done. Before its own card gets them: from that the old ones are known, if this must be done again."""
        ours = {one.id for key, one in known.items() if kind_of(key) is ItemKind.TICKET}
        cards = self._boards.cards(layout)
        state = self._boards.state(layout)
        turn = next((turn_on(card, state) for card in cards if card.id == ref.id), None)
        if turn is None:
            return
        old = {"start": turn.start, "due": turn.due}
        tasks = []
        for card in cards:
            if card.id in ours and turn.label in card.labels and status(card, state.roles) != "done":
                has = {"start": card.start, "due": card.due}
                body = {name: dates[name] for name in old if name in dates and has[name] == old[name] != dates[name]}
                tasks += [partial(self._changed, card, body)] if body else []
        all_of(tasks)

    def _changed(self, card: Card, body: Mapping[str, Any]) -> None:
        with suppress(NotVisible):  # somebody deleted it since it was read
            self._client.write("PUT", f"cards/{segment(card.id)}", body)

    def _put_first(self, ref: RemoteRef, item: Item, members: str, answer: Any) -> None:
        """See to it that whoever was given the ticket comes first on its card, which is how it is read. Trello keeps
        those who are on a card in their order and adds others behind them; so they are taken off and put back."""
        card = card_of(answer)
        if item.assignee and "," in members and card is not None and card.members[:1] != (item.assignee,):
            for ids in (item.assignee, members):
                self._client.write("PUT", f"cards/{segment(ref.id)}", {"idMembers": ids})

    def _relabel(self, layout: Layout, card: Card, item: Item, changed: Collection[str], shown: Fields | None) -> None:
        """Put labels on and take labels off, one by one; those of iterations stay, priority unless it changed, and of
        the others those that were not `shown`: they came since."""
        if not self._boards.state(layout).cards_read:
            self._boards.cards(layout)
        state = self._boards.state(layout)
        turns = {turn.label for turn in state.turns.values()}
        names = {label: state.label_names.get(label, "") for label in card.labels if label not in turns}
        about = {urgency for urgency in (True, False) if ("priority" if urgency else "labels") in changed}
        wanted = [name for name in label_names(item) if is_priority(name) in about]
        seen = set(names.values()) if shown is None else {*(shown.get("labels") or ())}
        made = self._boards.labels(layout, [name for name in wanted if name not in names.values()])
        for label in made.values():
            self._put_on(card.id, label)
        for label, name in names.items():
            if is_priority(name) in about and name not in wanted and (is_priority(name) or name in seen):
                self._take_off(card.id, label)

    def _attach(
        self, layout: Layout, ref: RemoteRef, epic: RemoteRef | None, known: Mapping[ItemKey, RemoteRef]
    ) -> None:
        """Link a ticket's card to this epic's and to no other epic's; cards that people attached stay."""
        cards = self._boards.cards(layout)
        epics = {
            *self._boards.view(layout, cards, ()).epics,
            *(name for key, one in known.items() if kind_of(key) is ItemKind.EPIC for name in (one.id, one.key)),
        }
        card = next((card for card in cards if card.id == ref.id), None)
        there = [] if card is None else [link for link in card.links or () if link[1] in epics]
        wanted = {epic.id, epic.key} if epic else set()
        if epic is not None and not any(link in wanted for _, link in there):
            self._client.write("POST", f"cards/{segment(ref.id)}/attachments", {"url": epic.url})
        for attachment, link in there:
            if link not in wanted:
                self._client.write("DELETE", f"cards/{segment(ref.id)}/attachments/{segment(attachment)}")

    def _rename_label(self, layout: Layout, ref: RemoteRef, title: str) -> None:
        """Call an iteration's label as the iteration is called now. A name that people gave it stays."""
        turn = self._boards.turn(layout, ref)
        state = self._boards.state(layout)
        if turn is None:
            self._boards.label_again(layout, ref, title)
        elif state.shown_labels.get(turn.label) == state.ids.of(GIVEN).get(turn.label) != title:
            self._client.write("PUT", f"labels/{segment(turn.label)}", {"name": title})
            state.ids.learn(GIVEN, turn.label, title)
            self._boards.forget(layout)

    def _read(self, ref: RemoteRef) -> Card:
        path = f"cards/{segment(ref.id)}"
        card = card_of(self._client.get_object(path, {"fields": "desc,idLabels,idMembers"}))
        if card is None:
            raise NotATracker(f"{self._client.host} answered with a card without an id.", request=f"GET /1/{path}")
        return card


def _place(state: State, card: Card, target: Turn | None) -> dict[str, Any]:
    """Where a card goes that is not begun: from Backlog along into an open iteration, and back when it is taken
    out of every one. Where people put a card otherwise, it stays."""
    role = state.roles.get(card.list_id)
    wanted = ListRole.BACKLOG if target is None else ListRole.ITERATION if target.active else role
    if role not in {ListRole.BACKLOG, ListRole.ITERATION} or role is wanted or wanted not in state.lists:
        return {}
    if status(card, state.roles) != "todo":
        return {}
    if state.lists[wanted] == card.list_id:  # one list serves for both
        return {}
    return {"idList": state.lists[wanted], "pos": card.pos or "bottom"}


def _title_problem(item: Item) -> FieldProblem | None:
    length = len(item.title.strip())
    if not length:
        return FieldProblem("title", "is empty")
    if length > TITLE_LIMIT:
        return FieldProblem("title", f"has {length} characters; Trello takes {TITLE_LIMIT}")
    return None


def _is_stale(outcome: Outcome) -> bool:
    return isinstance(outcome, Rejected) and any(problem.field in _STALE for problem in outcome.problems)
