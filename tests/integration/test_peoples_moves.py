"""What people moved and labelled by hand is theirs for good: whatever the loop and later plans write over it, no undo
and no removal takes it. Seen in the tracker itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.values import ItemKey
from service.domain.plan import run_state
from service.domain.plan.plan import Action
from service.usecases.plan import planning, undo_plan
from service.usecases.plan.plan_options import Wish
from service.views.plan import PlanView
from tests.integration.desks import TrelloDesk
from tests.integration.jira_team import JiraTeam
from tests.integration.turntable import TEMPLATE, Turntable, turntable

FIRST, SECOND, THIRD, FOURTH = ("2026-03-02T09:00", "2026-03-16T09:00", "2026-03-30T09:00", "2026-04-13T09:00")
LOAD = "Load the data"
WHOLE = TEMPLATE.read_text(encoding="utf-8")


class TrelloTeam(TrelloDesk):
    """People of the board ML."""

    def label_id(self, name: str) -> str:
        found = self.send("GET", f"boards/{self.board()}/labels", params={"limit": 1000})
        return str(next(one["id"] for one in found if one["name"] == name))

    def begin(self, title: str) -> None:
        lists = {one["name"]: one["id"] for one in self.send("GET", f"boards/{self.board()}/lists")}
        self.edit(title, idList=lists["In progress"])

    def take_label(self, title: str, name: str) -> None:
        self.send("DELETE", f"cards/{self.cards()[title]['id']}/idLabels/{self.label_id(name)}")

    def give_label(self, title: str, name: str) -> None:
        self.send("POST", f"cards/{self.cards()[title]['id']}/idLabels", json={"value": self.label_id(name)})

    def is_in(self, iteration: str, title: str) -> bool:
        return iteration in self.labels(title)

    def out_of(self, iteration: str, title: str) -> None:
        self.take_label(title, iteration)

    def onward(self, iteration: str, to: str, title: str) -> None:
        self.take_label(title, iteration)
        self.give_label(title, to)


class Sprints(JiraTeam):
    """People of the project ML in Jira, who plan their sprints by hand."""

    def begin(self, title: str) -> None:
        self.bring(title, "In Progress")

    def is_in(self, iteration: str, title: str) -> bool:
        return title in self.inside(iteration)

    def out_of(self, iteration: str, title: str) -> None:
        assert self.is_in(iteration, title)
        self.send("POST", "agile/1.0/backlog/issue", json={"issues": [self.key(title)]})

    def onward(self, iteration: str, to: str, title: str) -> None:
        assert self.is_in(iteration, title)
        self.put_into(to, title)


def team_of(table: Turntable, tracker: str) -> Sprints | TrelloTeam:
    return Sprints(table.url) if tracker == "jira" else TrelloTeam(table.url)


@pytest.fixture(params=["jira", "trello"])
def tracker(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def table(tracker: str, tmp_path: Path) -> Iterator[Turntable]:
    with turntable(tmp_path / "home", tracker) as opened:
        yield opened


def kept(row: PlanView, key: str) -> str:
    """Why a plan that takes back leaves an item; what it would do with it else."""
    (change,) = [one for one in planning.plan_of(row).changes if one.key == key]
    return change.note if change.action is Action.KEEP else change.action.value


def taken_back_all(table: Turntable, first: str) -> None:
    """Have the first run undone, and then the whole project."""
    undone = table.applied(undo_plan.plan_undo(table.context, first))
    assert undone.state == run_state.COMPLETED, undone.findings
    removed = table.applied(undo_plan.plan_removal(table.context, "ML"))
    assert removed.state == run_state.COMPLETED, removed.findings


def test_a_ticket_that_a_person_took_out_of_an_iteration_stays_after_that_was_closed(
    table: Turntable, tracker: str
) -> None:
    team = team_of(table, tracker)
    first = table.plan_and_apply()
    table.turned(1, FIRST)
    team.out_of("Data 1", LOAD)
    before = undo_plan.plan_removal(table.context, "ML")
    assert kept(before, "ticket:load").startswith("Iteration changed")

    assert table.turned(2, SECOND).state == run_state.COMPLETED

    for plan in (undo_plan.plan_undo(table.context, first.id), undo_plan.plan_removal(table.context, "ML")):
        assert kept(plan, "ticket:load").startswith("Iteration changed")
    taken_back_all(table, first.id)
    assert team.titles()[LOAD] == 1
    assert "Set the goals" not in team.titles()  # the loop carried it on, nobody else


def test_what_closing_left_in_the_backlog_is_nobodys_and_goes(tmp_path: Path) -> None:
    with turntable(tmp_path / "home", turning={"carry_over": "leave"}) as table:
        team = Sprints(table.url)
        first = table.plan_and_apply()
        table.turned(1, FIRST)
        team.out_of("Data 1", LOAD)
        assert table.turned(2, SECOND).state == run_state.COMPLETED

        taken_back_all(table, first.id)

        assert team.titles()[LOAD] == 1
        assert "Set the goals" not in team.titles()


def test_a_ticket_that_a_person_moved_to_a_later_iteration_stays_when_the_loop_carries_it_on(
    table: Turntable, tracker: str
) -> None:
    team = team_of(table, tracker)
    first = table.plan_and_apply()
    table.turned(1, FIRST)
    team.onward("Data 1", "Data 2", LOAD)
    assert table.turned(2, SECOND).state == run_state.COMPLETED

    assert table.turned(3, THIRD).state == run_state.COMPLETED

    assert team.is_in("Data 3", LOAD)
    assert kept(undo_plan.plan_removal(table.context, "ML"), "ticket:load").startswith("Iteration changed")
    taken_back_all(table, first.id)
    assert team.titles()[LOAD] == 1


def test_a_label_of_peoples_stays_theirs_when_a_plan_writes_labels_beside_it(table: Turntable, tracker: str) -> None:
    team = team_of(table, tracker)
    first = table.plan_and_apply()
    team.label(LOAD, "ours")
    assert kept(undo_plan.plan_undo(table.context, first.id), "ticket:load").startswith("Labels changed")
    other = WHOLE.replace(
        "title: Load the data, epic: data, role: data,", "title: Load the data, epic: data, role: qa,"
    )
    run = table.applied(planning.make_plan(table.context, "ML", asked=table.asking(other)))
    assert run.state == run_state.COMPLETED, run.findings
    assert {"ours", "role:qa"} <= team.labels(LOAD)

    plan = undo_plan.plan_undo(table.context, first.id)

    assert kept(plan, "ticket:load").startswith("Labels changed")
    taken_back_all(table, first.id)
    assert team.titles()[LOAD] == 1


def test_where_labels_say_the_iteration_a_persons_move_outlasts_the_loops(tmp_path: Path) -> None:
    with turntable(tmp_path / "home", parameters={"method": "kanban"}) as table:
        team = Sprints(table.url)
        first = table.plan_and_apply()
        table.turned(1, FIRST)
        team.edit(LOAD, update={"labels": [{"remove": "iteration:1"}, {"add": "iteration:2"}]})
        table.turned(2, SECOND)
        assert table.turned(3, THIRD).state == run_state.COMPLETED
        assert "iteration:3" in team.labels(LOAD)

        taken_back_all(table, first.id)

        assert team.titles()[LOAD] == 1


def test_what_a_person_asked_to_have_as_planned_again_is_nobodys_any_more(tmp_path: Path) -> None:
    with turntable(tmp_path / "home") as table:
        team = Sprints(table.url)
        first = table.plan_and_apply()
        table.turned(1, FIRST)
        team.onward("Data 1", "Data 2", LOAD)
        table.turned(2, SECOND)
        table.turned(3, THIRD)
        assert planning.draft(table.context, "ML", Wish(restore=("ticket:load",))).plan.empty
        team.retitle("Set the goals", "Our goals")
        run = table.applied(planning.make_plan(table.context, "ML", Wish(restore=(ItemKey("ticket:goals"),))))
        assert run.state == run_state.COMPLETED, run.findings

        assert kept(undo_plan.plan_removal(table.context, "ML"), "ticket:goals") == "delete"
        assert kept(undo_plan.plan_undo(table.context, first.id), "ticket:load").startswith("Iteration changed")


def test_a_ticket_of_meetings_that_people_had_begun_stays_after_the_loop_completed_it(
    table: Turntable, tracker: str
) -> None:
    team = team_of(table, tracker)
    table.plan_and_apply()
    table.turned(1, FIRST)
    team.begin("Meetings 1")

    assert table.turned(2, SECOND).state == run_state.COMPLETED

    plan = undo_plan.plan_removal(table.context, "ML")
    assert kept(plan, "ceremonies:1") == "Status changed"
    removed = table.applied(plan)
    assert removed.state == run_state.COMPLETED, removed.findings
    assert team.titles()["Meetings 1"] == 1


def test_dates_that_a_person_gave_to_an_iteration_outlast_what_the_loop_has_to_write_there(tmp_path: Path) -> None:
    with turntable(tmp_path / "home") as table:
        team = Sprints(table.url)
        table.plan_and_apply()
        table.turned(1, FIRST)
        table.set("2026-03-11T12:00")
        team.set_state("Data 1", "closed")
        sprint = team.sprint("Data 2")
        dates = {"startDate": "2026-03-11T12:00:00.000Z", "endDate": "2026-03-24T16:00:00.000Z"}
        team.send("POST", f"agile/1.0/sprint/{sprint['id']}", json={"state": "active", **dates})

        assert table.advanced(2).state == run_state.COMPLETED  # before its time: it is to begin today

        assert kept(undo_plan.plan_removal(table.context, "ML"), "iteration:2") == "End changed; Start changed"
        removed = table.applied(undo_plan.plan_removal(table.context, "ML"))
        assert removed.state == run_state.COMPLETED, removed.findings
        assert set(team.states()) == {"Data 2"}
