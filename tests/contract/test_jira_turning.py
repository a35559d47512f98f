"""How the Jira connector turns iterations where people had their hands in: beyond what every tracker promises."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from connectors.errors import NotVisible, PermissionMissing, TrackerRefused
from connectors.port import Tracker
from connectors.values import (
    Content,
    Creation,
    Item,
    ItemKey,
    ItemKind,
    Place,
    ProjectSpec,
    Rejected,
    RemoteRef,
    Severity,
)
from tests import plain
from tests.contract.benches import Bench, opened
from tests.contract.items import epic, iteration, ticket
from tests.contract.people import JiraPerson
from tests.contract.promises import created

A, B, FIRST, SECOND = ItemKey("ticket:a"), ItemKey("ticket:b"), ItemKey("iteration:1"), ItemKey("iteration:2")
MANAGE = {"user": "demo@example.com", "permission": "MANAGE_SPRINTS_PERMISSION"}


@pytest.fixture(scope="module")
def running() -> Iterator[Bench]:
    with opened("jira company-managed") as bench:
        yield bench


@pytest.fixture
def person(bench: Bench) -> JiraPerson:
    assert isinstance(bench.person, JiraPerson)
    return bench.person


@pytest.fixture
def spec(bench: Bench) -> ProjectSpec:
    """A project of this test's own, so that its board has no other sprints."""
    return bench.spec(key=bench.fresh_key(), create=True)


@pytest.fixture
def place(tracker: Tracker, spec: ProjectSpec) -> Place:
    return tracker.create_project(spec)


@pytest.fixture
def refs(tracker: Tracker, place: Place) -> dict[ItemKey, RemoteRef]:
    """Two sprints, and two tickets in the first."""
    turns = created(tracker, place, iteration(1), iteration(2))
    tickets = created(tracker, place, ticket("a"), ticket("b"))
    tracker.move(place, list(tickets.items()), turns[FIRST])
    return turns | tickets


def control(person: JiraPerson, method: str, path: str, **more: Any) -> Any:
    """A word with the sandbox itself."""
    return plain.request(method, f"{person.url}/sandbox/{path}", **more).raise_for_status()


def sprint(person: JiraPerson, ref: RemoteRef, **changed: Any) -> dict[str, Any]:
    """A sprint as an administrator changes it by hand, or (without changes) sees it."""
    path = f"agile/1.0/sprint/{ref.id}"
    if changed:
        person.send("POST", path, admin=True, json=changed)
    found: dict[str, Any] = person.send("GET", path, admin=True)
    return found


def own_sprint(person: JiraPerson, place: Place, name: str) -> RemoteRef:
    """A sprint that a person made on the board."""
    dates = {"startDate": "2026-11-23T08:00:00.000Z", "endDate": "2026-12-07T08:00:00.000Z"}
    body = {"name": name, "originBoardId": place.facts["board_id"], **dates}
    return RemoteRef(str(person.send("POST", "agile/1.0/sprint", admin=True, json=body)["id"]), name, "")


def inside(tracker: Tracker, place: Place, refs: dict[ItemKey, RemoteRef], turn: ItemKey = FIRST) -> dict[str, Content]:
    """What is in an iteration, by issue key."""
    tickets = {key: ref for key, ref in refs.items() if key not in {FIRST, SECOND}}
    return {one.ref.key: one for one in tracker.contents(place, tickets, {turn: refs[turn]}, {})[turn]}


# --- begin and close ---


def test_another_active_sprint_is_named_and_once_it_is_completed_the_iteration_begins(
    tracker: Tracker, person: JiraPerson, place: Place, refs: dict[ItemKey, RemoteRef]
) -> None:
    theirs = own_sprint(person, place, "Hot fixes")
    sprint(person, theirs, state="active")
    with pytest.raises(TrackerRefused) as caught:
        tracker.start_iteration(place, iteration(1), refs[FIRST])
    assert caught.value.message == (
        'The sprint "Iteration 1" cannot be started: "Hot fixes" is active on the same board.'
    )
    assert '"Manage sprints"' in caught.value.fix
    assert place.board_url in caught.value.fix
    assert [sprint(person, one)["state"] for one in (theirs, refs[FIRST])] == ["active", "future"]
    sprint(person, theirs, state="closed")
    tracker.start_iteration(place, iteration(1), refs[FIRST])
    assert sprint(person, refs[FIRST])["state"] == "active"


def test_a_sprint_that_a_person_started_keeps_their_dates(
    tracker: Tracker, person: JiraPerson, place: Place, refs: dict[ItemKey, RemoteRef]
) -> None:
    by_hand = sprint(person, refs[FIRST], state="active", endDate="2026-12-24T17:00:00.000Z")
    tracker.start_iteration(place, iteration(1), refs[FIRST])
    assert sprint(person, refs[FIRST]) == by_hand


def test_a_sprint_that_a_person_completed_is_closed_and_still_tells_what_they_left(
    tracker: Tracker, person: JiraPerson, place: Place, refs: dict[ItemKey, RemoteRef]
) -> None:
    sprint(person, refs[FIRST], state="active")
    person.finishes(refs[A])
    sprint(person, refs[FIRST], state="closed")
    tracker.close_iteration(place, iteration(1), refs[FIRST])
    assert {one.key: one.status for one in inside(tracker, place, refs).values()} == {A: "done", B: "todo"}
    tracker.move(place, [(B, refs[B])], refs[SECOND])
    assert [one.key for one in inside(tracker, place, refs).values()] == [A]
    assert [one.key for one in inside(tracker, place, refs, SECOND).values()] == [B]


def test_without_the_permission_neither_start_nor_completion_happens_and_it_is_named(
    tracker: Tracker, person: JiraPerson, place: Place, refs: dict[ItemKey, RemoteRef], spec: ProjectSpec
) -> None:
    tracker.start_iteration(place, iteration(1), refs[FIRST])
    control(person, "POST", "permissions", json=MANAGE)
    try:
        for call, turn, done in (
            (tracker.start_iteration, iteration(2), "started"),
            (tracker.close_iteration, iteration(1), "completed"),
        ):
            with pytest.raises(PermissionMissing) as caught:
                call(place, turn, refs[turn.key])
            assert f'"{turn.title}" could not be {done}' in caught.value.message
            assert f'"Manage sprints" permission in project {spec.key}' in caught.value.message
            assert "administrator" in caught.value.fix
        beforehand = tracker.check(spec, place, [iteration(2)])
        assert [(one.severity, one.subject) for one in beforehand] == [(Severity.ERROR, "MANAGE_SPRINTS_PERMISSION")]
    finally:
        control(person, "DELETE", "permissions")
    tracker.close_iteration(place, iteration(1), refs[FIRST])
    tracker.start_iteration(place, iteration(2), refs[SECOND])
    assert [sprint(person, refs[one])["state"] for one in (FIRST, SECOND)] == ["closed", "active"]


def test_carrying_peoples_own_tickets_takes_the_permission_to_schedule_them_and_none_to_assign(
    tracker: Tracker, person: JiraPerson, place: Place, spec: ProjectSpec
) -> None:
    guest = Item(key=ItemKey("guest:1"), kind=ItemKind.GUEST, title="x" * 300, assignee="somebody")
    assert tracker.check(spec, place, [guest]) == []
    for permission in ("SCHEDULE_ISSUES", "ASSIGN_ISSUES"):
        control(person, "POST", "permissions", json={"user": "demo@example.com", "permission": permission})
    try:
        assert [one.subject for one in tracker.check(spec, place, [guest])] == ["SCHEDULE_ISSUES"]
        placed = ticket("a", iteration=FIRST)
        assert [one.subject for one in tracker.check(spec, place, [placed])] == ["SCHEDULE_ISSUES"]
        assert tracker.check(spec, place, [ticket("a")]) == []
    finally:
        control(person, "DELETE", "permissions")


def test_what_jira_has_against_a_start_is_told_in_its_words(
    tracker: Tracker, person: JiraPerson, place: Place, refs: dict[ItemKey, RemoteRef]
) -> None:
    backwards = replace(iteration(1), ends=iteration(1).starts)
    sprint(person, refs[FIRST], startDate=None, endDate=None)
    with pytest.raises(TrackerRefused, match="end date of a sprint must be after") as caught:
        tracker.start_iteration(place, backwards, refs[FIRST])
    assert "Iteration 1" in caught.value.message
    assert caught.value.status == 400
    assert sprint(person, refs[FIRST])["state"] == "future"


def test_a_sprint_keeps_the_dates_that_people_gave_it_when_it_is_started(
    tracker: Tracker, person: JiraPerson, place: Place, refs: dict[ItemKey, RemoteRef]
) -> None:
    theirs = sprint(person, refs[FIRST], endDate="2027-11-19T17:00:00.000+01:00")["endDate"]

    tracker.start_iteration(place, iteration(1), refs[FIRST])

    assert (sprint(person, refs[FIRST])["state"], sprint(person, refs[FIRST])["endDate"]) == ("active", theirs)


def test_tickets_for_a_sprint_that_takes_none_are_refused_with_few_calls(
    bench: Bench, tracker: Tracker, person: JiraPerson, place: Place, refs: dict[ItemKey, RemoteRef]
) -> None:
    tracker.start_iteration(place, iteration(1), refs[FIRST])
    tracker.close_iteration(place, iteration(1), refs[FIRST])
    tickets = created(tracker, place, *(ticket(f"more-{number}") for number in range(20)))
    before = sum(bench.requests())

    outcomes = tracker.move(place, list(tickets.items()), refs[FIRST])

    assert {type(outcome) for outcome in outcomes} == {Rejected}
    assert sum(bench.requests()) - before <= 5


def test_beginning_and_closing_take_a_read_and_a_write_each_and_nothing_is_written_again(
    bench: Bench, tracker: Tracker, place: Place, refs: dict[ItemKey, RemoteRef]
) -> None:
    for call in (tracker.start_iteration, tracker.close_iteration):
        before = bench.requests()
        call(place, iteration(1), refs[FIRST])
        assert bench.requests() == (before[0] + 1, before[1] + 1)
        call(place, iteration(1), refs[FIRST])
        assert bench.requests() == (before[0] + 2, before[1] + 1)


def test_a_sprint_that_may_not_be_seen_is_not_taken_for_closed(
    bench: Bench, person: JiraPerson, place: Place, refs: dict[ItemKey, RemoteRef]
) -> None:
    member = bench.tracker("member")
    denied = {"user": "member@example.com", "permission": "BROWSE_PROJECTS"}
    control(person, "POST", "permissions", json=denied)
    try:
        with pytest.raises(NotVisible, match="Iteration 1"):
            member.close_iteration(place, iteration(1), refs[FIRST])
        with pytest.raises(NotVisible):
            member.contents(place, {A: refs[A]}, {FIRST: refs[FIRST]}, {})
    finally:
        control(person, "DELETE", "permissions")


# --- contents ---


def test_epics_and_sub_tasks_are_no_contents(
    tracker: Tracker, person: JiraPerson, place: Place, refs: dict[ItemKey, RemoteRef]
) -> None:
    data = created(tracker, place, epic("data"))
    names = {"issues": [data[ItemKey("epic:data")].key]}
    person.send("POST", f"agile/1.0/sprint/{refs[FIRST].id}/issue", admin=True, json=names)
    kinds = person.send("GET", f"api/2/issue/createmeta/{place.ref.key}/issuetypes", admin=True)["issueTypes"]
    part = {
        "project": {"id": place.ref.id},
        "issuetype": {"id": next(one["id"] for one in kinds if one["subtask"])},
        "summary": "A part of it",
        "parent": {"id": refs[A].id},
    }
    person.send("POST", "api/2/issue", admin=True, json={"fields": part})
    assert [one.key for one in inside(tracker, place, refs | data).values()] == [A, B]


def test_a_ticket_of_another_project_in_the_sprint_is_there_too(
    bench: Bench, tracker: Tracker, person: JiraPerson, place: Place, refs: dict[ItemKey, RemoteRef]
) -> None:
    elsewhere = tracker.locate(bench.spec())
    assert elsewhere is not None
    theirs = person.adds_a_ticket(elsewhere, iteration=refs[FIRST])
    person.begins(theirs)
    found = inside(tracker, place, refs)[theirs.key]
    assert (found.key, found.status) == (None, "doing")
    assert found.started_at is not None


def test_a_copy_that_bears_our_marker_is_peoples_own(
    tracker: Tracker, person: JiraPerson, place: Place, refs: dict[ItemKey, RemoteRef]
) -> None:
    copy = person.adds_a_ticket(place, iteration=refs[FIRST])
    tracker.mark(place, A, copy)
    assert {one.ref.id: one.key for one in inside(tracker, place, refs).values()} == {
        refs[A].id: A,
        refs[B].id: B,
        copy.id: None,
    }
    unknown = {key: ref for key, ref in refs.items() if key != A}
    assert inside(tracker, place, unknown)[refs[A].key].key == A
    assert inside(tracker, place, unknown)[copy.key].key is None


def test_a_ticket_that_left_counts_no_more_whatever_the_index_says(
    bench: Bench, tracker: Tracker, person: JiraPerson, place: Place, refs: dict[ItemKey, RemoteRef]
) -> None:
    theirs = person.adds_a_ticket(place, iteration=refs[SECOND])
    stale = f'{{"issues": [{{"id": "{theirs.id}", "key": "{theirs.key}"}}], "isLast": true}}'.encode()
    bench.proxy.orders.fake.append((lambda passing: "/search/jql" in passing.path, 200, stale))
    assert set(inside(tracker, place, refs)) == {refs[A].key, refs[B].key}


def test_what_jira_tells_of_times_goes_through_more_changes_than_an_issue_shows_at_once(
    tracker: Tracker, person: JiraPerson, place: Place, refs: dict[ItemKey, RemoteRef]
) -> None:
    person.begins(refs[A])
    first = inside(tracker, place, refs)[refs[A].key].started_at
    for number in range(45):
        person.retitles(refs[A], f"Title {number}")
    person.finishes(refs[A])
    person.begins(refs[A])
    person.finishes(refs[A])
    found = inside(tracker, place, refs)[refs[A].key]
    assert first is not None
    assert found.started_at == first
    shown = person.send("GET", f"api/2/issue/{refs[A].id}?fields=resolutiondate")["fields"]["resolutiondate"]
    assert found.done_at is not None
    assert found.done_at.isoformat(timespec="milliseconds") == shown.replace("+0000", "+00:00")


def test_an_iteration_nobody_asks_about_costs_nothing(bench: Bench, tracker: Tracker, place: Place) -> None:
    before = bench.requests()
    assert tracker.contents(place, {}, {}, {}) == {}
    assert bench.requests() == before


def test_a_guest_is_neither_marked_nor_written_nor_created(bench: Bench, tracker: Tracker, place: Place) -> None:
    guest = Item(key=ItemKey("guest:10001"), kind=ItemKind.GUEST, title="My own ticket")
    ref, before = RemoteRef("10001", "ML-1", ""), bench.requests()
    with pytest.raises(ValueError, match="never marked"):
        tracker.mark(place, guest.key, ref)
    with pytest.raises(ValueError, match="only the labels"):
        tracker.update(place, ItemKind.GUEST, ref, guest, ["title", "labels"], None)
    with pytest.raises(ValueError, match="items of one kind"):
        tracker.create(place, [Creation(guest)])
    with pytest.raises(ValueError, match="cannot be removed"):
        tracker.delete(place, ItemKind.GUEST, [(guest.key, ref)])
    assert bench.requests() == before
