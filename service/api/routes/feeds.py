"""Calendar feeds, for calendar programs: they send no token, so the address itself is the secret."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from service.api import loop_examples, openapi
from service.api.given import Given, unchanged
from service.api.problems import placed
from service.usecases.loop import feeds

PREFIX = "/feeds/"
"""What follows in a path is a secret, and stands in no log."""

router = APIRouter(tags=["feeds"])

Secret = Annotated[
    str, Path(max_length=100, pattern=r"^[A-Za-z0-9_-]+$", description="What stands in the feed's address.")
]


def address(secret: str) -> str:
    """The path of the feed with this secret."""
    return f"{PREFIX}{secret}.ics"


@router.get(
    PREFIX + "{secret}.ics",
    operation_id="getFeed",
    summary="A project's calendar",
    response_class=Response,
    responses={
        200: {
            "description": "Iterations, meetings and deadlines of the records, as an iCalendar document (RFC 5545).",
            "headers": openapi.etag_header("calendar"),
            "content": {"text/calendar": {"schema": {"type": "string"}, "example": loop_examples.FEED}},
        },
        **openapi.NOT_MODIFIED,
        **openapi.problems("not-found", "invalid-input", "internal-error", "store-unavailable"),
    },
)
def get_feed(secret: Secret, request: Request, response: Response, context: Given) -> Response:
    """What has begun and, while the loop turns, what is planned to come. It needs no token: who knows the address may
    read it, until it is renewed. Ask again as often as you like; `If-None-Match` spares the answer."""
    with placed(lambda _problem: None):  # of the calendar, if at all: nothing of it was sent
        found = feeds.feed(context, secret)
    known = unchanged(request, response, f'"{sha256(found).hexdigest()[:24]}"')
    answer = known or Response(found, media_type="text/calendar", headers={"ETag": response.headers["ETag"]})
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer
