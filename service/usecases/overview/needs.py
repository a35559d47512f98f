"""Which projects need somebody, each for one reason: the most urgent. From our records; reads no tracker."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from connectors.values import Severity
from service.context import Context
from service.domain.commands import typed
from service.domain.english import counted
from service.domain.loop import loop_state
from service.domain.plan import run_state
from service.domain.plan.fixers import AUTHORS, PLANNER, TEAM, fixer
from service.store import items
from service.store.tables import ItemRow, LoopRow, RunRow
from service.usecases.audit import audit_reports
from service.usecases.plan import inventory
from service.usecases.setup import projects
from service.views.overview import NeedView, Reason
from service.views.setup import ProjectView


def needs_someone(context: Context, among: Collection[str] | None = None) -> list[NeedView]:
    """The projects that need somebody, the most urgent reason first, then by key: of those that have not ended, were
    set up, and may be seen; or of those with these ids. A fixed number of queries, however many there are. Which
    reason a project has is said once more in SQL, in `portfolio`, to have many in this order."""
    seen = projects.active(context, among)
    ids = [one.id for one in seen]
    with context.database.session() as session:
        known = _Known(
            runs=_newest_runs(session, ids),
            paused=_paused(session, ids),
            refused=_refused(session, ids),
            late={one.project: one.late for one in audit_reports.portfolio(context, among)},
            vacant=inventory.vacant(session, ids),
        )
    found = [need for one in seen if (need := _need(known, one)) is not None]
    order = list(Reason)
    return sorted(found, key=lambda need: (order.index(need.reason), need.project.key, need.project.id))


@dataclass(frozen=True, slots=True)
class _Known:
    runs: Mapping[str, list[RunRow]]
    paused: Mapping[str, LoopRow]
    refused: Mapping[str, int]
    late: Mapping[str, int]
    vacant: Mapping[str, int]


def _need(known: _Known, project: ProjectView) -> NeedView | None:
    """The most urgent reason of a project, None if it needs nobody."""
    asked: tuple[Callable[[_Known, ProjectView], NeedView | None], ...]
    asked = (_held, _failed, _is_paused, _incomplete, _items_refused, _records_late, _vacant)
    return next((need for ask in asked if (need := ask(known, project)) is not None), None)


def _newest_runs(session: Session, ids: list[str]) -> dict[str, list[RunRow]]:
    """Of each project the runs that are held, and the newest that plans were applied by or that turned the loop."""
    of_these = RunRow.project_id.in_(ids)
    found: dict[str, list[RunRow]] = {}
    for run in session.scalars(select(RunRow).where(of_these, RunRow.state == run_state.HELD)):
        found.setdefault(run.project_id, []).append(run)
    newest = (
        select(RunRow.project_id, func.max(RunRow.created_at).label("at"))
        .where(of_these, RunRow.kind != loop_state.AUDIT)
        .group_by(RunRow.project_id)
        .subquery()
    )
    last = (RunRow.project_id == newest.c.project_id) & (RunRow.created_at == newest.c.at)
    query = select(RunRow).join(newest, last).where(RunRow.kind != loop_state.AUDIT)
    for run in session.scalars(query.order_by(RunRow.id)):
        found.setdefault(run.project_id, []).append(run)
    return found


def _paused(session: Session, ids: list[str]) -> dict[str, LoopRow]:
    query = select(LoopRow).where(LoopRow.project_id.in_(ids), LoopRow.state == loop_state.PAUSED)
    return {row.project_id: row for row in session.scalars(query)}


def _refused(session: Session, ids: list[str]) -> dict[str, int]:
    query = select(ItemRow.project_id, func.count()).where(ItemRow.project_id.in_(ids), ItemRow.state == items.REFUSED)
    return dict(session.execute(query.group_by(ItemRow.project_id)).all())


def _of_run(known: _Known, project: ProjectView, state: str, reason: Reason, fix: str) -> NeedView | None:
    """That a run in this state needs somebody: what it found says who."""
    run = next((one for one in known.runs.get(project.id, ()) if one.state == state), None)
    if run is None or (state != run_state.HELD and run.serial != project.serial):
        return None  # what was done since says more
    errors = [one for one in run.findings if one["severity"] == Severity.ERROR]
    first = errors[0] if errors else {"message": run.message or f"The run {run.id} is {state}.", "code": "", "fix": ""}
    since = run.finished_at or run.started_at or run.created_at
    said = str(first["fix"]) or fix.format(run=run.id)
    return NeedView(
        project, reason, str(first["message"]), fixer(str(first["code"])), said, max(1, len(errors)), run.id, since
    )


def _held(known: _Known, project: ProjectView) -> NeedView | None:
    return _of_run(known, project, run_state.HELD, Reason.HELD, "See: phaseloop runs show {run}")


def _failed(known: _Known, project: ProjectView) -> NeedView | None:
    return _of_run(known, project, run_state.FAILED, Reason.RUN_FAILED, "Retry it: phaseloop runs retry {run}")


def _incomplete(known: _Known, project: ProjectView) -> NeedView | None:
    fix = "Fix what it found, then: phaseloop runs retry {run}"
    return _of_run(known, project, run_state.INCOMPLETE, Reason.RUN_INCOMPLETE, fix)


def _is_paused(known: _Known, project: ProjectView) -> NeedView | None:
    loop = known.paused.get(project.id)
    if loop is None:
        return None
    fix = f"When it shall continue: phaseloop schedule resume {typed(project.key)}"
    return NeedView(project, Reason.PAUSED, loop.message, loop.changed_by or PLANNER, fix, since=loop.updated_at)


def _items_refused(known: _Known, project: ProjectView) -> NeedView | None:
    number = known.refused.get(project.id, 0)
    if not number:
        return None
    message = f"The tracker refused {counted(number, 'item')}."
    fix = f"See which and why: phaseloop status {typed(project.key)}"
    return NeedView(project, Reason.REFUSED, message, AUTHORS, fix, number)


def _records_late(known: _Known, project: ProjectView) -> NeedView | None:
    number = known.late.get(project.id, 0)
    if not number:
        return None
    message = f"{counted(number, 'iteration')} should be documented by now and {'is' if number == 1 else 'are'} not."
    fix = f"See what is lacking: phaseloop audit report {typed(project.key)}"
    return NeedView(project, Reason.RECORDS_LATE, message, TEAM, fix, number)


def _vacant(known: _Known, project: ProjectView) -> NeedView | None:
    number = known.vacant.get(project.id, 0)
    if not number:
        return None
    message = f"{counted(number, 'ticket')} {'has' if number == 1 else 'have'} nobody."
    seen = f"See which: phaseloop status {typed(project.key)}."
    fix = f"{seen} Have somebody hold the role, or make room, and plan again."
    return NeedView(project, Reason.VACANCIES, message, PLANNER, fix, number)
