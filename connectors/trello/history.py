"""What happened on a board, as the vendor keeps it: read for everybody who asks, and when work on a card began and
ended, told from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from connectors.trello.client import TrelloClient, segment
from connectors.trello.layout import READ_BATCH, Layout, ListRole
from connectors.trello.mapping import Card, made_at, moment, status


def happened(client: TrelloClient, layout: Layout, oldest: str, kinds: str, fields: str) -> list[dict[str, Any]]:
    """What happened on the board since the thing of this id was made, oldest first: a request for each thousand.
    `kinds` are the types of actions, `fields` what is told of each, separated by commas."""
    path = f"boards/{segment(layout.board_id)}/actions"
    page: dict[str, str | int] = {
        "filter": kinds,
        "fields": fields,
        "limit": READ_BATCH,
        "since": str(moment(made_at(oldest))),
        "member": "false",
        "memberCreator": "false",
    }
    found: dict[str, dict[str, Any]] = {}
    while True:
        answer = client.get_list(path, page)
        new = {str(one["id"]): one for one in answer if isinstance(one, dict) and one.get("id")}
        new = {identity: one for identity, one in new.items() if identity not in found}
        found |= new
        if len(answer) < READ_BATCH or not new:
            return [found[identity] for identity in sorted(found)]
        page["before"] = min(new)


@dataclass(frozen=True, slots=True)
class Change:
    """What a card was before something was done to it, as far as that tells whether it is under way or done."""

    card: str
    at: datetime
    before: Mapping[str, Any]


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
    at = _instant(action.get("date"))
    return Change(str(card["id"]), at, before) if before and at is not None else None


def _instant(text: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def times_of(card: Card, changes: Sequence[Change], roles: Mapping[str, ListRole | None]) -> Times:
    """When work on a card began and ended. Walked back from what it is now, because each change tells what was before:
    so a card that was made in a list where work is under way began when it was made."""
    made = made_at(card.id)
    created = made if made.timestamp() > 0 else None
    stood: list[tuple[datetime | None, str]] = []
    then = card
    for change in reversed(changes):
        stood.append((change.at, status(then, roles)))
        then = replace(then, **change.before)
    stood.append((created, status(then, roles)))
    stood.reverse()
    started = next((at for at, was in stood if was != "todo"), None)
    done: datetime | None = None
    for place, (at, was) in enumerate(stood):
        if was == "done" and (place == 0 or stood[place - 1][1] != "done"):
            done = at
    return Times(created, started, done if status(card, roles) == "done" else None)
