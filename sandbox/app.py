"""Puts the sandbox together: one ASGI application for all vendors, their controls and their pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from sandbox.clock import Clock
from sandbox.http import Call, PathTable, Routes, answer, stamp, unknown_path
from sandbox.jira import access
from sandbox.jira.errors import ApiError
from sandbox.jira.platform import tables as platform
from sandbox.jira.seed import seed
from sandbox.jira.state import Site, SiteData

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

# Every module that answers requests is listed here. To add: agile, software, search, webhooks, pages.
ROUTE_TABLES: tuple[Routes, ...] = (*platform.ROUTE_TABLES,)


@dataclass
class World:
    """Everything a running sandbox consists of; another vendor's state is added beside ``jira``."""

    clock: Clock
    jira: Site


def make_world(data: SiteData | None = None) -> World:
    """A world with the given Jira data, or freshly seeded."""
    clock = Clock()
    return World(clock, Site(data if data is not None else seed(clock.now()), clock))


class VendorApp:
    """Finds the handler of a request and answers; the controls are wrapped around it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.table = PathTable(ROUTE_TABLES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        response = stamp(await self.respond(request))
        await response(scope, receive, send)

    async def respond(self, request: Request) -> Response:
        """The answer to a request, refusals included."""
        found = self.table.find(request.method, request.scope["path"])
        if found is None:
            return unknown_path(request)
        handler, path, prefix = found
        site = self.world.jira
        try:
            call = Call(request, site, access.authenticate(site, request), path)
            call.prefix = prefix
            return await handler(call)
        except ApiError as error:
            return answer(error.body, error.status, error.headers)


def create_app(world: World) -> ASGIApp:
    """The whole application."""
    return VendorApp(world)
