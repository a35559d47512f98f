"""Who made each item, runs that wait, stop and continue, projects that end."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply. Items made before are taken to be made by the run that wrote them last."""
    with op.batch_alter_table("items") as items:
        items.add_column(sa.Column("origin", sa.String(length=20), nullable=False, server_default="made"))
        items.add_column(sa.Column("made_by", sa.String(length=80), nullable=True))
    op.execute("UPDATE items SET made_by = run_id")
    with op.batch_alter_table("runs") as runs:
        runs.add_column(sa.Column("continues", sa.String(length=80), nullable=True))
        runs.add_column(sa.Column("serial", sa.Integer(), nullable=True))
        runs.add_column(sa.Column("waiting_until", _INSTANT, nullable=True))
        runs.add_column(sa.Column("cancel_requested_at", _INSTANT, nullable=True))
        runs.add_column(sa.Column("cancelled_by", sa.String(length=200), nullable=True))
    with op.batch_alter_table("projects") as projects:
        projects.add_column(sa.Column("ended_at", _INSTANT, nullable=True))
        projects.drop_index("uq_projects_connection_key")
    open_ones = sa.text("ended_at IS NULL")
    op.create_index(
        "uq_projects_connection_key",
        "projects",
        ["connection_id", "key"],
        unique=True,
        sqlite_where=open_ones,
        postgresql_where=open_ones,
    )
