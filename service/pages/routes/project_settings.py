"""The address of a project's settings."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from fastapi import APIRouter, Response

from connectors.errors import TrackerError
from connectors.values import Finding, Severity
from service.api.given import Named
from service.domain.problems import InvalidInput
from service.pages import entries, project_settings
from service.pages.frame import PROJECTS
from service.pages.given import Here, PressRoute, Sent, Visit, led_to
from service.pages.project_settings import Entered
from service.usecases.errors import NotFound
from service.usecases.plan import planning
from service.usecases.setup import projects
from service.views.setup import ProjectView

router = APIRouter(include_in_schema=False)
pressing = APIRouter(include_in_schema=False, route_class=PressRoute)


@router.get("/projects/{name}/settings")
def show(name: Named, visit: Here) -> Response:
    """What a project's next plan is made from."""
    return _shown(visit, projects.going_on(visit.context, name))


@pressing.post("/projects/{name}/settings")
def change(name: Named, visit: Here, form: Sent) -> Response:
    """Show the plan that brings what was changed; the form again where something is wrong, or nothing was changed."""
    project = projects.going_on(visit.context, name)
    given = {one: form(one, 1000) for one in form.values if one not in ("form_token", "press")}
    found = project_settings.entered(visit.context, project, given)
    if found.clashes or not found.changed:
        return _shown(visit, project, found, found.clashes, status=409 if found.clashes else 200)

    def act() -> str:
        wish = project_settings.asked(visit.context, project, found.changed)
        return planning.make_plan(visit.context, project.id, asked=wish).id

    try:
        return led_to(f"/plans/{quote(visit.once(act))}")
    except InvalidInput as error:
        return _shown(visit, project, found, entries.by_field(error.problems), status=422)
    except NotFound as error:
        return _shown(visit, project, found, entries.wrong_of(error), status=422)
    except TrackerError as error:
        blocked = (Finding(Severity.ERROR, "unreachable", error.message, error.fix),)
        return _shown(visit, project, found, blocked=blocked, status=503)


def _shown(
    visit: Visit,
    project: ProjectView,
    found: Entered | None = None,
    wrong: Mapping[str, str] | None = None,
    *,
    blocked: tuple[Finding, ...] = (),
    status: int = 200,
) -> Response:
    page = project_settings.page_of(visit.context, visit.caller, project, found, wrong, blocked)
    return visit.page("project-settings.html", page, PROJECTS, status)
