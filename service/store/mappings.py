"""What stands for what in the projects of a connection's tracker, by the tracker's own ids."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.mapped import KEPT, NEW, NONE, Choice, Found, Mapped
from connectors.values import Place
from service.store.tables import MappingRow

Entries = dict[str, dict[str, Any]]


def remembered(session: Session, connection_id: str) -> dict[tuple[str, str], dict[str, Choice]]:
    """What was chosen for each of a connection's tracker projects, by its site and the tracker's id of each."""
    rows = session.scalars(select(MappingRow).where(MappingRow.connection_id == connection_id))
    return {(row.site, row.tracker_project): choices_in(row.entries) for row in rows}


def choices_in(entries: Mapping[str, Mapping[str, Any]]) -> dict[str, Choice]:
    """Stored entries as choices."""
    return {
        role: Choice(str(one["id"]), str(one.get("name", "")), Found(one.get("found", "set")), str(one.get("by", "")))
        for role, one in entries.items()
    }


def row_for(session: Session, connection_id: str, place: Place) -> MappingRow | None:
    """The mapping of a project, None while nothing of it was kept."""
    row = session.get(MappingRow, (connection_id, place.site, place.ref.id))
    return row or session.get(MappingRow, (connection_id, "", place.ref.id))  # of an earlier version


def kept_row(session: Session, connection_id: str, place: Place, now: datetime) -> MappingRow:
    """The mapping of a project, made if there was none."""
    row = row_for(session, connection_id, place)
    if row is None:
        row = MappingRow(
            connection_id=connection_id,
            site=place.site,
            tracker_project=place.ref.id,
            name=place.ref.key,
            entries={},
            version=0,
            updated_at=now,
        )
        session.add(row)
        session.flush()
    row.site = place.site
    return row


def keep(session: Session, connection_id: str, place: Place, mapping: tuple[Mapped, ...], now: datetime) -> None:
    """Keep what was found, so that the ids decide from now on, and the names that things have now. What a person set
    stays. Repeatable."""
    row = row_for(session, connection_id, place)
    entries: Entries = dict(row.entries) if row is not None else {}
    for one in mapping:
        known = entries.get(one.role)
        if known is not None and known.get("found") == Found.SET:
            if known["id"] not in (NEW, NONE) and known["id"] == one.id and known.get("name") != one.name:
                entries[one.role] = {**known, "name": one.name}
            elif known["id"] == NEW and one.found is Found.OWN and one.id:  # it was made, and is known by its id now
                entries[one.role] = {**known, "id": one.id, "name": one.name, "found": Found.OWN.value}
        elif one.found in KEPT and one.id:
            same = known is not None and known["id"] == one.id
            at = known["at"] if known is not None and same else now.isoformat()
            by = known["by"] if known is not None and one.found is Found.OWN else ""  # who asked for a list of ours
            entries[one.role] = {"id": one.id, "name": one.name, "found": one.found.value, "by": by, "at": at}
    if row is None and not entries:
        return
    row = kept_row(session, connection_id, place, now)
    if entries != row.entries:
        row.entries, row.version, row.updated_at = entries, row.version + 1, now
    row.name = place.ref.key
