"""How often one caller may ask: requests of a token or a session, and refused attempts from one address.

Counted in this process, in the sliding window of the minute before: with several replicas, each counts for itself.
What proves itself is never refused for what others of the same address did, who may all stand behind one proxy.
"""

from __future__ import annotations

from hashlib import sha256
from math import ceil
from time import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from connectors.english import counted
from service.api.problems import ApiProblem

MINUTE = 60


class Rates:
    """The counters of one process. `per_caller` and `per_address` are requests and refused attempts a minute."""

    def __init__(self, per_caller: int, per_address: int) -> None:
        self._window = MovingWindowRateLimiter(MemoryStorage())
        self._callers, self._addresses = RateLimitItemPerMinute(per_caller), RateLimitItemPerMinute(per_address)

    def asked(self, caller: str) -> dict[str, str]:
        """Count a request of this token or session; the headers that tell how many are left. Raises the problem that
        there are none."""
        key = sha256(caller.encode()).hexdigest()
        taken = self._window.hit(self._callers, "caller", key)
        resets, left = self._window.get_window_stats(self._callers, "caller", key)
        headers = {
            "RateLimit-Policy": f'"requests";q={self._callers.amount};w={MINUTE}',
            "RateLimit": f'"requests";r={left};t={_until(resets)}',
        }
        if not taken:
            asked = counted(self._callers.amount, "request")
            detail = f"This token or session may send {asked} within a minute, and sent more."
            raise ApiProblem("too-many-requests", detail, headers={**headers, "Retry-After": str(_until(resets))})
        return headers

    def refused(self, address: str) -> ApiProblem | None:
        """Count an attempt that proved nothing; the problem that there were too many from this address."""
        if self._window.hit(self._addresses, "address", address):
            return None
        resets, _left = self._window.get_window_stats(self._addresses, "address", address)
        attempts = counted(self._addresses.amount, "attempt")
        detail = f"Of {attempts} without a valid proof that one address may make within a minute, none is left."
        return ApiProblem("too-many-requests", detail, headers={"Retry-After": str(_until(resets))})


def _until(instant: float) -> int:
    """Whole seconds until then, at least one."""
    return max(1, ceil(instant - time()))
