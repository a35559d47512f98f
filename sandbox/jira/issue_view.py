"""Issues as the vendor writes them: fields, names, schemas, rendered text, changelog."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sandbox.jira import access, durations, times
from sandbox.jira.fields import EPIC_LINK, RANK, SPRINT, is_rich
from sandbox.jira.richtext import as_adf, as_html, as_wiki
from sandbox.jira.state import (
    Attachment,
    Comment,
    Field,
    History,
    Issue,
    IssueLink,
    RemoteLink,
    RichText,
    Sprint,
    Worklog,
)
from sandbox.jira.views import Body, View, without_none

NOT_NAVIGABLE = {"attachment", "comment", "worklog", "timetracking"}
FETCHED_COMMENTS = 20
"""As many comments as an issue carries where many are read in one call; the route pages through the rest. Which ones
come is unsure: here the oldest."""


def rich(view: View, value: RichText | None) -> Any:
    """Rich text in the form of the view's version: an ADF document on 3, wiki markup on 2."""
    if value is None:
        return None
    return as_adf(value) if view.version == 3 else as_wiki(value)


def applies(view: View, issue: Issue, field: Field) -> bool:
    """Whether the issue's project has the field at all."""
    return field.project_id is None or field.project_id == issue.project_id


def select(view: View, issue: Issue, wanted: Sequence[str], default: Sequence[str]) -> list[str]:
    """Field ids by the vendor's filter words: ids, ``*all``, ``*navigable``, and ``-id`` to leave one out."""
    known = [f.id for f in view.site.data.fields.values() if applies(view, issue, f) and f.id != "issuekey"]
    words = list(wanted) or list(default)
    plus = [word for word in words if not word.startswith("-")]
    minus = {word[1:] for word in words if word.startswith("-")}
    if not plus:
        plus = ["*all"]
    chosen: list[str] = []
    for word in plus:
        if word == "*all":
            chosen += known
        elif word == "*navigable":
            chosen += [key for key in known if key not in NOT_NAVIGABLE]
        elif word in known:
            chosen.append(word)
    return [key for key in dict.fromkeys(chosen) if key not in minus]


def bean(
    view: View,
    issue: Issue,
    wanted: Sequence[str] = (),
    *,
    default: Sequence[str] = ("*all",),
    expand: Iterable[str] = (),
    properties: Sequence[str] = (),
    self_path: str | None = None,
) -> Body:
    """An issue with the chosen fields, expansions (renderedFields, names, schema, changelog, versionedRepresentations)
    and properties (``*all`` or keys). Transitions, editmeta and operations are added by the routes that offer them."""
    expand = set(expand)
    ids = select(view, issue, wanted, default)
    body: Body = {
        "expand": "renderedFields,names,schema,operations,editmeta,changelog,versionedRepresentations",
        "id": issue.id,
        "self": f"{view.base}{self_path}" if self_path else view.link(f"/issue/{issue.id}"),
        "key": issue.key,
    }
    if ids or wanted:
        body["fields"] = {key: value_of(view, issue, key) for key in ids}
    if "renderedFields" in expand:
        body["renderedFields"] = {key: rendered(view, issue, key) for key in ids}
    if "names" in expand:
        body["names"] = names(view, ids)
    if "schema" in expand:
        body["schema"] = schemas(view, ids)
    if "changelog" in expand:
        body["changelog"] = changelog_page(view, issue)
    if "versionedRepresentations" in expand:
        body["versionedRepresentations"] = {key: {"1": value} for key, value in body.get("fields", {}).items()}
    if properties:
        body["properties"] = chosen_properties(issue, properties)
    return body


def chosen_properties(issue: Issue, wanted: Sequence[str]) -> Body:
    """The issue's properties by key; ``*all`` stands for every one."""
    plus = [key for key in wanted if not key.startswith("-")] or ["*all"]
    minus = {key[1:] for key in wanted if key.startswith("-")}
    return {k: v for k, v in issue.properties.items() if k not in minus and ("*all" in plus or k in plus)}


def names(view: View, ids: Iterable[str]) -> Body:
    """Field names by id."""
    return {key: view.site.data.fields[key].name for key in ids}


def schemas(view: View, ids: Iterable[str]) -> Body:
    """Field schemas by id."""
    fields = view.site.data.fields
    return {key: fields[key].schema for key in ids if fields[key].schema}


# -- values ------------------------------------------------------------------------------------------------------


def value_of(view: View, issue: Issue, field_id: str) -> Any:
    """A field's value in the form of the view; null for an empty field."""
    reader = _READERS.get(field_id)
    if reader is not None:
        return reader(view, issue)
    field = view.site.data.fields[field_id]
    value = issue.custom.get(field_id)
    if value is not None and is_rich(field):
        return rich(view, value)
    return _with_links(view, value)


def _with_links(view: View, value: Any) -> Any:
    """Stored custom values name people by account id and options without links; give both their whole form."""
    if isinstance(value, list):
        return [_with_links(view, part) for part in value]
    if isinstance(value, dict):
        if "accountId" in value:
            return view.user(value["accountId"])
        if "value" in value and "id" in value:
            body = {"self": view.link(f"/customFieldOption/{value['id']}"), **value}
            return body | {"child": _with_links(view, value["child"])} if "child" in value else body
    return value


def rendered(view: View, issue: Issue, field_id: str) -> Any:
    """A field as HTML or as people read it; null for the many fields that have no rendering."""
    if field_id in {"description", "environment"}:
        text = getattr(issue, field_id)
        return as_html(text) if text is not None else ""
    if field_id in {"created", "updated"}:
        moment = getattr(issue, field_id)
        return moment.strftime("%d/%b/%y %I:%M %p")
    if field_id == "comment":
        comments = [comment_body(view, issue, c) | {"body": as_html(c.body)} for c in _seen(view, issue)]
        return _comment_page(view, issue, comments)
    if field_id == "timetracking":
        return _time_tracking(view, issue)
    field = view.site.data.fields[field_id]
    if is_rich(field) and issue.custom.get(field_id) is not None:
        return as_html(issue.custom[field_id])
    return None


def _moment(attribute: str) -> Callable[[View, Issue], str | None]:
    def read(_view: View, issue: Issue) -> str | None:
        value = getattr(issue, attribute)
        return times.stamp(value) if value is not None else None

    return read


def _plain(attribute: str) -> Callable[[View, Issue], Any]:
    return lambda _view, issue: getattr(issue, attribute)


def _parent(view: View, issue: Issue) -> Body | None:
    parent = view.site.data.issues.get(issue.parent_id or "")
    return short(view, parent) if parent else None


def short(view: View, issue: Issue, *, assignee: bool = False) -> Body:
    """An issue as it appears under another one."""
    fields: Body = {
        "summary": issue.summary,
        "status": view.status(issue.status_id),
        "priority": view.priority(issue.priority_id) if issue.priority_id else None,
        "issuetype": view.issue_type(issue.type_id),
        "assignee": view.maybe_user(issue.assignee) if assignee else None,
    }
    return {"id": issue.id, "key": issue.key, "self": view.link(f"/issue/{issue.id}"), "fields": without_none(fields)}


def _subtasks(view: View, issue: Issue) -> list[Body]:
    types = view.site.data.issue_types
    return [short(view, child) for child in view.site.children(issue.id) if types[child.type_id].subtask]


def _links(view: View, issue: Issue) -> list[Body]:
    return [link_on(view, issue, link) for link in view.site.links_of(issue.id)]


def link_on(view: View, issue: Issue, link: IssueLink) -> Body:
    """A link as one of its two issues shows it."""
    outward = link.inward_id == issue.id
    other = view.site.data.issues[link.outward_id if outward else link.inward_id]
    return {
        "id": link.id,
        "self": view.link(f"/issueLink/{link.id}"),
        "type": view.link_type(link.type_id),
        "outwardIssue" if outward else "inwardIssue": short(view, other),
    }


def sprint_value(sprint: Sprint) -> Body:
    """A sprint as the Sprint field shows it."""
    return without_none(
        {
            "id": sprint.id,
            "name": sprint.name,
            "state": sprint.state,
            "boardId": sprint.board_id,
            "goal": sprint.goal or "",
            "startDate": times.zulu(sprint.start) if sprint.start else None,
            "endDate": times.zulu(sprint.end) if sprint.end else None,
            "completeDate": times.zulu(sprint.completed) if sprint.completed else None,
        }
    )


def _sprints(view: View, issue: Issue) -> list[Body] | None:
    sprints = view.site.data.sprints
    return [sprint_value(sprints[key]) for key in issue.sprint_ids if key in sprints] or None


def spent(issue: Issue) -> int | None:
    """Seconds logged on the issue; none without worklogs."""
    return sum(log.seconds for log in issue.worklogs) if issue.worklogs else None


def _time_tracking(_view: View, issue: Issue) -> Body:
    body: Body = {}
    for name, seconds in (
        ("originalEstimate", issue.original_estimate),
        ("remainingEstimate", issue.remaining_estimate),
        ("timeSpent", spent(issue)),
    ):
        if seconds is not None:
            body[name] = durations.show(seconds)
            body[f"{name}Seconds"] = seconds
    return body


def _progress(_view: View, issue: Issue) -> Body:
    done = spent(issue) or 0
    total = done + (issue.remaining_estimate or 0)
    return {"progress": done, "total": total, **({"percent": done * 100 // total} if total else {})}


def _work_ratio(_view: View, issue: Issue) -> int:
    if not issue.original_estimate:
        return -1
    return (spent(issue) or 0) * 100 // issue.original_estimate


def _seen(view: View, issue: Issue) -> list[Comment]:
    return [one for one in issue.comments if access.sees_comment(view.site, view.viewer, one)]


def with_fewer_comments(body: Body) -> Body:
    """An issue as it comes among many: with no more than the first comments, and how many there are."""
    for part in ("fields", "renderedFields"):
        page = body.get(part, {}).get("comment")
        if page is not None and page["total"] > FETCHED_COMMENTS:
            page |= {"comments": page["comments"][:FETCHED_COMMENTS], "maxResults": FETCHED_COMMENTS}
    return body


def _comment_page(view: View, issue: Issue, comments: list[Body]) -> Body:
    total = len(comments)
    return {
        "comments": comments,
        "self": view.link(f"/issue/{issue.id}/comment"),
        "maxResults": total,
        "total": total,
        "startAt": 0,
    }


def _epic_link(view: View, issue: Issue) -> str | None:
    """The key of the epic; the vendor still fills it in company-managed projects."""
    parent = view.site.data.issues.get(issue.parent_id or "")
    if parent is None or view.site.data.projects[issue.project_id].team_managed:
        return None
    return parent.key if view.site.data.issue_types[parent.type_id].level == 1 else None


def votes(view: View, issue: Issue) -> Body:
    """The vote count as an issue carries it."""
    voted = view.viewer is not None and view.viewer.account_id in issue.voters
    return {"self": view.link(f"/issue/{issue.key}/votes"), "votes": len(issue.voters), "hasVoted": voted}


def watches(view: View, issue: Issue) -> Body:
    """The watch count as an issue carries it."""
    watching = view.viewer is not None and view.viewer.account_id in issue.watchers
    return {
        "self": view.link(f"/issue/{issue.key}/watchers"),
        "watchCount": len(issue.watchers),
        "isWatching": watching,
    }


_READERS: dict[str, Callable[[View, Issue], Any]] = {
    "summary": _plain("summary"),
    "issuetype": lambda view, issue: view.issue_type(issue.type_id),
    "project": lambda view, issue: view.project_ref(issue.project_id),
    "description": lambda view, issue: rich(view, issue.description),
    "environment": lambda view, issue: rich(view, issue.environment),
    "status": lambda view, issue: view.status(issue.status_id),
    "statusCategory": lambda view, issue: view.category(view.site.data.statuses[issue.status_id].category),
    "priority": lambda view, issue: view.priority(issue.priority_id) if issue.priority_id else None,
    "resolution": lambda view, issue: view.resolution(issue.resolution_id) if issue.resolution_id else None,
    "assignee": lambda view, issue: view.maybe_user(issue.assignee),
    "reporter": lambda view, issue: view.maybe_user(issue.reporter),
    "creator": lambda view, issue: view.maybe_user(issue.creator),
    "labels": lambda _view, issue: list(issue.labels),
    "components": lambda view, issue: [view.component(key) for key in issue.component_ids],
    "fixVersions": lambda view, issue: [view.version_body(key, full=False) for key in issue.fix_version_ids],
    "versions": lambda view, issue: [view.version_body(key, full=False) for key in issue.version_ids],
    "duedate": _plain("due_date"),
    "parent": _parent,
    "subtasks": _subtasks,
    "issuelinks": _links,
    "attachment": lambda view, issue: [attachment_body(view, a) for a in issue.attachments],
    "comment": lambda view, issue: _comment_page(
        view, issue, [comment_body(view, issue, c) for c in _seen(view, issue)]
    ),
    "worklog": lambda view, issue: worklog_page(view, issue, issue.worklogs[:20]),
    "created": _moment("created"),
    "updated": _moment("updated"),
    "resolutiondate": _moment("resolved"),
    "statuscategorychangedate": _moment("status_changed"),
    "lastViewed": lambda _view, _issue: None,
    "timetracking": _time_tracking,
    "timespent": lambda _view, issue: spent(issue),
    "timeoriginalestimate": _plain("original_estimate"),
    "timeestimate": _plain("remaining_estimate"),
    "aggregatetimespent": lambda _view, issue: spent(issue),
    "aggregatetimeoriginalestimate": _plain("original_estimate"),
    "aggregatetimeestimate": _plain("remaining_estimate"),
    "progress": _progress,
    "aggregateprogress": _progress,
    "workratio": _work_ratio,
    "votes": votes,
    "watches": watches,
    "security": lambda _view, _issue: None,
    "thumbnail": lambda _view, _issue: None,
    SPRINT: _sprints,
    RANK: _plain("rank"),
    EPIC_LINK: _epic_link,
}


# -- what hangs on an issue ----------------------------------------------------------------------------------------


def comment_body(view: View, issue: Issue, comment: Comment, expand: Iterable[str] = ()) -> Body:
    """A comment; ``expand`` may ask for renderedBody and properties."""
    expand = set(expand)
    body: Body = {
        "self": view.link(f"/issue/{issue.id}/comment/{comment.id}"),
        "id": comment.id,
        "author": view.user(comment.author),
        "body": rich(view, comment.body),
        "updateAuthor": view.user(comment.update_author),
        "created": times.stamp(comment.created),
        "updated": times.stamp(comment.updated),
        "jsdPublic": True,
    }
    if comment.visibility:
        body["visibility"] = comment.visibility
    if comment.parent_id:
        body["parentId"] = int(comment.parent_id)
    if "renderedBody" in expand:
        body["renderedBody"] = as_html(comment.body)
    if "properties" in expand:
        body["properties"] = [{"key": key, "value": value} for key, value in comment.properties.items()]
    return body


def worklog_body(view: View, issue: Issue, log: Worklog, expand: Iterable[str] = ()) -> Body:
    """A worklog."""
    body: Body = {
        "self": view.link(f"/issue/{issue.id}/worklog/{log.id}"),
        "author": view.user(log.author),
        "updateAuthor": view.user(log.update_author),
        "created": times.stamp(log.created),
        "updated": times.stamp(log.updated),
        "started": times.stamp(log.started),
        "timeSpent": durations.show(log.seconds),
        "timeSpentSeconds": log.seconds,
        "id": log.id,
        "issueId": issue.id,
    }
    if log.comment is not None:
        body["comment"] = rich(view, log.comment)
    if log.visibility:
        body["visibility"] = log.visibility
    if "properties" in set(expand):
        body["properties"] = [{"key": key, "value": value} for key, value in log.properties.items()]
    return body


def worklog_page(view: View, issue: Issue, logs: Sequence[Worklog], start: int = 0, size: int = 20) -> Body:
    """Worklogs in the vendor's page."""
    return {
        "startAt": start,
        "maxResults": size,
        "total": len(issue.worklogs),
        "worklogs": [worklog_body(view, issue, log) for log in logs],
    }


def attachment_body(view: View, attachment: Attachment) -> Body:
    """An attachment as issues list it (its id is a string here, a number on its own route)."""
    body: Body = {
        "self": view.link(f"/attachment/{attachment.id}"),
        "id": attachment.id,
        "filename": attachment.filename,
        "author": view.user(attachment.author),
        "created": times.stamp(attachment.created),
        "size": attachment.size,
        "mimeType": attachment.mime_type,
        "content": view.link(f"/attachment/content/{attachment.id}"),
    }
    if attachment.mime_type.startswith("image/"):
        body["thumbnail"] = view.link(f"/attachment/thumbnail/{attachment.id}")
    return body


def remote_link_body(view: View, issue: Issue, link: RemoteLink) -> Body:
    """A remote link."""
    body: Body = {
        "id": link.id,
        "self": view.link(f"/issue/{issue.id}/remotelink/{link.id}"),
        "application": {},
        **link.body,
    }
    if link.global_id is not None:
        body["globalId"] = link.global_id
    return body


def history_body(view: View, history: History) -> Body:
    """One history. The vendor sends null where a column is empty; its document promises strings: empty ones here."""
    items = []
    for item in history.items:
        body = {
            "field": item.field,
            "fieldtype": item.field_type,
            "from": item.before or "",
            "fromString": item.before_text or "",
            "to": item.after or "",
            "toString": item.after_text or "",
        }
        if item.field_id is not None:
            body["fieldId"] = item.field_id
        items.append(body)
    return {
        "id": history.id,
        "author": view.user(history.author),
        "created": times.stamp(history.created),
        "items": items,
    }


def changelog_page(view: View, issue: Issue, most: int = 100) -> Body:
    """The changelog that hangs on an expanded issue: newest first, a hundred at most or as many as are named."""
    newest = list(reversed(issue.history))[:most]
    return {
        "startAt": 0,
        "maxResults": len(newest),
        "total": len(issue.history),
        "histories": [history_body(view, history) for history in newest],
    }
