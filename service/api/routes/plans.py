"""Plans: to look at, and to apply."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response, status

from service.api import openapi, project_models
from service.api.given import AUTHENTICATED, IDEMPOTENT, Caller, Given, Id, Once, StartRun
from service.api.routing import CreatingRoute, JsonRoute
from service.usecases.plan import planning
from service.usecases.run import plan_apply, run_views

router = APIRouter(prefix="/plans", tags=["plans"], dependencies=[AUTHENTICATED], route_class=JsonRoute)
creating = APIRouter(prefix="/plans", tags=["plans"], dependencies=[AUTHENTICATED], route_class=CreatingRoute)


@router.get(
    "/{plan_id}",
    operation_id="getPlan",
    summary="Show a plan",
    response_model=project_models.Plan,
    responses=openapi.problems(*openapi.ALWAYS, "not-found", "invalid-input"),
)
def get_plan(plan_id: Id, context: Given) -> dict[str, Any]:
    """The plan as it was made, and the run that applies it, if there is one."""
    return planning.get(context, plan_id).to_json()


@creating.post(
    "/{plan_id}/apply",
    operation_id="applyPlan",
    summary="Apply a plan",
    status_code=status.HTTP_202_ACCEPTED,
    response_model=project_models.Run,
    dependencies=[IDEMPOTENT],
    responses={
        202: {"headers": openapi.location_header("run") | openapi.REPLAYED},
        **openapi.problems(
            *openapi.ALWAYS,
            *openapi.IDEMPOTENCY,
            "not-found",
            "plan-stale",
            "plan-expired",
            "plan-blocked",
            "project-ended",
            "invalid-input",
        ),
    },
)
def apply_plan(
    plan_id: Id, context: Given, caller: Caller, start: StartRun, once: Once, response: Response
) -> dict[str, Any]:
    """Starts the run and answers at once; follow it at `Location`. The same plan asked for again is the same run."""
    run_id = once(lambda: plan_apply.apply(context, plan_id, caller, start).id)
    response.headers["Location"] = f"/api/v1/runs/{run_id}"
    return run_views.run_json(run_views.progress(context, run_id))
