"""What a Trello connection is made of, and the mistakes people make with it."""

from __future__ import annotations

from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from connectors.addresses import ALLOW_HTTP, is_loopback, split_address

CLOUD = "https://api.trello.com"


class TrelloSettings(BaseModel):
    """The API key of a Trello Power-Up and the token of the account that phaseloop acts as.

    `key` is no secret by the vendor's word, but it is kept out of messages all the same. `workspace` is the short
    name or id of the workspace in which boards are created (none: the account's own boards). `invite` allows letting
    people who have work in a plan into the board. `allow_http` is for a stand-in inside your own network: without it,
    plain http is accepted on this machine only, because it would send the token readably.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: str = Field(default=CLOUD, description=f"the API, where it is not {CLOUD}.")
    key: str = Field(min_length=1, description="the API key of your Power-Up.")
    token: SecretStr = Field(min_length=1)
    workspace: str = Field(default="", description="the workspace that new boards belong to.")
    invite: bool = Field(default=False, description="let people who have work into the board.")
    allow_http: bool = Field(default=False, description=ALLOW_HTTP)

    @field_validator("key", "token", "workspace", mode="before")
    @classmethod
    def _without_blanks_around(cls, value: object) -> object:
        """Pasted values often bring a space or a line end along."""
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        return value.strip() if isinstance(value, str) else value

    @field_validator("key")
    @classmethod
    def _is_a_key(cls, value: str) -> str:
        if not _fits_the_header(value):
            raise ValueError("holds a character that no API key has; copy it again, without quotes around it")
        return value

    @field_validator("token")
    @classmethod
    def _is_a_token(cls, value: SecretStr) -> SecretStr:
        if not _fits_the_header(value.get_secret_value()):
            raise ValueError("holds a character that no token has; copy it again, without quotes around it")
        return value

    @field_validator("workspace")
    @classmethod
    def _is_a_workspace(cls, value: str) -> str:
        name = value.rstrip("/").rpartition("/")[2]  # the page's address is what people have at hand
        if not name.replace("_", "").replace("-", "").isalnum() and name:
            raise ValueError("must be the workspace's short name, the last part of its page's address")
        return name

    @field_validator("url")
    @classmethod
    def _is_the_api(cls, value: str) -> str:
        parts = split_address(value.strip(), CLOUD)
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("must be the address alone; the key and the token have their own places")
        if (parts.hostname or "") in {"trello.com", "www.trello.com"}:
            raise ValueError(f"must be the address of the API, not of the pages; use {CLOUD}")
        path = parts.path.rstrip("/").removesuffix("/1")
        return f"{parts.scheme}://{parts.netloc}".lower() + path

    @model_validator(mode="after")
    def _keeps_the_token_secret(self) -> Self:
        """Refuse to send a token over plain http, unless it stays on this machine or was allowed by name."""
        parts = urlsplit(self.url)
        if parts.scheme == "http" and not self.allow_http and not is_loopback(parts.hostname or ""):
            raise ValueError(
                f"must start with https:// (use https://{parts.netloc}{parts.path}); plain http would send the"
                " token readably. For a stand-in inside your own network: --allow-http (REST: allow_http)."
            )
        return self

    @property
    def host(self) -> str:
        """The host as messages name it."""
        return urlsplit(self.url).netloc


def _fits_the_header(text: str) -> bool:
    """Whether a value can stand between quotes in the Authorization header."""
    return text.isascii() and text.isprintable() and not set(text) & {" ", '"', ",", "\\"}
