"""The REST API put together."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI

from service.api import middleware, openapi, problems
from service.api.events import Pace
from service.api.routes import (
    audit,
    binders,
    connections,
    evolution,
    feeds,
    health,
    history,
    loop,
    plans,
    projects,
    runs,
    teams,
    templates,
    undo,
)
from service.context import Context
from service.usecases.applying import Enqueue

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
    evolution.router,
)
OUTSIDE: tuple[APIRouter, ...] = (health.router, feeds.router)
"""Not below `/api/v1`, and without a token."""


def install(app: FastAPI, context: Context, enqueue: Enqueue, pace: Pace | None = None) -> None:
    """Give the app its routes, its errors, its document, and what the routes are handed.

    `app.state.launched` says whether the engine works; the one who launches it sets it. `app.state.stopping` is asked
    by endless answers whether the server wants to stop. `app.state.peers` tells which processes are gone, None where
    nobody can.
    """
    app.state.context = context
    app.state.enqueue = enqueue
    app.state.launched = False
    app.state.stopping = _never
    app.state.peers = None
    app.state.pace = pace or Pace()
    for router in OUTSIDE:
        app.include_router(router)
    for router in ROUTERS:
        app.include_router(router, prefix=middleware.API)
    problems.install(app)
    openapi.install(app)
    app.add_middleware(middleware.Door, context=context)


def _never() -> bool:
    return False
