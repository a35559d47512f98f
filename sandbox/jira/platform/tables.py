"""Every route table of the platform API but search, which has its own module."""

from __future__ import annotations

from sandbox.http import Routes
from sandbox.jira.platform import (
    attachments,
    bulk,
    comments,
    components,
    entity_properties,
    field_routes,
    filters,
    issue_meta,
    issues,
    links,
    permissions,
    project_settings,
    projects,
    server,
    site_routes,
    statuses,
    users,
    versions,
    vocabulary,
    watching,
    worklogs,
)

_MODULES = (
    attachments,
    bulk,
    comments,
    components,
    entity_properties,
    field_routes,
    filters,
    issue_meta,
    issues,
    links,
    permissions,
    project_settings,
    projects,
    server,
    site_routes,
    statuses,
    users,
    versions,
    vocabulary,
    watching,
    worklogs,
)
ROUTE_TABLES: tuple[Routes, ...] = (
    *(module.routes for module in _MODULES),
    attachments.media_routes,
    server.edge,
    site_routes.auth_routes,
    site_routes.applinks_routes,
)
