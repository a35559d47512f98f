"""The loop turns: iterations begin and end by the clock and by hand, work is carried over, phases follow each other.
Seen in the sandbox's Jira by plain HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.store import loops, runs
from tests.integration.jira_team import JiraTeam
from tests.integration.turntable import Turntable, turntable

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

    assert table.loop.state == loops.TURNING
    assert (table.loop.current, table.loop.due) == (0, loops.ADVANCE)
    assert table.loop.next_due is not None
    assert table.loop.next_due.isoformat() == f"{FIRST}:00+00:00"


def test_the_clock_begins_the_first_iteration(table: Turntable, team: JiraTeam) -> None:
    table.plan_and_apply()

    run = table.turned(1, FIRST)

    assert (run.state, run.started_by) == (runs.COMPLETED, "clock"), run.findings
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

    assert run.state == runs.COMPLETED, run.findings
    states = team.states()
    assert (states["Data 1"], states["Data 2"]) == ("closed", "active")
    assert team.inside("Data 1") >= {"Set the goals"}
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
