"""Which roles an identity holds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.domain.access.identity import Grant, Kind, Origin
from service.domain.access.roles import Role
from service.domain.team.calendar import DateRange
from service.store.access_tables import GrantRow
from service.store.secrets import new_id


def of(session: Session, kind: Kind, holder_id: str) -> tuple[Grant, ...]:
    """What was granted to this token or person, also what has expired. A role that this version does not know grants
    nothing."""
    query = select(GrantRow).where(GrantRow.holder_kind == kind.value, GrantRow.holder_id == holder_id)
    rows = session.scalars(query.order_by(GrantRow.created_at, GrantRow.id))
    known = {role.value for role in Role}
    return tuple(_grant(row) for row in rows if row.role in known)


def of_all(session: Session, kind: Kind) -> dict[str, tuple[Grant, ...]]:
    """The same for all identities of that kind at once: by holder; who was granted nothing is not in it."""
    query = select(GrantRow).where(GrantRow.holder_kind == kind.value).order_by(GrantRow.created_at, GrantRow.id)
    known = {role.value for role in Role}
    found: dict[str, tuple[Grant, ...]] = {}
    for row in session.scalars(query):
        if row.role in known:
            found[row.holder_id] = (*found.get(row.holder_id, ()), _grant(row))
    return found


def _grant(row: GrantRow) -> Grant:
    period = DateRange(row.first, row.last) if row.first is not None and row.last is not None else None
    return Grant(Role(row.role), row.project_id, row.expires_at, Origin(row.origin), period)


def give(session: Session, kind: Kind, holder_id: str, granted: Iterable[Grant], now: datetime) -> None:
    """Grant these roles in addition."""
    session.add_all(
        GrantRow(
            id=new_id("grt"),
            holder_kind=kind.value,
            holder_id=holder_id,
            role=one.role.value,
            project_id=one.project,
            expires_at=one.expires_at,
            origin=one.origin.value,
            first=one.period.first if one.period is not None else None,
            last=one.period.last if one.period is not None else None,
            created_at=now,
        )
        for one in granted
    )


def replace_with(
    session: Session, kind: Kind, holder_id: str, granted: Iterable[Grant], origin: Origin, now: datetime
) -> None:
    """Have this identity hold these roles of that origin, and no others of it; those that stay are left as they are."""
    held = {one for one in of(session, kind, holder_id) if one.origin is origin}
    wanted = set(granted)
    if held == wanted:
        return
    mine = GrantRow.holder_kind == kind.value, GrantRow.holder_id == holder_id, GrantRow.origin == origin.value
    for row in session.scalars(select(GrantRow).where(*mine)).all():
        if row.role not in set(Role) or _grant(row) not in wanted:
            session.delete(row)
    give(session, kind, holder_id, sorted(wanted - held, key=lambda one: (one.role, one.project or "")), now)
    session.flush()


def grant_json(grant: Grant) -> dict[str, Any]:
    """A grant as plain values; without a project it counts for all."""
    return {
        "role": grant.role.value,
        "project": grant.project,
        "expires_at": grant.expires_at.isoformat() if grant.expires_at is not None else None,
        "origin": grant.origin.value,
        "period": period_json(grant.period),
    }


def period_json(period: DateRange | None) -> dict[str, str] | None:
    """A period as plain values, both days included; None for no bounds."""
    return {"first": period.first.isoformat(), "last": period.last.isoformat()} if period is not None else None
