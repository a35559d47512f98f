"""What a project, and what belongs to it, is known by: never a name, once it was found by one."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from connectors.port import Tracker
from connectors.values import UNMADE, ItemKey, ItemKind, Place, ProjectSpec
from tests.contract.benches import Bench
from tests.contract.items import iteration, ticket
from tests.contract.promises import created, needs, promise


def remembering(tracker: Tracker, place: Place) -> Place:
    """The place as it is handed in later on, from the store, by somebody who kept what was learned."""
    learned = json.loads(json.dumps(tracker.learned(place)))
    memory = {name: {**place.memory.get(name, {}), **entries} for name, entries in learned.items()}
    return replace(place, memory={**place.memory, **memory})


@promise("identify")
def test_every_spelling_of_a_project_means_the_same_one(bench: Bench, tracker: Tracker, place: Place) -> None:
    found = {tracker.identify(bench.spec(key=key)).id for key in bench.person.spellings(place)}
    assert found == {place.ref.id}
    known = tracker.identify(bench.spec(key=place.ref.key))
    assert (known.site, known.exists) == (place.site, True)


@promise("identify")
def test_another_connection_to_the_same_site_means_the_same_project(bench: Bench, place: Place) -> None:
    found = bench.tracker("viewer").identify(bench.spec(key=place.ref.key))
    assert (found.site, found.id) == (place.site, place.ref.id)


@promise("identify")
def test_a_project_that_is_to_be_made_is_the_same_wish_in_every_spelling(bench: Bench, tracker: Tracker) -> None:
    key = bench.fresh_key()
    wishes = {tracker.identify(bench.spec(key=one)).id for one in (key, key.lower(), f" {key} ")}
    assert len(wishes) == 1
    assert wishes.pop().startswith(UNMADE)
    assert tracker.identify(bench.spec(key=bench.fresh_key())).id.startswith(UNMADE)
    assert not tracker.identify(bench.spec(key=key)).exists


NO_ADDRESSES = ("http://[::1", "https://[", "//[x", "http://a:b/c", "http://]", "[", "x/[::1")


@promise("locate")
@pytest.mark.parametrize("name", NO_ADDRESSES)
def test_what_is_no_name_and_no_address_is_no_project(bench: Bench, tracker: Tracker, name: str) -> None:
    assert tracker.locate(bench.spec(key=name)) is None


@promise("named")
def test_what_is_no_name_and_no_address_is_no_ticket(bench: Bench, tracker: Tracker, place: Place) -> None:
    assert not tracker.named(place, ItemKind.TICKET, NO_ADDRESSES)


@promise("locate")
def test_a_project_is_located_by_its_id_whatever_it_is_called_now(bench: Bench, tracker: Tracker) -> None:
    spec = bench.spec(key=bench.fresh_key(), create=True)
    made = tracker.create_project(spec)
    named = replace(spec, key=bench.person.spellings(made)[0], id=made.ref.id)
    place = tracker.locate(named)
    assert place is not None
    kept = replace(named, memory=remembering(tracker, place).memory)
    refs = created(tracker, made, ticket("first"))
    new = bench.person.renames_the_project(made)
    again = bench.tracker().locate(kept)
    assert again is not None
    assert (again.ref.id, again.ref.key) == (made.ref.id, new)
    assert set(bench.tracker().find(again, refs)) == {"ticket:first"}


@promise("locate")
def test_a_new_project_of_the_old_key_is_not_taken_for_the_one_that_is_gone(bench: Bench, tracker: Tracker) -> None:
    spec = bench.spec(key=bench.fresh_key(), create=True)
    gone = tracker.create_project(spec)
    tracker.delete(gone, ItemKind.PROJECT, [(ItemKey("project:X"), gone.ref)])
    bench.person.empties_the_trash(gone)
    new = tracker.create_project(spec)
    assert tracker.locate(replace(spec, id=gone.ref.id)) is None
    assert tracker.identify(spec).id == new.ref.id != gone.ref.id


@promise("learned")
def test_what_was_learned_is_told_once_and_serves_another_tracker(bench: Bench, tracker: Tracker) -> None:
    spec: ProjectSpec = bench.spec(key=bench.fresh_key(), create=True)
    made = tracker.create_project(spec)
    place = tracker.locate(replace(spec, id=made.ref.id))
    assert place is not None
    needs(place.capabilities.iterations, "iterations")
    refs = created(tracker, place, iteration(1)) | created(tracker, place, ticket("a", labels=("x",)))
    kept = remembering(tracker, place)
    assert not any(tracker.learned(kept).values())
    found = bench.tracker().find(kept, refs)
    assert found.keys() == refs.keys()
    assert found[ItemKey("ticket:a")].fields["labels"] == ["x"]
