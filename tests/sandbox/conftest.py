"""A live sandbox and clients for its accounts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sandbox.testing import SandboxServer


@pytest.fixture(scope="module")
def _server() -> Iterator[SandboxServer]:
    with SandboxServer() as server:
        yield server


@pytest.fixture
def sandbox(_server: SandboxServer) -> SandboxServer:
    """A sandbox as freshly seeded; the server is shared by the module."""
    httpx.post(f"{_server.url}/sandbox/reset").raise_for_status()
    httpx.delete(f"{_server.url}/sandbox/limits").raise_for_status()
    return _server


class Client(httpx.Client):
    """An HTTP client of one account, with short ways to make what most tests need."""

    def issue(self, summary: str = "One", project: str = "SCRUM", kind: str = "Task", **fields: Any) -> str:
        """A new issue; its key."""
        base = {"project": {"key": project}, "issuetype": {"name": kind}, "summary": summary}
        response = self.post("/rest/api/3/issue", json={"fields": {**base, **fields}})
        assert response.status_code == 201, response.text
        return str(response.json()["key"])

    def sprint(self, name: str = "Sprint", board: int = 1, *, start: bool = False) -> int:
        """A new sprint with dates, started if asked; its id."""
        dates = {"startDate": "2026-11-23T09:00:00Z", "endDate": "2026-12-04T17:00:00Z"}
        response = self.post("/rest/agile/1.0/sprint", json={"name": name, "originBoardId": board, **dates})
        assert response.status_code == 201, response.text
        number = int(response.json()["id"])
        if start:
            assert self.post(f"/rest/agile/1.0/sprint/{number}", json={"state": "active"}).status_code == 200
        return number

    def control(self, name: str, body: Any) -> Any:
        """Set a control; what it says now."""
        response = self.post(f"/sandbox/{name}", json=body)
        assert response.status_code == 200, response.text
        return response.json()


@pytest.fixture
def admin(sandbox: SandboxServer) -> Iterator[Client]:
    """A client of the site administrator."""
    with Client(base_url=sandbox.url, auth=("demo@example.com", "sandbox-token"), timeout=10) as client:
        yield client


@pytest.fixture
def member(sandbox: SandboxServer) -> Iterator[Client]:
    """A client of a person who may create and edit."""
    with Client(base_url=sandbox.url, auth=("member@example.com", "member-token"), timeout=10) as client:
        yield client


@pytest.fixture
def viewer(sandbox: SandboxServer) -> Iterator[Client]:
    """A client of a person who may only look."""
    with Client(base_url=sandbox.url, auth=("viewer@example.com", "viewer-token"), timeout=10) as client:
        yield client
