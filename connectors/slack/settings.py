"""What a receiver in Slack is made of, and the mistakes people make with it."""

from __future__ import annotations

import re
from typing import Self
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from connectors.addresses import ALLOW_HTTP, is_loopback, split_address

CLOUD = "https://slack.com/api"
WEBHOOK = "https://hooks.slack.com/services/T…/B…/…"

_CHANNEL = re.compile(r"[CGD][A-Z0-9]{2,20}")


class SlackSettings(BaseModel):
    """A bot's token, or the whole address of an incoming webhook, which is as secret as a token.

    `url` is where the API is. `allow_http` is for a stand-in inside your own network: without it, plain http is
    accepted on this machine only, because it would send the credential readably.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: str = Field(default=CLOUD, description=f"the API, where it is not {CLOUD}.")
    credential: SecretStr = Field(min_length=1)
    allow_http: bool = Field(default=False, description=ALLOW_HTTP)

    @field_validator("url")
    @classmethod
    def _is_the_api(cls, value: str) -> str:
        parts = split_address(value.strip(), CLOUD)
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("must be the address alone; the credential has its own place")
        return urlunsplit((parts.scheme, parts.netloc.lower(), parts.path.rstrip("/"), "", ""))

    @field_validator("credential")
    @classmethod
    def _is_a_credential(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value().strip()
        if not (text.isascii() and text.isprintable()) or " " in text:
            raise ValueError("holds a character that no credential has; copy it again, without quotes around it")
        if _is_address(text):
            split_address(text, WEBHOOK)
        elif text.startswith(("xoxp-", "xapp-", "xoxe")):
            raise ValueError("is a token of another kind; a bot's token begins with xoxb-")
        elif not text.startswith("xoxb-"):
            raise ValueError(f"is neither a bot's token (xoxb-…) nor the address of an incoming webhook ({WEBHOOK})")
        return SecretStr(text)

    @model_validator(mode="after")
    def _keeps_the_credential_secret(self) -> Self:
        parts = urlsplit(self.called)
        if parts.scheme == "http" and not self.allow_http and not is_loopback(parts.hostname or ""):
            raise ValueError(
                "must start with https://: plain http would send the credential readably. For a stand-in inside your"
                " own network: --allow-http (REST: allow_http)."
            )
        return self

    @property
    def is_webhook(self) -> bool:
        """Whether it is an incoming webhook, which knows its one channel and can be asked nothing."""
        return _is_address(self.credential.get_secret_value())

    @property
    def called(self) -> str:
        """The address that is called; of a webhook it is the secret itself."""
        return self.credential.get_secret_value() if self.is_webhook else self.url

    @property
    def host(self) -> str:
        """The host as messages name it."""
        return urlsplit(self.called).netloc


def checked_channel(settings: SlackSettings, text: str) -> str:
    """The channel by its id, which nobody can rename. Raises ValueError in words."""
    channel = text.strip()
    if settings.is_webhook:
        if channel:
            raise ValueError("an incoming webhook posts to the one channel that it was made for; leave it out")
        return ""
    if not channel:
        raise ValueError("is missing: a bot has to be told its channel")
    if not _CHANNEL.fullmatch(channel):
        raise ValueError(
            "must be the channel's id, like C0123456789: in Slack it stands at the end of the channel's details"
        )
    return channel


def _is_address(text: str) -> bool:
    return text.lower().startswith(("https://", "http://"))
