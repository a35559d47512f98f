"""Every request that the Jira connector makes is one that the vendor documents, and none that it gives up."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from jsonschema import Draft4Validator

from connectors.errors import TrackerRefused
from connectors.port import Tracker
from connectors.records import Fill
from connectors.values import (
    Creation,
    Done,
    Item,
    ItemKey,
    ItemKind,
    Link,
    Place,
    Priority,
    RemoteRef,
)
from tests.contract.benches import Bench, opened
from tests.contract.items import epic, iteration, ticket
from tests.contract.losing_proxy import Passing

SPECS = Path(__file__).parents[2].parent / "shared" / "specs"

pytestmark = pytest.mark.skipif(
    not (SPECS / "jira-platform.json").exists(), reason="the vendor's OpenAPI documents are not beside the repository"
)


@cache
def documents() -> tuple[dict[str, Any], ...]:
    """The vendor's documents."""
    return tuple(json.loads((SPECS / name).read_text()) for name in ("jira-platform.json", "jira-software.json"))


def operation(passing: Passing) -> tuple[dict[str, Any], dict[str, Any]]:
    """The documented operation of a request, with its document; a template without parameters wins."""
    path = urlsplit(passing.path).path.replace("/rest/api/2/", "/rest/api/3/")
    matches = [
        (template.count("{"), template, document)
        for document in documents()
        for template in document["paths"]
        if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path)
        and passing.method.lower() in document["paths"][template]
    ]
    assert matches, f"{passing.method} {path} is not documented"
    _, template, document = min(matches, key=lambda match: match[0])
    found: dict[str, Any] = document["paths"][template][passing.method.lower()]
    return found, document


def everything(bench: Bench) -> None:
    """One of each call, so that each kind of request is seen."""
    tracker, spec = bench.tracker(), bench.spec()
    place = tracker.locate(spec)
    assert place is not None
    tracker.whoami()
    people = tracker.people(place, [bench.known_email, bench.left_email])
    tracker.people(None, [people[bench.known_email].id])
    since = tracker.watermark(place)
    [data] = [one for one in tracker.create(place, [Creation(epic("data"))]) if isinstance(one, Done)]
    first = ticket(
        "a", text="Text", assignee=people[bench.known_email].id, points=2, priority=Priority.HIGH, labels=("x",)
    )
    [a] = [one for one in tracker.create(place, [Creation(first, epic=data.ref)]) if isinstance(one, Done)]
    riding = ((ItemKey("link:b>a"), a.ref),) if place.capabilities.links_in_create else ()
    [b] = [one for one in tracker.create(place, [Creation(ticket("b"), links=riding)]) if isinstance(one, Done)]
    tracker.link(place, Link(ItemKey("link:b>a"), b.ref, a.ref))
    tracker.mark(place, a.key, a.ref)
    tracker.update(place, ItemKind.TICKET, a.ref, first, ["title", "text", "epic", "assignee"], None)
    known: dict[ItemKey, RemoteRef] = {data.key: data.ref, a.key: a.ref}
    items: list[Item] = [first]
    if place.capabilities.iterations:
        [turn] = [one for one in tracker.create(place, [Creation(iteration(1))]) if isinstance(one, Done)]
        tracker.mark(place, turn.key, turn.ref)
        tracker.move(place, [(a.key, a.ref)], turn.ref)
        tracker.update(place, ItemKind.ITERATION, turn.ref, iteration(1), ["title", "starts"], None)
        tracker.start_iteration(place, iteration(1), turn.ref)
        with pytest.raises(TrackerRefused):
            tracker.start_iteration(place, iteration(2), created_iteration(tracker, place)[1])
        bench.person.begins(a.ref)
        tracker.contents(place, known, {turn.key: turn.ref}, {})
        tracker.close_iteration(place, iteration(1), turn.ref)
        items.append(iteration(1))
    tracker.contents(place, known, {}, {iteration(1).key: "x"})
    recorded(bench, tracker, place, a.ref)
    tracker.survey(spec)
    tracker.find(place, known)
    tracker.recover(place, [*items, ticket("none")], since, widely=True)
    tracker.check(spec, place, items)
    project = ItemKey("project:1")
    removed(bench, tracker, place, {**known, b.key: b.ref, project: place.ref})
    created = bench.spec(key=bench.fresh_key(), create=True)
    tracker.check(created, None, items)
    made = tracker.create_project(created)
    tracker.check(created, made, (), removing=list(ItemKind))
    tracker.delete(made, ItemKind.PROJECT, [(project, made.ref)])
    tracker.check(created, None, ())


def recorded(bench: Bench, tracker: Tracker, place: Place, ref: RemoteRef) -> None:
    """One of each call that reads tickets as evidence, and that writes on people's."""
    bench.person.links(ref, "https://example.com/run", "Run")
    bench.person.writes(ref, "## Goal\n\n## Data")
    for number in range(21):
        bench.person.says(ref, f"Comment {number}")
    tracker.comment(place, ref, "The record is **due**.", [bench.person.account])
    tracker.fill(place, ref, [Fill("Goal", "Planned 12.\n\n- one\n\n| a |\n|---|\n| 1 |"), Fill("Data", "None.")])
    key = ItemKey("ticket:a")
    [found] = tracker.documents(place, {key: ref}, [key]).values()
    assert (len(found.comments), len(found.links), len(found.edits)) == (22, 1, 2)


def removed(bench: Bench, tracker: Tracker, place: Place, known: dict[ItemKey, RemoteRef]) -> None:
    """One of each call that looks for people's traces and that removes."""
    a, b, data = ItemKey("ticket:a"), ItemKey("ticket:b"), ItemKey("epic:data")
    bench.person.adds_a_ticket(place, epic=known[data])
    tracker.traces(place, known, list(known))
    tracker.named(place, ItemKind.TICKET, [known[a].key, known[b].url])
    tracker.unlink(place, Link(ItemKey("link:b>a"), known[b], known[a]))
    if place.capabilities.iterations:
        tracker.named(place, ItemKind.ITERATION, ["Iteration 1"])
        turn = created_iteration(tracker, place)
        tracker.traces(place, {**known, turn[0]: turn[1]}, [turn[0]])
        tracker.move(place, [(a, known[a])], None)
        tracker.delete(place, ItemKind.ITERATION, [turn])
    for kind, key in ((ItemKind.TICKET, a), (ItemKind.TICKET, a), (ItemKind.EPIC, data)):
        tracker.delete(place, kind, [(key, known[key])])


def created_iteration(tracker: Tracker, place: Place) -> tuple[ItemKey, RemoteRef]:
    [done] = [one for one in tracker.create(place, [Creation(iteration(2))]) if isinstance(one, Done)]
    return done.key, done.ref


@pytest.fixture(scope="module", params=["jira company-managed", "jira team-managed", "jira kanban"])
def passed(request: pytest.FixtureRequest) -> Iterator[list[Passing]]:
    """The requests of one session with everything in it."""
    with opened(request.param) as bench:
        everything(bench)
        # The cloud id is documented on a page of the vendor's support, not in its OpenAPI documents.
        yield [one for one in bench.proxy.passed if one.path != "/_edge/tenant_info"]
        while bench.used:
            bench.used.pop().close()


def test_every_request_is_documented_and_none_is_deprecated(passed: list[Passing]) -> None:
    assert len(passed) > 20
    assert [one.path for one in passed if operation(one)[0].get("deprecated")] == []


def test_every_query_parameter_is_documented(passed: list[Passing]) -> None:
    for one in passed:
        documented = {parameter["name"] for parameter in operation(one)[0].get("parameters", ())}
        assert set(parse_qs(urlsplit(one.path).query)) <= documented, one.path


def test_every_body_has_the_documented_shape(passed: list[Passing]) -> None:
    checked = 0
    for one in passed:
        if one.body:
            found, document = operation(one)
            schema = found["requestBody"]["content"]["application/json"]["schema"]
            validator = Draft4Validator({**schema, "components": document["components"]})
            assert [error.message for error in validator.iter_errors(json.loads(one.body))] == [], one.path
            checked += 1
    assert checked > 10


def test_no_request_is_repeated_by_the_library(passed: list[Passing]) -> None:
    creations = [one for one in passed if one.path.endswith("/issue/bulk")]
    assert len(creations) == 3
