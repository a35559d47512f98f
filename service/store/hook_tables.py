"""The tables of webhooks: where senders are let in, what they sent, what it starts, and what came of that."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from service.store.tables import Instant, Table


class HookRow(Table):
    """The webhook of a connection: `address` is the one registered with the tracker, `remote` what is registered there
    (each its `id` and what it watches, `of`), `account` who we are there. While one is being created, HEAD is answered
    until `opening_until`. `trouble` says what the last check found, empty if nothing."""

    __tablename__ = "hooks"
    connection_id: Mapped[str] = mapped_column(ForeignKey("connections.id"), primary_key=True)
    address: Mapped[str] = mapped_column(String(500), default="")
    remote: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    account: Mapped[str] = mapped_column(String(200), default="")
    opening_until: Mapped[datetime | None] = mapped_column(Instant)
    checked_at: Mapped[datetime | None] = mapped_column(Instant)
    trouble: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(Instant)


class HookSecretRow(Table):
    """A secret by which a sender proves itself, encrypted like credentials. `owner` is the id of a connection or of a
    trigger. The newest is the present one; a former one counts `until` then."""

    __tablename__ = "hook_secrets"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    owner: Mapped[str] = mapped_column(String(40), index=True)
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Instant)
    until: Mapped[datetime | None] = mapped_column(Instant)


class TriggerRow(Table):
    """What an event starts. `body` is the trigger as it is written (see `domain.hook.trigger`). `state`: `on`, `off`,
    or `parked` after its action failed `failures` times in a row, `message` saying how. `version` is its ETag."""

    __tablename__ = "triggers"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    source: Mapped[str] = mapped_column(String(20))
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(20), default="on")
    failures: Mapped[int] = mapped_column(default=0)
    message: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int] = mapped_column(default=1)
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)


class HookEventRow(Table):
    """An event that was accepted. The `id` is made from its `owner` (a connection or a trigger) and `delivery`, so that
    a repetition is the same row. `body` is the payload as JSON.

    `state`: `accepted`, `done`, `failed`. While it is to be handled `next_at` says when; it is moved ahead when
    somebody takes it, so that another does should that one die. `round` counts how often a handled event was handled
    again. `outcome` lists what came of it, `error` why it failed.
    """

    __tablename__ = "hook_events"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    owner: Mapped[str] = mapped_column(String(40))
    source: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(200))
    delivery: Mapped[str] = mapped_column(String(200))
    body: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(String(20), default="accepted")
    attempts: Mapped[int] = mapped_column(default=0)
    round: Mapped[int] = mapped_column(default=1)
    next_at: Mapped[datetime | None] = mapped_column(Instant)
    holder: Mapped[str] = mapped_column(String(40), default="")
    error: Mapped[str] = mapped_column(Text, default="")
    outcome: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    received_at: Mapped[datetime] = mapped_column(Instant)
    handled_at: Mapped[datetime | None] = mapped_column(Instant)
    __table_args__ = (
        Index("ix_hook_events_received_at", "received_at", "id"),
        Index("ix_hook_events_owner", "owner", "received_at", "id"),
        Index("ix_hook_events_state", "state", "received_at", "id"),
        Index(
            "ix_hook_events_next_at",
            "next_at",
            sqlite_where=text("next_at IS NOT NULL"),
            postgresql_where=text("next_at IS NOT NULL"),
        ),
    )


class FiringRow(Table):
    """That a trigger acted on an event, once: the `id` is made from the trigger, the event and its round, so that
    whoever handles the event again finds what was done. `effect` is the id of what came of it, written in the unit of
    work that does it. `state`: `begun`, `done`, `failed`, `skipped`. `key` is what the trigger acts once for."""

    __tablename__ = "firings"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    trigger_id: Mapped[str] = mapped_column(String(40))
    event_id: Mapped[str] = mapped_column(String(40), index=True)
    key: Mapped[str] = mapped_column(String(200), default="")
    project_id: Mapped[str | None] = mapped_column(String(40))
    action: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(20), default="begun")
    effect: Mapped[str | None] = mapped_column(String(200))
    message: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime] = mapped_column(Instant)
    __table_args__ = (
        Index("ix_firings_trigger_id", "trigger_id", "at"),
        Index("ix_firings_key", "trigger_id", "key"),
    )
