"""What a tracker says by itself that somebody changed something, in the words of the port. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any


class Changed(StrEnum):
    """What of an item or of a project is another now."""

    CREATED = "created"
    DELETED = "deleted"
    STATUS = "status"
    ASSIGNEE = "assignee"
    ITERATION = "iteration"
    TEXT = "text"
    COMMENT = "comment"
    LIST = "list"
    """A column of the board was renamed, moved or archived."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class TrackerEvent:
    """That somebody changed something in a tracker. `project` is the tracker's id of the project or board, `item` and
    `iteration` those of what was changed, `actor` the account that did it; each empty where the event does not tell.
    `state` is what an iteration became (`active`, `closed`, `deleted`), or what was done to the list `column`
    (`archived`, `renamed`, `moved`, `moved away`). `at` is the tracker's time."""

    project: str = ""
    project_key: str = ""
    item: str = ""
    item_key: str = ""
    iteration: str = ""
    state: str = ""
    actor: str = ""
    column: str = ""
    at: datetime | None = None
    changes: frozenset[Changed] = frozenset()


def inner(value: Any, *path: str) -> Mapping[str, Any]:
    """The object at this path, empty where there is none: nothing of an event is sure to be there."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def word(value: Any, *path: str) -> str:
    """The text or number at this path, as text; empty where there is none, or none that can be looked up."""
    *way, last = path
    found = inner(value, *way).get(last)
    if not isinstance(found, str | int) or isinstance(found, bool):
        return ""
    text = str(found)[:200] if isinstance(found, str) or abs(found) < 10**18 else ""
    return text if text.isprintable() else ""


def instant(value: Any) -> datetime | None:
    """The instant that milliseconds since 1970, or text in ISO 8601, stand for; None where it is neither."""
    try:
        if isinstance(value, int) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000, UTC)
        if isinstance(value, str):
            found = datetime.fromisoformat(value)
            return found if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None
