"""The difference between what should be, what we recorded and what the tracker shows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.values import Fields, Item, ItemKey, ItemKind, ObservedItem, RemoteRef
from service.domain.plan.diff import diff
from service.domain.plan.plan import Action, Reason, Recorded

EPIC = Item(ItemKey("epic:data"), ItemKind.EPIC, "Data", text="About data", labels=("phase:one",))
TICKET = Item(
    ItemKey("ticket:load"),
    ItemKind.TICKET,
    "Load the data",
    text="Load it.",
    labels=("role:data",),
    assignee="account-1",
    points=5,
    epic=EPIC.key,
    iteration=ItemKey("iteration:1"),
)
OTHER = replace(TICKET, key=ItemKey("ticket:check"), title="Check the data")
LINK = Item(ItemKey("link:check>load"), ItemKind.LINK, "check waits for load", source=OTHER.key, target=TICKET.key)


def ref(key: str) -> RemoteRef:
    return RemoteRef(f"id-{key}", f"ML-{key}", f"http://jira/browse/{key}")


def recorded(item: Item, wanted: Fields | None = None, seen: Fields | None = None) -> Recorded:
    return Recorded(item.key, item.kind, ref(item.key), item.fields() if wanted is None else wanted, seen)


def observed(item: Item, links: tuple[tuple[str, str], ...] = (), **changes: object) -> ObservedItem:
    return ObservedItem(item.key, item.kind, ref(item.key), {**item.fields(), **changes}, links=links)


def shown(*items: ObservedItem) -> dict[ItemKey, ObservedItem]:
    return {item.key: item for item in items}


def records(*entries: Recorded) -> dict[ItemKey, Recorded]:
    return {entry.key: entry for entry in entries}


def test_what_exists_nowhere_is_created() -> None:
    changes, drift = diff([EPIC, TICKET], {}, {})

    assert [(change.key, change.action, change.reason) for change in changes] == [
        (EPIC.key, Action.CREATE, Reason.NEW),
        (TICKET.key, Action.CREATE, Reason.NEW),
    ]
    assert drift == []


def test_what_is_as_recorded_is_kept_and_writes_nothing() -> None:
    changes, drift = diff([TICKET], records(recorded(TICKET)), shown(observed(TICKET)))

    assert [change.action for change in changes] == [Action.KEEP]
    assert not changes[0].writes
    assert drift == []


def test_a_field_the_template_changed_is_updated_and_no_other() -> None:
    renamed = replace(TICKET, title="Load all the data")

    changes, drift = diff([renamed], records(recorded(TICKET)), shown(observed(TICKET)))

    assert [(change.action, change.changed, change.before, change.after) for change in changes] == [
        (Action.UPDATE, ("title",), {"title": "Load the data"}, {"title": "Load all the data"})
    ]
    assert drift == []


def test_a_field_a_person_changed_is_drift_and_stays() -> None:
    changes, drift = diff([TICKET], records(recorded(TICKET)), shown(observed(TICKET, assignee="somebody-else")))

    assert [change.action for change in changes] == [Action.KEEP]
    assert [(entry.key, entry.field, entry.recorded, entry.observed) for entry in drift] == [
        (TICKET.key, "assignee", "account-1", "somebody-else")
    ]


def test_a_field_that_both_changed_stays_as_the_person_left_it() -> None:
    renamed = replace(TICKET, title="Load all the data")

    changes, drift = diff([renamed], records(recorded(TICKET)), shown(observed(TICKET, title="Our own title")))

    assert [change.action for change in changes] == [Action.KEEP]
    assert [entry.field for entry in drift] == ["title"]


@pytest.mark.parametrize(
    ("brought_to", "stands", "changed"),
    [
        ("", "future", ("title", "goal")),
        ("", "active", ("goal",)),
        ("", "closed", ("goal",)),
        ("active", "active", ("title", "goal")),
        ("active", "closed", ("goal",)),
        ("closed", "closed", ("title", "goal")),
    ],
)
def test_an_iteration_that_people_began_or_closed_keeps_its_name_which_is_drift(
    brought_to: str, stands: str, changed: tuple[str, ...]
) -> None:
    before = Item(ItemKey("iteration:1"), ItemKind.ITERATION, "Turn 1", goal="This")
    known = replace(recorded(before), brought_to=brought_to)

    wanted = replace(before, title="Round 1", goal="That")
    [change], drift = diff([wanted], records(known), shown(replace(observed(before), status=stands)))

    assert change.changed == changed
    assert [(one.field, one.recorded, one.observed) for one in drift] == (
        [] if "title" in changed else [("state", brought_to or "future", stands)]
    )


def test_an_item_a_person_deleted_is_drift_and_is_not_made_again() -> None:
    changes, drift = diff([TICKET], records(recorded(TICKET)), {})

    assert changes == []
    assert [(entry.key, entry.field) for entry in drift] == [(TICKET.key, None)]


def test_a_checklist_that_broke_off_is_completed_when_its_ticket_is_taken_over() -> None:
    wanted = replace(TICKET, checklist=("One", "Two"))
    for there, missing in (
        ([], ("checklist",)),
        (["One"], ("checklist",)),
        (["One", "Two"], ()),
        (["Two"], ()),  # a person made it so
        (["One", "Two", "Theirs"], ()),
        (None, ()),
    ):
        [change], _ = diff([wanted], {}, shown(observed(wanted, checklist=there)))
        assert (change.action, change.changed) == (Action.ADOPT, missing)


def test_an_item_with_our_marker_that_we_did_not_record_is_taken_over() -> None:
    changes, _drift = diff([TICKET], {}, shown(observed(TICKET)))

    assert [(change.action, change.reason, change.changed) for change in changes] == [
        (Action.ADOPT, Reason.CARRIES_OUR_MARKER, ())
    ]


def test_a_taken_over_ticket_in_no_iteration_is_put_into_its_own() -> None:
    changes, _drift = diff([TICKET], {}, shown(observed(TICKET, iteration=None)))

    assert [(change.action, change.changed) for change in changes] == [(Action.ADOPT, ("iteration",))]


def test_a_ticket_that_was_not_yet_moved_is_finished() -> None:
    half = {name: value for name, value in TICKET.fields().items() if name != "iteration"}

    changes, drift = diff([TICKET], records(recorded(TICKET, wanted=half)), shown(observed(TICKET, iteration=None)))

    assert [(change.action, change.reason, change.changed) for change in changes] == [
        (Action.UPDATE, Reason.UNFINISHED, ("iteration",))
    ]
    assert drift == []


def test_a_ticket_that_belongs_in_no_iteration_is_not_unfinished() -> None:
    loose = replace(TICKET, iteration=None)
    half = {name: value for name, value in loose.fields().items() if name != "iteration"}

    changes, _drift = diff([loose], records(recorded(loose, wanted=half)), shown(observed(loose)))

    assert [change.action for change in changes] == [Action.KEEP]


def test_an_item_that_was_refused_is_tried_again() -> None:
    refused = Recorded(TICKET.key, TICKET.kind, None, {})

    changes, _drift = diff([TICKET], records(refused), {})

    assert [(change.action, change.reason) for change in changes] == [(Action.CREATE, Reason.REFUSED_BEFORE)]


def test_an_item_that_left_the_template_is_let_go_and_not_deleted() -> None:
    changes, _drift = diff([], records(recorded(TICKET)), shown(observed(TICKET)))

    assert [(change.key, change.action, change.reason) for change in changes] == [
        (TICKET.key, Action.FORGET, Reason.LEFT_THE_TEMPLATE)
    ]
    assert not changes[0].writes


def test_markup_that_the_tracker_rewrote_is_no_drift() -> None:
    changes, drift = diff([TICKET], records(recorded(TICKET)), shown(observed(TICKET, text="h1. rewritten")))

    assert [change.action for change in changes] == [Action.KEEP]
    assert drift == []


def test_text_that_changed_since_it_was_read_back_is_drift() -> None:
    before = recorded(TICKET, seen={**TICKET.fields(), "text": "h1. as read back"})

    _changes, drift = diff([TICKET], records(before), shown(observed(TICKET, text="h1. edited")))

    assert [entry.field for entry in drift] == ["text"]


def test_labels_that_people_added_are_theirs_and_no_drift() -> None:
    _changes, drift = diff([TICKET], records(recorded(TICKET)), shown(observed(TICKET, labels=["role:data", "urgent"])))

    assert drift == []


def test_a_label_of_ours_that_is_gone_is_drift() -> None:
    _changes, drift = diff([TICKET], records(recorded(TICKET)), shown(observed(TICKET, labels=[])))

    assert [(entry.field, entry.recorded) for entry in drift] == [("labels", ["role:data"])]


def test_a_link_that_is_there_is_not_made_again() -> None:
    pair = (ref(OTHER.key).id, ref(TICKET.key).id)
    tickets = shown(observed(TICKET), observed(OTHER, links=(pair,)))

    unrecorded, _ = diff([LINK], {}, tickets)
    known, _ = diff([LINK], records(recorded(LINK)), tickets)

    assert [change.action for change in unrecorded] == [Action.ADOPT]
    assert [change.action for change in known] == [Action.KEEP]


def test_a_link_that_a_person_took_away_is_drift() -> None:
    tickets = shown(observed(TICKET), observed(OTHER))

    changes, drift = diff([LINK], records(recorded(LINK)), tickets)

    assert changes == []
    assert [entry.key for entry in drift] == [LINK.key]


def test_the_assignment_is_explained_where_it_is_made() -> None:
    changes, _drift = diff([TICKET], {}, {}, {TICKET.key: "data: least loaded of 2"})

    assert changes[0].note == "data: least loaded of 2"
