"""What the clock is to do, and when: a table of its own in place of two columns of the loops."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0064"
down_revision: str | None = "0063"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_BEHIND, _READY = sa.text("behind IS NOT NULL"), sa.text("behind IS NULL")


def upgrade() -> None:
    """Apply. What was due is due at the same time as before."""
    op.create_table(
        "dues",
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("behind", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_dues_project_id_projects")),
        sa.PrimaryKeyConstraint("project_id", "kind", name=op.f("pk_dues")),
    )
    op.create_index("ix_dues_at", "dues", ["at"], sqlite_where=_READY, postgresql_where=_READY)
    op.create_index("ix_dues_behind", "dues", ["behind"], sqlite_where=_BEHIND, postgresql_where=_BEHIND)
    op.execute(
        "INSERT INTO dues (project_id, kind, at, behind) SELECT project_id, 'turn', next_due, behind FROM loops "
        "WHERE next_due IS NOT NULL AND state = 'turning'"
    )
    op.execute(
        "INSERT INTO dues (project_id, kind, at) SELECT project_id, 'audit', audit_due FROM loops "
        "WHERE audit_due IS NOT NULL"
    )
    for index in ("ix_loops_behind", "ix_loops_next_due", "ix_loops_audit_due"):
        op.drop_index(index, "loops")
    with op.batch_alter_table("loops") as loops:
        for column in ("next_due", "audit_due", "behind"):
            loops.drop_column(column)
