"""Every contract test runs once for each tracker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.port import Tracker
from connectors.values import Place, ProjectSpec
from tests.contract.benches import BENCHES, Bench, opened


@pytest.fixture(scope="module", params=list(BENCHES))
def running(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A bench, started once for the module."""
    with opened(request.param) as bench:
        yield bench


@pytest.fixture
def bench(running: Bench) -> Iterator[Bench]:
    """The bench without leftovers of other tests."""
    running.proxy.orders.lose.clear()
    running.proxy.orders.fake.clear()
    yield running
    while running.used:
        running.used.pop().close()


@pytest.fixture
def tracker(bench: Bench) -> Tracker:
    """A tracker that may do everything."""
    return bench.tracker()


@pytest.fixture
def spec(bench: Bench) -> ProjectSpec:
    """The spec of a project that exists, under a uid of this test's own."""
    return bench.spec()


@pytest.fixture
def place(tracker: Tracker, spec: ProjectSpec) -> Place:
    """That project, located."""
    found = tracker.locate(spec)
    assert found is not None
    return found
