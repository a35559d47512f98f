"""The pages put together: their routes, none of which is in the document of the API."""

from __future__ import annotations

from fastapi import APIRouter

from service.pages.routes import (
    access,
    audit,
    changes,
    connections,
    events,
    go,
    home,
    plans,
    project_settings,
    projects,
    provider,
    runs,
    schedule,
    settings,
    sign_in,
    starting,
    static,
    teams,
    templates,
    triggers,
    unsubscribe,
)

ROUTERS: tuple[APIRouter, ...] = (
    static.router,
    sign_in.router,
    unsubscribe.router,
    provider.router,
    home.router,
    starting.router,  # before projects: `new` is no project's name
    starting.pressing,
    projects.router,
    projects.pressing,
    runs.router,
    runs.pressing,
    plans.router,
    plans.pressing,
    audit.router,
    audit.pressing,
    templates.router,
    access.router,
    access.pressing,
    changes.router,
    settings.router,
    go.router,
    project_settings.router,
    project_settings.pressing,
    schedule.router,
    schedule.pressing,
    teams.router,
    teams.pressing,
    events.router,
    events.pressing,
    triggers.router,
    triggers.pressing,
    connections.router,
    connections.pressing,
)
"""For browsers."""
