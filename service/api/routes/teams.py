"""Teams, as JSON, YAML or a table."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response, status

from service.api import examples, models, openapi
from service.api.given import AUTHENTICATED, IDEMPOTENT, Given, Named, Once, RawBody, required_version, unchanged
from service.api.problems import ApiProblem
from service.api.reading import as_text, json_of
from service.api.routing import CreatingRoute, JsonRoute, require_type
from service.domain.problems import InvalidInput, Problem
from service.domain.team import Team, read_team, team_from_json
from service.store.tables import TeamRow
from service.usecases import scheduling, teams
from service.usecases.errors import Conflict

router = APIRouter(prefix="/teams", tags=["teams"], dependencies=[AUTHENTICATED], route_class=JsonRoute)
creating = APIRouter(prefix="/teams", tags=["teams"], dependencies=[AUTHENTICATED], route_class=CreatingRoute)

_YAML = ("application/yaml", "text/yaml")
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": f"{openapi.REF}Team"}},
            "application/yaml": {"schema": {"$ref": f"{openapi.REF}Team"}},
            "text/yaml": {"schema": {"$ref": f"{openapi.REF}Team"}},
            "text/csv": {"schema": {"type": "string"}, "example": examples.TEAM_CSV},
        },
    }
}
CsvName = Annotated[
    str | None,
    Query(
        alias="name",
        min_length=1,
        max_length=200,
        pattern=r"^[^/\\\x00-\x1f\x7f]+$",
        description="Name of the team; needed for a table, which has none in it.",
    ),
]


@router.get(
    "",
    operation_id="listTeams",
    summary="List the teams",
    response_model=models.TeamList,
    responses=openapi.problems(*openapi.ALWAYS),
)
def list_teams(context: Given) -> dict[str, Any]:
    """All teams by name."""
    return {"items": [_entry(row) for row in teams.listed(context)], "next": None}


@creating.post(
    "",
    operation_id="addTeam",
    summary="Add a team",
    status_code=status.HTTP_201_CREATED,
    response_model=models.TeamShown,
    dependencies=[IDEMPOTENT],
    responses={
        201: {"headers": openapi.location_header("team") | openapi.etag_header("team") | openapi.REPLAYED},
        **openapi.problems(*openapi.ALWAYS, *openapi.BODY, *openapi.IDEMPOTENCY, "name-taken", "conflict"),
    },
    openapi_extra=_BODY,
)
def add_team(
    request: Request, raw: RawBody, context: Given, once: Once, response: Response, name: CsvName = None
) -> dict[str, Any]:
    """People, how the tracker knows them, the roles they hold. Every problem is answered with its line or pointer."""

    def add() -> str:
        team = _sent(request, raw, name)
        try:
            return teams.put(context, team, expected_version=0).id
        except Conflict as error:
            raise Conflict(
                "name-taken", f"There is a team {team.name!r} already.", "Replace it with PUT, or choose another name."
            ) from error

    row = teams.get(context, once(add))
    response.headers["Location"] = f"/api/v1/teams/{row.id}"
    response.headers["ETag"] = _etag(row)
    return _shown(row)


@router.get(
    "/{name}",
    operation_id="getTeam",
    summary="Show a team",
    response_model=models.TeamShown,
    responses={
        200: {"headers": openapi.etag_header("team")},
        **openapi.NOT_MODIFIED,
        **openapi.problems(*openapi.ALWAYS, "not-found", "invalid-input"),
    },
)
def get_team(name: Named, request: Request, response: Response, context: Given) -> Any:
    """The team; its `team` is what PUT takes."""
    row = teams.get(context, name)
    return unchanged(request, response, _etag(row)) or _shown(row)


@creating.put(
    "/{name}",
    operation_id="replaceTeam",
    summary="Replace a team",
    response_model=models.TeamShown,
    dependencies=[IDEMPOTENT],
    responses={
        200: {"headers": openapi.etag_header("team") | openapi.REPLAYED},
        **openapi.problems(
            *(*openapi.ALWAYS, *openapi.BODY, *openapi.IDEMPOTENCY),
            *("not-found", "version-mismatch", "precondition-required"),
        ),
    },
    openapi_extra=_BODY,
)
def replace_team(
    name: Named,
    request: Request,
    raw: RawBody,
    context: Given,
    once: Once,
    response: Response,
    if_match: Annotated[str | None, Header(description="The ETag that was read; without it nothing is done.")] = None,
) -> dict[str, Any]:
    """Writes the whole team anew. The name in the body must be the team's: projects hold on to it."""

    def replace() -> str:
        present = teams.get(context, name)
        version = required_version(if_match, present.version)
        team = _sent(request, raw, present.name)
        if team.name != present.name:
            fix = f"write {present.name!r}, or add a new team"
            raise InvalidInput([Problem("team", None, "name", "is not the name of the team at this address", fix)])
        try:
            return teams.put(context, team, expected_version=version).id
        except Conflict as error:
            raise ApiProblem("version-mismatch", f"{error.message} {error.fix}") from error

    row = teams.get(context, once(replace))
    scheduling.follow_team(context, row.id)  # repeatable, so it is done with every answer
    response.headers["ETag"] = _etag(row)
    return _shown(row)


def _sent(request: Request, raw: bytes, name: str | None) -> Team:
    """The team in the body. Raises InvalidInput with everything that is wrong with it."""
    kind = require_type(request, "application/json", *_YAML, "text/csv")
    if kind == "application/json":
        return team_from_json(json_of(raw), "body")
    if kind in _YAML:
        return read_team(as_text(raw), "team.yaml", format="yaml")
    if not name:
        entry = {"parameter": "name", "detail": "is missing", "fix": "a table has no name in it: add ?name=..."}
        raise ApiProblem("invalid-input", "name: is missing. A table has no name in it.", errors=[entry])
    return read_team(as_text(raw), f"{name}.csv", format="csv")


def _etag(row: TeamRow) -> str:
    return f'"{row.version}"'


def _entry(row: TeamRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "version": row.version,
        "people": len(row.body["members"]),
        "updated_at": row.updated_at,
    }


def _shown(row: TeamRow) -> dict[str, Any]:
    return {**_entry(row), "team": row.body}
