"""Fields that people had changed before a write of ours went over them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0063"
down_revision: str | None = "0061"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply. Of items that exist none is known."""
    with op.batch_alter_table("items") as items:
        items.add_column(sa.Column("theirs", sa.JSON(), server_default="[]", nullable=False))
