"""A tracker's own events make the product look at once: what people do there has its effect without any clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.jira.seed import DEMO_EMAIL, DEMO_TOKEN
from service.domain.audit.outcome import Verdict
from service.domain.plan import run_state
from service.store.hook_tables import HookRow
from service.usecases.hook import secret
from service.usecases.setup import connections
from tests import plain
from tests.integration.hooked import JIRA_SECRET, Hooked, hooked, jira_sends
from tests.integration.record_table import SECOND, RecordTable, record_table
from tests.waiting import eventually

LONG = {"hold_seconds": 86_400.0}
"""A held run looks again by itself only after a day: nothing here is due to that."""


@pytest.fixture
def blocked(tmp_path: Path) -> Iterator[RecordTable]:
    """The first iteration continues in Jira, and the gate is `block`."""
    with record_table(tmp_path / "home", "jira", gate="block", settings=LONG) as opened:
        yield opened


@pytest.fixture
def door(blocked: RecordTable) -> Iterator[Hooked]:
    """The service, to which Jira delivers."""
    context = blocked.table.context
    with hooked(context, blocked.table.engine.start) as opened:
        whose = secret.owner(context, "tracker", trigger=False)
        secret.put(context, whose, JIRA_SECRET)
        with context.tracker(connections.stored(context, "tracker")) as tracker:
            account = tracker.whoami().id
        with context.database.session() as session:
            session.add(HookRow(connection_id=whose.id, account=account, remote=[], created_at=context.now()))
        jira_sends(blocked.table.url, f"{opened.url}/hooks/{whose.id}")
        yield opened


def test_a_record_that_is_signed_off_lets_a_held_advance_go_on_by_its_event(blocked: RecordTable, door: Hooked) -> None:
    held = blocked.table.turned(2, SECOND)
    assert held.state == run_state.HELD, held.findings

    began = time.monotonic()
    blocked.documents()
    run = blocked.table.ended(held.id)

    assert run.state == run_state.COMPLETED, run.findings
    assert time.monotonic() - began < 30
    assert (blocked.table.loop.current, blocked.row().verdict) == (2, Verdict.DOCUMENTED)
    assert "run-looks-again" in door.outcomes()


def test_a_sprint_closed_by_hand_is_noticed_with_a_finding(blocked: RecordTable, door: Hooked) -> None:
    (sprint,) = [one for one in blocked.table.sandbox.site.data.sprints.values() if one.state == "active"]
    closed = {"state": "closed"}
    path = f"{blocked.table.url}/rest/agile/1.0/sprint/{sprint.id}"
    plain.post(path, json=closed, auth=(DEMO_EMAIL, DEMO_TOKEN)).raise_for_status()

    name = "iteration-closed-by-hand:1"
    eventually(lambda: name in blocked.table.events(), 20)
    assert "phaseloop advance ML" in blocked.table.told(name)
    assert blocked.table.loop.current == 1


def test_what_phaseloop_writes_itself_comes_back_and_is_dropped(blocked: RecordTable, door: Hooked) -> None:
    blocked.documents()
    run = blocked.table.turned(2, SECOND)
    assert run.state == run_state.COMPLETED, run.findings
    door.settled()

    echoes = [row for row in door.events() if [one["what"] for one in row.outcome] == ["echo"]]
    assert len(echoes) >= 4, "it moved tickets, and closed and began a sprint"
    assert [row.error for row in door.events("failed")] == []
    assert not [name for name in blocked.table.events() if "by-hand" in name]
