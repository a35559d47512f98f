"""A way to PostgreSQL that can be cut: one for each replica, so that one loses its database and the others keep it."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit

_CHUNK = 65536
_RESET = struct.pack("ii", 1, 0)
"""Close at once, as a server does that dies: nothing that is under way arrives any more."""


class Proxy:
    """Passes on what comes, until it is cut: then every connection is reset, and each new one as soon as it is made."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self._open: set[socket.socket] = set()
        self._far: set[socket.socket] = set()
        self._cut = False
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))

    @property
    def url(self) -> str:
        """The database's address by this way."""
        who, _at, _host = self._parts.netloc.rpartition("@")
        return urlunsplit(self._parts._replace(netloc=f"{who}@127.0.0.1:{self._listener.getsockname()[1]}"))

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        self.cut()

    def ports(self) -> set[int]:
        """The ports by which the database knows the connections that are open now."""
        with self._lock:
            return {port for one in self._far if (port := _port(one))}

    def cut(self) -> None:
        """Reset every connection, and from now on each new one."""
        with self._lock:
            self._cut = True
            there, self._open, self._far = self._open, set(), set()
        for one in there:
            _reset(one)

    def restore(self) -> None:
        """Let new connections through."""
        self._cut = False

    def _accept(self) -> None:
        while True:
            try:
                near, _address = self._listener.accept()
            except OSError:
                return
            if self._cut:
                _reset(near)
                continue
            try:
                far = socket.create_connection((self._parts.hostname or "", self._parts.port or 5432))
            except OSError:
                _reset(near)
                continue
            with self._lock:
                self._open |= {near, far}
                self._far.add(far)
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(_CHUNK):
                other.sendall(data)
        with self._lock:
            self._open -= {one, other}
            self._far -= {one, other}
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        one.close()  # the other way's thread closes the other end


def _port(one: socket.socket) -> int:
    try:
        return int(one.getsockname()[1])
    except OSError:
        return 0


def _reset(one: socket.socket) -> None:
    with suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        one.shutdown(socket.SHUT_RDWR)
    with suppress(OSError):
        one.close()
