"""What every tracker promises about a project as a whole, ours or not: read as it is found, and nothing written."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from itertools import count

import pytest

from connectors.errors import CredentialsRefused, TrackerUnavailable
from connectors.port import Tracker
from connectors.records import Document, Survey
from connectors.values import Creation, Done, Item, ItemKey, Place, ProjectSpec, RemoteRef
from tests.contract.benches import Bench
from tests.contract.items import epic, iteration, ticket
from tests.contract.promises import created, needs, promise

_numbers = count(1)


def foreign(key: str) -> ProjectSpec:
    """A project that phaseloop knows nothing of."""
    return ProjectSpec(uid="", key=key, name=key)


@pytest.fixture
def place(bench: Bench, tracker: Tracker) -> Place:
    """A project of the test's own."""
    key = f"SVY{next(_numbers)}"
    return tracker.create_project(bench.spec(key=key, create=True))


def surveyed(bench: Bench, place: Place, key: str = "", *, by: str = "owner") -> Survey:
    """The project as a tracker finds it that was never there before."""
    found = bench.tracker(by).survey(foreign(key or place.ref.key))
    assert found is not None
    return found


def laid(tracker: Tracker, place: Place, item: Item, turn: RemoteRef | None) -> RemoteRef:
    """A ticket in an iteration."""
    at_once = turn if place.capabilities.places_in_create else None
    [outcome] = tracker.create(place, [Creation(item, iteration=at_once)])
    assert isinstance(outcome, Done)
    if turn is not None and at_once is None:
        assert isinstance(tracker.move(place, [(item.key, outcome.ref)], turn)[0], Done)
    return outcome.ref


def titles(documents: Collection[Document]) -> list[str]:
    return sorted(one.title for one in documents)


def everything(survey: Survey) -> list[Document]:
    return [*(one for each in survey.iterations for one in each.documents), *survey.loose]


@promise("survey")
def test_a_project_comes_with_its_iterations_oldest_first_and_the_tickets_in_them(
    bench: Bench, tracker: Tracker, place: Place
) -> None:
    needs(place.capabilities.iterations, "iterations")
    turns = {number: created(tracker, place, iteration(number))[ItemKey(f"iteration:{number}")] for number in (2, 1)}
    created(tracker, place, epic("data"))
    record = laid(tracker, place, ticket("record", "Record of iteration 1", text="## Goal\n\nBetter than B."), turns[1])
    laid(tracker, place, ticket("a"), turns[1])
    laid(tracker, place, ticket("b"), turns[2])
    laid(tracker, place, ticket("later"), None)
    tracker.start_iteration(place, iteration(1), turns[1])
    tracker.comment(place, record, "Please sign.")
    found = surveyed(bench, place)
    assert [(one.title, one.status) for one in found.iterations] == [
        ("Iteration 1", "active"),
        ("Iteration 2", "future"),
    ]
    assert [one.ref.id for one in found.iterations] == [turns[1].id, turns[2].id]
    first, second = found.iterations
    assert (first.starts, first.ends) == (iteration(1).starts, iteration(1).ends)
    assert titles(first.documents) == ["Record of iteration 1", "Ticket a"]
    assert titles(second.documents) == ["Ticket b"]
    assert titles(found.loose) == ["Ticket later"]
    [told] = [one for one in first.documents if one.ref == record]
    assert told.text == "## Goal\n\nBetter than B."
    assert [one.text for one in told.comments] == ["Please sign."]
    assert told.unread == ()


@promise("survey")
def test_an_iteration_that_was_closed_is_told_with_what_was_done_in_it(
    bench: Bench, tracker: Tracker, place: Place
) -> None:
    needs(place.capabilities.iterations, "iterations")
    [turn] = created(tracker, place, iteration(1)).values()
    ref = laid(tracker, place, ticket("a"), turn)
    tracker.start_iteration(place, iteration(1), turn)
    bench.person.joins(place)
    bench.person.finishes(ref)
    tracker.close_iteration(place, iteration(1), turn)
    [told] = surveyed(bench, place).iterations
    assert (told.title, told.status) == ("Iteration 1", "closed")
    [done] = told.documents
    assert (done.ref, done.status) == (ref, "done")
    assert [one.status for one in done.steps] == ["done"]


@promise("survey")
def test_every_ticket_is_told_once_and_as_it_is_read_alone(bench: Bench, tracker: Tracker, place: Place) -> None:
    known = created(tracker, place, *(ticket(name, text=f"Text of {name}.") for name in "abc"))
    known |= created(tracker, place, epic("data"))
    alone = tracker.documents(place, known, list(known))
    told = everything(surveyed(bench, place))
    assert {one.ref.id: replace(one, key=None) for one in told} == {
        one.ref.id: replace(one, key=None) for one in alone.values()
    }
    assert len(told) == 3


@promise("survey")
def test_a_project_without_anything_has_no_iterations(bench: Bench, place: Place) -> None:
    found = surveyed(bench, place)
    assert (found.iterations, found.loose) == ((), ())
    assert found.ref.id == place.ref.id
    assert found.title
    assert found.ref.url.startswith("http")


@promise("survey")
def test_a_project_is_meant_by_its_key_or_by_its_address(bench: Bench, tracker: Tracker, place: Place) -> None:
    created(tracker, place, ticket("a"))
    for name in (place.ref.url, f"{place.ref.url}/", f"  {place.ref.key} "):
        assert titles(everything(surveyed(bench, place, name))) == ["Ticket a"]


@promise("survey")
def test_what_this_account_cannot_see_is_none(bench: Bench, tracker: Tracker) -> None:
    assert tracker.survey(foreign("NOSUCH")) is None
    assert tracker.survey(foreign("https://nowhere.example.com/b/Nowhere1/nothing")) is None


@promise("survey")
def test_who_may_only_look_sees_the_same_and_nothing_is_written(bench: Bench, tracker: Tracker, place: Place) -> None:
    created(tracker, place, ticket("a", text="Text."), ticket("b"))
    writes = bench.requests()[1]
    assert surveyed(bench, place, by="viewer") == surveyed(bench, place)
    assert bench.requests()[1] == writes


@promise("survey")
def test_who_is_not_let_in_is_told_so(bench: Bench, place: Place) -> None:
    with pytest.raises(CredentialsRefused):
        bench.tracker("stranger").survey(foreign(place.ref.key))


@promise("survey")
def test_a_tracker_that_is_down_raises_and_finds_nothing_absent(bench: Bench, place: Place) -> None:
    bench.proxy.orders.fake.append((lambda _passing: True, 503, b'{"message": "down"}'))
    with pytest.raises(TrackerUnavailable):
        bench.tracker().survey(foreign(place.ref.key))


@promise("survey")
def test_many_tickets_take_few_requests(bench: Bench, tracker: Tracker, place: Place) -> None:
    def reads() -> int:
        before = bench.requests()[0]
        surveyed(bench, place)
        return bench.requests()[0] - before

    created(tracker, place, ticket("first"))
    few = reads()
    for start in range(0, 120, 40):
        created(tracker, place, *(ticket(f"many-{start + step}", text="Words.") for step in range(40)))
    assert reads() <= few + 4
    assert len(everything(surveyed(bench, place))) == 121
