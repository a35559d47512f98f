"""Issues: create (one, many), read (one, many), edit, assign, delete."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from sandbox.http import Call, Routes, answer, no_content
from sandbox.jira import access, edits, errors, issue_view, meta
from sandbox.jira.changes import Edit
from sandbox.jira.errors import ApiError, bad_request
from sandbox.jira.extras import delete_issue
from sandbox.jira.platform import PREFIXES
from sandbox.jira.state import Issue, User
from sandbox.jira.values import assignee_or_refuse
from sandbox.jira.views import Body

routes = Routes(*PREFIXES)

BULK_LIMIT = 50
FETCH_LIMIT = 100
FETCHED_HISTORIES = 40  # the most changes of an issue that a bulk fetch tells, by the vendor's document
PROPERTIES_LIMIT = 5


@routes.post("/issue")
async def create_issue(call: Call) -> Response:
    """Create one issue."""
    body = await call.members()
    user = _creator(call)
    issue = edits.create(edits.read_draft(call.site, user, call.version, body))
    return answer(_created(call, issue, body), 201)


def _creator(call: Call) -> User:
    """The caller; anonymous callers are told that the project is not valid (observed)."""
    if call.user is None:
        raise bad_request(project=errors.BAD_PROJECT, issuetype=errors.BAD_ISSUE_TYPE)
    return call.user


def _created(call: Call, issue: Issue, body: Any) -> Body:
    created: Body = {"id": issue.id, "key": issue.key, "self": call.link(f"/issue/{issue.id}")}
    if isinstance(body, dict) and body.get("transition"):
        created["transition"] = {"status": 200, "errorCollection": {"errorMessages": [], "errors": {}}}
    return created


@routes.post("/issue/bulk")
async def create_issues(call: Call) -> Response:
    """Create up to fifty issues; each stands for itself. 400 only if all were refused."""
    body = await call.members()
    updates = body.get("issueUpdates")
    if not isinstance(updates, list) or not updates:
        raise errors.invalid_payload()
    if len(updates) > BULK_LIMIT:  # the bound is documented, its wording is unsure
        raise bad_request(f"You can create at most {BULK_LIMIT} issues in one request.")
    created: list[Body] = []
    refused: list[Body] = []
    for number, element in enumerate(updates):
        try:
            user = _creator(call)
            if not isinstance(element, dict):
                raise errors.invalid_payload()
            issue = edits.create(edits.read_draft(call.site, user, call.version, element))
            created.append(_created(call, issue, element))
        except ApiError as error:
            refused.append({"status": error.status, "elementErrors": error.element(), "failedElementNumber": number})
    return answer({"issues": created, "errors": refused}, 201 if created else 400)


@routes.get("/issue/{issueIdOrKey}")
async def get_issue(call: Call) -> Response:
    """One issue; all fields unless some are named."""
    issue = access.issue_for(call)
    return answer(_full(call, issue))


def _full(call: Call, issue: Issue) -> Body:
    expand = set(call.query_list("expand"))
    view = call.view
    body = issue_view.bean(
        view, issue, call.query_list("fields"), expand=expand, properties=call.query_list("properties")
    )
    return extend(call, issue, body, expand)


def extend(call: Call, issue: Issue, body: Body, expand: set[str]) -> Body:
    """Add the expansions that depend on who asks: transitions, editmeta, operations."""
    view = call.view
    if "transitions" in expand:
        offered = meta.transitions_of(call.site, issue) if _may(call, issue, "TRANSITION_ISSUES") else []
        body["transitions"] = [meta.transition_body(view, issue, t, fields=True) for t in offered]
    if "editmeta" in expand:
        body["editmeta"] = meta.edit_meta(view, issue) if _may(call, issue, "EDIT_ISSUES") else {"fields": {}}
    if "operations" in expand:
        body["operations"] = {"linkGroups": []}
    return body


def _may(call: Call, issue: Issue, permission: str) -> bool:
    return access.allowed(call.site, call.user, permission, access.issue_project(call, issue))


@routes.put("/issue/{issueIdOrKey}")
async def edit_issue(call: Call) -> Response:
    """Change fields; 204, or 200 with the issue if ``returnIssue`` is true."""
    issue = access.issue_for(call)
    body = await call.members()
    user = access.require(call, "EDIT_ISSUES", access.issue_project(call, issue), message=NO_EDIT)
    if not call.query_bool("notifyUsers", default=True):
        access.require(call, "ADMINISTER_PROJECTS", access.issue_project(call, issue), message=NO_SILENCE)
    if not any(body.get(part) for part in ("fields", "update", "properties", "historyMetadata")):
        raise bad_request("one of 'fields' or 'update' required")
    edits.edit_issue(edits.place_of(call.site, issue, user, call.version), issue, body)
    return answer(_full(call, issue)) if call.query_bool("returnIssue") else no_content()


NO_EDIT = "You do not have permission to edit issues in this project."
NO_SILENCE = "To discard the user notification either admin or project admin permissions are required."


@routes.delete("/issue/{issueIdOrKey}")
async def remove_issue(call: Call) -> Response:
    """Delete an issue; with sub-tasks only if ``deleteSubtasks`` is true."""
    issue = access.issue_for(call)
    user = access.require(
        call,
        "DELETE_ISSUES",
        access.issue_project(call, issue),
        message="You do not have permission to delete issues in this project.",
    )
    types = call.site.data.issue_types
    subtasks = [child for child in call.site.children(issue.id) if types[child.type_id].subtask]
    if subtasks and not call.query_bool("deleteSubtasks"):
        raise bad_request(
            f"The issue '{issue.key}' has subtasks.  You must specify the 'deleteSubtasks' parameter to delete this"
            " issue and all its subtasks."
        )
    for subtask in subtasks:
        delete_issue(call.site, user, subtask)
    delete_issue(call.site, user, issue)
    return no_content()


@routes.put("/issue/{issueIdOrKey}/assignee")
async def assign_issue(call: Call) -> Response:
    """Assign, unassign (null) or give to the project's default (``-1``)."""
    issue = access.issue_for(call)
    project = access.issue_project(call, issue)
    body = await call.members()
    user = access.require(call, "ASSIGN_ISSUES", project, message="You do not have permission to assign issues.")
    if "accountId" not in body and "name" not in body:
        raise errors.invalid_payload()
    if body.get("name") is not None and "accountId" not in body:
        raise bad_request(errors.ONLY_ACCOUNT_ID)
    sent = body.get("accountId")
    # The body is typed: a number counts as text, so that -1 is the project's default too (python-jira sends it so).
    wanted = None if sent is None else {"accountId": str(sent) if isinstance(sent, int) else sent}
    account = assignee_or_refuse(call.site, project, wanted)
    edit = Edit(call.site, issue, user.account_id)
    edit.set_person("assignee", account)
    edit.save()
    return no_content()


@routes.post("/issue/{issueIdOrKey}/notify")
async def notify(call: Call) -> Response:
    """Accept a notification; the sandbox sends no mail."""
    access.issue_for(call)
    call.caller()
    body = await call.members()
    if not body.get("to") and not body.get("restrict"):
        raise bad_request("No recipients were defined for notification.")
    return no_content()


@routes.post("/issue/bulkfetch")
async def bulk_fetch(call: Call) -> Response:
    """Up to a hundred issues by id or key, each once, in ascending order of id; all navigable fields unless some are
    named. ``issueErrors`` is for what could be fetched another time: an issue that is not there for the caller is in
    neither list."""
    body = await call.members(
        allowed=("issueIdsOrKeys", "fields", "expand", "properties", "fieldsByKeys"), required=("issueIdsOrKeys",)
    )
    wanted = body["issueIdsOrKeys"]
    if not isinstance(wanted, list) or not all(isinstance(key, str | int) for key in wanted):
        raise errors.invalid_payload()
    if not 1 <= len(wanted) <= FETCH_LIMIT:
        raise bad_request(f"The number of issues to fetch must be between 1 and {FETCH_LIMIT}.")  # wording unsure
    fields, expand, properties = (_names(body, part) for part in ("fields", "expand", "properties"))
    if len(properties) > PROPERTIES_LIMIT:
        # The bound is documented, its wording is unsure.
        raise bad_request(f"The number of properties must not exceed {PROPERTIES_LIMIT}.")
    found = {issue.id: issue for key in wanted if (issue := access.find_issue_for(call, str(key))) is not None}
    issues = []
    for issue in sorted(found.values(), key=lambda one: int(one.id)):
        bean = issue_view.bean(
            call.view, issue, fields, default=("*navigable",), expand=set(expand), properties=properties
        )
        if "changelog" in expand:
            bean["changelog"] = issue_view.changelog_page(call.view, issue, FETCHED_HISTORIES)
        issues.append(extend(call, issue, issue_view.with_fewer_comments(bean), set(expand)))
    return answer({"issues": issues, "issueErrors": []})


def _names(body: Body, member: str) -> list[str]:
    """A member that is a list of words, in which a word may be several with commas."""
    value = body.get(member) or []
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        raise errors.invalid_payload()
    return [name.strip() for part in value for name in part.split(",") if name.strip()]


@routes.get("/issue/limit/report")
async def limit_report(call: Call) -> Response:
    """Issues near the vendor's per-issue limits: none here."""
    access.require_admin(call)
    limits = {"attachment": 2000, "comment": 5000, "issuelinks": 2000, "remoteIssueLinks": 2000, "worklog": 10000}
    return answer({"issuesApproachingLimit": {}, "issuesBreachingLimit": {}, "limits": limits})
