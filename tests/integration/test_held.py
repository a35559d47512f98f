"""Advances that cannot continue: they hold before anything is lost, and resume automatically. Seen in Jira's
sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from service.domain.loop import loop_state
from service.domain.loop.turnover import Policy
from service.domain.plan import run_state
from service.store.tables import CarryRow, ItemRow, RunRow, StepRow
from service.usecases.loop import scheduling
from service.usecases.run import run_control
from tests.integration.conftest import Controls
from tests.integration.jira_team import JiraTeam
from tests.integration.turntable import Turntable, turntable

FIRST, SECOND, LATER = "2026-03-02T09:00", "2026-03-16T09:00", "2026-03-16T10:30"
UNFINISHED = {"Set the goals", "Load the data", "Document iteration 1"}
INTO_A_SPRINT = r"/sprint/\d+/issue$"
A_SPRINT = r"/rest/agile/1.0/sprint/\d+$"


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Turntable]:
    """Iteration 1 continues, and nothing in it is done."""
    with turntable(tmp_path / "home") as opened:
        opened.plan_and_apply()
        run = opened.turned(1, FIRST)
        assert run.state == run_state.COMPLETED, run.findings
        yield opened


@pytest.fixture
def team(table: Turntable) -> JiraTeam:
    return JiraTeam(table.url)


@pytest.fixture
def controls(table: Turntable) -> Controls:
    return Controls(table.url)


def codes(run: RunRow) -> set[str]:
    return {str(entry["code"]) for entry in run.findings if entry["severity"] == "error"}


def carries(table: Turntable) -> dict[str, str]:
    with table.context.database.session() as session:
        return {row.ticket: row.policy for row in session.scalars(select(CarryRow))}


def assert_turned(table: Turntable, team: JiraTeam) -> None:
    """The second iteration continues with all that was not done, and each of it was carried once."""
    states = team.states()
    assert (states["Data 1"], states["Data 2"]) == ("closed", "active")
    assert team.inside("Data 2") >= UNFINISHED
    assert (table.loop.current, table.loop.state) == (2, loop_state.TURNING)
    carried = {ticket for ticket, policy in carries(table).items() if policy == Policy.NEXT}
    assert carried == {"ticket:goals", "ticket:load", "record:1"}
    assert table.iteration(1).figures is not None
    assert {count for title, count in team.titles().items()} == {1}
    assert table.events().count("closed:1") == table.events().count("began:2") == 1


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"status": 204, "body": "empty"}, "not-carried"),  # accepted, and not done
        ({"status": 403}, "item-refused"),
    ],
)
def test_nothing_is_closed_while_what_is_carried_is_not_in_its_place(
    table: Turntable, team: JiraTeam, controls: Controls, fault: dict[str, object], code: str
) -> None:
    controls.set("faults", action="status", method="POST", path=INTO_A_SPRINT, **fault)

    held = table.turned(2, SECOND)

    assert held.state == run_state.HELD
    assert code in codes(held)
    assert team.states()["Data 1"] == "active"
    assert team.inside("Data 1") >= UNFINISHED
    assert carries(table) == {}
    controls.clear("faults")
    table.set(LATER)
    run = table.ended(held.id)
    assert (run.state, run.attempt, codes(run)) == (run_state.COMPLETED, 2, set()), run.findings
    assert_turned(table, team)


def test_an_iteration_that_may_not_be_started_holds_the_run_after_the_other_was_closed(
    table: Turntable, team: JiraTeam, controls: Controls
) -> None:
    controls.set("faults", action="status", status=403, method="POST", path=A_SPRINT, skip=1)

    held = table.turned(2, SECOND)

    assert held.state == run_state.HELD
    assert team.states()["Data 1"] == "closed"
    assert table.loop.current == 1
    controls.clear("faults")
    table.set(LATER)
    run = table.ended(held.id)
    assert run.state == run_state.COMPLETED, run.findings
    assert_turned(table, team)


def test_an_advance_that_was_held_and_cancelled_is_continued_when_the_loop_is_resumed(
    table: Turntable, team: JiraTeam, controls: Controls
) -> None:
    controls.set("faults", action="status", status=403, method="POST", path=A_SPRINT, skip=1)
    held = table.turned(2, SECOND)
    run_control.cancel(table.context, held.id, "pm-1@example.com")
    controls.clear("faults")
    assert (table.loop.state, table.due()) == (loop_state.PAUSED, None)
    assert held.id in table.loop.message

    scheduling.resume(table.context, "ML", "pm-1@example.com")
    run = table.ended(f"{held.id}-2", *run_state.ENDED, run_state.HELD)

    assert run.state == run_state.COMPLETED, run.findings
    assert run.continues == held.id
    assert_turned(table, team)


def test_guests_come_along_and_are_recorded_as_people_s_own(table: Turntable, team: JiraTeam) -> None:
    key = team.make("Something urgent")
    team.put_into("Data 1", "Something urgent")

    run = table.turned(2, SECOND)

    assert run.state == run_state.COMPLETED, run.findings
    assert "Something urgent" in team.inside("Data 2")
    with table.context.database.session() as session:
        guest = session.scalars(select(ItemRow).where(ItemRow.kind == "guest")).one()
    assert (guest.remote_key, guest.origin, guest.state) == (key, "given", "made")
    assert guest.wanted == {"title": "Something urgent", "iteration": "iteration:2"}
    assert carries(table)[guest.key] == Policy.NEXT
    third = table.turned(3, "2026-03-30T09:00")
    assert third.state == run_state.COMPLETED, third.findings
    assert "Something urgent" in team.inside("Data 3")


def test_the_steps_of_an_advance_say_what_it_does(table: Turntable) -> None:
    run = table.turned(2, SECOND)

    with table.context.database.session() as session:
        titles = list(session.scalars(select(StepRow.title).where(StepRow.run_id == run.id).order_by(StepRow.id)))
    begin = titles.index("Begin iteration 2")
    assert titles[:2] == ["Look at what there is, and plan", "Open the project"]
    assert titles.index("Put 3 tickets into iteration:2") < titles.index("Close iteration 1") < begin
    assert titles[begin + 1 :] == ["Read back 2 items"]
