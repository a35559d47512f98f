"""An end to a call as a whole. A time-out is one for each piece that arrives: a server that sends a byte now and then
would hold a thread for ever."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType


class Deadline:
    """``with Deadline(20) as deadline: deadline.watch(connected)``: what waits for this connection when the time is
    over fails as if the other side had closed it."""

    def __init__(self, seconds: float) -> None:
        self._lock = threading.Lock()
        self._watched: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self.over = False

    def watch(self, connected: socket.socket) -> None:
        """Break this connection off at the end. It may be wrapped, for TLS, afterwards: a second handle to the same
        connection is kept."""
        with self._lock:
            self._watched.append(connected.dup())
        if self.over:
            self._end()

    def _end(self) -> None:
        with self._lock:
            self.over = True
            for one in self._watched:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Deadline:
        self._timer.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            for one in self._watched:
                one.close()
            self._watched.clear()
