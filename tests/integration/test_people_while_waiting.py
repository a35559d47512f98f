"""A tracker limits the rate of calls and has a write wait; what people do meanwhile is theirs all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.values import ItemKey
from service.domain.plan import run_state
from service.domain.plan.plan import Action
from service.usecases.plan import planning, undo_plan
from service.usecases.run import plan_apply
from tests import plain
from tests.integration.jira_team import JiraTeam
from tests.integration.meanwhile import Hands, hands, refs, set_up_anew, template
from tests.integration.test_people_away import codes, is_there
from tests.integration.turntable import Turntable, turntable

WAIT = 5
"""Seconds that the tracker asks to wait; a look holds for one."""

TITLE = ItemKey("ticket:title")


@pytest.fixture(params=["jira", "trello"])
def tracker(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def table(tracker: str, tmp_path: Path) -> Iterator[Turntable]:
    with meanwhile_table(tmp_path, tracker) as opened:
        yield opened


@contextmanager
def meanwhile_table(tmp_path: Path, tracker: str) -> Iterator[Turntable]:
    file = tmp_path / "meanwhile.yaml"
    file.write_text(template(anew=False).text)
    with turntable(tmp_path / "home", tracker, settings={"look_seconds": 1}, template=file) as opened:
        yield opened


def meanwhile(
    table: Turntable, method: str, path: str, act: Callable[[], object], ready: Callable[[], bool] = lambda: True
) -> list[str]:
    """Have the tracker turn a call away for its rate, one call once it is `ready`, and somebody act while that waits;
    what was done is returned."""
    limit = {"action": "limit", "method": method, "path": path, "times": 1, "retryAfter": WAIT}

    def turn_away(**more: int) -> None:
        plain.post(f"{table.url}/sandbox/faults", json={**limit, **more}).raise_for_status()

    told, did = table.clock.told, list[str]()

    def wait(span: timedelta) -> None:
        if span.total_seconds() >= WAIT and not did:
            if ready():
                did.append("acted")
                act()
            else:
                turn_away(skip=1)  # the call that waits is let through
        told(span)

    table.clock.told = wait
    turn_away()
    return did


def on(tracker: str, table: Turntable, key: ItemKey) -> str:
    """The address of a ticket, as a pattern."""
    ref = refs(table)[key]
    return f"/issue/({ref.id}|{ref.key})(/|$)" if tracker == "jira" else f"/cards/{ref.id}(/|$)"


def test_a_title_that_somebody_changed_while_its_write_waited_stays(table: Turntable, tracker: str) -> None:
    people = hands(table, tracker, table.plan_and_apply())
    ref = refs(table)[TITLE]
    set_up_anew(table)
    plan = planning.make_plan(table.context, table.project)
    did = meanwhile(table, "PUT", on(tracker, table, TITLE), lambda: people.change(ref, "title"))

    run = table.applied(plan)

    assert did == ["acted"]
    assert (TITLE, "changed-meanwhile") in codes(run)
    assert "anew" not in people.shows(ref, "title")
    assert people.shows(refs(table)[ItemKey("ticket:text")], "title") == "text anew", "the rest is written"


def test_a_ticket_that_somebody_touched_while_its_removal_waited_stays(table: Turntable, tracker: str) -> None:
    built = table.plan_and_apply()
    people = hands(table, tracker, built)
    ref = refs(table)[TITLE]
    plan = undo_plan.plan_undo(table.context, built.id)
    did = meanwhile(table, "DELETE", on(tracker, table, TITLE), lambda: people.change(ref, "title"))

    run = table.applied(plan)

    assert did == ["acted"]
    assert (TITLE, "kept") in codes(run)
    assert is_there(people, ref)
    others = [one.key for one in planning.plan_of(plan).changes if one.action is Action.DELETE]
    assert not set(refs(table)) & {key for key in others if key.startswith("ticket:")} - {TITLE}


class FirstDay:
    """Somebody at work on the tickets of a project that is being built."""

    def __init__(self, table: Turntable, tracker: str) -> None:
        self.table, self.tracker = table, tracker
        self.plan = planning.make_plan(table.context, table.project)
        made = [one.key for one in planning.plan_of(self.plan).changes if one.action is Action.CREATE]
        self.keys = {key for key in made if key.startswith(("ticket:", "record:"))}
        self.people: Hands | None = None

    def builds(self, act: Callable[[Hands], object]) -> None:
        """Build it; after its tickets are made and before they are read back, somebody acts."""

        def acting() -> None:
            self.people = hands(self.table, self.tracker, self.table.run(run.id) or run)
            act(self.people)

        # In Trello a card is made where it belongs: nothing but the reading back comes after it.
        call = ("POST", r"/sprint/\d+/issue$") if self.tracker == "jira" else ("GET", "/boards/")
        did = meanwhile(self.table, *call, acting, lambda: self.keys <= refs(self.table).keys())
        run = plan_apply.apply(self.table.context, self.plan.id, "lead@example.com", self.table.engine.start)
        ended = self.table.ended(run.id)
        assert did == ["acted"]
        assert ended.state in (run_state.COMPLETED, run_state.INCOMPLETE), ended.findings


@pytest.mark.parametrize("field", ["title", "text", "labels", "assignee"])
def test_what_somebody_changed_before_it_was_read_back_is_drift_and_no_upgrade_takes_it(
    table: Turntable, tracker: str, field: str
) -> None:
    key = ItemKey(f"ticket:{field}")
    day = FirstDay(table, tracker)
    day.builds(lambda people: people.change(refs(table)[key], field))
    assert day.people is not None
    theirs = day.people.shows(refs(table)[key], field)

    drift = planning.draft(table.context, "ML").plan.drift
    set_up_anew(table)
    table.applied(planning.make_plan(table.context, table.project))

    assert {(one.key, one.field) for one in drift} == {(key, field)}
    assert without_turns(day.people.shows(refs(table)[key], field)) == without_turns(theirs)


def without_turns(shown: object) -> object:
    """What is shown but for the labels that are iterations, whose names the upgrade changes."""
    return [one for one in shown if not one.startswith(("Turn ", "Round "))] if isinstance(shown, list) else shown


def test_a_ticket_that_somebody_took_elsewhere_before_it_was_placed_stays_there(table: Turntable, tracker: str) -> None:
    key = ItemKey("ticket:iteration")
    day = FirstDay(table, tracker)
    day.builds(lambda people: people.change(refs(table)[key], "iteration"))
    assert day.people is not None
    theirs = day.people.shows(refs(table)[key], "iteration")

    draft = planning.draft(table.context, "ML").plan

    assert {(one.key, one.field) for one in draft.drift} == {(key, "iteration")}
    table.applied(planning.make_plan(table.context, table.project))
    assert day.people.shows(refs(table)[key], "iteration") == theirs


def test_a_sprint_that_people_complete_while_its_project_is_built_takes_no_more_and_plans_settle(
    tmp_path: Path,
) -> None:
    with meanwhile_table(tmp_path, "jira") as table:
        team = JiraTeam(table.url)

        def completes() -> None:
            team.set_state("Turn 1", "active")
            team.set_state("Turn 1", "closed")

        FirstDay(table, "jira").builds(lambda _people: completes())

        plan = planning.make_plan(table.context, table.project)
        run = table.applied(plan)

        assert "iteration-completed" in {one.code for one in planning.plan_of(plan).findings}
        assert run.state == run_state.COMPLETED, run.findings
        left = planning.draft(table.context, table.project).plan
        assert left.empty, [change for change in left.changes if change.writes]
        assert max(team.titles().values()) == 1


def test_what_is_created_once_more_after_a_lost_call_is_told(table: Turntable, tracker: str) -> None:
    path = "/issue/bulk$" if tracker == "jira" else "/cards$"
    reset = {"action": "reset", "method": "POST", "path": path, "times": 1}
    plain.post(f"{table.url}/sandbox/faults", json=reset).raise_for_status()

    run = table.plan_and_apply()

    assert run.state == run_state.COMPLETED, run.findings
    (told,) = [one for one in run.findings if one["code"] == "created-again"]
    assert told["severity"] == "info"
    assert "No answer came to the creation of" in told["message"]
    assert planning.draft(table.context, table.project).plan.empty
