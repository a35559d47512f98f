"""Where work is along the course: slots, carried tickets, turns of the loop, and what a plan is about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.values import ITERATION_TITLE_LIMIT, ItemKey
from service.domain.loop.course import Begun, Stage, back_to, course, following, next_phase
from service.domain.plan.blueprint import Blueprint, TicketKind, blueprint
from service.domain.problems import InvalidInput
from service.domain.team.calendar import Calendar
from service.domain.template.template import Template
from tests.unit.domain.samples import build_and_run, draw, settled
from tests.unit.domain.test_blueprint import keys_in, processes

relaxed = settings(deadline=None)
CALENDAR = Calendar()

BUILD, BUILD_2 = Stage("build"), Stage("build", 1, 2)
RUN = Stage("run")


@pytest.fixture
def loop() -> Template:
    """Two iterations of building, then a recurring phase."""
    return build_and_run(points=5, turns=1)


def begin(process: Template, *stages: Stage, **given: Any) -> list[Begun]:
    begun: list[Begun] = []
    for n, stage in enumerate(stages, 1):
        along = course(process, settled(process, **given), CALENDAR, begun, coming=stage, ahead=2)
        begun.append(Begun(n, stage, along.turn(n).dates))
    return begun


def drawn_along(
    process: Template,
    stages: Sequence[Stage],
    placed: Mapping[str, int | None] | None = None,
    *,
    coming: Stage | None = None,
    ahead: int | None = None,
    live_from: int | None = None,
    **given: Any,
) -> Blueprint:
    parameters = settled(process, **given)
    along = course(process, parameters, CALENDAR, begin(process, *stages, **given), coming=coming, ahead=ahead)
    pins = {ItemKey(key): number for key, number in (placed or {}).items()}
    live = len(stages) if live_from is None else live_from
    return blueprint(process, parameters, "Churn", "ML", CALENDAR, along, pins, live)


def by_iteration(drawn: Blueprint) -> dict[int, list[str]]:
    """The tickets of each iteration, without meetings."""
    found: dict[int, list[str]] = {iteration.number: [] for iteration in drawn.iterations}
    for one in drawn.tickets:
        if one.kind is not TicketKind.CEREMONIES:
            found[int(one.iteration.removeprefix("iteration:"))].append(one.key.removeprefix("ticket:"))
    return found


def links(drawn: Blueprint) -> set[str]:
    return {str(link.key) for link in drawn.links}


def test_without_a_course_a_blueprint_is_all_that_is_planned(loop: Template) -> None:
    assert draw(loop) == drawn_along(loop, [])


def test_only_what_is_live_is_there(loop: Template) -> None:
    drawn = drawn_along(loop, [BUILD, BUILD_2], {"ticket:plan": 1, "ticket:make": 1, "record:1": 1})
    assert by_iteration(drawn) == {2: ["test", "record:2"], 3: ["watch@1", "fix@1", "record:3"]}
    assert keys_in(drawn.epics) == ["epic:work", "epic:ops"]


def test_a_link_may_lead_to_what_is_history(loop: Template) -> None:
    drawn = drawn_along(loop, [BUILD, BUILD_2], {"ticket:plan": 1, "ticket:make": 1})
    assert "link:test>make" in links(drawn)
    assert drawn.outside == {"ticket:make": "Do make"}
    assert next(link.title for link in drawn.links if link.key == "link:test>make") == "Do test waits for Do make"


def test_a_carried_ticket_is_in_the_iteration_it_was_carried_into(loop: Template) -> None:
    drawn = drawn_along(loop, [BUILD, BUILD_2], {"ticket:plan": 1, "ticket:make": 2, "record:1": 2})
    assert by_iteration(drawn)[2] == ["make", "test", "record:1", "record:2"]
    assert drawn.outside == {"ticket:plan": "Do plan"}
    record = next(one for one in drawn.tickets if one.key == "record:1")
    assert (record.title, record.needs) == ("Record of iteration 1", ("ticket:make",))


def test_recurring_work_that_was_carried_keeps_the_turn_it_is_of(loop: Template) -> None:
    stages = [BUILD, BUILD_2, RUN, Stage("run", 1, 2)]
    drawn = drawn_along(loop, stages, {"ticket:fix@1": 4, "ticket:watch@1": 3})
    assert by_iteration(drawn)[4] == ["fix@1", "watch@2", "fix@2", "record:4"]
    fix = next(one for one in drawn.tickets if one.key == "ticket:fix@1")
    assert fix.needs == ("ticket:watch@1",)


def test_what_was_put_back_or_left_is_not_wanted_any_more_but_can_be_waited_for(loop: Template) -> None:
    drawn = drawn_along(loop, [BUILD, BUILD_2], {"ticket:plan": 1, "ticket:make": None, "record:1": None})
    assert "ticket:make" not in keys_in(drawn.tickets)
    assert "record:1" not in keys_in(drawn.tickets)
    assert "link:test>make" in links(drawn)


def test_a_phase_that_goes_on_longer_has_a_record_and_meetings_in_what_is_added(loop: Template) -> None:
    placed = {"ticket:plan": 1, "ticket:make": 1, "ticket:test": 2}
    drawn = drawn_along(loop, [BUILD, BUILD_2], placed, coming=Stage("build", 1, 3))
    assert by_iteration(drawn) == {2: ["test", "record:2"], 3: ["record:3"], 4: ["watch@1", "fix@1", "record:4"]}
    assert "ceremonies:3" in keys_in(drawn.tickets)
    third = next(one for one in drawn.tickets if one.key == "record:3")
    assert third.needs == ("ticket:test",)
    assert "**Ends the phase:**" in third.text
    assert [(one.of_phase, one.turns) for one in drawn.iterations][:2] == [(2, 3), (3, 3)]


def test_what_a_phase_that_ends_early_had_not_come_to_is_in_the_iteration_after_it(loop: Template) -> None:
    drawn = drawn_along(loop, [BUILD, RUN], {"ticket:plan": 1, "ticket:make": 1})
    assert by_iteration(drawn)[2] == ["test", "watch@1", "fix@1", "record:2"]
    assert next(one.phase for one in drawn.tickets if one.key == "ticket:test") == "build"


def test_what_is_prepared_stays_itself_when_iterations_shift(loop: Template) -> None:
    as_planned = drawn_along(loop, [BUILD, BUILD_2], coming=RUN)
    for coming in (Stage("build", 1, 3), Stage("build", 1, 4)):
        longer = drawn_along(loop, [BUILD, BUILD_2], coming=coming)
        work = {one.key for one in as_planned.tickets if one.kind is TicketKind.WORK}
        assert work == {one.key for one in longer.tickets if one.kind is TicketKind.WORK}


def test_a_phase_that_is_sent_back_begins_anew_with_epics_and_tickets_of_its_own(loop: Template) -> None:
    drawn = drawn_along(loop, [BUILD, BUILD_2, RUN, back_to(RUN, "build")], {})
    assert by_iteration(drawn) == {
        4: ["plan~2", "make~2", "record:4"],
        5: ["test~2", "record:5"],
        6: ["watch@1~2", "fix@1~2", "record:6"],
    }
    assert [(str(epic.key), epic.title) for epic in drawn.epics] == [
        ("epic:work", "Epic work"),
        ("epic:ops", "Epic ops"),
        ("epic:work~2", "Epic work (loop 2)"),
        ("epic:ops~2", "Epic ops (loop 2)"),
    ]
    found = {str(one.key): one for one in drawn.tickets}
    assert found["ticket:test~2"].needs == ("ticket:make~2",)
    assert found["ticket:watch@1~2"].needs == ("ticket:test~2",)
    assert found["ticket:plan~2"].epic == found["record:4"].epic == "epic:work~2"
    assert {one.loop for one in drawn.iterations} == {2}


def test_what_was_not_come_to_when_a_phase_is_sent_back_comes_with_its_new_turn_alone(loop: Template) -> None:
    drawn = drawn_along(loop, [BUILD, back_to(BUILD, "build")], {"ticket:plan": 1, "ticket:make": 1})
    assert by_iteration(drawn)[2] == ["plan~2", "make~2", "record:2"]
    assert "ticket:test" not in keys_in(drawn.tickets)


def test_what_a_turn_of_the_loop_never_came_to_stays_itself_in_the_next_one(loop: Template) -> None:
    before = drawn_along(loop, [BUILD], {"ticket:plan": 1, "ticket:make": 1})
    assert by_iteration(before)[3] == ["watch@1", "fix@1", "record:3"]
    drawn = drawn_along(loop, [BUILD], {"ticket:plan": 1, "ticket:make": 1}, coming=back_to(BUILD, "build"))
    assert by_iteration(drawn)[4] == ["watch@1", "fix@1", "record:4"]
    assert [(str(epic.key), epic.title) for epic in drawn.epics] == [
        ("epic:work", "Epic work"),
        ("epic:work~2", "Epic work (loop 2)"),
        ("epic:ops", "Epic ops"),
    ]
    watch = next(one for one in drawn.tickets if one.key == "ticket:watch@1")
    assert (watch.needs, watch.epic) == (("ticket:test~2",), "epic:ops")
    assert [one.loop for one in drawn.iterations] == [1, 2, 2, 2]


def test_what_was_prepared_for_a_phase_that_is_left_before_it_comes_to_it_is_passed_by(loop: Template) -> None:
    assert drawn_along(loop, [BUILD, BUILD_2, RUN]).passed_by == frozenset()
    assert drawn_along(loop, [BUILD], coming=RUN).passed_by == frozenset()
    back = drawn_along(loop, [BUILD], coming=back_to(BUILD, "build"))
    assert back.passed_by == {"ticket:test"}
    around = drawn_along(loop, [BUILD, BUILD_2, RUN], coming=back_to(RUN, "run"))
    assert {"ticket:watch@2", "ticket:fix@2"} <= around.passed_by
    assert not around.passed_by & set(keys_in(around.tickets))
    assert by_iteration(around)[4] == ["watch@1~2", "fix@1~2", "record:4"]


def test_what_was_prepared_and_is_beyond_the_horizon_since_the_loop_went_back_is_put_off(loop: Template) -> None:
    back = drawn_along(loop, [BUILD, BUILD_2], coming=back_to(BUILD, "build"), ahead=3)
    assert list(by_iteration(back)) == [2, 3, 4]
    assert {"ticket:watch@1", "ticket:fix@1", "epic:ops"} <= back.put_off.keys()
    later = drawn_along(
        loop, [BUILD, BUILD_2, back_to(BUILD, "build"), Stage("build", 2, 2)], {}, coming=Stage("run", 2)
    )
    assert {"watch@1", "fix@1"} <= set(by_iteration(later)[5])


def test_a_phase_entered_without_the_one_before_it_needs_what_was_there_in_the_latest_turn(loop: Template) -> None:
    drawn = drawn_along(loop, [BUILD, BUILD_2, RUN, Stage("run", 2)], {})
    watch = next(one for one in drawn.tickets if one.key == "ticket:watch@1~2")
    assert watch.needs == ("ticket:test",)
    assert drawn.outside[ItemKey("ticket:test")] == "Do test"


def test_a_phase_that_nothing_came_before_needs_nothing_of_it(loop: Template) -> None:
    drawn = drawn_along(loop, [RUN], {})
    watch = next(one for one in drawn.tickets if one.key == "ticket:watch@1")
    assert watch.needs == ()
    assert keys_in(drawn.epics) == ["epic:ops"]


def test_nothing_is_drawn_beyond_the_horizon(loop: Template) -> None:
    drawn = drawn_along(loop, [BUILD], ahead=1)
    assert by_iteration(drawn) == {1: ["plan", "make", "record:1"]}
    assert keys_in(drawn.epics) == ["epic:work"]
    assert drawn.iterations[0].turns == 2


def test_an_iteration_of_a_phase_that_left_the_template_is_refused_only_while_it_is_live(loop: Template) -> None:
    stages = [BUILD, Stage("gone"), RUN]
    assert list(by_iteration(drawn_along(loop, stages, {}))) == [3, 4]
    assert list(by_iteration(drawn_along(loop, stages, {}, live_from=0))) == [1, 3, 4]
    with pytest.raises(InvalidInput, match='there is no phase "gone" any more'):
        drawn_along(loop, stages, {}, live_from=2)


def test_an_iteration_name_that_would_come_again_in_another_turn_of_the_loop_is_told_apart(loop: Template) -> None:
    def name(text: str) -> str:
        cadence = {**loop.model_dump()["cadence"], "iteration_name": text}
        process = Template.model_validate({**loop.model_dump(), "cadence": cadence})
        return drawn_along(process, [BUILD, back_to(BUILD, "build")], {}).iterations[0].title

    assert name("{{ phase.short }} {{ iteration.of_phase }}") == "Build 1 ~2"
    assert name("{{ iteration.number }}") == "2"
    assert name("{{ phase.short }} {{ iteration.loop }}.{{ iteration.of_phase }}") == "Build 2.1"
    long = name("A name of 29 signs {{ phase.short }} {{ iteration.of_phase }}, 2")
    assert long == "A name of 29 signs Build 1 ~2", "what tells it from the first turn's is not cut off"
    assert len(long) <= ITERATION_TITLE_LIMIT


Step = tuple[Blueprint, int]


@st.composite
def walks(draw_from: st.DrawFn) -> tuple[Template, list[Step], Counter[ItemKey]]:
    """A loop that turns: what was drawn for each iteration while it continued, and how often a ticket was carried into
    one of them."""
    process = draw_from(processes())
    parameters = settled(process)
    ahead = draw_from(st.none() | st.integers(1, 3))
    begun: list[Begun] = []
    placed: dict[ItemKey, int | None] = {}
    stage = Stage(process.phases[0].key)
    steps: list[Step] = []
    carried: Counter[ItemKey] = Counter()
    last = draw_from(st.integers(1, 7))
    for number in range(1, last + 1):
        along = course(process, parameters, CALENDAR, begun, coming=stage)
        begun.append(Begun(number, stage, along.turn(number).dates))
        along = course(process, parameters, CALENDAR, begun, ahead=ahead)
        drawn = blueprint(process, parameters, "Churn", "ML", CALENDAR, along, placed, number)
        steps.append((drawn, number))
        now = [one.key for one in drawn.tickets if one.iteration == f"iteration:{number}"]
        placed |= dict.fromkeys(now, number)
        for key in now:
            if not key.startswith("ceremonies:") and draw_from(st.integers(0, 3)) == 0:
                placed[key] = draw_from(st.sampled_from([number + 1, number + 1, None]))
                carried[key] += placed[key] is not None and number < last
        stage = draw_from(
            st.sampled_from(
                [
                    following(process, parameters, stage),
                    next_phase(process, stage),
                    Stage(stage.phase, stage.loop, stage.of_phase + 1),
                    back_to(stage, draw_from(st.sampled_from([turn.stage.phase for turn in along.turns[:number]]))),
                ]
            )
        )
    return process, steps, carried


@relaxed
@given(processes(), st.integers(0, 8), st.integers(1, 6))
def test_to_seed_as_the_loop_turns_or_all_at_once_gives_the_same_tickets_in_the_same_iterations(
    process: Template, gone: int, ahead: int
) -> None:
    stages = [Stage(process.phases[0].key)]
    while len(stages) < gone:
        stages.append(following(process, settled(process), stages[-1]))
    rolling = drawn_along(process, stages[:gone], ahead=ahead)
    whole = drawn_along(process, stages[:gone], live_from=gone)
    numbers = set(by_iteration(rolling)) & set(by_iteration(whole))
    assert numbers
    for number in numbers:
        assert by_iteration(rolling)[number] == by_iteration(whole)[number]
    assert set(keys_in(rolling.tickets)) <= set(keys_in(whole.tickets)) or max(by_iteration(rolling)) not in numbers


@relaxed
@given(walks())
def test_whatever_is_decided_every_step_is_whole(walk: tuple[Template, list[Step], object]) -> None:
    _, steps, _ = walk
    for drawn, number in steps:
        keys = [key for part in (drawn.epics, drawn.iterations, drawn.tickets, drawn.links) for key in keys_in(part)]
        assert len(keys) == len(set(keys))
        live = set(keys_in(drawn.iterations))
        tickets = set(keys_in(drawn.tickets))
        assert min(one.number for one in drawn.iterations) == number
        assert {one.iteration for one in drawn.tickets} <= live
        assert {one.epic for one in drawn.tickets} <= set(keys_in(drawn.epics))
        assert {link.source for link in drawn.links} <= tickets
        assert {link.target for link in drawn.links} <= tickets | set(drawn.outside)
        assert not tickets & set(drawn.outside)
        for iteration in drawn.iterations:
            kinds = Counter(one.kind for one in drawn.tickets if one.key.endswith(f":{iteration.number}"))
            assert kinds[TicketKind.RECORD] == kinds[TicketKind.CEREMONIES] == 1
        order = {one.key: (one.iteration, index) for index, one in enumerate(drawn.tickets)}
        for one in drawn.tickets:
            together = [need for need in one.needs if need in order and order[need][0] == one.iteration]
            assert all(order[need] < order[one.key] for need in together)


@relaxed
@given(walks())
def test_whatever_is_decided_no_work_is_seeded_twice_and_none_of_a_phase_that_went_its_way_is_lost(
    walk: tuple[Template, list[Step], Counter[ItemKey]],
) -> None:
    process, steps, carried = walk
    seeded = Counter(
        one.key
        for drawn, number in steps
        for one in drawn.tickets
        if one.kind is TicketKind.WORK and one.iteration == f"iteration:{number}"
    )
    assert all(times == 1 + carried[key] for key, times in seeded.items())
    last = steps[-1][1]
    begun: dict[tuple[str, int], list[int]] = {}
    for drawn, n in steps:
        begun.setdefault((drawn.iterations[0].phase, drawn.iterations[0].loop), []).append(n)
    after = {number: drawn.iterations[0].loop for drawn, number in steps}
    entered: Counter[str] = Counter()
    for (name, turn), numbers in begun.items():
        part = next(one for one in process.phases if one.key == name)
        entered[name] += 1
        mark = f"~{entered[name]}" if entered[name] > 1 else ""
        if part.recurring:
            of_phase = range(1, len(numbers) + 1)
            assert all(ItemKey(f"ticket:{one.key}@{n}{mark}") in seeded for one in part.tickets for n in of_phase)
        elif numbers[-1] < last and after[numbers[-1] + 1] == turn:
            assert all(ItemKey(f"ticket:{one.key}{mark}") in seeded for one in part.tickets)


@relaxed
@given(walks(), st.integers(1, 3))
def test_whatever_is_decided_what_was_prepared_is_wanted_still_or_passed_by_however_far_ahead_it_was(
    walk: tuple[Template, list[Step], object], ahead: int
) -> None:
    process, steps, _ = walk
    parameters = settled(process)
    stages = [Stage(one.iterations[0].phase, one.iterations[0].loop, one.iterations[0].of_phase) for one, _ in steps]
    begun = begin(process, *stages)
    prepared: dict[int | None, dict[ItemKey, int]] = {None: {}, ahead: {}}
    for number in range(1, len(steps) + 1):
        wanted = {}
        for far, before in prepared.items():
            placed: dict[ItemKey, int | None] = {key: n for key, n in before.items() if n < number}
            reach = max(before.values(), default=0)
            along = course(process, parameters, CALENDAR, begun[:number], ahead=far, reach=reach)
            drawn = blueprint(process, parameters, "Churn", "ML", CALENDAR, along, placed, number)
            wanted[far] = {
                one.key: int(one.iteration.removeprefix("iteration:"))
                for one in drawn.tickets
                if one.kind is TicketKind.WORK
            }
            gone = {key for key, n in before.items() if n >= number} - set(wanted[far])
            assert gone <= drawn.passed_by | drawn.put_off.keys()
            assert not (drawn.passed_by | drawn.put_off.keys()) & set(wanted[far])
            assert not drawn.passed_by & drawn.put_off.keys()
            prepared[far] = {key: n for key, n in before.items() if n < number} | wanted[far]
        known = min(max(found.values(), default=0) for found in wanted.values())
        near = [{key: n for key, n in found.items() if n <= known} for found in wanted.values()]
        assert near[0] == near[1]
