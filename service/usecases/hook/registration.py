"""The webhook of a connection: where its tracker sends events, and the care of it: registered, checked, put right,
removed. What the account may not do is told as steps for somebody who may."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from connectors import registry
from connectors.errors import PermissionMissing
from connectors.hooks import HookKeeper, RemoteHook
from connectors.values import Finding, Severity
from service.context import Context
from service.domain.commands import typed
from service.domain.english import counted
from service.domain.hook.source import SOURCES
from service.domain.plan.plan_json import finding_to_json
from service.store import hook_events, hook_secrets
from service.store.hook_tables import HookEventRow, HookRow
from service.store.tables import ConnectionRow, ProjectRow
from service.store_faults import KeyProblem
from service.usecases.errors import Conflict
from service.usecases.hook import secret
from service.usecases.hook.sender import Kind, path_of
from service.usecases.setup import connections

OPENING = timedelta(minutes=1)
"""How long a tracker may ask whether the address is there, while it is registered."""

FAILING = 3
"""So many deliveries that failed in a row are told of."""


@dataclass(frozen=True, slots=True)
class Cared:
    """What the care of a connection's webhook came to: the webhooks at the tracker, what is wrong, and the steps for
    somebody who may do what this account may not."""

    hooks: Sequence[RemoteHook] = ()
    findings: Sequence[Finding] = ()
    steps: Sequence[str] = ()


def address(context: Context, kind: Kind, name: str) -> str:
    """The address that senders are told; only its path where nobody set PHASELOOP_PUBLIC_URL."""
    base = str(context.settings.public_url or "").rstrip("/")
    return base + path_of(kind, name)


def register(context: Context, name: str) -> Cared:
    """Have the connection's tracker send events: one webhook for its whole site, or one for each project of ours.
    What is registered already is put right. A secret is made up where there is none and the tracker takes ours.
    Repeatable.

    Raises NotFound; Conflict where the service's own address is not set, or where the tracker has a secret of its own,
    that is not; or where trackers of the kind send no events. Raises what a tracker raises.
    """
    row, to, key = _ready(context, name)
    with _keeper(context, row) as keeper:
        _open(context, row, to, keeper.account())
        try:
            there = keeper.listed(to)
            made = [keeper.add(to, of, key) for of in _watched(context, row, keeper)]
            for hook in made:
                if any(one.id == hook.id for one in there):
                    keeper.repair(hook, to, key)
        except PermissionMissing as error:
            _keep(context, row, (), error.message)
            return Cared(findings=[_not_permitted(row, error)], steps=keeper.steps(to))
        finally:
            _shut(context, row)
        found = keeper.listed(to)
    _keep(context, row, found, "", looked=False)
    return Cared(found)


def check(context: Context, name: str) -> Cared:
    """Look at the webhooks there, without changing any: which are missing, off, failing, or tell of too little.

    Raises NotFound, and what a tracker raises.
    """
    row = connections.stored(context, name)
    present = secret.present(context, row.id)
    findings = [] if present else [_no_secret(row)]
    with context.database.session() as session:
        hook = session.get(HookRow, row.id)
    to = hook.address if hook is not None and hook.address else address(context, Kind.CONNECTION, row.id)
    with _keeper(context, row) as keeper:
        try:
            found = keeper.listed(to)
            wanted = _watched(context, row, keeper)
        except PermissionMissing as error:
            return Cared(findings=[*findings, _not_permitted(row, error)], steps=keeper.steps(to))
    findings += _wrong(row, found, wanted)
    _keep(context, row, found, " ".join(one.message for one in findings))
    return Cared(found, findings)


def remove(context: Context, name: str) -> Cared:
    """Remove the webhooks of the connection at its tracker, and its secrets: nothing is taken in any more. Repeatable.

    Raises NotFound, and what a tracker raises.
    """
    row = connections.stored(context, name)
    with context.database.session() as session:
        hook = session.get(HookRow, row.id)
    to = hook.address if hook is not None and hook.address else address(context, Kind.CONNECTION, row.id)
    steps: Sequence[str] = ()
    with _keeper(context, row) as keeper:
        try:
            for one in keeper.listed(to):
                keeper.remove(one)
        except PermissionMissing:
            steps = (f"Have an administrator remove the webhook that delivers to {to}.",)
    with context.database.session() as session:
        hook_secrets.remove(session, row.id)
        if (present := session.get(HookRow, row.id)) is not None:
            session.delete(present)
        context.done(session, row.id)
    return Cared(steps=steps)


def by_hand(context: Context, name: str) -> Sequence[str]:
    """What somebody who may does at the tracker in place of `register`, step by step; nothing is sent. None where
    trackers of the kind send no events, or the connection's own credential cannot be read. Raises NotFound."""
    row = connections.stored(context, name)
    if row.kind not in registry.KINDS or registry.kind_of(row.kind).hooks is None:
        return ()
    try:
        with _keeper(context, row) as keeper:
            return keeper.steps(address(context, Kind.CONNECTION, row.id))
    except (KeyProblem, registry.InvalidSettings):
        return ()


def hook_json(context: Context, name: str) -> dict[str, Any]:
    """The webhook of a connection as plain values: never its secret. Raises NotFound."""
    whose = secret.owner(context, name, trigger=False)
    secrets = secret.present(context, whose.id)
    with context.database.session() as session:
        hook = session.get(HookRow, whose.id)
        newest = select(HookEventRow.received_at).where(HookEventRow.owner == whose.id)
        last = session.scalar(newest.order_by(HookEventRow.received_at.desc()).limit(1))
        waiting, since = hook_events.waiting(session)
    registered = hook.address if hook is not None else ""
    return {
        "connection": whose.name,
        "address": registered or address(context, Kind.CONNECTION, whose.id),
        "secrets": [until.isoformat() if until else None for until in secrets],
        "registered": list(hook.remote) if hook is not None else [],
        "checked_at": hook.checked_at.isoformat() if hook is not None and hook.checked_at else None,
        "trouble": hook.trouble if hook is not None else "",
        "last_event_at": last.isoformat() if last else None,
        "waiting": waiting,
        "waiting_since": since.isoformat() if since else None,
    }


def listed_json(context: Context) -> list[dict[str, Any]]:
    """The webhooks of all connections by name, as plain values."""
    return [hook_json(context, row.id) for row in connections.listed(context)]


def cared_json(context: Context, name: str, cared: Cared) -> dict[str, Any]:
    """What the care came to, as plain values, with the webhook."""
    return {
        **hook_json(context, name),
        "findings": [finding_to_json(one) for one in cared.findings],
        "steps": list(cared.steps),
    }


def _ready(context: Context, name: str) -> tuple[ConnectionRow, str, str]:
    """The connection, the address that its tracker is to be told, and the secret it signs with. Raises Conflict."""
    row = connections.stored(context, name)
    kind = registry.kind_of(row.kind)
    if kind.hooks is None or row.kind not in SOURCES:
        raise _sends_nothing(row)
    if context.settings.public_url is None:
        message = "Nobody said under which address others reach this service."
        raise Conflict("no-public-url", message, "Set PHASELOOP_PUBLIC_URL, such as https://phaseloop.example.com.")
    if not secret.present(context, row.id):
        source = SOURCES[row.kind]
        if source.own_secret:
            fix = f"Set it first: {setting_command(row.name, row.kind)}"
            raise Conflict("no-secret", f"{source.title} signs with {source.own_secret}, which is not set.", fix)
        whose = secret.Owner(row.id, row.name, row.kind)
        secret.put(context, whose, secret.made_up(row.kind), 0)
    with context.database.session() as session:
        present = hook_secrets.present(session, row.id, context.now())
    return row, address(context, Kind.CONNECTION, row.id), context.vault.open(present[0].secret)


def _sends_nothing(row: ConnectionRow) -> Conflict:
    title = registry.kind_of(row.kind).title
    fix = "Nothing needs to be done: phaseloop looks by itself."
    return Conflict("no-hooks", f"{title} sends no events, so {row.name} has no webhook.", fix)


@contextmanager
def _keeper(context: Context, row: ConnectionRow) -> Iterator[HookKeeper]:
    key = context.vault.open(row.secret)
    timeout, network = context.settings.tracker_timeout, context.network
    keeper = registry.hook_keeper(row.kind, row.settings, key, timeout=timeout, network=network)
    if keeper is None:
        raise _sends_nothing(row)
    try:
        yield keeper
    finally:
        keeper.close()


def _watched(context: Context, row: ConnectionRow, keeper: HookKeeper) -> list[str]:
    """What there has to be a webhook of: each project of ours, or (the empty word) the whole site."""
    if not keeper.by_project:
        return [""]
    with context.database.session() as session:
        ours = ProjectRow.connection_id == row.id, ProjectRow.ended_at.is_(None), ProjectRow.remote_id.is_not(None)
        return [number for number in session.scalars(select(ProjectRow.remote_id).where(*ours)) if number]


def _open(context: Context, row: ConnectionRow, to: str, account: str) -> None:
    """Have the address answer the tracker's question for the time of our call."""
    now = context.now()
    with context.database.session() as session:
        hook = session.get(HookRow, row.id)
        if hook is None:
            hook = HookRow(connection_id=row.id, remote=[], created_at=now)
            session.add(hook)
        hook.address, hook.account, hook.opening_until = to, account, now + OPENING


def _shut(context: Context, row: ConnectionRow) -> None:
    with context.database.session() as session:
        session.get_one(HookRow, row.id).opening_until = None


def _keep(
    context: Context, row: ConnectionRow, found: Sequence[RemoteHook], trouble: str, *, looked: bool = True
) -> None:
    """Keep how the webhooks are. What was not `looked` at is seen to by the next reconciling, with all projects: nobody
    told of what happened while there was no webhook."""
    with context.database.session() as session:
        hook = session.get(HookRow, row.id)
        if hook is not None:
            hook.remote = [
                {"id": one.id, "of": one.of, "active": one.active, "failures": one.failures} for one in found
            ]
            hook.checked_at, hook.trouble = context.now() if looked else None, trouble
        context.done(session, row.id)


def _wrong(row: ConnectionRow, found: Sequence[RemoteHook], wanted: Sequence[str]) -> Iterator[Finding]:
    there = {one.of for one in found}
    for of in wanted:
        if of not in there:
            what = f"The {registry.kind_of(row.kind).project} {of}" if of else f"The site of {row.name}"
            yield _finding(row, "hook-missing", f"{what} sends no events: there is no webhook.", "register")
    for one in found:
        where = f"The webhook {one.id} of {row.name}"
        if not one.active:
            yield _finding(row, "hook-off", f"{where} is switched off.", "repair")
        if not one.complete:
            yield _finding(row, "hook-incomplete", f"{where} does not tell of all that is needed.", "repair")
        if not one.signed:
            yield _finding(row, "hook-unsigned", f"{where} has no secret, so what it sends is refused.", "repair")
        if one.failures >= FAILING:
            yield _finding(row, "hook-failing", f"{where} failed {counted(one.failures, 'time')} in a row.", "check")


def _finding(row: ConnectionRow, code: str, message: str, command: str) -> Finding:
    return Finding(Severity.WARNING, code, message, f"phaseloop hooks {typed(command)} {typed(row.name)}", row.name)


def _no_secret(row: ConnectionRow) -> Finding:
    message = f"The webhook of {row.name} has no secret."
    fix = f"Set it with: {setting_command(row.name, row.kind)}"
    return Finding(Severity.WARNING, "no-secret", message, fix, row.name)


def setting_command(name: str, kind: str) -> str:
    """The command that sets the secret of a connection: where its tracker has one of its own, that has to be given."""
    own = kind in SOURCES and SOURCES[kind].own_secret
    return f"phaseloop hooks secret {typed(name)}" + (" --secret-file FILE" if own else "")


def _not_permitted(row: ConnectionRow, error: PermissionMissing) -> Finding:
    fix = "Have somebody who may follow the steps, or give the account the permission and register again."
    return Finding(Severity.WARNING, "hook-not-permitted", error.message, fix, row.name)
