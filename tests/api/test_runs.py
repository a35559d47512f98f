"""Runs over REST: cancelled, retried, resumed, and refused in words where their state does not allow it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from tests import plain
from tests.api.conftest import Api, assert_problem
from tests.waiting import eventually

HOUR = {"action": "limit", "method": "POST", "path": "/issue/bulk$", "retryAfter": 3600, "times": 1}


@pytest.fixture
def control(api: Api) -> Iterator[Any]:
    """Sets one of the sandbox's controls; all are cleared at the end."""
    names: list[str] = []

    def set_(name: str, **body: object) -> None:
        names.append(name)
        plain.post(f"{api.sandbox.url}/sandbox/{name}", json=body).raise_for_status()

    yield set_
    for name in names:
        plain.delete(f"{api.sandbox.url}/sandbox/{name}").raise_for_status()


def started(api: Api) -> str:
    plan = api.post(f"/projects/{api.new_project('SCRUM')}/plans")
    return str(api.post(f"/plans/{plan['id']}/apply", status=202)["id"])


def refused(api: Api, control: Any) -> dict[str, Any]:
    """A run that ended incomplete, because a field was made required after its plan; it is optional again."""
    plan = api.post(f"/projects/{api.new_project('SCRUM')}/plans")
    control("required-fields", project="SCRUM", field="duedate", issueType="Task")
    run = api.wait_for_end(api.post(f"/plans/{plan['id']}/apply", status=202)["id"])
    assert run["state"] == "incomplete"
    plain.delete(f"{api.sandbox.url}/sandbox/required-fields").raise_for_status()
    return run


def waiting(api: Api, control: Any) -> str:
    """A run that waits for an hour."""
    control("faults", **HOUR)
    run = started(api)
    eventually(lambda: api.get(f"/runs/{run}")["state"] == "waiting")
    return run


def test_a_run_that_waits_says_until_when_and_is_cancelled_at_once(api: Api, control: Any) -> None:
    run = waiting(api, control)
    before = api.get(f"/runs/{run}")

    answer = api("POST", f"/runs/{run}/cancel")

    assert (datetime.fromisoformat(before["waiting_until"]) - api.context.now()).total_seconds() > 3000
    assert before["progress"]["seconds_left"] > 3000
    assert before["tracker"] == "Jira"
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/api/v1/runs/{run}"
    body = answer.json()
    assert (body["state"], body["cancelled_by"]) == ("cancelled", "tests")
    assert body["finished_at"] is not None
    assert body["waiting_until"] is None
    assert api.post(f"/runs/{run}/cancel", status=202) == body


def test_a_cancelled_run_is_resumed_by_a_new_run_which_is_the_same_however_often_it_is_asked_for(
    api: Api, control: Any
) -> None:
    run = waiting(api, control)
    api.post(f"/runs/{run}/cancel", status=202)

    first = api.post(f"/runs/{run}/resume", status=202)
    again = api.post(f"/runs/{run}/resume", status=202)

    assert first["id"] == again["id"] == f"{run}-2"
    ended = api.wait_for_end(first["id"])
    assert (ended["state"], ended["continues"]) == ("completed", run)
    assert ended["progress"]["written"] == ended["progress"]["items"]
    assert ended["progress"]["seconds_left"] is None
    assert api.get(f"/runs/{run}")["continued_by"] == first["id"]
    assert api.get(f"/plans/{ended['plan']}")["run"] == first["id"]
    assert api.post(f"/plans/{ended['plan']}/apply", status=202)["id"] == first["id"]


def test_a_run_and_the_one_that_took_its_work_up_are_undone_as_one(api: Api, control: Any) -> None:
    control("faults", **HOUR, skip=1)  # the epics are made before, the tickets are not
    run = started(api)
    eventually(lambda: api.get(f"/runs/{run}")["state"] == "waiting")
    api.post(f"/runs/{run}/cancel", status=202)
    resumed = api.post(f"/runs/{run}/resume", status=202)["id"]
    api.wait_for_end(resumed)

    removed = [
        {change["key"] for change in plan["changes"] if change["change"]["action"] == "delete"}
        for plan in (api.post(f"/runs/{one}/undo-plans") for one in (run, resumed))
    ]

    assert removed[0] == removed[1]
    assert {key.partition(":")[0] for key in removed[0]} >= {"epic", "ticket", "iteration"}


def test_resume_has_a_waiting_run_look_again(api: Api, control: Any) -> None:
    run = waiting(api, control)

    resumed = api("POST", f"/runs/{run}/resume", headers={"Idempotency-Key": api.new_name("key")})

    assert (resumed.status_code, resumed.json()["id"]) == (202, run)
    assert api.wait_for_end(run)["state"] == "completed"


def test_retry_sends_again_what_was_refused_and_nothing_else(api: Api, control: Any) -> None:
    first = refused(api, control)
    key = {"Idempotency-Key": api.new_name("key")}

    retried = api("POST", f"/runs/{first['id']}/retry", headers=key)
    ended = api.wait_for_end(retried.json()["id"])
    replayed = api("POST", f"/runs/{first['id']}/retry", headers=key)

    assert retried.status_code == 202
    assert replayed.headers["idempotency-replayed"] == "true"
    assert (ended["state"], ended["continues"]) == ("completed", first["id"])
    titles = [step["title"] for step in api.get(f"/runs/{ended['id']}/steps")["items"]]
    assert not any("epic" in title or "iteration" in title for title in titles if title.startswith("Create"))
    assert any(title.startswith("Create") and "ticket" in title for title in titles)


def test_a_run_is_retried_only_while_nothing_else_changed_its_project(api: Api, control: Any) -> None:
    first = refused(api, control)
    plan = api.post(f"/projects/{first['project']}/plans")
    api.wait_for_end(api.post(f"/plans/{plan['id']}/apply", status=202)["id"])

    assert_problem(api("POST", f"/runs/{first['id']}/retry"), "plan-stale", 409)


@pytest.mark.parametrize("verb", ["cancel", "retry", "resume"])
def test_nothing_is_done_with_a_run_that_completed(api: Api, verb: str) -> None:
    run = api.wait_for_end(started(api))

    problem = assert_problem(api("POST", f"/runs/{run['id']}/{verb}"), "run-state", 409)

    assert run["state"] == "completed"
    assert run["id"] in problem["detail"]
    assert api.get(f"/runs/{run['id']}") == run


def test_a_run_at_work_is_not_retried_and_a_cancelled_one_is_resumed_instead(api: Api, control: Any) -> None:
    run = waiting(api, control)
    assert (
        f"GET /api/v1/runs/{run}/events"
        in assert_problem(api("POST", f"/runs/{run}/retry"), "run-state", 409)["detail"]
    )
    api.post(f"/runs/{run}/cancel", status=202)
    assert (
        f"POST /api/v1/runs/{run}/resume"
        in assert_problem(api("POST", f"/runs/{run}/retry"), "run-state", 409)["detail"]
    )


@pytest.mark.parametrize("verb", ["cancel", "retry", "resume"])
def test_an_unknown_run_is_a_problem(api: Api, verb: str) -> None:
    assert_problem(api("POST", f"/runs/apply-nothing/{verb}"), "not-found", 404)


def test_those_who_watch_a_run_see_that_it_waits_and_that_it_was_cancelled(api: Api, control: Any) -> None:
    run = waiting(api, control)
    headers = {"Authorization": f"Bearer {api.token}"}
    with api.client.stream("GET", f"/api/v1/runs/{run}/events", headers=headers) as answer:
        lines = answer.iter_lines()
        assert any('"waiting_until":"' in line for line in lines)
        api.post(f"/runs/{run}/cancel", status=202)
        assert any('"state":"cancelled"' in line for line in lines)
