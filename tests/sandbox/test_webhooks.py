"""Webhooks: registration, signed deliveries, repeats, and what is in them."""

from __future__ import annotations

import hashlib
import hmac
import json
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from sandbox.jira.deliveries import signature
from tests.sandbox.conftest import Client

HOOKS = "/rest/webhooks/1.0/webhook"
SECRET = "It's a Secret to Everybody"


@dataclass
class Receiver:
    """A listener on loopback: what arrived, and the statuses to answer with (200 when none is left)."""

    url: str
    arrived: queue.Queue[tuple[dict[str, str], bytes]] = field(default_factory=queue.Queue)
    statuses: list[int] = field(default_factory=list)

    def next(self) -> tuple[dict[str, str], Any]:
        headers, body = self.arrived.get(timeout=10)
        return headers, json.loads(body) if body else None


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            # Before the answer: the next try may come in another thread as soon as this one is answered.
            receiver.arrived.put(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield receiver
        server.shutdown()
        thread.join()


def register(client: Client, receiver: Receiver, *events: str, **more: Any) -> dict[str, Any]:
    body = {"name": "phaseloop", "url": receiver.url, "events": list(events), "secret": SECRET, **more}
    response = client.post(HOOKS, json=body)
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


def tried(client: Client, times: int) -> None:
    """Wait until the one delivery has been tried that often and the answer is noted."""
    for _ in range(2000):
        (delivery,) = client.get("/sandbox/deliveries").json()["deliveries"]
        if len(delivery["attempts"]) == times:
            return
    raise AssertionError(f"not tried {times} times: {delivery}")


def test_the_vendors_test_vector_signs_as_published() -> None:
    expected = "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"
    assert signature(SECRET, b"Hello World!") == expected


def test_a_webhook_is_signed_and_says_who_did_what(admin: Client, receiver: Receiver) -> None:
    made = register(admin, receiver, "jira:issue_created")
    assert made["isSigned"] is True
    assert "secret" not in made
    key = admin.issue("Hello", description=None)
    headers, body = receiver.next()
    (delivery,) = admin.get("/sandbox/deliveries").json()["deliveries"]
    raw = json.dumps(body, separators=(",", ":")).encode()
    digest = hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
    assert headers["x-hub-signature"] == f"sha256={digest}"
    assert headers["x-atlassian-webhook-identifier"] == delivery["identifier"]
    assert "x-atlassian-webhook-retry" not in headers
    assert (body["webhookEvent"], body["issue_event_type_name"]) == ("jira:issue_created", "issue_created")
    assert body["issue"]["key"] == key
    assert "/rest/api/2/issue/" in body["issue"]["self"]
    assert "emailAddress" not in body["user"]
    assert "changelog" not in body


def test_an_edit_carries_its_changelog_with_nulls(admin: Client, receiver: Receiver) -> None:
    key = admin.issue()
    register(admin, receiver, "jira:issue_updated")
    admin.put(f"/rest/api/3/issue/{key}", json={"fields": {"duedate": "2026-12-24"}})
    _, body = receiver.next()
    (item,) = body["changelog"]["items"]
    assert (item["field"], item["from"], item["to"], item["toString"]) == ("duedate", None, "2026-12-24", "2026-12-24")


def test_a_jql_filter_keeps_other_projects_out(admin: Client, receiver: Receiver) -> None:
    filters = {"issue-related-events-section": "project = TEAM"}
    register(admin, receiver, "jira:issue_created", filters=filters)
    admin.issue(project="SCRUM")
    key = admin.issue(project="TEAM")
    assert receiver.next()[1]["issue"]["key"] == key
    assert len(admin.get("/sandbox/deliveries").json()["deliveries"]) == 1


def test_the_life_of_a_sprint_is_told(admin: Client, receiver: Receiver) -> None:
    register(admin, receiver, *(f"sprint_{what}" for what in ("created", "started", "updated", "closed", "deleted")))
    number = admin.sprint(start=True)
    admin.post(f"/rest/agile/1.0/sprint/{number}", json={"state": "closed"})
    admin.delete(f"/rest/agile/1.0/sprint/{number}")
    bodies = [receiver.next()[1] for _ in range(6)]
    assert sorted(body["webhookEvent"] for body in bodies) == [
        "sprint_closed",
        "sprint_created",
        "sprint_deleted",
        "sprint_started",
        "sprint_updated",
        "sprint_updated",
    ]
    closed = next(body for body in bodies if body["webhookEvent"] == "sprint_closed")["sprint"]
    assert (closed["id"], closed["state"], closed["originBoardId"]) == (number, "closed", 1)
    assert closed["completeDate"]


def test_comments_and_properties_have_events_of_their_own(admin: Client, receiver: Receiver) -> None:
    key = admin.issue()
    register(admin, receiver, "comment_created", "issue_property_set")
    admin.post(f"/rest/api/2/issue/{key}/comment", json={"body": "*signed*"})
    admin.put(f"/rest/api/3/issue/{key}/properties/record", json={"done": True})
    bodies = {body["webhookEvent"]: body for _, body in (receiver.next(), receiver.next())}
    assert bodies["comment_created"]["comment"]["body"] == "*signed*"
    assert set(bodies["comment_created"]["issue"]["fields"]) <= {
        "summary",
        "issuetype",
        "project",
        "assignee",
        "priority",
        "status",
    }
    assert bodies["issue_property_set"]["property"] == {"key": "record", "value": {"done": True}}


def test_a_delivery_is_repeated_with_the_same_identifier(admin: Client, receiver: Receiver) -> None:
    admin.control("clock", {"frozen": True})
    receiver.statuses = [503, 429]
    register(admin, receiver, "jira:issue_created")
    admin.issue()
    first, _ = receiver.next()
    tried(admin, 1)
    admin.control("clock", {"advanceSeconds": 900})
    second, _ = receiver.next()
    tried(admin, 2)
    admin.control("clock", {"advanceSeconds": 900})
    third, _ = receiver.next()
    assert len({headers["x-atlassian-webhook-identifier"] for headers in (first, second, third)}) == 1
    assert [headers.get("x-atlassian-webhook-retry") for headers in (first, second, third)] == [None, "1", "2"]


def test_a_delivery_is_given_up_after_five_repeats(admin: Client, receiver: Receiver) -> None:
    admin.control("deliveries", {"retryDelaySeconds": 0})
    receiver.statuses = [500] * 10
    register(admin, receiver, "jira:issue_created")
    admin.issue()
    retries = [receiver.next()[0].get("x-atlassian-webhook-retry") for _ in range(6)]
    assert retries == [None, "1", "2", "3", "4", "5"]
    assert receiver.arrived.empty()


def test_a_refusal_is_not_repeated(admin: Client, receiver: Receiver) -> None:
    admin.control("deliveries", {"retryDelaySeconds": 0})
    receiver.statuses = [404]
    register(admin, receiver, "jira:issue_created")
    admin.issue()
    admin.issue()
    assert [receiver.next()[0].get("x-atlassian-webhook-retry") for _ in range(2)] == [None, None]


def test_variables_in_the_address_and_an_excluded_body(admin: Client, receiver: Receiver) -> None:
    url = receiver.url + "/${project.key}/${issue.key}"
    register(admin, receiver, "jira:issue_created", url=url, excludeBody=True)
    key = admin.issue()
    _, body = receiver.next()
    assert body is None
    assert admin.get("/sandbox/deliveries").json()["deliveries"][0]["url"].endswith(f"/SCRUM/{key}")


def test_webhooks_are_listed_changed_and_removed(admin: Client, receiver: Receiver) -> None:
    made = register(admin, receiver, "jira:issue_created")
    address = made["self"]
    assert admin.get(address).json()["url"] == receiver.url
    changed = admin.put(address, json={"enabled": False}).json()
    assert (changed["enabled"], changed["isSigned"], changed["events"]) == (False, True, ["jira:issue_created"])
    assert len(admin.get(HOOKS).json()) == 1
    assert admin.delete(address).status_code == 204
    assert admin.get(address).status_code == 404


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"url": "ftp://example.com"}, "http"),
        ({"events": ["jira:nonsense"]}, "jira:nonsense"),
        ({"filters": {"issue-related-events-section": "colour = red"}}, "colour"),
        ({"name": ""}, "name"),
    ],
)
def test_a_bad_webhook_is_refused(admin: Client, change: dict[str, Any], words: str) -> None:
    body = {"name": "n", "url": "http://127.0.0.1:1/x", "events": ["jira:issue_created"], **change}
    refused = admin.post(HOOKS, json=body)
    assert refused.status_code == 400
    assert words in refused.json()["errorMessages"][0]
    assert admin.get(HOOKS).json() == []


def test_only_administrators_manage_webhooks(member: Client) -> None:
    assert member.get(HOOKS).status_code == 403
    assert member.post(HOOKS, json={"name": "n", "url": "http://127.0.0.1:1/", "events": []}).status_code == 403
