"""A live sandbox and clients for its accounts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sandbox.testing import SandboxServer
from tests import plain


@pytest.fixture(scope="module")
def _server() -> Iterator[SandboxServer]:
    with SandboxServer() as server:
        yield server


@pytest.fixture
def sandbox(_server: SandboxServer) -> SandboxServer:
    """A sandbox as freshly seeded; the server is shared by the module."""
    plain.post(f"{_server.url}/sandbox/reset").raise_for_status()
    plain.delete(f"{_server.url}/sandbox/limits").raise_for_status()
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


class TrelloApi(httpx.Client):
    """An HTTP client of Trello's routes, with short ways to make what most tests need."""

    def ok(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
        """Send, assert success, and give the answer."""
        response = self.request(method, path, params=params, json=body)
        assert response.status_code == 200, f"{method} {path}: {response.status_code} {response.text}"
        return response.json()

    def refused(self, method: str, path: str, body: Any = None, **params: Any) -> tuple[int, str]:
        """Send; the status and the text of a refusal."""
        response = self.request(method, path, params=params, json=body)
        assert response.status_code >= 400, response.text
        return response.status_code, response.text

    def board(self, *names: str) -> tuple[str, list[str]]:
        """A new board with lists of these names, from left to right; the ids of both."""
        board = self.ok("POST", "/boards/", {"name": "Board", "defaultLists": False})["id"]
        lists = [self.ok("POST", "/lists", {"name": n, "idBoard": board, "pos": "bottom"})["id"] for n in names]
        return str(board), lists


@pytest.fixture
def trello(sandbox: SandboxServer) -> Iterator[TrelloApi]:
    """A client with the token of the demo member."""
    login = {"Authorization": 'OAuth oauth_consumer_key="sandbox-key", oauth_token="sandbox-token"'}
    with TrelloApi(base_url=f"{sandbox.url}/1", headers=login, timeout=10) as client:
        yield client
