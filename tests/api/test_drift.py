"""Over REST: what people changed is shown, restored by choice, and what they made is taken over."""

from __future__ import annotations

import pytest

from tests import plain
from tests.api.conftest import Api, assert_problem


@pytest.fixture(scope="module")
def project(api: Api) -> str:
    """A project that was built, in which somebody gave a ticket another title."""
    name = api.new_project()
    plan = api.post(f"/projects/{name}/plans")
    api.wait_for_end(api.post(f"/plans/{plan['id']}/apply", status=202)["id"])
    goals = next(one for one in api.get(f"/projects/{name}/items")["items"] if one["key"] == "ticket:goals")
    edit = {"fields": {"summary": "Our goals"}}
    address = f"{api.sandbox.url}/rest/api/2/issue/{goals['remote_key']}"
    plain.put(address, json=edit, auth=("demo@example.com", "sandbox-token")).raise_for_status()
    return name


def test_drift_is_shown_and_no_plan_is_kept_for_it(api: Api, project: str) -> None:
    shown = api.get(f"/projects/{project}/drift")

    assert [(one["key"], one["field"], one["observed"]) for one in shown["drift"]] == [
        ("ticket:goals", "title", "Our goals")
    ]
    assert shown["summary"]["update"] == 0
    assert shown["requests"]["writes"] == 0


def test_a_plan_restores_what_its_body_names(api: Api, project: str) -> None:
    plan = api.post(f"/projects/{project}/plans", {"restore": ["ticket:goals"]})

    changes = [change for change in plan["changes"] if change["change"]["action"] != "keep"]
    assert [(change["key"], change["reason"], change["change"]["changed"]) for change in changes] == [
        ("ticket:goals", "restored", ["title"])
    ]
    assert plan["drift"] == []


def test_what_stands_in_the_way_is_told_with_its_place_in_the_body(api: Api, project: str) -> None:
    address = f"/projects/{project}/plans"

    unknown = assert_problem(api("POST", address, json={"restore": ["ML-999999"]}), "invalid-input", 422)
    taken = assert_problem(api("POST", address, json={"adopt": {"ticket:goals": "ML-999"}}), "invalid-input", 422)
    both = {"restore": ["deleted"], "adopt": {"ticket:goals": "ML-1"}}
    together = assert_problem(api("POST", address, json=both), "invalid-input", 422)

    assert [error["pointer"] for error in unknown["errors"]] == ["/restore/0"]
    assert [error["pointer"] for error in taken["errors"]] == ["/adopt/ticket:goals"]
    assert [error["pointer"] for error in together["errors"]] == ["/restore"]
