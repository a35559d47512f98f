"""Versions (releases) of projects."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from sandbox.http import Call, Routes, answer, no_content, page
from sandbox.jira import access, times
from sandbox.jira.changes import Edit
from sandbox.jira.errors import ApiError, bad_request, not_found
from sandbox.jira.platform import PREFIXES
from sandbox.jira.state import Event, Project, RelatedWork, User, Version
from sandbox.jira.views import Body, without_none

routes = Routes(*PREFIXES)

_MEMBERS = (
    "approvers",
    "archived",
    "description",
    "driver",
    "expand",
    "id",
    "issuesStatusForFixVersion",
    "moveUnfixedIssuesTo",
    "name",
    "operations",
    "overdue",
    "project",
    "projectId",
    "releaseDate",
    "released",
    "self",
    "startDate",
    "userReleaseDate",
    "userStartDate",
)
_MAY_NOT = "You must have the administer project permission to manage versions."


def find(call: Call, identifier: str | None = None) -> Version:
    """A version the caller may see; 404 otherwise."""
    wanted = identifier if identifier is not None else call.path["id"]
    found = call.site.data.versions.get(wanted)
    if found is None or not access.sees(call.site, call.user, call.site.data.projects[found.project_id]):
        raise not_found(f"Could not find version for id '{wanted}'")
    return found


def _project(call: Call, version: Version) -> Project:
    return call.site.data.projects[version.project_id]


def of_project(call: Call, project: Project) -> list[Version]:
    """The versions of a project in their order."""
    return [v for v in call.site.data.versions.values() if v.project_id == project.id]


def _body(call: Call, version: Version) -> Body:
    body = call.view.version_body(version)
    expand = call.query_list("expand")
    if "operations" in expand:
        body["operations"] = []
    if "issuesstatus" in expand:
        issues = [i for i in call.site.issues_of(version.project_id) if version.id in i.fix_version_ids]
        categories = [call.site.data.statuses[i.status_id].category for i in issues]
        body["issuesStatusForFixVersion"] = {
            "unmapped": 0,
            "toDo": categories.count("new"),
            "inProgress": categories.count("indeterminate"),
            "done": categories.count("done"),
        }
    return body


def _announce(call: Call, name: str, version: Version) -> None:
    call.site.emit(Event(name, call.caller().account_id, call.site.clock.now(), subject=version))


@routes.get("/project/{projectIdOrKey}/versions")
async def project_versions(call: Call) -> Response:
    """The versions of a project, whole."""
    project = access.project_for(call, call.path["projectIdOrKey"])
    return answer([_body(call, version) for version in of_project(call, project)])


@routes.get("/project/{projectIdOrKey}/version")
async def project_versions_paged(call: Call) -> Response:
    """The versions of a project by status and words, paged and ordered."""
    project = access.project_for(call, call.path["projectIdOrKey"])
    found = of_project(call, project)
    query, statuses = (call.query("query") or "").lower(), set(call.query_list("status"))
    found = [v for v in found if query in v.name.lower() or query in (v.description or "").lower()]
    if statuses:
        found = [v for v in found if _status(v) in statuses]
    order = call.query("orderBy", "sequence") or "sequence"
    keys: dict[str, Callable[[Version], Any]] = {
        "description": lambda v: v.description or "",
        "name": lambda v: v.name.lower(),
        "releaseDate": lambda v: v.release_date or "9999",
        "startDate": lambda v: v.start_date or "9999",
    }
    name = order.lstrip("+-")
    if name in keys:
        found.sort(key=keys[name])
    elif name != "sequence":
        raise bad_request(f"The value '{order}' of the query parameter 'orderBy' is not valid.")
    if order.startswith("-"):
        found.reverse()
    return answer(page(call, found, lambda version: _body(call, version)))


def _status(version: Version) -> str:
    if version.archived:
        return "archived"
    return "released" if version.released else "unreleased"


@routes.post("/version")
async def create_version(call: Call) -> Response:
    """Create a version."""
    body = await call.members(allowed=_MEMBERS)
    wanted = body.get("projectId") or body.get("project")
    call.caller()
    if wanted is None:
        raise bad_request(projectId="The project ID or key is required.")
    project = access.project_for(call, str(wanted))
    if not access.allowed(call.site, call.user, "ADMINISTER_PROJECTS", project):
        raise not_found(_MAY_NOT)  # the document of this route has no 403
    version = Version(str(call.site.next_id("version")), project.id, "")
    _apply(call, version, body)
    call.site.data.versions[version.id] = version
    _announce(call, "jira:version_created", version)
    return answer(_body(call, version), 201)


def _apply(call: Call, version: Version, body: Body) -> None:
    problems = {}
    name = body.get("name", version.name)
    if not isinstance(name, str) or not name.strip():
        problems["name"] = "You must specify a valid version name"
    elif len(name) > 255:
        problems["name"] = "The version name must not exceed 255 characters in length."
    elif any(
        v.name.lower() == name.strip().lower() and v is not version and v.project_id == version.project_id
        for v in call.site.data.versions.values()
    ):
        problems["name"] = "A version with this name already exists in this project."
    days: dict[str, str | None] = {"startDate": version.start_date, "releaseDate": version.release_date}
    for key in ("startDate", "releaseDate"):
        if key in body:
            days[key] = times.parse_day(body[key]) if body[key] else None
            if body[key] and days[key] is None:
                problems[key] = "Please enter the date in the following format: yyyy-MM-dd"
    if days["startDate"] and days["releaseDate"] and days["startDate"] > days["releaseDate"]:
        problems["startDate"] = "The start date must be before the release date."
    if problems:
        raise ApiError(400, errors=problems)
    version.name = name.strip()
    version.start_date, version.release_date = days["startDate"], days["releaseDate"]
    if "description" in body:
        version.description = body["description"]
    version.driver = body.get("driver", version.driver)
    version.archived = bool(body.get("archived", version.archived))
    version.released = bool(body.get("released", version.released))


@routes.get("/version/{id}")
async def get_version(call: Call) -> Response:
    """One version."""
    return answer(_body(call, find(call)))


def _managed(call: Call) -> tuple[Version, User]:
    version = find(call)
    user = call.caller()
    if not access.allowed(call.site, user, "ADMINISTER_PROJECTS", _project(call, version)):
        raise not_found(_MAY_NOT)
    return version, user


@routes.put("/version/{id}")
async def update_version(call: Call) -> Response:
    """Change a version; releasing may move what is unfixed to another one (``moveUnfixedIssuesTo``)."""
    version, user = _managed(call)
    body = await call.members(allowed=_MEMBERS)
    released = version.released
    _apply(call, version, body)
    target = body.get("moveUnfixedIssuesTo")
    if target:
        other = find(call, str(target).rpartition("/")[2])
        _replace(call, user, version, other, fixed=True, affected=False, unfixed_only=True)
    _announce(call, "jira:version_updated", version)
    if version.released and not released:
        _announce(call, "jira:version_released", version)
    return answer(_body(call, version))


def _replace(
    call: Call,
    user: User,
    version: Version,
    other: Version | None,
    *,
    fixed: bool,
    affected: bool,
    unfixed_only: bool = False,
) -> None:
    for issue in list(call.site.issues_of(version.project_id)):
        if unfixed_only and call.site.category_done(issue):
            continue
        edit = Edit(call.site, issue, user.account_id)
        for wanted, field_id, ids in (
            (fixed, "fixVersions", issue.fix_version_ids),
            (affected, "versions", issue.version_ids),
        ):
            if wanted and version.id in ids:
                kept = [key for key in ids if key != version.id]
                edit.set_records(field_id, kept + ([other.id] if other else []))
        edit.save()


def _delete(call: Call, version: Version, user: User, fix: Version | None, affected: Version | None) -> None:
    _replace(call, user, version, fix, fixed=True, affected=False)
    _replace(call, user, version, affected, fixed=False, affected=True)
    del call.site.data.versions[version.id]
    _announce(call, "jira:version_deleted", version)


@routes.delete("/version/{id}")
async def delete_version(call: Call) -> Response:
    """Delete a version; issues lose it or get the named ones."""
    version, user = _managed(call)
    fix, affected = call.query("moveFixIssuesTo"), call.query("moveAffectedIssuesTo")
    _delete(call, version, user, find(call, fix) if fix else None, find(call, affected) if affected else None)
    return no_content()


@routes.post("/version/{id}/removeAndSwap")
async def remove_and_swap(call: Call) -> Response:
    """Delete a version and say by what to replace it."""
    version, user = _managed(call)
    body = await call.members(allowed=("customFieldReplacementList", "moveAffectedIssuesTo", "moveFixIssuesTo"))
    fix, affected = body.get("moveFixIssuesTo"), body.get("moveAffectedIssuesTo")
    _delete(call, version, user, find(call, str(fix)) if fix else None, find(call, str(affected)) if affected else None)
    return no_content()


@routes.put("/version/{id}/mergeto/{moveIssuesTo}")
async def merge_versions(call: Call) -> Response:
    """Delete a version and put another one in its place everywhere."""
    version, user = _managed(call)
    other = find(call, call.path["moveIssuesTo"])
    if other is version:
        raise bad_request("A version cannot be merged with itself.")
    _delete(call, version, user, other, other)
    return no_content()


@routes.post("/version/{id}/move")
async def move_version(call: Call) -> Response:
    """Move a version in its project's order: after another one, or First, Last, Earlier, Later."""
    version, _ = _managed(call)
    body = await call.members(allowed=("after", "position"))
    order = of_project(call, _project(call, version))
    place = order.index(version)
    order.remove(version)
    positions = {"First": 0, "Last": len(order), "Earlier": max(0, place - 1), "Later": min(len(order), place + 1)}
    if body.get("after"):
        target = order.index(find(call, str(body["after"]).rpartition("/")[2])) + 1
    elif body.get("position") in positions:
        target = positions[body["position"]]
    else:
        raise bad_request("Specify either 'after' or a 'position' of Earlier, Later, First, Last.")
    order.insert(target, version)
    others = [v for v in call.site.data.versions.values() if v.project_id != version.project_id]
    call.site.data.versions = {v.id: v for v in (*others, *order)}
    _announce(call, "jira:version_moved", version)
    return answer(_body(call, version))


@routes.get("/version/{id}/relatedIssueCounts")
async def version_counts(call: Call) -> Response:
    """How many issues name the version."""
    version = find(call)
    issues = list(call.site.issues_of(version.project_id))
    return answer(
        {
            "self": call.link(f"/version/{version.id}"),
            "issuesFixedCount": sum(version.id in issue.fix_version_ids for issue in issues),
            "issuesAffectedCount": sum(version.id in issue.version_ids for issue in issues),
            "issueCountWithCustomFieldsShowingVersion": 0,
            "customFieldUsage": [],
        }
    )


@routes.get("/version/{id}/unresolvedIssueCount")
async def unresolved_count(call: Call) -> Response:
    """How many issues to be fixed in the version there are, and how many are unresolved."""
    version = find(call)
    issues = [i for i in call.site.issues_of(version.project_id) if version.id in i.fix_version_ids]
    return answer(
        {
            "self": call.link(f"/version/{version.id}"),
            "issuesUnresolvedCount": sum(issue.resolution_id is None for issue in issues),
            "issuesCount": len(issues),
        }
    )


# -- related work --------------------------------------------------------------------------------------------------


def _work_body(work: RelatedWork) -> Body:
    return without_none(
        {"relatedWorkId": work.id, "category": work.category, "title": work.title, "url": work.url}
        | ({"issueId": int(work.issue_id)} if work.issue_id else {})
    )


@routes.get("/version/{id}/relatedwork")
async def related_work(call: Call) -> Response:
    """Links kept on a version."""
    return answer([_work_body(work) for work in find(call).related_work])


@routes.post("/version/{id}/relatedwork")
async def create_related_work(call: Call) -> Response:
    """Keep a link on a version."""
    version = find(call)
    access.require(call, "EDIT_ISSUES", _project(call, version))
    body = await call.members(allowed=("category", "title", "url", "relatedWorkId", "issueId"), required=("category",))
    work = RelatedWork(str(uuid.uuid4()), str(body["category"]), body.get("title"), body.get("url"))
    version.related_work.append(work)
    call.site.touch()
    return answer(_work_body(work), 201)


@routes.put("/version/{id}/relatedwork")
async def update_related_work(call: Call) -> Response:
    """Change a link kept on a version."""
    version = find(call)
    access.require(call, "EDIT_ISSUES", _project(call, version))
    body = await call.members(allowed=("category", "title", "url", "relatedWorkId", "issueId"), required=("category",))
    work = next((w for w in version.related_work if w.id == body.get("relatedWorkId")), None)
    if work is None:
        raise not_found("The related work does not exist.")
    work.category, work.title, work.url = str(body["category"]), body.get("title"), body.get("url")
    call.site.touch()
    return answer(_work_body(work))


@routes.delete("/version/{versionId}/relatedwork/{relatedWorkId}")
async def delete_related_work(call: Call) -> Response:
    """Remove a link kept on a version."""
    version = find(call, call.path["versionId"])
    access.require(call, "EDIT_ISSUES", _project(call, version))
    work = next((w for w in version.related_work if w.id == call.path["relatedWorkId"]), None)
    if work is None:
        raise not_found("The related work does not exist.")
    version.related_work.remove(work)
    call.site.touch()
    return no_content()
