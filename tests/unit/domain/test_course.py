"""The course of a project: which iteration is of which phase, when, and how far ahead."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.loop.course import (
    Begun,
    Course,
    Stage,
    back_to,
    course,
    entries,
    exit_tickets,
    following,
    next_phase,
)
from service.domain.problems import InvalidInput
from service.domain.team.calendar import Calendar, DateRange
from service.domain.template.template import Template
from tests.unit.domain.samples import MONDAY, phase, settled, template, ticket

relaxed = settings(deadline=None)
CALENDAR = Calendar()

BUILD, RUN = Stage("build"), Stage("run")


@pytest.fixture
def loop() -> Template:
    """A phase of two iterations, one of one, then a recurring one of two."""
    return template(
        phase(ticket("make"), iterations=2),
        phase(ticket("ship"), key="ship", epic="shipping"),
        phase(ticket("watch"), key="run", epic="ops", recurring=True, iterations=2),
    )


def stages(found: Course) -> list[tuple[str, int, int]]:
    return [(turn.stage.phase, turn.stage.loop, turn.stage.of_phase) for turn in found.turns]


def begin(*given: Stage, closed: int = 0) -> list[Begun]:
    """These iterations begun one after the other, each of two weeks; the first `closed` of them are closed."""
    return [
        Begun(n, stage, DateRange(first, first + timedelta(days=13)), n <= closed)
        for n, stage in enumerate(given, 1)
        for first in [MONDAY + timedelta(days=14 * (n - 1))]
    ]


def go(process: Template, begun: list[Begun] | None = None, **given: object) -> Course:
    return course(process, settled(process), CALENDAR, begun or [], **given)  # type: ignore[arg-type]


def test_before_anything_begins_the_course_is_what_the_template_plans(loop: Template) -> None:
    found = go(loop)
    assert stages(found) == [("build", 1, 1), ("build", 1, 2), ("ship", 1, 1), ("run", 1, 1), ("run", 1, 2)]
    assert [turn.turns for turn in found.turns] == [2, 2, 1, 2, 2]
    assert (found.current, found.turn(3).number) == (0, 3)
    assert found.turn(1).dates == DateRange(MONDAY, date(2026, 3, 29))


def test_an_iteration_the_course_does_not_have_is_a_key_error(loop: Template) -> None:
    for number in (0, 6):
        with pytest.raises(KeyError):
            go(loop).turn(number)


def test_the_last_phase_goes_round_and_one_more_iteration_is_always_known(loop: Template) -> None:
    begun = begin(BUILD, Stage("build", 1, 2), Stage("ship"), RUN, Stage("run", 1, 2))
    found = go(loop, begun)
    assert stages(found)[4:] == [("run", 1, 2), ("run", 1, 3)]
    assert [turn.turns for turn in found.turns][3:] == [3, 3, 3]


def test_a_phase_that_goes_on_longer_moves_what_comes_by_one_iteration(loop: Template) -> None:
    begun = begin(BUILD, Stage("build", 1, 2))
    found = go(loop, begun, coming=Stage("build", 1, 3))
    assert stages(found)[2:5] == [("build", 1, 3), ("ship", 1, 1), ("run", 1, 1)]
    assert [turn.turns for turn in found.turns][:3] == [3, 3, 3]
    assert found.turn(4).dates.first == go(loop).turn(3).dates.first + timedelta(days=14)


def test_a_phase_that_ends_early_has_fewer_iterations(loop: Template) -> None:
    found = go(loop, begin(BUILD), coming=Stage("ship"))
    assert stages(found)[:3] == [("build", 1, 1), ("ship", 1, 1), ("run", 1, 1)]
    assert found.turn(1).turns == 1


def test_going_back_begins_a_new_turn_of_the_loop_with_all_that_follows(loop: Template) -> None:
    begun = begin(BUILD, Stage("build", 1, 2), Stage("ship"), RUN)
    found = go(loop, begun, coming=back_to(RUN, "build"))
    assert stages(found)[3:] == [
        ("run", 1, 1),
        ("build", 2, 1),
        ("build", 2, 2),
        ("ship", 2, 1),
        ("run", 2, 1),
        ("run", 2, 2),
    ]
    assert found.turn(4).turns == 1
    assert found.turn(5).turns == 2


@pytest.mark.parametrize(("ahead", "known"), [(1, 2), (2, 3), (9, 10)])
def test_iterations_ahead_are_counted_from_the_one_that_goes_on(loop: Template, ahead: int, known: int) -> None:
    assert len(go(loop, begin(BUILD, Stage("build", 1, 2)), ahead=ahead).turns) == known


def test_iterations_ahead_are_counted_from_the_next_one_when_the_last_is_closed(loop: Template) -> None:
    assert len(go(loop, begin(BUILD, Stage("build", 1, 2), closed=2), ahead=1).turns) == 3
    assert len(go(loop, ahead=1).turns) == 1


def test_a_course_goes_as_far_as_was_prepared_even_if_a_phase_ended_early(loop: Template) -> None:
    found = go(loop, begin(BUILD), coming=Stage("ship"), reach=5)
    assert stages(found) == [("build", 1, 1), ("ship", 1, 1), ("run", 1, 1), ("run", 1, 2), ("run", 1, 3)]
    assert len(go(loop, begin(BUILD), ahead=1, reach=3).turns) == 3


def test_a_phase_cut_off_by_the_horizon_keeps_the_number_it_is_planned_to_have(loop: Template) -> None:
    assert [turn.turns for turn in go(loop, ahead=1).turns] == [2]


def test_the_next_iteration_can_begin_and_end_on_other_days(loop: Template) -> None:
    first, last = date(2026, 4, 13), date(2026, 4, 19)
    found = go(loop, begin(BUILD), coming_first=first, coming_last=last)
    assert found.turn(2).dates == DateRange(first, last)
    assert found.turn(3).dates.first == date(2026, 4, 20)
    later = go(loop, begin(BUILD), coming_first=first)
    assert later.turn(2).dates == DateRange(first, date(2026, 4, 26))


def test_the_first_iteration_can_be_put_off(loop: Template) -> None:
    assert go(loop, coming_first=date(2026, 4, 6)).turn(1).dates.first == date(2026, 4, 6)


def test_what_has_begun_stays_on_the_calendar_even_if_all_its_days_are_off_by_now(loop: Template) -> None:
    off = frozenset(MONDAY + timedelta(days=n) for n in range(14))
    found = course(loop, settled(loop), Calendar(days_off=off), begin(BUILD))
    assert found.turn(1).dates == DateRange(MONDAY, date(2026, 3, 29))
    assert (found.turn(1).starts.date(), found.turn(1).ends.date()) == (MONDAY, date(2026, 3, 29))


def test_a_phase_that_left_the_template_is_named_when_something_must_follow_it(loop: Template) -> None:
    begun = begin(BUILD, Stage("gone"))
    with pytest.raises(InvalidInput, match=r'there is no phase "gone" any more; put it back, and take it out when'):
        go(loop, begun)
    assert stages(go(loop, begun, coming=Stage("ship")))[1:3] == [("gone", 1, 1), ("ship", 1, 1)]


def test_iterations_with_a_gap_are_a_mistake_of_the_caller(loop: Template) -> None:
    with pytest.raises(ValueError, match="one after the other"):
        go(loop, begin(BUILD, Stage("build", 1, 2))[1:])


def test_what_follows_if_nothing_is_decided(loop: Template) -> None:
    parameters = settled(loop)
    assert following(loop, parameters, BUILD) == Stage("build", 1, 2)
    assert following(loop, parameters, Stage("build", 2, 2)) == Stage("ship", 2, 1)
    assert following(loop, parameters, Stage("build", 1, 7)) == Stage("ship", 1, 1)
    assert following(loop, parameters, Stage("run", 3, 2)) == Stage("run", 3, 3)


def test_after_the_last_phase_comes_one_more_iteration_of_it(loop: Template) -> None:
    assert next_phase(loop, BUILD) == Stage("ship")
    assert next_phase(loop, Stage("run", 2, 1)) == Stage("run", 2, 2)


def test_how_often_a_phase_was_entered_is_not_how_often_the_loop_turned(loop: Template) -> None:
    found = go(loop, begin(BUILD), coming=back_to(BUILD, "build"))
    assert [(turn.stage.phase, turn.stage.loop, turn.entry) for turn in found.turns] == [
        ("build", 1, 1),
        ("build", 2, 2),
        ("build", 2, 2),
        ("ship", 2, 1),
        ("run", 2, 1),
        ("run", 2, 1),
    ]
    assert list(entries([BUILD, RUN, Stage("build", 4), Stage("build", 4, 2), Stage("run", 9)])) == [1, 1, 2, 2, 2]


def test_a_phase_ends_with_its_own_tickets_of_the_time_it_was_entered() -> None:
    process = template(
        phase(ticket("make"), ticket("approve", when={"scale": "growing"}), exit={"output": "it", "needs": ["make"]}),
        phase(ticket("watch"), key="run", epic="ops", recurring=True),
    )
    value = process.model_dump()
    value["phases"][0]["exit"]["needs"] = ["make", "approve"]
    process = Template.model_validate(value)
    assert exit_tickets(process, settled(process), [BUILD]) == ("ticket:make",)
    again = exit_tickets(process, settled(process, scale="growing"), [BUILD, back_to(BUILD, "build")])
    assert again == ("ticket:make~2", "ticket:approve~2")
    assert exit_tickets(process, settled(process), [BUILD, Stage("run", 2, 3)]) == ("ticket:watch@3",)
    assert exit_tickets(process, settled(process), [RUN, BUILD, Stage("run", 2, 3)]) == ("ticket:watch@3~2",)


@st.composite
def histories(draw: st.DrawFn) -> tuple[Template, list[Begun], Stage | None]:
    """A template, iterations begun by any decisions, and perhaps what is decided about the next one."""
    counts = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    process = template(
        *(
            phase(ticket(f"t{n}"), key=f"p{n}", epic=f"e{n}", iterations=count, recurring=draw(st.booleans()))
            for n, count in enumerate(counts)
        )
    )
    begun: list[Begun] = []
    first = MONDAY
    coming: Stage | None = Stage("p0")
    for n in range(1, draw(st.integers(0, 8)) + 1):
        assert coming is not None
        days = draw(st.integers(1, 30))
        begun.append(Begun(n, coming, DateRange(first, first + timedelta(days=days - 1))))
        first += timedelta(days=days)
        coming = _decided(draw, process, coming)
    return process, begun, draw(st.sampled_from([coming, None])) if begun else None


def _decided(draw: st.DrawFn, process: Template, stage: Stage) -> Stage:
    back = draw(st.sampled_from([one.key for one in process.phases]))
    return draw(
        st.sampled_from(
            [
                following(process, settled(process), stage),
                next_phase(process, stage),
                Stage(stage.phase, stage.loop, stage.of_phase + 1),
                back_to(stage, back),
            ]
        )
    )


@relaxed
@given(histories(), st.none() | st.integers(1, 6))
def test_a_course_keeps_what_has_begun_and_goes_on_from_it_without_a_gap(
    history: tuple[Template, list[Begun], Stage | None], ahead: int | None
) -> None:
    process, begun, coming = history
    found = course(process, settled(process), CALENDAR, begun, coming=coming, ahead=ahead)
    assert [turn.number for turn in found.turns] == list(range(1, len(found.turns) + 1))
    assert [(turn.stage, turn.dates) for turn in found.turns[: len(begun)]] == [(b.stage, b.dates) for b in begun]
    assert found.current == len(begun)
    for before, after in zip(found.turns, found.turns[1:], strict=False):
        assert after.dates.first == before.dates.last + timedelta(days=1)
        if after.number > len(begun) + (coming is not None):
            assert after.stage == following(process, settled(process), before.stage)
    if ahead is not None:
        assert len(found.turns) == max(len(begun) - 1, 0) + ahead
    else:
        assert len(found.turns) > len(begun)
    for turn in found.turns:
        assert 1 <= turn.stage.of_phase <= turn.turns
        assert found.turn(turn.number) is turn


@relaxed
@given(histories())
def test_to_begin_what_the_course_says_comes_next_changes_nothing(
    history: tuple[Template, list[Begun], Stage | None],
) -> None:
    process, begun, coming = history
    before = course(process, settled(process), CALENDAR, begun, coming=coming)
    nxt = before.turn(len(begun) + 1)
    after = course(process, settled(process), CALENDAR, [*begun, Begun(nxt.number, nxt.stage, nxt.dates)])
    same = min(len(before.turns), len(after.turns))
    assert [(t.stage, t.dates) for t in after.turns[:same]] == [(t.stage, t.dates) for t in before.turns[:same]]
    assert len(after.turns) - len(before.turns) in (0, 1)
