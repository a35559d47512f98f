"""A project whose loop turns in this process: a real store, the real engine with its clock, a sandbox for a tracker.
Time stands where a test puts it; the team's work is done past us, by plain HTTP."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from connectors.pacing import time_kept_by
from connectors.values import ItemKey
from sandbox.jira.seed import DEMO_EMAIL, DEMO_TOKEN
from sandbox.testing import SandboxServer
from sandbox.trello.seed import KEY, TOKEN
from service.context import Context, open_context
from service.domain.plan import run_state
from service.domain.team.team import Team, read_team
from service.runs.engine import Engine
from service.settings import Settings
from service.store import dues, items, loops
from service.store.tables import EventRow, IterationRow, LoopRow, RunRow
from service.templates import TemplateText
from service.usecases.loop import advances
from service.usecases.loop.advances import Advancing
from service.usecases.plan import planning
from service.usecases.run import plan_apply
from service.usecases.setup import connections, projects, teams
from service.views.plan import PlanView
from tests import plain
from tests.homes import furnish
from tests.integration.conftest import ROOT, TEAM_FILE
from tests.waiting import eventually

TEMPLATE = Path(__file__).parent / "turning.yaml"
QUICKLY: dict[str, Any] = {
    "settle_seconds": 1,
    "backoff_seconds": 0.2,
    "grace_seconds": 3,
    "tick_seconds": 0.2,
    "hold_seconds": 60,
    "look_seconds": 60,  # how many looks there are is not to depend on how fast the machine is
}
"""Settings with which nothing waits for long."""

START = "2026-03-02"
"""A Monday."""


class Clock:
    """A clock that continues from where it is put. Who sleeps by it does not wait: time passes at once."""

    def __init__(self) -> None:
        self._offset = timedelta()
        self._slept = 0.0
        self._lock = threading.Lock()
        self.told: Callable[[timedelta], None] = lambda _: None
        """Another clock, which is to continue with this one."""

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._offset

    def set(self, text: str) -> None:
        self._offset = datetime.fromisoformat(text).replace(tzinfo=UTC) - datetime.now(UTC)

    def seconds(self) -> float:
        """For who measures spans: never goes back, wherever the clock is put."""
        return time.monotonic() + self._slept

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._slept += seconds
            self._offset += timedelta(seconds=seconds)
            self.told(timedelta(seconds=seconds))


@dataclass
class Turntable:
    """The installation: one project ML, two weeks an iteration, from Monday 2026-03-02 09:00 UTC on."""

    context: Context
    engine: Engine
    clock: Clock
    sandbox: SandboxServer
    project: str = ""

    @property
    def url(self) -> str:
        return self.sandbox.url

    def set(self, at: str) -> None:
        """Let time come to that instant, here and in the tracker."""
        self.clock.set(at)
        tracker = self.sandbox.world.clock
        tracker.reset()
        tracker.advance(self.clock() - tracker.now())

    def plan_and_apply(self) -> RunRow:
        plan = planning.make_plan(self.context, self.project)
        run = self.ended(plan_apply.apply(self.context, plan.id, "lead@example.com", self.engine.start).id)
        eventually(self.has_loop)
        return run

    def asking(self, template: str) -> planning.Asked:
        """The project with another text of its template."""
        row = projects.get(self.context, self.project)
        text = TemplateText.of(template, "turning.yaml")
        return planning.Asked(
            projects.Request(row.name, row.key, row.connection_id, row.team_id, text, {}, create=True)
        )

    def applied(self, plan: PlanView) -> RunRow:
        """The run that applied a plan, once it has ended."""
        return self.ended(plan_apply.apply(self.context, plan.id, "lead@example.com", self.engine.start).id)

    def ended(self, run_id: str, *states: str) -> RunRow:
        """The run once it is in one of these states, or has ended."""

        def look() -> RunRow | None:
            run = self.run(run_id)
            return run if run is not None and run.state in (states or run_state.ENDED) else None

        found = eventually(look, 120)
        assert found is not None
        return found

    def run(self, run_id: str) -> RunRow | None:
        with self.context.database.session() as session:
            return session.get(RunRow, run_id)

    def advanced(self, number: int, **more: Any) -> RunRow:
        """Advance now, to this iteration; how it ended."""
        run = advances.advance(self.context, self.project, "lead@example.com", self.engine.start, **more)
        assert run.iteration == number
        return self.ended(run.id, *run_state.ENDED, run_state.HELD)

    def turned(self, number: int, at: str) -> RunRow:
        """Let time come to that instant; the run by which the clock begins this iteration."""
        self.set(at)
        run_id = f"advance-{self.project}-{number}"
        return self.ended(run_id, *run_state.ENDED, run_state.HELD)

    def has_loop(self) -> bool:
        with self.context.database.session() as session:
            return loops.find(session, self.project) is not None

    def has_begun(self, number: int) -> bool:
        return self.loop.current >= number

    def writes(self) -> int:
        """Writing requests so far."""
        return int(plain.get(f"{self.url}/sandbox/requests").raise_for_status().json()["counts"]["writes"])

    @property
    def loop(self) -> LoopRow:
        with self.context.database.session() as session:
            return session.get_one(LoopRow, self.project)

    def due(self, kind: str = dues.TURN) -> datetime | None:
        """When the clock does that with the project; None: not at all."""
        with self.context.database.session() as session:
            return dues.at(session, self.project, kind)

    def iteration(self, number: int) -> IterationRow:
        with self.context.database.session() as session:
            return session.get_one(IterationRow, (self.project, number))

    def events(self) -> list[str]:
        query = select(EventRow.name).where(EventRow.project_id == self.project).order_by(EventRow.id)
        with self.context.database.session() as session:
            return list(session.scalars(query))

    def told(self, name: str) -> str:
        """What an event says."""
        query = select(EventRow.text).where(EventRow.project_id == self.project, EventRow.name == name)
        with self.context.database.session() as session:
            return session.scalars(query).one()

    def wanted(self, key: str) -> Mapping[str, Any]:
        """What is recorded of an item of ours."""
        with self.context.database.session() as session:
            return items.rows(session, self.project)[ItemKey(key)].wanted

    @contextmanager
    def elsewhere(self, at: str) -> Iterator[subprocess.Popen[bytes]]:
        """Another process with this home folder, in which it is that instant; it works until it is ended. Meanwhile
        nothing works here."""
        self.engine.stop()
        command = [sys.executable, "-m", "tests.integration.turntable", str(self.context.settings.home), at]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            yield process
        finally:
            process.kill()
            process.communicate(timeout=300)
            self.set(at)
            self.engine.launch()


def connect(context: Context, sandbox: SandboxServer, tracker: str) -> None:
    """A connection to the sandbox's Jira or Trello."""
    url = sandbox.url
    if tracker == "jira":
        connections.put(context, "tracker", "jira", {"url": url, "email": DEMO_EMAIL}, DEMO_TOKEN)
    else:
        connections.put(context, "tracker", "trello", {"url": url, "key": KEY, "invite": True}, TOKEN)


def team() -> Team:
    return read_team(TEAM_FILE.read_text(), TEAM_FILE.name)


@contextmanager
def turntable(
    home: Path, tracker: str = "jira", settings: Mapping[str, Any] | None = None, **asked: Any
) -> Iterator[Turntable]:
    """An installation with a project that was set up and not yet planned."""
    furnish(home)
    clock = Clock()
    chosen = Settings(home=home, database_url=None, secret_key=None, **{**QUICKLY, **(settings or {})})
    with SandboxServer() as sandbox, time_kept_by(clock.seconds, clock.sleep):
        clock.told = sandbox.world.clock.advance
        context = replace(open_context(chosen), now=clock)
        try:
            connect(context, sandbox, tracker)
            teams.put(context, team())
            file: Path = asked.pop("template", TEMPLATE)
            template = TemplateText.of(file.read_text(), file.name)
            parameters = {"start_date": START, **asked.pop("parameters", {})}
            zone = asked.pop("time_zone", "UTC")
            advancing_by = asked.pop("advancing_by", None) or Advancing()
            request = projects.Request(
                "ML", "ML", "tracker", team().name, template, parameters, time_zone=zone, create=True, **asked
            )
            project = projects.put(context, request)
            with Engine(context, advancing_by) as engine:
                table = Turntable(context, engine, clock, sandbox, project.id)
                table.set("2026-02-27T12:00")
                yield table
        finally:
            context.close()


def work(home: Path, at: str) -> None:
    """Run the engine on this home folder, at that instant, until this process is killed."""
    clock = Clock()
    clock.set(at)
    settings = Settings(home=home, database_url=None, secret_key=None, **QUICKLY)
    with Engine(replace(open_context(settings), now=clock), Advancing()):
        threading.Event().wait()


if __name__ == "__main__":
    work(Path(sys.argv[1]), sys.argv[2])
