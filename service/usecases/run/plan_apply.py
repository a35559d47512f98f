"""Applying a plan: claim it, so that it is applied once and only while it is fresh, and start its run."""

from __future__ import annotations

from datetime import datetime

from connectors.values import Severity
from service.context import Context
from service.domain.english import counted
from service.domain.plan import run_state
from service.domain.plan.plan import Purpose
from service.domain.plan.plan_json import plan_from_json
from service.domain.plan.project_settings import SettingsChange
from service.store import runs
from service.store.tables import PlanRow, ProjectRow, RunRow
from service.usecases.errors import Conflict, NotFound, PlanBlocked, PlanExpired, StalePlan
from service.usecases.loop import scheduling
from service.usecases.plan import planning
from service.usecases.queue import Enqueue
from service.usecases.setup import project_changes, projects
from service.views.run import RunView

PLAN_AGAIN = "Make a new one with `phaseloop plan`; it shows what is left."

_AGAIN = {
    Purpose.APPLY: PLAN_AGAIN,
    Purpose.UNDO: "Make a new one with `phaseloop undo`; it shows what is left.",
    Purpose.REMOVE: "Make a new one with `phaseloop projects remove`; it shows what is left.",
}


def apply(context: Context, plan_id: str, started_by: str, enqueue: Enqueue) -> RunView:
    """Start the run of a plan and return it. Asking again for the same plan returns the same run, or the one that took
    its work up.

    Settings that the plan was made with become the project's in the same unit of work.

    Raises NotFound; StalePlan if another plan of the project was applied since, if what this one did was undone, or the
    team that it changes was changed; PlanExpired if it is too old and was not applied before; PlanBlocked if the plan
    has errors; Conflict if the project has ended, and for a plan that a run of the loop made for itself.
    """
    brought: SettingsChange | None = None
    with context.database.session() as session:
        plan_row = session.get(PlanRow, plan_id)
        if plan_row is None:
            raise NotFound("plan", plan_id, "Make one with `phaseloop plan`.")
        purpose = Purpose(plan_row.body.get("purpose", Purpose.APPLY))
        _check_purpose(purpose)
        run_id = f"{purpose}-{plan_id}"
        project = session.get_one(ProjectRow, plan_row.project_id)
        run = session.get(RunRow, plan_row.run_id or run_id)
        if run is None and project.ended_at is not None:
            raise projects.has_ended(project)
        if run is None:
            plan = plan_from_json(plan_row.body)
            if plan.blocked:
                raise PlanBlocked([found for found in plan.findings if found.severity is Severity.ERROR])
            if (until := planning.view_of(context, plan_row).expires_at) <= context.now():
                raise _expired(context, plan_row, until, _AGAIN[purpose])
            if runs.claim(session, plan_row.project_id, plan_row.serial):
                if (brought := plan.settings) is not None:
                    project_changes.bring(session, context, project, brought, _AGAIN[purpose])
                run = _new_run(context, plan_row, run_id, purpose, started_by)
                session.add(run)
                plan_row.run_id = run_id
            else:
                run = session.get(RunRow, run_id)  # there now, if the same plan is being applied by another caller
        if run is None:
            raise StalePlan(
                "plan-stale", "This plan is stale: its project was changed since it was made.", _AGAIN[purpose]
            )
        if run.state in run_state.ENDED and run.id in runs.taken_back(session, project.id):
            message = f"This plan was applied by the run {run.id}, and that was undone since."
            raise StalePlan("plan-stale", message, _AGAIN[purpose])
        partition = project.connection_id
        context.done(session, run.id)
    scheduling.follow_plan(context, project.id, brought, team=False)  # once more, with its team, when the run ends
    # After the commit: a run that is recorded but was not enqueued is enqueued by asking again.
    if run.state not in run_state.ENDED:
        enqueue(run.id, partition)
    return RunView.of(run)


def _check_purpose(purpose: Purpose) -> None:
    """Raise Conflict for a plan that a run of the loop made for itself."""
    if purpose is Purpose.ADVANCE:
        message = "This plan shows what an advance does; it is not applied by itself."
        raise Conflict("advance-plan", message, "Advance the project: that makes the plan anew and applies it.")
    if purpose is Purpose.REACT:
        message = "This plan was made for an event from outside; its run applies it."
        raise Conflict("event-plan", message, "Handle the event again: phaseloop events replay EVENT")
    if purpose is Purpose.DOCUMENT:
        message = "This plan was made by a look at the records; it is not applied by itself."
        raise Conflict("audit-plan", message, "Have the records looked at: that makes the plan anew and applies it.")


def _expired(context: Context, plan: PlanRow, until: datetime, fix: str) -> PlanExpired:
    hours = context.settings.plan_hours
    made = f"{plan.created_at:%Y-%m-%d %H:%M}"
    message = (
        f"This plan expired at {until:%Y-%m-%d %H:%M} UTC: it was made at {made} UTC, and plans are applied within "
    )
    message += f"{counted(hours, 'hour')} of that. Nothing was written."
    return PlanExpired("plan-expired", message, fix)


def _new_run(context: Context, plan: PlanRow, run_id: str, purpose: Purpose, started_by: str) -> RunRow:
    return RunRow(
        id=run_id,
        kind=purpose.value,
        project_id=plan.project_id,
        plan_id=plan.id,
        state=run_state.QUEUED,
        started_by=started_by,
        created_at=context.now(),
        findings=[],
    )
