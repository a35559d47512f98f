"""The route class of the API: media types are checked, and POSTs that create keep their answer for repetitions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from service.api.problems import ApiProblem
from service.context import Context
from service.usecases import answers

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_KEPT_HEADERS = ("content-type", "location", "etag")
_RETRY_SECONDS = "1"


class EscapedJson(JSONResponse):
    """JSON in ASCII: for text as trackers have it, which may hold halves of characters that UTF-8 cannot write."""

    def render(self, content: Any) -> bytes:
        """The body's bytes."""
        return json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii")


class JsonRoute(APIRoute):
    """A route whose body, where it takes one, is JSON."""

    def get_route_handler(self) -> Handler:
        """The framework's handler behind the check of the body's type."""
        handle = super().get_route_handler()
        takes_body = self.body_field is not None

        async def checked(request: Request) -> Response:
            if takes_body and await request.body():
                require_type(request, "application/json")
            return await handle(request)

        return checked


class CreatingRoute(JsonRoute):
    """A route that creates something: the same request with the same `Idempotency-Key` is done once."""

    def get_route_handler(self) -> Handler:
        """The handler behind the look for an earlier answer."""
        handle = super().get_route_handler()
        route = f"POST {self.path_format}"

        async def once(request: Request) -> Response:
            key = _key_of(request)
            if key is None or request.method != "POST":
                return await handle(request)
            return await _once(request, route, key, handle)

        return once


def require_type(request: Request, *allowed: str) -> str:
    """The body's media type, if it is one of these. Raises the problem that it is not."""
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent not in allowed:
        shown = f"not {sent[:80]}" if sent else "and the Content-Type is missing"
        raise ApiProblem("unsupported-media-type", f"The body must be {' or '.join(allowed)}, {shown}.")
    return sent


def _key_of(request: Request) -> str | None:
    """The key; the standard's draft writes it as a quoted string, most clients send it bare."""
    sent = request.headers.get("idempotency-key")
    if sent is None:
        return None
    key = sent.strip()
    if len(key) > 1 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not _KEY.fullmatch(key):
        entry = {"header": "Idempotency-Key", "detail": "must be 1 to 255 visible ASCII characters"}
        raise ApiProblem("invalid-input", "Idempotency-Key must be 1 to 255 visible ASCII characters.", errors=[entry])
    return key


async def _once(request: Request, route: str, key: str, handle: Handler) -> Response:
    context: Context = request.app.state.context
    same = b"\n".join(
        (
            request.url.path.encode(),
            request.url.query.encode(),
            request.headers.get("content-type", "").encode(),
            await request.body(),
        )
    )
    try:
        token = request.scope["phaseloop.token"]
        claimed = await run_in_threadpool(answers.claim, context, token, route, key, same)
    except answers.AtWork:
        detail = "A request with this Idempotency-Key is still at work."
        raise ApiProblem("idempotency-key-in-use", detail, headers={"Retry-After": _RETRY_SECONDS}) from None
    except answers.Reused:
        detail = "This Idempotency-Key was used for a request with another body or address."
        raise ApiProblem("idempotency-key-reused", detail) from None
    if isinstance(claimed, answers.Answer):
        headers = {**claimed.headers, "Idempotency-Replayed": "true"}
        return Response(claimed.body, claimed.status, headers)
    try:
        response = await handle(request)
        if response.status_code >= 300:
            await run_in_threadpool(answers.release, context, claimed)
            return response
        kept = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
        given = answers.Answer(response.status_code, kept, bytes(response.body).decode())
        await run_in_threadpool(answers.keep, context, claimed, given)
    except Exception:
        await run_in_threadpool(answers.release, context, claimed)
        raise
    return response
