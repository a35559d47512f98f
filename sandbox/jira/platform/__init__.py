"""The platform API, ``/rest/api/2`` and ``/rest/api/3``: the same handlers, whose rich text differs by version."""

from __future__ import annotations

from sandbox.http import Routes
from sandbox.jira.platform import server

ROUTE_TABLES: tuple[Routes, ...] = (server.routes,)
