"""Projects that are only planned: a plan of them was kept, and none was applied yet."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0040"
down_revision: str | None = "0030"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply. Projects that are there stay set up."""
    with op.batch_alter_table("projects") as projects:
        projects.add_column(sa.Column("planned", sa.Boolean(), server_default=sa.false(), nullable=False))
