"""Signing in by a link that works once, and the sessions that come of it. There is no password anywhere."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlalchemy.orm import Session

from service.context import Context
from service.domain.access.identity import Actor, Caller, Kind
from service.store.access_tables import PersonRow, ProviderTokenRow, SessionRow, SignInLinkRow
from service.store.rows import rows_changed
from service.store.secrets import new_code, new_id, new_session, token_hash
from service.usecases import ids
from service.usecases.access import grants, people
from service.usecases.errors import NotFound
from service.views.access import SessionView

LINK_LASTS = timedelta(minutes=15)
IDLE = timedelta(hours=12)
"""A session that was not used for so long has ended."""
LASTS = timedelta(days=7)
"""No session lasts longer."""
USED_EVERY = timedelta(minutes=1)
"""How exactly the last use of a session is noted."""


class SignInRefused(Exception):
    """The code signs nobody in. Whether there ever was such a one is not told."""


class SessionOver(Exception):
    """Nobody is signed in by this cookie any more."""


@dataclass(frozen=True, slots=True)
class SessionShown:
    """A session and whose it is."""

    row: SessionView
    login: str


def link(context: Context, login: str) -> str:
    """The code of a new link that signs this person in once, within 15 minutes. Raises NotFound."""
    person = people.get(context, login).row
    if person.disabled_at is not None:
        raise NotFound("person", login, "They were removed; `phaseloop people add` lets them in again.")
    code, now = new_code(), context.now()
    with context.database.session() as session:
        session.add(
            SignInLinkRow(
                id=new_id("lnk"),
                person_id=person.id,
                hash=token_hash(code),
                created_at=now,
                expires_at=now + LINK_LASTS,
            )
        )
        context.done(session, person.id)
    return code


def link_address(base: str, code: str) -> str:
    """The link that holds this code, at the service whose address is `base`."""
    return f"{base}/sign-in?code={code}"


def sign_in(context: Context, code: str, source: str, former: str | None = None) -> str:
    """What is to be in the cookie of whoever has this code, from now on; the code is spent. `former` is the session
    that the browser came with, which ends: nobody stays in one that somebody else may know. Raises SignInRefused."""
    now = context.now()
    with context.database.session() as session:
        found = session.scalar(select(SignInLinkRow).where(SignInLinkRow.hash == token_hash(code.strip())))
        person = session.get(PersonRow, found.person_id) if found is not None else None
        if found is None or person is None or person.disabled_at is not None:
            raise SignInRefused
        free = SignInLinkRow.id == found.id, SignInLinkRow.used_at.is_(None), SignInLinkRow.expires_at > now
        spent = session.execute(update(SignInLinkRow).where(*free).values(used_at=now))
        if rows_changed(spent) != 1:
            raise SignInRefused
        return begin(session, person.id, now, source, former)


def begin(
    session: Session,
    person_id: str,
    now: datetime,
    source: str,
    former: str | None,
    *,
    lasts: timedelta = LASTS,
    id_token: bytes | None = None,
) -> str:
    """Begin a session of this person, in place of the `former` one of the same browser: what is to be in the cookie.
    `id_token` is the provider's, encrypted, where they signed in with one."""
    secret = new_session()
    number = new_id("ses")
    if former is not None:
        _end(session, SessionRow.hash == token_hash(former), now)
    session.add(
        SessionRow(
            id=number,
            person_id=person_id,
            hash=token_hash(secret),
            source=source[:300],
            created_at=now,
            last_used_at=now,
            expires_at=now + min(lasts, LASTS),
        )
    )
    if id_token is not None:
        over = select(SessionRow.id).where(SessionRow.expires_at <= now)
        session.execute(delete(ProviderTokenRow).where(ProviderTokenRow.id.in_(over)))
        session.flush()
        session.add(ProviderTokenRow(id=number, secret=id_token))
    return secret


def caller(context: Context, secret: str, source: str) -> tuple[Caller, str]:
    """Who is signed in by this cookie, with the roles that they hold now; and the session's id. Raises SessionOver."""
    now = context.now()
    with context.database.session() as session:
        query = select(SessionRow, PersonRow).join(PersonRow, PersonRow.id == SessionRow.person_id)
        found = session.execute(query.where(SessionRow.hash == token_hash(secret))).one_or_none()
        if found is None:
            raise SessionOver
        row, person = found
        if not _lasts(row, now) or person.disabled_at is not None:
            raise SessionOver
        held = grants.of(session, Kind.PERSON, person.id)
    return Caller(Actor(Kind.PERSON, person.id, person.login, source), held).at(now), row.id


def id_token_of(context: Context, session_id: str) -> bytes | None:
    """The provider's token that is kept, encrypted, of whoever signed in with one; None where there is none."""
    with context.database.session() as session:
        return session.scalar(select(ProviderTokenRow.secret).where(ProviderTokenRow.id == session_id))


def used(context: Context, session_id: str) -> None:
    """Note that a session was used just now, unless that was noted less than `USED_EVERY` ago."""
    now = context.now()
    earlier = SessionRow.id == session_id, SessionRow.last_used_at <= now - USED_EVERY
    with context.database.session() as session:
        session.execute(update(SessionRow).where(*earlier).values(last_used_at=now))


def listed(context: Context, person_id: str | None = None) -> list[SessionShown]:
    """The sessions that last, newest first: all, or those of one person."""
    now = context.now()
    query = select(SessionRow, PersonRow.login).join(PersonRow, PersonRow.id == SessionRow.person_id)
    query = query.where(*_lasting(now), PersonRow.disabled_at.is_(None))
    if person_id is not None:
        query = query.where(SessionRow.person_id == person_id)
    with context.database.session() as session:
        rows = session.execute(query.order_by(SessionRow.created_at.desc(), SessionRow.id))
        return [SessionShown(SessionView.of(row), login) for row, login in rows]


def revoke(context: Context, session_id: str, of: str | None = None) -> None:
    """End a session, from its next request on; with `of`, only one of that person. Repeatable. Raises NotFound."""
    with context.database.session() as session:
        row = session.get(SessionRow, session_id)
        if row is None and of is None:
            row = session.get(SessionRow, ids.whole(session, SessionRow.id, session_id, "sessions"))
        if row is None or of not in (None, row.person_id):
            raise NotFound("session", session_id, "`phaseloop sessions list` names those there are.")
        _end(session, SessionRow.id == row.id, context.now())
        context.done(session, row.id)


def revoke_all(context: Context, person_id: str) -> None:
    """End all sessions of a person, from their next requests on. Repeatable. Raises NotFound."""
    person = people.get(context, person_id).row
    now = context.now()
    with context.database.session() as session:
        _end(session, and_(SessionRow.person_id == person.id, *_lasting(now)), now)
        context.done(session, person.id)


def nobody_signed_in_yet(context: Context) -> bool:
    """Whether there never was a session."""
    with context.database.session() as session:
        return session.scalar(select(SessionRow.id).limit(1)) is None


def form_token(secret: str) -> str:
    """What the forms of a session carry, so that no other site can send them: made from the cookie, which no other site
    can read."""
    return hmac.new(secret.encode(), b"form token", sha256).hexdigest()


def session_json(found: SessionShown) -> dict[str, Any]:
    """A session as plain values."""
    row = found.row
    return {
        "id": row.id,
        "login": found.login,
        "from": row.source,
        "created_at": row.created_at.isoformat(),
        "last_used_at": row.last_used_at.isoformat(),
        "expires_at": min(row.expires_at, row.last_used_at + IDLE).isoformat(),
    }


def _lasts(row: SessionRow, now: datetime) -> bool:
    return row.revoked_at is None and now < row.expires_at and now < row.last_used_at + IDLE


def ran_out(row: SessionRow, now: datetime) -> bool:
    """Whether a session ended by itself: nobody ended it."""
    return row.revoked_at is None and not _lasts(row, now)


def _lasting(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """What is true of a session that lasts, as `_lasts` has it."""
    return SessionRow.revoked_at.is_(None), SessionRow.expires_at > now, SessionRow.last_used_at > now - IDLE


def _end(session: Session, which: ColumnElement[bool], now: datetime) -> None:
    """End a session, unless it has ended, and forget the provider's token of it."""
    mine = select(SessionRow.id).where(which)
    session.execute(delete(ProviderTokenRow).where(ProviderTokenRow.id.in_(mine)))
    session.execute(update(SessionRow).where(which, SessionRow.revoked_at.is_(None)).values(revoked_at=now))
