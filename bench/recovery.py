"""What surviving costs: requests spent after an interrupted call, the engine beside bare calls, and taking over."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.bare import bare
from connectors import registry
from sandbox.jira.seed import DEMO_EMAIL, DEMO_TOKEN
from sandbox.testing import SandboxServer
from sandbox.trello.seed import KEY, TOKEN
from service.context import Context, open_context
from service.domain.team.team import read_team
from service.runs.engine import Engine
from service.settings import Settings
from service.templates import load
from service.usecases.loop.advances import Advancing
from service.usecases.plan import planning
from service.usecases.run import plan_apply, run_views
from service.usecases.setup import connections, projects, teams
from tests.faults.campaign import Asked, cases_of, results_of
from tests.faults.kinds import KINDS
from tests.faults.replicas import postgresql
from tests.faults.rig import TEAM_FILE, TrackerName
from tests.integration.conftest import QUICK, Controls, Installation
from tests.integration.replicas import executor_of, plan, replicas, state
from tests.postgres import scratch_database
from tests.waiting import eventually

EVERY: dict[TrackerName, int] = {"jira": 12, "trello": 56}
"""Every so many-th call is interrupted, in each way."""

LATENCIES = (0, 100)
ROUNDS = 3
GOAL = 2
"""Requests that an interrupted call should cost at most, beyond a clean run."""


@dataclass(frozen=True)
class Recovery:
    """What one kind of fault costs in one tracker: requests beyond a clean run, over the calls that were tried."""

    tracker: str
    fault: str
    tried: int
    median: float
    most: int
    within_goal: int

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Overhead:
    """A run beside the same calls without it: medians of seconds, and what each step of the run adds."""

    tracker: str
    store: str
    latency: int
    steps: int
    bare: float
    run: float

    @property
    def ratio(self) -> float:
        """How many times as long the run takes."""
        return round(self.run / self.bare, 2)

    @property
    def a_step(self) -> float:
        """Milliseconds that a step adds."""
        return round((self.run - self.bare) / self.steps * 1000, 1)

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {**asdict(self), "ratio": self.ratio, "ms_a_step": self.a_step}


@dataclass(frozen=True)
class Takeover:
    """Seconds from the death of the replica that was running until another one had its run, and until it was done."""

    owned: tuple[float, ...]
    completed: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


# -- requests after an interrupted call ----------------------------------------------------------------------------


def requests_spent(tracker: TrackerName, jobs: int = 3) -> list[Recovery]:
    """Interrupt calls of the run in every way and count what that costs."""
    with tempfile.TemporaryDirectory(prefix="recovery-") as folder:
        cases = list(cases_of(Path(folder), Asked([tracker], KINDS, every=EVERY[tracker])))
        results = [one for one in results_of(Path(folder), cases, jobs, lambda _: None) if one.phase == "run"]
    found = []
    for kind in KINDS:
        spent = [result.extra_requests for result in results if result.kind == kind.name]
        if spent:
            within = sum(count <= GOAL for count in spent)
            found.append(Recovery(tracker, kind.words, len(spent), statistics.median(spent), max(spent), within))
    return found


# -- the engine beside bare calls ----------------------------------------------------------------------------------


def overhead(tracker: TrackerName) -> list[Overhead]:
    """Build the built-in template by bare calls, on SQLite and on PostgreSQL in turn, at each latency."""
    found = []
    with SandboxServer() as sandbox, stores() as urls:
        # The client learns from the headers that much is allowed; else it would keep to the vendor's usual pace.
        Controls(sandbox.url).set("limits", enabled=tracker == "trello", scale=100)
        for latency in LATENCIES:
            taken: dict[str, list[float]] = {name: [] for name in ("bare", *urls)}
            steps = 0
            for _ in range(ROUNDS):
                for name, url in urls.items():
                    bare_seconds, seconds, steps = _side_by_side(sandbox.url, tracker, url, latency)
                    taken["bare"].append(bare_seconds)
                    taken[name].append(seconds)
            calls = statistics.median(taken["bare"])
            found += [
                Overhead(tracker, name, latency, steps, round(calls, 3), round(statistics.median(taken[name]), 3))
                for name in urls
            ]
    return found


@contextmanager
def stores() -> Iterator[dict[str, str | None]]:
    """SQLite, and PostgreSQL where there is one."""
    if not postgresql():
        yield {"SQLite": None}
        return
    with scratch_database() as url:
        yield {"SQLite": None, "PostgreSQL": url}


def _side_by_side(url: str, tracker: TrackerName, database: str | None, latency: int) -> tuple[float, float, int]:
    """The seconds of bare calls, those of a run of the same plan, and the run's steps."""
    controls = Controls(url)
    with tempfile.TemporaryDirectory(prefix="overhead-") as home:
        settings = Settings(home=Path(home), database_url=database, secret_key=None)
        with closing(_opened(settings)) as context:
            project = _project(context, url, tracker)
            controls.set("reset", keep=["controls"])
            row = planning.make_plan(context, project)
            with Engine(context, Advancing()) as engine:
                time.sleep(1.5)  # the engine looks for its queues once a second
                controls.set("latency", milliseconds=latency)
                with closing(registry.connect(tracker, *_account(url, tracker))) as direct:
                    calls = bare(direct, planning.plan_of(row))
                controls.set("reset", keep=["controls"])
                began = time.monotonic()
                run = plan_apply.apply(context, row.id, "bench", engine.start).id
                eventually(lambda: run_views.ended(context, run))
                seconds = time.monotonic() - began
            controls.clear("latency")
            assert run_views.progress(context, run).run.state == "completed"
            return calls, seconds, len(run_views.steps(context, run))


def _opened(settings: Settings) -> Context:
    from service.store.database import Database

    database = Database(settings.store_url)
    database.upgrade()
    database.dispose()
    return open_context(settings)


def _account(url: str, tracker: TrackerName) -> tuple[dict[str, Any], str]:
    if tracker == "jira":
        return {"url": url, "email": DEMO_EMAIL}, DEMO_TOKEN
    return {"url": url, "key": KEY, "invite": True}, TOKEN


def _project(context: Context, url: str, tracker: TrackerName) -> str:
    name = f"{tracker}-{time.monotonic_ns()}"
    connections.put(context, name, tracker, *_account(url, tracker))
    team = read_team(TEAM_FILE.read_text(), TEAM_FILE.name)
    request = projects.Request(
        name=name,
        key="ML",
        connection=name,
        team=teams.put(context, team).id,
        template=load("iterative-ml"),
        parameters={"start_date": "2027-01-04"},
        time_zone="Europe/Berlin",
        create=True,
    )
    return projects.put(context, request).id


# -- taking over ---------------------------------------------------------------------------------------------------


def takeover() -> Takeover | None:
    """Kill the replica that is running a few times, and see when the other one continues; None without PostgreSQL."""
    if not postgresql():
        return None
    with (
        tempfile.TemporaryDirectory(prefix="takeover-") as folder,
        scratch_database() as url,
        SandboxServer() as sandbox,
    ):
        plain = url.replace("postgresql+psycopg://", "postgresql://")
        installation = Installation(Path(folder) / "home", {"PHASELOOP_DATABASE_URL": plain, **QUICK})
        installation.ok("db", "upgrade")
        installation.connect(sandbox.url)
        rounds = [_taken_over(installation, Controls(sandbox.url), f"T{chr(65 + number)}") for number in range(ROUNDS)]
    return Takeover(tuple(one[0] for one in rounds), tuple(one[1] for one in rounds))


def _taken_over(installation: Installation, controls: Controls, key: str) -> tuple[float, float]:
    """Seconds from a kill until the other of two replicas had the run, and until the run was done."""
    made = plan(installation, key)
    run = f"apply-{made['id']}"
    controls.set("latency", milliseconds=100)
    with replicas(installation) as group:
        group.start()
        group.start()
        with installation.process("apply", made["id"]):
            owner = str(eventually(lambda: executor_of(installation, run)))
            arrived = controls.counts()["total"]
            eventually(lambda: controls.counts()["total"] > arrived + 15)
            group.started[int(owner.removeprefix("slot-")) - 1].kill()  # slots are taken in the order of starting
            killed = time.monotonic()
            eventually(lambda: executor_of(installation, run) not in (owner, None))
            owned = time.monotonic() - killed
            eventually(lambda: state(installation, run) == "completed")
            completed = time.monotonic() - killed
    controls.clear("latency")
    return round(owned, 1), round(completed, 1)
