"""What people changed or deleted stays so, until a person asks for it to be restored."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectors.values import Item, ItemKey, ItemKind, ObservedItem, RemoteRef
from service.domain.plan.diff import NOTHING, Restore, adoptions, diff, lost, without_lost
from service.domain.plan.plan import Action, Change, Drift, Reason, Recorded

EPIC = Item(ItemKey("epic:data"), ItemKind.EPIC, "Data", labels=("phase:one",))
OTHER_EPIC = Item(ItemKey("epic:model"), ItemKind.EPIC, "Model")
TURN = Item(ItemKey("iteration:1"), ItemKind.ITERATION, "One")
GOALS = Item(
    ItemKey("ticket:goals"), ItemKind.TICKET, "Set goals", labels=("role:pm",), epic=EPIC.key, iteration=TURN.key
)
LOAD = Item(
    ItemKey("ticket:load"), ItemKind.TICKET, "Load", assignee="ml-1", points=3.0, epic=EPIC.key, iteration=TURN.key
)
TRAIN = Item(ItemKey("ticket:train"), ItemKind.TICKET, "Train", epic=OTHER_EPIC.key)
LOAD_NEEDS = Item(ItemKey("link:load>goals"), ItemKind.LINK, "load > goals", source=LOAD.key, target=GOALS.key)
TRAIN_NEEDS = Item(ItemKey("link:train>load"), ItemKind.LINK, "train > load", source=TRAIN.key, target=LOAD.key)
ALL = [EPIC, OTHER_EPIC, TURN, GOALS, LOAD, TRAIN, LOAD_NEEDS, TRAIN_NEEDS]


@dataclass
class World:
    """A tracker and our records of it, small enough to reason about."""

    recorded: dict[ItemKey, Recorded]
    observed: dict[ItemKey, ObservedItem]
    made: int = 0

    @classmethod
    def built(cls, items: list[Item]) -> World:
        """A world in which these items were built and nobody was since."""
        world = cls({}, {})
        changes, _drift = diff(items, {}, {})
        world.apply(items, changes)
        return world

    def plan(self, items: list[Item], restore: Restore = NOTHING) -> tuple[list[Item], list[Change], list[Drift]]:
        fitted = without_lost(items, self.recorded, self.observed, restore)
        changes, drift = diff(fitted, self.recorded, self.observed, {}, restore)
        return fitted, changes, drift

    def apply(self, items: list[Item], changes: list[Change]) -> None:
        """Do what a run does."""
        wanted = {item.key: item for item in items}
        for change in changes:
            if change.action is Action.FORGET:
                del self.recorded[change.key]
            elif change.action in (Action.CREATE, Action.UPDATE) and change.kind is not ItemKind.LINK:
                self._write(wanted[change.key], change)
        for change in changes:
            if change.action is Action.CREATE and change.kind is ItemKind.LINK:
                self._link(wanted[change.key])

    def _write(self, item: Item, change: Change) -> None:
        after, ours = dict(change.after or {}), item.fields()
        if change.action is Action.CREATE:
            self.made += 1
            ref = RemoteRef(f"{self.made}", f"ML-{self.made}", "")
            self.observed[item.key] = ObservedItem(item.key, item.kind, ref, after)
            self.recorded[item.key] = Recorded(item.key, item.kind, ref, ours, after)
            return
        old, now = self.recorded[item.key], self.observed[item.key]
        self.observed[item.key] = replace(now, fields={**now.fields, **after})
        written = {name: ours[name] for name in after}
        seen = {**(old.seen or {}), **after}
        self.recorded[item.key] = replace(old, wanted={**old.wanted, **written}, seen=seen)

    def _link(self, item: Item) -> None:
        assert item.source is not None
        assert item.target is not None
        source, target = self.observed[item.source], self.observed[item.target]
        pair = (source.ref.id, target.ref.id)
        self.observed[item.source] = replace(source, links=(*source.links, pair))
        ref = RemoteRef(">".join(pair), "", "")
        self.recorded[item.key] = Recorded(item.key, item.kind, ref, item.fields())

    def edit(self, key: ItemKey, **fields: Any) -> None:
        """A person changes fields."""
        now = self.observed[key]
        self.observed[key] = replace(now, fields={**now.fields, **fields})

    def delete(self, key: ItemKey) -> None:
        """A person deletes an item: what was in it is in none, what was linked to it is not any more."""
        gone = self.observed.pop(key)
        for other, now in self.observed.items():
            homes = {name: None for name in ("epic", "iteration") if now.fields.get(name) == key}
            links = tuple(pair for pair in now.links if gone.ref.id not in pair)
            self.observed[other] = replace(now, fields={**now.fields, **homes}, links=links)


def writing(changes: list[Change]) -> dict[str, tuple[Action, Reason]]:
    return {change.key: (change.action, change.reason) for change in changes if change.action is not Action.KEEP}


def test_a_field_is_restored_to_what_is_planned_and_no_other() -> None:
    world = World.built(ALL)
    world.edit(LOAD.key, title="Theirs", assignee="somebody")
    world.edit(GOALS.key, title="Theirs too")

    _items, [change], drift = _only_writing(world.plan(ALL, Restore(frozenset({LOAD.key}))))

    assert (change.action, change.reason, set(change.changed)) == (
        Action.UPDATE,
        Reason.RESTORED,
        {"title", "assignee"},
    )
    assert change.before == {"title": "Theirs", "assignee": "somebody"}
    assert [entry.key for entry in drift] == [GOALS.key]


def _only_writing(plan: tuple[list[Item], list[Change], list[Drift]]) -> tuple[list[Item], list[Change], list[Drift]]:
    items, changes, drift = plan
    return items, [change for change in changes if change.action is not Action.KEEP], drift


def test_what_people_write_into_a_record_is_no_drift_and_never_written_over() -> None:
    record = Item(ItemKey("record:1"), ItemKind.TICKET, "Document it", text="## Goal", iteration=TURN.key)
    world = World.built([TURN, record])
    world.edit(record.key, text="## Goal\n\nWe found out.", title="Theirs")
    newer = replace(record, text="## Goal and measure")

    for restore in (NOTHING, Restore(frozenset({record.key}))):
        _items, changes, drift = world.plan([TURN, newer], restore)
        assert "text" not in {entry.field for entry in drift}
        assert not any("text" in change.changed for change in changes)

    _items, [change], _drift = _only_writing(world.plan([TURN, record], Restore(frozenset({record.key}))))
    assert change.changed == ("title",)


def test_name_and_dates_of_an_iteration_that_people_began_are_not_restored() -> None:
    world = World.built(ALL)
    world.edit(TURN.key, title="Theirs")
    world.observed[TURN.key] = replace(world.observed[TURN.key], status="active")

    _items, changes, drift = _only_writing(world.plan(ALL, Restore(frozenset({TURN.key}))))

    assert changes == []
    assert [(entry.key, entry.field) for entry in drift] == [(TURN.key, "title")]


def test_labels_that_people_added_stay_when_ours_are_restored() -> None:
    world = World.built(ALL)
    world.edit(GOALS.key, labels=["urgent"])

    _items, [change], _drift = _only_writing(world.plan(ALL, Restore(frozenset({GOALS.key}))))

    assert change.after == {"labels": ["role:pm", "urgent"]}


def test_labels_that_people_added_stay_when_the_template_changes_ours() -> None:
    world = World.built(ALL)
    world.edit(GOALS.key, labels=["role:pm", "urgent"])
    wanted = [replace(item, labels=("role:lead",)) if item is GOALS else item for item in ALL]

    _items, [change], _drift = _only_writing(world.plan(wanted))

    assert change.after == {"labels": ["role:lead", "urgent"]}


def test_a_deleted_ticket_comes_back_with_its_links() -> None:
    world = World.built(ALL)
    world.delete(LOAD.key)

    _items, changes, drift = world.plan(ALL, Restore(deleted=True))

    assert writing(changes) == dict.fromkeys(
        (LOAD.key, LOAD_NEEDS.key, TRAIN_NEEDS.key), (Action.CREATE, Reason.RESTORED)
    )
    assert drift == []


def test_a_link_is_restored_with_either_of_its_tickets_or_by_its_own_key() -> None:
    world = World.built(ALL)
    world.observed[LOAD.key] = replace(world.observed[LOAD.key], links=())

    for key in (LOAD.key, GOALS.key, LOAD_NEEDS.key):
        _items, changes, drift = world.plan(ALL, Restore(frozenset({key})))
        assert writing(changes) == {LOAD_NEEDS.key: (Action.CREATE, Reason.RESTORED)}
        assert drift == []


def test_the_tickets_of_a_deleted_epic_come_back_with_it_unless_people_put_them_elsewhere() -> None:
    world = World.built(ALL)
    world.delete(EPIC.key)
    world.edit(GOALS.key, epic=OTHER_EPIC.key)

    _items, changes, drift = world.plan(ALL, Restore(frozenset({EPIC.key})))

    assert writing(changes) == {
        EPIC.key: (Action.CREATE, Reason.RESTORED),
        LOAD.key: (Action.UPDATE, Reason.RESTORED),
    }
    assert [(entry.key, entry.field) for entry in drift] == [(GOALS.key, "epic")]


def test_nothing_new_is_put_into_or_linked_to_what_people_deleted() -> None:
    world = World.built(ALL)
    world.delete(EPIC.key)
    world.delete(TURN.key)
    world.delete(LOAD.key)
    new = Item(ItemKey("ticket:new"), ItemKind.TICKET, "New", epic=EPIC.key, iteration=TURN.key)
    needs = Item(ItemKey("link:new>load"), ItemKind.LINK, "new > load", source=new.key, target=LOAD.key)

    items, [change], _drift = _only_writing(world.plan([*ALL, new, needs]))

    assert (change.key, change.action) == (new.key, Action.CREATE)
    assert change.after is not None
    assert (change.after["epic"], change.after["iteration"]) == (None, None)
    assert next(item for item in items if item.key == new.key).epic is None
    assert lost(world.recorded, world.observed) == {EPIC.key, TURN.key, LOAD.key}


def test_a_ticket_is_not_restored_into_what_stays_deleted() -> None:
    world = World.built(ALL)
    world.delete(EPIC.key)

    _items, changes, drift = world.plan(ALL, Restore(frozenset({LOAD.key})))

    assert writing(changes) == {}
    assert (LOAD.key, "epic") in {(entry.key, entry.field) for entry in drift}


def test_what_a_person_gave_to_us_keeps_its_own_words_even_if_the_template_changes() -> None:
    world = World.built(ALL)
    theirs = ObservedItem(LOAD.key, LOAD.kind, RemoteRef("77", "ML-77", ""), {**LOAD.fields(), "title": "Our loading"})
    [adoption] = adoptions(ALL, {LOAD.key: theirs})
    assert (adoption.action, adoption.reason, adoption.changed) == (Action.ADOPT, Reason.GIVEN, ())
    world.recorded[LOAD.key] = Recorded(LOAD.key, LOAD.kind, theirs.ref, LOAD.fields(), theirs.fields, given=True)
    world.observed[LOAD.key] = theirs

    tickets = [replace(item, title="Load it all", points=5.0) if item is LOAD else item for item in ALL]
    _items, changes, drift = world.plan(tickets)

    assert [(change.key, change.changed) for change in changes if change.writes] == [(LOAD.key, ("points",))]
    assert LOAD.key not in {entry.key for entry in drift}


FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "title": st.sampled_from(["Theirs", "Load"]),
    "assignee": st.sampled_from([None, "somebody"]),
    "points": st.sampled_from([None, 8.0]),
    "labels": st.sampled_from([[], ["urgent"], ["role:pm", "urgent"]]),
    "epic": st.sampled_from([None, OTHER_EPIC.key]),
    "iteration": st.none(),
}
TICKETS = (GOALS, LOAD, TRAIN)


@st.composite
def touched(draw: st.DrawFn) -> World:
    """A world in which people changed and deleted something."""
    world = World.built(ALL)
    for ticket in TICKETS:
        names = draw(st.sets(st.sampled_from(sorted(FIELDS)), max_size=3))
        world.edit(ticket.key, **{name: draw(FIELDS[name]) for name in sorted(names)})
    for key in draw(st.sets(st.sampled_from([EPIC.key, TURN.key, *(ticket.key for ticket in TICKETS)]), max_size=3)):
        world.delete(key)
    return world


@st.composite
def other_templates(draw: st.DrawFn) -> list[Item]:
    """The items of a later version of the template."""
    kept = draw(st.sets(st.sampled_from([ticket.key for ticket in TICKETS])))
    return [
        replace(
            item,
            title=draw(st.sampled_from([item.title, "Newer"])),
            labels=draw(st.sampled_from([item.labels, ("role:other",)])),
            epic=draw(st.sampled_from([item.epic, OTHER_EPIC.key])),
        )
        if item.key in kept
        else item
        for item in ALL
    ]


restores = st.builds(Restore, st.frozensets(st.sampled_from([item.key for item in ALL])), st.booleans())


@given(touched(), other_templates())
def test_no_field_that_people_changed_is_ever_in_a_change(world: World, items: list[Item]) -> None:
    _items, changes, drift = world.plan(items)

    theirs = {(entry.key, entry.field) for entry in drift}
    assert not {(change.key, name) for change in changes for name in change.changed} & theirs
    assert not {change.key for change in changes if change.action is Action.CREATE} & {
        key for key, field in theirs if field is None
    }


@given(touched(), other_templates(), restores)
def test_applying_twice_gives_nothing_the_second_time_and_the_same_drift(
    world: World, items: list[Item], restore: Restore
) -> None:
    fitted, changes, drift = world.plan(items, restore)
    world.apply(fitted, changes)

    _fitted, again, after = world.plan(items)

    assert writing(again) == {}
    assert {(entry.key, entry.field) for entry in after} == {(entry.key, entry.field) for entry in drift}


@given(touched(), restores)
def test_what_is_restored_is_as_planned_and_everything_else_as_people_left_it(world: World, restore: Restore) -> None:
    before = dict(world.observed)
    away = lost(world.recorded, world.observed, restore)
    fitted, changes, _drift = world.plan(ALL, restore)
    world.apply(fitted, changes)

    for ticket in TICKETS:
        if ticket.key in restore.keys and not {ticket.epic, ticket.iteration} & away:
            shown = world.observed[ticket.key].fields
            assert {**shown, "labels": None} == {**ticket.fields(), "labels": None}
            assert set(ticket.labels) <= set(shown["labels"])
        elif ticket.key in before and ticket.key not in restore.keys:
            was, now = before[ticket.key].fields, world.observed[ticket.key].fields
            changed = {name for name in now if now[name] != was[name]}
            assert all(was[name] is None and now[name] not in away for name in changed)
            assert changed <= {"epic", "iteration"}


def test_a_dependency_that_left_the_template_is_called_by_the_titles_of_its_tickets() -> None:
    world = World.built(ALL)

    _, changes, _ = world.plan([one for one in ALL if one.key not in (LOAD.key, LOAD_NEEDS.key, TRAIN_NEEDS.key)])

    forgotten = {change.key: change.title for change in changes if change.action is Action.FORGET}
    assert forgotten == {
        LOAD.key: "Load",
        LOAD_NEEDS.key: "Load waits for Set goals",
        TRAIN_NEEDS.key: "Train waits for Load",
    }
