"""A Trello client and tracker for the scripted server, which never really wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from connectors.pacing import Patience
from connectors.trello.client import TrelloClient
from connectors.trello.settings import TrelloSettings
from connectors.trello.tracker import TrelloTracker
from tests.unit.connectors.loopback import Asked, Loopback, Naps, Say, serving

KEY = "k3y-of-the-test"
TOKEN = "t0ken-of-the-test"


def settings_for(url: str, **more: Any) -> TrelloSettings:
    return TrelloSettings.model_validate({"url": url, "key": KEY, "token": TOKEN, **more})


@contextmanager
def client_for(url: str, *, naps: Naps | None = None, timeout: float = 5.0) -> Iterator[TrelloClient]:
    """A client of that address."""
    sleep = Naps() if naps is None else naps
    client = TrelloClient(
        settings_for(url),
        windows={},
        patience=lambda: Patience(45.0, attempts=4, sleep=sleep),
        timeout=httpx.Timeout(timeout),
    )
    try:
        yield client
    finally:
        client.close()


Answers = dict[tuple[str, str], Say | Callable[[Asked], Say]]


@contextmanager
def tracker_for(answers: Answers, **settings: Any) -> Iterator[tuple[TrelloTracker, Loopback]]:
    """A tracker on a server with an answer for each method and path; what has none is a 404 in the vendor's words."""

    def answer(asked: Asked) -> Say:
        found = answers.get(
            (asked.method, asked.path.partition("?")[0]), Say(404, "The requested resource was not found.")
        )
        return found if isinstance(found, Say) else found(asked)

    with serving(answer) as server, client_for(server.url) as client:
        yield TrelloTracker(settings_for(server.url, **settings), client), server
