"""Real processes for integration tests: a sandbox, a home folder, the command line, and the plain Jira client."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from jira import JIRA

from sandbox.jira.seed import DEMO_EMAIL, DEMO_TOKEN
from sandbox.testing import SandboxServer
from service.context import open_context
from service.domain.team.team import read_team
from service.settings import Settings
from service.templates import TemplateText
from service.usecases.setup import projects, teams
from tests import plain
from tests.forked import forks
from tests.homes import furnish
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
TEAM_FILE = ROOT / "service" / "demo_team.yaml"
SMALL = Path(__file__).parent / "small.yaml"
"""A template of five tickets: one of everything, and few enough calls for Trello's first ten seconds."""

QUICK = {"PHASELOOP_SETTLE_SECONDS": "1", "PHASELOOP_BACKOFF_SECONDS": "0.2", "PHASELOOP_GRACE_SECONDS": "3"}
"""Waits for tests of runs that are interrupted."""


@dataclass
class Answer:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Installation:
    """A home folder, and the command line that works on it, each command a process of its own."""

    home: Path
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PHASELOOP_")}
        return {**clean, "PHASELOOP_HOME": str(self.home), "PYTHONWARNINGS": "ignore", **self.extra}

    def furnish(self) -> None:
        """Have the tables there already, where the home is still to be made: for tests that are not about that."""
        if "PHASELOOP_DATABASE_URL" not in self.extra:
            furnish(self.home)

    def has_project(self, key: str, connection: str) -> None:
        """A project that was set up while its tracker was there, which need not be there now."""
        self.furnish()
        with closing(
            open_context(Settings(_env_file=None, home=self.home, database_url=None, secret_key=None))
        ) as context:
            team = read_team(TEAM_FILE.read_text(encoding="utf-8"), TEAM_FILE.name)
            teams.put(context, team)
            template = TemplateText.of(SMALL.read_text(encoding="utf-8"), SMALL.name)
            projects.put(context, projects.Request(key, key, connection, team.name, template, {}, create=True))

    def command(self, *arguments: object) -> list[str]:
        return [sys.executable, "-m", "service.cli", *(str(argument) for argument in arguments)]

    def run(self, *arguments: object, stdin: str = "") -> Answer:
        done = forks().run([str(argument) for argument in arguments], self.environment, stdin)
        return Answer(done.code, done.out, done.err)

    def ok(self, *arguments: object, stdin: str = "", code: int = 0) -> Answer:
        answer = self.run(*arguments, stdin=stdin)
        assert answer.code == code, answer.out + answer.err
        return answer

    @contextmanager
    def process(self, *arguments: object) -> Iterator[subprocess.Popen[bytes]]:
        """A command that continues running; ended at the end of the block if it still does."""
        process = subprocess.Popen(
            self.command(*arguments), env=self.environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        try:
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=300)

    def connect(self, url: str, token: str = DEMO_TOKEN, email: str = DEMO_EMAIL) -> None:
        self.furnish()
        self.ok("connections", "add", "jira", "--url", url, "--email", email, "--replace", stdin=token)


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(tmp_path / "home")


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer() as server:
        yield server


@pytest.fixture
def connected(installation: Installation, sandbox: SandboxServer) -> Installation:
    """An installation with a connection to the sandbox's Jira."""
    installation.connect(sandbox.url)
    return installation


@pytest.fixture
def here(tmp_path: Path, sandbox: SandboxServer) -> Installation:
    """An embedded installation that waits only briefly, connected to the sandbox's Jira."""
    installation = Installation(tmp_path / "home", dict(QUICK))
    installation.connect(sandbox.url)
    return installation


@dataclass
class Controls:
    """The sandbox's control panel."""

    url: str

    def set(self, name: str, **body: object) -> None:
        plain.post(f"{self.url}/sandbox/{name}", json=body).raise_for_status()

    def get(self, name: str) -> Any:
        return plain.get(f"{self.url}/sandbox/{name}").raise_for_status().json()

    def clear(self, name: str) -> None:
        plain.delete(f"{self.url}/sandbox/{name}").raise_for_status()

    def writes(self) -> int:
        """Writing requests since the log was cleared."""
        return int(self.counts()["writes"])

    def reads(self) -> int:
        """Reading requests since the log was cleared."""
        return int(self.counts()["reads"])

    def counts(self) -> dict[str, Any]:
        """Requests by kind and by status since the log was cleared."""
        counts: dict[str, Any] = plain.get(f"{self.url}/sandbox/requests").raise_for_status().json()["counts"]
        return counts

    def wait_for_writes(self, count: int) -> None:
        eventually(lambda: self.writes() >= count)


@pytest.fixture
def controls(sandbox: SandboxServer) -> Controls:
    return Controls(sandbox.url)


@pytest.fixture
def jira(sandbox: SandboxServer) -> Iterator[JIRA]:
    client = plain_client(sandbox.url)
    yield client
    client.close()


def plain_client(url: str) -> JIRA:
    return JIRA(url, basic_auth=(DEMO_EMAIL, DEMO_TOKEN), max_retries=0, timeout=30)
