"""Permissions: what there are, what the caller holds, what somebody holds where."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from sandbox.http import Call, Routes, answer
from sandbox.jira import access, errors
from sandbox.jira.access import GLOBAL_PERMISSIONS, PROJECT_PERMISSIONS
from sandbox.jira.errors import bad_request
from sandbox.jira.platform import PREFIXES
from sandbox.jira.state import Project, User
from sandbox.jira.views import Body

routes = Routes(*PREFIXES)


def _body(key: str, number: int) -> Body:
    site_wide = key in GLOBAL_PERMISSIONS
    name = (GLOBAL_PERMISSIONS if site_wide else PROJECT_PERMISSIONS)[key]
    return {
        "id": str(number),
        "key": key,
        "name": name,
        "type": "GLOBAL" if site_wide else "PROJECT",
        "description": f"{name}.",
    }


def _all() -> dict[str, Body]:
    keys = [*GLOBAL_PERMISSIONS, *PROJECT_PERMISSIONS]
    return {key: _body(key, number) for number, key in enumerate(keys)}


@routes.get("/permissions")
async def permissions(call: Call) -> Response:
    """Every permission."""
    access.require_admin(call)
    bodies = {key: {k: v for k, v in body.items() if k != "id"} for key, body in _all().items()}
    return answer({"permissions": bodies})


def _context(call: Call) -> Project | None:
    issue = call.query("issueKey") or call.query("issueId")
    if issue is not None:
        return access.issue_project(call, access.issue_for(call, issue))
    project = call.query("projectKey") or call.query("projectId")
    return access.project_for(call, project) if project is not None else None


@routes.get("/mypermissions")
async def my_permissions(call: Call) -> Response:
    """What the caller may do, on the site, a project or an issue. The vendor insists on ``permissions``."""
    wanted = call.query_list("permissions")
    if not wanted:
        raise bad_request("The 'permissions' query parameter is required.")
    known = _all()
    unknown = [key for key in wanted if key not in known]
    if unknown:
        raise bad_request(f"Unrecognized permission: {', '.join(unknown)}")  # wording unsure
    project = _context(call)
    return answer(
        {
            "permissions": {
                key: {**known[key], "havePermission": _holds(call, call.user, key, project)} for key in wanted
            }
        }
    )


def _holds(call: Call, user: User | None, key: str, project: Project | None) -> bool:
    """Whether somebody holds a permission; without a project, on any project."""
    if project is not None or key in GLOBAL_PERMISSIONS:
        return access.allowed(call.site, user, key, project)
    return any(access.allowed(call.site, user, key, p) for p in call.site.data.projects.values())


@routes.post("/permissions/check")
async def check_permissions(call: Call) -> Response:
    """What somebody (the caller by default) holds: which site permissions, and each project permission where."""
    caller = call.caller()
    body = await call.members(allowed=("accountId", "globalPermissions", "projectPermissions"))
    account = body.get("accountId") or caller.account_id
    wanted = _strings(body.get("globalPermissions"))
    parts = body.get("projectPermissions") or []
    if not isinstance(account, str) or not isinstance(parts, list):
        raise errors.invalid_payload()
    if account != caller.account_id:
        access.require_admin(call)
    user = call.site.data.users.get(account)
    if user is None:
        raise bad_request(f"The user with account ID '{account}' does not exist.")
    unknown = [key for key in wanted if key not in GLOBAL_PERMISSIONS]
    if unknown:
        raise bad_request(f"Unrecognized permission: {', '.join(map(str, unknown))}")
    grants = [grant for part in parts for grant in _project_grants(call, user, part)]
    held = [key for key in wanted if access.allowed(call.site, user, key)]
    return answer({"globalPermissions": held, "projectPermissions": grants})


def _strings(value: Any) -> list[str]:
    """A list of texts; none counts as empty, anything else is refused."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        raise errors.invalid_payload()
    return value


def _identifiers(value: Any) -> list[str]:
    """A list of ids, as numbers or texts."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise errors.invalid_payload()
    return [str(part) for part in value]


def _project_grants(call: Call, user: User, part: Any) -> list[Body]:
    if not isinstance(part, dict) or not part.get("permissions"):
        raise errors.invalid_payload()
    grants = []
    for key in _strings(part["permissions"]):
        if key not in PROJECT_PERMISSIONS:
            raise bad_request(f"Unrecognized permission: {key}")
        projects, issues = [], []
        for identifier in _identifiers(part.get("projects")):
            project = call.site.find_project(identifier)
            if project is not None and access.allowed(call.site, user, key, project):
                projects.append(int(project.id))
        for identifier in _identifiers(part.get("issues")):
            issue = call.site.find_issue(identifier)
            if issue is not None and access.allowed(call.site, user, key, access.issue_project(call, issue)):
                issues.append(int(issue.id))
        grants.append({"permission": key, "issues": issues, "projects": projects})
    return grants


@routes.post("/permissions/project")
async def permitted_projects(call: Call) -> Response:
    """The projects on which the caller holds all of some permissions."""
    user = call.caller()
    body = await call.members(allowed=("permissions",), required=("permissions",))
    wanted = _strings(body["permissions"])
    if any(key not in PROJECT_PERMISSIONS for key in wanted):
        raise bad_request("The permissions are not valid.")
    found = [
        {"id": int(project.id), "key": project.key}
        for project in access.visible_projects(call)
        if all(access.allowed(call.site, user, key, project) for key in wanted)
    ]
    return answer({"projects": found})
