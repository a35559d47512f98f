"""What every request passes through before any route: an id, a bounded body, the bearer token, a line in the log."""

from __future__ import annotations

import logging
import re
import secrets
from time import monotonic

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.problems import ApiProblem, answer, stamp, translate
from service.api.routes.feeds import PREFIX as FEEDS
from service.context import Context
from service.usecases import tokens

log = logging.getLogger(__name__)

BODY_LIMIT = 2_000_000
"""Bytes of a request's body."""

BINDER_LIMIT = 32_000_000
"""Bytes of a binder that is to be verified: it holds the records of years."""

API = "/api/v1"
_LIMITS = {f"{API}/binders/verify": BINDER_LIMIT}
"""Paths that take longer bodies."""
PUBLIC = frozenset({f"{API}/openapi.json"})
"""Paths under the API that need no token."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


class Door:
    """The outermost layer. It holds nothing back: a stream passes through as it comes.

    A request gets `phaseloop.request_id` in its scope, and below `/api/v1` also `phaseloop.token` (as sent) and
    `phaseloop.caller` (the token's name). The token is looked at before the body is read.
    """

    def __init__(self, app: ASGIApp, context: Context) -> None:
        self._app = app
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; other protocols pass."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = scope["phaseloop.request_id"] = _request_id(Headers(scope=scope))
        started, status = monotonic(), 0

        async def stamped(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                stamp(MutableHeaders(scope=message), request_id)
            await send(message)

        try:
            await self._serve(scope, receive, stamped)
        except Exception as error:  # noqa: BLE001 - the last resort: whatever it is becomes a problem and a log entry
            problem = translate(error)
            if status == 0:
                await answer(problem, request_id)(scope, receive, stamped)
        finally:
            _write_log(scope, request_id, status, monotonic() - started)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path == API or path.startswith(f"{API}/"):
            if path not in PUBLIC:
                await self._authenticate(scope)
            if scope["method"] in ("POST", "PUT", "PATCH", "DELETE"):
                receive = await _bounded(scope, receive)
        await self._app(scope, receive, send)

    async def _authenticate(self, scope: Scope) -> None:
        sent = Headers(scope=scope).get("authorization")
        if sent is None:
            raise _unauthorized("Send the header `Authorization: Bearer TOKEN`.")
        scheme, _, token = sent.strip().partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise _unauthorized("The Authorization header must be `Bearer TOKEN`.")
        caller = await run_in_threadpool(tokens.owner, self._context, token)
        if caller is None:
            detail = "The token is not one of this service's. Make one with `phaseloop tokens create NAME`."
            raise _unauthorized(detail, error="invalid_token")
        scope["phaseloop.token"], scope["phaseloop.caller"] = token, caller


def _unauthorized(detail: str, error: str = "") -> ApiProblem:
    challenge = 'Bearer realm="phaseloop"' + (f', error="{error}"' if error else "")
    return ApiProblem("unauthorized", detail, headers={"WWW-Authenticate": challenge})


async def _bounded(scope: Scope, receive: Receive) -> Receive:
    """Read the body up to the limit and hand it on whole. A longer one is refused, unread where it is announced."""
    limit = _LIMITS.get(scope["path"], BODY_LIMIT)
    announced = Headers(scope=scope).get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            # What came is not what was meant: half of a table is a table, too.
            raise ApiProblem("malformed-request", "The connection ended before the body did.")
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > limit:
            raise _too_large(limit)
        more = message.get("more_body", False)
    whole: list[Message] = [{"type": "http.request", "body": b"".join(chunks), "more_body": False}]

    async def replay() -> Message:
        return whole.pop() if whole else await receive()

    return replay


def _too_large(limit: int) -> ApiProblem:
    more = " A larger binder is verified by `phaseloop audit verify FILE`." if limit == BINDER_LIMIT else ""
    # The rest of the body is not read, so the connection cannot be used again.
    return ApiProblem(
        "body-too-large", f"The body has more than {limit:,} bytes.{more}", headers={"Connection": "close"}
    )


def _request_id(headers: Headers) -> str:
    """The caller's own id where it is harmless, else a new one."""
    given = headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else f"req_{secrets.token_hex(8)}"


def _write_log(scope: Scope, request_id: str, status: int, seconds: float) -> None:
    """One line for each request: never its query, headers or body, nor the secret in a feed's address."""
    path = f"{FEEDS}***" if scope["path"].startswith(FEEDS) else scope["path"]
    log.info(
        "request id=%s method=%s path=%s status=%d ms=%.1f",
        request_id,
        scope["method"],
        path.encode("unicode_escape").decode(),  # a line end in it would begin a line of the log
        status,
        seconds * 1000,
        extra={"request_id": request_id, "status": status, "caller": scope.get("phaseloop.caller")},
    )
