"""The OpenAPI 3.1 document: what the framework derives, completed with examples, headers and every problem."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from service import __version__
from service.api import examples, models, outgoing
from service.api.catalogue import KINDS
from service.api.problems import INSTANCE, MEDIA_TYPE
from service.domain.team.team import Team

Responses = dict[int | str, dict[str, Any]]

REF = "#/components/schemas/"
ALWAYS = ("unauthorized", "forbidden", "too-many-requests", "internal-error", "store-unavailable")
BODY = ("malformed-request", "body-too-large", "unsupported-media-type", "invalid-input")
IDEMPOTENCY = ("idempotency-key-in-use", "idempotency-key-reused")
TRACKER = (
    "tracker-credentials-refused",
    "tracker-permission-missing",
    "tracker-not-visible",
    "tracker-refused",
    "tracker-unknown-outcome",
    "not-a-tracker",
    "network-misconfigured",
    "tracker-unavailable",
    "credential-unreadable",
)

DESCRIPTION = """\
The ML team's loop as a template, built and kept turning in your own tracker.

Set up a connection, a team and a project, make a plan, look at it, apply it, and follow the run. Making a plan only
reads; applying is the one thing that writes to the tracker, and it writes nothing that the plan did not show. After the
first run the loop turns by itself: each advance is a run whose plan can be looked at before and undone after.

Every answer carries `X-Request-Id`. Errors are `application/problem+json` (RFC 9457); their types are stable and
listed in the reference. Lists come as `{items, next}`: where `next` is null you have seen everything.
"""

TAGS = [
    {"name": "templates", "description": "The processes that can be built."},
    {"name": "connections", "description": "Trackers, and the credentials to them, which are never shown again."},
    {"name": "teams", "description": "People, the roles they hold, their capacity and absences."},
    {"name": "projects", "description": "A template filled in for one team on one connection."},
    {"name": "loop", "description": "How a project turns by itself: what comes next, and manual overrides."},
    {"name": "history", "description": "What became of a project's iterations, in figures and ticket by ticket."},
    {"name": "audit", "description": "Whether every iteration is documented, and the evidence; binders; decisions."},
    {"name": "feeds", "description": "Calendars to subscribe to. Their addresses are secret and need no token."},
    {"name": "webhooks", "description": "Events that others send, what they start, and who may send them."},
    {"name": "notices", "description": "Who hears of what outside of the tracker, and what became of each message."},
    {"name": "plans", "description": "What would be written, to look at before it is."},
    {"name": "runs", "description": "Plans being applied: progress, steps, results."},
    {"name": "access", "description": "Who may do what, and who did: tokens, and the log of every change."},
    {"name": "health", "description": "For whoever runs the service. These need no token."},
]


def problems(*codes: str) -> Responses:
    """Responses for a route's `responses=`: these kinds of problem by status, each with an example."""
    by_status: defaultdict[int, list[str]] = defaultdict(list)
    for code in dict.fromkeys(codes):
        by_status[KINDS[code].status].append(code)
    return {status: _problem_response(kinds) for status, kinds in sorted(by_status.items())}


def _problem_response(codes: list[str]) -> dict[str, Any]:
    return {
        "description": " ".join(f"`{code}`: {KINDS[code].title}." for code in codes),
        "content": {
            MEDIA_TYPE: {
                "schema": {"$ref": f"{REF}Problem"},
                "examples": {code: {"value": _problem_example(code)} for code in codes},
            }
        },
    }


def _problem_example(code: str) -> dict[str, Any]:
    if code == "invalid-input":
        return examples.PROBLEM
    kind = KINDS[code]
    return {
        "type": kind.type,
        "title": kind.title,
        "status": kind.status,
        "detail": kind.fix,
        "instance": f"{INSTANCE}req_5d3f0c7a9b1e2468",
    }


def install(app: FastAPI) -> None:
    """Have the app describe itself with this document."""

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]  # the framework's documented way


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title="phaseloop",
        version=__version__,
        summary="ML delivery templates as plans, applied to your tracker",
        description=DESCRIPTION,
        routes=app.routes,
        webhooks=outgoing.router.routes,
        tags=TAGS,
        servers=[{"url": "/"}],
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    schemas = document["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for model in (models.Problem, Team):
        schema = model.model_json_schema(ref_template=REF + "{model}")
        schemas.update(schema.pop("$defs", {}))
        schemas[model.__name__] = schema
    schemas["Team"]["examples"] = [examples.TEAM]
    for name, schema in schemas.items():
        # The framework takes the nulls out of its document, those of examples with them.
        if (example := models.example_of(name)) is not None:
            schema["examples"] = [example]
    for item in document["paths"].values():
        for operation in item.values():
            _complete(operation, schemas)
    for name, item in document["webhooks"].items():
        item["post"]["requestBody"]["content"]["application/json"]["example"] = outgoing.EXAMPLES[name]
        item["post"]["responses"].pop("422", None)  # the framework's own; others answer here
    return document


def _complete(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Examples beside every body, and the header that every answer has."""
    for media in operation.get("requestBody", {}).get("content", {}).values():
        _give_example(media, schemas)
    for response in operation["responses"].values():
        for media in response.get("content", {}).values():
            _give_example(media, schemas)
        headers = response.setdefault("headers", {})
        headers["X-Request-Id"] = {
            "description": "The request's id: the caller's own if it sent one, as the log has it.",
            "schema": {"type": "string"},
        }


def _give_example(media: dict[str, Any], schemas: dict[str, Any]) -> None:
    if "example" in media or "examples" in media:
        return
    schema = media.get("schema", {})
    for option in (schema, *schema.get("anyOf", ())):
        name = option.get("$ref", "").removeprefix(REF)
        if schemas.get(name, {}).get("examples"):
            media["example"] = schemas[name]["examples"][0]
            return


def etag_header(of_what: str) -> dict[str, Any]:
    """The documentation of an ETag header."""
    return {"ETag": {"description": f"Version of the {of_what}.", "schema": {"type": "string"}}}


def location_header(of_what: str) -> dict[str, Any]:
    """The documentation of a Location header."""
    return {"Location": {"description": f"Address of the {of_what}.", "schema": {"type": "string"}}}


REPLAYED = {
    "Idempotency-Replayed": {
        "description": "`true` if this is the kept answer to an earlier request with the same key.",
        "schema": {"type": "string", "enum": ["true"]},
    }
}
LINK = {
    "Link": {
        "description": '`<address>; rel="next"`, where there is a next page (RFC 8288).',
        "schema": {"type": "string"},
    }
}
NOT_MODIFIED: Responses = {304: {"description": "You have this version already (`If-None-Match`)."}}
