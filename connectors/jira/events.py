"""What Jira's webhooks say, in the words of the port. Pure.

Every change of a field arrives as `jira:issue_updated` with a changelog. Sprints have events of their own, which name
no project, only a board.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.events import Changed, TrackerEvent, inner, instant, word

_FIELDS = {
    "status": Changed.STATUS,
    "resolution": Changed.STATUS,
    "assignee": Changed.ASSIGNEE,
    "sprint": Changed.ITERATION,
    "summary": Changed.TEXT,
    "description": Changed.TEXT,
}
_EVENTS = {
    "jira:issue_created": Changed.CREATED,
    "jira:issue_deleted": Changed.DELETED,
    "comment_created": Changed.COMMENT,
    "comment_updated": Changed.COMMENT,
    "comment_deleted": Changed.COMMENT,
}
_STATES = {"sprint_started": "active", "sprint_closed": "closed", "sprint_deleted": "deleted"}

WATCHED = (
    *(f"jira:issue_{what}" for what in ("created", "updated", "deleted")),
    *(f"comment_{what}" for what in ("created", "updated", "deleted")),
    *(f"sprint_{what}" for what in ("updated", "started", "closed", "deleted")),
)
"""The events that are asked for."""


def event(payload: Mapping[str, Any]) -> TrackerEvent:
    """The event of this payload; whatever is not in it is empty."""
    name = word(payload, "webhookEvent")
    actor = word(payload, "user", "accountId") or word(payload, "comment", "updateAuthor", "accountId")
    return TrackerEvent(
        project=word(payload, "issue", "fields", "project", "id") or word(payload, "project", "id"),
        project_key=word(payload, "issue", "fields", "project", "key") or word(payload, "project", "key"),
        item=word(payload, "issue", "id"),
        item_key=word(payload, "issue", "key"),
        iteration=word(payload, "sprint", "id"),
        state=_STATES.get(name, ""),
        actor=actor,
        at=instant(payload.get("timestamp")),
        changes=frozenset(_changes(name, payload)),
    )


def _changes(name: str, payload: Mapping[str, Any]) -> Iterator[Changed]:
    if name in _EVENTS:
        yield _EVENTS[name]
    elif name.startswith("sprint_"):
        yield Changed.ITERATION
    items = inner(payload, "changelog").get("items")
    for one in items if isinstance(items, list) else ():
        yield _FIELDS.get(word(one, "field").casefold(), Changed.OTHER)
    if payload.get("comment"):
        yield Changed.COMMENT
