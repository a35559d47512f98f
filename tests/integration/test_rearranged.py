"""People re-arrange the board while the loop turns: an epic deleted, a sprint started by hand, tickets taken elsewhere.
Nothing of that holds it up, is taken back, or is made twice."""

from __future__ import annotations

from pathlib import Path

from service.domain.plan import run_state
from service.usecases.plan import planning
from tests.integration.jira_team import JiraTeam
from tests.integration.turntable import TEMPLATE, turntable

FIRST, SECOND = "2026-03-02T09:00", "2026-03-16T09:00"


def test_a_deleted_epic_stays_deleted_and_the_tickets_that_come_are_made_without_it(tmp_path: Path) -> None:
    with turntable(tmp_path / "home", turning={"ahead": 1}) as table:
        team = JiraTeam(table.url)
        table.plan_and_apply()
        table.turned(1, FIRST)
        team.send("DELETE", f"api/2/issue/{team.key('Data')}")

        run = table.turned(2, SECOND)

        assert run.state == run_state.COMPLETED, run.findings
        assert team.states()["Data 2"] == "active"
        assert "Data" not in team.titles()
        assert team.issues()["Clean the data"]["fields"].get("parent") is None
        assert {"Clean the data", "Document iteration 2", "Set the goals"} <= team.inside("Data 2")
        assert max(team.titles().values()) == 1


def test_a_sprint_that_a_person_started_first_is_taken_as_begun(tmp_path: Path) -> None:
    with turntable(tmp_path / "home") as table:
        team = JiraTeam(table.url)
        table.plan_and_apply()
        table.turned(1, FIRST)
        team.set_state("Data 1", "closed")
        team.set_state("Data 2", "active")

        run = table.turned(2, SECOND)

        assert run.state == run_state.COMPLETED, run.findings
        plan = planning.plan_of(planning.get(table.context, run.plan_id or ""))
        assert "closed-by-hand" in {finding.code for finding in plan.findings}
        assert (team.states()["Data 1"], team.states()["Data 2"]) == ("closed", "active")
        assert table.loop.current == 2
        assert max(team.titles().values()) == 1


def test_tickets_that_people_took_elsewhere_stay_there(tmp_path: Path) -> None:
    with turntable(tmp_path / "home") as table:
        team = JiraTeam(table.url)
        table.plan_and_apply()
        table.turned(1, FIRST)
        team.put_into("Model 3", "Set the goals")
        team.send("POST", "agile/1.0/backlog/issue", json={"issues": [team.key("Load the data")]})

        run = table.turned(2, SECOND)

        assert run.state == run_state.COMPLETED, run.findings
        assert "Set the goals" in team.inside("Model 3")
        assert team.iteration_of("Load the data") is None
        assert planning.draft(table.context, "ML").plan.empty


def test_a_board_that_was_deleted_after_the_plan_was_made_is_told_with_what_to_do(tmp_path: Path) -> None:
    with turntable(tmp_path / "home") as table:
        team = JiraTeam(table.url)
        table.plan_and_apply()
        longer = TEMPLATE.read_text().replace("iterations: 2", "iterations: 3").replace("1.0.0", "1.1.0")
        plan = planning.make_plan(table.context, "ML", asked=table.asking(longer))
        before = team.issues()
        team.send("DELETE", f"agile/1.0/board/{team.board()}")

        run = table.applied(plan)

        assert run.state == run_state.INCOMPLETE
        [told] = run.findings
        assert "Somebody deleted the board" in told["fix"]
        assert "the plan says which boards there are" in told["fix"]
        assert team.issues().keys() == before.keys()
        assert "board" in " ".join(one.message for one in planning.draft(table.context, "ML").plan.findings)
