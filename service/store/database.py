"""The database: one engine for SQLite or PostgreSQL, its sessions, and its schema version."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, create_engine, event, inspect, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

MIGRATIONS = Path(__file__).parent / "migrations"

VERSION = "0004"
"""The newest migration; a test holds it against the files. Written here so that a start need not load Alembic."""


UPGRADE_LOCK = 0x70686C7075706772
"""Key of the advisory lock ("phlpupgr") under which PostgreSQL's tables are changed."""


class SchemaMismatch(Exception):
    """The database's tables are not of this version of phaseloop."""


class Database:
    """A database of ours. Create one for each process and `dispose` of it at the end."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine: Engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
        if self.embedded:
            Path(self.engine.url.database or "").parent.mkdir(parents=True, exist_ok=True)
            event.listen(self.engine, "connect", _tune_sqlite)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    @property
    def embedded(self) -> bool:
        """Whether this is SQLite."""
        return self.url.startswith("sqlite")

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A unit of work: committed when the block ends, rolled back when it raises."""
        with self._sessions.begin() as session:
            yield session

    def ping(self) -> None:
        """Raise if the database does not answer."""
        with self.engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    @property
    def version(self) -> str | None:
        """The version of the tables, None for an empty database."""
        with self.engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()

    def upgrade(self) -> None:
        """Bring the tables to this version. Repeatable, and safe to be done by several processes at once."""
        if self.version == VERSION:
            return
        from alembic import command
        from alembic.config import Config

        with self.engine.begin() as connection:
            # One process at a time; who comes second finds nothing to do, because the version is read anew by then.
            if self.embedded:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": UPGRADE_LOCK})
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def check_schema(self) -> None:
        """Raise SchemaMismatch, saying what to do, unless the tables are of this version."""
        found = self.version
        if found != VERSION:
            there = f"version {found}" if found else "empty"
            msg = f"The database is {there}, this phaseloop needs version {VERSION}. Run: phaseloop db upgrade"
            raise SchemaMismatch(msg)

    def dispose(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _tune_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    """WAL, so that readers (the CLI, progress streams) never block the writer; foreign keys, off by default there."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
