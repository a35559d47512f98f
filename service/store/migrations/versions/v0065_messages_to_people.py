"""Messages to people: where they hear of things, what became of each message, and what is yet to be told."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0065"
down_revision: str | None = "0064"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply. What happened before is told to nobody."""
    op.create_table(
        "receivers",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("subscriptions", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("holder", sa.String(40), nullable=False),
        sa.Column("held_until", _INSTANT),
        sa.Column("next_at", _INSTANT),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("updated_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receivers")),
        sa.UniqueConstraint("name", name=op.f("uq_receivers_name")),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("receiver_id", sa.String(40), nullable=False),
        sa.Column("project_id", sa.String(40), nullable=False),
        sa.Column("channel", sa.String(80), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("iteration", sa.Integer()),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("next_at", _INSTANT),
        sa.Column("tried_since", _INSTANT),
        sa.Column("asked_at", _INSTANT),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("posted", sa.String(80), nullable=False),
        sa.Column("thread", sa.String(80), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("ended_at", _INSTANT),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
    )
    op.create_index("ix_deliveries_created_at", "deliveries", ["created_at", "id"])
    op.create_index("ix_deliveries_state", "deliveries", ["state", "created_at", "id"])
    op.create_index("ix_deliveries_place", "deliveries", ["receiver_id", "channel", "project_id", "created_at"])
    waiting = sa.text("next_at IS NOT NULL")
    op.create_index("ix_deliveries_next_at", "deliveries", ["next_at"], sqlite_where=waiting, postgresql_where=waiting)
    op.add_column("events", sa.Column("untold", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.execute(sa.text("UPDATE events SET untold = false"))
    untold = sa.text("untold")
    op.create_index("ix_events_untold", "events", ["id"], sqlite_where=untold, postgresql_where=untold)
