"""Iterations of boards that are not ours are known by what people call them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.trello.board import State
from connectors.trello.iterations import Called, Group, called, groups_of, is_ticket, status_of
from connectors.trello.layout import role_of
from connectors.trello.mapping import Card
from connectors.trello.markup import marked
from connectors.values import RemoteRef

BOARD = RemoteRef("b1", "abcd1234", "https://trello.com/b/abcd1234/churn")
NOW = datetime(2026, 3, 20, tzinfo=UTC)
LISTS = {"todo": "To Do", "doing": "Doing", "done": "Done", "epics": "Epics"}


def state(labels: dict[str, str] | None = None, lists: dict[str, str] | None = None, closed: str = "") -> State:
    names = {**LISTS, **(lists or {})}
    return State(
        values={},
        roles={one: role_of(name) for one, name in names.items()},
        lists={},
        list_names=names,
        open_lists={one: name for one, name in names.items() if one != closed},
        labels={},
        label_names=labels or {},
        iteration_labels=set(),
        phase_colors=[],
        members={},
    )


def card(identity: str, name: str = "A card", **more: Any) -> Card:
    return Card(identity, identity, "", name, **{"desc": "", "list_id": "todo", **more})


def found(cards: list[Card], state: State, made: dict[str, datetime | None] | None = None) -> list[Group]:
    return groups_of({one.id: one for one in cards}, state, BOARD, made or {})


def told(groups: list[Group]) -> list[tuple[str, list[str]]]:
    return [(one.title, sorted(one.cards)) for one in groups]


# --- names ---


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Sprint 3", ("sprint", (3,))),
        ("sprint #03", ("sprint", (3,))),
        ("Done in Sprint 12 🎉", ("sprint", (12,))),
        ("Iteration-4: improve recall", ("iteration", (4,))),
        ("ITERATION no. 5", ("iteration", (5,))),
        ("Sprint 2026-07", ("sprint", (2026, 7))),
        ("Itération 2", ("itération", (2,))),
        ("KW 12", ("kw", (12,))),
        ("スプリント3", ("スプリント", (3,))),
        ("2026-03-02", ("", (date(2026, 3, 2).toordinal(),))),
        ("Sprint 02.03.2026 - 13.03.2026", ("", (date(2026, 3, 2).toordinal(),))),
    ],
)
def test_a_name_tells_the_iteration(name: str, key: tuple[str, tuple[int, ...]]) -> None:
    spoken = called(name)
    assert spoken is not None
    assert spoken.key == key


@pytest.mark.parametrize(
    "name",
    [
        "Sprint",
        "Backlog",
        "Sprinter 3",
        "v3",
        "points:5",
        "Release of 2026-03-02",
        "12",
        "",
        "Sprint 123456",
        "99.99.2026",
    ],
)
def test_other_names_tell_none(name: str) -> None:
    assert called(name) is None


def test_days_in_a_name_are_those_of_the_iteration() -> None:
    days = (date(2026, 3, 2), date(2026, 3, 13))
    assert called("Sprint 3 (2026-03-02 to 2026-03-13)") == Called(("sprint", (3,)), days, alone=False)
    assert called("2026/3/2 - 2026/3/13") == Called(("", (days[0].toordinal(),)), days)
    assert called("Sprint 3") == Called(("sprint", (3,)))
    report = called("Report of sprint 3")
    assert report is not None
    assert not report.alone


@given(st.text(max_size=300))
def test_no_name_raises(name: str) -> None:
    spoken = called(name)
    assert spoken is None or spoken.key[1]


# --- groups ---


def test_labels_tell_and_of_several_the_last_counts() -> None:
    marks = {"l2": "Sprint 2", "l10": "Sprint 10", "x": "bug"}
    cards = [card("1", labels=("l2",)), card("2", labels=("l10", "l2")), card("3", labels=("x",))]
    assert told(found(cards, state(marks))) == [("Sprint 2", ["1"]), ("Sprint 10", ["2"])]


def test_lists_tell_archived_ones_too_and_a_label_says_more() -> None:
    lists = {"s1": "Sprint 1", "s2": "Sprint 2 - done"}
    cards = [card("1", list_id="s1"), card("2", list_id="s2"), card("3", list_id="s2", labels=("l1",))]
    board = state({"l1": "Sprint 1"}, lists, closed="s1")
    groups = found(cards, board)
    assert told(groups) == [("Sprint 1", ["1", "3"]), ("Sprint 2 - done", ["2"])]
    by_id = {one.id: one for one in cards}
    assert [status_of(one, by_id, board, NOW) for one in groups] == ["closed", "future"]


def test_a_card_that_stands_for_an_iteration_has_its_dates_and_the_cards_due_in_them() -> None:
    dates = {"start": "2026-03-02T09:00:00.000Z", "due": "2026-03-13T17:00:00.000Z"}
    sprint = card("s", "Sprint 1", **dates)
    cards = [sprint, card("1", due="2026-03-10T12:00:00.000Z"), card("2", due="2026-03-14T12:00:00.000Z"), card("3")]
    [group] = found(cards, state())
    assert (group.ref.id, group.cards) == ("s", ["1"])
    assert (group.starts, group.ends) == (datetime(2026, 3, 2, 9, tzinfo=UTC), datetime(2026, 3, 13, 17, tzinfo=UTC))
    assert status_of(group, {one.id: one for one in cards}, state(), NOW) == "closed"
    assert status_of(group, {one.id: one for one in cards}, state(), datetime(2026, 3, 5, tzinfo=UTC)) == "active"
    assert status_of(group, {one.id: one for one in cards}, state(), datetime(2026, 3, 1, tzinfo=UTC)) == "future"


def test_what_is_written_on_the_card_of_an_iteration_is_in_it() -> None:
    [group] = found([card("s", "Sprint 1", desc="## Goal\n\nBetter.")], state())
    assert group.cards == ["s"]


def test_a_card_that_only_speaks_of_an_iteration_is_a_ticket() -> None:
    groups = found([card("1", "Report of sprint 1"), card("2", labels=("l",))], state({"l": "Sprint 1"}))
    assert told(groups) == [("Sprint 1", ["2"])]


def test_days_order_iterations_and_without_them_numbers_do() -> None:
    named = {"a": "2026-03-16", "b": "2026-03-02", "c": "2026-02-16"}
    cards = [card(one, labels=(one,)) for one in named]
    assert [one.title for one in found(cards, state(named))] == ["2026-02-16", "2026-03-02", "2026-03-16"]
    named = {"a": "Week 1", "b": "Sprint 9", "c": "Sprint 10"}
    made = {"a": NOW, "b": datetime(2026, 1, 1, tzinfo=UTC), "c": None}
    assert [one.title for one in found(cards, state(named), made)] == ["Sprint 9", "Sprint 10", "Week 1"]


def test_an_iteration_without_days_is_as_far_as_its_cards() -> None:
    cards = {one.id: one for one in (card("1", list_id="done"), card("2", list_id="doing"), card("3"))}
    for ids, status in (("1", "closed"), ("12", "active"), ("13", "active"), ("3", "future"), ("", "future")):
        assert status_of(Group(BOARD, "Sprint 1", cards=list(ids)), cards, state(), NOW) == status


def test_our_own_iterations_count_before_what_people_call_one() -> None:
    turn = card("t", "Iteration 1", desc=marked("", "prj_9", "iteration:1"), labels=("l",), due="2026-03-13T17:00:00Z")
    cards = [turn, card("1", labels=("l",)), card("2", labels=("s",))]
    board = state({"l": "Iteration 1", "s": "Sprint 7"})
    [group] = found(cards, board)
    assert (group.title, group.cards, group.own) == ("Iteration 1", ["1"], turn)
    # It has not begun while its card stands in Backlog, whatever its dates say.
    assert status_of(group, {one.id: one for one in cards}, board, NOW) == "future"


def test_epics_and_iterations_are_no_tickets() -> None:
    board = state()
    assert is_ticket(card("1"), board)
    assert not is_ticket(card("2", list_id="epics"), board)
    assert not is_ticket(card("3", desc=marked("", "p", "epic:data")), board)
    assert not is_ticket(card("4", desc=marked("", "p", "iteration:1")), board)
    assert is_ticket(card("5", desc=marked("", "p", "record:1")), board)
