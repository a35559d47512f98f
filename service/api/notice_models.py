"""The bodies of the API about who hears of what: receivers, messages, previews; each with an example."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field, SecretStr

from service.api import notice_examples
from service.api.models import Body, ForRest, Name, Shown, with_example
from service.domain.notice.kinds import NoticeKind

State = Literal["waiting", "sending", "in-doubt", "sent", "failed", "skipped"]


class SubscriptionAsked(Body):
    """What is wanted in a channel."""

    model_config = ConfigDict(json_schema_extra=with_example(notice_examples.SUBSCRIPTION))

    channel: str = Field(
        default="", max_length=254, description="The channel's id or address; empty where the receiver has one."
    )
    projects: list[Name] = Field(default_factory=list, max_length=200, description="Ids or keys; none: all projects.")
    kinds: list[Name] = Field(default_factory=list, max_length=50, description="Kinds of notices; none: every kind.")


class NewReceiver(Body):
    """A place where people are to hear of things."""

    model_config = ConfigDict(json_schema_extra=with_example(notice_examples.NEW_RECEIVER))

    name: Name = Field(description="What you call it.")
    kind: str = Field(min_length=1, max_length=20, description="The kind of receiver.")
    settings: dict[str, Any] = Field(default_factory=dict, description="Those of the kind, without the credential.")
    secret: SecretStr = Field(
        default=SecretStr(""),
        max_length=2000,
        description="The credential, or a reference to it (`env:NAME`, `file:PATH`). It is kept encrypted, and never "
        "shown. Empty where the kind needs none.",
        json_schema_extra={"writeOnly": True},
    )
    subscriptions: list[SubscriptionAsked] = Field(
        default_factory=list, max_length=200, description="What is told there; none: everything of all projects."
    )


class ReceiverChange(Body):
    """What is to be changed of a receiver; what is left out stays."""

    model_config = ConfigDict(json_schema_extra=with_example(notice_examples.RECEIVER_CHANGE))

    settings: dict[str, Any] | None = Field(default=None, description="With a new credential only.")
    secret: SecretStr | None = Field(
        default=None,
        max_length=2000,
        description="Kept encrypted.",
        json_schema_extra={"writeOnly": True},
    )
    subscriptions: list[SubscriptionAsked] | None = Field(
        default=None, max_length=200, description="All that is told there from then on."
    )
    paused: bool | None = Field(
        default=None, description="While it is paused nothing is told there; what happens meanwhile is not told later."
    )


class Subscription(Shown):
    """What is told in a channel."""

    model_config = ConfigDict(json_schema_extra=with_example(notice_examples.SUBSCRIBED))

    project: str | None = Field(description="The project's id; null: all projects.")
    key: str = Field(description="What the project is called; empty for all.")
    kinds: list[str] = Field(description="Kinds of notices; none: every kind.")
    channel: str


class Unsubscribed(Shown):
    """A kind of notice that whoever reads there wants no more."""

    model_config = ConfigDict(json_schema_extra=with_example(notice_examples.UNSUBSCRIBED))

    channel: str
    kind: str


class Receiver(Shown):
    """A place where people hear of things, without its credential."""

    model_config = ConfigDict(json_schema_extra=with_example(notice_examples.RECEIVER))

    id: str
    name: str
    kind: str
    settings: dict[str, Any]
    subscriptions: list[Subscription]
    messages: dict[str, int] = Field(description="How many messages are in each state.")
    trouble: ForRest = Field(description="What was wrong with it the last time; empty if nothing was.")
    paused: ForRest = Field(description="Why nothing is told there; empty while something is.")
    unsubscribed: list[Unsubscribed] = Field(description="What its readers ended themselves, where they can.")
    version: int
    created_at: datetime
    updated_at: datetime


class ReceiverList(Shown):
    """All receivers by name."""

    model_config = ConfigDict(json_schema_extra=with_example(notice_examples.RECEIVER_LIST))

    items: list[Receiver]
    next: None


class ReceiverTried(Shown):
    """What came of a test."""

    model_config = ConfigDict(json_schema_extra=with_example(notice_examples.TRIED))

    receiver: str
    account: str = Field(description="Who we are there; empty where that cannot be asked.")
    ok: bool
    posted: list[str] = Field(description="The channels that have the test message.")
    problems: list[ForRest] = Field(description="What was wrong, each with what to do.")


class NoticeHoursAsked(Body):
    """When the people of a project are not to be written to."""

    model_config = ConfigDict(json_schema_extra=with_example(notice_examples.HOURS_ASKED))

    quiet_from: str | None = Field(
        default=None, max_length=5, description="On the project's clock, like 20:00; null for no quiet hours."
    )
    quiet_to: str | None = Field(default=None, max_length=5, description="Through the night where it is the earlier.")
    days_off: bool = Field(default=False, description="Nor on days on which nobody works, by the project's calendar.")
    stand_up: str | None = Field(
        default=None,
        max_length=5,
        description="When people have a stand-up on working days, like 09:30; null for none.",
    )


class NoticeHours(Shown):
    """When the people of a project are not written to."""

    model_config = ConfigDict(json_schema_extra=with_example(notice_examples.HOURS))

    project: str
    time_zone: str
    quiet_from: str | None
    quiet_to: str | None
    days_off: bool
    stand_up: str | None
    quiet_until: datetime | None = Field(description="When the quiet ends that is now; null: it is not quiet.")


class Delivery(Shown):
    """A message to people, and what became of it."""

    model_config = ConfigDict(json_schema_extra=with_example(notice_examples.DELIVERY))

    id: str
    receiver: str
    project: str
    channel: str
    kind: str = Field(description="The kind of notice; `digest` where several were gathered.")
    iteration: int | None
    notices: int = Field(description="How many notices it tells.")
    state: State = Field(description="`in-doubt`: it was sent, and nobody knows whether it arrived.")
    attempts: int
    next_at: datetime | None = Field(description="When something is done about it; null: not without a person.")
    asked_at: datetime | None = Field(description="When it was sent last.")
    error: ForRest = Field(description="What was wrong; empty if nothing was.")
    posted: str = Field(description="Its id in the channel, where one is told.")
    thread: str = Field(description="The id of the message that it answers.")
    created_at: datetime
    ended_at: datetime | None


class DeliveryPage(Shown):
    """Some messages, newest first."""

    model_config = ConfigDict(json_schema_extra=with_example(notice_examples.DELIVERY_PAGE))

    items: list[Delivery]
    next: str | None = Field(description="Cursor of the next page; null on the last.")


class DeliveryReplay(Body):
    """Which messages are to be sent again."""

    model_config = ConfigDict(json_schema_extra=with_example(notice_examples.REPLAY))

    state: Literal["failed", "in-doubt", "skipped"] = Field(default="failed", description="Those in this state.")
    receiver: Name | None = Field(default=None, description="Only those to this receiver (id or name).")
    project: Name | None = Field(default=None, description="Only those of this project (id or key).")


class Preview(Shown):
    """What people would be sent."""

    model_config = ConfigDict(json_schema_extra=with_example(notice_examples.PREVIEW))

    kind: NoticeKind
    project: str
    real: bool = Field(description="False where the project had no such notice, and the words are an example's.")
    receiver_kind: str
    body: dict[str, Any] = Field(description="The message in the form of that kind of receiver.")
