"""Cleaning up: old steps and plans go, what runs came to stays readable, what an undo needs stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from service.context import Context
from service.store.tables import AnswerRow, ItemRow, PlanRow, StepRow
from service.usecases.run import cleanup, idempotency
from tests.api.conftest import Api, assert_problem


@pytest.fixture
def later(context: Context) -> Context:
    """The same store, long enough from now for everything in it to be old."""
    moment = context.now() + timedelta(days=context.settings.keep_runs_days + 1)
    return replace(context, now=lambda: moment)


def applied(api: Api) -> tuple[str, str]:
    """Plan and run of a project that was built."""
    plan = api.post(f"/projects/{api.new_project('SCRUM')}/plans")["id"]
    run = api.post(f"/plans/{plan}/apply", status=202)["id"]
    assert api.wait_for_end(run)["state"] == "completed"
    return plan, run


def test_young_runs_and_plans_stay_as_they_are(api: Api, context: Context) -> None:
    plan, run = applied(api)
    before = api.get(f"/runs/{run}"), api.get(f"/runs/{run}/steps"), api.get(f"/plans/{plan}")

    assert set(cleanup.clean(context).values()) == {0}

    assert (api.get(f"/runs/{run}"), api.get(f"/runs/{run}/steps"), api.get(f"/plans/{plan}")) == before


def test_an_old_run_keeps_its_numbers_and_loses_its_steps_and_its_plan_stays_for_an_undo(
    api: Api, later: Context
) -> None:
    plan, run = applied(api)
    before = api.get(f"/runs/{run}")

    cleaned = cleanup.clean(later)

    assert cleaned["runs"] >= 1
    after = api.get(f"/runs/{run}")
    assert after.pop("cleaned_at") is not None
    assert after == {name: value for name, value in before.items() if name != "cleaned_at"}
    assert before["progress"]["done"] > 0
    assert api.get(f"/runs/{run}/steps")["items"] == []
    assert api.get(f"/plans/{plan}")["changes"]
    assert cleanup.clean(later)["runs"] == 0


def test_the_plan_of_an_old_run_goes_when_nothing_of_it_is_left(api: Api, later: Context) -> None:
    plan, run = applied(api)
    cleanup.clean(later)
    numbers = api.get(f"/runs/{run}")["progress"]
    with later.database.session() as session:
        session.execute(delete(ItemRow).where(ItemRow.made_by == run))

    assert cleanup.clean(later)["plans of runs"] == 1

    assert run in assert_problem(api("GET", f"/plans/{plan}"), "not-found", 404)["detail"]
    assert api.get(f"/runs/{run}")["progress"] == numbers
    with later.database.session() as session:
        assert session.get_one(PlanRow, plan).body["people"]  # by whom people keep their work
        project = session.get_one(PlanRow, plan).project_id
    assert api.post(f"/projects/{project}/plans")["changes"]


def test_an_old_plan_that_was_never_applied_is_removed(api: Api, later: Context) -> None:
    plan = api.post(f"/projects/{api.new_project('SCRUM')}/plans")["id"]

    assert cleanup.clean(later)["unapplied plans"] >= 1

    assert_problem(api("GET", f"/plans/{plan}"), "not-found", 404)


def test_an_old_run_that_was_cleaned_up_is_not_taken_up_again(api: Api, later: Context) -> None:
    _plan, run = applied(api)
    with later.database.session() as session:
        steps = select(StepRow).where(StepRow.run_id == run)
        assert session.scalars(steps).all()
    cleanup.clean(later)

    assert_problem(api("POST", f"/runs/{run}/retry"), "run-state", 409)
    with later.database.session() as session:
        assert not session.scalars(steps).all()


def test_answers_older_than_a_day_are_forgotten(context: Context, later: Context) -> None:
    claimed = idempotency.claim(context, "t", "POST /x", "old", b"one")
    assert isinstance(claimed, idempotency.Claim)
    idempotency.keep(context, claimed, idempotency.Answer(201, {}, "{}"))

    assert cleanup.clean(later)["answers"] >= 1

    with later.database.session() as session:
        assert session.get(AnswerRow, claimed.id) is None
