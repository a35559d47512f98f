"""Events that were accepted: kept once, taken by one handler at a time, listed, handled again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, tuple_, update
from sqlalchemy.orm import Session

from service.domain.hook import event_state
from service.store.hook_tables import FiringRow, HookEventRow
from service.store.rows import insert, keep_others_out, rows_changed

LEASE = timedelta(seconds=30)
"""How long one handler has an event before another takes it, unless it says that it still has it (`renew`). What it
does is done once all the same."""


def add(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep new events, by their columns; those that are kept already are left as they are."""
    session.connection().execute(insert(session, HookEventRow).on_conflict_do_nothing(), list(rows))


def new(event_id: str, owner: str, source: str, about: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The columns of an event that is to be handled now; `about` has its `name`, `delivery` and `body`."""
    return {
        "id": event_id,
        "owner": owner,
        "source": source,
        **about,
        "state": event_state.ACCEPTED,
        "attempts": 0,
        "round": 1,
        "next_at": now,
        "holder": "",
        "error": "",
        "outcome": [],
        "received_at": now,
        "handled_at": None,
    }


def take(
    session: Session, now: datetime, holder: str, limit: int, room: Callable[[str], int], full: Collection[str] = ()
) -> list[HookEventRow]:
    """Events that are to be handled, at most `limit`, the longest waiting first. Nobody else takes them for `LEASE`. Of
    one sender there are at most as many as `room` says; `full` are those that it says 0 of."""
    due = select(HookEventRow).where(HookEventRow.next_at.is_not(None), HookEventRow.next_at <= now)
    if full:
        due = due.where(HookEventRow.owner.not_in(full))
    if session.scalar(select(due.exists())) is not True:
        return []
    keep_others_out(session)
    query = due.order_by(HookEventRow.next_at, HookEventRow.id).limit(limit)
    taken, of = [], Counter[str]()
    for row in session.scalars(query.with_for_update(skip_locked=True)):
        if of[row.owner] < room(row.owner):
            of[row.owner] += 1
            row.next_at, row.holder, row.attempts = now + LEASE, holder, row.attempts + 1
            taken.append(row)
    return taken


def end(
    session: Session,
    row: HookEventRow,
    state: str,
    now: datetime,
    *,
    error: str = "",
    outcome: Sequence[Mapping[str, Any]] = (),
    again_at: datetime | None = None,
    tried: bool = True,
) -> bool:
    """Write what came of an event, unless somebody else has it by now; whether it was written. What was not `tried`
    does not count as an attempt."""
    mine = HookEventRow.id == row.id, HookEventRow.holder == row.holder, HookEventRow.attempts == row.attempts
    written = session.execute(
        update(HookEventRow)
        .where(*mine)
        .values(
            state=state,
            next_at=again_at,
            error=error[:2000],
            outcome=[dict(one) for one in outcome],
            handled_at=now if again_at is None else row.handled_at,
            holder="",
            attempts=row.attempts - (0 if tried else 1),
        )
    )
    return rows_changed(written) == 1


def drop(session: Session, row: HookEventRow) -> None:
    """Forget an event that is none of ours."""
    session.execute(delete(HookEventRow).where(HookEventRow.id == row.id, HookEventRow.holder == row.holder))


def renew(session: Session, holder: str, now: datetime) -> None:
    """Say that this holder still has what it took, for another `LEASE`."""
    held = HookEventRow.holder == holder, HookEventRow.next_at.is_not(None)
    session.execute(update(HookEventRow).where(*held).values(next_at=now + LEASE))


def release(session: Session, now: datetime, holder: str | None = None) -> None:
    """Have others take at once what this holder had, or anybody."""
    whose = HookEventRow.holder == holder if holder is not None else HookEventRow.holder != ""
    held = whose, HookEventRow.next_at.is_not(None)
    session.execute(update(HookEventRow).where(*held).values(holder="", next_at=now))


def again(session: Session, which: Sequence[ColumnElement[bool]], now: datetime) -> list[str]:
    """Have these events handled again now; their ids. Of one that was done it is another round, one that failed
    continues where it failed. Those that wait to be handled are hurried."""
    ids = list(session.scalars(select(HookEventRow.id).where(*which)))
    for start in range(0, len(ids), 500):
        chosen = HookEventRow.id.in_(ids[start : start + 500])
        done = chosen, HookEventRow.state == event_state.DONE
        session.execute(update(HookEventRow).where(*done).values(round=HookEventRow.round + 1))
        values = {"state": event_state.ACCEPTED, "attempts": 0, "next_at": now, "holder": "", "error": ""}
        session.execute(update(HookEventRow).where(chosen).values(**values))
    return ids


def listed(
    session: Session, limit: int, after: str | None = None, which: Sequence[ColumnElement[bool]] = ()
) -> list[HookEventRow]:
    """Events, newest first: at most `limit`, those older than the event `after`."""
    query = select(HookEventRow).where(*which)
    if after is not None and (last := session.get(HookEventRow, after)) is not None:
        before = tuple_(HookEventRow.received_at, HookEventRow.id) < (last.received_at, last.id)
        query = query.where(before)
    order = HookEventRow.received_at.desc(), HookEventRow.id.desc()
    return list(session.scalars(query.order_by(*order).limit(limit)))


def waiting(session: Session) -> tuple[int, datetime | None]:
    """How many events are to be handled, and since when the first of them waits."""
    due = HookEventRow.next_at.is_not(None), HookEventRow.state == event_state.ACCEPTED
    found = session.execute(select(func.count(), func.min(HookEventRow.received_at)).where(*due)).one()
    return int(found[0]), found[1]


def backlog(session: Session, which: Sequence[ColumnElement[bool]] = ()) -> tuple[int, datetime | None, int]:
    """Of these events how many are to be handled, since when the first of them waits, and how many failed."""
    is_waiting = HookEventRow.state == event_state.ACCEPTED
    found = session.execute(
        select(
            func.count().filter(is_waiting),
            func.min(HookEventRow.received_at).filter(is_waiting),
            func.count().filter(HookEventRow.state == event_state.FAILED),
        ).where(HookEventRow.state.in_((event_state.ACCEPTED, event_state.FAILED)), *which)
    ).one()
    return int(found[0]), found[1], int(found[2])


def forget_old(session: Session, before: datetime, limit: int) -> int:
    """Delete handled events older than that with what they fired, at most `limit`; how many."""
    old = HookEventRow.received_at < before, HookEventRow.next_at.is_(None)
    ids = list(session.scalars(select(HookEventRow.id).where(*old).limit(limit)))
    session.execute(delete(HookEventRow).where(HookEventRow.id.in_(ids)))
    return len(ids)


def firings(session: Session, event_id: str) -> list[FiringRow]:
    """What triggers did because of an event, oldest first."""
    return list(session.scalars(select(FiringRow).where(FiringRow.event_id == event_id).order_by(FiringRow.at)))
