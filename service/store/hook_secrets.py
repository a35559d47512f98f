"""The secrets by which senders prove themselves: written, never shown again, rotated with an overlap."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from service.store.hook_tables import HookSecretRow
from service.store.secrets import new_id


def present(session: Session, owner: str, now: datetime) -> Sequence[HookSecretRow]:
    """The secrets that count now, the newest first."""
    counts = or_(HookSecretRow.until.is_(None), HookSecretRow.until > now)
    query = select(HookSecretRow).where(HookSecretRow.owner == owner, counts)
    return list(session.scalars(query.order_by(HookSecretRow.created_at.desc(), HookSecretRow.id)))


def put(session: Session, owner: str, sealed: bytes, now: datetime, overlap_until: datetime) -> HookSecretRow:
    """Let this be the present secret; former ones count until then, and those that are over go."""
    session.execute(delete(HookSecretRow).where(HookSecretRow.owner == owner, HookSecretRow.until <= now))
    former = HookSecretRow.owner == owner, HookSecretRow.until.is_(None)
    if overlap_until <= now:
        session.execute(delete(HookSecretRow).where(HookSecretRow.owner == owner))
    session.execute(update(HookSecretRow).where(*former).values(until=overlap_until))
    row = HookSecretRow(id=new_id("hks"), owner=owner, secret=sealed, created_at=now)
    session.add(row)
    return row


def remove(session: Session, owner: str) -> None:
    """Let nothing of this owner count any more."""
    session.execute(delete(HookSecretRow).where(HookSecretRow.owner == owner))
