"""What is about to be written is held against what people did since the plan was made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.values import Fields, ItemKey, ItemKind, ObservedItem, RemoteRef
from service.domain.plan.conflicts import (
    ARCHIVED,
    Kind,
    Shown,
    Verdict,
    Writing,
    described,
    judged,
    judged_status,
)
from service.domain.plan.plan import Action, Change, Reason

KEY = ItemKey("ticket:a")
REF = RemoteRef("1", "ML-1", "")


def verdict(
    name: str,
    before: Any,
    after: Any,
    then: Any,
    now: Any,
    *,
    recorded: Fields | None = None,
    forms: Fields | None = None,
    known: Sequence[dict[ItemKey, RemoteRef]] = (),
    planned: Any = None,
) -> Verdict:
    """What becomes of a field: it was `before` by our records, is to be `after`, and was shown as `then` and `now`."""
    change = Change(
        KEY, ItemKind.TICKET, Action.UPDATE, Reason.CHANGED, "A", {name: before}, {name: planned or after}, (name,)
    )
    writing = Writing(change, (name,), {name: after}, forms or {}, {name: before} if recorded is None else recorded)
    return judged(writing, Shown({name: then}, "todo"), ObservedItem(KEY, ItemKind.TICKET, REF, {name: now}), known)


@pytest.mark.parametrize(
    ("name", "before", "after", "then", "now"),
    [
        ("title", "A", "B", "A", "Mine"),
        ("text", "A", "B", "A", "A\n\nMine"),
        ("assignee", "ann", "bob", "ann", "eve"),
        ("assignee", "ann", "bob", "ann", None),
        ("points", 3.0, 5.0, 3.0, 8.0),
        ("priority", "low", "high", "low", "medium"),
        ("epic", "epic:a", "epic:b", "epic:a", "epic:c"),
        ("iteration", "iteration:1", "iteration:2", "iteration:1", "iteration:3"),
        ("iteration", "iteration:1", "iteration:2", "iteration:1", None),
        ("checklist", ["a"], ["a", "b"], ["a"], ["a", "mine"]),
        ("checklist", ["a"], ["a", "b"], ["a"], []),
        ("starts", "2026-03-02T09:00:00+00:00", "2026-03-03T09:00:00+00:00", "2026-03-02T09:00:00+00:00", None),
        ("goal", "A", "B", "A", "Mine"),
    ],
)
def test_what_people_changed_is_left_and_what_they_did_not_is_written(
    name: str, before: Any, after: Any, then: Any, now: Any
) -> None:
    touched = verdict(name, before, after, then, now)
    untouched = verdict(name, before, after, then, then)
    ours = verdict(name, before, after, then, after, recorded={name: after})

    assert [(one.field, one.then, one.now) for one in touched.conflicts] == [(name, then, now)]
    assert (touched.write, touched.there) == ((), ())
    assert (untouched.write, untouched.conflicts) == ((name,), ())
    assert (ours.write, ours.there, ours.conflicts) == ((), (name,), ())


def test_a_text_in_the_trackers_own_markup_is_our_earlier_write_and_stays_as_it_is() -> None:
    found = verdict("text", "Old", "**New** words", "Old", "_New_ words", forms={"text": "*New* words"})

    assert (found.write, found.there, found.conflicts) == ((), ("text",), ())


def test_what_broke_off_between_two_calls_is_written_once_more() -> None:
    found = verdict("epic", "epic:a", "epic:b", "epic:a", "epic:b")

    assert (found.write, found.conflicts) == (("epic",), ())


def test_a_checklist_that_we_had_begun_is_gone_on_with() -> None:
    assert verdict("checklist", ["a"], ["a", "b", "c"], ["a"], ["a", "b"]).write == ("checklist",)


def test_what_this_plan_wrote_and_people_changed_then_is_drift_and_no_conflict() -> None:
    found = verdict("title", "A", "B", "A", "Mine", recorded={"title": "B"})

    assert (found.write, found.there, found.conflicts) == ((), (), ())


def test_the_same_instant_in_another_zone_is_no_change() -> None:
    early, same = "2026-03-02T09:00:00+00:00", "2026-03-02T10:00:00+01:00"

    assert verdict("starts", early, "2026-03-04T09:00:00+00:00", early, same).write == ("starts",)


def test_an_epic_that_got_our_key_since_is_the_same_epic() -> None:
    known = [{ItemKey("epic:a"): RemoteRef("7", "ML-7", "")}]

    assert verdict("epic", "epic:b", "epic:c", "ML-7", "epic:a", known=known).write == ("epic",)


@pytest.mark.parametrize(
    ("then", "now", "planned", "labels", "left"),
    [
        (["a"], ["a", "mine"], ["b"], ("b", "mine"), []),
        (["a", "theirs"], ["a"], ["b", "theirs"], ("b",), []),
        (["a", "b"], ["a"], ["b", "c"], ("c",), [(["b"], [])]),
        (["points:3"], ["points:8"], ["points:5"], ("points:8",), [(["points:3"], ["points:8"])]),
        (["a"], ["b"], ["b"], ("b",), []),
    ],
)
def test_labels_are_changed_by_the_difference_that_the_plan_makes(
    then: list[str], now: list[str], planned: list[str], labels: tuple[str, ...], left: list[Any]
) -> None:
    ours = [label for label in planned if label != "theirs"]

    found = verdict("labels", then, ours, then, now, planned=planned)

    assert found.labels == labels
    assert [(one.then, one.now) for one in found.conflicts] == left


NAMES = st.sampled_from(["a", "b", "c", "x", "y"])


@given(st.sets(NAMES), st.sets(NAMES), st.sets(NAMES))
def test_no_label_that_people_put_on_or_took_off_is_undone(was: set[str], now: set[str], planned: set[str]) -> None:
    found = verdict("labels", sorted(was), sorted(planned), sorted(was), sorted(now), planned=sorted(planned) or ["z"])

    assert found.labels is not None
    assert now - was <= {*found.labels} | (was - planned)
    assert not (was - now) & {*found.labels} - (planned - was)


@pytest.mark.parametrize(
    ("shown", "kind"),
    [
        (None, Kind.GONE),
        (ObservedItem(KEY, ItemKind.TICKET, REF, {"iteration": "iteration:1"}, "done", archived=True), Kind.ARCHIVED),
        (ObservedItem(KEY, ItemKind.TICKET, REF, {"iteration": "iteration:1"}, "done"), Kind.DONE),
    ],
)
def test_what_is_gone_archived_or_finished_is_not_moved(shown: ObservedItem | None, kind: Kind) -> None:
    change = Change(KEY, ItemKind.TICKET, Action.UPDATE, Reason.CARRIED, "A", {"iteration": "iteration:1"}, {})
    writing = Writing(change, ("iteration",), {"iteration": "iteration:2"}, {}, {"iteration": "iteration:1"})

    found = judged(writing, Shown({"iteration": "iteration:1"}, "todo"), shown, ())

    assert [one.kind for one in found.conflicts] == [kind]
    assert (found.write, found.there) == ((), ())


@pytest.mark.parametrize(
    ("stood", "stands", "left"),
    [
        ("future", "future", []),
        ("active", "active", []),
        ("closed", "active", []),
        ("", "active", []),
        ("future", "active", ["title", "ends"]),
        ("future", "closed", ["title", "ends"]),
        ("active", "closed", ["title", "ends"]),
    ],
)
def test_the_name_and_dates_of_an_iteration_that_went_on_meanwhile_stay(
    stood: str, stands: str, left: list[str]
) -> None:
    was = {"title": "A", "goal": "A", "starts": "2026-03-02T09:00:00+00:00", "ends": "2026-03-06T17:00:00+00:00"}
    wanted = {"title": "B", "goal": "B", "starts": was["starts"], "ends": "2026-03-07T17:00:00+00:00"}
    key, kind = ItemKey("iteration:1"), ItemKind.ITERATION
    change = Change(key, kind, Action.UPDATE, Reason.CHANGED, "A", was, wanted, tuple(wanted))

    found = judged(
        Writing(change, tuple(wanted), wanted, {}, was),
        Shown(was, stood),
        ObservedItem(key, kind, REF, was, stands),
        (),
    )

    assert [one.field for one in found.conflicts] == left
    assert {one.kind for one in found.conflicts} <= {Kind.BEGUN}
    assert [name for name in ("title", "goal", "ends") if name not in found.write] == left


@pytest.mark.parametrize(("reason", "kinds"), [(Reason.CHANGED, [Kind.EMPTIED]), (Reason.RESTORED, [])])
def test_an_iteration_that_people_left_with_nothing_to_hold_tickets_by_is_made_whole_only_when_asked(
    reason: Reason, kinds: list[Kind]
) -> None:
    key, kind = ItemKey("iteration:1"), ItemKind.ITERATION
    change = Change(key, kind, Action.UPDATE, reason, "A", {"title": "A"}, {"title": "B"}, ("title",))
    now = ObservedItem(key, kind, REF, {"title": "A"}, "future", holds=False)

    found = judged(
        Writing(change, ("title",), {"title": "B"}, {}, {"title": "A"}), Shown({"title": "A"}, "future"), now, ()
    )

    assert [one.kind for one in found.conflicts] == kinds
    assert found.write == (() if kinds else ("title",))


@pytest.mark.parametrize(
    ("status", "place", "becomes"),
    [
        ("todo", "iteration:1", ("write", "")),
        ("done", "iteration:1", ("there", "")),
        ("done", None, ("there", "")),
        ("doing", "iteration:1", ("left", "status")),
        ("todo", "iteration:2", ("left", "iteration")),
        (None, None, ("left", "*")),
    ],
)
def test_a_ticket_is_completed_where_it_stands_as_the_plan_saw_it(
    status: str | None, place: str | None, becomes: tuple[str, str]
) -> None:
    before, after = {"status": "todo"}, {"status": "done"}
    change = Change(KEY, ItemKind.TICKET, Action.UPDATE, Reason.OVER, "A", before, after, ("status",))
    now = ObservedItem(KEY, ItemKind.TICKET, REF, {"iteration": place}, status) if status is not None else None

    found = judged_status(change, Shown({"iteration": "iteration:1"}, "todo"), now, ())

    assert found.write == (("status",) if becomes[0] == "write" else ())
    assert found.there == (("status",) if becomes[0] == "there" else ())
    assert [one.field for one in found.conflicts] == ([becomes[1]] if becomes[0] == "left" else [])


def test_a_record_whose_text_changed_since_it_was_found_complete_is_not_completed() -> None:
    change = Change(
        KEY, ItemKind.TICKET, Action.UPDATE, Reason.OVER, "A", {"status": "todo"}, {"status": "done"}, ("status",)
    )
    then = Shown({"text": "Signed.", "iteration": None}, "todo")
    now = ObservedItem(KEY, ItemKind.TICKET, REF, {"text": "Changed.", "iteration": None}, "todo")

    assert judged_status(change, then, now, ()).write == ("status",)
    found = judged_status(change, then, now, (), ("text",))
    assert (found.write, [one.field for one in found.conflicts]) == ((), ["text"])


def test_what_was_archived_when_the_plan_was_made_is_written_as_planned() -> None:
    shown = ObservedItem(KEY, ItemKind.TICKET, REF, {"title": "A"}, "done", archived=True)
    change = Change(
        KEY, ItemKind.TICKET, Action.UPDATE, Reason.CHANGED, "A", {"title": "A"}, {"title": "B"}, ("title",)
    )
    writing = Writing(change, ("title",), {"title": "B"}, {}, {"title": "A"})

    assert judged(writing, Shown({"title": "A"}, ARCHIVED), shown, ()).write == ("title",)


def test_a_finding_names_item_field_and_both_values() -> None:
    text = "The same long beginning of a text that continues for a while. "
    (conflict,) = verdict("text", text, "B", text, text + "A line of mine.").conflicts
    (person,) = verdict("assignee", "1", "2", "1", None).conflicts

    assert "A line of mine." in described(conflict, "Load the data", {})
    assert described(person, "Load", {"1": "Ann"}) == (
        '"Load": its assignee was Ann when this was planned and is nobody now, so it stays so.'
    )


def test_a_finding_names_nobody_and_nothing_by_an_id() -> None:
    (person,) = verdict("assignee", "1", "2", "1", "712020:5f6b").conflicts
    (home,) = verdict("epic", "epic:data", "epic:model", "epic:data", "10023").conflicts
    names = {"1": "Ann", "epic:data": "Data"}

    assert "was Ann when this was planned and is somebody who is not in the team" in described(person, "Load", names)
    assert 'its epic was "Data" when this was planned and is another epic now' in described(home, "Load", names)
