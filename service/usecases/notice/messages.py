"""Messages that were made: what became of each, and how one is sent again; and what one would look like."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select

from connectors import receivers as registry
from service.context import Context
from service.domain.commands import typed
from service.domain.notice import delivery_state, examples
from service.domain.notice.kinds import NoticeKind, events_of
from service.domain.problems import InvalidInput, Problem
from service.domain.template.shape import meant, one_of
from service.store import changes, deliveries
from service.store.notice_tables import DeliveryRow, ReceiverRow
from service.store.tables import EventRow, LoopRow, ProjectRow
from service.usecases import ids
from service.usecases.errors import Conflict, NotFound
from service.usecases.notice import composing, receivers
from service.usecases.setup import projects
from service.views.notice import DeliveryView, PreviewView

_NEWEST = 200
"""How many events are looked through for the newest notice of a kind."""


def listed(
    context: Context,
    limit: int,
    after: str | None = None,
    *,
    state: str | None = None,
    receiver: str | None = None,
    project: str | None = None,
) -> list[DeliveryView]:
    """Messages, newest first. Raises NotFound for a receiver or project, InvalidInput for a state."""
    which = _which(context, state, receiver, project)
    with context.database.session() as session:
        rows = deliveries.listed(session, limit, after, which)
    return [_view(context, row) for row in rows]


def get(context: Context, message_id: str) -> DeliveryView:
    """A message by its id or the beginning of it. Raises NotFound, Conflict."""
    return _view(context, _stored(context, message_id))


def replay(context: Context, message_id: str) -> DeliveryView:
    """Have a message that failed, is in doubt or was skipped sent again; one that waits is hurried. Raises NotFound;
    Conflict where it was sent, or is being sent, or its receiver was removed or is paused."""
    row = _stored(context, message_id)
    with context.database.session() as session:
        receiver = session.get(ReceiverRow, row.receiver_id)
        if receiver is None:
            message = f"The receiver of the message {row.id} was removed."
            raise Conflict("message-state", message, "Add it again; what happens from then on is told there.")
        if receiver.paused:
            message = f"The receiver {receiver.name!r} is paused."
            raise Conflict("message-state", message, f"First: phaseloop notify resume {typed(receiver.name)}")
        found = deliveries.again(session, [DeliveryRow.id == row.id], context.now())
        if not found:
            message = f"The message {row.id} is {row.state}: it is not sent again."
            raise Conflict("message-state", message, "Only one that failed, is in doubt or was skipped is.")
        changes.append(session, "message", f"had the message {row.id} sent again")
        context.done(session, row.id)
    return get(context, row.id)


def replay_all(
    context: Context, *, state: str = delivery_state.FAILED, receiver: str | None = None, project: str | None = None
) -> int:
    """Have all messages in a state sent again; how many. Raises as `listed` does, and InvalidInput for a state in which
    none is."""
    if state not in delivery_state.REPLAYED:
        allowed = one_of(list(delivery_state.REPLAYED))
        raise InvalidInput(
            [Problem("request", None, "state", f"messages that are {state} are not sent again", allowed)]
        )
    which = _which(context, state, receiver, project)
    with context.database.session() as session:
        there = DeliveryRow.receiver_id.in_(select(ReceiverRow.id).where(ReceiverRow.paused == ""))
        found = deliveries.again(session, [*which, there], context.now())
        if found:
            changes.append(session, "message", f"had {len(found)} messages sent again that were {state}")
        context.done(session, str(len(found)))
    return len(found)


def preview(context: Context, project: str, kind: str, receiver_kind: str | None = None) -> PreviewView:
    """What people would be sent of the newest notice of this kind in a project; where there was none, of one that is
    made up. Sends nothing. Raises NotFound, InvalidInput."""
    known = [one.value for one in NoticeKind]
    if kind not in known:
        fix = meant(kind, known) or one_of(known)
        raise InvalidInput([Problem("request", None, "kind", f"there is no notice {kind!r}", fix)])
    asked = NoticeKind(kind)
    number = projects.get(context, project).id
    with context.database.session() as session:
        row = session.get_one(ProjectRow, number)
        loop = session.get(LoopRow, number)
        query = select(EventRow).where(EventRow.project_id == number, EventRow.kind.in_(events_of(asked)))
        found = list(session.scalars(query.order_by(EventRow.id.desc()).limit(_NEWEST)))
    told = next((one for event in found if (one := composing.told_of(event)) is not None and one.kind is asked), None)
    real = told is not None
    if told is None:
        current = loop.current if loop is not None and loop.current else 1
        told = examples.told(asked, row.key, context.now(), current)
    message = composing.one_message(context, row, told)
    form = receiver_kind or next(iter(registry.KINDS))
    if form not in registry.KINDS:
        fix = meant(form, list(registry.KINDS)) or one_of(list(registry.KINDS))
        raise InvalidInput([Problem("request", None, "receiver_kind", f"there is no receiver {form!r}", fix)])
    return PreviewView(kind, row.key, real, message, form, registry.laid_out(form, message))


def _which(context: Context, state: str | None, receiver: str | None, project: str | None) -> list[ColumnElement[bool]]:
    if state is not None and state not in delivery_state.STATES:
        fix = meant(state, list(delivery_state.STATES)) or one_of(list(delivery_state.STATES))
        raise InvalidInput([Problem("request", None, "state", f"there is no state {state!r}", fix)])
    which: list[ColumnElement[bool]] = []
    if state is not None:
        which.append(DeliveryRow.state == state)
    if receiver is not None:
        which.append(DeliveryRow.receiver_id == receivers.stored(context, receiver).id)
    if project is not None:
        which.append(DeliveryRow.project_id == projects.get(context, project).id)
    return which


def _stored(context: Context, message_id: str) -> DeliveryRow:
    with context.database.session() as session:
        row = session.get(DeliveryRow, ids.whole(session, DeliveryRow.id, message_id, "messages"))
    if row is None:
        raise NotFound("message", message_id, "`phaseloop notify deliveries` names those there are.")
    return row


def _view(context: Context, row: DeliveryRow) -> DeliveryView:
    with context.database.session() as session:
        receiver = session.get(ReceiverRow, row.receiver_id)
        project = session.get(ProjectRow, row.project_id)
    return DeliveryView.of(
        row, receiver.name if receiver is not None else row.receiver_id, project.key if project is not None else ""
    )
