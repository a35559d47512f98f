"""Answers to requests that carry an idempotency key: the first is kept and given again for a day.

Only successes are kept. A refusal or a failure changed nothing, so the same request may be tried again with its key.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from service.context import Context
from service.store.tables import AnswerRow

KEPT = timedelta(hours=24)
"""How long an answer is given again."""

ABANDONED = timedelta(minutes=15)
"""A request without an answer for this long belonged to a process that died: its key is free again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it was sent first."""

    status: int
    headers: dict[str, str]
    body: str


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to answer a request: `id` names it in the store."""

    id: str


class AtWork(Exception):
    """The first request with this key has not been answered yet."""


class Reused(Exception):
    """The key belongs to another request."""


def claim(context: Context, token: str, route: str, key: str, request: bytes) -> Claim | Answer:
    """Claim the key for this request, or get the answer that the same request was given before.

    Keys count for one token and one route. `request` is everything that makes it the same request; it may hold a
    secret, so only a digest keyed with the token is stored. Of several at the same time one gets the claim (the
    table's primary key decides). Raises AtWork, Reused.
    """
    row_id = _digest(token, f"{route}\n{key}".encode())
    digest = _digest(token, request)
    while True:
        _forget_old(context, row_id)
        row = AnswerRow(key=row_id, route=route, digest=digest, status=None, created_at=context.now())
        try:
            with context.database.session() as session:
                session.add(row)
            return Claim(row_id)
        except IntegrityError:
            pass
        with context.database.session() as session:
            found = session.get(AnswerRow, row_id)
        if found is None:
            continue  # released between the two looks
        if not hmac.compare_digest(found.digest, digest):
            raise Reused
        if found.status is None:
            raise AtWork
        return Answer(found.status, dict(found.headers), found.body)


def keep(context: Context, claim: Claim, answer: Answer) -> None:
    """Keep the answer, to be given again."""
    with context.database.session() as session:
        row = session.get_one(AnswerRow, claim.id)
        row.status, row.headers, row.body = answer.status, answer.headers, answer.body


def release(context: Context, claim: Claim) -> None:
    """Give the key back: the request came to nothing."""
    with context.database.session() as session:
        session.execute(delete(AnswerRow).where(AnswerRow.key == claim.id, AnswerRow.status.is_(None)))


def release_abandoned(context: Context) -> None:
    """Give all unanswered keys back; for the start of the only process there is."""
    with context.database.session() as session:
        session.execute(delete(AnswerRow).where(AnswerRow.status.is_(None)))


def forget_old(context: Context) -> int:
    """Forget all answers older than a day; returns how many. Each claim does so too."""
    with context.database.session() as session:
        found = session.scalars(
            delete(AnswerRow).where(AnswerRow.created_at < context.now() - KEPT).returning(AnswerRow.key)
        )
        return len(found.all())


def _forget_old(context: Context, row_id: str) -> None:
    """Forget answers older than a day, and this key's claim if nobody is going to answer it any more."""
    now = context.now()
    old = AnswerRow.created_at < now - KEPT
    dead = (AnswerRow.key == row_id) & AnswerRow.status.is_(None) & (AnswerRow.created_at < now - ABANDONED)
    with context.database.session() as session:
        if session.scalar(select(AnswerRow.key).where(old | dead).limit(1)) is not None:
            session.execute(delete(AnswerRow).where(old | dead))


def _digest(token: str, value: bytes) -> str:
    return hmac.new(token.encode(), value, sha256).hexdigest()
