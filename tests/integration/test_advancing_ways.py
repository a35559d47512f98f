"""The loop in its other ways: work is carried as people answer, iterations are seeded only so far ahead, there are no
sprints, it is in Trello; and an advance is undone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.values import ItemKind
from service.domain.loop import loop_state
from service.domain.plan import run_state
from service.usecases.loop import decisions
from service.usecases.plan import planning, undo_plan
from service.usecases.plan.plan_options import Wish
from service.usecases.run import plan_apply
from tests.integration.desks import TrelloDesk
from tests.integration.jira_team import JiraTeam
from tests.integration.turntable import turntable

FIRST, SECOND, THIRD = "2026-03-02T09:00", "2026-03-16T09:00", "2026-03-30T09:00"


@pytest.mark.parametrize("answer", ["next", "backlog"])
def test_the_meetings_of_an_iteration_go_where_a_person_says(tmp_path: Path, answer: str) -> None:
    with turntable(tmp_path / "home", turning={"ahead": 1}) as table:
        team = JiraTeam(table.url)
        table.plan_and_apply()
        table.turned(1, FIRST)
        decisions.answer(table.context, "ML", {"ceremonies:1": answer}, "lead@example.com")

        run = table.turned(2, SECOND)

        assert run.state == run_state.COMPLETED, run.findings
        assert team.states() == {"Data 1": "closed", "Data 2": "active"}
        assert team.iteration_of("Meetings 1") == ("Data 2" if answer == "next" else None)
        plan = planning.draft(table.context, "ML").plan
        assert plan.empty, [change for change in plan.changes if change.action != "keep"]


def test_unfinished_work_is_proposed_at_the_end_and_carried_as_people_answer(tmp_path: Path) -> None:
    with turntable(tmp_path / "home", turning={"carry_over": "ask"}) as table:
        team = JiraTeam(table.url)
        table.plan_and_apply()
        table.turned(1, FIRST)
        assert table.loop.due == loop_state.PROPOSE
        table.set("2026-03-13T17:00")

        proposal = table.ended(f"propose-{table.project}-1")

        assert proposal.state == run_state.COMPLETED, proposal.findings
        assert "proposed:1" in table.events()
        # Not the meetings of an iteration that is over: nobody has to answer for those.
        assert table.told("proposed:1") == (
            "Iteration 1 of ML has ended: 3 tickets are not done. On Mon 16 Mar 2026 at 09:00 +00:00 3 will be carried "
            "over, unless somebody answers otherwise. Its phase continues, unless this is fixed by then: "
            '"Clean the data" is not begun; "Document iteration 1" is not begun.'
        )
        assert team.states()["Data 1"] == "active"
        assert (table.loop.due, table.loop.current) == (loop_state.ADVANCE, 1)
        kept = planning.plan_of(planning.get(table.context, proposal.plan_id or ""))
        assert kept.turnover is not None
        assert kept.turnover.dates is not None
        assert kept.turnover.dates.first.isoformat() == "2026-03-16"

        answers = {team.key("Load the data"): "backlog", "record:1": "leave"}
        decisions.answer(table.context, "ML", answers, "lead@example.com")
        run = table.turned(2, SECOND)

        assert run.state == run_state.COMPLETED, run.findings
        assert "Set the goals" in team.inside("Data 2")
        assert team.iteration_of("Load the data") is None
        assert table.loop.answers == {}
        outcomes = {ticket["key"]: ticket["outcome"] for ticket in table.iteration(1).tickets}
        assert outcomes["ticket:load"] == "backlog"
        assert outcomes["record:1"] == "left"
        plan = planning.draft(table.context, "ML").plan
        assert plan.empty, [change for change in plan.changes if change.action != "keep"]


def test_with_a_horizon_each_advance_seeds_the_next_iteration_ahead(tmp_path: Path) -> None:
    with turntable(tmp_path / "home", turning={"ahead": 2}) as table:
        team = JiraTeam(table.url)
        table.plan_and_apply()
        assert set(team.states()) == {"Data 1", "Data 2"}
        table.turned(1, FIRST)
        assert set(team.states()) == {"Data 1", "Data 2"}
        team.finish("Set the goals", "Load the data")

        run = table.turned(2, SECOND)

        assert run.state == run_state.COMPLETED, run.findings
        assert team.states() == {"Data 1": "closed", "Data 2": "active", "Model 3": "future"}
        assert {"Train a model", "Judge the model", "Document iteration 3"} <= team.inside("Model 3")
        links = team.issues()["Train a model"]["fields"]["issuelinks"]
        assert {link["inwardIssue"]["fields"]["summary"] for link in links if "inwardIssue" in link} == {
            "Clean the data"
        }


def test_an_advance_is_undone_but_for_what_is_closed_and_begun(tmp_path: Path) -> None:
    with turntable(tmp_path / "home", turning={"ahead": 1}) as table:
        team = JiraTeam(table.url)
        table.plan_and_apply()
        table.turned(1, FIRST)
        team.finish("Set the goals")
        team.bring("Meetings 1", "In Progress")
        run = table.turned(2, SECOND)
        assert "Clean the data" in team.inside("Data 2")
        assert team.status("Meetings 1") == "Done"

        plan = undo_plan.plan_undo(table.context, run.id)
        undone = table.ended(plan_apply.apply(table.context, plan.id, "lead@example.com", table.engine.start).id)

        assert undone.state == run_state.COMPLETED, undone.findings
        states = team.states()
        assert (states["Data 1"], states["Data 2"]) == ("closed", "active")
        assert team.status("Meetings 1") == "In Progress"
        titles = team.titles()
        assert "Clean the data" not in titles
        assert "Document iteration 2" not in titles
        assert "Load the data" in team.inside("Data 2")
        assert planning.plan_of(undo_plan.plan_undo(table.context, run.id)).empty


def test_undoing_an_advance_leaves_names_and_dates_of_iterations_and_says_what_comes_next(tmp_path: Path) -> None:
    with turntable(tmp_path / "home") as table:
        team = JiraTeam(table.url)
        table.plan_and_apply()
        table.turned(1, FIRST)
        table.turned(2, SECOND)
        run = table.turned(3, "2026-03-30T09:00")  # the phase lasts longer: what comes is renamed and moved
        before = {name: (one["startDate"], one["endDate"]) for name, one in team.all_sprints().items()}
        assert "Data 3" in before

        plan = planning.plan_of(kept := undo_plan.plan_undo(table.context, run.id))
        said = next(one for one in plan.findings if one.code == "loop-stays")
        assert 'The loop stays at iteration 3 ("Data 3")' in said.message
        table.ended(plan_apply.apply(table.context, kept.id, "lead@example.com", table.engine.start).id)

        after = {name: (one["startDate"], one["endDate"]) for name, one in team.all_sprints().items()}
        made = {"Care 5"}  # what the run itself made, and the next plan makes again
        assert after == {name: dates for name, dates in before.items() if name not in made}
        again = planning.draft(table.context, "ML").plan
        written = {one.title for one in again.changes if one.kind is ItemKind.ITERATION and one.writes}
        assert written == made


def test_a_deleted_sprint_loses_nothing_and_one_that_is_to_begin_is_made_again_by_a_plan(tmp_path: Path) -> None:
    with turntable(tmp_path / "home") as table:
        team = JiraTeam(table.url)
        table.plan_and_apply()
        table.turned(1, FIRST)
        team.delete_iteration("Data 1")
        team.delete_iteration("Data 2")

        held = table.turned(2, SECOND)

        assert held.state == run_state.HELD
        assert "next-iteration-deleted" in {finding["code"] for finding in held.findings}
        restored = planning.make_plan(table.context, "ML", Wish(restore=("iteration:2",)))
        made = table.ended(plan_apply.apply(table.context, restored.id, "lead@example.com", table.engine.start).id)
        assert made.state == run_state.COMPLETED, made.findings
        table.set("2026-03-16T10:00")
        run = table.ended(held.id)

        assert run.state == run_state.COMPLETED, run.findings
        assert team.states()["Data 2"] == "active"
        assert {"Set the goals", "Load the data", "Clean the data"} <= team.inside("Data 2")


@pytest.mark.parametrize("gone", ["labels", "cards"])
def test_an_iteration_on_a_board_that_lost_its_label_or_its_card_is_made_whole_by_a_plan(
    tmp_path: Path, gone: str
) -> None:
    with turntable(tmp_path / "home", "trello") as table:
        desk = TrelloDesk(table.url)
        table.plan_and_apply()
        table.turned(1, FIRST)
        for name in ("Data 1", "Data 2"):
            card = desk.cards()[name]
            (label,) = card["idLabels"]
            desk.send("DELETE", f"labels/{label}" if gone == "labels" else f"cards/{card['id']}")

        held = table.turned(2, SECOND)

        assert held.state == run_state.HELD
        (told,) = [one for one in held.findings if one["severity"] == "error"]
        assert told["code"] == ("next-iteration-emptied" if gone == "labels" else "next-iteration-deleted")
        assert "phaseloop plan ML --restore iteration:2" in told["fix"]
        restored = planning.make_plan(table.context, "ML", Wish(restore=("iteration:2",)))
        made = table.ended(plan_apply.apply(table.context, restored.id, "lead@example.com", table.engine.start).id)
        assert (made.state, made.findings) == (run_state.COMPLETED, [])
        table.set("2026-03-16T10:00")
        run = table.ended(held.id)

        assert run.state == run_state.COMPLETED, run.findings
        inside = {name for name, card in desk.cards().items() if "Data 2" in {one["name"] for one in card["labels"]}}
        assert {"Data 2", "Set the goals", "Load the data", "Clean the data"} <= inside
        assert desk.titles()["Data 2"] == 1
        assert "iteration:2" not in {entry.key for entry in planning.draft(table.context, "ML").plan.drift}


def test_the_loop_turns_without_sprints(tmp_path: Path) -> None:
    with turntable(tmp_path / "home", parameters={"method": "kanban"}) as table:
        team = JiraTeam(table.url)
        table.plan_and_apply()
        assert "points:5" in team.labels("Load the data")
        assert planning.draft(table.context, "ML").plan.empty
        table.turned(1, FIRST)
        team.finish("Set the goals")
        team.make("Something urgent")
        team.label("Something urgent", "iteration:1")

        run = table.turned(2, SECOND)

        assert run.state == run_state.COMPLETED, run.findings
        labels = {title: team.labels(title) for title in team.titles()}
        assert "iteration:1" in labels["Set the goals"]
        assert {"iteration:2"} == {label for label in labels["Load the data"] if label.startswith("iteration:")}
        assert "iteration:2" in labels["Clean the data"]
        assert labels["Something urgent"] == {"iteration:2"}
        assert table.loop.current == 2
        outcomes = {ticket["key"].partition(":")[2]: ticket["outcome"] for ticket in table.iteration(1).tickets}
        assert (outcomes["goals"], outcomes["load"]) == ("done", "carried")
        plan = planning.draft(table.context, "ML").plan
        assert plan.empty, [change for change in plan.changes if change.action != "keep"]


@pytest.mark.parametrize("method", ["scrum", "kanban"])
def test_the_loop_turns_in_trello(tmp_path: Path, method: str) -> None:
    with turntable(tmp_path / "home", "trello", parameters={"method": method}) as table:
        desk = TrelloDesk(table.url)
        table.plan_and_apply()
        begun = table.turned(1, FIRST)
        assert begun.state == run_state.COMPLETED, begun.findings
        lists = {one["id"]: one["name"] for one in desk.send("GET", f"boards/{desk.board()}/lists")}

        def where(title: str) -> str:
            return str(lists[desk.cards()[title]["idList"]])

        done = next(one for one, name in lists.items() if name == "Done")
        assert where("Set the goals") == where("Data 1") != where("Clean the data")
        desk.edit("Set the goals", idList=done)
        urgent = card_in(desk, "Something urgent", "Data 1", desk.cards()["Load the data"]["idList"])

        run = table.turned(2, SECOND)

        assert run.state == run_state.COMPLETED, run.findings
        assert where("Data 1") == "Done"
        assert where("Data 2") == where("Load the data") == where("Clean the data")
        assert "Data 1" in desk.labels("Set the goals")
        assert "Data 2" in desk.labels("Load the data")
        assert "Data 1" not in desk.labels("Load the data")
        assert desk.cards()["Something urgent"]["id"] == urgent
        assert "Data 2" in desk.labels("Something urgent")
        outcomes = {ticket["key"].partition(":")[2]: ticket["outcome"] for ticket in table.iteration(1).tickets}
        assert (outcomes["goals"], outcomes["load"]) == ("done", "carried")
        plan = planning.draft(table.context, "ML").plan
        assert plan.empty, [change for change in plan.changes if change.action != "keep"]


def card_in(desk: TrelloDesk, title: str, label: str, of: str) -> str:
    """A card that somebody makes in this list, with this label."""
    known = desk.send("GET", f"boards/{desk.board()}/labels", params={"limit": 1000})
    chosen = next(one["id"] for one in known if one["name"] == label)
    made: dict[str, Any] = desk.send("POST", "cards", json={"idList": of, "name": title, "idLabels": [chosen]})
    return str(made["id"])
