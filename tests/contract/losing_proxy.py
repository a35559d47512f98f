"""A loopback proxy in front of a tracker that counts what passes, and can lose an answer after the deed was done."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit


@dataclass
class Passing:
    """One request on its way through."""

    method: str
    path: str
    body: bytes = b""


@dataclass
class Orders:
    """What to do with the next requests: lose the answer of a match, or answer it without asking the tracker."""

    lose: list[Callable[[Passing], bool]] = field(default_factory=list)
    fake: list[tuple[Callable[[Passing], bool], int, bytes]] = field(default_factory=list)


class LosingProxy:
    """`with LosingProxy(url) as proxy:` forwards `proxy.url` to `url`."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self.passed: list[Passing] = []
        self.orders = Orders()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or each answer waits 40 ms for an acknowledgement

            def _serve(self) -> None:
                outer._forward(self)

            do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> LosingProxy:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def _forward(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        passing = Passing(handler.command, handler.path, body)
        self.passed.append(passing)
        for matches, status, payload in self.orders.fake:
            if matches(passing):
                self._answer(handler, status, {"Content-Type": "application/json"}, payload)
                return
        connection = http.client.HTTPConnection(self._host, self._port, timeout=30)
        try:
            connection.request(passing.method, passing.path, body or None, dict(handler.headers.items()))
            answer = connection.getresponse()
            payload = answer.read()
        finally:
            connection.close()
        for matches in self.orders.lose:
            if matches(passing):
                self.orders.lose.remove(matches)
                handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                handler.connection.close()
                handler.close_connection = True
                return
        self._answer(handler, answer.status, dict(answer.getheaders()), payload)

    def _answer(self, handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str], payload: bytes) -> None:
        handler.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(payload)))
        handler.end_headers()
        handler.wfile.write(payload)
