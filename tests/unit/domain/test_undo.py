"""What taking back a run's work changes: nothing that people touched, and everything else in the reverse order."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.values import Fields, Item, ItemKey, ItemKind, ObservedItem, RemoteRef, Traces
from service.domain.plan.plan import Action, Change, Purpose, Reason, Recorded
from service.domain.plan.undo import (
    ORDER,
    WRITTEN_SINCE,
    Deeds,
    Scene,
    Written,
    after_the_loop,
    item_of,
    touches,
    undo,
)

EPIC = Item(ItemKey("epic:data"), ItemKind.EPIC, "Data", text="About data", labels=("phase:one",))
TURN = Item(ItemKey("iteration:1"), ItemKind.ITERATION, "Turn 1", goal="Begin.")
TICKET = Item(
    ItemKey("ticket:load"),
    ItemKind.TICKET,
    "Load the data",
    text="Load it.",
    labels=("role:data",),
    assignee="account-1",
    points=5,
    epic=EPIC.key,
    iteration=TURN.key,
)
OTHER = replace(TICKET, key=ItemKey("ticket:check"), title="Check the data")
LINK = Item(ItemKey("link:check>load"), ItemKind.LINK, "", source=OTHER.key, target=TICKET.key)
ALL = (EPIC, TURN, TICKET, OTHER, LINK)
LABEL, COLUMN, PROJECT = ItemKey("label:role:data"), ItemKey("column:Doing"), ItemKey("project:ML")


def ref(key: str) -> RemoteRef:
    return RemoteRef(f"id-{key}", key.partition(":")[2], "")


def record(item: Item, **fields: object) -> Recorded:
    return Recorded(item.key, item.kind, ref(item.key), item.fields(), {**item.fields(), **fields})


def beside(key: ItemKey) -> Recorded:
    """Something that was made along with what a plan asks for."""
    return Recorded(key, ItemKind(key.partition(":")[0]), ref(key), {"title": ref(key).key})


def shown(item: Item, status: str = "", **fields: object) -> ObservedItem:
    status = status or ("future" if item.kind is ItemKind.ITERATION else "todo")
    links = ((ref(OTHER.key).id, ref(TICKET.key).id),) if item in (OTHER, TICKET) else ()
    return ObservedItem(item.key, item.kind, ref(item.key), {**item.fields(), **fields}, status, links)


def scene(
    *items: Item,
    shows: tuple[ObservedItem, ...] = (),
    traces: dict[ItemKey, Traces] | None = None,
    along: tuple[ItemKey, ...] = (),
    without: tuple[Item, ...] = (),
) -> Scene:
    """These items as we made them, but for what the test says."""
    records = {item.key: record(item) for item in items} | {key: beside(key) for key in along}
    observed = {item.key: shown(item) for item in items if item.kind is not ItemKind.LINK and item not in without}
    observed |= {one.key: one for one in shows}
    return Scene(records, observed, {key: Traces() for key in along} | (traces or {}))


def made(*keys: ItemKey) -> Deeds:
    return Deeds(made=frozenset(keys))


EVERYTHING = made(*(item.key for item in ALL), LABEL, COLUMN, PROJECT)
ALONG = (LABEL, COLUMN, PROJECT)


def by_action(changes: list[Change], action: Action) -> set[ItemKey]:
    return {change.key for change in changes if change.action is action}


def note(changes: list[Change], key: ItemKey) -> str:
    (found,) = [change.note for change in changes if change.key == key]
    return found


def test_what_nobody_touched_goes_and_what_it_hangs_on_after_it() -> None:
    changes = undo(EVERYTHING, scene(*ALL, along=ALONG))

    assert {(change.action, change.reason) for change in changes} == {(Action.DELETE, Reason.MADE_BY_RUN)}
    assert [change.key for change in changes] == [
        *(LINK.key, TICKET.key, OTHER.key, TURN.key, EPIC.key),
        *(LABEL, COLUMN, PROJECT),
    ]


@pytest.mark.parametrize(
    ("sight", "words"),
    [
        (shown(TICKET, title="Ours"), "Title changed"),
        (shown(TICKET, assignee="somebody-else"), "Assignee changed"),
        (shown(TICKET, text="Edited."), "Text changed"),
        (shown(TICKET, labels=["role:data", "urgent"]), "Labels changed"),
        (shown(TICKET, status="doing"), "in progress"),
        (shown(TICKET, status="done", points=8), "done; Points changed"),
    ],
)
def test_a_touched_ticket_stays_with_its_epic_its_iteration_and_the_project(sight: ObservedItem, words: str) -> None:
    changes = undo(EVERYTHING, scene(*ALL, shows=(sight,), along=ALONG))

    assert note(changes, TICKET.key) == words
    assert by_action(changes, Action.KEEP) >= {TICKET.key, EPIC.key, TURN.key, COLUMN, PROJECT}
    assert by_action(changes, Action.DELETE) >= {LINK.key, OTHER.key}
    assert note(changes, EPIC.key) == "1 ticket in it that stays"
    staying = len(by_action(changes, Action.KEEP) - {PROJECT})
    assert note(changes, PROJECT) == f"{staying} items in it that stay"


def test_what_people_left_is_said_in_their_trackers_words_and_a_move_only_once() -> None:
    traces = Traces(("2 comments", "moved to Doing"))

    changes = undo(EVERYTHING, scene(*ALL, shows=(shown(TICKET, status="doing"),), traces={TICKET.key: traces}))

    assert note(changes, TICKET.key) == "2 comments; moved to Doing"


def test_a_field_that_no_item_of_its_kind_shows_counts_where_the_history_says_so() -> None:
    told = {EPIC.key: Traces(edited=frozenset({"assignee", "title"}))}

    changes = undo(made(EPIC.key), scene(EPIC, traces=told))

    assert note(changes, EPIC.key) == "Assignee changed"  # the title is as we wrote it, whatever was there between


def test_what_closing_left_in_an_iteration_is_nobodys_and_what_a_person_took_out_before_is() -> None:
    left = shown(TICKET, iteration=None)
    ended = replace(record(TICKET), ended=True)

    assert touches(ended, replace(left, left_in=TURN.key), None) == []
    assert touches(ended, left, None) == ["Iteration changed"]
    assert touches(ended, replace(left, left_in="iteration:0"), None) == ["Iteration changed"]
    assert touches(replace(ended, seen=None), replace(left, left_in=TURN.key), None) == []


def test_what_people_changed_before_we_wrote_there_again_stays_theirs() -> None:
    assert touches(replace(record(TICKET), theirs=frozenset({"iteration"})), shown(TICKET), None) == [
        "Iteration changed"
    ]


def test_a_ticket_that_people_had_begun_before_we_completed_it_stays_and_that_is_said_once() -> None:
    begun = replace(record(TICKET), theirs=frozenset({"status"}))
    completed = replace(begun, wanted={**begun.wanted, "status": "done"}, brought_to="done")

    moved = Traces(("moved to Done",))
    assert touches(completed, shown(TICKET, "done"), moved) == ["Status changed"]
    assert touches(begun, shown(TICKET, "doing"), Traces()) == ["in progress"]


def test_an_iteration_that_was_started_stays() -> None:
    changes = undo(EVERYTHING, scene(*ALL, shows=(shown(TURN, status="active"),)))

    assert by_action(changes, Action.KEEP) == {TURN.key}
    assert note(changes, TURN.key) == "started"


def test_a_ticket_of_somebody_else_keeps_the_epic_it_was_put_into() -> None:
    changes = undo(EVERYTHING, scene(*ALL, traces={EPIC.key: Traces(("1 ticket that is not ours",))}))

    assert by_action(changes, Action.KEEP) == {EPIC.key}


def test_a_ticket_of_another_run_keeps_the_epic_and_what_it_waits_for() -> None:
    changes = undo(made(EPIC.key, TURN.key, TICKET.key), scene(*ALL))

    assert by_action(changes, Action.KEEP) == {EPIC.key, TURN.key, TICKET.key}
    assert note(changes, TICKET.key) == "1 dependency that stays"
    assert {change.key for change in changes}.isdisjoint({OTHER.key, LINK.key})


def test_only_a_label_that_is_on_something_that_stays_is_kept() -> None:
    other = ItemKey("label:other")
    changes = undo(
        made(*EVERYTHING.made, other), scene(*ALL, shows=(shown(TICKET, title="Ours"),), along=(LABEL, other))
    )

    assert note(changes, LABEL) == "on 1 item that stays"
    assert other in by_action(changes, Action.DELETE)


def test_what_is_gone_or_was_never_made_is_only_let_go_of() -> None:
    never = Recorded(ItemKey("ticket:no"), ItemKind.TICKET, None, {})
    there = scene(*ALL, without=(TICKET,))
    there = replace(there, records={**there.records, never.key: never})

    changes = undo(made(*EVERYTHING.made, never.key), there)

    assert by_action(changes, Action.FORGET) == {TICKET.key, LINK.key, never.key}
    assert note(changes, TICKET.key) == "it is gone already"
    assert note(changes, never.key) == "it was never made"


def test_what_was_taken_over_stays_in_the_tracker() -> None:
    changes = undo(Deeds(taken=frozenset({TICKET.key})), scene(*ALL))

    assert [(one.key, one.action, one.reason) for one in changes] == [
        (TICKET.key, Action.FORGET, Reason.TAKEN_OVER_BY_RUN)
    ]


def test_a_ticket_taken_over_does_not_keep_the_iteration_that_the_run_put_it_into() -> None:
    put = {TICKET.key: {"iteration": Written(None, TURN.key)}}

    changes = undo(Deeds(frozenset({TURN.key}), frozenset({TICKET.key}), put), scene(TURN, TICKET))

    assert by_action(changes, Action.DELETE) == {TURN.key}


def test_an_item_that_was_never_read_back_is_touched_where_the_history_says_so() -> None:
    unread = replace(record(TICKET), seen=None)
    rewritten = shown(TICKET, text="h1. as the tracker has it")

    assert touches(unread, rewritten, Traces()) == []
    assert touches(unread, rewritten, Traces(edited=frozenset({"iteration"}))) == []
    assert touches(unread, rewritten, Traces(edited=frozenset({"text"}))) == ["Text changed"]
    assert touches(record(TICKET), shown(TICKET), Traces(edited=frozenset({"text"}))) == []


# --- fields that were written ---


def written(**fields: Written) -> Deeds:
    return Deeds(written={TICKET.key: fields})


def test_a_field_that_was_written_is_put_back() -> None:
    (change,) = undo(written(points=Written(3, 5)), scene(*ALL))

    assert (change.action, change.reason, change.changed) == (Action.UPDATE, Reason.WRITTEN_BY_RUN, ("points",))
    assert (change.before, change.after) == ({"points": 5}, {"points": 3})


def test_a_field_that_somebody_changed_since_stays_and_the_others_are_put_back() -> None:
    deeds = written(points=Written(3, 5), assignee=Written("account-0", "account-1"))

    (change,) = undo(deeds, scene(*ALL, shows=(shown(TICKET, assignee="somebody"),)))

    assert change.changed == ("points",)
    assert change.note == "Assignee changed"


@pytest.mark.parametrize(
    ("field", "one", "why"),
    [
        ("points", Written(3, 8), f"Points {WRITTEN_SINCE}"),
        ("points", Written(3, 5, WRITTEN_SINCE), f"Points {WRITTEN_SINCE}"),
        ("text", Written(None, "Load it."), "Text was not written before"),
        ("epic", Written("epic:old", EPIC.key), "Epic was another epic, which is gone"),
    ],
)
def test_what_cannot_be_put_back_stays_and_why_is_said(field: str, one: Written, why: str) -> None:
    (change,) = undo(Deeds(written={TICKET.key: {field: one}}), scene(*ALL))

    assert (change.action, change.reason, change.note) == (Action.KEEP, Reason.STAYS, why)


@pytest.mark.parametrize(
    ("status", "purpose", "reason", "note"),
    [
        ("active", Purpose.UNDO, Reason.STAYS, "the loop has begun it"),
        ("closed", Purpose.UNDO, Reason.TOUCHED, "ended"),
        ("active", Purpose.REMOVE, Reason.MADE_BY_RUN, ""),
    ],
)
def test_what_the_loop_did_is_nobodys_and_keeps_an_iteration_only_where_the_project_stays(
    status: str, purpose: Purpose, reason: Reason, note: str
) -> None:
    seen = scene(TURN, shows=(shown(TURN, status=status),))
    records = {TURN.key: after_the_loop(seen.records[TURN.key], {TURN.key: "active"}, purpose)}

    (change,) = undo(made(TURN.key), replace(seen, records=records))

    assert (change.reason, change.note) == (reason, note)


def test_what_was_never_written_or_is_put_back_already_is_no_change() -> None:
    assert undo(written(points=Written(5, 8)), scene(*ALL)) == []
    assert undo(written(points=Written(3, 5)), scene(*ALL, without=(TICKET,))) == []


def test_a_ticket_that_was_in_no_iteration_is_taken_out_again_and_does_not_keep_it() -> None:
    deeds = Deeds(frozenset({TURN.key}), written={TICKET.key: {"iteration": Written(None, TURN.key)}})

    changes = undo(deeds, scene(TURN, TICKET))

    assert by_action(changes, Action.UPDATE) == {TICKET.key}
    assert by_action(changes, Action.DELETE) == {TURN.key}


def test_an_item_comes_out_of_its_fields_as_it_went_in() -> None:
    for item in ALL:
        again = item_of(item.key, item.kind, item.fields())
        assert again.fields() == item.fields()


# --- whatever people did ---


@st.composite
def situations(draw: st.DrawFn) -> tuple[Deeds, Scene]:
    """A project of which one run made some and people touched, deleted and moved some."""
    epics = [Item(ItemKey(f"epic:{n}"), ItemKind.EPIC, f"Epic {n}") for n in range(draw(st.integers(1, 3)))]
    turns = [Item(ItemKey(f"iteration:{n}"), ItemKind.ITERATION, f"Turn {n}") for n in range(draw(st.integers(1, 2)))]
    tickets = [
        Item(
            ItemKey(f"ticket:{n}"),
            ItemKind.TICKET,
            f"Ticket {n}",
            epic=draw(st.sampled_from(epics)).key,
            iteration=draw(st.sampled_from([*(turn.key for turn in turns), None])),
        )
        for n in range(draw(st.integers(1, 6)))
    ]
    pairs = draw(st.sets(st.tuples(st.sampled_from(tickets), st.sampled_from(tickets)), max_size=4))
    links = [
        Item(ItemKey(f"link:{a.key}>{b.key}"), ItemKind.LINK, "", source=a.key, target=b.key)
        for a, b in pairs
        if a != b
    ]
    items = [*epics, *turns, *tickets, *links]
    observed, traces = {}, {}
    for item in [*epics, *turns, *tickets]:
        pairs_at = tuple((ref(str(link.source)).id, ref(str(link.target)).id) for link in links)
        fields: Fields = item.fields()
        match draw(st.sampled_from(["", "", "", "gone", "retitled", "commented", "moved"])):
            case "gone":
                continue
            case "retitled":
                fields = {**fields, "title": "Ours"}
            case "commented":
                traces[item.key] = Traces(("1 comment",))
            case "moved" if item.kind is ItemKind.TICKET:
                fields = {**fields, "epic": draw(st.sampled_from(epics)).key}
        status = "future" if item.kind is ItemKind.ITERATION else "todo"
        observed[item.key] = ObservedItem(item.key, item.kind, ref(item.key), fields, status, pairs_at)
    keys = draw(st.sets(st.sampled_from([item.key for item in items])))
    records = {item.key: record(item) for item in items}
    return Deeds(made=frozenset(keys)), Scene(records, observed, traces)


@given(situations())
def test_each_item_that_was_made_is_in_one_change_and_others_are_in_none(situation: tuple[Deeds, Scene]) -> None:
    deeds, there = situation

    changes = undo(deeds, there)

    assert sorted(change.key for change in changes) == sorted(deeds.made)


@given(situations())
def test_nothing_goes_that_anybody_touched_or_that_something_which_stays_hangs_on(
    situation: tuple[Deeds, Scene],
) -> None:
    deeds, there = situation

    going = by_action(undo(deeds, there), Action.DELETE)

    for key in going:
        one = there.records[key]
        if one.kind is not ItemKind.LINK:
            assert touches(one, there.observed[key], there.traces.get(key)) == []
    staying = [one for key, one in there.observed.items() if key not in going]
    assert {one.fields.get(name) for one in staying for name in ("epic", "iteration")}.isdisjoint(going)
    for link in set(there.records) - deeds.made:
        if there.records[link].kind is ItemKind.LINK and there.shows(link):
            ends = set(there.ends(link))
            assert ends <= going or ends.isdisjoint(going)


@given(situations())
def test_undoing_again_removes_nothing_more(situation: tuple[Deeds, Scene]) -> None:
    deeds, there = situation
    changes = undo(deeds, there)
    gone = by_action(changes, Action.DELETE) | by_action(changes, Action.FORGET)
    gone |= {key for key, one in there.records.items() if one.kind is ItemKind.LINK and set(there.ends(key)) & gone}
    left = Scene(
        {key: one for key, one in there.records.items() if key not in gone},
        {key: one for key, one in there.observed.items() if key not in gone},
        {key: one for key, one in there.traces.items() if key not in gone},
    )

    again = undo(deeds, left)

    assert {change.action for change in again} <= {Action.KEEP}


@given(situations())
def test_changes_stand_in_the_reverse_order_of_making(situation: tuple[Deeds, Scene]) -> None:
    places = [ORDER.index(change.kind) for change in undo(*situation)]

    assert places == sorted(places)


def test_labels_are_put_back_beside_those_that_people_added() -> None:
    now = replace(record(TICKET), wanted={**TICKET.fields(), "labels": ["role:ml"]}, seen=None)
    deeds = Deeds(written={TICKET.key: {"labels": Written(["role:data"], ["role:ml", "urgent"])}})
    seen = replace(now, seen={**TICKET.fields(), "labels": ["role:ml", "urgent"]})
    sight = shown(TICKET, labels=["role:ml", "urgent"])

    (change,) = undo(deeds, Scene({TICKET.key: seen}, {TICKET.key: sight}))

    assert change.after == {"labels": ["role:data", "urgent"]}


GUEST = ItemKey("guest:777")
GUEST_RECORD = Recorded(GUEST, ItemKind.GUEST, ref(GUEST), {"iteration": TURN.key}, None, given=True)
NEXT = replace(TURN, key=ItemKey("iteration:2"), title="Turn 2")
CARRIED = Deeds(written={TICKET.key: {"iteration": Written(TURN.key, NEXT.key)}})


def advanced(status: str, closed: frozenset[ItemKey] = frozenset()) -> Scene:
    """A ticket that was carried from the first iteration, which has this status now, into the second."""
    carried = replace(TICKET, iteration=NEXT.key)
    return replace(scene(TURN, NEXT, carried, shows=(shown(TURN, status),)), closed=closed)


def test_a_carried_ticket_goes_back_into_its_former_iteration_while_that_is_open() -> None:
    (change,) = undo(CARRIED, advanced("active"))

    assert (change.action, change.after) == (Action.UPDATE, {"iteration": TURN.key})


@pytest.mark.parametrize("advance", [advanced("closed"), advanced("active", frozenset({TURN.key}))])
def test_a_carried_ticket_stays_where_it_is_once_its_former_iteration_is_closed(advance: Scene) -> None:
    (change,) = undo(CARRIED, advance)

    assert (change.action, change.note) == (Action.KEEP, 'Iteration was "Turn 1", which is closed')


@pytest.mark.parametrize(
    ("status", "after", "note"),
    [("done", {"status": "todo"}, ""), ("doing", None, "Status changed")],
)
def test_a_ticket_that_was_completed_is_opened_again_unless_somebody_did_that(
    status: str, after: Fields | None, note: str
) -> None:
    deeds = Deeds(written={TICKET.key: {"status": Written("todo", "done")}})
    completed = replace(record(TICKET), wanted={**TICKET.fields(), "status": "done"})

    (change,) = undo(deeds, Scene({TICKET.key: completed}, {TICKET.key: shown(TICKET, status=status)}))

    assert (change.action, change.note) == (Action.UPDATE if after else Action.KEEP, note)
    assert after is None or change.after == after


def test_what_phaseloop_completed_is_no_touch_of_people_and_what_they_did_besides_is() -> None:
    completed = replace(record(TICKET), wanted={**TICKET.fields(), "status": "done"})
    ours = after_the_loop(completed, {}, Purpose.UNDO)

    assert touches(ours, shown(TICKET, status="done"), Traces(("moved to Done",))) == []
    assert touches(ours, shown(TICKET, status="done"), Traces(("1 comment", "moved to Done"))) == ["1 comment"]
    assert touches(ours, shown(TICKET, status="doing"), Traces(("moved to Doing",))) == ["moved to Doing"]


def test_what_was_put_off_by_an_advance_does_not_go_back_into_the_iteration_that_it_began() -> None:
    put_off = replace(TICKET, iteration=NEXT.key)
    found = replace(scene(TURN, NEXT, put_off, shows=(shown(TURN, "active"),)), begun=frozenset({TURN.key}))

    (change,) = undo(CARRIED, found)

    assert (change.action, change.note) == (Action.KEEP, 'Iteration was "Turn 1", which has begun')


def test_where_a_label_says_the_iteration_a_carried_ticket_stays_likewise() -> None:
    carried = replace(TICKET, iteration=None, labels=("iteration:2",))
    deeds = Deeds(written={TICKET.key: {"labels": Written(["iteration:1"], ["iteration:2"])}})

    (open_still,) = undo(deeds, scene(carried))
    (closed,) = undo(deeds, replace(scene(carried), closed=frozenset({TURN.key})))

    assert open_still.after == {"labels": ["iteration:1"]}
    assert (closed.action, closed.note) == (Action.KEEP, "Labels named iteration:1, which is closed")


def test_an_iteration_stays_begun_or_closed_and_the_plan_says_so() -> None:
    written = {TURN.key: {"state": Written("active", "closed")}, NEXT.key: {"state": Written("future", "active")}}

    changes = undo(Deeds(written=written), scene(TURN, NEXT, shows=(shown(TURN, "closed"), shown(NEXT, "active"))))

    assert [(change.key, change.action, change.note) for change in changes] == [
        (TURN.key, Action.KEEP, "it stays ended"),
        (NEXT.key, Action.KEEP, "it stays started"),
    ]


def test_what_else_was_written_to_an_iteration_that_was_begun_is_put_back() -> None:
    renamed = replace(TURN, title="Turn one")
    deeds = Deeds(written={TURN.key: {"title": Written(TURN.title, "Turn one"), "state": Written("future", "active")}})

    (change,) = undo(deeds, scene(renamed, shows=(shown(renamed, "active"),)))

    assert (change.action, change.after, change.note) == (Action.UPDATE, {"title": "Turn 1"}, "it stays started")


@pytest.mark.parametrize(
    "deeds",
    [
        Deeds(taken=frozenset({GUEST})),
        Deeds(made=frozenset({GUEST})),
        Deeds(written={GUEST: {"iteration": Written("iteration:0", TURN.key)}}),
    ],
)
def test_tickets_of_peoples_own_are_let_go_of_where_they_are(deeds: Deeds) -> None:
    (change,) = undo(deeds, replace(scene(TURN), records={TURN.key: record(TURN), GUEST: GUEST_RECORD}))

    assert (change.key, change.action, change.reason) == (GUEST, Action.FORGET, Reason.TAKEN_OVER_BY_RUN)
