"""Sending messages: each is written down before it is sent, and what came of it after that. See decision 0066.

What was refused for good fails; what may pass is sent again, after longer and longer, for a day. A message whose
answer was lost is in doubt: it is looked for where the receiver can be asked, and only sent again when it is not there;
else it waits for a person. Where the receiver knows a message by its marker it is sent again at once. Who says that
nothing is wanted any more is paused.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from connectors.errors import (
    CredentialsRefused,
    ItemRejected,
    NetworkMisconfigured,
    NotWanted,
    OutcomeUnknown,
    TrackerError,
    TrackerRefused,
    TrackerUnavailable,
)
from connectors.messages import Message
from connectors.receivers import KINDS, InvalidReceiver
from connectors.receiving import Receiver
from service.context import Context
from service.domain.notice import delivery_state as state
from service.domain.notice.kinds import STAND_UP
from service.store import deliveries
from service.store.notice_tables import DeliveryRow, ReceiverRow
from service.store_faults import KeyProblem
from service.usecases.notice import composing, hours, receivers, unsubscribing

log = logging.getLogger(__name__)

AT_ONCE = 20
"""How many messages of a receiver are looked at in one turn, one for each channel."""

FIRST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(hours=6)
GIVEN_UP = timedelta(days=1)
"""How long a message is tried."""

LOOKS = (timedelta(seconds=15), timedelta(seconds=45))
"""How long after a lost answer a message is looked for, and how long after that once more: what is still under way then
arrives within the first."""

_SAFE = 0.5
"""The part of a lease that may be over when a message is sent: whoever is slower than that sends nothing."""

_NOTHING = "The project has ended, or it is too late to tell it."
_UNWANTED = "Whoever reads there wants no more of this kind."
_BY_HAND = (
    "Nobody knows whether it arrived. Look where it was to be; if it is not there, send it again:"
    " phaseloop notify replay {}"
)
_OURS = "phaseloop failed ({}). This is a bug in phaseloop; its log says more."


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Something that is wrong with the whole receiver: nothing else is sent to it for so long."""

    wait: timedelta
    message: str


class Sender:
    """Sends what is due, for one process. `holder` is its name among those that do, `ticking` tells how time goes
    by."""

    def __init__(
        self,
        context: Context,
        holder: str,
        *,
        ticking: Callable[[], float] = time.monotonic,
    ) -> None:
        self._context, self._holder, self._ticking = context, holder, ticking

    def turn(self) -> bool:
        """Do what is due for one receiver; False where nothing was."""
        began = self._ticking()
        with self._context.database.session() as session:
            receiver = deliveries.take(session, self._context.now(), self._holder)
        if receiver is None:
            return False
        trouble: _Trouble | None = None
        sent = False
        try:
            with self._context.database.session() as session:
                rows = deliveries.due(session, receiver.id, self._context.now(), AT_ONCE * 5)
            trouble, sent = self._all(receiver, rows, began)
        finally:
            apart = timedelta(seconds=KINDS[receiver.kind].apart) if sent else timedelta()
            wait = trouble.wait if trouble is not None else apart
            with self._context.database.session() as session:
                deliveries.let_go(
                    session,
                    receiver.id,
                    self._holder,
                    next_at=self._context.now() + wait,
                    trouble=trouble.message if trouble is not None else "",
                )
        return True

    def _all(self, receiver: ReceiverRow, rows: list[DeliveryRow], began: float) -> tuple[_Trouble | None, bool]:
        """What is due, one message for each channel; what is wrong with the receiver, and whether anything was sent."""
        try:
            reached = receivers.reached(self._context, receiver)
        except (KeyProblem, InvalidReceiver, NetworkMisconfigured) as error:
            return self._unreachable(rows, str(error)), False
        sent: set[str] = set()
        try:
            for row in rows:
                if row.state == state.SENDING:
                    self._left_behind(reached, row)
                elif row.state == state.IN_DOUBT:
                    if (trouble := self._look(reached, row)) is not None:
                        return trouble, bool(sent)
                elif (until := self._quiet_until(receiver, row)) is not None:
                    with self._context.database.session() as session:
                        deliveries.keep_quiet(session, row, until)
                elif row.channel not in sent and len(sent) < AT_ONCE:
                    if not self._still_ours(receiver, began):
                        break
                    began = self._ticking()
                    sent.add(row.channel)
                    if (trouble := self._send(receiver, reached, row, began)) is not None:
                        return trouble, True
        finally:
            reached.close()
        return None, bool(sent)

    def _quiet_until(self, receiver: ReceiverRow, row: DeliveryRow) -> datetime | None:
        asked = KINDS[receiver.kind].for_people and row.kind != STAND_UP
        return hours.quiet_until(self._context, row) if asked else None

    def _still_ours(self, receiver: ReceiverRow, began: float) -> bool:
        if self._ticking() - began > deliveries.LEASE.total_seconds() * _SAFE:
            return False
        with self._context.database.session() as session:
            return deliveries.hold(session, receiver.id, self._holder, self._context.now())

    def _unreachable(self, rows: list[DeliveryRow], why: str) -> _Trouble:
        """Nothing can be sent to the receiver at all, and nothing was."""
        for row in rows:
            if row.state == state.WAITING:
                self._later(row, why)
        return _Trouble(FIRST_WAIT * 6, why)

    # --- one message --------------------------------------------------------------------------------------------------

    def _send(self, receiver: ReceiverRow, reached: Receiver, row: DeliveryRow, began: float) -> _Trouble | None:
        context = self._context
        with context.database.session() as session:
            thread = deliveries.root(session, row) if reached.threads else ""
            begun = deliveries.begin(session, row, thread, context.now())
        if begun is None:
            return None
        try:
            # Only now: until it was begun more could be gathered in it.
            message = composing.composed(context, begun.events)
        except Exception as error:
            log.exception("the message %s could not be written", begun.id)
            self._later(begun, _OURS.format(type(error).__name__))
            return None
        if message is None:
            self._end(begun, state.SKIPPED, error=_NOTHING)
            return None
        if KINDS[receiver.kind].unsubscribes:
            link = unsubscribing.link(context, begun.channel, begun.kind)
            if link is None:
                self._end(begun, state.SKIPPED, error=_UNWANTED)
                return None
            message = replace(message, unsubscribe=link)
        if self._ticking() - began > deliveries.LEASE.total_seconds() * _SAFE:
            self._end(begun, state.WAITING, next_at=context.now())
            return None
        return self._post(receiver, reached, begun, message)

    def _post(self, receiver: ReceiverRow, reached: Receiver, row: DeliveryRow, message: Message) -> _Trouble | None:
        try:
            posted = reached.send(row.channel, message, row.id, row.thread)
        except OutcomeUnknown as error:
            if reached.deduplicates:
                self._later(row, str(error))
                return _Trouble(FIRST_WAIT, str(error))
            self._doubt(reached, row, error.message)
        except NotWanted as error:
            self._end(row, state.FAILED, error=str(error))
            receivers.pause_unwanted(self._context, receiver.id, str(error))
        except TrackerUnavailable as error:
            return self._put_off(row, error)
        except ItemRejected as error:
            self._end(row, state.FAILED, error=str(error))
        except TrackerError as error:
            self._later(row, str(error))
            if isinstance(error, CredentialsRefused | NetworkMisconfigured):
                return _Trouble(FIRST_WAIT * 6, str(error))
        else:
            self._end(row, state.SENT, posted=posted.id)
        return None

    def _put_off(self, row: DeliveryRow, error: TrackerUnavailable) -> _Trouble:
        """Nothing was posted: for the rate, or because nobody was reached. Others would fare the same."""
        if error.retry_after is None:
            self._later(row, str(error))
            return _Trouble(FIRST_WAIT, str(error))
        now = self._context.now()
        asked = timedelta(seconds=min(error.retry_after, GIVEN_UP.total_seconds()))
        # As long as they say, and once more before it is given up, should that be longer.
        wait = min(asked, (row.tried_since or now) + GIVEN_UP - now)
        if wait <= timedelta():
            self._later(row, str(error))
            return _Trouble(FIRST_WAIT, str(error))
        self._end(row, state.WAITING, error=str(error), next_at=now + wait)
        return _Trouble(wait, str(error))

    def _later(self, row: DeliveryRow, why: str) -> None:
        """Try again after longer than before, or give up after a day."""
        now = self._context.now()
        since, asked = row.tried_since or row.created_at, row.asked_at or now
        # From when it was sent, not from now: while it was looked for it has waited already.
        due = max(now, asked + _wait(asked - since))
        given_up = due > since + GIVEN_UP
        with self._context.database.session() as session:
            became = state.FAILED if given_up else state.WAITING
            deliveries.end(session, row, row.attempts, became, now, error=why, next_at=due)
        if given_up:
            log.warning("the message %s was given up: %s", row.id, why)

    # --- in doubt -----------------------------------------------------------------------------------------------------

    def _left_behind(self, reached: Receiver, row: DeliveryRow) -> None:
        """Whoever was about to send it is gone."""
        if reached.deduplicates:
            self._end(row, state.WAITING, next_at=self._context.now())
            return
        self._doubt(reached, row, "The process that sent it ended before it had an answer.")

    def _doubt(self, reached: Receiver, row: DeliveryRow, why: str) -> None:
        if reached.looks_up:
            self._end(row, state.IN_DOUBT, error=why, next_at=self._context.now() + LOOKS[0], looks=0)
        else:
            self._end(row, state.IN_DOUBT, error=f"{why} {_BY_HAND.format(row.id)}")
            log.warning("nobody knows whether the message %s arrived", row.id)

    def _look(self, reached: Receiver, row: DeliveryRow) -> _Trouble | None:
        """See whether the message is there; where it is not, by the second look, it is sent again."""
        if not reached.looks_up:
            self._doubt(reached, row, row.error)
            return None
        since = (row.asked_at or row.created_at) - timedelta(minutes=15)  # clocks differ
        try:
            found = reached.find(row.channel, row.id, since, row.thread)
        except TrackerUnavailable as error:
            wait = timedelta(seconds=error.retry_after or 60)
            self._end(row, state.IN_DOUBT, error=str(error), next_at=self._context.now() + wait)
            return _Trouble(wait, str(error))
        except TrackerRefused as error:
            self._end(row, state.IN_DOUBT, error=f"{error} {_BY_HAND.format(row.id)}")
            return None
        except TrackerError as error:
            self._look_later(row, str(error))
            return None
        if found is not None:
            self._end(row, state.SENT, posted=found.id)
        elif row.looks + 1 < len(LOOKS):
            next_at = self._context.now() + LOOKS[row.looks + 1]
            self._end(row, state.IN_DOUBT, error=row.error, next_at=next_at, looks=row.looks + 1)
        else:
            self._later(row, row.error)
        return None

    def _look_later(self, row: DeliveryRow, why: str) -> None:
        """A look that told nothing is repeated after longer and longer; after a day a person has to look."""
        now = self._context.now()
        asked = row.asked_at or row.created_at
        wait = _wait(now - asked)
        if now + wait > asked + GIVEN_UP:
            self._end(row, state.IN_DOUBT, error=f"{why} {_BY_HAND.format(row.id)}")
        else:
            self._end(row, state.IN_DOUBT, error=why, next_at=now + wait)

    def _end(
        self,
        row: DeliveryRow,
        became: str,
        *,
        error: str = "",
        posted: str = "",
        next_at: datetime | None = None,
        looks: int | None = None,
    ) -> None:
        with self._context.database.session() as session:
            deliveries.end(
                session,
                row,
                row.attempts,
                became,
                self._context.now(),
                error=error,
                posted=posted,
                next_at=next_at,
                looks=looks,
            )


def _wait(tried: timedelta) -> timedelta:
    """How long to wait after something was tried for so long."""
    return min(max(FIRST_WAIT, 3 * tried), LONGEST_WAIT)
