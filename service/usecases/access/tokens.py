"""API tokens: scoped, shown once, kept as a hash."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from service.context import Context
from service.domain.access.identity import Actor, Caller, Grant, Kind
from service.domain.access.roles import Role
from service.domain.problems import InvalidInput, Problem
from service.store.secrets import new_id, new_token, token_hash
from service.store.tables import TokenRow
from service.usecases import ids
from service.usecases.access import grants
from service.usecases.errors import Conflict, NotFound
from service.usecases.setup import projects
from service.views.access import TokenView

NAME_LIMIT = 80
"""A token's name is shown with every run that was started by it."""

USED_EVERY = timedelta(minutes=1)
"""How exactly the last use of a token is noted: not every request is to write."""


@dataclass(frozen=True, slots=True)
class TokenShown:
    """A token as it is listed: everything but itself."""

    row: TokenView
    grants: tuple[Grant, ...]


class TokenRefused(Exception):
    """The token opens nothing. What it says is for whoever holds the token, who may know why."""


def create(
    context: Context,
    name: str,
    *,
    role: Role = Role.ADMIN,
    within: Sequence[str] = (),
    expires_at: datetime | None = None,
) -> str:
    """A new token with this role, in these projects (id or key; none named: in all). It cannot be shown again. Raises
    InvalidInput for a name that nobody could read and for an end that is over, NotFound, Conflict."""
    return make(context, name, role=role, within=within, expires_at=expires_at)[1]


def make(
    context: Context, name: str, *, role: Role, within: Sequence[str] = (), expires_at: datetime | None = None
) -> tuple[TokenView, str]:
    """As `create`; what is kept, and the token."""
    now = context.now()
    if problems := list(_wrong(name, expires_at, now)):
        raise InvalidInput(problems)
    ids: list[str | None] = list(dict.fromkeys(projects.get(context, one).id for one in within))
    token = new_token()
    row = TokenRow(id=new_id("tok"), name=name.strip(), hash=token_hash(token), created_at=now, expires_at=expires_at)
    with context.database.session() as session:
        session.add(row)
        session.flush()
        grants.give(session, Kind.TOKEN, row.id, [Grant(role, project) for project in ids or [None]], now)
        context.done(session, row.id)
    return TokenView.of(row), token


def _wrong(name: str, expires_at: datetime | None, now: datetime) -> Iterable[Problem]:
    if not name.strip() or len(name) > NAME_LIMIT or not name.isprintable():
        message = f"must be one line of 1 to {NAME_LIMIT} characters"
        yield Problem("token", None, "name", message, "say what it is for, like ci")
    if expires_at is not None and expires_at <= now:
        yield Problem("token", None, "expires_at", "is over already", "give a time to come, or none for no end")


def caller(context: Context, token: str, source: str) -> Caller:
    """Whose token it is and what it may do now. Raises TokenRefused."""
    now = context.now()
    with context.database.session() as session:
        row = session.scalar(select(TokenRow).where(TokenRow.hash == token_hash(token)))
        if row is None:
            raise TokenRefused("The token is not one of this service's. Make one with `phaseloop tokens create NAME`.")
        if row.revoked_at is not None:
            raise TokenRefused("The token was revoked. Make another with `phaseloop tokens create NAME`.")
        if row.expires_at is not None and row.expires_at <= now:
            ended = row.expires_at.isoformat(timespec="minutes")
            raise TokenRefused(f"The token expired at {ended}. Make another with `phaseloop tokens create NAME`.")
        held = grants.of(session, Kind.TOKEN, row.id)
    return Caller(Actor(Kind.TOKEN, row.id, row.name, source), held).at(now)


def used(context: Context, token_id: str) -> None:
    """Note that a token was used just now, unless that was noted less than `USED_EVERY` ago."""
    now = context.now()
    earlier = TokenRow.last_used_at.is_(None) | (TokenRow.last_used_at <= now - USED_EVERY)
    with context.database.session() as session:
        session.execute(update(TokenRow).where(TokenRow.id == token_id, earlier).values(last_used_at=now))


def listed(context: Context) -> list[TokenShown]:
    """All tokens, oldest first, also those that expired or were revoked."""
    with context.database.session() as session:
        rows = session.scalars(select(TokenRow).order_by(TokenRow.created_at, TokenRow.id)).all()
        held = grants.of_all(session, Kind.TOKEN)
        return [TokenShown(TokenView.of(row), held.get(row.id, ())) for row in rows]


def get(context: Context, given: str) -> TokenShown:
    """The token of that id, or the one of that name. Raises NotFound; Conflict where several have the name."""
    with context.database.session() as session:
        return _shown(session, _find(session, given))


def revoke(context: Context, given: str) -> TokenShown:
    """Have a token (by id or name) open nothing any more, from its next request on. Repeatable: when it was revoked
    first stays. Raises NotFound, Conflict."""
    with context.database.session() as session:
        row = _find(session, given)
        if row.revoked_at is None:
            row.revoked_at = context.now()
        context.done(session, row.id)
        return _shown(session, row)


def count(context: Context) -> int:
    """How many tokens there are."""
    with context.database.session() as session:
        return session.scalar(select(func.count()).select_from(TokenRow)) or 0


def state_of(row: TokenView, now: datetime) -> str:
    """Whether the token opens anything: active, expired or revoked."""
    if row.revoked_at is not None:
        return "revoked"
    return "expired" if row.expires_at is not None and row.expires_at <= now else "active"


def token_json(context: Context, found: TokenShown) -> dict[str, Any]:
    """A token as plain values, the form that the command line and REST show."""
    row = found.row
    return {
        "id": row.id,
        "name": row.name,
        "state": state_of(row, context.now()),
        "grants": [grants.grant_json(one) for one in found.grants],
        "created_at": row.created_at.isoformat(),
        "expires_at": _instant(row.expires_at),
        "last_used_at": _instant(row.last_used_at),
        "revoked_at": _instant(row.revoked_at),
    }


def _instant(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def _shown(session: Session, row: TokenRow) -> TokenShown:
    return TokenShown(TokenView.of(row), grants.of(session, Kind.TOKEN, row.id))


def _find(session: Session, given: str) -> TokenRow:
    query = select(TokenRow).where(or_(TokenRow.id == given, TokenRow.name == given))
    found = session.scalars(query.order_by(TokenRow.created_at)).all()
    if not found and (row := session.get(TokenRow, ids.whole(session, TokenRow.id, given, "tokens"))) is not None:
        return row
    exact = [row for row in found if row.id == given] or list(found)
    live = [row for row in exact if row.revoked_at is None] or exact
    if not live:
        raise NotFound("token", given, "`phaseloop tokens list` names those there are.")
    if len({row.id for row in live}) > 1 and any(row.revoked_at is None for row in live):
        named = ", ".join(row.id for row in live)
        raise Conflict("ambiguous", f"Several tokens are called {given!r}: {named}.", "Name one by its id.")
    return live[-1]
