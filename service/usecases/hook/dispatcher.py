"""Handling events beside everything else: a few threads take what was accepted, each event on its own."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy.exc import SQLAlchemyError

from service.clock import ticking
from service.context import Context
from service.store import hook_events
from service.store.hook_tables import HookEventRow
from service.store.secrets import new_id

log = logging.getLogger(__name__)

WORKERS = 5
"""Events that are handled at once."""

OF_ONE_SENDER = WORKERS - 1
"""Events of one sender that are handled at once: where its events take long, those of others do not wait for them."""

LOOK_EVERY = 1.0
"""Seconds between two looks for events that nobody told of: those of other processes, and those that wait."""


RENEW_EVERY = hook_events.LEASE.total_seconds() / 3
"""Seconds between two times of saying what is being handled."""

RECONCILE_EVERY = 60.0
"""Seconds between two looks for webhooks that are to be looked after."""


class Dispatcher:
    """Takes events that are to be handled, until it is stopped. `handle` is given one after the other and keeps what
    came of it; it raises nothing but what the database does."""

    def __init__(
        self,
        context: Context,
        handle: Callable[[HookEventRow], None],
        reconcile: Callable[[bool], object] = lambda _at_start: None,
    ) -> None:
        """`reconcile` is called at the start, with True, and every minute after that."""
        self._context, self._handle, self._reconcile = context, handle, reconcile
        self._reconciled: float | None = None
        self._renewed = ticking()
        self._holder = new_id("hnd")
        self._woken = threading.Event()
        self._stopped = False
        self._free = threading.Semaphore(WORKERS)
        self._handling: Counter[str] = Counter()
        self._counting = threading.Lock()
        self._workers = ThreadPoolExecutor(WORKERS, "hook-worker")
        self._thread = threading.Thread(target=self._work, name="hook-dispatcher", daemon=True)
        self._troubled = False

    def start(self) -> None:
        """Begin. Where there is no other process, what a former one had is resumed at once."""
        if self._context.database.embedded:
            with self._context.database.session() as session:
                hook_events.release(session, self._context.now())
        self._thread.start()

    def wake(self) -> None:
        """Look now."""
        self._woken.set()

    def stop(self, grace: float) -> None:
        """Take nothing more. What is being handled has so long to end; what does not is handled again elsewhere."""
        self._stopped = True
        self._woken.set()
        if self._thread.ident is not None:
            self._thread.join(grace)
        self._workers.shutdown(wait=False, cancel_futures=True)
        ended = all(self._free.acquire(timeout=grace) for _ in range(WORKERS))
        if not ended:
            log.warning("events that were being handled are left, to be handled again")
        try:
            with self._context.database.session() as session:
                hook_events.release(session, self._context.now(), self._holder)
        except SQLAlchemyError as error:
            log.warning("events are left to be taken later: %s", type(error).__name__)

    def _work(self) -> None:
        while not self._stopped:
            self._woken.clear()
            try:
                self._renew()
                found = self._take()
                self._troubled = False
            except Exception as error:  # noqa: BLE001 - whatever it is, it is looked again
                if not self._troubled:
                    log.warning("events cannot be taken: %s", type(error).__name__)
                self._troubled, found = True, []
            for row in found:
                self._workers.submit(self._one, row)
            if not found:
                self._look_after_hooks()
                self._woken.wait(LOOK_EVERY)

    def _renew(self) -> None:
        """Say that what is being handled is, so that nobody else takes it; what a killed process had is soon resumed by
        another."""
        now = ticking()
        if now - self._renewed >= RENEW_EVERY and self._handled():
            self._renewed = now
            with self._context.database.session() as session:
                hook_events.renew(session, self._holder, self._context.now())

    def _look_after_hooks(self) -> None:
        """Reconcile, where it is time, among the workers: it may wait for a tracker."""
        now = ticking()
        if self._reconciled is not None and now - self._reconciled < RECONCILE_EVERY:
            return
        at_start, self._reconciled = self._reconciled is None, now
        if not self._stopped and self._free.acquire(blocking=False):
            self._workers.submit(self._reconciling, at_start)

    def _reconciling(self, at_start: bool) -> None:
        try:
            self._reconcile(at_start)
        except Exception as error:  # noqa: BLE001 - it comes again
            log.warning("webhooks cannot be looked after: %s", type(error).__name__)
        finally:
            self._free.release()

    def _take(self) -> list[HookEventRow]:
        """As many events as there are free workers; waits for one."""
        if not self._free.acquire(timeout=LOOK_EVERY):
            return []
        count = 1
        while count < WORKERS and self._free.acquire(blocking=False):
            count += 1
        found: list[HookEventRow] = []
        try:
            if not self._stopped:
                handling = self._handled()
                full = [owner for owner, of in handling.items() if of >= OF_ONE_SENDER]
                with self._context.database.session() as session:
                    found = hook_events.take(
                        session,
                        self._context.now(),
                        self._holder,
                        count,
                        lambda owner: OF_ONE_SENDER - handling[owner],
                        full,
                    )
                with self._counting:
                    self._handling.update(row.owner for row in found)
        finally:
            for _ in range(count - len(found)):
                self._free.release()
        return found

    def _one(self, row: HookEventRow) -> None:
        try:
            self._handle(row)
        except Exception as error:
            # It stays taken, and is taken again when that is over.
            log.warning("the event %s could not be handled: %s", row.id, type(error).__name__, exc_info=error)
        finally:
            with self._counting:
                was_full = self._handling[row.owner] >= OF_ONE_SENDER
                self._handling[row.owner] -= 1
                self._handling = +self._handling
            self._free.release()
            if was_full:
                self.wake()

    def _handled(self) -> Counter[str]:
        """How many events of each sender are being handled."""
        with self._counting:
            return Counter(self._handling)
