"""Roles for a period: an auditor sees the iterations in it, and nothing else."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0070"
down_revision: str | None = "0068"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply. Roles given before are for all iterations."""
    with op.batch_alter_table("grants") as grants:
        grants.add_column(sa.Column("first", sa.Date(), nullable=True))
        grants.add_column(sa.Column("last", sa.Date(), nullable=True))
