"""What every request passes through before any route: an id, the policy, a bounded body, a line in the log."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import re
import secrets
from functools import partial
from http import HTTPStatus
from time import monotonic

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.access import Address, SignInNeeded, addresses, admit, with_what_was_sent
from service.api.cookies import check_form_token, is_secure
from service.api.problems import ApiProblem, respond, stamp, translate
from service.api.rates import Rates
from service.api.routes.feeds import PREFIX as FEEDS
from service.api.routes.hooks import PREFIX as DELIVERIES
from service.context import Context
from service.domain.access.identity import Caller as Identity
from service.domain.access.identity import Kind
from service.domain.access.policy import is_exception
from service.usecases.access import sessions, tokens
from service.usecases.errors import UseCaseError
from service.usecases.notice.unsubscribing import PATH as UNSUBSCRIBE

log = logging.getLogger(__name__)

BODY_LIMIT = 2_000_000
"""Bytes of a request's body."""

BINDER_LIMIT = 32_000_000
"""Bytes of a binder that is to be verified: it holds the records of years."""

API = "/api/v1"
_LIMITS = {f"{API}/binders/verify": BINDER_LIMIT}
"""Paths that take longer bodies."""

REMEMBERED = 1000
"""Addresses that were asked for, of which it is remembered what they are."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


class Door:
    """The outermost layer. It holds nothing back: a stream passes through as it comes.

    A request gets `phaseloop.request_id` in its scope. At every address but the exceptions of the policy it also gets
    `phaseloop.identity` (who calls and what they may), `phaseloop.caller` (their name), `phaseloop.token` (what their
    idempotency keys are kept apart by) and `phaseloop.context`. Who calls is looked at before the body is read; an
    answer that takes its time asks `phaseloop.admitted` whether the same request would be let in now. A route that
    judges a proof itself calls `phaseloop.refused` where it is none: the problem of too many such, or None.
    """

    def __init__(self, app: ASGIApp, context: Context) -> None:
        self._app = app
        self._context = context
        self._known: list[Address] | None = None
        self._found: dict[tuple[str, str], Address | None] = {}
        self._uses: dict[str, float] = {}
        self._noting: set[asyncio.Task[None]] = set()
        limits = context.settings
        self._rates = Rates(limits.requests_per_minute, limits.refusals_per_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; other protocols pass."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "HEAD" and not scope["path"].startswith(DELIVERIES):
            # What a GET says of itself; whoever serves leaves the body out.
            scope = {**scope, "method": "GET", "phaseloop.head": True}
        request_id = scope["phaseloop.request_id"] = _request_id(Headers(scope=scope))
        started, status = monotonic(), 0
        left: dict[str, str] = scope.setdefault("phaseloop.rates", {})
        scope["phaseloop.refused"] = lambda: self._refused(scope)

        async def stamped(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                stamp(headers, request_id, secure=is_secure(self._context, scope))
                headers.update(left)
            await send(message)

        try:
            await self._serve(scope, receive, stamped)
        except Exception as error:  # noqa: BLE001 - the last resort: whatever it is becomes a problem and a log entry
            problem = translate(error)
            if problem.kind.status == HTTPStatus.UNAUTHORIZED:
                problem = self._refused(scope) or problem
            if status == 0:
                await respond(problem, scope)(scope, receive, stamped)
        finally:
            _write_log(scope, request_id, status, monotonic() - started)
            self._note_use(scope)

    def _refused(self, scope: Scope) -> ApiProblem | None:
        """Count that nothing was proved; the problem that this came too often from there."""
        return self._rates.refused(scope["client"][0] if scope.get("client") else "")

    def _note_use(self, scope: Scope) -> None:
        """Have the use of a token or session noted beside the request, which neither waits for it nor fails with it."""
        identity: Identity | None = scope.get("phaseloop.identity")
        if identity is None:
            return
        used = identity.actor.id if identity.actor.kind is Kind.TOKEN else scope["phaseloop.session_id"]
        noted = self._uses.get(used)
        if noted is not None and monotonic() - noted < tokens.USED_EVERY.total_seconds():
            return
        self._uses[used] = monotonic()
        writing = run_in_threadpool(_used, self._context, identity.actor.kind, used)
        task = asyncio.get_running_loop().create_task(writing, context=contextvars.Context())
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        below = path == API or path.startswith(f"{API}/")
        known = self._first(scope)
        open_to_all = known is not None and is_exception(scope["method"], known.path)  # found without a thread's help
        if (below or known is not None) and not open_to_all:
            asked = dict(scope)
            try:
                await run_in_threadpool(admit, self._context, self._addresses(scope), scope)
            except SignInNeeded as needed:
                leads_to = needed
                if needed.ended and scope["method"] == "POST":
                    body, receive = await _bounded(scope, receive)
                    leads_to = await run_in_threadpool(with_what_was_sent, self._context, scope, body, needed)
                await RedirectResponse(leads_to.form, 303)(scope, receive, send)
                return
            scope["phaseloop.rates"].update(self._rates.asked(scope["phaseloop.token"]))
            scope["phaseloop.admitted"] = partial(_admitted, self._context, self._addresses(scope), asked)
        # Deliveries are read by whoever takes them in, within limits of their own and as they came.
        if scope["method"] in ("POST", "PUT", "PATCH", "DELETE") and not path.startswith(DELIVERIES):
            body, receive = await _bounded(scope, receive)
            if "phaseloop.session" in scope:
                check_form_token(scope, body, scope["phaseloop.session"])
        await self._app(scope, receive, send)

    def _first(self, scope: Scope) -> Address | None:
        """The address that this is, remembered: senders of events ask for the same one again and again."""
        wanted = scope["method"], scope["path"]
        if wanted not in self._found:
            if len(self._found) >= REMEMBERED:
                self._found.clear()
            matching = (one for one in self._addresses(scope) if one.matched(*wanted) is not None)
            found = next(matching, None)
            if self._known is None:
                return found
            self._found[wanted] = found
        return self._found[wanted]

    def _addresses(self, scope: Scope) -> list[Address]:
        if self._known is None and "app" in scope:
            self._known = list(addresses(scope["app"]))
        return self._known or []


def _admitted(context: Context, known: list[Address], asked: Scope) -> bool:
    """Whether a request that was let in would be let in again: its session or token may have ended since, or a role."""
    try:
        admit(context, known, dict(asked))
    except (ApiProblem, SignInNeeded, UseCaseError):
        return False
    return True


def _used(context: Context, kind: Kind, used: str) -> None:
    try:
        if kind is Kind.TOKEN:
            tokens.used(context, used)
        else:
            sessions.used(context, used)
    except SQLAlchemyError as error:
        log.warning("the use of a token or session could not be noted: %s", type(error).__name__)


async def _bounded(scope: Scope, receive: Receive) -> tuple[bytes, Receive]:
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
    body = b"".join(chunks)
    whole: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return whole.pop() if whole else await receive()

    return body, replay


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
    """One line for each request: never its query, headers or body, nor the secret in the address of a feed or a
    link."""
    path = next((f"{one}***" for one in (FEEDS, UNSUBSCRIBE) if scope["path"].startswith(one)), scope["path"])
    log.info(
        "request id=%s method=%s path=%s status=%d ms=%.1f",
        request_id,
        scope["method"],
        path.encode("unicode_escape").decode(),  # a line end in it would begin a line of the log
        status,
        seconds * 1000,
        extra={"request_id": request_id, "status": status, "caller": scope.get("phaseloop.caller")},
    )
