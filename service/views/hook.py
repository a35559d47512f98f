"""Views of events that arrived by webhook, and of triggers. No secret of theirs is in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from service.domain.hook import event_state
from service.domain.plan.plan import Plan
from service.domain.plan.plan_json import published
from service.views.made import instant, made

if TYPE_CHECKING:
    from service.store.hook_tables import FiringRow, HookEventRow, TriggerRow


@dataclass(frozen=True, slots=True)
class HookEventView:
    """An event that was accepted: `body` is the payload, `outcome` what came of it, `error` why it failed."""

    id: str
    owner: str
    source: str
    name: str
    delivery: str
    body: bytes
    state: str
    attempts: int
    round: int
    next_at: datetime | None
    error: str
    outcome: Sequence[Mapping[str, Any]]
    received_at: datetime
    handled_at: datetime | None

    @classmethod
    def of(cls, row: HookEventRow) -> HookEventView:
        """The view of what is stored."""
        return made(cls, row)

    def to_json(self, names: Mapping[str, str]) -> dict[str, Any]:
        """The form of an entry in a list, on CLI and REST; `names` are those of senders by id."""
        return {
            "id": self.id,
            "source": self.source,
            "sender": names.get(self.owner, self.owner),
            "name": self.name,
            "state": self.state,
            "attempts": self.attempts,
            "round": self.round,
            "received_at": instant(self.received_at),
            "handled_at": instant(self.handled_at),
            "next_at": instant(self.next_at) if self.state == event_state.ACCEPTED else None,
            "error": self.error,
            "outcome": [dict(one) for one in self.outcome],
        }


@dataclass(frozen=True, slots=True)
class TriggerView:
    """What an event starts: `body` is the trigger as it is written. One whose action failed `failures` times in a row
    may be parked, `message` saying how."""

    id: str
    name: str
    source: str
    body: Mapping[str, Any]
    state: str
    failures: int
    message: str
    version: int
    created_by: str
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: TriggerRow) -> TriggerView:
        """The view of what is stored."""
        return made(cls, row)

    def parked_json(self) -> dict[str, Any]:
        """That it does nothing any more, in the form that a project's status shows."""
        return {"trigger": self.name, "failures": self.failures, "message": self.message}


@dataclass(frozen=True, slots=True)
class FiringView:
    """What a trigger did because of an event. `trigger` is its name, empty where it was removed; `run` and `plan` are
    what came of it, as far as it is one and is still there."""

    event_id: str
    trigger_id: str
    trigger: str
    action: str
    state: str
    key: str
    project_id: str | None
    effect: str | None
    message: str
    at: datetime
    run: str
    plan: str

    @classmethod
    def of(cls, row: FiringRow, trigger: str, *, run: bool, plan: bool) -> FiringView:
        """The view of what is stored; its effect is that of a run, of a plan, or neither."""
        effect = row.effect or ""
        return made(cls, row, trigger=trigger, run=effect if run else "", plan=effect if plan else "")


@dataclass(frozen=True, slots=True)
class Backlog:
    """How far the handling of events is behind: how many wait, since when the first of them does, how many failed."""

    waiting: int = 0
    since: datetime | None = None
    failed: int = 0


@dataclass(frozen=True, slots=True)
class TriedEvent:
    """What would come of one event: `outcome` is `none`, `done`, `skipped` or `failed`, and `error` and `why` say
    why. `key`, `project` and `given` are None where it does not match; `would` says what would be done, empty where
    nothing would, and `plan` what would be written."""

    event: str
    matches: bool = False
    outcome: str = "none"
    error: str = ""
    why: str = ""
    key: str | None = None
    project: str | None = None
    given: Mapping[str, Any] | None = None
    would: str = ""
    plan: Plan | None = None

    def to_json(self) -> dict[str, Any]:
        """The form that CLI and REST show."""
        entry: dict[str, Any] = {
            "event": self.event,
            "matches": self.matches,
            "outcome": self.outcome,
            "error": self.error,
            "why": self.why,
        }
        if self.key is not None:
            entry |= {"key": self.key, "project": self.project, "with": self.given}
        if self.would:
            plan = {"plan": published(self.plan)} if self.plan is not None else {}
            entry["would"] = {"text": self.would, **plan}
        return entry
