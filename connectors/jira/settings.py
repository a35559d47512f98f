"""What a Jira connection is made of, and the mistakes people make with its address."""

from __future__ import annotations

import re
from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from connectors.addresses import ALLOW_HTTP, is_loopback, split_address

_GATEWAY_PATH = re.compile(r"/ex/jira/[A-Za-z0-9-]+")
GATEWAY = "https://api.atlassian.com"
"""Where the vendor takes calls with tokens that have scopes, for every site."""


class JiraSettings(BaseModel):
    """The address of a Jira Cloud site and the account that phaseloop acts as there.

    `url` is the site (https://acme.atlassian.net), or its gateway form (https://api.atlassian.com/ex/jira/<cloudId>). A
    token with scopes works at the gateway only: `api_url` is where that is, as it was found out and is remembered.
    `gateway` is the gateway's own address, where it is not the vendor's. `allow_http` is for a stand-in inside your own
    network: without it, plain http is accepted on this machine only, because it would send the token readably.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: str = Field(description="the site, such as https://your-site.atlassian.net.")
    email: str = Field(min_length=3, description="the account's e-mail address.")
    token: SecretStr = Field(min_length=1)
    gateway: str = Field(default="", description=f"the gateway for tokens with scopes, where it is not {GATEWAY}.")
    api_url: str = ""
    allow_http: bool = Field(default=False, description=ALLOW_HTTP)

    @field_validator("email", "token", mode="before")
    @classmethod
    def _without_blanks_around(cls, value: object) -> object:
        """Pasted values often bring a space or a line end along."""
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        return value.strip() if isinstance(value, str) else value

    @field_validator("email")
    @classmethod
    def _has_an_at_sign(cls, value: str) -> str:
        if "@" not in value or any(c.isspace() or c == ":" for c in value):
            # A colon would end the user name in HTTP basic authentication.
            raise ValueError("must be the e-mail address of the Atlassian account that the token belongs to")
        return value

    @field_validator("email")
    @classmethod
    def _fits_a_header(cls, value: str) -> str:
        try:
            value.encode("latin-1")  # what HTTP basic authentication is written in
        except UnicodeEncodeError:
            raise ValueError("holds a character that cannot be sent; write the address in ASCII") from None
        return value

    @field_validator("token")
    @classmethod
    def _is_a_token(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if not text.isascii() or not text.isprintable() or " " in text:
            raise ValueError("holds a character that no API token has; copy it again, without quotes around it")
        return value

    @field_validator("url")
    @classmethod
    def _is_a_site(cls, value: str) -> str:
        parts = split_address(value.strip(), "https://acme.atlassian.net")
        if parts.username or parts.password:
            raise ValueError("must not hold a user name or password; the e-mail and the token have their own places")
        origin = f"{parts.scheme}://{parts.netloc}".lower()
        path = parts.path.rstrip("/")
        if path and not _GATEWAY_PATH.fullmatch(path):
            raise ValueError(f"must be the site alone, without the path {path!r}; use {origin}")
        if parts.query or parts.fragment:
            raise ValueError(f"must be the site alone, without anything after it; use {origin}{path}")
        return origin + path

    @field_validator("gateway")
    @classmethod
    def _is_a_host(cls, value: str) -> str:
        if not value.strip():
            return ""
        parts = split_address(value.strip(), GATEWAY)
        if parts.username or parts.password or parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError(f"must be the gateway's address alone, like {GATEWAY}")
        return f"{parts.scheme}://{parts.netloc}".lower()

    @field_validator("api_url")
    @classmethod
    def _is_of_the_gateway(cls, value: str) -> str:
        if value and not _GATEWAY_PATH.fullmatch(split_address(value, f"{GATEWAY}/ex/jira/…").path):
            raise ValueError("must be an address of the gateway, with the cloud id; phaseloop finds it out itself")
        return value

    @model_validator(mode="after")
    def _keeps_the_token_secret(self) -> Self:
        """Refuse to send a token over plain http, unless it stays on this machine or was allowed by name."""
        for address in (self.url, self.gateway, self.api_url):
            parts = urlsplit(address)
            if parts.scheme == "http" and not self.allow_http and not is_loopback(parts.hostname or ""):
                raise ValueError(
                    f"must start with https:// (use https://{parts.netloc}{parts.path}); plain http would send the"
                    " token readably. For a stand-in inside your own network: --allow-http (REST: allow_http)."
                )
        return self

    @property
    def gateway_url(self) -> str:
        """Where the gateway is: as was set; the vendor's for a site of the vendor's; for a stand-in, which is on this
        machine or on plain http, its own address, because nothing of it is for anybody outside."""
        parts = urlsplit(self.url)
        inside = parts.scheme == "http" or is_loopback(parts.hostname or "")
        return self.gateway or (f"{parts.scheme}://{parts.netloc}" if inside else GATEWAY)

    def at_gateway(self, cloud_id: str) -> str:
        """The address of this site at the gateway; empty for something that is no cloud id."""
        path = f"/ex/jira/{cloud_id}"
        return self.gateway_url + path if _GATEWAY_PATH.fullmatch(path) else ""

    @property
    def is_gateway(self) -> bool:
        """Whether the address is the gateway's, which has no pages for people."""
        return "/ex/jira/" in self.url

    @property
    def host(self) -> str:
        """The host as messages name it."""
        return urlsplit(self.url).netloc
