"""Somebody else's mail server on loopback (aiosmtpd): keeps what it takes, refuses what it is told to, breaks off where
it is told to."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "phaseloop", "s3cret-of-the-mail"


@dataclass
class MailServer:
    """`refusing` are answers to give in place of the usual ones, by the step (`MAIL`, `RCPT`, `DATA`), used up one
    after the other; `abort` breaks off. `lost` loses the next answer to a mail: that was taken (`close`, `hang`), or
    was not (`cut`)."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, str]] = field(default_factory=list)
    refusing: dict[str, list[str]] = field(default_factory=dict)
    lost: str = ""
    secured: list[bool] = field(default_factory=list)
    tried: int = 0

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:  # noqa: N802 - aiosmtpd calls it so
        self.tried += 1
        if refusal := self._refusal("MAIL", server):
            return refusal
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:  # noqa: N802 - aiosmtpd calls it so
        if refusal := self._refusal("RCPT", server):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd calls it so
        if refusal := self._refusal("DATA", server):
            return refusal
        if self.lost != "cut":
            found = message_from_bytes(envelope.content or b"", policy=policy.default)
            assert isinstance(found, EmailMessage)
            self.mails.append(found)
            self.envelopes.append((str(envelope.mail_from), envelope.rcpt_tos[0]))
            self.secured.append(server.transport.get_extra_info("cipher") is not None)
        how, self.lost = self.lost, ""
        if how == "hang":
            await asyncio.sleep(20)
        elif how:
            server.transport.abort()
        return "250 taken"

    def _refusal(self, step: str, server: SMTP) -> str:
        waiting = self.refusing.get(step)
        said = waiting.pop(0) if waiting else ""
        if said == "abort":
            server.transport.abort()
        return said

    @property
    def subjects(self) -> list[str]:
        return [str(one["Subject"]) for one in self.mails]


@contextmanager
def serving(tls: ssl.SSLContext | None = None, *, implicit: bool = False, auth: bool = False) -> Iterator[MailServer]:
    """A mail server, as long as this lasts: with STARTTLS where `tls` is given, or TLS from the first byte."""
    found = MailServer()
    made: list[SMTP] = []

    def known(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=right, handled=False)

    class Here(Controller):
        def factory(self) -> SMTP:
            about: dict[str, Any] = {"ident": "mail"}
            if tls is not None and not implicit:
                about |= {"tls_context": tls, "require_starttls": True}
            if auth:
                about |= {"authenticator": known, "auth_required": not implicit, "auth_require_tls": not implicit}
            made.append(SMTP(found, **about))
            return made[-1]

    with_tls = {"ssl_context": tls} if implicit else {}
    controller = Here(found, hostname="127.0.0.1", port=0, **with_tls)
    controller.ready_timeout = 10
    # The port is chosen by the system: the controller knocks at the one it was told, so it is told before.
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        controller.port = free.getsockname()[1]
    controller.start()
    found.port = controller.port
    try:
        yield found
    finally:
        asyncio.run_coroutine_threadsafe(_closed(made), controller.loop).result(10)
        controller.stop()


async def _closed(made: list[SMTP]) -> None:
    """Break off what is still open, and wait until it is."""
    for one in made:
        if one.transport is not None:
            one.transport.close()
    for _ in range(5):
        await asyncio.sleep(0)
