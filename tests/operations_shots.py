"""The pages of operations with real data, for `tests/screenshots.py`."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count

import httpx

from service.domain.hook.trigger import trigger_from_json
from service.usecases.hook import events, secret, triggers
from service.usecases.setup import connections, teams
from tests.pages_desk import Desk, Visitor
from tests.waiting import eventually

KEY = b"0123456789abcdef01234567"
_numbers = count(1)


def add_trigger(desk: Desk, **more: object) -> str:
    """The id of a new trigger on Standard Webhooks, with a secret."""
    usual = {"name": f"t{next(_numbers)}", "source": "generic", "action": "notify", "with": {"text": "Heard."}}
    row = triggers.put(desk.context, trigger_from_json({**usual, **more}), "lead-1@example.com")
    standard = "whsec_" + base64.b64encode(KEY).decode()
    secret.put(desk.context, secret.owner(desk.context, row.id, trigger=True), standard)
    return row.id


def deliver(desk: Desk, trigger: str, payload: dict[str, object]) -> str:
    """Deliver an event to a trigger; its id once it was handled."""
    name = triggers.get(desk.context, trigger).name
    body, number, at = json.dumps(payload), f"msg_{next(_numbers)}", int(datetime.now(UTC).timestamp())
    proof = base64.b64encode(hmac.new(KEY, f"{number}.{at}.{body}".encode(), hashlib.sha256).digest()).decode()
    headers = {"webhook-id": number, "webhook-timestamp": str(at), "webhook-signature": f"v1,{proof}"}
    to = f"{desk.url}/hooks/t/{name}"
    answer = httpx.post(to, content=body, headers={**headers, "Content-Type": "application/json"})
    assert answer.status_code < 300, answer.text
    eventually(lambda: [one.state for one in events.listed(desk.context, 1, sender=trigger)] in (["done"], ["failed"]))
    return events.listed(desk.context, 1, sender=trigger)[0].id


def shots(desk: Desk, visitor: Visitor, project: str) -> Iterator[tuple[str, str, str]]:
    """The pages, each when there is something to see on it; `project` is one with the key SUP that has begun."""
    yield "events-none", "/events", ""
    yield "triggers-none", "/triggers", ""
    ticket = {"ticket": "${payload.mark}", "title": "Look at the drift of ${payload.feature}", "role": "ml"}
    when = 'event == "drift.found" && payload.share > 0.2'
    drift = add_trigger(
        desk,
        name="drift-alert",
        description="A drift alert is one ticket for each feature.",
        project="SUP",
        action="add-ticket",
        when=when,
        key="${payload.mark}",
        limits={"once_per_key": True, "per_hour": 20},
        **{"with": ticket},
    )
    broken = add_trigger(desk, name="champion", project="GONE", limits={"park_after": 2})
    add_trigger(desk, name="weekly-report", project="SUP", action="resync", **{"with": {}})
    payload = {"type": "drift.found", "share": 0.31, "mark": "ticket_age", "feature": "ticket_age", "api_token": "s"}
    found = deliver(desk, drift, payload)
    for number in range(2):
        failed = deliver(desk, broken, {"type": "model.promoted", "model": "triage", "version": number})
    yield "events", "/events", ""
    yield "event", f"/events/{found}", ""
    yield "event-failed", f"/events/{failed}", ""
    yield "triggers", "/triggers", ""
    yield "trigger", f"/triggers/{drift}", ""
    yield "trigger-parked", f"/triggers/{broken}", ""
    tried = f"/triggers/test?trigger={drift}&event={found}"
    yield "trigger-test", tried, ""
    yield "trigger-tried", tried.replace(drift, broken), "form.stack button"
    path = f"/connections/{connections.get(desk.context, 'work').id}"
    yield "connection-first", path, ""
    visitor.press(path, f"{path}/hook/register")
    settings = {"url": desk.sandbox.url, "email": "viewer@example.com"}
    connections.put(desk.context, "read-only", "jira", settings, "viewer-token")
    yield "connections", "/connections", ""
    yield "connection", path, ""
    yield "connection-new", "/connections/new", ""
    other = f"/connections/{connections.get(desk.context, 'read-only').id}"
    yield "connection-steps", other, "form[action$='hook/register'] button"
    yield "schedule", "/schedule", ""
    yield "schedule-project", f"/projects/{project}/schedule", ""
    team = f"/teams/{teams.get(desk.context, 'Support triage').id}"
    yield "teams", "/teams", ""
    yield "team", team, ""
    yield "team-person", f"{team}/person?person=ML%201", ""
