"""Who may do what, and who did: tokens, oneself, the log of changes."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response, status
from pydantic import StringConstraints

from service.api import access_models, openapi
from service.api.given import AUTHENTICATED, IDEMPOTENT, Given, Id, Once, Rights
from service.api.models import Instant
from service.api.pages import Asked, invalid_cursor, page
from service.api.problems import placed
from service.api.routing import CreatingRoute, EscapedJson, JsonRoute, SecretRoute
from service.domain.access.roles import Role
from service.domain.problems import Problem
from service.usecases.access import change_log, grants, tokens
from service.views.access import ChangeView

router = APIRouter(
    tags=["access"], dependencies=[AUTHENTICATED], route_class=JsonRoute, default_response_class=EscapedJson
)
creating = APIRouter(tags=["access"], dependencies=[AUTHENTICATED], route_class=CreatingRoute)
secretive = APIRouter(tags=["access"], dependencies=[AUTHENTICATED], route_class=SecretRoute)

Word = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


def _filter(
    by: Annotated[Word | None, Query(description="Only what this login or token did.")] = None,
    thing: Annotated[Word | None, Query(description="Only changes of such things, like `waiver`.")] = None,
    project: Annotated[Word | None, Query(description="Only changes of this project (id or key).")] = None,
    since: Annotated[Instant | None, Query(description="Only from then on.")] = None,
    until: Annotated[Instant | None, Query(description="Only before then.")] = None,
) -> change_log.Asked:
    """Which changes the query asks for."""
    return change_log.Asked(by, thing, project, since, until)


Wanted = Annotated[change_log.Asked, Depends(_filter)]


@router.get(
    "/me",
    operation_id="getMe",
    summary="Show who I am",
    response_model=access_models.Identity,
    responses=openapi.problems(*openapi.ALWAYS),
)
def get_me(identity: Rights) -> dict[str, Any]:
    """Whose token it is and what it may do now."""
    actor = identity.actor
    granted = [grants.grant_json(one) for one in identity.grants]
    return {"kind": actor.kind.value, "id": actor.id, "name": actor.name, "grants": granted}


@router.get(
    "/tokens",
    operation_id="listTokens",
    summary="List the tokens",
    response_model=access_models.TokenList,
    responses=openapi.problems(*openapi.ALWAYS),
)
def list_tokens(context: Given) -> dict[str, Any]:
    """Oldest first, also those that expired or were revoked; never the tokens themselves."""
    return {"items": [tokens.token_json(context, one) for one in tokens.listed(context)], "next": None}


@secretive.post(
    "/tokens",
    operation_id="createToken",
    summary="Make a token",
    status_code=status.HTTP_201_CREATED,
    response_model=access_models.TokenMade,
    dependencies=[IDEMPOTENT],
    responses={
        201: {"headers": openapi.REPLAYED},
        **openapi.problems(*openapi.ALWAYS, *openapi.BODY, *openapi.IDEMPOTENCY, "not-found", "ambiguous"),
    },
)
def create_token(body: access_models.NewToken, context: Given, once: Once) -> dict[str, Any]:
    """The token is in this answer and nowhere else; of it only a digest is kept."""
    made: list[str] = []

    def make() -> str:
        row, token = tokens.make(
            context, body.name, role=Role(body.role), within=body.projects, expires_at=body.expires_at
        )
        made.append(token)
        return row.id

    with placed(_pointer):
        token_id = once(make)
    return {**tokens.token_json(context, tokens.get(context, token_id)), "token": made[0] if made else None}


@creating.delete(
    "/tokens/{token_id}",
    operation_id="revokeToken",
    summary="Revoke a token",
    response_model=access_models.TokenEntry,
    dependencies=[IDEMPOTENT],
    responses={
        200: {"headers": openapi.REPLAYED},
        **openapi.problems(*openapi.ALWAYS, *openapi.IDEMPOTENCY, "not-found", "ambiguous", "invalid-input"),
    },
)
def revoke_token(token_id: Id, context: Given, once: Once) -> dict[str, Any]:
    """It opens nothing any more, from its next request on; it stays in the list. Doing so again changes nothing."""
    revoked = once(lambda: tokens.revoke(context, token_id).row.id)
    return tokens.token_json(context, tokens.get(context, revoked))


@router.get(
    "/changes",
    operation_id="listChanges",
    summary="List who changed what",
    response_model=access_models.ChangePage,
    responses={
        200: {"headers": openapi.LINK},
        **openapi.problems(*openapi.ALWAYS, "not-found", "ambiguous", "invalid-input"),
    },
)
def list_changes(
    request: Request,
    response: Response,
    context: Given,
    asked: Asked,
    wanted: Wanted,
) -> dict[str, Any]:
    """The newest first."""

    def read(limit: int) -> list[ChangeView]:
        return change_log.page(context, limit, _number(asked.after), wanted)

    return page(request, response, asked, read, lambda row: str(row.seq), ChangeView.to_json)


@router.get(
    "/changes.csv",
    operation_id="getChangesTable",
    summary="Export who changed what",
    response_class=Response,
    responses={
        200: {
            "description": "The changes as a table, the newest first; no cell of it is a formula.",
            "content": {"text/csv": {"schema": {"type": "string"}, "example": access_models.CHANGES_TABLE}},
        },
        **openapi.problems(*openapi.ALWAYS, "not-found", "ambiguous", "invalid-input"),
    },
)
def get_changes_table(
    context: Given,
    wanted: Wanted,
) -> Response:
    """All that fit, or all."""
    text = change_log.csv_text(change_log.whole(context, wanted))
    held = text.encode(errors="backslashreplace")
    return Response(held, media_type="text/csv", headers={"Content-Disposition": 'attachment; filename="changes.csv"'})


@router.get(
    "/changes/proof",
    operation_id="proveChanges",
    summary="Prove the log",
    response_model=access_models.ChangeProof,
    responses=openapi.problems(*openapi.ALWAYS),
)
def prove_changes(context: Given) -> dict[str, Any]:
    """Walks the chain from the first entry. Keep `head` somewhere else: what was before it cannot change unseen."""
    return change_log.verified_json(change_log.verify(context))


def _number(after: str | None) -> int | None:
    """The number of the last entry that was seen. Raises the problem that the cursor is none of ours."""
    if after is None:
        return None
    if not (after.isascii() and after.isdecimal() and len(after) < 10):
        raise invalid_cursor()
    return int(after)


def _pointer(problem: Problem) -> str | None:
    return problem.pointer if problem.source == "token" else None
