"""One request of any connector, how far it came without a usable answer, and the error that this is to the caller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from connectors.errors import (
    NetworkMisconfigured,
    NotATracker,
    OutcomeUnknown,
    TrackerError,
    TrackerRefused,
    TrackerUnavailable,
)
from connectors.network import CA_BUNDLE, DIRECT, Way

_LONGEST_QUOTE = 400
_PROXY_AUTHENTICATION = 407


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
    way: Way = DIRECT

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Fault(Enum):
    """How far a call came that has no usable answer."""

    NEVER_SENT = "no connection was made"
    LOST = "the connection broke or nothing came back in time"
    UNREADABLE = "the answer cannot be read"
    WRONG_ADDRESS = "the address cannot be used"
    UNTRUSTED = "the certificate is not trusted"
    PLAIN_HTTP = "it speaks plain http and not https"
    PROXY_REFUSED = "the proxy did not let the call through"
    PROXY_DENIES = "the proxy lets no such call through"
    BAD_BODY = "the request could not be written as JSON"


def broken_call(
    call: Call, fault: Fault, vendor: str, foreign: Callable[[Call, str], TrackerError], said: str = ""
) -> TrackerError:
    """The error to raise for a call without a usable answer. `vendor` is the tracker's name for people, `foreign` makes
    the error for an answer that is not its REST interface's, `said` is what is known of the reason."""
    where = f"{vendor} at {call.host}"
    match fault:
        case Fault.WRONG_ADDRESS:
            return NotATracker(
                f"{where} cannot be reached: its address is not usable.",
                fix="Check the connection's URL.",
                request=str(call),
            )
        case Fault.UNTRUSTED:
            return untrusted(call, where, said)
        case Fault.PLAIN_HTTP:
            return speaks_http(call, where)
        case Fault.PROXY_REFUSED | Fault.PROXY_DENIES:
            return proxy_refused(call, where, said)
        case Fault.BAD_BODY:
            return TrackerRefused(
                f"{call} was not sent to {where}: a value in it has no JSON form (an endless number, for instance).",
                fix="Correct the estimate or text that the plan shows for this item.",
                request=str(call),
            )
        case Fault.NEVER_SENT:
            between = "the proxy" if call.way.via else "the network"
            return TrackerUnavailable(
                f"{where} could not be reached{call.way.via}; nothing was sent.",
                fix=f"Check {between}, and the host name and port in the connection's URL.",
                request=str(call),
            )
        case _ if call.writes:
            return in_doubt(call, f"{call} was sent to {where}{call.way.via}, but {fault.value}")
        case Fault.UNREADABLE:
            return foreign(call, "an answer that cannot be read")
        case _:
            return TrackerUnavailable(f"{where} did not answer{call.way.via}: {fault.value}.", request=str(call))


def untrusted(call: Call, where: str, said: str) -> TrackerError:
    """The error for a certificate that this machine does not trust: the handshake failed, nothing was sent."""
    return NetworkMisconfigured(
        f"{where} shows a certificate that is not trusted{call.way.via}{f': {quoted(said)}' if said else ''}."
        f" Trusted are {call.way.trusts}. Nothing was sent.",
        fix="Check the host name in the connection's URL. If your network opens TLS, or the server's certificate is of"
        f" your own authority, name a PEM file that holds the authority's certificate in {CA_BUNDLE}.",
        request=str(call),
    )


def speaks_http(call: Call, where: str) -> TrackerError:
    """The error for a server, or a proxy to it, that does not answer a TLS handshake as TLS: nothing was sent."""
    what = f"{where} does not speak https: it answered the TLS handshake with something else"
    return NotATracker(
        f"{what}{call.way.via}. Nothing was sent.",
        fix=f"If it speaks plain http, use http://{call.host} in the connection's URL. Else check the port"
        + (", and the proxy." if call.way.via else "."),
        request=str(call),
    )


def proxy_refused(call: Call, where: str, said: str) -> TrackerError:
    """The error for a call that a proxy turned away instead of passing it on. Nothing was sent to the tracker."""
    why = f"{where} was not reached: the proxy {call.way.named or 'in between'} refused"
    why += f" ({quoted(said)}). Nothing was sent." if said else ". Nothing was sent."
    if said.startswith(str(_PROXY_AUTHENTICATION)):
        return NetworkMisconfigured(
            why,
            fix="Put the user name and password that the proxy asks for into its address: http://user:password@host:port.",
            request=str(call),
        )
    if said.startswith("403"):
        return NetworkMisconfigured(
            why,
            fix=f"Ask whoever runs the proxy to let {call.host} pass, or put it into NO_PROXY.",
            request=str(call),
        )
    return TrackerUnavailable(
        why, fix="Check the proxy; where the host can be reached without it, put it into NO_PROXY.", request=str(call)
    )


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
