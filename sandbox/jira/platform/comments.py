"""Comments on issues."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from sandbox.http import Call, Routes, answer, no_content
from sandbox.jira import access, edits, errors, texts
from sandbox.jira.changes import note_beside, touch
from sandbox.jira.errors import bad_request, not_found
from sandbox.jira.extras import add_comment, check_comment
from sandbox.jira.issue_view import comment_body
from sandbox.jira.platform import PREFIXES
from sandbox.jira.state import Comment, Event, Issue, User
from sandbox.jira.values import ValueProblem
from sandbox.jira.views import Body

routes = Routes(*PREFIXES)

_ORDERS = {"created", "-created", "+created"}


def visible(call: Call, comment: Comment) -> bool:
    """Whether the caller may read a comment."""
    return access.sees_comment(call.site, call.user, comment)


def _checked(call: Call, issue: Issue, user: User, body: Any) -> dict[str, Any]:
    place = edits.place_of(call.site, issue, user, call.version)
    try:
        return check_comment(place, body)
    except ValueProblem as problem:
        raise bad_request(comment=problem.text) from None


def _comment(call: Call) -> tuple[Issue, Comment]:
    issue = access.issue_for(call)
    found = next((c for c in issue.comments if c.id == call.path["id"] and visible(call, c)), None)
    if found is None:
        raise not_found(f"Can not find a comment for the id: {call.path['id']}.")
    return issue, found


@routes.get("/issue/{issueIdOrKey}/comment")
async def get_comments(call: Call) -> Response:
    """The comments of an issue, oldest first unless ``orderBy=-created``."""
    issue = access.issue_for(call)
    order = call.query("orderBy", "created")
    if order not in _ORDERS:
        raise bad_request(f"The order by field '{order}' is not supported. Use created, +created or -created.")
    found = [comment for comment in issue.comments if visible(call, comment)]
    if order == "-created":
        found.reverse()
    start, size = call.query_int("startAt", 0), call.query_int("maxResults", 100, high=5000)
    view, expand = call.view, call.query_list("expand")
    part = [comment_body(view, issue, comment, expand) for comment in found[start : start + size]]
    return answer({"startAt": start, "maxResults": size, "total": len(found), "comments": part})


@routes.post("/issue/{issueIdOrKey}/comment")
async def create_comment(call: Call) -> Response:
    """Add a comment."""
    issue = access.issue_for(call)
    body = await call.members()
    project = access.issue_project(call, issue)
    user = access.require(call, "ADD_COMMENTS", project, message="You do not have permission to comment on this issue.")
    comment = add_comment(call.site, issue, user, _checked(call, issue, user, body))
    return answer(comment_body(call.view, issue, comment, call.query_list("expand")), 201)


@routes.get("/issue/{issueIdOrKey}/comment/{id}")
async def get_comment(call: Call) -> Response:
    """One comment."""
    issue, comment = _comment(call)
    return answer(comment_body(call.view, issue, comment, call.query_list("expand")))


@routes.put("/issue/{issueIdOrKey}/comment/{id}")
async def update_comment(call: Call) -> Response:
    """Replace a comment's body and visibility."""
    issue, comment = _comment(call)
    body = await call.members()
    user = _owner(call, issue, comment, "EDIT")
    checked = _checked(call, issue, user, body)
    comment.body, comment.visibility = checked["body"], checked["visibility"]
    comment.properties.update(checked["properties"])
    comment.updated, comment.update_author = call.site.clock.now(), user.account_id
    touch(call.site, issue, Event("comment_updated", user.account_id, comment.updated, issue=issue, comment=comment))
    return answer(comment_body(call.view, issue, comment, call.query_list("expand")))


def _owner(call: Call, issue: Issue, comment: Comment, verb: str) -> User:
    """The caller, if they may edit or delete this comment."""
    user = call.caller()
    project = access.issue_project(call, issue)
    own = comment.author == user.account_id
    if not (own and access.allowed(call.site, user, f"{verb}_OWN_COMMENTS", project)):
        access.require(
            call,
            f"{verb}_ALL_COMMENTS",
            project,
            message=f"You do not have the permission to {verb.lower()} this comment.",
        )
    return user


@routes.delete("/issue/{issueIdOrKey}/comment/{id}")
async def delete_comment(call: Call) -> Response:
    """Delete a comment."""
    issue, comment = _comment(call)
    user = _owner(call, issue, comment, "DELETE")
    issue.comments.remove(comment)
    now = call.site.clock.now()
    note_beside(call.site, issue, user, "Comment", before=(comment.id, texts.plain(comment.body)))
    touch(call.site, issue, Event("comment_deleted", user.account_id, now, issue=issue, comment=comment))
    return no_content()


@routes.post("/comment/list")
async def comments_by_ids(call: Call) -> Response:
    """Up to a thousand comments by id, whichever issue they belong to."""
    body = await call.members(allowed=("ids",), required=("ids",))
    ids = body["ids"]
    if not isinstance(ids, list) or not 1 <= len(ids) <= 1000:
        raise errors.invalid_payload()
    wanted = {str(key) for key in ids}
    view, expand = call.view, call.query_list("expand")
    found: list[Body] = []
    for issue in call.site.data.issues.values():
        if any(c.id in wanted for c in issue.comments) and access.find_issue_for(call, issue.id) is not None:
            shown = (c for c in issue.comments if c.id in wanted and visible(call, c))
            found += [comment_body(view, issue, comment, expand) for comment in shown]
    return answer({"startAt": 0, "maxResults": 1048576, "total": len(found), "isLast": True, "values": found})
