"""Messages to people: made of what is untold, sent by one process at a time for each receiver, each once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, case, delete, exists, func, or_, select, tuple_, update
from sqlalchemy.orm import Session

from service.domain.notice import delivery_state as state
from service.domain.notice.kinds import STAND_UP
from service.store.notice_tables import DeliveryRow, ReceiverRow
from service.store.rows import keep_others_out, rows_changed
from service.store.secrets import new_id
from service.store.tables import EventRow

LEASE = timedelta(minutes=3)
"""How long one process has a receiver before another takes it: longer than it needs for one message by far."""


# --- what is untold ---------------------------------------------------------------------------------------------------


def untold(session: Session, limit: int) -> list[EventRow]:
    """What was told to nobody yet, the oldest first. Nobody else makes messages of it until this unit of work ends."""
    waits = EventRow.untold.is_(True)
    if session.scalar(select(exists().where(waits))) is not True:
        return []
    keep_others_out(session)
    query = select(EventRow).where(waits).order_by(EventRow.id).limit(limit)
    return list(session.scalars(query.with_for_update(skip_locked=True)))


def told(session: Session, events: Collection[EventRow]) -> None:
    """Say that messages were made of these for everybody who asked."""
    ids = [event.id for event in events]
    session.execute(update(EventRow).where(EventRow.id.in_(ids)).values(untold=False))


def gathering(session: Session, receiver_id: str, channel: str, project_id: str) -> list[DeliveryRow]:
    """The messages of a project to a channel that nobody has begun to send, the oldest first: more can be added. A
    stand-up stays alone."""
    query = (
        select(DeliveryRow)
        .where(*_place(receiver_id, channel, project_id), DeliveryRow.state == state.WAITING, DeliveryRow.attempts == 0)
        .where(DeliveryRow.kind != STAND_UP)
    )
    return list(session.scalars(query.order_by(DeliveryRow.seq, DeliveryRow.id).with_for_update()))


def waiting_of_kind(session: Session, receiver_id: str, channel: str, kind: str) -> DeliveryRow | None:
    """The message of a kind to a channel that was not sent yet, of whatever projects: more can be added."""
    query = select(DeliveryRow).where(*_of_kind(receiver_id, channel, kind), DeliveryRow.state == state.WAITING)
    return session.scalar(query.order_by(DeliveryRow.seq, DeliveryRow.id).limit(1).with_for_update())


def last_of_kind(session: Session, receiver_id: str, channel: str, kind: str) -> datetime | None:
    """When a message of a kind was last sent to a channel, or may have been; None: never."""
    there = DeliveryRow.state.in_((state.SENDING, state.IN_DOUBT, state.SENT))
    newest = select(DeliveryRow.asked_at).where(*_of_kind(receiver_id, channel, kind), there)
    return session.scalar(newest.order_by(DeliveryRow.asked_at.desc()).limit(1))


def _of_kind(receiver_id: str, channel: str, kind: str) -> tuple[ColumnElement[bool], ...]:
    return DeliveryRow.receiver_id == receiver_id, DeliveryRow.channel == channel, DeliveryRow.kind == kind


def made_since(session: Session, receiver_id: str, channel: str, project_id: str, since: datetime) -> int:
    """How many messages of a project to a channel were made since then."""
    counted = select(func.count()).select_from(DeliveryRow)
    return session.scalar(counted.where(*_place(receiver_id, channel, project_id), DeliveryRow.created_at > since)) or 0


def _place(receiver_id: str, channel: str, project_id: str) -> tuple[ColumnElement[bool], ...]:
    return (
        DeliveryRow.receiver_id == receiver_id,
        DeliveryRow.channel == channel,
        DeliveryRow.project_id == project_id,
    )


def add(
    session: Session,
    receiver_id: str,
    channel: str,
    project_id: str,
    kind: str,
    iteration: int | None,
    events: Sequence[int],
    now: datetime,
    due: datetime,
) -> DeliveryRow:
    """A new message, to be sent when it is due."""
    row = DeliveryRow(
        id=new_id("dlv"),
        receiver_id=receiver_id,
        project_id=project_id,
        channel=channel,
        kind=kind,
        iteration=iteration,
        events=list(events),
        seq=events[0],
        state=state.WAITING,
        attempts=0,
        looks=0,
        next_at=due,
        error="",
        posted="",
        thread="",
        created_at=now,
    )
    session.add(row)
    return row


# --- sending ----------------------------------------------------------------------------------------------------------


def take(session: Session, now: datetime, holder: str) -> ReceiverRow | None:
    """A receiver for which something is to be done, the longest waiting first; nobody else sends to it for `LEASE`."""
    due = DeliveryRow.next_at.is_not(None), DeliveryRow.next_at <= now
    free = (
        or_(ReceiverRow.held_until.is_(None), ReceiverRow.held_until <= now),
        or_(ReceiverRow.next_at.is_(None), ReceiverRow.next_at <= now),
        ReceiverRow.paused == "",
    )
    of_it = DeliveryRow.receiver_id == ReceiverRow.id
    if session.scalar(select(exists().where(*due, *free, of_it))) is not True:
        return None
    keep_others_out(session)
    first = select(func.min(DeliveryRow.next_at)).where(*due, of_it).correlate(ReceiverRow).scalar_subquery()
    query = select(ReceiverRow).where(*free, exists().where(*due, of_it)).order_by(first, ReceiverRow.id).limit(1)
    row = session.scalar(query.with_for_update(skip_locked=True))
    if row is not None:
        row.holder, row.held_until = holder, now + LEASE
    return row


def due(session: Session, receiver_id: str, now: datetime, limit: int) -> list[DeliveryRow]:
    """The messages of a receiver about which something is to be done, the oldest first."""
    query = select(DeliveryRow).where(DeliveryRow.receiver_id == receiver_id, DeliveryRow.next_at <= now)
    return list(session.scalars(query.order_by(DeliveryRow.seq, DeliveryRow.id).limit(limit)))


def hold(session: Session, receiver_id: str, holder: str, now: datetime) -> bool:
    """Keep a receiver for another `LEASE`; False where somebody else has it by now."""
    mine = ReceiverRow.id == receiver_id, ReceiverRow.holder == holder, ReceiverRow.held_until > now
    return rows_changed(session.execute(update(ReceiverRow).where(*mine).values(held_until=now + LEASE))) == 1


def let_go(session: Session, receiver_id: str, holder: str, *, next_at: datetime, trouble: str) -> None:
    """Let others send to a receiver from then on; `trouble` is what was wrong with it."""
    mine = ReceiverRow.id == receiver_id, ReceiverRow.holder == holder
    values = {"holder": "", "held_until": None, "next_at": next_at, "trouble": trouble[:2000]}
    session.execute(update(ReceiverRow).where(*mine).values(**values))


def keep_quiet(session: Session, row: DeliveryRow, until: datetime) -> None:
    """Have a message wait because it is quiet, unless somebody did something else with it meanwhile."""
    values = {"next_at": until, "quiet": True}
    session.execute(update(DeliveryRow).where(*_as_it_was(row)).values(**values))


def begin(session: Session, row: DeliveryRow, thread: str, now: datetime) -> DeliveryRow | None:
    """Write down that a message is about to be sent: the message as it is now, to which nothing is added any more. None
    where somebody did something else with it meanwhile. What becomes of it is noticed by others once the lease is
    over."""
    begun = session.execute(
        update(DeliveryRow)
        .where(*_as_it_was(row))
        .values(
            state=state.SENDING,
            attempts=row.attempts + 1,
            looks=0,
            quiet=False,
            asked_at=now,
            tried_since=row.tried_since or now,
            next_at=now + LEASE,
            thread=thread,
            error="",
        )
    )
    return session.get(DeliveryRow, row.id, populate_existing=True) if rows_changed(begun) == 1 else None


def end(
    session: Session,
    row: DeliveryRow,
    attempts: int,
    became: str,
    now: datetime,
    *,
    error: str = "",
    posted: str = "",
    next_at: datetime | None = None,
    looks: int | None = None,
) -> bool:
    """Write what came of a message that was sent `attempts` times, unless it was sent again since; whether that was
    so."""
    over = became not in state.OPEN
    values = {
        "state": became,
        "error": error[:2000],
        "next_at": None if over else next_at,
        "ended_at": now if over else None,
        **({"posted": posted[:80]} if posted else {}),
        **({"looks": looks} if looks is not None else {}),
    }
    same = DeliveryRow.id == row.id, DeliveryRow.attempts == attempts, DeliveryRow.state.in_(state.OPEN)
    return rows_changed(session.execute(update(DeliveryRow).where(*same).values(**values))) == 1


def _as_it_was(row: DeliveryRow) -> tuple[ColumnElement[bool], ...]:
    return DeliveryRow.id == row.id, DeliveryRow.attempts == row.attempts, DeliveryRow.state == row.state


def root(session: Session, row: DeliveryRow) -> str:
    """The id of the message below which those of the same iteration are gathered; empty where there is none yet."""
    if row.iteration is None:
        return ""
    query = select(DeliveryRow.posted).where(
        *_place(row.receiver_id, row.channel, row.project_id),
        DeliveryRow.iteration == row.iteration,
        DeliveryRow.state == state.SENT,
        DeliveryRow.posted != "",
        DeliveryRow.thread == "",
    )
    return session.scalar(query.order_by(DeliveryRow.seq, DeliveryRow.id).limit(1)) or ""


def release(session: Session, now: datetime, holder: str | None = None) -> None:
    """Have others go on at once with what this holder had, or anybody."""
    whose = ReceiverRow.holder == holder if holder is not None else ReceiverRow.holder != ""
    ids = list(session.scalars(select(ReceiverRow.id).where(whose)))
    sending = DeliveryRow.receiver_id.in_(ids), DeliveryRow.state == state.SENDING
    session.execute(update(DeliveryRow).where(*sending).values(next_at=now))
    session.execute(update(ReceiverRow).where(ReceiverRow.id.in_(ids)).values(holder="", held_until=None))


# --- looking after them -----------------------------------------------------------------------------------------------


def listed(
    session: Session, limit: int, after: str | None = None, which: Sequence[ColumnElement[bool]] = ()
) -> list[DeliveryRow]:
    """Messages, newest first: at most `limit`, those older than the message `after`."""
    query = select(DeliveryRow).where(*which)
    if after is not None and (last := session.get(DeliveryRow, after)) is not None:
        query = query.where(tuple_(DeliveryRow.created_at, DeliveryRow.id) < (last.created_at, last.id))
    return list(session.scalars(query.order_by(DeliveryRow.created_at.desc(), DeliveryRow.id.desc()).limit(limit)))


def again(session: Session, which: Sequence[ColumnElement[bool]], now: datetime) -> list[str]:
    """Have these messages sent again now, as if they were new; their ids. What is waiting is hurried, and what is being
    sent or was sent is left alone."""
    chosen = *which, DeliveryRow.state.in_((*state.REPLAYED, state.WAITING))
    ids = list(session.scalars(select(DeliveryRow.id).where(*chosen)))
    values = {"state": state.WAITING, "looks": 0, "next_at": now, "tried_since": None, "error": "", "ended_at": None}
    for start in range(0, len(ids), 500):
        of = DeliveryRow.id.in_(ids[start : start + 500]), DeliveryRow.state.in_((*state.REPLAYED, state.WAITING))
        session.execute(update(DeliveryRow).where(*of).values(**values, attempts=DeliveryRow.attempts + 1))
    return ids


def skip_open(session: Session, which: Sequence[ColumnElement[bool]], why: str, now: datetime) -> None:
    """Send no more of these."""
    values = {"state": state.SKIPPED, "error": why, "next_at": None, "ended_at": now}
    session.execute(update(DeliveryRow).where(*which, DeliveryRow.state.in_(state.OPEN)).values(**values))


def leave(session: Session, receiver_id: str, why: str, now: datetime) -> None:
    """Send no more of what was to be sent to a receiver that is gone. What may have arrived stays in doubt: nobody
    looks for it any more."""
    of_it = DeliveryRow.receiver_id == receiver_id
    skip_open(session, [of_it, DeliveryRow.state == state.WAITING], why, now)
    doubtful = of_it, DeliveryRow.state.in_((state.SENDING, state.IN_DOUBT))
    told = case((DeliveryRow.error == "", why), else_=DeliveryRow.error + f" {why}")
    session.execute(update(DeliveryRow).where(*doubtful).values(state=state.IN_DOUBT, next_at=None, error=told))


def counts(session: Session, receiver_id: str) -> dict[str, int]:
    """How many messages of a receiver are in each state."""
    query = select(DeliveryRow.state, func.count()).where(DeliveryRow.receiver_id == receiver_id)
    return dict(session.execute(query.group_by(DeliveryRow.state)).all())


def forget_old(session: Session, before: datetime, limit: int) -> int:
    """Delete messages that were sent or skipped before then, at most `limit`; how many."""
    over = DeliveryRow.state.in_((state.SENT, state.SKIPPED)), DeliveryRow.ended_at < before
    ids = list(session.scalars(select(DeliveryRow.id).where(*over).limit(limit)))
    session.execute(delete(DeliveryRow).where(DeliveryRow.id.in_(ids)))
    return len(ids)
