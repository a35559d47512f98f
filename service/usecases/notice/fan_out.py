"""What happened becomes messages: one for each channel in which it is wanted, in the unit of work that says that it is
told. Where much comes together it is gathered into a few."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.receivers import KINDS
from connectors.receiving import Gathering
from service.context import Context
from service.domain.notice.kinds import NoticeKind, channels
from service.store import deliveries, unsubscribes
from service.store.notice_tables import DeliveryRow, ReceiverRow
from service.store.tables import EventRow, ProjectRow
from service.usecases.notice.composing import told_of

AT_ONCE = 500
"""How many events are looked at in one unit of work."""

ONE_BY_ONE = 5
"""From more notices than this that wait for the same channel, all are gathered."""

IN_A_DIGEST = 40
"""The most notices in one message."""

OFTEN = 10
"""From this many messages of a project to a channel within `WITHIN` on, further ones are gathered for `GATHERED`."""
WITHIN = timedelta(minutes=10)
GATHERED = timedelta(minutes=1)

A_DAY = timedelta(days=1)
TOGETHER = timedelta(minutes=10)
"""How long the first message of a day waits, where there is one a day at most: what belongs together is in it."""

DIGEST = "digest"
"""The kind of a message that tells several notices."""

_Place = tuple[str, str, str]
"""Receiver, channel and project; where messages are one a day the kind of notice, for it is of all projects."""

_Found = Sequence[tuple[EventRow, NoticeKind]]


def fan_out(context: Context) -> int:
    """Make messages of what is untold; how many events were looked at. Safe beside other processes, and repeatable."""
    now = context.now()
    with context.database.session() as session:
        events = deliveries.untold(session, AT_ONCE)
        if not events:
            return 0
        query = select(ReceiverRow).where(ReceiverRow.paused == "")
        receivers = list(session.scalars(query.order_by(ReceiverRow.name)))
        gathering = {receiver.id: KINDS[receiver.kind].gathering for receiver in receivers}
        wanted: defaultdict[_Place, list[tuple[EventRow, NoticeKind]]] = defaultdict(list)
        unwanted = unsubscribes.unwanted(session) if receivers else set()
        for event in events if receivers else ():
            for receiver, channel, kind in _wanted(session, receivers, event):
                daily = gathering[receiver.id] is Gathering.DAILY and kind is not NoticeKind.STAND_UP
                if not KINDS[receiver.kind].unsubscribes or (channel.casefold(), kind.value) not in unwanted:
                    wanted[receiver.id, channel, kind.value if daily else event.project_id].append((event, kind))
        for place, everything in sorted(wanted.items(), key=lambda one: one[0]):  # so that no two wait for each other
            _each(session, place, [one for one in everything if one[1] is NoticeKind.STAND_UP], now)
            found = [one for one in everything if one[1] is not NoticeKind.STAND_UP]
            if not found:
                continue
            match gathering[place[0]]:
                case Gathering.NONE:
                    _each(session, place, found, now)
                case Gathering.BURSTS:
                    _make(session, place, found, now)
                case Gathering.DAILY:
                    _daily(session, place, found, now)
        deliveries.told(session, events)
    return len(events)


def _wanted(
    session: Session, receivers: Sequence[ReceiverRow], event: EventRow
) -> list[tuple[ReceiverRow, str, NoticeKind]]:
    """Where an event is to be told. Nothing is told of a project that has ended but that it has, and nothing that
    happened before somebody asked for it."""
    told = told_of(event)
    if told is None:
        return []
    project = session.get(ProjectRow, event.project_id)
    if project is None or (project.ended_at is not None and told.kind is not NoticeKind.PROJECT_ENDED):
        return []
    return [
        (receiver, channel, told.kind)
        for receiver in receivers
        if receiver.created_at <= event.at
        for channel in channels(receiver.subscriptions, event.project_id, told.kind)
    ]


def _daily(session: Session, place: _Place, found: _Found, now: datetime) -> None:
    """Put the notices into the message of their kind that waits, or make one, due a day after the last at the
    earliest."""
    receiver, channel, kind = place
    session.get(ReceiverRow, receiver, with_for_update=True)  # no other process makes one meanwhile
    waiting = deliveries.waiting_of_kind(session, receiver, channel, kind)
    ids = [event.id for event, _kind in found]
    projects = {event.project_id for event, _kind in found}
    if waiting is not None:
        projects.add(waiting.project_id)
        waiting.events = [*waiting.events, *ids]
        waiting.project_id = projects.pop() if len(projects) == 1 else ""
        waiting.iteration = None
        return
    last = deliveries.last_of_kind(session, receiver, channel, kind)
    due = max(now + TOGETHER, last + A_DAY) if last is not None else now + TOGETHER
    project = projects.pop() if len(projects) == 1 else ""
    iteration = found[0][0].iteration if len(ids) == 1 else None
    deliveries.add(session, receiver, channel, project, kind, iteration, ids, now, due)


def _each(session: Session, place: _Place, found: _Found, now: datetime) -> None:
    for event, kind in found:
        deliveries.add(session, *place, kind.value, event.iteration, [event.id], now, now)


def _make(session: Session, place: _Place, found: _Found, now: datetime) -> None:
    """The messages for one channel: as many as there are notices, or a few in which they are gathered."""
    waiting = deliveries.gathering(session, *place)
    often = deliveries.made_since(session, *place, now - WITHIN) >= OFTEN
    if not often and sum(len(row.events) for row in waiting) + len(found) <= ONE_BY_ONE:
        _each(session, place, found, now)
        return
    ids = [number for row in waiting for number in row.events] + [event.id for event, _kind in found]
    iterations = {row.iteration for row in waiting} | {event.iteration for event, _kind in found}
    iteration = iterations.pop() if len(iterations) == 1 else None
    due = now + GATHERED if often else now
    if waiting:  # what waits longest is not put off by what comes later
        due = min([due, *(row.next_at for row in waiting if row.next_at is not None)])
    groups = [ids[start : start + IN_A_DIGEST] for start in range(0, len(ids), IN_A_DIGEST)]
    for row, group in zip(waiting, groups, strict=False):
        _gather(row, group, iteration, due)
    for row in waiting[len(groups) :]:
        session.delete(row)
    for group in groups[len(waiting) :]:
        told = found[-1][1].value if len(group) == 1 else DIGEST
        deliveries.add(session, *place, told, iteration, group, now, due)


def _gather(row: DeliveryRow, events: Sequence[int], iteration: int | None, due: datetime) -> None:
    if list(events) != row.events:
        row.kind = DIGEST
    row.events, row.seq, row.iteration, row.next_at = list(events), events[0], iteration, due
