"""What can go wrong on the way to a mail server and back, and the one table that names who can act on it.

Until the whole mail was handed over nothing was sent, whatever happens. What breaks between that and the server's word
is in doubt: a mail that is sent again is there twice.
"""

from __future__ import annotations

import smtplib
import ssl

from connectors.calls import quoted
from connectors.errors import (
    CredentialsRefused,
    FieldProblem,
    ItemRejected,
    NetworkMisconfigured,
    NotATracker,
    OutcomeUnknown,
    PermissionMissing,
    TrackerError,
    TrackerRefused,
    TrackerUnavailable,
)
from connectors.network import CA_BUNDLE, Way, is_no_tls

CAUGHT: tuple[type[Exception], ...] = (smtplib.SMTPException, OSError)
"""What the client catches; an ssl.SSLError is an OSError."""

_CLOSING = 421
_SIGN_IN = (530, 534, 535, 538)
_SETTINGS = "phaseloop notify set NAME --credential-file FILE"


def unreached(place: str, way: Way, error: BaseException) -> TrackerError:
    """The error to raise where no connection was made, or it broke before the mail was handed over."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return NetworkMisconfigured(
            f"The mail server {place} shows a certificate that is not trusted: {quoted(error.verify_message)}. Trusted"
            f" are {way.trusts}. Nothing was sent.",
            fix=f"Check the host name. If the certificate is of your own authority, name a PEM file in {CA_BUNDLE}.",
        )
    if is_no_tls(str(error)):
        return NotATracker(
            f"The mail server {place} does not speak TLS from the first byte. Nothing was sent.",
            fix=f"Use --security starttls, or another port: {_SETTINGS}",
        )
    if isinstance(error, smtplib.SMTPResponseException):
        return answered(place, "the connection", error.smtp_code, _said(error))
    return TrackerUnavailable(
        f"The mail server {place} could not be reached, or closed the connection; nothing was sent.",
        fix="Check the host name and the port.",
    )


def not_offered(place: str, what: str, fix: str) -> TrackerError:
    """The error to raise where the server has not what the settings ask for."""
    return NotATracker(f"The mail server {place} does not offer {what}. Nothing was sent.", fix=fix)


def not_signed_in(place: str, error: smtplib.SMTPException) -> TrackerError:
    """The error to raise where the server did not take the user name and password."""
    if isinstance(error, smtplib.SMTPResponseException) and error.smtp_code < 500:
        return answered(place, "signing in", error.smtp_code, _said(error))
    said = f" ({quoted(_said(error))})" if isinstance(error, smtplib.SMTPResponseException) else ""
    return CredentialsRefused(
        f"The mail server {place} does not accept the user name and password{said}. Nothing was sent.",
        fix=f"Give the password anew: {_SETTINGS}",
    )


def answered(place: str, to: str, code: int, said: str) -> TrackerError:
    """The error to raise for an answer that is no success to the beginning of a conversation, or the sender."""
    message = f"The mail server {place} refused {to} ({code} {quoted(said)}). Nothing was sent."
    if code in _SIGN_IN:
        return CredentialsRefused(message, fix=f"Give a user name and password: {_SETTINGS}")
    if 400 <= code < 500:
        return TrackerUnavailable(message)
    return PermissionMissing(message, fix="Ask whoever runs the mail server.")


def refused(place: str, to: str, code: int, said: str) -> TrackerError:
    """The error to raise for an answer that is no success to the recipient or the mail."""
    message = f"The mail server {place} refused {to} ({code} {quoted(said)})."
    if code == _CLOSING:
        return TrackerUnavailable(message)
    if 400 <= code < 500:
        return TrackerRefused(message, fix="It is tried again later.")
    if code in _SIGN_IN:
        return CredentialsRefused(message, fix=f"Give a user name and password: {_SETTINGS}")
    return ItemRejected(message, [FieldProblem(None, f"{code} {quoted(said)}")], fix="Check the address.")


def unknown(place: str) -> OutcomeUnknown:
    """The error to raise for a mail that was handed over without the server's word for it."""
    return OutcomeUnknown(
        f"The mail was handed to {place}, which did not say in time whether it took it, or closed the connection.",
        fix="Ask who was to get it.",
    )


def _said(error: smtplib.SMTPResponseException) -> str:
    said = error.smtp_error
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
