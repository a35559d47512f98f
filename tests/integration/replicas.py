"""Several replicas of the service on one PostgreSQL database, and a look into the engine's journal and the tracker."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import httpx
import psycopg
from jira import JIRA

from sandbox.server import free_port
from sandbox.testing import SandboxServer
from tests import plain
from tests.integration.conftest import QUICK, ROOT, TEAM_FILE, Installation
from tests.postgres import scratch_database
from tests.waiting import eventually


@dataclass
class Replica:
    """A `serve` process. Its log is a file, so that nobody need read it for the process to continue."""

    process: subprocess.Popen[bytes]
    log: IO[bytes]
    url: str

    def said(self) -> str:
        self.log.seek(0)
        return self.log.read().decode()

    def ready(self) -> bool:
        assert self.process.poll() is None, self.said()
        try:
            return plain.get(f"{self.url}/readyz").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@dataclass
class Replicas:
    """Replicas by the slot they took: they are started one after the other."""

    installation: Installation
    started: list[Replica] = field(default_factory=list)

    def start(self, *launcher: str) -> Replica:
        port = free_port(0)
        log = (self.installation.home.parent / f"replica-{len(self.started)}.log").open("w+b")
        command = self.installation.command("serve", "--port", port)
        if launcher:
            command = [sys.executable, "-m", "tests.integration.launchers", *launcher, *command[3:]]
        process = subprocess.Popen(
            command, env=self.installation.environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=log
        )
        replica = Replica(process, log, f"http://127.0.0.1:{port}")
        self.started.append(replica)
        eventually(replica.ready)
        return replica

    def close(self) -> None:
        for replica in self.started:
            if replica.process.poll() is None:
                replica.process.terminate()
        for replica in self.started:
            replica.process.wait(timeout=300)
            replica.log.close()


@contextmanager
def replicas(installation: Installation) -> Iterator[Replicas]:
    group = Replicas(installation)
    try:
        yield group
    finally:
        group.close()


@contextmanager
def shared_installation(home: Path, sandbox: SandboxServer, **extra: str) -> Iterator[Installation]:
    """An installation on a PostgreSQL database of its own, connected to the sandbox."""
    with scratch_database() as url:
        plain = url.replace("postgresql+psycopg://", "postgresql://")
        installation = Installation(home, {"PHASELOOP_DATABASE_URL": plain, **QUICK, **extra})
        installation.ok("db", "upgrade")
        installation.connect(sandbox.url)
        yield installation


def asked(installation: Installation, query: str, *values: object) -> Any:
    """The first value that the database answers, None if there is none."""
    with psycopg.connect(installation.extra["PHASELOOP_DATABASE_URL"]) as connection:
        row = connection.execute(query, values).fetchone()  # type: ignore[arg-type]
    return row[0] if row else None


def kept(installation: Installation, query: str, *values: object) -> Any:
    """The same of an embedded installation."""
    with closing(sqlite3.connect(installation.home / "phaseloop.db")) as connection:
        row = connection.execute(query, values).fetchone()
    return row[0] if row else None


def journaled(installation: Installation, run_id: str) -> list[str]:
    """The names of the run's steps in an embedded installation's journal, in order."""
    query = "SELECT function_name FROM operation_outputs WHERE workflow_uuid = ? ORDER BY function_id"
    with closing(sqlite3.connect(installation.home / "engine.db")) as connection:
        return [row[0] for row in connection.execute(query, (run_id,))]


def executor_of(installation: Installation, run_id: str) -> str | None:
    """Who is executing the run, by the engine's journal; nobody while it is queued."""
    query = "SELECT executor_id FROM dbos.workflow_status WHERE workflow_uuid = %s AND status = 'PENDING'"
    found: str | None = asked(installation, query, run_id)
    return found


def state(installation: Installation, run_id: str) -> str:
    return str(asked(installation, "SELECT state FROM runs WHERE id = %s", run_id))


def plan(installation: Installation, key: str, *more: object, start: str = "2027-01-04") -> Any:
    new = ("plan", key, "--create", "--team", TEAM_FILE, "--set", f"start_date={start}", "--json")
    return installation.ok(*new, *more, code=2).json


def assert_built_once(jira: JIRA, plan: Any, key: str) -> None:
    """The tracker has what the plan creates, each once, seen with a plain client."""
    made = plan["changes"]  # of a new project: all are to be created
    issues = jira.search_issues(f"project = {key}", maxResults=False)
    wanted = Counter(change["title"] for change in made if change["kind"] in ("epic", "ticket"))
    assert Counter(issue.fields.summary for issue in issues) == wanted
    sprints = Counter(sprint.name for sprint in jira.sprints(jira.boards(projectKeyOrID=key)[0].id))
    assert sprints == Counter(change["title"] for change in made if change["kind"] == "iteration")
    links = {link.id for issue in issues for link in issue.fields.issuelinks}
    assert len(links) == sum(change["kind"] == "link" for change in made)
