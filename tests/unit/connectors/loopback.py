"""A scripted HTTP server on loopback: says what it is told to, in order, and remembers what it was asked."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from connectors.jira.client import JiraClient
from connectors.jira.settings import JiraSettings
from connectors.pacing import Pacer, Patience

TOKEN = "s3cret-t0ken-of-the-test"
EMAIL = "demo@example.com"


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    body: Any
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Say:
    """One answer: `body` as JSON unless it is text, with `act` for what a broken network does."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    act: str = "answer"  # answer | reset | truncate | hang


class Loopback:
    """The server with its script; the last line of the script is repeated."""

    def __init__(self, answer: Callable[[Asked], Say]) -> None:
        self.asked: list[Asked] = []
        self._answer = answer
        self.closing = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or each answer waits 40 ms for an acknowledgement

            def _serve(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                raw = self.rfile.read(length)
                asked = Asked(self.command, self.path, json.loads(raw) if raw else None, dict(self.headers))
                outer.asked.append(asked)
                outer._perform(self, outer._answer(asked))

            do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def _perform(self, handler: BaseHTTPRequestHandler, say: Say) -> None:
        if say.act == "reset":
            # Linger 0 makes close() send a reset instead of an orderly end.
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.connection.close()
            handler.close_connection = True
            return
        if say.act == "hang":
            self.closing.wait(10)
            handler.close_connection = True
            return
        payload = say.body.encode() if isinstance(say.body, str) else json.dumps(say.body).encode()
        headers = {"Content-Type": "application/json;charset=UTF-8", **say.headers}
        handler.send_response_only(say.status)  # without the Date that send_response adds
        for name, value in headers.items():
            handler.send_header(name, value)
        promised = len(payload) + (20 if say.act == "truncate" else 0)
        handler.send_header("Content-Length", str(promised))
        handler.end_headers()
        handler.wfile.write(payload)
        if say.act == "truncate":
            handler.close_connection = True

    def serve(self) -> None:
        self._server.serve_forever(poll_interval=0.01)

    def stop(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def loopback(*script: Say) -> Iterator[Loopback]:
    """Serve a script of answers, the last one repeated."""
    remaining = list(script)

    def answer(_asked: Asked) -> Say:
        return remaining.pop(0) if len(remaining) > 1 else remaining[0]

    with serving(answer) as server:
        yield server


@contextmanager
def serving(answer: Callable[[Asked], Say]) -> Iterator[Loopback]:
    """Serve answers made by a function."""
    server = Loopback(answer)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join(5)


class Naps(list[float]):
    """Stands in for sleep: remembers how long, and does not."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


@contextmanager
def client_for(url: str, *, naps: Naps | None = None, timeout: float = 5.0) -> Iterator[JiraClient]:
    """A client of that address that never really waits."""
    naps = Naps() if naps is None else naps
    client = JiraClient(
        JiraSettings(url=url, email=EMAIL, token=TOKEN),
        pacer=Pacer({}, sleep=naps),
        patience=Patience(sleep=naps),
        timeout=(timeout, timeout),
    )
    try:
        yield client
    finally:
        client.close()
