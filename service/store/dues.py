"""What the clock is to begin, and when: of each project at most one of each kind. Whoever changes it has the project's
loop locked (`loops.locked`), so that a person and the clock come one after the other."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from service.store.rows import insert, keep_others_out
from service.store.tables import DueRow, LoopRow, ProjectRow

TURN = "turn"
"""The loop's next run: what for is `LoopRow.due`. There is none while such a run is in progress, or where the loop does
not turn."""
AUDIT = "audit"
"""A look at the project's records. There is none while one is in progress, or where the clock does not look."""
STAND_UP = "stand-up"
"""The project's next stand-up, where it has any."""


def at(session: Session, project_id: str, kind: str) -> datetime | None:
    """When that is due; None: it is not."""
    return session.scalar(select(DueRow.at).where(DueRow.project_id == project_id, DueRow.kind == kind))


def of_projects(session: Session, kind: str, project_ids: Collection[str]) -> dict[str, datetime]:
    """When that is due, by project; those where it is not are missing."""
    query = select(DueRow.project_id, DueRow.at).where(DueRow.kind == kind, DueRow.project_id.in_(project_ids))
    return dict(session.execute(query).all())


def put(session: Session, project_id: str, kind: str, when: datetime | None) -> None:
    """Have the clock do that then, and at no other time; None: not at all."""
    if when is None:
        drop(session, kind, [project_id])
        return
    there = insert(session, DueRow).values(project_id=project_id, kind=kind, at=when)
    session.execute(there.on_conflict_do_update(index_elements=["project_id", "kind"], set_={"at": when}))


def drop(session: Session, kind: str, project_ids: Collection[str]) -> None:
    """Have the clock not do that with these projects."""
    session.execute(delete(DueRow).where(DueRow.kind == kind, DueRow.project_id.in_(project_ids)))


def clear(session: Session, project_id: str) -> None:
    """Have the clock do nothing with this project."""
    session.execute(delete(DueRow).where(DueRow.project_id == project_id))


def first(session: Session) -> datetime | None:
    """When the next thing is due, of all projects; may be past."""
    return session.scalar(select(func.min(DueRow.at)))


def take(session: Session, kinds: Collection[str], now: datetime, limit: int) -> list[tuple[str, LoopRow]]:
    """What is due of these kinds, at most `limit`, the longest overdue first, each with its project's loop, both
    locked; those left out that somebody else has. What waits for its loop to follow the team is not due yet. Who takes
    it drops it in the same unit of work."""
    ready = DueRow.at <= now, DueRow.behind.is_(None), DueRow.kind.in_(kinds)
    if session.get_bind().dialect.name == "sqlite":
        if session.scalar(select(DueRow.at).where(*ready).limit(1)) is None:
            return []
        keep_others_out(session)
    query = select(DueRow.kind, LoopRow).join(LoopRow, LoopRow.project_id == DueRow.project_id).where(*ready)
    # In the order of the index: a look costs the same however many projects wait or are due at once.
    found = session.execute(query.order_by(DueRow.at).limit(limit).with_for_update(skip_locked=True))
    return [(kind, loop) for kind, loop in found]


def fall_behind(session: Session, team_id: str, version: int) -> None:
    """Say, in the unit of work that changes a team, that the loops of its projects are yet to follow this version: one
    statement, however many there are."""
    of_team = select(ProjectRow.id).where(ProjectRow.team_id == team_id, ProjectRow.ended_at.is_(None))
    waiting = DueRow.kind == TURN, DueRow.project_id.in_(of_team)
    session.execute(update(DueRow).where(*waiting).values(behind=version))


def behind(session: Session, team_id: str | None = None, limit: int | None = None) -> list[tuple[str, int]]:
    """The projects whose loops are yet to follow their team (this one, or any), each with the version to follow."""
    query = select(DueRow.project_id, DueRow.behind).where(DueRow.behind.is_not(None))
    if team_id is not None:
        query = query.join(ProjectRow, ProjectRow.id == DueRow.project_id).where(ProjectRow.team_id == team_id)
    found = session.execute(query.order_by(DueRow.project_id).limit(limit))
    return [(project_id, version) for project_id, version in found if version is not None]


def caught_up(session: Session, project_id: str, version: int) -> None:
    """Say that a loop follows this version of its team; not where the team was changed again meanwhile."""
    same = DueRow.project_id == project_id, DueRow.behind == version
    session.execute(update(DueRow).where(*same).values(behind=None))
