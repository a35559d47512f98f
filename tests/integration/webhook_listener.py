"""A program that takes signed webhooks, on loopback: it says what it is told to, and remembers what it was sent."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook

SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
NEXT = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass(frozen=True)
class Event:
    """One delivery as it arrived."""

    headers: Mapping[str, str]
    raw: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def body(self) -> Any:
        return json.loads(self.raw)

    def verified(self, secret: str = SECRET) -> Any:
        """The body, after its signature was checked as the library of the Standard Webhooks checks it."""
        return Webhook(secret).verify(self.raw, dict(self.headers))


@dataclass
class Listener:
    """Answers with 204, but for what `script` says of the next deliveries: a status, with headers or without, or
    `reset`, `close`, `hang`, `drip`."""

    url: str
    events: list[Event] = field(default_factory=list)
    script: list[int | str | tuple[int, dict[str, str]]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def ids(self) -> Counter[str]:
        """How often each event was sent."""
        return Counter(one.id for one in self.events)


@contextmanager
def listening() -> Iterator[Listener]:
    """A listener, as long as this lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # or each answer waits 40 ms for an acknowledgement

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            found.events.append(Event({name.lower(): value for name, value in self.headers.items()}, raw))
            said = found.script.pop(0) if found.script else 204
            self.close_connection = True
            match said:
                case "reset":
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.connection.close()
                case "close":
                    pass
                case "hang":
                    found.ended.wait(20)
                case "drip":
                    self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                    while not found.ended.wait(0.05):
                        self.wfile.write(b"X-Long: a\r\n")
                case _:
                    status, headers = said if isinstance(said, tuple) else (int(said), {})
                    self.send_response(status)
                    for name, value in {"Content-Length": "0", **headers}.items():
                        self.send_header(name, value)
                    self.end_headers()

        do_GET = do_POST  # noqa: N815 - whoever follows a redirect may come with it

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Whoever broke off is gone."""

    with Server(("127.0.0.1", 0), Handler) as server:
        found = Listener(f"http://127.0.0.1:{server.server_port}/hook")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield found
        found.ended.set()
        server.shutdown()
        thread.join()
