"""When the people of a project are written to, and which messages wait for it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0068"
down_revision: str | None = "0067"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply. Nothing is quiet until somebody says so."""
    op.add_column("projects", sa.Column("notices", sa.JSON(), server_default="{}", nullable=False))
    op.add_column("deliveries", sa.Column("quiet", sa.Boolean(), server_default=sa.false(), nullable=False))
