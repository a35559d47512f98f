"""Watchers and votes."""

from __future__ import annotations

from starlette.responses import Response

from sandbox.http import Call, Routes, answer, no_content
from sandbox.jira import access, errors
from sandbox.jira.changes import touch
from sandbox.jira.errors import bad_request, not_found
from sandbox.jira.issue_view import votes, watches
from sandbox.jira.platform import PREFIXES

routes = Routes(*PREFIXES)


@routes.get("/issue/{issueIdOrKey}/watchers")
async def get_watchers(call: Call) -> Response:
    """Who watches an issue."""
    issue = access.issue_for(call)
    users = [call.view.user(key) for key in issue.watchers if key in call.site.data.users]
    return answer({**watches(call.view, issue), "watchers": users})


@routes.post("/issue/{issueIdOrKey}/watchers")
async def add_watcher(call: Call) -> Response:
    """Watch an issue; the body is an account id as a JSON string, or empty for the caller."""
    issue = access.issue_for(call)
    user = call.caller()
    raw = await call.request.body()
    account = await call.body() if raw.strip() else user.account_id
    if not isinstance(account, str):
        raise errors.invalid_payload()
    if account not in call.site.data.users:
        raise not_found(f"The user with account ID '{account}' does not exist.")  # wording unsure
    if account != user.account_id:
        access.require(call, "MANAGE_WATCHERS", access.issue_project(call, issue))
    if account not in issue.watchers:
        issue.watchers.append(account)
    call.site.touch()
    return no_content()


@routes.delete("/issue/{issueIdOrKey}/watchers")
async def remove_watcher(call: Call) -> Response:
    """Stop watching, or stop somebody from watching."""
    issue = access.issue_for(call)
    user = call.caller()
    account = call.query("accountId")
    if call.query("username") is not None:
        raise bad_request(errors.ONLY_ACCOUNT_ID)
    if account is None:
        raise bad_request("The query parameter 'accountId' is required.")
    if account != user.account_id:
        access.require(call, "MANAGE_WATCHERS", access.issue_project(call, issue))
    if account in issue.watchers:
        issue.watchers.remove(account)
    call.site.touch()
    return no_content()


@routes.post("/issue/watching")
async def is_watching(call: Call) -> Response:
    """Whether the caller watches each of some issues, by id."""
    user = call.caller()
    body = await call.members(allowed=("issueIds",), required=("issueIds",))
    if not isinstance(body["issueIds"], list):
        raise errors.invalid_payload()
    found = {}
    for key in map(str, body["issueIds"]):
        issue = access.find_issue_for(call, key)
        found[key] = issue is not None and user.account_id in issue.watchers
    return answer({"issuesIsWatching": found})


@routes.get("/issue/{issueIdOrKey}/votes")
async def get_votes(call: Call) -> Response:
    """Who voted for an issue."""
    issue = access.issue_for(call)
    return answer({**votes(call.view, issue), "voters": [call.view.user(key) for key in issue.voters]})


@routes.post("/issue/{issueIdOrKey}/votes")
async def add_vote(call: Call) -> Response:
    """Vote; nobody votes for what they reported, nor for what is resolved."""
    issue = access.issue_for(call)
    user = call.caller()
    if issue.reporter == user.account_id:
        raise not_found("You cannot vote for an issue you have reported.")
    if issue.resolution_id is not None:
        raise not_found("You cannot vote for an issue that is resolved.")
    if user.account_id not in issue.voters:
        issue.voters.append(user.account_id)
    touch(call.site, issue)
    return no_content()


@routes.delete("/issue/{issueIdOrKey}/votes")
async def remove_vote(call: Call) -> Response:
    """Take a vote back."""
    issue = access.issue_for(call)
    user = call.caller()
    if user.account_id not in issue.voters:
        raise not_found("You cannot remove a vote you have not cast.")
    issue.voters.remove(user.account_id)
    touch(call.site, issue)
    return no_content()
