"""Webhooks at the door: who may send, what is refused and how, and what is kept before anybody is told "accepted"."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import func, select

from sandbox.jira.deliveries import signature
from sandbox.trello.deliveries import signature as trello_signature
from service.api.routes import hooks
from service.store.hook_tables import HookEventRow, HookRow, HookSecretRow
from service.store.tables import ProjectRow
from service.usecases.hook import intake
from tests.api.conftest import Api, assert_problem
from tests.waiting import eventually

SECRET = "jira-secret-of-the-tests"
SCRUM = {"id": ""}
"""The tracker's id of that project."""
_numbers = count(1)


@pytest.fixture(scope="module")
def connection(api: Api) -> str:
    """A connection to Jira with a secret, and a project of ours on it whose key is SCRUM."""
    return new_sender(api)[0]


def new_sender(api: Api) -> tuple[str, str]:
    """A new connection to Jira with a secret, and a new project of ours on it whose key is SCRUM."""
    made = api.new_connection()
    project = api.new_project("SCRUM", connection=made)
    with api.context.database.session() as session:
        SCRUM["id"] = session.get_one(ProjectRow, project).remote_id or ""
    api("PUT", f"/connections/{made}/hook/secret", json={"secret": SECRET}).raise_for_status()
    return made, project


def event(**more: Any) -> dict[str, Any]:
    """An event about an issue of the project SCRUM."""
    issue = {"id": "99999", "key": "SCRUM-1", "fields": {"project": {"key": "SCRUM", "id": SCRUM["id"]}}}
    return {"timestamp": 1772442000000, "webhookEvent": "jira:issue_updated", "issue": issue, **more}


def send(
    api: Api, connection: str, payload: Any, secret: str = SECRET, number: str = "", **headers: str
) -> httpx.Response:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    given = {
        "Content-Type": "application/json",
        "X-Atlassian-Webhook-Identifier": number or f"n-{next(_numbers)}",
        "X-Hub-Signature": signature(secret, body),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return api.client.post(f"/hooks/{connection}", content=body, headers=given)


def kept(api: Api) -> int:
    with api.context.database.session() as session:
        return session.scalar(select(func.count()).select_from(HookEventRow)) or 0


def handled(api: Api, number: str) -> dict[str, Any]:
    found: dict[str, Any] = eventually(
        lambda: one if (one := api.get(f"/events/{number}"))["state"] != "accepted" else None, 20
    )
    return found


def test_a_verified_event_is_accepted_kept_and_handled(api: Api, connection: str) -> None:
    answer = send(api, connection, event())

    assert answer.status_code == 202
    (number,) = answer.json()["events"]
    found = handled(api, number)
    assert (found["state"], found["error"]) == ("done", "")
    assert found["payload"]["issue"]["key"] == "SCRUM-1"


def test_the_webhooks_of_all_connections_are_listed(api: Api, connection: str) -> None:
    listed = api.get("/hooks")["items"]

    names = [one["name"] for one in api.get("/connections")["items"]]
    assert [one["connection"] for one in listed] == names
    assert api.get(f"/connections/{connection}/hook") in listed


def test_the_address_may_name_the_connection(api: Api, connection: str) -> None:
    name = api.get(f"/connections/{connection}")["name"]

    assert send(api, name, event()).status_code == 202


def test_a_repetition_is_one_event(api: Api, connection: str) -> None:
    answers = [send(api, connection, event(), number="same", X_Atlassian_Webhook_Retry=str(n)) for n in range(3)]

    assert [answer.status_code for answer in answers] == [202, 202, 202]
    assert len({answer.text for answer in answers}) == 1
    with api.context.database.session() as session:
        same = HookEventRow.delivery == "same"
        assert session.scalar(select(func.count()).select_from(HookEventRow).where(same)) == 1


def test_an_event_of_a_project_that_is_not_ours_is_accepted_and_forgotten(api: Api, connection: str) -> None:
    other = event(issue={"id": "5", "key": "OTHER-1", "fields": {"project": {"key": "OTHER", "id": "31337"}}})
    answer = send(api, connection, other)

    assert answer.status_code == 202
    (number,) = answer.json()["events"]
    eventually(lambda: api("GET", f"/events/{number}").status_code == 404, 20)


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Hub_Signature": ""},
        {"X_Hub_Signature": "sha256=" + "0" * 64},
        {"X_Hub_Signature": "sha1=0"},
        {"X_Hub_Signature": "\xe4\xff"},
        {"X_Hub_Signature": "v1,%%%"},
    ],
)
def test_a_forged_delivery_is_refused_and_nothing_is_kept(api: Api, connection: str, headers: dict[str, str]) -> None:
    before = kept(api)
    encoded = {name: value.encode("latin-1").decode("latin-1") for name, value in headers.items()}
    given = {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in encoded.items()}}
    raw = [(k.encode(), v.encode("latin-1")) for k, v in given.items()]
    answer = api.client.post(f"/hooks/{connection}", content=json.dumps(event()).encode(), headers=raw)

    assert_problem(answer, "sender-refused", 401)
    assert kept(api) == before


def test_with_another_secret_it_is_refused(api: Api, connection: str) -> None:
    assert_problem(send(api, connection, event(), secret="another-secret-of-16"), "sender-refused", 401)


def test_where_no_secret_is_set_everything_is_refused(api: Api) -> None:
    made = api.new_connection()

    assert_problem(send(api, made, event(), secret=""), "sender-refused", 401)
    assert api.get(f"/connections/{made}/hook")["secrets"] == []


@pytest.mark.parametrize(
    "path", ["/hooks/nobody", "/hooks/t/nobody", "/hooks/con_000000000000", "/hooks/%00", "/hooks/%ff"]
)
def test_an_unknown_address_is_told_nothing(api: Api, path: str) -> None:
    assert_problem(api.client.post(path, json={}), "not-found", 404)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_the_address_takes_post_alone(api: Api, connection: str, method: str) -> None:
    answer = api.client.request(method, f"/hooks/{connection}")

    assert_problem(answer, "method-not-allowed", 405)
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", {}, 400),
        (b'{"webhookEvent": "jira:issue', {}, 400),
        (b"", {}, 400),
        (b"[]", {}, 400),
        (b'{"a": "\xff\xfe"}', {}, 400),
        (b'{"a":' * 100_000, {}, 400),
        (b'{"a":' * 90 + b"1" + b"}" * 90, {}, 400),
        (b'{"a": ' + b"9" * 5000 + b"}", {}, 400),
        (b'{"a": NaN}', {}, 400),
        (b'{"a": 1e999}', {}, 400),
        (b'{"webhookEvent": "a", "webhookEvent": "b"}', {}, 400),
        (b"{}", {"Content_Type": "text/xml"}, 400),
        (b"{}", {"Content_Type": "application/x-www-form-urlencoded"}, 400),
        (b"{}", {}, 202),
        (b'{"issue": 3, "webhookEvent": [], "changelog": {"items": {"a": 1}}}', {}, 202),
        (b'{"issue": {"fields": {"project": {"key": "\\u0000"}}}, "timestamp": 1e300}', {}, 202),
        (b'{"issue": {"id": "\\ud800", "fields": {"project": "SCRUM"}}, "timestamp": 99999999999999999999}', {}, 202),
    ],
)
def test_hostile_bodies_of_a_verified_sender_are_answered_and_never_a_failure_of_ours(
    api: Api, connection: str, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = send(api, connection, body, **headers)

    assert answer.status_code == status, answer.text
    for number in answer.json().get("events", ()):
        eventually(lambda number=number: api("GET", f"/events/{number}").status_code == 404, 20)


@pytest.mark.parametrize("size", [5_000_001, 12_000_000, 50_000_000])
def test_what_is_too_large_is_refused_in_an_answer_that_its_sender_can_read(
    api: Api, connection: str, size: int
) -> None:
    assert_problem(send(api, connection, b"x" * size), "body-too-large", 413)


def in_chunks(size: int) -> Iterator[bytes]:
    for _ in range(size // 100_000):
        yield b"x" * 100_000


def test_a_long_body_whose_length_nobody_announced_is_refused_so(api: Api, connection: str) -> None:
    answer = api.client.post(f"/hooks/{connection}", content=in_chunks(12_000_000))

    assert_problem(answer, "body-too-large", 413)


def test_a_body_without_an_end_is_not_read_for_ever(api: Api, connection: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "DRAINED", 1_000_000)
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        for chunk in in_chunks(1_000_000_000):
            sent += len(chunk)
            yield chunk

    with contextlib.suppress(httpx.WriteError, httpx.ReadError):
        assert_problem(api.client.post(f"/hooks/{connection}", content=endless()), "body-too-large", 413)
    assert sent < 100_000_000


def test_who_asks_before_it_sends_too_much_is_answered_at_once(api: Api, connection: str) -> None:
    target = urlsplit(str(api.client.base_url))
    with socket.create_connection((target.hostname, target.port), timeout=20) as connected:
        head = f"POST /hooks/{connection} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9000000\r\n"
        connected.sendall(f"{head}\r\n".encode())
        answer = connected.recv(4096)

    assert b" 413 " in answer.splitlines()[0]


def test_a_body_that_does_not_arrive_is_given_up(api: Api, connection: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "SECONDS", 0.2)
    target = urlsplit(str(api.client.base_url))
    with socket.create_connection((target.hostname, target.port), timeout=20) as connected:
        head = (
            f"POST /hooks/{connection} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n"
        )
        connected.sendall(f"{head}\r\n{{".encode())
        answer = connected.recv(4096)

    assert b" 408 " in answer.splitlines()[0]


def test_a_connection_that_ends_early_leaves_nothing(api: Api, connection: str) -> None:
    before = kept(api)
    target = urlsplit(str(api.client.base_url))
    with socket.create_connection((target.hostname, target.port), timeout=20) as connected:
        connected.sendall(f"POST /hooks/{connection} HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n{{".encode())

    assert send(api, connection, event()).status_code == 202
    assert kept(api) <= before + 1


def test_a_rotated_secret_counts_until_the_overlap_is_over(api: Api, connection: str) -> None:
    made = api.new_connection()
    path = f"/connections/{made}/hook/secret"
    for secret in ("the-first-secret-of-two", "the-second-secret-of-two"):
        api("PUT", path, json={"secret": secret, "overlap_hours": 1}).raise_for_status()

    eventually(lambda: send(api, made, event(), secret="the-second-secret-of-two").status_code == 202, 5)
    assert send(api, made, event(), secret="the-first-secret-of-two").status_code == 202
    assert len(api.get(f"/connections/{made}/hook")["secrets"]) == 2

    api("PUT", path, json={"secret": "the-third-secret-of-them", "overlap_hours": 0}).raise_for_status()
    eventually(lambda: send(api, made, event(), secret="the-second-secret-of-two").status_code == 401, 5)
    assert send(api, made, event(), secret="the-third-secret-of-them").status_code == 202


def test_a_new_secret_counts_at_once_though_the_former_one_was_just_asked_for(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "LOOKED_UP_AGAIN", 0.0)
    made = api.new_connection()
    path = f"/connections/{made}/hook/secret"
    for secret in ("the-first-secret-of-two", "the-second-secret-of-two"):
        api("PUT", path, json={"secret": secret, "overlap_hours": 0}).raise_for_status()
        assert send(api, made, event(), secret=secret).status_code == 202


def test_half_a_character_in_a_payload_is_taken_in_and_shown(api: Api, connection: str) -> None:
    taken = send(api, connection, event(user={"displayName": "\ud83d"}))
    assert taken.status_code == 202
    (number,) = taken.json()["events"]
    shown = api.get(f"/events/{number}")
    assert shown["payload"]["user"]["displayName"] == "\ud83d"


def test_the_secret_can_be_rotated_while_events_arrive(api: Api, connection: str) -> None:
    made = api.new_connection()
    path = f"/connections/{made}/hook/secret"
    api("PUT", path, json={"secret": "secret-number-0-of-many"}).raise_for_status()
    stop = threading.Event()
    seen: list[int] = []

    def keep_sending() -> None:
        while not stop.is_set():
            seen.append(send(api, made, event(), secret="secret-number-0-of-many").status_code)

    with ThreadPoolExecutor(1) as threads:
        sending = threads.submit(keep_sending)
        for number in (1, 2):
            api("PUT", path, json={"secret": f"secret-number-{number}-of-many"}).raise_for_status()
        eventually(lambda: len(seen) > 50, 20)
        stop.set()
        sending.result()

    assert set(seen) == {202}


def test_a_former_secret_that_cannot_be_read_any_more_keeps_the_present_one_from_nothing(api: Api) -> None:
    made = api.new_connection()
    api("PUT", f"/connections/{made}/hook/secret", json={"secret": SECRET}).raise_for_status()
    now = api.context.now()
    with api.context.database.session() as session:
        former = {"created_at": now - timedelta(days=1), "until": now + timedelta(hours=1)}
        session.add(HookSecretRow(id="sec_of_no_key", owner=made, secret=b"of a key that is gone", **former))

    assert send(api, made, event()).status_code == 202
    assert_problem(send(api, made, event(), secret="another-secret-of-16"), "sender-refused", 401)


def test_a_secret_is_kept_encrypted_and_never_shown(api: Api, connection: str) -> None:
    with api.context.database.session() as session:
        rows = list(session.scalars(select(HookSecretRow).where(HookSecretRow.owner == connection)))

    assert rows
    assert all(SECRET.encode() not in row.secret for row in rows)
    assert SECRET not in json.dumps(api.get(f"/connections/{connection}/hook"))


@pytest.mark.parametrize("secret", ["short", "with spaces in it and long", "x" * 1001, "new\nline-in-the-secret"])
def test_a_secret_that_is_none_is_refused_with_the_place(api: Api, connection: str, secret: str) -> None:
    answer = api("PUT", f"/connections/{connection}/hook/secret", json={"secret": secret})

    problem = assert_problem(answer, "invalid-input", 422)
    assert problem["errors"][0]["pointer"] == "/secret"
    assert secret not in answer.text


def test_trello_signs_the_registered_address_and_is_answered_200(api: Api) -> None:
    settings = {"url": api.sandbox.url, "key": "0" * 32}
    body = {"name": api.new_name("trello"), "kind": "trello", "settings": settings, "secret": "ATTA" + "0" * 60}
    made = str(api.post("/connections", body)["id"])
    api("PUT", f"/connections/{made}/hook/secret", json={"secret": "sandbox-secret-of-16"}).raise_for_status()
    address = "https://phaseloop.example.com/hooks/x?y"
    with api.context.database.session() as session:
        session.add(HookRow(connection_id=made, address=address, remote=[], created_at=api.context.now()))
    raw = b'{"action": {"id": "5f", "type": "updateCard"}}'

    def deliver(over: str) -> httpx.Response:
        headers = {
            "Content-Type": "application/json",
            "X-Trello-Webhook": trello_signature("sandbox-secret-of-16", raw, over),
        }
        return api.client.post(f"/hooks/{made}", content=raw, headers=headers)

    assert deliver(address).status_code == 200
    assert deliver(f"{api.client.base_url}/hooks/{made}").status_code == 401


def test_head_is_answered_only_while_our_own_create_call_is_open(api: Api, connection: str) -> None:
    assert api.client.head(f"/hooks/{connection}").status_code == 404


def test_events_are_listed_by_state_and_sender_page_by_page(api: Api, connection: str) -> None:
    sent = {send(api, connection, event()).json()["events"][0] for _ in range(5)}
    for number in sent:
        handled(api, number)
    found, cursor = [], None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = api.get("/events", params={"limit": 2, "sender": connection, "state": "done", **more})
        found += [one["id"] for one in page["items"]]
        if (cursor := page["next"]) is None:
            break

    assert len(found) == len(set(found))
    assert sent <= set(found)
    assert api.get("/events", params={"sender": connection, "state": "failed"})["items"] == []


def test_an_event_that_was_done_is_handled_anew_when_it_is_replayed(api: Api, connection: str) -> None:
    (number,) = send(api, connection, event()).json()["events"]
    handled(api, number)

    replayed = api.post(f"/events/{number}/replay", status=200)
    assert replayed["round"] == 2
    assert handled(api, number)["state"] == "done"


def test_all_failed_events_are_replayed_together(api: Api, connection: str) -> None:
    numbers = [send(api, connection, event()).json()["events"][0] for _ in range(3)]
    for number in numbers:
        handled(api, number)
    with api.context.database.session() as session:
        for number in numbers:
            row = session.get_one(HookEventRow, number)
            row.state, row.error = "failed", "The tracker was away."

    assert api.post("/events/replay", {"sender": connection}, status=200) == {"count": 3}
    assert [handled(api, number)["round"] for number in numbers] == [1, 1, 1]
    assert api.post("/events/replay", {"sender": connection}, status=200) == {"count": 0}


def test_what_is_secret_in_a_payload_is_not_shown(api: Api, connection: str) -> None:
    payload = event(user={"api_token": "t0p"}, note="ghp_0123456789abcdefghij")
    (number,) = send(api, connection, payload).json()["events"]

    shown = json.dumps(api.get(f"/events/{number}"))
    assert "t0p" not in shown
    assert "ghp_" not in shown


def test_many_at_once_are_all_kept_and_handled(api: Api, connection: str) -> None:
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: send(api, connection, event()), range(400)))

    assert {answer.status_code for answer in answers} == {202}
    numbers = {answer.json()["events"][0] for answer in answers}
    assert len(numbers) == 400
    eventually(lambda: api.get("/events", params={"state": "accepted"})["items"] == [], 60)


def ended(api: Api, project: str) -> None:
    with api.context.database.session() as session:
        session.get_one(ProjectRow, project).ended_at = api.context.now()


def test_an_event_whose_project_has_ended_since_stays_listed_when_it_is_replayed(api: Api) -> None:
    made, project = new_sender(api)
    (number,) = send(api, made, event()).json()["events"]
    assert handled(api, number)["state"] == "done"
    ended(api, project)

    api.post(f"/events/{number}/replay", status=200)

    found = handled(api, number)
    assert (found["state"], found["round"], found["error"]) == ("done", 2, "")


def test_a_connection_that_was_removed_takes_nothing_and_no_secret_though_an_ended_project_was_built_with_it(
    api: Api,
) -> None:
    made, project = new_sender(api)
    (number,) = send(api, made, event()).json()["events"]
    handled(api, number)
    ended(api, project)
    api("DELETE", f"/connections/{made}").raise_for_status()

    eventually(lambda: send(api, made, event()).status_code == 404, 5)
    assert_problem(api("PUT", f"/connections/{made}/hook/secret", json={"secret": SECRET}), "not-found", 404)
    assert_problem(api("GET", f"/connections/{made}/hook"), "not-found", 404)
    listed = api.get("/events", params={"sender": made})["items"]
    assert [one["id"] for one in listed] == [number], "what it sent stays to be read"
    api.post(f"/events/{number}/replay", status=200)
    assert handled(api, number)["state"] == "done"
