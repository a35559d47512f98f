"""Every request that the Trello connector makes is one that the vendor documents, and none that it gives up."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.records import Fill
from connectors.trello.client import TrelloClient
from connectors.trello.settings import TrelloSettings
from connectors.trello.tracker import TrelloTracker
from connectors.values import (
    Creation,
    Done,
    ItemKey,
    ItemKind,
    Place,
    Priority,
    ProjectSpec,
    RemoteRef,
    kind_of,
)
from sandbox.testing import SandboxServer
from sandbox.trello.card_editing import move_to_board
from sandbox.trello.seed import KEY, TOKEN
from tests.contract.items import epic, iteration, ticket
from tests.contract.losing_proxy import LosingProxy, Passing

SPEC = Path(__file__).parents[2].parent / "shared" / "specs" / "trello.json"

pytestmark = pytest.mark.skipif(not SPEC.exists(), reason="the vendor's OpenAPI document is not beside the repository")

NESTED = {
    "attachments",
    "attachment_fields",
    "before",
    "board_fields",
    "checkItems",
    "checklists",
    "checklist_fields",
    "customFieldItems",
    "fields",
    "filter",
    "labels_limit",
    "limit",
    "member",
    "member_fields",
    "organization_fields",
    "pluginData",
    "stickers",
}
"""What the vendor's guide to nested resources adds to routes that return models; the document lists it nowhere."""


@cache
def paths() -> dict[str, Any]:
    """The documented paths, without a slash at the end, which the document writes at random."""
    documented: dict[str, Any] = json.loads(SPEC.read_text())["paths"]
    return {path.rstrip("/"): operations for path, operations in documented.items()}


def operation(passing: Passing) -> dict[str, Any]:
    """The documented operation of a request; a template without parameters wins."""
    path = urlsplit(passing.path).path.removeprefix("/1").rstrip("/")
    matches = [
        (template.count("{"), template)
        for template in paths()
        if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path) and passing.method.lower() in paths()[template]
    ]
    assert matches, f"{passing.method} {path} is not documented"
    template = min(matches)[1]
    found: dict[str, Any] = paths()[template][passing.method.lower()]
    return {**found, "parameters": [*found.get("parameters", ()), *paths()[template].get("parameters", ())]}


def names(passing: Passing) -> set[str]:
    """The parameters that the document has for a request; in the query or in the body, as the vendor takes both."""
    found = operation(passing)
    body = found.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return {parameter["name"] for parameter in found["parameters"] if "name" in parameter} | set(
        body.get("properties", ())
    )


def everything(tracker: TrelloTracker) -> None:
    """One of each call, so that each kind of request is seen."""

    def done(place: Any, *creations: Creation) -> list[RemoteRef]:
        return [one.ref for one in tracker.create(place, creations) if isinstance(one, Done)]

    spec = ProjectSpec(uid="prj_1", key="ML", name="Churn", create=True)
    tracker.whoami()
    tracker.check(spec, None, [])
    place = tracker.create_project(spec)
    people = tracker.people(place, ["ml-1@example.com", "@qa1"])
    tracker.people(None, [people["ml-1@example.com"].id])
    old, new = done(place, Creation(epic("old")), Creation(epic("new")))
    [turn] = done(place, Creation(iteration(1)))
    long = "A long paragraph.\n\n" * 1200
    items = [
        ticket(name, text=long, checklist=("One", "Two"), labels=("x",), priority=Priority.HIGH, assignee=person.id)
        for name, person in zip(("a", "b"), people.values(), strict=True)
    ]
    refs = done(place, *(Creation(item, old, turn, rank=1) for item in items))
    tracker.finish(place, list(zip(items, refs, strict=True)))
    done(place, Creation(ticket("c", checklist=("One", "Two"))))
    tracker.mark(place, ItemKey("ticket:a"), refs[0])
    tracker.move(place, [(ItemKey("ticket:a"), refs[0])], turn)
    changed = ["title", "text", "epic", "assignee", "labels", "checklist"]
    tracker.update(place, ItemKind.TICKET, refs[0], ticket("a", text="Short", checklist=("Three",)), changed, new)
    tracker.update(place, ItemKind.ITERATION, turn, iteration(2), ["title", "goal", "starts"], None)
    turned(tracker, place, {ItemKey("iteration:1"): turn, ItemKey("ticket:a"): refs[0]})
    tracker.find(place, {})
    tracker.recover(place, items, tracker.watermark(place))
    tracker.locate(spec)
    tracker.check(spec, place, items)
    removed(
        tracker, spec, place, {ItemKey("epic:new"): new, ItemKey("iteration:1"): turn, ItemKey("ticket:a"): refs[0]}
    )


def turned(tracker: TrelloTracker, place: Place, known: dict[ItemKey, RemoteRef]) -> None:
    """An iteration that begins, is looked at, and ends."""
    turn = ItemKey("iteration:1")
    tracker.start_iteration(place, iteration(1), known[turn])
    tracker.contents(place, known, {turn: known[turn]}, {})
    tracker.close_iteration(place, iteration(1), known[turn])


def evidence(tracker: TrelloTracker, sandbox: SandboxServer, place: Place, ref: RemoteRef) -> None:
    """A record that is read, commented, filled in and surveyed, also after it was on another board."""
    key = ItemKey("record:1")
    tracker.documents(place, {key: ref}, [key])
    board = sandbox.trello.data.boards[place.ref.id]
    card, actor = sandbox.trello.data.cards[ref.id], sandbox.trello.data.members[tracker.whoami().id]
    elsewhere = next(one for one in sandbox.trello.data.boards.values() if sandbox.trello.lists_of(one.id))
    for there in (elsewhere, board):
        move_to_board(sandbox.trello, actor, card, there, sandbox.trello.lists_of(there.id)[0])
    tracker.documents(place, {key: ref}, [key])
    tracker.comment(place, ref, "It is due.", [actor.id])
    tracker.fill(place, ref, [Fill("Goal", "Better."), Fill("Data", "word " * 4000)])
    tracker.fill(place, ref, [Fill("Data", "other " * 3000, ("word " * 4000,))])
    tracker.survey(ProjectSpec(uid="", key=place.ref.url, name=""))


def removed(tracker: TrelloTracker, spec: ProjectSpec, place: Place, known: dict[ItemKey, RemoteRef]) -> None:
    """One of each thing looked at for traces, found by name and removed, the board last."""
    known |= {**tracker.made_along(), ItemKey("project:ml"): place.ref}
    tracker.traces(place, known, list(known))
    tracker.named(place, ItemKind.ITERATION, ["Iteration 2"])
    tracker.move(place, [(ItemKey("ticket:a"), known[ItemKey("ticket:a")])], None)
    tracker.check(spec, place, [], removing=list(ItemKind))
    for kind in (ItemKind.TICKET, ItemKind.ITERATION, ItemKind.EPIC, ItemKind.LABEL, ItemKind.COLUMN, ItemKind.PROJECT):
        tracker.delete(place, kind, [(key, ref) for key, ref in known.items() if kind_of(key) is kind])


@pytest.fixture(scope="module")
def passed() -> Iterator[list[Passing]]:
    """The requests of one session with everything in it."""
    with SandboxServer() as sandbox, LosingProxy(sandbox.url) as proxy:
        settings = TrelloSettings.model_validate({"url": proxy.url, "key": KEY, "token": TOKEN, "invite": True})
        tracker = TrelloTracker(settings, TrelloClient(settings, windows={}))
        everything(tracker)
        place = tracker.create_project(ProjectSpec(uid="prj_2", key="MR", name="Records", create=True))
        [made] = tracker.create(place, [Creation(ticket("r", text="## Goal\n\n## Data\n"))])
        assert isinstance(made, Done)
        evidence(tracker, sandbox, place, made.ref)
        tracker.close()
        yield proxy.passed


def test_every_request_is_documented_and_none_is_deprecated(passed: list[Passing]) -> None:
    kinds = {(one.method, re.sub("[0-9a-f]{24}", "ID", urlsplit(one.path).path)) for one in passed}
    assert len(kinds) > 20
    assert [one.path for one in passed if operation(one).get("deprecated")] == []


def test_every_query_parameter_is_documented(passed: list[Passing]) -> None:
    for one in passed:
        assert set(parse_qs(urlsplit(one.path).query)) <= names(one) | NESTED, one.path


def test_every_part_of_a_body_is_documented(passed: list[Passing]) -> None:
    bodies = [(one, json.loads(one.body)) for one in passed if one.body not in {b"", b"{}"}]
    assert len(bodies) > 20
    for one, body in bodies:
        assert set(body) <= names(one), f"{one.method} {one.path}: {sorted(set(body) - names(one))}"


def test_no_credential_is_in_an_address_or_a_body(passed: list[Passing]) -> None:
    for one in passed:
        assert KEY not in one.path + one.body.decode()
        assert TOKEN not in one.path + one.body.decode()


def test_a_write_is_sent_once_and_followed_by_no_read(passed: list[Passing]) -> None:
    cards = [one for one in passed if one.method == "POST" and one.path == "/1/cards"]
    assert len(cards) == 2 + 1 + 2 + 1 + 1
    read = [one.path for one in passed if one.method == "GET" and re.match(r"/1/cards/[0-9a-f]{24}\?", one.path)]
    assert len(read) == 2 + 2  # what an update or a mark must keep, and a text that is filled in
