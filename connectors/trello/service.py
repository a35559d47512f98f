"""The HTTP service that is handed to py-trello in place of its own.

Its own opens a connection for each call, waits without end, writes key and token into every address and drops what
an error answer said. This one keeps connections, has timeouts, keeps credentials to the Authorization header and
keeps the last answer of each thread.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx

from connectors.calls import Permit, permitted
from connectors.network import DIRECT, Way
from connectors.trello.settings import TrelloSettings

TIMEOUT = httpx.Timeout(30.0, connect=5.0)
"""Seconds to connect and to wait for an answer."""

PARALLEL = 10
"""How many calls are under way at once: enough for the vendor's rate where an answer takes up to a second."""

_SENDING = ("send_request_headers.started", "send_request_body.started")
_CREDENTIALS = frozenset({"key", "token"})


class HttpService:
    """Sends py-trello's requests to the connection's address. Safe to share between threads."""

    def __init__(
        self,
        settings: TrelloSettings,
        timeout: httpx.Timeout = TIMEOUT,
        permit: Permit = permitted,
        way: Way = DIRECT,
    ) -> None:
        self._permit = permit
        self._base = settings.url
        secret = settings.token.get_secret_value()
        self._authorization = f'OAuth oauth_consumer_key="{settings.key}", oauth_token="{secret}"'
        # Whatever an answer echoes is blotted out before anybody sees it.
        self._blots = (secret, settings.key)
        self._client = httpx.Client(
            timeout=timeout,
            follow_redirects=False,
            **way.for_httpx(httpx.Limits(max_connections=PARALLEL, max_keepalive_connections=PARALLEL)),
        )
        self._mine = threading.local()

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        data: str | None = None,
        auth: object = None,
        files: object = None,
        proxies: object = None,
    ) -> httpx.Response:
        """Send a request as py-trello asks for it, to our address and with our header.

        `auth`, `files` and `proxies` are py-trello's own ways and are not used.
        """
        self._mine.answer = None
        query = {name: value for name, value in (params or {}).items() if name not in _CREDENTIALS}
        answer = self._client.request(
            method,
            self._base + urlsplit(url).path,
            params=query or None,
            headers={**(headers or {}), "Authorization": self._authorization, "User-Agent": "phaseloop"},
            content=data.encode() if data is not None else None,
            extensions={"trace": self._before_sending} if getattr(self._mine, "writing", False) else {},
        )
        self._mine.answer = answer
        return answer

    @contextmanager
    def writing(self) -> Iterator[None]:
        """What this thread sends meanwhile changes something, and is sent only with the permit."""
        self._permit()  # before a connection is made for it
        self._mine.writing = True
        try:
            yield
        finally:
            self._mine.writing = False

    def _before_sending(self, event: str, _info: Mapping[str, Any]) -> None:
        """Called by httpx as a request proceeds. Waiting for a connection may have taken long, so the permit is asked
        at the last moment, and once more for the body: a request without its end is none."""
        if event.endswith(_SENDING):
            self._permit()

    @property
    def answer(self) -> httpx.Response | None:
        """The answer to this thread's last request; None if there was none."""
        found: httpx.Response | None = getattr(self._mine, "answer", None)
        return found

    def blotted(self, text: str) -> str:
        """The text without the credentials, should it hold them."""
        for secret in self._blots:
            text = text.replace(secret, "***")
        return text

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
