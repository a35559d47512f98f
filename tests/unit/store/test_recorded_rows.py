"""A step's look at the recorded items: where all are, in one read; rows of those asked for, as they were read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.values import ItemKey, ItemKind, RemoteRef
from service.context import Context
from service.store import items
from service.store.recorded_rows import RecordedRows
from tests.statements import statements
from tests.unit.stores import NOON, on, project_row

KEYS = [ItemKey(f"ticket:{number}") for number in range(1200)]


@pytest.fixture
def context(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Context]:
    for found in on("sqlite", tmp_path / "home"):
        with found.database.session() as session:
            session.add(project_row("ML"))
            session.flush()
            items.intend(session, "ML", [(key, ItemKind.TICKET) for key in KEYS], "run_1", "", NOON)
            for key in KEYS[1:]:
                ref = RemoteRef(f"1{key}", key.upper(), f"https://x/{key}")
                items.made(session, "ML", key, ItemKind.TICKET, ref, {"title": key}, "run_1", NOON)
        yield found


def rows_of(context: Context) -> RecordedRows:
    with context.database.session() as session:
        return RecordedRows(session, context.database, "ML")


def test_where_all_are_takes_one_statement_and_reads_no_row(context: Context) -> None:
    with statements(context) as sent:
        rows = rows_of(context)
        assert len(rows) == len(KEYS)
        assert KEYS[5] in rows
        assert ItemKey("ticket:none") not in rows
        assert len(rows.references) == len(KEYS) - 1
        assert KEYS[0] not in rows.references
        assert {one.state for one in rows.standing().values()} == {items.INTENDED, items.MADE}
    assert len(sent) == 1
    assert not rows.loaded


def test_rows_are_read_at_once_and_then_are_as_they_were_read(context: Context) -> None:
    rows = rows_of(context)
    with statements(context) as sent:
        rows.load([*KEYS[:300], ItemKey("ticket:none")])
        assert [rows[key].wanted.get("title") for key in KEYS[1:300]] == list(KEYS[1:300])
    assert len(sent) == 1
    with context.database.session() as session:
        items.written(session, "ML", KEYS[1], {"title": "renamed"}, "run_1", NOON)
    assert rows[KEYS[1]].wanted["title"] == KEYS[1]
    assert rows_of(context)[KEYS[1]].wanted["title"] == "renamed"


def test_all_rows_are_read_in_a_few_statements_and_one_that_is_not_there_is_an_error(context: Context) -> None:
    rows = rows_of(context)
    with statements(context) as sent:
        assert {row.key for _, row in rows.items()} == {row.key for row in rows.values()} == set(KEYS)
    assert len(sent) == 3
    with pytest.raises(KeyError):
        rows[ItemKey("ticket:none")]
    assert rows.get(ItemKey("ticket:none")) is None


def test_what_was_released_is_there_only_where_it_is_asked_for(context: Context) -> None:
    with context.database.session() as session:
        items.release(session, "ML", [KEYS[1]])
        plain = RecordedRows(session, context.database, "ML")
        whole = RecordedRows(session, context.database, "ML", released=True)
    assert KEYS[1] not in plain
    assert whole[KEYS[1]].state == items.RELEASED
