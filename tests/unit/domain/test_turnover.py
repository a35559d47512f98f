"""From one iteration to the next: what is carried over, where the loop goes, what an advance that stopped keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.values import Content, ItemKey, RemoteRef
from service.domain.loop.course import Stage, Turn
from service.domain.loop.turnover import (
    Carried,
    Closing,
    Decision,
    Move,
    Need,
    Policy,
    Turnover,
    begun_as,
    key_of,
    policy_of,
    taken_up,
    turn_over,
)
from service.domain.team.calendar import DateRange

relaxed = settings(deadline=None)
BUILD, SHIP = Stage("build", 1, 2), Stage("ship", 1, 1)
AGAIN = replace(BUILD, of_phase=3)
NOON = datetime(2026, 3, 16, 12, tzinfo=UTC)
TURN = Turn(4, BUILD, 2, DateRange(date(2026, 3, 2), date(2026, 3, 15)), NOON, NOON)
MODEL = Need(ItemKey("ticket:model"), "Train the model", "done")
RECORD = Need(ItemKey("record:4"), "Record of iteration 4", "done")


def content(name: str, status: str = "todo", *, key: str | None = "", **fields: object) -> Content:
    """A ticket of the closing iteration: `ticket:<name>` unless the test says otherwise, people's own without a key."""
    own = ItemKey(key or f"ticket:{name}") if key is not None else None
    return replace(Content(RemoteRef(f"id-{name}", f"ML-{name}", ""), name, status, own), **fields)  # type: ignore[arg-type]


def turned(
    *contents: Content,
    times: Mapping[ItemKey, int] | None = None,
    needs: tuple[Need, ...] = (MODEL, RECORD),
    following: Stage = AGAIN,
    turn: Turn | None = TURN,
    **given: object,
) -> Turnover:
    closing = Closing(turn, contents, times or {})
    return turn_over(closing, following=following, next_phase=SHIP, needs=needs, **given)  # type: ignore[arg-type]


def decided(move: Move, phase: str | None = None) -> Decision:
    return Decision(move, "lead@example.com", "Because.", NOON, phase)


def test_what_is_not_done_goes_on_and_what_is_done_stays() -> None:
    over = turned(content("a", "done"), content("b", "doing", person="Ada", points=3.0), content("c"))

    assert over.carried == (
        Carried(ItemKey("ticket:b"), "b", Policy.NEXT, 5, 1, person="Ada", points=3.0),
        Carried(ItemKey("ticket:c"), "c", Policy.NEXT, 5, 1),
    )
    assert (over.closes, over.begins) == (4, 5)


def test_a_ticket_of_peoples_own_goes_on_under_a_key_of_its_remote_id() -> None:
    (one,) = turned(content("x", key=None)).carried

    assert (one.key, one.to) == ("guest:id-x", 5)


def test_it_counts_how_often_a_ticket_was_carried() -> None:
    over = turned(content("a"), content("b"), times={ItemKey("ticket:a"): 2})

    assert [one.times for one in over.carried] == [3, 1]


def test_what_goes_to_the_backlog_or_is_left_was_carried_no_more_often_than_before() -> None:
    over = turned(content("a"), times={ItemKey("ticket:a"): 2}, policy=Policy.BACKLOG)

    assert [(one.policy, one.to, one.times) for one in over.carried] == [(Policy.BACKLOG, None, 2)]


def test_an_answer_for_a_ticket_goes_before_one_for_all_and_that_before_the_policy() -> None:
    over = turned(
        *(content("a"), content("b"), content("c")),
        policy=Policy.NEXT,
        answers={"ticket:a": "leave", "ML-b": "next", "*": "backlog"},
        answered_by="lead@example.com",
    )

    assert [one.policy for one in over.carried] == [Policy.LEAVE, Policy.NEXT, Policy.BACKLOG]
    assert {one.decided_by for one in over.carried} == {"lead@example.com"}


@pytest.mark.parametrize(
    ("answers", "becomes"),
    [
        ({}, Policy.COMPLETE),
        ({"*": "next"}, Policy.COMPLETE),
        ({"*": "backlog"}, Policy.COMPLETE),
        ({"*": "leave"}, Policy.LEAVE),
        ({"ceremonies:4": "next"}, Policy.NEXT),
        ({"ML-m": "leave", "*": "next"}, Policy.LEAVE),
    ],
)
def test_meetings_of_an_iteration_that_is_over_are_completed_unless_somebody_says_otherwise(
    answers: dict[str, str], becomes: Policy
) -> None:
    contents = (content("m", key="ceremonies:4"), content("r", key="record:4"), content("n", key="ceremonies:5"))

    over = turned(*contents, answers={"record:4": "next", "ceremonies:5": "next", **answers})

    assert [(one.key, one.policy) for one in over.carried] == [
        ("ceremonies:4", becomes),
        ("record:4", Policy.NEXT),
        ("ceremonies:5", Policy.NEXT),
    ]
    assert turned(contents[0], policy=Policy.LEAVE).carried[0].policy is Policy.LEAVE


def test_records_of_documented_iterations_are_completed_and_others_carried() -> None:
    contents = (content("e", key="record:3"), content("r", key="record:4"), content("o", key="record:2"))

    over = turned(*contents, documented={3, 4})

    assert [(one.key, one.policy, one.times) for one in over.carried] == [
        ("record:3", Policy.COMPLETE, 0),
        ("record:4", Policy.COMPLETE, 0),
        ("record:2", Policy.NEXT, 1),
    ]
    kept = turned(contents[0], documented={3}, answers={"record:3": "backlog"})
    assert kept.carried[0].policy is Policy.BACKLOG


def test_where_nobody_answers_what_is_proposed_happens() -> None:
    assert [policy_of(word) for word in ("ask", "next", "backlog", "leave")] == [
        *(Policy.NEXT, Policy.NEXT, Policy.BACKLOG, Policy.LEAVE)
    ]


def test_a_phase_is_over_when_its_tickets_and_its_record_are_done() -> None:
    over = turned()

    assert (over.move, over.stage, over.lacking) == (Move.NEXT, SHIP, ())


@pytest.mark.parametrize(
    ("needs", "words"),
    [
        ((replace(MODEL, status="doing"), RECORD), '"Train the model" is in progress'),
        ((MODEL, replace(RECORD, status="todo")), '"Record of iteration 4" is not begun'),
        ((replace(MODEL, status=None), RECORD), '"Train the model" is not in the tracker'),
        (
            (replace(MODEL, status="todo", adrift=True), RECORD),
            '"Train the model" is not begun and in no iteration',
        ),
    ],
)
def test_a_phase_that_lacks_something_goes_on_even_beyond_its_plan(needs: tuple[Need, ...], words: str) -> None:
    over = turned(needs=needs, following=SHIP)

    assert (over.move, over.stage, over.lacking) == (Move.STAY, AGAIN, (words,))


def test_what_an_audit_found_keeps_a_phase_from_its_exit() -> None:
    over = turned(audit=("The record names no data.",))

    assert (over.move, over.lacking) == (Move.STAY, ("The record names no data.",))


def test_a_phase_without_exit_tickets_goes_on_as_long_as_it_was_planned() -> None:
    assert turned(needs=(RECORD,)).stage == AGAIN
    assert turned(needs=(RECORD,), following=SHIP).stage == SHIP
    assert turned(needs=(), following=SHIP).move is Move.NEXT


def test_the_last_phase_goes_round() -> None:
    over = turn_over(Closing(TURN), following=AGAIN, next_phase=AGAIN, needs=(MODEL, RECORD))

    assert (over.move, over.stage) == (Move.STAY, AGAIN)


@pytest.mark.parametrize(
    ("decision", "move", "stage", "begins"),
    [
        (decided(Move.STAY), Move.STAY, AGAIN, 5),
        (decided(Move.NEXT), Move.NEXT, SHIP, 5),
        (decided(Move.BACK, "plan"), Move.BACK, Stage("plan", 2, 1), 5),
        (decided(Move.BACK, "build"), Move.BACK, Stage("build", 2, 1), 5),
        (decided(Move.END), Move.END, None, 0),
    ],
)
@pytest.mark.parametrize("status", ["done", "todo"])
def test_what_a_person_decides_overrides_the_criterion_and_is_kept(
    decision: Decision, move: Move, stage: Stage | None, begins: int, status: str
) -> None:
    over = turned(needs=(replace(MODEL, status=status),), decision=decision)

    assert (over.move, over.stage, over.begins, over.decision) == (move, stage, begins, decision)
    assert bool(over.lacking) == (status == "todo")


def test_when_the_project_ends_nothing_is_carried_into_an_iteration_that_never_comes() -> None:
    over = turned(content("a"), content("b"), decision=decided(Move.END), answers={"ticket:b": "backlog"})

    assert [(one.policy, one.to) for one in over.carried] == [(Policy.LEAVE, None), (Policy.BACKLOG, None)]


def test_the_first_iteration_closes_none() -> None:
    over = turned(turn=None, needs=(), following=Stage("plan"))

    assert (over.closes, over.begins, over.move, over.stage) == (0, 1, Move.BEGIN, Stage("plan"))


def test_its_dates_are_those_of_the_iteration_that_begins() -> None:
    over = begun_as(turned(), replace(TURN, number=5), "ML Ship 5")

    assert (over.title, over.dates, over.starts, over.ends) == ("ML Ship 5", TURN.dates, NOON, NOON)


def test_an_advance_that_looks_again_remembers_what_it_has_moved() -> None:
    earlier = turned(content("a"), content("b"), content("c"), content("d", "done"))
    # a was moved; b was finished meanwhile; c was taken out by a person; e is new.
    now = turned(content("b", "done"), content("d", "done"), content("e"))

    over = taken_up(earlier, now, {ItemKey("ticket:a")})

    assert [(one.key, one.moved) for one in over.carried] == [("ticket:a", True), ("ticket:e", False)]
    assert [(key_of(one), one.status) for one in over.contents] == [
        *(("ticket:a", "todo"), ("ticket:b", "done"), ("ticket:d", "done"), ("ticket:e", "todo"))
    ]


def test_an_advance_that_looks_again_keeps_the_stage_unless_a_person_decides_otherwise() -> None:
    earlier = turned(needs=(replace(MODEL, status="todo"),))
    met, overruled = turned(), turned(decision=decided(Move.BACK, "plan"))

    assert taken_up(earlier, met, ()).stage == AGAIN
    assert taken_up(earlier, overruled, ()).stage == Stage("plan", 2, 1)


KEYS = st.one_of(
    st.none(),
    st.integers(0, 30).map(lambda n: f"ticket:t{n}"),
    st.integers(1, 6).map(lambda n: f"record:{n}"),
    st.integers(1, 6).map(lambda n: f"ceremonies:{n}"),
)
POLICIES = st.sampled_from(["next", "backlog", "leave"])


@st.composite
def closings(draw: st.DrawFn) -> list[Content]:
    keys = draw(st.lists(KEYS, max_size=40))
    seen: set[str | None] = set()
    found = []
    for number, key in enumerate(keys):
        if key is None or key not in seen:
            seen.add(key)
            found.append(content(str(number), draw(st.sampled_from(["todo", "doing", "done"])), key=key))
    return found


@relaxed
@given(
    closings(),
    st.dictionaries(st.one_of(st.just("*"), KEYS.filter(bool).map(str)), POLICIES),
    POLICIES.map(Policy),
    st.sampled_from([None, *(decided(move, "plan") for move in Move if move is not Move.BEGIN)]),
)
def test_everything_unfinished_is_carried_exactly_once_and_nothing_done(
    contents: list[Content], answers: dict[str, str], policy: Policy, decision: Decision | None
) -> None:
    over = turned(*contents, answers=answers, policy=policy, decision=decision)

    assert [one.key for one in over.carried] == [key_of(one) for one in contents if one.status != "done"]
    assert all((one.to == over.begins and over.begins > 0) == (one.policy is Policy.NEXT) for one in over.carried)
    assert all(one.to is None for one in over.carried if one.policy is not Policy.NEXT)
    assert over == turned(*contents, answers=answers, policy=policy, decision=decision)


@relaxed
@given(closings(), st.data())
def test_however_often_an_advance_looks_again_every_ticket_is_counted_once(
    contents: list[Content], data: st.DataObject
) -> None:
    over = turned(*contents)
    moved: set[ItemKey] = set()
    there = list(contents)
    for _ in range(3):
        going = [one for one in there if one.status != "done" and data.draw(st.booleans())]
        moved |= {key_of(one) for one in going}
        there = [one for one in there if one not in going]
        over = taken_up(over, turned(*there), moved)

    assert sorted(key_of(one) for one in over.contents) == sorted(key_of(one) for one in contents)
    assert sorted(one.key for one in over.carried) == sorted(key_of(c) for c in contents if c.status != "done")
    assert {one.key for one in over.carried if one.moved} == moved
