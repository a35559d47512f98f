"""Processes that send messages and are killed: one imports, and forks for each moment at which it is to die.

python -m tests.integration.notice_killing HOME SECONDS_AHEAD MOMENTS
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import httpx
from pydantic import HttpUrl
from sqlalchemy import Connection, event

from connectors.email.receiver import EmailReceiver
from connectors.receiving import Posted
from service.context import open_context
from service.notify.port import Notice, Outbox
from service.settings import Settings
from service.usecases.notice.fan_out import fan_out
from service.usecases.notice.sending import Sender


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def lives(home: Path, ahead: timedelta, moment: int) -> None:
    """Have something happen, tell it, and die: right before the commit of this number, or right before (-1) or after
    (-2) the message goes out."""
    settings = Settings(_env_file=None, home=home, database_url=None, secret_key=None)
    context = open_context(settings.model_copy(update={"public_url": HttpUrl("https://loop.example.com")}))
    context = replace(context, now=lambda: datetime.now(UTC) + ahead)
    with context.database.session() as session:
        name = f"killed:{moment}"
        Outbox().notify(session, Notice("ML", name, "trigger", f"Moment {moment}.", context.now(), "clock"))
    commits = 0

    @event.listens_for(context.database.engine, "before_cursor_execute")
    def written(connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if statement.lstrip()[:6].upper() in ("INSERT", "UPDATE", "DELETE"):
            connection.info["written"] = True

    @event.listens_for(context.database.engine, "commit")
    def committing(connection: Connection) -> None:
        nonlocal commits
        if connection.info.pop("written", False):
            commits += 1
            if commits == moment:
                die()

    _die_around_sending(moment)
    fan_out(context)
    sender = Sender(context, f"snd_{os.getpid()}")
    while sender.turn():
        pass
    context.close()


def _die_around_sending(moment: int) -> None:
    sending, mailing = httpx.Client.send, EmailReceiver.send

    def request(*given: object, **named: object) -> httpx.Response:
        if moment == -1:
            die()
        answer = sending(*given, **named)  # type: ignore[arg-type]
        if moment == -2:
            die()
        return answer

    def mail(*given: Any) -> Posted:
        if moment == -1:
            die()
        posted = mailing(*given)
        if moment == -2:
            die()
        return posted

    httpx.Client.send = request  # type: ignore[method-assign, assignment]
    EmailReceiver.send = mail  # type: ignore[method-assign]


def main() -> None:
    """Live once for each moment."""
    home, ahead = Path(sys.argv[1]), timedelta(seconds=int(sys.argv[2]))
    moments = [int(one) for one in sys.argv[3].split(",")]
    outlived = []
    for moment in moments:
        child = os.fork()
        if child == 0:
            lives(home, ahead, moment)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            outlived.append(moment)
    sys.stdout.write(",".join(map(str, outlived)))


if __name__ == "__main__":
    main()
