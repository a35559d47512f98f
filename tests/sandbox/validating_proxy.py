"""A proxy that holds whatever passes through it against the vendor's documents, for clients that cannot be hooked."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

import httpx

from tests.sandbox.vendor_documents import Checker

# Headers about one connection, and about a body in an encoding that the proxy has undone.
_OWN = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "content-encoding", "content-length", "date", "server"}
)


class ValidatingProxy:
    """``with ValidatingProxy(target) as proxy:`` serves at ``proxy.url``; ``proxy.checker`` holds what was wrong.

    The client's Host header goes along, so that addresses in answers lead through the proxy again.
    """

    def __init__(self, target: str) -> None:
        self.checker = Checker()
        self._client = httpx.Client(base_url=target, event_hooks={"response": [self.checker]}, timeout=30)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self._client))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        """The address to give to a client."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> ValidatingProxy:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join(timeout=10)
        self._server.server_close()
        self._client.close()


def _handler(client: httpx.Client) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # otherwise every second answer waits for 40 ms

        def pass_on(self) -> None:
            body = self._body()
            headers = [(name, value) for name, value in self.headers.items() if name.lower() not in _OWN]
            answer = client.request(self.command, self.path, content=body or None, headers=headers)
            self.send_response(answer.status_code)
            for name, value in answer.headers.multi_items():
                if name.lower() not in _OWN:
                    self.send_header(name, value)
            if answer.status_code not in {204, 304}:
                self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.content)

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
                parts = []
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    parts.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                return b"".join(parts)
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = do_PATCH = pass_on  # noqa: N815  named by http.server

    return Handler
