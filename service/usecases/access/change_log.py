"""The log of every change to what we hold: read, filtered, exported, and held against its own seals."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from service.context import Context
from service.domain.audit import chain
from service.domain.sheet import sheet
from service.store.access_tables import ChangeRow
from service.store.changes import LOGGED, entry_of
from service.usecases.setup import projects
from service.views.access import ChangeView


@dataclass(frozen=True, slots=True)
class Asked:
    """Which changes are asked for; what is None leaves none out. `since` is included, `until` is not."""

    by: str | None = None
    thing: str | None = None
    project: str | None = None
    since: datetime | None = None
    until: datetime | None = None


EVERYTHING = Asked()


@dataclass(frozen=True, slots=True)
class Verified:
    """What came of holding the log against its seals: `head` is the digest of the newest entry, which proves all before
    it; `breaks` says what is wrong, in words."""

    entries: int
    head: str
    breaks: tuple[str, ...]


def page(context: Context, limit: int, before: int | None = None, asked: Asked = EVERYTHING) -> list[ChangeView]:
    """Changes, the newest first: at most `limit`, those with a number below `before`. Raises NotFound, Conflict for a
    project that there is not."""
    query = select(ChangeRow).order_by(ChangeRow.seq.desc()).limit(limit)
    if before is not None:
        query = query.where(ChangeRow.seq < before)
    if asked.by is not None:
        query = query.where(ChangeRow.by == asked.by)
    if asked.thing is not None:
        query = query.where(ChangeRow.thing == asked.thing)
    if asked.project is not None:
        query = query.where(ChangeRow.project_id == projects.get(context, asked.project, ask=False).id)
    if asked.since is not None:
        query = query.where(ChangeRow.at >= asked.since)
    if asked.until is not None:
        query = query.where(ChangeRow.at < asked.until)
    with context.database.session() as session:
        return [ChangeView.of(row) for row in session.scalars(query)]


BATCH = 1000
"""Entries that are held in memory at once while the whole log is read."""


def whole(context: Context, asked: Asked = EVERYTHING) -> Iterator[ChangeView]:
    """All changes that are asked for, the newest first, read piece by piece."""
    before: int | None = None
    while found := page(context, BATCH, before, asked):
        yield from found
        before = found[-1].seq


def verify(context: Context) -> Verified:
    """Hold every entry of the log against its seal and against the one before it, and what it is looked up by against
    what was sealed."""
    breaks: list[str] = []
    last: list[chain.Entry] = []
    count = 0
    while True:
        query = select(ChangeRow).where(ChangeRow.seq > (last[0].seq if last else 0)).order_by(ChangeRow.seq)
        with context.database.session() as session:
            rows = list(session.scalars(query.limit(BATCH)))
        if not rows:
            return Verified(count, last[0].digest if last else "", tuple(breaks))
        entries = [entry_of(row) for row in rows]
        breaks += chain.breaks(entries, after=last[0] if last else None)
        breaks += [f"entry {row.seq} is looked up by other words than were sealed" for row in rows if _misfiled(row)]
        count += len(rows)
        last = [entries[-1]]


def _misfiled(row: ChangeRow) -> bool:
    body = row.body
    told = body.get("action"), body.get("thing"), body.get("id"), body.get("project"), body.get("by", {}).get("name")
    return (row.action, row.thing, row.thing_id, row.project_id, row.by) != told


def things() -> list[str]:
    """The kinds of things of which changes are logged, in order."""
    return sorted({*(one.thing for one in LOGGED.values()), "sign-in"})


def count(context: Context) -> int:
    """How many changes there are."""
    with context.database.session() as session:
        return session.scalar(select(func.count()).select_from(ChangeRow)) or 0


HEADINGS = ("seq", "at", "by", "kind", "from", "action", "thing", "id", "name", "project", "before", "after", "digest")


def csv_text(rows: Iterable[ChangeView]) -> str:
    """Changes as a table; what was before and after stands in it as JSON."""
    lines = []
    for row in rows:
        told = row.to_json()
        told |= {"by": row.by, "kind": told["by"]["kind"]}
        told |= {name: json.dumps(told[name], ensure_ascii=False) for name in ("before", "after")}
        lines.append([told[name] for name in HEADINGS])
    return sheet(HEADINGS, lines)


def verified_json(found: Verified) -> dict[str, Any]:
    """What came of verifying as plain values."""
    return {"entries": found.entries, "head": found.head, "holds": not found.breaks, "breaks": list(found.breaks)}
