"""What belongs to a project means what it meant, whatever people call it: lists, labels, boards, sprints. Seen in the
tracker itself, over one turn of the loop."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from service.domain.plan import run_state
from service.domain.plan.plan import Action
from service.usecases.plan import planning
from service.usecases.plan.plan_options import Wish
from tests.integration.desks import TrelloDesk
from tests.integration.jira_team import JiraTeam
from tests.integration.turntable import Turntable, turntable

FIRST, SECOND = "2026-03-02T09:00", "2026-03-16T09:00"


def outcomes(table: Turntable, number: int) -> dict[str, str]:
    return {ticket["key"].partition(":")[2]: ticket["outcome"] for ticket in table.iteration(number).tickets}


def test_renamed_lists_and_labels_mean_what_they_meant(tmp_path: Path) -> None:
    with turntable(tmp_path / "home", "trello") as table:
        desk = TrelloDesk(table.url)
        table.plan_and_apply()
        assert table.turned(1, FIRST).state == run_state.COMPLETED
        lists = {one["name"]: one["id"] for one in desk.send("GET", f"boards/{desk.board()}/lists")}
        desk.edit("Set the goals", idList=lists["Done"])
        desk.edit("Load the data", idList=lists["In progress"])
        someone = desk.cards()["Set the goals"]["idMembers"]
        assert someone
        for name, new in (
            ("Done", "Abgehakt"),
            ("In progress", "Im Gange"),
            ("Iteration", "Jetzt"),
            ("Backlog", "Später"),
        ):
            desk.send("PUT", f"lists/{lists[name]}", json={"name": new})
        known = desk.send("GET", f"boards/{desk.board()}/labels", params={"limit": 1000})
        for label in known:
            desk.send("PUT", f"labels/{label['id']}", json={"name": f"{label['name']} (alt)"})
        cards = Counter(one["name"] for one in desk.all_cards())

        looked = planning.draft(table.context, "ML").plan
        assert looked.empty, [change for change in looked.changes if change.action is not Action.KEEP]
        assert looked.drift == ()
        assert {one.subject for one in looked.findings if one.code == "list-renamed"} == {
            "Abgehakt",
            "Im Gange",
            "Jetzt",
            "Später",
        }
        run = table.turned(2, SECOND)

        assert run.state == run_state.COMPLETED, run.findings
        names = {one["id"]: one["name"] for one in desk.send("GET", f"boards/{desk.board()}/lists")}
        assert set(names.values()) == {"Epics", "Später", "Jetzt", "Im Gange", "Review", "Abgehakt"}
        now = desk.cards()
        assert names[now["Set the goals"]["idList"]] == "Abgehakt"
        assert now["Set the goals"]["idMembers"] == someone
        assert "Data 1 (alt)" in desk.labels("Set the goals")
        assert names[now["Load the data"]["idList"]] == "Im Gange"
        assert "Data 2 (alt)" in desk.labels("Load the data")
        assert "Data 1 (alt)" not in desk.labels("Load the data")
        assert (names[now["Data 1"]["idList"]], names[now["Data 2"]["idList"]]) == ("Abgehakt", "Jetzt")
        found = outcomes(table, 1)
        assert (found["goals"], found["load"]) == ("done", "carried")
        again = [one["name"] for one in desk.send("GET", f"boards/{desk.board()}/labels", params={"limit": 1000})]
        assert {name for name, count in Counter(again).items() if count > 1} == set()
        assert not {label["name"] for label in known} & set(again)  # nothing was made again under its old name
        assert all(desk.cards()[name] and Counter(one["name"] for one in desk.all_cards())[name] == 1 for name in cards)


def test_a_list_that_was_archived_is_told_of_and_what_stands_in_it_keeps_its_status(tmp_path: Path) -> None:
    with turntable(tmp_path / "home", "trello") as table:
        desk = TrelloDesk(table.url)
        table.plan_and_apply()
        assert table.turned(1, FIRST).state == run_state.COMPLETED
        lists = {one["name"]: one["id"] for one in desk.send("GET", f"boards/{desk.board()}/lists")}
        desk.edit("Set the goals", idList=lists["Done"])
        desk.send("PUT", f"lists/{lists['Done']}", json={"name": "Erledigt", "closed": True})

        plan = planning.draft(table.context, "ML").plan

        (gone,) = [one for one in plan.findings if one.code == "list-gone"]
        assert "'Erledigt'" in gone.message
        assert "a new list 'Done' is made" in gone.message
        run = table.turned(2, SECOND)
        assert run.state == run_state.COMPLETED, run.findings
        assert outcomes(table, 1)["goals"] == "done"
        open_lists = [one["name"] for one in desk.send("GET", f"boards/{desk.board()}/lists")]
        assert open_lists.count("Done") == 1
        plan = planning.draft(table.context, "ML").plan
        assert [one for one in plan.findings if one.code == "list-gone"] == []


def new_board(team: JiraTeam) -> int:
    """Somebody makes another board for the project."""
    made = team.send("POST", "api/2/filter", json={"name": "Ours", "jql": "project = ML ORDER BY Rank"})
    location = {"type": "project", "projectKeyOrId": "ML"}
    body = {"name": "Our board", "type": "scrum", "filterId": int(made["id"]), "location": location}
    return int(team.send("POST", "agile/1.0/board", json=body)["id"])


def test_sprints_outlive_their_board_and_the_loop_turns_on_another_one(tmp_path: Path) -> None:
    with turntable(tmp_path / "home") as table:
        team = JiraTeam(table.url)
        table.plan_and_apply()
        assert table.turned(1, FIRST).state == run_state.COMPLETED
        before, old = team.sprints(), team.board()
        team.finish("Set the goals")
        replaced = new_board(team)
        team.send("DELETE", f"agile/1.0/board/{old}")
        for name, number in before.items():  # and each is called otherwise
            team.send("POST", f"agile/1.0/sprint/{number}", json={"name": f"{name} neu"})

        seen = planning.draft(table.context, "ML").plan

        assert {entry.field for entry in seen.drift} == {"title"}
        assert not seen.blocked, seen.findings
        assert [one.code for one in seen.findings if one.code.startswith(("board", "mapping"))] == ["board-replaced"]
        restored = planning.draft(table.context, "ML", Wish(restore=("deleted",))).plan
        assert [change.key for change in restored.changes if change.action is Action.CREATE] == []
        run = table.turned(2, SECOND)
        assert run.state == run_state.COMPLETED, run.findings
        states = {number: team.send("GET", f"agile/1.0/sprint/{number}")["state"] for number in before.values()}
        assert states[before["Data 1"]] == "closed"
        assert states[before["Data 2"]] == "active"
        shown = team.send("GET", f"agile/1.0/board/{replaced}/sprint")["values"]
        assert Counter(one["name"] for one in shown).most_common(1)[0][1] == 1
        assert outcomes(table, 1)["goals"] == "done"
        assert planning.draft(table.context, "ML").plan.findings == ()  # the new board is the one that is known now


def test_without_any_board_the_sprints_stay_known_and_what_is_missing_is_told(tmp_path: Path) -> None:
    with turntable(tmp_path / "home") as table:
        team = JiraTeam(table.url)
        table.plan_and_apply()
        assert table.turned(1, FIRST).state == run_state.COMPLETED
        team.send("DELETE", f"agile/1.0/board/{team.board()}")

        seen = planning.draft(table.context, "ML").plan

        assert seen.drift == ()
        assert [one.code for one in seen.findings if one.code.startswith(("board", "mapping"))] == ["board-gone"]
        assert table.turned(2, SECOND).state == run_state.HELD
        new_board(team)
        table.set("2026-03-16T12:00")
        run = table.ended(f"advance-{table.project}-2")
        assert run.state == run_state.COMPLETED, run.findings
