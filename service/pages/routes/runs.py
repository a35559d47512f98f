"""The addresses of runs: all of them, one as it happens, and what can be done about it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from service.api.given import Id
from service.pages import run
from service.pages.frame import RUNS
from service.pages.given import Here, PressRoute, led_to
from service.usecases.plan import undo_plan
from service.usecases.run import run_control

router = APIRouter(include_in_schema=False)
pressing = APIRouter(include_in_schema=False, route_class=PressRoute)


@router.get("/runs")
def show_all(
    visit: Here,
    project: Annotated[str, Query(max_length=200)] = "",
    before: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Runs, newest first."""
    return visit.page("runs.html", run.list_of(visit.context, project, before), RUNS)


@router.get("/runs/{run_id}")
def show(run_id: Id, visit: Here, step: Annotated[int, Query(ge=0, le=100_000)] = 0) -> Response:
    """One run, as it is now."""
    return visit.page("run.html", run.page_of(visit.context, visit.caller, run_id, step), RUNS)


@pressing.post("/runs/{run_id}/cancel")
def cancel(run_id: Id, visit: Here) -> Response:
    """End it after the step that it is in."""
    return _to(visit.once(lambda: run_control.cancel(visit.context, run_id, visit.login).id))


@pressing.post("/runs/{run_id}/retry")
def retry(run_id: Id, visit: Here) -> Response:
    """Do what it left, and send again what was refused."""
    return _to(visit.once(lambda: run_control.retry(visit.context, run_id, visit.login, visit.enqueue).id))


@pressing.post("/runs/{run_id}/resume")
def resume(run_id: Id, visit: Here) -> Response:
    """Continue with it, or have it look again now."""
    return _to(visit.once(lambda: run_control.resume(visit.context, run_id, visit.login, visit.enqueue).id))


@pressing.post("/runs/{run_id}/undo")
def undo(run_id: Id, visit: Here) -> Response:
    """Show what taking it back would do; nothing is written by that."""
    made = visit.once(lambda: undo_plan.plan_undo(visit.context, run_id).id)
    return led_to(f"/plans/{made}")


def _to(run_id: str) -> Response:
    return led_to(f"/runs/{run_id}")
