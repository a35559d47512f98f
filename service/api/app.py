"""The REST API put together."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI

from service.api import middleware, openapi, problems
from service.api.events import Pace
from service.api.routes import (
    access,
    audit,
    binders,
    connections,
    events,
    evolution,
    feeds,
    health,
    history,
    hook_care,
    hooks,
    loop,
    notices,
    people,
    plans,
    projects,
    role_rules,
    room,
    runs,
    teams,
    templates,
    triggers,
    undo,
)
from service.api.routing import EscapedJson
from service.context import Context
from service.pages import app as pages
from service.pages import trouble
from service.usecases.hook.service import HookService
from service.usecases.queue import Enqueue

ROUTERS: tuple[APIRouter, ...] = (
    templates.router,
    connections.router,
    connections.creating,
    teams.router,
    teams.creating,
    projects.router,
    projects.creating,
    plans.router,
    plans.creating,
    runs.router,
    runs.creating,
    undo.creating,
    loop.router,
    loop.creating,
    history.router,
    audit.router,
    audit.creating,
    binders.router,
    room.router,
    room.creating,
    evolution.router,
    access.router,
    access.creating,
    access.secretive,
    people.router,
    people.creating,
    people.secretive,
    role_rules.router,
    role_rules.creating,
    events.router,
    events.creating,
    hook_care.listing,
    hook_care.router,
    hook_care.creating,
    triggers.router,
    triggers.creating,
    notices.router,
    notices.creating,
)
OUTSIDE: tuple[APIRouter, ...] = (health.router, feeds.router)
"""Not below `/api/v1`, and without a token."""


def install(
    app: FastAPI, context: Context, enqueue: Enqueue, pace: Pace | None = None, arriving: HookService | None = None
) -> None:
    """Give the app its routes, its errors, its document, and what the routes are handed. `arriving` takes webhooks in;
    whoever gives it starts and stops it.

    `app.state.launched` says whether the engine works; the one who launches it sets it. `app.state.stopping` is asked
    by endless answers whether the server wants to stop. `app.state.peers` tells which processes are gone, None where
    nobody can.
    """
    app.state.context = context
    app.state.hooks = arriving or HookService(context, enqueue)
    app.state.enqueue = enqueue
    app.state.launched = False
    app.state.stopping = _never
    app.state.peers = None
    app.state.pace = pace or Pace()
    app.state.show_problem = trouble.show
    app.router.routes.extend(hooks.ROUTES)  # first: asked for most, and each route before it is tried for each delivery
    for router in (*OUTSIDE, *pages.ROUTERS):
        app.include_router(router)
    for router in ROUTERS:
        # In ASCII: trackers and senders of events give texts with halves of characters, which UTF-8 cannot write.
        app.include_router(router, prefix=middleware.API, default_response_class=EscapedJson)
    problems.install(app)
    openapi.install(app)
    app.add_middleware(middleware.Door, context=context)


def _never() -> bool:
    return False
