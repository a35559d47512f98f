"""Whether the process lives, and whether it can do its work."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy.exc import SQLAlchemyError

from service.api import models, openapi
from service.api.given import Given
from service.api.problems import ApiProblem
from service.home_folder import check_writable
from service.store_faults import KeyProblem, SchemaMismatch

router = APIRouter(tags=["health"])


@router.get(
    "/healthz",
    operation_id="health",
    summary="Is the process alive?",
    response_model=models.Alive,
    responses=openapi.problems("internal-error"),
)
def health() -> dict[str, str]:
    """Says nothing about the database or the engine; for that ask `/readyz`."""
    return {"status": "ok"}


@router.get(
    "/readyz",
    operation_id="readiness",
    summary="Can the service do its work?",
    response_model=models.Alive,
    responses=openapi.problems("not-ready", "internal-error"),
)
def readiness(request: Request, context: Given) -> dict[str, str]:
    """The database answers, its tables are of this version, its disk can be written, the present key decrypts stored
    credentials, and the engine that runs plans was launched."""
    missing: list[dict[str, Any]] = []
    try:
        context.database.ping()
        context.database.check_schema()
    except SchemaMismatch as error:
        missing.append({"subject": "schema", "detail": str(error)})
    except (SQLAlchemyError, OSError):
        missing.append({"subject": "database", "detail": "the database does not answer", "fix": "look at its server"})
    else:
        try:
            context.check_key()
        except KeyProblem as error:
            missing.append({"subject": "key", "detail": str(error)})
    if context.settings.embedded:
        try:
            check_writable(context.settings.home)
        except OSError as error:
            detail = f"the home folder cannot be written: {error.strerror or error}"
            missing.append({"subject": "disk", "detail": detail, "fix": "free some space, or let the folder be ours"})
    if not request.app.state.launched:
        detail = "the engine that runs plans was not launched"
        missing.append({"subject": "engine", "detail": detail, "fix": "see the service's log; start it again"})
    if missing:
        named = ", ".join(entry["subject"] for entry in missing)
        raise ApiProblem("not-ready", f"Not ready: {named}.", errors=missing, headers={"Retry-After": "5"})
    return {"status": "ok"}
