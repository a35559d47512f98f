"""What late calls leave on a Trello board beside cards, and what becomes of it."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.trello.layout import ListRole
from connectors.trello.tracker import TrelloTracker
from connectors.values import Creation, Item, Place, RemoteRef
from sandbox.testing import SandboxServer
from tests import plain
from tests.contract.items import ticket
from tests.contract.trello.desk import HEADER, card, made, spec

LINES = ("It is reviewed", "It is measured")


@pytest.fixture
def place(tracker: TrelloTracker) -> Place:
    return tracker.create_project(spec("ML", name="Churn", create=True))


@pytest.fixture
def since(tracker: TrelloTracker, place: Place) -> str:
    return tracker.watermark(place)


@pytest.fixture
def item() -> Item:
    return ticket("a", checklist=LINES)


@pytest.fixture
def ref(tracker: TrelloTracker, place: Place, since: str, item: Item) -> RemoteRef:
    [ref] = made(tracker, place, Creation(item))
    tracker.finish(place, [(item, ref)])
    return ref


def late(sandbox: SandboxServer, method: str, path: str, **body: object) -> Any:
    """What a call does that arrives late."""
    return plain.request(method, f"{sandbox.url}/1/{path}", json=body, headers=HEADER).raise_for_status().json()


def lists(sandbox: SandboxServer, ref: RemoteRef) -> list[list[str]]:
    """The lines of each checklist of a card."""
    return [
        [line.name for line in sandbox.trello.data.checklists[one].items] for one in card(sandbox, ref).checklist_ids
    ]


def test_a_line_that_is_there_twice_goes_and_what_people_added_stays(
    sandbox: SandboxServer, tracker: TrelloTracker, place: Place, since: str, item: Item, ref: RemoteRef
) -> None:
    [checklist] = card(sandbox, ref).checklist_ids
    for line in (LINES[0], "Somebody's own", "Somebody's own", LINES[1]):
        late(sandbox, "POST", f"checklists/{checklist}/checkItems", name=line)

    found = tracker.reconcile(place, [(item, ref)], since)

    assert sorted(double.title for double in found) == sorted(LINES)
    assert lists(sandbox, ref) == [[*LINES, "Somebody's own", "Somebody's own"]]


def test_a_ticked_line_is_not_the_one_that_goes(
    sandbox: SandboxServer, tracker: TrelloTracker, place: Place, since: str, item: Item, ref: RemoteRef
) -> None:
    [checklist] = card(sandbox, ref).checklist_ids
    second = late(sandbox, "POST", f"checklists/{checklist}/checkItems", name=LINES[0])
    late(sandbox, "PUT", f"cards/{ref.id}/checkItem/{second['id']}", state="complete")

    tracker.reconcile(place, [(item, ref)], since)

    left = {line.name: line.id for line in sandbox.trello.data.checklists[checklist].items}
    assert left[LINES[0]] == second["id"]
    assert lists(sandbox, ref) == [[LINES[1], LINES[0]]]


def test_of_two_checklists_the_full_one_stays(
    sandbox: SandboxServer, tracker: TrelloTracker, place: Place, since: str, item: Item, ref: RemoteRef
) -> None:
    [full] = card(sandbox, ref).checklist_ids
    part = late(sandbox, "POST", "checklists", idCard=ref.id, name="Done means", pos="top")
    late(sandbox, "POST", f"checklists/{part['id']}/checkItems", name=LINES[0])

    [double] = tracker.reconcile(place, [(item, ref)], since)

    assert double.what == "checklist"
    assert card(sandbox, ref).checklist_ids == [full]


def test_a_checklist_on_which_people_wrote_stays_beside_ours(
    sandbox: SandboxServer, tracker: TrelloTracker, place: Place, since: str, item: Item, ref: RemoteRef
) -> None:
    theirs = late(sandbox, "POST", "checklists", idCard=ref.id, name="Done means")
    for line in (LINES[0], "Somebody's own"):
        late(sandbox, "POST", f"checklists/{theirs['id']}/checkItems", name=line)

    tracker.reconcile(place, [(item, ref)], since)

    assert lists(sandbox, ref) == [[*LINES], [LINES[0], "Somebody's own"]]


def test_labels_and_lists_of_one_name_become_one_again(
    sandbox: SandboxServer, tracker: TrelloTracker, place: Place, since: str
) -> None:
    item = ticket("a", labels=("role:data",))
    [ref] = made(tracker, place, Creation(item))
    late(sandbox, "POST", "labels", name="role:data", color="blue", idBoard=place.ref.id)
    late(sandbox, "POST", "lists", name=ListRole.BACKLOG.value, idBoard=place.ref.id)
    late(sandbox, "POST", "lists", name="Somebody's own", idBoard=place.ref.id)

    tracker.reconcile(place, [(item, ref)], since)

    assert [one.name for one in sandbox.trello.labels_of(place.ref.id) if one.name] == ["role:data"]
    there = [one.name for one in sandbox.trello.lists_of(place.ref.id) if not one.closed]
    assert sorted(there) == sorted([*(role.value for role in ListRole), "Somebody's own"])
