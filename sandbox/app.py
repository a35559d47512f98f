"""Puts the sandbox together: one ASGI application for all vendors, their controls and their pages."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from sandbox.clock import Clock
from sandbox.control_routes import Panel
from sandbox.controls import Controls, ControlState
from sandbox.http import Call, PathTable, Routes, answer, broken_off, stamp, unknown_path
from sandbox.jira import (
    access,
    agile_issues,
    boards,
    epics,
    gateway,
    pages,
    reports,
    search,
    sprints,
    suggestions,
    webhooks,
)
from sandbox.jira.deliveries import Deliveries
from sandbox.jira.errors import ApiError
from sandbox.jira.platform import tables as platform
from sandbox.jira.seed import seed
from sandbox.jira.state import Site, SiteData, User
from sandbox.slack import pages as slack_pages
from sandbox.slack.api import API as SLACK_API
from sandbox.slack.api import SERVICES as SLACK_SERVICES
from sandbox.slack.app import SlackWorld, make_slack
from sandbox.slack.state import SlackData
from sandbox.trello import pages as trello_pages
from sandbox.trello.app import TrelloWorld, make_trello
from sandbox.trello.router import PREFIX as TRELLO_PREFIX
from sandbox.trello.state import TrelloData

_LOG = logging.getLogger(__name__)

KEEP_ALIVE = 75
"""Seconds for which a server of the sandbox keeps an idle connection: longer than any client does, so that a request
never meets a connection that is just being closed."""

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

# Every module that answers requests is listed here.
ROUTE_TABLES: tuple[Routes, ...] = (
    *platform.ROUTE_TABLES,
    search.routes,
    suggestions.routes,
    boards.routes,
    sprints.routes,
    epics.routes,
    agile_issues.agile,
    agile_issues.software,
    webhooks.admin,
    webhooks.dynamic,
    reports.routes,
    pages.routes,
)


@dataclass
class World:
    """Everything a running sandbox consists of."""

    clock: Clock
    jira: Site
    controls: ControlState
    deliveries: Deliveries
    trello: TrelloWorld
    slack: SlackWorld


def make_world(data: SiteData | None = None, trello: TrelloData | None = None, slack: SlackData | None = None) -> World:
    """A world with the given data, or freshly seeded."""
    clock = Clock()
    jira = Site(data if data is not None else seed(clock.now()), clock)
    controls = ControlState()
    deliveries, slack_world = Deliveries(clock), make_slack(clock, controls.limits, slack)
    world = World(clock, jira, controls, deliveries, make_trello(clock, trello), slack_world)
    webhooks.Sender(jira, world.deliveries)
    return world


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
        if scope["path"].startswith(TRELLO_PREFIX):
            response = await self.world.trello.router(request)
        elif scope["path"].startswith((SLACK_API, SLACK_SERVICES)):
            response = await self.world.slack.app(request)
        elif (page := self._page(request)) is not None:
            response = page
        elif gateway.split(scope["path"]) is not None:
            response = stamp(await self.pass_on(scope, receive))
        else:
            response = stamp(await self.respond(request))
        await response(scope, receive, send)

    def _page(self, request: Request) -> Response | None:
        """The page for people that a request is for, of another vendor than Jira's; none if it is for none."""
        page = slack_pages.respond(self.world.slack.state, request)
        return page or trello_pages.respond(self.world.trello.state, request)

    async def pass_on(self, scope: Scope, receive: Receive) -> Response:
        """The answer to a request by way of the gateway: its own refusal, or what the site answers to the caller."""
        try:
            request, user, prefix = gateway.enter(self.world.jira, scope, receive)
        except gateway.Refused as refused:
            return refused.response()
        return await self.respond(request, user, prefix)

    async def respond(self, request: Request, user: User | None = None, gateway_path: str = "") -> Response:
        """The answer to a request, refusals included. The gateway says who calls by its way, and what it is there."""
        method, target = request.method, request.scope["path"]
        # HEAD is a GET whose body the server leaves out; OPTIONS is answered as JAX-RS does by itself (unsure here).
        found = self.table.find("GET" if method == "HEAD" else method, target)
        if found is None:
            allowed = self.table.methods(target) if method == "OPTIONS" else []
            return Response(headers={"Allow": ",".join(allowed)}) if allowed else unknown_path(request)
        handler, path, prefix = found
        site = self.world.jira
        site.base_url = f"{request.base_url.scheme}://{request.base_url.netloc}"
        try:
            call = Call(request, site, user or access.authenticate(site, request), path)
            call.gateway = gateway_path
            call.prefix = prefix
            return await handler(call)
        except ApiError as error:
            return answer(error.body, error.status, error.headers)
        except ClientDisconnect:
            return broken_off()
        except Exception:  # noqa: BLE001  a fault of ours: told to whoever runs it, and to the client in shape
            _LOG.exception("%s %s failed", request.method, request.url.path)
            return answer({"errorMessages": ["Internal server error"], "errors": {}}, 500)


def create_app(world: World) -> ASGIApp:
    """The whole application: the vendors' routes inside the controls, which must be outermost."""
    panel = Panel(world.controls, world.jira, world.deliveries, world.trello, world.slack)
    return Controls(VendorApp(world), world.controls, world.clock, world.jira, panel)
