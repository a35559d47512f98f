"""The bodies of everything but issues, as the vendor writes them: users, projects, types, statuses and the like.

No key is sent with null where the vendor's document promises a value: such keys are left out.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Any

from sandbox.jira.state import (
    Category,
    Component,
    Field,
    Group,
    IssueType,
    LinkType,
    Priority,
    Project,
    Resolution,
    Site,
    Status,
    User,
    Version,
)

Body = dict[str, Any]
SIZES = ("48x48", "24x24", "16x16", "32x32")
CATEGORIES: dict[str, tuple[int, str, str]] = {  # key: id, colour, name
    "undefined": (1, "medium-gray", "No Category"),
    "new": (2, "blue-gray", "To Do"),
    "indeterminate": (4, "yellow", "In Progress"),
    "done": (3, "green", "Done"),
}


def without_none(body: Body) -> Body:
    """The body without the keys whose value is None."""
    return {key: value for key, value in body.items() if value is not None}


@dataclass(frozen=True)
class View:
    """Builds bodies for one reader: ``base`` is the address the client used, ``version`` decides text and links."""

    site: Site
    base: str
    version: int
    viewer: User | None = None

    @property
    def api(self) -> str:
        """The start of ``self`` links."""
        return f"{self.base}/rest/api/{self.version}"

    def link(self, path: str) -> str:
        """The address of a platform resource."""
        return self.api + path

    def avatar(self, kind: str, number: object) -> str:
        """The address of a picture."""
        return f"{self.base}/rest/api/2/universal_avatar/view/type/{kind}/avatar/{number}"

    def avatars(self, kind: str, number: object) -> Body:
        """The same picture in the vendor's four sizes."""
        url = self.avatar(kind, number)
        return {
            size: url if size == "48x48" else f"{url}?size={name}"
            for size, name in zip(SIZES, ("xlarge", "small", "xsmall", "medium"), strict=True)
        }

    # -- people --------------------------------------------------------------------------------------------------

    def user(self, account: str | User) -> Body:
        """A person as they appear inside other resources."""
        user = self.site.data.users[account] if isinstance(account, str) else account
        return {
            "self": self.link(f"/user?accountId={user.account_id}"),
            "accountId": user.account_id,
            "emailAddress": user.email,
            "avatarUrls": self.avatars("user", user.account_id),
            "displayName": user.display_name,
            "active": user.active,
            "timeZone": user.time_zone,
            "accountType": "atlassian",
        }

    def maybe_user(self, account: str | None) -> Body | None:
        """A person, or none."""
        return self.user(account) if account and account in self.site.data.users else None

    def person(self, user: User, expand: frozenset[str] = frozenset()) -> Body:
        """A person as their own resource, with groups and application roles counted or expanded."""
        body = self.user(user)
        groups = [self.group(g) for g in self.site.data.groups.values() if user.account_id in g.members]
        body["locale"] = user.locale
        body["groups"] = {"size": len(groups), "items": groups if "groups" in expand else []}
        body["applicationRoles"] = {"size": 1, "items": []}
        if "applicationRoles" in expand:
            body["applicationRoles"]["items"] = [{"key": "jira-software", "name": "Jira Software", "groups": []}]
        body["expand"] = "groups,applicationRoles"
        return body

    def group(self, group: Group) -> Body:
        """A group by name and id."""
        return {
            "name": group.name,
            "groupId": group.group_id,
            "self": self.link(f"/group?groupId={group.group_id}"),
        }

    # -- vocabulary ----------------------------------------------------------------------------------------------

    def category(self, key: str) -> Body:
        """A status category."""
        number, color, name = CATEGORIES[key]
        return {
            "self": self.link(f"/statuscategory/{number}"),
            "id": number,
            "key": key,
            "colorName": color,
            "name": name,
        }

    def scope(self, project_id: str | None) -> Body | None:
        """The project that owns a team-managed record."""
        return None if project_id is None else {"type": "PROJECT", "project": {"id": project_id}}

    def status(self, status: str | Status) -> Body:
        """A status with its category."""
        found = self.site.data.statuses[status] if isinstance(status, str) else status
        return without_none(
            {
                "self": self.link(f"/status/{found.id}"),
                "description": found.description,
                "iconUrl": f"{self.base}/images/icons/status_generic.gif",
                "name": found.name,
                "id": found.id,
                "statusCategory": self.category(found.category),
                "scope": self.scope(found.project_id),
            }
        )

    def issue_type(self, issue_type: str | IssueType) -> Body:
        """An issue type."""
        found = self.site.data.issue_types[issue_type] if isinstance(issue_type, str) else issue_type
        own = found.project_id
        return without_none(
            {
                "self": self.link(f"/issuetype/{found.id}"),
                "id": found.id,
                "description": found.description,
                "iconUrl": f"{self.avatar('issuetype', found.avatar_id)}?size=medium",
                "name": found.name,
                "subtask": found.subtask,
                "avatarId": found.avatar_id,
                "entityId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"issuetype:{found.id}")) if own else None,
                "hierarchyLevel": found.level,
                "scope": self.scope(own),
            }
        )

    def priority(self, priority: str | Priority, *, full: bool = False) -> Body:
        """A priority; in full with colour and description."""
        found = self.site.data.priorities[priority] if isinstance(priority, str) else priority
        body: Body = {"self": self.link(f"/priority/{found.id}")}
        if full:
            body |= {"statusColor": found.color, "description": found.description}
        body |= {
            "iconUrl": f"{self.base}/images/icons/priorities/{found.name.lower()}.svg",
            "name": found.name,
            "id": found.id,
        }
        return body | {"isDefault": found.default} if full else body

    def resolution(self, resolution: str | Resolution) -> Body:
        """A resolution."""
        found = self.site.data.resolutions[resolution] if isinstance(resolution, str) else resolution
        return {
            "self": self.link(f"/resolution/{found.id}"),
            "id": found.id,
            "description": found.description,
            "name": found.name,
        }

    def link_type(self, link_type: str | LinkType) -> Body:
        """A kind of link."""
        found = self.site.data.link_types[link_type] if isinstance(link_type, str) else link_type
        return {
            "id": found.id,
            "name": found.name,
            "inward": found.inward,
            "outward": found.outward,
            "self": self.link(f"/issueLinkType/{found.id}"),
        }

    def field(self, field: Field) -> Body:
        """A field of the site."""
        body: Body = {
            "id": field.id,
            "key": field.id,
            "name": field.name,
            "custom": field.custom,
            "orderable": field.orderable,
            "navigable": field.navigable,
            "searchable": field.searchable,
            "clauseNames": list(field.clauses),
        }
        if field.schema:
            body["schema"] = field.schema
        if field.project_id is not None:
            body["scope"] = self.scope(field.project_id)
        return body

    # -- projects ------------------------------------------------------------------------------------------------

    def project_ref(self, project: str | Project) -> Body:
        """A project as it appears inside other resources."""
        found = self.site.data.projects[project] if isinstance(project, str) else project
        category = self.site.data.categories.get(found.category_id or "")
        return without_none(
            {
                "self": self.link(f"/project/{found.id}"),
                "id": found.id,
                "key": found.key,
                "name": found.name,
                "projectTypeKey": found.type_key,
                "simplified": found.team_managed,
                "avatarUrls": self.avatars("project", found.avatar_id),
                "projectCategory": self.project_category(category) if category else None,
            }
        )

    def project_category(self, category: Category) -> Body:
        """A project category."""
        return {
            "self": self.link(f"/projectCategory/{category.id}"),
            "id": category.id,
            "name": category.name,
            "description": category.description,
        }

    def component(self, component: str | Component, *, full: bool = False) -> Body:
        """A component; in full with lead and assignee."""
        found = self.site.data.components[component] if isinstance(component, str) else component
        body: Body = {"self": self.link(f"/component/{found.id}"), "id": found.id, "name": found.name}
        if found.description or full:
            body["description"] = found.description
        if not full:
            return body
        project = self.site.data.projects[found.project_id]
        lead = self.maybe_user(found.lead)
        assignees = {"COMPONENT_LEAD": found.lead, "PROJECT_LEAD": project.lead}
        real = found.assignee_type
        if real == "PROJECT_DEFAULT" or (real == "COMPONENT_LEAD" and found.lead is None):
            real = project.assignee_type
        return without_none(
            {
                **body,
                "lead": lead,
                "assigneeType": found.assignee_type,
                "assignee": self.maybe_user(assignees.get(found.assignee_type)),
                "realAssigneeType": real,
                "realAssignee": self.maybe_user(assignees.get(real)),
                "isAssigneeTypeValid": found.assignee_type != "COMPONENT_LEAD" or found.lead is not None,
                "project": project.key,
                "projectId": int(project.id),
            }
        )

    def version_body(self, version: str | Version, *, full: bool = True) -> Body:
        """A version (release); the short form is what issues carry."""
        found = self.site.data.versions[version] if isinstance(version, str) else version
        body: Body = {
            "self": self.link(f"/version/{found.id}"),
            "id": found.id,
            "description": found.description,
            "name": found.name,
            "archived": found.archived,
            "released": found.released,
            "releaseDate": found.release_date,
        }
        if full:
            today = self.site.clock.now().date().isoformat()
            due = found.release_date
            body |= {
                "startDate": found.start_date,
                "overdue": due is not None and not found.released and due < today,
                "userStartDate": day_for_people(found.start_date),
                "userReleaseDate": day_for_people(due),
                "driver": found.driver,
                "projectId": int(found.project_id),
            }
            if due is None:
                body.pop("overdue")
        return without_none(body)


def day_for_people(day: str | None) -> str | None:
    """A day as the site's default date format shows it: ``23/Nov/26``."""
    return date.fromisoformat(day).strftime("%d/%b/%y") if day else None
