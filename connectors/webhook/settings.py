"""What a receiver of webhooks is made of, and the mistakes people make with it."""

from __future__ import annotations

import base64
import binascii
from typing import Self
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from connectors.addresses import ALLOW_HTTP, is_loopback, split_address

PREFIX = "whsec_"
SHORTEST, LONGEST = 24, 64
"""How many random bytes a secret may hold."""
MOST = 5
"""How many secrets may sign at once."""

_EXAMPLE = "https://example.com/hooks/phaseloop"


class WebhookSettings(BaseModel):
    """Where events are sent, and the secrets that sign them. Every secret signs each event, so that a receiver that
    knows the former or the next one takes it all the same.

    `allow_http` is for a receiver inside your own network: without it, plain http is accepted on this machine only,
    because everybody in between could read what happened.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: str = Field(description="where events are posted to; it is shown, and is no place for a secret.")
    credential: SecretStr = Field(min_length=1)
    allow_http: bool = Field(default=False, description=ALLOW_HTTP)

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        parts = split_address(value.strip(), _EXAMPLE)
        if parts.username or parts.password:
            raise ValueError("must be without a user name and password: what is sent proves itself by its signature")
        if parts.fragment:
            raise ValueError("must end before its #: what follows is not sent")
        return urlunsplit((parts.scheme, parts.netloc.lower(), parts.path or "/", parts.query, ""))

    @field_validator("credential")
    @classmethod
    def _are_secrets(cls, value: SecretStr) -> SecretStr:
        found = list(dict.fromkeys(value.get_secret_value().split()))
        if not found:
            raise ValueError("must not be empty")
        if len(found) > MOST:
            raise ValueError(f"holds {len(found)} secrets; at most {MOST} sign at once")
        for number, one in enumerate(found, 1):
            if (wrong := _wrong(one)) is not None:
                which = "" if len(found) == 1 else f", in line {number},"
                raise ValueError(
                    f"holds{which} {wrong}; a secret is {PREFIX} and {SHORTEST} to {LONGEST} random bytes in base64."
                    f' One is made by: echo "{PREFIX}$(openssl rand -base64 32)"'
                )
        return SecretStr("\n".join(found))

    @model_validator(mode="after")
    def _is_not_readable_on_the_way(self) -> Self:
        parts = urlsplit(self.url)
        if parts.scheme == "http" and not self.allow_http and not is_loopback(parts.hostname or ""):
            raise ValueError(
                "must start with https://: plain http would send readably what happens in your projects. For a"
                " receiver inside your own network: --allow-http (REST: allow_http)."
            )
        return self

    @property
    def secrets(self) -> list[str]:
        """The secrets, each of which signs."""
        return self.credential.get_secret_value().split()

    @property
    def host(self) -> str:
        """The host as messages name it."""
        return urlsplit(self.url).netloc


def _wrong(secret: str) -> str | None:
    """What is wrong with a secret, without a word of it."""
    if not secret.startswith(PREFIX):
        return f"something that does not begin with {PREFIX}"
    try:
        length = len(base64.b64decode(secret.removeprefix(PREFIX), validate=True))
    except (binascii.Error, ValueError):
        return "something that is not base64"
    return None if SHORTEST <= length <= LONGEST else f"a secret of {length} bytes"


def checked_channel(_settings: WebhookSettings, text: str) -> str:
    """A webhook has no channels. Raises ValueError in words where one is named."""
    if text.strip():
        raise ValueError("a webhook has one address and no channels; leave it out")
    return ""
