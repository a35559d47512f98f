"""Whose run it is: the proof that each write to a tracker and each record asks for.

Every execution of a run writes a token of its own into the run's row before it does anything else. As long as that
token stands there, the run is this execution's; who takes the run over writes another one. Three rules follow:

- A write to the tracker is sent only while the token was seen in the database no longer than `BOUND` ago, by this
  process's own seconds. The keeper looks twice a second at all runs of the process in one statement, on the connection
  that holds the slot; so a write asks nothing. A proof that is too old is renewed there and then, or waited for.
- Who replaces a token that nobody gave back waits `HANDOVER` seconds before anything else: by then no write of the
  former execution is sent any more. Nobody's clock is compared with another's.
- Records are written in units of work that read the token first, and lock the run's row: results that come too late are
  thrown away.

What was sent before may still be under way at the tracker; until when, is for the steps to wait out (`quiet`).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from connectors.pacing import waited
from service.clock import Ticking, ticking
from service.context import Context
from service.runs.lock import Parked, SlotLost
from service.store.tables import RunRow

if TYPE_CHECKING:
    from service.runs.active_runs import Traffic

log = logging.getLogger(__name__)

BOUND = 3.0
"""Seconds for which a proof counts: six looks of the keeper."""

HANDOVER = BOUND + 1.0
"""Seconds that a taker waits. The last one is for a request on its way from the last check onto the wire."""

ASK_EVERY = 0.25
"""Seconds between two tries to renew a proof that is too old."""

LET_GO = "let go"
"""In place of a token: an execution ended in the middle of a step and will write nothing more."""

DONE = "done"
"""In place of a token: an execution ended at the end of a step."""

CONTESTED = "contested"
"""In place of a token: an execution ended, but one before it may live and not know yet that the run is another's."""


class LookTooOld(BaseException):
    """A write was about to be sent that had to wait for longer than the look before it holds, as a tracker asks that
    limits the rate of calls. What is left of the batch is looked at again.

    Not an Exception, so that nothing on the way takes it for a failure.
    """


@dataclass(frozen=True, slots=True)
class Owners:
    """What the database said: the tokens of runs, as they stood at `at` or later (own seconds, before the asking)."""

    at: float
    tokens: Mapping[str, str | None]


Ask = Callable[[Collection[str]], Owners | None]
"""Asks for the tokens of these runs; None while the database cannot be reached. Raises SlotLost."""


class Ownership:
    """One execution's hold on its run. Safe to share between the threads of a step."""

    def __init__(self, run_id: str, token: str, former: str | None, at: float, registry: Registry) -> None:
        self.run_id, self.token = run_id, token
        self.interrupted = former is not None
        """Whether an execution before this one may have left something half done."""
        self.contested = former is not None and former not in (LET_GO, DONE) and not registry.alone
        """Whether a former execution may live and not know yet that the run is another's."""
        self.within = self.interrupted
        """Whether something may be half done now."""
        self._registry = registry
        self._proved, self._lost = at, False
        self._holds: float | None = None
        self._quiet_from = registry.now()

    @property
    def lost(self) -> bool:
        """Whether the run is another's now."""
        return self._lost

    def prove(self) -> None:
        """Return while the run is provably this execution's; raises Parked where it is not, or where this process is to
        stop before it can be proved, and LookTooOld where what the write relies on was seen too long ago. Called right
        before each write to a tracker, also before one that was turned away is sent again."""
        while not self._stands():
            if not self._registry.renew(self):
                self._registry.pause(ASK_EVERY)
        if self._holds is not None and waited() > self._holds:
            raise LookTooOld

    def rely(self, seconds: float | None) -> None:
        """Have the writes from now on rely on what was seen in the tracker: one that had to wait for longer than that
        is not sent. None: they rely on nothing that people could change."""
        self._holds = seconds

    def guard(self, session: Session) -> None:
        """Make sure, in this unit of work and until it ends, that the run is this execution's. Raises Parked."""
        query = select(RunRow.owner).where(RunRow.id == self.run_id).with_for_update(key_share=True)
        with session.no_autoflush:
            if session.connection().execute(query).scalar() != self.token:
                self.lose()
                raise Parked

    def learn(self, owners: Owners) -> None:
        """Take in what the database said."""
        if owners.tokens.get(self.run_id) != self.token:
            self.lose()
        else:
            self._proved = max(self._proved, owners.at)

    def lose(self) -> None:
        """Write nothing any more."""
        if not self._lost:
            log.warning("run %s is another process's now: nothing more is written", self.run_id)
        self._lost = True

    def doubt(self) -> None:
        """A write got no answer just now."""
        self._quiet_from = self._registry.now()

    @property
    def quiet(self) -> float:
        """Seconds since a write may have been sent whose answer nobody has: since this execution began, or since its
        last write without an answer."""
        return self._registry.now() - self._quiet_from

    def _stands(self) -> bool:
        if self._lost:
            raise Parked
        return self._registry.alone or self._registry.now() - self._proved < BOUND


class Registry:
    """The executions in this process. One for each launch of the engine; `ask` is None for the one process of a home
    folder, which has its lock: it goes with the process, and is kept while that is stopped."""

    def __init__(self, context: Context, traffic: Traffic, ask: Ask | None, now: Ticking = ticking) -> None:
        self._context, self._traffic, self._ask, self.now = context, traffic, ask, now
        self._asking = threading.RLock()
        self._active: dict[str, Ownership] = {}

    @property
    def alone(self) -> bool:
        """Whether no other process can take a run over."""
        return self._ask is None

    @contextmanager
    def owning(self, run_id: str) -> Iterator[Ownership]:
        """This execution owns the run while the block lasts; its steps use `present().context`. Raises NoResultFound
        for a run that is not recorded."""
        mine = self._begin(run_id)
        context = self._context.under(mine.token, mine.prove, mine.guard)
        reset = _present.set(Present(context, mine))
        try:
            yield mine
        finally:
            _present.reset(reset)
            self._active.pop(mine.token, None)
            self._context.pool.drop(mine.token)
            self._give_back(mine)

    def _begin(self, run_id: str) -> Ownership:
        token = uuid4().hex

        def write() -> tuple[float, str | None]:
            at = self.now()
            with self._context.database.session() as session:
                about = select(RunRow.owner, RunRow.started_at).where(RunRow.id == run_id)
                row = session.execute(about.with_for_update(key_share=True)).one()
                session.execute(update(RunRow).where(RunRow.id == run_id).values(owner=token))
            if row.owner == DONE or (row.owner is None and row.started_at is None):
                return at, None
            # One that wrote no token was of a version that had none; our own is there where a commit's answer was lost.
            return at, row.owner if row.owner not in (None, token) else LET_GO

        at, former = self._traffic.patiently(write)
        if former not in (None, LET_GO, CONTESTED) and not self.alone:
            log.warning("run %s: whoever had it before gets %.0f s to notice", run_id, HANDOVER)
            self._traffic.pause(HANDOVER)
        mine = Ownership(run_id, token, former, at, self)
        self._active[token] = mine
        return mine

    def _give_back(self, mine: Ownership) -> None:
        """Say that this execution writes nothing more, and whether it left a step half done; who takes the run then
        need not wait. Where that cannot be said, it waits."""
        own = RunRow.id == mine.run_id, RunRow.owner == mine.token
        left = CONTESTED if mine.contested else LET_GO if mine.within else DONE
        try:
            with self._context.database.session() as session:
                session.execute(update(RunRow).where(*own).values(owner=left))
        except SQLAlchemyError as error:
            log.warning("run %s was not given back: %s", mine.run_id, type(error).__name__)

    def renew(self, about: Ownership | None = None) -> bool:
        """Ask the database for the tokens of all runs here; False while it cannot be reached. For one of them, `about`,
        raises Parked where the slot is lost; without one, SlotLost."""
        if self._ask is None:
            return True
        with self._asking:
            active = list(self._active.values())
            if about is not None and about.lost:
                raise Parked
            try:
                owners = self._ask([one.run_id for one in active])
            except SlotLost:
                for one in active:
                    one.lose()
                if about is None:
                    raise
                raise Parked from None
        if owners is None:
            return False
        for one in active:
            one.learn(owners)
        return True

    def pause(self, seconds: float) -> None:
        """Wait; raises Parked as soon as this process is to release its runs."""
        self._traffic.pause(seconds)

    def revoke(self) -> None:
        """Have no execution here write anything any more: what protects them is about to be given up."""
        for one in list(self._active.values()):
            one.lose()


@dataclass(frozen=True, slots=True)
class Present:
    """What the steps of the execution in this thread work with."""

    context: Context
    ownership: Ownership


_present: ContextVar[Present | None] = ContextVar("present", default=None)


def present() -> Present | None:
    """Those of the execution in this thread; None outside of one."""
    return _present.get()
