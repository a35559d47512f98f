"""Over REST: settings travel with a plan, and become the project's when it is applied."""

from __future__ import annotations

import pytest

from tests.api.conftest import Api, assert_problem


@pytest.fixture
def project(api: Api) -> str:
    return api.new_project()


def test_settings_are_the_project_s_once_their_plan_is_applied_and_go_back_with_an_undo(api: Api, project: str) -> None:
    before = api.get(f"/projects/{project}")

    plan = api.post(f"/projects/{project}/plans", {"settings": {"carry_over": "leave", "name": "Churn"}})
    assert plan["settings"] == [
        {"field": "name", "before": before["name"], "after": "Churn"},
        {"field": "turning.carry_over", "before": None, "after": "leave"},
    ]
    assert api.get(f"/projects/{project}") == before

    run = api.wait_for_end(api.post(f"/plans/{plan['id']}/apply", status=202)["id"])
    after = api.get(f"/projects/{project}")
    assert (after["carry_over"], after["name"]) == ("leave", "Churn")

    undo = api.post(f"/runs/{run['id']}/undo-plans")
    assert [entry["field"] for entry in undo["settings"]] == ["name", "turning.carry_over"]
    api.wait_for_end(api.post(f"/plans/{undo['id']}/apply", status=202)["id"])
    back = api.get(f"/projects/{project}")
    assert (back["carry_over"], back["name"]) == (None, before["name"])


def test_wrong_settings_of_a_plan_are_told_with_their_place_in_the_body(api: Api, project: str) -> None:
    body = {"settings": {"time_zone": "Europe/Berlim", "parameters": {"method": "waterfall"}}}

    refused = assert_problem(api("POST", f"/projects/{project}/plans", json=body), "invalid-input", 422)

    assert [error["pointer"] for error in refused["errors"]] == ["/settings/time_zone", "/settings/parameters/method"]
