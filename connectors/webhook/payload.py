"""What happened as an event of the Standard Webhooks: `type`, `timestamp`, `data`. Pure."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from connectors.messages import Message

PREFIX = "notice."


def event_type(kind: str) -> str:
    """The type of the events that tell of this kind of notice: `notice.run_failed`. Its parts are of letters and `_`
    alone, as the Standard Webhooks ask."""
    return PREFIX + kind.replace("-", "_")


def event_of(message: Message) -> dict[str, Any]:
    """The event that tells of the one notice in this message."""
    (fact,) = message.facts  # none is gathered for programs
    at = fact.at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {
        "type": event_type(fact.kind),
        "timestamp": at,
        "data": {
            "kind": fact.kind,
            "text": fact.text,
            "project": dict(fact.project) or None,
            "iteration": fact.iteration,
            "people": list(fact.people),
            "run": fact.run,
            "url": fact.url,
            "details": dict(fact.details),
        },
    }
