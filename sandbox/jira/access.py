"""Who may see and do what: authentication, permissions, and look-ups through the caller's eyes."""

from __future__ import annotations

import base64
import binascii

from starlette.requests import Request

from sandbox.http import Call
from sandbox.jira import errors
from sandbox.jira.state import Comment, Issue, Project, Site, User

GLOBAL_PERMISSIONS = {
    "ADMINISTER": "Administer Jira",
    "SYSTEM_ADMIN": "System Administer Jira",
    "USER_PICKER": "Browse users and groups",
    "CREATE_SHARED_OBJECTS": "Share dashboards and filters",
    "MANAGE_GROUP_FILTER_SUBSCRIPTIONS": "Manage group filter subscriptions",
    "BULK_CHANGE": "Make bulk changes",
}
PROJECT_PERMISSIONS = {
    "ADMINISTER_PROJECTS": "Administer Projects",
    "BROWSE_PROJECTS": "Browse Projects",
    "MANAGE_SPRINTS_PERMISSION": "Manage sprints",
    "VIEW_DEV_TOOLS": "View Development Tools",
    "VIEW_READONLY_WORKFLOW": "View Read-Only Workflow",
    "ASSIGNABLE_USER": "Assignable User",
    "ASSIGN_ISSUES": "Assign Issues",
    "CLOSE_ISSUES": "Close Issues",
    "CREATE_ISSUES": "Create Issues",
    "DELETE_ISSUES": "Delete Issues",
    "EDIT_ISSUES": "Edit Issues",
    "LINK_ISSUES": "Link Issues",
    "MODIFY_REPORTER": "Modify Reporter",
    "MOVE_ISSUES": "Move Issues",
    "RESOLVE_ISSUES": "Resolve Issues",
    "SCHEDULE_ISSUES": "Schedule Issues",
    "SET_ISSUE_SECURITY": "Set Issue Security",
    "TRANSITION_ISSUES": "Transition Issues",
    "MANAGE_WATCHERS": "Manage Watchers",
    "VIEW_VOTERS_AND_WATCHERS": "View Voters and Watchers",
    "ADD_COMMENTS": "Add Comments",
    "DELETE_ALL_COMMENTS": "Delete All Comments",
    "DELETE_OWN_COMMENTS": "Delete Own Comments",
    "EDIT_ALL_COMMENTS": "Edit All Comments",
    "EDIT_OWN_COMMENTS": "Edit Own Comments",
    "CREATE_ATTACHMENTS": "Create Attachments",
    "DELETE_ALL_ATTACHMENTS": "Delete All Attachments",
    "DELETE_OWN_ATTACHMENTS": "Delete Own Attachments",
    "DELETE_ALL_WORKLOGS": "Delete All Worklogs",
    "DELETE_OWN_WORKLOGS": "Delete Own Worklogs",
    "EDIT_ALL_WORKLOGS": "Edit All Worklogs",
    "EDIT_OWN_WORKLOGS": "Edit Own Worklogs",
    "WORK_ON_ISSUES": "Work On Issues",
}
_VIEWER = {"BROWSE_PROJECTS", "VIEW_DEV_TOOLS", "VIEW_READONLY_WORKFLOW", "VIEW_VOTERS_AND_WATCHERS", "USER_PICKER"}
_NOT_MEMBER = {
    "ADMINISTER",
    "SYSTEM_ADMIN",
    "ADMINISTER_PROJECTS",
    "DELETE_ISSUES",
    "DELETE_ALL_COMMENTS",
    "EDIT_ALL_COMMENTS",
    "DELETE_ALL_ATTACHMENTS",
    "DELETE_ALL_WORKLOGS",
    "EDIT_ALL_WORKLOGS",
    "MANAGE_GROUP_FILTER_SUBSCRIPTIONS",
    "SET_ISSUE_SECURITY",
}


def authenticate(site: Site, request: Request) -> User | None:
    """The caller by basic credentials (e-mail and token) or bearer token; none without; 401 for wrong ones."""
    header = request.headers.get("authorization")
    if not header:
        return None
    scheme, _, value = header.partition(" ")
    user = None
    if scheme.lower() == "basic":
        user = _by_basic(site, value.strip())
    elif scheme.lower() == "bearer":
        user = next((u for u in site.data.users.values() if u.token and u.token == value.strip()), None)
    if user is None or not user.active:
        raise errors.unauthenticated()
    return user


def _by_basic(site: Site, value: str) -> User | None:
    try:
        email, _, token = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    user = site.user_by_email(email)
    return user if user is not None and user.token and user.token == token else None


def allowed(site: Site, user: User | None, permission: str, project: Project | None = None) -> bool:
    """Whether a person holds a permission, on a project or on the site; anonymous people hold none."""
    if user is None or not user.active:
        return False
    for denial in site.data.denials:
        same = denial.account_id == user.account_id and denial.permission == permission
        if same and (denial.project_id is None or (project is not None and denial.project_id == project.id)):
            return False
    if user.role == "admin":
        return True
    if user.role == "viewer":
        return permission in _VIEWER
    return permission not in _NOT_MEMBER


def sees(site: Site, user: User | None, project: Project) -> bool:
    """Whether the project and its issues exist for this person."""
    return project.deleted_at is None and allowed(site, user, "BROWSE_PROJECTS", project)


def require(call: Call, permission: str, project: Project | None = None, *, message: str | None = None) -> User:
    """The caller, if they hold the permission; 401 for nobody, 403 otherwise."""
    user = call.caller()
    if not allowed(call.site, user, permission, project):
        raise errors.forbidden(message) if message else errors.forbidden()
    return user


def require_admin(call: Call) -> User:
    """The caller, if they administer Jira."""
    return require(call, "ADMINISTER", message="Only Jira administrators can perform this operation.")


def project_for(call: Call, id_or_key: str) -> Project:
    """A project the caller may see, by id or key; otherwise 404."""
    project = call.site.find_project(id_or_key)
    if project is None or not sees(call.site, call.user, project):
        raise errors.project_not_found(id_or_key)
    return project


def find_issue_for(call: Call, id_or_key: str) -> Issue | None:
    """An issue the caller may see, or none."""
    issue = call.site.find_issue(id_or_key)
    if issue is None or not sees(call.site, call.user, call.site.data.projects[issue.project_id]):
        return None
    return issue


def issue_for(call: Call, id_or_key: str | None = None) -> Issue:
    """An issue the caller may see (default: the one the path names); otherwise 404."""
    issue = find_issue_for(call, id_or_key if id_or_key is not None else call.path["issueIdOrKey"])
    if issue is None:
        raise errors.issue_not_found()
    return issue


def issue_project(call: Call, issue: Issue) -> Project:
    """The project of an issue."""
    return call.site.data.projects[issue.project_id]


def visible_projects(call: Call) -> list[Project]:
    """All projects the caller may see, by key."""
    found = [p for p in call.site.data.projects.values() if sees(call.site, call.user, p)]
    return sorted(found, key=lambda project: project.key)


def assignable(site: Site, user: User, project: Project) -> bool:
    """Whether issues of the project may be given to this person."""
    return user.active and user.role != "viewer" and allowed(site, user, "ASSIGNABLE_USER", project)


def sees_comment(site: Site, user: User | None, comment: Comment) -> bool:
    """Whether somebody who sees the issue may read a comment; restricted ones are for members of the role or group."""
    if comment.visibility is None:
        return True
    if user is None:
        return False
    if user.role == "admin" or comment.author == user.account_id:
        return True
    if comment.visibility["type"] == "group":
        group = site.data.groups.get(str(comment.visibility.get("identifier")))
        return group is not None and user.account_id in group.members
    return bool(comment.visibility["value"] != "Administrators")
