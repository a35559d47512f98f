"""Links between issues, kinds of links, and links to the outside."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from sandbox.http import Call, Routes, answer, no_content
from sandbox.jira import access, edits, errors
from sandbox.jira.changes import note_beside, touch
from sandbox.jira.errors import ApiError, bad_request, not_found
from sandbox.jira.extras import add_comment, add_link, check_comment, find_link_type, no_link_type, remove_link
from sandbox.jira.issue_view import remote_link_body, short
from sandbox.jira.platform import PREFIXES
from sandbox.jira.state import Issue, IssueLink, LinkType, RemoteLink, User
from sandbox.jira.values import ValueProblem

routes = Routes(*PREFIXES)

REMOTE_LINK = "RemoteWorkItemLink"  # what the history calls it; "RemoteIssueLink" in older entries

# -- issue links ---------------------------------------------------------------------------------------------------


@routes.post("/issueLink")
async def link_issues(call: Call) -> Response:
    """Link two issues; 201 without a body."""
    body = await call.members(allowed=("type", "inwardIssue", "outwardIssue", "comment"))
    user = call.caller()
    link_type = find_link_type(call.site, body.get("type"))
    if link_type is None:
        raise not_found(no_link_type(body.get("type")))
    inward, outward = _end(call, body.get("inwardIssue")), _end(call, body.get("outwardIssue"))
    access.require(
        call,
        "LINK_ISSUES",
        access.issue_project(call, inward),
        message="You do not have the permission to link issues in this project.",
    )
    if inward.id == outward.id:
        raise bad_request("You cannot link an issue to itself.")
    comment = _comment(call, inward, user, body["comment"]) if body.get("comment") else None
    add_link(call.site, user, link_type.id, inward, outward)
    if comment is not None:
        add_comment(call.site, inward, user, comment)
    return answer(None, 201)


def _end(call: Call, value: Any) -> Issue:
    wanted = (value.get("key") or value.get("id")) if isinstance(value, dict) else None
    if wanted is None:
        raise errors.invalid_payload()
    return access.issue_for(call, str(wanted))


def _comment(call: Call, issue: Issue, user: User, value: Any) -> dict[str, Any]:
    try:
        return check_comment(edits.place_of(call.site, issue, user, call.version), value)
    except ValueProblem as problem:
        raise bad_request(comment=problem.text) from None


def _link(call: Call) -> IssueLink:
    link = call.site.data.links.get(call.path["linkId"])
    if link is None or access.find_issue_for(call, link.inward_id) is None:
        raise not_found(f"No issue link with id '{call.path['linkId']}' exists.")
    return link


@routes.get("/issueLink/{linkId}")
async def get_link(call: Call) -> Response:
    """A link with both its ends."""
    link = _link(call)
    view, issues = call.view, call.site.data.issues
    return answer(
        {
            "id": link.id,
            "self": view.link(f"/issueLink/{link.id}"),
            "type": view.link_type(link.type_id),
            "inwardIssue": short(view, issues[link.inward_id]),
            "outwardIssue": short(view, issues[link.outward_id]),
        }
    )


@routes.delete("/issueLink/{linkId}")
async def delete_link(call: Call) -> Response:
    """Unlink two issues."""
    link = _link(call)
    issue = call.site.data.issues[link.inward_id]
    remove_link(call.site, access.require(call, "LINK_ISSUES", access.issue_project(call, issue)), link)
    return no_content()


# -- kinds of links ------------------------------------------------------------------------------------------------


@routes.get("/issueLinkType")
async def link_types(call: Call) -> Response:
    """Every kind of link."""
    return answer({"issueLinkTypes": [call.view.link_type(t) for t in call.site.data.link_types.values()]})


def _link_type(call: Call) -> LinkType:
    found = call.site.data.link_types.get(call.path["issueLinkTypeId"])
    if found is None:
        raise not_found(f"No issue link type with id '{call.path['issueLinkTypeId']}' found.")
    return found


@routes.post("/issueLinkType")
async def create_link_type(call: Call) -> Response:
    """Add a kind of link."""
    access.require_admin(call)
    body = await call.members(allowed=("id", "name", "inward", "outward", "self"))
    if not all(isinstance(body.get(key), str) and body[key] for key in ("name", "inward", "outward")):
        raise bad_request("The name, inward and outward descriptions are required.")
    if find_link_type(call.site, {"name": body["name"]}) is not None:
        raise bad_request(f"An issue link type with name '{body['name']}' already exists.")
    added = LinkType(str(call.site.next_id("link_type", 10100)), body["name"], body["inward"], body["outward"])
    call.site.data.link_types[added.id] = added
    call.site.touch()
    return answer(call.view.link_type(added), 201)


@routes.get("/issueLinkType/{issueLinkTypeId}")
async def get_link_type(call: Call) -> Response:
    """One kind of link."""
    return answer(call.view.link_type(_link_type(call)))


@routes.put("/issueLinkType/{issueLinkTypeId}")
async def update_link_type(call: Call) -> Response:
    """Rename a kind of link or its readings."""
    access.require_admin(call)
    found = _link_type(call)
    body = await call.members(allowed=("id", "name", "inward", "outward", "self"))
    for key in ("name", "inward", "outward"):
        if isinstance(body.get(key), str):
            setattr(found, key, body[key])
    call.site.touch()
    return answer(call.view.link_type(found))


@routes.delete("/issueLinkType/{issueLinkTypeId}")
async def delete_link_type(call: Call) -> Response:
    """Delete a kind of link with all links of it."""
    user = access.require_admin(call)
    found = _link_type(call)
    for link in [k for k in call.site.data.links.values() if k.type_id == found.id]:
        remove_link(call.site, user, link)
    del call.site.data.link_types[found.id]
    call.site.touch()
    return no_content()


# -- links to the outside ------------------------------------------------------------------------------------------


def _remote_body(body: dict[str, Any]) -> dict[str, Any]:
    """The kept part of a remote link; what a client leaves out becomes nothing, also on update."""
    target = body.get("object")
    problems = {}
    if not isinstance(target, dict) or not target.get("title"):
        problems["title"] = "'title' is required."
    if not isinstance(target, dict) or not target.get("url"):
        problems["url"] = "'url' is required."
    if len(str(body.get("globalId") or "")) > 255:
        problems["globalId"] = "'globalId' exceeds the maximum length of 255 characters."
    if problems:
        raise ApiError(400, errors=problems)
    kept: dict[str, Any] = {"object": {"icon": {}, "status": {"icon": {}}, **(target or {})}}
    for key in ("application", "relationship"):
        if body.get(key):
            kept[key] = body[key]
    return kept


def _told(link: RemoteLink) -> tuple[str, str]:
    """A remote link as the history tells it: its id, and its title with the application it leads to. That replacing one
    leaves no entry is unsure."""
    application = link.body.get("application")
    name = application.get("name") if isinstance(application, dict) else None
    target = link.body["object"]
    title = target.get("title") if isinstance(target, dict) else None
    return str(link.id), f'This work item links to "{title} ({name or "Web Link"})"'


def _remove_remote(call: Call, issue: Issue, link: RemoteLink) -> None:
    user = _linker(call, issue)
    issue.remote_links.remove(link)
    note_beside(call.site, issue, user, REMOTE_LINK, before=_told(link))
    touch(call.site, issue)


def _remote_link(call: Call, issue: Issue) -> RemoteLink:
    found = next((k for k in issue.remote_links if str(k.id) == call.path["linkId"]), None)
    if found is None:
        raise not_found(f"No remote link with id '{call.path['linkId']}' could be found.")
    return found


@routes.get("/issue/{issueIdOrKey}/remotelink")
async def remote_links(call: Call) -> Response:
    """The remote links of an issue, or with ``globalId`` the one that carries it."""
    issue = access.issue_for(call)
    wanted = call.query("globalId")
    if wanted is None:
        return answer([remote_link_body(call.view, issue, link) for link in issue.remote_links])
    found = next((k for k in issue.remote_links if k.global_id == wanted), None)
    if found is None:
        raise not_found(f"No remote link with global id '{wanted}' could be found.")
    return answer(remote_link_body(call.view, issue, found))


def _linker(call: Call, issue: Issue) -> User:
    return access.require(call, "LINK_ISSUES", access.issue_project(call, issue))


@routes.post("/issue/{issueIdOrKey}/remotelink")
async def upsert_remote_link(call: Call) -> Response:
    """Create a remote link, 201; or replace the one with the same ``globalId``, 200."""
    issue = access.issue_for(call)
    body = await call.members()
    user = _linker(call, issue)
    kept = _remote_body(body)
    global_id = body.get("globalId") or None
    known = next((k for k in issue.remote_links if global_id is not None and k.global_id == global_id), None)
    if known is not None:
        known.body = kept
    link = known or RemoteLink(call.site.next_id("remote_link"), global_id, kept)
    if known is None:
        issue.remote_links.append(link)
        note_beside(call.site, issue, user, REMOTE_LINK, after=_told(link))
    touch(call.site, issue)
    body = {"id": link.id, "self": call.link(f"/issue/{issue.id}/remotelink/{link.id}")}
    return answer(body, 200 if known else 201)


@routes.get("/issue/{issueIdOrKey}/remotelink/{linkId}")
async def get_remote_link(call: Call) -> Response:
    """One remote link."""
    issue = access.issue_for(call)
    return answer(remote_link_body(call.view, issue, _remote_link(call, issue)))


@routes.put("/issue/{issueIdOrKey}/remotelink/{linkId}")
async def update_remote_link(call: Call) -> Response:
    """Replace a remote link."""
    issue = access.issue_for(call)
    found = _remote_link(call, issue)
    body = await call.members()
    _linker(call, issue)
    found.body = _remote_body(body)
    found.global_id = body.get("globalId") or found.global_id
    touch(call.site, issue)
    return no_content()


@routes.delete("/issue/{issueIdOrKey}/remotelink/{linkId}")
async def delete_remote_link(call: Call) -> Response:
    """Delete a remote link by id."""
    issue = access.issue_for(call)
    _remove_remote(call, issue, _remote_link(call, issue))
    return no_content()


@routes.delete("/issue/{issueIdOrKey}/remotelink")
async def delete_remote_link_by_global_id(call: Call) -> Response:
    """Delete a remote link by global id."""
    issue = access.issue_for(call)
    wanted = call.query("globalId")
    if wanted is None:
        raise bad_request("'globalId' is required.")
    found = next((k for k in issue.remote_links if k.global_id == wanted), None)
    if found is None:
        raise not_found(f"No remote link with global id '{wanted}' could be found.")
    _remove_remote(call, issue, found)
    return no_content()
