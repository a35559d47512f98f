"""Everything that is stored encrypted, in one list: what a rotation of keys has to reach."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Table, select, update
from sqlalchemy.orm import Session

from service.store import changes
from service.store.access_tables import KeptFormRow, ProviderTokenRow
from service.store.hook_tables import HookSecretRow
from service.store.notice_tables import ReceiverRow
from service.store.rows import rows_changed
from service.store.tables import REMOVED, ConnectionRow, SigningKeyRow

SEALED = (ConnectionRow, SigningKeyRow, HookSecretRow, ProviderTokenRow, ReceiverRow, KeptFormRow)
"""The tables with a column `secret` that a key encrypts. A test holds them against all columns of bytes."""

AT_ONCE = 200
"""How many values are read, and written anew, in one unit of work."""


def anything(session: Session) -> bool:
    """Whether anything is stored encrypted."""
    return any(session.scalar(select(kind.id).where(kind.secret != REMOVED).limit(1)) is not None for kind in SEALED)


def pages(session: Session) -> Iterator[list[tuple[Table, str, bytes]]]:
    """All that is stored encrypted, some at a time: the table, the row's id, the value. Each page is read when it is
    asked for."""
    for kind in SEALED:
        table: Any = kind.__table__
        last = ""
        while True:
            query = select(table.c.id, table.c.secret).where(table.c.id > last, table.c.secret != REMOVED)
            found = session.connection().execute(query.order_by(table.c.id).limit(AT_ONCE)).all()
            if not found:
                break
            last = found[-1].id
            yield [(table, row.id, row.secret) for row in found]


def replace(session: Session, table: Table, number: str, before: bytes, after: bytes) -> bool:
    """Write one value anew unless somebody wrote it meanwhile; whether it was. Not in the change log: what is encrypted
    is what it was. Whoever rotates says so once, by `note`."""
    statement = update(table).where(table.c.id == number, table.c.secret == before).values(secret=after)
    return rows_changed(session.connection().execute(statement)) == 1


def note(session: Session, said: str) -> None:
    """Put into the change log what was done with the keys."""
    changes.append(session, "key", said)
