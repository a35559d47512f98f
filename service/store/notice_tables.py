"""The tables of notices: where people hear of things, and what became of each message."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, LargeBinary, String, Text, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from service.store.tables import Instant, Table


class ReceiverRow(Table):
    """A place where people hear of things. `settings` holds no secret; `secret` is encrypted. `subscriptions` are what
    is told there, each a `project` (its id; None: every one), `kinds` (none: every one) and a `channel`.

    One process at a time sends to it: `holder`, until `held_until`. Nothing is sent before `next_at`. `trouble` is what
    was wrong the last time, empty if nothing. While `paused` says why, nothing is made for it or sent to it. `version`
    is its ETag.
    """

    __tablename__ = "receivers"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    kind: Mapped[str] = mapped_column(String(20))
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    subscriptions: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    version: Mapped[int] = mapped_column(default=1)
    holder: Mapped[str] = mapped_column(String(40), default="")
    held_until: Mapped[datetime | None] = mapped_column(Instant)
    next_at: Mapped[datetime | None] = mapped_column(Instant)
    trouble: Mapped[str] = mapped_column(Text, default="")
    paused: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)


class DeliveryRow(Table):
    """A message to people. `events` are the ids of what it tells, in order; more than one: it is a digest. `project_id`
    is empty where they are of several projects. `seq` is the first of them: in their order messages are sent. `state`
    is one of `domain.notice.delivery_state`; while it is open `next_at` says when something is to be done about it,
    None where a person has to. `quiet`: it waits for quiet hours to end.

    `attempts` grows with each time that it is sent, or is to be sent again by somebody's word; `looks` counts how often
    it was looked for since. `tried_since` is when sending it began, `asked_at` when it was sent last. `posted` is the
    message's id in the channel, `thread` the one that it answers.
    """

    __tablename__ = "deliveries"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    receiver_id: Mapped[str] = mapped_column(String(40))
    project_id: Mapped[str] = mapped_column(String(40))
    channel: Mapped[str] = mapped_column(String(254), default="")
    kind: Mapped[str] = mapped_column(String(40))
    iteration: Mapped[int | None]
    events: Mapped[list[int]] = mapped_column(JSON)
    seq: Mapped[int]
    state: Mapped[str] = mapped_column(String(20), default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    looks: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime | None] = mapped_column(Instant)
    quiet: Mapped[bool] = mapped_column(default=False, server_default=false())
    tried_since: Mapped[datetime | None] = mapped_column(Instant)
    asked_at: Mapped[datetime | None] = mapped_column(Instant)
    error: Mapped[str] = mapped_column(Text, default="")
    posted: Mapped[str] = mapped_column(String(80), default="")
    thread: Mapped[str] = mapped_column(String(80), default="")
    created_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    __table_args__ = (
        Index("ix_deliveries_created_at", "created_at", "id"),
        Index("ix_deliveries_state", "state", "created_at", "id"),
        Index("ix_deliveries_place", "receiver_id", "channel", "project_id", "created_at"),
        Index(
            "ix_deliveries_next_at",
            "next_at",
            sqlite_where=text("next_at IS NOT NULL"),
            postgresql_where=text("next_at IS NOT NULL"),
        ),
    )


class UnsubscribeRow(Table):
    """What somebody at an address may want no more of: a kind of notice. `secret` stands in the link that says so;
    `since` is when they did, None: they did not. It outlives the receivers that tell there."""

    __tablename__ = "unsubscribes"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    secret: Mapped[str] = mapped_column(String(64), unique=True)
    address: Mapped[str] = mapped_column(String(254))
    kind: Mapped[str] = mapped_column(String(40))
    since: Mapped[datetime | None] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)
    __table_args__ = (UniqueConstraint("address", "kind"),)
