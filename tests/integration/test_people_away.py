"""Between plan and apply people also delete, archive and finish tickets, and answers get lost: the rest is done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from connectors.values import ItemKey, RemoteRef
from service.context import Context
from service.domain.plan import run_state
from service.domain.plan.plan import Action
from service.store.tables import RunRow, StepRow
from service.usecases.errors import PlanExpired
from service.usecases.plan import planning, undo_plan
from service.usecases.run import plan_apply
from tests import plain
from tests.integration.meanwhile import PLAIN, Hands, hands, refs, set_up_anew, template
from tests.integration.test_people_meanwhile import FIRST, Meanwhile
from tests.integration.turntable import Turntable, turntable
from tests.waiting import eventually


@pytest.fixture(params=["jira", "trello"])
def tracker(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def turning() -> Meanwhile:
    return Meanwhile()


@pytest.fixture
def table(tracker: str, turning: Meanwhile, tmp_path: Path) -> Iterator[Turntable]:
    file = tmp_path / "meanwhile.yaml"
    file.write_text(template(anew=False).text)
    with turntable(tmp_path / "home", tracker, template=file, advancing_by=turning) as opened:
        yield opened


@pytest.fixture
def people(table: Turntable, tracker: str) -> Hands:
    built = table.plan_and_apply()
    assert built.state == run_state.COMPLETED, built.findings
    return hands(table, tracker, built)


def codes(run: RunRow) -> set[tuple[str, str]]:
    """What was found about tickets; a new dependency on one that is gone is found as well."""
    return {(one["subject"], one["code"]) for one in run.findings if one["subject"].startswith("ticket:")}


def test_what_is_gone_keeps_nothing_else_from_being_written_and_a_lost_answer_is_no_conflict(
    table: Turntable, people: Hands, tracker: str
) -> None:
    known = refs(table)
    set_up_anew(table)
    plan = planning.make_plan(table.context, table.project)
    people.delete(known[ItemKey("ticket:title")])
    people.take_away(known[ItemKey("ticket:text")])
    lost = {"action": "lose", "method": "PUT", "path": "/issue/" if tracker == "jira" else "/cards/", "times": 1}
    plain.post(f"{table.url}/sandbox/faults", json={**lost, "skip": 3}).raise_for_status()

    run = table.ended(plan_apply.apply(table.context, plan.id, "lead@example.com", table.engine.start).id)

    assert run.state == run_state.INCOMPLETE
    text = "gone-meanwhile" if tracker == "jira" else "archived-meanwhile"
    assert codes(run) == {("ticket:title", "gone-meanwhile"), ("ticket:text", text)}, run.findings
    for name in ("labels", "epic", PLAIN):
        assert people.shows(known[ItemKey(f"ticket:{name}")], "title") == f"{name} anew"
    with table.context.database.session() as session:
        steps = session.scalars(select(StepRow).where(StepRow.run_id == run.id, StepRow.title.like("Update%tickets")))
        reads = [step.reads for step in steps]
    if tracker == "jira":  # a bulk read an attempt, and one to make sure that what is gone is gone
        assert reads == [2, 2]


def test_what_people_change_while_a_batch_is_being_written_stays(tracker: str, tmp_path: Path) -> None:
    file = tmp_path / "meanwhile.yaml"
    file.write_text(template(anew=False).text)
    with turntable(tmp_path / "home", tracker, settings={"look_seconds": 0.05}, template=file) as table:
        people = hands(table, tracker, table.plan_and_apply())
        known = refs(table)
        set_up_anew(table)
        plan = planning.make_plan(table.context, table.project)
        titles = [change.key for change in planning.plan_of(plan).changes if "title" in change.changed]
        tickets = [key for key in titles if key.startswith("ticket:")]
        path = "/rest/api/./issue/" if tracker == "jira" else "^/1/cards"
        slow = {"milliseconds": 300, "method": "PUT", "path": path}
        plain.post(f"{table.url}/sandbox/latency", json=slow).raise_for_status()

        run = plan_apply.apply(table.context, plan.id, "lead@example.com", table.engine.start)
        eventually(lambda: any("anew" in people.shows(known[key], "title") for key in tickets))
        last = tickets[-1]
        people.change(known[last], "title")
        theirs = people.shows(known[last], "title")
        ended = table.ended(run.id)

        assert people.shows(known[last], "title") == theirs
        assert (last, "changed-meanwhile") in codes(ended)


def is_there(people: Hands, ref: RemoteRef) -> bool:
    try:
        people.shows(ref, "title")
    except AssertionError:
        return False
    return True


def test_what_people_touch_while_items_are_being_removed_keeps_them(tracker: str, tmp_path: Path) -> None:
    file = tmp_path / "meanwhile.yaml"
    file.write_text(template(anew=False).text)
    with turntable(tmp_path / "home", tracker, settings={"look_seconds": 0.05}, template=file) as table:
        built = table.plan_and_apply()
        people = hands(table, tracker, built)
        known = refs(table)
        plan = undo_plan.plan_undo(table.context, built.id)
        going = [one.key for one in planning.plan_of(plan).changes if one.action is Action.DELETE]
        tickets = [key for key in going if key.startswith("ticket:")]
        slow = {"milliseconds": 300, "method": "DELETE"}
        plain.post(f"{table.url}/sandbox/latency", json=slow).raise_for_status()

        run = plan_apply.apply(table.context, plan.id, "lead@example.com", table.engine.start)
        eventually(lambda: not is_there(people, known[tickets[0]]))
        people.change(known[tickets[-1]], "title")
        ended = table.ended(run.id)

        assert is_there(people, known[tickets[-1]])
        assert (tickets[-1], "kept") in codes(ended)


def test_iterations_that_people_began_or_closed_keep_their_names_and_dates_and_the_others_are_written(
    table: Turntable, people: Hands
) -> None:
    known = {number: refs(table)[ItemKey(f"iteration:{number}")] for number in range(1, 5)}
    set_up_anew(table)
    people.bring(known[1], "active")
    plan = planning.make_plan(table.context, table.project)
    for number, state in [(1, "closed"), (2, "active"), (2, "closed"), (3, "active")]:
        people.bring(known[number], state)
    before = {number: named_and_dated(people, ref) for number, ref in known.items()}

    run = table.ended(plan_apply.apply(table.context, plan.id, "lead@example.com", table.engine.start).id)

    after = {number: named_and_dated(people, ref) for number, ref in known.items()}
    assert [number for number in known if after[number] != before[number]] == [4], run.findings
    assert after[4][0] == "Round 4"
    told = {one["subject"] for one in run.findings if one["code"] == "begun-meanwhile"}
    assert told == {"iteration:2", "iteration:3"}
    for seen, theirs in ((planning.plan_of(plan), {1}), (planning.draft(table.context, table.project).plan, {1, 2, 3})):
        keys = {f"iteration:{number}" for number in theirs}
        assert {one.key for one in seen.drift if one.field == "state"} == keys
        assert [one.key for one in seen.changes if one.key in keys and {*one.changed} - {"goal"}] == []


def named_and_dated(people: Hands, ref: RemoteRef) -> list[str]:
    return [people.iteration_shows(ref, name) for name in ("title", "starts", "ends")]


def test_an_iteration_that_people_began_is_gone_on_with_as_they_named_and_dated_it(
    table: Turntable, people: Hands
) -> None:
    first = refs(table)[ItemKey("iteration:1")]
    set_up_anew(table, "2026-03-02", reordered=False)
    people.bring(first, "active")
    before = named_and_dated(people, first)

    assert table.turned(1, FIRST).state == run_state.COMPLETED
    table.ended(
        plan_apply.apply(
            table.context,
            planning.make_plan(table.context, table.project).id,
            "lead@example.com",
            table.engine.start,
        ).id
    )

    assert named_and_dated(people, first) == before


def test_a_ticket_that_is_finished_after_the_look_of_an_advance_stays_and_counts_as_done(
    table: Turntable, people: Hands, turning: Meanwhile
) -> None:
    table.turned(1, FIRST)
    known = refs(table)
    before = people.shows(known[ItemKey("ticket:title")], "iteration")

    def act(_context: Context, _run_id: str) -> None:
        people.finish(known[ItemKey("ticket:title")])
        people.delete(known[ItemKey("ticket:text")])

    turning.act = act
    run = table.advanced(2)

    assert run.state == run_state.INCOMPLETE
    assert codes(run) == {("ticket:title", "done-meanwhile"), ("ticket:text", "gone-meanwhile")}, run.findings
    assert people.shows(known[ItemKey("ticket:title")], "iteration") in (before, None)
    outcomes = {ticket["key"]: ticket for ticket in table.iteration(1).tickets}
    assert outcomes["ticket:title"]["status"] == "done"
    assert table.loop.current == 2


def test_plans_expire_those_to_undo_too_and_an_old_one_writes_nothing(table: Turntable, people: Hands) -> None:
    set_up_anew(table)
    plan = planning.make_plan(table.context, table.project)
    run = table.ended(plan_apply.apply(table.context, plan.id, "lead@example.com", table.engine.start).id)
    undo = undo_plan.plan_undo(table.context, run.id)
    before = table.writes()
    table.set("2026-02-28T13:00")

    with pytest.raises(PlanExpired, match="phaseloop undo"):
        plan_apply.apply(table.context, undo.id, "lead@example.com", table.engine.start)
    again = plan_apply.apply(table.context, plan.id, "lead@example.com", table.engine.start)

    assert again.id == run.id
    assert table.writes() == before
