"""What a project's audits rest on, to be looked through: the entries of its chain, and each of them whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from service.context import Context
from service.domain.audit.chain import Entry
from service.store import audits
from service.store.tables import EvidenceRow
from service.usecases.errors import NotFound
from service.usecases.setup import projects


@dataclass(frozen=True, slots=True)
class Outline:
    """An entry without its body, which may be long."""

    seq: int
    iteration: int | None
    kind: str
    at: datetime
    previous: str
    digest: str


def page(context: Context, project: str, limit: int, after: int = 0) -> list[Outline]:
    """A project's evidence in order: at most `limit` entries, those after the one with the number `after`. Raises
    NotFound, Conflict."""
    row = projects.get(context, project)
    columns = (getattr(EvidenceRow, name) for name in Outline.__dataclass_fields__)
    query = select(*columns).where(EvidenceRow.project_id == row.id, EvidenceRow.seq > after)
    with context.database.session() as session:
        return [Outline(*one) for one in session.execute(query.order_by(EvidenceRow.seq).limit(limit))]


def entry(context: Context, project: str, seq: int) -> Entry:
    """One entry, whole. Raises NotFound (the project, the entry), Conflict."""
    row = projects.get(context, project)
    with context.database.session() as session:
        found = audits.entry(session, row.id, seq)
    if found is None:
        raise NotFound("entry of the evidence", str(seq), "List the evidence to see what there is.")
    return found


def outline_json(one: Outline) -> Mapping[str, Any]:
    """An entry without its body as plain values."""
    return {
        "seq": one.seq,
        "iteration": one.iteration,
        "kind": one.kind,
        "at": one.at.isoformat(),
        "previous": one.previous,
        "digest": one.digest,
    }
