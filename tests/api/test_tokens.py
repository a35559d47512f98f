"""Tokens over REST: made once, scoped, revoked from the next request on, and nowhere but with whoever made them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from service.domain.access.roles import Role
from service.store.tables import AnswerRow, TokenRow
from service.usecases.access import tokens
from tests.api.conftest import Api, assert_problem
from tests.waiting import eventually

CI = {"name": "ci", "role": "operator"}


def holding(api: Api, token: str) -> Api:
    return replace(api, token=token)


def test_a_token_is_told_in_the_first_answer_alone_and_kept_nowhere(api: Api) -> None:
    key = {"Idempotency-Key": "make-one"}
    made = api.post("/tokens", CI, headers=key)
    again = api.post("/tokens", CI, headers=key)

    assert made["token"].startswith("phl_")
    assert again == {**made, "token": None}
    assert holding(api, made["token"]).get("/me") == {
        "kind": "token",
        "id": made["id"],
        "name": "ci",
        "grants": [{"role": "operator", "project": None, "expires_at": None, "period": None, "origin": "hand"}],
    }
    with api.context.database.session() as session:
        kept = session.scalars(select(AnswerRow.body)).all()
        assert all(made["token"] not in body for body in kept)
        assert session.get_one(TokenRow, made["id"]).hash != made["token"]
    home = api.context.settings.home
    assert all(made["token"].encode() not in file.read_bytes() for file in home.iterdir() if file.is_file())


def test_a_revoked_token_opens_nothing_from_the_next_request_on(api: Api) -> None:
    made = api.post("/tokens", CI)
    theirs = holding(api, made["token"])
    assert theirs("GET", "/me").status_code == 200

    first = api.client.delete(f"/api/v1/tokens/{made['id']}", headers={"Authorization": f"Bearer {api.token}"}).json()
    again = api("DELETE", f"/tokens/{made['id']}").json()

    assert first["state"] == "revoked"
    assert again["revoked_at"] == first["revoked_at"]
    answer = theirs("GET", "/me")
    assert "was revoked" in assert_problem(answer, "unauthorized", 401)["detail"]
    assert "invalid_token" in answer.headers["www-authenticate"]


def test_an_expired_token_opens_nothing_and_says_so_to_its_holder(api: Api) -> None:
    soon = api.context.now() + timedelta(hours=1)
    token = tokens.create(api.context, "short", role=Role.VIEWER, expires_at=soon)
    assert holding(api, token)("GET", "/me").status_code == 200

    later = replace(api.context, now=lambda: soon)
    with pytest.raises(tokens.TokenRefused, match="expired"):
        tokens.caller(later, token, "a test")


def test_when_a_token_was_used_last_is_noted(api: Api) -> None:
    made = api.post("/tokens", CI)
    assert made["last_used_at"] is None

    holding(api, made["token"]).get("/me")

    def shown() -> str | None:
        return next(one["last_used_at"] for one in api.get("/tokens")["items"] if one["id"] == made["id"])

    eventually(lambda: shown() is not None)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": "x" * 81, "role": "viewer"}, "/name"),
        ({"name": "x"}, "/role"),
        ({"name": "x", "role": "king"}, "/role"),
        ({"name": "x", "role": "viewer", "expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"name": "x", "role": "viewer", "expires_at": "2126-01-01T00:00:00"}, "/expires_at"),
        ({"name": " ", "role": "viewer"}, "/name"),
    ],
)
def test_a_token_that_cannot_be_is_refused_with_the_place(api: Api, body: dict[str, str], pointer: str) -> None:
    problem = assert_problem(api("POST", "/tokens", json=body), "invalid-input", 422)
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


def test_what_a_token_changes_is_logged_as_done_by_it_and_from_where(api: Api) -> None:
    made = api.post("/tokens", {"name": "team-keeper", "role": "lead"})
    theirs = holding(api, made["token"])
    team = theirs.new_team()

    (change,) = [one for one in api.get("/changes?by=team-keeper")["items"] if one["id"] == team]
    assert change["by"] == {"kind": "token", "id": made["id"], "name": "team-keeper"}
    assert change["from"] == "REST, from 127.0.0.1"
    assert (change["thing"], change["action"], change["before"]) == ("team", "created", {})


def test_the_log_is_paged_filtered_exported_and_proved(api: Api) -> None:
    for _ in range(3):
        api.post("/tokens", CI)
    page = api.get("/changes?thing=token&limit=2")
    following = api.get(f"/changes?thing=token&limit=2&cursor={page['next']}")

    numbers = [one["seq"] for one in (*page["items"], *following["items"])]
    assert numbers == sorted(numbers, reverse=True)
    assert {one["thing"] for one in page["items"]} == {"token"}
    table = api("GET", "/changes.csv?thing=token")
    assert table.headers["content-type"].startswith("text/csv")
    assert table.text.splitlines()[0].startswith("seq,at,by")
    proof = api.get("/changes/proof")
    assert (proof["holds"], proof["breaks"]) == (True, [])
    assert api.get("/changes?limit=1")["items"][0]["digest"] == proof["head"]
    assert_problem(api("GET", "/changes?cursor=eA"), "invalid-input", 422)
    assert_problem(api("GET", "/changes?since=yesterday"), "invalid-input", 422)


def test_no_connection_s_credential_is_in_the_log(api: Api) -> None:
    api.new_connection(secret="canary-7f3a")

    assert "canary-7f3a" not in api("GET", "/changes").text
    assert '"secret":"(secret)"' in api("GET", "/changes?thing=connection").text
