"""Which open tickets became those of a phase that is entered again, and which comments are our own."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("loops") as loops:
        loops.add_column(sa.Column("continued", sa.JSON(), nullable=False, server_default="{}"))
    with op.batch_alter_table("items") as items:
        items.add_column(sa.Column("comments", sa.JSON(), nullable=False, server_default="[]"))
