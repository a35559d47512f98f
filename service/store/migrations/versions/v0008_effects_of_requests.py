"""What a request with an idempotency key brought about, and who holds the key meanwhile."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply. Of a request that a former version left unanswered nobody knows what it did: its key is free, as it was
    then."""
    op.execute("DELETE FROM answers WHERE status IS NULL")
    with op.batch_alter_table("answers") as answers:
        answers.add_column(sa.Column("holder", sa.String(length=40), nullable=False, server_default=""))
        answers.add_column(sa.Column("held_at", sa.DateTime(timezone=True), nullable=True))
        answers.add_column(sa.Column("effect", sa.String(length=200), nullable=True))
