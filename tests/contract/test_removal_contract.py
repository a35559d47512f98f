"""What every tracker promises about people's traces, about removing, and about finding by name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from connectors.errors import OutcomeUnknown, TrackerError
from connectors.port import Tracker
from connectors.values import (
    Creation,
    Done,
    Item,
    ItemKey,
    ItemKind,
    Link,
    Place,
    ProjectSpec,
    RemoteRef,
    Severity,
    Traces,
)
from tests.contract.benches import Bench
from tests.contract.items import epic, iteration, ticket
from tests.contract.promises import created, needs, promise

A, B, DATA, TURN = ItemKey("ticket:a"), ItemKey("ticket:b"), ItemKey("epic:data"), ItemKey("iteration:1")
REMOVABLE = (ItemKind.EPIC, ItemKind.TICKET)


def placed(tracker: Tracker, place: Place) -> dict[ItemKey, RemoteRef]:
    """An epic with two tickets in it, and an iteration with one of them where there are iterations."""
    refs = created(tracker, place, epic("data"))
    parent = refs[DATA]
    outcomes = tracker.create(
        place, [Creation(ticket(name, text="What to do.", epic=DATA), epic=parent) for name in "ab"]
    )
    refs |= {outcome.key: outcome.ref for outcome in outcomes if isinstance(outcome, Done)}
    if place.capabilities.iterations:
        refs |= created(tracker, place, iteration(1))
        tracker.mark(place, TURN, refs[TURN])
        tracker.move(place, [(A, refs[A])], refs[TURN])
    return refs


def there(tracker: Tracker, place: Place, refs: dict[ItemKey, RemoteRef]) -> set[ItemKey]:
    """Which of these the tracker still shows."""
    return set(tracker.find(place, refs, only=list(refs)))


def new_project(bench: Bench, tracker: Tracker) -> tuple[ProjectSpec, Place]:
    spec = bench.spec(key=bench.fresh_key(), create=True)
    return spec, tracker.create_project(spec)


# --- traces ---


@promise("traces")
def test_items_that_nobody_touched_bear_no_traces(tracker: Tracker, place: Place) -> None:
    refs = placed(tracker, place)
    if place.capabilities.links:
        tracker.link(place, Link(ItemKey("link:a>b"), refs[A], refs[B]))
    seen = tracker.traces(place, refs, list(refs))
    assert {key: traces.additions for key, traces in seen.items()} == dict.fromkeys(refs, ())
    assert all(traces.edited <= {"iteration"} for traces in seen.values())


@promise("traces")
def test_what_people_left_is_said_in_words(bench: Bench, tracker: Tracker, place: Place) -> None:
    refs = placed(tracker, place)
    bench.person.comments(refs[A])
    bench.person.comments(refs[A])
    bench.person.attaches(refs[A])
    bench.person.begins(refs[B])
    bench.person.comments(refs[DATA])
    seen = tracker.traces(place, refs, [A, B, DATA])
    assert seen[A].additions == ("2 comments", "1 attachment")
    [moved] = seen[B].additions
    assert moved.startswith("moved to ")
    assert seen[DATA].additions == ("1 comment",)


@promise("traces")
def test_fields_that_were_written_after_the_creation_are_named(bench: Bench, tracker: Tracker, place: Place) -> None:
    refs = placed(tracker, place)
    bench.person.retitles(refs[A], "A better title")
    bench.person.retitles(refs[DATA], "A better name")
    tracker.update(place, ItemKind.TICKET, refs[B], ticket("b", text="Otherwise."), ["text"], None)
    seen = tracker.traces(place, refs, [A, B, DATA])
    assert {key: traces.edited - {"iteration"} for key, traces in seen.items()} == {
        A: {"title"},
        B: {"text"},
        DATA: {"title"},
    }
    assert all(traces.additions == () for traces in seen.values())


@promise("traces")
def test_tickets_of_others_are_traces_of_their_epic_and_their_iteration(
    bench: Bench, tracker: Tracker, place: Place
) -> None:
    refs = placed(tracker, place)
    bench.person.adds_a_ticket(place, epic=refs[DATA], iteration=refs.get(TURN))
    bench.person.adds_a_ticket(place)
    seen = tracker.traces(place, refs, list(refs))
    foreign = Traces(("1 ticket that is not ours",))
    assert seen[DATA] == foreign
    assert seen.get(TURN, foreign) == foreign
    assert (seen[A].additions, seen[B].additions) == ((), ())


@promise("traces")
def test_tickets_of_others_are_traces_of_the_project(bench: Bench, tracker: Tracker) -> None:
    _, place = new_project(bench, tracker)
    refs = {ItemKey("project:1"): place.ref, **placed(tracker, place)}
    assert tracker.traces(place, refs, [ItemKey("project:1")]) == {ItemKey("project:1"): Traces()}
    theirs = bench.person.adds_a_ticket(place)
    bench.person.adds_a_ticket(place)
    seen = tracker.traces(place, refs, [ItemKey("project:1")])
    assert seen == {ItemKey("project:1"): Traces(("2 tickets that are not ours",))}
    bench.person.deletes(theirs)
    seen = tracker.traces(place, refs, [ItemKey("project:1")])
    assert seen == {ItemKey("project:1"): Traces(("1 ticket that is not ours",))}


@promise("traces")
def test_what_is_gone_bears_no_traces_and_what_was_not_asked_for_is_not_told(
    bench: Bench, tracker: Tracker, place: Place
) -> None:
    refs = placed(tracker, place)
    bench.person.deletes(refs[B])
    assert set(tracker.traces(place, refs, [A, B])) == {A}
    assert tracker.traces(place, refs, []) == {}


@promise("traces")
def test_traces_of_many_items_take_few_requests_and_write_nothing(bench: Bench, tracker: Tracker, place: Place) -> None:
    count = min(place.capabilities.create_batch, 20)
    refs = created(tracker, place, *[ticket(f"n{number}") for number in range(count)])
    reads, writes = bench.requests()
    assert len(tracker.traces(place, refs, list(refs))) == count
    assert bench.requests()[1] == writes
    assert bench.requests()[0] - reads <= 5


# --- delete ---


@promise("delete", "find")
def test_items_are_removed_and_removing_them_again_is_success(bench: Bench, tracker: Tracker, place: Place) -> None:
    refs = placed(tracker, place)
    for _ in range(2):
        outcomes = tracker.delete(place, ItemKind.TICKET, [(A, refs[A])])
        assert outcomes == [Done(A, refs[A])]
        assert there(tracker, place, refs) == set(refs) - {A}
    assert tracker.find(place, {}).keys() == set(refs) - {A}
    before = bench.requests()
    assert tracker.delete(place, ItemKind.TICKET, []) == []
    assert bench.requests() == before


@promise("delete")
def test_the_tickets_of_an_epic_and_of_an_iteration_stay(tracker: Tracker, place: Place) -> None:
    refs = placed(tracker, place)
    assert tracker.delete(place, ItemKind.EPIC, [(DATA, refs[DATA])]) == [Done(DATA, refs[DATA])]
    if TURN in refs:
        assert tracker.delete(place, ItemKind.ITERATION, [(TURN, refs[TURN])]) == [Done(TURN, refs[TURN])]
        assert tracker.delete(place, ItemKind.ITERATION, [(TURN, refs[TURN])]) == [Done(TURN, refs[TURN])]
    assert there(tracker, place, refs) == {A, B}
    seen = tracker.find(place, refs, only=[A, B])
    assert [seen[key].fields.get("epic") for key in (A, B)] == [None, None]
    assert [seen[key].fields.get("iteration") for key in (A, B)] == [None, None]


@promise("delete")
def test_a_full_batch_is_removed_with_one_outcome_for_each_in_order(tracker: Tracker, place: Place) -> None:
    count = place.capabilities.create_batch
    refs = created(tracker, place, *[ticket(f"n{number}") for number in range(count)])
    outcomes = tracker.delete(place, ItemKind.TICKET, list(refs.items()))
    assert outcomes == [Done(key, ref) for key, ref in refs.items()]
    assert there(tracker, place, refs) == set()


@promise("delete")
def test_a_batch_beyond_the_limit_and_links_are_not_removed(bench: Bench, tracker: Tracker, place: Place) -> None:
    one = (A, RemoteRef("1", "X-1", ""))
    before = bench.requests()
    with pytest.raises(ValueError, match="at most"):
        tracker.delete(place, ItemKind.TICKET, [one] * (place.capabilities.create_batch + 1))
    with pytest.raises(ValueError, match="link"):
        tracker.delete(place, ItemKind.LINK, [(ItemKey("link:a>b"), one[1])])
    assert bench.requests() == before


@promise("delete")
def test_a_removal_whose_answer_was_lost_is_in_doubt_and_can_be_sent_again(
    bench: Bench, tracker: Tracker, place: Place
) -> None:
    refs = placed(tracker, place)
    both = [(A, refs[A]), (B, refs[B])]
    bench.lose_the_next_write()
    with pytest.raises(OutcomeUnknown):
        tracker.delete(place, ItemKind.TICKET, both)
    assert tracker.delete(place, ItemKind.TICKET, both) == [Done(A, refs[A]), Done(B, refs[B])]
    assert there(tracker, place, {A: refs[A], B: refs[B]}) == set()


@promise("delete", "locate")
def test_a_removed_project_is_out_of_sight_and_removing_it_again_is_success(bench: Bench, tracker: Tracker) -> None:
    spec, place = new_project(bench, tracker)
    key = ItemKey("project:1")
    for _ in range(2):
        assert tracker.delete(place, ItemKind.PROJECT, [(key, place.ref)]) == [Done(key, place.ref)]
        assert tracker.locate(spec) is None


@promise("check", "delete")
def test_check_says_what_stands_in_the_way_of_removing_and_nothing_else(
    bench: Bench, tracker: Tracker, spec: ProjectSpec, place: Place
) -> None:
    writes = bench.requests()[1]
    assert tracker.check(spec, place, (), removing=[*REMOVABLE, ItemKind.LINK, ItemKind.ITERATION]) == []
    viewer = bench.tracker("observer")
    seen = viewer.locate(spec)
    assert seen is not None
    for kind in REMOVABLE:
        found = viewer.check(spec, seen, (), removing=[kind])
        assert [finding.code for finding in found if finding.severity is Severity.ERROR] == ["permission-missing"]
    assert bench.requests()[1] == writes


# --- unlink ---


@promise("unlink", "link", "find")
def test_a_link_is_taken_back_and_taking_it_back_again_is_success(tracker: Tracker, place: Place) -> None:
    needs(place.capabilities.links, "links")
    refs = placed(tracker, place)
    there_and_back = [Link(ItemKey("link:a>b"), refs[A], refs[B]), Link(ItemKey("link:b>a"), refs[B], refs[A])]
    for link in there_and_back:
        tracker.link(place, link)
    for _ in range(2):
        tracker.unlink(place, there_and_back[0])
        seen = tracker.find(place, refs, only=[A, B])
        assert seen[A].links == seen[B].links == ((refs[B].id, refs[A].id),)
    tracker.delete(place, ItemKind.TICKET, [(B, refs[B])])
    tracker.unlink(place, there_and_back[1])


# --- made_along ---


@promise("made_along")
def test_what_was_made_along_is_told_once(bench: Bench, tracker: Tracker, place: Place) -> None:
    tracker.made_along()
    created(tracker, place, ticket("a", labels=("a-label-of-this-test",)), ticket("b"))
    before = bench.requests()
    along = tracker.made_along()
    assert bench.requests() == before
    assert all(key.startswith(("column:", "label:")) for key in along)
    assert tracker.made_along() == {}
    created(tracker, place, ticket("c", labels=("a-label-of-this-test",)))
    assert tracker.made_along() == {}


# --- named ---


@promise("named")
def test_items_are_found_by_what_people_call_them(tracker: Tracker, place: Place) -> None:
    refs = placed(tracker, place)
    for key, kind in ((A, ItemKind.TICKET), (DATA, ItemKind.EPIC)):
        ref = refs[key]
        names = [ref.key, ref.id, ref.url, "nobody-calls-it-so", ""]
        assert tracker.named(place, kind, names) == {ref.key: ref, ref.id: ref, ref.url: ref}
    assert tracker.named(place, ItemKind.EPIC, [refs[A].key]) == {}
    assert tracker.named(place, ItemKind.TICKET, [refs[DATA].key]) == {}
    assert tracker.named(place, ItemKind.TICKET, []) == {}


@promise("named")
def test_an_iteration_is_found_by_its_title_if_no_other_has_it(tracker: Tracker, place: Place) -> None:
    needs(place.capabilities.iterations, "iterations")
    titled = [
        Item(key=ItemKey(f"iteration:{number}"), kind=ItemKind.ITERATION, title=title)
        for number, title in ((71, "Spring turn"), (72, "Same turn"), (73, "Same turn"))
    ]
    refs = created(tracker, place, *titled)
    first = refs[ItemKey("iteration:71")]
    found = tracker.named(place, ItemKind.ITERATION, ["Spring turn", "Same turn", "Autumn turn", first.id])
    assert found == {"Spring turn": first, first.id: first}


@promise("named")
def test_items_of_another_project_answer_to_no_name(bench: Bench, tracker: Tracker, place: Place) -> None:
    _, other = new_project(bench, tracker)
    refs = created(tracker, other, ticket("theirs"))
    [ref] = refs.values()
    assert tracker.named(place, ItemKind.TICKET, [ref.key, ref.id, ref.url]) == {}
    assert set(tracker.named(other, ItemKind.TICKET, [ref.key])) == {ref.key}


@promise("delete", "unlink", "move")
def test_a_removal_can_be_sent_again_after_a_lost_answer(bench: Bench, tracker: Tracker, place: Place) -> None:
    refs = placed(tracker, place)
    writes: list[Callable[[], object]] = [lambda: tracker.delete(place, ItemKind.TICKET, [(B, refs[B])])]
    if place.capabilities.links:
        link = Link(ItemKey("link:a>b"), refs[A], refs[B])
        tracker.link(place, link)
        writes.insert(0, lambda: tracker.unlink(place, link))
    if place.capabilities.iterations:
        writes.append(lambda: tracker.move(place, [(A, refs[A])], None))
        writes.append(lambda: tracker.delete(place, ItemKind.ITERATION, [(TURN, refs[TURN])]))
    for write in writes:
        bench.lose_the_next_write()
        with pytest.raises(TrackerError):
            write()
        write()
    assert there(tracker, place, refs) == {A, DATA}
    assert tracker.find(place, refs, only=[A])[A].fields.get("iteration") is None
