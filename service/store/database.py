"""The database: one engine for SQLite or PostgreSQL, its sessions, and its schema version."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, func, inspect, select, text
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.orm import ORMExecuteState, Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

from service.clock import utc_now
from service.domain.access.identity import SERVICE, Actor
from service.store import changes
from service.store_faults import SchemaMismatch

MIGRATIONS = Path(__file__).parent / "migrations"

VERSION = "0072"
"""The newest migration; a test holds it against the files. Written here so that a start need not load Alembic."""


UPGRADE_LOCK = 0x70686C7075706772
"""Key of the advisory lock ("phlpupgr") under which PostgreSQL's tables are changed."""


LONGEST_LOCK = 10.0
"""Seconds that a statement waits for other writers of an SQLite file."""


_ASKED = "asked"


class Database:
    """A database of ours. Create one for each process and `dispose` of it at the end."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine: Engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
        if self.embedded:
            Path(self.engine.url.database or "").parent.mkdir(parents=True, exist_ok=True)
            event.listen(self.engine, "connect", _tune_sqlite)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        changes.listen(self._sessions)
        self.actor: Actor = SERVICE
        self._now: Callable[[], datetime] = utc_now

    @property
    def embedded(self) -> bool:
        """Whether this is SQLite."""
        return self.url.startswith("sqlite")

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A unit of work: committed when the block ends, rolled back when it raises. What it changes is in the change
        log, as done by this database's `actor`."""
        with self._sessions(info=changes.told_by(self.actor, self._now)) as session, session.begin():
            yield session

    def acting(self, actor: Actor, now: Callable[[], datetime] | None = None) -> Database:
        """The same database, with units of work that the change log says are this one's, at the time of `now`."""
        other = copy(self)
        other.actor, other._now = actor, now or self._now
        return other

    def guarded(self, guard: Callable[[Session], None]) -> Database:
        """The same database, with units of work that ask `guard` before they write for the first time. What it raises
        undoes them."""
        other = copy(self)
        other._sessions = sessionmaker(self.engine, expire_on_commit=False)

        def ask(session: Session) -> None:
            if not session.info.get(_ASKED):
                session.info[_ASKED] = True
                guard(session)

        def before_flush(session: Session, _context: object, _instances: object) -> None:
            if session.new or session.dirty or session.deleted:
                ask(session)

        def before_statement(state: ORMExecuteState) -> None:
            if state.is_insert or state.is_update or state.is_delete:
                ask(state.session)

        event.listen(other._sessions, "before_flush", before_flush)
        event.listen(other._sessions, "do_orm_execute", before_statement)
        changes.listen(other._sessions)
        return other

    def time(self) -> datetime:
        """What time it is by the database."""
        with self.engine.connect() as connection:
            said: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
            return said.astimezone(UTC)

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

    def upgrade(self, to: str = VERSION) -> None:
        """Bring the tables to this version, or to an older one on the way there. Repeatable, and safe to be done by
        several processes at once. Raises SchemaMismatch for tables of a version that this one does not know."""
        found = self.version
        _refuse_newer(found)
        if found == to:
            return
        from alembic import command
        from alembic.config import Config

        with self._alone() as connection:
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS))
            config.attributes["connection"] = connection
            command.upgrade(config, to)

    @contextmanager
    def _alone(self) -> Iterator[Connection]:
        """A unit of work in which tables may be changed, for one process at a time; who comes second finds nothing to
        do, because the version is read anew by then."""
        if not self.embedded:
            with self.engine.begin() as connection:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": UPGRADE_LOCK})
                yield connection
            return
        with self.engine.connect() as connection:
            # SQLite changes a table by making it anew: while the old one goes, what refers to it refers to nothing.
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.rollback()  # it counts only outside of a unit of work
            try:
                with connection.begin():
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                    yield connection
                    _check_references(connection)
            finally:
                connection.invalidate()  # the next one is made with references checked again

    def check_schema(self) -> None:
        """Raise SchemaMismatch, saying what to do, unless the tables are of this version."""
        found = self.version
        _refuse_newer(found)
        if found != VERSION:
            there = f"version {found}" if found else "empty"
            msg = f"The database is {there}, this phaseloop needs version {VERSION}. Run: phaseloop db upgrade"
            raise SchemaMismatch(msg)

    def dispose(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _refuse_newer(found: str | None) -> None:
    """Raise SchemaMismatch for a version that this phaseloop has no migration of."""
    if found is not None and found not in _known():
        msg = (
            f"The database is of version {found}, and this phaseloop knows versions up to {VERSION}: a newer one was "
            "used with it. Use that or a newer one, or give this one its own PHASELOOP_HOME or database."
        )
        raise SchemaMismatch(msg)


def _known() -> frozenset[str]:
    """The versions that this phaseloop knows, by the names of their migrations."""
    return frozenset(file.name[1:5] for file in (MIGRATIONS / "versions").glob("v[0-9]*.py"))


def _check_references(connection: Connection) -> None:
    """Raise IntegrityError if a row of this SQLite database refers to one that is not there."""
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        msg = f"a row of {broken[0]} refers to one of {broken[2]} that is not there"
        raise sqlite3.IntegrityError(msg)


def _tune_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    """WAL, so that readers (the CLI, progress streams) never block the writer; foreign keys, off by default there."""
    cursor = connection.cursor()
    for pragma in (f"busy_timeout={LONGEST_LOCK * 1000:.0f}", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    deadline = time.monotonic() + LONGEST_LOCK
    while not _writes_ahead(cursor):
        if time.monotonic() > deadline:
            msg = "database is locked"
            raise sqlite3.OperationalError(msg)
        time.sleep(0.01)
    cursor.close()


def _writes_ahead(cursor: DBAPICursor) -> bool:
    """Have the file's writes logged ahead; False while others are about to do the same, for which SQLite does not wait
    by itself."""
    try:
        cursor.execute("PRAGMA journal_mode=WAL")
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise
        return False
    return True
