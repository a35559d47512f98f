"""Which call is sent again, after how long, and what is handed on when it is not: the policy as a table."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.calls import Fault
from connectors.pacing import Patience
from connectors.retries import PASSING, Ending, Verdict, verdict

NOW = datetime(2026, 11, 23, 10, 40, 0, tzinfo=UTC)
GONE = Verdict()


def judged(
    ending: Ending, *, writes: bool = False, tried: int = 1, unsaid: float | None = None, spent: float = 0.0
) -> Verdict:
    patience = Patience(20.0, attempts=4, sleep=lambda _seconds: None)
    assert patience.try_pause(spent)
    return verdict(
        ending, writes=writes, tried=tried, patience=patience, unsaid=unsaid, now=lambda: NOW, spread=lambda: 1.0
    )


@pytest.mark.parametrize(
    ("fault", "read", "write"),
    [
        (Fault.NEVER_SENT, Verdict(wait=1.0), Verdict(wait=1.0)),
        (Fault.LOST, Verdict(wait=1.0), GONE),
        (Fault.UNREADABLE, GONE, GONE),
        (Fault.WRONG_ADDRESS, GONE, GONE),
        (Fault.BAD_BODY, GONE, GONE),
        (Fault.UNTRUSTED, GONE, GONE),
        (Fault.PLAIN_HTTP, GONE, GONE),
        (Fault.PROXY_DENIES, GONE, GONE),
        (Fault.PROXY_REFUSED, Verdict(wait=1.0), Verdict(wait=1.0)),
    ],
)
def test_a_call_without_an_answer_is_repeated_if_it_did_nothing(fault: Fault, read: Verdict, write: Verdict) -> None:
    assert judged(Ending(fault=fault)) == read
    assert judged(Ending(fault=fault), writes=True) == write


def test_every_fault_has_its_line_in_the_table() -> None:
    assert len(Fault) == 9


@pytest.mark.parametrize("status", sorted(PASSING))
def test_a_passing_trouble_is_waited_out_by_reads_only(status: int) -> None:
    assert judged(Ending(status)) == Verdict(wait=1.0)
    assert judged(Ending(status, {"Retry-After": "5"})) == Verdict(wait=5.1)
    assert judged(Ending(status), writes=True) == GONE


@pytest.mark.parametrize("status", [200, 201, 204, 301, 400, 401, 403, 404, 409, 410, 413, 422, 501])
def test_an_answer_that_stands_is_not_asked_for_again(status: int) -> None:
    assert judged(Ending(status)) == GONE
    assert judged(Ending(status, {"Retry-After": "1"})) == Verdict(retry_after=1.0)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry-After": "3"}, Verdict(wait=3.1)),
        ({"Retry-After": "0"}, Verdict(wait=0.1)),
        ({"Retry-After": "Mon, 23 Nov 2026 10:40:07 GMT"}, Verdict(wait=7.1)),
        ({"X-RateLimit-Reset": "2026-11-23T10:40:09Z"}, Verdict(wait=9.1)),
        ({"Retry-After": "soon"}, Verdict(wait=1.0)),
        ({}, Verdict(wait=1.0)),
        ({"Retry-After": "1847"}, Verdict(retry_after=1847.0)),
        ({"Retry-After": "Mon, 23 Nov 2026 11:40:00 GMT"}, Verdict(retry_after=3600.0)),
        ({"RateLimit-Reason": "jira-burst-based"}, Verdict(wait=1.1)),
        ({"RateLimit-Reason": "jira-burst-based", "Retry-After": "2"}, Verdict(wait=2.1)),
        ({"RateLimit-Reason": "jira-per-issue-on-write"}, Verdict(wait=2.1)),
        ({"RateLimit-Reason": "jira-per-issue-on-write", "Retry-After": "28"}, Verdict(retry_after=28.0)),
        ({"RateLimit-Reason": "jira-quota-tenant-based"}, Verdict(retry_after=1200.0)),
        ({"RateLimit-Reason": "jira-quota-global-based", "Retry-After": "5"}, Verdict(retry_after=5.0)),
        ({"RateLimit-Reason": "a-reason-of-next-year", "Retry-After": "5"}, Verdict(wait=5.1)),
    ],
)
def test_a_refusal_for_rate_is_waited_out_or_handed_on_for_reads_and_writes_alike(
    headers: dict[str, str], expected: Verdict
) -> None:
    for writes in (False, True):
        found = judged(Ending(429, headers), writes=writes)
        assert found.wait == pytest.approx(expected.wait)
        assert found.retry_after == expected.retry_after


def test_a_window_whose_end_is_not_told_is_waited_out_whole() -> None:
    assert judged(Ending(429), unsaid=10.0) == Verdict(wait=10.1)
    assert judged(Ending(429), unsaid=900.0) == Verdict(retry_after=900.0)
    assert judged(Ending(503), unsaid=900.0) == Verdict(wait=1.0)


@pytest.mark.parametrize(("tried", "wait"), [(1, 1.0), (2, 2.0), (3, 4.0), (4, None)])
def test_waits_double_and_end_after_four_attempts(tried: int, wait: float | None) -> None:
    assert judged(Ending(503), tried=tried).wait == wait


def test_what_was_asked_is_the_least_that_is_waited_and_short_waits_grow() -> None:
    assert judged(Ending(429, {"Retry-After": "0"}), tried=3) == Verdict(wait=4.0)
    assert judged(Ending(429, {"Retry-After": "9"}), tried=3) == Verdict(wait=9.1)


def test_the_best_that_is_known_is_handed_on_when_the_attempts_are_used_up() -> None:
    assert judged(Ending(429, {"Retry-After": "3"}), tried=4) == Verdict(retry_after=3.0)
    assert judged(Ending(429), tried=4) == Verdict(retry_after=8.0)
    assert judged(Ending(503, {"Retry-After": "3"}), tried=4) == Verdict(retry_after=3.0)
    assert judged(Ending(503), tried=4) == GONE


def test_a_wait_longer_than_what_is_left_of_the_patience_is_not_begun() -> None:
    assert judged(Ending(429, {"Retry-After": "9"}), spent=15.0) == Verdict(retry_after=9.0)
    assert judged(Ending(429, {"Retry-After": "4"}), spent=15.0) == Verdict(wait=4.1)
