"""The addresses of a project: how it stands, what advancing would do, and what can be done about it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from service.api.given import Named
from service.domain.problems import InvalidInput
from service.pages import advance as advance_page
from service.pages import burn_up, evolution, plan, project, schedule
from service.pages.frame import PROJECTS, SCHEDULE
from service.pages.given import LONGEST, Form, Here, PressRoute, Sent, Visit, led_to
from service.pages.sent import Sent as Entered
from service.pages.sent import wrong_by
from service.usecases.audit import record_upkeep
from service.usecases.loop import advances, scheduling
from service.usecases.plan import planning

router = APIRouter(include_in_schema=False)
pressing = APIRouter(include_in_schema=False, route_class=PressRoute)


@router.get("/projects/{name}")
def show(name: Named, visit: Here) -> Response:
    """A project, from our records."""
    return visit.page("project.html", project.page_of(visit.context, visit.caller, name), PROJECTS)


@router.get("/projects/{name}/evolution")
def show_evolution(
    name: Named, visit: Here, q: Annotated[str, Query(max_length=evolution.LONGEST_SEARCH)] = ""
) -> Response:
    """What was decided and why, and the measures over iterations."""
    return visit.page("evolution.html", evolution.page_of(visit.context, name, q), PROJECTS)


@router.get("/projects/{name}/burn-up")
def show_burn_up(name: Named, visit: Here) -> Response:
    """The current iteration by day, as the tracker shows it now; nothing is written by looking."""
    return visit.page("burn-up.html", burn_up.page_of(visit.context, name), PROJECTS)


@router.get("/projects/{name}/advance")
def show_advance(name: Named, visit: Here, by: Annotated[str, Query(max_length=20)] = plan.EPIC) -> Response:
    """What advancing would do now; nothing is written by looking."""
    return visit.page("advance.html", advance_page.page_of(visit.context, visit.caller, name, by), PROJECTS)


@pressing.post("/projects/{name}/advance")
def advance(name: Named, visit: Here, form: Sent) -> Response:
    """Begin the iteration that the form names; where it has begun meanwhile, lead to the run that did."""
    begins = int(form("begins")) if form("begins").isdecimal() and len(form("begins")) < 6 else None
    run = visit.once(
        lambda: advances.advance(visit.context, name, visit.login, visit.enqueue, begins=begins or None).id
    )
    return led_to(f"/runs/{run}")


@pressing.post("/projects/{name}/plans")
def plan_again(name: Named, visit: Here) -> Response:
    """See what would change now."""
    return led_to(f"/plans/{visit.once(lambda: planning.make_plan(visit.context, name).id)}")


@pressing.post("/projects/{name}/audit")
def audit(name: Named, visit: Here) -> Response:
    """Have the records audited now."""
    run = visit.once(lambda: record_upkeep.begin(visit.context, name, visit.login, visit.enqueue).id)
    return led_to(f"/runs/{run}")


@pressing.post("/projects/{name}/pause")
def pause(name: Named, visit: Here, form: Sent) -> Response:
    """Have the clock start nothing until somebody resumes it."""
    reason = form("reason", LONGEST)
    try:
        found = visit.once(lambda: scheduling.pause(visit.context, name, visit.login, reason).project_id)
    except InvalidInput as error:
        return _again(visit, name, form, Entered({"reason": reason}, wrong_by(error, {}, "reason")))
    return _back(found, form)


def _again(visit: Visit, name: str, form: Form, sent: Entered) -> Response:
    """The page that the form stood on, with what was entered and what is wrong with it."""
    if form("back", 20) == "schedule":
        page = schedule.project_of(visit.context, visit.caller, name, sent)
        return visit.page("project-schedule.html", page, SCHEDULE, 422)
    return visit.page("project.html", project.page_of(visit.context, visit.caller, name, sent), PROJECTS, 422)


@pressing.post("/projects/{name}/resume")
def resume(name: Named, visit: Here, form: Sent) -> Response:
    """Let the loop turn again."""
    return _back(visit.once(lambda: scheduling.resume(visit.context, name, visit.login).project_id), form)


def _back(project: str, form: Form) -> Response:
    """Lead to the page that the form stood on: that of the project, or its schedule."""
    return led_to(f"/projects/{project}/schedule" if form("back", 20) == "schedule" else f"/projects/{project}")
