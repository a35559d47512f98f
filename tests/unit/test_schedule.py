"""What is due becomes runs, each once, whoever begins them: on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from connectors.values import Finding, ItemKey, Severity, Usage
from service import schedule
from service.context import Context
from service.domain.loop import loop_state
from service.domain.plan import run_state
from service.settings import Settings
from service.store import dues, loops, runs
from service.store.tables import (
    CarryRow,
    EventRow,
    LoopRow,
    PlanRow,
    ProjectRow,
    RunRow,
    StepRow,
)
from tests.unit import stores
from tests.unit.stores import NOON

HOUR = timedelta(hours=1)
NOT_THERE = Finding(Severity.ERROR, "next-iteration-deleted", "It was deleted.", "Make it again.", "iteration:2")


@pytest.fixture(params=["sqlite", "postgresql"])
def context(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Context]:
    yield from stores.on(request.param, tmp_path)


def project(session: Session, name: str, next_due: datetime | None = NOON, **about: object) -> str:
    """A project with a loop that is due then."""
    row = stores.project_row(name)
    session.add(row)
    session.flush()
    loops.create_if_missing(session, name, NOON, next_due=next_due)
    if about:
        session.execute(update(LoopRow).where(LoopRow.project_id == name).values(**about))
    return name


def run_of(context: Context, run_id: str) -> RunRow:
    with context.database.session() as session:
        return session.get_one(RunRow, run_id)


def loop_of(context: Context, name: str = "ml") -> LoopRow:
    with context.database.session() as session:
        return session.get_one(LoopRow, name)


def ended(context: Context, run_id: str, state: str) -> None:
    with context.database.session() as session:
        runs.begin(session, run_id, NOON)
        runs.finish(session, run_id, NOON, state)


def held(context: Context, run_id: str, until: datetime) -> None:
    with context.database.session() as session:
        assert runs.begin(session, run_id, NOON) is not None
        assert runs.hold(session, run_id, [NOT_THERE], until, NOON)


# --- what is due ------------------------------------------------------------------------------------------------------


def test_what_is_due_begins_and_what_is_not_waits(context: Context) -> None:
    with context.database.session() as session:
        project(session, "past", NOON - HOUR)
        project(session, "now", NOON, current=3)
        project(session, "later", NOON + HOUR)
        project(session, "never", None)
        project(session, "paused", NOON - HOUR)
        loops.pause(session, "paused", "pm-1@example.com", "summer break", NOON)
        project(session, "over", NOON - HOUR)
        session.execute(update(ProjectRow).where(ProjectRow.id == "over").values(ended_at=NOON))

    begun = schedule.fire(context, NOON)

    assert begun == [("advance-past-1", "con"), ("advance-now-4", "con")]
    run = run_of(context, "advance-now-4")
    assert (run.kind, run.state, run.iteration, run.attempt, run.plan_id) == ("advance", run_state.QUEUED, 4, 1, None)
    assert run.started_by == schedule.BY_CLOCK
    assert (stores.due(context, "now"), loop_of(context, "now").run_id) == (None, "advance-now-4")
    assert stores.due(context, "paused") is None


def test_what_has_begun_is_not_due_again(context: Context) -> None:
    with context.database.session() as session:
        project(session, "ml")

    assert len(schedule.fire(context, NOON)) == 1
    assert schedule.fire(context, NOON + 1000 * HOUR) == []


def test_a_proposal_is_for_the_iteration_that_ends(context: Context) -> None:
    with context.database.session() as session:
        project(session, "ml", NOON, current=2, due=loop_state.PROPOSE)

    assert schedule.fire(context, NOON) == [("propose-ml-2", "con")]
    assert run_of(context, "propose-ml-2").kind == loop_state.PROPOSE


def test_the_longest_overdue_come_first_and_no_more_than_asked_for(context: Context) -> None:
    with context.database.session() as session:
        for number in range(5):
            project(session, f"p{number}", NOON - number * HOUR)

    parts = [[workflow for workflow, _ in schedule.fire(context, NOON, limit=2)] for _ in range(4)]

    assert parts == [["advance-p4-1", "advance-p3-1"], ["advance-p2-1", "advance-p1-1"], ["advance-p0-1"], []]


def test_several_that_fire_at_once_begin_each_run_once(context: Context) -> None:
    count, together = 60, Barrier(3)
    with context.database.session() as session:
        for number in range(count):
            project(session, f"p{number:02}")

    def replica() -> list[str]:
        together.wait()
        mine: list[str] = []
        while begun := schedule.fire(context, NOON, limit=7):
            mine += [workflow for workflow, _partition in begun]
        return mine

    with ThreadPoolExecutor(3) as threads:
        begun = [workflow for done in [threads.submit(replica) for _ in range(3)] for workflow in done.result()]

    assert Counter(begun) == Counter(f"advance-p{number:02}-1" for number in range(count))


def test_the_next_time_that_anything_is_due_is_told(context: Context) -> None:
    with context.database.session() as session:
        assert dues.first(session) is None
        project(session, "paused", NOON - HOUR)
        loops.pause(session, "paused", "pm-1@example.com", "summer break", NOON)
        project(session, "later", NOON + HOUR)
        project(session, "soon", NOON)

        assert dues.first(session) == NOON


# --- clicks and the clock ---------------------------------------------------------------------------------------------


def test_a_click_and_the_clock_begin_one_run(context: Context) -> None:
    with context.database.session() as session:
        project(session, "ml", current=1)
    with context.database.session() as session:
        clicked = schedule.begin(session, "ml", loop_state.ADVANCE, 2, "pm-1@example.com", NOON)
    assert schedule.fire(context, NOON) == []
    with context.database.session() as session:
        again = schedule.begin(session, "ml", loop_state.ADVANCE, 2, "pm-2@example.com", NOON)

    assert (clicked.id, again.id, again.started_by) == ("advance-ml-2", "advance-ml-2", "pm-1@example.com")
    assert again.attempt == 1


def test_many_who_click_at_once_begin_one_run(context: Context) -> None:
    with context.database.session() as session:
        project(session, "ml", current=1)
    together = Barrier(4)

    def click(by: str) -> str:
        together.wait()
        with context.database.session() as session:
            return schedule.begin(session, "ml", loop_state.ADVANCE, 2, by, NOON).id

    with ThreadPoolExecutor(4) as threads:
        begun = set(threads.map(click, ["pm-1", "pm-2", "pm-3", "pm-4"]))

    assert begun == {"advance-ml-2"}
    with context.database.session() as session:
        assert len(session.scalars(select(RunRow)).all()) == 1


def test_an_iteration_that_has_begun_is_not_begun_by_a_late_click(context: Context) -> None:
    with context.database.session() as session:
        project(session, "ml")
    schedule.fire(context, NOON)
    ended(context, "advance-ml-1", run_state.COMPLETED)
    with context.database.session() as session:
        session.execute(update(LoopRow).values(current=1))
        dues.put(session, "ml", dues.TURN, NOON + HOUR)

    with context.database.session() as session:
        run = schedule.begin(session, "ml", loop_state.ADVANCE, 1, "pm-1@example.com", NOON)

    assert (run.id, run.state) == ("advance-ml-1", run_state.COMPLETED)
    assert stores.due(context) == NOON + HOUR


def test_a_project_without_a_loop_has_nothing_to_begin(context: Context) -> None:
    with context.database.session() as session, pytest.raises(NoResultFound):
        schedule.begin(session, "ml", loop_state.ADVANCE, 1, "pm-1@example.com", NOON)


# --- held runs --------------------------------------------------------------------------------------------------------


def test_a_held_run_says_why_and_is_looked_at_again_as_a_new_attempt(context: Context) -> None:
    with context.database.session() as session:
        project(session, "ml", current=1)
    schedule.fire(context, NOON)

    held(context, "advance-ml-2", NOON + HOUR)

    run = run_of(context, "advance-ml-2")
    assert (run.state, run.message, run.waiting_until) == (run_state.HELD, "It was deleted.", NOON + HOUR)
    assert [entry["code"] for entry in run.findings] == ["next-iteration-deleted"]
    assert run.finished_at is None
    assert schedule.fire(context, NOON) == []
    assert schedule.fire(context, NOON + HOUR) == [("advance-ml-2~2", "con")]
    run = run_of(context, "advance-ml-2")
    assert (run.state, run.attempt, run.findings, run.message, run.waiting_until) == (run_state.QUEUED, 2, [], "", None)
    assert (runs.run_id_of("advance-ml-2~2"), runs.workflow_id(run.id, 1)) == ("advance-ml-2", "advance-ml-2")


def test_that_a_run_is_held_is_told_once(context: Context) -> None:
    with context.database.session() as session:
        project(session, "ml", current=1)
    for turn in range(3):
        schedule.fire(context, NOON + turn * HOUR)
        held(context, "advance-ml-2", NOON + (turn + 1) * HOUR)

    with context.database.session() as session:
        events = list(session.scalars(select(EventRow)))
    assert [(event.kind, event.iteration, event.text) for event in events] == [
        (run_state.HELD, 2, "It was deleted. Make it again.")
    ]


def test_holding_twice_holds_once_also_when_the_next_attempt_is_queued_by_then(context: Context) -> None:
    with context.database.session() as session:
        project(session, "ml", current=1)
    schedule.fire(context, NOON)
    held(context, "advance-ml-2", NOON + HOUR)
    schedule.fire(context, NOON + HOUR)

    with context.database.session() as session:
        assert runs.hold(session, "advance-ml-2", [], NOON + 2 * HOUR, NOON)

    assert run_of(context, "advance-ml-2").state == run_state.QUEUED
    assert stores.due(context) is None


def test_steps_of_a_former_attempt_count_as_no_batches_of_the_next(context: Context) -> None:
    with context.database.session() as session:
        project(session, "ml", current=1)
    schedule.fire(context, NOON)
    with context.database.session() as session:
        runs.record_step(session, "advance-ml-2", 1, "Put 3 tickets into iteration:2", "go", "", Usage(), NOON, NOON)
    held(context, "advance-ml-2", NOON + HOUR)
    schedule.fire(context, NOON + HOUR)

    with context.database.session() as session:
        assert runs.batches_done(session, "advance-ml-2") == set()
        assert session.scalars(select(StepRow.title)).all() == ["Put 3 tickets into iteration:2"]


def test_a_person_need_not_wait_for_a_held_run_to_look_again(context: Context) -> None:
    with context.database.session() as session:
        project(session, "ml", current=1)
    schedule.fire(context, NOON)
    held(context, "advance-ml-2", NOON + HOUR)

    with context.database.session() as session:
        run = schedule.begin(session, "ml", loop_state.ADVANCE, 2, "pm-1@example.com", NOON)
        assert runs.workflow_id(run.id, run.attempt) == "advance-ml-2~2"

    assert schedule.fire(context, NOON + HOUR) == []


def test_a_run_that_is_held_while_its_loop_is_paused_does_not_look_again(context: Context) -> None:
    with context.database.session() as session:
        project(session, "ml", current=1)
    schedule.fire(context, NOON)
    with context.database.session() as session:
        loops.pause(session, "ml", "pm-1@example.com", "a rest", NOON)

    held(context, "advance-ml-2", NOON + HOUR)

    assert (loop_of(context).state, stores.due(context)) == (loop_state.PAUSED, None)
    with context.database.session() as session:
        session.execute(update(LoopRow).values(state=loop_state.TURNING))
        dues.put(session, "ml", dues.TURN, NOON)
    assert schedule.fire(context, NOON) == [("advance-ml-2~2", "con")]


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 300), (2, 600), (3, 1200), (4, 2400), (5, 3600), (500, 3600)])
def test_a_held_run_looks_again_after_longer_and_longer_up_to_an_hour(
    tmp_path: Path, attempt: int, seconds: int
) -> None:
    settings = Settings(home=tmp_path, _env_file=None)

    assert schedule.look_again_at(settings, attempt, NOON) == NOON + timedelta(seconds=seconds)


def test_who_sets_a_longer_hold_than_an_hour_gets_it(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, _env_file=None, hold_seconds=7200)

    assert schedule.look_again_at(settings, 3, NOON) == NOON + 2 * HOUR


@given(st.text("abc-123", min_size=1), st.integers(1, 10_000))
def test_a_workflow_names_its_run(run_id: str, attempt: int) -> None:
    assert runs.run_id_of(runs.workflow_id(run_id, attempt)) == run_id


# --- runs that end without turning the loop ---------------------------------------------------------------------------


def test_a_cancelled_run_pauses_the_loop_and_says_who_did_it(context: Context) -> None:
    with context.database.session() as session:
        project(session, "ml", current=1)
    schedule.fire(context, NOON)

    with context.database.session() as session:
        assert runs.request_cancel(session, "advance-ml-2", "pm-1@example.com", NOON)

    loop = loop_of(context)
    assert (loop.state, stores.due(context), loop.changed_by) == (loop_state.PAUSED, None, "pm-1@example.com")
    assert loop.message.startswith("pm-1@example.com cancelled the run advance-ml-2.")


def test_a_held_run_that_is_cancelled_is_over_at_once(context: Context) -> None:
    with context.database.session() as session:
        project(session, "ml", current=1)
    schedule.fire(context, NOON)
    held(context, "advance-ml-2", NOON + HOUR)

    with context.database.session() as session:
        assert runs.request_cancel(session, "advance-ml-2", "pm-1@example.com", NOON)

    assert run_of(context, "advance-ml-2").state == run_state.CANCELLED
    assert loop_of(context).state == loop_state.PAUSED
    assert schedule.fire(context, NOON + HOUR) == []


def test_a_failed_run_pauses_the_loop_and_the_next_one_continues_it(context: Context) -> None:
    with context.database.session() as session:
        project(session, "ml", current=1)
    schedule.fire(context, NOON)
    ended(context, "advance-ml-2", run_state.FAILED)
    assert loop_of(context).state == loop_state.PAUSED
    with context.database.session() as session:
        session.execute(update(LoopRow).values(state=loop_state.TURNING))
        dues.put(session, "ml", dues.TURN, NOON)

    assert schedule.fire(context, NOON) == [("advance-ml-2-2", "con")]

    run = run_of(context, "advance-ml-2-2")
    assert (run.continues, run.iteration, run.state) == ("advance-ml-2", 2, run_state.QUEUED)
    ended(context, "advance-ml-2-2", run_state.FAILED)
    with context.database.session() as session:
        assert schedule.begin(session, "ml", loop_state.ADVANCE, 2, "pm-1@example.com", NOON).id == "advance-ml-2-3"


def test_an_older_run_that_ends_does_not_pause_the_loop(context: Context) -> None:
    with context.database.session() as session:
        project(session, "ml", current=1, due=loop_state.PROPOSE)
    schedule.fire(context, NOON)
    with context.database.session() as session:
        schedule.begin(session, "ml", loop_state.ADVANCE, 2, "pm-1@example.com", NOON)

    ended(context, "propose-ml-1", run_state.FAILED)

    assert loop_of(context).state == loop_state.TURNING


def test_other_runs_leave_the_loop_alone(context: Context) -> None:
    with context.database.session() as session:
        project(session, "ml", NOON + HOUR)
        session.add(
            RunRow(
                id="apply-x", kind="apply", project_id="ml", state=run_state.QUEUED, started_by="pm-1", created_at=NOON
            )
        )

    ended(context, "apply-x", run_state.FAILED)

    assert (loop_of(context).state, stores.due(context)) == (loop_state.TURNING, NOON + HOUR)


# --- the loop in the store --------------------------------------------------------------------------------------------


def test_a_loop_begins_once(context: Context) -> None:
    with context.database.session() as session:
        project(session, "ml", NOON)
    with context.database.session() as session:
        assert not loops.create_if_missing(session, "ml", NOON, next_due=NOON + HOUR, state=loop_state.PAUSED)

    assert (loop_of(context).state, stores.due(context)) == (loop_state.TURNING, NOON)


def test_a_loop_that_has_ended_is_not_paused(context: Context) -> None:
    with context.database.session() as session:
        project(session, "ml", NOON)
        assert loops.pause(session, "ml", "pm-1", "a rest", NOON)
        assert not loops.pause(session, "ml", "pm-2", "another", NOON)
        assert loops.end(session, "ml", "pm-1", "done", NOON)
        assert not loops.end(session, "ml", "pm-2", "done again", NOON)
        assert not loops.pause(session, "ml", "pm-2", "another", NOON)

    loop = loop_of(context)
    assert (loop.state, loop.message, loop.changed_by, stores.due(context)) == (loop_state.ENDED, "done", "pm-1", None)


def test_an_event_is_recorded_once_by_its_name(context: Context) -> None:
    with context.database.session() as session:
        project(session, "ml")
        project(session, "other")
        told = [
            loops.record_event(session, name, "closed:3", "closed", text, at=NOON, by="clock", iteration=3)
            for name, text in (("ml", "first"), ("ml", "second"), ("other", "its own"))
        ]

        assert told == [True, False, True]
        assert session.scalars(select(EventRow.text).order_by(EventRow.id)).all() == ["first", "its own"]


def test_only_what_was_carried_into_a_next_iteration_counts_as_carried(context: Context) -> None:
    with context.database.session() as session:
        project(session, "ml")
        for ticket, number, policy in (
            ("ticket:a", 1, "next"),
            ("ticket:a", 2, "next"),
            ("ticket:a", 3, "leave"),
            ("ticket:b", 1, "backlog"),
            ("guest:10", 2, "next"),
        ):
            carry = CarryRow(project_id="ml", ticket=ticket, number=number, policy=policy, run_id="r", at=NOON)
            session.add(carry)
        session.flush()

        assert loops.carried(session, "ml") == {ItemKey("ticket:a"): 2, ItemKey("guest:10"): 1}
        assert loops.carried(session, "other") == {}


def test_the_plans_of_an_advance_are_those_of_all_its_attempts_and_of_the_runs_it_continues(context: Context) -> None:
    with context.database.session() as session:
        project(session, "ml", current=1)
        for number, run in enumerate(("advance-ml-2", "advance-ml-2", "advance-ml-2-2", "advance-ml-1", "apply-x")):
            made = NOON + number * HOUR
            session.add(PlanRow(id=f"p{number}", project_id="ml", serial=0, body={}, run_id=run, created_at=made))
    schedule.fire(context, NOON)
    ended(context, "advance-ml-2", run_state.FAILED)
    with context.database.session() as session:
        run = schedule.begin(session, "ml", loop_state.ADVANCE, 2, "pm-1@example.com", NOON)

        assert [plan.id for plan in loops.plans(session, run)] == ["p0", "p1", "p2"]
