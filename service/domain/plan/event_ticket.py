"""Tickets that no template asks for, because something outside did: how they are known, and what they are. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256

from connectors.values import ItemKey, Priority
from service.domain.plan.plan import Purpose

_PREFIX = "event:"
_PLAIN = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclass(frozen=True, slots=True)
class EventTicket:
    """A ticket that an event asks for. `about` tells it from all others: the same text is the same ticket. `role` does
    it, `labels` are put on besides those of phase and role."""

    about: str
    title: str
    text: str
    role: str
    priority: Priority
    labels: tuple[str, ...] = ()

    @property
    def key(self) -> ItemKey:
        """Its key."""
        return event_ticket_key(self.about)


def event_ticket_key(about: str) -> ItemKey:
    """The key of the ticket for this, whatever characters it is written in."""
    short = about if _PLAIN.fullmatch(about) else sha256(about.encode("utf-8", "replace")).hexdigest()[:24]
    return ItemKey(_PREFIX + short)


def reacting_run(once: str) -> str:
    """The id of the run that does what is asked for under this id: it is done once."""
    return f"{Purpose.REACT}-{once}"


def is_event_ticket(key: ItemKey) -> bool:
    """Whether an event asked for it: no template does, and none releases it."""
    return key.startswith(_PREFIX)
