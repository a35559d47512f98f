"""Every write asks for its permit at the last moment, and is not sent without it; reads never ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from connectors.jira.client import JiraClient
from connectors.jira.settings import JiraSettings
from connectors.pacing import Pacer, Patience
from connectors.trello.client import TrelloClient
from connectors.trello.concurrency import all_of
from tests.unit.connectors.loopback import EMAIL, TOKEN, Asked, Loopback, Naps, Say, serving
from tests.unit.connectors.trello_loopback import settings_for

Client = JiraClient | TrelloClient


class Refused(BaseException):
    """What a permit raises that is refused: no Exception, as in a run."""


class Permits:
    """Counts how often it was asked, and refuses from the given asking on."""

    def __init__(self) -> None:
        self.asked = 0
        self.until = 10**9
        self.when: list[int] = []
        self.server: Loopback | None = None

    def __call__(self) -> None:
        self.asked += 1
        if self.asked > self.until:
            raise Refused


@contextmanager
def jira(url: str, permit: Callable[[], None]) -> Iterator[Client]:
    settings = JiraSettings(url=url, email=EMAIL, token=TOKEN)  # type: ignore[arg-type]
    patience = Patience(sleep=Naps())
    with closing(JiraClient(settings, pacer=Pacer({}), patience=patience, timeout=(5, 5), permit=permit)) as client:
        yield client


@contextmanager
def trello(url: str, permit: Callable[[], None]) -> Iterator[Client]:
    patience = Patience(45.0, sleep=Naps())
    with closing(TrelloClient(settings_for(url), windows={}, patience=lambda: patience, permit=permit)) as client:
        yield client


BOTH = pytest.mark.parametrize("connected", [jira, trello])
Connected = Callable[[str, Callable[[], None]], Any]


def fine(_asked: Asked) -> Say:
    return Say(200, {"id": "1"})


@BOTH
def test_a_read_asks_for_nothing(connected: Connected) -> None:
    permits = Permits()
    with serving(fine) as server, connected(server.url, permits) as client:
        client.get_object("thing")

    assert permits.asked == 0


@BOTH
def test_a_write_asks_and_without_a_permit_nothing_arrives(connected: Connected) -> None:
    permits = Permits()
    with serving(fine) as server, connected(server.url, permits) as client:
        client.write("POST", "thing", {"name": "x"})
        assert permits.asked >= 1
        permits.until = permits.asked
        with pytest.raises(Refused):
            client.write("POST", "thing", {"name": "y"})

        assert len(server.asked) == 1


@BOTH
@pytest.mark.parametrize("late", [1, 2])
def test_a_permit_that_ends_while_a_connection_is_made_or_between_head_and_body_keeps_the_request_from_arriving(
    connected: Connected, late: int
) -> None:
    permits = Permits()
    permits.until = late
    with serving(fine) as server, connected(server.url, permits) as client:
        with pytest.raises(Refused):
            client.write("POST", "thing", {"name": "x" * 100})
        client.get_object("thing")  # a read goes out all the same, on a connection of its own

        # This server does not mind that a body is shorter than its head promised; those of the vendors do.
        assert [asked.method for asked in server.asked if asked.body or asked.method == "GET"] == ["GET"]


@BOTH
def test_a_write_that_is_sent_again_asks_again(connected: Connected) -> None:
    permits = Permits()
    answers = [Say(429, {}, {"Retry-After": "0"}), Say(200, {"id": "1"})]
    with serving(lambda _asked: answers.pop(0)) as server, connected(server.url, permits) as client:
        client.write("POST", "thing", {"name": "x"})
        first = permits.asked
        answers += [Say(429, {}, {"Retry-After": "0"})]
        permits.until = first + first // 2
        with pytest.raises(Refused):
            client.write("POST", "thing", {"name": "x"})

        assert len(server.asked) == 3


def test_writes_at_the_same_time_are_each_held_to_it() -> None:
    permits = Permits()
    permits.until = 0
    with serving(fine) as server, trello(server.url, permits) as client:
        with pytest.raises(Refused):
            all_of([lambda: client.write("POST", "thing", {"name": "x"})] * 25)

        assert server.asked == []
        assert permits.asked < 25  # those that were not begun are not
