"""Time logged on issues, and the remaining estimates that follow it."""

from __future__ import annotations

from datetime import datetime

from starlette.responses import Response

from sandbox.http import Call, Routes, answer, no_content
from sandbox.jira import access, durations, edits, errors, times
from sandbox.jira.changes import Edit, touch
from sandbox.jira.errors import bad_request, not_found
from sandbox.jira.extras import add_worklog, check_worklog
from sandbox.jira.issue_view import worklog_body, worklog_page
from sandbox.jira.platform import PREFIXES
from sandbox.jira.state import Event, Issue, User, Worklog
from sandbox.jira.views import Body

routes = Routes(*PREFIXES)


def _log(call: Call) -> tuple[Issue, Worklog]:
    issue = access.issue_for(call)
    found = next((w for w in issue.worklogs if w.id == call.path["id"]), None)
    if found is None:
        raise not_found(f"Cannot find worklog with id: '{call.path['id']}'.")
    return issue, found


@routes.get("/issue/{issueIdOrKey}/worklog")
async def get_worklogs(call: Call) -> Response:
    """The worklogs of an issue, optionally started within two moments (epoch milliseconds)."""
    issue = access.issue_for(call)
    start, size = call.query_int("startAt", 0), call.query_int("maxResults", 5000, high=5000)
    after, before = call.query_int("startedAfter", 0), call.query_int("startedBefore", 2**62)
    found = [log for log in issue.worklogs if after <= times.epoch_ms(log.started) < before]
    body = worklog_page(call.view, issue, found[start : start + size], start, size)
    return answer(body | {"total": len(found)})


@routes.post("/issue/{issueIdOrKey}/worklog")
async def create_worklog(call: Call) -> Response:
    """Log time."""
    issue = access.issue_for(call)
    body = await call.members()
    user = access.require(call, "WORK_ON_ISSUES", access.issue_project(call, issue))
    checked = check_worklog(edits.place_of(call.site, issue, user, call.version), body)
    remaining = _remaining(call, issue, -int(checked["seconds"]))
    log = add_worklog(call.site, issue, user, checked)
    _set_remaining(call, issue, user, remaining)
    return answer(worklog_body(call.view, issue, log, call.query_list("expand")), 201)


def _remaining(call: Call, issue: Issue, change: int) -> int | None:
    """The remaining estimate after a change of the time spent, as ``adjustEstimate`` wants it."""
    mode = call.query("adjustEstimate", "auto")
    if mode == "leave":
        return issue.remaining_estimate
    if mode == "new":
        return _duration(call, "newEstimate")
    if mode == "manual":
        name, sign = ("reduceBy", -1) if change <= 0 else ("increaseBy", 1)
        return max(0, (issue.remaining_estimate or 0) + sign * _duration(call, name))
    if mode != "auto":
        raise bad_request(f"adjustEstimate must be one of new, leave, manual, auto; it is '{mode}'.")
    return None if issue.remaining_estimate is None else max(0, issue.remaining_estimate + change)


def _duration(call: Call, name: str) -> int:
    seconds = durations.parse(call.query(name))
    if seconds is None:
        raise bad_request(**{name: f"You must supply a valid {name}."})
    return seconds


def _set_remaining(call: Call, issue: Issue, user: User, remaining: int | None) -> None:
    edit = Edit(call.site, issue, user.account_id)
    edit.set_estimates(issue.original_estimate, remaining)
    edit.save()


@routes.get("/issue/{issueIdOrKey}/worklog/{id}")
async def get_worklog(call: Call) -> Response:
    """One worklog."""
    issue, log = _log(call)
    return answer(worklog_body(call.view, issue, log, call.query_list("expand")))


@routes.put("/issue/{issueIdOrKey}/worklog/{id}")
async def update_worklog(call: Call) -> Response:
    """Change a worklog."""
    issue, log = _log(call)
    body = await call.members()
    user = _owner(call, issue, log, "EDIT")
    checked = check_worklog(edits.place_of(call.site, issue, user, call.version), body, new=False)
    remaining = _remaining(call, issue, log.seconds - checked.get("seconds", log.seconds))
    for name in ("seconds", "started", "comment", "visibility"):
        if name in checked:
            setattr(log, name, checked[name])
    log.updated, log.update_author = call.site.clock.now(), user.account_id
    touch(call.site, issue, Event("worklog_updated", user.account_id, log.updated, issue=issue, subject=log))
    _set_remaining(call, issue, user, remaining)
    return answer(worklog_body(call.view, issue, log, call.query_list("expand")))


def _owner(call: Call, issue: Issue, log: Worklog, verb: str) -> User:
    user = call.caller()
    own = "OWN" if log.author == user.account_id else "ALL"
    return access.require(call, f"{verb}_{own}_WORKLOGS", access.issue_project(call, issue))


def _remove(call: Call, issue: Issue, log: Worklog, user: User) -> None:
    remaining = _remaining(call, issue, log.seconds)
    issue.worklogs.remove(log)
    now = call.site.clock.now()
    call.site.data.deleted_worklogs[log.id] = now
    touch(call.site, issue, Event("worklog_deleted", user.account_id, now, issue=issue, subject=log))
    _set_remaining(call, issue, user, remaining)


@routes.delete("/issue/{issueIdOrKey}/worklog/{id}")
async def delete_worklog(call: Call) -> Response:
    """Delete a worklog."""
    issue, log = _log(call)
    _remove(call, issue, log, _owner(call, issue, log, "DELETE"))
    return no_content()


@routes.delete("/issue/{issueIdOrKey}/worklog")
async def delete_worklogs(call: Call) -> Response:
    """Delete several worklogs of one issue."""
    issue = access.issue_for(call)
    body = await call.members(allowed=("ids",), required=("ids",))
    wanted = {str(key) for key in body["ids"]} if isinstance(body["ids"], list) else set()
    logs = [log for log in issue.worklogs if log.id in wanted]
    if len(logs) != len(wanted):
        raise bad_request("Some of the worklogs do not belong to this issue.")  # wording unsure
    for log in logs:
        _remove(call, issue, log, _owner(call, issue, log, "DELETE"))
    return no_content()


# -- across issues -------------------------------------------------------------------------------------------------


@routes.post("/worklog/list")
async def worklogs_by_ids(call: Call) -> Response:
    """Up to a thousand worklogs by id; those that cannot be seen are left out."""
    body = await call.members(allowed=("ids",), required=("ids",))
    if not isinstance(body["ids"], list) or len(body["ids"]) > 1000:
        raise errors.invalid_payload()
    wanted = {str(key) for key in body["ids"]}
    found = [
        worklog_body(call.view, issue, log)
        for issue in call.site.data.issues.values()
        for log in issue.worklogs
        if log.id in wanted and access.find_issue_for(call, issue.id) is not None
    ]
    return answer(found)


def _changed(call: Call, entries: list[tuple[str, datetime]], path: str) -> Response:
    """Ids and times of worklogs changed since a moment, oldest first, a thousand a page."""
    since = call.query_int("since", 0)
    found = sorted((times.epoch_ms(moment), int(key)) for key, moment in entries if times.epoch_ms(moment) > since)
    part = found[:1000]
    until = part[-1][0] if part else times.epoch_ms(call.site.clock.now())
    body: Body = {
        "values": [{"worklogId": key, "updatedTime": moment, "properties": []} for moment, key in part],
        "since": since,
        "until": until,
        "self": call.link(f"{path}?since={since}"),
        "lastPage": len(part) == len(found),
    }
    if not body["lastPage"]:
        body["nextPage"] = call.link(f"{path}?since={until}")
    return answer(body)


@routes.get("/worklog/updated")
async def updated_worklogs(call: Call) -> Response:
    """Worklogs created or changed since a moment."""
    entries = [(log.id, log.updated) for issue in call.site.data.issues.values() for log in issue.worklogs]
    return _changed(call, entries, "/worklog/updated")


@routes.get("/worklog/deleted")
async def deleted_worklogs(call: Call) -> Response:
    """Worklogs deleted since a moment."""
    return _changed(call, list(call.site.data.deleted_worklogs.items()), "/worklog/deleted")
