"""The addresses of plans: to look at, and to apply."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from service.api.given import Id
from service.pages import plan
from service.pages.frame import PROJECTS
from service.pages.given import Here, PressRoute, led_to
from service.usecases.run import plan_apply

router = APIRouter(include_in_schema=False)
pressing = APIRouter(include_in_schema=False, route_class=PressRoute)


@router.get("/plans/{plan_id}")
def show(plan_id: Id, visit: Here, by: Annotated[str, Query(max_length=20)] = plan.EPIC) -> Response:
    """A plan as it was made."""
    return visit.page("plan.html", plan.page_of(visit.context, visit.caller, plan_id, by), PROJECTS)


@pressing.post("/plans/{plan_id}/apply")
def apply(plan_id: Id, visit: Here) -> Response:
    """Start its run, and lead to that."""
    run = visit.once(lambda: plan_apply.apply(visit.context, plan_id, visit.login, visit.enqueue).id)
    return led_to(f"/runs/{run}")
