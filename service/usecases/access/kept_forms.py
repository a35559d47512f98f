"""Forms that were sent after a session had ended: kept for whoever sent them, until they have signed in again."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from service.context import Context
from service.store.access_tables import KeptFormRow, PersonRow, SessionRow
from service.store.rows import insert, rows_changed
from service.store.secrets import new_id, token_hash
from service.usecases.access import sessions
from service.usecases.errors import NotFound

LASTS = timedelta(hours=1)
LONGEST = 1_000_000
"""Characters of all that is kept of a form."""

PROOFS = frozenset({"form_token", "press"})
"""What a form carries besides what was entered: of a session that is over it proves nothing."""


def is_secret(name: str) -> bool:
    """Whether a field of a page holds a credential: what is in it is kept nowhere."""
    return name == "secret" or name.endswith("_secret")


@dataclass(frozen=True, slots=True)
class KeptForm:
    """A form: the address that it was sent to, the page that it stands on, and what was entered. `lacking` are the
    fields whose credentials were not kept."""

    id: str
    action: str
    page: str
    fields: Mapping[str, str]
    lacking: tuple[str, ...]
    sent_at: datetime
    until: datetime


def keep(context: Context, cookie: str, proof: str, action: str, page: str, fields: Mapping[str, str]) -> str | None:
    """Keep what was entered in a form for whoever sent it, in place of an earlier one of the same session; the id by
    which they, and nobody else, get it back. None where it is not kept: the session is none, lasts, or was ended by
    somebody; the form is not one of it (`proof`); nothing was entered, or too much."""
    now = context.now()
    entered = {name: value for name, value in fields.items() if name not in PROOFS and not is_secret(name)}
    lacking = sorted(name for name in fields if is_secret(name))
    body = json.dumps({"action": action, "page": page, "fields": entered, "lacking": lacking})
    if not entered or len(body) > LONGEST:
        return None
    with context.database.session() as session:
        row = session.scalar(select(SessionRow).where(SessionRow.hash == token_hash(cookie)))
        person = session.get(PersonRow, row.person_id) if row is not None else None
        if row is None or person is None or person.disabled_at is not None or not sessions.ran_out(row, now):
            return None
        if not hmac.compare_digest(proof.encode(), sessions.form_token(cookie).encode()):
            return None
        forget_old(session, now)
        kept = {
            "id": new_id("frm"),
            "person_id": person.id,
            "secret": context.vault.seal(body),
            "created_at": now,
            "expires_at": now + LASTS,
        }
        put = insert(session, KeptFormRow).values(session_id=row.id, **kept)
        # Two tabs may send at once: the last of them stays.
        session.execute(put.on_conflict_do_update(index_elements=[KeptFormRow.session_id], set_=kept))
    return str(kept["id"])


def get(context: Context, person_id: str, form_id: str) -> KeptForm:
    """The form of that id that this person sent. Raises NotFound, also for what somebody else sent; KeyProblem."""
    with context.database.session() as session:
        row = session.get(KeptFormRow, form_id)
        if row is None or row.person_id != person_id or row.expires_at <= context.now():
            raise NotFound("form", form_id, "It was kept for an hour, for whoever sent it.")
    said = json.loads(context.vault.kept(row.secret))
    fields, lacking = said["fields"], tuple(said["lacking"])
    return KeptForm(row.id, said["action"], said["page"], fields, lacking, row.created_at, row.expires_at)


def discard(context: Context, person_id: str, form_id: str) -> KeptForm:
    """Keep it no longer; what it was. Raises as `get` does."""
    found = get(context, person_id, form_id)
    with context.database.session() as session:
        session.execute(delete(KeptFormRow).where(KeptFormRow.id == form_id))
        context.done(session, form_id)
    return found


def forget_old(session: Session, now: datetime) -> int:
    """Delete what was not asked for in time; how many."""
    return rows_changed(session.execute(delete(KeptFormRow).where(KeptFormRow.expires_at <= now)))
