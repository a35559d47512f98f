"""Projects: create from a template, read, search, change, archive, delete to the trash and restore."""

from __future__ import annotations

import re
from typing import Any

from starlette.responses import Response

from sandbox.http import Call, Routes, answer, no_content, page
from sandbox.jira import access, errors, tasks, templates
from sandbox.jira.errors import ApiError, bad_request, not_found
from sandbox.jira.platform import PREFIXES
from sandbox.jira.project_view import EXPANDS, found_body, project_body
from sandbox.jira.state import Event, Project
from sandbox.jira.views import Body

routes = Routes(*PREFIXES)

KEY = re.compile(r"[A-Z][A-Z0-9]{1,9}")
KEY_RULE = (
    "Project keys must start with an uppercase letter, followed by one or more uppercase alphanumeric characters."
)
CREATE_MEMBERS = (
    "assigneeType",
    "avatarId",
    "categoryId",
    "description",
    "fieldConfigurationScheme",
    "fieldScheme",
    "issueSecurityScheme",
    "issueTypeScheme",
    "issueTypeScreenScheme",
    "key",
    "lead",
    "leadAccountId",
    "name",
    "notificationScheme",
    "permissionScheme",
    "projectTemplateKey",
    "projectTypeKey",
    "url",
    "workflowScheme",
)
UPDATE_MEMBERS = (
    "assigneeType",
    "avatarId",
    "categoryId",
    "description",
    "issueSecurityScheme",
    "key",
    "lead",
    "leadAccountId",
    "name",
    "notificationScheme",
    "permissionScheme",
    "releasedProjectKeys",
    "url",
)


# -- validation ----------------------------------------------------------------------------------------------------


def key_problem(call: Call, key: Any, *, but: Project | None = None) -> str | None:
    """Why a key may not be used; none if it may. Deleted projects hold their keys until the trash is emptied."""
    if not isinstance(key, str) or not key:
        return "You must specify a valid project key."
    if len(key) > 10:
        return "The project key must not exceed 10 characters in length."
    if not KEY.fullmatch(key):
        return KEY_RULE
    for project in call.site.data.projects.values():
        if project is not but and (project.key == key or key in project.old_keys):
            return f"Project '{project.name}' uses this project key."
    return None


def name_problem(call: Call, name: Any, *, but: Project | None = None) -> str | None:
    """Why a name may not be used; none if it may."""
    if not isinstance(name, str) or not name.strip():
        return "You must specify a valid project name."
    if len(name) > 80:
        return "The project name must not exceed 80 characters in length."
    for project in call.site.data.projects.values():
        if project is not but and project.name.lower() == name.lower():
            return "A project with that name already exists."
    return None


@routes.get("/projectvalidate/key")
async def validate_key(call: Call) -> Response:
    """Problems with a key, in the shape of a refusal that has status 200; without problems both parts are empty."""
    problem = key_problem(call, call.query("key"))
    return answer({"errorMessages": [], "errors": {"projectKey": problem} if problem else {}})


@routes.get("/projectvalidate/validProjectKey")
async def valid_key(call: Call) -> Response:
    """The key, or a free one made from it."""
    key = re.sub(r"[^A-Z0-9]", "", (call.query("key") or "").upper())[:10] or "KEY"
    key = key if key[0].isalpha() and len(key) > 1 else f"K{key}"[:10]
    number, candidate = 1, key
    while key_problem(call, candidate) is not None:
        number += 1
        candidate = f"{key[: 10 - len(str(number))]}{number}"
    return answer(candidate)


@routes.get("/projectvalidate/validProjectName")
async def valid_name(call: Call) -> Response:
    """The name, or a free one made from it."""
    name = call.query("name")
    if name is None:
        raise bad_request("The query parameter 'name' is required.")
    number, candidate = 1, name
    while name_problem(call, candidate) is not None and number < 1000:
        number += 1
        candidate = f"{name[:76]} {number}"
    return answer(candidate)


# -- create --------------------------------------------------------------------------------------------------------


@routes.post("/project")
async def create_project(call: Call) -> Response:
    """Create a project with its workflow, screens and board."""
    user = access.require(
        call, "ADMINISTER", message="You do not have permission to create projects. Only Jira admins can."
    )
    body = await call.members(allowed=CREATE_MEMBERS)
    template = _template(body)
    lead = body.get("leadAccountId") or body.get("lead")
    problems = {
        "projectKey": key_problem(call, body.get("key")),
        "projectName": name_problem(call, body.get("name")),
        "projectLead": _lead_problem(call, body, lead),
        "projectTemplateKey": None if template else "The project template key is not known to this site.",
        "projectCategory": _category_problem(call, body.get("categoryId")),
        "assigneeType": _assignee_type_problem(body.get("assigneeType")),
    }
    if template and body.get("projectTypeKey") not in (None, templates.TEMPLATES[template].type_key):
        problems["projectTypeKey"] = "The project type does not match the project template."
    refused = {key: text for key, text in problems.items() if text}
    if refused:
        raise ApiError(400, errors=refused)
    category = body.get("categoryId")
    project = templates.create(
        call.site.data,
        call.site.clock.now(),
        key=body["key"],
        name=body["name"].strip(),
        template=template or "",
        lead=str(lead),
        description=str(body.get("description") or ""),
        url=str(body.get("url") or ""),
        assignee_type=body.get("assigneeType") or "UNASSIGNED",
        category_id=None if category is None else str(category),
    )
    call.site.emit(Event("project_created", user.account_id, call.site.clock.now(), subject=project))
    return answer({"self": call.link(f"/project/{project.id}"), "id": int(project.id), "key": project.key}, 201)


def _template(body: Body) -> str | None:
    """The template named, or the usual one of the type named; none if unknown."""
    named = body.get("projectTemplateKey")
    if named is not None:
        return str(named) if str(named) in templates.TEMPLATES else None
    defaults = {
        "software": f"{templates.PREFIX}basic",
        "business": "com.atlassian.jira-core-project-templates:jira-core-simplified-project-management",
    }
    return defaults.get(str(body.get("projectTypeKey") or "software"))


def _lead_problem(call: Call, body: Body, lead: Any) -> str | None:
    if body.get("lead") and body.get("leadAccountId"):
        return "Only one of 'lead' and 'leadAccountId' can be set."
    if not lead:
        return "You must specify a valid project lead."
    user = call.site.data.users.get(lead) if isinstance(lead, str) else None
    return None if user is not None and user.active else "You must specify a valid project lead."


def _category_problem(call: Call, category: Any) -> str | None:
    known = category is None or str(category) in call.site.data.categories
    return None if known else f"No project category with id {category}."


def _assignee_type_problem(value: Any) -> str | None:
    return None if value in (None, "PROJECT_LEAD", "UNASSIGNED") else "The default assignee is not valid."


# -- read ----------------------------------------------------------------------------------------------------------


def _expand(call: Call) -> set[str]:
    return set(call.query_list("expand"))


@routes.get("/project")
async def all_projects(call: Call) -> Response:
    """All projects the caller may see (deprecated by the vendor in favour of the search)."""
    found = [p for p in access.visible_projects(call) if not p.archived]
    recent = call.query("recent")
    if recent is not None:
        found = _recent(call)[: call.query_int("recent", 20)]
    wanted = set(call.query_list("properties"))
    return answer([found_body(call.view, p, _expand(call), properties=wanted) for p in found])


@routes.get("/project/search")
async def search_projects(call: Call) -> Response:
    """Projects by ids, keys, words in key or name, type, category, status; paged and ordered."""
    statuses = set(call.query_list("status")) or {"live"}
    if statuses - {"live", "archived", "deleted"}:
        raise bad_request("The status must be one of live, archived, deleted.")
    found = [p for p in _by_status(call, statuses) if _matches(call, p)]
    order = call.query("orderBy", "key") or "key"
    _sort(call, found, order)
    wanted = set(call.query_list("properties"))
    body = page(call, found, lambda p: found_body(call.view, p, _expand(call), properties=wanted))
    return answer(body)


def _by_status(call: Call, statuses: set[str]) -> list[Project]:
    found = []
    for project in sorted(call.site.data.projects.values(), key=lambda p: p.key):
        state = "deleted" if project.deleted_at else "archived" if project.archived else "live"
        if state == "deleted":
            seen = access.allowed(call.site, call.user, "ADMINISTER")
        else:
            seen = access.sees(call.site, call.user, project)
        if state in statuses and seen:
            found.append(project)
    return found


def _matches(call: Call, project: Project) -> bool:
    query = (call.query("query") or "").lower()
    ids, keys = set(call.query_list("id")), {key.upper() for key in call.query_list("keys")}
    types, category = set(call.query_list("typeKey")), call.query("categoryId")
    action = call.query("action", "view")
    permission = {"browse": "BROWSE_PROJECTS", "edit": "ADMINISTER_PROJECTS", "create": "CREATE_ISSUES"}.get(
        action or ""
    )
    return (
        (not query or query in project.key.lower() or query in project.name.lower())
        and (not ids or project.id in ids)
        and (not keys or project.key in keys)
        and (not types or project.type_key in types)
        and (category is None or project.category_id == category)
        and (permission is None or access.allowed(call.site, call.user, permission, project))
    )


def _sort(call: Call, found: list[Project], order: str) -> None:
    name = order.lstrip("+-")
    orders: dict[str, Any] = {
        "key": lambda p: p.key,
        "name": lambda p: p.name.lower(),
        "category": lambda p: p.category_id or "",
        "owner": lambda p: p.lead,
        "issueCount": lambda p: sum(1 for _ in call.site.issues_of(p.id)),
        "lastIssueUpdatedDate": lambda p: max((i.updated.timestamp() for i in call.site.issues_of(p.id)), default=0.0),
        "archivedDate": lambda p: p.archived_at.timestamp() if p.archived_at else 0.0,
        "deletedDate": lambda p: p.deleted_at.timestamp() if p.deleted_at else 0.0,
    }
    if name not in orders:
        raise bad_request(f"The value '{order}' of the query parameter 'orderBy' is not valid.")
    found.sort(key=orders[name], reverse=order.startswith("-"))


@routes.get("/project/recent")
async def recent_projects(call: Call) -> Response:
    """Up to twenty projects the caller looked at last."""
    return answer([found_body(call.view, p, _expand(call)) for p in _recent(call)[:20]])


def _recent(call: Call) -> list[Project]:
    if call.user is None:
        return []
    ids = call.site.data.recent_projects.get(call.user.account_id, [])
    return [
        call.site.data.projects[key] for key in ids if access.sees(call.site, call.user, call.site.data.projects[key])
    ]


@routes.get("/project/{projectIdOrKey}")
async def get_project(call: Call) -> Response:
    """One project in full."""
    project = access.project_for(call, call.path["projectIdOrKey"])
    if call.user is not None:
        seen = call.site.data.recent_projects.setdefault(call.user.account_id, [])
        if project.id in seen:
            seen.remove(project.id)
        seen.insert(0, project.id)
        del seen[20:]
    wanted = set(call.query_list("properties"))
    return answer(project_body(call.view, project, _expand(call), properties=wanted))


@routes.get("/project/{projectIdOrKey}/statuses")
async def project_statuses(call: Call) -> Response:
    """The statuses of each issue type of a project."""
    project = access.project_for(call, call.path["projectIdOrKey"])
    view, data = call.view, call.site.data
    statuses = [view.status(key) for key in data.workflows[project.workflow_id].statuses]
    types = [data.issue_types[key] for key in project.issue_type_ids]
    return answer(
        [
            {
                "self": view.link(f"/issuetype/{t.id}"),
                "id": t.id,
                "name": t.name,
                "subtask": t.subtask,
                "statuses": statuses,
            }
            for t in types
        ]
    )


@routes.get("/project/{projectId}/hierarchy")
async def hierarchy(call: Call) -> Response:
    """The issue types of a project by level, highest first."""
    project = access.project_for(call, call.path["projectId"])
    types = [call.site.data.issue_types[key] for key in project.issue_type_ids]
    names = {1: "Epic", 0: "Base", -1: "Subtask"}
    levels = []
    for level in sorted({t.level for t in types}, reverse=True):
        info = [{"id": int(t.id), "name": t.name, "avatarId": t.avatar_id} for t in types if t.level == level]
        levels.append({"level": level, "name": names[level], "issueTypes": info})
    return answer({"projectId": int(project.id), "hierarchy": levels})


# -- change --------------------------------------------------------------------------------------------------------


@routes.put("/project/{projectIdOrKey}")
async def update_project(call: Call) -> Response:
    """Change a project's details; a new key moves its issues' keys along, the old ones keep leading there."""
    project = access.project_for(call, call.path["projectIdOrKey"])
    user = access.require(
        call, "ADMINISTER_PROJECTS", project, message="You cannot edit the configuration of this project."
    )
    body = await call.members(allowed=UPDATE_MEMBERS)
    lead = body.get("leadAccountId") or body.get("lead")
    problems = {
        "projectKey": key_problem(call, body["key"], but=project) if "key" in body else None,
        "projectName": name_problem(call, body["name"], but=project) if "name" in body else None,
        "projectLead": _lead_problem(call, body, lead) if lead else None,
        "projectCategory": None if body.get("categoryId") == -1 else _category_problem(call, body.get("categoryId")),
        "assigneeType": _assignee_type_problem(body.get("assigneeType")),
    }
    refused = {key: text for key, text in problems.items() if text}
    if refused:
        raise ApiError(400, errors=refused)
    _apply(call, project, body, lead)
    call.site.emit(Event("project_updated", user.account_id, call.site.clock.now(), subject=project))
    return answer(project_body(call.view, project, _expand(call) | set(EXPANDS)))


def _apply(call: Call, project: Project, body: Body, lead: Any) -> None:
    for name in ("name", "description", "url"):
        if name in body:
            setattr(project, name, str(body[name] or ""))
    if lead:
        project.lead = str(lead)
    if body.get("assigneeType"):
        project.assignee_type = body["assigneeType"]
    if body.get("categoryId") is not None:
        project.category_id = None if body["categoryId"] == -1 else str(body["categoryId"])
    if body.get("avatarId") is not None:
        project.avatar_id = int(body["avatarId"])
    if body.get("key") and body["key"] != project.key:
        _rename(call, project, body["key"])


def _rename(call: Call, project: Project, key: str) -> None:
    project.old_keys.append(project.key)
    project.key = key
    for issue in call.site.issues_of(project.id):
        issue.old_keys.append(issue.key)
        issue.key = f"{key}-{issue.key.rpartition('-')[2]}"
        call.site.index(issue)


@routes.post("/project/{projectIdOrKey}/archive")
async def archive_project(call: Call) -> Response:
    """Archive a project."""
    access.require_admin(call)
    project = access.project_for(call, call.path["projectIdOrKey"])
    project.archived, project.archived_at = True, call.site.clock.now()
    call.site.touch()
    return no_content()


def _delete(call: Call, project: Project) -> None:
    user = call.caller()
    if call.query_bool("enableUndo", default=True):
        project.deleted_at, project.deleted_by = call.site.clock.now(), user.account_id
    else:
        _purge(call, project)
    event = "project_soft_deleted" if project.deleted_at else "project_deleted"
    call.site.emit(Event(event, user.account_id, call.site.clock.now(), subject=project))


def _purge(call: Call, project: Project) -> None:
    data = call.site.data
    gone = {issue.id for issue in call.site.issues_of(project.id)}
    for issue in [data.issues[key] for key in gone]:
        call.site.forget(issue)
    data.links = {k: v for k, v in data.links.items() if v.inward_id not in gone and v.outward_id not in gone}
    boards = {key for key, board in data.boards.items() if board.project_id == project.id}
    data.boards = {key: board for key, board in data.boards.items() if key not in boards}
    data.sprints = {key: sprint for key, sprint in data.sprints.items() if sprint.board_id not in boards}
    for table in ("components", "versions"):
        records = getattr(data, table)
        setattr(data, table, {k: v for k, v in records.items() if v.project_id != project.id})
    del data.projects[project.id]
    for seen in data.recent_projects.values():
        if project.id in seen:
            seen.remove(project.id)


@routes.delete("/project/{projectIdOrKey}")
async def delete_project(call: Call) -> Response:
    """Delete a project: to the trash unless ``enableUndo=false``."""
    _, project = _deletable(call)
    _delete(call, project)
    return no_content()


def _deletable(call: Call) -> tuple[str, Project]:
    user = call.caller()
    project = access.project_for(call, call.path["projectIdOrKey"])
    if not access.allowed(call.site, user, "ADMINISTER"):  # 401 is what the vendor documents for this route
        raise ApiError(401, "You do not have permission to delete this project.")
    return user.account_id, project


@routes.post("/project/{projectIdOrKey}/delete")
async def delete_project_later(call: Call) -> Response:
    """Delete a project in the background; 303 with the task."""
    account, project = _deletable(call)
    project.deleted_at, project.deleted_by = call.site.clock.now(), account
    call.site.emit(Event("project_soft_deleted", account, call.site.clock.now(), subject=project))
    task = tasks.finish(call.site, "Delete project", account, description=f"Delete project {project.key}")
    return answer(tasks.body(call.view, task), 303, {"location": call.link(f"/task/{task.id}")})


@routes.post("/project/{projectIdOrKey}/restore")
async def restore_project(call: Call) -> Response:
    """Bring a project back from the trash or the archive."""
    user = access.require_admin(call)
    project = call.site.find_project(call.path["projectIdOrKey"], deleted=True)
    if project is None:
        raise errors.project_not_found(call.path["projectIdOrKey"])
    project.deleted_at = project.deleted_by = project.archived_at = None
    project.archived = False
    event = "project_restored_deleted"
    call.site.emit(Event(event, user.account_id, call.site.clock.now(), subject=project))
    return answer(project_body(call.view, project, set(EXPANDS)))


@routes.post("/project-template")
async def create_custom_project(call: Call) -> Response:
    """Projects from custom templates need a plan that the sandbox does not have."""
    access.require_admin(call)
    raise ApiError(400, "Custom project templates are not available on this site.")


# -- kinds of projects ---------------------------------------------------------------------------------------------

_TYPES = {
    "software": ("Software", "#009FB8", "jira.project.type.software.description"),
    "business": ("Business", "#1D8832", "jira.project.type.business.description"),
}


def _type_body(key: str) -> Body:
    name, color, text = _TYPES[key]
    return {"key": key, "formattedKey": name, "descriptionI18nKey": text, "icon": "", "color": color}


@routes.get("/project/type", "/project/type/accessible")
async def project_types(_call: Call) -> Response:
    """The kinds of projects this site has."""
    return answer([_type_body(key) for key in _TYPES])


@routes.get("/project/type/{projectTypeKey}", "/project/type/{projectTypeKey}/accessible")
async def project_type(call: Call) -> Response:
    """One kind of project."""
    key = call.path["projectTypeKey"]
    if key not in _TYPES:
        raise not_found(f"No project type could be found with key '{key}'.")
    return answer(_type_body(key))
