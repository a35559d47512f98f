"""Every route table of the platform API."""

from __future__ import annotations

from sandbox.http import Routes
from sandbox.jira.platform import (
    attachments,
    comments,
    entity_properties,
    issue_meta,
    issues,
    links,
    projects,
    server,
    users,
    watching,
    worklogs,
)

ROUTE_TABLES: tuple[Routes, ...] = (
    server.routes,
    issues.routes,
    issue_meta.routes,
    comments.routes,
    worklogs.routes,
    links.routes,
    attachments.routes,
    attachments.media_routes,
    entity_properties.routes,
    projects.routes,
    users.routes,
    watching.routes,
)
