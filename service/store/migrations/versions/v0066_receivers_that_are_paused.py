"""Receivers that are told nothing for a while, and why."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0066"
down_revision: str | None = "0065"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply. All that there are stay on."""
    op.add_column("receivers", sa.Column("paused", sa.Text(), server_default="", nullable=False))
