"""The route classes of the API: media types are checked, and what a request changes is changed once for each key."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.routing import APIRoute
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from service.api.problems import ApiProblem
from service.api.whole import whole_problem
from service.context import Context
from service.store_faults import ClaimLost
from service.usecases.run import idempotency

log = logging.getLogger(__name__)

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_KEPT_HEADERS = ("content-type", "location", "etag")
_RETRY_SECONDS = "1"


class EscapedJson(JSONResponse):
    """JSON in ASCII: for text as trackers have it, which may hold halves of characters that UTF-8 cannot write."""

    def render(self, content: Any) -> bytes:
        """The body's bytes."""
        return json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii")


class Unkept(HTMLResponse):
    """A page that shows a secret, once: nothing of it is kept for repetitions, which are answered anew by the handler
    (and it has no secret to show then)."""


class JsonRoute(APIRoute):
    """A route whose body, where it takes one, is JSON."""

    def get_route_handler(self) -> Handler:
        """The framework's handler behind the check of the body's type."""
        handle = super().get_route_handler()
        takes_body, endpoint = self.body_field is not None, self.endpoint

        async def checked(request: Request) -> Response:
            if takes_body and await request.body():
                require_type(request, "application/json")
            try:
                return await handle(request)
            except RequestValidationError as error:
                raise await run_in_threadpool(whole_problem, endpoint, request, error) from None

        return checked


class CreatingRoute(JsonRoute):
    """A route that changes something: the same request with the same `Idempotency-Key` is done once.

    Its handler does what it is there for by `once` (see `given.Once`), and whatever shows it after that.
    """

    @staticmethod
    def _keeps(given: idempotency.Answer) -> idempotency.Answer:
        """The answer as it is kept for repetitions."""
        return given

    def get_route_handler(self) -> Handler:
        """The handler behind the look for an earlier answer."""
        handle = super().get_route_handler()
        path = self.path_format

        async def once(request: Request) -> Response:
            key = _key_of(request)
            if key is None:
                return await handle(request)
            return await done_once(request, f"{request.method} {path}", key, handle, self._keeps)

        return once


class SecretRoute(CreatingRoute):
    """One whose first answer holds a secret in the field `token`: a repetition is answered without it, so that it is
    kept nowhere."""

    @staticmethod
    def _keeps(given: idempotency.Answer) -> idempotency.Answer:
        return replace(given, body=json.dumps({**json.loads(given.body), "token": None}))


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


async def done_once(
    request: Request,
    route: str,
    key: str,
    handle: Handler,
    keeps: Callable[[idempotency.Answer], idempotency.Answer] = CreatingRoute._keeps,
) -> Response:
    """What the handler answers to the first request with this key, and to every repetition of that. Of an answer that
    leads elsewhere, or is `Unkept`, nothing is kept: a repetition is led to what the first one brought about."""
    context: Context = request.scope.get("phaseloop.context", request.app.state.context)
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
        claimed = await run_in_threadpool(idempotency.claim, context, token, route, key, same, request.app.state.peers)
    except idempotency.AtWork:
        raise _at_work() from None
    except idempotency.Reused:
        detail = "This Idempotency-Key was used for a request with another body or address."
        raise ApiProblem("idempotency-key-reused", detail) from None
    if isinstance(claimed, idempotency.Answer):
        return _replayed(claimed)
    was_done = claimed.effect is not None
    given = await _answer(request, replace(context, claim=claimed), claimed, handle)
    if not isinstance(given, idempotency.Answer):
        return given
    to_keep = keeps(given)
    kept = await _kept(context, claimed, to_keep)
    if was_done:
        return _replayed(kept)
    return Response(given.body if kept == to_keep else kept.body, kept.status, kept.headers)


async def _answer(
    request: Request, context: Context, claimed: idempotency.Claimed, handle: Handler
) -> idempotency.Answer | Response:
    """What the handler answers, to be kept; a refusal as it is. The key is given back if nothing was brought about."""
    request.scope["phaseloop.context"] = context
    try:
        async with _holding(context, claimed):
            response = await handle(request)
    except ClaimLost:
        raise _at_work() from None
    except Exception:
        await _given_back(context, claimed)
        raise
    if response.status_code >= 300 or isinstance(response, Unkept):
        await _given_back(context, claimed)
        return response
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    return idempotency.Answer(response.status_code, headers, bytes(response.body).decode())


@asynccontextmanager
async def _holding(context: Context, claimed: idempotency.Claimed) -> AsyncIterator[None]:
    """Have others know, as long as the block lasts, that this request is still at it."""

    async def hold() -> None:
        while True:
            await asyncio.sleep(idempotency.HOLD_EVERY)
            try:
                await run_in_threadpool(idempotency.hold, context, claimed)
            except SQLAlchemyError as error:
                log.warning("a claim could not be held: %s", type(error).__name__)

    holding = asyncio.create_task(hold())
    try:
        yield
    finally:
        holding.cancel()


async def _kept(context: Context, claimed: idempotency.Claimed, given: idempotency.Answer) -> idempotency.Answer:
    """The answer that is kept. Where it cannot be, it is given all the same: what was asked for is done, and a
    repetition finds that and is answered anew."""
    try:
        return await run_in_threadpool(idempotency.keep, context, claimed, given)
    except SQLAlchemyError as error:
        log.warning("an answer could not be kept: %s", type(error).__name__)
        return given


async def _given_back(context: Context, claimed: idempotency.Claimed) -> None:
    """Give the key back; where that fails, too, it is free once nobody has held it for a while."""
    try:
        await run_in_threadpool(idempotency.release, context, claimed)
    except SQLAlchemyError as error:
        log.warning("a key could not be given back: %s", type(error).__name__)


def _replayed(answer: idempotency.Answer) -> Response:
    return Response(answer.body, answer.status, {**answer.headers, "Idempotency-Replayed": "true"})


def _at_work() -> ApiProblem:
    detail = "A request with this Idempotency-Key is still being worked on."
    return ApiProblem("idempotency-key-in-use", detail, headers={"Retry-After": _RETRY_SECONDS})
