"""What only Trello promises, on a sandbox of its own that every test finds as new."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.trello.tracker import TrelloTracker
from sandbox.testing import SandboxServer
from tests import plain
from tests.contract.trello.desk import connected


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxServer]:
    """A sandbox for the module."""
    with SandboxServer() as server:
        yield server


@pytest.fixture(autouse=True)
def _as_new(sandbox: SandboxServer) -> None:
    plain.post(f"{sandbox.url}/sandbox/reset", json={}).raise_for_status()


@pytest.fixture
def tracker(sandbox: SandboxServer) -> Iterator[TrelloTracker]:
    """The account that may do everything."""
    with connected(sandbox.url) as made:
        yield made
