"""What became of a project's iterations: as JSON, and as tables for a spreadsheet."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

from fastapi import APIRouter, Request, Response

from service.api import loop_examples, loop_models, openapi
from service.api.given import AUTHENTICATED, Given, Named, unchanged
from service.api.routing import JsonRoute
from service.context import Context
from service.usecases.audit import history
from service.usecases.audit.history import History

router = APIRouter(prefix="/projects/{name}", tags=["history"], dependencies=[AUTHENTICATED], route_class=JsonRoute)

_PROBLEMS = openapi.problems(*openapi.ALWAYS, "not-found", "ambiguous", "invalid-input")


def _table(example: str) -> openapi.Responses:
    return {
        200: {
            "description": "The table, in UTF-8, with a line of headings.",
            "content": {"text/csv": {"schema": {"type": "string"}, "example": example}},
        },
        **_PROBLEMS,
    }


@router.get(
    "/history",
    operation_id="getHistory",
    summary="Show what became of the iterations",
    response_model=loop_models.History,
    responses={200: {"headers": openapi.etag_header("history")}, **openapi.NOT_MODIFIED, **_PROBLEMS},
)
def get_history(name: Named, request: Request, response: Response, context: Given) -> Any:
    """Figures, tickets and events, from our own records: kept when tickets vanish from the tracker, and after the
    project has ended (then by its id)."""
    shown = loop_models.History.model_validate(history.history_json(history.history(context, name)))
    etag = f'"{sha256(shown.model_dump_json().encode()).hexdigest()[:24]}"'
    return unchanged(request, response, etag) or shown


@router.get(
    "/history.csv",
    operation_id="getFiguresTable",
    summary="The figures as a table",
    response_class=Response,
    responses=_table(loop_examples.HISTORY_CSV),
)
def get_figures_table(name: Named, context: Given) -> Response:
    """One line an iteration."""
    return _csv(context, name, history.csv_text, "history")


@router.get(
    "/roles.csv",
    operation_id="getRolesTable",
    summary="The figures by role as a table",
    response_class=Response,
    responses=_table(loop_examples.ROLES_CSV),
)
def get_roles_table(name: Named, context: Given) -> Response:
    """One line for each role of each iteration."""
    return _csv(context, name, history.roles_csv, "roles")


@router.get(
    "/tickets.csv",
    operation_id="getTicketsTable",
    summary="The tickets as a table",
    response_class=Response,
    responses=_table(loop_examples.TICKETS_CSV),
)
def get_tickets_table(name: Named, context: Given) -> Response:
    """One line for each ticket of each iteration."""
    return _csv(context, name, history.tickets_csv, "tickets")


def _csv(context: Context, name: str, write: Callable[[History], str], file: str) -> Response:
    text = write(history.history(context, name))
    return Response(text, media_type="text/csv", headers={"Content-Disposition": f'attachment; filename="{file}.csv"'})
