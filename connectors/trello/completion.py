"""What does not fit into the call that creates a card: its checklist, and the rest of a text that is too long.

A check item takes a call each, a copy of a whole checklist one. So of the cards with the same checklist the first is
written line by line, and the others get copies. What is there is read first, and only what is missing is written:
doing it again after a crash doubles nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from connectors.errors import CredentialsRefused, FieldProblem, NotVisible, TrackerRefused, problems_of
from connectors.trello.board import Boards
from connectors.trello.client import TrelloClient, segment
from connectors.trello.concurrency import all_of
from connectors.trello.history import happened_to
from connectors.trello.layout import Layout
from connectors.trello.mapping import CHECKLIST, Card, Checklist, first_text, missing_lines
from connectors.trello.markup import part_line
from connectors.values import Done, Item, ItemKey, Outcome, Rejected, RemoteRef

_Task = tuple[Item, RemoteRef, Card]


class Finisher:
    """Completes the cards of one board."""

    def __init__(self, client: TrelloClient, boards: Boards) -> None:
        self._client = client
        self._boards = boards

    def finish(
        self,
        layout: Layout,
        items: Sequence[tuple[Item, RemoteRef]],
        going: Mapping[ItemKey, Sequence[str]] | None = None,
    ) -> list[Outcome]:
        """See `Tracker.finish`. One reading of the board; then the first cards of each checklist, then the others."""
        cards = {card.id: card for card in self._boards.cards(layout)}
        leaving = {ref.id: lines for item, ref in items if (lines := (going or {}).get(item.key))}
        self._not_to_be_copied(layout, leaving)
        first, then, gone = self._waves(layout, [(item, ref, cards.get(ref.id)) for item, ref in items])
        outcomes: dict[str, Outcome] = {
            ref.id: Rejected(item.key, (FieldProblem(None, "the card is gone"),)) for item, ref in gone
        }
        for wave in (first, then):
            done = all_of([partial(self._complete, layout, *task, leaving.get(task[1].id, ())) for task in wave])
            outcomes |= {ref.id: outcome for (_, ref, _), outcome in zip(wave, done, strict=True)}
        return [outcomes[ref.id] for _, ref in items]

    def _not_to_be_copied(self, layout: Layout, leaving: Mapping[str, Sequence[str]]) -> None:
        """No card takes a copy of a checklist that is about to lose lines."""
        copies = self._boards.copies(layout)
        for texts in [texts for texts, (card, _) in copies.items() if card in leaving]:
            del copies[texts]

    def _waves(
        self, layout: Layout, tasks: Sequence[tuple[Item, RemoteRef, Card | None]]
    ) -> tuple[list[_Task], list[_Task], list[tuple[Item, RemoteRef]]]:
        """The cards to be written line by line, those that can wait for a copy, and those that are gone."""
        begun = set(self._boards.copies(layout))
        first: list[_Task] = []
        then: list[_Task] = []
        gone: list[tuple[Item, RemoteRef]] = []
        for item, ref, card in tasks:
            if card is None:
                gone.append((item, ref))
            elif card.done_means is None and item.checklist in begun:
                then.append((item, ref, card))
            else:
                first.append((item, ref, card))
                begun.add(item.checklist)
        return first, then, gone

    def _complete(self, layout: Layout, item: Item, ref: RemoteRef, card: Card, going: Sequence[str]) -> Outcome:
        try:
            if item.checklist:
                self._write_checklist(layout, item, card)
            kept = self._take_lines(item, card, going)
            self._write_rest(layout, item, card)
        except CredentialsRefused:
            raise
        except TrackerRefused as error:
            return Rejected(item.key, problems_of(error))
        return Done(item.key, ref, kept=kept)

    def _take_lines(self, item: Item, card: Card, going: Sequence[str]) -> tuple[str, ...]:
        """Take these lines off the checklist, the last ones first. Those that people use stay, and are the answer."""
        there = card.done_means
        if there is None or not going:
            return ()
        leaving = Counter(there.texts) - Counter(item.checklist)
        leaving &= Counter(going)
        for line in reversed(there.lines):
            if leaving[line.text] > 0 and not line.complete and not line.given:
                leaving[line.text] -= 1
                with suppress(NotVisible):  # gone already
                    self._client.write("DELETE", f"checklists/{segment(there.id)}/checkItems/{segment(line.id)}")
        return tuple(leaving.elements())

    def _write_checklist(self, layout: Layout, item: Item, card: Card) -> None:
        there = card.done_means
        copies = self._boards.copies(layout)
        missing = missing_lines(item.checklist, there)
        if there is None and item.checklist in copies:
            body = {"idCard": card.id, "name": CHECKLIST, "idChecklistSource": copies[item.checklist][1]}
            self._client.write("POST", "checklists", body)
            return
        if there is None:
            made = self._client.write("POST", "checklists", {"idCard": card.id, "name": CHECKLIST})
            there = Checklist(str(made["id"]), CHECKLIST)
        for line in missing:
            # In their order, so one after the other; other cards' lines go at the same time.
            self._client.write("POST", f"checklists/{segment(there.id)}/checkItems", {"name": line, "pos": "bottom"})
        if missing and not there.lines and len(card.checklists or ()) < 2:
            copies[item.checklist] = (card.id, there.id)

    def _write_rest(self, layout: Layout, item: Item, card: Card) -> None:
        """The comments that continue where the description ends, as far as they are not there."""
        _, comments = first_text(layout.uid, item)
        if not comments:
            return
        path = f"cards/{segment(card.id)}/actions"
        actions = happened_to(self._client, card.id, "commentCard", "data")
        there = [(str(one["id"]), _text_of(one)) for one in reversed(actions)]
        for number, comment in enumerate(comments, 1):
            line = part_line(item.key, number)
            found = next(((identity, text) for identity, text in there if line in text), None)
            if found is None:
                self._client.write("POST", f"{path}/comments", {"text": comment})
            elif found[1].strip() != comment.strip():
                self._client.write("PUT", f"{path}/{segment(found[0])}/comments", {"text": comment})


def _text_of(action: dict[str, Any]) -> str:
    data = action.get("data")
    return str(data.get("text") or "") if isinstance(data, dict) else ""
