"""HTTP as it is served: a request that stops coming is cut off, so that nobody keeps connections open with halves."""

from __future__ import annotations

import asyncio
import logging

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

log = logging.getLogger(__name__)


class PatientProtocol(H11Protocol):
    """A connection that is closed when nothing of a begun request came for a while, neither of its head nor of its
    body. A connection between two requests is the server's own to end."""

    patience = 30.0
    """Seconds for which nothing may come."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take what came, and wait for the rest of it."""
        super().data_received(data)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._no_longer()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._no_longer()
        if self.conn.their_state in (h11.IDLE, h11.SEND_BODY):
            self._waiting = self.loop.call_later(self.patience, self._cut)

    def _no_longer(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _cut(self) -> None:
        log.info("a request that stopped coming was cut off")
        self.transport.close()
