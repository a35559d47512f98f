"""What stands for what in a tracker project. What was built on keeps what it used: in Jira what the last run wrote
with, in Trello the lists that were made on the board."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_LISTS = {
    "Epics": "epics-list",
    "Backlog": "backlog-list",
    "Iteration": "iteration-list",
    "In progress": "in-progress-list",
    "Review": "review-list",
    "Done": "done-list",
}
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "mappings",
        sa.Column("connection_id", sa.String(length=40), nullable=False),
        sa.Column("site", sa.String(length=300), nullable=False),
        sa.Column("tracker_project", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("entries", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name="fk_mappings_connection_id_connections"),
        sa.PrimaryKeyConstraint("connection_id", "site", "tracker_project", name="pk_mappings"),
    )
    _keep_what_was_used()


def downgrade() -> None:
    """Take back."""
    op.drop_table("mappings")


def _keep_what_was_used() -> None:
    """The things that runs wrote with, by the facts that they kept."""
    connection = op.get_bind()
    used = connection.execute(
        sa.text(
            "SELECT projects.connection_id, runs.place FROM runs JOIN projects ON projects.id = runs.project_id"
            " JOIN connections ON connections.id = projects.connection_id"
            " WHERE runs.place IS NOT NULL AND connections.kind = 'jira' AND projects.ended_at IS NULL"
            " ORDER BY runs.created_at"
        )
    ).all()
    now = datetime.now(UTC)
    found: dict[tuple[str, str], tuple[str, dict[str, Any]]] = _lists_out_of_memory(connection, now.isoformat())
    for connection_id, stored in used:
        place = json.loads(stored) if isinstance(stored, str) else stored
        facts = place.get("facts") if isinstance(place, dict) else None
        if facts and facts.get("project_id"):
            key = (connection_id, str(facts["project_id"]))
            found[key] = (str(facts.get("project_key", "")), _entries(facts, now.isoformat()))
    table = sa.table(
        "mappings",
        sa.column("connection_id", sa.String),
        sa.column("site", sa.String),
        sa.column("tracker_project", sa.String),
        sa.column("name", sa.String),
        sa.column("entries", sa.JSON),
        sa.column("version", sa.Integer),
        sa.column("updated_at", _INSTANT),
    )
    rows = [
        {
            "connection_id": connection_id,
            "site": "",  # learned at the next look
            "tracker_project": project,
            "name": name,
            "entries": entries,
            "version": 1,
            "updated_at": now if connection.dialect.name != "sqlite" else now.replace(tzinfo=None),
        }
        for (connection_id, project), (name, entries) in found.items()
        if entries
    ]
    if rows:
        op.bulk_insert(table, rows)


def _lists_out_of_memory(connection: sa.Connection, at: str) -> dict[tuple[str, str], tuple[str, dict[str, Any]]]:
    """What a project's memory held that is a choice from now on: the lists of its board. A board of Jira is known from
    the runs."""
    projects = sa.table(
        "projects",
        sa.column("id", sa.String),
        sa.column("key", sa.String),
        sa.column("connection_id", sa.String),
        sa.column("remote_id", sa.String),
        sa.column("ended_at", _INSTANT),
        sa.column("memory", sa.JSON),
    )
    found = {}
    for row in connection.execute(sa.select(projects)).all():
        memory = dict(row.memory or {})
        lists = memory.pop("lists", {})
        memory.pop("roles", None)
        if isinstance(memory.get("board", {}).get("id"), int):
            del memory["board"]
        if memory != row.memory:
            connection.execute(projects.update().where(projects.c.id == row.id).values(memory=memory))
        if lists and row.remote_id and row.ended_at is None:
            entries = {
                _LISTS[name]: {"id": str(identity), "name": name, "found": "own", "by": "", "at": at}
                for name, identity in lists.items()
                if name in _LISTS
            }
            found[row.connection_id, row.remote_id] = row.key, entries
    return found


def _entries(facts: dict[str, Any], at: str) -> dict[str, Any]:
    epic, ticket, link = facts.get("epic") or {}, facts.get("ticket") or {}, facts.get("link_type") or {}
    priorities = facts.get("priorities") or {}
    ids = {
        "epic-type": (epic.get("id"), epic.get("name")),
        "ticket-type": (ticket.get("id"), ticket.get("name")),
        "link-type": (f"{link['id']}:inward" if link.get("id") else None, link.get("name")),
        "board": (facts.get("board_id"), f"board {facts.get('board_id')}"),
        "estimate": (facts.get("points_field"), facts.get("points_field")),
        **{f"priority-{name}": (identity, name) for name, identity in priorities.items()},
    }
    return {
        role: {"id": str(identity), "name": str(name or identity), "found": "convention", "by": "", "at": at}
        for role, (identity, name) in ids.items()
        if identity is not None
    }
