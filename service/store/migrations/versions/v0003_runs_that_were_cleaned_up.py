"""What is kept of a run whose steps were cleaned up."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("runs") as runs:
        runs.add_column(sa.Column("totals", sa.JSON(), nullable=True))
        runs.add_column(sa.Column("cleaned_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("plans") as plans:
        plans.add_column(sa.Column("cleaned_at", sa.DateTime(timezone=True), nullable=True))
