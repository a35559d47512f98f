"""Components of projects."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from sandbox.http import Call, Routes, answer, no_content, page
from sandbox.jira import access
from sandbox.jira.changes import Edit
from sandbox.jira.errors import ApiError, bad_request, not_found
from sandbox.jira.platform import PREFIXES
from sandbox.jira.state import Component, Project
from sandbox.jira.views import Body

routes = Routes(*PREFIXES)

_MEMBERS = (
    "ari",
    "assignee",
    "assigneeType",
    "description",
    "id",
    "isAssigneeTypeValid",
    "lead",
    "leadAccountId",
    "leadUserName",
    "metadata",
    "name",
    "project",
    "projectId",
    "realAssignee",
    "realAssigneeType",
    "self",
)
_ASSIGNEE_TYPES = {"PROJECT_DEFAULT", "COMPONENT_LEAD", "PROJECT_LEAD", "UNASSIGNED"}


def _component(call: Call) -> Component:
    found = call.site.data.components.get(call.path["id"])
    if found is None or not access.sees(call.site, call.user, call.site.data.projects[found.project_id]):
        raise not_found(f"The component with id {call.path['id']} does not exist.")
    return found


def _of(call: Call, project: Project) -> list[Component]:
    found = [c for c in call.site.data.components.values() if c.project_id == project.id]
    query = (call.query("query") or "").lower()
    found = [c for c in found if query in c.name.lower() or query in c.description.lower()]
    order = call.query("orderBy", "name") or "name"
    return sorted(found, key=lambda c: c.name.lower(), reverse=order.startswith("-"))


def _count(call: Call, component: Component) -> int:
    return sum(component.id in issue.component_ids for issue in call.site.issues_of(component.project_id))


@routes.get("/project/{projectIdOrKey}/components")
async def project_components(call: Call) -> Response:
    """The components of a project, whole."""
    project = access.project_for(call, call.path["projectIdOrKey"])
    return answer([call.view.component(c, full=True) for c in _of(call, project)])


@routes.get("/project/{projectIdOrKey}/component")
async def project_components_paged(call: Call) -> Response:
    """The components of a project with their issue counts, paged."""
    project = access.project_for(call, call.path["projectIdOrKey"])
    view = call.view
    return answer(
        page(call, _of(call, project), lambda c: {**view.component(c, full=True), "issueCount": _count(call, c)})
    )


@routes.get("/component")
async def components_of_projects(call: Call) -> Response:
    """The components of several projects, paged."""
    keys = call.query_list("projectIdsOrKeys")
    projects = [access.project_for(call, key) for key in keys] or access.visible_projects(call)
    found = [component for project in projects for component in _of(call, project)]
    return answer(page(call, found, lambda c: call.view.component(c, full=True)))


@routes.post("/component")
async def create_component(call: Call) -> Response:
    """Create a component."""
    body = await call.members(allowed=_MEMBERS)
    wanted = body.get("project") or body.get("projectId")
    if wanted is None:
        raise bad_request(project="A project key is required.")
    project = access.project_for(call, str(wanted))
    access.require(call, "ADMINISTER_PROJECTS", project, message="You do not have permission to create components.")
    component = Component(str(call.site.next_id("component")), project.id, "")
    _apply(call, component, body, project)
    call.site.data.components[component.id] = component
    call.site.touch()
    return answer(call.view.component(component, full=True), 201)


def _apply(call: Call, component: Component, body: Body, project: Project) -> None:
    problems = {}
    name: Any = body.get("name", component.name)
    if not isinstance(name, str) or not name.strip():
        problems["name"] = "The component name specified is invalid - cannot be an empty string."
    elif len(name) > 255:
        problems["name"] = "The component name must be 255 characters or less."
    elif any(
        c.name.lower() == name.strip().lower() and c is not component and c.project_id == project.id
        for c in call.site.data.components.values()
    ):
        problems["name"] = f"A component with the name {name} already exists in this project."
    lead = body.get("leadAccountId", component.lead)
    if lead and str(lead) not in call.site.data.users:
        problems["leadAccountId"] = f"The user {lead} does not exist."
    if str(body.get("assigneeType", "PROJECT_DEFAULT")) not in _ASSIGNEE_TYPES:
        problems["assigneeType"] = "The assignee type is not valid."
    if problems:
        raise ApiError(400, errors=problems)
    component.name, component.lead = name.strip(), lead or None
    component.description = str(body.get("description", component.description) or "")
    component.assignee_type = body.get("assigneeType", component.assignee_type)


@routes.get("/component/{id}")
async def get_component(call: Call) -> Response:
    """One component."""
    return answer(call.view.component(_component(call), full=True))


@routes.put("/component/{id}")
async def update_component(call: Call) -> Response:
    """Change a component."""
    component = _component(call)
    project = call.site.data.projects[component.project_id]
    access.require(call, "ADMINISTER_PROJECTS", project)
    _apply(call, component, await call.members(allowed=_MEMBERS), project)
    call.site.touch()
    return answer(call.view.component(component, full=True))


@routes.delete("/component/{id}")
async def delete_component(call: Call) -> Response:
    """Delete a component; its issues lose it, or get the one of ``moveIssuesTo``."""
    component = _component(call)
    project = call.site.data.projects[component.project_id]
    user = access.require(call, "ADMINISTER_PROJECTS", project)
    other = call.query("moveIssuesTo")
    if other is not None and other not in call.site.data.components:
        raise not_found(f"The component with id {other} does not exist.")
    for issue in [i for i in call.site.issues_of(project.id) if component.id in i.component_ids]:
        edit = Edit(call.site, issue, user.account_id)
        kept = [key for key in issue.component_ids if key != component.id]
        edit.set_records("components", kept + ([other] if other else []))
        edit.save()
    del call.site.data.components[component.id]
    call.site.touch()
    return no_content()


@routes.get("/component/{id}/relatedIssueCounts")
async def component_counts(call: Call) -> Response:
    """How many issues have the component."""
    component = _component(call)
    return answer({"self": call.link(f"/component/{component.id}"), "issueCount": _count(call, component)})
