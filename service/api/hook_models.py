"""The bodies of the API about webhooks: events that arrived, and the secrets of their senders; each with an example."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field, SecretStr

from service.api import hook_examples
from service.api.models import Body, Finding, ForRest, Instant, Name, Shown, with_example

State = Literal["accepted", "done", "failed"]


class HookEvent(Shown):
    """An event that arrived by webhook, and what came of it."""

    model_config = ConfigDict(json_schema_extra=with_example(hook_examples.EVENT))

    id: str
    source: str = Field(description="The kind of sender.")
    sender: str = Field(description="The connection or the trigger that it was sent to.")
    name: str = Field(description="What kind of event it is, in the sender's words.")
    state: State = Field(description="`accepted`: to be handled.")
    attempts: int = Field(description="How often it was handled since it arrived or was replayed.")
    round: int = Field(description="1, and one more for each time it was handled again after it was done.")
    received_at: datetime
    handled_at: datetime | None
    next_at: datetime | None = Field(description="When it is handled; null once it was.")
    error: str = Field(description="Why it failed, or why it is tried again; empty if it did not.")
    outcome: list[dict[str, Any]] = Field(description="What came of it: `what` in a word, and `text`.")


class HookFiring(Shown):
    """What a trigger did because of an event."""

    trigger: str
    action: str
    state: str = Field(description="`begun`, `done`, `failed` or `skipped`.")
    key: str = Field(description="What the trigger acts once for.")
    project: str | None
    effect: str | None = Field(description="The id of what came of it, such as a run.")
    message: ForRest
    at: datetime


class HookEventShown(HookEvent):
    """An event in full. What is secret in its payload is hidden."""

    model_config = ConfigDict(json_schema_extra=with_example(hook_examples.EVENT_SHOWN))

    delivery: str = Field(description="What the sender calls this delivery; the same when it is sent again.")
    payload: dict[str, Any]
    firings: list[HookFiring]


class HookEventPage(Shown):
    """Some events, newest first."""

    model_config = ConfigDict(json_schema_extra=with_example(hook_examples.EVENT_PAGE))

    items: list[HookEvent]
    next: str | None = Field(description="Cursor of the next page; null on the last.")


class ReplayRequest(Body):
    """Which events are to be handled again."""

    model_config = ConfigDict(json_schema_extra=with_example(hook_examples.REPLAY), strict=False)

    state: State = Field(default="failed", description="Those in this state.")
    sender: Name | None = Field(default=None, description="Only those of this connection or trigger (id or name).")
    since: Instant | None = Field(default=None, description="Only those that arrived since then.")


class Replayed(Shown):
    """How many events are handled again."""

    model_config = ConfigDict(json_schema_extra=with_example(hook_examples.REPLAYED))

    count: int


class NewSecret(Body):
    """The secret by which a sender proves itself."""

    model_config = ConfigDict(json_schema_extra=with_example(hook_examples.NEW_SECRET))

    secret: SecretStr = Field(
        min_length=1,
        max_length=1000,
        description="At least 16 visible characters, or the one that the vendor gave out, as it is. It is kept "
        "encrypted, and never shown.",
        json_schema_extra={"writeOnly": True},
    )
    overlap_hours: float = Field(
        default=24.0, ge=0, le=720, description="How long the former secret counts, too; 0: no longer."
    )


class Hook(Shown):
    """The webhook of a connection: where its tracker sends events, and whether it may."""

    model_config = ConfigDict(json_schema_extra=with_example(hook_examples.HOOK))

    connection: str
    address: str = Field(description="Where the tracker sends events; only a path where PHASELOOP_PUBLIC_URL is unset.")
    secrets: list[datetime | None] = Field(description="Until when each secret counts; null: until it is rotated.")
    registered: list[dict[str, Any]] = Field(description="The webhooks at the tracker, as they were last looked at.")
    checked_at: datetime | None = Field(description="When they were last checked.")
    trouble: str = Field(description="What was wrong with them then; empty if nothing was.")
    last_event_at: datetime | None = Field(description="When an event arrived last.")
    waiting: int = Field(description="How many events of all senders are yet to be handled.")
    waiting_since: datetime | None = Field(description="Since when the first of these waits.")


class HookList(Shown):
    """The webhooks of all connections by name."""

    model_config = ConfigDict(json_schema_extra=with_example(hook_examples.HOOK_LIST))

    items: list[Hook]
    next: None


class HookCared(Hook):
    """The webhook of a connection after something was done about it."""

    model_config = ConfigDict(json_schema_extra=with_example(hook_examples.HOOK_CARED))

    findings: list[Finding] = Field(description="What is wrong with it.")
    steps: list[str] = Field(description="What somebody has to do by hand who may do what this account may not.")


class TriggerDefinition(Body):
    """A trigger as it is written in YAML. The use case reads it, and names the place of what is wrong."""

    model_config = ConfigDict(json_schema_extra=with_example(hook_examples.DEFINITION))

    definition: dict[str, Any] = Field(description="The trigger, with the fields of its YAML form.")


class TriggerTrial(TriggerDefinition):
    """A trigger and what its sender would send."""

    model_config = ConfigDict(json_schema_extra=with_example(hook_examples.TRIAL))

    payload: dict[str, Any] = Field(description="What would be sent.")
    headers: dict[Name, str] = Field(default_factory=dict, max_length=50, description="Headers that would come along.")
    event: str = Field(default="", max_length=200, description="The event's name, where it is not in these.")


class TriggerState(Body):
    """Whether a trigger is on."""

    model_config = ConfigDict(json_schema_extra=with_example(hook_examples.STATE))

    state: Literal["on", "off"] = Field(description="`on` for one that was parked lets it begin anew.")


class TriggerShown(Shown):
    """A trigger, with its state."""

    model_config = ConfigDict(json_schema_extra=with_example(hook_examples.TRIGGER))

    id: str
    name: str
    source: str
    state: Literal["on", "off", "parked"] = Field(description="`parked`: its action failed too often in a row.")
    failures: int = Field(description="How often it failed in a row.")
    message: ForRest = Field(description="How it failed last.")
    version: int
    address: str | None = Field(description="Where its sender delivers; null for events of a connection.")
    secrets: list[datetime | None] = Field(description="Until when each secret counts; null: until it is rotated.")
    created_by: str
    created_at: datetime
    updated_at: datetime
    definition: dict[str, Any]


class TriggerList(Shown):
    """All triggers by name."""

    model_config = ConfigDict(json_schema_extra=with_example(hook_examples.TRIGGER_LIST))

    items: list[TriggerShown]
    next: None


class TriggerTried(Shown):
    """What a trigger would make of a payload."""

    model_config = ConfigDict(json_schema_extra=with_example(hook_examples.TRIED))

    trigger: str
    action: str
    events: list[dict[str, Any]] = Field(
        description="For each event in the payload whether it `matches`, its `outcome` (`none`, `done`, `skipped` or "
        "`failed`, with `why` or `error`), and what it `would` do, with the plan."
    )


class Removed(Shown):
    """What was removed."""

    model_config = ConfigDict(json_schema_extra=with_example(hook_examples.REMOVED))

    id: str
