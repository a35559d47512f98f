"""What stands for what in a project is found once, and from then on it is what was chosen, by its id."""

from __future__ import annotations

from dataclasses import replace

from connectors.mapped import KEPT, Choice, Found, Mapped
from connectors.port import Tracker
from connectors.values import Place, ProjectSpec
from tests.contract.benches import Bench
from tests.contract.items import epic, iteration, ticket
from tests.contract.promises import created, promise


def roles(place: Place) -> dict[str, Mapped]:
    return {one.role.value: one for one in place.mapping}


def with_another(place: Place) -> tuple[Mapped, Choice]:
    """A role, and another thing than its own that could stand for it."""
    found = next(one for one in place.mapping if {each.id for each in one.candidates} - {one.id})
    other = next(each for each in found.candidates if each.id != found.id)
    return found, Choice(other.id, other.name, by="Ana")


@promise("remember")
def test_what_was_chosen_decides_and_says_who_chose(bench: Bench, tracker: Tracker, spec: ProjectSpec) -> None:
    place = tracker.locate(spec)
    assert place is not None
    before, choice = with_another(place)
    another = bench.tracker()
    another.remember({(place.site, place.ref.id): {before.role.value: choice}})
    now = another.locate(spec)
    assert now is not None
    found = roles(now)[before.role]
    assert (found.id, found.name, found.found, found.by) == (choice.id, choice.name, Found.SET, "Ana")


@promise("remember")
def test_what_was_chosen_and_is_gone_is_told_and_never_replaced(tracker: Tracker, spec: ProjectSpec) -> None:
    place = tracker.locate(spec)
    assert place is not None
    role = place.mapping[0].role
    tracker.remember({(place.site, place.ref.id): {role.value: Choice("4711", "of old")}})
    now = tracker.locate(spec)
    assert now is not None
    found = roles(now)[role]
    assert (found.found, found.id, found.name, found.blocks) == (Found.GONE, "4711", "of old", True)


@promise("remember")
def test_what_is_remembered_takes_the_place_of_what_was_and_is_about_one_site(
    tracker: Tracker, spec: ProjectSpec
) -> None:
    place = tracker.locate(spec)
    assert place is not None
    before, choice = with_another(place)
    tracker.remember({(place.site, place.ref.id): {before.role.value: choice}})
    assert tracker.locate(spec) != place
    tracker.remember({("of another site", place.ref.id): {before.role.value: choice}})
    assert tracker.locate(spec) == place


@promise("mapped")
def test_what_came_along_with_items_is_mapped_by_its_id_and_found_by_it_again(bench: Bench, tracker: Tracker) -> None:
    spec = bench.spec(key=bench.fresh_key(), create=True)
    place = tracker.create_project(spec)
    created(tracker, place, epic("data"))
    created(tracker, place, ticket("first"))
    if place.capabilities.iterations:
        created(tracker, place, iteration(1))
    found = {one.role.value: one for one in tracker.mapped(place)}
    assert found.keys() == roles(place).keys()
    kept = {role: Choice(one.id, one.name, one.found) for role, one in found.items() if one.found in KEPT and one.id}
    assert kept

    another = bench.tracker()
    another.remember({(place.site, place.ref.id): kept})
    again = another.locate(replace(spec, id=place.ref.id))

    assert again is not None
    assert {role: roles(again)[role].id for role in kept} == {role: one.id for role, one in kept.items()}
    assert {role: roles(again)[role].found for role in kept} == {role: one.found for role, one in kept.items()}
