"""The schema: migrations and models agree, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, StatementError

from service.store import dues
from service.store.database import MIGRATIONS, VERSION, Database
from service.store.tables import DueRow, LoopRow, MappingRow, PlanRow, ProjectRow, RunRow, StepRow, Table, TokenRow
from service.store_faults import SchemaMismatch
from tests.postgres import scratch_database


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        opened = Database(f"sqlite:///{tmp_path / 'phaseloop.db'}")
        yield opened
        opened.dispose()
        return
    with scratch_database() as url:
        opened = Database(url)
        yield opened
        opened.dispose()


def test_migrations_make_just_the_tables_that_the_models_describe(database: Database) -> None:
    database.upgrade()

    with database.engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), Table.metadata)
    assert found == []


def test_the_version_that_a_start_checks_is_the_newest_migration() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == VERSION


def test_an_empty_database_is_refused_with_the_command_that_mends_it(database: Database) -> None:
    with pytest.raises(SchemaMismatch, match="phaseloop db upgrade"):
        database.check_schema()


def test_upgrading_twice_changes_nothing(database: Database) -> None:
    database.upgrade()
    database.upgrade()

    database.check_schema()


def test_several_may_upgrade_at_once(database: Database) -> None:
    others = [Database(database.url) for _ in range(12)]
    with ThreadPoolExecutor(len(others)) as threads:
        for done in [threads.submit(other.upgrade) for other in others]:
            done.result()

    database.check_schema()
    for other in others:
        other.dispose()


def test_an_upgrade_keeps_the_rows_that_refer_to_a_table_that_is_changed(database: Database) -> None:
    database.upgrade("0003")
    day = "'2026-01-01 00:00:00+00:00'"
    with database.engine.begin() as connection:
        for statement in (
            f"INSERT INTO connections VALUES ('c', 'c', 'jira', '{{}}', '', {day})",
            f"INSERT INTO teams VALUES ('t', 't', '{{}}', 1, {day})",
            f"INSERT INTO templates VALUES ('d', 'n', '1', 's', 't', {day})",
            (
                'INSERT INTO projects (id, name, key, "create", connection_id, team_id, template_digest, parameters, '
                f"time_zone, serial, created_at) VALUES ('p', 'p', 'p', false, 'c', 't', 'd', '{{}}', 'UTC', 0, {day})"
            ),
            (
                "INSERT INTO plans (id, project_id, serial, body, reads, writes, seconds, created_at) "
                f"VALUES ('pl', 'p', 0, '{{}}', 0, 0, 0, {day})"
            ),
            (
                "INSERT INTO runs (id, kind, project_id, plan_id, state, started_by, created_at, message, findings) "
                f"VALUES ('r', 'apply', 'p', 'pl', 'completed', 'pm-1@example.com', {day}, '', '[]')"
            ),
            (
                "INSERT INTO steps (run_id, number, title, state, message, reads, writes, started_at, finished_at) "
                f"VALUES ('r', 1, 'Create 3 epics', 'go', '', 0, 1, {day}, {day})"
            ),
        ):
            connection.exec_driver_sql(statement)

    database.upgrade()

    with database.session() as session:
        run = session.get_one(RunRow, "r")
        assert (run.plan_id, run.attempt, run.iteration) == ("pl", 1, None)
        assert session.scalars(select(StepRow.title)).all() == ["Create 3 epics"]
        project = session.get_one(ProjectRow, "p")
        assert (project.calendar, project.turning) == ({}, {})


def test_references_are_checked_again_after_an_upgrade(database: Database) -> None:
    database.upgrade()

    with pytest.raises(IntegrityError), database.session() as session:
        session.add(PlanRow(id="pl", project_id="nobody's", serial=0, body={}, created_at=datetime.now(UTC)))


def test_times_come_back_as_they_went_in(database: Database) -> None:
    database.upgrade()
    moment = datetime(2026, 3, 29, 1, 30, tzinfo=timezone(timedelta(hours=2)))

    with database.session() as session:
        session.add(TokenRow(id="tok_1", name="one", hash="h", created_at=moment))
    with database.session() as session:
        stored = session.get_one(TokenRow, "tok_1").created_at

    assert stored == moment
    assert stored.tzinfo is UTC


def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    database.upgrade()

    with pytest.raises(StatementError, match="needs a zone"), database.session() as session:
        session.add(TokenRow(id="tok_1", name="one", hash="h", created_at=datetime(2026, 1, 1)))  # noqa: DTZ001


def test_a_unit_of_work_that_fails_leaves_nothing(database: Database) -> None:
    database.upgrade()

    def half_done() -> None:
        with database.session() as session:
            session.add(TokenRow(id="tok_1", name="one", hash="h", created_at=datetime.now(UTC)))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half_done()

    with database.session() as session:
        assert session.get(TokenRow, "tok_1") is None


def test_an_upgrade_keeps_where_a_project_was_built_and_which_lists_and_labels_are_its_own(database: Database) -> None:
    database.upgrade("0008")
    day = "'2026-01-01 00:00:00+00:00'"
    item = "INSERT INTO items (project_id, key, kind, state, remote_id, wanted, problems, updated_at) VALUES"
    with database.engine.begin() as connection:
        for statement in (
            f"INSERT INTO connections VALUES ('c', 'c', 'trello', '{{}}', '', {day})",
            f"INSERT INTO teams VALUES ('t', 't', '{{}}', 1, {day})",
            f"INSERT INTO templates VALUES ('d', 'n', '1', 's', 't', {day})",
            (
                'INSERT INTO projects (id, name, key, "create", connection_id, team_id, template_digest, parameters, '
                f"time_zone, serial, created_at) VALUES ('p', 'p', 'p', false, 'c', 't', 'd', '{{}}', 'UTC', 0, {day})"
            ),
            (
                "INSERT INTO runs (id, kind, project_id, state, started_by, created_at, message, findings, place) "
                f"VALUES ('r', 'apply', 'p', 'completed', 'x', {day}, '', '[]', '{{\"ref\": {{\"id\": \"b1\"}}}}')"
            ),
            f"{item} ('p', 'column:Done', 'column', 'made', 'l1', '{{}}', '[]', {day})",
            f"{item} ('p', 'label:role:ml', 'label', 'made', 'l2', '{{}}', '[]', {day})",
        ):
            connection.exec_driver_sql(statement)

    database.upgrade()

    with database.session() as session:
        row = session.get_one(ProjectRow, "p")
        assert (row.site, row.remote_id) == (None, "b1")
        assert row.memory == {"labels": {"role:ml": "l2"}}
        done = session.get_one(MappingRow, ("c", "", "b1")).entries["done-list"]
        assert (done["id"], done["name"], done["found"]) == ("l1", "Done", "own")


def test_an_upgrade_keeps_what_is_due_and_for_whom_it_waits(database: Database) -> None:
    database.upgrade("0063")
    day = "'2026-01-01 00:00:00+00:00'"
    loop = "INSERT INTO loops (project_id, state, current, due, answers, message, changed_by, feed, updated_at"
    project = (
        'INSERT INTO projects (id, name, key, "create", connection_id, team_id, template_digest, parameters, '
        "time_zone, serial, created_at) VALUES"
    )
    with database.engine.begin() as connection:
        for statement in (
            f"INSERT INTO connections VALUES ('c', 'c', 'trello', '{{}}', '', {day})",
            f"INSERT INTO teams VALUES ('t', 't', '{{}}', 1, {day})",
            f"INSERT INTO templates VALUES ('d', 'n', '1', 's', 't', {day})",
            *(
                f"{project} ('{id_}', '{id_}', '{id_}', false, 'c', 't', 'd', '{{}}', 'UTC', 0, {day})"
                for id_ in ("turns", "waits", "rests")
            ),
            (
                f"{loop}, next_due, audit_due) VALUES ('turns', 'turning', 1, 'propose', '{{}}', '', '', 'f1', {day}, "
                "'2026-03-02 09:00:00+00:00', '2026-03-03 09:00:00+00:00')"
            ),
            (
                f"{loop}, next_due, behind) VALUES ('waits', 'turning', 0, 'advance', '{{}}', '', '', 'f2', {day}, "
                "'2026-03-04 09:00:00+00:00', 7)"
            ),
            f"{loop}) VALUES ('rests', 'paused', 0, 'advance', '{{}}', '', '', 'f3', {day})",
        ):
            connection.exec_driver_sql(statement)

    database.upgrade()

    with database.session() as session:
        kept = {(row.project_id, row.kind): (row.at.isoformat(), row.behind) for row in session.scalars(select(DueRow))}
        assert session.get_one(LoopRow, "turns").due == "propose"
    assert kept == {
        ("turns", dues.TURN): ("2026-03-02T09:00:00+00:00", None),
        ("turns", dues.AUDIT): ("2026-03-03T09:00:00+00:00", None),
        ("waits", dues.TURN): ("2026-03-04T09:00:00+00:00", 7),
    }
