"""What people do with the tickets of the current iteration, seen as its tracker tells of it: the history shows them as
they stand, and figures count them, while the iteration is current."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime

from connectors.events import Changed, TrackerEvent
from service.context import Context
from service.domain.english import counted
from service.domain.loop import figures, loop_state
from service.domain.loop.figures import Outcome, TicketRecord
from service.domain.plan import run_state
from service.store import loops
from service.store.tables import IterationRow, LoopRow, ProjectRow, RunRow
from service.usecases.audit import record_audit
from service.usecases.plan import advance_plan
from service.usecases.plan.project_state import material

SHOWN = frozenset(Changed) - {Changed.COMMENT, Changed.LIST}
"""Changes that the tickets of an iteration can show."""


def concerns(event: TrackerEvent) -> bool:
    """Whether the tickets of an iteration may stand otherwise after this."""
    return bool(event.item) and bool(event.changes & SHOWN)


class Following:
    """How far one process has followed each project. Many events come close upon one another, such as when people move
    a whole column: one look that began after several arrived is for all of them."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._looked: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def follow(self, project: ProjectRow, arrived: datetime) -> Mapping[str, str] | None:
        """Look at the tickets of the current iteration, unless a look did that began after the event had arrived, and
        write down how they stand; what came of it, None for nothing. Raises what the tracker raises."""
        now = self._context.now()
        with self._lock:
            if self._looked.get(project.id, arrived) > arrived:
                return None
            before = self._looked.get(project.id)
            self._looked[project.id] = now
        try:
            return self._look(project)
        except BaseException:
            with self._lock:
                if self._looked.get(project.id) == now:
                    self._looked.pop(project.id)
                    if before is not None:
                        self._looked[project.id] = before
            raise

    def _look(self, project: ProjectRow) -> Mapping[str, str] | None:
        ours = material(self._context, project.id)
        if not ours.current or not _stands_still(self._context, ours.loop):
            return None
        with self._context.tracker(ours.connection) as tracker:
            place = record_audit.located(self._context, tracker, ours)
            contents = advance_plan.going_on(tracker, place, ours)
        if contents is None:
            return None
        with self._context.database.session() as session:
            loop = loops.locked(session, project.id)
            row = session.get(IterationRow, (project.id, ours.current))
            if loop is None or loop.current != ours.current or row is None or row.closed_at is not None:
                return None
            begun = [TicketRecord.from_json(one) for one in row.tickets]
            stand = figures.as_they_stand(begun, contents, ours.people)
            if stand == begun:
                return None
            row.tickets = [one.to_json() for one in stand]
        done = sum(one.outcome is Outcome.DONE for one in stand)
        text = f"Iteration {ours.current} of {project.key}: {done} of {counted(len(stand), 'ticket')} done."
        return {"what": "history-follows", "project": project.id, "text": text}


def _stands_still(context: Context, loop: LoopRow | None) -> bool:
    """Whether no advance is under way, which records itself what it finds."""
    if loop is None or loop.state == loop_state.ENDED:
        return False
    with context.database.session() as session:
        run = session.get(RunRow, loop.run_id) if loop.run_id is not None else None
    at_work = run is not None and run.state not in run_state.ENDED and run.state != run_state.HELD
    return not (at_work and run is not None and run.kind == loop_state.ADVANCE)
