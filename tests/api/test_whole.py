"""All that is wrong with a request is told in one answer, in the words of requests."""

from __future__ import annotations

import pytest

from service.api.remedies import over_rest
from tests.api.conftest import SMALL_TEMPLATE, Api
from tests.api.test_problems import assert_problem, project_body


def test_what_breaks_the_schema_hides_nothing_that_is_not_there(api: Api) -> None:
    body = project_body(
        connection="nowhere", team="nobody", template="no-such-template", carry_over="nxt", colour="red"
    )
    problem = assert_problem(api("POST", "/projects", json=body), "invalid-input", 422)

    pointers = {error.get("pointer") for error in problem["errors"]}
    assert pointers == {"/connection", "/team", "/template", "/carry_over", "/colour"}


def test_what_breaks_the_schema_brings_no_other_mistake_with_it(api: Api) -> None:
    body = project_body(
        connection=api.new_connection(), team=api.new_team(), template={"text": SMALL_TEMPLATE}, ahead="many"
    )
    problem = assert_problem(api("POST", "/projects", json=body), "invalid-input", 422)

    assert [error.get("pointer") for error in problem["errors"]] == ["/ahead"]
    assert "There are" not in problem["detail"]


@pytest.mark.parametrize(("path", "pointer"), [("/loop/skip", "/reason"), ("/loop/pause", "/reason")])
def test_without_a_body_the_fields_are_named_that_it_needs(api: Api, path: str, pointer: str) -> None:
    problem = assert_problem(api("POST", f"/projects/{api.new_project()}{path}"), "invalid-input", 422)

    assert [(error["pointer"], error["detail"]) for error in problem["errors"]] == [(pointer, "is missing")]


def test_a_table_without_name_and_zone_is_read_all_the_same(api: Api) -> None:
    csv = {"content": b"person,email,roles\nML 1,,ml\n", "headers": {"Content-Type": "text/csv"}}
    problem = assert_problem(api("POST", "/teams", **csv), "invalid-input", 422)

    assert {"name", "time_zone"} <= {error.get("parameter") for error in problem["errors"]}
    assert any("line" in error for error in problem["errors"])
    assert "There are 2 more." in problem["detail"]


def test_a_plan_creates_no_project_where_none_is_to_be_created(api: Api) -> None:
    name = api.new_project("NOSUCH", create=False)
    plan = api.post(f"/projects/{name}/plans")

    assert plan["blocked"] is True
    assert plan["creates_project"] is False
    (finding,) = [one for one in plan["findings"] if one["code"] == "project-missing"]
    assert "--" not in finding["fix"]
    assert '"create": true' in finding["fix"]


@pytest.mark.parametrize(
    ("said", "over"),
    [
        ('read with --map "HEADING=column".', 'read with ?map="HEADING=column".'),
        ("say --map Rolle=roles; else add it", "say ?map=Rolle=roles; else add it"),
        ("or leave --create out to build", "or leave `create` out to build"),
        ("For that: --allow-http (REST: allow_http).", "For that: `allow_http`."),
        ("raise the WIP limit (--wip-limit).", "raise the WIP limit (`wip_limit`)."),
        ("Run: phaseloop keys rotate --new", "Run: phaseloop keys rotate --new"),
    ],
)
def test_an_option_in_a_text_is_the_field_that_says_the_same(said: str, over: str) -> None:
    assert over_rest(said) == over


def test_a_name_that_is_taken_is_answered_with_the_request_that_replaces_it(api: Api) -> None:
    body = {"name": api.new_name("twice"), "kind": "jira", "secret": "x"}
    body["settings"] = {"url": "https://a.example.com", "email": "a@example.com"}  # type: ignore[assignment]
    api.post("/connections", body)

    problem = assert_problem(api("POST", "/connections", json=body), "name-taken", 409)

    assert f"PUT /api/v1/connections/{body['name']}" in problem["detail"]
    assert "phaseloop" not in problem["detail"].replace("phaseloop's", "")
