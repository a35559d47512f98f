"""Keep to a vendor's rate before it complains, and know how long it asks to wait after it did.

Pacing comes first (`Pacer`: one token bucket for each kind of call of a connection; `Window`: so many calls in any ten
seconds), backing off second (`Patience`: one step's total of waiting). Which call may be sent again, and when, is
decided in `connectors.retries`.
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

Clock = Callable[[], float]
"""A monotonic clock in seconds."""

Sleep = Callable[[float], None]
"""Wait for that many seconds."""

_RANDOM = random.SystemRandom()

_call = threading.local()
"""The call that this thread is about to send: the seconds that it has waited for its turn."""


def call_begins() -> None:
    """Say that this thread begins a call; from now on `waited` is about that."""
    _call.waited = 0.0


def waited() -> float:
    """Seconds that the present call of this thread has waited to be sent, or to be sent again: what was seen before it
    may be so no longer."""
    return float(getattr(_call, "waited", 0.0))


def _wait(sleep: Sleep, seconds: float) -> None:
    sleep(seconds)
    _call.waited = waited() + seconds


def jitter() -> float:
    """A factor between 0.7 and 1.3, so that clients that were refused together do not come back together."""
    return _RANDOM.uniform(0.7, 1.3)


@dataclass(frozen=True, slots=True)
class Budget:
    """A vendor's limit for one kind of call: `rate` calls a second, after a first burst of `burst`."""

    rate: float
    burst: int


class TokenBucket:
    """Lets `burst` calls through at once and `rate` a second after that. Safe to share between threads."""

    def __init__(self, budget: Budget, clock: Clock = time.monotonic) -> None:
        self._budget = budget
        self._clock = clock
        self._tokens = float(budget.burst)
        self._filled_at = clock()
        self._lock = threading.Lock()

    def reserve(self) -> float:
        """Take one call out of the bucket and return how many seconds to wait before making it (0: at once)."""
        with self._lock:
            now = self._clock()
            grown = (now - self._filled_at) * self._budget.rate
            self._tokens = min(float(self._budget.burst), self._tokens + grown)
            self._filled_at = now
            # Going below zero queues the callers fairly: each one waits for its own place.
            self._tokens -= 1
            return max(0.0, -self._tokens / self._budget.rate)


class Pacer:
    """The token buckets of one connection, by kind of call; kinds without a budget are not held back."""

    def __init__(
        self, budgets: Mapping[str, Budget], *, clock: Clock = time.monotonic, sleep: Sleep = time.sleep
    ) -> None:
        self._buckets = {kind: TokenBucket(budget, clock) for kind, budget in budgets.items()}
        self._sleep = sleep

    def wait(self, kind: str) -> None:
        """Return when a call of this kind may be sent."""
        bucket = self._buckets.get(kind)
        delay = bucket.reserve() if bucket else 0.0
        if delay > 0:
            _wait(self._sleep, delay)


@dataclass(frozen=True)
class _Shared:
    """What the tracker objects of a process share, and the time by which it is kept."""

    clock: Clock = time.monotonic
    sleep: Sleep = time.sleep
    pacers: dict[str, Pacer] = field(default_factory=dict)
    windows: dict[tuple[str, str], Window] = field(default_factory=dict)


_shared = _Shared()
_shared_lock = threading.Lock()


@contextmanager
def time_kept_by(clock: Clock, sleep: Sleep) -> Iterator[None]:
    """Have what is shared meanwhile, and who is patient, keep time by this clock instead of the machine's, apart from
    what is shared at other times: for a process that plays months in minutes."""
    global _shared  # noqa: PLW0603 - what is shared in a process keeps one time
    before, _shared = _shared, _Shared(clock, sleep)
    try:
        yield
    finally:
        _shared = before


def shared_pacer(connection: str, budgets: Mapping[str, Budget]) -> Pacer:
    """The one pacer of a connection in this process, so that every tracker object made for it shares the rate."""
    kept = _shared
    with _shared_lock:
        if connection not in kept.pacers:
            kept.pacers[connection] = Pacer(budgets, clock=kept.clock, sleep=kept.sleep)
        return kept.pacers[connection]


class Patience:
    """How long one step may wait for a tracker that asks it to, all waits together.

    A step that sleeps holds a worker and its connection's queue; beyond `limit` seconds it is better to give up and
    be run again later. Not shared between threads. It waits by `sleep`, without one by the time that is kept
    (`time_kept_by`).
    """

    def __init__(self, limit: float = 20.0, *, attempts: int = 4, sleep: Sleep | None = None) -> None:
        self._limit = limit
        self._attempts = attempts
        self._sleep = _shared.sleep if sleep is None else sleep
        self._spent = 0.0

    @property
    def attempts(self) -> int:
        """How often one call may be sent in all."""
        return self._attempts

    @property
    def left(self) -> float:
        """Seconds that may still be waited."""
        return self._limit - self._spent

    def renew(self) -> None:
        """Start a new step with the whole limit."""
        self._spent = 0.0

    def exhaust(self) -> None:
        """Start a step that does not wait: it is better to do without the answer."""
        self._spent = self._limit

    def try_pause(self, delay: float) -> bool:
        """Wait `delay` seconds if the limit allows it; False (and no wait) if not."""
        if delay > self.left:
            return False
        self.spend(delay)
        _wait(self._sleep, delay)
        return True

    def spend(self, waited: float) -> None:
        """Count seconds that were waited elsewhere."""
        self._spent += waited


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


def whole_seconds(seconds: float) -> int:
    """A wait as people are told of it: rounded up, and never none, for who comes back at once is refused again."""
    return max(1, math.ceil(seconds))


def retry_after_seconds(headers: Mapping[str, str], now: Callable[[], datetime] = utc_now) -> float | None:
    """How long an answer asks to wait, in seconds, never negative; None if it does not say, or not readably.

    Read from `Retry-After`, which holds seconds (whole or, from some gateways, decimal) or an HTTP date, else from
    Jira's `X-RateLimit-Reset` (ISO 8601). A date is compared with the answer's own `Date` where there is one: this
    machine's clock may be wrong.
    """
    asked = headers.get("Retry-After", "").strip()
    if asked:
        seconds = _as_number(asked)
        if seconds is not None:
            return max(0.0, seconds)
    until = _as_http_date(asked) or _as_iso_date(headers.get("X-RateLimit-Reset", "").strip())
    if until is None:
        return None
    reference = _as_http_date(headers.get("Date", "").strip()) or now()
    return max(0.0, (until - reference).total_seconds())


def _as_number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _as_http_date(text: str) -> datetime | None:
    try:
        return _aware(parsedate_to_datetime(text))
    except (ValueError, IndexError, TypeError):
        return None


def _as_iso_date(text: str) -> datetime | None:
    try:
        return _aware(datetime.fromisoformat(text))
    except ValueError:
        return None


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Quota:
    """A vendor's limit on a span of time: at most `calls` in any `seconds`."""

    calls: int
    seconds: float


class Crowded(Exception):
    """A call was not sent, because the quota has no room for it for another `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no room for {whole_seconds(seconds)} s")
        self.seconds = seconds


class Window:
    """Lets as many calls through as a quota allows in any span of its length. Safe to share between threads.

    A place is given back that long after the call's *answer*, not after its sending: the vendor counts a call when it
    arrives, which is before the answer, so that no delay on the way can put more calls into the vendor's window.
    """

    def __init__(self, quota: Quota, *, clock: Clock = time.monotonic, sleep: Sleep = time.sleep) -> None:
        self._quota = quota
        self._clock = clock
        self._sleep = sleep
        self._answered: deque[float] = deque()
        self._under_way = 0
        self._closed_until = clock()
        self._changed = threading.Condition()

    @property
    def quota(self) -> Quota:
        """The limit that is kept now."""
        return self._quota

    def learn(self, quota: Quota) -> None:
        """Keep to this limit from now on: the vendor named it."""
        with self._changed:
            self._quota = quota
            self._changed.notify_all()

    @contextmanager
    def slot(self, longest: float = math.inf) -> Iterator[float]:
        """Hold a place while a call is under way, and say how many seconds were waited for it. Raises Crowded where a
        place takes longer than `longest` seconds."""
        waited = self._enter(longest)
        try:
            yield waited
        finally:
            with self._changed:
                self._under_way -= 1
                self._answered.append(self._clock())
                self._changed.notify()

    def _enter(self, longest: float) -> float:
        waited = 0.0
        while True:
            with self._changed:
                delay = self._delay()
                if delay is None:
                    # Every place is held by a call under way: its answer tells when the place comes free.
                    self._changed.wait()
                    continue
                if delay <= 0:
                    self._under_way += 1
                    return waited
            if delay > longest - waited:
                raise Crowded(delay)
            _wait(self._sleep, delay)
            waited += delay

    def _delay(self) -> float | None:
        """Seconds until the next place is free, 0 if one is, None if that is not known yet."""
        now = self._clock()
        while self._answered and self._answered[0] + self._quota.seconds <= now:
            self._answered.popleft()
        closed = self._closed_until - now
        if closed > 0:
            return closed
        if len(self._answered) + self._under_way < self._quota.calls:
            return 0.0
        return self._answered[0] + self._quota.seconds - now if self._answered else None

    def close(self, seconds: float) -> None:
        """Let nothing through for so long: the vendor said that it is too much."""
        with self._changed:
            self._closed_until = max(self._closed_until, self._clock() + seconds)

    def told(self, remaining: int) -> None:
        """Take the vendor's word for how many calls are left: others may be using the same credential."""
        with self._changed:
            self._delay()  # forget what is too old to count
            elsewhere = self._quota.calls - remaining - len(self._answered) - self._under_way
            self._answered.extend([self._clock()] * max(0, elsewhere))


def shared_windows(connection: str, quotas: Mapping[str, Quota]) -> dict[str, Window]:
    """The windows of a connection in this process by name, so that every tracker object made for it shares them."""
    kept = _shared
    with _shared_lock:
        return {
            name: kept.windows.setdefault((connection, name), Window(quota, clock=kept.clock, sleep=kept.sleep))
            for name, quota in quotas.items()
        }
