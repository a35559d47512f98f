"""A list of events costs the same however many are stored: counted in what the database does, not in seconds."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert, text

from service.context import Context, open_context
from service.domain.hook.trigger import trigger_from_json
from service.settings import Settings
from service.store import hook_events
from service.store.hook_tables import HookEventRow
from service.usecases.hook import events, triggers
from tests.homes import furnish
from tests.postgres import scratch_database
from tests.statements import statements

FEW, MANY = 1_000, 100_000
BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)
PAGE = 50

LISTS: list[Callable[[Context, str], object]] = [
    lambda context, _owner: events.listed(context, PAGE),
    lambda context, _owner: events.listed(context, PAGE, f"evt_{FEW // 2}"),
    lambda context, _owner: events.listed(context, PAGE, state="failed"),
    lambda context, owner: events.listed(context, PAGE, sender=owner),
    lambda context, _owner: _waiting(context),
    lambda context, _owner: _taken(context),
]
NAMES = ["the newest", "a further page", "those that failed", "those of a sender", "those that wait", "the next to do"]


def _waiting(context: Context) -> object:
    with context.database.session() as session:
        return hook_events.waiting(session)


def _taken(context: Context) -> object:
    with context.database.session() as session:
        found = hook_events.take(session, context.now(), "hnd_test", 4, lambda _owner: 4)
        session.rollback()
        return found


def _store(context: Context, owner: str, first: int, last: int) -> None:
    rows = [
        {
            "id": f"evt_{number}",
            "owner": owner if number % 2 else "trg_other",
            "source": "wandb",
            "name": "event",
            "delivery": str(number),
            "body": b"{}",
            "state": "failed" if number % 5 == 0 else "done",
            "attempts": 1,
            "round": 1,
            "next_at": None,
            "holder": "",
            "error": "",
            "outcome": [],
            "received_at": BEGAN + timedelta(seconds=number),
            "handled_at": BEGAN,
        }
        for number in range(first, last)
    ]
    with context.database.session() as session:
        session.execute(insert(HookEventRow), rows)


def _with_a_trigger(context: Context) -> str:
    definition = {"name": "many", "source": "wandb", "project": "ML", "action": "audit"}
    return triggers.put(context, trigger_from_json(definition), "lead@example.com").id


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Context]:
    furnish(tmp_path / "home")
    settings = Settings(_env_file=None, home=tmp_path / "home", database_url=None, secret_key=None)
    with closing(open_context(settings)) as context:
        yield context


def test_on_sqlite_a_list_takes_as_many_steps_and_statements_of_many_as_of_few(embedded: Context) -> None:
    owner = _with_a_trigger(embedded)
    _store(embedded, owner, 0, FEW)
    few = [_steps(embedded, owner, each) for each in LISTS]
    _store(embedded, owner, FEW, MANY)
    many = [_steps(embedded, owner, each) for each in LISTS]

    for name, before, after in zip(NAMES, few, many, strict=True):
        assert after[1] == before[1], name
        assert after[0] <= before[0] * 1.2 + 100, name


def _steps(context: Context, owner: str, each: Callable[[Context, str], object]) -> tuple[int, int]:
    """Steps of SQLite's machine, in tens, and statements."""
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    connections: set[sqlite3.Connection] = set()

    def begun(raw: Any, *_: object) -> None:
        connections.add(raw)
        raw.set_progress_handler(step, 10)

    event.listen(context.database.engine, "checkout", begun)
    try:
        with statements(context, events=True) as sent:
            each(context, owner)
    finally:
        event.remove(context.database.engine, "checkout", begun)
        for raw in connections:
            raw.set_progress_handler(None, 0)
    return count, len(sent)


def test_on_postgresql_a_list_reads_about_as_many_rows_as_it_shows(tmp_path: Path) -> None:
    with scratch_database(tables=True) as url:
        settings = Settings(_env_file=None, home=tmp_path / "home", database_url=url, secret_key=None)
        with closing(open_context(settings)) as context:
            owner = _with_a_trigger(context)
            _store(context, owner, 0, MANY)
            with context.database.session() as session:
                session.execute(text("ANALYZE hook_events"))
            for where in ("true", "state = 'failed'", f"owner = '{owner}'"):
                query = f"SELECT * FROM hook_events WHERE {where} ORDER BY received_at DESC, id DESC LIMIT {PAGE}"
                with context.database.session() as session:
                    plan = session.execute(text(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}")).scalar_one()
                assert _rows_read(plan[0]["Plan"]) <= 3 * PAGE, where  # half of all are of this sender


def _rows_read(node: dict[str, Any]) -> int:
    """Rows that the scans of a plan read, those that they passed over included."""
    inner = [_rows_read(one) for one in node.get("Plans", ())]
    own = node["Actual Rows"] + node.get("Rows Removed by Filter", 0) if "Scan" in node["Node Type"] else 0
    return int(own) + sum(inner)
