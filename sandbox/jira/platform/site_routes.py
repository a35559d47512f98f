"""What belongs to the site as a whole beside its words: settings, session, tasks, pictures, events, dashboards."""

from __future__ import annotations

import hashlib

from starlette.responses import Response

from sandbox.http import Call, Routes, answer, no_content, page
from sandbox.jira import access, tasks
from sandbox.jira.errors import ApiError, forbidden, not_found
from sandbox.jira.platform import PREFIXES
from sandbox.jira.state import Task
from sandbox.jira.views import Body

routes = Routes(*PREFIXES)
auth_routes = Routes("/rest/auth/1", "/rest/auth/latest")
applinks_routes = Routes("/rest/applinks/latest", "/rest/applinks/1.0")

TIME_TRACKING: Body = {
    "workingHoursPerDay": 8.0,
    "workingDaysPerWeek": 5.0,
    "timeFormat": "pretty",
    "defaultUnit": "minute",
}


@routes.get("/configuration")
async def configuration(call: Call) -> Response:
    """Which parts of the product are on."""
    call.caller()
    return answer(
        {
            "votingEnabled": True,
            "watchingEnabled": True,
            "unassignedIssuesAllowed": True,
            "subTasksEnabled": True,
            "issueLinkingEnabled": True,
            "timeTrackingEnabled": True,
            "attachmentsEnabled": True,
            "timeTrackingConfiguration": TIME_TRACKING,
        }
    )


@routes.get("/configuration/timetracking/options")
async def time_tracking_options(call: Call) -> Response:
    """How time is written."""
    access.require_admin(call)
    return answer(TIME_TRACKING)


# -- application properties ----------------------------------------------------------------------------------------


def _property(call: Call, key: str) -> Body:
    value = call.site.data.application_properties[key]
    return {"id": key, "key": key, "value": value, "name": key, "desc": "", "type": "string", "defaultValue": value}


@routes.get("/application-properties", "/application-properties/advanced-settings")
async def application_properties(call: Call) -> Response:
    """The site's settings, or with ``key`` one of them, not in a list (as python-jira expects of the vendor)."""
    access.require_admin(call)
    wanted = call.query("key")
    known = call.site.data.application_properties
    if wanted is None:
        return answer([_property(call, key) for key in known])
    if wanted not in known:
        raise not_found(f"No application property with key '{wanted}'.")
    return answer(_property(call, wanted))


@routes.put("/application-properties/{id}")
async def set_application_property(call: Call) -> Response:
    """Change a setting of the site."""
    access.require_admin(call)
    key = call.path["id"]
    if key not in call.site.data.application_properties:
        raise not_found(f"No application property with key '{key}'.")
    body = await call.members(allowed=("id", "value"))
    call.site.data.application_properties[key] = str(body.get("value", ""))
    call.site.touch()
    return answer(_property(call, key))


# -- session -------------------------------------------------------------------------------------------------------


@auth_routes.get("/session")
async def session(call: Call) -> Response:
    """Who is logged in; older clients validate their credentials here."""
    user = call.caller()
    return answer({"self": call.link(f"/user?accountId={user.account_id}"), "name": user.email})


@auth_routes.post("/session")
async def log_in(_call: Call) -> Response:
    """Cookie sessions are gone from the vendor's cloud: basic credentials are all there is."""
    raise forbidden("Cookie-based authentication is not available. Use an API token with basic authentication.")


@auth_routes.delete("/session")
async def log_out(call: Call) -> Response:
    """Nothing to end."""
    call.caller()
    return no_content()


@applinks_routes.get("/listApplicationlinks")
async def application_links(call: Call) -> Response:
    """No other applications are linked; python-jira asks before it makes a remote link."""
    access.require_admin(call)
    return answer({"list": []})


# -- tasks ---------------------------------------------------------------------------------------------------------


def _task(call: Call) -> Task:
    user = call.caller()
    found = call.site.data.tasks.get(call.path["taskId"])
    if found is None:
        raise not_found(f"Task with ID '{call.path['taskId']}' not found.")
    if found.submitted_by != user.account_id and not access.allowed(call.site, user, "ADMINISTER"):
        raise forbidden("You do not have permission to see this task.")
    return found


@routes.get("/task/{taskId}")
async def get_task(call: Call) -> Response:
    """How far a task is."""
    return answer(tasks.body(call.view, _task(call)))


@routes.post("/task/{taskId}/cancel")
async def cancel_task(call: Call) -> Response:
    """Tasks are done as soon as they are given, so none can be cancelled."""
    _task(call)
    raise ApiError(400, body=["The task is not running and cannot be cancelled."])  # this route's refusals are lists


# -- small lists ---------------------------------------------------------------------------------------------------

_EVENTS = ("Issue Created", "Issue Updated", "Issue Assigned", "Issue Resolved", "Issue Closed", "Issue Commented")


@routes.get("/events")
async def events(call: Call) -> Response:
    """The kinds of notifications."""
    access.require_admin(call)
    return answer([{"id": number, "name": name} for number, name in enumerate(_EVENTS, start=1)])


@routes.get("/dashboard")
async def dashboards(call: Call) -> Response:
    """No dashboards."""
    call.caller()
    return answer({"startAt": 0, "maxResults": call.query_int("maxResults", 20), "total": 0, "dashboards": []})


@routes.get("/dashboard/search")
async def search_dashboards(call: Call) -> Response:
    """No dashboards, paged."""
    call.caller()
    return answer(page(call, [], lambda d: d))


@routes.get("/mypreferences")
async def preference(call: Call) -> Response:
    """A preference of the caller; only time zone and language are kept."""
    user = call.caller()
    known = {"jira.user.timezone": user.time_zone, "jira.user.locale": user.locale}
    key = call.query("key")
    if key not in known:
        raise not_found(f"The preference '{key}' does not exist.")
    return answer(known[key or ""])


@routes.get("/mypreferences/locale")
async def locale(call: Call) -> Response:
    """The language of the caller."""
    return answer({"locale": call.caller().locale})


@routes.get("/instance/license")
async def licence(call: Call) -> Response:
    """The products of the site."""
    access.require_admin(call)
    return answer({"applications": [{"id": "jira-software", "plan": "FREE"}]})


@routes.get("/applicationrole")
async def application_roles(call: Call) -> Response:
    """Who may use the product."""
    access.require_admin(call)
    users = sum(user.active for user in call.site.data.users.values())
    role = {"key": "jira-software", "name": "Jira Software", "groups": ["jira-software-users"], "userCount": users}
    return answer([{**role, "defaultGroups": ["jira-software-users"], "selectedByDefault": True, "defined": True}])


@routes.get("/announcementBanner")
async def banner(call: Call) -> Response:
    """No announcement."""
    access.require_admin(call)
    return answer({"message": "", "isDismissible": False, "isEnabled": False, "hashId": "", "visibility": "public"})


# -- pictures ------------------------------------------------------------------------------------------------------


@routes.get("/universal_avatar/view/type/{type}/avatar/{id}")
async def avatar(call: Call) -> Response:
    """A plain picture whose colour follows from what it stands for."""
    digest = hashlib.sha256(f"{call.path['type']}:{call.path['id']}".encode()).digest()
    hue = digest[0] * 360 // 256
    shape = '<circle cx="24" cy="24" r="24" ' if call.path["type"] == "user" else '<rect width="48" height="48" rx="6" '
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="48" height="48">{shape}fill="hsl({hue} 45% 50%)"/></svg>'
    return Response(svg, media_type="image/svg+xml")
