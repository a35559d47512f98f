"""The vendor's rate limits: a bucket for each endpoint and method, and windows of writes to one issue.

Figures and headers are from the vendor's page on rate limiting (developer.atlassian.com, Jira Cloud platform, "Rate
limiting"): GET and POST 100 a second, PUT and DELETE 50, with higher ones for reading issues, users and changelogs;
20 writes to an issue in 2 seconds and 100 in 30.  The points quota is left out: it does not touch API-token callers.
"""

from __future__ import annotations

import math
import re
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from starlette.responses import Response

from sandbox.faults import too_many

BURST = {"GET": 100.0, "POST": 100.0, "PUT": 50.0, "DELETE": 50.0}
BURST_OF = (
    (re.compile(r"^/rest/api/\w+/issue/[^/]+/changelog$"), 200.0),
    (re.compile(r"^/rest/api/\w+/issue/[^/]+$"), 150.0),
    (re.compile(r"^/rest/api/\w+/user$"), 150.0),
)
ISSUE_WINDOWS = ((2.0, 20), (30.0, 100))  # seconds, writes

_VARIABLE = re.compile(r"/(?:\d+|[A-Za-z][A-Za-z0-9]*-\d+|[0-9a-f-]{24,})(?=/|$)")
_ISSUE = re.compile(r"^/rest/(?:api/\w+|agile/1\.0)/issue/([^/]+)(?:/|$)")
_NO_ISSUE = frozenset({"bulk", "bulkfetch", "createmeta", "picker", "properties", "rank", "watching", "limit"})


def issue_in(path: str) -> str | None:
    """The issue id or key that a path is about."""
    match = _ISSUE.match(path)
    return match[1] if match and match[1] not in _NO_ISSUE else None


@dataclass
class _Bucket:
    rate: float
    tokens: float
    at: datetime

    def refill(self, now: datetime) -> None:
        gained = max(0.0, (now - self.at).total_seconds()) * self.rate
        self.tokens = min(self.rate, self.tokens + gained)
        self.at = now


@dataclass
class Limits:
    """Counts requests. ``scale`` shrinks (or stretches) every figure, so that a test needs few requests."""

    enabled: bool = False
    scale: float = 1.0
    _buckets: dict[tuple[str, str], _Bucket] = field(default_factory=dict)
    _writes: dict[str, deque[datetime]] = field(default_factory=dict)

    def forget(self) -> None:
        """Start counting anew."""
        self._buckets.clear()
        self._writes.clear()

    def check(self, method: str, path: str, issues: set[str], now: datetime) -> tuple[Response | None, dict[str, str]]:
        """A refusal, or the headers to add to the answer. ``issues`` are the ids of those that a write touches."""
        refusal = self._per_issue(issues, now) if method != "GET" else None
        if refusal is not None:
            return refusal, {}
        bucket = self._bucket(method, path, now)
        if bucket.tokens < 1:
            wait = (1 - bucket.tokens) / bucket.rate
            return self._refused("jira-burst-based", wait, bucket.rate, now), {}
        bucket.tokens -= 1
        for issue in issues if method != "GET" else ():
            self._writes.setdefault(issue, deque()).append(now)
        return None, {"X-RateLimit-Limit": f"{bucket.rate:g}", "X-RateLimit-Remaining": str(int(bucket.tokens))}

    def _bucket(self, method: str, path: str, now: datetime) -> _Bucket:
        endpoint = _VARIABLE.sub("/{}", path)
        rate = BURST.get(method, 100.0)
        if method == "GET":
            rate = next((figure for pattern, figure in BURST_OF if pattern.match(path)), rate)
        rate = max(1.0, rate * self.scale)
        bucket = self._buckets.setdefault((method, endpoint), _Bucket(rate, rate, now))
        bucket.refill(now)
        return bucket

    def _per_issue(self, issues: set[str], now: datetime) -> Response | None:
        for issue in issues:
            writes = self._writes.setdefault(issue, deque())
            while writes and writes[0] <= now - timedelta(seconds=ISSUE_WINDOWS[-1][0]):
                writes.popleft()
            for seconds, allowed in ISSUE_WINDOWS:
                most = max(1, int(allowed * self.scale))
                recent = [moment for moment in writes if moment > now - timedelta(seconds=seconds)]
                if len(recent) >= most:
                    wait = seconds - (now - recent[-most]).total_seconds()
                    return self._refused("jira-per-issue-on-write", wait, most, now)
        return None

    def _refused(self, reason: str, wait: float, limit: float, now: datetime) -> Response:
        seconds = max(1, math.ceil(wait))
        return too_many(
            {
                "RateLimit-Reason": reason,
                "Retry-After": str(seconds),
                "X-RateLimit-Limit": f"{limit:g}",
                "X-RateLimit-Remaining": "0",
                "X-RateLimit-Reset": (now + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
        )
