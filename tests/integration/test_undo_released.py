"""Undoing a run that released something, or changed a checklist: what is still there is ours again, and what was in it
goes back to it. Afterwards there is nothing to plan. Seen in the tracker by plain HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.values import ItemKey, ItemKind
from service.domain.plan import run_state
from service.domain.plan.plan import Action, Plan, Reason
from service.store import items
from service.store.tables import PlanRow, RunRow
from service.usecases.plan import planning, undo_plan
from service.usecases.run import run_control
from service.usecases.setup import projects
from tests import plain
from tests.integration.conftest import SMALL
from tests.integration.desks import JiraDesk, TrelloDesk
from tests.integration.turntable import TEMPLATE, Turntable, turntable

Desk = JiraDesk | TrelloDesk
GOALS = """      - {key: goals, title: Set the goals, epic: data, role: pm, description: Write the goals down.,
         done: [Goals are written, Goals are agreed], deliverable: goals, points: 2}
"""
LOAD = """      - {key: load, title: Load the data, epic: data, role: data, description: Load it.,
         done: [Data is loaded], deliverable: a dataset, points: 5, needs: [goals]}
"""
TURNS = "2026-03-02T09:00", "2026-03-16T09:00", "2026-03-30T09:00"
EPIC = "      - {key: data, title: Data, description: All about the data.}\n"


def changed(*pairs: tuple[str, str]) -> str:
    """The small template with other words in it."""
    text = SMALL.read_text()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


WITHOUT_EPIC = changed((EPIC, ""), ("epic: data", "epic: model"))
WITHOUT_TICKET = changed((GOALS, ""), ("needs: [goals]", "needs: []"))
OTHER_KEY = changed(("key: goals,", "key: aims,"), ("needs: [goals]", "needs: [aims]"))
OTHER_NEEDS = changed(("needs: [train]", "needs: [goals]"))
OTHER_LINES = changed(("[Goals are written, Goals are agreed]", "[Goals are agreed, Goals are known, Goals are few]"))


@pytest.fixture(params=["jira", "trello"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Turntable, Desk]]:
    """The small project, made, and somebody at work in its tracker."""
    with turntable(tmp_path, request.param, template=SMALL) as table:
        assert table.plan_and_apply().state == run_state.COMPLETED
        yield table, (JiraDesk if request.param == "jira" else TrelloDesk)(table.url)


@pytest.fixture
def cards(tmp_path: Path) -> Iterator[tuple[Turntable, TrelloDesk]]:
    """The same where checklists have lines of their own."""
    with turntable(tmp_path, "trello", template=SMALL) as table:
        assert table.plan_and_apply().state == run_state.COMPLETED
        yield table, TrelloDesk(table.url)


def upgraded(table: Turntable, text: str) -> RunRow:
    run = table.applied(planning.make_plan(table.context, "ML", asked=table.asking(text)))
    assert run.state == run_state.COMPLETED, run.findings
    return run


def undone(table: Turntable, run: RunRow) -> tuple[Plan, RunRow]:
    """What the undo planned, and its run."""
    kept: PlanRow = undo_plan.plan_undo(table.context, run.id)
    ended = table.applied(kept)
    assert ended.state == run_state.COMPLETED, ended.findings
    return planning.plan_of(kept), ended


def left_to_plan(table: Turntable) -> list[tuple[str, str]]:
    plan = planning.draft(table.context, "ML").plan
    return [(change.action.value, change.title) for change in plan.changes if change.action is not Action.KEEP]


def lines(desk: TrelloDesk, title: str = "Set the goals") -> list[str]:
    return [line["name"] for one in checklists(desk, title) for line in one["checkItems"]]


def checklists(desk: TrelloDesk, title: str = "Set the goals") -> list[dict[str, list[dict[str, str]]]]:
    found: list[dict[str, list[dict[str, str]]]] = desk.send("GET", f"cards/{desk.cards()[title]['id']}/checklists")
    return found


def test_tickets_go_back_into_an_epic_that_was_only_let_go_of(either: tuple[Turntable, Desk]) -> None:
    table, desk = either
    run = upgraded(table, WITHOUT_EPIC)
    assert desk.epic_of("Load the data") == "Model"

    plan, _ = undone(table, run)

    assert {desk.epic_of(title) for title in ("Load the data", "Set the goals")} == {"Data"}
    assert [(one.key, one.action) for one in plan.changes if one.reason is Reason.LET_GO_BY_RUN] == [
        ("epic:data", Action.ADOPT)
    ]
    assert not any("gone" in change.note for change in plan.changes)
    assert left_to_plan(table) == []


def test_tickets_go_back_into_an_iteration_that_was_only_let_go_of(either: tuple[Turntable, Desk]) -> None:
    table, desk = either
    row = projects.get(table.context, "ML")
    small = table.asking(SMALL.read_text()).request
    asked = planning.Asked(
        projects.Request(
            row.name, row.key, row.connection_id, row.team_id, small.template, {"method": "kanban"}, create=True
        )
    )
    run = table.applied(planning.make_plan(table.context, "ML", asked=asked))
    assert run.state == run_state.COMPLETED, run.findings

    undone(table, run)

    assert desk.iteration_of("Load the data") == "Small 1"
    assert left_to_plan(table) == []


@pytest.mark.parametrize("text", [WITHOUT_TICKET, OTHER_KEY, OTHER_NEEDS, OTHER_LINES])
def test_after_an_undo_there_is_nothing_to_plan(either: tuple[Turntable, Desk], text: str) -> None:
    table, desk = either
    before = desk.titles()
    run = upgraded(table, text)

    undone(table, run)

    assert desk.titles() == before
    assert left_to_plan(table) == []


def test_what_an_undo_takes_back_is_what_people_made_of_it_meanwhile_and_goes_with_the_project(
    either: tuple[Turntable, Desk],
) -> None:
    table, desk = either
    run = upgraded(table, WITHOUT_TICKET)
    desk.retitle("Set the goals", "Set our goals")

    undone(table, run)

    plan = planning.draft(table.context, "ML").plan
    assert [(one.key, one.field, one.observed) for one in plan.drift] == [("ticket:goals", "title", "Set our goals")]
    desk.retitle("Set our goals", "Set the goals")
    removal = planning.plan_of(undo_plan.plan_removal(table.context, "ML"))
    assert {change.action for change in removal.changes} == {Action.DELETE}


def test_what_people_deleted_meanwhile_is_not_taken_back_and_is_called_gone(either: tuple[Turntable, Desk]) -> None:
    table, desk = either
    run = upgraded(table, WITHOUT_EPIC)
    desk.delete("Data")

    plan, _ = undone(table, run)

    assert {change.note for change in plan.changes} == {'Epic was "Data", which is gone'}


def test_what_a_later_run_let_go_of_once_more_stays_let_go_of(either: tuple[Turntable, Desk]) -> None:
    table, _ = either
    first = upgraded(table, WITHOUT_TICKET)
    upgraded(table, SMALL.read_text())
    last = upgraded(table, WITHOUT_TICKET)

    plan, _ = undone(table, first)

    assert not any(change.reason is Reason.LET_GO_BY_RUN for change in plan.changes)
    plan, _ = undone(table, last)
    assert "ticket:goals" in {change.key for change in plan.changes if change.reason is Reason.LET_GO_BY_RUN}


def test_a_run_that_took_something_over_again_lets_go_of_it_as_it_was_before(either: tuple[Turntable, Desk]) -> None:
    table, _ = either
    first = upgraded(table, WITHOUT_TICKET)
    undone(table, upgraded(table, SMALL.read_text()))

    undone(table, first)

    with table.context.database.session() as session:
        row = items.rows(session, table.project)[ItemKey("ticket:goals")]
    assert row.origin == items.BY_RUN
    assert left_to_plan(table) == []


def test_a_checklist_is_put_back_line_by_line(cards: tuple[Turntable, TrelloDesk]) -> None:
    table, desk = cards
    run = upgraded(table, OTHER_LINES)
    assert lines(desk) == ["Goals are agreed", "Goals are known", "Goals are few"]
    assert left_to_plan(table) == []

    plan, _ = undone(table, run)

    assert lines(desk) == ["Goals are agreed", "Goals are written"]
    (change,) = [change for change in plan.changes if "checklist" in change.changed]
    assert change.lines_going == ["Goals are known", "Goals are few"]


def test_a_line_that_somebody_ticked_stays_and_is_told(cards: tuple[Turntable, TrelloDesk]) -> None:
    table, desk = cards
    run = upgraded(table, OTHER_LINES)
    card, (checklist,) = desk.cards()["Set the goals"]["id"], checklists(desk)
    line = next(one["id"] for one in checklist["checkItems"] if one["name"] == "Goals are few")
    desk.send("PUT", f"cards/{card}/checkItem/{line}", params={"state": "complete"})

    _, ended = undone(table, run)

    assert lines(desk) == ["Goals are agreed", "Goals are few", "Goals are written"]
    (told,) = [one for one in ended.findings if one["code"] == "lines-kept"]
    assert "Goals are few" in told["message"]
    assert "Goals are known" not in told["message"]
    assert left_to_plan(table) == []


def test_a_line_that_left_the_template_goes_unless_somebody_uses_it(cards: tuple[Turntable, TrelloDesk]) -> None:
    table, desk = cards
    card, (checklist,) = desk.cards()["Set the goals"]["id"], checklists(desk)
    line = next(one["id"] for one in checklist["checkItems"] if one["name"] == "Goals are written")
    desk.send("PUT", f"cards/{card}/checkItem/{line}", params={"state": "complete"})

    run = upgraded(table, changed(("[Goals are written, Goals are agreed]", "[Goals are few]")))

    assert lines(desk) == ["Goals are written", "Goals are few"]
    (told,) = [one for one in run.findings if one["code"] == "lines-kept"]
    assert "Goals are written" in told["message"]
    assert left_to_plan(table) == []


def test_undoing_a_run_that_brought_a_line_back_takes_it_off_again(cards: tuple[Turntable, TrelloDesk]) -> None:
    table, desk = cards
    upgraded(table, changed(("[Goals are written, Goals are agreed]", "[Goals are agreed]")))
    again = upgraded(table, SMALL.read_text())

    undone(table, again)

    assert lines(desk) == ["Goals are agreed"]
    assert left_to_plan(table) == []


@pytest.mark.parametrize("either", ["jira"], indirect=True)
def test_a_checklist_whose_answers_were_all_lost_is_ours_once_the_run_was_retried(
    either: tuple[Turntable, Desk],
) -> None:
    table, _ = either
    kept = undo_plan.plan_undo(table.context, upgraded(table, OTHER_LINES).id)
    fault = {"action": "lose", "path": "^/rest/api/./issue/", "method": "PUT", "times": 8}
    plain.post(f"{table.url}/sandbox/faults", json=fault).raise_for_status()
    stopped = table.applied(kept)
    assert stopped.state == run_state.INCOMPLETE
    plain.delete(f"{table.url}/sandbox/faults").raise_for_status()

    retried = run_control.retry(table.context, stopped.id, "lead@example.com", table.engine.start)

    assert table.ended(retried.id).state == run_state.COMPLETED
    made = planning.draft(table.context, "ML").plan
    assert (made.drift, left_to_plan(table)) == ((), [])


@pytest.mark.parametrize("undoes", ["nothing", "the upgrade", "the advance"])
@pytest.mark.parametrize(("tracker", "method"), [("jira", "scrum"), ("jira", "kanban"), ("trello", "scrum")])
def test_a_ticket_that_was_let_go_of_and_that_the_loop_carried_on_goes_with_the_project(
    tmp_path: Path, tracker: str, method: str, undoes: str
) -> None:
    with turntable(tmp_path, tracker, parameters={"method": method}) as table:
        table.plan_and_apply()
        table.turned(1, TURNS[0])
        table.turned(2, TURNS[1])
        without = TEMPLATE.read_text().replace(LOAD, "").replace("needs: [load]", "needs: [goals]")
        upgrade = upgraded(table, without)
        carried = table.turned(3, TURNS[2])
        if undoes != "nothing":
            undone(table, upgrade if undoes == "the upgrade" else carried)

        removal = planning.plan_of(undo_plan.plan_removal(table.context, "ML"))

        kept = {str(change.key): change.note for change in removal.changes if change.action is Action.KEEP}
        assert kept == {}
        assert ItemKey("ticket:load") in {change.key for change in removal.changes if change.action is Action.DELETE}


def test_a_label_that_the_run_made_goes_with_what_it_was_put_on_for(cards: tuple[Turntable, TrelloDesk]) -> None:
    table, desk = cards
    before = {one["name"] for one in desk.send("GET", f"boards/{desk.board()}/labels")}
    run = upgraded(table, changed(("deliverable: goals, points: 2", "deliverable: goals, points: 13")))
    made = {one["name"] for one in desk.send("GET", f"boards/{desk.board()}/labels")} - before
    assert made == {"points:13", "vacant:pm"}, "so much work is nobody's"

    plan, ended = undone(table, run)

    assert {one["name"] for one in desk.send("GET", f"boards/{desk.board()}/labels")} == before
    assert not [change for change in plan.changes if change.kind is ItemKind.LABEL and change.action is Action.KEEP]
    assert ended.findings == []
    assert left_to_plan(table) == []
