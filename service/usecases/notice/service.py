"""The part of one process that sends messages, beside everything else."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy.exc import SQLAlchemyError

from service.context import Context
from service.store import deliveries
from service.store.secrets import new_id
from service.usecases.notice.fan_out import AT_ONCE, fan_out
from service.usecases.notice.sending import Sender

log = logging.getLogger(__name__)

WORKERS = 3
"""Receivers that are sent to at once: where one takes long, the others do not wait for it."""

LOOK_EVERY = 1.0
"""Seconds between two looks for what is to be told."""


class NoticeService:
    """Makes messages of what happened and sends them, from `start` to `stop`."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._holder = new_id("snd")
        self._sender = Sender(context, self._holder)
        self._woken = threading.Event()
        self._stopped = False
        self._free = threading.Semaphore(WORKERS)
        self._workers = ThreadPoolExecutor(WORKERS, "notice-worker")
        self._thread = threading.Thread(target=self._work, name="notice-dispatcher", daemon=True)
        self._troubled = False

    def start(self) -> None:
        """Begin. Where there is no other process, what a former one had is resumed at once."""
        if self._context.database.embedded:
            with self._context.database.session() as session:
                deliveries.release(session, self._context.now())
        self._thread.start()

    def wake(self) -> None:
        """Look now."""
        self._woken.set()

    def stop(self) -> None:
        """Send nothing more. What is being sent has the time of grace to end."""
        self._stopped = True
        self._woken.set()
        grace = self._context.settings.grace_seconds
        if self._thread.ident is not None:
            self._thread.join(grace)
        self._workers.shutdown(wait=False, cancel_futures=True)
        if not all(self._free.acquire(timeout=grace) for _ in range(WORKERS)):
            log.warning("messages that were being sent are left: whether they arrived is looked up at the next start")
            return
        try:
            with self._context.database.session() as session:
                deliveries.release(session, self._context.now(), self._holder)
        except SQLAlchemyError as error:
            log.warning("messages are left to be sent later: %s", type(error).__name__)

    def _work(self) -> None:
        while not self._stopped:
            self._woken.clear()
            more = False
            try:
                more = fan_out(self._context) == AT_ONCE
                self._troubled = False
            except Exception as error:  # noqa: BLE001 - whatever it is, it is looked again
                self._say(error)
            if not self._stopped and self._free.acquire(blocking=False):
                self._workers.submit(self._turns)
            if not more:
                self._woken.wait(LOOK_EVERY)

    def _turns(self) -> None:
        try:
            while not self._stopped and self._sender.turn():
                pass
        except Exception as error:  # noqa: BLE001 - what it had is resumed once the lease is over
            self._say(error)
        finally:
            self._free.release()

    def _say(self, error: Exception) -> None:
        if not self._troubled:
            log.warning("messages cannot be sent: %s", type(error).__name__, exc_info=error)
        self._troubled = True
