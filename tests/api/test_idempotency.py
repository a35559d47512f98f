"""`Idempotency-Key`: the same request is done once, whatever is lost, repeated or sent at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx import Response
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from service.context import Context
from service.runs.slots import Slot
from service.store.claims import Claim
from service.store.tables import AnswerRow, TeamRow, TokenRow
from service.store_faults import ClaimLost
from service.usecases.access import tokens
from service.usecases.run import idempotency
from service.usecases.setup import teams
from tests.api.conftest import SMALL_TEAM, Api, assert_problem
from tests.unit.stores import on


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
    idempotency.keep(context, claimed(context, "day"), idempotency.Answer(201, {}, "{}"))
    with at(context, now + timedelta(hours=23, minutes=59)) as later:
        assert isinstance(idempotency.claim(later, "t", "POST /x", "day", b"one"), idempotency.Answer)
    with at(context, now + timedelta(hours=24, minutes=1)) as later:
        claimed(later, "day", b"other")


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Context]:
    yield from on(request.param, tmp_path)


def claimed(
    context: Context, key: str = "key", request: bytes = b"one", peers: idempotency.Peers | None = None
) -> Claim:
    found = idempotency.claim(context, "t", "POST /x", key, request, peers)
    assert isinstance(found, Claim)
    return found


def do(context: Context, claim: Claim, effect: str) -> None:
    """What a use case does: a row of its own, and the note that it is done."""
    with replace(context, claim=claim).database.session() as session:
        session.add(TokenRow(id=effect, name="made", hash=effect, created_at=context.now()))
        session.flush()
        replace(context, claim=claim).done(session, effect)


def made(context: Context) -> list[str]:
    with context.database.session() as session:
        return list(session.scalars(select(TokenRow.id).where(TokenRow.name == "made").order_by(TokenRow.id)))


def test_a_key_whose_process_died_is_free_after_a_while(store: Context) -> None:
    claimed(store)
    with at(store, store.now() + idempotency.ABANDONED) as later, pytest.raises(idempotency.AtWork):
        claimed(later)
    with at(store, store.now() + idempotency.ABANDONED + timedelta(seconds=1)) as later:
        assert claimed(later).effect is None


def test_a_key_whose_replica_is_gone_is_free_at_once_at_another_one_and_at_its_next_start(tmp_path: Path) -> None:
    for store in on("postgresql", tmp_path):
        first, second = Slot(store.database.url), Slot(store.database.url)
        first.take()
        second.take()
        mine = claimed(store, peers=first)
        claimed(store, "again", peers=first)
        with pytest.raises(idempotency.AtWork):
            claimed(store, peers=second)
        first.release()  # as its database does when it dies

        theirs = claimed(store, peers=second)

        do(store, theirs, "second")
        with pytest.raises(ClaimLost):
            do(store, mine, "first")
        first.take()
        idempotency.release_of(store, first.executor)
        assert claimed(store, "again", peers=first).effect is None
        assert claimed(store, peers=first).effect == "second", "what is done keeps its key"
        first.release()
        second.release()


def test_a_request_that_takes_long_keeps_its_key(store: Context) -> None:
    mine = claimed(store)
    with at(store, store.now() + idempotency.ABANDONED) as later:
        idempotency.hold(later, mine)
    with at(store, store.now() + 2 * idempotency.ABANDONED) as later, pytest.raises(idempotency.AtWork):
        claimed(later)


def test_a_key_that_is_taken_over_while_its_first_holder_lives_has_one_effect(store: Context) -> None:
    """A process that was suspended, or a replica whose clock is ahead: the first one finds out when it is to commit."""
    first = claimed(store)
    with at(store, store.now() + timedelta(hours=1)) as later:
        second = claimed(later)
    do(store, second, "second")
    with pytest.raises(ClaimLost):
        do(store, first, "first")
    assert made(store) == ["second"]


def test_the_first_holder_may_be_faster_after_all(store: Context) -> None:
    first = claimed(store)
    do(store, first, "first")
    with at(store, store.now() + timedelta(hours=1)) as later:
        assert claimed(later).effect == "first", "what is done is not taken over"


def test_of_two_who_would_take_a_dead_key_over_one_does(store: Context) -> None:
    claimed(store)
    with at(store, store.now() + timedelta(hours=1)) as later, ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: _claim_or_none(later), range(8)))
    assert len([one for one in found if one is not None]) == 1


def _claim_or_none(context: Context) -> Claim | None:
    try:
        return claimed(context)
    except idempotency.AtWork:
        return None


def test_of_two_that_commit_at_the_same_time_one_effect_is_kept(store: Context) -> None:
    """One of them lost its key without knowing it, and both are about to commit."""
    first = claimed(store)
    with at(store, store.now() + timedelta(hours=1)) as later:
        second = claimed(later)
    with ThreadPoolExecutor(2) as pool:
        ends = [pool.submit(do, store, claim, name) for claim, name in ((first, "first"), (second, "second"))]
    assert [type(end.exception()) for end in ends] == [ClaimLost, type(None)]
    assert made(store) == ["second"]


def test_a_start_of_the_only_process_frees_the_keys_of_the_one_before_but_for_what_was_done(context: Context) -> None:
    claimed(context, "start")
    done = claimed(context, "start-done")
    do(context, done, "start-done")
    idempotency.release_abandoned(context)
    assert claimed(context, "start").effect is None
    assert claimed(context, "start-done").effect == "start-done"
    with pytest.raises(idempotency.Reused):
        claimed(context, "start-done", b"another")


def test_what_was_done_keeps_its_key_whatever_fails_after_it(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    key, body = api.new_name("key"), team(api)
    with monkeypatch.context() as patched:
        patched.setattr(teams, "get", _fail)
        assert_problem(keyed(api, key, body), "internal-error", 500)
        assert_problem(keyed(api, key, body), "internal-error", 500)
    again = keyed(api, key, body)
    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    assert again.json()["name"] == body["name"]
    assert keyed(api, key, body).text == again.text


def test_an_answer_that_cannot_be_kept_is_given_and_given_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    key, body = api.new_name("key"), team(api)

    def away(*_: object) -> None:
        raise OperationalError("keep", None, Exception("the database is away"))

    with monkeypatch.context() as patched:
        patched.setattr(idempotency, "keep", away)
        first = keyed(api, key, body)
    assert first.status_code == 201
    again = keyed(api, key, body)
    assert (again.json(), again.headers["idempotency-replayed"]) == (first.json(), "true")


def test_a_request_that_lost_its_key_meanwhile_changes_nothing_and_says_so(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, body = api.new_name("key"), team(api)
    put = teams.put

    def late(*given: Any, **named: Any) -> TeamRow:
        with api.context.database.session() as session:
            session.execute(update(AnswerRow).where(AnswerRow.status.is_(None)).values(holder="another"))
        return put(*given, **named)

    with monkeypatch.context() as patched:
        patched.setattr(teams, "put", late)
        assert_problem(keyed(api, key, body), "idempotency-key-in-use", 409)
    with api.context.database.session() as session:
        assert session.scalar(select(TeamRow.id).where(TeamRow.name == body["name"])) is None


def test_a_late_repetition_leaves_what_others_did_meanwhile(api: Api) -> None:
    body = team(api)
    path = f"/teams/{api.post('/teams', body)['id']}"
    mine = {**body, "members": SMALL_TEAM[:1]}
    headers = {"Idempotency-Key": api.new_name("key"), "If-Match": "*"}
    first = api("PUT", path, json=mine, headers=headers)
    assert first.status_code == 200, first.text
    assert api("PUT", path, json=body, headers={"If-Match": "*"}).status_code == 200
    again = api("PUT", path, json=mine, headers=headers)
    assert (again.json(), again.headers["idempotency-replayed"]) == (first.json(), "true")
    assert len(api.get(path)["team"]["members"]) == len(SMALL_TEAM)


def test_a_repetition_with_a_newer_etag_is_the_same_press(api: Api) -> None:
    """Who gets no answer reads again, and sees the version that its own request made."""
    body = team(api)
    path = f"/teams/{api.post('/teams', body)['id']}"
    key, changed = {"Idempotency-Key": api.new_name("key")}, {**body, "members": SMALL_TEAM[:1]}
    assert api("PUT", path, json=changed, headers={**key, "If-Match": '"1"'}).json()["version"] == 2
    again = api("PUT", path, json=changed, headers={**key, "If-Match": '"2"'})
    assert (again.json()["version"], again.headers["idempotency-replayed"]) == (2, "true")


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
