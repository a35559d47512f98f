"""Whether a call is sent again, and after how long: the one policy of all connectors. Pure, no waiting of its own.

Reads may be sent again after anything that passes; a write only when it cannot have been carried out: it was never
sent, or it was turned away for its rate. What a tracker asks to wait is the least that is waited. A wait that is longer
than what is left of a step's patience is not begun: the caller gets it as `retry_after` and waits where that costs
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connectors.calls import Fault
from connectors.pacing import Patience, jitter, retry_after_seconds, utc_now

TOO_MANY = 429
PASSING = frozenset({408, 500, 502, 503, 504})
"""Statuses that speak of a trouble on the way, after which a read may go better."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a call ended: with an answer's status and headers, or with a fault instead of one."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do about a call: send it again after `wait` seconds, or (None) no more; `retry_after` is then the best
    that is known about when it may go better, in seconds."""

    wait: float | None = None
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class _Limit:
    """What a vendor's named limit means: the wait where the answer names none, and whether a step can wait it out."""

    unsaid: Callable[[datetime], float]
    passes_soon: bool


def _rest_of_the_hour(now: datetime) -> float:
    following = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return (following - now).total_seconds()


_LIMITS: Mapping[str, _Limit] = {
    # `RateLimit-Reason` (developer.atlassian.com, Jira Cloud rate limiting). A quota starts anew with the UTC hour and
    # holds for everything of the tenant or app: nothing else should be tried meanwhile.
    "jira-quota-global-based": _Limit(_rest_of_the_hour, passes_soon=False),
    "jira-quota-tenant-based": _Limit(_rest_of_the_hour, passes_soon=False),
    # 20 writes to one issue in 2 seconds and 100 in 30; the answer does not say which of them it was.
    "jira-per-issue-on-write": _Limit(lambda _now: 2.0, passes_soon=True),
    "jira-burst-based": _Limit(lambda _now: 1.0, passes_soon=True),
}


def verdict(
    ending: Ending,
    *,
    writes: bool,
    tried: int,
    patience: Patience,
    unsaid: float | None = None,
    now: Callable[[], datetime] = utc_now,
    spread: Callable[[], float] = jitter,
) -> Verdict:
    """What to do about a call that was sent `tried` times and last ended so.

    `unsaid` is how long a refusal for rate lasts where the answer does not say; `spread` gives the factor that keeps
    clients apart. The wait is not taken off `patience`: that is for the caller, who waits.
    """
    limited = ending.status == TOO_MANY
    asked = retry_after_seconds(ending.headers, now)
    if not _may_repeat(ending, writes=writes):
        return Verdict(retry_after=asked)
    limit = _LIMITS.get(ending.headers.get("RateLimit-Reason", "").strip().lower()) if limited else None
    if asked is None and limited:
        asked = limit.unsaid(now()) if limit else unsaid
    backoff = float(2 ** (tried - 1)) * spread()
    wait = backoff if asked is None else max(asked + 0.1 * spread(), backoff if tried > 1 else 0.0)
    if tried >= patience.attempts or wait > patience.left or (limit is not None and not limit.passes_soon):
        return Verdict(retry_after=asked if asked is not None else (wait if limited else None))
    return Verdict(wait=wait)


def _may_repeat(ending: Ending, *, writes: bool) -> bool:
    if ending.fault in (Fault.NEVER_SENT, Fault.PROXY_REFUSED) or ending.status == TOO_MANY:
        return True
    return not writes and (ending.fault is Fault.LOST or ending.status in PASSING)
