"""Jira over HTTP: one paced, classified call at a time, through the session of the `jira` library.

The library signs in, builds addresses and keeps the connection. Its own retries and its error parsing are left out:
they send a create again after a lost answer, and lose the names of refused fields. So requests go through the
session's `send`, below both.

Not safe to share between threads (neither is the library's session): one client for one step of a run.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import requests
from jira import JIRA

from connectors.calls import Call, Permit, permitted
from connectors.errors import NotATracker
from connectors.jira.failures import CAUGHT, broken, fault_of, not_jira, refused
from connectors.jira.gate import Gate
from connectors.jira.gateway import Found, find
from connectors.jira.settings import JiraSettings
from connectors.network import Network, said_by
from connectors.pacing import Budget, Pacer, Patience, call_begins, shared_pacer, utc_now
from connectors.retries import Ending, Verdict, verdict
from connectors.values import Usage

TIMEOUT = (5.0, 30.0)
"""Seconds to connect and to wait for an answer. A bulk create of fifty issues takes Jira several seconds."""

BUDGETS: Mapping[str, Budget] = {
    "GET": Budget(rate=100, burst=100),
    "POST": Budget(rate=100, burst=100),
    "PUT": Budget(rate=50, burst=50),
    "DELETE": Budget(rate=50, burst=50),
}
"""The vendor's default burst limits a second, by method (developer.atlassian.com, Jira Cloud rate limiting). They hold
for each endpoint alone; counting all endpoints together stays safely below."""

AGILE = JIRA.AGILE_BASE_URL
PLATFORM = JIRA.JIRA_BASE_URL
EDGE = "{server}/_edge/{path}"
"""What the site tells of itself outside of its REST API."""

_Shape = TypeVar("_Shape", dict[str, Any], list[Any])

_SIGNED_OUT = ("AUTHENTICATED_FAILED", "AUTHENTICATION_DENIED")


def within(seconds: float) -> tuple[float, float]:
    """The times to connect and to wait for an answer where somebody asks for the latter."""
    return min(TIMEOUT[0], seconds), seconds


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and the JSON that came with it; None where there was none."""

    status: int
    body: Any


def segment(value: object) -> str:
    """A value as one part of a path, whatever it holds."""
    return quote(str(value), safe="")


def _kind(response: requests.Response) -> str:
    """What an answer's body is, by its header; empty where it does not say."""
    return response.headers.get("Content-Type", "").partition(";")[0].strip().lower()


class JiraClient:
    """Sends single requests to one Jira site and raises only what `connectors.errors` names.

    Reads are repeated freely, up to the patience of one step; writes only when they cannot have been carried out.
    """

    def __init__(
        self,
        settings: JiraSettings,
        *,
        pacer: Pacer | None = None,
        patience: Patience | None = None,
        timeout: tuple[float, float] = TIMEOUT,
        now: Callable[[], datetime] = utc_now,
        permit: Permit = permitted,
        network: Network | None = None,
    ) -> None:
        token = settings.token.get_secret_value()
        basic = base64.b64encode(f"{settings.email}:{token}".encode()).decode()
        self._secrets = (token, basic)
        self._settings = settings
        self._root = urlsplit(settings.url).path
        self._timeout = timeout
        self._network = network or Network()
        self._elsewhere: Found | None = None  # what became of looking for the token at the gateway
        self._now = now
        self._pacer = pacer or shared_pacer(f"jira {settings.url} {settings.email}", BUDGETS)
        self.patience = patience or Patience()
        self._reads = 0
        self._writes = 0
        # get_server_info=False and validate=False keep the constructor from making calls of its own.
        self._jira = JIRA(
            server=settings.api_url or settings.url,
            basic_auth=(settings.email, token),
            max_retries=0,
            timeout=timeout,
            get_server_info=False,
            validate=False,
            async_=False,
            options={"headers": {"User-Agent": "phaseloop"}},
            logging=False,
        )
        self._gate = Gate(permit)
        for scheme in ("http://", "https://"):
            self._jira._session.mount(scheme, self._gate)
        self._jira._session.trust_env = False  # what the environment says is in the way already
        self._go_to(settings.api_url or settings.url)

    def __repr__(self) -> str:
        return f"JiraClient({self._host})"

    @property
    def host(self) -> str:
        """The host as messages name it."""
        return self._host

    @property
    def url(self) -> str:
        """The address that calls go to now: the site's, or its address at the gateway."""
        return self._url

    @property
    def at_gateway(self) -> bool:
        """Whether calls go to the gateway, where tokens with scopes work."""
        return "/ex/jira/" in self._url

    @property
    def found_at(self) -> str:
        """The address at the gateway where the token was found to work; empty where nothing had to be found out."""
        return self._elsewhere.url if self._elsewhere else ""

    @property
    def usage(self) -> Usage:
        """Requests sent so far, repeated ones included."""
        return Usage(self._reads, self._writes)

    def close(self) -> None:
        """Close the connections."""
        self._jira.close()  # type: ignore[no-untyped-call]

    def get(self, path: str, params: Mapping[str, str | int] | None = None, *, base: str = PLATFORM) -> Any:
        """Read `path` below `base` and return its JSON."""
        return self._call("GET", path, base, params=params).body

    def get_object(
        self, path: str, params: Mapping[str, str | int] | None = None, *, base: str = PLATFORM
    ) -> dict[str, Any]:
        """Read `path` and return its JSON object; raises `NotATracker` for anything else."""
        return self._expect(dict, self.get(path, params, base=base), f"GET {path}")

    def get_list(self, path: str, params: Mapping[str, str | int] | None = None, *, base: str = PLATFORM) -> list[Any]:
        """Read `path` and return its JSON list; raises `NotATracker` for anything else."""
        return self._expect(list, self.get(path, params, base=base), f"GET {path}")

    def query(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Read by a POST that changes nothing (a search, a bulk fetch) and return its JSON object."""
        answer = self._call("POST", path, PLATFORM, body=body, writes=False)
        return self._expect(dict, answer.body, f"POST {path}")

    def write(
        self,
        method: str,
        path: str,
        body: Any,
        *,
        base: str = PLATFORM,
        params: Mapping[str, str | int] | None = None,
        also: Collection[int] = (),
        empty: bool = False,
    ) -> Answer:
        """Send a write once. `also` names refusing statuses whose JSON the caller reads itself; `empty` says that
        the answer's body is of no interest."""
        return self._call(method, path, base, params=params, body=body, writes=True, also=also, empty=empty)

    def _call(
        self,
        method: str,
        path: str,
        base: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: Any = None,
        writes: bool = False,
        also: Collection[int] = (),
        empty: bool = False,
    ) -> Answer:
        call, url = self._named(method, path, base, writes)
        response, retry_after = self._send(call, url, params, body)
        if (response.status_code == 401 or self._signed_out(response)) and self._moved():
            # A 401 did nothing, so that writes may be sent again as well.
            call, url = self._named(method, path, base, writes)
            response, retry_after = self._send(call, url, params, body)
        return self._understand(call, response, retry_after, also, empty)

    def _named(self, method: str, path: str, base: str, writes: bool) -> tuple[Call, str]:
        """A call as messages name it, and its whole address."""
        url = self._jira._get_url(path, base)
        return Call(method, urlsplit(url).path.removeprefix(self._root), self._host, writes, self._way), url

    def _go_to(self, url: str) -> None:
        """Send what follows to this address of the site."""
        self._way = self._network.way_to(url)
        self._gate.guard = self._way.guard
        self._root = urlsplit(url).path
        self._jira._options["server"] = url
        site, here = self._settings.host, urlsplit(url).netloc
        self._host = site if here == site else f"{site} (by way of {here})"
        self._url = url

    def _moved(self) -> bool:
        """Whether the token, which the site refuses, is one that works at the gateway; from then on, that is where
        calls go. Looked for once."""
        if self.at_gateway or self._elsewhere is not None:
            return False
        self._elsewhere = find(self._settings, self._network, self._timeout, self._count_read)
        if self._elsewhere.url:
            self._go_to(self._elsewhere.url)
        return bool(self._elsewhere.url)

    def _send(
        self, call: Call, url: str, params: Mapping[str, str | int] | None, body: Any
    ) -> tuple[requests.Response, float | None]:
        """The answer that stands, with how long it asks to wait before the call is sent another time."""
        tried = 0
        call_begins()
        while True:
            tried += 1
            self._pacer.wait(call.method)
            self._count(call)
            try:
                with self._gate.passing(writes=call.writes):
                    response = self._transmit(call.method, url, params, body)
            except CAUGHT as error:
                fault = fault_of(error)
                if self._waited(call, tried, Ending(fault=fault)) is None:
                    continue
                raise broken(call, fault, said_by(error)) from error
            given_up = self._waited(call, tried, Ending(response.status_code, response.headers))
            if given_up is not None:
                return response, given_up.retry_after

    def _waited(self, call: Call, tried: int, ending: Ending) -> Verdict | None:
        """None after the wait that comes before sending the call again; the verdict if it is not to be sent again."""
        found = verdict(ending, writes=call.writes, tried=tried, patience=self.patience, now=self._now)
        return None if found.wait is not None and self.patience.try_pause(found.wait) else found

    def _transmit(self, method: str, url: str, params: Mapping[str, str | int] | None, body: Any) -> requests.Response:
        session = self._jira._session
        request = session.prepare_request(requests.Request(method, url, params=dict(params or {}), json=body))
        return session.send(request, timeout=self._timeout, allow_redirects=False, **self._way.for_requests())

    def _note(self) -> str:
        return self._elsewhere.why if self._elsewhere else ""

    def _count_read(self) -> None:
        self._reads += 1

    def _count(self, call: Call) -> None:
        if call.writes:
            self._writes += 1
        else:
            self._reads += 1

    def _understand(
        self, call: Call, response: requests.Response, retry_after: float | None, also: Collection[int], empty: bool
    ) -> Answer:
        status = response.status_code
        if 300 <= status < 400:
            raise NotATracker(
                f"{self._host} sends {call} on to another address, usually a login page.",
                fix="Check that the connection's URL is the site's own address and that its token is not expired.",
                request=str(call),
                status=status,
            )
        if (not call.writes or status >= 400) and self._signed_out(response):
            raise refused(call, 401, None, note=self._note())
        if status >= 400 and status not in also:
            raise refused(call, status, self._json(response), retry_after, self._note())
        if empty and status not in also:
            if response.content and _kind(response) == "text/html":  # a login page or a proxy's: Jira was not asked
                raise not_jira(call, "an HTML page", status)
            return Answer(status, None)
        return Answer(status, self._promised_json(call, response))

    @staticmethod
    def _signed_out(response: requests.Response) -> bool:
        """Whether Jira took a wrong credential for an anonymous visitor, who is shown less instead of being refused:
        then an empty answer would mean nothing."""
        reason = response.headers.get("X-Seraph-LoginReason", "")
        return any(word in reason for word in _SIGNED_OUT)

    def _promised_json(self, call: Call, response: requests.Response) -> Any:
        if not response.content:
            raise not_jira(call, "nothing", response.status_code)
        kind = _kind(response)
        if "json" not in kind:
            raise not_jira(call, f"{kind or 'an unnamed kind of content'} where JSON is promised", response.status_code)
        body = self._json(response)
        if body is None:
            raise not_jira(call, "JSON that cannot be read", response.status_code)
        return body

    def _json(self, response: requests.Response) -> Any:
        """The answer's JSON, None if it is something else; an echoed credential is blotted out."""
        text = response.content.decode("utf-8", errors="replace")
        for secret in self._secrets:
            text = text.replace(secret, "***")
        try:
            return json.loads(text)
        except ValueError:
            return None

    def _expect(self, kind: type[_Shape], body: Any, request: str) -> _Shape:
        if not isinstance(body, kind):
            raise NotATracker(
                f"{self._host} answered {request} with JSON of another shape than Jira's.",
                fix="Check the connection's URL.",
                request=request,
            )
        return body
