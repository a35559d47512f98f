"""What people want no more mails of, by address and kind of notice."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.store.notice_tables import UnsubscribeRow
from service.store.rows import insert
from service.store.secrets import new_id

BITS = 192
"""How much of a link's secret is random."""


def link(session: Session, address: str, kind: str, now: datetime) -> UnsubscribeRow:
    """The row of an address and kind, with the secret of its link; made where there is none."""
    values = {
        "id": new_id("uns"),
        "secret": secrets.token_urlsafe(BITS // 8),
        "address": address.casefold(),
        "kind": kind,
        "since": None,
        "created_at": now,
    }
    session.execute(insert(session, UnsubscribeRow).values(**values).on_conflict_do_nothing())
    which = UnsubscribeRow.address == address.casefold(), UnsubscribeRow.kind == kind
    return session.scalars(select(UnsubscribeRow).where(*which)).one()


def by_secret(session: Session, secret: str, *, locked: bool = False) -> UnsubscribeRow | None:
    """The row whose link that is; `locked` until the unit of work ends."""
    query = select(UnsubscribeRow).where(UnsubscribeRow.secret == secret)
    return session.scalar(query.with_for_update() if locked else query)


def unwanted(session: Session) -> set[tuple[str, str]]:
    """Which kinds are wanted no more at which addresses (in small letters)."""
    query = select(UnsubscribeRow.address, UnsubscribeRow.kind).where(UnsubscribeRow.since.is_not(None))
    return {(address, kind) for address, kind in session.execute(query)}
