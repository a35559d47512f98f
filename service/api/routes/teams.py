"""Teams, as JSON, YAML or a table."""

from __future__ import annotations

from email.message import Message
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response, status

from service.api import examples, models, openapi
from service.api.given import AUTHENTICATED, IDEMPOTENT, Given, Named, Once, RawBody, required_version, unchanged
from service.api.problems import ApiProblem, input_error, told_first
from service.api.reading import as_text, json_of
from service.api.routing import CreatingRoute, JsonRoute, require_type
from service.domain.english import counted
from service.domain.problems import InvalidInput, Problem
from service.domain.team.team import Team, read_team, read_team_table, team_from_json
from service.domain.team.team_csv import decoded
from service.usecases.errors import Conflict
from service.usecases.loop import scheduling
from service.usecases.setup import teams
from service.views.setup import TeamView

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
CsvZone = Annotated[
    str | None,
    Query(alias="time_zone", max_length=60, description="IANA time zone of the team; needed for a table."),
]
CsvMap = Annotated[
    list[str] | None,
    Query(
        alias="map",
        max_length=60,
        description="What a heading of a table stands for, `Work Email=email`; `-` passes it over. Remembered.",
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
    return {"items": [row.to_json() for row in teams.listed(context)], "next": None}


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
    request: Request,
    raw: RawBody,
    context: Given,
    once: Once,
    response: Response,
    name: CsvName = None,
    time_zone: CsvZone = None,
    columns: CsvMap = None,
) -> dict[str, Any]:
    """People, how the tracker knows them, the roles they hold. Every problem is answered with its line or pointer."""
    notes: list[str] = []

    def add() -> str:
        team, found = _sent(request, raw, name, _said(columns), teams.KeptOfTable(time_zone=time_zone))
        notes.extend(found)
        try:
            return teams.put(context, team, expected_version=0).id
        except Conflict as error:
            raise Conflict(
                "name-taken", f"There is a team {team.name!r} already.", "Replace it with PUT, or choose another name."
            ) from error

    row = teams.get(context, once(add))
    response.headers["Location"] = f"/api/v1/teams/{row.id}"
    response.headers["ETag"] = _etag(row)
    return row.in_full(notes)


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
    return unchanged(request, response, _etag(row)) or row.in_full()


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
    time_zone: CsvZone = None,
    columns: CsvMap = None,
) -> dict[str, Any]:
    """Writes the whole team anew. The name in the body must be the team's: projects hold on to it. When their next
    iterations are due follows soon after the answer, whose `notes` say for how many; nothing of them begins before."""
    notes: list[str] = []

    def replace() -> str:
        present = teams.get(context, name)
        version = required_version(if_match, present.version)
        kept = teams.kept_of_table(context, present.name)
        kept = teams.KeptOfTable(kept.columns, time_zone or kept.time_zone)
        team, found = _sent(request, raw, present.name, _said(columns), kept)
        notes.extend(found)
        if team.name != present.name:
            fix = f"write {present.name!r}, or add a new team"
            raise InvalidInput([Problem("team", None, "name", "is not the name of the team at this address", fix)])
        try:
            return teams.put(context, team, expected_version=version).id
        except Conflict as error:
            raise ApiProblem("version-mismatch", f"{error.message} {error.fix}") from error

    row = teams.get(context, once(replace))
    if behind := scheduling.following(context, row.id):
        verb = "follows" if behind == 1 else "follow"
        notes.append(
            f"What is due in {counted(behind, 'project')} of this team {verb} its calendar within a minute or two."
        )
    response.headers["ETag"] = _etag(row)
    return row.in_full(notes)


def _sent(
    request: Request, raw: bytes, name: str | None, columns: dict[str, str], kept: teams.KeptOfTable
) -> tuple[Team, tuple[str, ...]]:
    """The team in the body, with notes on how a table was read. Raises InvalidInput with everything that is wrong."""
    kind = require_type(request, "application/json", *_YAML, "text/csv")
    if kind == "application/json":
        return team_from_json(json_of(raw), "body"), ()
    if kind in _YAML:
        return read_team(as_text(raw), "team.yaml", format="yaml"), ()
    lacking: list[dict[str, Any]] = []
    if not name:
        lacking.append({"parameter": "name", "detail": "is missing", "fix": "a table has no name in it: add ?name=..."})
    if not kept.time_zone:
        fix = "a table has no time zone in it: add ?time_zone=Europe/Paris"
        lacking.append({"parameter": "time_zone", "detail": "is missing", "fix": fix})
    charset = Message()
    charset["content-type"] = request.headers.get("content-type", "")
    encoding = charset.get_content_charset()
    source = f"{name or 'team'}.csv"
    try:
        text, notes = decoded(raw, source, None if encoding in {None, "utf-8"} else encoding)
        team, more = read_team_table(
            text, source, columns=columns, remembered=kept.columns, time_zone=kept.time_zone or "UTC"
        )
    except InvalidInput as error:
        if not lacking:
            raise
        lacking += [input_error(problem, problem.pointer) for problem in error.problems]
    if lacking:
        raise ApiProblem("invalid-input", told_first(lacking), errors=lacking)
    return team, (*notes, *more)


def _said(columns: list[str] | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in columns or ():
        heading, says, column = one.rpartition("=")
        if not says or not heading.strip():
            entry = {"parameter": "map", "detail": "is not HEADING=column", "fix": "such as Work Email=email"}
            raise ApiProblem("invalid-input", "map: is not HEADING=column.", errors=[entry])
        found[heading.strip()] = column.strip().casefold()
    return found


def _etag(row: TeamView) -> str:
    return f'"{row.version}"'
