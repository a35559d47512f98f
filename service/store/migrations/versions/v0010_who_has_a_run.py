"""Whose a run is: the token of the execution that has it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply. A run that an older version is executing has no token: to be taken over, it must have been stopped."""
    with op.batch_alter_table("runs") as runs:
        runs.add_column(sa.Column("owner", sa.String(length=40), nullable=True))
