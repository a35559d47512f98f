"""The loop goes back while all that was to come is prepared already: nothing of it stays where it does not belong. Seen
in the sandbox by plain HTTP, in either tracker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.values import ItemKey, ItemKind
from service.domain.loop.turnover import iteration_key
from service.domain.plan import placement, run_state
from service.domain.plan.plan import Action, Reason
from service.store import items
from service.usecases.loop import decisions
from service.usecases.plan import planning
from tests.integration.desks import TrelloDesk
from tests.integration.jira_team import JiraTeam
from tests.integration.turntable import TEMPLATE, Turntable, turntable

BEGINS = [f"2026-{day}T09:00" for day in ("03-02", "03-16", "03-30", "04-13", "04-27", "05-11")]
"""When the six iterations begin."""

Shown = dict[str, set[str]]
"""The titles of the iterations that each ticket is in, by what the tracker calls the ticket."""


def issues(team: JiraTeam) -> list[dict[str, Any]]:
    body = {"jql": "project = ML", "fields": ["labels"], "maxResults": 100}
    found: list[dict[str, Any]] = team.send("POST", "api/2/search/jql", json=body)["issues"]
    return found


def in_jira(url: str) -> Shown:
    team = JiraTeam(url)
    board = team.board()
    found: Shown = {issue["key"]: set() for issue in issues(team)}
    for sprint in team.send("GET", f"agile/1.0/board/{board}/sprint")["values"]:
        if sprint["state"] == "closed":
            continue
        more = {"fields": "summary", "maxResults": 100}
        for issue in team.send("GET", f"agile/1.0/sprint/{sprint['id']}/issue", params=more)["issues"]:
            found[issue["key"]].add(sprint["name"])
    return found


def in_trello(url: str) -> Shown:
    prefixes = ("Data ", "Model ", "Care ")
    return {
        card["shortLink"]: {label["name"] for label in card["labels"] if label["name"].startswith(prefixes)}
        for card in TrelloDesk(url).all_cards()
        if not card["name"].startswith(prefixes)
    }


def in_jira_without_sprints(url: str) -> Shown:
    return {
        issue["key"]: {label for label in issue["fields"]["labels"] if label.startswith("iteration:")}
        for issue in issues(JiraTeam(url))
    }


LOOKS: dict[str, Callable[[str], Shown]] = {
    "jira-scrum": in_jira,
    "jira-kanban": in_jira_without_sprints,
    "trello-scrum": in_trello,
}


@pytest.fixture(params=LOOKS)
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Turntable, Callable[[str], Shown]]]:
    tracker, method = request.param.split("-")
    with turntable(tmp_path / "home", tracker, parameters={"method": method}) as table:
        table.plan_and_apply()
        yield table, LOOKS[request.param]


def refs(table: Turntable) -> dict[ItemKey, str]:
    """What the tracker calls our tickets."""
    with table.context.database.session() as session:
        recorded = items.recorded(session, table.project)
    return {key: one.ref.key for key, one in recorded.items() if one.ref and one.kind is ItemKind.TICKET}


def twice(table: Turntable, look: Callable[[str], Shown] = in_jira) -> set[str]:
    """The titles that more than one thing in the tracker has."""
    counted = (TrelloDesk(table.url) if look is in_trello else JiraTeam(table.url)).titles()
    return {title for title, count in counted.items() if count > 1}


def complete(table: Turntable, look: Callable[[str], Shown], title: str) -> None:
    """Somebody does a ticket."""
    if look is not in_trello:
        JiraTeam(table.url).finish(title)
        return
    desk = TrelloDesk(table.url)
    lists = desk.send("GET", f"boards/{desk.board()}/lists")
    desk.edit(title, idList=next(one["id"] for one in lists if one["name"] == "Done"))


def turn(table: Turntable, number: int, *, back: bool = False) -> None:
    if back:
        decisions.decide(table.context, "ML", "back", "data", "The labels are wrong.", "lead@example.com")
    run = table.turned(number, BEGINS[number - 1])
    assert run.state == run_state.COMPLETED, run.findings


def test_going_back_leaves_every_prepared_ticket_once_where_the_course_says(
    either: tuple[Turntable, Callable[[str], Shown]],
) -> None:
    table, look = either
    prepared = refs(table)
    turn(table, 1)
    turn(table, 2, back=True)

    with table.context.database.session() as session:
        assert placement.iteration_of(items.recorded(session, table.project)[ItemKey("ticket:clean")]) == 3
    run = table.run(f"advance-{table.project}-2")
    assert run is not None
    assert run.plan_id is not None
    plan = planning.plan_of(planning.get(table.context, run.plan_id))
    assert plan.turnover is not None
    assert plan.turnover.continued == {f"ticket:{one}~2": f"ticket:{one}" for one in ("goals", "load", "clean")}
    assert not [one for one in plan.changes if one.reason is Reason.PASSED_BY]
    assert twice(table, look) == set()

    turn(table, 3)
    turn(table, 4, back=True)
    turn(table, 5)
    turn(table, 6)

    with table.context.database.session() as session:
        recorded = items.recorded(session, table.project)
    now = refs(table)
    assert {key: now.get(key) for key in prepared} == prepared
    assert Counter(now.values()).most_common(1)[0][1] == 1
    assert not [key for key, one in recorded.items() if one.kind is ItemKind.GUEST]
    draft = planning.draft(table.context, "ML").plan
    assert draft.empty, [change for change in draft.changes if change.action is not Action.KEEP]
    assert not [entry for entry in draft.drift if entry.field == "iteration"]

    shown = look(table.url)
    names = {key: str(one.wanted["title"]) for key, one in recorded.items() if one.kind is ItemKind.ITERATION}
    for key, called in now.items():
        number = placement.iteration_of(recorded[key])
        home = iteration_key(number) if number else None
        if home is None or (number or 0) >= 6:
            assert shown[called] == ({names.get(home, home)} if home else set()), key
    live = {names.get(iteration_key(number), iteration_key(number)) for number in (6, 7, 8)}
    assert {called for called, homes in shown.items() if homes & live} <= set(now.values())
    assert placement.iteration_of(recorded[ItemKey("ticket:train")]) == 7
    assert placement.iteration_of(recorded[ItemKey("ticket:watch@1")]) == 8
    assert placement.iteration_of(recorded[ItemKey("ticket:goals")]) == 6
    assert twice(table, look) == set()


def test_a_prepared_ticket_that_people_took_up_is_the_one_of_the_new_turn(tmp_path: Path) -> None:
    with turntable(tmp_path / "home", turning={"carry_over": "next"}) as table:
        team = JiraTeam(table.url)
        table.plan_and_apply()
        turn(table, 1)
        team.bring("Clean the data", "In Progress")
        key = team.key("Clean the data")
        turn(table, 2, back=True)
        assert refs(table)[ItemKey("ticket:clean")] == key
        assert twice(table) == set()

        turn(table, 3)

        assert in_jira(table.url)[key] == {"Data 3"}


def test_what_is_done_is_made_again_and_what_is_open_becomes_the_new_turn_s(
    either: tuple[Turntable, Callable[[str], Shown]],
) -> None:
    table, look = either
    before = refs(table)
    turn(table, 1)
    complete(table, look, "Set the goals")
    turn(table, 2, back=True)

    now = refs(table)
    assert now[ItemKey("ticket:load")] == before[ItemKey("ticket:load")]
    assert ItemKey("ticket:load~2") not in now
    assert now[ItemKey("ticket:goals~2")] != before[ItemKey("ticket:goals")]
    assert twice(table, look) == {"Set the goals"}  # one done, one to do
    home = "iteration:2" if look is in_jira_without_sprints else "Data 2"
    assert {called for called, homes in look(table.url).items() if home in homes} >= {
        now[ItemKey("ticket:load")],
        now[ItemKey("ticket:goals~2")],
    }
    draft = planning.draft(table.context, "ML").plan
    assert draft.empty, [change for change in draft.changes if change.action is not Action.KEEP]


def test_what_is_done_before_its_phase_comes_again_is_made_again_then(tmp_path: Path) -> None:
    with turntable(tmp_path / "home") as table:
        team = JiraTeam(table.url)
        table.plan_and_apply()
        turn(table, 1)
        team.finish("Set the goals", "Load the data", "Clean the data", "Document iteration 1")
        turn(table, 2)
        assert table.iteration(2).phase == "model"
        turn(table, 3, back=True)
        assert twice(table) == {"Set the goals", "Load the data", "Clean the data"}

        team.finish("Train a model")
        turn(table, 4)

        assert twice(table) == {"Set the goals", "Load the data", "Clean the data", "Train a model"}
        assert ItemKey("ticket:train~2") in refs(table)
        assert ItemKey("ticket:judge~2") not in refs(table)


@pytest.mark.parametrize("policy", ["backlog", "leave"])
def test_open_work_that_is_not_carried_on_is_not_made_a_second_time(tmp_path: Path, policy: str) -> None:
    with turntable(tmp_path / "home", turning={"carry_over": policy}) as table:
        table.plan_and_apply()
        turn(table, 1)
        turn(table, 2, back=True)
        turn(table, 3, back=True)

        assert twice(table) == set()
        assert planning.draft(table.context, "ML").plan.empty


def test_a_ticket_in_the_backlog_comes_back_when_its_phase_is_entered_again(tmp_path: Path) -> None:
    with turntable(tmp_path / "home", turning={"carry_over": "backlog"}) as table:
        table.plan_and_apply()
        turn(table, 1)
        key = refs(table)[ItemKey("ticket:load")]
        turn(table, 2)
        assert in_jira(table.url)[key] == set()
        turn(table, 3, back=True)

        assert in_jira(table.url)[key] == {"Data 3"}
        assert twice(table) == set()


def with_more() -> str:
    """The template's next version: a ticket more in its first and in its second phase, for which their end waits."""
    more = """
      - {{key: {key}, title: {title}, epic: {epic}, role: ml, description: It is new.,
         done: [It is there], deliverable: a file, points: 1, needs: [{need}]}}"""
    text = TEMPLATE.read_text().replace("version: 1.0.0", "version: 1.1.0")
    for before, values in (
        ("\n    record: {epic: data", {"key": "label", "title": "Label the data", "epic": "data", "need": "load"}),
        ("\n    record: {epic: model", {"key": "card", "title": "Write a card", "epic": "model", "need": "judge"}),
    ):
        text = text.replace(before, more.format(**values) + before)
    text = text.replace("Clean data., needs: [clean]", "Clean data., needs: [clean, label]")
    return text.replace("A model., needs: [judge]", "A model., needs: [judge, card]")


@pytest.mark.parametrize("backs", [(), (2,), (4, 5)], ids=str)
def test_an_upgrade_that_brings_tickets_leaves_nothing_to_plan_once_it_is_applied(
    either: tuple[Turntable, Callable[[str], Shown]], backs: tuple[int, ...]
) -> None:
    table, look = either
    for number in range(1, 6):
        turn(table, number, back=number in backs)

    run = table.applied(planning.make_plan(table.context, "ML", asked=table.asking(with_more())))

    assert run.state == run_state.COMPLETED, run.findings
    again = planning.draft(table.context, "ML").plan
    assert again.empty, [change.title for change in again.changes if change.action is not Action.KEEP]
    assert twice(table, look) == set()
