"""What there is to know of signed webhooks before one is sent."""

from __future__ import annotations

from typing import Any

from connectors.messages import Message
from connectors.network import Network
from connectors.receiving import Gathering, Receiver, ReceiverKind
from connectors.webhook.settings import WebhookSettings, checked_channel


def _connect(settings: Any, timeout: float | None, network: Network | None) -> Receiver:
    from connectors.webhook.receiver import WebhookReceiver  # a command that sends nothing loads none of it

    return WebhookReceiver(settings, timeout, network)


def _laid_out(message: Message) -> dict[str, Any]:
    from connectors.webhook.payload import event_of

    return event_of(message)


WEBHOOK = ReceiverKind(
    name="webhook",
    title="Signed webhook",
    settings=WebhookSettings,
    secret_field="credential",
    secret_words="Secret that signs (whsec_…); while it is replaced, both, a line each",
    connect=_connect,
    checked_channel=checked_channel,
    laid_out=_laid_out,
    channel_words="",
    gathering=Gathering.NONE,
    apart=0.0,
    for_people=False,
)
