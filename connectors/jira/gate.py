"""The way out of the `requests` library on which a write asks for its permit at the last moment.

Between `send` of a session and the first byte lie the wait for a connection and its making, seconds if need be; so the
permit is asked where the connection writes, and once more for the body: a request without its end is none.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from connectors.calls import Permit, permitted
from connectors.guard import Guard


class Gate(HTTPAdapter):
    """Sends requests, those that write only with the permit. Not safe to share between threads."""

    def __init__(self, permit: Permit) -> None:
        """`guard`, which is set before a call, judges the machine that a new connection reached."""
        self._permit, self._asked = permit, permitted
        self.guard: Guard | None = None
        super().__init__(max_retries=0)

    @contextmanager
    def passing(self, *, writes: bool) -> Iterator[None]:
        """What is sent meanwhile changes something, or does not."""
        self._asked = self._permit if writes else permitted
        self._asked()
        try:
            yield
        finally:
            self._asked = permitted

    def get_connection_with_tls_context(self, *given: Any, **named: Any) -> Any:
        """The pool for a request, whose connections ask before they write."""
        pool = super().get_connection_with_tls_context(*given, **named)
        made = _Secure if isinstance(pool, HTTPSConnectionPool) else _Plain
        if isinstance(pool, HTTPConnectionPool) and not hasattr(pool, "gate"):
            pool.ConnectionCls = type(made.__name__, (made,), {"gate": self})
            pool.gate = self  # type: ignore[attr-defined]
        return pool

    def ask(self) -> None:
        """Ask for the permit of what is being sent."""
        self._asked()


class _Plain(HTTPConnection):
    gate: Gate

    def _new_conn(self) -> socket.socket:
        return _judged(self.gate, self.host, super()._new_conn())

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        self.gate.ask()
        super().send(data)


class _Secure(HTTPSConnection):
    gate: Gate

    def _new_conn(self) -> socket.socket:
        return _judged(self.gate, self.host, super()._new_conn())

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        self.gate.ask()
        super().send(data)


def _judged(gate: Gate, host: str, connected: socket.socket) -> socket.socket:
    """The connection, if the machine that it reached may be called; nothing was sent on it yet."""
    if gate.guard is not None:
        try:
            gate.guard.judge_socket(host, connected)
        except BaseException:
            connected.close()
            raise
    return connected
