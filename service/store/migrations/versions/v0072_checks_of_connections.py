"""What the last check of each connection found."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0072"
down_revision: str | None = "0071"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply. Connections that are there were not checked yet, as far as we know."""
    op.create_table(
        "connection_checks",
        sa.Column("connection_id", sa.String(40), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True)),
        sa.Column("account", sa.JSON(), nullable=False),
        sa.Column("former", sa.JSON(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connections.id"], name=op.f("fk_connection_checks_connection_id_connections")
        ),
        sa.PrimaryKeyConstraint("connection_id", name=op.f("pk_connection_checks")),
    )
