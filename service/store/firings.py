"""What triggers did: begun once, done once, counted within limits."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from service.store.claims import Claim
from service.store.hook_tables import FiringRow, TriggerRow
from service.store.rows import keep_others_out, rows_changed
from service.store_faults import ClaimLost

BEGUN = "begun"
DONE = "done"
FAILED = "failed"
SKIPPED = "skipped"


class FiringClaim(Claim):
    """The right to do what a trigger does because of one event, once: what came of it is noted with it."""

    def __init__(self, firing_id: str, effect: str | None = None) -> None:
        super().__init__(firing_id, "", effect)

    def done(self, session: Session, effect: str) -> None:
        """As `Claim.done`: raises ClaimLost where somebody else did it meanwhile."""
        mine = FiringRow.id == self.id, (FiringRow.effect.is_(None)) | (FiringRow.effect == effect)
        noted = session.execute(update(FiringRow).where(*mine).values(effect=effect[:200], state=DONE))
        if rows_changed(noted) != 1:
            raise ClaimLost
        self.effect = effect


def locked(session: Session, trigger_id: str) -> TriggerRow | None:
    """The trigger as it is now, which nobody else changes or counts by until this unit of work ends."""
    keep_others_out(session)
    return session.get(TriggerRow, trigger_id, with_for_update=True, populate_existing=True)


def in_the_last_hour(session: Session, trigger_id: str, now: datetime) -> int:
    """How often the trigger acted within an hour."""
    acted = FiringRow.trigger_id == trigger_id, FiringRow.at > now - timedelta(hours=1)
    counts = FiringRow.state.in_((BEGUN, DONE))
    return session.scalar(select(func.count()).select_from(FiringRow).where(*acted, counts)) or 0


def end(session: Session, firing_id: str, state: str, message: str = "") -> None:
    """Write how a firing ended; one that was done stays so."""
    open_ones = FiringRow.id == firing_id, FiringRow.state != DONE
    session.execute(update(FiringRow).where(*open_ones).values(state=state, message=message[:2000]))
    if message and state == DONE:
        session.execute(update(FiringRow).where(FiringRow.id == firing_id).values(message=message[:2000]))
