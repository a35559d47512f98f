"""Connections to trackers. Credentials are taken and never given."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response, status

from connectors import registry
from service.api import hook_models, models, openapi
from service.api.given import AUTHENTICATED, IDEMPOTENT, Caller, Given, Named, Once, matches, unchanged
from service.api.problems import ApiProblem, placed, pointer_of
from service.api.routing import CreatingRoute, JsonRoute
from service.domain.problems import Problem
from service.usecases.errors import Conflict
from service.usecases.setup import connections, tracker_mapping

router = APIRouter(prefix="/connections", tags=["connections"], dependencies=[AUTHENTICATED], route_class=JsonRoute)
creating = APIRouter(
    prefix="/connections", tags=["connections"], dependencies=[AUTHENTICATED], route_class=CreatingRoute
)


TrackerProject = Annotated[
    str,
    Query(
        min_length=1,
        max_length=200,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="The project of the tracker: its key, or a board's name or id.",
    ),
]


@router.get(
    "",
    operation_id="listConnections",
    summary="List the connections",
    response_model=models.ConnectionList,
    responses=openapi.problems(*openapi.ALWAYS),
)
def list_connections(context: Given) -> dict[str, Any]:
    """All connections by name."""
    return {"items": [row.to_json() for row in connections.listed(context)], "next": None}


@creating.post(
    "",
    operation_id="addConnection",
    summary="Add a connection",
    status_code=status.HTTP_201_CREATED,
    response_model=models.Connection,
    dependencies=[IDEMPOTENT],
    responses={
        201: {"headers": openapi.location_header("connection") | openapi.REPLAYED},
        **openapi.problems(*openapi.ALWAYS, *openapi.BODY, *openapi.IDEMPOTENCY, "name-taken", "conflict"),
    },
)
def add_connection(body: models.NewConnection, context: Given, once: Once, response: Response) -> dict[str, Any]:
    """Keeps the settings, and the credential encrypted. Nothing is sent to the tracker: see the check for that."""

    def add() -> str:
        return connections.put(context, body.name, body.kind, body.settings, body.secret.get_secret_value()).id

    with placed(lambda problem: _pointer(problem, body.kind)):
        connection_id = once(add)
    response.headers["Location"] = f"/api/v1/connections/{connection_id}"
    return connections.get(context, connection_id).to_json()


@router.get(
    "/{name}",
    operation_id="getConnection",
    summary="Show a connection",
    response_model=models.Connection,
    responses=openapi.problems(*openapi.ALWAYS, "not-found", "invalid-input"),
)
def get_connection(name: Named, context: Given) -> dict[str, Any]:
    """The connection without its credential."""
    return connections.get(context, name).to_json()


@creating.put(
    "/{name}",
    operation_id="replaceConnection",
    summary="Replace a connection's settings and credential",
    response_model=models.Connection,
    dependencies=[IDEMPOTENT],
    responses={
        200: {"headers": openapi.REPLAYED},
        **openapi.problems(*openapi.ALWAYS, *openapi.BODY, *openapi.IDEMPOTENCY, "not-found", "conflict"),
    },
)
def replace_connection(name: Named, body: models.ConnectionSettings, context: Given, once: Once) -> dict[str, Any]:
    """The credential has to be sent again: kept, it could be led to another address than it was given for."""

    def replace() -> str:
        present = connections.get(context, name).name
        secret = body.secret.get_secret_value()
        return connections.put(context, present, body.kind, body.settings, secret, replace=True).id

    with placed(lambda problem: _pointer(problem, body.kind)):
        return connections.get(context, once(replace)).to_json()


@creating.delete(
    "/{name}",
    operation_id="removeConnection",
    summary="Remove a connection",
    response_model=hook_models.Removed,
    dependencies=[IDEMPOTENT],
    responses={
        200: {"headers": openapi.REPLAYED},
        **openapi.problems(*openapi.ALWAYS, *openapi.IDEMPOTENCY, "not-found", "invalid-input", "conflict"),
    },
)
def remove_connection(name: Named, context: Given, once: Once) -> dict[str, Any]:
    """With its credential. Nothing is sent to the tracker: its webhooks there are removed by DELETE of its hook,
    before. Refused while a project that has not ended, or a trigger, uses it."""
    return {"id": once(lambda: connections.remove(context, name))}


@router.post(
    "/{name}/check",
    operation_id="checkConnection",
    summary="Check a connection",
    response_model=models.Preflight,
    responses=openapi.problems(*openapi.ALWAYS, *openapi.BODY, "not-found", "credential-unreadable"),
)
def check_connection(name: Named, context: Given, body: models.CheckRequest | None = None) -> dict[str, Any]:
    """Who we are there, whether the project is visible, what would be refused and who can fix it. Writes nothing."""
    asked = body or models.CheckRequest()
    return connections.check(context, name, asked.project_key, create=asked.create).to_json()


@router.get(
    "/{name}/mapping",
    operation_id="getMapping",
    summary="Show what stands for what in a project of the tracker",
    response_model=models.MappingShown,
    responses={
        200: {"headers": openapi.etag_header("mapping")},
        **openapi.NOT_MODIFIED,
        **openapi.problems(*openapi.ALWAYS, *openapi.TRACKER, "not-found", "invalid-input"),
    },
)
def get_mapping(name: Named, project: TrackerProject, request: Request, response: Response, context: Given) -> Any:
    """Which issue type tickets become, which link type says that one waits for another, which list means done; how
    each was found, and what else there is. Reads the tracker."""
    found = tracker_mapping.shown(context, name, project)
    return unchanged(request, response, f'"{_tag(found)}"') or _mapping(found)


@creating.put(
    "/{name}/mapping",
    operation_id="setMapping",
    summary="Say what stands for what in a project of the tracker",
    response_model=models.MappingShown,
    dependencies=[IDEMPOTENT],
    responses={
        200: {"headers": openapi.etag_header("mapping") | openapi.REPLAYED},
        **openapi.problems(
            *openapi.ALWAYS,
            *openapi.BODY,
            *openapi.IDEMPOTENCY,
            *openapi.TRACKER,
            "not-found",
            "version-mismatch",
            "precondition-required",
        ),
    },
)
def set_mapping(
    name: Named,
    project: TrackerProject,
    body: models.MappingSet,
    context: Given,
    caller: Caller,
    once: Once,
    response: Response,
    if_match: Annotated[str | None, Header(description="The ETag that was read; without it nothing is done.")] = None,
) -> dict[str, Any]:
    """Writes all that people say of it anew: a role that is left out is found by phaseloop. Nothing is written to the
    tracker. Plans that were made before are stale then."""

    def put() -> str:
        present = tracker_mapping.shown(context, name, project)
        if not matches(if_match, _tag(present)):
            raise ApiProblem("version-mismatch", "The mapping, or what the tracker has, changed since it was read.")
        with placed(lambda problem: pointer_of("roles", problem.path)):
            version = present.version
            tracker_mapping.put(context, name, project, body.roles, caller, whole=True, expected_version=version)
        return present.connection.id

    try:
        once(put)
    except Conflict as error:
        raise ApiProblem("version-mismatch", f"{error.message} {error.fix}") from error
    found = tracker_mapping.shown(context, name, project)
    response.headers["ETag"] = f'"{_tag(found)}"'
    return _mapping(found)


def _tag(found: tracker_mapping.MappingShown) -> str:
    """What is kept and what the tracker has, as a tag."""
    return sha256(json.dumps(_mapping(found), sort_keys=True).encode()).hexdigest()[:24]


def _mapping(found: tracker_mapping.MappingShown) -> dict[str, Any]:
    return tracker_mapping.shown_json(found)


def _pointer(problem: Problem, kind: str) -> str:
    """Settings are one level deeper in the body than where they are checked, and the credential has its own place."""
    path = problem.path
    if path in ("name", "kind", "settings"):
        return f"/{path}"
    if kind in registry.KINDS and path == registry.KINDS[kind].secret_field:
        return "/secret"
    return f"/settings{problem.pointer}"
