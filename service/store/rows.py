"""What a statement did to rows, and being the only one that writes them."""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy import CursorResult, Result
from sqlalchemy.orm import Session


def rows_changed(result: Result[Any]) -> int:
    """How many rows an INSERT, UPDATE or DELETE changed; how it is known whether this call did it or another."""
    assert isinstance(result, CursorResult)  # noqa: S101 - what such a statement gives
    return result.rowcount


def keep_others_out(session: Session) -> None:
    """On SQLite, which locks no rows: let nobody else write until this unit of work ends. Elsewhere nothing."""
    connection = session.connection()
    raw = connection.connection.dbapi_connection
    if isinstance(raw, sqlite3.Connection) and not raw.in_transaction:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
