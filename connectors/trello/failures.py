"""Everything that can go wrong on the way to Trello and back, and the one table that names who can act on it.

Two questions decide. May the call have been carried out? Only a connection that was never made, and a 429, say no for
certain. Does the answer come from Trello's REST interface at all? A login page or a proxy's page does not.

Trello's refusals are plain text for the most part, JSON on newer routes; both are read, neither is relied upon. It
answers 401 both for a credential it does not know and for a thing that the account may not see or change: only the
text tells them apart.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
from trello.exceptions import ResourceUnavailable, TokenError, Unauthorized

from connectors.calls import Call, Fault, broken_call, in_doubt, proxy_refused, quoted
from connectors.errors import (
    CredentialsRefused,
    FieldProblem,
    ItemRejected,
    NotATracker,
    NotVisible,
    PermissionMissing,
    TrackerError,
    TrackerRefused,
    TrackerUnavailable,
)
from connectors.network import denies, is_no_tls
from connectors.pacing import whole_seconds
from connectors.retries import TOO_MANY

TOO_MANY_CARDS = "API_TOO_MANY_CARDS_REQUESTED"
"""The vendor's name for "read fewer cards in one call"."""

_WRONG_CREDENTIAL = re.compile(r"\b(invalid|expired|missing|revoked) (app )?(key|token|scopes)", re.IGNORECASE)
_INVALID_VALUE = re.compile(r"invalid value for (\w+)", re.IGNORECASE)
_OUR_NAMES = {
    "name": "title",
    "desc": "text",
    "idMembers": "assignee",
    "idMember": "assignee",
    "idLabels": "labels",
    "urlSource": "epic",
    "start": "starts",
    "due": "ends",
}


FAULTS: Mapping[type[BaseException], Fault] = {
    # httpx: one line for each class, so that a new one is noticed (a test walks them).
    httpx.ConnectTimeout: Fault.NEVER_SENT,
    httpx.PoolTimeout: Fault.NEVER_SENT,
    httpx.ConnectError: Fault.NEVER_SENT,
    httpx.ProxyError: Fault.PROXY_REFUSED,  # raised before a connection through it stands
    httpx.ReadTimeout: Fault.LOST,
    httpx.WriteTimeout: Fault.LOST,
    httpx.TimeoutException: Fault.LOST,
    httpx.ReadError: Fault.LOST,
    httpx.WriteError: Fault.LOST,
    httpx.CloseError: Fault.LOST,
    httpx.NetworkError: Fault.LOST,
    httpx.RemoteProtocolError: Fault.LOST,
    httpx.LocalProtocolError: Fault.WRONG_ADDRESS,
    httpx.ProtocolError: Fault.LOST,
    httpx.UnsupportedProtocol: Fault.WRONG_ADDRESS,
    httpx.TransportError: Fault.LOST,
    httpx.DecodingError: Fault.UNREADABLE,
    httpx.TooManyRedirects: Fault.UNREADABLE,
    httpx.RequestError: Fault.LOST,
    httpx.HTTPStatusError: Fault.LOST,
    httpx.HTTPError: Fault.LOST,
    httpx.InvalidURL: Fault.WRONG_ADDRESS,
    # py-trello: raised for every status but 200; the answer itself is looked at before it raises.
    ResourceUnavailable: Fault.LOST,
    Unauthorized: Fault.LOST,
    TokenError: Fault.WRONG_ADDRESS,
}

CAUGHT: tuple[type[Exception], ...] = (httpx.HTTPError, httpx.InvalidURL, ResourceUnavailable, TokenError)
"""What the client catches: the roots of everything in `FAULTS`."""


def fault_of(error: BaseException) -> Fault:
    """How far the call came that ended in this error."""
    # Only the handshake verifies a certificate, so nothing was sent, but trying again does not help.
    if isinstance(error, httpx.ConnectError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return Fault.UNTRUSTED
    if isinstance(error, httpx.ConnectError) and is_no_tls(str(error)):
        return Fault.PLAIN_HTTP
    if isinstance(error, httpx.ProxyError) and denies(str(error)):
        return Fault.PROXY_DENIES
    return next(FAULTS[kind] for kind in type(error).__mro__ if kind in FAULTS)


def broken(call: Call, fault: Fault, said: str = "") -> TrackerError:
    """The error to raise for a call without a usable answer; `said` is what is known of the reason."""
    return broken_call(call, fault, "Trello", not_trello, said)


def not_trello(call: Call, what: str, status: int | None = None) -> TrackerError:
    """The error for an answer that Trello's REST interface does not give; a write may have happened all the same."""
    if call.writes and status is not None and status < 300:
        return in_doubt(call, f"{call} was answered by {call.host} with {what}", status)
    return NotATracker(
        f"{call.host} answered {call}{call.way.via} with {what}, not as Trello's REST interface does.",
        fix="Check that the connection's URL is the API (https://api.trello.com) and that no proxy stands in between.",
        request=str(call),
        status=status,
    )


@dataclass(frozen=True, slots=True)
class Refusal:
    """What an answer with a status from 400 on says: its words, and the vendor's own name for it if it has one."""

    words: str = ""
    code: str = ""
    page: bool = False
    """It is a page for people, so something else than the REST interface answered."""


def read_refusal(body: str) -> Refusal:
    """The words in a refusing answer, whatever its form."""
    text = body.strip()
    if text.startswith("<"):
        return Refusal(page=True)
    try:
        values = json.loads(text)
    except ValueError:
        return Refusal(quoted(text))
    if not isinstance(values, dict):
        return Refusal(quoted(str(values)))
    words = values.get("message") or values.get("error") or ""
    return Refusal(quoted(str(words)), str(values.get("error") or ""))


def refused(call: Call, status: int, said: Refusal, retry_after: float | None = None) -> TrackerError:
    """The error to raise for an answer with a status from 400 on."""
    told = f" ({said.words})" if said.words else ""
    request = str(call)
    if said.code == TOO_MANY_CARDS:
        return TrackerRefused(f"Trello at {call.host} wants fewer cards read in one call.", request=request, status=413)
    if status == TOO_MANY or (not call.writes and _is_passing(status)):
        why = "limits our rate" if status == TOO_MANY else f"is not available (HTTP {status})"
        return TrackerUnavailable(
            f"Trello at {call.host} {why}.",
            fix=f"Try again in {whole_seconds(retry_after)} s." if retry_after else "Try again in a minute.",
            request=request,
            status=status,
            retry_after=retry_after,
        )
    if status == 407:
        return proxy_refused(call, f"Trello at {call.host}", "407 Proxy Authentication Required")
    if _is_passing(status):
        return in_doubt(call, f"{call} failed at {call.host} with HTTP {status}{told}", status)
    if said.page or said.words.startswith("Cannot "):  # "Cannot GET /1/...": no such route
        return not_trello(call, f"HTTP {status} from something else", status)
    return _refusal(call, status, said, told, retry_after)


def _is_passing(status: int) -> bool:
    """Whether a status speaks of a trouble on the way rather than of the request."""
    return status >= 500 or status == 408


def _refusal(call: Call, status: int, said: Refusal, told: str, retry_after: float | None) -> TrackerError:
    request = str(call)
    where = f"Trello at {call.host}"
    if status in {400, 401} and (_WRONG_CREDENTIAL.search(said.words) or (status == 401 and not said.words)):
        return CredentialsRefused(
            f"{where} does not accept the connection's key and token{told}.",
            fix="Copy the API key again, make a new token for it (they expire as chosen when made, or when revoked)"
            " with the scopes read and write, and store both in the connection.",
            request=request,
            status=status,
        )
    match status:
        case 403 if "limit" in f"{said.code} {said.words}".lower():
            return TrackerRefused(
                f"{where} refused {call}, because something is full{told}.",
                fix="`phaseloop connections check` with the board's name says what is full and by how much.",
                request=request,
                status=status,
            )
        case 401 | 403:
            return PermissionMissing(
                f"The connection's account may not {call} at {call.host}{told}.",
                fix="Make its token with the scope write as well as read, and have an admin of the board make the"
                " account a member; `phaseloop connections check` says which it is.",
                request=request,
                status=status,
            )
        case 404:
            return NotVisible(
                f"{where} shows nothing for {call}{told}.",
                fix="It does not exist any more, or the connection's account is not a member of the board.",
                request=request,
                status=status,
            )
        case 409 | 423:
            return TrackerUnavailable(
                f"{where} was changing the same thing at that moment{told}.",
                fix="Try again.",
                request=request,
                status=status,
                retry_after=retry_after,
            )
        case 400 | 413 | 414 | 422 if call.writes:
            return ItemRejected(
                f"{where} refused {call}{told}.", problems_in(said, status), request=request, status=status
            )
        case _:
            return TrackerRefused(f"{where} refused {call} with HTTP {status}{told}.", request=request, status=status)


def problems_in(said: Refusal, status: int) -> tuple[FieldProblem, ...]:
    """Why an item was refused, under our names of the fields."""
    named = _INVALID_VALUE.search(said.words)
    field = _OUR_NAMES.get(named[1], named[1]) if named else None
    return (FieldProblem(field, said.words or f"no reason given (HTTP {status})"),)
