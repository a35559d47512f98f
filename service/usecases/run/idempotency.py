"""Requests that carry an idempotency key: what each asks for is done once, and answered the same way for a day.

A request claims its key, does what it asks for, and its answer is kept. What makes "once" hold wherever a process dies
is in between: the unit of work that does it also notes in the claim that it was done (`Context.done`). Whoever comes
later with the key finds either nothing, and may do it, or the note, and only answers. A refusal or a failure before
that changed nothing, so the key is given back.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Protocol

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.exc import IntegrityError

from service.context import Context
from service.store.claims import Claim
from service.store.rows import rows_changed
from service.store.secrets import new_id
from service.store.tables import AnswerRow

log = logging.getLogger(__name__)

KEPT = timedelta(hours=24)
"""How long an answer is given again."""

HOLD_EVERY = 20.0
"""Seconds after which a request that is still at it says so."""

ABANDONED = timedelta(minutes=3)
"""A claim that nobody has held for this long is given to the next who asks, whoever has it: for what `Peers` cannot
tell. Longer than the clocks of replicas differ; too early it would cost the first request its effect and never do
anything twice."""


class Peers(Protocol):
    """The processes that serve from this database, this one among them."""

    @property
    def executor(self) -> str:
        """The name of this process; the next one that has it follows the death of this one."""
        ...

    def is_gone(self, executor: str) -> bool:
        """Whether the process of that name is gone; False where that is not known."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it was sent first."""

    status: int
    headers: dict[str, str]
    body: str


class AtWork(Exception):
    """The first request with this key has not done yet what it asks for."""


class Reused(Exception):
    """The key belongs to another request."""


Claimed = Claim
"""The right to do what a request asks for, as its door holds it meanwhile."""


def claim(
    context: Context, token: str, route: str, key: str, request: bytes, peers: Peers | None = None
) -> Claim | Answer:
    """Claim the key for this request, or get the answer that the same request was given before. A claim with an effect
    is one of which only the answer is missing: its process died, or is about to answer.

    Keys count for one token and one route. `request` is everything that makes it the same request; it may hold a
    secret, so only a digest keyed with the token is stored. Of several at the same time one gets the claim (the
    table's primary key decides); that of one of the `peers` that is gone is given to the next. Raises AtWork, Reused.
    """
    row_id = _digest(token, f"{route}\n{key}".encode())
    digest = _digest(token, request)
    while True:
        _forget_old(context)
        now, holder = context.now(), _holder(peers)
        row = AnswerRow(key=row_id, route=route, digest=digest, holder=holder, created_at=now, held_at=now)
        try:
            with context.database.session() as session:
                session.add(row)
            return Claim(row_id, holder)
        except IntegrityError:
            pass
        with context.database.session() as session:
            found = session.get(AnswerRow, row_id)
        if found is None:
            continue  # released between the two looks
        if not hmac.compare_digest(found.digest, digest):
            raise Reused
        if found.status is not None:
            return Answer(found.status, dict(found.headers), found.body)
        if found.effect is not None:
            return Claim(row_id, found.holder, found.effect)
        if not _is_abandoned(context, found) and not _is_of_the_dead(found, peers):
            raise AtWork
        if _take_over(context, found, holder):
            return Claim(row_id, holder)


def once(context: Context, act: Callable[[], str]) -> str:
    """The id of what this request is to bring about: by `act`, unless it was done before. `act` does it with this
    context, says so in its unit of work, and gives the id."""
    claimed = context.claim
    if claimed is None:
        return act()
    if claimed.effect is None:
        effect = act()
        if claimed.effect is None:
            # Done all the same, so the answer has to be that. But a kill a moment ago would have had it done again.
            log.error("bug: what a request asked for was done, and its use case never called Context.done")
            with context.database.session() as session:
                claimed.done(session, effect)
    assert claimed.effect is not None  # noqa: S101 - noted by now, or raised
    return claimed.effect


def hold(context: Context, claimed: Claim) -> None:
    """Say that the request is still at it."""
    with context.database.session() as session:
        session.execute(update(AnswerRow).where(*_held(claimed)).values(held_at=context.now()))


def keep(context: Context, claimed: Claim, answer: Answer) -> Answer:
    """Keep the answer, to be given again; returns the one that is kept, which is another's if that was faster."""
    untold = AnswerRow.key == claimed.id, AnswerRow.status.is_(None)
    told = {"status": answer.status, "headers": answer.headers, "body": answer.body}
    with context.database.session() as session:
        kept = session.execute(update(AnswerRow).where(*untold).values(**told))
        if rows_changed(kept):
            return answer
        row = session.get(AnswerRow, claimed.id)
    return answer if row is None or row.status is None else Answer(row.status, dict(row.headers), row.body)


def release(context: Context, claimed: Claim) -> None:
    """Give the key back, if the request came to nothing; one that brought something about keeps it."""
    with context.database.session() as session:
        session.execute(delete(AnswerRow).where(*_held(claimed)))


def release_abandoned(context: Context) -> None:
    """Give back all keys of requests that came to nothing; for the start of the only process there is."""
    with context.database.session() as session:
        session.execute(delete(AnswerRow).where(AnswerRow.status.is_(None), AnswerRow.effect.is_(None)))


def release_of(context: Context, executor: str) -> None:
    """Give back all keys of requests that came to nothing in the process that had this name before; for the start of
    the next one."""
    nothing = AnswerRow.status.is_(None), AnswerRow.effect.is_(None)
    with context.database.session() as session:
        session.execute(delete(AnswerRow).where(*nothing, AnswerRow.holder.startswith(f"{executor}/", autoescape=True)))


def forget_old(context: Context) -> int:
    """Forget all answers older than a day; returns how many. Each claim does so too."""
    with context.database.session() as session:
        found = session.scalars(
            delete(AnswerRow).where(AnswerRow.created_at < context.now() - KEPT).returning(AnswerRow.key)
        )
        return len(found.all())


def _forget_old(context: Context) -> None:
    """As `forget_old`, where there is anything to forget."""
    with context.database.session() as session:
        old = select(AnswerRow.key).where(AnswerRow.created_at < context.now() - KEPT).limit(1)
        there = session.scalar(old) is not None
    if there:
        forget_old(context)


def _held(claimed: Claim) -> tuple[ColumnElement[bool], ...]:
    """What is true of a claim's row while its request may still do what it asks for."""
    return AnswerRow.key == claimed.id, AnswerRow.holder == claimed.holder, AnswerRow.effect.is_(None)


def _is_abandoned(context: Context, found: AnswerRow) -> bool:
    return (found.held_at or found.created_at) < context.now() - ABANDONED


def _holder(peers: Peers | None) -> str:
    """A name for one request, in which its process is named where others can tell whether that is gone."""
    return f"{peers.executor}/{new_id('req')}" if peers is not None else new_id("req")


def _is_of_the_dead(found: AnswerRow, peers: Peers | None) -> bool:
    executor, named, _ = found.holder.partition("/")
    return bool(named) and peers is not None and executor != peers.executor and peers.is_gone(executor)


def _take_over(context: Context, found: AnswerRow, holder: str) -> bool:
    """Have a claim that nobody holds any more; False if somebody was faster. Should its holder live after all, what it
    is about to do is rolled back (`Claim.done`)."""
    with context.database.session() as session:
        taken = session.execute(
            update(AnswerRow)
            .where(*_held(Claim(found.key, found.holder)), AnswerRow.held_at == found.held_at)
            .values(holder=holder, held_at=context.now())
        )
        return rows_changed(taken) == 1


def _digest(token: str, value: bytes) -> str:
    return hmac.new(token.encode(), value, sha256).hexdigest()
