"""Who may send events to an address: looked up in the store, and remembered for a moment: thousands may come."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from service.clock import ticking
from service.context import Context
from service.domain.hook.delivery import Delivery
from service.domain.hook.signature import Verifier
from service.domain.hook.source import SOURCES, Source
from service.store import hook_secrets
from service.store.hook_tables import HookRow, TriggerRow
from service.store.tables import ConnectionRow
from service.store_faults import KeyProblem

log = logging.getLogger(__name__)

REMEMBERED = 1.0
"""Seconds after which an address is looked up anew: so long a secret that was taken away may still count."""

MOST_REMEMBERED = 1000


class Kind(StrEnum):
    """What an address is of."""

    CONNECTION = "connection"
    TRIGGER = "trigger"


@dataclass(frozen=True, slots=True)
class Sender:
    """One that may send: `owner` is the id of its connection or trigger, `secrets` those that count, each until then.
    `opening`: the tracker may ask whether the address is there."""

    owner: str
    source: Source
    verifier: Verifier
    secrets: tuple[tuple[str, datetime | None], ...]
    address: str
    opening: bool
    at: tuple[Kind, str]
    """What it was found by."""

    def accepts(self, delivery: Delivery) -> bool:
        """Whether the delivery proves one of the secrets. Without any, nothing does."""
        matched = False
        for secret, until in self.secrets:
            if until is None or until > delivery.at:
                matched |= self.verifier.accepts(delivery, secret)
        return matched


class Senders:
    """The senders of this installation, by what stands in their address."""

    def __init__(self, context: Context, ticks: Callable[[], float] = ticking) -> None:
        self._context, self._ticks = context, ticks
        self._known: dict[tuple[Kind, str], tuple[float, Sender | None]] = {}
        self._lock = threading.Lock()

    def known(self, kind: Kind, name: str) -> tuple[float, Sender | None]:
        """How many seconds ago the address was looked up, endless if it never was, and what was found."""
        with self._lock:
            at, found = self._known.get((kind, name), (-math.inf, None))
        return self._ticks() - at, found

    def find(self, kind: Kind, name: str) -> Sender | None:
        """The sender of this address, None if there is none."""
        found = found_sender(self._context, kind, name)
        with self._lock:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[kind, name] = self._ticks(), found
        return found


def path_of(kind: Kind, name: str) -> str:
    """The path of an address, behind that of the service."""
    return f"/hooks/t/{name}" if kind is Kind.TRIGGER else f"/hooks/{name}"


def found_sender(context: Context, kind: Kind, name: str) -> Sender | None:
    """The sender of this address as the store has it now: of a connection by id or name, of a trigger by name."""
    with context.database.session() as session:
        if kind is Kind.TRIGGER:
            return _of_trigger(context, session, name)
        return _of_connection(context, session, name)


def _of_connection(context: Context, session: Session, name: str) -> Sender | None:
    row = session.scalar(select(ConnectionRow).where(or_(ConnectionRow.id == name, ConnectionRow.name == name)))
    if row is None or row.removed or row.kind not in SOURCES:
        return None
    hook = session.get(HookRow, row.id)
    address = hook.address if hook is not None else ""
    opening = hook is not None and hook.opening_until is not None and hook.opening_until > context.now()
    source = SOURCES[row.kind]
    return Sender(
        row.id,
        source,
        source.verifier({}),
        _secrets(context, session, row.id),
        address,
        opening,
        (Kind.CONNECTION, name),
    )


def _of_trigger(context: Context, session: Session, name: str) -> Sender | None:
    row = session.scalar(select(TriggerRow).where(TriggerRow.name == name))
    if row is None or SOURCES[row.source].tracker or "address_of" in row.body:
        return None
    source = SOURCES[row.source]
    settings = {key: str(value) for key, value in row.body.get("settings", {}).items()}
    return Sender(
        row.id,
        source,
        source.verifier(settings),
        _secrets(context, session, row.id),
        "",
        opening=False,
        at=(Kind.TRIGGER, name),
    )


def _secrets(context: Context, session: Session, owner: str) -> tuple[tuple[str, datetime | None], ...]:
    """Those that count. One that cannot be read leaves the others as they are: a former one may stand where nothing is
    any more. Raises KeyProblem where none can be read, so that the sender comes again instead of being refused."""
    found, unread = [], None
    for row in hook_secrets.present(session, owner, context.now()):
        try:
            found.append((context.vault.open(row.secret), row.until))
        except KeyProblem as error:
            log.warning("a secret of the sender %s cannot be read: %s", owner, error)
            unread = error
    if unread is not None and not found:
        raise unread
    return tuple(found)
