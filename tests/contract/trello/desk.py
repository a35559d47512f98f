"""What tests of the Trello connector have at hand: a tracker on the sandbox, and a look at what stands there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from connectors.mapped import NEW, Choice, Role
from connectors.pacing import Patience
from connectors.trello.client import TrelloClient
from connectors.trello.settings import TrelloSettings
from connectors.trello.tracker import TrelloTracker
from connectors.values import Creation, Done, Place, ProjectSpec, RemoteRef
from sandbox.testing import SandboxServer
from sandbox.trello.seed import KEY, OBSERVER_EMAIL, TOKEN, member_id
from sandbox.trello.state import Card
from tests import plain
from tests.contract.benches import never

ML, OUTSIDER = member_id("ml-1@example.com"), member_id(OBSERVER_EMAIL)
HEADER = {"Authorization": f'OAuth oauth_consumer_key="{KEY}", oauth_token="{TOKEN}"'}


@contextmanager
def connected(url: str, **settings: Any) -> Iterator[TrelloTracker]:
    """A tracker with these settings, which never really waits."""
    made = TrelloSettings.model_validate({"url": url, "key": KEY, "token": TOKEN, **settings})
    tracker = TrelloTracker(made, TrelloClient(made, windows={}, patience=lambda: Patience(45.0, sleep=never)))
    try:
        yield tracker
    finally:
        tracker.close()


def spec(key: str = "Demo board", **more: Any) -> ProjectSpec:
    return ProjectSpec(uid="prj_1", key=key, name=more.pop("name", key), **more)


def with_lists_of_ours(tracker: TrelloTracker, key: str = "Demo board") -> Place:
    """A board with lists of its own, on which phaseloop was asked to make those that it lacks."""
    found = tracker.locate(spec(key))
    assert found is not None
    roles = (Role.EPICS_LIST, Role.ITERATION_LIST, Role.REVIEW_LIST)
    tracker.remember({(found.site, found.ref.id): {role: Choice(NEW, "", by="a person") for role in roles}})
    asked = tracker.locate(spec(key))
    assert asked is not None
    return asked


def made(tracker: TrelloTracker, place: Place, *creations: Creation) -> list[RemoteRef]:
    outcomes = tracker.create(place, creations)
    assert all(isinstance(outcome, Done) for outcome in outcomes), outcomes
    return [outcome.ref for outcome in outcomes if isinstance(outcome, Done)]


def card(sandbox: SandboxServer, ref: RemoteRef) -> Card:
    return sandbox.trello.data.cards[ref.id]


def list_name(sandbox: SandboxServer, ref: RemoteRef) -> str:
    return sandbox.trello.data.lists[card(sandbox, ref).list_id].name


def label_names(sandbox: SandboxServer, ref: RemoteRef) -> set[str]:
    return {sandbox.trello.data.labels[one].name for one in card(sandbox, ref).label_ids}


def requests(sandbox: SandboxServer, method: str, path: str) -> int:
    log = plain.get(f"{sandbox.url}/sandbox/requests", params={"limit": 10000}).raise_for_status().json()
    return sum(1 for one in log["requests"] if one["method"] == method and one["path"] == path)
