"""The events that arrived, as people see them: with what came of them, without what is secret in them; and again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select

from service.context import Context
from service.domain.hook import event_state, payload
from service.domain.problems import InvalidInput, Problem
from service.store import hook_events
from service.store.hook_tables import FiringRow, HookEventRow, TriggerRow
from service.store.tables import ConnectionRow
from service.usecases import ids
from service.usecases.errors import NotFound
from service.views.hook import Backlog, HookEventView


def get(context: Context, event_id: str) -> HookEventView:
    """The event of that id. Raises NotFound."""
    with context.database.session() as session:
        row = session.get(HookEventRow, event_id) or session.get(
            HookEventRow, ids.whole(session, HookEventRow.id, event_id, "events")
        )
    if row is None:
        raise NotFound("event", event_id, "`phaseloop events list` names those there are.")
    return HookEventView.of(row)


def listed(
    context: Context,
    limit: int = 50,
    after: str | None = None,
    *,
    state: str | None = None,
    sender: str | None = None,
    source: str | None = None,
) -> list[HookEventView]:
    """Events, newest first, at most `limit`, those older than the event `after`; of one state, of one sender (the id or
    name of a connection or a trigger), of one kind of sender. Raises NotFound for a sender that there is not,
    InvalidInput for such a state."""
    which = _which(context, state, sender, source)
    with context.database.session() as session:
        return [HookEventView.of(row) for row in hook_events.listed(session, limit, after, which)]


def replay(context: Context, event_id: str) -> HookEventView:
    """Have one event handled again: a failed one from where it failed, one that was done anew, within the limits of its
    triggers. Raises NotFound."""
    get(context, event_id)
    with context.database.session() as session:
        hook_events.again(session, [HookEventRow.id == event_id], context.now())
        context.done(session, event_id)
    return get(context, event_id)


def backlog(context: Context, *, sender: str | None = None, source: str | None = None) -> Backlog:
    """How far the handling is behind, of all events or of those of one sender or kind of sender. Raises NotFound."""
    which = _which(context, None, sender, source)
    with context.database.session() as session:
        return Backlog(*hook_events.backlog(session, which))


def replay_all(
    context: Context,
    *,
    state: str = event_state.FAILED,
    sender: str | None = None,
    source: str | None = None,
    since: datetime | None = None,
) -> int:
    """Have all events of a state handled again, of one sender or kind of sender, received since then; how many. Raises
    NotFound, InvalidInput."""
    which = list(_which(context, state, sender, source))
    if since is not None:
        which.append(HookEventRow.received_at >= since)
    with context.database.session() as session:
        count = len(hook_events.again(session, which, context.now()))
        context.done(session, str(count))
    return count


def _which(
    context: Context, state: str | None, sender: str | None, source: str | None = None
) -> Sequence[ColumnElement[bool]]:
    which: list[ColumnElement[bool]] = []
    if source is not None:
        which.append(HookEventRow.source == source)
    if state is not None:
        if state not in event_state.STATES:
            fix = f"one of {', '.join(event_state.STATES)}"
            raise InvalidInput([Problem("events", None, "state", f"{state!r} is none", fix)])
        which.append(HookEventRow.state == state)
    if sender is not None:
        which.append(HookEventRow.owner == owner_of(context, sender))
    return which


def owner_of(context: Context, name: str) -> str:
    """The id of the connection or trigger of that id or name. Raises NotFound."""
    with context.database.session() as session:
        for table in (TriggerRow, ConnectionRow):
            found = session.scalar(select(table.id).where(or_(table.id == name, table.name == name)))
            if found is not None:
                return str(found)
    raise NotFound(
        "connection or trigger", name, "`phaseloop connections list` and `phaseloop triggers list` name them."
    )


def owners(context: Context) -> dict[str, str]:
    """The names of connections and triggers by id."""
    with context.database.session() as session:
        return {
            str(number): str(name)
            for table in (TriggerRow, ConnectionRow)
            for number, name in session.execute(select(table.id, table.name))
        }


def event_json(context: Context, row: HookEventView) -> dict[str, Any]:
    """An event in full as plain values: with its payload, in which what is secret is hidden, and what triggers did."""
    with context.database.session() as session:
        fired = hook_events.firings(session, row.id)
    return {
        **row.to_json(owners(context)),
        "delivery": row.delivery,
        "payload": payload.redacted(json.loads(row.body)),
        "firings": [firing_json(one) for one in fired],
    }


def firing_json(row: FiringRow) -> dict[str, Any]:
    """What a trigger did, as plain values."""
    return {
        "trigger": row.trigger_id,
        "action": row.action,
        "state": row.state,
        "key": row.key,
        "project": row.project_id,
        "effect": row.effect,
        "message": row.message,
        "at": row.at.isoformat(),
    }
