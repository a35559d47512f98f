"""The secrets of senders: given or made up, shown once, rotated with an overlap in which the former one counts, too."""

from __future__ import annotations

import secrets
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from service.context import Context
from service.domain.hook.signature import STANDARD_PREFIX, standard_key
from service.domain.hook.source import SOURCES
from service.domain.problems import InvalidInput, Problem
from service.references import ReferenceProblem
from service.store import hook_secrets
from service.store.hook_tables import TriggerRow
from service.usecases.errors import NotFound
from service.usecases.setup import connections

OVERLAP_HOURS = 24.0
"""How long a former secret counts, unless somebody says otherwise."""

LONGEST_OVERLAP_HOURS = 24.0 * 30

SHORTEST, LONGEST = 16, 1000
"""Characters of a secret that somebody chose. One that a vendor gave out is taken as it is, up to the longest."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose secret it is: a connection or a trigger."""

    id: str
    name: str
    source: str


def owner(context: Context, name: str, *, trigger: bool) -> Owner:
    """The connection or the trigger of that id or name. Raises NotFound."""
    if not trigger:
        row = connections.get(context, name)
        return Owner(row.id, row.name, row.kind)
    with context.database.session() as session:
        found = session.scalar(select(TriggerRow).where(or_(TriggerRow.id == name, TriggerRow.name == name)))
    if found is None:
        raise NotFound("trigger", name, "`phaseloop triggers list` names those there are.")
    return Owner(found.id, found.name, found.source)


def made_up(source: str) -> str:
    """A new secret as this kind of sender takes it: 256 random bits."""
    if source == "generic":
        return STANDARD_PREFIX + b64encode(secrets.token_bytes(32)).decode()
    return secrets.token_urlsafe(32)


def put(context: Context, whose: Owner, secret: str, overlap_hours: float = OVERLAP_HOURS) -> None:
    """Let this be the sender's secret from now on; the former one counts for the overlap, and none before it. The same
    secret again changes nothing. Raises InvalidInput."""
    check(context, whose.source, secret, overlap_hours)
    with context.database.session() as session:
        keep(context, session, whose.id, secret, overlap_hours)
        context.done(session, whose.id)


def check(context: Context, source: str, secret: str, overlap_hours: float = OVERLAP_HOURS) -> None:
    """Raises InvalidInput with everything that is wrong with a secret, or with what a reference leads to, for this kind
    of sender."""
    try:
        problems = _problems(source, context.vault.resolved(secret.strip()), overlap_hours)
    except ReferenceProblem as error:
        problems = [Problem("hook", None, "secret", str(error))]
    if problems:
        raise InvalidInput(problems)


def keep(context: Context, session: Session, owner_id: str, secret: str, overlap_hours: float = OVERLAP_HOURS) -> None:
    """Keep a secret that was checked, in the caller's unit of work."""
    text, now = secret.strip(), context.now()
    present = hook_secrets.present(session, owner_id, now)
    if not (present and present[0].until is None and context.vault.kept(present[0].secret) == text):
        sealed = context.vault.seal(text)
        hook_secrets.put(session, owner_id, sealed, now, now + timedelta(hours=overlap_hours))


def present(context: Context, owner_id: str) -> list[datetime | None]:
    """Until when each secret counts that does now, the newest first; None: until it is rotated."""
    with context.database.session() as session:
        return [row.until for row in hook_secrets.present(session, owner_id, context.now())]


def _problems(source: str, secret: str, overlap_hours: float) -> list[Problem]:
    problems = []
    own = SOURCES[source].own_secret if source in SOURCES else ""
    shortest = 1 if own else SHORTEST
    if not shortest <= len(secret) <= LONGEST or not secret.isprintable() or " " in secret:
        message = f"must be {shortest} to {LONGEST} visible characters without spaces"
        fix = f"give {own}, as it is shown there" if own else "let phaseloop make one up"
        problems.append(Problem("hook", None, "secret", message, fix))
    elif source == "generic" and standard_key(secret) is None:
        message = f"is none of Standard Webhooks: these are {STANDARD_PREFIX} and base64"
        problems.append(Problem("hook", None, "secret", message, "let phaseloop make one up"))
    if not 0 <= overlap_hours <= LONGEST_OVERLAP_HOURS:
        message = f"must be between 0 and {LONGEST_OVERLAP_HOURS:g}"
        problems.append(Problem("hook", None, "overlap_hours", message))
    if source not in SOURCES:
        problems.append(Problem("hook", None, "source", f"{source} sends no webhooks that are understood here"))
    return problems
