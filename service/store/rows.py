"""What a statement did to rows, and being the only one that writes them."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from sqlalchemy import CursorResult, Result
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from sqlalchemy.dialects.postgresql import Insert

    from service.store.tables import Table


def rows_changed(result: Result[Any]) -> int:
    """How many rows an INSERT, UPDATE or DELETE changed; how it is known whether this call did it or another."""
    assert isinstance(result, CursorResult)  # noqa: S101 - what such a statement gives
    return result.rowcount


def insert(session: Session, table: type[Table]) -> Insert | sqlite.Insert:
    """An INSERT that can say what becomes of a row that is there already, for the database that this is."""
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # brings asyncio along, which a command on SQLite does without

    return postgresql.insert(table)


def keep_others_out(session: Session) -> None:
    """On SQLite, which locks no rows: let nobody else write until this unit of work ends. Elsewhere nothing."""
    connection = session.connection()
    raw = connection.connection.dbapi_connection
    if isinstance(raw, sqlite3.Connection) and not raw.in_transaction:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
