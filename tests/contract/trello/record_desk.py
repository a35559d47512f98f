"""A board with a record on it, for tests of what is read of records and written on them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from connectors.records import Document
from connectors.trello.tracker import TrelloTracker
from connectors.values import Creation, ItemKey, Place, RemoteRef
from sandbox.testing import SandboxServer
from sandbox.trello.seed import MEMBER_EMAIL, MEMBER_TOKEN, TOKEN, member_id
from tests import plain
from tests.contract.items import epic, iteration, ticket
from tests.contract.trello.desk import HEADER, ML, connected, made, spec

DATA, TURN, RECORD, OTHER = (ItemKey(key) for key in ("epic:data", "iteration:1", "record:1", "ticket:b"))
TEXT = "## Goal\n\nWhat was it for?\n\n## Next steps\n\nWhat comes then?"
LONG = "A paragraph of some length.\n\n" * 1500 + "The end."
MEMBER = {"Authorization": HEADER["Authorization"].replace(TOKEN, MEMBER_TOKEN)}
US, MEMBER_ID = member_id("demo@example.com"), member_id(MEMBER_EMAIL)


@dataclass
class Desk:
    """A board with an epic, an iteration, a record and another ticket; the account of the connection, and a member."""

    sandbox: SandboxServer
    tracker: TrelloTracker
    place: Place
    known: dict[ItemKey, RemoteRef]

    def by_hand(self, method: str, path: str, *, ours: bool = False, **body: object) -> dict[str, Any]:
        url, header = f"{self.sandbox.url}/1/{path}", HEADER if ours else MEMBER
        answer: dict[str, Any] = plain.request(method, url, json=body, headers=header).raise_for_status().json()
        return answer

    def changes(self, key: ItemKey, *, ours: bool = False, **body: object) -> None:
        self.by_hand("PUT", f"cards/{self.known[key].id}", ours=ours, **body)

    def read(self, key: ItemKey = RECORD) -> Document:
        """The document as a tracker reads it that remembers nothing."""
        with connected(self.sandbox.url) as fresh:
            return fresh.documents(self.place, self.known, [key])[key]

    def list_id(self, name: str) -> str:
        return next(one.id for one in self.sandbox.trello.lists_of(self.place.ref.id) if one.name == name)

    def later(self, **more: float) -> None:
        """Some time goes by."""
        self.sandbox.trello.clock.advance(timedelta(**more))


@contextmanager
def laid(sandbox: SandboxServer) -> Iterator[Desk]:
    """A desk in a sandbox whose clock stands still."""
    with connected(sandbox.url, invite=True) as tracker:
        place = tracker.create_project(spec("ML", name="Churn", create=True))
        [data] = made(tracker, place, Creation(epic("data")))
        [turn] = made(tracker, place, Creation(iteration(1)))
        record = ticket("x", text=TEXT, checklist=("Written", "Signed off"), labels=("record",), assignee=ML)
        items = {RECORD: replace(record, key=RECORD), OTHER: ticket("b", text=LONG)}
        known = {DATA: data, TURN: turn}
        for key, item in items.items():
            [known[key]] = made(tracker, place, Creation(item, data, turn))
            tracker.finish(place, [(item, known[key])])
        path = f"{sandbox.url}/1/boards/{place.ref.id}/members/{MEMBER_ID}"
        plain.put(path, json={"type": "normal"}, headers=HEADER).raise_for_status()
        sandbox.trello.clock.freeze(sandbox.trello.clock.now())
        yield Desk(sandbox, tracker, place, known)
        sandbox.trello.clock.reset()
