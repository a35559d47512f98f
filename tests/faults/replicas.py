"""Three replicas on one PostgreSQL build projects in both trackers while replicas are killed at random."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from sandbox.jira.seed import DEMO_EMAIL, DEMO_TOKEN
from sandbox.testing import SandboxServer
from sandbox.trello.seed import KEY, TOKEN
from tests import plain
from tests.faults.portrait import Fact, difference, in_jira, in_trello, planned
from tests.integration.conftest import QUICK, Controls, Installation
from tests.integration.replicas import Replica, Replicas, asked, plan, replicas, state
from tests.postgres import DEFAULT, scratch_database
from tests.waiting import eventually

REPLICAS = 3

LATENCY_MS = 150
"""Injected, so that a run is long enough to be interrupted several times."""

APART = (5, 40)
"""So many requests arrive between two kills, at least and at most."""


@dataclass
class Outcome:
    """What came of it."""

    seed: int
    kills: int = 0
    projects: int = 0
    completed: int = 0
    duplicates: list[Fact] = field(default_factory=list)
    missing: list[Fact] = field(default_factory=list)
    extra: list[Fact] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether all runs completed and everything is there once."""
        return self.completed == self.projects and not (self.duplicates or self.missing or self.extra)

    def to_json(self) -> dict[str, Any]:
        """The outcome as plain values."""
        return {**asdict(self), "good": self.good}

    def line(self) -> str:
        """The outcome in a line."""
        return (
            f"{REPLICAS} replicas, {self.kills} killed (one for good), seed {self.seed}: {self.completed} of "
            f"{self.projects} projects completed; duplicates {len(self.duplicates)}, missing {len(self.missing)}, "
            f"extra {len(self.extra)}"
        )


def postgresql() -> bool:
    """Whether a PostgreSQL answers where the tests look for one."""
    try:
        psycopg.connect(os.environ.get("PHASELOOP_TEST_DATABASE_URL", DEFAULT), connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True


def killing(
    folder: Path, *, kills: int, projects: int, seed: int, say: Callable[[str], None] = lambda _: None
) -> Outcome:
    """Build `projects` in each tracker while `kills` replicas die; the first is not replaced."""
    outcome = Outcome(seed)
    with scratch_database() as url, SandboxServer() as sandbox:
        plain = url.replace("postgresql+psycopg://", "postgresql://")
        installation = Installation(folder / "home", {"PHASELOOP_DATABASE_URL": plain, **QUICK})
        installation.ok("db", "upgrade")
        token = installation.ok("tokens", "create", "killing").out.strip()
        plans = _planned(installation, sandbox, projects)
        Controls(sandbox.url).set("latency", milliseconds=LATENCY_MS)
        outcome.projects = len(plans)
        with replicas(installation) as group:
            for _ in range(REPLICAS):
                group.start()
            runs = {name: _started(group.started[0], token, made["id"]) for name, made in plans.items()}
            _kill(outcome, group, sandbox, random.Random(seed), kills, lambda: _all_over(installation, runs), say)
            eventually(lambda: _all_over(installation, runs), 300)
        outcome.completed = sum(state(installation, run) == "completed" for run in runs.values())
        for name, made in plans.items():
            _compare(outcome, installation, sandbox, name, made["id"])
    return outcome


def _planned(installation: Installation, sandbox: SandboxServer, projects: int) -> dict[str, Any]:
    """Plans by project. Each project has a connection of its own: those of one connection wait for each other."""
    plans = {}
    for number in range(projects):
        jira, trello = f"J{chr(65 + number)}", f"Board {number}"
        add = ("connections", "add", f"jira-{number}", "--url", sandbox.url)
        installation.ok(*add, "--email", DEMO_EMAIL, stdin=DEMO_TOKEN)
        plans[jira] = plan(installation, jira, "--connection", f"jira-{number}")
        add = ("connections", "add", f"trello-{number}", "--url", sandbox.url)
        installation.ok(*add, "--kind", "trello", "--key", KEY, "--invite", stdin=TOKEN)
        plans[trello] = plan(installation, trello, "--connection", f"trello-{number}")
    return plans


def _started(replica: Replica, token: str, plan_id: str) -> str:
    """Start the run of a plan at one of the replicas."""
    url = f"{replica.url}/api/v1/plans/{plan_id}/apply"
    answer = plain.post(url, headers={"Authorization": f"Bearer {token}"}, timeout=30).raise_for_status()
    return str(answer.json()["id"])


def _all_over(installation: Installation, runs: dict[str, str]) -> bool:
    return all(state(installation, run) in ("completed", "incomplete", "failed") for run in runs.values())


def _kill(
    outcome: Outcome,
    group: Replicas,
    sandbox: SandboxServer,
    chance: random.Random,
    kills: int,
    over: Callable[[], bool],
    say: Callable[[str], None],
) -> None:
    """Kill replicas at random moments until all is over or enough were killed."""
    log = sandbox.world.controls.log
    while outcome.kills < kills and not over():
        until = log.total + chance.randint(*APART)
        eventually(lambda until=until: log.total >= until or over(), 120)  # type: ignore[misc]
        living = [replica for replica in group.started if replica.process.poll() is None]
        victim = chance.choice(living)
        victim.kill()
        outcome.kills += 1
        say(f"{outcome.kills} of {kills} replicas killed, {log.total} requests so far")
        if outcome.kills > 1:
            group.start()


def _compare(outcome: Outcome, installation: Installation, sandbox: SandboxServer, name: str, plan_id: str) -> None:
    body = asked(installation, "SELECT body FROM plans WHERE id = %s", plan_id)
    stored = json.loads(body) if isinstance(body, str) else body
    world = sandbox.world
    if name.startswith("Board"):
        found = difference(planned(stored, "trello"), in_trello(world.trello.state.data, name).facts)
    else:
        found = difference(planned(stored, "jira"), in_jira(world.jira.data, name).facts)
    outcome.duplicates += found.duplicates
    outcome.missing += found.missing
    outcome.extra += found.extra
