"""Comments, worklogs and links: checked from bodies, and added, whether on their own route or within an edit."""

from __future__ import annotations

from typing import Any

from sandbox.jira import access, durations, errors, times
from sandbox.jira.changes import Edit, note_beside, touch
from sandbox.jira.errors import ApiError
from sandbox.jira.state import Comment, Event, Issue, IssueLink, LinkType, Site, User, Worklog
from sandbox.jira.values import TEXT_LIMIT, TOO_LONG, Place, ValueProblem, rich_text

# -- comments ------------------------------------------------------------------------------------------------------


def check_comment(place: Place, value: Any) -> dict[str, Any]:
    """A comment's body, visibility, parent and properties, checked. Raises ``ValueProblem`` or ``ApiError``."""
    if not isinstance(value, dict):
        raise ValueProblem(errors.BAD_COMMENT)
    body = value.get("body")
    if place.version == 2 and isinstance(body, str) and not body.strip():
        raise ValueProblem("Comment body can not be empty!")
    if not isinstance(body, dict if place.version == 3 else str):
        raise ValueProblem(errors.BAD_COMMENT)
    if isinstance(body, str) and len(body) > TEXT_LIMIT:
        raise ValueProblem(TOO_LONG)
    return {
        "body": rich_text(place.version, body),
        "visibility": check_visibility(place.site, value.get("visibility")),
        "parent": value.get("parentId"),
        "properties": {
            p["key"]: p.get("value") for p in value.get("properties") or [] if isinstance(p, dict) and "key" in p
        },
    }


def check_visibility(site: Site, value: Any) -> dict[str, Any] | None:
    """A restriction to a role or group, with the identifier filled in; refused if there is no such role or group."""
    if not value:
        return None
    if not isinstance(value, dict) or value.get("type") not in {"role", "group"}:
        raise errors.invalid_payload()
    wanted = {str(value.get("value")), str(value.get("identifier"))}
    if value["type"] == "role":
        role = next((r for r in site.data.roles.values() if {r.name, str(r.id)} & wanted), None)
        if role is None:
            raise ApiError(400, errors={"commentLevel": "Role does not exist."})  # wording unsure
        return {"type": "role", "value": role.name, "identifier": role.name}
    group = next((g for g in site.data.groups.values() if {g.name, g.group_id} & wanted), None)
    if group is None:
        raise ApiError(400, errors={"commentLevel": f"Group: {value.get('value')} does not exist."})
    return {"type": "group", "value": group.name, "identifier": group.group_id}


def add_comment(site: Site, issue: Issue, user: User, checked: dict[str, Any]) -> Comment:
    """Add a checked comment and announce it."""
    now = site.clock.now()
    comment = Comment(
        id=str(site.next_id("comment")),
        author=user.account_id,
        body=checked["body"],
        created=now,
        updated=now,
        update_author=user.account_id,
        visibility=checked["visibility"],
        parent_id=str(checked["parent"]) if checked["parent"] else None,
        properties=checked["properties"],
    )
    issue.comments.append(comment)
    touch(site, issue, Event("comment_created", user.account_id, now, issue=issue, comment=comment))
    return comment


# -- worklogs ------------------------------------------------------------------------------------------------------


def check_worklog(place: Place, value: Any, *, new: bool = True) -> dict[str, Any]:
    """A worklog's members, checked; a new one needs the time spent."""
    if not isinstance(value, dict):
        raise errors.invalid_payload()
    found: dict[str, Any] = {}
    if value.get("timeSpentSeconds") is not None:
        found["seconds"] = value["timeSpentSeconds"]
    elif value.get("timeSpent") is not None:
        found["seconds"] = durations.parse(value["timeSpent"])
    seconds = found.get("seconds", 60 if not new else None)
    if isinstance(seconds, str) and seconds.strip().isdecimal():
        seconds = found["seconds"] = int(seconds)  # the vendor's typed body takes a number that is written as text
    if isinstance(seconds, bool) or not isinstance(seconds, int) or seconds < 60:
        raise ApiError(400, errors={"timeLogged": "You must indicate the time spent working."})
    if value.get("started") is not None:
        found["started"] = times.parse_moment(value["started"])
        if found["started"] is None:
            raise ApiError(400, errors={"started": f"Error parsing time: {value['started']}"})
    if value.get("comment") is not None:
        try:
            found["comment"] = rich_text(place.version, value["comment"])
        except ValueProblem as problem:
            raise ApiError(400, errors={"comment": problem.text}) from None
    if "visibility" in value:
        found["visibility"] = check_visibility(place.site, value["visibility"])
    return found


def add_worklog(site: Site, issue: Issue, user: User, checked: dict[str, Any]) -> Worklog:
    """Add a checked worklog and announce it. The remaining estimate is the caller's business."""
    now = site.clock.now()
    log = Worklog(
        id=str(site.next_id("worklog")),
        author=user.account_id,
        update_author=user.account_id,
        created=now,
        updated=now,
        started=checked.get("started") or now,
        seconds=checked["seconds"],
        comment=checked.get("comment"),
        visibility=checked.get("visibility"),
    )
    issue.worklogs.append(log)
    extra = {"issue_id": issue.id}
    touch(site, issue, Event("worklog_created", user.account_id, now, issue=issue, subject=log, extra=extra))
    return log


# -- links ---------------------------------------------------------------------------------------------------------


def find_link_type(site: Site, value: Any) -> LinkType | None:
    """A kind of link by id or name."""
    if not isinstance(value, dict):
        return None
    types = site.data.link_types.values()
    if value.get("id") is not None:
        return next((t for t in types if t.id == str(value["id"])), None)
    wanted = str(value.get("name", "")).lower()
    return next((t for t in types if t.name.lower() == wanted), None)


def check_link(place: Place, value: Any) -> dict[str, Any]:
    """A link from an edit: its type and its other end. Raises ``ValueProblem``."""
    link_type = find_link_type(place.site, value.get("type")) if isinstance(value, dict) else None
    if link_type is None:
        raise ValueProblem(no_link_type(value.get("type") if isinstance(value, dict) else None))
    found: dict[str, Any] = {"type_id": link_type.id, "inward": None, "outward": None}
    for side in ("inward", "outward"):
        named = value.get(f"{side}Issue")
        if named is None:
            continue
        wanted = (named.get("key") or named.get("id")) if isinstance(named, dict) else None
        issue = place.site.find_issue(str(wanted)) if wanted else None
        if issue is None or not access.sees(place.site, place.user, place.site.data.projects[issue.project_id]):
            raise ValueProblem(f"{errors.ISSUE_NOT_FOUND} ({wanted})")  # wording unsure
        found[side] = issue
    if (found["inward"] is None) == (found["outward"] is None):
        raise ValueProblem("Specify either an inward issue or an outward issue.")
    return found


def no_link_type(value: Any) -> str:
    """The text for an unknown kind of link."""
    name = (value.get("name") or value.get("id")) if isinstance(value, dict) else None
    return f"No issue link type with name '{name}' found."


def add_link(site: Site, user: User, type_id: str, inward: Issue, outward: Issue) -> IssueLink:
    """Link two issues (``inward`` is where the link starts) and note it on both; an equal link is not doubled."""
    same = (k for k in site.links_of(inward.id) if k.type_id == type_id and k.inward_id == inward.id)
    for known in same:
        if known.outward_id == outward.id:
            return known
    link = IssueLink(str(site.next_id("link")), type_id, inward.id, outward.id)
    site.data.links[link.id] = link
    _note_link(site, user, link, added=True)
    return link


def remove_link(site: Site, user: User, link: IssueLink) -> None:
    """Unlink two issues and note it on both."""
    del site.data.links[link.id]
    _note_link(site, user, link, added=False)


def _note_link(site: Site, user: User, link: IssueLink, *, added: bool) -> None:
    link_type = site.data.link_types[link.type_id]
    now = site.clock.now()
    for here, there, reading in (
        (link.inward_id, link.outward_id, link_type.outward),
        (link.outward_id, link.inward_id, link_type.inward),
    ):
        issue, other = site.data.issues.get(here), site.data.issues.get(there)
        if issue is None or other is None:
            continue
        pair = (other.key, f"This issue {reading} {other.key}")
        before, after = ((None, None), pair) if added else (pair, (None, None))
        note_beside(site, issue, user, "Link", before=before, after=after)
    name = "issuelink_created" if added else "issuelink_deleted"
    site.emit(Event(name, user.account_id, now, subject=link))


def delete_issue(site: Site, user: User, issue: Issue) -> None:
    """Delete an issue with its links; its sub-tasks are the caller's business, other children lose their parent."""
    for link in list(site.links_of(issue.id)):
        remove_link(site, user, link)
    for child in list(site.children(issue.id)):
        edit = Edit(site, child, user.account_id)
        edit.set_parent(None)
        edit.save()
    site.forget(issue)
    now = site.clock.now()
    site.emit(
        Event("jira:issue_deleted", user.account_id, now, issue=issue, extra={"issue_event_type_name": "issue_deleted"})
    )
