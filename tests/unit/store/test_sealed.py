"""What is encrypted is known in one place, so that a rotation of keys reaches all of it."""

from __future__ import annotations

from sqlalchemy import LargeBinary, inspect

import service.store.access_tables
import service.store.hook_tables  # noqa: F401 - has its tables known
from service.store.sealed import SEALED
from service.store.tables import Table

PLAIN = {"hook_events.body": "what others sent, with its secrets hidden"}
"""Columns of bytes that are not encrypted, with the reason."""


def test_each_column_of_bytes_is_encrypted_and_rotated_or_excepted_with_a_reason() -> None:
    tables = {mapper.class_.__tablename__: mapper.class_ for mapper in Table.registry.mappers}
    columns = {
        f"{name}.{column.name}"
        for name, kind in tables.items()
        for column in inspect(kind).columns
        if isinstance(column.type, LargeBinary)
    }

    assert columns == {f"{kind.__tablename__}.secret" for kind in SEALED} | set(PLAIN)
