"""How connections stand: when their trackers were read last, what uses them, how their webhooks are. From our records;
reads no tracker."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from connectors import registry
from service.context import Context
from service.domain.hook import event_state
from service.store.hook_tables import HookEventRow, HookRow, HookSecretRow, TriggerRow
from service.store.tables import ConnectionRow
from service.usecases.hook import registration
from service.usecases.overview.freshness import tracker_freshness
from service.usecases.setup import connections
from service.views.overview import ConnectionStanding, HookStanding, HookState, TrackerFreshness
from service.views.setup import ConnectionView


def connection_standings(context: Context) -> list[ConnectionStanding]:
    """All connections by name."""
    fresh = {one.connection: one for one in tracker_freshness(context)}
    rows, checks = connections.listed(context), connections.last_checks(context)
    with context.database.session() as session:
        hooks = {row.connection_id: row for row in session.scalars(select(HookRow))}
        secrets = _secrets(session, context.now())
        last = _last_events(session)
        behind = _behind(session)
        triggers = session.execute(select(TriggerRow.name, TriggerRow.body).order_by(TriggerRow.name)).all()
    return [
        ConnectionStanding(
            connection=one,
            check=checks.get(one.id),
            read_at=max((each.read_at for each in fresh[one.id].projects if each.read_at), default=None),
            trouble=fresh[one.id].trouble,
            projects=_keys(fresh[one.id]),
            triggers=tuple(str(name) for name, body in triggers if connections.is_named(body, one)),
            hook=_hook(one, hooks.get(one.id), secrets.get(one.id, ()), last.get(one.id), behind.get(one.id)),
        )
        for one in rows
        if one.id in fresh
    ]


def connection_standing(context: Context, name: str) -> ConnectionStanding:
    """One connection, by id or name. Raises NotFound."""
    number = connections.get(context, name).id
    return next(one for one in connection_standings(context) if one.connection.id == number)


def _keys(fresh: TrackerFreshness) -> tuple[str, ...]:
    return tuple(one.project.key for one in fresh.projects)


def _secrets(session: Session, now: datetime) -> Mapping[str, tuple[datetime | None, ...]]:
    counts = or_(HookSecretRow.until.is_(None), HookSecretRow.until > now)
    found: dict[str, list[datetime | None]] = defaultdict(list)
    query = select(HookSecretRow.owner, HookSecretRow.until).where(counts).order_by(HookSecretRow.created_at.desc())
    for owner, until in session.execute(query):
        found[owner].append(until)
    return {owner: tuple(untils) for owner, untils in found.items()}


def _last_events(session: Session) -> dict[str, datetime]:
    # One look into the index for each connection: to group all events would read them all.
    newest = select(func.max(HookEventRow.received_at)).where(HookEventRow.owner == ConnectionRow.id)
    found = session.execute(select(ConnectionRow.id, newest.scalar_subquery()))
    return {number: at for number, at in found if at is not None}


def _behind(session: Session) -> dict[str, tuple[int, datetime | None, int]]:
    """By sender, how many events wait, since when the first of them does, and how many failed."""
    is_waiting, is_failed = HookEventRow.state == event_state.ACCEPTED, HookEventRow.state == event_state.FAILED
    query = select(
        HookEventRow.owner,
        func.count().filter(is_waiting),
        func.min(HookEventRow.received_at).filter(is_waiting),
        func.count().filter(is_failed),
    ).where(or_(is_waiting, is_failed))
    found = session.execute(query.group_by(HookEventRow.owner))
    return {owner: (waiting, since, failed) for owner, waiting, since, failed in found}


def _hook(
    connection: ConnectionView,
    row: HookRow | None,
    secrets: tuple[datetime | None, ...],
    last: datetime | None,
    behind: tuple[int, datetime | None, int] | None,
) -> HookStanding:
    waiting, since, failed = behind or (0, None, 0)
    return HookStanding(
        state=_state(connection, row, secrets),
        trouble=row.trouble if row is not None else "",
        checked_at=row.checked_at if row is not None else None,
        secrets=secrets,
        last_event_at=last,
        waiting=waiting,
        waiting_since=since,
        failed=failed,
    )


def _state(connection: ConnectionView, row: HookRow | None, secrets: tuple[datetime | None, ...]) -> HookState:
    kind = registry.KINDS.get(connection.kind)
    if kind is None or kind.hooks is None:
        return HookState.NONE
    if row is None or not row.remote:
        return HookState.ABSENT
    if not secrets:
        return HookState.UNSIGNED
    if not all(one.get("active", True) for one in row.remote):
        return HookState.OFF
    if row.trouble or any(int(one.get("failures", 0)) >= registration.FAILING for one in row.remote):
        return HookState.FAILING
    return HookState.REGISTERED
