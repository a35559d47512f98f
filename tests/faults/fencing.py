"""Replicas on one PostgreSQL that lose their place in the middle of a run and do not know it: one whose database is cut
while the tracker answers, one that is stopped, replaced, and continues, and one that is killed."""

from __future__ import annotations

import json
import random
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from sandbox.jira.seed import DEMO_EMAIL, DEMO_TOKEN
from sandbox.testing import SandboxServer
from sandbox.trello import limits as trello_limits
from sandbox.trello.seed import KEY, TOKEN
from tests import plain
from tests.faults.portrait import Fact, difference, in_jira, in_trello, planned
from tests.faults.proxy import Proxy
from tests.faults.rig import TrackerName
from tests.integration.conftest import QUICK, Controls, Installation
from tests.integration.replicas import Replica, Replicas, asked, executor_of, plan, state
from tests.postgres import scratch_database
from tests.waiting import eventually

Way = Literal["cut", "stop", "freeze", "kill"]
WAYS: tuple[Way, ...] = ("cut", "stop", "freeze", "kill")
"""Its database is away for some seconds; it is stopped and its database connections end, or stay until the database
ends them for their silence; it is killed."""

SKEWED = ("ahead", "behind")
"""Launchers of replicas whose clocks are two minutes apart."""

CUT_SECONDS = 6.0
"""How long a replica is without its database: longer than another needs to take its run over."""

LATENCY_MS = 100
"""Injected, so that calls are under way when it happens."""

LONGEST_ROUND = 180.0

_OVER = ("completed", "incomplete", "failed")


@dataclass
class Round:
    """One run that was disturbed, and what the tracker holds after it."""

    tracker: TrackerName
    way: Way
    seed: int
    state: str = ""
    at: int = 0
    """How many writes had arrived when it happened."""
    moved: bool = False
    """Whether another replica ended the run."""
    duplicates: tuple[Fact, ...] = ()
    missing: tuple[Fact, ...] = ()
    extra: tuple[Fact, ...] = ()

    @property
    def good(self) -> bool:
        """Whether the run completed and everything is there once."""
        return self.state == "completed" and not (self.duplicates or self.missing or self.extra)

    def line(self) -> str:
        """The round in a line."""
        what = "good" if self.good else f"OFF: {self.duplicates=} {self.missing=} {self.extra=}"
        moved = "taken over" if self.moved else "kept"
        return f"{self.tracker}, {self.way} after {self.at} writes, seed {self.seed}: {self.state}, {moved}; {what}"

    def to_json(self) -> dict[str, Any]:
        """The round as plain values."""
        return {**asdict(self), "good": self.good}


@dataclass
class _Stage:
    """Two replicas or more, each with a way of its own to the database, and a sandbox."""

    installation: Installation
    sandbox: SandboxServer
    tracker: TrackerName
    group: Replicas
    token: str
    ways: ExitStack
    launchers: tuple[str, ...] = ()
    by_replica: dict[int, Proxy] = field(default_factory=dict)

    def fill_up(self, count: int) -> None:
        """Start replicas until so many live."""
        while len(self.living()) < count:
            proxy = self.ways.enter_context(Proxy(self.installation.extra["PHASELOOP_DATABASE_URL"]))
            mine = Installation(
                self.installation.home, {**self.installation.extra, "PHASELOOP_DATABASE_URL": proxy.url}
            )
            self.group.installation = mine
            count_so_far = len(self.group.started)
            launcher = self.launchers[count_so_far % len(self.launchers) :][:1] if self.launchers else ()
            replica = self.group.start(*launcher)
            self.by_replica[replica.process.pid] = proxy

    def living(self) -> list[Replica]:
        return [replica for replica in self.group.started if replica.process.poll() is None]

    def executing(self, run: str) -> Replica | None:
        """The replica that is executing a run, by the slot that its log or its order names."""
        slot = executor_of(self.installation, run)
        return self.slots().get(slot or "")

    def slots(self) -> dict[str, Replica]:
        """Living replicas by their slots, as the database sees their connections come from their proxies."""
        found = {}
        for replica in self.living():
            ports = self.by_replica[replica.process.pid].ports()
            number = asked(
                self.installation,
                "SELECT objid FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' AND granted "
                "AND datname = current_database() AND objsubid = 2 AND client_port = ANY(%s) ORDER BY objid LIMIT 1",
                list(ports),
            )
            if number is not None:
                found[f"slot-{number}"] = replica
        return found


@contextmanager
def stage(
    folder: Path, tracker: TrackerName, *, replicas: int = 2, launchers: tuple[str, ...] = (), **settings: str
) -> Iterator[_Stage]:
    """A sandbox with a short wide window, a database, and replicas that reach it each by a way of its own."""
    patch = pytest.MonkeyPatch()
    patch.setattr(trello_limits, "WINDOW_SECONDS", 1)
    with ExitStack() as stack:
        stack.callback(patch.undo)
        url = stack.enter_context(scratch_database()).replace("postgresql+psycopg://", "postgresql://")
        sandbox = SandboxServer()
        limits = sandbox.world.controls.limits
        limits.enabled, limits.scale = tracker == "trello", 100.0
        stack.enter_context(sandbox)
        installation = Installation(folder / "home", {"PHASELOOP_DATABASE_URL": url, **QUICK, **settings})
        installation.ok("db", "upgrade")
        token = installation.ok("tokens", "create", "fencing").out.strip()
        who = ("--email", DEMO_EMAIL) if tracker == "jira" else ("--kind", "trello", "--key", KEY, "--invite")
        secret = DEMO_TOKEN if tracker == "jira" else TOKEN
        installation.ok("connections", "add", tracker, "--url", sandbox.url, *who, stdin=secret)
        group = Replicas(installation)
        ways = stack.enter_context(ExitStack())  # replicas need theirs to the end
        made = _Stage(installation, sandbox, tracker, group, token, ways, launchers)
        stack.callback(group.close)
        made.fill_up(replicas)
        yield made


def rounds(
    folder: Path,
    tracker: TrackerName,
    ways: Sequence[Way],
    *,
    seed: int,
    replicas: int = 2,
    launchers: tuple[str, ...] = (),
    template: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> list[Round]:
    """One run for each of the ways, disturbed once at a moment that the seed chooses."""
    done = []
    with stage(folder, tracker, replicas=replicas, launchers=launchers) as made:
        for number, way in enumerate(ways):
            made.fill_up(replicas)
            one = _round(made, way, seed + number, number, template)
            say(one.line())
            done.append(one)
    return done


def _round(made: _Stage, way: Way, seed: int, number: int, template: Path | None) -> Round:
    chance = random.Random(seed)
    name = f"J{chr(65 + number // 26)}{chr(65 + number % 26)}" if made.tracker == "jira" else f"Board {number}"
    more = ("--template", template) if template is not None else ()
    kept = plan(made.installation, name, "--connection", made.tracker, *more)
    writes = _writes_of(kept, made.tracker)
    one = Round(made.tracker, way, seed, at=chance.randint(1, max(1, writes * 4 // 5)))
    Controls(made.sandbox.url).set("latency", milliseconds=LATENCY_MS)
    before = _writes(made.sandbox)
    run = start(made, made.living()[0], kept["id"])
    eventually(lambda: _writes(made.sandbox) - before >= one.at or _is_over(made, run), 120)
    victim = made.executing(run)
    slot = executor_of(made.installation, run)
    if victim is not None:
        disturb(made, way, victim, run, chance)
    eventually(lambda: _is_over(made, run), LONGEST_ROUND)
    last = asked(made.installation, "SELECT executor_id FROM dbos.workflow_status WHERE workflow_uuid = %s", run)
    one.moved = slot is not None and last != slot
    one.state = state(made.installation, run)
    Controls(made.sandbox.url).set("latency", milliseconds=0)
    _compare(made, one, name, kept["id"])
    return one


def disturb(made: _Stage, way: Way, victim: Replica, run: str, chance: random.Random) -> None:
    """Cut the replica's database for some seconds; or stop it, let another replace it, and have it continue."""
    proxy = made.by_replica[victim.process.pid]
    if way == "cut":
        until = time.monotonic() + CUT_SECONDS
        proxy.cut()
        eventually(lambda: time.monotonic() > until, CUT_SECONDS + 5)
        proxy.restore()
        return
    if way == "kill":
        victim.kill()
        return
    slot = executor_of(made.installation, run)
    victim.process.send_signal(signal.SIGSTOP)
    try:
        if way == "stop":
            proxy.cut()
            proxy.restore()
        eventually(lambda: executor_of(made.installation, run) not in (slot, None) or _is_over(made, run), 60)
        written = _writes(made.sandbox) + chance.randint(0, 30)
        until = time.monotonic() + chance.uniform(0, 8)
        eventually(lambda: _writes(made.sandbox) >= written or time.monotonic() > until or _is_over(made, run), 60)
    finally:
        victim.process.send_signal(signal.SIGCONT)


def start(made: _Stage, replica: Replica, plan_id: str) -> str:
    """Start the run of a plan at one of the replicas."""
    url = f"{replica.url}/api/v1/plans/{plan_id}/apply"
    answer = plain.post(url, headers={"Authorization": f"Bearer {made.token}"}, timeout=30).raise_for_status()
    return str(answer.json()["id"])


def _writes(sandbox: SandboxServer) -> int:
    return sandbox.world.controls.log.kinds["write"]


def _writes_of(kept: Mapping[str, Any], tracker: TrackerName) -> int:
    """About how many writes a plan takes."""
    return int(kept["estimate"]["writes"])


def _is_over(made: _Stage, run: str) -> bool:
    return state(made.installation, run) in _OVER


def _compare(made: _Stage, one: Round, name: str, plan_id: str) -> None:
    body = asked(made.installation, "SELECT body FROM plans WHERE id = %s", plan_id)
    stored = json.loads(body) if isinstance(body, str) else body
    world = made.sandbox.world
    shown = in_trello(world.trello.state.data, name) if made.tracker == "trello" else in_jira(world.jira.data, name)
    found = difference(planned(stored, made.tracker), shown.facts)
    one.duplicates, one.missing, one.extra = found.duplicates, found.missing, found.extra
