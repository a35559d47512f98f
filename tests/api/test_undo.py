"""Taking back over REST: planned like anything else, refused in words where it cannot be."""

from __future__ import annotations

from typing import Any

from tests import plain
from tests.api.conftest import Api, assert_problem
from tests.api.test_runs import HOUR


def applied(api: Api) -> dict[str, Any]:
    plan = api.post(f"/projects/{api.new_project('SCRUM')}/plans")
    return api.wait_for_end(api.post(f"/plans/{plan['id']}/apply", status=202)["id"])


def test_a_run_is_undone_by_a_plan_of_its_own(api: Api) -> None:
    run = applied(api)

    answer = api("POST", f"/runs/{run['id']}/undo-plans", headers={"Idempotency-Key": "undo-it"})
    again = api("POST", f"/runs/{run['id']}/undo-plans", headers={"Idempotency-Key": "undo-it"})

    plan = answer.json()
    assert (answer.status_code, plan["purpose"], plan["undoes"]) == (201, "undo", run["id"])
    assert answer.headers["Location"] == f"/api/v1/plans/{plan['id']}"
    assert again.json()["id"] == plan["id"]
    undone = api.wait_for_end(api.post(f"/plans/{plan['id']}/apply", status=202)["id"])
    assert (undone["id"], undone["kind"], undone["state"]) == (f"undo-{plan['id']}", "undo", "completed")
    assert api.get(f"/projects/{run['project']}/items")["items"] == []
    assert_problem(api("POST", f"/runs/{run['id']}/undo-plans"), "nothing-to-undo", 409)
    assert_problem(api("POST", f"/runs/{undone['id']}/undo-plans"), "run-state", 409)


def test_a_run_that_is_still_at_work_is_not_undone(api: Api) -> None:
    plain.post(f"{api.sandbox.url}/sandbox/faults", json=HOUR).raise_for_status()
    plan = api.post(f"/projects/{api.new_project('SCRUM')}/plans")
    run = api.post(f"/plans/{plan['id']}/apply", status=202)

    assert_problem(api("POST", f"/runs/{run['id']}/undo-plans"), "run-state", 409)
    assert_problem(api("POST", f"/projects/{plan['project']}/removal-plans", json={"undo": True}), "run-state", 409)

    plain.delete(f"{api.sandbox.url}/sandbox/faults").raise_for_status()
    api.post(f"/runs/{run['id']}/cancel", status=202)
    api.wait_for_end(run["id"])


def test_a_removed_project_has_ended_and_takes_no_more_plans(api: Api) -> None:
    run = applied(api)
    older = api.post(f"/projects/{run['project']}/plans")

    plan = api.post(f"/projects/{run['project']}/removal-plans", json={"undo": True})
    removed = api.wait_for_end(api.post(f"/plans/{plan['id']}/apply", status=202)["id"])

    assert (removed["kind"], removed["state"]) == ("remove", "completed")
    project = api.get(f"/projects/{run['project']}")
    assert project["ended_at"] is not None
    assert project["counts"] == {}
    assert_problem(api("POST", f"/projects/{run['project']}/plans"), "project-ended", 409)
    assert_problem(api("POST", f"/plans/{older['id']}/apply"), "project-ended", 409)
    assert_problem(api("POST", f"/projects/{run['project']}/removal-plans", json={"undo": False}), "project-ended", 409)


def test_a_project_ends_without_a_look_at_the_tracker_where_all_stays(api: Api) -> None:
    run = applied(api)

    plan = api.post(f"/projects/{run['project']}/removal-plans", json={"undo": False})

    assert plan["changes"] == []
    assert plan["requests"] == {"reads": 0, "writes": 0}
    api.wait_for_end(api.post(f"/plans/{plan['id']}/apply", status=202)["id"])
    assert api.get(f"/projects/{run['project']}")["ended_at"] is not None


def test_how_a_project_is_to_end_must_be_said(api: Api) -> None:
    project = api.new_project("SCRUM")

    assert_problem(api("POST", f"/projects/{project}/removal-plans", json={}), "invalid-input", 422)
