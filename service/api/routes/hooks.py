"""Where senders of webhooks deliver: no bearer token, for each proves itself in its own way.

Size and time are limited, the body is read as it came, the sender is verified, what it sent is kept, and only then it
is answered. The work that follows from it is done after that.
"""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from service.api.problems import ApiProblem
from service.domain.hook.payload import Unreadable
from service.usecases.hook.intake import Intake, Overloaded, Refused, UnknownSender
from service.usecases.hook.sender import Kind

LIMIT = 5_000_000
"""Bytes of a delivery. No sender here sends as much unless something is wrong with it."""

SECONDS = 15.0
"""How long a delivery may take to arrive."""

DRAINED = 64_000_000
"""Bytes of a delivery that is too large which are read and thrown away, so that its sender can read why: one that still
sends when we hang up loses the answer."""

PREFIX = "/hooks/"


async def of_connection(request: Request) -> Response:
    """Take a delivery of a tracker in."""
    return await _taken(request, Kind.CONNECTION)


async def of_trigger(request: Request) -> Response:
    """Take a delivery for a trigger in."""
    return await _taken(request, Kind.TRIGGER)


class AnyMethod(Route):
    """A route that is asked for whatever method, so that it can answer by itself which it takes."""

    def __init__(self, path: str, endpoint: object) -> None:
        super().__init__(path, endpoint, include_in_schema=False)  # type: ignore[arg-type]
        self.methods = None


ROUTES = (AnyMethod("/hooks/t/{name}", of_trigger), AnyMethod("/hooks/{name}", of_connection))


async def _taken(request: Request, kind: Kind) -> Response:
    if request.method not in ("POST", "HEAD"):
        detail = "This address takes POST, from the sender that it was made for."
        raise ApiProblem("method-not-allowed", detail, headers={"Allow": "POST"})
    intake: Intake = request.app.state.hooks.intake
    try:
        sender = await intake.sender(kind, request.path_params["name"], anew=request.method == "HEAD")
    except UnknownSender:
        raise _unknown() from None
    if request.method == "HEAD":
        # A tracker asks so while it registers the address, and nobody else is told whether there is one.
        if not sender.opening:
            raise _unknown()
        return Response()
    body = await _body(request)
    headers = {name: value for name, value in request.headers.items() if len(value) <= 4000}
    try:
        received = await intake.receive(sender, headers, body)
    except Refused:
        detail = "The delivery does not prove that its sender has the secret of this address."
        raise request.scope["phaseloop.refused"]() or ApiProblem("sender-refused", detail) from None
    except Unreadable as error:
        raise ApiProblem("malformed-request", f"The delivery cannot be read: {error}.") from None
    except Overloaded:
        detail = "More arrives than can be kept just now. Send it again."
        raise ApiProblem("too-many-events", detail, headers={"Retry-After": "5"}) from None
    return JSONResponse({"events": list(received.events)}, received.status)


async def _body(request: Request) -> bytes:
    """The body as it came, within the limits. Raises the problem that it is not."""
    headers = Headers(scope=request.scope)
    announced = headers.get("content-length", "")
    # Nine digits are more than anything that is read here; no more of them are made a number of.
    too_large = announced.isdecimal() and (len(announced) > 9 or int(announced) > LIMIT)
    if too_large and headers.get("expect", "").lower() == "100-continue":
        raise _too_large()  # it has not begun to send
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(SECONDS):
            async for chunk in request.stream():
                size += len(chunk)
                if too_large := too_large or size > LIMIT:
                    chunks.clear()
                    if size > LIMIT + DRAINED:
                        break
                else:
                    chunks.append(chunk)
    except TimeoutError:
        if too_large:
            raise _too_large() from None
        detail = f"The body did not arrive within {SECONDS:g} seconds."
        raise ApiProblem("body-too-slow", detail, headers={"Connection": "close"}) from None
    except ClientDisconnect:
        raise ApiProblem("malformed-request", "The connection ended before the body did.") from None
    if too_large:
        raise _too_large()
    return b"".join(chunks)


def _too_large() -> ApiProblem:
    return ApiProblem("body-too-large", f"The body has more than {LIMIT:,} bytes.", headers={"Connection": "close"})


def _unknown() -> ApiProblem:
    return ApiProblem("not-found", "Nobody delivers to this address.")
