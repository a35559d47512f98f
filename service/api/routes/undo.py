"""Plans that take back: what one run did, or all that was done for a project."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response, status

from service.api import openapi, project_models
from service.api.given import AUTHENTICATED, IDEMPOTENT, Given, Id, Named, Once
from service.api.routing import CreatingRoute
from service.context import Context
from service.usecases.plan import planning, undo_plan

creating = APIRouter(tags=["plans"], dependencies=[AUTHENTICATED], route_class=CreatingRoute)

_CREATED: dict[int | str, dict[str, Any]] = {
    201: {"headers": openapi.location_header("plan") | openapi.REPLAYED},
}


@creating.post(
    "/runs/{run_id}/undo-plans",
    operation_id="makeUndoPlan",
    summary="Plan to undo a run",
    status_code=status.HTTP_201_CREATED,
    response_model=project_models.Plan,
    dependencies=[IDEMPOTENT],
    responses={
        **_CREATED,
        **openapi.problems(
            *openapi.ALWAYS,
            *openapi.IDEMPOTENCY,
            *openapi.TRACKER,
            *("not-found", "run-state", "project-ended", "nothing-to-undo", "unsettled", "invalid-input"),
        ),
    },
)
def make_undo_plan(run_id: Id, context: Given, once: Once, response: Response) -> dict[str, Any]:
    """A plan that removes what the run made and nobody touched since, and puts back what it wrote. What people touched
    is in it as kept, with what they did in `note`. Reads the tracker, writes nothing to it; apply the plan by its id.
    """
    return _answered(context, once(lambda: undo_plan.plan_undo(context, run_id).id), response)


@creating.post(
    "/projects/{name}/removal-plans",
    operation_id="makeRemovalPlan",
    summary="Plan to remove a project",
    status_code=status.HTTP_201_CREATED,
    response_model=project_models.Plan,
    dependencies=[IDEMPOTENT],
    responses={
        **_CREATED,
        **openapi.problems(
            *openapi.ALWAYS,
            *openapi.BODY,
            *openapi.IDEMPOTENCY,
            *openapi.TRACKER,
            *("not-found", "ambiguous", "run-state", "project-ended", "unsettled"),
        ),
    },
)
def make_removal_plan(
    name: Named, body: project_models.NewRemovalPlan, context: Given, once: Once, response: Response
) -> dict[str, Any]:
    """A plan that ends the project; with `undo` it first takes back what all of its runs did and nobody touched since.
    An ended project keeps its runs and takes no more plans; its key can be used anew."""
    return _answered(context, once(lambda: undo_plan.plan_removal(context, name, undo=body.undo).id), response)


def _answered(context: Context, plan_id: str, response: Response) -> dict[str, Any]:
    response.headers["Location"] = f"/api/v1/plans/{plan_id}"
    return planning.get(context, plan_id).to_json()
