"""Senders that deliver to triggers of a hooked service, and what the tracker itself shows of what came of it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any, Protocol

import standardwebhooks

from service.domain.hook.trigger import Trigger, read_trigger, trigger_from_json
from service.domain.plan import run_state
from service.store.hook_tables import HookEventRow, TriggerRow
from service.usecases.hook import events, secret, triggers
from service.usecases.run.plan_apply import Enqueue
from tests import plain
from tests.integration.conftest import ROOT
from tests.integration.hooked import Hooked, hooked
from tests.integration.record_desks import BOSS, JiraRecords, TrelloRecords
from tests.integration.record_table import RecordTable
from tests.waiting import eventually

SECRET = "trigger-secret-of-the-tests"
STANDARD = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
_numbers = count(1)


@dataclass(frozen=True)
class Shown:
    """A ticket as the tracker shows it. `iteration` is the name of the one that is current and has it, else empty."""

    key: str
    status: str
    labels: frozenset[str]
    comments: tuple[str, ...]
    text: str
    iteration: str
    assigned: bool


class Looking(Protocol):
    """What is asked of a tracker, by plain HTTP."""

    def tickets(self, title: str) -> list[Shown]:
        """All tickets of that title."""


@dataclass
class JiraLooking:
    """In Jira."""

    desk: JiraRecords

    def tickets(self, title: str) -> list[Shown]:
        body = {"jql": "project = ML", "fields": ["summary"], "maxResults": 100}
        found = self.desk.send(BOSS, "POST", "api/2/search/jql", json=body)["issues"]
        board = self.desk.send(BOSS, "GET", "agile/1.0/board", params={"projectKeyOrId": "ML"})["values"][0]["id"]
        sprints = self.desk.send(BOSS, "GET", f"agile/1.0/board/{board}/sprint", params={"state": "active"})["values"]
        here = {
            issue["id"]: sprint["name"]
            for sprint in sprints
            for issue in self.desk.send(BOSS, "GET", f"agile/1.0/sprint/{sprint['id']}/issue")["issues"]
        }
        return [self._shown(one["id"], here.get(one["id"], "")) for one in found if one["fields"]["summary"] == title]

    def _shown(self, number: str, iteration: str) -> Shown:
        issue = self.desk.send(BOSS, "GET", f"api/2/issue/{number}")
        fields = issue["fields"]
        comments = self.desk.send(BOSS, "GET", f"api/2/issue/{number}/comment")["comments"]
        return Shown(
            issue["key"],
            {"new": "todo", "indeterminate": "doing"}.get(fields["status"]["statusCategory"]["key"], "done"),
            frozenset(fields["labels"]),
            tuple(one["body"] for one in comments),
            fields["description"] or "",
            iteration,
            fields["assignee"] is not None,
        )


@dataclass
class TrelloLooking:
    """In Trello."""

    desk: TrelloRecords

    def tickets(self, title: str) -> list[Shown]:
        board = self.desk.board()
        names = {one["id"]: one["name"] for one in self.desk.send(BOSS, "GET", f"boards/{board}/lists")}
        cards = self.desk.send(BOSS, "GET", f"boards/{board}/cards", params={"filter": "all"})
        return [self._shown(one, names[one["idList"]]) for one in cards if one["name"] == title]

    def _shown(self, card: Mapping[str, Any], place: str) -> Shown:
        comments = self.desk.send(BOSS, "GET", f"cards/{card['id']}/actions", params={"filter": "commentCard"})
        labels = frozenset(one["name"] for one in card["labels"])
        return Shown(
            card["shortLink"],
            {"Done": "done", "In progress": "doing"}.get(place, "todo"),
            labels,
            tuple(one["data"]["text"] for one in comments),
            card["desc"],
            next((one for one in sorted(labels) if one.startswith(("Data ", "Model ", "Release "))), ""),
            bool(card["idMembers"]),
        )


@dataclass
class Triggered:
    """A project whose first iteration continues, and a service that senders deliver to."""

    table: RecordTable
    door: Hooked
    looking: Looking

    def ready_made(self, ready: str, **changed: Any) -> TriggerRow:
        """Add one of the ready-made triggers, with what people change in it."""
        text = (ROOT / "templates" / "triggers" / f"{ready}.yaml").read_text(encoding="utf-8")
        body = read_trigger(text, f"{ready}.yaml").to_json()
        given = {**body.get("with", {}), **changed.pop("given", {})}
        return self.add({**body, "with": given, **changed})

    def add(self, definition: Mapping[str, Any]) -> TriggerRow:
        """Add a trigger, with a secret where it has an address."""
        trigger = trigger_from_json({key: value for key, value in definition.items() if value is not None})
        row = triggers.put(self.door.context, trigger, "lead@example.com")
        if trigger.address_of is None:
            whose = secret.owner(self.door.context, row.id, trigger=True)
            secret.put(self.door.context, whose, STANDARD if trigger.source == "generic" else SECRET)
        return row

    def delivered(self, name: str, payload: Mapping[str, Any], **headers: str) -> list[HookEventRow]:
        """Deliver to a trigger as its sender does; the events, once they were handled."""
        row = triggers.get(self.door.context, name)
        body = json.dumps(payload)
        given = {**_signed(trigger_from_json(row.body), body, self.door), **headers}
        url = f"{self.door.url}/hooks/t/{name}"
        answer = plain.post(url, content=body.encode(), headers={"Content-Type": "application/json", **given})
        assert answer.status_code == 202, answer.text
        return [self.handled(number) for number in answer.json()["events"]]

    def sent(self, url: str, payload: Mapping[str, Any]) -> str:
        """Deliver to a trigger whose sender has a bearer token, and wait for nothing; the event's id."""
        given = {"Content-Type": "application/json", "Authorization": f"Bearer {SECRET}"}
        answer = plain.post(url, content=json.dumps(payload).encode(), headers=given)
        assert answer.status_code == 202, answer.text
        (number,) = answer.json()["events"]
        return str(number)

    def handled(self, number: str) -> HookEventRow:
        def look() -> HookEventRow | None:
            found = events.get(self.door.context, number)
            return found if found.state != "accepted" else None

        found = eventually(look, 180)
        assert found is not None
        return found

    def done(self, rows: list[HookEventRow]) -> list[str]:
        """What came of events that were handled without trouble, once the runs that they started have ended."""
        assert [(row.state, row.error) for row in rows] == [("done", "")] * len(rows)
        told = [one for row in rows for one in row.outcome]
        for one in told:
            effect = str(one.get("effect") or "")
            if effect.startswith("react-"):
                run = self.table.table.ended(effect)
                assert run.state == run_state.COMPLETED, run.findings
        return [str(one["text"]) for one in told]


def _signed(trigger: Trigger, body: str, door: Hooked) -> dict[str, str]:
    number, now = f"msg-{next(_numbers)}", door.context.now()
    time = str(int(now.timestamp()))
    match trigger.source:
        case "generic":
            signature = standardwebhooks.Webhook(STANDARD).sign(number, now, body)
            return {"webhook-id": number, "webhook-timestamp": time, "webhook-signature": signature}
        case "mlflow":
            signed = hmac.new(SECRET.encode(), f"{number}.{time}.{body}".encode(), hashlib.sha256).digest()
            return {
                "X-MLflow-Delivery-Id": number,
                "X-MLflow-Timestamp": time,
                "X-MLflow-Signature": "v1," + base64.b64encode(signed).decode(),
            }
        case "github":
            signature = hmac.new(SECRET.encode(), body.encode(), hashlib.sha256).hexdigest()
            return {"X-GitHub-Delivery": number, "X-Hub-Signature-256": f"sha256={signature}"}
        case "grafana":
            return {
                "X-Grafana-Alerting-Signature": hmac.new(SECRET.encode(), body.encode(), hashlib.sha256).hexdigest()
            }
        case _:
            return {"Authorization": f"Bearer {SECRET}"}


@contextmanager
def triggered(table: RecordTable, start: Enqueue | None = None) -> Iterator[Triggered]:
    """The service of this project, behind an address. `start` hands runs to the engine."""
    desk = table.desk
    with hooked(table.table.context, start or table.table.engine.start) as door:
        assert isinstance(desk, JiraRecords | TrelloRecords)
        looking: Looking = JiraLooking(desk) if isinstance(desk, JiraRecords) else TrelloLooking(desk)
        yield Triggered(table, door, looking)
