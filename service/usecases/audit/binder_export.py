"""Binders: what is known of an iteration's documentation, or a whole project's, as one signed file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from service import __version__
from service.binder import file, page
from service.context import Context
from service.domain.audit.binder import Bound, content_of, fingerprint, sealed
from service.domain.audit.chain import READING, Entry, canonical
from service.store import audits
from service.store.secrets import new_id
from service.store.tables import AuditRow, ConnectionRow, SigningKeyRow, TemplateRow
from service.usecases.audit.history import History, Past, history
from service.usecases.errors import NotFound
from service.views.setup import ProjectView


class Format(StrEnum):
    """What a binder is written as."""

    HTML = "html"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Signer:
    """A key that signs binders: its public half in hexadecimal, the fingerprint that people compare, and since when it
    is."""

    public: str
    fingerprint: str
    created_at: datetime


def make(context: Context, project: str, number: int | None, format: Format) -> bytes:  # noqa: A002
    """The binder of iteration `number`, or of the whole project, signed; a key is made on first use.

    Reads only what is stored; looks at no tracker. Raises NotFound (project, iteration), Conflict (several projects of
    that name), KeyProblem.
    """
    return written(context, content(context, project, number), format)


def content(context: Context, project: str, number: int | None) -> Mapping[str, Any]:
    """What the binder of iteration `number`, or of the whole project, holds as it is known now, not yet signed. Raises
    NotFound, Conflict."""
    found = history(context, project)
    begun = [past for past in found.iterations if number is None or past.row.number == number]
    if number is not None and not begun:
        raise NotFound("iteration", str(number), f"{found.project.name} has {_numbers(found)}.")
    with context.database.session() as session:
        entries, rows = audits.entries(session, found.project.id), audits.rows(session, found.project.id)
        about = _project(session, found.project)
    made = {"at": context.now().isoformat(), "phaseloop": __version__, "page": page.version()}
    return content_of(made, about, number, _bound(begun, rows, entries), entries)


def written(context: Context, content: Mapping[str, Any], form: Format) -> bytes:
    """The binder with this content as a file, signed by the key that signs now. Raises KeyProblem."""
    row = _key(context)
    secret = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(context.vault.open(row.secret)))
    if form is Format.JSON:
        return file.as_json(sealed(content, row.public, None, secret.sign))
    shown = page.render(content, row.public)
    return file.as_page(shown, sealed(content, row.public, file.page_digest(shown), secret.sign))


def mark(context: Context, content: Mapping[str, Any], form: Format) -> str:
    """What tells whether a binder made now would say anything that one made before did not: a digest of all but the
    instant at which it is made, and of who signs it."""
    made = {name: value for name, value in content["made"].items() if name != "at"}
    said = {**content, "made": made}
    return sha256(canonical([said, _key(context).public, form.value])).hexdigest()


def signers(context: Context) -> list[Signer]:
    """The keys that binders of this installation were signed with, the one that signs now first; it is made if there is
    none."""
    _key(context)
    with context.database.session() as session:
        return [_signer(row) for row in session.scalars(_NEWEST_FIRST)]


def renew(context: Context) -> Signer:
    """Make a new key that signs from now on; binders signed before stay verifiable by the old fingerprint."""
    return _signer(_new_key(context))


_NEWEST_FIRST = select(SigningKeyRow).order_by(SigningKeyRow.created_at.desc(), SigningKeyRow.id)


def _key(context: Context) -> SigningKeyRow:
    """The key that signs now."""
    with context.database.session() as session:
        row = session.scalar(_NEWEST_FIRST.limit(1))
    return row if row is not None else _new_key(context)


def _new_key(context: Context) -> SigningKeyRow:
    secret = Ed25519PrivateKey.generate()
    row = SigningKeyRow(
        id=new_id("key"),
        public=secret.public_key().public_bytes_raw().hex(),
        secret=context.vault.seal(secret.private_bytes_raw().hex()),
        created_at=context.now(),
    )
    with context.database.session() as session:
        session.add(row)
    return row


def _signer(row: SigningKeyRow) -> Signer:
    return Signer(row.public, fingerprint(row.public), row.created_at)


def _project(session: Session, row: ProjectView) -> dict[str, Any]:
    connection = session.get_one(ConnectionRow, row.connection_id)
    template = session.get_one(TemplateRow, row.template_digest)
    return {
        "id": row.id,
        "key": row.key,
        "name": row.name,
        "url": row.url or "",
        "tracker": connection.kind,
        "template": template.name,
        "template_version": template.version,
        "template_digest": template.digest,
        "time_zone": row.time_zone,
        "ended_at": row.ended_at.isoformat() if row.ended_at else None,
    }


def _bound(begun: Sequence[Past], rows: Mapping[int, AuditRow], entries: Sequence[Entry]) -> list[Bound]:
    newest = {entry.iteration: entry.seq for entry in entries if entry.kind == READING}
    return [
        Bound(
            _about(past),
            newest.get(past.row.number),
            row.audited_at if (row := rows.get(past.row.number)) is not None else None,
            row.trouble if row is not None else "",
        )
        for past in begun
    ]


def _about(past: Past) -> dict[str, Any]:
    row = past.row
    return {
        "number": row.number,
        "title": row.title,
        "phase": row.phase,
        "loop": row.loop,
        "first": row.first.isoformat(),
        "last": row.last.isoformat(),
        "began_at": row.began_at.isoformat(),
        "closed_at": row.closed_at.isoformat() if row.closed_at else None,
        "figures": past.figures.to_json(),
    }


def _numbers(found: History) -> str:
    numbers = [past.row.number for past in found.iterations]
    return f"iterations {numbers[0]} to {numbers[-1]}" if numbers else "no iterations yet"
