"""Conflicts of a run: fields that people changed since it was planned, and that it left to them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply. Runs that exist have none."""
    with op.batch_alter_table("runs") as runs:
        runs.add_column(sa.Column("conflicts", sa.JSON(), nullable=True))
