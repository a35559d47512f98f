"""Many projects due in the same minute: does what each costs stay the same as they grow in number?

First without a tracker: looking what is due, beginning it, enqueueing it, holding the journal against our record, and
the runs themselves, which find that their iteration has begun already. Then with the sandbox's Jira behind several
connections: whole advances that close, carry over and begin.
"""

from __future__ import annotations

import logging
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import httpx
from sqlalchemy import func, insert, select, update

from bench.common import PEOPLE, sandbox, template
from bench.turning import BEFORE, START, floor, opened, statements
from service import schedule
from service.context import Context
from service.domain.loop import loop_state
from service.domain.plan import run_state
from service.domain.team.team import Team
from service.runs.active_runs import Traffic
from service.runs.engine import QUEUE, Engine
from service.runs.maintenance import Keeper
from service.settings import Settings
from service.store import dues
from service.store.tables import ConnectionRow, DueRow, LoopRow, ProjectRow, RunRow
from service.usecases.loop.advances import Advancing
from service.usecases.setup import projects, teams
from tests.faults.replicas import postgresql
from tests.postgres import scratch_database

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"
WAITING = (1000, 10_000)
DRAINED = (8, 16, 32)
CONNECTIONS = 8
TICKETS = 20
LOOKS = 21
ENDED_RUNS = 200
"""So many of the waiting runs are carried out, to see what each costs while the others wait."""

_T = TypeVar("_T")

NOON = datetime(2026, 3, 16, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Due:
    """What it costs that so many projects are due at once, in milliseconds: a look at what is due when nothing is, to
    begin a run, to enqueue it, a look at the journal while all of them wait, and a run that finds nothing to do while
    the others wait. `statements` are those that beginning all of them took, for each."""

    store: str
    projects: int
    look: float
    begin: float
    statements: float
    enqueue: float
    journal: float
    run: float

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Drained:
    """Whole advances of so many projects that are due at once, and what each took: seconds of the wall clock, processor
    time of the service in milliseconds, requests, and statements to our store."""

    store: str
    projects: int
    connections: int
    seconds: float
    cpu: float
    requests: float
    statements: float

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def stores() -> tuple[str, ...]:
    """What can be measured here: SQLite, and PostgreSQL where there is one."""
    return (SQLITE, POSTGRESQL) if postgresql() else (SQLITE,)


def measure(store: str, size: int) -> Due:
    """Have that many projects due at once, without a tracker."""
    with _database(store) as url:
        return due(store, url, size)


def drain(store: str, sizes: Sequence[int], connections: int) -> list[Drained]:
    """Have groups of projects of these sizes advance, each group at once."""
    with _database(store) as url:
        return drained(store, url, sizes, connections)


@contextmanager
def _database(store: str) -> Iterator[str | None]:
    if store == SQLITE:
        yield None
        return
    with scratch_database() as url:
        yield url


# -- without a tracker ---------------------------------------------------------------------------------------------


def due(store: str, url: str | None, size: int) -> Due:
    """Have that many projects due at once, on SQLite or on the PostgreSQL database of this address."""
    with TemporaryDirectory(prefix="phaseloop-bench-") as home:
        settings = Settings(home=Path(home), database_url=url, secret_key=None)
        with closing(opened(settings)) as context:
            with Engine(context, Advancing()) as engine:
                engine.park()  # it begins nothing by itself, and what is enqueued waits
                _fill(context, size)
                look = _median(lambda: schedule.fire(context, NOON - timedelta(minutes=1)))
                with statements(context) as sent:
                    begun, begin = _timed(lambda: list(_all_due(context)))
                _count, enqueue = _timed(lambda: _enqueued(engine, begun))
                keeper = Keeper(context, Traffic(), QUEUE, engine.executor, None, engine.start, lambda _why: None)
                journal = _median(keeper.reconcile)
            with context.database.session() as session:
                session.execute(update(LoopRow).values(current=1))  # so that each run finds nothing to do
            a_run = _run_off(context, min(ENDED_RUNS, size))
    assert len(begun) == size
    each = (1000 * begin / size, sent[0] / size, 1000 * enqueue / size, 1000 * journal, 1000 * a_run)
    return Due(store, size, round(1000 * look, 2), *(round(value, 3) for value in each))


def _fill(context: Context, size: int) -> None:
    """Projects of one kind, spread over the connections, whose first iteration is due at noon."""
    now = context.now()
    names = [f"con-{number}" for number in range(CONNECTIONS)]
    with context.database.session() as session:
        for name in names:
            secret = context.vault.seal("{}")
            session.add(ConnectionRow(id=name, name=name, kind="jira", settings={}, secret=secret, created_at=now))
    members = tuple(
        {"person": handle, "email": f"{handle}@example.com", "roles": (role,)} for role, handle in PEOPLE.items()
    )
    teams.put(context, Team.model_validate({"name": "bench", "members": members}))
    request = projects.Request(
        "Bench", "ONE", names[0], "bench", template(TICKETS), {"start_date": START}, time_zone="UTC"
    )
    one = projects.put(context, request)
    shared = {column.key: getattr(one, column.key) for column in ProjectRow.__table__.columns}
    ids = [f"prj_{number:06}" for number in range(size)]
    rows = [
        {**shared, "id": id_, "key": id_, "connection_id": names[number % CONNECTIONS]}
        for number, id_ in enumerate(ids)
    ]
    turning = [{"project_id": id_, "state": loop_state.TURNING, "feed": id_, "updated_at": now} for id_ in ids]
    waiting = [{"project_id": id_, "kind": dues.TURN, "at": NOON} for id_ in ids]
    with context.database.session() as session:
        session.execute(insert(ProjectRow), rows)
        session.execute(insert(LoopRow), turning)
        session.execute(insert(DueRow), waiting)


def _all_due(context: Context) -> Iterator[tuple[str, str]]:
    while begun := schedule.fire(context, NOON):
        yield from begun


def _enqueued(engine: Engine, begun: Sequence[tuple[str, str]]) -> int:
    for workflow, partition in begun:
        engine.start(workflow, partition)
    return len(begun)


def _run_off(context: Context, enough: int) -> float:
    """Let the engine work until that many runs have ended; the seconds that each took."""
    with Engine(context, Advancing()):
        while not (first := _ended(context)):
            time.sleep(0.01)
        began = time.monotonic()
        while (last := _ended(context)) < enough:
            time.sleep(0.02)
        seconds = time.monotonic() - began
        logging.getLogger("dbos").setLevel(
            logging.CRITICAL
        )  # what it takes from the queue while it is stopped, it says
        return seconds / max(1, last - first)


def _ended(context: Context) -> int:
    with context.database.session() as session:
        query = select(func.count()).select_from(RunRow).where(RunRow.state == run_state.COMPLETED)
        return session.scalar(query) or 0


def _timed(call: Callable[[], _T]) -> tuple[_T, float]:
    began = time.monotonic()
    return call(), time.monotonic() - began


def _median(call: Callable[[], object]) -> float:
    return statistics.median(_timed(call)[1] for _ in range(LOOKS))


# -- with a tracker ------------------------------------------------------------------------------------------------


def drained(store: str, url: str | None, sizes: Sequence[int], connections: int) -> list[Drained]:
    """Build projects in one site and have them advance in groups of these sizes, each group at once."""
    with sandbox() as tracker, floor(tracker, url) as made:
        names = [made.connect(f"site-{number}", "jira") for number in range(connections)]
        numbers = count()
        text = template(TICKETS)
        groups = [
            [
                made.project(f"B{(number := next(numbers)):03}", names[number % connections], text, hour=9 + group)
                for _ in range(size)
            ]
            for group, size in enumerate(sizes)
        ]
        made.reach(0, made.made)
        monday = BEFORE.replace(hour=0) + timedelta(days=3)
        made.set(monday + timedelta(hours=9 + len(sizes)))
        made.reach(1, made.made)
        found = []
        for group, ids in enumerate(groups):
            httpx.delete(f"{tracker}/sandbox/requests").raise_for_status()
            with statements(made.context) as sent:
                cpu, began = time.process_time(), time.monotonic()
                made.set(monday + timedelta(days=14, hours=9 + group))
                made.reach(2, ids)
                for project in ids:
                    made.run(2, project)
                seconds, cpu = time.monotonic() - began, time.process_time() - cpu
            counts = httpx.get(f"{tracker}/sandbox/requests").raise_for_status().json()["counts"]
            size = len(ids)
            each = (seconds / size, 1000 * cpu / size, counts["total"] / size, sent[0] / size)
            found.append(Drained(store, size, connections, *(round(value, 3) for value in each)))
        return found
