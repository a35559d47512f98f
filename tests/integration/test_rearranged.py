"""People re-arrange the board while the loop turns: an epic deleted, a sprint started by hand, tickets taken elsewhere.
Nothing of that holds it up, is taken back, or is made twice."""

from __future__ import annotations

from pathlib import Path

from service.store import runs
from service.usecases import planning
from tests.integration.jira_team import JiraTeam
from tests.integration.turntable import turntable

FIRST, SECOND = "2026-03-02T09:00", "2026-03-16T09:00"


def test_a_deleted_epic_stays_deleted_and_the_tickets_that_come_are_made_without_it(tmp_path: Path) -> None:
    with turntable(tmp_path / "home", turning={"ahead": 1}) as table:
        team = JiraTeam(table.url)
        table.plan_and_apply()
        table.turned(1, FIRST)
        team.send("DELETE", f"api/2/issue/{team.key('Data')}")

        run = table.turned(2, SECOND)

        assert run.state == runs.COMPLETED, run.findings
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

        assert run.state == runs.COMPLETED, run.findings
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

        assert run.state == runs.COMPLETED, run.findings
        assert "Set the goals" in team.inside("Model 3")
        assert team.iteration_of("Load the data") is None
        assert planning.draft(table.context, "ML").plan.empty
