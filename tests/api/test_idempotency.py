"""`Idempotency-Key`: the same request is done once, whatever is lost, repeated or sent at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from httpx import Response
from sqlalchemy import select

from service.context import Context
from service.store.tables import AnswerRow, TeamRow
from service.usecases import answers, teams, tokens
from tests.api.conftest import SMALL_TEAM, Api, assert_problem


def keyed(api: Api, key: str, body: Any, path: str = "/teams") -> Response:
    return api("POST", path, json=body, headers={"Idempotency-Key": key})


def team(api: Api) -> dict[str, Any]:
    return {"name": api.new_name("keyed"), "members": SMALL_TEAM}


def test_the_same_request_with_the_same_key_gets_the_first_answer_again(api: Api) -> None:
    key, body = api.new_name("key"), team(api)
    first, again = keyed(api, key, body), keyed(api, key, body)
    assert first.status_code == again.status_code == 201
    assert again.json() == first.json()
    for header in ("location", "etag", "content-type"):
        assert again.headers[header] == first.headers[header]
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"


def test_the_key_may_be_quoted_as_the_standard_writes_it(api: Api) -> None:
    key, body = api.new_name("key"), team(api)
    assert keyed(api, f'"{key}"', body).status_code == 201
    assert keyed(api, key, body).headers["idempotency-replayed"] == "true"


def test_the_same_key_with_another_body_is_refused(api: Api) -> None:
    key = api.new_name("key")
    assert keyed(api, key, team(api)).status_code == 201
    assert_problem(keyed(api, key, team(api)), "idempotency-key-reused", 422)


def test_the_same_key_at_another_project_is_refused(api: Api) -> None:
    first, second = api.new_project("SCRUM"), api.new_project("TEAM")
    key = {"Idempotency-Key": api.new_name("key")}
    plan = api("POST", f"/projects/{first}/plans", headers=key)
    assert plan.status_code == 201
    assert_problem(api("POST", f"/projects/{second}/plans", headers=key), "idempotency-key-reused", 422)
    assert api("POST", f"/projects/{first}/plans", headers=key).json()["id"] == plan.json()["id"]


def test_the_same_key_on_another_route_is_another_key(api: Api) -> None:
    key = api.new_name("key")
    assert keyed(api, key, team(api)).status_code == 201
    settings = {"url": api.sandbox.url, "email": "demo@example.com"}
    body = {"name": api.new_name("jira"), "kind": "jira", "settings": settings, "secret": "x"}
    assert keyed(api, key, body, "/connections").status_code == 201


def test_the_same_key_of_another_token_is_another_key(api: Api) -> None:
    key, body = api.new_name("key"), team(api)
    assert keyed(api, key, body).status_code == 201
    other = replace(api, token=tokens.create(api.context, "other"))
    assert_problem(keyed(other, key, body), "name-taken", 409)


def test_a_refused_request_does_not_use_its_key_up(api: Api) -> None:
    key, body = api.new_name("key"), team(api)
    assert_problem(keyed(api, key, {**body, "members": []}), "invalid-input", 422)
    assert keyed(api, key, body).status_code == 201


def test_a_failed_request_does_not_use_its_key_up(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    key, body = api.new_name("key"), team(api)
    with monkeypatch.context() as patched:
        patched.setattr(teams, "put", _fail)
        assert_problem(keyed(api, key, body), "internal-error", 500)
    assert keyed(api, key, body).status_code == 201


def _fail(*_: object, **__: object) -> None:
    raise RuntimeError


def test_of_many_at_the_same_time_one_is_done(api: Api) -> None:
    key, body = api.new_name("key"), team(api)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: keyed(api, key, body), range(8)))
    assert {answer.status_code for answer in found} <= {201, 409}
    done = [answer for answer in found if answer.status_code == 201]
    assert sum("idempotency-replayed" not in answer.headers for answer in done) == 1
    assert len({answer.json()["id"] for answer in done}) == 1
    for answer in found:
        if answer.status_code == 409:
            assert_problem(answer, "idempotency-key-in-use", 409)
    with api.context.database.session() as session:
        assert len(session.scalars(select(TeamRow).where(TeamRow.name == body["name"])).all()) == 1


def test_a_key_whose_first_request_is_at_work_is_refused_and_told_to_wait(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, body = api.new_name("key"), team(api)
    reached, go_on, put = threading.Event(), threading.Event(), teams.put

    def slow(*given: Any, **named: Any) -> TeamRow:
        reached.set()
        assert go_on.wait(20)
        return put(*given, **named)

    monkeypatch.setattr(teams, "put", slow)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(keyed, api, key, body)
        assert reached.wait(20)
        second = keyed(api, key, body)
        go_on.set()
        assert first.result(20).status_code == 201
    assert_problem(second, "idempotency-key-in-use", 409)
    assert second.headers["retry-after"] == "1"


@pytest.mark.parametrize("key", ["", "a b", "x" * 256])
def test_a_key_that_is_none_is_refused(api: Api, key: str) -> None:
    problem = assert_problem(keyed(api, key, team(api)), "invalid-input", 422)
    assert problem["errors"][0]["header"] == "Idempotency-Key"


@contextmanager
def at(context: Context, moment: datetime) -> Iterator[Context]:
    yield replace(context, now=lambda: moment)


def test_an_answer_is_forgotten_after_a_day(context: Context) -> None:
    now = context.now()
    claimed = answers.claim(context, "t", "POST /x", "day", b"one")
    assert isinstance(claimed, answers.Claim)
    answers.keep(context, claimed, answers.Answer(201, {}, "{}"))
    with at(context, now + timedelta(hours=23, minutes=59)) as later:
        assert isinstance(answers.claim(later, "t", "POST /x", "day", b"one"), answers.Answer)
    with at(context, now + timedelta(hours=24, minutes=1)) as later:
        assert isinstance(answers.claim(later, "t", "POST /x", "day", b"other"), answers.Claim)


def test_a_key_whose_process_died_is_free_after_a_while(context: Context) -> None:
    now = context.now()
    assert isinstance(answers.claim(context, "t", "POST /x", "dead", b"one"), answers.Claim)
    with at(context, now + timedelta(minutes=14)) as later, pytest.raises(answers.AtWork):
        answers.claim(later, "t", "POST /x", "dead", b"one")
    with at(context, now + timedelta(minutes=16)) as later:
        assert isinstance(answers.claim(later, "t", "POST /x", "dead", b"one"), answers.Claim)


def test_a_start_of_the_only_process_frees_the_keys_of_the_one_before(context: Context) -> None:
    assert isinstance(answers.claim(context, "t", "POST /x", "start", b"one"), answers.Claim)
    answers.release_abandoned(context)
    assert isinstance(answers.claim(context, "t", "POST /x", "start", b"one"), answers.Claim)


def test_neither_key_nor_body_is_stored_readably(api: Api) -> None:
    key = api.new_name("readable-key")
    body = {
        "name": api.new_name("jira"),
        "kind": "jira",
        "settings": {"url": api.sandbox.url, "email": "demo@example.com"},
        "secret": "s3cret-in-a-body",
    }
    assert keyed(api, key, body, "/connections").status_code == 201
    with api.context.database.session() as session:
        rows = session.scalars(select(AnswerRow)).all()
    told = " ".join(f"{row.key} {row.digest} {row.body} {row.headers}" for row in rows)
    assert key not in told
    assert "s3cret" not in told
