"""Whenever a process is killed between "accepted" and "handled", nothing that was accepted is lost, and nothing is done
twice; nor where several replicas are sent the same."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import standardwebhooks
from cryptography.fernet import Fernet
from sqlalchemy import select

from service.context import Context, open_context
from service.domain.hook.trigger import trigger_from_json
from service.settings import Settings
from service.store import hook_events
from service.store.database import Database
from service.store.hook_tables import HookEventRow
from service.store.tables import ConnectionRow, EventRow, TeamRow, TemplateRow
from service.usecases.hook import secret, triggers
from service.usecases.hook.sender import Kind
from service.usecases.hook.service import HookService
from tests.effort import LONG
from tests.integration.conftest import ROOT
from tests.postgres import scratch_database
from tests.unit.stores import NOON, project_row
from tests.waiting import eventually

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
TIMES = 100 if LONG else 36
"""Four at each moment, or eleven."""


def prepared(context: Context, *, once: bool = False) -> None:
    """A project, and a trigger that tells of each event."""
    with context.database.session() as session:
        session.add(ConnectionRow(id="con", name="c", kind="jira", settings={}, secret=b"", created_at=NOON))
        session.add(TeamRow(id="team", name="t", body={}, updated_at=NOON))
        session.add(TemplateRow(digest="d", name="n", version="1", source="s", text="", created_at=NOON))
        session.flush()
        session.add(project_row("ML"))
    definition = {
        "name": "told",
        "source": "generic",
        "project": "ML",
        "action": "notify",
        "with": {"text": "Event ${payload.n}."},
        **({"key": "${payload.n}", "limits": {"once_per_key": True}} if once else {}),
    }
    triggers.put(context, trigger_from_json(definition), "tests")
    secret.put(context, secret.owner(context, "told", trigger=True), SECRET)


def told(context: Context) -> Counter[str]:
    """What was told, and how often."""
    with context.database.session() as session:
        return Counter(session.scalars(select(EventRow.text).where(EventRow.kind == "trigger")))


def handled(context: Context) -> bool:
    with context.database.session() as session:
        return hook_events.waiting(session)[0] == 0


def states(context: Context) -> Counter[str]:
    with context.database.session() as session:
        return Counter(session.scalars(select(HookEventRow.state)))


def test_a_kill_between_accept_and_handle_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path, database_url=None, secret_key=None)
    with closing(open_context(settings)) as context:
        prepared(context)
    command = [sys.executable, "-m", "tests.integration.hook_killing", str(tmp_path), SECRET, str(TIMES)]
    killed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=250, check=False)
    assert killed.returncode == 0, killed.stderr

    accepted = (tmp_path / "accepted").read_text().split()
    assert len(accepted) > TIMES / 2
    with closing(open_context(settings)) as context:
        service = HookService(context, lambda *_: None)
        service.start()
        try:
            eventually(lambda: handled(context), 60)
        finally:
            service.stop()
        found = told(context)
        assert {f"Event {number}." for number in accepted} <= set(found)
        assert set(found.values()) == {1}
        assert set(states(context)) == {"done"}
        assert found.total() == states(context)["done"]


@pytest.fixture
def replicas(tmp_path: Path) -> Iterator[list[Context]]:
    """Three processes' contexts on one PostgreSQL."""
    with scratch_database() as url:
        database = Database(url)
        database.upgrade()
        database.dispose()
        key = Fernet.generate_key().decode()
        settings = Settings(_env_file=None, home=tmp_path, database_url=url, secret_key=key)
        contexts = [open_context(settings) for _ in range(3)]
        yield contexts
        for context in contexts:
            context.close()


@pytest.mark.parametrize("once", [False, True], ids=["each event", "each key"])
def test_three_replicas_that_are_sent_the_same_do_it_once(replicas: list[Context], once: bool) -> None:
    prepared(replicas[0], once=once)
    services = [HookService(context, lambda *_: None) for context in replicas]
    for service in services:
        service.start()

    async def deliver() -> None:
        for number in range(20):
            body, now = json.dumps({"n": number}), datetime.now(UTC)

            def headers(name: str, body: str = body, now: datetime = now) -> dict[str, str]:
                return {
                    "content-type": "application/json",
                    "webhook-id": name,
                    "webhook-timestamp": str(int(now.timestamp())),
                    "webhook-signature": standardwebhooks.Webhook(SECRET).sign(name, now, body),
                }

            senders = [await service.intake.sender(Kind.TRIGGER, "told") for service in services]
            # With a key the deliveries are even different ones, that say the same.
            names = [f"msg_{number}_{place if once else 0}" for place in range(3)]
            await asyncio.gather(
                *(
                    service.intake.receive(sender, headers(name), body.encode())
                    for service, sender, name in zip(services, senders, names, strict=True)
                )
            )

    try:
        asyncio.run(deliver())
        eventually(lambda: handled(replicas[0]), 90)
    finally:
        for service in services:
            service.stop()

    assert told(replicas[0]) == Counter({f"Event {number}.": 1 for number in range(20)})
    assert states(replicas[0]) == Counter({"done": 60 if once else 20})
