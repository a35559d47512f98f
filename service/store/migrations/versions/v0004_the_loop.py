"""The loop: how it stands, its iterations, what was carried, what happened."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply. Projects that exist keep the working time and the way of turning that their team and template have."""
    with op.batch_alter_table("projects") as projects:
        projects.add_column(sa.Column("calendar", sa.JSON(), nullable=False, server_default="{}"))
        projects.add_column(sa.Column("turning", sa.JSON(), nullable=False, server_default="{}"))
    with op.batch_alter_table("runs") as runs:
        runs.alter_column("plan_id", existing_type=sa.String(length=40), nullable=True)
        runs.add_column(sa.Column("attempt", sa.Integer(), nullable=False, server_default="1"))
        runs.add_column(sa.Column("iteration", sa.Integer(), nullable=True))
    op.create_table(
        "loops",
        sa.Column("project_id", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("current", sa.Integer(), nullable=False),
        sa.Column("next_first", sa.Date(), nullable=True),
        sa.Column("next_due", _INSTANT, nullable=True),
        sa.Column("due", sa.String(length=20), nullable=False),
        sa.Column("run_id", sa.String(length=80), nullable=True),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("decision", sa.JSON(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.String(length=200), nullable=False),
        sa.Column("feed", sa.String(length=64), nullable=False),
        sa.Column("updated_at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_loops_project_id_projects"),
        sa.PrimaryKeyConstraint("project_id", name="pk_loops"),
        sa.UniqueConstraint("feed", name="uq_loops_feed"),
    )
    due = sa.text("next_due IS NOT NULL")
    op.create_index("ix_loops_next_due", "loops", ["next_due"], sqlite_where=due, postgresql_where=due)
    op.create_table(
        "iterations",
        sa.Column("project_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("phase", sa.String(length=40), nullable=False),
        sa.Column("loop", sa.Integer(), nullable=False),
        sa.Column("of_phase", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=250), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("starts", _INSTANT, nullable=False),
        sa.Column("ends", _INSTANT, nullable=False),
        sa.Column("began_at", _INSTANT, nullable=False),
        sa.Column("closed_at", _INSTANT, nullable=True),
        sa.Column("began_by", sa.String(length=80), nullable=True),
        sa.Column("closed_by", sa.String(length=80), nullable=True),
        sa.Column("tickets", sa.JSON(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=True),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_iterations_project_id_projects"),
        sa.PrimaryKeyConstraint("project_id", "number", name="pk_iterations"),
    )
    op.create_table(
        "carries",
        sa.Column("project_id", sa.String(length=40), nullable=False),
        sa.Column("ticket", sa.String(length=200), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("policy", sa.String(length=20), nullable=False),
        sa.Column("to", sa.Integer(), nullable=True),
        sa.Column("run_id", sa.String(length=80), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_carries_project_id_projects"),
        sa.PrimaryKeyConstraint("project_id", "ticket", "number", name="pk_carries"),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("project_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("iteration", sa.Integer(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("run_id", sa.String(length=80), nullable=True),
        sa.Column("at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_events_project_id_projects"),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sa.UniqueConstraint("project_id", "name", name="uq_events_project_name"),
    )
