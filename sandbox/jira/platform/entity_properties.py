"""Properties of issues, projects, people, comments and issue types, and the bulk operations on those of issues."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from starlette.responses import Response

from sandbox.http import Call, Handler, Routes, answer
from sandbox.jira import access, errors, properties, tasks
from sandbox.jira.edits import check_property
from sandbox.jira.errors import bad_request, not_found
from sandbox.jira.platform import PREFIXES
from sandbox.jira.platform.comments import visible
from sandbox.jira.state import Event, Issue

routes = Routes(*PREFIXES)

Finder = Callable[[Call, bool], dict[str, Any]]  # (call, whether it is to be written) -> the properties


def _issue(call: Call, write: bool) -> dict[str, Any]:
    issue = access.issue_for(call)
    if write:
        access.require(call, "EDIT_ISSUES", access.issue_project(call, issue))
    return issue.properties


def _project(call: Call, write: bool) -> dict[str, Any]:
    project = access.project_for(call, call.path["projectIdOrKey"])
    if write:
        access.require(call, "ADMINISTER_PROJECTS", project)
    return project.properties


def _user(call: Call, _write: bool) -> dict[str, Any]:
    caller = call.caller()
    account = call.query("accountId") or caller.account_id
    if account != caller.account_id:
        access.require_admin(call)
    user = call.site.data.users.get(account)
    if user is None:
        raise not_found("Specified user does not exist or you do not have required permissions")
    return user.properties


def _comment(call: Call, write: bool) -> dict[str, Any]:
    for issue in call.site.data.issues.values():
        for comment in issue.comments:
            if (
                comment.id == call.path["commentId"]
                and access.find_issue_for(call, issue.id)
                and visible(call, comment)
            ):
                if write:
                    call.caller()
                return comment.properties
    raise not_found(f"Can not find a comment for the id: {call.path['commentId']}.")


def _issue_type(call: Call, write: bool) -> dict[str, Any]:
    found = call.site.data.issue_types.get(call.path["issueTypeId"])
    if found is None:
        raise not_found("The issue type does not exist.")
    if write:
        access.require_admin(call)
    return found.properties


def _register(base: str, find: Finder) -> None:
    """Serve the four property operations below a path."""

    async def keys(call: Call) -> Response:
        return properties.list_keys(call, find(call, False))

    async def read(call: Call) -> Response:
        return properties.read(call, find(call, False))

    async def write(call: Call) -> Response:
        return await properties.write(call, find(call, True))

    async def remove(call: Call) -> Response:
        return properties.remove(call, find(call, True))

    handlers: Iterable[tuple[str, str, Handler]] = (
        ("GET", base, keys),
        ("GET", f"{base}/{{propertyKey}}", read),
        ("PUT", f"{base}/{{propertyKey}}", write),
        ("DELETE", f"{base}/{{propertyKey}}", remove),
    )
    for method, path, handler in handlers:
        routes.on(method, path)(handler)


_register("/project/{projectIdOrKey}/properties", _project)
_register("/user/properties", _user)
_register("/comment/{commentId}/properties", _comment)
_register("/issuetype/{issueTypeId}/properties", _issue_type)


# -- issues: writes have an event of their own ---------------------------------------------------------------------


@routes.get("/issue/{issueIdOrKey}/properties")
async def issue_property_keys(call: Call) -> Response:
    """The keys of an issue's properties."""
    return properties.list_keys(call, _issue(call, False))


@routes.get("/issue/{issueIdOrKey}/properties/{propertyKey}")
async def issue_property(call: Call) -> Response:
    """One property of an issue."""
    return properties.read(call, _issue(call, False))


@routes.put("/issue/{issueIdOrKey}/properties/{propertyKey}")
async def set_issue_property(call: Call) -> Response:
    """Set a property of an issue."""
    response = await properties.write(call, _issue(call, True))
    _announce(call, access.issue_for(call), call.path["propertyKey"], "issue_property_set")
    return response


@routes.delete("/issue/{issueIdOrKey}/properties/{propertyKey}")
async def delete_issue_property(call: Call) -> Response:
    """Delete a property of an issue."""
    response = properties.remove(call, _issue(call, True))
    _announce(call, access.issue_for(call), call.path["propertyKey"], "issue_property_deleted")
    return response


def _announce(call: Call, issue: Issue, key: str, name: str) -> None:
    now = call.site.clock.now()
    value = issue.properties.get(key)
    call.site.emit(Event(name, call.caller().account_id, now, issue=issue, extra={"key": key, "value": value}))


# -- many issues at once: the vendor answers 303 and the task to look at -------------------------------------------


def _see_task(call: Call, kind: str) -> Response:
    task = tasks.finish(call.site, kind, call.caller().account_id)
    return answer(None, 303, {"location": call.link(f"/task/{task.id}")})


def _issues(call: Call, ids: Any) -> list[Issue]:
    if not isinstance(ids, list):
        raise errors.invalid_payload()
    found = (access.find_issue_for(call, str(key)) for key in ids)
    return [
        issue
        for issue in found
        if issue is not None and access.allowed(call.site, call.user, "EDIT_ISSUES", access.issue_project(call, issue))
    ]


def _set_all(issue: Issue, values: Any) -> None:
    if not isinstance(values, dict) or not 1 <= len(values) <= 10:
        raise bad_request("Between 1 and 10 properties are required.")
    for value in values.values():
        check_property(value)
    issue.properties.update(values)


@routes.post("/issue/properties")
async def set_properties_of_issues(call: Call) -> Response:
    """The same properties on up to ten thousand issues."""
    call.caller()
    body = await call.members(allowed=("entitiesIds", "properties"))
    for issue in _issues(call, body.get("entitiesIds")):
        _set_all(issue, body.get("properties"))
    return _see_task(call, "Bulk set issue properties")


@routes.post("/issue/properties/multi")
async def set_properties_by_issue(call: Call) -> Response:
    """Different properties on up to a hundred issues."""
    call.caller()
    body = await call.members(allowed=("issues",))
    entries = body.get("issues")
    if not isinstance(entries, list) or not 1 <= len(entries) <= 100:
        raise bad_request("Between 1 and 100 issues are required.")
    for entry in entries:
        if not isinstance(entry, dict):
            raise errors.invalid_payload()
        for issue in _issues(call, [entry.get("issueID")]):
            _set_all(issue, entry.get("properties"))
    return _see_task(call, "Bulk set issue properties by issue")


def _chosen(call: Call, condition: Any) -> list[Issue]:
    """Issues by the filter of a bulk property operation: entityIds, currentValue, hasProperty."""
    key = call.path["propertyKey"]
    condition = condition or {}
    if not isinstance(condition, dict):
        raise errors.invalid_payload()
    ids = condition.get("entityIds")
    found = _issues(call, list(call.site.data.issues) if ids is None else ids)
    if "hasProperty" in condition:
        found = [issue for issue in found if (key in issue.properties) == bool(condition["hasProperty"])]
    if "currentValue" in condition:
        found = [issue for issue in found if issue.properties.get(key) == condition["currentValue"]]
    return found


@routes.put("/issue/properties/{propertyKey}")
async def set_property_of_many(call: Call) -> Response:
    """One value on every issue that matches a filter."""
    call.caller()
    body = await call.members(allowed=("value", "filter", "expression"))
    if "value" not in body:
        raise bad_request("A value is required.")
    check_property(body["value"])
    for issue in _chosen(call, body.get("filter")):
        issue.properties[call.path["propertyKey"]] = body["value"]
    return _see_task(call, "Bulk set issue property")


@routes.delete("/issue/properties/{propertyKey}")
async def delete_property_of_many(call: Call) -> Response:
    """Delete a property from every issue that matches a filter."""
    call.caller()
    body = await call.members(allowed=("entityIds", "currentValue"))
    for issue in _chosen(call, body):
        issue.properties.pop(call.path["propertyKey"], None)
    return _see_task(call, "Bulk delete issue property")
