"""What the site says of itself: serverInfo, configuration, application properties."""

from __future__ import annotations

from starlette.responses import Response

from sandbox.http import Call, Routes, answer
from sandbox.jira import times
from sandbox.jira.platform import PREFIXES

routes = Routes(*PREFIXES)
edge = Routes("/_edge")


@routes.get("/serverInfo")
async def server_info(call: Call) -> Response:
    """Version and kind of the site; open to everybody."""
    site = call.site
    body = {
        "baseUrl": call.url(""),
        "displayUrl": call.url(""),
        "displayUrlServicedeskHelpCenter": call.url(""),
        "displayUrlConfluence": call.url("/wiki"),
        "version": "1001.0.0-SNAPSHOT",
        "versionNumbers": [1001, 0, 0],
        "deploymentType": site.data.deployment,
        "buildNumber": 100287,
        "buildDate": "2026-06-10T12:00:00.000+0000",
        "serverTime": times.stamp(site.clock.now()),
        "scmInfo": "32b43b28d3f0c3ee7f2535b395e90b205ac3bc6f",
        "serverTitle": site.data.application_properties["jira.title"],
        "serverTimeZone": "Etc/UTC",
    }
    return answer(body)


@edge.get("/tenant_info")
async def tenant_info(call: Call) -> Response:
    """The site's cloud id, which no change of its address or its name touches; open to everybody."""
    return answer({"cloudId": call.site.data.cloud_id})
