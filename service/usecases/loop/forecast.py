"""Which phase an iteration was planned to be of, and which it is expected to be of by now. Reads our store only."""

from __future__ import annotations

from sqlalchemy import select

from service.context import Context
from service.domain.loop import course as courses
from service.domain.loop import loop_state
from service.domain.loop.course import Course
from service.domain.loop.turnover import Move, Turnover, decision_words
from service.domain.plan.plan_json import plan_from_json
from service.store import loops
from service.store.tables import PlanRow, RunRow
from service.usecases.loop import scheduling
from service.usecases.plan.project_state import Material, material
from service.usecases.setup import projects
from service.views.loop import PhaseForecast


def forecast(context: Context, project: str) -> list[PhaseForecast]:
    """The phases of the current iteration and of those to come, as planned and as expected: by what was begun, what a
    person decided, and what the newest proposal for the current iteration found its phase to lack. Raises NotFound,
    Conflict, InvalidInput."""
    known = material(context, projects.get(context, project).id)
    proposed = _proposed(context, known)
    planned = courses.course(known.template, known.parameters, known.calendar)
    expected = _expected(known, proposed)
    first, last = max(known.current, 1), max(len(planned.turns), len(expected.turns))
    ends = _ends(known, proposed)
    return [_one(known, planned, expected, number, proposed, ends=ends) for number in range(first, last + 1)]


def _one(
    known: Material, planned: Course, expected: Course, number: int, proposed: Turnover | None, *, ends: bool
) -> PhaseForecast:
    was, now = _phase(planned, number), _phase(expected, number)
    if ends and number > known.current:
        now = None
    coming = number == known.current + 1
    why = _why(known, proposed) if coming else ""
    if not why and was != now:
        why = "the phases before it took more or fewer iterations than planned"
    return PhaseForecast(number, was, now, why, open=number == known.current)


def _phase(course: Course, number: int) -> str | None:
    return course.turn(number).stage.phase if number <= len(course.turns) else None


def _expected(known: Material, proposed: Turnover | None) -> Course:
    """The iterations as they are expected: a decision comes first, then what a proposal found."""
    loop = known.loop
    if proposed is None or proposed.stage is None or (loop is not None and loop.decision is not None):
        return scheduling.course_of(known)
    return courses.course(
        known.template,
        known.parameters,
        known.calendar,
        known.begun,
        coming=proposed.stage,
        coming_first=loop.next_first if loop is not None else None,
    )


def _ends(known: Material, proposed: Turnover | None) -> bool:
    """Whether the current iteration is expected to be the last one."""
    decision = loops.decision(known.loop) if known.loop is not None else None
    if decision is not None:
        return decision.move is Move.END
    return proposed is not None and proposed.move is Move.END


def _why(known: Material, proposed: Turnover | None) -> str:
    """Why the coming iteration is expected to be what it is."""
    decision = loops.decision(known.loop) if known.loop is not None else None
    if decision is not None:
        return f"decided by {decision.by}: {decision_words(decision.move, decision.phase)}"
    if proposed is not None and proposed.lacking:
        return f"the current phase has not reached its output: {'; '.join(proposed.lacking)}"
    return ""


def _proposed(context: Context, known: Material) -> Turnover | None:
    """What the newest proposal for the current iteration would do; None where there is none."""
    of_this = (
        RunRow.project_id == known.project.id,
        RunRow.kind == loop_state.PROPOSE,
        RunRow.iteration == known.current,
    )
    newest = select(RunRow.plan_id).where(*of_this, RunRow.plan_id.is_not(None)).order_by(RunRow.created_at.desc())
    with context.database.session() as session:
        plan_id = session.scalar(newest.limit(1)) if known.current else None
        row = session.get(PlanRow, plan_id) if plan_id is not None else None
    return plan_from_json(row.body).turnover if row is not None and "changes" in row.body else None
