"""An address on loopback that Trello's webhooks are sent to."""

from __future__ import annotations

import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any


class Listener:
    """``with Listener() as listener:`` answers HEAD and POST at ``listener.url`` and keeps what arrived.

    ``head`` is the status that HEAD gets; ``statuses`` are those of the next deliveries, 200 when none is left.
    """

    def __init__(self, head: int = 200) -> None:
        self.head = head
        self.statuses: list[int] = []
        self.arrived: queue.Queue[tuple[dict[str, str], bytes]] = queue.Queue()
        self._methods: list[str] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self, status: int) -> None:
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def do_HEAD(self) -> None:
                listener._methods.append("HEAD")
                self._answer(listener.head)

            def do_POST(self) -> None:
                listener._methods.append("POST")
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                self._answer(listener.statuses.pop(0) if listener.statuses else 200)
                listener.arrived.put(({name.lower(): value for name, value in self.headers.items()}, body))

            def log_message(self, *_: object) -> None:
                """Keep the test's output clean."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook?from=trello"

    def methods(self) -> list[str]:
        """What has arrived so far, in order."""
        return list(self._methods)

    def next(self) -> tuple[dict[str, str], bytes, Any]:
        """The next delivery: headers, raw body, and the body as JSON."""
        headers, body = self.arrived.get(timeout=10)
        return headers, body, json.loads(body)

    def __enter__(self) -> Listener:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
