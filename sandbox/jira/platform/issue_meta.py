"""What can be done with issues: create metadata, edit metadata, transitions, changelogs."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from sandbox.http import Call, Routes, answer, no_content, page
from sandbox.jira import access, edits, errors, meta
from sandbox.jira.changes import Edit
from sandbox.jira.errors import ApiError, bad_request
from sandbox.jira.extras import add_comment, check_comment
from sandbox.jira.issue_view import history_body
from sandbox.jira.platform import PREFIXES
from sandbox.jira.state import History, Issue, IssueType, Project
from sandbox.jira.values import Place, ValueProblem
from sandbox.jira.views import Body

routes = Routes(*PREFIXES)


# -- create metadata -----------------------------------------------------------------------------------------------


def _creatable(call: Call, project: Project) -> bool:
    return access.allowed(call.site, call.user, "CREATE_ISSUES", project)


def _types(call: Call, project: Project) -> list[IssueType]:
    return [call.site.data.issue_types[key] for key in project.issue_type_ids]


@routes.get("/issue/createmeta")
async def create_meta(call: Call) -> Response:
    """The old create metadata of several projects at once; fields only with ``expand=projects.issuetypes.fields``."""
    keys = {key.upper() for key in call.query_list("projectKeys")}
    ids = set(call.query_list("projectIds"))
    projects = [p for p in access.visible_projects(call) if _creatable(call, p)]
    if keys or ids:
        projects = [p for p in projects if p.key in keys or p.id in ids]
    return answer({"expand": "projects", "projects": [_old_meta(call, project) for project in projects]})


def _old_meta(call: Call, project: Project) -> Body:
    view = call.view
    wanted_ids, wanted_names = set(call.query_list("issuetypeIds")), set(call.query_list("issuetypeNames"))
    with_fields = "projects.issuetypes.fields" in call.query_list("expand")
    types = []
    for issue_type in _types(call, project):
        if (wanted_ids or wanted_names) and issue_type.id not in wanted_ids and issue_type.name not in wanted_names:
            continue
        body = view.issue_type(issue_type)
        if with_fields:
            ids = meta.create_field_ids(project, issue_type)
            body |= {"expand": "fields", "fields": meta.screen_meta(view, project, issue_type, ids)}
        types.append(body)
    return {
        "expand": "issuetypes",
        "self": view.link(f"/project/{project.id}"),
        "id": project.id,
        "key": project.key,
        "name": project.name,
        "avatarUrls": view.avatars("project", project.avatar_id),
        "issuetypes": types,
    }


def _create_project(call: Call) -> Project:
    """The project of the path, if the caller may create issues there; the vendor answers 400 otherwise."""
    call.caller()
    project = call.site.find_project(call.path["projectIdOrKey"])
    if project is None or not access.sees(call.site, call.user, project) or not _creatable(call, project):
        raise bad_request("The project is not valid or you do not have permission to create issues in it.")
    return project


@routes.get("/issue/createmeta/{projectIdOrKey}/issuetypes")
async def create_meta_types(call: Call) -> Response:
    """The types that may be created in a project, paged."""
    project = _create_project(call)
    body = page(call, _types(call, project), call.view.issue_type, cap=200, key="issueTypes")
    return answer(_without_bean(body))


@routes.get("/issue/createmeta/{projectIdOrKey}/issuetypes/{issueTypeId}")
async def create_meta_fields(call: Call) -> Response:
    """The create screen of a type in a project, paged."""
    project = _create_project(call)
    issue_type = next((t for t in _types(call, project) if t.id == call.path["issueTypeId"]), None)
    if issue_type is None:
        raise bad_request("The issue type is not valid for this project.")  # wording unsure
    fields = meta.create_meta(call.view, project, issue_type)
    return answer(_without_bean(page(call, fields, lambda body: body, cap=200, key="fields")))


def _without_bean(body: Body) -> Body:
    """These two pages carry counts only, no addresses."""
    return {key: value for key, value in body.items() if key not in {"self", "nextPage", "isLast"}}


@routes.get("/issue/{issueIdOrKey}/editmeta")
async def edit_meta(call: Call) -> Response:
    """The edit screen of an issue; without fields for whoever may not edit it."""
    issue = access.issue_for(call)
    may = access.allowed(call.site, call.user, "EDIT_ISSUES", access.issue_project(call, issue))
    return answer(meta.edit_meta(call.view, issue) if may else {"fields": {}})


# -- transitions ---------------------------------------------------------------------------------------------------


@routes.get("/issue/{issueIdOrKey}/transitions")
async def get_transitions(call: Call) -> Response:
    """The transitions the caller may make now."""
    issue = access.issue_for(call)
    may = access.allowed(call.site, call.user, "TRANSITION_ISSUES", access.issue_project(call, issue))
    offered = meta.transitions_of(call.site, issue) if may else []
    wanted = call.query("transitionId")
    if wanted is not None:
        offered = [t for t in offered if t.id == wanted]
    with_fields = "transitions.fields" in call.query_list("expand")
    bodies = [meta.transition_body(call.view, issue, t, fields=with_fields) for t in offered]
    return answer({"expand": "transitions", "transitions": bodies})


@routes.post("/issue/{issueIdOrKey}/transitions")
async def transition_issue(call: Call) -> Response:
    """Make a transition. Fields and comments are taken only if the transition's screen has them."""
    issue = access.issue_for(call)
    body = await call.members()
    user = access.require(call, "TRANSITION_ISSUES", access.issue_project(call, issue))
    make_transition(call, issue, body, user.account_id)
    return no_content()


def make_transition(call: Call, issue: Issue, body: dict[str, Any], actor: str) -> None:
    """Check and make the transition a body names, with what comes along with it."""
    wanted = body.get("transition")
    identifier = wanted.get("id") if isinstance(wanted, dict) else None
    if identifier is None:
        raise bad_request(errors.NO_TRANSITION_ID)
    transition = next((t for t in meta.transitions_of(call.site, issue) if t.id == str(identifier)), None)
    if transition is None:
        raise bad_request(
            f"It seems that you have tried to perform a workflow operation (id {identifier}) that is not valid for the"
            f" current state of this issue ({issue.key})."
        )
    user = call.caller()
    place = edits.place_of(call.site, issue, user, call.version)
    screen = set(transition.screen)
    # Comments may come along without a screen: the vendor's own form adds one whenever it asks for anything.
    comments = _comments_along(place, body)
    rest: dict[str, Any] = {key: body[key] for key in ("fields", "properties") if key in body}
    changes = edits.read_changes(place, rest, screen=screen, issue=issue)
    edit = Edit(call.site, issue, actor)
    edit.set_status(transition.to)
    for apply in changes.setters:
        apply(edit)
    issue.properties.update(changes.properties)
    edit.save()
    for checked in comments:
        add_comment(call.site, issue, user, checked)
    call.site.touch()


def _comments_along(place: Place, body: dict[str, Any]) -> list[dict[str, Any]]:
    update = body.get("update") or {}
    if not isinstance(update, dict):
        raise errors.invalid_payload()
    other = [key for key in update if key != "comment"]
    if other:
        raise ApiError(400, errors={key: errors.off_screen(key) for key in other})
    found = []
    for operation in update.get("comment") or []:
        if not isinstance(operation, dict) or set(operation) != {"add"}:
            raise errors.invalid_payload()
        try:
            found.append(check_comment(place, operation["add"]))
        except ValueProblem as problem:
            raise bad_request(comment=problem.text) from None
    return found


# -- changelogs ----------------------------------------------------------------------------------------------------


@routes.get("/issue/{issueIdOrKey}/changelog")
async def get_changelog(call: Call) -> Response:
    """An issue's histories, oldest first, paged."""
    issue = access.issue_for(call)
    view = call.view
    return answer(page(call, issue.history, lambda history: history_body(view, history), default=100))


@routes.post("/issue/{issueIdOrKey}/changelog/list")
async def changelog_by_ids(call: Call) -> Response:
    """Some of an issue's histories by id."""
    issue = access.issue_for(call)
    body = await call.members(allowed=("changelogIds",), required=("changelogIds",))
    wanted = {str(key) for key in body["changelogIds"]} if isinstance(body["changelogIds"], list) else set()
    found = [history_body(call.view, history) for history in issue.history if history.id in wanted]
    return answer({"startAt": 0, "maxResults": len(found), "total": len(found), "histories": found})


@routes.post("/changelog/bulkfetch")
async def bulk_changelogs(call: Call) -> Response:
    """The histories of many issues, optionally of some fields only, by date and then by issue, token-paged: an issue
    may come again on a later page."""
    allowed = ("issueIdsOrKeys", "fieldIds", "maxResults", "nextPageToken")
    body = await call.members(allowed=allowed, required=("issueIdsOrKeys",))
    keys, fields = body["issueIdsOrKeys"], body.get("fieldIds") or []
    size = body.get("maxResults", 1000)
    if not isinstance(keys, list) or not 1 <= len(keys) <= 1000:
        raise errors.invalid_payload()
    if not isinstance(fields, list) or len(fields) > 10 or len({str(name) for name in fields}) < len(fields):
        raise errors.invalid_payload()
    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= 10_000:
        raise errors.invalid_payload()
    start = _offset(body.get("nextPageToken"))
    entries = _histories(call, [str(key) for key in keys], {str(name) for name in fields})
    part = entries[start : start + size]
    logs: dict[str, list[Body]] = {}
    for issue, history in part:
        logs.setdefault(issue.id, []).append(history_body(call.view, history))
    found: Body = {"issueChangeLogs": [{"issueId": key, "changeHistories": value} for key, value in logs.items()]}
    if start + size < len(entries):
        found["nextPageToken"] = f"offset-{start + size}"
    return answer(found)


def _offset(token: object) -> int:
    if token is None:
        return 0
    number = str(token).removeprefix("offset-")
    if not number.isdigit():
        raise bad_request(errors.BAD_PAGE_TOKEN)
    return int(number)


def _histories(call: Call, keys: list[str], fields: set[str]) -> list[tuple[Issue, History]]:
    found: dict[str, Issue] = {}
    for key in keys:
        issue = access.find_issue_for(call, key)
        if issue is not None:
            found[issue.id] = issue
    entries = [
        (issue, history)
        for issue in found.values()
        for history in issue.history
        if not fields or any(item.field_id in fields for item in history.items)
    ]
    return sorted(entries, key=lambda entry: (entry[1].created, int(entry[0].id), int(entry[1].id)))
