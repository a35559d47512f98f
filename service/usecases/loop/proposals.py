"""Moves that events have proposed. Each waits for a person until somebody decides, or the iteration is over."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.domain.commands import typed
from service.domain.loop.turnover import Decision, Move
from service.store.tables import EventRow, LoopRow
from service.usecases.loop.decisions import DECIDED

PROPOSED = "move-proposed"
"""The kind of the events that tell of one."""


def accepting(project: str, proposed: Decision) -> str:
    """The command by which one of the team decides as it was proposed. `project` is its key."""
    move, phase, reason = proposed.move, proposed.phase, proposed.reason
    if phase is None:
        return f"phaseloop phase {typed(project)} {typed(move)} --reason {typed(reason)}"
    return f"phaseloop phase {typed(project)} {typed(move)} {typed(phase)} --reason {typed(reason)}"


def waiting(session: Session, loop: LoopRow) -> list[Decision]:
    """The proposals about what follows the current iteration that came after the last decision about that, the newest
    first, each move once. `by` is the trigger."""
    here = EventRow.project_id == loop.project_id, EventRow.iteration == loop.current
    decided = session.scalar(select(func.max(EventRow.id)).where(*here, EventRow.kind == DECIDED)) or 0
    query = select(EventRow).where(*here, EventRow.kind == PROPOSED, EventRow.id > decided)
    found: dict[tuple[str, str | None], Decision] = {}
    for row in session.scalars(query.order_by(EventRow.id.desc())):
        move, phase = row.data["move"], row.data["phase"]
        found.setdefault((move, phase), Decision(Move(move), row.by, row.data["reason"], row.at, phase))
    return list(found.values())
