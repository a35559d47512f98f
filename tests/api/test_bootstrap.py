"""The main job over REST: connection, team, project, plan, apply, follow, look."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from service.context import Context
from service.store.tables import PlanRow
from tests.api.conftest import ML_TEAM, Api, assert_problem


def test_a_project_is_built_over_rest_from_nothing_to_tickets(api: Api) -> None:
    connection, team = api.new_connection(), api.post("/teams", {"name": "ml", **ML_TEAM})
    check = api.post(f"/connections/{connection}/check", {"project_key": "ML", "create": True}, 200)
    assert check["ok"], check
    assert check["account"]["email"] == "demo@example.com"
    project = api.post(
        "/projects",
        {
            "name": "Churn",
            "key": "ML",
            "connection": connection,
            "team": team["name"],
            "template": "iterative-ml",
            "parameters": {"start_date": "2026-03-02"},
            "create": True,
        },
    )
    assert project["parameters"]["start_date"] == "2026-03-02"
    before = len(api.sandbox.site.data.issues)
    made = api("POST", f"/projects/{project['id']}/plans")
    plan = made.json()
    assert made.status_code == 201, made.text
    assert made.headers["location"] == f"/api/v1/plans/{plan['id']}"
    assert plan["creates_project"]
    assert not plan["blocked"], plan["findings"]
    assert plan["vacancies"]
    assert len(api.sandbox.site.data.issues) == before, "making a plan writes nothing"
    assert api.get(f"/plans/{plan['id']}") == plan

    accepted = api("POST", f"/plans/{plan['id']}/apply")
    assert accepted.status_code == 202, accepted.text
    run_id = accepted.json()["id"]
    assert accepted.headers["location"] == f"/api/v1/runs/{run_id}"
    assert accepted.json()["started_by"] == "tests"
    run = api.wait_for_end(run_id)
    assert run["state"] == "completed", run["findings"]
    assert run["progress"]["written"] == run["progress"]["items"] == plan["summary"]["create"]

    shown = api.get(f"/projects/{project['id']}")
    assert sum(shown["counts"].values()) >= plan["summary"]["create"]
    assert len(shown["vacancies"]) == len(plan["vacancies"])
    assert shown["url"].startswith(api.sandbox.url)
    assert shown["serial"] > project["serial"]
    keys = {
        item["remote_key"] for item in everything(api, f"/projects/{project['id']}/items") if item["kind"] == "ticket"
    }
    there = {issue.key for issue in api.sandbox.site.data.issues.values()}
    assert keys <= there
    again = api.post(f"/projects/{project['id']}/plans")
    assert again["summary"]["create"] == again["summary"]["update"] == 0


def everything(api: Api, path: str, limit: int = 7) -> list[dict[str, Any]]:
    """All items of a paged list."""
    items: list[dict[str, Any]] = []
    query: dict[str, Any] = {"limit": limit}
    while True:
        page = api.get(path, params=query)
        items += page["items"]
        if page["next"] is None:
            return items
        assert len(page["items"]) == limit
        query["cursor"] = page["next"]


def test_a_plan_made_before_another_was_applied_is_stale(api: Api) -> None:
    project = api.new_project()
    first, second = api.post(f"/projects/{project}/plans"), api.post(f"/projects/{project}/plans")
    run = api.post(f"/plans/{first['id']}/apply", status=202)
    assert_problem(api("POST", f"/plans/{second['id']}/apply"), "plan-stale", 409)
    api.wait_for_end(run["id"])


def test_a_plan_that_nobody_applied_in_time_is_refused_and_says_so(api: Api, context: Context) -> None:
    project = api.new_project()
    plan = api.post(f"/projects/{project}/plans")
    made, expires = (datetime.fromisoformat(plan[name]) for name in ("created_at", "expires_at"))
    with context.database.session() as session:
        row = session.get_one(PlanRow, plan["id"])
        row.body = {**row.body, "expires_at": (context.now() - timedelta(seconds=1)).isoformat()}

    problem = assert_problem(api("POST", f"/plans/{plan['id']}/apply"), "plan-expired", 409)

    assert expires - made == timedelta(hours=24)
    assert "expired" in problem["detail"]
    assert "POST /api/v1/projects/{name}/plans" in problem["detail"]
    assert api.get(f"/plans/{plan['id']}")["run"] is None


def test_the_same_plan_applied_twice_is_one_run(api: Api) -> None:
    project = api.new_project("TEAM")
    plan = api.post(f"/projects/{project}/plans")
    runs = [api.post(f"/plans/{plan['id']}/apply", status=202)["id"] for _ in range(2)]
    assert runs[0] == runs[1]
    assert api.get(f"/plans/{plan['id']}")["run"] == runs[0]
    api.wait_for_end(runs[0])
    assert [run["id"] for run in api.get("/runs", params={"project": project})["items"]] == runs[:1]


def test_a_blocked_plan_is_refused_with_its_findings(api: Api) -> None:
    project = api.new_project("NOWHERE")
    plan = api.post(f"/projects/{project}/plans")
    assert plan["blocked"]
    refused = assert_problem(api("POST", f"/plans/{plan['id']}/apply"), "plan-blocked", 409)
    assert [error["code"] for error in refused["errors"]] == ["project-missing"]
    assert refused["errors"][0]["fix"]
    assert api.get("/runs", params={"project": project})["items"] == []
