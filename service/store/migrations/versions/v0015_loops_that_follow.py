"""Loops whose team was changed, and that are yet to follow it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0015"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("loops") as loops:
        loops.add_column(sa.Column("behind", sa.Integer(), nullable=True))
    behind = sa.text("behind IS NOT NULL")
    op.create_index("ix_loops_behind", "loops", ["behind"], sqlite_where=behind, postgresql_where=behind)
