"""A turntable's service behind a real address, so that the sandbox can deliver its webhooks there."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import uvicorn
from fastapi import FastAPI
from pydantic import HttpUrl
from sqlalchemy import select

from sandbox.jira.seed import DEMO_EMAIL, DEMO_TOKEN
from sandbox.testing import ThreadServer
from service.api import app as api
from service.context import Context
from service.store.hook_tables import HookEventRow
from service.usecases.hook.service import HookService
from service.usecases.queue import Enqueue
from tests import plain
from tests.waiting import eventually

JIRA_SECRET = "jira-secret-of-the-tests"
WATCHED = ("jira:issue_created", "jira:issue_updated", "jira:issue_deleted", "comment_created", "sprint_closed")


@dataclass
class Hooked:
    """Where the service takes webhooks in."""

    context: Context
    url: str

    def events(self, *states: str) -> list[HookEventRow]:
        """What arrived and is ours, oldest first."""
        query = select(HookEventRow).order_by(HookEventRow.received_at, HookEventRow.id)
        if states:
            query = query.where(HookEventRow.state.in_(states))
        with self.context.database.session() as session:
            return list(session.scalars(query))

    def outcomes(self) -> list[str]:
        """What came of all events, in a word each."""
        return [str(one["what"]) for row in self.events() for one in row.outcome]

    def settled(self) -> None:
        """Wait until everything that arrived was handled."""
        eventually(lambda: not self.events("accepted"), 120)


@contextmanager
def hooked(context: Context, enqueue: Enqueue) -> Iterator[Hooked]:
    """The service behind an address. Its engine is the caller's."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    public = replace(context, settings=context.settings.model_copy(update={"public_url": HttpUrl(url)}))
    arriving = HookService(public, enqueue)
    app = FastAPI()
    api.install(app, public, enqueue, arriving=arriving)
    config = uvicorn.Config(app, log_config=None, lifespan="off")
    config.timeout_graceful_shutdown = 1
    server = ThreadServer(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    arriving.start()
    try:
        yield Hooked(public, url)
    finally:
        arriving.stop()
        server.should_exit = True
        thread.join(20)
        listener.close()


def jira_sends(sandbox: str, to: str, secret: str = JIRA_SECRET, events: tuple[str, ...] = WATCHED) -> None:
    """Have the sandbox's Jira deliver its events there, as an administrator does by hand."""
    body: dict[str, Any] = {"name": "phaseloop", "url": to, "events": list(events), "secret": secret, "enabled": True}
    answer = plain.post(f"{sandbox}/rest/webhooks/1.0/webhook", json=body, auth=(DEMO_EMAIL, DEMO_TOKEN))
    assert answer.status_code == 201, answer.text
