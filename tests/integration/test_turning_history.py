"""What is kept of iterations that really turned, and people's word in a loop that turns: seen by plain HTTP."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

from service.domain.loop.figures import Cycle, Outcome, Sum
from service.domain.plan import run_state
from service.usecases.audit.history import history, tickets_csv
from service.usecases.errors import Conflict
from service.usecases.loop import decisions, scheduling
from service.usecases.loop.flow import flow, flow_json
from tests.integration.jira_team import JiraTeam
from tests.integration.turntable import Turntable, turntable

FIRST, SECOND, THIRD = "2026-03-02T09:00", "2026-03-16T09:00", "2026-03-30T09:00"
LEAD = "lead@example.com"


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Turntable]:
    with turntable(tmp_path / "home") as opened:
        opened.plan_and_apply()
        yield opened


@pytest.fixture
def team(table: Turntable) -> JiraTeam:
    return JiraTeam(table.url)


def test_the_history_of_an_iteration_tells_every_ticket_once_and_outlives_the_tracker(
    table: Turntable, team: JiraTeam
) -> None:
    table.turned(1, FIRST)
    table.set("2026-03-03T10:00")
    team.bring("Set the goals", "In Progress")
    team.make("Something urgent")
    team.put_into("Data 1", "Something urgent", "Clean the data")  # planned for the second iteration
    team.put_into("Data 2", "Load the data")
    table.set("2026-03-05T16:00")
    team.finish("Set the goals")
    decisions.answer(table.context, table.project, {team.key("Clean the data"): "backlog"}, LEAD)

    run = table.turned(2, SECOND)

    assert run.state == run_state.COMPLETED, run.findings
    first, second = history(table.context, table.project).iterations
    came = {ticket.title: (ticket.planned, ticket.outcome) for ticket in first.tickets}
    assert came == {
        "Meetings 1": (True, Outcome.DONE),
        "Set the goals": (True, Outcome.DONE),
        "Load the data": (True, Outcome.REMOVED),
        "Document iteration 1": (True, Outcome.CARRIED),
        "Something urgent": (False, Outcome.CARRIED),
        "Clean the data": (False, Outcome.BACKLOG),
    }
    assert first.figures.all.planned == Sum(4, 8)
    assert first.figures.all.added == Sum(2, 5)
    assert first.figures.all.done == Sum(2, 2)
    assert first.figures.by_role["data"].removed == Sum(1, 5)
    assert first.figures.cycle == Cycle(1, 54, 54)
    assert {"Load the data", "Document iteration 1", "Something urgent"} <= {one.title for one in second.tickets}
    assert "Clean the data" not in {one.title for one in second.tickets}
    assert "Clean the data" not in team.inside("Data 2")

    table.set("2026-03-17T10:00")
    for title in ("Set the goals", "Something urgent"):
        team.delete(title)
    table.turned(3, THIRD)

    again, second, _third = history(table.context, table.project).iterations
    assert (again.tickets, again.figures) == (first.tickets, first.figures)
    [gone] = [ticket for ticket in second.tickets if ticket.title == "Something urgent"]
    assert (gone.planned, gone.outcome) == (True, Outcome.REMOVED)
    lines = list(csv.DictReader(StringIO(tickets_csv(history(table.context, table.project)))))
    assert [line["cycle_hours"] for line in lines if line["ticket"] == first.tickets[1].remote_key] == ["54"]


def test_how_work_flows_is_told_with_the_limit_of_work_in_progress(tmp_path: Path) -> None:
    with turntable(tmp_path / "home", parameters={"method": "kanban"}, turning={"wip_limit": 1}) as table:
        table.plan_and_apply()
        with pytest.raises(Conflict, match="ML has no current iteration"):
            flow(table.context, table.project)
        table.turned(1, FIRST)
        team = JiraTeam(table.url)
        team.finish("Document iteration 1")
        team.bring("Set the goals", "In Progress")
        assert flow(table.context, table.project).findings == ()
        team.bring("Load the data", "In Progress")

        told = flow_json(flow(table.context, table.project))

        assert (told["iteration"], told["wip_limit"]) == (1, 1)
        assert [told[status]["tickets"] for status in ("todo", "doing", "done")] == [0, 2, 1]
        assert [finding["code"] for finding in told["findings"]] == ["wip-limit-exceeded"]


def test_a_skipped_bound_is_skipped_in_the_tracker_too(table: Turntable, team: JiraTeam) -> None:
    table.turned(1, FIRST)
    table.set("2026-03-10T10:00")
    scheduling.skip(table.context, table.project, LEAD, "half the team is at a fair")

    table.set(SECOND)
    run = table.turned(2, THIRD)

    assert run.state == run_state.COMPLETED, run.findings
    assert run.created_at.isoformat().startswith("2026-03-30T09:00")
    assert table.iteration(1).ends.isoformat() == "2026-03-27T17:00:00+00:00"
    assert str(team.sprint("Data 1")["endDate"]).startswith("2026-03-27")
    assert str(team.sprint("Data 2")["startDate"]).startswith("2026-03-30")
    assert str(team.sprint("Model 3")["startDate"]).startswith("2026-04-13")


def test_a_paused_loop_stands_still_and_goes_on_as_after_a_freeze(table: Turntable, team: JiraTeam) -> None:
    table.turned(1, FIRST)
    scheduling.pause(table.context, table.project, LEAD, "summer")
    table.set("2026-07-15T10:00")
    assert table.run(f"advance-{table.project}-2") is None
    scheduling.resume(table.context, table.project, LEAD)

    run = table.turned(2, "2026-07-20T09:00")

    assert run.state == run_state.COMPLETED, run.findings
    assert str(team.sprint("Data 2")["startDate"]).startswith("2026-07-20")
    assert str(team.sprint("Model 3")["startDate"]).startswith("2026-08-03")
    assert table.events()[:4] == ["began:1", "paused:1", "resumed:1", "closed:1"]
