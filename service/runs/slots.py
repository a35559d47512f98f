"""Slots: how replicas on one PostgreSQL database have names of their own, and notice that one of them is dead.

A slot is a session advisory lock on a connection of its own, held as long as the process lives. The database
releases it when the connection ends, however the process ended, so whoever gets a foreign slot's lock knows that its
holder is gone. It also releases a connection on which nothing was asked for `SILENCE`: of a process that is stopped,
the system would keep the connection alive for ever.

A slot says who is probably gone, and that is all: that somebody who is not gone after all writes nothing more, is seen
to by the tokens of runs (`ownership`), which are read on the slot's connection.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress

import psycopg
from sqlalchemy import make_url, text
from sqlalchemy.exc import OperationalError

from service.clock import Ticking, ticking
from service.runs.lock import SlotLost
from service.runs.ownership import Owners
from service.store.database import Database

log = logging.getLogger(__name__)

LOCK_CLASS = 0x70686C70
"""First half of the keys of our advisory locks ("phlp"); the second is the slot's number."""

VISITORS = 1000
"""Slots above this are of commands that work off one run and leave; a service has one below."""

KEEPALIVE = {"idle": 10, "interval": 5, "count": 3}
"""When either side of the connection takes the other for gone: after some 25 seconds of silence."""


SILENCE = 10
"""Seconds without a question after which the database ends the connection. The keeper asks twice a second."""

UNHEARD = 5000
"""Milliseconds after which what was sent and is not acknowledged counts as lost."""

PATIENCE = 5
"""How often a slot that was lost is asked for before it counts as another's."""


class Slot:
    """A slot of this process. Its methods may be called from several threads."""

    def __init__(self, url: str, *, visiting: bool = False, now: Ticking = ticking) -> None:
        self._now = now
        self._url = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._first = VISITORS + 1 if visiting else 1
        self._turn = threading.Lock()
        self._connection: psycopg.Connection | None = None
        self._number = 0
        self._refused = 0

    @property
    def executor(self) -> str:
        """The slot's name in the engine's journal."""
        return f"slot-{self._number}"

    def take(self) -> None:
        """Take the first free slot. Raises OperationalError if the database does not answer."""
        with self._turn:
            try:
                self._connection = self._connect()
                self._number = self._first
                while not _try(self._connection, self._number):
                    self._number += 1
            except psycopg.Error as error:
                raise OperationalError("take a slot", None, error) from error

    def hold(self) -> bool:
        """Make sure that the slot is ours; False while the database cannot be reached. Raises SlotLost."""
        return self.owners(()) is not None

    def owners(self, run_ids: Collection[str]) -> Owners | None:
        """The tokens of these runs, read while the slot is ours; None while the database cannot be reached. One
        statement, three more where the connection was lost. Raises SlotLost."""
        with self._turn:
            if self._connection is not None:
                try:
                    return self._read(self._connection, run_ids)
                except psycopg.Error as error:
                    log.warning("the connection that holds %s was lost: %s", self.executor, _first_line(error))
                    self._drop()
            if not self._retake() or self._connection is None:
                return None
            try:
                return self._read(self._connection, run_ids)
            except psycopg.Error:
                self._drop()
                return None

    def _read(self, connection: psycopg.Connection, run_ids: Collection[str]) -> Owners:
        at = self._now()
        if not run_ids:
            connection.execute("SELECT 1")
            return Owners(at, {})
        rows = connection.execute("SELECT id, owner FROM runs WHERE id = ANY(%s)", (list(run_ids),)).fetchall()
        return Owners(at, dict(rows))

    def _retake(self) -> bool:
        try:
            connection = self._connect()
        except psycopg.Error:
            return False
        if not _try(connection, self._number):
            connection.close()
            self._refused += 1
            if self._refused < PATIENCE:  # it may be held just while our work is taken over
                return False
            msg = f"The connection that held {self.executor} was lost, and another process has it now."
            raise SlotLost(msg)
        self._connection, self._refused = connection, 0
        log.warning("%s is held again", self.executor)
        return True

    @contextmanager
    def dead(self, executor: str) -> Iterator[bool]:
        """Whether the holder of this name is gone; if so, nobody else gets its slot while the block lasts.

        A name that is no slot is of a version that had none, which ran alone: it is gone.
        """
        kind, _dash, number = executor.partition("-")
        if kind != "slot" or not number.isdecimal():
            yield True
            return
        with self._turn:
            connection = self._connection
            if (
                int(number) == self._number
                or connection is None
                or connection.closed
                or not _try(connection, int(number))
            ):
                yield False
                return
            try:
                yield True
            finally:
                connection.execute("SELECT pg_advisory_unlock(%s, %s)", (LOCK_CLASS, int(number)))

    def is_gone(self, executor: str) -> bool:
        """Whether the holder of this name is gone right now; False while the database cannot be asked."""
        try:
            with self.dead(executor) as dead:
                return dead
        except psycopg.Error:
            return False

    def release(self) -> None:
        """Give the slot back, free for others when this returns."""
        with self._turn:
            if self._connection is not None:
                with suppress(psycopg.Error):  # a connection that is gone holds nothing
                    self._connection.execute("SELECT pg_advisory_unlock_all()")
            self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> psycopg.Connection:
        connection = psycopg.connect(
            self._url,
            autocommit=True,
            connect_timeout=5,
            application_name="phaseloop slot",
            keepalives_idle=KEEPALIVE["idle"],
            keepalives_interval=KEEPALIVE["interval"],
            keepalives_count=KEEPALIVE["count"],
            tcp_user_timeout=UNHEARD,
        )
        # The server must notice a vanished host too, or its lock outlives it by hours; and a process that is stopped.
        for name, value in {
            **{f"tcp_keepalives_{k}": v for k, v in KEEPALIVE.items()},
            "idle_session_timeout": SILENCE * 1000,
        }.items():
            connection.execute("SELECT set_config(%s, %s, false)", (name, str(value)))
        return connection


def somebody_serves(database: Database) -> bool:
    """Whether a service is running on this PostgreSQL database: one of its slots is held."""
    query = text(
        "SELECT EXISTS (SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database "
        "WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND datname = current_database() "
        "AND classid = :of_ours AND objid <= :last)"
    )
    with database.session() as session:
        return bool(session.scalar(query, {"of_ours": LOCK_CLASS, "last": VISITORS}))


def _try(connection: psycopg.Connection, number: int) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s, %s)", (LOCK_CLASS, number)).fetchone()
    return bool(row and row[0])


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
