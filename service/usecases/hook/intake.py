"""Taking events in: the sender is verified, what it sent is read and kept, and only then it is told "accepted".

Many arrive at once, and each waits until it is kept for good. They are written together: while one unit of work is
being committed, those that arrive form the next one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.context import Context
from service.domain.hook import payload
from service.domain.hook.delivery import Delivery
from service.domain.hook.source import event_id
from service.store import hook_events
from service.usecases.hook.sender import REMEMBERED, Kind, Sender, Senders

log = logging.getLogger(__name__)

LOOKED_UP_AGAIN = 0.05
"""Seconds after which a sender is looked up again before a delivery of it is refused."""

AT_ONCE = 500
"""Events of one unit of work, about."""

GATHERED = 0.001
"""Seconds that a unit of work waits for more events: where many arrive, half as many units of work are as much gain."""

LONG = 100_000
"""Bytes of a delivery that is read beside everything else: meanwhile others are answered."""

MOST_WAITING = 4000
"""Deliveries that wait to be kept, before others are asked to come later."""


class UnknownSender(Exception):
    """Nobody may send to this address."""


class Refused(Exception):
    """The sender did not prove that it has the secret."""


class Overloaded(Exception):
    """More arrives than can be kept just now."""


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a delivery: the status that its sender understands, and the ids of its events."""

    status: int
    events: tuple[str, ...]


class Intake:
    """Takes deliveries in, for one process. `woken` is called when there is something to be handled."""

    def __init__(self, context: Context, woken: Callable[[], None] = lambda: None) -> None:
        self._context, self._woken = context, woken
        self._senders = Senders(context)
        self._waiting: list[tuple[Sequence[Mapping[str, Any]], asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._writer = ThreadPoolExecutor(1, "hook-intake")
        self._readers = ThreadPoolExecutor(2, "hook-senders")

    async def sender(self, kind: Kind, name: str, *, anew: bool = False) -> Sender:
        """Who may send to this address, with `anew` as it is at this moment. Raises UnknownSender."""
        age, found = self._senders.known(kind, name)
        if anew or age >= REMEMBERED:
            loop = asyncio.get_running_loop()
            found = await loop.run_in_executor(self._readers, self._senders.find, kind, name)
        if found is None:
            raise UnknownSender(name)
        return found

    async def receive(self, sender: Sender, headers: Mapping[str, str], body: bytes) -> Received:
        """Take a delivery in: returns once its events are kept for good, those that were kept before included.

        Raises Refused; payload.Unreadable; Overloaded; what the database raises.
        """
        now = self._context.now()
        delivery = Delivery(headers, body, now, sender.address)
        if not sender.accepts(delivery):
            sender = await self._anew(sender)  # its secret may have been rotated since it was looked up
        if not sender.accepts(delivery):
            why = "has no secret" if not sender.secrets else "did not prove its secret"
            log.warning("a delivery was refused: the sender %s (%s) %s", sender.owner, sender.source.key, why)
            raise Refused
        if len(body) > LONG:
            loop = asyncio.get_running_loop()
            rows = await loop.run_in_executor(self._readers, _rows, sender, delivery, now)
        else:
            rows = _rows(sender, delivery, now)
        await self._keep(list(rows.values()))
        self._woken()
        return Received(sender.source.answer, tuple(rows))

    async def _anew(self, sender: Sender) -> Sender:
        """The sender as it is now, if it was not looked up just now: who forges many is answered from memory."""
        age, _found = self._senders.known(*sender.at)
        if age >= LOOKED_UP_AGAIN:
            with suppress(UnknownSender):  # it is gone since: what it sent proves nothing either way
                return await self.sender(*sender.at, anew=True)
        return sender

    async def _keep(self, rows: Sequence[Mapping[str, Any]]) -> None:
        if len(self._waiting) >= MOST_WAITING:
            raise Overloaded
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((rows, kept))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        await kept

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                await asyncio.sleep(GATHERED)
                batch, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
                rows = {row["id"]: row for some, _kept in batch for row in some}
                try:
                    await loop.run_in_executor(self._writer, self._store, list(rows.values()))
                except Exception as error:  # noqa: BLE001 - each who waits is told, whatever it is
                    for _rows, kept in batch:
                        if not kept.done():
                            kept.set_exception(error)
                else:
                    for _rows, kept in batch:
                        if not kept.done():
                            kept.set_result(None)
        finally:
            self._writing = None

    def _store(self, rows: Sequence[Mapping[str, Any]]) -> None:
        with self._context.database.session() as session:
            hook_events.add(session, rows)

    def close(self) -> None:
        """Let the threads go."""
        self._writer.shutdown(wait=False)
        self._readers.shutdown(wait=False)


def _rows(sender: Sender, delivery: Delivery, now: datetime) -> dict[str, dict[str, Any]]:
    """The events of a delivery by their ids, as they are kept. Raises payload.Unreadable."""
    read = payload.read(delivery.body, delivery.header("Content-Type"), forms=sender.source.forms)
    rows = {}
    for one in sender.source.events(delivery, read):
        about = {"name": one.name, "delivery": one.delivery, "body": payload.written(one.payload)}
        number = event_id(sender.owner, one.delivery)
        rows[number] = hook_events.new(number, sender.owner, sender.source.key, about, now)
    return rows
