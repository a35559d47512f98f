"""What a project was called before it was renamed in its tracker, and by which names people were told of it last."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply. Projects that exist have the key that they have."""
    with op.batch_alter_table("projects") as projects:
        projects.add_column(sa.Column("names", sa.JSON(), nullable=False, server_default="{}"))
