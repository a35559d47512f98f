"""A store with a project, and the sandbox's Slack to tell its people in. Time stands where the test puts it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from sandbox.slack.state import ML_TEAM, TOKEN, WEBHOOK, Channel
from sandbox.testing import SandboxServer
from service.context import Context
from service.domain.notice import delivery_state
from service.notify.port import Notice, Outbox
from service.store.notice_tables import DeliveryRow
from service.usecases.notice import receivers
from service.usecases.notice.fan_out import fan_out
from service.usecases.notice.receivers import Asked
from service.usecases.notice.sending import Sender
from tests.unit.stores import NOON, on, project_row


@dataclass
class Clock:
    """Where time stands."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass
class Desk:
    """A project ML, the sandbox, and one process that sends."""

    context: Context
    sandbox: SandboxServer
    clock: Clock
    counted: int = 0
    sender: Sender = field(init=False)

    def __post_init__(self) -> None:
        self.sender = self.another("snd_first")

    def another(self, name: str) -> Sender:
        """One more process that sends."""
        return Sender(self.context, name, ticking=lambda: self.clock().timestamp())

    @property
    def api(self) -> str:
        return f"{self.sandbox.url}/slack/api"

    @property
    def webhook(self) -> str:
        return f"{self.sandbox.url}/slack/services/{WEBHOOK}"

    def by_bot(self, *asked: Asked, token: str = TOKEN, name: str = "slack") -> None:
        receivers.add(self.context, name, "slack", {"url": self.api}, token, asked or [Asked(ML_TEAM)])

    def by_webhook(self, *asked: Asked) -> None:
        receivers.add(self.context, "slack", "slack", {}, self.webhook, asked or [Asked()])

    def happens(self, text: str = "", kind: str = "trigger", project: str = "ML", **more: Any) -> None:
        """Something that people are to hear of."""
        self.counted += 1
        name, said = f"{kind}:{self.counted}", text or f"Notice number {self.counted}."
        with self.context.database.session() as session:
            Outbox().notify(session, Notice(project, name, kind, said, self.clock(), "clock", **more))

    def told(self, turns: int = 1) -> None:
        """Make messages of what happened and send what is due, so many times a second apart."""
        for _ in range(turns):
            fan_out(self.context)
            while self.sender.turn():
                pass
            self.clock.pass_by(seconds=1.2)

    def settled(self, hours: float = 30) -> None:
        """Let time pass, in steps, until nothing is open but what waits for a person."""
        end = self.clock() + timedelta(hours=hours)
        while self.clock() < end:
            self.told()
            if not any(row.next_at for row in self.messages()):
                return
            due = min(row.next_at for row in self.messages() if row.next_at is not None)
            self.clock.now = max(self.clock.now, due, *[self._receiver_due()]) + timedelta(seconds=1)

    def _receiver_due(self) -> datetime:
        return max([row.next_at or NOON for row in receivers.listed(self.context)], default=NOON)

    def messages(self, *states: str) -> list[DeliveryRow]:
        with self.context.database.session() as session:
            rows = session.scalars(select(DeliveryRow).order_by(DeliveryRow.seq, DeliveryRow.id))
            return [row for row in rows if not states or row.state in states]

    def states(self) -> list[str]:
        return [row.state for row in self.messages()]

    def channel(self, name: str = ML_TEAM) -> Channel:
        return self.sandbox.slack.data.channels[name]

    def texts(self, name: str = ML_TEAM) -> list[str]:
        return [one.text for one in self.channel(name).messages]

    def posts(self, path: str = "chat.postMessage|/services/") -> int:
        """How many messages reached the wire."""
        return int(self.sandbox.world.controls.log.as_json("POST", path)["matching"])

    def fault(self, **rule: Any) -> None:
        """Have the sandbox misbehave."""
        from sandbox.control_routes import _FAULTS

        found = _FAULTS.validate_python({"path": "chat.postMessage|/services/", **rule})
        self.sandbox.world.controls.rules += [found] if not isinstance(found, Sequence) else found


@contextmanager
def desk(kind: str, home: Path) -> Iterator[Desk]:
    """A desk on `sqlite` or `postgresql`."""
    opening = on(kind, home)
    context, clock = next(opening), Clock()
    network = context.network
    settings = context.settings.model_copy(update={"tracker_timeout": 1.0})
    context = replace(context, now=clock, network=network, settings=settings)
    with SandboxServer() as sandbox:
        with context.database.session() as session:
            session.add(project_row("ML"))
        yield Desk(context, sandbox, clock)
    for _ in opening:
        pass


def waits(found: Desk) -> bool:
    """Whether anything is still to be sent."""
    return any(state in delivery_state.OPEN for state in found.states())
