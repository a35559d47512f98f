"""A template filled in for a project: items, their order, their places and their text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.values import ItemKey, Priority
from service.domain.plan.blueprint import (
    Blueprint,
    PlannedEpic,
    PlannedIteration,
    PlannedLink,
    PlannedTicket,
    TicketKind,
)
from service.domain.problems import InvalidInput
from service.domain.team.calendar import Calendar, DateRange
from service.domain.template.template import Template
from tests.unit.domain.samples import build_and_run, draw, phase, template, ticket

relaxed = settings(deadline=None)


def by_key(drawn: Blueprint) -> dict[str, PlannedTicket]:
    return {str(one.key): one for one in drawn.tickets}


def keys_of(drawn: Blueprint, iteration: int) -> list[str]:
    return [str(one.key) for one in drawn.tickets if one.iteration == f"iteration:{iteration}"]


def links(drawn: Blueprint) -> list[str]:
    return [str(link.key) for link in drawn.links]


@pytest.fixture
def loop() -> Template:
    """A phase of two iterations, then a recurring one."""
    return build_and_run(points=3, turns="{{ turns }}")


def test_iterations_are_numbered_through_the_phases(loop: Template) -> None:
    drawn = draw(loop)
    assert [(i.key, i.phase, i.of_phase, i.turns) for i in drawn.iterations] == [
        ("iteration:1", "build", 1, 2),
        ("iteration:2", "build", 2, 2),
        ("iteration:3", "run", 1, 2),
        ("iteration:4", "run", 2, 2),
    ]


def test_an_iteration_has_its_name_its_aim_and_its_dates(loop: Template) -> None:
    second = draw(loop, calendar=Calendar("Europe/Berlin")).iterations[1]
    assert (second.title, second.goal) == ("ML Build 2", "Build for Churn.")
    assert second.dates == DateRange(date(2026, 3, 30), date(2026, 4, 12))
    assert (second.starts.isoformat(), second.ends.isoformat()) == (
        "2026-03-30T09:00:00+02:00",
        "2026-04-10T17:00:00+02:00",
    )


def test_a_focus_of_one_sentence_without_a_full_stop_is_the_aim_as_it_stands() -> None:
    drawn = draw(template(phase(ticket("make"), focus="find out\nwhat v1.2 does")))
    assert drawn.iterations[0].goal == "find out what v1.2 does"


def test_work_is_cut_along_its_needs_into_even_iterations(loop: Template) -> None:
    drawn = draw(loop)
    assert keys_of(drawn, 1) == ["ceremonies:1", "ticket:plan", "ticket:make", "record:1"]
    assert keys_of(drawn, 2) == ["ceremonies:2", "ticket:test", "record:2"]


def test_the_work_of_a_role_is_spread_even_if_another_does_it_in_its_stead() -> None:
    process = template(
        phase(
            ticket("make", 5),
            ticket("refine", 5, role="feature"),
            ticket("feed", 5, role="data"),
            ticket("clean", 5, role="data"),
            iterations=2,
        )
    )
    for iteration in (1, 2):
        roles = [one.role for one in draw(process).tickets if one.iteration == f"iteration:{iteration}"]
        assert roles.count("data") == 1


def test_a_recurring_phase_has_all_its_work_in_every_iteration(loop: Template) -> None:
    drawn = draw(loop)
    assert keys_of(drawn, 3) == ["ceremonies:3", "ticket:watch@1", "ticket:fix@1", "record:3"]
    assert keys_of(drawn, 4) == ["ceremonies:4", "ticket:watch@2", "ticket:fix@2", "record:4"]


def test_recurring_work_needs_its_own_turn_and_what_came_before(loop: Template) -> None:
    found = by_key(draw(loop))
    assert found["ticket:watch@2"].needs == ("ticket:test",)
    assert found["ticket:fix@2"].needs == ("ticket:watch@2",)


def test_a_later_phase_needs_the_last_turn_of_recurring_work() -> None:
    process = template(
        phase(ticket("watch"), recurring=True, iterations=3),
        phase(ticket("close", needs=("watch",)), key="end", epic="over"),
    )
    assert by_key(draw(process))["ticket:close"].needs == ("ticket:watch@3",)


def test_what_waits_for_a_ticket_from_the_other_end_needs_it_too() -> None:
    process = template(phase(ticket("make"), ticket("approve", before=["make"])))
    assert by_key(draw(process))["ticket:make"].needs == ("ticket:approve",)
    assert keys_of(draw(process), 1)[1:3] == ["ticket:approve", "ticket:make"]


def test_a_record_that_closes_a_phase_waits_for_what_ends_it_and_no_more() -> None:
    ends = {"output": "it", "needs": ["make", "test", "ask"]}
    process = template(
        phase(ticket("make"), ticket("test", needs=("make",)), ticket("ask"), ticket("rest", needs=("ask",)), exit=ends)
    )
    assert by_key(draw(process))["record:1"].needs == ("ticket:test", "ticket:ask")


def test_a_record_on_the_way_waits_for_the_last_of_its_iteration_s_work(loop: Template) -> None:
    assert by_key(draw(loop))["record:1"].needs == ("ticket:make",)


def test_the_record_of_every_turn_of_a_recurring_phase_closes_it(loop: Template) -> None:
    found = by_key(draw(loop))
    for turn in (3, 4):
        assert found[f"record:{turn}"].needs == (f"ticket:fix@{turn - 2}",)
        assert "**Ends the phase:**" in found[f"record:{turn}"].text


def test_links_say_who_waits_for_whom(loop: Template) -> None:
    drawn = draw(loop)
    assert links(drawn)[:3] == ["link:make>plan", "link:record:1>make", "link:test>make"]
    assert "link:fix@2>watch@2" in links(drawn)
    first = drawn.links[0]
    assert (first.source, first.target, first.title) == ("ticket:make", "ticket:plan", "Do make waits for Do plan")


def test_a_ticket_that_is_off_is_gone_with_its_links() -> None:
    process = template(
        phase(ticket("plan"), ticket("approve", when={"scale": "growing"}, before=["make"]), ticket("make"))
    )
    assert "ticket:approve" not in by_key(draw(process))
    assert links(draw(process)) == ["link:record:1>make"]
    assert "link:make>approve" in links(draw(process, scale="growing"))


def test_an_epic_that_is_off_is_gone() -> None:
    process = template(phase(ticket("make")))
    extra = {"key": "more", "title": "More", "description": "More.", "when": {"scale": "growing"}}
    value = process.model_dump()
    value["phases"][0]["epics"] += (extra,)
    process = Template.model_validate(value)
    assert [epic.key for epic in draw(process).epics] == ["epic:work"]
    assert [epic.key for epic in draw(process, scale="growing").epics] == ["epic:work", "epic:more"]


def test_a_ticket_reads_in_one_fixed_form() -> None:
    ends = {"output": "a model\nthat works", "needs": ["make"]}
    process = template(phase(ticket("make", reviewers=["pm", "qa"], priority="high", done=["a", "b"]), exit=ends))
    found = by_key(draw(process))["ticket:make"]
    assert found.text == (
        "How to do make.\n\n"
        "**Deliverable:** the make\n\n"
        "**Role:** ML Engineer\n\n"
        "**Reviewed by:** Product Manager, QA Engineer\n\n"
        "**Ends the phase:** Build things, whose output is: a model that works"
    )
    assert (found.title, found.checklist, found.priority) == ("Do make", ("a", "b"), Priority.HIGH)
    assert (found.role, found.reviewers, found.epic, found.points) == ("ml", ("pm", "qa"), "epic:work", 3)


def test_placeholders_are_filled_in_everywhere() -> None:
    text = "{{ project.name }}/{{ project.key }}/{{ phase.title }}/{{ phase.focus }}/{{ phase.output }}/{{ method }}"
    filled = "Churn/ML/Build things/Aim of Churn/a thing that works/kanban"
    everything: dict[str, Any] = {"title": text, "description": text, "done": [text], "deliverable": text}
    process = template(
        phase(
            ticket("make", **everything),
            focus="Aim of {{ project.name }}",
            epics=[{"key": "work", "title": text, "description": text}],
        )
    )
    drawn = draw(process, method="kanban")
    found = by_key(drawn)["ticket:make"]
    assert (found.title, found.checklist) == (filled, (filled,))
    assert found.text.count(filled) == 2
    assert drawn.epics[0].title == filled
    assert drawn.epics[0].text.startswith(filled + "\n\n")


def test_an_epic_says_what_its_phase_is_for_and_when_it_is_over() -> None:
    process = template(phase(ticket("make"), ticket("check"), focus="Build things."))

    text = draw(process).epics[0].text

    assert "Build things." in text
    assert "**The phase is over with:**" in text
    assert "check" in text.rpartition("over with")[2].casefold()


def test_recurring_work_may_name_its_iteration() -> None:
    process = template(
        phase(ticket("watch", title="Watch {{ iteration.number }}, {{ iteration.of_phase }} of {{ iteration.last }}")),
        phase(
            ticket("again", title="Turn {{ iteration.number }}: {{ iteration.of_phase }} of {{ iteration.last }}"),
            key="run",
            epic="ops",
            recurring=True,
            iterations=2,
        ),
    )
    assert by_key(draw(process))["ticket:again@2"].title == "Turn 3: 2 of 2"


def test_a_record_has_a_heading_for_every_section_with_its_prompt_quoted_and_says_what_the_phase_is_for() -> None:
    found = by_key(draw(template()))["record:1"]
    assert found.text == (
        "What was learnt in Build things.\n\n"
        "**Written by:** ML Engineer\n\n"
        "**Signed by:** Product Manager, not by the author\n\n"
        "**Ends the phase:** Build things, whose output is: a thing that works\n\n"
        "## Goal\n\n**Focus of Build things:** Build for Churn. Then more.\n\n> What was it?\n> Why?\n\n"
        "## Risks\n\n> Which?\n\n"
        "## Tickets and figures\n\n*phaseloop fills this in from the tracker before the iteration ends.*"
    )
    assert (found.kind, found.role, found.reviewers, found.points) == (TicketKind.RECORD, "ml", ("pm",), 2)
    assert (found.title, found.epic) == ("Record of iteration 1", "epic:work")


def test_a_phase_may_end_without_its_record() -> None:
    process = template(phase(ticket("make"), exit={"output": "it", "needs": ["make"], "record": False}))
    assert "**Ends the phase:**" not in by_key(draw(process))["record:1"].text


def test_the_meetings_are_one_ticket_to_tick_off() -> None:
    found = by_key(draw(template()))["ceremonies:1"]
    assert found.kind is TicketKind.CEREMONIES
    assert found.checklist == ("Planning: at the start, 90 minutes", "Stand-up: every working day, 15 minutes")
    assert found.text == (
        "Tick what was held.\n\n"
        "- **Planning** (at the start, 90 minutes, everybody): The goal is clear.\n"
        "- **Stand-up** (every working day, 15 minutes, ML Engineer): Nobody is stuck."
    )
    assert (found.role, found.needs) == ("pm", ())


def test_without_sprints_there_are_date_windows_and_the_meetings_that_the_template_has() -> None:
    drawn = draw(template(), method="kanban")
    work = [TicketKind.WORK, TicketKind.WORK, TicketKind.RECORD]
    assert [one.kind for one in drawn.tickets] == [TicketKind.CEREMONIES, *work]
    assert len(drawn.iterations) == 1
    scrum_only = {**template().model_dump()["ceremonies"], "when": {"method": "scrum"}}
    assert [one.kind for one in draw(template(ceremonies=scrum_only), method="kanban").tickets] == work


def test_meetings_can_be_switched_off_one_by_one_or_together() -> None:
    ceremonies = template().model_dump()["ceremonies"]
    quiet = {**ceremonies, "when": {"scale": "growing"}}
    assert "ceremonies:1" not in by_key(draw(template(ceremonies=quiet)))
    few = {**ceremonies, "events": [ceremonies["events"][0], {**ceremonies["events"][1], "when": {"scale": "growing"}}]}
    assert by_key(draw(template(ceremonies=few)))["ceremonies:1"].checklist == ("Planning: at the start, 90 minutes",)
    assert len(by_key(draw(template(ceremonies=few), scale="growing"))["ceremonies:1"].checklist) == 2


def test_a_text_names_who_stands_in_for_a_role_that_is_off() -> None:
    process = template(phase(ticket("make", role="feature", reviewers=["feature", "pm"])))
    small, growing = by_key(draw(process))["ticket:make"], by_key(draw(process, scale="growing"))["ticket:make"]
    assert "**Role:** ML Engineer\n\n**Reviewed by:** ML Engineer, Product Manager" in small.text
    assert "**Role:** Feature Specialist\n\n**Reviewed by:** Feature Specialist, Product Manager" in growing.text
    assert small.role == growing.role == "feature"


def test_a_reviewer_who_is_off_and_has_no_stand_in_is_left_out() -> None:
    value = template(phase(ticket("make", reviewers=["feature"]))).model_dump()
    value["roles"]["feature"]["fallback"] = None
    assert "Reviewed by" not in by_key(draw(Template.model_validate(value)))["ticket:make"].text


def test_iterations_that_never_fall_on_a_working_day_are_refused() -> None:
    cadence = {**template().model_dump()["cadence"], "iteration_days": 5}
    with pytest.raises(InvalidInput, match=r"iteration 1 .* has no working day"):
        draw(template(cadence=cadence), calendar=Calendar(working_days=frozenset({6})))


@st.composite
def processes(draw_from: st.DrawFn) -> Template:
    """Templates of one to three phases, with needs that point backwards."""
    phases = []
    earlier: list[str] = []
    for number in range(draw_from(st.integers(1, 3))):
        tickets = []
        for index in range(draw_from(st.integers(1, 6))):
            key = f"t{number}-{index}"
            needs = draw_from(st.lists(st.sampled_from(earlier), unique=True, max_size=2)) if earlier else []
            tickets.append(ticket(key, draw_from(st.integers(0, 13)), tuple(needs)))
            earlier.append(key)
        turns, recurring = draw_from(st.integers(1, 4)), draw_from(st.booleans())
        phases.append(
            phase(
                *draw_from(st.permutations(tickets)),
                key=f"phase{number}",
                epic=f"epic{number}",
                iterations=turns,
                recurring=recurring,
            )
        )
    return template(*phases)


@relaxed
@given(processes())
def test_every_ticket_comes_after_what_it_needs_and_never_in_an_earlier_iteration(process: Template) -> None:
    drawn = draw(process)
    iteration = {one.key: int(one.iteration.removeprefix("iteration:")) for one in drawn.tickets}
    seen: set[ItemKey] = set()
    for one in drawn.tickets:
        assert set(one.needs) <= seen
        assert all(iteration[need] <= iteration[one.key] for need in one.needs)
        seen.add(one.key)
    assert list(iteration.values()) == sorted(iteration.values())


def keys_in(part: Iterable[PlannedEpic | PlannedIteration | PlannedTicket | PlannedLink]) -> list[ItemKey]:
    return [one.key for one in part]


@relaxed
@given(processes())
def test_every_item_has_a_key_of_its_own_and_every_reference_leads_to_an_item(process: Template) -> None:
    drawn = draw(process)
    parts = (drawn.epics, drawn.iterations, drawn.tickets, drawn.links)
    keys = {key for part in parts for key in keys_in(part)}
    assert len(keys) == sum(len(part) for part in parts)
    for one in drawn.tickets:
        assert {one.epic, one.iteration, *one.needs} <= keys
    assert {(link.source, link.target) for link in drawn.links} == {
        (one.key, need) for one in drawn.tickets for need in one.needs
    }


@relaxed
@given(processes())
def test_every_iteration_is_recorded_once_and_all_work_is_placed(process: Template) -> None:
    drawn = draw(process)
    for iteration in drawn.iterations:
        kinds = [one.kind for one in drawn.tickets if one.iteration == iteration.key]
        assert kinds.count(TicketKind.RECORD) == kinds.count(TicketKind.CEREMONIES) == 1
    numbers = Counter(iteration.phase for iteration in drawn.iterations)
    for part in process.phases:
        placed = [one for one in drawn.tickets if one.phase == part.key and one.kind is TicketKind.WORK]
        assert len(placed) == len(part.tickets) * (numbers[part.key] if part.recurring else 1)
