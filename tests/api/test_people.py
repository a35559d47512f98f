"""People over REST: let in with roles, with a link that works once, listed, and removed from their next request on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.api.conftest import Api, assert_problem

LEAD = {"login": "lead-7@example.com", "role": "lead"}


def let_in(api: Api, **more: Any) -> dict[str, Any]:
    answer = api("POST", "/people", json={**LEAD, **more})
    answer.raise_for_status()
    return dict(answer.json())


@contextmanager
def signed_in(api: Api, link: str) -> Iterator[httpx.Client]:
    """A browser that followed the link."""
    with httpx.Client(base_url=api.client.base_url, follow_redirects=False) as browser:
        code = link.partition("code=")[2]
        browser.post("/sign-in", data={"code": code}, headers={"Sec-Fetch-Site": "same-origin"})
        yield browser


def test_somebody_is_let_in_by_a_link_that_is_told_once_and_works_once(api: Api) -> None:
    person = let_in(api)
    key = {"Idempotency-Key": "link-one"}
    made = api.post(f"/people/{person['id']}/links", headers=key)
    again = api.post(f"/people/{person['id']}/links", headers=key)

    assert again == {**made, "token": None}
    with signed_in(api, made["token"]) as browser:
        assert browser.get("/").status_code == 200
        (session,) = api.get(f"/sessions?person={person['id']}")["items"]
        assert session["login"] == LEAD["login"]
        with signed_in(api, made["token"]) as other:
            assert other.get("/").status_code == 303

        assert api("DELETE", f"/sessions/{session['id']}").json() == {"id": session["id"]}
        assert browser.get("/").status_code == 303
    assert api.get(f"/sessions?person={LEAD['login']}")["items"] == []


def test_a_role_replaces_those_given_before_and_ends_when_it_is_to(api: Api) -> None:
    project = api.new_project()
    let_in(api, projects=[project])
    until = (api.context.now() + timedelta(days=30)).isoformat()
    person = let_in(api, role="auditor", expires_at=until)

    (grant,) = api.get(f"/people/{person['id']}")["grants"]
    assert (grant["role"], grant["project"], grant["origin"]) == ("auditor", None, "hand")
    assert grant["expires_at"][:10] == until[:10]
    assert person["id"] in [one["id"] for one in api.get("/people")["items"]]


def test_who_is_removed_opens_nothing_from_the_next_request_on_and_may_come_back(api: Api) -> None:
    person = let_in(api, login="gone@example.com")
    link = api.post(f"/people/{person['id']}/links")["token"]
    with signed_in(api, link) as browser:
        assert browser.get("/").status_code == 200
        removed = api("DELETE", f"/people/{person['login']}").json()
        assert removed["disabled_at"] is not None
        assert browser.get("/").status_code == 303

    assert_problem(api("POST", f"/people/{person['id']}/links"), "not-found", 404)
    assert let_in(api, login="gone@example.com")["disabled_at"] is None


def test_the_last_administrator_stays_one(api: Api) -> None:
    (_boss,) = [let_in(api, login="boss@example.com", role="admin")]
    others = [
        one
        for one in api.get("/people")["items"]
        if one["login"] != "boss@example.com" and any(grant["role"] == "admin" for grant in one["grants"])
    ]
    for one in others:
        api("DELETE", f"/people/{one['id']}").raise_for_status()

    assert_problem(api("DELETE", "/people/boss@example.com"), "last-administrator", 409)
    assert_problem(
        api("POST", "/people", json={"login": "boss@example.com", "role": "viewer"}), "last-administrator", 409
    )
    soon = (api.context.now() + timedelta(days=1)).isoformat()
    body = {"login": "boss@example.com", "role": "admin", "expires_at": soon}
    assert_problem(api("POST", "/people", json=body), "last-administrator", 409)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"role": "viewer"}, "/login"),
        ({"login": "with blank", "role": "viewer"}, "/login"),
        ({"login": "x", "role": "king"}, "/role"),
        ({"login": "x", "role": "viewer", "expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
    ],
)
def test_what_cannot_be_is_refused_with_the_place(api: Api, body: dict[str, str], pointer: str) -> None:
    problem = assert_problem(api("POST", "/people", json=body), "invalid-input", 422)
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


def test_nobody_but_an_administrator_lets_people_in(api: Api) -> None:
    token = api.post("/tokens", {"name": "lead", "role": "lead"})["token"]
    for method, path in (("GET", "/people"), ("POST", "/people"), ("GET", "/sessions")):
        answer = api.client.request(method, f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"}, json=LEAD)
        assert_problem(answer, "forbidden", 403)


def test_a_role_is_given_beside_others_and_taken_away_alone(api: Api) -> None:
    project = api.new_project()
    person = let_in(api, login="two-roles@example.com", role="viewer")
    path = f"/people/{person['id']}/grants"

    given = api.post(path, {"role": "lead", "project": project}, status=200)
    again = api.post(path, {"role": "lead", "project": project}, status=200)
    assert sorted((one["role"], one["project"]) for one in given["grants"]) == [("lead", project), ("viewer", None)]
    assert again["grants"] == given["grants"]

    left = api("DELETE", f"{path}/lead?project={project}").json()
    assert [(one["role"], one["project"]) for one in left["grants"]] == [("viewer", None)]
    assert_problem(api("POST", path, json={"role": "lead", "project": "nowhere"}), "not-found", 404)
    assert_problem(api("DELETE", f"{path}/king"), "invalid-input", 422)


def test_who_was_removed_is_given_no_role_and_the_last_administrator_keeps_theirs(api: Api) -> None:
    gone = let_in(api, login="gone-too@example.com")
    api("DELETE", f"/people/{gone['id']}").raise_for_status()
    assert_problem(api("POST", f"/people/{gone['id']}/grants", json={"role": "lead"}), "conflict", 409)

    let_in(api, login="only@example.com", role="admin")
    for one in api.get("/people")["items"]:
        if one["login"] != "only@example.com" and one["disabled_at"] is None:
            api("DELETE", f"/people/{one['id']}").raise_for_status()
    assert_problem(api("DELETE", "/people/only@example.com/grants/admin"), "last-administrator", 409)
