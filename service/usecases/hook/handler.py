"""Handling one event: what it is about is looked at again, and what it triggers is done. Each event on its own: what
fails is kept with its reason, and waits for nobody else."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from connectors.errors import TrackerError
from service.context import Context
from service.domain.hook import event_state
from service.domain.hook.source import SOURCES
from service.domain.problems import InvalidInput
from service.store import hook_events
from service.store.hook_tables import HookEventRow, TriggerRow
from service.store_faults import KeyProblem
from service.usecases.errors import UseCaseError
from service.usecases.hook import firing, sync, triggers
from service.usecases.hook.following import Following
from service.usecases.queue import Enqueue

log = logging.getLogger(__name__)

TRIES = 5
"""How often an event is handled whose failure may pass, before it counts as failed."""

FIRST_WAIT = timedelta(seconds=5)
"""Before the second try; four times as long before each further one."""

LONGEST_MEETING = timedelta(hours=6)
"""How long an event waits for runs of ours about the same, before that counts as a failure as any other."""

TOLD = (UseCaseError, InvalidInput, TrackerError, KeyProblem)
"""Failures that say themselves what is so."""


class Handler:
    """Handles events, for one process. `enqueue` hands a run to the engine."""

    def __init__(self, context: Context, enqueue: Enqueue) -> None:
        self._context, self._enqueue = context, enqueue
        self._following = Following(context)

    def __call__(self, row: HookEventRow) -> None:
        """Handle an event and keep what came of it. Raises only what keeping it raises."""
        outcomes: list[sync.Outcome] = []
        errors: list[Exception] = []
        ours = not SOURCES[row.source].tracker
        if not ours:
            looked = sync.Looked(ours=False)
            with _noted(row, errors):
                looked = sync.handle(self._context, row)
                outcomes += looked.outcomes
                ours = looked.ours
            for project in looked.changed:
                with _noted(row, errors):
                    seen = self._following.follow(project, row.received_at)
                    outcomes += [dict(seen)] if seen is not None else []
        found: Sequence[TriggerRow] = ()
        with _noted(row, errors):
            found = triggers.of_event(self._context, row.owner, row.source)
        for trigger in found:
            with _noted(row, errors):
                outcomes += firing.fire(self._context, trigger, row, self._enqueue)
        self._keep(row, outcomes, errors, ours=ours or bool(outcomes))

    def _keep(
        self, row: HookEventRow, outcomes: Sequence[sync.Outcome], errors: Sequence[Exception], *, ours: bool
    ) -> None:
        now = self._context.now()
        state, again_at, said, met = event_state.DONE, None, "", False
        if errors:
            state, said = event_state.FAILED, " ".join(_words(error) for error in errors)
            # What meets a run of ours is not tried in vain: it comes when that is over, however many come before it.
            met = all(firing.is_busy(error) for error in errors) and now - row.received_at < LONGEST_MEETING
            if met:
                state, again_at = event_state.ACCEPTED, now + _wait_beside(row, now)
            elif row.attempts < TRIES and any(firing.passes(error) for error in errors):
                state, again_at = event_state.ACCEPTED, now + FIRST_WAIT * 4 ** (row.attempts - 1)
        with self._context.database.session() as session:
            # What was handled before is somebody's to look at, though its project has ended since.
            if not ours and not errors and row.handled_at is None:
                hook_events.drop(session, row)
            else:
                hook_events.end(
                    session, row, state, now, error=said, outcome=outcomes, again_at=again_at, tried=not met
                )


def _wait_beside(row: HookEventRow, now: datetime) -> timedelta:
    """How long an event waits that met a run of ours: the longer it has waited, the longer, and not all as long."""
    seconds = min(60.0, max(1.0, (now - row.received_at).total_seconds() / 8))
    return timedelta(seconds=seconds * (0.5 + int(row.id[-4:], 16) / 0xFFFF))


@contextmanager
def _noted(row: HookEventRow, errors: list[Exception]) -> Iterator[None]:
    """Note what goes wrong within, so that it keeps nothing else from being done."""
    try:
        yield
    except Exception as error:
        if not isinstance(error, (*firing.PASSING, *TOLD)):
            log.exception("the event %s could not be handled", row.id)
        errors.append(error)


def _words(error: Exception) -> str:
    if isinstance(error, OperationalError | PoolTimeout):
        return "The database did not answer."
    if isinstance(error, (*firing.PASSING, *TOLD)):
        return str(error)
    return f"phaseloop failed ({type(error).__name__}). This is a bug in phaseloop; its log says more."
