"""Projects in full and in search results."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from sandbox.jira import access, times
from sandbox.jira.state import Project
from sandbox.jira.views import Body, View, without_none

EXPANDS = ("description", "issueTypes", "lead")
TRASH_DAYS = 60


def _basic(view: View, project: Project) -> Body:
    category = view.site.data.categories.get(project.category_id or "")
    body: Body = {
        "expand": "description,lead,issueTypes,url,projectKeys,permissions,insight",
        "self": view.link(f"/project/{project.id}"),
        "id": project.id,
        "key": project.key,
        "name": project.name,
        "avatarUrls": view.avatars("project", project.avatar_id),
        "projectTypeKey": project.type_key,
        "simplified": project.team_managed,
        "style": project.style,
        "isPrivate": False,
        "properties": {},
        "projectCategory": view.project_category(category) if category else None,
        "uuid": project.uuid if project.team_managed else None,
    }
    if project.archived and project.archived_at is not None:
        body |= {"archived": True, "archivedDate": times.stamp(project.archived_at)}
    if project.deleted_at is not None:
        until = project.deleted_at + timedelta(days=TRASH_DAYS)
        body |= {
            "deleted": True,
            "deletedDate": times.stamp(project.deleted_at),
            "deletedBy": view.maybe_user(project.deleted_by),
            "retentionTillDate": times.stamp(until),
        }
    return without_none(body)


def found_body(view: View, project: Project, expand: Collection[str], *, properties: Collection[str] = ()) -> Body:
    """A project in a list: the basics, and what is expanded."""
    body = _basic(view, project)
    _expand(view, project, body, expand)
    body["properties"] = {key: project.properties[key] for key in properties if key in project.properties}
    return body


def _expand(view: View, project: Project, body: Body, expand: Collection[str]) -> None:
    if "description" in expand:
        body["description"] = project.description
    if "lead" in expand:
        body["lead"] = view.user(project.lead)
    if "issueTypes" in expand:
        body["issueTypes"] = [view.issue_type(key) for key in project.issue_type_ids]
    if "url" in expand and project.url:
        body["url"] = project.url
    if "projectKeys" in expand:
        body["projectKeys"] = [project.key, *(key for key in project.old_keys if key != project.key)]
    if "permissions" in expand:
        body["permissions"] = {"canEdit": access.allowed(view.site, view.viewer, "ADMINISTER_PROJECTS", project)}
    if "insight" in expand:
        moments = [issue.updated for issue in view.site.issues_of(project.id)]
        body["insight"] = {"totalIssueCount": len(moments)}
        if moments:
            body["insight"]["lastIssueUpdateTime"] = times.stamp(max(moments))


def project_body(view: View, project: Project, expand: Collection[str], *, properties: Collection[str] = ()) -> Body:
    """A project as its own resource: always with description, lead, types, components, versions and roles."""
    data = view.site.data
    body = found_body(view, project, {*expand, "description", "lead", "issueTypes", "url"}, properties=properties)
    base = view.link(f"/project/{project.id}")
    body |= {
        "components": [view.component(c) for c in data.components.values() if c.project_id == project.id],
        "versions": [view.version_body(v) for v in data.versions.values() if v.project_id == project.id],
        "assigneeType": project.assignee_type,
        "roles": {role.name: f"{base}/role/{role.id}" for role in data.roles.values()},
    }
    if "issueTypeHierarchy" in expand:
        body["issueTypeHierarchy"] = {"levels": []}
    return body
