"""Views of receivers, of messages to people and of what became of them. No credential is in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import TYPE_CHECKING, Any

from connectors.messages import Message
from service.domain.notice import delivery_state
from service.views.made import instant, made

if TYPE_CHECKING:
    from service.store.notice_tables import DeliveryRow, ReceiverRow


@dataclass(frozen=True, slots=True)
class Subscription:
    """What is told in a channel: of one project (`project` is its id, `key` how it is called) or of all, of some kinds
    of notices or of every one."""

    project: str | None
    key: str
    kinds: tuple[str, ...]
    channel: str

    def to_json(self) -> dict[str, Any]:
        """The form that CLI and REST show."""
        return {"project": self.project, "key": self.key, "kinds": list(self.kinds), "channel": self.channel}


@dataclass(frozen=True, slots=True)
class ReceiverView:
    """Where people hear of things. `counts` are its messages by state, `trouble` what was wrong with it last,
    `paused` why nothing is told there; empty while something is. `unsubscribed` are (channel, kind of notice) that its
    readers want no more."""

    id: str
    name: str
    kind: str
    settings: Mapping[str, Any]
    subscriptions: tuple[Subscription, ...]
    counts: Mapping[str, int]
    trouble: str
    paused: str
    unsubscribed: tuple[tuple[str, str], ...]
    next_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(
        cls,
        row: ReceiverRow,
        subscriptions: Sequence[Subscription],
        counts: Mapping[str, int],
        unsubscribed: Sequence[tuple[str, str]] = (),
    ) -> ReceiverView:
        """The view of what is stored."""
        more = {"counts": dict(counts), "unsubscribed": tuple(unsubscribed)}
        return made(cls, row, subscriptions=tuple(subscriptions), **more)

    def to_json(self) -> dict[str, Any]:
        """The form that CLI and REST show."""
        return {
            "id": self.id,
            "name": self.name,
            "kind": self.kind,
            "settings": dict(self.settings),
            "subscriptions": [one.to_json() for one in self.subscriptions],
            "messages": dict(self.counts),
            "trouble": self.trouble,
            "paused": self.paused,
            "unsubscribed": [{"channel": channel, "kind": kind} for channel, kind in self.unsubscribed],
            "version": self.version,
            "created_at": instant(self.created_at),
            "updated_at": instant(self.updated_at),
        }


@dataclass(frozen=True, slots=True)
class HoursView:
    """When the people of a project are not written to, and when they have a stand-up on working days. `quiet_until` is
    when the quiet ends that is now, None where it is not quiet."""

    project: str
    time_zone: str
    quiet_from: time | None
    quiet_to: time | None
    days_off: bool
    stand_up: time | None
    quiet_until: datetime | None

    def to_json(self) -> dict[str, Any]:
        """The form that CLI and REST show."""
        return {
            "project": self.project,
            "time_zone": self.time_zone,
            "quiet_from": f"{self.quiet_from:%H:%M}" if self.quiet_from is not None else None,
            "quiet_to": f"{self.quiet_to:%H:%M}" if self.quiet_to is not None else None,
            "days_off": self.days_off,
            "stand_up": f"{self.stand_up:%H:%M}" if self.stand_up is not None else None,
            "quiet_until": instant(self.quiet_until),
        }


@dataclass(frozen=True, slots=True)
class UnsubscribeView:
    """A kind of notice that is sent to an address as long as it is wanted there; `meaning` says when it is given."""

    address: str
    kind: str
    meaning: str
    wanted: bool


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """A message to people, and what became of it. `receiver` and `project` are how these are called."""

    id: str
    receiver: str
    project: str
    channel: str
    kind: str
    iteration: int | None
    events: Sequence[int]
    state: str
    attempts: int
    next_at: datetime | None
    asked_at: datetime | None
    error: str
    posted: str
    thread: str
    created_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, row: DeliveryRow, receiver: str, project: str) -> DeliveryView:
        """The view of what is stored."""
        return made(cls, row, receiver=receiver, project=project)

    def to_json(self) -> dict[str, Any]:
        """The form of an entry in a list, on CLI and REST."""
        waits = self.state in delivery_state.OPEN and self.state != delivery_state.SENDING
        return {
            "id": self.id,
            "receiver": self.receiver,
            "project": self.project,
            "channel": self.channel,
            "kind": self.kind,
            "iteration": self.iteration,
            "notices": len(self.events),
            "state": self.state,
            "attempts": self.attempts,
            "next_at": instant(self.next_at) if waits else None,
            "asked_at": instant(self.asked_at),
            "error": self.error,
            "posted": self.posted,
            "thread": self.thread,
            "created_at": instant(self.created_at),
            "ended_at": instant(self.ended_at),
        }


@dataclass(frozen=True, slots=True)
class PreviewView:
    """What people would be sent of a kind of notice. `real` is false where the project had none so far and the words
    are an example's. `body` is the message in the form of a kind of receiver."""

    kind: str
    project: str
    real: bool
    message: Message
    receiver_kind: str
    body: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """The form that CLI and REST show."""
        return {
            "kind": self.kind,
            "project": self.project,
            "real": self.real,
            "receiver_kind": self.receiver_kind,
            "body": dict(self.body),
        }
