"""Three replicas on one PostgreSQL that are sent the same at the same time: it is handled once, by one run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier

import pytest
import standardwebhooks
from jira import JIRA

from sandbox.testing import SandboxServer
from service.domain.hook.trigger import trigger_from_json
from service.usecases.hook import secret, triggers
from tests import plain
from tests.integration.conftest import Installation
from tests.integration.replicas import Replica, asked, replicas, shared_installation
from tests.integration.test_hooks_killed import SECRET
from tests.integration.test_schedule_replicas import built, current, opened, resume, table
from tests.waiting import eventually

ALERTS = 5


@pytest.fixture
def shared(tmp_path: Path, sandbox: SandboxServer) -> Iterator[Installation]:
    often = {"PHASELOOP_TICK_SECONDS": "0.3"}
    with shared_installation(tmp_path / "home", sandbox, **often) as installation:
        yield installation


def with_trigger(installation: Installation) -> None:
    definition = {
        "name": "drift",
        "source": "generic",
        "project": "ML",
        "action": "add-ticket",
        "with": {"ticket": "${payload.n}", "title": "Drift ${payload.n}", "role": "data"},
    }
    with opened(installation) as context:
        row = triggers.put(context, trigger_from_json(definition), "lead@example.com")
        secret.put(context, secret.owner(context, row.id, trigger=True), SECRET)


def test_the_same_delivery_at_three_replicas_is_one_event_one_run_and_one_ticket(
    shared: Installation, jira: JIRA
) -> None:
    built(shared, 1)
    with_trigger(shared)
    with replicas(shared) as group:
        for _ in range(3):
            group.start()
        resume(shared)
        eventually(lambda: current(shared) == 1)
        eventually(lambda: asked(shared, "SELECT count(*) FROM runs WHERE state <> 'completed'") == 0)
        gathered = Barrier(3)

        def deliver(replica: Replica) -> list[str]:
            found = []
            for number in range(ALERTS):
                body, now, name = json.dumps({"n": f"a{number}"}), datetime.now(UTC), f"msg_{number}"
                headers = {
                    "Content-Type": "application/json",
                    "webhook-id": name,
                    "webhook-timestamp": str(int(now.timestamp())),
                    "webhook-signature": standardwebhooks.Webhook(SECRET).sign(name, now, body),
                }
                gathered.wait(60)
                answer = plain.post(f"{replica.url}/hooks/t/drift", content=body, headers=headers, timeout=60)
                assert answer.status_code == 202, answer.text
                found += answer.json()["events"]
            return found

        with ThreadPoolExecutor(3) as threads:
            told = list(threads.map(deliver, group.started))
        eventually(lambda: asked(shared, "SELECT count(*) FROM hook_events WHERE state = 'accepted'") == 0, 180)
        eventually(lambda: asked(shared, "SELECT count(*) FROM runs WHERE state <> 'completed'") == 0, 180)

    assert told[0] == told[1] == told[2], "each replica names the same event"
    events = table(shared, "SELECT id, state, error FROM hook_events")
    assert sorted(events) == sorted((number, "done", "") for number in told[0])
    firings = table(shared, "SELECT event_id, state, effect FROM firings")
    assert Counter(event for event, _state, _effect in firings) == Counter(told[0])
    reacting = [number for (number,) in table(shared, "SELECT id FROM runs WHERE kind = 'react'")]
    assert sorted(effect for _event, state, effect in firings if state == "done") == sorted(reacting)
    assert len(reacting) == ALERTS
    issues = Counter(issue.fields.summary for issue in jira.search_issues("project = ML", maxResults=False))
    assert {f"Drift a{n}": issues[f"Drift a{n}"] for n in range(ALERTS)} == {f"Drift a{n}": 1 for n in range(ALERTS)}
