"""Scripted misbehaviour: rules that match requests, and what they do to them.

A rule is an object of JSON (``POST /sandbox/faults``).  ``skip`` matching requests pass, then ``times`` of them are
struck (``null``: all that follow).  The first rule that strikes wins.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
import struct
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.slack.api import PREFIX as SLACK_PREFIX
from sandbox.slack.api import too_many as slack_too_many
from sandbox.trello import limits as trello_limits
from sandbox.trello.router import PREFIX as TRELLO_PREFIX

FORGOTTEN_AFTER_SECONDS = 3600.0

_HTML = (
    "<!DOCTYPE html><html><head><title>Oops</title></head>"
    "<body><h1>Something went wrong</h1><p>Our server could not answer.</p></body></html>"
)


def _expression(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}") from error
    return value


Expression = Annotated[str, AfterValidator(_expression)]


class Rule(BaseModel):
    """Which requests are struck. ``path`` is a regular expression looked for in the path, without the query."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    method: str = "*"
    path: Expression = ""
    skip: int = Field(default=0, ge=0)
    times: int | None = Field(default=1, ge=1)
    seen: int = Field(default=0, ge=0)
    struck: int = Field(default=0, ge=0)

    @field_validator("method")
    @classmethod
    def _upper(cls, value: str) -> str:
        return value.upper()

    def fits(self, method: str, path: str) -> bool:
        """Whether the rule is about such a request at all; counts nothing."""
        return self.method in {"*", method} and re.search(self.path, path) is not None

    def strikes(self, method: str, path: str) -> bool:
        """Whether this request is struck; counts it."""
        if not self.fits(method, path):
            return False
        self.seen += 1
        if self.seen <= self.skip or (self.times is not None and self.struck >= self.times):
            return False
        self.struck += 1
        return True


class StatusFault(Rule):
    """Answer with a status; ``done`` does the work first and hides its answer."""

    action: Literal["status"]
    status: int = Field(default=500, ge=200, le=599)
    body: Literal["json", "text", "html", "empty"] | dict[str, Any] = "json"
    headers: dict[str, str] = Field(default_factory=dict)
    done: bool = False


class LimitFault(Rule):
    """Answer 429; ``retryAfter`` is a number of seconds, none leaves the header out, ``asDate`` writes an HTTP date."""

    action: Literal["limit"]
    retry_after: float | None = Field(default=1, ge=0, alias="retryAfter")
    as_date: bool = Field(default=False, alias="asDate")
    reason: Literal[
        "jira-burst-based", "jira-per-issue-on-write", "jira-quota-global-based", "jira-quota-tenant-based"
    ] = "jira-burst-based"


class ResetFault(Rule):
    """Reset the connection before anything is done."""

    action: Literal["reset"]


class LostFault(Rule):
    """Do the work, then drop the connection instead of answering: a lost answer."""

    action: Literal["lose"]


class HangFault(Rule):
    """Say nothing until the client gives up; with ``done`` the work is done first."""

    action: Literal["hang"]
    done: bool = True


class RedirectFault(Rule):
    """Send the client to a login page, as a proxy in front of a site does when a session ends."""

    action: Literal["redirect"]
    to: str = "/login"


class PartialFault(Rule):
    """Fail chosen elements of a bulk create; the others are really created."""

    action: Literal["partial"]
    path: Expression = r"/issue/bulk$"
    method: str = "POST"
    elements: list[Annotated[int, Field(ge=0)]] = Field(default_factory=lambda: [0])
    status: int = Field(default=400, ge=400, le=599)
    messages: list[str] = Field(default_factory=lambda: ["This element was chosen to fail."])
    errors: dict[str, str] = Field(default_factory=dict)


Fault = Annotated[
    StatusFault | LimitFault | ResetFault | LostFault | HangFault | RedirectFault | PartialFault,
    Field(discriminator="action"),
]


class Latency(BaseModel):
    """Wait before handling requests whose method and path fit."""

    model_config = ConfigDict(extra="forbid")

    milliseconds: float = Field(ge=0, le=600_000)
    method: str = "*"
    path: Expression = ""

    def fits(self, method: str, path: str) -> bool:
        """Whether such a request has to wait."""
        return self.method.upper() in {"*", method} and re.search(self.path, path) is not None


# -- what a fault does to a request --------------------------------------------------------------------------------


async def strike(fault: Fault, app: ASGIApp, scope: Scope, receive: Receive, send: Send, now: datetime) -> None:
    """Treat one request as the fault says."""
    if isinstance(fault, ResetFault):
        await drop(receive, send)
    elif isinstance(fault, LostFault):
        await app(scope, receive, _nowhere)
        await drop(receive, send)
    elif isinstance(fault, HangFault):
        if fault.done:
            await app(scope, receive, _nowhere)
        # The wait also ends when the server stops, which cancels what still runs: then the connection is dropped.
        with contextlib.suppress(asyncio.CancelledError):
            await _wait_for_goodbye(receive, FORGOTTEN_AFTER_SECONDS)
        await drop(receive, send)
    elif isinstance(fault, PartialFault):
        await _partly(fault, app, scope, receive, send)
    else:
        if isinstance(fault, StatusFault) and fault.done:
            await app(scope, receive, _nowhere)
        await answer_of(fault, now, scope["path"])(scope, receive, send)


def answer_of(fault: StatusFault | LimitFault | RedirectFault, now: datetime, path: str) -> Response:
    """The made-up answer of a fault."""
    if isinstance(fault, RedirectFault):
        return Response(status_code=302, headers={"location": fault.to})
    trello = path.startswith(TRELLO_PREFIX)
    if isinstance(fault, LimitFault) and path.startswith(SLACK_PREFIX):
        return slack_too_many(1 if fault.retry_after is None else fault.retry_after)
    if isinstance(fault, LimitFault):
        headers: dict[str, str] = {} if trello else {"RateLimit-Reason": fault.reason}
        if fault.retry_after is not None:
            until = now + timedelta(seconds=fault.retry_after)
            seconds = f"{fault.retry_after:g}"
            headers["Retry-After"] = format_datetime(until, usegmt=True) if fault.as_date else seconds
            if not trello:
                headers["X-RateLimit-Reset"] = until.strftime("%Y-%m-%dT%H:%M:%SZ")
        return trello_limits.too_many(headers=headers) if trello else too_many(headers)
    if fault.body == "empty" or fault.status in {204, 304}:
        return Response(status_code=fault.status, headers=fault.headers)
    if fault.body == "html":
        return Response(_HTML, status_code=fault.status, media_type="text/html", headers=fault.headers)
    if fault.body == "text":
        return Response("A scripted fault.", fault.status, media_type="text/plain", headers=fault.headers)
    body = fault.body if isinstance(fault.body, dict) else {"errorMessages": ["A scripted fault."], "errors": {}}
    return Response(json.dumps(body), fault.status, media_type="application/json", headers=fault.headers)


def too_many(headers: dict[str, str]) -> Response:
    """429. What the vendor sends as body is not documented; clients must not need one."""
    body = json.dumps({"errorMessages": ["Rate limit exceeded."], "errors": {}})
    return Response(body, status_code=429, media_type="application/json", headers=headers)


async def _nowhere(_message: Message) -> None:
    """A ``send`` for work whose answer nobody shall see."""


async def drop(receive: Receive, send: Send) -> None:
    """Break the connection without an answer.

    Under uvicorn the innermost ``send`` is a method of the request cycle, which holds the transport; closing its
    socket without lingering makes the peer see a reset. Elsewhere (an in-process client) there is no connection, and
    the caller gets ``ConnectionResetError``.
    """
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if not isinstance(transport, asyncio.Transport):
        raise ConnectionResetError("The sandbox dropped this connection, as it was told to.")
    if transport.is_closing():
        return  # the client left first
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    await _wait_for_goodbye(receive, 5.0)


async def _wait_for_goodbye(receive: Receive, seconds: float) -> None:
    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    try:
        await asyncio.wait_for(gone(), seconds)
    except TimeoutError:
        return


# -- bulk creates that fail in part --------------------------------------------------------------------------------


async def read_body(receive: Receive) -> tuple[bytes, Receive]:
    """The whole body, and a ``receive`` that gives it again."""
    parts = []
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    body = b"".join(parts)
    return body, replay(body, receive)


def replay(body: bytes, receive: Receive) -> Receive:
    """A ``receive`` that gives this body first."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _partly(fault: PartialFault, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    body, again = await read_body(receive)
    try:
        sent = json.loads(body)
        updates = list(sent["issueUpdates"])
    except (ValueError, KeyError, TypeError):
        await app(scope, again, send)
        return
    kept = [place for place in range(len(updates)) if place not in fault.elements]
    failed = [_element(fault, place) for place in fault.elements if place < len(updates)]
    if not kept:
        answer = {"issues": [], "errors": failed}
        await Response(json.dumps(answer), 400, media_type="application/json")(scope, receive, send)
        return
    reduced = json.dumps({**sent, "issueUpdates": [updates[place] for place in kept]}).encode()
    headers = [(k, v) for k, v in scope["headers"] if k != b"content-length"]
    headers.append((b"content-length", str(len(reduced)).encode()))
    collected = Collected()
    await app({**scope, "headers": headers}, replay(reduced, receive), collected.send)
    await _merged(collected, failed, kept)(scope, receive, send)


def _element(fault: PartialFault, place: int) -> dict[str, Any]:
    elements = {"errorMessages": fault.messages, "errors": fault.errors}
    return {"status": fault.status, "elementErrors": elements, "failedElementNumber": place}


def _merged(collected: Collected, failed: list[dict[str, Any]], kept: list[int]) -> Response:
    """The answer to the reduced request, with the chosen failures in it and the others under their own numbers."""
    try:
        answer = json.loads(collected.body)
        own = [{**error, "failedElementNumber": kept[error["failedElementNumber"]]} for error in answer["errors"]]
    except (ValueError, KeyError, TypeError, IndexError):
        return Response(collected.body, collected.status, collected.plain_headers())
    answer["errors"] = sorted([*own, *failed], key=lambda error: int(error["failedElementNumber"]))
    return Response(json.dumps(answer), collected.status, collected.plain_headers())


class Collected:
    """An answer caught on its way out."""

    def __init__(self) -> None:
        self.status = 500
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""

    async def send(self, message: Message) -> None:
        """Take a piece of the answer."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = list(message.get("headers", []))
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")

    def plain_headers(self) -> dict[str, str]:
        """The headers without the length, which the new body sets."""
        return {k.decode("latin-1"): v.decode("latin-1") for k, v in self.headers if k.lower() != b"content-length"}
