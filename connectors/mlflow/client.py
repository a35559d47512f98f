"""MLflow over HTTP: single reads of its REST interface (2.0), with a time and a size that each may take.

Raises only what `connectors.errors` names. Reading is all it does: `runs/search` is a POST that writes nothing.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from connectors.calls import Call, Fault, proxy_refused, quoted, speaks_http, untrusted
from connectors.errors import (
    CredentialsRefused,
    NotATracker,
    NotVisible,
    PermissionMissing,
    TrackerError,
    TrackerRefused,
    TrackerUnavailable,
)
from connectors.mlflow.settings import MlflowSettings
from connectors.network import Network, denies, is_no_tls, said_by
from connectors.pacing import Patience
from connectors.retries import PASSING, TOO_MANY, Ending, verdict

API = "/api/2.0/mlflow/"

TIMEOUT = httpx.Timeout(15.0, connect=5.0)
"""Seconds to connect and to wait for an answer."""

LONGEST = 60.0
"""Seconds that everything read for one record may take together."""

LARGEST = 16 * 1024 * 1024
"""The most bytes of one answer that are read."""

_BLOT = "***"
_CHECK = (
    "Check PHASELOOP_MLFLOW_URL, or `tracking.url` of the project: it is the address that opens MLflow in a browser."
)


def patient() -> Patience:
    """The patience of one call: short, for nothing waits that cannot do without."""
    return Patience(4.0, attempts=2)


class MlflowClient:
    """Sends single reads to one server. Not to be shared between threads."""

    def __init__(
        self,
        settings: MlflowSettings,
        *,
        timeout: httpx.Timeout = TIMEOUT,
        patience: Callable[[], Patience] = patient,
        clock: Callable[[], float] = time.monotonic,
        network: Network | None = None,
    ) -> None:
        self._settings = settings
        self._patience = patience
        self._clock = clock
        self._ends = clock() + LONGEST
        self._way = (network or Network()).way_to(settings.url)
        self._http = httpx.Client(
            base_url=settings.url,
            headers={"Accept": "application/json", "User-Agent": "phaseloop", **_authorization(settings)},
            timeout=timeout,
            **self._way.for_httpx(),
            follow_redirects=False,  # a credential goes to one server only
        )

    def __repr__(self) -> str:
        return f"MlflowClient({self._settings.host})"

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(self, path: str, params: Mapping[str, str | int]) -> dict[str, Any]:
        """Read `path` with this query. Raises TrackerError; NotVisible where MLflow has no such thing."""
        return self._call("GET", path, params=dict(params))

    def search(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Read `path`, the question sent as JSON. Raises TrackerError."""
        return self._call("POST", path, content=json.dumps(body).encode())

    def _call(self, method: str, path: str, **sent: Any) -> dict[str, Any]:
        call = Call(method, f"{API}{path}", self._settings.host, writes=False, way=self._way)
        patience, tried = self._patience(), 0
        while True:
            tried += 1
            ending, body = self._send(call, sent)
            found = verdict(ending, writes=False, tried=tried, patience=patience, unsaid=1.0)
            if found.wait is None or self._left() <= found.wait or not patience.try_pause(found.wait):
                return self._understood(call, ending, body, found.retry_after)

    def _left(self) -> float:
        return self._ends - self._clock()

    def _send(self, call: Call, sent: Mapping[str, Any]) -> tuple[Ending, bytes]:
        """Send the request; how it ended, and what was answered."""
        if self._left() <= 0:
            raise TrackerUnavailable(
                f"MLflow at {call.host} takes longer than {LONGEST:.0f} seconds for what one record needs.",
                fix="Name the project's experiments and models, so that less has to be read.",
                request=str(call),
            )
        headers = {"Content-Type": "application/json"} if "content" in sent else {}
        try:
            with self._http.stream(call.method, call.path, headers=headers, **sent) as answer:
                return Ending(answer.status_code, answer.headers), self._body(call, answer)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Ending(fault=_fault(error)), said_by(error).encode()  # in place of an answer, the reason

    def _body(self, call: Call, answer: httpx.Response) -> bytes:
        read = bytearray()
        for chunk in answer.iter_bytes():
            read += chunk
            if len(read) > LARGEST:
                raise NotATracker(
                    f"The answer of MLflow at {call.host} to {call} is larger than {LARGEST // 1024 // 1024} MB.",
                    fix="Name the project's experiments and models, so that less has to be read.",
                    request=str(call),
                )
            if self._left() <= 0:
                raise httpx.ReadTimeout("the time is over")
        return bytes(read)

    def _understood(self, call: Call, ending: Ending, body: bytes, retry_after: float | None) -> dict[str, Any]:
        if ending.fault is not None:
            raise _broken(call, ending.fault, body.decode())
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            value = None
        if ending.status == httpx.codes.OK and isinstance(value, dict):
            return value
        raise self._refused(call, ending.status, value, retry_after)

    def _refused(self, call: Call, status: int, value: Any, retry_after: float | None) -> TrackerError:
        where, request = f"MLflow at {call.host}", str(call)
        code = str(value.get("error_code") or "") if isinstance(value, dict) else ""
        told = self._told(value)
        if status == httpx.codes.PROXY_AUTHENTICATION_REQUIRED:
            return proxy_refused(call, where, "407 Proxy Authentication Required")
        if status == TOO_MANY or status in PASSING or status >= httpx.codes.INTERNAL_SERVER_ERROR:
            return TrackerUnavailable(
                f"{where} answered {call} with HTTP {status}{told}.",
                fix="Wait; it is asked again with the next look.",
                request=request,
                status=status,
                retry_after=retry_after,
            )
        if status == httpx.codes.UNAUTHORIZED:
            return CredentialsRefused(
                f"{where} does not accept our credential{told}.",
                fix="Set PHASELOOP_MLFLOW_TOKEN, or PHASELOOP_MLFLOW_USERNAME and PHASELOOP_MLFLOW_PASSWORD, anew.",
                request=request,
                status=status,
            )
        if status == httpx.codes.FORBIDDEN:
            return PermissionMissing(
                f"{where} does not let our account read {call.path}{told}.",
                fix="Give the account the permission to read the project's experiments and registered models.",
                request=request,
                status=status,
            )
        if code == "RESOURCE_DOES_NOT_EXIST":
            return NotVisible(f"{where} has no such thing{told}.", request=request, status=status)
        if code:
            return TrackerRefused(f"{where} refused {call}{told}.", fix=_CHECK, request=request, status=status)
        return NotATracker(
            f"{call.host} answered {call}{call.way.via} with HTTP {status}, not as MLflow's REST interface does.",
            fix=_CHECK,
            request=request,
            status=status,
        )

    def _told(self, value: Any) -> str:
        """What the server said, in its own words, without our credential should it echo that."""
        text = value.get("message") if isinstance(value, dict) else None
        if not isinstance(text, str) or not text.strip():
            return ""
        for secret in (self._settings.token, self._settings.password):
            if secret is not None:
                text = text.replace(secret.get_secret_value(), _BLOT)
        return f': "{quoted(text)}"'


def _authorization(settings: MlflowSettings) -> dict[str, str]:
    if settings.token is not None:
        return {"Authorization": f"Bearer {settings.token.get_secret_value()}"}
    if settings.password is not None:
        pair = f"{settings.username}:{settings.password.get_secret_value()}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    return {}


_FAULTS: tuple[tuple[type[Exception], Fault], ...] = (
    (httpx.ConnectError, Fault.NEVER_SENT),
    (httpx.ConnectTimeout, Fault.NEVER_SENT),
    (httpx.PoolTimeout, Fault.NEVER_SENT),
    (httpx.ProxyError, Fault.PROXY_REFUSED),
    (httpx.UnsupportedProtocol, Fault.WRONG_ADDRESS),
    (httpx.LocalProtocolError, Fault.WRONG_ADDRESS),
    (httpx.InvalidURL, Fault.WRONG_ADDRESS),
    (httpx.DecodingError, Fault.UNREADABLE),
)


def _fault(error: Exception) -> Fault:
    # Only the handshake verifies a certificate, and trying again does not help.
    if isinstance(error, httpx.ConnectError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return Fault.UNTRUSTED
    if isinstance(error, httpx.ConnectError) and is_no_tls(str(error)):
        return Fault.PLAIN_HTTP
    if isinstance(error, httpx.ProxyError) and denies(str(error)):
        return Fault.PROXY_DENIES
    return next((fault for kind, fault in _FAULTS if isinstance(error, kind)), Fault.LOST)


def _broken(call: Call, fault: Fault, said: str) -> TrackerError:
    where, request = f"MLflow at {call.host}", str(call)
    match fault:
        case Fault.WRONG_ADDRESS:
            return NotATracker(f"{where} cannot be reached: its address is not usable.", fix=_CHECK, request=request)
        case Fault.UNTRUSTED:
            return untrusted(call, where, said)
        case Fault.PLAIN_HTTP:
            return speaks_http(call, where)
        case Fault.PROXY_REFUSED | Fault.PROXY_DENIES:
            return proxy_refused(call, where, said)
        case Fault.NEVER_SENT:
            return TrackerUnavailable(
                f"{where} could not be reached{call.way.via}.", fix=f"See whether it runs. {_CHECK}", request=request
            )
        case Fault.UNREADABLE:
            return NotATracker(f"{where} gave an answer that cannot be read.", fix=_CHECK, request=request)
        case _:
            return TrackerUnavailable(
                f"{where} did not answer{call.way.via}: {fault.value}.",
                fix="Wait; it is asked again with the next look.",
                request=request,
            )
