"""What pages will show, as use cases make it: plans in groups, steps and their items, who is needed, how fresh figures
are, planned and expected phases. In a tracker in memory, without HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from connectors import registry
from connectors.errors import FieldProblem
from connectors.values import Item
from service.domain.plan import run_state
from service.usecases.loop import decisions, scheduling
from service.usecases.loop.forecast import forecast
from service.usecases.overview.freshness import tracker_freshness
from service.usecases.overview.needs import needs_someone
from service.usecases.plan import planning
from service.usecases.plan.grouped_plan import grouped
from service.usecases.run import plan_apply, run_control, run_steps, run_views
from service.usecases.setup import connections, teams
from service.views.overview import Reason
from tests.contract.memory_tracker import tracker as memory
from tests.contract.memory_tracker.kind import MEMORY
from tests.contract.memory_tracker.site import OWNER, SITES
from tests.integration.test_third_tracker import FIRST, MemoryTable, memory_table
from tests.integration.turntable import team
from tests.waiting import eventually

SECOND_PROPOSED = "2026-03-13T17:00"


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryTable]:
    monkeypatch.setitem(registry.KINDS, MEMORY.name, MEMORY)
    with memory_table(tmp_path / "home") as opened:
        yield opened
    SITES.clear()


def refused_run(table: MemoryTable, monkeypatch: pytest.MonkeyPatch, key: str = "ticket:load") -> str:
    """The id of an ended run of a plan one of whose items the tracker refuses, which nobody could know before."""
    plan = planning.make_plan(table.context, table.project)

    def problems(item: Item) -> tuple[FieldProblem, ...]:
        return (FieldProblem("points", "is not on the screen"),) if item.key == key else ()

    monkeypatch.setattr(memory, "_problems", problems)
    run = table.applied(plan)  # type: ignore[arg-type]
    assert run.state == run_state.INCOMPLETE
    eventually(table.has_loop)
    return run.id


# --- a plan in groups -------------------------------------------------------------------------------------------------


def test_a_plan_is_grouped_by_epic_by_iteration_and_by_person(table: MemoryTable) -> None:
    found = grouped(table.context, planning.make_plan(table.context, table.project).id)

    assert [group.title for group in found.by_epic][:2] == ["Data", "Model"]
    assert [group.title for group in found.by_iteration] == ["Data 1", "Data 2", "Model 3", "Care 4"]
    load = next(one for group in found.by_epic for one in group.tickets if one.key == "ticket:load")
    assert (load.title, load.action, load.epic, load.iteration) == (
        "Load the data",
        "create",
        "epic:data",
        "iteration:1",
    )
    mine = next(group for group in found.by_person if load in group.tickets)
    assert (mine.title, mine.vacancies) == (load.person, 0)
    assert mine.points == sum(one.points or 0 for one in mine.tickets)


def test_every_ticket_of_a_plan_is_in_one_group_of_each_kind(table: MemoryTable) -> None:
    found = grouped(table.context, planning.make_plan(table.context, table.project).id)

    every = [
        sorted(one.key for group in groups for one in group.tickets) for groups in (found.by_epic, found.by_person)
    ]
    assert every[0] == every[1] == sorted(one.key for group in found.by_iteration for one in group.tickets)
    assert len(set(every[0])) == len(every[0])


def test_tickets_that_nobody_can_take_are_the_last_group_with_their_reasons(table: MemoryTable) -> None:
    left = tuple(one for one in team().members if "data" not in one.roles)
    teams.put(table.context, team().model_copy(update={"members": left}))

    found = grouped(table.context, planning.make_plan(table.context, table.project).id)

    nobody = found.by_person[-1]
    assert (nobody.key, nobody.title) == ("", "")
    assert {one.key for one in found.vacancies} <= {one.key for one in nobody.tickets}
    assert "ticket:load" in {one.key for one in found.vacancies}
    assert all(one.vacancy for one in found.vacancies)
    assert nobody.vacancies == len(nobody.tickets)


# --- the steps of a run -----------------------------------------------------------------------------------------------


def test_steps_are_counted_as_a_run_counts_them_and_no_two_have_one_name(table: MemoryTable) -> None:
    run = table.plan_and_apply()

    found = run_steps.steps(table.context, run.id)

    progress = run_views.progress(table.context, run.id)
    assert (found.done, found.total) == (progress.done, progress.steps)
    counted = [one for one in found.steps if one.number > 0]
    assert [one.number for one in counted] == list(range(1, found.total + 1))
    names = [one.name for one in counted if one.name.startswith("Create")]
    assert len(set(names)) == len(names) > 1
    assert any(name.startswith("Create 1 epic: Data") or "epics: Data, Model" in name for name in names)
    assert {one.state for one in counted} == {"done"}
    assert sum(one.writes for one in found.steps) == progress.requests.writes


def test_steps_that_were_not_begun_are_there_to_do(table: MemoryTable) -> None:
    table.engine.stop()
    plan = planning.make_plan(table.context, table.project)
    run = plan_apply.apply(table.context, plan.id, "lead@example.com", lambda _workflow, _partition: None)

    found = run_steps.steps(table.context, run.id)

    assert (found.total, found.done, found.steps) == (0, 0, ())
    run_control.cancel(table.context, run.id, "lead@example.com")
    table.engine.launch()


def test_each_item_of_a_step_says_what_became_of_it_why_and_who_can_fix_it(
    table: MemoryTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = refused_run(table, monkeypatch)
    step = next(
        one
        for one in run_steps.steps(table.context, run_id).steps
        if one.number and one.name.startswith("Create") and "ticket" in one.name and "Load the data" in one.name
    )

    found = run_steps.results(table.context, run_id, step.number)

    became = {one.key: one for one in found.items}
    load = became["ticket:load"]
    assert (load.state, load.title) == ("failed", "Load the data")
    assert "points: is not on the screen" in load.cause
    assert load.who == "the template's author, the team's owner or an administrator of the tracker"
    assert "plan again and apply" in load.fix
    others = [one for key, one in became.items() if key != "ticket:load"]
    assert all((one.state, one.cause, one.who) == ("done", "", "") for one in others)
    assert found.to_json()["results"][0].keys() == load.to_json().keys()


def test_what_people_changed_meanwhile_is_left_and_not_failed(table: MemoryTable) -> None:
    table.plan_and_apply()
    load = table.ticket("Load the data")
    load.title = "Load more"
    plan = planning.make_plan(table.context, table.project, planning.Wish(restore=("ticket:load",)))
    load.title = "Load even more"
    run = table.applied(plan)  # type: ignore[arg-type]

    steps = run_steps.steps(table.context, run.id)
    found = [
        one
        for step in steps.steps
        if step.number
        for one in run_steps.results(table.context, run.id, step.number).items
        if one.key == "ticket:load"
    ]

    assert {one.state for one in found} == {"left"}
    assert "Load even more" in found[0].cause


# --- who is needed ----------------------------------------------------------------------------------------------------


def test_a_project_that_is_well_needs_nobody(table: MemoryTable) -> None:
    table.plan_and_apply()

    assert needs_someone(table.context) == []


def test_of_several_reasons_the_most_urgent_one_is_given(table: MemoryTable, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = refused_run(table, monkeypatch)

    [need] = needs_someone(table.context)
    assert (need.project.key, need.reason, need.run) == ("ML", Reason.RUN_INCOMPLETE, run_id)
    assert need.who == "the template's author, the team's owner or an administrator of the tracker"

    scheduling.pause(table.context, "ML", "lead@example.com", "The team is away")
    [need] = needs_someone(table.context)
    assert (need.reason, need.message, need.who) == (Reason.PAUSED, "The team is away", "lead@example.com")
    assert need.fix == "When it shall continue: phaseloop schedule resume ML"


def test_a_run_that_is_held_comes_before_everything_else(table: MemoryTable) -> None:
    table.plan_and_apply()
    project = table.site.project("ML")
    assert project is not None
    project.deleted = True
    run = table.turned(1, FIRST)
    assert run.state == run_state.HELD

    [need] = needs_someone(table.context)

    assert (need.reason, need.run, need.message) == (Reason.HELD, run.id, run.findings[0]["message"])
    assert need.fix == run.findings[0]["fix"]


def test_tickets_without_a_person_are_a_reason_of_their_own(table: MemoryTable) -> None:
    left = tuple(one for one in team().members if "data" not in one.roles)
    teams.put(table.context, team().model_copy(update={"members": left}))
    table.plan_and_apply()

    [need] = needs_someone(table.context)

    assert (need.reason, need.count > 1) == (Reason.VACANCIES, True)
    assert need.to_json()["reason"] == "tickets without a person"


def test_whoever_may_not_see_a_project_is_not_told_of_it(table: MemoryTable, monkeypatch: pytest.MonkeyPatch) -> None:
    refused_run(table, monkeypatch)

    assert needs_someone(replace(table.context, sees=frozenset())) == []


# --- how fresh figures are --------------------------------------------------------------------------------------------


def test_each_tracker_says_when_it_was_read_last_and_by_what(table: MemoryTable) -> None:
    connections.put(table.context, "unused", "memory", {"site": "third"}, OWNER)
    [ours, unused] = tracker_freshness(table.context)
    assert (ours.name, ours.read_at, ours.trouble) == ("tracker", None, "")
    assert (unused.name, unused.projects, unused.read_at) == ("unused", (), None)

    plan = planning.make_plan(table.context, table.project)
    [ours, _] = tracker_freshness(table.context)
    assert (ours.read_at, ours.projects[0].by) == (plan.created_at, "plan")

    table.applied(plan)  # type: ignore[arg-type]
    [ours, _] = tracker_freshness(table.context)
    assert ours.read_at is not None
    assert (ours.read_at > plan.created_at, ours.projects[0].by) == (True, "run")
    assert ours.to_json()["projects"][0]["project"]["key"] == "ML"


# --- phases -----------------------------------------------------------------------------------------------------------


def test_before_anything_happened_the_expected_phases_are_the_planned_ones(table: MemoryTable) -> None:
    table.plan_and_apply()

    found = forecast(table.context, "ML")

    assert [(one.iteration, one.planned, one.expected) for one in found] == [
        (1, "data", "data"),
        (2, "data", "data"),
        (3, "model", "model"),
        (4, "care", "care"),
    ]
    assert not any(one.differs or one.why for one in found)


def test_a_decision_changes_what_is_expected_and_not_what_was_planned(table: MemoryTable) -> None:
    table.plan_and_apply()
    table.turned(1, FIRST)
    decisions.decide(table.context, "ML", "next", None, "The data is there", "lead@example.com")

    current, coming, third, *_ = forecast(table.context, "ML")

    assert (current.iteration, current.open, current.planned, current.expected) == (1, True, "data", "data")
    assert (coming.planned, coming.expected, coming.differs) == ("data", "model", True)
    assert coming.why.startswith("decided by lead@example.com: ")
    assert (third.planned, third.expected) == ("model", "care")
    assert third.why == "the phases before it took more or fewer iterations than planned"


def test_the_end_is_expected_where_it_was_decided(table: MemoryTable) -> None:
    table.plan_and_apply()
    table.turned(1, FIRST)
    decisions.decide(table.context, "ML", "end", None, "It is not worth it", "lead@example.com")

    assert [one.expected for one in forecast(table.context, "ML")] == ["data", None, None, None]
