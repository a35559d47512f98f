"""One request of any connector, how far it came without a usable answer, and the error that this is to the caller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from connectors.errors import NotATracker, OutcomeUnknown, TrackerError, TrackerRefused, TrackerUnavailable

_LONGEST_QUOTE = 400


Permit = Callable[[], None]
"""Asked right before a write is sent; it raises to keep it from being sent. May be called from several threads, and may
take its time."""


def permitted() -> None:
    """The permit of whoever need not ask."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request as messages name it: never with its query, headers or body."""

    method: str
    path: str
    host: str
    writes: bool

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Fault(Enum):
    """How far a call came that has no usable answer."""

    NEVER_SENT = "no connection was made"
    LOST = "the connection broke or nothing came back in time"
    UNREADABLE = "the answer cannot be read"
    WRONG_ADDRESS = "the address cannot be used"
    BAD_BODY = "the request could not be written as JSON"


def broken_call(call: Call, fault: Fault, vendor: str, foreign: Callable[[Call, str], TrackerError]) -> TrackerError:
    """The error to raise for a call without a usable answer. `vendor` is the tracker's name for people, `foreign` makes
    the error for an answer that is not its REST interface's."""
    where = f"{vendor} at {call.host}"
    match fault:
        case Fault.WRONG_ADDRESS:
            return NotATracker(
                f"{where} cannot be reached safely: its address or certificate is not usable.",
                fix="Check the connection's URL, and this machine's trusted certificates if a proxy is in between.",
                request=str(call),
            )
        case Fault.BAD_BODY:
            return TrackerRefused(
                f"{call} was not sent to {where}: a value in it has no JSON form (an endless number, for instance).",
                fix="Correct the estimate or text that the plan shows for this item.",
                request=str(call),
            )
        case Fault.NEVER_SENT:
            return TrackerUnavailable(
                f"{where} could not be reached; nothing was sent.",
                fix="Check the network, and the host name in the connection's URL.",
                request=str(call),
            )
        case _ if call.writes:
            return in_doubt(call, f"{call} was sent to {where}, but {fault.value}")
        case Fault.UNREADABLE:
            return foreign(call, "an answer that cannot be read")
        case _:
            return TrackerUnavailable(f"{where} did not answer: {fault.value}.", request=str(call))


def in_doubt(call: Call, what: str, status: int | None = None) -> OutcomeUnknown:
    """The error for a write that may have been carried out; `what` says what is known of it."""
    return OutcomeUnknown(
        f"{what}: it may or may not have happened.",
        fix="phaseloop looks it up by its marker before writing again.",
        request=str(call),
        status=status,
    )


def quoted(text: str) -> str:
    """A tracker's own words on one line, no longer than a message can bear."""
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…"
