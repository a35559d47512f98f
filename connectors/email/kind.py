"""What there is to know of mail before one is sent."""

from __future__ import annotations

from typing import Any

from connectors.email.settings import EmailSettings, checked_channel
from connectors.messages import Message
from connectors.network import Network
from connectors.receiving import Gathering, Receiver, ReceiverKind


def _connect(settings: Any, timeout: float | None, network: Network | None) -> Receiver:
    from connectors.email.receiver import EmailReceiver  # a command that sends nothing loads none of it

    return EmailReceiver(settings, timeout, network)


def _laid_out(message: Message) -> dict[str, Any]:
    from connectors.email.mail import body_of

    return body_of(message)


EMAIL = ReceiverKind(
    name="email",
    title="E-mail",
    settings=EmailSettings,
    secret_field="password",
    secret_words="Password for the mail server; empty where none is needed",
    connect=_connect,
    checked_channel=checked_channel,
    laid_out=_laid_out,
    channel_words="Somebody's address, like ana@example.com.",
    gathering=Gathering.DAILY,
    secret_optional=True,
    unsubscribes=True,
)
