"""Trello over HTTP: paced, classified calls through `fetch_json` of py-trello.

The library builds addresses and bodies; everything else it does for a call of its own (look-ups, a read after each
write) is not used. Safe to share between the worker threads of one step.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from trello import TrelloClient as PyTrello

from connectors.calls import Call, Permit, permitted
from connectors.errors import NotATracker, TrackerUnavailable
from connectors.network import Network, said_by
from connectors.pacing import (
    Crowded,
    Patience,
    Quota,
    Window,
    call_begins,
    shared_windows,
    utc_now,
    whole_seconds,
)
from connectors.retries import TOO_MANY, Ending, Verdict, verdict
from connectors.trello.failures import (
    CAUGHT,
    broken,
    fault_of,
    not_trello,
    read_refusal,
    refused,
)
from connectors.trello.owners import shared_owners
from connectors.trello.service import TIMEOUT, HttpService
from connectors.trello.settings import TrelloSettings
from connectors.values import Usage

QUOTAS: Mapping[str, Quota] = {"token": Quota(100, 10.0), "members": Quota(100, 900.0)}
"""The vendor's limits (developer.atlassian.com, Trello rate limits): 100 calls in 10 s for a token, and 100 in 900 s
on /1/members; a note of the vendor's support counts searches among the latter. The limit of 300 in 10 s for a key is
three tokens' worth and needs no window of its own."""

LONGEST_WAIT = 45.0
"""Seconds that one call may wait for the vendor, all its waits together. A window lasts ten."""

_Shape = TypeVar("_Shape", dict[str, Any], list[Any])

_REMAINING = "x-rate-limit-api-token-remaining"
_MOST = "x-rate-limit-api-token-max"
_INTERVAL = "x-rate-limit-api-token-interval-ms"
_SANE_CALLS = range(1, 100_001)
_SANE_INTERVAL = range(1_000, 900_001)
_MEMBERS_LIMIT = "RATE_LIMIT_EXCEEDED"
"""The vendor's name for the limit on members and searches; those of the token and the key say so."""
_OF_MEMBERS = ("/1/members/", "/1/search")
_RAISED: tuple[type[Exception], ...] = (ValueError, *CAUGHT)


def segment(value: object) -> str:
    """A value as one part of a path, whatever it holds."""
    return quote(str(value), safe="")


def within(seconds: float) -> httpx.Timeout:
    """The times to connect and to wait for an answer where somebody asks for the latter."""
    return httpx.Timeout(seconds, connect=min(TIMEOUT.connect or seconds, seconds))


def patient() -> Patience:
    """The patience of one call."""
    return Patience(LONGEST_WAIT, attempts=5)


def _hurry() -> Patience:
    return Patience(0.0)


def _is_of_members(call: Call) -> bool:
    return call.path.startswith(_OF_MEMBERS)


def _named_quota(headers: Mapping[str, str]) -> Quota | None:
    """The token's limit as the answer names it; None where it does not, or names one that cannot be meant."""
    most, interval = headers.get(_MOST, ""), headers.get(_INTERVAL, "")
    if not (most.isdecimal() and interval.isdecimal()):
        return None
    if int(most) not in _SANE_CALLS or int(interval) not in _SANE_INTERVAL:
        return None
    return Quota(int(most), int(interval) / 1000)


class TrelloClient:
    """Sends single requests to Trello and raises only what `connectors.errors` names.

    Reads are repeated freely, up to the patience of one call; writes only when they cannot have been carried out.
    """

    def __init__(
        self,
        settings: TrelloSettings,
        *,
        windows: Mapping[str, Window] | None = None,
        patience: Callable[[], Patience] = patient,
        timeout: httpx.Timeout = TIMEOUT,
        now: Callable[[], datetime] = utc_now,
        permit: Permit = permitted,
        network: Network | None = None,
    ) -> None:
        self._host = settings.host
        self._way = (network or Network()).way_to(settings.url)
        self._service = HttpService(settings, timeout, permit, self._way)
        # This name of what is shared stays in memory: the token is what the vendor counts by.
        name = f"trello {settings.url} {settings.key} {settings.token.get_secret_value()}"
        self._windows = shared_windows(name, QUOTAS) if windows is None else windows
        self.owners = shared_owners(name)
        self._patience = patience
        self._now = now
        # Without its credentials: the service writes them, into the header only.
        self._trello = PyTrello(api_key="", http_service=self._service)
        self._counting = threading.Lock()
        self._reads = 0
        self._writes = 0

    @contextmanager
    def hurried(self) -> Iterator[None]:
        """Send what is sent meanwhile without waiting for anything: it is better to do without the answer."""
        patience, self._patience = self._patience, _hurry
        try:
            yield
        finally:
            self._patience = patience

    def __repr__(self) -> str:
        return f"TrelloClient({self._host})"

    @property
    def host(self) -> str:
        """The host as messages name it."""
        return self._host

    @property
    def usage(self) -> Usage:
        """Requests sent so far, repeated ones included."""
        with self._counting:
            return Usage(self._reads, self._writes)

    def close(self) -> None:
        """Close the connections."""
        self._service.close()

    def get_object(self, path: str, params: Mapping[str, str | int] | None = None) -> dict[str, Any]:
        """Read `path` and return its JSON object; raises `NotATracker` for anything else."""
        return self._expect(dict, self._call("GET", path, params=params), f"GET /1/{path}")

    def get_list(self, path: str, params: Mapping[str, str | int] | None = None) -> list[Any]:
        """Read `path` and return its JSON list; raises `NotATracker` for anything else."""
        return self._expect(list, self._call("GET", path, params=params), f"GET /1/{path}")

    def write(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Send a write once and return its JSON."""
        return self._call(method, path, body=body or {}, writes=True)

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
        writes: bool = False,
    ) -> Any:
        call = Call(method, f"/1/{path}", self._host, writes, self._way)
        patience = self._patience()
        tried = 0
        call_begins()
        while True:
            tried += 1
            try:
                answer, content = self._transmit(call, path, params, body, patience)
            except CAUGHT as error:
                fault = fault_of(error)
                found = self._verdict(call, tried, Ending(fault=fault), patience)
                if found.wait is None or not patience.try_pause(found.wait):
                    raise broken(
                        call, fault, said_by(error)
                    ) from None  # the original holds the request, and so the credential
                continue
            found = self._verdict(call, tried, Ending(answer.status_code, answer.headers), patience, answer)
            if found.wait is None or not patience.try_pause(found.wait):
                return self._understand(call, answer, content, found.retry_after)

    def _verdict(
        self, call: Call, tried: int, ending: Ending, patience: Patience, answer: httpx.Response | None = None
    ) -> Verdict:
        name = self._full_window(call, answer) if answer is not None and answer.status_code == TOO_MANY else None
        window = self._windows.get(name) if name else None
        # The vendor documents no Retry-After: what is left of the window is unknown, and at most all of it.
        unsaid = (window.quota if window else QUOTAS[name]).seconds if name else None
        found = verdict(ending, writes=call.writes, tried=tried, patience=patience, unsaid=unsaid, now=self._now)
        if window is not None:
            # Other calls of the same token are not sent meanwhile: each would be refused, and refusals are counted.
            window.close(found.wait or found.retry_after or 0.0)
        return found

    def _full_window(self, call: Call, answer: httpx.Response) -> str:
        """Which limit a 429 speaks of: the one on members and searches has a name of its own."""
        code = read_refusal(self._service.blotted(answer.text)).code
        return "members" if code == _MEMBERS_LIMIT and _is_of_members(call) else "token"

    def _transmit(
        self,
        call: Call,
        path: str,
        params: Mapping[str, str | int] | None,
        body: Mapping[str, Any] | None,
        patience: Patience,
    ) -> tuple[httpx.Response, Any]:
        """Send the request when there is room for it; the answer with its JSON, None where it has none."""
        with ExitStack() as places:
            self._take_places(call, places, patience)
            if call.writes:
                places.enter_context(self._service.writing())
            self._count(call)
            content: Any = None
            try:
                content = self._trello.fetch_json(path, call.method, query_params=dict(params or {}), post_args=body)
            except _RAISED:
                # Every status but 200 and every body but JSON raises here; the answer itself says more.
                if self._service.answer is None:
                    raise
            answer = self._service.answer
            if answer is None:
                raise httpx.ReadError("no answer was kept")
            self._take_note(answer)
            return answer, content

    def _take_places(self, call: Call, places: ExitStack, patience: Patience) -> None:
        names = ("members", "token") if _is_of_members(call) else ("token",)
        for name in names:
            window = self._windows.get(name)
            try:
                if window is not None:
                    patience.spend(places.enter_context(window.slot(patience.left)))
            except Crowded as error:
                raise TrackerUnavailable(
                    f"Trello at {self._host} allows no more calls of this kind for {whole_seconds(error.seconds)} s.",
                    fix="Try again after that time.",
                    request=str(call),
                    retry_after=error.seconds,
                ) from error

    def _take_note(self, answer: httpx.Response) -> None:
        """Keep to the limit that the vendor names, and to what it says is left of it."""
        window = self._windows.get("token")
        if window is None:
            return
        if (quota := _named_quota(answer.headers)) is not None and quota != window.quota:
            window.learn(quota)
        remaining = answer.headers.get(_REMAINING, "")
        if remaining.isdecimal():
            window.told(int(remaining))

    def _count(self, call: Call) -> None:
        with self._counting:
            if call.writes:
                self._writes += 1
            else:
                self._reads += 1

    def _understand(self, call: Call, answer: httpx.Response, content: Any, retry_after: float | None) -> Any:
        status = answer.status_code
        if 300 <= status < 400:
            raise NotATracker(
                f"{self._host} sends {call} on to another address.",
                fix="Check that the connection's URL is the API's own address, https://api.trello.com.",
                request=str(call),
                status=status,
            )
        if status >= 400:
            said = read_refusal(self._service.blotted(answer.text))
            raise refused(call, status, said, retry_after)
        if content is None:
            kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            raise not_trello(call, f"{kind or 'nothing'} where JSON is promised", status)
        return content

    def _expect(self, kind: type[_Shape], body: Any, request: str) -> _Shape:
        if not isinstance(body, kind):
            raise NotATracker(
                f"{self._host} answered {request} with JSON of another shape than Trello's.",
                fix="Check the connection's URL.",
                request=request,
            )
        return body
