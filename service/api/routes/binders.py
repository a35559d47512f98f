"""Binders: what is known of a project's documentation as one signed file, the keys, and whether a file holds."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from service.api import audit_examples, audit_models, openapi
from service.api.given import AUTHENTICATED, Given, Named, RawBody, unchanged
from service.api.problems import ApiProblem
from service.api.routing import EscapedJson, JsonRoute, require_type
from service.context import Context
from service.usecases.audit import binder_export
from service.usecases.audit.binder_export import Format
from service.verification import verify_file

router = APIRouter(
    tags=["audit"], dependencies=[AUTHENTICATED], route_class=JsonRoute, default_response_class=EscapedJson
)

ISOLATED = "sandbox; default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
"""The beginning of the policy of what holds text of people: whoever opens it on our address runs nothing there, and
nothing is loaded for it."""

_STYLED = f"{ISOLATED}style-src 'unsafe-inline'; img-src data:"
_TYPES = {Format.HTML: "text/html; charset=utf-8", Format.JSON: "application/json"}
_DISPOSITION = {
    "Content-Disposition": {"description": "To be kept as a file, with its name.", "schema": {"type": "string"}}
}
_POLICY = {"Content-Security-Policy": {"description": "Nothing in it runs or is loaded.", "schema": {"type": "string"}}}
_BINDER = {"type": "object"}


BINDER_RESPONSES: openapi.Responses = {
    200: {
        "description": "The file, signed.",
        "headers": openapi.etag_header("binder") | _DISPOSITION | _POLICY,
        "content": {
            "text/html": {"schema": {"type": "string"}, "example": audit_examples.BINDER_PAGE},
            "application/json": {"schema": _BINDER, "example": audit_examples.BINDER},
        },
    },
    **openapi.NOT_MODIFIED,
    **openapi.problems(*openapi.ALWAYS, "not-found", "ambiguous", "invalid-input", "credential-unreadable"),
}
"""How a binder is answered."""


@router.get(
    "/projects/{name}/binder",
    operation_id="getBinder",
    summary="Download a binder",
    response_class=Response,
    responses=BINDER_RESPONSES,
)
def get_binder(
    name: Named,
    request: Request,
    response: Response,
    context: Given,
    iteration: Annotated[
        int | None, Query(ge=1, le=2_000_000_000, description="Of this iteration; of the whole project if left out.")
    ] = None,
    format: Annotated[  # noqa: A002 - the name callers see
        Literal["html", "json"], Query(description="`html` is one page that needs nothing else.")
    ] = "html",
) -> Response:
    """Verdicts, evidence, figures, decisions in time order, measures, and what they cover of the EU AI Act's Annex IV,
    the NIST AI RMF and model cards. Verify it with `POST /binders/verify`, or without any server. Its `ETag` is weak:
    a binder that is made later and says the same has the same one."""
    return binder_of(context, name, iteration, Format(format), request, response)


def binder_of(
    context: Context, name: str, iteration: int | None, form: Format, request: Request, response: Response
) -> Response:
    """A binder as it is answered. Raises NotFound, Conflict, KeyProblem."""
    content = binder_export.content(context, name, iteration)
    known = unchanged(request, response, f'W/"{binder_export.mark(context, content, form)[:24]}"')
    if known is not None:
        return known
    return Response(
        binder_export.written(context, content, form),
        headers={
            "ETag": response.headers["ETag"],
            "Content-Type": _TYPES[form],
            "Content-Disposition": f'attachment; filename="{_file_name(content["project"]["key"], iteration, form)}"',
            "Content-Security-Policy": _STYLED,
        },
    )


@router.post(
    "/binders/verify",
    operation_id="verifyBinder",
    summary="Verify a binder",
    response_model=audit_models.Verified,
    responses=openapi.problems(*openapi.ALWAYS, *openapi.BODY),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "text/html": {"schema": {"type": "string"}, "example": audit_examples.BINDER_PAGE},
                "application/json": {"schema": _BINDER, "example": audit_examples.BINDER},
            },
        }
    },
)
def verify_binder(
    request: Request,
    raw: RawBody,
    key: Annotated[
        str | None,
        Query(max_length=200, description="Fingerprint or public key of the expected signer; without it anyone's."),
    ] = None,
) -> dict[str, Any]:
    """Send the file as it is, of at most 32 MB. Checks signature, chain and verdicts from it alone, and keeps nothing
    of it. The answer is 200 also for one that was changed or is no binder: look at `ok`."""
    require_type(request, "text/html", "application/json")
    if not raw:
        raise ApiProblem("malformed-request", "The body is empty: send the binder's file.")
    try:
        found = verify_file(raw, key)
    except ValueError as error:
        entry = {"parameter": "key", "detail": str(error)}
        raise ApiProblem("invalid-input", f"key: {error}", errors=[entry]) from None
    return found.to_json()


@router.get(
    "/signing-keys",
    operation_id="listSigningKeys",
    summary="List the keys that sign binders",
    response_model=audit_models.SigningKeys,
    responses=openapi.problems(*openapi.ALWAYS),
)
def list_signing_keys(context: Given) -> dict[str, Any]:
    """The one that signs now first; those before it still verify what they signed. Publish the fingerprint where those
    who get your binders find it."""
    keys = binder_export.signers(context)
    shown = [{"public": one.public, "fingerprint": one.fingerprint, "created_at": one.created_at} for one in keys]
    return {"items": shown, "next": None}


def _file_name(key: str, iteration: int | None, form: Format) -> str:
    """A name that any file system and header takes."""
    safe = re.sub(r"[^A-Za-z0-9]+", "-", key).strip("-")[:60] or "project"
    part = f"-iteration-{iteration}" if iteration is not None else ""
    return f"binder-{safe}{part}.{form.value}"
