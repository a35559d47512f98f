"""What a receiver of mails is made of, and the mistakes people make with it."""

from __future__ import annotations

import re
from email.utils import parseaddr
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from connectors.addresses import is_loopback

PORTS = {"starttls": 587, "tls": 465, "none": 25}
LONGEST = 254
"""The most characters of a mail address (RFC 5321)."""

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[?[0-9A-Fa-f:.]+\]?")
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(r"([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


class EmailSettings(BaseModel):
    """A mail server that takes mails from us, and whom they are from. The password is never sent readably: without TLS
    none is given but to this machine."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    host: str = Field(description="the mail server that takes mails in, like smtp.example.com.")
    sender: str = Field(description='whom mails are from: "phaseloop <phaseloop@example.com>".')
    security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="starttls (the default), tls (from the first byte) or none."
    )
    port: int = Field(default=0, ge=0, le=65535, description="its port, where it is not 587, 465 or 25 by --security.")
    username: str = Field(default="", description="the user name to sign in with; leave it out where none is needed.")
    password: SecretStr = Field(default=SecretStr(""))

    @field_validator("host")
    @classmethod
    def _is_a_host(cls, value: str) -> str:
        text = value.strip().rstrip(".")
        if "://" in text or "/" in text:
            raise ValueError("must be the server's name alone, like smtp.example.com")
        if not _HOST.fullmatch(text):
            raise ValueError("must be the server's name, like smtp.example.com; the port has its own place")
        return text.lower()

    @field_validator("sender")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        name, address = parseaddr(" ".join(value.split()))
        if not address or (not name and address != value.strip().strip("<>")):
            raise ValueError('must be an address, or a name and an address: "phaseloop <phaseloop@example.com>"')
        plain = checked(address)
        return f"{name} <{plain}>" if name else plain

    @field_validator("username")
    @classmethod
    def _is_one_line(cls, value: str) -> str:
        if not value.isprintable():
            raise ValueError("must be printable characters")
        return value.strip()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        secret = self.password.get_secret_value()
        if bool(self.username) != bool(secret):
            missing = "the password is missing" if self.username else "the user name is missing"
            raise ValueError(f"{missing}: a server is signed in to with both, or with none")
        if secret and self.security == "none" and not is_loopback(self.host):
            raise ValueError("the password would be sent readably: use --security starttls or tls (REST: security)")
        return self

    @property
    def called_port(self) -> int:
        """The port that is called."""
        return self.port or PORTS[self.security]

    @property
    def place(self) -> str:
        """The server as messages name it."""
        return f"{self.host}:{self.called_port}"

    @property
    def from_address(self) -> str:
        """The sender's address alone."""
        return parseaddr(self.sender)[1]


def checked_channel(_settings: EmailSettings, text: str) -> str:
    """Somebody's address. Raises ValueError in words."""
    if not text.strip():
        raise ValueError("is missing: name the address of who is told, like ana@example.com")
    return checked(text)


def checked(text: str) -> str:
    """A mail address in its plain form. Raises ValueError in words."""
    local, _at, domain = text.strip().rpartition("@")
    try:
        domain = domain if domain.isascii() else domain.encode("idna").decode("ascii")
    except UnicodeError:
        domain = ""
    plain = f"{local}@{domain.lower()}"
    if not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(domain) or len(plain) > LONGEST or len(local) > 64:
        raise ValueError("must be one mail address, like ana@example.com")
    return plain
