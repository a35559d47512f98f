"""The port through which people hear of something, and the one way there is so far: an outbox in the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.orm import Session

from service.store import loops


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that people are to hear of, once: `name` is its own in a project. `text` is for people, `data` for
    programs. `to` names who it is for, by handle or name, the most concerned first; empty: everybody of the project."""

    project: str
    name: str
    kind: str
    text: str
    at: datetime
    by: str
    iteration: int | None = None
    to: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    run: str | None = None


class Notifier(Protocol):
    """How people hear of things."""

    def notify(self, session: Session, notice: Notice) -> bool:
        """Have people told, once the caller's unit of work is committed, and not if it is not. Repeatable: False where
        a notice of that name was given before. Writes to the store only, so it neither waits nor fails for a receiver's
        sake."""
        ...


class Outbox:
    """Keeps notices among the project's events, from where whoever delivers them takes them in order."""

    def notify(self, session: Session, notice: Notice) -> bool:
        """Record the notice as an event; whether there was none of its name."""
        return loops.record_event(
            session,
            notice.project,
            notice.name,
            notice.kind,
            notice.text,
            at=notice.at,
            by=notice.by,
            iteration=notice.iteration,
            data={**notice.data, **({"to": list(notice.to)} if notice.to else {})},
            run_id=notice.run,
        )
