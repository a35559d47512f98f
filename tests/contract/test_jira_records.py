"""How the Jira connector reads and fills records where something is in the way: beyond what every tracker promises."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from connectors.errors import CredentialsRefused, ItemRejected, NotVisible, PermissionMissing, TrackerUnavailable
from connectors.port import Tracker
from connectors.records import Document, Fill, Part
from connectors.values import Item, ItemKey, Place, RemoteRef
from tests import plain
from tests.contract.benches import Bench, opened
from tests.contract.items import ticket
from tests.contract.losing_proxy import Passing
from tests.contract.people import JiraPerson
from tests.contract.promises import created

A, B = ItemKey("ticket:a"), ItemKey("ticket:b")


@pytest.fixture(scope="module")
def running() -> Iterator[Bench]:
    with opened("jira company-managed") as bench:
        yield bench


@pytest.fixture
def person(bench: Bench) -> JiraPerson:
    assert isinstance(bench.person, JiraPerson)
    return bench.person


@pytest.fixture
def refs(tracker: Tracker, place: Place) -> dict[ItemKey, RemoteRef]:
    """Two tickets, the first with a web link and more comments than come along."""
    return created(tracker, place, ticket("a", text="Words."), ticket("b"))


@pytest.fixture
def crowded(person: JiraPerson, refs: dict[ItemKey, RemoteRef]) -> dict[ItemKey, RemoteRef]:
    """The same, the first with a web link and more comments than come along with a ticket."""
    person.links(refs[A], "https://example.com/run", "Run")
    for number in range(21):
        person.says(refs[A], f"Comment {number}")
    return refs


def answered(bench: Bench, part: str, status: int, body: dict[str, Any] | None = None) -> None:
    """From now on, requests whose path has this in it are answered so."""

    def matches(passing: Passing) -> bool:
        return part in passing.path.partition("?")[0]

    bench.proxy.orders.fake.append((matches, status, json.dumps(body or {"errorMessages": []}).encode()))


def control(person: JiraPerson, name: str, body: dict[str, Any]) -> None:
    plain.post(f"{person.url}/sandbox/{name}", json=body).raise_for_status()


@pytest.mark.parametrize("status", [500, 503, 400, 403, 404])
def test_a_part_of_one_ticket_that_fails_is_named_and_the_rest_is_told(
    bench: Bench, tracker: Tracker, place: Place, crowded: dict[ItemKey, RemoteRef], status: int
) -> None:
    whole = tracker.documents(place, crowded, [A, B])
    answered(bench, f"/issue/{crowded[A].id}/remotelink", status)
    found = tracker.documents(place, crowded, [A, B])
    assert (found[A].unread, found[A].links) == ((Part.LINKS,), ())
    assert len(found[A].comments) == 21
    assert found[B] == whole[B]
    answered(bench, f"/issue/{crowded[A].id}/comment", status)
    found = tracker.documents(place, crowded, [A, B])
    assert found[A].unread == (Part.COMMENTS, Part.LINKS)
    assert [one.text for one in found[A].comments] == [f"Comment {number}" for number in range(20)]
    assert found[A].edits == whole[A].edits
    assert found[B] == whole[B]


@pytest.mark.parametrize("path", ["/issue/bulkfetch", "/changelog/bulkfetch", "/statuses"])
def test_what_is_read_for_all_tickets_together_raises(
    bench: Bench, tracker: Tracker, place: Place, person: JiraPerson, crowded: dict[ItemKey, RemoteRef], path: str
) -> None:
    person.finishes(crowded[B])
    answered(bench, path, 500)
    with pytest.raises(TrackerUnavailable):
        tracker.documents(place, crowded, [A])


def test_a_limit_of_rates_and_a_refused_token_are_no_part_of_a_ticket(
    bench: Bench, tracker: Tracker, place: Place, crowded: dict[ItemKey, RemoteRef]
) -> None:
    answered(bench, "/remotelink", 429)
    with pytest.raises(TrackerUnavailable):
        tracker.documents(place, crowded, [A])
    bench.proxy.orders.fake.clear()
    answered(bench, "/remotelink", 401)
    with pytest.raises(CredentialsRefused):
        tracker.documents(place, crowded, [A])


def test_a_jira_that_fails_for_one_ticket_after_the_other_is_down(bench: Bench, tracker: Tracker, place: Place) -> None:
    refs = created(tracker, place, *(ticket(f"t{number}") for number in range(4)))
    answered(bench, "/remotelink", 503)
    found = tracker.documents(place, refs, list(refs)[:2])
    assert [one.unread for one in found.values()] == [(Part.LINKS,), (Part.LINKS,), (), ()]
    with pytest.raises(TrackerUnavailable):
        tracker.documents(place, refs, list(refs))


def test_without_links_on_the_whole_site_there_are_none(
    bench: Bench, tracker: Tracker, place: Place, crowded: dict[ItemKey, RemoteRef]
) -> None:
    answered(bench, "/remotelink", 403)
    off = Place(place.ref, place.capabilities, place.board_url, {**place.facts, "link_type": None})
    assert (tracker.documents(off, crowded, [A])[A].links, tracker.documents(off, crowded, [A])[A].unread) == ((), ())
    bench.proxy.orders.fake.clear()
    answered(bench, "/remotelink", 503)
    assert tracker.documents(off, crowded, [A])[A].unread == (Part.LINKS,)


def test_issues_that_jira_leaves_out_for_now_are_asked_for_again_or_raise(
    bench: Bench, tracker: Tracker, place: Place, refs: dict[ItemKey, RemoteRef]
) -> None:
    left = [{"id": ref.id, "errorMessage": "too large"} for ref in refs.values()]
    answered(bench, "/issue/bulkfetch", 200, {"issues": [], "issueErrors": left})
    with pytest.raises(TrackerUnavailable):
        tracker.documents(place, refs, [A])


def test_a_project_that_is_not_shown_any_more_raises_instead_of_looking_empty(
    tracker: Tracker, place: Place, person: JiraPerson, refs: dict[ItemKey, RemoteRef]
) -> None:
    denied = {"user": "demo@example.com", "permission": "BROWSE_PROJECTS"}
    control(person, "permissions", denied)
    try:
        with pytest.raises(NotVisible):
            tracker.documents(place, refs, [A])
    finally:
        plain.delete(f"{person.url}/sandbox/permissions").raise_for_status()


def test_a_field_that_is_hidden_is_unread_and_not_empty(
    bench: Bench, tracker: Tracker, place: Place, refs: dict[ItemKey, RemoteRef]
) -> None:
    bare = {"id": refs[A].id, "key": refs[A].key, "fields": {"summary": "A"}}
    answered(bench, "/issue/bulkfetch", 200, {"issues": [bare], "issueErrors": []})
    found = tracker.documents(place, {A: refs[A]}, [])[A]
    assert (found.text, found.comments, found.unread) == ("", (), (Part.TEXT, Part.COMMENTS))


def test_web_links_are_asked_for_only_where_there_may_be_some(
    bench: Bench, tracker: Tracker, place: Place, crowded: dict[ItemKey, RemoteRef]
) -> None:
    def asked(whole: list[ItemKey]) -> list[str]:
        before = len(bench.proxy.passed)
        tracker.documents(place, crowded, whole)
        return [one.path for one in bench.proxy.passed[before:] if "/remotelink" in one.path]

    first, second = (f"/rest/api/2/issue/{crowded[key].id}/remotelink" for key in (A, B))
    assert asked([]) == [first]
    assert asked([A]) == [first]
    assert asked([B]) == [first, second]


def test_a_web_link_is_something_that_people_left(
    tracker: Tracker, place: Place, person: JiraPerson, refs: dict[ItemKey, RemoteRef]
) -> None:
    person.links(refs[A], "https://example.com/run", "Run")
    found = tracker.traces(place, refs, [A, B])
    assert (found[A].additions, found[B].additions) == (("web links",), ())


def test_a_line_that_is_ticked_in_jiras_editor_is_a_ticked_line_of_the_text(
    tracker: Tracker, place: Place, person: JiraPerson, refs: dict[ItemKey, RemoteRef]
) -> None:
    def tasks(state: str) -> dict[str, Any]:
        item = {"type": "taskItem", "attrs": {"localId": "1", "state": state}, "content": [text("Signed off")]}
        return {"type": "taskList", "attrs": {"localId": "2"}, "content": [item]}

    put(person, refs[A], heading("Done means", 3), tasks("TODO"))
    assert tracker.documents(place, refs, [A])[A].text == "### Done means\n\n- [ ] Signed off"
    put(person, refs[A], heading("Done means", 3), tasks("DONE"))
    found = tracker.documents(place, refs, [A])[A]
    assert found.text == "### Done means\n\n- [x] Signed off"
    assert (found.edits[-1].by, found.edits[-1].digest) == (person.account, found.digest)


# --- writing ---


def adf(person: JiraPerson, ref: RemoteRef) -> list[dict[str, Any]]:
    """The top-level nodes of a ticket's text."""
    nodes: list[dict[str, Any]] = person.send("GET", f"api/3/issue/{ref.id}")["fields"]["description"]["content"]
    return nodes


def text(words: str, *marks: str) -> dict[str, Any]:
    return {"type": "text", "text": words, **({"marks": [{"type": mark} for mark in marks]} if marks else {})}


def paragraph(*content: dict[str, Any]) -> dict[str, Any]:
    return {"type": "paragraph", "content": list(content)}


def heading(words: str, level: int = 2) -> dict[str, Any]:
    return {"type": "heading", "attrs": {"level": level}, "content": [text(words)]}


PROMPT = paragraph(text("What for?"))
RICH: list[dict[str, Any]] = [
    {"type": "panel", "attrs": {"panelType": "warning"}, "content": [paragraph(text("Mind this", "strong"))]},
    paragraph(
        {"type": "mention", "attrs": {"id": "712020:1", "text": "@Somebody", "accessLevel": ""}},
        {"type": "emoji", "attrs": {"shortName": ":tada:", "text": "🎉"}},
        {"type": "date", "attrs": {"timestamp": "1795392000000"}},
        {"type": "status", "attrs": {"text": "OK", "color": "green", "localId": "1"}},
    ),
    {"type": "mediaSingle", "attrs": {"layout": "center"}, "content": [
        {"type": "media", "attrs": {"type": "file", "id": "4", "collection": "c"}}
    ]},
    {"type": "taskList", "attrs": {"localId": "t"}, "content": [
        {"type": "taskItem", "attrs": {"localId": "u", "state": "DONE"}, "content": [text("Read")]}
    ]},
]  # fmt: skip


def put(person: JiraPerson, ref: RemoteRef, *nodes: dict[str, Any]) -> None:
    document = {"type": "doc", "version": 1, "content": list(nodes)}
    person.send("PUT", f"api/3/issue/{ref.id}", json={"fields": {"description": document}})


def test_what_people_made_of_the_text_goes_back_as_it_came(
    tracker: Tracker, place: Place, person: JiraPerson, refs: dict[ItemKey, RemoteRef]
) -> None:
    put(person, refs[A], *RICH, heading("Goal"), PROMPT, heading("Data", 1), *RICH)
    filled = tracker.fill(place, refs[A], [Fill("Goal", "To **win**.", ("What for?",))])
    assert (filled.written, filled.left) == (("Goal",), ())
    ours = paragraph(text("To "), text("win", "strong"), text("."))
    assert adf(person, refs[A]) == [*RICH, heading("Goal"), ours, heading("Data", 1), *RICH]


@pytest.mark.parametrize("added", [*RICH, {"type": "rule"}, paragraph(text("struck", "strike")), heading("More", 3)])
def test_a_section_to_which_people_added_anything_is_theirs(
    tracker: Tracker, place: Place, person: JiraPerson, refs: dict[ItemKey, RemoteRef], added: dict[str, Any]
) -> None:
    put(person, refs[A], heading("Goal"), PROMPT, added)
    filled = tracker.fill(place, refs[A], [Fill("Goal", "Ours.", ("What for?",))])
    assert (filled.written, filled.left) == ((), ("Goal",))
    put(person, refs[A], heading("Goal"), added)
    assert tracker.fill(place, refs[A], [Fill("Goal", "Ours.", ("What for?",))]).left == ("Goal",)
    assert adf(person, refs[A]) == [heading("Goal"), added]


@pytest.mark.parametrize(
    "theirs",
    [
        paragraph(text("What for", "strike"), text("?")),
        paragraph({**text("What for?"), "marks": [{"type": "link", "attrs": {"href": "https://example.com/x"}}]}),
    ],
)
def test_a_prompt_that_people_struck_out_or_linked_is_theirs(
    tracker: Tracker, place: Place, person: JiraPerson, refs: dict[ItemKey, RemoteRef], theirs: dict[str, Any]
) -> None:
    put(person, refs[A], heading("Goal"), theirs)
    assert tracker.fill(place, refs[A], [Fill("Goal", "Ours.", ("What for?",))]).left == ("Goal",)
    assert adf(person, refs[A]) == [heading("Goal"), theirs]


def test_the_list_of_what_done_means_below_the_last_section_stays(
    tracker: Tracker, place: Place, person: JiraPerson
) -> None:
    item: Item = ticket("c", text="## Goal\n\nWhat for?", checklist=("Signed off by the product manager",))
    [ref] = created(tracker, place, item).values()
    before = adf(person, ref)
    assert tracker.fill(place, ref, [Fill("Goal", "Ours.", ("What for?",))]).written == ("Goal",)
    assert adf(person, ref) == [before[0], paragraph(text("Ours.")), *before[2:]]
    assert [one["type"] for one in before[2:]] == ["heading", "bulletList"]


def test_a_fill_that_jira_refuses_says_why(
    tracker: Tracker, place: Place, person: JiraPerson, refs: dict[ItemKey, RemoteRef]
) -> None:
    put(person, refs[A], heading("Goal"))
    with pytest.raises(ItemRejected) as caught:
        tracker.fill(place, refs[A], [Fill("Goal", "word " * 7000)])
    assert refs[A].key in caught.value.message
    assert "32,767" in caught.value.fix
    assert adf(person, refs[A]) == [heading("Goal")]


@pytest.mark.parametrize(
    ("permission", "name", "write"),
    [
        ("ADD_COMMENTS", "Add comments", lambda tracker, place, ref: tracker.comment(place, ref, "The record is due.")),
        ("EDIT_ISSUES", "Edit issues", lambda tracker, place, ref: tracker.fill(place, ref, [Fill("Goal", "Ours.")])),
    ],
)
def test_a_permission_that_is_missing_is_named(
    tracker: Tracker,
    place: Place,
    person: JiraPerson,
    refs: dict[ItemKey, RemoteRef],
    permission: str,
    name: str,
    write: Callable[[Tracker, Place, RemoteRef], object],
) -> None:
    put(person, refs[A], heading("Goal"))
    control(person, "permissions", {"user": "demo@example.com", "permission": permission})
    try:
        with pytest.raises(PermissionMissing) as caught:
            write(tracker, place, refs[A])
    finally:
        plain.delete(f"{person.url}/sandbox/permissions").raise_for_status()
    assert name in caught.value.message
    assert refs[A].key in caught.value.message
    assert name in caught.value.fix


def test_the_same_comment_is_found_among_many_pages(
    tracker: Tracker, place: Place, person: JiraPerson, refs: dict[ItemKey, RemoteRef]
) -> None:
    tracker.comment(place, refs[A], "The record is due.")
    for number in range(120):
        person.says(refs[A], f"Comment {number}")
    tracker.comment(place, refs[A], "The record is due.", [person.account])
    document: Document = tracker.documents(place, refs, [])[A]
    assert [one.text for one in document.comments].count("The record is due.") == 1
    assert len(document.comments) == 121
