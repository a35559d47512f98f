"""Rates are kept, waits are bounded, and every form of Retry-After is understood."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.pacing import (
    Budget,
    Pacer,
    Patience,
    Quota,
    TokenBucket,
    retry_after_seconds,
    shared_pacer,
    shared_windows,
    time_kept_by,
)
from tests.unit.connectors.loopback import Naps

NOW = datetime(2026, 11, 23, 10, 0, 0, tzinfo=UTC)


class FrozenClock:
    """Time that moves when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_passes_at_once_and_then_calls_are_spread() -> None:
    clock = FrozenClock()
    bucket = TokenBucket(Budget(rate=10, burst=3), clock)
    assert [round(bucket.reserve(), 3) for _ in range(5)] == [0, 0, 0, 0.1, 0.2]


def test_a_bucket_refills_up_to_its_burst_only() -> None:
    clock = FrozenClock()
    bucket = TokenBucket(Budget(rate=10, burst=2), clock)
    for _ in range(2):
        bucket.reserve()
    clock.now += 60
    assert [bucket.reserve() for _ in range(3)] == pytest.approx([0, 0, 0.1])


def test_a_pacer_holds_back_only_the_kinds_that_have_a_budget() -> None:
    naps = Naps()
    pacer = Pacer({"PUT": Budget(rate=2, burst=1)}, clock=FrozenClock(), sleep=naps)
    for kind in ("GET", "GET", "PUT", "PUT"):
        pacer.wait(kind)
    assert naps == [0.5]


def test_one_connection_has_one_pacer_in_this_process() -> None:
    first = shared_pacer("jira https://a.example.com", {})
    assert shared_pacer("jira https://a.example.com", {}) is first
    assert shared_pacer("jira https://b.example.com", {}) is not first


def test_patience_never_sleeps_more_than_its_limit_in_one_step() -> None:
    naps = Naps()
    patience = Patience(20, sleep=naps)
    while patience.try_pause(3.0):
        pass
    assert sum(naps) == 18
    assert patience.left == 2
    patience.renew()
    assert patience.left == 20
    assert patience.try_pause(3.0)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "5"}, 5.0),
        ({"Retry-After": " 1.5 "}, 1.5),
        ({"Retry-After": "-3"}, 0.0),
        ({"Retry-After": "Mon, 23 Nov 2026 10:00:07 GMT"}, 7.0),
        ({"Retry-After": "Mon, 23 Nov 2026 09:00:00 GMT"}, 0.0),
        (
            {"Retry-After": "Mon, 23 Nov 2026 12:00:09 GMT", "Date": "Mon, 23 Nov 2026 12:00:00 GMT"},
            9.0,
        ),
        ({"X-RateLimit-Reset": "2026-11-23T10:00:30Z"}, 30.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "inf"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_every_form(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_seconds(headers, lambda: NOW) == seconds


def test_what_is_shared_keeps_time_by_the_clock_it_was_made_under() -> None:
    clock, naps = FrozenClock(), Naps()
    with time_kept_by(clock, naps):
        pacer = shared_pacer("jira https://months.example.com", {"PUT": Budget(rate=2, burst=1)})
        window = shared_windows("trello months", {"token": Quota(1, 10)})["token"]
        patience = Patience()
    for _ in range(2):
        pacer.wait("PUT")
    assert patience.try_pause(3)
    with window.slot():
        pass
    clock.now += 10
    with window.slot() as waited:
        pass

    assert naps == [0.5, 3]
    assert waited == 0


def test_what_is_shared_under_one_clock_is_not_shared_under_another() -> None:
    budgets = {"PUT": Budget(rate=2, burst=1)}
    usual = shared_pacer("jira https://twice.example.com", budgets)
    with time_kept_by(FrozenClock(), Naps()):
        assert shared_pacer("jira https://twice.example.com", budgets) is not usual
    assert shared_pacer("jira https://twice.example.com", budgets) is usual
