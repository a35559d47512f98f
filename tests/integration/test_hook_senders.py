"""Grafana and Weights & Biases, the whole way that docs/how-to/webhooks.md describes: the ready-made trigger is copied,
changed as it says there, tried, added by the command line, and delivered to with the recorded payload, signed with the
secret that was printed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests import plain
from tests.integration.conftest import ROOT, Installation
from tests.integration.record_table import record_table
from tests.integration.test_event_tickets import TITLE
from tests.integration.triggered import Triggered, triggered

READY = ROOT / "templates" / "triggers"
PAYLOADS = ROOT / "tests" / "unit" / "hook" / "payloads"
HOW_TO = (ROOT / "docs" / "how-to" / "webhooks.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Triggered]:
    with record_table(tmp_path_factory.mktemp("senders") / "home", "jira") as table, triggered(table) as found:
        yield found


@dataclass
class User:
    """Somebody who has the command line, the ready-made triggers and the how-to."""

    at: Triggered
    shell: Installation
    folder: Path

    def copied(self, ready: str, *changes: tuple[str, str]) -> Path:
        """A ready-made trigger as it is copied and changed."""
        text = (READY / f"{ready}.yaml").read_text(encoding="utf-8").replace("phases: [feedback]", "phases: [data]")
        for before, after in changes:
            assert before in text
            text = text.replace(before, after)
        path = self.folder / f"{ready}.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    def added(self, path: Path) -> tuple[str, str]:
        """The address and the secret that are printed."""
        answer = self.shell.ok("triggers", "add", path)
        address = next(line for line in answer.out.splitlines() if "deliver to: " in line).partition("deliver to: ")[2]
        return address.strip(), answer.out.split()[-1]

    def sent(self, address: str, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
        return plain.post(address, content=body, headers={"Content-Type": "application/json", **headers})

    def outcome(self, answer: httpx.Response) -> dict[str, Any]:
        """What `phaseloop events show` shows of what arrived, once it was handled."""
        assert answer.status_code == 202, answer.text
        (number,) = answer.json()["events"]
        self.at.handled(number)
        shown: dict[str, Any] = self.shell.ok("events", "show", number, "--json").json
        return shown


@pytest.fixture
def user(at: Triggered, tmp_path: Path) -> User:
    url = {"PHASELOOP_PUBLIC_URL": at.door.url}
    return User(at, Installation(at.table.table.context.settings.home, url), tmp_path)


def recorded(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))["payload"]
    return found


def hmac_of(secret: str, signed: bytes) -> str:
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def test_grafana_adds_a_ticket_and_closes_it_and_its_test_button_does_nothing(at: Triggered, user: User) -> None:
    grafana = ("source: alertmanager", "source: grafana")
    alert, resolved = user.copied("drift-alert", grafana), user.copied("drift-resolved", grafana)
    tried = user.shell.ok("triggers", "test", alert, "--payload", PAYLOADS / "drift-alert.grafana.json").out
    assert "alert.firing: matches" in tried
    address, secret = user.added(alert)
    user.shell.ok("triggers", "add", resolved)

    def delivered(payload: Mapping[str, Any]) -> dict[str, Any]:
        body = json.dumps(payload).encode()
        return user.outcome(user.sent(address, body, {"X-Grafana-Alerting-Signature": hmac_of(secret, body)}))

    pressed = recorded("drift-alert.grafana")
    pressed["alerts"][0] |= {
        "labels": {"alertname": "TestAlert", "instance": "Grafana"},
        "fingerprint": "57c6d9296de2ad39",
    }
    shown = delivered(pressed)
    assert (shown["name"], shown["state"], shown["outcome"]) == ("alert.firing", "done", [])

    at.done([at.handled(delivered(recorded("drift-alert.grafana"))["id"])])
    (ticket,) = at.looking.tickets(TITLE)
    assert ticket.status == "todo"
    at.done([at.handled(delivered(recorded("drift-resolved.grafana"))["id"])])
    (ticket,) = at.looking.tickets(TITLE)
    assert ticket.status == "done"


def test_grafana_with_a_header_for_the_time_is_accepted_with_the_settings_of_the_how_to_alone(
    at: Triggered, user: User
) -> None:
    (line,) = [one.strip() for one in HOW_TO.splitlines() if one.strip().startswith("settings: {signature_header: X-")]
    headers = yaml.safe_load(line)["settings"]
    sources = ("source: alertmanager", f"source: grafana\n{line}"), ("name: drift-alert", "name: drift-timed")
    address, secret = user.added(user.copied("drift-alert", *sources))
    payload = recorded("drift-alert.grafana")
    payload["alerts"][0]["labels"]["alertname"] = "None"
    body, now = json.dumps(payload).encode(), str(int(at.door.context.now().timestamp()))
    late = str(int(now) - 301)

    def answered(time: str, signed: bytes) -> httpx.Response:
        given = {headers["signature_header"]: hmac_of(secret, signed), headers["timestamp_header"]: time}
        return user.sent(address, body, given)

    assert user.outcome(answered(now, now.encode() + b":" + body))["state"] == "done"
    assert answered(now, body).status_code == 401
    assert answered(late, late.encode() + b":" + body).status_code == 401


def bearer(secret: str, _body: bytes) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def signature(secret: str, body: bytes) -> dict[str, str]:
    signed = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return {"Authorization": "Bearer of-something-else", "X-Wandb-Signature": base64.b64encode(signed).decode()}


@pytest.mark.parametrize("proof", [bearer, signature])
def test_a_finished_run_of_weights_and_biases_is_linked_in_the_record(
    at: Triggered, user: User, proof: Callable[[str, bytes], dict[str, str]]
) -> None:
    name, number = f"run-{proof.__name__}", f"id-{proof.__name__}"
    path = user.copied("wandb-run-finished", ("name: wandb-run-finished", f"name: {name}"))
    tried = user.shell.ok("triggers", "test", path, "--payload", PAYLOADS / "wandb-run-finished.json").out
    assert "matches" in tried
    address, secret = user.added(path)

    def delivered(payload: Mapping[str, Any]) -> dict[str, Any]:
        body = json.dumps(payload).encode()
        return user.outcome(user.sent(address, body, proof(secret, body)))

    payload = {**recorded("wandb-run-finished"), "run_id": number, "run_name": name}
    at.done([at.handled(delivered(payload)["id"])])
    assert f"The run {name} of Weights & Biases has finished." in at.table.document().text
    assert delivered({**payload, "again": 1})["outcome"][0]["what"] == "skipped", "a run is linked once"

    without = delivered({name: value for name, value in payload.items() if name != "run_id"})
    assert (without["state"], "run_id" in without["error"]) == ("failed", True)
    running = delivered({name: value for name, value in payload.items() if name != "state"})
    assert (running["state"], running["outcome"]) == ("done", [])
