"""The same on PostgreSQL: schema by command, work handed to the service that runs the engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from jira import JIRA

from sandbox.server import free_port
from sandbox.testing import SandboxServer
from tests import plain
from tests.integration.conftest import TEAM_FILE, Installation
from tests.postgres import scratch_database
from tests.waiting import eventually


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Installation]:
    """An installation on a PostgreSQL database of its own."""
    with scratch_database() as url:
        plain = url.replace("postgresql+psycopg://", "postgresql://")
        yield Installation(tmp_path / "home", {"PHASELOOP_DATABASE_URL": plain})


def test_a_database_without_tables_is_refused_with_the_command_that_mends_it(shared: Installation) -> None:
    answer = shared.ok("status", code=1)

    assert "phaseloop db upgrade" in answer.err


def test_a_project_is_built_through_the_service(shared: Installation, sandbox: SandboxServer, jira: JIRA) -> None:
    shared.ok("db", "upgrade")
    shared.connect(sandbox.url)
    port = free_port(0)
    with shared.process("serve", "--port", port) as service:

        def ready() -> bool:
            assert service.poll() is None, service.stderr.read() if service.stderr else ""
            try:
                return plain.get(f"http://127.0.0.1:{port}/readyz").status_code == httpx.codes.OK
            except httpx.TransportError:
                return False

        eventually(ready)
        shared.ok("plan", "ML", "--create", "--team", TEAM_FILE, code=2)
        run = shared.ok("apply", "ML", "--json").json

    assert run["state"] == "completed"
    assert len(jira.search_issues("project = ML", maxResults=False)) == 16 + 51
    assert shared.ok("plan", "ML", "--json").json["summary"]["create"] == 0
