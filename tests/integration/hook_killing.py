"""A hundred processes that take an event in and are killed: one imports, and forks for each.

python -m tests.integration.hook_killing HOME SECRET COUNT
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import standardwebhooks
from sqlalchemy import Connection, event

from service.context import open_context
from service.settings import Settings
from service.store import hook_events
from service.usecases.hook.sender import Kind
from service.usecases.hook.service import HookService

MOMENTS = 9
"""Where a process dies: right after "accepted", or right before one of its commits, those of the handling included."""


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def lives(home: Path, secret: str, number: int) -> None:
    """Take the event of this number in, say so, and handle it; die on the way."""
    context = open_context(Settings(_env_file=None, home=home, database_url=None, secret_key=None))
    moment, commits = number % MOMENTS, 0
    counting = threading.Lock()

    @event.listens_for(context.database.engine, "before_cursor_execute")
    def written(connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if statement.lstrip()[:6].upper() in ("INSERT", "UPDATE", "DELETE"):
            connection.info["written"] = True

    @event.listens_for(context.database.engine, "commit")
    def committing(connection: Connection) -> None:
        nonlocal commits
        with counting:
            if connection.info.pop("written", False):
                commits += 1
                if commits == moment:
                    die()

    service = HookService(context, lambda *_: None)
    service.start()
    asyncio.run(_deliver(service, secret, number))
    with (home / "accepted").open("a") as file:
        file.write(f"{number}\n")
    if moment == 0:
        die()
    pause = threading.Event()
    for _ in range(200):
        with context.database.session() as session:
            if not hook_events.waiting(session)[0]:
                break
        pause.wait(0.01)
    die()


async def _deliver(service: HookService, secret: str, number: int) -> None:
    sender = await service.intake.sender(Kind.TRIGGER, "told")
    body = json.dumps({"n": number})
    now = datetime.now(UTC)
    name = f"msg_{number}"
    headers = {
        "content-type": "application/json",
        "webhook-id": name,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": standardwebhooks.Webhook(secret).sign(name, now, body),
    }
    assert (await service.intake.receive(sender, headers, body.encode())).status == 202


def main() -> None:
    home, secret, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    for number in range(count):
        pid = os.fork()
        if pid == 0:
            try:
                lives(home, secret, number)
            finally:
                os._exit(1)
        _, status = os.waitpid(pid, 0)
        if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
            sys.exit(f"process {number} was not killed, but ended with {status}")


if __name__ == "__main__":
    main()
