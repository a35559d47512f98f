"""How a project's model evolved: what was decided and why, and its measures by iteration."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from service.api import audit_examples, audit_models, openapi
from service.api.given import AUTHENTICATED, Given, Named, unchanged
from service.api.routes.binders import ISOLATED
from service.api.routing import EscapedJson, JsonRoute
from service.usecases.audit import evolution

router = APIRouter(
    prefix="/projects/{name}",
    tags=["audit"],
    dependencies=[AUTHENTICATED],
    route_class=JsonRoute,
    default_response_class=EscapedJson,
)

_PROBLEMS = openapi.problems(*openapi.ALWAYS, "not-found", "ambiguous", "invalid-input")
_POLICY = {"Content-Security-Policy": {"description": "Nothing in it runs or is loaded.", "schema": {"type": "string"}}}


@router.get(
    "/decisions",
    operation_id="listDecisions",
    summary="List or search the decisions",
    response_model=audit_models.DecisionList,
    responses=_PROBLEMS,
)
def list_decisions(
    name: Named,
    context: Given,
    q: Annotated[
        str, Query(max_length=500, description='A question, such as "why did we drop B?", or words; all if left out.')
    ] = "",
) -> dict[str, Any]:
    """What the records tell, from the evidence: in the order of time, or the best first for a question."""
    found = evolution.decisions(context, name, q)
    return {"items": [evolution.decision_json(one) for one in found], "next": None}


@router.get(
    "/metrics",
    operation_id="listMeasures",
    summary="List the measures",
    response_model=audit_models.MeasureList,
    responses=_PROBLEMS,
)
def list_measures(name: Named, context: Given) -> dict[str, Any]:
    """Every measure that the records report, by name, with its value in each iteration that does."""
    return {"items": [evolution.measure_json(one) for one in evolution.measures(context, name)], "next": None}


@router.get(
    "/metrics/{measure:path}.svg",
    operation_id="getMeasurePicture",
    summary="A measure as a picture",
    response_class=Response,
    responses={
        200: {
            "description": "The measure by iteration; title and description for those who do not see it.",
            "headers": openapi.etag_header("picture") | _POLICY,
            "content": {"image/svg+xml": {"schema": {"type": "string"}, "example": audit_examples.PICTURE}},
        },
        **openapi.NOT_MODIFIED,
        **_PROBLEMS,
    },
)
def get_measure_picture(
    name: Named,
    measure: Annotated[str, Path(min_length=1, max_length=200, description="Its name, in any case.")],
    request: Request,
    response: Response,
    context: Given,
) -> Response:
    """One SVG that needs nothing else. Write a blank in the name as %20, a slash as %2F."""
    picture = str(evolution.picture(evolution.measure(context, name, measure)))
    known = unchanged(request, response, f'"{sha256(picture.encode()).hexdigest()[:24]}"')
    if known is not None:
        return known
    headers = {"ETag": response.headers["ETag"], "Content-Security-Policy": ISOLATED.strip("; ")}
    return Response(picture, media_type="image/svg+xml", headers=headers)
