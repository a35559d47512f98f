"""The words of the site: issue types, priorities, resolutions, labels, workflows."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from sandbox.http import Call, Routes, answer, no_content, page
from sandbox.jira import access, tasks
from sandbox.jira.errors import ApiError, bad_request, not_found
from sandbox.jira.platform import PREFIXES
from sandbox.jira.state import IssueType, Priority, Resolution, Workflow
from sandbox.jira.views import Body

routes = Routes(*PREFIXES)

# -- issue types ---------------------------------------------------------------------------------------------------


def _visible_types(call: Call) -> list[IssueType]:
    used = {key for project in access.visible_projects(call) for key in project.issue_type_ids}
    site_wide = call.user is not None
    return [t for t in call.site.data.issue_types.values() if t.id in used or (site_wide and t.project_id is None)]


def _issue_type(call: Call) -> IssueType:
    found = next((t for t in _visible_types(call) if t.id == call.path["id"]), None)
    if found is None:
        raise not_found("The issue type you are trying to view does not exist.")
    return found


@routes.get("/issuetype")
async def issue_types(call: Call) -> Response:
    """The types of every project the caller may see, those of team-managed projects with their scope."""
    return answer([call.view.issue_type(t) for t in _visible_types(call)])


@routes.get("/issuetype/project")
async def issue_types_of_project(call: Call) -> Response:
    """The types of one project, optionally of one level."""
    wanted = call.query("projectId")
    if wanted is None:
        raise bad_request("The query parameter 'projectId' is required.")
    project = access.project_for(call, wanted)
    types = [call.site.data.issue_types[key] for key in project.issue_type_ids]
    level = call.query("level")
    return answer([call.view.issue_type(t) for t in types if level is None or str(t.level) == level])


@routes.post("/issuetype")
async def create_issue_type(call: Call) -> Response:
    """Add a type to the site; every company-managed project gets it."""
    access.require_admin(call)
    body = await call.members(allowed=("name", "description", "type", "hierarchyLevel"))
    level = -1 if body.get("type") == "subtask" else body.get("hierarchyLevel", 0)
    if level not in (0, -1):
        raise bad_request(hierarchyLevel="The hierarchy level must be 0 or -1.")
    name = _type_name(call, body.get("name"))
    number = str(call.site.next_id("issue_type", 10200))
    added = IssueType(number, name, str(body.get("description") or ""), level, avatar_id=10300)
    call.site.data.issue_types[number] = added
    for project in call.site.data.projects.values():
        if not project.team_managed:
            alike = [t for t in project.issue_type_ids if call.site.data.issue_types[t].level == level]
            project.issue_type_ids.append(number)
            project.screen_fields[number] = list(project.screen_fields[alike[0]]) if alike else []
    call.site.touch()
    return answer(call.view.issue_type(added), 201)


def _type_name(call: Call, name: Any, but: IssueType | None = None) -> str:
    if not isinstance(name, str) or not 0 < len(name.strip()) <= 60:
        raise bad_request(name="You must specify a name of at most 60 characters.")
    shared = (t for t in call.site.data.issue_types.values() if t.project_id is None and t is not but)
    if any(t.name.lower() == name.strip().lower() for t in shared):
        raise ApiError(409, errors={"name": "An issue type with this name already exists."})
    return name.strip()


@routes.get("/issuetype/{id}")
async def get_issue_type(call: Call) -> Response:
    """One type."""
    return answer(call.view.issue_type(_issue_type(call)))


@routes.put("/issuetype/{id}")
async def update_issue_type(call: Call) -> Response:
    """Rename a type."""
    access.require_admin(call)
    found = _issue_type(call)
    body = await call.members(allowed=("name", "description", "avatarId"))
    name = _type_name(call, body["name"], found) if "name" in body else found.name
    avatar = body.get("avatarId", found.avatar_id)
    if not isinstance(avatar, int):
        raise bad_request(avatarId="The avatar ID must be a number.")
    found.name, found.avatar_id = name, avatar
    found.description = str(body.get("description", found.description) or "")
    call.site.touch()
    return answer(call.view.issue_type(found))


def _alternatives(call: Call, found: IssueType) -> list[IssueType]:
    same = (
        t for t in call.site.data.issue_types.values() if t.level == found.level and t.project_id == found.project_id
    )
    return [t for t in same if t is not found]


@routes.get("/issuetype/{id}/alternatives")
async def alternatives(call: Call) -> Response:
    """Types that could take a type's place."""
    return answer([call.view.issue_type(t) for t in _alternatives(call, _issue_type(call))])


@routes.delete("/issuetype/{id}")
async def delete_issue_type(call: Call) -> Response:
    """Delete a type; one in use needs an alternative."""
    access.require_admin(call)
    found = _issue_type(call)
    used = [issue for issue in call.site.data.issues.values() if issue.type_id == found.id]
    wanted = call.query("alternativeIssueTypeId")
    other = next((t for t in _alternatives(call, found) if t.id == wanted), None)
    if wanted is not None and other is None:
        raise not_found("The alternative issue type does not exist.")
    if used and other is None:
        raise ApiError(409, "The issue type is in use: name an alternative with 'alternativeIssueTypeId'.")
    for issue in used:
        issue.type_id = other.id if other else issue.type_id
    for project in call.site.data.projects.values():
        if found.id in project.issue_type_ids:
            project.issue_type_ids.remove(found.id)
            project.screen_fields.pop(found.id, None)
    del call.site.data.issue_types[found.id]
    call.site.touch()
    return no_content()


# -- priorities ----------------------------------------------------------------------------------------------------


def _priority(call: Call) -> Priority:
    found = call.site.data.priorities.get(call.path["id"])
    if found is None:
        raise not_found(f"The priority with id '{call.path['id']}' does not exist")
    return found


def _signed_in(call: Call) -> None:
    """Anonymous callers may read vocabulary on sites with public projects only; the sandbox has none."""
    call.caller()


@routes.get("/priority")
async def priorities(call: Call) -> Response:
    """Every priority, highest first."""
    _signed_in(call)
    return answer([call.view.priority(p, full=True) for p in call.site.data.priorities.values()])


@routes.get("/priority/search")
async def search_priorities(call: Call) -> Response:
    """Priorities by id and name, paged."""
    _signed_in(call)
    ids, name = set(call.query_list("id")), (call.query("priorityName") or "").lower()
    default_only = call.query_bool("onlyDefault")
    found = [
        p
        for p in call.site.data.priorities.values()
        if (not ids or p.id in ids) and name in p.name.lower() and (p.default or not default_only)
    ]
    return answer(page(call, found, lambda p: call.view.priority(p, full=True)))


@routes.get("/priority/{id}")
async def get_priority(call: Call) -> Response:
    """One priority."""
    _signed_in(call)
    return answer(call.view.priority(_priority(call), full=True))


@routes.post("/priority")
async def create_priority(call: Call) -> Response:
    """Add a priority at the end."""
    access.require_admin(call)
    body = await call.members()
    name = _name(body, "priority", (p.name for p in call.site.data.priorities.values()))
    if not isinstance(body.get("statusColor"), str):
        raise bad_request(statusColor="The priority colour is required.")
    added = Priority(str(call.site.next_id("priority")), name, body["statusColor"], str(body.get("description") or ""))
    call.site.data.priorities[added.id] = added
    call.site.touch()
    return answer({"id": added.id}, 201)


def _name(body: Body, what: str, taken: Any) -> str:
    name = body.get("name")
    if not isinstance(name, str) or not 0 < len(name.strip()) <= 60:
        raise bad_request(name=f"The {what} name must have 1 to 60 characters.")
    if name.strip().lower() in {other.lower() for other in taken}:
        raise bad_request(name=f"A {what} with that name already exists.")
    return name.strip()


@routes.put("/priority/{id}")
async def update_priority(call: Call) -> Response:
    """Change a priority."""
    access.require_admin(call)
    found = _priority(call)
    body = await call.members()
    if "name" in body:
        others = (p.name for p in call.site.data.priorities.values() if p is not found)
        found.name = _name(body, "priority", others)
    found.color = str(body.get("statusColor", found.color))
    found.description = str(body.get("description", found.description))
    call.site.touch()
    return no_content()


@routes.delete("/priority/{id}")
async def delete_priority(call: Call) -> Response:
    """Delete a priority; its issues get the default one. Answers 303 with the task."""
    user = access.require_admin(call)
    found = _priority(call)
    if found.default:
        raise ApiError(409, "The default priority cannot be deleted.")
    default = next((p.id for p in call.site.data.priorities.values() if p.default), None)
    for issue in call.site.data.issues.values():
        if issue.priority_id == found.id:
            issue.priority_id = default
    del call.site.data.priorities[found.id]
    task = tasks.finish(call.site, "Delete priority", user.account_id, description=f"Delete priority {found.name}")
    return answer(tasks.body(call.view, task), 303, {"location": call.link(f"/task/{task.id}")})


# -- resolutions ---------------------------------------------------------------------------------------------------


@routes.get("/resolution")
async def resolutions(call: Call) -> Response:
    """Every resolution."""
    _signed_in(call)
    return answer([call.view.resolution(r) for r in call.site.data.resolutions.values()])


@routes.get("/resolution/search")
async def search_resolutions(call: Call) -> Response:
    """Resolutions by id, paged."""
    _signed_in(call)
    ids = set(call.query_list("id"))
    found = [r for r in call.site.data.resolutions.values() if not ids or r.id in ids]
    return answer(page(call, found, call.view.resolution))


@routes.get("/resolution/{id}")
async def get_resolution(call: Call) -> Response:
    """One resolution."""
    _signed_in(call)
    found = call.site.data.resolutions.get(call.path["id"])
    if found is None:
        raise not_found(f"The resolution with id '{call.path['id']}' does not exist")
    return answer(call.view.resolution(found))


@routes.post("/resolution")
async def create_resolution(call: Call) -> Response:
    """Add a resolution."""
    access.require_admin(call)
    body = await call.members()
    name = _name(body, "resolution", (r.name for r in call.site.data.resolutions.values()))
    added = Resolution(str(call.site.next_id("resolution", 10100)), name, str(body.get("description") or ""))
    call.site.data.resolutions[added.id] = added
    call.site.touch()
    return answer({"id": added.id}, 201)


# -- labels --------------------------------------------------------------------------------------------------------


@routes.get("/label")
async def labels(call: Call) -> Response:
    """Every label in use on issues the caller may see, paged."""
    seen = {p.id for p in access.visible_projects(call)}
    found = sorted({label for i in call.site.data.issues.values() if i.project_id in seen for label in i.labels})
    body = page(call, found, lambda label: label, default=1000, cap=1000)
    return answer(body)


# -- workflows -----------------------------------------------------------------------------------------------------


def _workflow_body(call: Call, workflow: Workflow, expand: set[str]) -> Body:
    data = call.site.data
    body: Body = {"id": {"name": workflow.name, "entityId": workflow.id}, "description": "", "isDefault": False}
    if "statuses" in expand or "transitions" in expand:
        body["statuses"] = [{"id": key, "name": data.statuses[key].name} for key in workflow.statuses]
    if "transitions" in expand:
        body["transitions"] = [
            {
                "id": t.id,
                "name": t.name,
                "description": "",
                "from": t.sources,
                "to": t.to,
                "type": "directed" if t.sources else "global",
            }
            for t in workflow.transitions
        ]
    return body


@routes.get("/workflow/search")
async def search_workflows(call: Call) -> Response:
    """Workflows by name, paged, with statuses and transitions if expanded."""
    access.require_admin(call)
    names, query = set(call.request.query_params.getlist("workflowName")), (call.query("queryString") or "").lower()
    found = [w for w in call.site.data.workflows.values() if (not names or w.name in names) and query in w.name.lower()]
    expand = set(call.query_list("expand"))
    return answer(page(call, found, lambda w: _workflow_body(call, w, expand)))
