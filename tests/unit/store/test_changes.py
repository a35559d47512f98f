"""The log of changes: complete whoever writes, without secrets, and a chain that shows what was done to it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DatabaseError

from service.domain.access.identity import Actor, Kind
from service.domain.audit import chain
from service.store import changes
from service.store.access_tables import ChangeRow, GrantRow
from service.store.database import Database
from service.store.tables import ConnectionRow, Table, TeamRow, TokenRow
from tests.postgres import scratch_database

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
ML_1 = Actor(Kind.PERSON, "per_1", "ml-1@example.com", "REST from 192.0.2.7")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        opened = Database(f"sqlite:///{tmp_path / 'phaseloop.db'}")
        opened.upgrade()
        yield opened.acting(ML_1, lambda: NOW)
        opened.dispose()
        return
    with scratch_database() as url:
        opened = Database(url)
        opened.upgrade()
        yield opened.acting(ML_1, lambda: NOW)
        opened.dispose()


def team(number: int = 1, **body: Any) -> TeamRow:
    return TeamRow(id=f"tem_{number}", name=f"team {number}", body=body, version=1, updated_at=NOW)


def log(database: Database) -> list[ChangeRow]:
    with database.session() as session:
        return list(session.scalars(select(ChangeRow).order_by(ChangeRow.seq)))


def test_every_table_is_logged_or_says_why_it_is_not() -> None:
    logged = {kind.__tablename__ for kind in changes.LOGGED}

    assert logged | set(changes.NOT_LOGGED) == set(Table.metadata.tables)
    assert logged & set(changes.NOT_LOGGED) == set()


@pytest.mark.parametrize("kind", changes.LOGGED)
def test_a_column_that_is_logged_exists_and_a_secret_one_is_never_told(kind: type[Table]) -> None:
    told = changes.LOGGED[kind]

    assert {*told.columns, *told.secret} <= set(kind.__table__.columns.keys())
    assert set(told.columns) & {"secret", "hash", "feed"} == set()


def test_what_is_made_changed_and_removed_is_told_with_who_when_and_from_where(database: Database) -> None:
    with database.session() as session:
        session.add(team(members=["a"], calendar={}))
    with database.session() as session:
        session.get_one(TeamRow, "tem_1").body = {"members": ["a", "b"], "calendar": {}}
    with database.session() as session:
        session.delete(session.get_one(TeamRow, "tem_1"))

    made, changed, removed = log(database)
    assert [row.action for row in (made, changed, removed)] == ["created", "changed", "removed"]
    assert {row.thing for row in (made, changed, removed)} == {"team"}
    assert made.body["by"] == {"kind": "person", "id": "per_1", "name": "ml-1@example.com"}
    assert (made.by, made.at, made.body["from"]) == ("ml-1@example.com", NOW, "REST from 192.0.2.7")
    assert made.body["after"]["body"] == {"members": ["a"], "calendar": {}}
    assert changed.body["before"] == {"body": {"members": ["a"]}}
    assert changed.body["after"] == {"body": {"members": ["a", "b"]}}
    assert removed.body["before"]["name"] == "team 1"
    assert removed.body["after"] == {}


def test_statements_that_change_many_rows_are_told_row_by_row(database: Database) -> None:
    with database.session() as session:
        session.add_all([team(1), team(2), team(3)])
    with database.session() as session:
        session.execute(update(TeamRow).where(TeamRow.name != "team 2").values(version=TeamRow.version + 1))
    with database.session() as session:
        session.execute(delete(TeamRow).where(TeamRow.name == "team 2"))

    later = log(database)[3:]
    assert [(row.thing_id, row.action) for row in later] == [
        ("tem_1", "changed"),
        ("tem_3", "changed"),
        ("tem_2", "removed"),
    ]
    assert later[0].body["before"] == {"version": 1}
    assert later[0].body["after"] == {"version": 2}


def test_what_is_changed_twice_in_one_unit_of_work_is_told_once_from_first_to_last(database: Database) -> None:
    with database.session() as session:
        session.add(team())
    with database.session() as session:
        row = session.get_one(TeamRow, "tem_1")
        row.name = "between"
        session.flush()
        session.execute(update(TeamRow).values(version=7))
        row.name = "after"

    (told,) = log(database)[1:]
    assert told.body["before"] == {"name": "team 1", "version": 1}
    assert told.body["after"] == {"name": "after", "version": 7}


def test_what_nobody_decides_about_and_what_stays_the_same_is_not_told(database: Database) -> None:
    with database.session() as session:
        session.add(team())
    with database.session() as session:
        row = session.get_one(TeamRow, "tem_1")
        row.updated_at, row.name = datetime.now(UTC), "team 1"
        session.execute(update(TeamRow).values(version=1))

    assert len(log(database)) == 1


def test_what_is_rolled_back_is_not_told(database: Database) -> None:
    def fail() -> None:
        with database.session() as session:
            session.add(team())
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert log(database) == []


def test_a_secret_is_told_to_have_changed_and_never_what_it_is(database: Database) -> None:
    with database.session() as session:
        session.add(ConnectionRow(id="con_1", name="j", kind="jira", settings={}, secret=b"one-canary", created_at=NOW))
        session.add(TokenRow(id="tok_1", name="ci", hash="hash-canary", created_at=NOW))
    with database.session() as session:
        session.get_one(ConnectionRow, "con_1").secret = b"two-canary"

    rows = log(database)
    assert rows[-1].body["before"] == rows[-1].body["after"] == {"secret": "(secret)"}
    assert "canary" not in str([row.body for row in rows])


def test_a_guarded_unit_of_work_is_told_too(database: Database) -> None:
    asked = []
    with database.guarded(asked.append).session() as session:
        session.add(team())

    assert len(asked) == 1
    assert [row.by for row in log(database)] == ["ml-1@example.com"]


def test_the_log_is_one_chain_also_when_many_write_at_once(database: Database) -> None:
    def write(number: int) -> None:
        with database.session() as session:
            session.add(team(number))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(20)))

    rows = log(database)
    assert [row.seq for row in rows] == list(range(1, 21))
    assert chain.breaks([changes.entry_of(row) for row in rows]) == []


@pytest.mark.parametrize("statement", ["UPDATE changes SET thing = 'x'", "DELETE FROM changes"])
def test_the_database_refuses_to_change_the_log(database: Database, statement: str) -> None:
    with database.session() as session:
        session.add(team())

    with pytest.raises(DatabaseError, match="only grows"), database.engine.begin() as connection:
        connection.execute(text(statement))


def test_a_token_of_before_may_do_what_it_could(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'phaseloop.db'}")
    the_token_of_before_is_an_administrator(database)
    database.dispose()


def test_a_token_of_before_may_do_what_it_could_on_postgresql() -> None:
    with scratch_database() as url:
        database = Database(url)
        the_token_of_before_is_an_administrator(database)
        database.dispose()


def the_token_of_before_is_an_administrator(database: Database) -> None:
    database.upgrade("0015")
    with database.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO tokens (id, name, hash, created_at) VALUES ('tok_1', 'old', 'h', '2026-01-01 00:00:00+00:00')"
        )

    database.upgrade()

    with database.session() as session:
        (grant,) = session.scalars(select(GrantRow))
        assert (grant.holder_kind, grant.holder_id, grant.role, grant.project_id) == ("token", "tok_1", "admin", None)
        assert session.get_one(TokenRow, "tok_1").revoked_at is None
