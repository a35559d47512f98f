"""What the benchmarks of the loop share: an installation whose time is set, with projects whose loops turn."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from sqlalchemy import Connection, event, select

from bench.common import PEOPLE
from connectors.pacing import time_kept_by
from sandbox.jira.seed import DEMO_EMAIL, DEMO_TOKEN
from sandbox.trello.seed import KEY, TOKEN
from service.context import Context, open_context
from service.domain.plan import run_state
from service.domain.team.calendar_file import CalendarSpec
from service.domain.team.team import Team
from service.runs.engine import Engine
from service.settings import Settings
from service.store.database import Database
from service.store.tables import LoopRow, RunRow
from service.templates import TemplateText
from service.usecases.loop.advances import Advancing
from service.usecases.plan import planning
from service.usecases.run import plan_apply
from service.usecases.setup import connections, projects, teams

START = "2026-03-02"
"""The first day of each project, a Monday."""

BEFORE = datetime(2026, 2, 27, 12, tzinfo=UTC)
PATIENCE = 600.0
"""Seconds after which a benchmark gives up on what does not happen."""


@dataclass
class Clock:
    """Where time stands; it moves a little with every look, as clocks do."""

    now: datetime = BEFORE

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now


@dataclass
class Floor:
    """An installation with its engine running, and a sandbox in a process of its own."""

    context: Context
    engine: Engine
    clock: Clock
    url: str
    made: list[str] = field(default_factory=list)

    def set(self, now: datetime) -> None:
        """Let time come to that instant, here and in the tracker."""
        self.clock.now = now
        httpx.post(f"{self.url}/sandbox/clock", json={"now": now.isoformat()}).raise_for_status()

    def connect(self, name: str, tracker: str) -> str:
        """A connection to the sandbox's Jira or Trello; its name."""
        if tracker == "jira":
            connections.put(self.context, name, "jira", {"url": self.url, "email": DEMO_EMAIL}, DEMO_TOKEN)
        else:
            connections.put(self.context, name, "trello", {"url": self.url, "key": KEY, "invite": True}, TOKEN)
        return name

    def project(
        self, key: str, connection: str, text: TemplateText, *, hour: int = 9, turning: Mapping[str, Any] | None = None
    ) -> str:
        """Set a project up whose iterations begin on Mondays at that hour, and have its plan applied; its id."""
        request = projects.Request(
            name=f"Bench {key}",
            key=key,
            connection=connection,
            team="bench",
            template=text,
            parameters={"start_date": START},
            time_zone="UTC",
            calendar=CalendarSpec(start=f"{hour:02}:00", end="20:00"),
            turning={"carry_over": "next", **(turning or {})},
            create=True,
        )
        project = projects.put(self.context, request).id
        plan_apply.apply(self.context, planning.make_plan(self.context, project).id, "bench", self.engine.start)
        self.made.append(project)
        return project

    def reach(self, number: int, ids: Collection[str]) -> None:
        """Wait until these projects are in the iteration of this number; 0 is when their loops have begun."""
        deadline = time.monotonic() + PATIENCE
        while len(self._in(number, ids)) < len(ids):
            if (trouble := self._trouble()) or time.monotonic() > deadline:
                raise SystemExit(f"the projects do not reach iteration {number}: {trouble or 'no time is left'}")
            time.sleep(0.05)

    def _in(self, number: int, ids: Collection[str]) -> Sequence[str]:
        query = select(LoopRow.project_id).where(LoopRow.project_id.in_(ids), LoopRow.current >= number)
        with self.context.database.session() as session:
            return session.scalars(query).all()

    def _trouble(self) -> list[str]:
        wrong = [run_state.HELD, run_state.FAILED, run_state.INCOMPLETE]
        with self.context.database.session() as session:
            found = session.scalars(select(RunRow).where(RunRow.state.in_(wrong)).limit(3)).all()
            return [f"{run.id} is {run.state}: {run.findings}" for run in found]

    def run(self, number: int, project: str) -> RunRow:
        """The run that began this iteration, once it has ended."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with self.context.database.session() as session:
                run = session.get_one(RunRow, f"advance-{project}-{number}")
            if run.state in run_state.ENDED:
                return run
            time.sleep(0.05)
        raise SystemExit(f"the run that begins iteration {number} does not end")


@contextmanager
def floor(url: str, database: str | None = None) -> Iterator[Floor]:
    """An installation on SQLite, or on the PostgreSQL database of this address, beside the sandbox at `url`."""
    with TemporaryDirectory(prefix="phaseloop-bench-") as home:
        clock = Clock()
        settings = Settings(
            home=Path(home),
            database_url=database,
            secret_key=None,
            tick_seconds=0.2,
            settle_seconds=1,
            backoff_seconds=0.2,
        )
        context = replace(opened(settings), now=clock)
        members = tuple(
            {"person": handle, "email": f"{handle}@example.com", "roles": (role,)} for role, handle in PEOPLE.items()
        )
        try:
            teams.put(context, Team.model_validate({"name": "bench", "members": members}))
            # A sandbox of its own knows of no calls that were made to another: neither do we.
            with time_kept_by(time.monotonic, time.sleep), Engine(context, Advancing()) as engine:
                made = Floor(context, engine, clock, url)
                made.set(BEFORE)
                yield made
        finally:
            context.close()


def opened(settings: Settings) -> Context:
    """The store of these settings, brought to this version."""
    database = Database(settings.store_url)
    database.upgrade()
    database.dispose()
    return open_context(settings)


@contextmanager
def statements(context: Context) -> Iterator[list[int]]:
    """How many statements our store is sent meanwhile, as the one entry of a list."""
    count = [0]

    def note(_connection: Connection, *_about: object) -> None:
        count[0] += 1

    event.listen(context.database.engine, "before_cursor_execute", note)
    try:
        yield count
    finally:
        event.remove(context.database.engine, "before_cursor_execute", note)
