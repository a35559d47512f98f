"""A store with what loops need beside themselves: a connection, a team, a template; on either database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet

from service.context import Context
from service.settings import Settings
from service.store import dues
from service.store.database import Database
from service.store.tables import ConnectionRow, ProjectRow, TeamRow, TemplateRow
from service.store.vault import Vault
from tests.homes import furnish
from tests.postgres import scratch_database

NOON = datetime(2026, 3, 16, 12, tzinfo=UTC)


def on(kind: str, home: Path) -> Iterator[Context]:
    """A new store, on `sqlite` or `postgresql`, at noon."""
    if kind == "sqlite":
        furnish(home)
        yield from opened(f"sqlite:///{home / 'phaseloop.db'}", home)
        return
    with scratch_database(tables=True) as url:
        yield from opened(url, home)


def opened(url: str, home: Path) -> Iterator[Context]:
    """A new store at this address, at noon."""
    database = Database(url)
    database.upgrade()
    settings = Settings(home=home, _env_file=None, database_url=None)
    context = Context(settings, database, Vault([Fernet.generate_key().decode()]), now=lambda: NOON)
    with database.session() as session:
        session.add(ConnectionRow(id="con", name="c", kind="jira", settings={}, secret=b"", created_at=NOON))
        session.add(TeamRow(id="team", name="t", body={}, updated_at=NOON))
        session.add(TemplateRow(digest="d", name="n", version="1", source="s", text="", created_at=NOON))
    yield context
    context.close()


def project_row(name: str, /, **about: Any) -> ProjectRow:
    """A project of that connection, team and template, not yet in the store; its id, name and key are `name`."""
    usual = {"name": name, "key": name, "connection_id": "con", "team_id": "team", "template_digest": "d"}
    return ProjectRow(**{"id": name, **usual, "parameters": {}, "time_zone": "UTC", "created_at": NOON, **about})


def due(context: Context, project: str = "ml", kind: str = dues.TURN) -> datetime | None:
    """When the clock does that with the project; None: not at all."""
    with context.database.session() as session:
        return dues.at(session, project, kind)


def set_due(context: Context, projects: Sequence[str], when: datetime | None, kind: str = dues.TURN) -> None:
    """Have the clock do that with these projects then."""
    with context.database.session() as session:
        for project in projects:
            dues.put(session, project, kind, when)
