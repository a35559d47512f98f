"""Addresses of people as channels, and what they want no mails of."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0067"
down_revision: str | None = "0066"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "unsubscribes",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("secret", sa.String(64), nullable=False),
        sa.Column("address", sa.String(254), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("since", _INSTANT),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unsubscribes")),
        sa.UniqueConstraint("secret", name=op.f("uq_unsubscribes_secret")),
        sa.UniqueConstraint("address", "kind", name=op.f("uq_unsubscribes_address")),
    )
    with op.batch_alter_table("deliveries") as deliveries:
        deliveries.alter_column("channel", existing_type=sa.String(80), type_=sa.String(254), existing_nullable=False)
