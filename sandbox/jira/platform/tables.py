"""Every route table of the platform API."""

from __future__ import annotations

from sandbox.http import Routes
from sandbox.jira.platform import issue_meta, issues, server

ROUTE_TABLES: tuple[Routes, ...] = (server.routes, issues.routes, issue_meta.routes)
