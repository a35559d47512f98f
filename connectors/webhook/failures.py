"""What can go wrong with a webhook that we send, and the one table that names who can act on it. Anybody's program may
stand at the address, so nothing of its answer is repeated but the status."""

from __future__ import annotations

import httpx

from connectors.calls import Call, broken_call
from connectors.errors import NotWanted, OutcomeUnknown, TrackerError, TrackerRefused, TrackerUnavailable
from connectors.httpx_faults import fault_of
from connectors.pacing import whole_seconds

_ADDRESS = "Give the address that it leads to: phaseloop notify set NAME --url ADDRESS --credential-file FILE"
_READ = "Look into the log of the program that receives it."
_RESUME = "If it is to be told again, correct it there, then: phaseloop notify resume NAME"


def broken(call: Call, error: BaseException, said: str) -> TrackerError:
    """The error to raise for a call without a usable answer; `said` is what is known of the reason."""
    found = broken_call(call, fault_of(error), "The receiver", _foreign, said)
    if isinstance(found, OutcomeUnknown):
        message = f"{call.host} was sent the event{call.way.via}, but did not answer in time, or closed the connection."
        fix = "It is sent again under the same webhook-id, by which receivers know it."
        return OutcomeUnknown(message, fix=fix, request=str(call))
    return found


def _foreign(call: Call, what: str) -> TrackerError:
    return TrackerRefused(f"{call.host} answered{call.way.via} with {what}.", fix=_READ, request=str(call))


def refused(call: Call, status: int, retry_after: float | None = None) -> TrackerError:
    """The error to raise for an answer that is no success."""
    said = f"{call.host} answered{call.way.via} with HTTP {status}"
    request = str(call)
    if status == httpx.codes.GONE:
        return NotWanted(f"{said} (Gone): it wants no events any more.", fix=_RESUME, request=request, status=status)
    if httpx.codes.is_redirect(status):
        message = f"{said}, a redirect; it was not followed, and nobody else was told."
        return TrackerRefused(message, fix=_ADDRESS, request=request, status=status)
    if status == httpx.codes.TOO_MANY_REQUESTS or retry_after is not None:
        wait = retry_after if retry_after is not None else 30.0
        fix = f"Try again in {whole_seconds(wait)} s."
        return TrackerUnavailable(f"{said}.", fix=fix, request=request, status=status, retry_after=wait)
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.REQUEST_TIMEOUT:
        return TrackerUnavailable(f"{said}.", fix=_READ, request=request, status=status)
    return TrackerRefused(f"{said}: it did not take the event.", fix=_READ, request=request, status=status)
