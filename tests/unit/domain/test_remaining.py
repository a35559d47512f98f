"""What a stopped run leaves to do, and how long that takes."""

from __future__ import annotations

from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.values import ItemKey, ItemKind
from service.domain.plan.batches import Batch, Op
from service.domain.plan.remainder import Pace, Reached, left_to_do, seconds_left

EPIC, ONE, TWO, LINK, SPRINT = (ItemKey(key) for key in ("epic:e", "ticket:1", "ticket:2", "link:1>2", "iteration:1"))
BATCHES = [
    Batch(Op.CREATE, ItemKind.EPIC, (EPIC,)),
    Batch(Op.CREATE, ItemKind.ITERATION, (SPRINT,)),
    Batch(Op.CREATE, ItemKind.TICKET, (ONE, TWO)),
    Batch(Op.UPDATE, ItemKind.EPIC, (EPIC,)),
    Batch(Op.MOVE, ItemKind.TICKET, (ONE, TWO), target=SPRINT),
    Batch(Op.READ_BACK, ItemKind.TICKET, (EPIC, ONE, TWO)),
    Batch(Op.LINK, ItemKind.LINK, (LINK,)),
]
ALL = range(1, len(BATCHES) + 1)
EVERYTHING = (EPIC, SPRINT, ONE, TWO, LINK)


def reached(
    done: Collection[int],
    made: Collection[ItemKey],
    *,
    unread: Collection[ItemKey] = (),
    refused: Collection[ItemKey] = (),
    failed: Collection[str] = (),
) -> Reached:
    return Reached(done, made, unread, {*made, *refused}, {*refused, *failed})


def ops(left: list[Batch]) -> list[Op]:
    return [batch.op for batch in left]


def test_a_run_that_did_nothing_leaves_everything() -> None:
    assert left_to_do(BATCHES, reached([], [])) == BATCHES


def test_a_run_that_did_everything_leaves_nothing() -> None:
    assert left_to_do(BATCHES, reached(ALL, EVERYTHING)) == []


def test_an_iteration_is_closed_and_begun_once_and_what_has_not_been_is_left() -> None:
    turn = [Batch(op, ItemKind.ITERATION, (SPRINT,)) for op in (Op.CLOSE, Op.START)]

    assert left_to_do(turn, reached([1, 2], [SPRINT])) == []
    assert left_to_do(turn, reached([1], [SPRINT])) == turn[1:]
    assert left_to_do(turn, reached([1, 2], [SPRINT], failed=[SPRINT])) == turn


def test_a_run_that_was_stopped_leaves_what_comes_after() -> None:
    left = left_to_do(BATCHES, reached([1, 2], [EPIC, SPRINT], unread=[EPIC]))

    assert left == BATCHES[2:]


def test_a_refused_ticket_is_made_placed_read_back_and_linked_and_nothing_else_is_written() -> None:
    left = left_to_do(BATCHES, reached(ALL, [EPIC, SPRINT, ONE], refused=[TWO]))

    assert ops(left) == [Op.CREATE, Op.MOVE, Op.READ_BACK, Op.LINK]
    assert left[2].keys == (TWO,)


def test_an_update_that_was_refused_is_sent_again_and_one_that_was_done_is_not() -> None:
    assert ops(left_to_do(BATCHES, reached(ALL, EVERYTHING, failed=[EPIC]))) == [Op.CREATE, Op.UPDATE]
    assert Op.UPDATE not in ops(left_to_do(BATCHES, reached([1, 2, 3, 4], [EPIC, SPRINT, ONE, TWO])))


def test_tickets_whose_iteration_was_refused_are_placed_once_it_is_there() -> None:
    left = left_to_do(BATCHES, reached(ALL, [EPIC, ONE, TWO, LINK], refused=[SPRINT]))

    assert ops(left) == [Op.CREATE, Op.MOVE]


def test_what_was_read_back_is_not_read_again() -> None:
    left = left_to_do(BATCHES, reached([1, 2, 3, 4, 5], [EPIC, SPRINT, ONE, TWO], unread=[TWO]))

    assert left[0].keys == (TWO,)


def test_removing_is_done_with_what_is_gone() -> None:
    removing = [Batch(Op.NOTE, ItemKind.PROJECT, (ONE,)), Batch(Op.NOTE, ItemKind.PROJECT, (TWO,))]

    assert left_to_do(removing, reached([1], [TWO])) == removing[1:]


def test_before_the_first_call_the_plan_says_how_long_it_takes() -> None:
    assert seconds_left(Pace(20, 10.0, 0, 0.0), 8) == pytest.approx(10.0)


def test_a_tracker_that_is_slower_than_expected_moves_the_end() -> None:
    assert seconds_left(Pace(20, 2.0, 10, 10.0), 4) == pytest.approx(10 * (0.5 + 10) / 15)


def test_a_run_that_took_more_calls_than_expected_still_counts_its_batches() -> None:
    assert seconds_left(Pace(10, 5.0, 30, 15.0), 4) == pytest.approx(2.0)


@given(st.integers(0, 10_000), st.floats(0, 1e5), st.integers(0, 10_000), st.floats(0, 1e5), st.integers(0, 500))
def test_what_is_left_is_never_negative_and_never_without_bound(
    expected: int, seconds: float, calls: int, took: float, batches: int
) -> None:
    left = seconds_left(Pace(expected, seconds, calls, took), batches)

    assert 0 <= left <= (expected + batches) * (seconds + took + 1)


def test_a_run_with_all_batches_done_and_all_calls_made_has_nothing_left() -> None:
    assert seconds_left(Pace(10, 5.0, 10, 5.0), 0) == 0
