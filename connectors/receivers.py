"""Which kinds of receivers of messages there are: one line each, by hand. The service reaches a receiver by this module
alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from connectors.email.kind import EMAIL
from connectors.messages import Message
from connectors.network import Network
from connectors.receiving import Receiver, ReceiverKind
from connectors.setting_errors import in_words
from connectors.slack.kind import SLACK
from connectors.webhook.kind import WEBHOOK

KINDS: dict[str, ReceiverKind] = {kind.name: kind for kind in (SLACK, EMAIL, WEBHOOK)}
"""Every kind of receiver, by its name."""


class InvalidReceiver(Exception):
    """The settings of a receiver are wrong; `problems` are (field, what is wrong and what would be right), all of
    them."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{field}: {message}" for field, message in problems))
        self.problems = problems


def validated(kind: str, settings: Mapping[str, Any], secret: str) -> dict[str, Any]:
    """The settings as plain values in their canonical form, without the credential. No I/O. Raises InvalidReceiver."""
    return _model(kind, settings, secret).model_dump(mode="json", exclude={KINDS[kind].secret_field})


def checked_channel(kind: str, settings: Mapping[str, Any], secret: str, channel: str) -> str:
    """The channel in its plain form. Raises InvalidReceiver."""
    model = _model(kind, settings, secret)
    try:
        return KINDS[kind].checked_channel(model, channel)
    except ValueError as error:
        raise InvalidReceiver([("channel", str(error))]) from None


def connect(
    kind: str,
    settings: Mapping[str, Any],
    secret: str,
    *,
    timeout: float | None = None,
    network: Network | None = None,
) -> Receiver:
    """A receiver of these settings; nothing is sent yet. Raises InvalidReceiver, NetworkMisconfigured."""
    return KINDS[kind].connect(_model(kind, settings, secret), timeout, network)


def laid_out(kind: str, message: Message) -> dict[str, Any]:
    """A message in the form of this kind of receiver, within its limits. Nothing is sent. Raises InvalidReceiver."""
    return dict(_kind(kind).laid_out(message))


def _kind(kind: str) -> ReceiverKind:
    if kind not in KINDS:
        raise InvalidReceiver([("kind", f"there is no receiver {kind!r}; there is: {', '.join(KINDS)}")])
    return KINDS[kind]


def _model(kind: str, settings: Mapping[str, Any], secret: str) -> BaseModel:
    entry = _kind(kind)
    try:
        return entry.settings.model_validate({**settings, entry.secret_field: secret})
    except ValidationError as error:
        raise InvalidReceiver(
            [
                (".".join(str(part) for part in problem["loc"]) or entry.secret_field, _words(problem))
                for problem in error.errors(include_url=False, include_input=False)
            ]
        ) from None  # the original holds the input, and so the credential


def _words(problem: Mapping[str, Any]) -> str:
    if problem["type"] == "extra_forbidden":
        return "is not a setting of this kind of receiver"
    return in_words(problem)
