"""The loop turns: iterations begin and end by the clock and by hand, work is carried over, phases follow each other.
Seen in the sandbox's Jira by plain HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from service.domain.loop import loop_state
from service.domain.plan import run_state
from service.usecases.errors import Conflict
from service.usecases.loop import advances, decisions, scheduling
from service.usecases.plan import planning
from service.usecases.run import cleanup, plan_apply, run_control, run_views
from tests.integration.jira_team import JiraTeam
from tests.integration.turntable import Turntable, turntable
from tests.waiting import eventually

FIRST, SECOND, THIRD = "2026-03-02T09:00", "2026-03-16T09:00", "2026-03-30T09:00"


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Turntable]:
    with turntable(tmp_path / "home") as opened:
        yield opened


@pytest.fixture
def team(table: Turntable) -> JiraTeam:
    return JiraTeam(table.url)


def test_the_loop_begins_with_the_first_apply_and_its_first_iteration_is_due_when_it_starts(table: Turntable) -> None:
    table.plan_and_apply()

    assert table.loop.state == loop_state.TURNING
    assert (table.loop.current, table.loop.due) == (0, loop_state.ADVANCE)
    assert table.due() == datetime.fromisoformat(f"{FIRST}:00+00:00")


def test_the_clock_begins_the_first_iteration(table: Turntable, team: JiraTeam) -> None:
    table.plan_and_apply()

    run = table.turned(1, FIRST)

    assert (run.state, run.started_by) == (run_state.COMPLETED, "clock"), run.findings
    assert team.states() == {"Data 1": "active", "Data 2": "future", "Model 3": "future", "Care 4": "future"}
    assert table.loop.current == 1
    assert table.iteration(1).began_by == run.id
    assert [ticket["key"] for ticket in table.iteration(1).tickets] == [
        "ceremonies:1",
        "ticket:goals",
        "ticket:load",
        "record:1",
    ]


def test_an_advance_closes_carries_over_and_begins(table: Turntable, team: JiraTeam) -> None:
    table.plan_and_apply()
    table.turned(1, FIRST)
    table.set("2026-03-10T10:00")
    team.finish("Set the goals")
    guest = team.make("Something urgent")
    team.put_into("Data 1", "Something urgent")

    run = table.turned(2, SECOND)

    assert run.state == run_state.COMPLETED, run.findings
    states = team.states()
    assert (states["Data 1"], states["Data 2"]) == ("closed", "active")
    assert team.inside("Data 1") >= {"Set the goals", "Meetings 1"}
    assert (team.status("Meetings 1"), team.status("Meetings 2")) == ("Done", "To Do")
    assert "1 completed with it" in table.told("closed:1")
    assert {"Load the data", "Clean the data", "Something urgent", "Document iteration 1"} <= team.inside("Data 2")
    assert team.issues()["Something urgent"]["key"] == guest
    assert team.item_of("Something urgent") is None
    closed = table.iteration(1)
    assert closed.closed_by == run.id
    outcomes = {ticket["key"].partition(":")[2]: ticket["outcome"] for ticket in closed.tickets}
    assert outcomes["goals"] == "done"
    assert outcomes["load"] == "carried"
    assert closed.figures is not None
    assert table.wanted("ticket:load")["iteration"] == "iteration:2"
    assert {"closed:1", "began:2"} <= set(table.events())


def test_a_phase_goes_on_until_its_exit_is_reached_and_is_followed_by_the_next_one(
    table: Turntable, team: JiraTeam
) -> None:
    table.plan_and_apply()
    table.turned(1, FIRST)
    table.turned(2, SECOND)

    longer = table.turned(3, THIRD)  # nothing is done: the data phase, planned for two iterations, continues

    assert longer.state == run_state.COMPLETED, longer.findings
    assert (table.iteration(3).phase, table.iteration(3).of_phase) == ("data", 3)
    assert team.states()["Data 3"] == "active"
    assert {"Set the goals", "Load the data", "Clean the data"} <= team.inside("Data 3")
    assert {"Train a model", "Judge the model"} <= team.inside("Model 4")
    assert "carried-often:ticket:goals:3" not in table.events()

    team.finish("Set the goals", "Load the data", "Clean the data", "Document iteration 3")
    table.turned(4, "2026-04-13T09:00")

    assert (table.iteration(4).phase, table.iteration(4).of_phase) == ("model", 1)
    assert team.states()["Model 4"] == "active"
    assert {"Document iteration 1", "Document iteration 2"} <= team.inside("Model 4")
    assert "carried:3" in team.labels("Document iteration 1")
    assert "carried-often:record:1:3" in table.events()


def test_an_early_advance_begins_today_and_ends_as_planned_and_asking_twice_is_one_run(
    table: Turntable, team: JiraTeam
) -> None:
    table.plan_and_apply()
    table.turned(1, FIRST)
    table.set("2026-03-11T10:00")

    run = table.advanced(2)
    again = table.run(f"advance-{table.project}-2")

    assert run.state == run_state.COMPLETED, run.findings
    assert again is not None
    assert again.id == run.id
    assert team.states()["Data 2"] == "active"
    began = table.iteration(2)
    assert (began.first.isoformat(), began.last.isoformat()) == ("2026-03-11", "2026-03-29")
    assert team.sprint("Data 2")["startDate"].startswith("2026-03-11")
    assert table.due() == datetime.fromisoformat(f"{THIRD}:00+00:00")


def test_a_preview_writes_nothing_and_says_what_an_advance_would_do(table: Turntable, team: JiraTeam) -> None:
    table.plan_and_apply()
    table.turned(1, FIRST)
    table.set("2026-03-11T10:00")
    before = table.writes()

    draft = advances.preview(table.context, "ML", answers={"ticket:load": "backlog"})

    assert table.writes() == before
    assert draft.writes == 0
    turnover = draft.plan.turnover
    assert turnover is not None
    assert (turnover.closes, turnover.begins, turnover.title) == (1, 2, "Data 2")
    policies = {one.key: one.policy.value for one in turnover.carried}
    assert policies == {
        "ceremonies:1": "complete",
        "ticket:goals": "next",
        "ticket:load": "backlog",
        "record:1": "next",
    }


def test_a_person_sends_the_loop_back_to_a_phase_whose_work_is_made_anew(table: Turntable, team: JiraTeam) -> None:
    table.plan_and_apply()
    table.turned(1, FIRST)
    team.finish("Set the goals", "Load the data", "Clean the data", "Document iteration 1")
    table.turned(2, SECOND)
    assert table.iteration(2).phase == "model"
    decisions.decide(table.context, "ML", "back", "data", "The labels are wrong.", "lead@example.com")

    run = table.turned(3, THIRD)

    assert run.state == run_state.COMPLETED, run.findings
    row = table.iteration(3)
    assert (row.phase, row.loop, row.of_phase) == ("data", 2, 1)
    titles = team.titles()
    assert titles["Set the goals"] == 2  # as the first turn of the loop left it, and the new one
    assert {"Train a model", "Judge the model", "Set the goals", "Load the data"} <= team.inside(row.title)
    assert table.wanted("ticket:goals~2")["epic"] == "epic:data~2"
    assert table.loop.decision is None


def test_a_person_ends_the_project(table: Turntable, team: JiraTeam) -> None:
    table.plan_and_apply()
    table.turned(1, FIRST)
    decisions.decide(table.context, "ML", "end", None, "The money is spent.", "lead@example.com")

    run = table.turned(2, SECOND)

    assert run.state == run_state.COMPLETED, run.findings
    assert team.states() == {"Data 1": "closed", "Data 2": "future", "Model 3": "future", "Care 4": "future"}
    assert table.loop.state == loop_state.ENDED
    assert "ended" in table.events()
    with pytest.raises(Conflict):
        advances.advance(table.context, "ML", "lead@example.com", table.engine.start)


def test_it_holds_while_another_sprint_is_active_and_goes_on_by_itself(table: Turntable, team: JiraTeam) -> None:
    table.plan_and_apply()
    table.turned(1, FIRST)
    team.set_state("Data 1", "closed")
    team.make_sprint("Somebody's own")
    team.set_state("Somebody's own", "active")

    held = table.turned(2, SECOND)

    assert held.state == run_state.HELD
    assert any("Somebody's own" in finding["message"] for finding in held.findings), held.findings
    assert table.loop.current == 1
    team.set_state("Somebody's own", "closed")

    table.set("2026-03-16T10:00")
    run = table.ended(held.id)

    assert run.state == run_state.COMPLETED, run.findings
    assert run.attempt == 2
    assert team.states()["Data 2"] == "active"
    assert table.loop.current == 2


def test_missed_bounds_are_made_up_for_one_after_the_other(table: Turntable, team: JiraTeam) -> None:
    table.plan_and_apply()

    table.set("2026-04-14T09:00")
    last = eventually(lambda: table.has_begun(4), 240)

    assert last
    assert [table.iteration(number).title for number in (1, 2, 3, 4)] == ["Data 1", "Data 2", "Data 3", "Data 4"]
    states = team.states()
    assert (states["Data 3"], states["Data 4"]) == ("closed", "active")
    assert [name for name in table.events() if name.startswith("began:")] == [f"began:{n}" for n in (1, 2, 3, 4)]


def test_who_has_left_does_not_hold_the_loop_up(table: Turntable, team: JiraTeam) -> None:
    table.plan_and_apply()
    table.turned(1, FIRST)
    team.leave("data-1@example.com")

    run = table.turned(2, SECOND)

    assert run.state == run_state.COMPLETED, run.findings
    assert "person-left" in {finding["code"] for finding in run.findings}
    assert team.assignee("Clean the data") is None
    assert "vacant:data" in team.labels("Clean the data")


def test_an_ordinary_plan_after_an_advance_has_nothing_to_do(table: Turntable, team: JiraTeam) -> None:
    table.plan_and_apply()
    table.turned(1, FIRST)
    team.finish("Set the goals")
    table.turned(2, SECOND)

    plan = planning.draft(table.context, "ML").plan

    assert plan.empty, [change for change in plan.changes if change.action != "keep"]
    assert plan.drift == ()


def test_a_plan_made_while_an_advance_is_held_keeps_to_what_it_decided(table: Turntable, team: JiraTeam) -> None:
    table.plan_and_apply()
    table.turned(1, FIRST)
    team.finish("Set the goals", "Load the data", "Clean the data", "Document iteration 1")
    team.set_state("Data 1", "closed")
    team.make_sprint("Somebody's own")
    team.set_state("Somebody's own", "active")
    held = table.turned(2, SECOND)
    assert held.state == run_state.HELD

    plan = planning.draft(table.context, "ML").plan

    assert [change for change in plan.changes if change.writes and change.key == "iteration:2"] == []
    assert team.states()["Model 2"] == "future"
    team.set_state("Somebody's own", "closed")
    table.set("2026-03-16T10:00")
    run = table.ended(held.id)
    assert run.state == run_state.COMPLETED, run.findings
    assert (table.iteration(2).phase, team.states()["Model 2"]) == ("model", "active")


def test_a_cancelled_advance_pauses_the_loop_and_is_taken_up_where_it_stopped(table: Turntable, team: JiraTeam) -> None:
    table.plan_and_apply()
    table.turned(1, FIRST)
    team.finish("Set the goals")
    team.make_sprint("Somebody's own")
    team.set_state("Data 1", "closed")
    team.set_state("Somebody's own", "active")
    held = table.turned(2, SECOND)
    assert held.state == run_state.HELD
    run_control.cancel(table.context, held.id, "lead@example.com")
    assert table.loop.state == loop_state.PAUSED
    with pytest.raises(Conflict):
        advances.advance(table.context, "ML", "lead@example.com", table.engine.start)
    team.set_state("Somebody's own", "closed")

    again = run_control.resume(table.context, held.id, "lead@example.com", table.engine.start)
    run = table.ended(again.id, *run_state.ENDED, run_state.HELD)

    assert run.id != held.id
    assert run.state == run_state.COMPLETED, run.findings
    assert (table.loop.state, table.loop.current) == (loop_state.TURNING, 2)
    assert team.states()["Data 2"] == "active"
    assert set(team.titles().values()) == {1}


def test_a_plan_of_an_advance_is_not_applied_by_itself(table: Turntable) -> None:
    table.plan_and_apply()
    kept = planning.keep(table.context, advances.preview(table.context, "ML"))

    with pytest.raises(Conflict, match="not applied by itself"):
        plan_apply.apply(table.context, kept.id, "lead@example.com", table.engine.start)


def test_runs_of_a_loop_are_cleaned_up_and_can_be_looked_at_still(table: Turntable) -> None:
    table.plan_and_apply()
    run = table.turned(1, FIRST)
    scheduling.pause(table.context, "ML", "lead@example.com", "Summer.")
    table.set("2026-12-01T09:00")

    cleanup.clean(table.context)

    assert run_views.progress(table.context, run.id).run.cleaned_at is not None
