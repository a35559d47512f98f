"""The plain `py-trello` client, pointed at a sandbox: it knows only the vendor's address, so the host is replaced."""

from __future__ import annotations

from typing import Any

import requests
from trello import TrelloClient

from sandbox.trello.seed import KEY, TOKEN

VENDORS = ("https://api.trello.com", "https://trello.com")


class Here:
    """The client's HTTP service."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False

    def _here(self, url: str) -> str:
        return next(self.url + url.removeprefix(vendor) for vendor in VENDORS if url.startswith(vendor))

    def request(self, method: str, url: str, **options: Any) -> requests.Response:
        """Send a request to the sandbox."""
        return self.session.request(method, self._here(url), timeout=10, **options)

    def post(self, url: str, **options: Any) -> requests.Response:
        """Send a POST to the sandbox."""
        return self.request("POST", url, **options)


def plain_trello(url: str) -> TrelloClient:
    """A client with the sandbox's own credentials. Close `client.http_service.session` afterwards."""
    return TrelloClient(KEY, TOKEN, http_service=Here(url))
