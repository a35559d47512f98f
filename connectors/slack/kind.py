"""What there is to know of Slack before it is reached."""

from __future__ import annotations

from typing import Any

from connectors.messages import Message
from connectors.network import Network
from connectors.receiving import Receiver, ReceiverKind
from connectors.slack.settings import SlackSettings, checked_channel


def _connect(settings: Any, timeout: float | None, network: Network | None) -> Receiver:
    from connectors.slack.receiver import SlackReceiver  # a command that sends nothing loads none of it

    return SlackReceiver.connect(settings, timeout, network)


def _laid_out(message: Message) -> dict[str, Any]:
    from connectors.slack.blocks import body_of

    return body_of(message)


SLACK = ReceiverKind(
    name="slack",
    title="Slack",
    settings=SlackSettings,
    secret_field="credential",
    secret_words="Bot token (xoxb-…) or address of an incoming webhook",
    connect=_connect,
    checked_channel=checked_channel,
    laid_out=_laid_out,
    channel_words="The channel's id, like C0123456789; leave it out for an incoming webhook.",
)
