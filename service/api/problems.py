"""Errors as `application/problem+json` (RFC 9457): the one place where they are translated."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.routing import compile_path
from starlette.types import Scope

from connectors.errors import (
    CredentialsRefused,
    ItemRejected,
    NetworkMisconfigured,
    NotATracker,
    NotVisible,
    OutcomeUnknown,
    PermissionMissing,
    TrackerError,
    TrackerRefused,
    TrackerUnavailable,
)
from connectors.pacing import whole_seconds
from connectors.setting_errors import in_words
from connectors.values import Finding, Severity
from service.api.catalogue import KINDS
from service.api.remedies import over_rest
from service.domain.problems import InvalidInput, Problem
from service.store_faults import KeyProblem
from service.usecases.errors import Conflict, Forbidden, NotFound, PlanBlocked, UseCaseError

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
INSTANCE = "urn:phaseloop:request:"
"""`instance` is this prefix and the request's id, the one in `X-Request-Id` and in the log."""

_TRACKER_CODES: tuple[tuple[type[TrackerError], str], ...] = (
    # The first that fits; refusals in general come after those with a name of their own.
    (TrackerUnavailable, "tracker-unavailable"),
    (OutcomeUnknown, "tracker-unknown-outcome"),
    (CredentialsRefused, "tracker-credentials-refused"),
    (PermissionMissing, "tracker-permission-missing"),
    (NotVisible, "tracker-not-visible"),
    (TrackerRefused, "tracker-refused"),
    (NotATracker, "not-a-tracker"),
    (NetworkMisconfigured, "network-misconfigured"),
    (TrackerError, "tracker-refused"),
)

_WAIT = 2
"""Seconds for `Retry-After` where nobody said how long."""


class ApiProblem(Exception):
    """A problem that the door itself finds. `code` is one of `catalogue.KINDS`."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        errors: Iterable[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = KINDS[code]
        self.detail = detail
        self.errors = [dict(error) for error in errors]
        self.headers = dict(headers or {})


def body_of(problem: ApiProblem, request_id: str) -> dict[str, Any]:
    """The problem as RFC 9457 writes it; `errors` only where there are any."""
    kind = problem.kind
    # Who has no token can send no other request either: a token is made where the service runs.
    said = over_rest if kind.status != HTTPStatus.UNAUTHORIZED else str
    body: dict[str, Any] = {
        "type": kind.type,
        "title": kind.title,
        "status": kind.status,
        "detail": said(problem.detail),
        "instance": INSTANCE + request_id,
    }
    if problem.errors:
        body["errors"] = [
            {name: said(value) if name in ("detail", "fix") else value for name, value in error.items()}
            for error in problem.errors
        ]
    return body


def is_for_people(scope: Scope) -> bool:
    """Whether a browser asks for a page, and not a program for an answer of the API."""
    below = scope["path"].startswith(("/api/", "/hooks/", "/feeds/"))
    return not below and "text/html" in Headers(scope=scope).get("accept", "")


def respond(problem: ApiProblem, scope: Scope) -> Response:
    """The problem as a response: a page where a browser asks for one."""
    request = Request(scope)
    if is_for_people(scope) and "app" in scope and hasattr(request.app.state, "show_problem"):
        shown: Response = request.app.state.show_problem(request, problem)
        return shown
    return answer(problem, request_id_of(request))


def answer(problem: ApiProblem, request_id: str) -> JSONResponse:
    """The problem as a response."""
    return JSONResponse(
        body_of(problem, request_id), problem.kind.status, headers=problem.headers, media_type=MEDIA_TYPE
    )


def finding_error(finding: Finding) -> dict[str, Any]:
    """A finding as an entry of `errors`."""
    return {"code": finding.code, "subject": finding.subject, "detail": finding.message, "fix": finding.fix}


@contextmanager
def placed(pointer: Callable[[Problem], str | None]) -> Iterator[None]:
    """Say where in the body the problems of this block lie, where that is not where the domain sees them.

    `pointer` gives the JSON pointer of a problem, None for one that does not come from the body.
    """
    try:
        yield
    except InvalidInput as error:
        errors = [input_error(problem, pointer(problem)) for problem in error.problems]
        raise ApiProblem("invalid-input", told_first(errors), errors=errors) from error


def pointer_of(*parts: str) -> str:
    """The JSON pointer (RFC 6901) that leads by these names."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


def input_error(problem: Problem, pointer: str | None) -> dict[str, Any]:
    """One problem of an input as an entry of `errors`; one outside of the body names its source."""
    entry: dict[str, Any] = {"detail": problem.message}
    if pointer is None:
        entry = {"subject": f"{problem.source} {problem.path}".strip(), **entry}
    else:
        entry = {"pointer": pointer, **entry}
    if problem.line is not None:
        entry["line"] = problem.line
    if problem.fix:
        entry["fix"] = problem.fix
    return entry


def translate(error: Exception) -> ApiProblem:
    """The problem that an error is. Errors nobody expected are logged here, and say nothing of themselves."""
    match error:
        case ApiProblem():
            return error
        case InvalidInput():
            errors = [input_error(problem, problem.pointer) for problem in error.problems]
            return ApiProblem("invalid-input", told_first(errors), errors=errors)
        case RequestValidationError():
            return _request_problem(error)
        case UseCaseError():
            return _use_case_problem(error)
        case TrackerError():
            return _tracker_problem(error)
        case KeyProblem():
            return ApiProblem("credential-unreadable", str(error))
        case HTTPException():
            return _http_problem(error)
        case OperationalError() | PoolTimeout():
            log.error("store unavailable: %s", type(error).__name__)
            detail = "The database does not answer, or is too busy."
            return ApiProblem("store-unavailable", detail, headers={"Retry-After": str(_WAIT)})
        case IntegrityError():
            # The use cases look before they write; who gets here was overtaken between the two.
            return ApiProblem("conflict", "Another request has just made the same. Read the present state again.")
        case _:
            log.error("request failed", exc_info=error)
            return ApiProblem("internal-error", "phaseloop itself failed; the service's log says more.")


def install(app: FastAPI) -> None:
    """Translate every error of the app. What handlers do not see is caught by the middleware, the same way."""

    async def handle(request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException) and error.status_code == 405:
            error.headers = {"Allow": ", ".join(await run_in_threadpool(_methods_of, request))}
        return respond(translate(error), request.scope)

    for kind in (
        ApiProblem,
        InvalidInput,
        RequestValidationError,
        UseCaseError,
        TrackerError,
        KeyProblem,
        HTTPException,
        IntegrityError,
        OperationalError,
        PoolTimeout,
    ):
        app.add_exception_handler(kind, handle)


def _methods_of(request: Request) -> list[str]:
    """All methods that the document has for the address; the framework names those of the first route alone."""
    path = request.scope["path"]
    items = request.app.openapi()["paths"].items()
    return sorted({method.upper() for known, item in items if compile_path(known)[0].match(path) for method in item})


def request_id_of(request: Request) -> str:
    """The id that the middleware gave to this request."""
    return str(request.scope["phaseloop.request_id"])


def told_first(errors: list[dict[str, Any]]) -> str:
    """The first of the errors, and how many more there are."""
    first = errors[0]
    where = first.get("pointer") or first.get("parameter") or first.get("header") or first.get("subject") or ""
    start = f"{where}: {first['detail']}" if where else str(first["detail"])
    others = len(errors) - 1
    more = f" There {'is' if others == 1 else 'are'} {others} more." if others else ""
    return f"{start.rstrip('.')}.{more}"


def _use_case_problem(error: UseCaseError) -> ApiProblem:
    detail = f"{error.message} {error.fix}".strip()
    match error:
        case NotFound():
            return ApiProblem("not-found", detail)
        case Forbidden():
            return ApiProblem("forbidden", detail)
        case PlanBlocked():
            errors = [finding_error(found) for found in error.findings if found.severity is Severity.ERROR]
            return ApiProblem("plan-blocked", detail, errors=errors)
        case Conflict() if error.code in KINDS:
            return ApiProblem(error.code, detail)
        case _:
            return ApiProblem("conflict", detail)


def _tracker_problem(error: TrackerError) -> ApiProblem:
    code = next(code for kind, code in _TRACKER_CODES if isinstance(error, kind))
    headers = {}
    if isinstance(error, TrackerUnavailable):
        wait = error.retry_after if error.retry_after is not None else _WAIT
        headers["Retry-After"] = str(whole_seconds(wait))
    errors = []
    if isinstance(error, ItemRejected):
        errors = [{"subject": entry.field or "", "detail": entry.message} for entry in error.problems]
    return ApiProblem(code, str(error), errors=errors, headers=headers)


def _http_problem(error: HTTPException) -> ApiProblem:
    """What the framework itself refuses: paths, methods, bodies it cannot decode."""
    if error.status_code == 404:
        return ApiProblem(
            "unknown-address", "Nothing is here. The API is under /api/v1; /api/v1/openapi.json describes it."
        )
    if error.status_code == 405:
        allow = (error.headers or {}).get("Allow", "")
        return ApiProblem(
            "method-not-allowed", f"This address takes {allow or 'other methods'}.", headers={"Allow": allow}
        )
    return ApiProblem("malformed-request", "The body cannot be read as what its Content-Type says.")


def _request_problem(error: RequestValidationError) -> ApiProblem:
    """A request that breaks its schema, in plain words. The values sent are never repeated: one may be a secret."""
    found = error.errors()
    broken = [entry for entry in found if entry["type"] == "json_invalid"]
    if broken:
        place = broken[0]["loc"][-1]
        reason = broken[0].get("ctx", {}).get("error", "it is broken")
        return ApiProblem("malformed-request", f"The body is not JSON: {reason} at character {place}.")
    errors: list[dict[str, Any]] = []
    branches: dict[str, dict[str, Any]] = {}
    for entry in found:
        told = _request_error(entry)
        place = json.dumps({name: value for name, value in told.items() if name not in ("detail", "fix")})
        if place not in branches:
            branches[place] = told
            errors.append(told)
        elif told["detail"] not in branches[place]["detail"]:  # another form that would be right there
            branches[place]["detail"] += f", or {told['detail'].removeprefix('must be ')}"
    return ApiProblem("invalid-input", told_first(errors), errors=errors)


def _request_error(entry: Mapping[str, Any]) -> dict[str, Any]:
    where, *path = entry["loc"]
    detail = in_words(entry)
    if where == "body":
        # Tags of unions are not part of the body: they are the names of types, which start in upper case or hold "[".
        parts = [str(part) for part in path if not is_tag(part)]
        return {
            "pointer": pointer_of(*parts),
            "detail": detail,
        }
    name = "-".join(str(part) for part in path)
    return {"header" if where == "header" else "parameter": name, "detail": detail}


def is_tag(part: object) -> bool:
    """Whether a part of a place is no part of the body: the name of a union's branch."""
    if not isinstance(part, str):
        return False
    named = part in {"str", "int", "bool", "float"} or part.startswith("constrained-")
    return named or part[:1].isupper() or "[" in part


_PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
_DOCUMENT = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'none'"
"""For what is to be kept as one file, binders and pictures: their style is in them, and nothing else is let in."""


def stamp(headers: MutableHeaders, request_id: str, *, secure: bool = False) -> None:
    """Put what every answer carries into its headers; `secure` says that people reach us over https."""
    headers["X-Request-Id"] = request_id
    kept = headers.get("content-type", "").startswith("image/svg") or "content-disposition" in headers
    headers.setdefault("Content-Security-Policy", _DOCUMENT if kept else _PAGE)
    headers["Referrer-Policy"] = "no-referrer"
    headers["X-Frame-Options"] = "DENY"
    if secure:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    headers["X-Content-Type-Options"] = "nosniff"
    headers.setdefault("Cache-Control", "no-store")
