"""The layer around the vendors' routes that misbehaves on request, keeps the vendors' limits and counts what passes.

It is the outermost ASGI callable, because only there is ``send`` the server's own, and only from there can a
connection be dropped.  Its settings are read and written over ``/sandbox/*`` (``control_routes.py``), which is itself
neither logged nor struck.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox import faults
from sandbox.clock import Clock
from sandbox.faults import Fault, Latency
from sandbox.jira.gateway import site_path
from sandbox.jira.state import Site
from sandbox.limits import Limits, issue_in
from sandbox.request_log import Entry, RequestLog
from sandbox.trello.access import credentials_of
from sandbox.trello.limits import TrelloLimits
from sandbox.trello.router import PREFIX as TRELLO_PREFIX

PREFIX = "/sandbox"


@dataclass
class ControlState:
    """The settings that the controls act on, and the log."""

    latencies: list[Latency] = field(default_factory=list)
    rules: list[Fault] = field(default_factory=list)
    limits: Limits = field(default_factory=Limits)
    log: RequestLog = field(default_factory=RequestLog)
    trello_limits: TrelloLimits = field(default_factory=TrelloLimits)

    def clear(self) -> None:
        """Misbehave no more, forget the log; whether limits apply stays as the sandbox was started."""
        self.latencies.clear()
        self.rules.clear()
        self.limits.forget()
        self.trello_limits.forget()
        self.log.clear()


class Controls:
    """Wraps the vendors' application. ``panel`` answers the control routes."""

    def __init__(
        self,
        app: ASGIApp,
        state: ControlState,
        clock: Clock,
        jira: Site,
        panel: Callable[[Request], Awaitable[Response]],
    ) -> None:
        self.app = app
        self.state = state
        self.clock = clock
        self.jira = jira
        self.panel = panel

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as the settings say."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif scope["path"] == PREFIX or scope["path"].startswith(f"{PREFIX}/"):
            request = Request(scope, receive)
            await (await self.panel(request))(scope, receive, send)
        else:
            await self._observed(scope, receive, send)

    async def _observed(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request and note it when it is over, however it ends."""
        began = time.perf_counter()
        at = self.clock.now()
        status: int | None = None

        async def seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        fault = next((rule for rule in self.state.rules if rule.strikes(scope["method"], scope["path"])), None)
        try:
            await self._delayed(scope)
            if fault is None:
                await self._limited(scope, receive, seen)
            else:
                # Faults that drop the connection need the server's own `send`; they answer nothing.
                silent = isinstance(fault, faults.ResetFault | faults.LostFault | faults.HangFault)
                out = send if silent else seen
                await faults.strike(fault, self.app, scope, receive, out, self.clock.now())
        finally:
            self.state.log.add(
                Entry(
                    self.state.log.total + 1,
                    at,
                    scope["method"],
                    scope["path"],
                    scope["query_string"].decode("latin-1"),
                    status,
                    (time.perf_counter() - began) * 1000,
                    fault.action if fault else None,
                )
            )

    async def _delayed(self, scope: Scope) -> None:
        waits = [rule for rule in self.state.latencies if rule.fits(scope["method"], scope["path"])]
        if waits:
            await asyncio.sleep(max(rule.milliseconds for rule in waits) / 1000)

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        limits = self.state.limits
        if limits.enabled and scope["path"].startswith(TRELLO_PREFIX):
            await self._limited_trello(scope, receive, send)
            return
        path = site_path(scope["path"])
        if not limits.enabled or not path.startswith("/rest/"):
            await self.app(scope, receive, send)
            return
        issues, receive = await self._issues(path, scope, receive)
        refusal, extra = limits.check(scope["method"], path, issues, self.clock.now())
        if refusal is not None:
            await refusal(scope, receive, send)
        else:
            await self._with_headers(extra, scope, receive, send)

    async def _limited_trello(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, receive = await faults.read_body(receive)
        key, token = await credentials_of(scope, body)
        state = self.state
        refusal, extra = state.trello_limits.check(scope["path"], key, token, state.limits.scale, self.clock.now())
        if refusal is not None:
            refusal.headers.update(extra)
            await refusal(scope, receive, send)
        else:
            await self._with_headers(extra, scope, receive, send)

    async def _with_headers(self, extra: dict[str, str], scope: Scope, receive: Receive, send: Send) -> None:
        added = [(name.lower().encode(), value.encode()) for name, value in extra.items()]

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), *added]}
            await send(message)

        await self.app(scope, receive, with_headers)

    async def _issues(self, path: str, scope: Scope, receive: Receive) -> tuple[set[str], Receive]:
        """The ids of the issues that a write touches: the one in its path, or both ends of a link in its body."""
        named: list[str] = []
        if issue := issue_in(path):
            named.append(issue)
        elif scope["method"] == "POST" and path.endswith("/issueLink"):
            body, receive = await faults.read_body(receive)
            named += _ends(body)
        found = (self.jira.find_issue(name) for name in named)
        return {issue.id for issue in found if issue is not None}, receive


def _ends(body: bytes) -> list[str]:
    try:
        sent = json.loads(body)
        ends = [sent[name] for name in ("inwardIssue", "outwardIssue")]
        return [str(end.get("key") or end.get("id") or "") for end in ends]
    except (ValueError, KeyError, TypeError, AttributeError):
        return []
