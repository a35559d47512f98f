"""What Trello's webhooks say, in the words of the port. Pure.

A webhook on a board sends every action on it. A card is in a list, which says its status; its label says its iteration.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.events import Changed, TrackerEvent, inner, instant, word

_TYPES = {
    "createCard": Changed.CREATED,
    "copyCard": Changed.CREATED,
    "moveCardToBoard": Changed.CREATED,
    "deleteCard": Changed.DELETED,
    "moveCardFromBoard": Changed.DELETED,
    "commentCard": Changed.COMMENT,
    "updateComment": Changed.COMMENT,
    "deleteComment": Changed.COMMENT,
    "addMemberToCard": Changed.ASSIGNEE,
    "removeMemberFromCard": Changed.ASSIGNEE,
    "addLabelToCard": Changed.ITERATION,
    "removeLabelFromCard": Changed.ITERATION,
    "updateList": Changed.LIST,
    "moveListFromBoard": Changed.LIST,
    "updateCheckItemStateOnCard": Changed.TEXT,
    "addAttachmentToCard": Changed.TEXT,
    "createCheckItem": Changed.TEXT,
    "updateCheckItem": Changed.TEXT,
}
_FIELDS = {
    "idList": Changed.STATUS,
    "closed": Changed.STATUS,
    "dueComplete": Changed.STATUS,
    "idMembers": Changed.ASSIGNEE,
    "idLabels": Changed.ITERATION,
    "name": Changed.TEXT,
    "desc": Changed.TEXT,
}


def event(payload: Mapping[str, Any]) -> TrackerEvent:
    """The event of this payload; whatever is not in it is empty."""
    action = inner(payload, "action")
    kind = word(action, "type")
    return TrackerEvent(
        project=word(action, "data", "board", "id"),
        item=word(action, "data", "card", "id"),
        item_key=word(action, "data", "card", "shortLink"),
        column=word(action, "data", "list", "id") if kind in ("updateList", "moveListFromBoard") else "",
        state=_done_to_a_list(kind, action),
        actor=word(action, "idMemberCreator"),
        at=instant(action.get("date")),
        changes=frozenset(_changes(kind, action)),
    )


def _done_to_a_list(kind: str, action: Mapping[str, Any]) -> str:
    """What people did to a list: archived, renamed or moved it, or moved it away to another board."""
    if kind == "moveListFromBoard":
        return "moved away"
    if kind != "updateList":
        return ""
    now, old = inner(action, "data", "list"), inner(action, "data", "old")
    if now.get("closed") is True and ("closed" in old or not old):
        return "archived"
    return "renamed" if "name" in old else "moved" if "pos" in old else ""


def _changes(kind: str, action: Mapping[str, Any]) -> Iterator[Changed]:
    if kind in _TYPES:
        yield _TYPES[kind]
    for name in inner(action, "data", "old") if kind == "updateCard" else ():
        yield _FIELDS.get(str(name), Changed.OTHER)
