"""Which project of which site a project of ours is, and by which ids its lists, labels and board are known."""

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_PROJECTS = sa.table(
    "projects",
    sa.column("id", sa.String),
    sa.column("remote_id", sa.String),
    sa.column("memory", sa.JSON),
)
_COLUMN, _LABEL = "column:", "label:"


def upgrade() -> None:
    """Apply. Where a project is, its newest run knows; the site is learned the next time that its tracker is looked at.
    The lists and labels that were made for it are known from its records."""
    with op.batch_alter_table("projects") as projects:
        projects.add_column(sa.Column("site", sa.String(length=300), nullable=True))
        projects.add_column(sa.Column("remote_id", sa.String(length=200), nullable=True))
        projects.add_column(sa.Column("memory", sa.JSON(), nullable=False, server_default="{}"))
    connection = op.get_bind()
    for project, place in _places(connection).items():
        connection.execute(_PROJECTS.update().where(_PROJECTS.c.id == project).values(remote_id=place))
    for project, memory in _memories(connection).items():
        connection.execute(_PROJECTS.update().where(_PROJECTS.c.id == project).values(memory=memory))
    open_ones = sa.text("ended_at IS NULL")
    op.create_index(
        "uq_projects_site_remote_id",
        "projects",
        ["site", "remote_id"],
        unique=True,
        sqlite_where=open_ones,
        postgresql_where=open_ones,
    )


def _places(connection: sa.Connection) -> dict[str, str]:
    """The tracker's own id of each project that was built in."""
    query = "SELECT project_id, place FROM runs WHERE place IS NOT NULL ORDER BY created_at"
    found: dict[str, str] = {}
    for project, place in connection.execute(sa.text(query)):
        told: Any = json.loads(place) if isinstance(place, str) else place
        ref = told.get("ref") if isinstance(told, dict) else None
        if isinstance(ref, dict) and ref.get("id"):
            found[str(project)] = str(ref["id"])
    return found


def _memories(connection: sa.Connection) -> dict[str, dict[str, dict[str, str]]]:
    """The lists and labels of each board that was built on, by what they were called when they were made."""
    query = "SELECT project_id, key, remote_id FROM items WHERE kind IN ('column', 'label') AND remote_id IS NOT NULL"
    found: dict[str, dict[str, dict[str, str]]] = {}
    for project, key, remote_id in connection.execute(sa.text(query)):
        memory = found.setdefault(str(project), {"lists": {}, "roles": {}, "labels": {}})
        if key.startswith(_COLUMN):
            memory["lists"][key.removeprefix(_COLUMN)] = remote_id
            memory["roles"][remote_id] = key.removeprefix(_COLUMN)
        elif key.startswith(_LABEL):
            memory["labels"][key.removeprefix(_LABEL)] = remote_id
    return found
