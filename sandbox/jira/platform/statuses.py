"""Statuses and their categories, in the older read-only form and the newer one that can be managed."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from sandbox.http import Call, Routes, answer, no_content, page
from sandbox.jira import access
from sandbox.jira.errors import ApiError, bad_request, not_found
from sandbox.jira.platform import PREFIXES
from sandbox.jira.state import Project, Status
from sandbox.jira.views import CATEGORIES, Body

routes = Routes(*PREFIXES)

_TO_KEY = {"TODO": "new", "IN_PROGRESS": "indeterminate", "DONE": "done"}
_FROM_KEY = {value: key for key, value in _TO_KEY.items()}


def _used(call: Call, status: Status) -> list[Project]:
    workflows = call.site.data.workflows
    return [p for p in access.visible_projects(call) if status.id in workflows[p.workflow_id].statuses]


# -- the older form ------------------------------------------------------------------------------------------------


@routes.get("/status")
async def statuses(call: Call) -> Response:
    """Every status that a workflow uses in a project the caller may see."""
    call.caller()
    return answer([call.view.status(s) for s in call.site.data.statuses.values() if _used(call, s)])


@routes.get("/status/{idOrName}")
async def get_status(call: Call) -> Response:
    """One status by id, or by name."""
    call.caller()
    wanted = call.path["idOrName"]
    known = [s for s in call.site.data.statuses.values() if _used(call, s)]
    found = next((s for s in known if s.id == wanted), None) or next((s for s in known if s.name == wanted), None)
    if found is None:
        raise not_found(f"The status with id '{wanted}' does not exist")
    return answer(call.view.status(found))


@routes.get("/statuscategory")
async def categories(call: Call) -> Response:
    """The four status categories."""
    call.caller()
    return answer([call.view.category(key) for key in CATEGORIES])


@routes.get("/statuscategory/{idOrKey}")
async def get_category(call: Call) -> Response:
    """One status category by id or key."""
    call.caller()
    wanted = call.path["idOrKey"]
    for key, (number, _, _) in CATEGORIES.items():
        if wanted in {key, str(number)}:
            return answer(call.view.category(key))
    raise not_found(f"The status category with id '{wanted}' does not exist")


# -- the newer form ------------------------------------------------------------------------------------------------


def _body(status: Status) -> Body:
    scope: Body = {"type": "GLOBAL"}
    if status.project_id is not None:
        scope = {"type": "PROJECT", "project": {"id": status.project_id}}
    return {
        "id": status.id,
        "name": status.name,
        "statusCategory": _FROM_KEY[status.category],
        "scope": scope,
        "description": status.description,
    }


def _by_ids(call: Call, ids: list[str]) -> list[Status]:
    if not 1 <= len(ids) <= 50:
        raise bad_request("Between 1 and 50 status IDs are required.")
    missing = [key for key in ids if key not in call.site.data.statuses]
    if missing:
        raise bad_request(f"No status with id {', '.join(missing)} exists.")
    return [call.site.data.statuses[key] for key in ids]


@routes.get("/statuses")
async def statuses_by_ids(call: Call) -> Response:
    """Statuses by id."""
    call.caller()
    return answer([_body(status) for status in _by_ids(call, call.query_list("id"))])


@routes.get("/statuses/byNames")
async def statuses_by_names(call: Call) -> Response:
    """Statuses by name, of one project or shared."""
    call.caller()
    names = set(call.request.query_params.getlist("name"))
    if not 1 <= len(names) <= 50:
        raise bad_request("Between 1 and 50 status names are required.")
    project = call.query("projectId")
    return answer([_body(s) for s in call.site.data.statuses.values() if s.name in names and s.project_id == project])


@routes.get("/statuses/search")
async def search_statuses(call: Call) -> Response:
    """Statuses of a project (or shared ones) by words and category, paged."""
    call.caller()
    project, words = call.query("projectId"), (call.query("searchString") or "").lower()
    category = call.query("statusCategory")
    found = [
        s
        for s in call.site.data.statuses.values()
        if (project is None or s.project_id == project)
        and words in s.name.lower()
        and (category is None or _FROM_KEY[s.category] == category.upper())
    ]
    return answer(page(call, found, _body, default=200, cap=200))


def _managed(call: Call, project_id: str | None) -> None:
    if project_id is None:
        access.require_admin(call)
    else:
        access.require(call, "ADMINISTER_PROJECTS", access.project_for(call, project_id))


def _checked(call: Call, body: Any, project_id: str | None, but: Status | None = None) -> tuple[str, str, str]:
    if not isinstance(body, dict) or str(body.get("statusCategory")) not in _TO_KEY:
        raise bad_request("The status category must be TODO, IN_PROGRESS or DONE.")
    name = body.get("name")
    if not isinstance(name, str) or not 0 < len(name.strip()) <= 255:
        raise bad_request("The status name must have 1 to 255 characters.")
    same = (s for s in call.site.data.statuses.values() if s.project_id == project_id and s is not but)
    if any(s.name.lower() == name.strip().lower() for s in same):
        raise ApiError(409, f"A status with the name {name} already exists.")
    return name.strip(), _TO_KEY[body["statusCategory"]], str(body.get("description") or "")


@routes.post("/statuses")
async def create_statuses(call: Call) -> Response:
    """Add statuses, shared or to one project; no workflow uses them yet."""
    body = await call.members(allowed=("scope", "statuses"), required=("scope", "statuses"))
    scope, wanted = body["scope"], body["statuses"]
    if not isinstance(scope, dict) or not isinstance(wanted, list) or not wanted:
        raise bad_request("The scope and at least one status are required.")
    project_id = str(scope["project"]["id"]) if scope.get("type") == "PROJECT" and scope.get("project") else None
    _managed(call, project_id)
    added = []
    for part in [_checked(call, entry, project_id) for entry in wanted]:
        name, category, text = part
        status = Status(str(call.site.next_id("status")), name, category, text, project_id)
        call.site.data.statuses[status.id] = status
        added.append(_body(status))
    call.site.touch()
    return answer(added)


@routes.put("/statuses")
async def update_statuses(call: Call) -> Response:
    """Rename statuses or change their categories."""
    call.caller()
    body = await call.members(allowed=("statuses",), required=("statuses",))
    entries = body["statuses"]
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise bad_request("The statuses are not valid.")
    found = _by_ids(call, [str(entry.get("id")) for entry in entries])
    for status, entry in zip(found, entries, strict=True):
        _managed(call, status.project_id)
        status.name, status.category, status.description = _checked(call, entry, status.project_id, status)
    call.site.touch()
    return no_content()


@routes.delete("/statuses")
async def delete_statuses(call: Call) -> Response:
    """Delete statuses that no workflow uses."""
    found = _by_ids(call, call.query_list("id"))
    for status in found:
        _managed(call, status.project_id)
        if any(status.id in workflow.statuses for workflow in call.site.data.workflows.values()):
            raise bad_request(f"The status {status.name} is used by a workflow.")
    for status in found:
        del call.site.data.statuses[status.id]
    call.site.touch()
    return no_content()


# -- where a status is used ----------------------------------------------------------------------------------------


def _status(call: Call) -> Status:
    call.caller()
    found = call.site.data.statuses.get(call.path["statusId"])
    if found is None:
        raise not_found(f"The status with id '{call.path['statusId']}' does not exist")
    return found


@routes.get("/statuses/{statusId}/projectUsages")
async def project_usages(call: Call) -> Response:
    """The projects that use a status."""
    status = _status(call)
    return answer({"statusId": status.id, "projects": {"values": [{"id": p.id} for p in _used(call, status)]}})


@routes.get("/statuses/{statusId}/project/{projectId}/issueTypeUsages")
async def issue_type_usages(call: Call) -> Response:
    """The issue types of a project that use a status."""
    status, project = _status(call), access.project_for(call, call.path["projectId"])
    types = project.issue_type_ids if project in _used(call, status) else []
    return answer(
        {"statusId": status.id, "projectId": project.id, "issueTypes": {"values": [{"id": key} for key in types]}}
    )


@routes.get("/statuses/{statusId}/workflowUsages")
async def workflow_usages(call: Call) -> Response:
    """The workflows that use a status."""
    status = _status(call)
    using = [w for w in call.site.data.workflows.values() if status.id in w.statuses]
    return answer({"statusId": status.id, "workflows": {"values": [{"id": w.id} for w in using]}})
