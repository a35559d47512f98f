"""What happened on a board, as the vendor keeps it: read for everybody who asks, and when work on a card began and
ended, told from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from connectors.records import Step
from connectors.trello.client import TrelloClient, segment
from connectors.trello.layout import READ_BATCH, Layout, ListRole
from connectors.trello.mapping import Card, made_at, moment, status

_CARD_PAGE = 50
"""How many actions a page of a card's holds at least, as the vendor documents it, if there are more."""


def happened(
    client: TrelloClient, layout: Layout, oldest: str, kinds: str, fields: str, *, named: bool = False
) -> list[dict[str, Any]]:
    """What happened on the board since the thing of this id was made, oldest first: a request for each thousand.
    `kinds` are the types of actions, `fields` what is told of each, separated by commas; `named` with the name of
    whoever did it."""
    page: dict[str, str | int] = {"since": str(moment(made_at(oldest))), "memberCreator": "true" if named else "false"}
    page |= {"memberCreator_fields": "fullName,username"} if named else {}
    return _told(client, f"boards/{segment(layout.board_id)}/actions", kinds, fields, page, least=READ_BATCH)


def happened_to(client: TrelloClient, card: str, kinds: str, fields: str) -> list[dict[str, Any]]:
    """What happened to one card since it was made, on whichever board, oldest first, with the names of whoever did it.

    That as many as a thousand come at once is so in practice, but not documented for cards (unsure): so anything but
    a page that is shorter than the documented fifty is followed by the next."""
    return _told(client, f"cards/{segment(card)}/actions", kinds, fields, {}, least=_CARD_PAGE)


def _told(
    client: TrelloClient, path: str, kinds: str, fields: str, more: Mapping[str, str | int], *, least: int
) -> list[dict[str, Any]]:
    """All that a listing of actions tells; a page with fewer than `least` is its last."""
    page: dict[str, str | int] = {"filter": kinds, "fields": fields, "limit": READ_BATCH, "member": "false", **more}
    found: dict[str, dict[str, Any]] = {}
    while True:
        answer = client.get_list(path, page)
        new = {str(one["id"]): one for one in answer if isinstance(one, dict) and one.get("id")}
        new = {identity: one for identity, one in new.items() if identity not in found}
        found |= new
        if len(answer) < least or not new:
            return [found[identity] for identity in sorted(found)]
        page["before"] = min(new)


@dataclass(frozen=True, slots=True)
class Change:
    """What a card was before something was done to it, as far as that tells whether it is under way or done."""

    card: str
    at: datetime
    before: Mapping[str, Any]
    by: str = ""
    person: str = ""


@dataclass(frozen=True, slots=True)
class Times:
    """When a card was made, when it left `todo` first, and when it was done last; None where nobody tells."""

    created: datetime | None
    started: datetime | None
    done: datetime | None


def changes_of(actions: Sequence[Mapping[str, Any]]) -> dict[str, list[Change]]:
    """The changes that tell how far cards are, by the card, oldest first. `actions` are `updateCard`s with a date."""
    found: dict[str, list[Change]] = {}
    for action in actions:
        if (change := _change(action)) is not None:
            found.setdefault(change.card, []).append(change)
    return {card: sorted(changes, key=lambda one: one.at) for card, changes in found.items()}


def _change(action: Mapping[str, Any]) -> Change | None:
    data = action.get("data")
    card, old = (data.get("card"), data.get("old")) if isinstance(data, dict) else (None, None)
    if not isinstance(card, dict) or not card.get("id") or not isinstance(old, dict):
        return None
    before: dict[str, Any] = {}
    if "idList" in old:
        before["list_id"] = str(old["idList"] or "")
    before |= {
        name: old[key] is True for key, name in (("closed", "closed"), ("dueComplete", "complete")) if key in old
    }
    at = instant(action.get("date"))
    return Change(str(card["id"]), at, before, *doer(action)) if before and at is not None else None


def doer(action: Mapping[str, Any]) -> tuple[str, str]:
    """The account that did it, and what it is called; empty where the answer does not tell."""
    named = action.get("memberCreator")
    person = named if isinstance(named, dict) else {}
    return str(action.get("idMemberCreator") or ""), str(person.get("fullName") or person.get("username") or "")


def instant(text: Any) -> datetime | None:
    """A moment of the vendor's, aware; None for what is none."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def times_of(card: Card, changes: Sequence[Change], roles: Mapping[str, ListRole | None]) -> Times:
    """When work on a card began and ended."""
    made = made_at(card.id)
    created = made if made.timestamp() > 0 else None
    stood = [(change.at if change else created, was) for change, was in _stood(card, changes, roles)]
    started = next((at for at, was in stood if was != "todo"), None)
    done: datetime | None = None
    for place, (at, was) in enumerate(stood):
        if was == "done" and (place == 0 or stood[place - 1][1] != "done"):
            done = at
    return Times(created, started, done if status(card, roles) == "done" else None)


def steps_of(card: Card, changes: Sequence[Change], roles: Mapping[str, ListRole | None]) -> tuple[Step, ...]:
    """Who brought the card from one status to another, oldest first."""
    stood = _stood(card, changes, roles)
    return tuple(
        Step(was, change.by, change.person, change.at)
        for (_, before), (change, was) in pairwise(stood)
        if change is not None and was != before
    )


def _stood(
    card: Card, changes: Sequence[Change], roles: Mapping[str, ListRole | None]
) -> list[tuple[Change | None, str]]:
    """The statuses of a card, each with the change that brought it; with none for that in which it was made. Walked
    back from what it is now, because each change tells what was before: so a card that was made in a list where work
    is under way began when it was made."""
    stood: list[tuple[Change | None, str]] = []
    then = card
    for change in reversed(changes):
        stood.append((change, status(then, roles)))
        then = replace(then, **change.before)
    stood.append((None, status(then, roles)))
    stood.reverse()
    return stood
