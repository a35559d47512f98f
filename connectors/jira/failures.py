"""Everything that can go wrong on the way to Jira and back, and the one table that names who can act on it.

Two questions decide. May the call have been carried out? Only a connection that was never made, and a 429, say no for
certain. Does the answer come from Jira's REST interface at all? A login page or a proxy's page does not.

A 503 counts as "may have been carried out" for writes, even with `Retry-After`: the vendor sends it when a server is
short of resources, but a gateway sends the same after it passed a call on and gave up waiting. Looking twice costs a
read; assuming wrongly costs a duplicate.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests.exceptions as rq
import urllib3.exceptions as u3
from jira.exceptions import JIRAError, NotJIRAInstanceError

from connectors.calls import Call, Fault, broken_call, in_doubt, proxy_refused, quoted
from connectors.errors import (
    CredentialsRefused,
    FieldProblem,
    ItemRejected,
    NotATracker,
    NotVisible,
    OutcomeUnknown,
    PermissionMissing,
    TrackerError,
    TrackerRefused,
    TrackerUnavailable,
)
from connectors.jira.scopes import needed
from connectors.network import causes, denies, is_no_tls, said_by
from connectors.pacing import whole_seconds

FAULTS: Mapping[type[BaseException], Fault] = {
    # requests: one line for each class, so that a new one is noticed (a test walks them).
    rq.ConnectTimeout: Fault.NEVER_SENT,
    rq.ConnectionError: Fault.LOST,
    rq.ProxyError: Fault.PROXY_REFUSED,  # raised before a connection through it stands
    rq.SSLError: Fault.LOST,
    rq.ReadTimeout: Fault.LOST,
    rq.Timeout: Fault.LOST,
    rq.ChunkedEncodingError: Fault.LOST,
    rq.RetryError: Fault.LOST,
    rq.HTTPError: Fault.LOST,
    rq.StreamConsumedError: Fault.LOST,
    rq.UnrewindableBodyError: Fault.LOST,
    rq.RequestException: Fault.LOST,
    rq.ContentDecodingError: Fault.UNREADABLE,
    rq.JSONDecodeError: Fault.UNREADABLE,
    rq.TooManyRedirects: Fault.UNREADABLE,
    rq.InvalidJSONError: Fault.BAD_BODY,
    rq.URLRequired: Fault.WRONG_ADDRESS,
    rq.MissingSchema: Fault.WRONG_ADDRESS,
    rq.InvalidSchema: Fault.WRONG_ADDRESS,
    rq.InvalidURL: Fault.WRONG_ADDRESS,
    rq.InvalidHeader: Fault.WRONG_ADDRESS,
    rq.InvalidProxyURL: Fault.WRONG_ADDRESS,
    # urllib3 errors that requests lets through.
    u3.HTTPError: Fault.LOST,
    # jira: raised by its own calls only; its session is used below the place that raises them.
    JIRAError: Fault.LOST,
    NotJIRAInstanceError: Fault.WRONG_ADDRESS,
}

CAUGHT: tuple[type[Exception], ...] = (rq.RequestException, u3.HTTPError, JIRAError, NotJIRAInstanceError)
"""What the client catches: the roots of everything in `FAULTS`."""

_AWAY = "It does not exist, or the connection's account needs the Browse Projects permission."
_BOARD_AWAY = (
    "Somebody deleted the board, or the connection's account needs the Browse Projects permission in what it shows."
    " Plan again: the plan says which boards there are."
)


def fault_of(error: BaseException) -> Fault:
    """How far the call came that ended in this error."""
    if isinstance(error, rq.ConnectionError | u3.HTTPError):
        if _is_certificate_error(error):
            return Fault.UNTRUSTED
        if any(isinstance(one, u3.SSLError) and is_no_tls(str(one)) for one in causes(error)):
            return Fault.PLAIN_HTTP
        if _never_connected(error):
            return Fault.NEVER_SENT
        if isinstance(error, rq.ProxyError) and denies(said_by(error)):
            return Fault.PROXY_DENIES
    return next(FAULTS[kind] for kind in type(error).__mro__ if kind in FAULTS)


def _never_connected(error: BaseException) -> bool:
    return any(isinstance(one, u3.NewConnectionError | u3.ConnectTimeoutError) for one in causes(error))


def _is_certificate_error(error: BaseException) -> bool:
    # Only the handshake verifies a certificate, so nothing was sent; other TLS errors can come in the middle.
    return any("CERTIFICATE_VERIFY_FAILED" in str(one) for one in causes(error) if isinstance(one, u3.SSLError))


def broken(call: Call, fault: Fault, said: str = "") -> TrackerError:
    """The error to raise for a call without a usable answer; `said` is what is known of the reason."""
    return broken_call(call, fault, "Jira", not_jira, said)


def not_jira(call: Call, what: str, status: int | None = None) -> TrackerError:
    """The error for an answer that Jira's REST interface does not give; a write may have happened all the same."""
    if call.writes and status is not None and status < 300:
        return in_doubt(call, f"{call} was answered by {call.host} with {what}", status)
    return NotATracker(
        f"{call.host} answered {call}{call.way.via} with {what}, not as Jira's REST interface does.",
        fix="Check that the connection's URL is the site itself (https://acme.atlassian.net) and that no login page"
        " or proxy stands in between.",
        request=str(call),
        status=status,
    )


def problems_in(body: Any) -> tuple[FieldProblem, ...]:
    """Every reason in an error body of Jira's, general messages first; both kinds, because either may be empty."""
    if not isinstance(body, dict):
        return ()
    general = body.get("errorMessages")
    single = [body.get(name) for name in ("errorMessage", "message", "detail")]
    messages = [*(general if isinstance(general, list) else [general]), *single]
    fields = body.get("errors")
    found = [FieldProblem(None, quoted(text)) for text in messages if isinstance(text, str) and text.strip()]
    if isinstance(fields, dict):
        found += [FieldProblem(str(name), quoted(str(text))) for name, text in fields.items()]
    return tuple(dict.fromkeys(found))


class ScopeMissing(CredentialsRefused):
    """The token is known, but has not the scope for this call: its owner makes another one."""


def lacks_scope(status: int, body: Any) -> bool:
    """Whether the gateway refused a token that it knows, for want of a scope."""
    said = body.get("message") if isinstance(body, Mapping) else None
    return status in (401, 403) and isinstance(said, str) and "scope" in said.lower()


def refused(call: Call, status: int, body: Any, retry_after: float | None = None, note: str = "") -> TrackerError:
    """The error to raise for an answer with a status from 400 on. `body` is its JSON, None if it has none; `note` is
    what else is known where a credential is refused."""
    problems = problems_in(body)
    said = "; ".join(str(problem) for problem in problems)
    told = f" ({said})" if said else ""
    request = str(call)
    if status == 407:
        return proxy_refused(call, f"Jira at {call.host}", "407 Proxy Authentication Required")
    if status == 429 or (not call.writes and _is_passing(status)):
        why = "limits our rate" if status == 429 else f"is not available (HTTP {status})"
        return TrackerUnavailable(
            f"Jira at {call.host} {why}.",
            fix=f"Try again in {whole_seconds(retry_after)} s." if retry_after else "Try again in a minute.",
            request=request,
            status=status,
            retry_after=retry_after,
        )
    if _is_passing(status):
        return OutcomeUnknown(
            f"{call} failed at {call.host} with HTTP {status}{told}: it may or may not have happened.",
            fix="phaseloop looks it up by its marker before writing again.",
            request=request,
            status=status,
        )
    if lacks_scope(status, body):
        scopes = needed(call.method, call.path)
        return ScopeMissing(
            f"The connection's token lacks {'a scope' if len(scopes) < 2 else 'one of the scopes'} for {call} at"
            f" {call.host}: {', '.join(scopes) or 'Jira does not say which'}.",
            fix="Make a new token with that scope as well, and store it in the connection. `phaseloop connections"
            " check` names all that are missing.",
            request=request,
            status=status,
        )
    return _refusal(call, status, body, problems, told, retry_after, note)


def _is_passing(status: int) -> bool:
    """Whether a status speaks of a trouble on the way rather than of the request."""
    return status >= 500 or status == 408


def _refusal(
    call: Call,
    status: int,
    body: Any,
    problems: tuple[FieldProblem, ...],
    told: str,
    retry_after: float | None,
    note: str,
) -> TrackerError:
    request = str(call)
    match status:
        case 401:
            return CredentialsRefused(
                f"Jira at {call.host} does not accept the connection's e-mail and API token.{note and ' '}{note}",
                fix="Check the e-mail address, or make a new API token for that account (they expire after at most a"
                " year), and store it in the connection.",
                request=request,
                status=status,
            )
        case 403:
            return PermissionMissing(
                f"The connection's account may not {call} at {call.host}{told}.",
                fix="Ask an administrator of the Jira project for the permissions that `phaseloop connections check`"
                " names.",
                request=request,
                status=status,
            )
        case 404 if body is None or _is_no_endpoint(body):
            return not_jira(call, "HTTP 404 from something else", status)
        case 404:
            return NotVisible(
                f"Jira at {call.host} shows nothing for {call}{told}.",
                fix=_BOARD_AWAY if "/board/" in request else _AWAY,
                request=request,
                status=status,
            )
        case 409:
            return TrackerUnavailable(
                f"Jira at {call.host} was changing the same thing at that moment{told}.",
                fix="Try again.",
                request=request,
                status=status,
                retry_after=retry_after,
            )
        case 400 | 422 if call.writes:
            return ItemRejected(
                f"Jira at {call.host} refused {call}{told}.",
                problems or (FieldProblem(None, f"no reason given (HTTP {status})"),),
                request=request,
                status=status,
            )
        case _:
            return TrackerRefused(
                f"Jira at {call.host} refused {call} with HTTP {status}{told}.", request=request, status=status
            )


def _is_no_endpoint(body: Any) -> bool:
    """Whether a 404 is about the address: an unknown path (problem+json) or a gateway that knows no such site."""
    return isinstance(body, dict) and "errorMessages" not in body and ("detail" in body or "timestamp" in body)
