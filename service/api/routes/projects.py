"""Projects, what they have in their tracker, and the making of plans."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response, status

from service import templates as template_files
from service.api import models, openapi, project_models
from service.api.given import AUTHENTICATED, IDEMPOTENT, Given, Named, Once, matches, unchanged
from service.api.pages import Asked, invalid_cursor, page
from service.api.problems import ApiProblem, placed
from service.api.routing import CreatingRoute, JsonRoute
from service.api.whole import also
from service.context import Context
from service.domain.problems import InvalidInput, Problem
from service.domain.team.calendar_file import CalendarSpec, spec_from_json
from service.templates import TemplateText
from service.usecases.errors import NotFound
from service.usecases.loop import scheduling
from service.usecases.plan import inventory, plan_options, planning, project_status
from service.usecases.plan.plan_options import Wish
from service.usecases.setup import projects
from service.views.plan import ItemView
from service.views.setup import ProjectView

router = APIRouter(prefix="/projects", tags=["projects"], dependencies=[AUTHENTICATED], route_class=JsonRoute)
creating = APIRouter(prefix="/projects", dependencies=[AUTHENTICATED], route_class=CreatingRoute)


@router.get(
    "",
    operation_id="listProjects",
    summary="List the projects",
    response_model=project_models.ProjectPage,
    responses={200: {"headers": openapi.LINK}, **openapi.problems(*openapi.ALWAYS, "invalid-input")},
)
def list_projects(request: Request, response: Response, context: Given, asked: Asked) -> dict[str, Any]:
    """Oldest first."""

    def read(limit: int) -> list[ProjectView]:
        try:
            return projects.page(context, limit, asked.after)
        except NotFound as error:
            raise invalid_cursor() from error

    return page(request, response, asked, read, lambda row: row.id, ProjectView.to_json)


def _new(body: project_models.NewProject) -> projects.Request:
    template, calendar, unreadable = _read(body)
    return projects.Request(
        name=body.name,
        key=body.key,
        connection=body.connection,
        team=body.team,
        template=template,
        parameters=body.parameters,
        time_zone=body.time_zone,
        create=body.create,
        calendar=calendar,
        turning=_turning(body),
        audit=body.audit.model_dump(exclude_unset=True) if body.audit is not None else {},
        unreadable=unreadable,
    )


def _check_new(context: Context, _names: Mapping[str, str], body: project_models.NewProject) -> None:
    """What there is against a new project of this body. Writes nothing."""
    with placed(partial(_pointer, calendar=body.calendar is not None, audit=body.audit is not None)):
        try:
            projects.check(context, _new(body))
        except NotFound as error:
            field = "team" if error.what == "team" else "connection"
            raise InvalidInput([Problem("project", None, field, error.message, error.fix)]) from error


def _check_changes(context: Context, names: Mapping[str, str], body: project_models.ProjectChanges) -> None:
    """What there is against these changes of the project that the address names. Writes nothing."""
    with placed(partial(_pointer, calendar=body.calendar is not None, audit=body.audit is not None)):
        row = projects.going_on(context, names["name"])
        projects.check(context, _request(context, row, body), row.id)


def _check_plan(context: Context, names: Mapping[str, str], body: project_models.NewPlan) -> None:
    """What there is against a plan of this body, before the tracker is read. Writes nothing."""
    with placed(partial(_planned_pointer, settings=body.settings)):
        planning.check(context, names["name"], *_planned(context, names["name"], body))


def _planned(context: Context, name: str, body: project_models.NewPlan) -> tuple[Wish, planning.Asked | None]:
    settings = None
    if body.settings is not None:
        row = projects.going_on(context, name)
        settings = planning.Asked(_request(context, row, body.settings))
    return Wish(tuple(body.restore), body.adopt), settings


@creating.post(
    "",
    tags=["projects"],
    operation_id="addProject",
    summary="Set up a project",
    status_code=status.HTTP_201_CREATED,
    response_model=project_models.ProjectShown,
    dependencies=[IDEMPOTENT],
    responses={
        201: {"headers": openapi.location_header("project") | openapi.etag_header("project") | openapi.REPLAYED},
        **openapi.problems(
            *(*openapi.ALWAYS, *openapi.BODY, *openapi.IDEMPOTENCY),
            *("not-found", "project-exists", "conflict", "ambiguous"),
        ),
    },
)
@also(_check_new)
def add_project(body: project_models.NewProject, context: Given, once: Once, response: Response) -> dict[str, Any]:
    """Settles the parameters and keeps the template's text with the project. The tracker is asked which of its projects
    the key means, where it answers at once; nothing is written to it. A project that turns out to be none, by the
    findings of its first plan, stays until it is removed: `POST /projects/{id}/removal-plans`, and apply that."""

    def add() -> str:
        return projects.put(context, _new(body), may_exist=False).id

    with placed(partial(_pointer, calendar=body.calendar is not None, audit=body.audit is not None)):
        row = projects.get(context, once(add))
    shown = inventory.shown(context, row).to_json()
    response.headers["Location"] = f"/api/v1/projects/{row.id}"
    response.headers["ETag"] = _etag(row, shown)
    return shown


@router.get(
    "/{name}",
    operation_id="getProject",
    summary="Show a project",
    response_model=project_models.ProjectShown,
    responses={
        200: {"headers": openapi.etag_header("project")},
        **openapi.NOT_MODIFIED,
        **openapi.problems(*openapi.ALWAYS, "not-found", "ambiguous", "invalid-input"),
    },
)
def get_project(name: Named, request: Request, response: Response, context: Given) -> Any:
    """By its id, or by its key where only one connection has it. What exists is counted from our own records."""
    row = projects.get(context, name)
    shown = inventory.shown(context, row).to_json()
    return unchanged(request, response, _etag(row, shown)) or shown


@creating.patch(
    "/{name}",
    tags=["projects"],
    operation_id="changeProject",
    summary="Change a project",
    response_model=project_models.ProjectShown,
    dependencies=[IDEMPOTENT],
    responses={
        200: {"headers": openapi.etag_header("project") | openapi.REPLAYED},
        **openapi.problems(
            *openapi.ALWAYS,
            *openapi.BODY,
            *openapi.IDEMPOTENCY,
            *("not-found", "ambiguous", "project-ended", "version-mismatch", "precondition-required"),
        ),
    },
)
@also(_check_changes)
def change_project(
    name: Named,
    body: project_models.ProjectChanges,
    context: Given,
    once: Once,
    response: Response,
    if_match: Annotated[str | None, Header(description="The ETag that was read; without it nothing is done.")] = None,
) -> dict[str, Any]:
    """Changes what the next plan is made from; plans made before are stale then. Nothing is sent to the tracker."""

    def change() -> str:
        row = projects.going_on(context, name)
        if not matches(if_match, _etag(row, inventory.shown(context, row).to_json()).strip('"')):
            raise ApiProblem("version-mismatch", "The project was changed meanwhile. Read it again first.")
        return projects.put(context, _request(context, row, body)).id

    with placed(partial(_pointer, calendar=body.calendar is not None, audit=body.audit is not None)):
        project_id = once(change)
    scheduling.follow(context, project_id)  # repeatable, so it is done with every answer
    row = projects.get(context, project_id)
    shown = inventory.shown(context, row).to_json()
    response.headers["ETag"] = _etag(row, shown)
    return shown


@router.get(
    "/{name}/items",
    operation_id="listItems",
    summary="List what the project has in its tracker",
    response_model=project_models.ItemPage,
    responses={
        200: {"headers": openapi.LINK},
        **openapi.problems(*openapi.ALWAYS, "not-found", "ambiguous", "invalid-input"),
    },
)
def list_items(name: Named, request: Request, response: Response, context: Given, asked: Asked) -> dict[str, Any]:
    """By key; refused items are in the list, with the tracker's reasons."""
    project_id = projects.get(context, name).id

    def read(limit: int) -> list[ItemView]:
        return inventory.page(context, project_id, limit, asked.after or "")

    return page(request, response, asked, read, lambda row: row.key, ItemView.to_json)


@router.get(
    "/{name}/drift",
    operation_id="getDrift",
    summary="Show what people changed",
    response_model=project_models.DriftReport,
    responses=openapi.problems(
        *openapi.ALWAYS, *openapi.TRACKER, "not-found", "ambiguous", "project-ended", "invalid-input"
    ),
)
def get_drift(name: Named, context: Given) -> dict[str, Any]:
    """Reads the tracker: what people changed since we wrote it, which stays so, and how much a plan would change now.
    Nothing is written and nothing kept."""
    return project_status.drift_json(planning.draft(context, name))


@creating.post(
    "/{name}/plans",
    tags=["plans"],
    operation_id="makePlan",
    summary="Make a plan",
    status_code=status.HTTP_201_CREATED,
    response_model=project_models.Plan,
    dependencies=[IDEMPOTENT],
    responses={
        201: {"headers": openapi.location_header("plan") | openapi.REPLAYED},
        **openapi.problems(
            *openapi.ALWAYS,
            *openapi.BODY,
            *openapi.IDEMPOTENCY,
            *openapi.TRACKER,
            "not-found",
            "ambiguous",
            "project-ended",
        ),
    },
)
@also(_check_plan)
def make_plan(
    name: Named, context: Given, once: Once, response: Response, body: project_models.NewPlan | None = None
) -> dict[str, Any]:
    """Reads the tracker and writes nothing to it. The plan is kept as it is; apply it by its id.

    Without a body, what people changed or deleted stays so. `settings` travel with the plan: they become the project's
    when it is applied, and go back when its run is undone."""
    asked = body or project_models.NewPlan()

    def make() -> str:
        return planning.make_plan(context, name, *_planned(context, name, asked)).id

    with placed(partial(_planned_pointer, settings=asked.settings)):
        plan_id = once(make)
    response.headers["Location"] = f"/api/v1/plans/{plan_id}"
    return planning.get(context, plan_id).to_json()


def _request(context: Context, row: ProjectView, body: project_models.ProjectChanges) -> projects.Request:
    """What is asked of a project that is there: what the body leaves out stays."""
    template, calendar, unreadable = _read(body)
    return projects.Request(
        name=body.name or row.name,
        key=row.key,
        connection=row.connection_id,
        team=body.team or row.team_id,
        template=projects.template_text(context, row) if body.template is None else template,
        parameters=body.parameters,
        time_zone=body.time_zone,
        create=row.create if body.create is None else body.create,
        calendar=calendar,
        turning=_turning(body),
        audit=body.audit.model_dump(exclude_unset=True) if body.audit is not None else {},
        unreadable=unreadable,
    )


def _read(
    body: project_models.NewProject | project_models.ProjectChanges,
) -> tuple[TemplateText | None, CalendarSpec | None, list[Problem]]:
    """The template and the working time that a body holds, and what could not be read of them."""
    problems: list[Problem] = []
    template, calendar = None, None
    try:
        template = _template(body.template) if body.template is not None else None
    except InvalidInput as error:
        problems += error.problems
    try:
        calendar = _calendar(body)
    except InvalidInput as error:
        problems += error.problems
    return template, calendar, problems


def _template(asked: str | models.TemplateText) -> TemplateText:
    """A built-in template by name, or the text that was sent; never a file of the server."""
    if isinstance(asked, str):
        return template_files.load_builtin(asked)
    return TemplateText.of(asked.text, asked.source)


_TURNING = ("carry_over", "ahead", "wip_limit")


def _calendar(body: project_models.NewProject | project_models.ProjectChanges) -> CalendarSpec | None:
    """What the body says of working time. Raises InvalidInput."""
    return spec_from_json(body.calendar) if body.calendar is not None else None


def _turning(body: project_models.NewProject | project_models.ProjectChanges) -> dict[str, Any]:
    """What the body says of how the loop turns. Null says nothing, but for a limit: there is none then."""
    said = {name: getattr(body, name) for name in _TURNING if name in body.model_fields_set}
    return {name: value for name, value in said.items() if value is not None or name == "wip_limit"}


def _pointer(problem: Problem, *, calendar: bool = False, audit: bool = False) -> str | None:
    """Where in the body a problem lies, None for one of the team or of a template's text. `calendar` and `audit` say
    whether there is one in the body."""
    match problem.source:
        case "project" | "turning" | plan_options.SOURCE:
            return problem.pointer
        case "calendar" if calendar:
            return f"/calendar{problem.pointer}"
        case "audit" if audit:
            return f"/audit{problem.pointer}"
        case "parameters":
            return f"/parameters{problem.pointer}"
        case "template":
            return "/template"
        case _:
            return None


def _planned_pointer(problem: Problem, *, settings: project_models.ProjectChanges | None) -> str | None:
    """Where in the body of a plan a problem lies: settings are in a place of their own there."""
    if settings is None or problem.source == plan_options.SOURCE:
        return _pointer(problem)
    found = _pointer(problem, calendar=settings.calendar is not None, audit=settings.audit is not None)
    return f"/settings{found}" if found is not None else None


def _etag(row: ProjectView, shown: dict[str, Any]) -> str:
    """The serial alone would miss what a run writes before it ends."""
    seen = sha256(json.dumps(shown, default=str, sort_keys=True).encode()).hexdigest()
    return f'"{row.serial}-{seen[:16]}"'
