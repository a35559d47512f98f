"""The log of every change to what we hold: written by the unit of work that makes the change, whoever wrote that.

Nobody has to remember to log anything: each session notes which rows of the tables in `LOGGED` it touches, and right
before it commits compares what they were with what they are. A test fails for a table that is neither there nor in
`NOT_LOGGED`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, event, func, insert, inspect, select, tuple_
from sqlalchemy.orm import ORMExecuteState, Session, sessionmaker

from service.domain.access.identity import SERVICE, Actor
from service.domain.audit import chain
from service.domain.audit.chain import Entry
from service.store import rows
from service.store.access_tables import (
    ChangeRow,
    GrantRow,
    OidcIdentityRow,
    PersonRow,
    RoleRuleRow,
    SessionRow,
    SignInLinkRow,
)
from service.store.hook_tables import HookRow, HookSecretRow, TriggerRow
from service.store.notice_tables import ReceiverRow
from service.store.tables import (
    ConnectionRow,
    LoopRow,
    MappingRow,
    PlanRow,
    ProjectRow,
    RunRow,
    SigningKeyRow,
    Table,
    TeamRow,
    TemplateRow,
    TokenRow,
    WaiverRow,
)

CREATED, CHANGED, REMOVED, REFUSED = "created", "changed", "removed", "refused"

CHAIN = "changes"
"""What the entries of the chain are of, where those of evidence name their project."""

LOCK = 0x70686C636867
"""Key of the advisory lock ("phlchg") that lets one unit of work at a time add to the chain, on PostgreSQL."""

SECRET = "(secret)"
"""What is shown of a value that is secret."""


@dataclass(frozen=True, slots=True)
class Logged:
    """How the rows of a table are told: what one is called, the columns that people decide about, those whose value is
    never told, and the column that names a row for people."""

    thing: str
    columns: tuple[str, ...]
    secret: tuple[str, ...] = ()
    name: str = ""


LOGGED: Mapping[type[Table], Logged] = {
    ConnectionRow: Logged("connection", ("name", "kind", "settings"), ("secret",), "name"),
    MappingRow: Logged("mapping", ("name", "entries"), name="name"),
    TeamRow: Logged("team", ("name", "body", "version"), name="name"),
    TemplateRow: Logged("template", ("name", "version", "source"), name="name"),
    ProjectRow: Logged(
        "project",
        (
            *("name", "key", "url", "create", "connection_id", "team_id", "template_digest", "parameters", "time_zone"),
            *("calendar", "turning", "audit", "notices", "ended_at", "planned"),
        ),
        name="key",
    ),
    PlanRow: Logged("plan", ("project_id", "serial", "made_by")),
    RunRow: Logged(
        "run", ("kind", "project_id", "plan_id", "iteration", "continues", "started_by", "cancelled_by"), name="id"
    ),
    LoopRow: Logged("loop", ("state", "next_first", "answers", "decision", "message"), ("feed",)),
    WaiverRow: Logged("waiver", ("project_id", "number", "check", "by", "reason", "until", "revoked_by"), name="check"),
    SigningKeyRow: Logged("signing key", ("public",), ("secret",)),
    TokenRow: Logged("token", ("name", "expires_at", "revoked_at"), ("hash",), "name"),
    HookRow: Logged("webhook", ("connection_id", "address", "remote")),
    HookSecretRow: Logged("webhook secret", ("owner", "until"), ("secret",)),
    TriggerRow: Logged("trigger", ("name", "source", "body", "state"), name="name"),
    PersonRow: Logged("person", ("login", "disabled_at"), name="login"),
    SignInLinkRow: Logged("sign-in link", ("person_id", "expires_at", "used_at"), ("hash",)),
    SessionRow: Logged("session", ("person_id", "source", "expires_at", "revoked_at"), ("hash",)),
    GrantRow: Logged("grant", ("holder_kind", "holder_id", "role", "project_id", "expires_at", "origin"), name="role"),
    OidcIdentityRow: Logged("provider identity", ("person_id", "issuer", "subject"), name="subject"),
    ReceiverRow: Logged("receiver", ("name", "kind", "settings", "subscriptions", "paused"), ("secret",), "name"),
    RoleRuleRow: Logged("role rule", ("claim", "value", "role", "project_id"), name="value"),
}
"""The tables whose changes are logged."""

NOT_LOGGED: Mapping[str, str] = {
    "changes": "is the log",
    "evidence": "only grows, and is a chain of its own",
    "items": "what runs did to a tracker is in their steps and plans",
    "steps": "only grows: it is the record of a run",
    "iterations": "is recorded by runs, and kept as the project's history",
    "carries": "is recorded by runs, and kept as the project's history",
    "events": "only grows: it is a project's history",
    "audits": "is computed from evidence and can be computed again",
    "hook_events": "keeps what others sent, each with what came of it",
    "deliveries": "say what became of each message; that somebody had one sent again is logged",
    "unsubscribes": "keeps what people want no mails of, by links that nobody signs in for",
    "firings": "only grows: what triggers did",
    "provider_tokens": "come and go with their sessions, which are logged",
    "kept_forms": "last for an hour; what is done by one is logged when it is sent",
    "oidc_attempts": "lasts for minutes; that it signed somebody in, or was refused, is logged",
    "connection_checks": "say what a tracker answered; that a credential was replaced is logged",
    "dues": "is when the clock does what settings and decisions say, which are logged",
    "answers": "keeps answers to repeated requests for a day",
}
"""The tables whose changes are not, with the reason."""

_PENDING, _ACTOR, _NOW, _NOTED = "changes", "actor", "now", "noted"

_Key = tuple[type[Table], tuple[Any, ...]]


def told_by(actor: Actor, now: Callable[[], datetime]) -> dict[str, Any]:
    """What a session carries, so that the log can say who made its changes and when."""
    return {_ACTOR: actor, _NOW: now}


def listen(sessions: sessionmaker[Session]) -> None:
    """Have these sessions write the log."""
    event.listen(sessions, "before_flush", _before_flush)
    event.listen(sessions, "after_flush", _after_flush)
    event.listen(sessions, "do_orm_execute", _before_statement)
    event.listen(sessions, "before_commit", _before_commit)
    event.listen(sessions, "after_rollback", _after_rollback)


def refused(session: Session, thing: str, thing_id: str, name: str, why: Mapping[str, Any]) -> None:
    """Log that something was refused, which changes nothing else; committed with this unit of work."""
    entry = {"action": REFUSED, "thing": thing, "id": thing_id, "name": name, "project": None}
    session.info.setdefault(_NOTED, []).append({**entry, "before": {}, "after": dict(why)})


def _pending(session: Session) -> dict[_Key, dict[str, Any] | None]:
    """The rows that were touched, each with what it was before the unit of work; None for one that was not there."""
    found: dict[_Key, dict[str, Any] | None] = session.info.setdefault(_PENDING, {})
    return found


def _before_flush(session: Session, _context: object, _instances: object) -> None:
    touched: dict[type[Table], list[tuple[Any, ...]]] = {}
    for row in (*session.dirty, *session.deleted):
        told = LOGGED.get(type(row))
        if told is None:
            continue
        state = inspect(row)
        if row in session.deleted or any(
            state.attrs[name].history.has_changes() for name in (*told.columns, *told.secret)
        ):
            touched.setdefault(type(row), []).append(state.identity or ())
    for kind, keys in touched.items():
        _remember(session, kind, keys)


def _after_flush(session: Session, _context: object) -> None:
    for row in session.new:
        if type(row) in LOGGED:
            _pending(session).setdefault((type(row), tuple(inspect(row).mapper.primary_key_from_instance(row))), None)


def _before_statement(state: ORMExecuteState) -> None:
    """Note the rows that a statement is about to change, where it is about columns that are logged."""
    if not (state.is_update or state.is_delete) or state.bind_mapper is None:
        return
    kind = state.bind_mapper.class_
    told = LOGGED.get(kind)
    if told is None:
        return
    statement: Any = state.statement
    if state.is_update:
        written = {getattr(column, "key", column) for column in statement._values or ()}
        if not written & {*told.columns, *told.secret}:
            return
    session = state.session
    if session.new or session.dirty or session.deleted:
        session.flush()
    query = select(*inspect(kind).primary_key)
    if statement.whereclause is not None:
        query = query.where(statement.whereclause)
    _remember(session, kind, [tuple(found) for found in session.connection().execute(query)])


def _remember(session: Session, kind: type[Table], keys: Collection[tuple[Any, ...]]) -> None:
    """Keep what these rows are now, unless the unit of work touched them before."""
    pending = _pending(session)
    unknown = [key for key in keys if (kind, key) not in pending]
    pending.update({(kind, key): values for key, values in _read(session, kind, unknown).items()})


def _read(
    session: Session, kind: type[Table], keys: Collection[tuple[Any, ...]]
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """What the database holds of these rows, by their keys."""
    if not keys:
        return {}
    mapper, told = inspect(kind), LOGGED[kind]
    names = dict.fromkeys([*told.columns, *told.secret, *_also(kind, told)])
    primary = mapper.primary_key
    among: ColumnElement[bool] = (
        primary[0].in_([key[0] for key in keys]) if len(primary) == 1 else tuple_(*primary).in_(list(keys))
    )
    columns = [mapper.columns[name].label(f"v{number}") for number, name in enumerate(names)]
    found = session.connection().execute(select(*primary, *columns).where(among))
    width = len(primary)
    return {tuple(row[:width]): dict(zip(names, row[width:], strict=True)) for row in found}


def _also(kind: type[Table], told: Logged) -> Iterable[str]:
    """Columns that are read to say which row it is."""
    if told.name:
        yield told.name
    if "project_id" in inspect(kind).columns:
        yield "project_id"


def _before_commit(session: Session) -> None:
    if session.in_nested_transaction():
        return
    session.flush()
    pending, noted = session.info.pop(_PENDING, {}), session.info.pop(_NOTED, [])
    if not pending:
        _append(session, noted)
        return
    kinds: dict[type[Table], list[tuple[Any, ...]]] = {}
    for kind, key in pending:
        kinds.setdefault(kind, []).append(key)
    present = {(kind, key): row for kind, keys in kinds.items() for key, row in _read(session, kind, keys).items()}
    told = [_told(kind, key, before, present.get((kind, key))) for (kind, key), before in pending.items()]
    _append(session, [*(one for one in told if one is not None), *noted])


def _after_rollback(session: Session) -> None:
    session.info.pop(_PENDING, None)
    session.info.pop(_NOTED, None)


def _told(
    kind: type[Table], key: tuple[Any, ...], before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """A change as the log tells it; None where nothing changed."""
    logged = LOGGED[kind]
    differ = [
        name
        for name in (*logged.columns, *logged.secret)
        if before is None or after is None or before[name] != after[name]
    ]
    if (before is None and after is None) or not differ:
        return None
    row: Mapping[str, Any] = after if after is not None else before or {}
    was, now = _shown(logged, before, differ), _shown(logged, after, differ)
    for name in set(was) & set(now):
        if isinstance(was[name], dict) and isinstance(now[name], dict):
            was[name], now[name] = _differing(was[name], now[name]), _differing(now[name], was[name])
    return {
        "action": CREATED if before is None else REMOVED if after is None else CHANGED,
        "thing": logged.thing,
        "id": "/".join(str(part) for part in key),
        "name": str(row[logged.name]) if logged.name else "",
        "project": str(key[0]) if kind is ProjectRow else row.get("project_id"),
        "before": was,
        "after": now,
    }


def _shown(logged: Logged, row: Mapping[str, Any] | None, names: Iterable[str]) -> dict[str, Any]:
    if row is None:
        return {}
    return {name: SECRET if name in logged.secret else _plain(row[name]) for name in names}


def _differing(values: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in others or others[name] != value}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value


def append(session: Session, thing: str, said: str) -> None:
    """Add an entry about what no row shows, as this unit of work's."""
    rows.keep_others_out(session)
    about = {"thing": thing, "id": "", "name": "", "project": None}
    _append(session, [{"action": CHANGED, **about, "before": {}, "after": {"done": said}}])


def _append(session: Session, told: Iterable[Mapping[str, Any]]) -> None:
    """Add entries to the end of the chain. Nobody else adds one until this unit of work ends."""
    entries = list(told)
    if not entries:
        return
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
    actor: Actor = session.info.get(_ACTOR, SERVICE)
    at: datetime = session.info[_NOW]()
    by = {"kind": actor.kind.value, "id": actor.id, "name": actor.name}
    newest = connection.execute(select(ChangeRow.seq, ChangeRow.digest).order_by(ChangeRow.seq.desc()).limit(1)).first()
    last = Entry(CHAIN, newest.seq, None, "", at, {}, "", newest.digest) if newest is not None else None
    sealed = []
    for one in entries:
        body = {**one, "by": by, "from": actor.source}
        last = chain.sealed(CHAIN, None, str(one["action"]), at, body, last)
        sealed.append(
            {
                "seq": last.seq,
                "at": at,
                "action": one["action"],
                "thing": one["thing"],
                "thing_id": one["id"],
                "project_id": one["project"],
                "by": actor.name,
                "body": body,
                "previous": last.previous,
                "digest": last.digest,
            }
        )
    connection.execute(insert(ChangeRow), sealed)


def entry_of(row: ChangeRow) -> Entry:
    """A row as an entry of the chain."""
    return Entry(CHAIN, row.seq, None, row.action, row.at, row.body, row.previous, row.digest)
