"""Every route table of the platform API."""

from __future__ import annotations

from sandbox.http import Routes
from sandbox.jira.platform import attachments, comments, issue_meta, issues, links, server, worklogs

ROUTE_TABLES: tuple[Routes, ...] = (
    server.routes,
    issues.routes,
    issue_meta.routes,
    comments.routes,
    worklogs.routes,
    links.routes,
    attachments.routes,
    attachments.media_routes,
)
