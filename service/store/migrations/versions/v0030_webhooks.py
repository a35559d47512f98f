"""Webhooks: where senders are let in, what they sent, what it starts."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0030"
down_revision: str | None = "0021"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "hooks",
        sa.Column("connection_id", sa.String(40), nullable=False),
        sa.Column("address", sa.String(500), nullable=False),
        sa.Column("remote", sa.JSON(), nullable=False),
        sa.Column("account", sa.String(200), nullable=False),
        sa.Column("opening_until", _INSTANT),
        sa.Column("checked_at", _INSTANT),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_hooks_connection_id_connections")),
        sa.PrimaryKeyConstraint("connection_id", name=op.f("pk_hooks")),
    )
    op.create_table(
        "hook_secrets",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("owner", sa.String(40), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("until", _INSTANT),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hook_secrets")),
    )
    op.create_index(op.f("ix_hook_secrets_owner"), "hook_secrets", ["owner"])
    op.create_table(
        "triggers",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("source", sa.String(20), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("updated_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_triggers")),
        sa.UniqueConstraint("name", name=op.f("uq_triggers_name")),
    )
    op.create_table(
        "hook_events",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("owner", sa.String(40), nullable=False),
        sa.Column("source", sa.String(20), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("delivery", sa.String(200), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("next_at", _INSTANT),
        sa.Column("holder", sa.String(40), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("outcome", sa.JSON(), nullable=False),
        sa.Column("received_at", _INSTANT, nullable=False),
        sa.Column("handled_at", _INSTANT),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hook_events")),
    )
    op.create_index("ix_hook_events_received_at", "hook_events", ["received_at", "id"])
    op.create_index("ix_hook_events_owner", "hook_events", ["owner", "received_at", "id"])
    op.create_index("ix_hook_events_state", "hook_events", ["state", "received_at", "id"])
    waiting = sa.text("next_at IS NOT NULL")
    op.create_index(
        "ix_hook_events_next_at", "hook_events", ["next_at"], sqlite_where=waiting, postgresql_where=waiting
    )
    op.create_table(
        "firings",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("trigger_id", sa.String(40), nullable=False),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("project_id", sa.String(40)),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("effect", sa.String(200)),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_firings")),
    )
    op.create_index(op.f("ix_firings_event_id"), "firings", ["event_id"])
    op.create_index("ix_firings_trigger_id", "firings", ["trigger_id", "at"])
    op.create_index("ix_firings_key", "firings", ["trigger_id", "key"])
