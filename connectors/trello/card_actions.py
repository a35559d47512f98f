"""What a card's actions tell of it as evidence: what was said, who edited its text, ticked its lines, moved it. Pure.

The vendor keeps no old texts; but each change of a description tells what was there before, so from the text as it is
now every earlier one is known. What an answer leaves out stays unknown, and is never made up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from connectors.records import Comment, Edit, Tick, text_digest
from connectors.trello.history import doer, instant
from connectors.trello.mapping import Card
from connectors.trello.markup import TextPart, continues, part_of, whole

TOLD = (
    "commentCard,copyCommentCard,updateCard,updateCheckItemStateOnCard,"
    "createCard,copyCard,convertToCardFromCheckItem,emailCard,moveCardToBoard"
)
"""The types of actions that are evidence."""

TOLD_FIELDS = "type,data,date,idMemberCreator"

_MADE = frozenset({"createCard", "copyCard", "convertToCardFromCheckItem", "emailCard"})
_SAID = frozenset({"commentCard", "copyCommentCard"})


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that was done to a card; `data` is the vendor's own."""

    id: str
    kind: str
    at: datetime
    by: str
    person: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Words:
    """All that was written on a card: its whole text, what people said, and how the text changed."""

    text: str
    comments: tuple[Comment, ...]
    edits: tuple[Edit, ...]


def acts_by_card(actions: Iterable[Mapping[str, Any]]) -> dict[str, list[Act]]:
    """What was done to each card, by its id, oldest first; what has no date or no card is passed over."""
    found: dict[str, list[Act]] = {}
    for action in actions:
        data, at = action.get("data"), instant(action.get("date"))
        card = data.get("card") if isinstance(data, dict) else None
        if isinstance(data, dict) and isinstance(card, dict) and card.get("id") and at is not None:
            act = Act(str(action.get("id")), str(action.get("type")), at, *doer(action), data)
            found.setdefault(str(card["id"]), []).append(act)
    return {card: sorted(acts, key=lambda act: (act.at, act.id)) for card, acts in found.items()}


def maker_of(acts: Sequence[Act]) -> str:
    """The account that made the card; empty where nobody tells."""
    return next((act.by for act in acts if act.kind in _MADE), "")


def came_from_elsewhere(acts: Sequence[Act]) -> bool:
    """Whether the card was on another board before, which tells the rest of what happened to it."""
    return any(act.kind == "moveCardToBoard" for act in acts)


def words_of(card: Card, acts: Sequence[Act]) -> Words:
    """What was written on the card. Comments that hold the rest of its text are part of that, and no comments."""
    said = [act for act in acts if act.kind in _SAID]
    parts: dict[int, tuple[TextPart, Act]] = {}
    for act in said:
        # Of two with one number the newer one counts, as it does where they are written.
        if (part := part_of(_said(act))) is not None:
            parts[part.number] = (part, act)
    ordered = [parts[number] for number in sorted(parts)]
    text = whole(card.desc, [part for part, _ in ordered])
    comments = tuple(_comment(act) for act in said if part_of(_said(act)) is None)
    return Words(text, comments, _edits(card, acts, ordered, text))


def _said(act: Act) -> str:
    return str(act.data.get("text") or "")


def _comment(act: Act) -> Comment:
    text = _said(act)
    if act.kind == "copyCommentCard":
        # Somebody said it elsewhere, about something else: it comes as a quotation of whoever copied it.
        text = "\n".join(f"> {line}".rstrip() for line in text.splitlines())
    return Comment(act.id, act.by, act.person, text, act.at, instant(act.data.get("dateLastEdited")))


# --- edits -----------------------------------------------------------------------------------------------------------


def _edits(card: Card, acts: Sequence[Act], parts: Sequence[tuple[TextPart, Act]], text: str) -> tuple[Edit, ...]:
    """The changes of the text, oldest first; those of its marker alone are none."""
    edits = [*_edits_of_parts(acts, parts), *_edits_of_description(card, acts, parts)]
    edits.sort(key=lambda edit: edit.at)
    # Whatever was changed last, from then on the text was as it is now.
    return (*edits[:-1], replace(edits[-1], digest=text_digest(text))) if edits else ()


def _edits_of_description(card: Card, acts: Sequence[Act], parts: Sequence[tuple[TextPart, Act]]) -> list[Edit]:
    changed = [act for act in acts if act.kind == "updateCard" and "desc" in _old(act)]
    texts = [*(str(_old(act)["desc"] or "") for act in changed), card.desc] if changed else []
    digests = [text_digest(whole(text, [part for part, _ in parts])) for text in texts]
    # What a part said earlier is not kept by anybody: then only the text as it is now is known.
    known = not any(act.data.get("dateLastEdited") for _, act in parts)
    return [
        Edit(act.by, act.person, act.at, after if known or not continues(text) else "")
        for act, text, (before, after) in zip(changed, texts[1:], pairwise(digests), strict=True)
        if before != after
    ]


def _edits_of_parts(acts: Sequence[Act], parts: Sequence[tuple[TextPart, Act]]) -> list[Edit]:
    """Parts of the text that were changed where they stand, in their comments, and parts that somebody else added."""
    maker = maker_of(acts)
    edits = []
    for _, act in parts:
        if (at := instant(act.data.get("dateLastEdited"))) is not None:
            edits.append(Edit(act.by, act.person, at))
        elif maker and act.by != maker:
            edits.append(Edit(act.by, act.person, act.at))
    return edits


def _old(act: Act) -> Mapping[str, Any]:
    old = act.data.get("old")
    return old if isinstance(old, dict) else {}


# --- ticks -----------------------------------------------------------------------------------------------------------


def ticks_of(card: Card, acts: Sequence[Act]) -> tuple[Tick, ...]:
    """The lines of all the card's checklists, in their order. Who ticked one is told by the last that was done to it;
    nobody, where it came ticked (copied, or made so)."""
    last: dict[str, tuple[Act, bool]] = {}
    for act in acts:
        item = act.data.get("checkItem")
        if act.kind == "updateCheckItemStateOnCard" and isinstance(item, dict):
            last[str(item.get("id"))] = (act, item.get("state") == "complete")
    ticks = []
    for line in (line for checklist in card.checklists or () for line in checklist.lines):
        found = last.get(line.id)
        if line.complete and found is not None and found[1]:
            act = found[0]
            ticks.append(Tick(line.text, True, act.by, act.person, act.at))
        else:
            ticks.append(Tick(line.text, line.complete))
    return tuple(ticks)
