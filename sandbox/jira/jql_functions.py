"""The functions of JQL that name things: people, sprints, versions, issue types, linked issues."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sandbox.jira.access import PROJECT_PERMISSIONS, allowed
from sandbox.jira.jql import Function
from sandbox.jira.jql_fields import Reading, resolve_project

Values = set[str]


def _current_user(reading: Reading, _arguments: tuple[str, ...]) -> Values:
    return {reading.user.account_id} if reading.user else set()


def _members_of(reading: Reading, arguments: tuple[str, ...]) -> Values | None:
    wanted = arguments[0].lower()
    for group in reading.site.data.groups.values():
        if wanted in {group.name.lower(), group.group_id}:
            return set(group.members)
    return None


def _sprints(state: str) -> Callable[[Reading, tuple[str, ...]], Values]:
    def names(reading: Reading, _arguments: tuple[str, ...]) -> Values:
        return {str(sprint.id) for sprint in reading.site.data.sprints.values() if sprint.state == state}

    return names


def _versions(released: bool) -> Callable[[Reading, tuple[str, ...]], Values]:
    def names(reading: Reading, arguments: tuple[str, ...]) -> Values:
        projects = {
            p.id for p in reading.projects() if not arguments or {p.key, p.name, p.id} & {a.upper() for a in arguments}
        }
        return {
            version.id
            for version in reading.site.data.versions.values()
            if version.released is released and version.project_id in projects and not version.archived
        }

    return names


def _types(subtask: bool) -> Callable[[Reading, tuple[str, ...]], Values]:
    def names(reading: Reading, _arguments: tuple[str, ...]) -> Values:
        return {t.id for t in reading.site.data.issue_types.values() if t.subtask is subtask}

    return names


def _linked_issues(reading: Reading, arguments: tuple[str, ...]) -> Values | None:
    issue = reading.find_issue(arguments[0])
    if issue is None:
        return None
    found = set()
    for link in reading.site.links_of(issue.id):
        outward = link.inward_id == issue.id
        link_type = reading.site.data.link_types[link.type_id]
        wanted = {argument.lower() for argument in arguments[1:]}
        if not wanted or wanted & {
            link_type.name.lower(),
            (link_type.outward if outward else link_type.inward).lower(),
        }:
            found.add(link.outward_id if outward else link.inward_id)
    return found


def _children_of(reading: Reading, arguments: tuple[str, ...]) -> Values | None:
    issue = reading.find_issue(arguments[0])
    if issue is None:
        return None
    found: Values = set()
    waiting = [issue.id]
    while waiting:
        for child in reading.site.children(waiting.pop()):
            if child.id not in found:
                found.add(child.id)
                waiting.append(child.id)
    return found


def _watched(reading: Reading, _arguments: tuple[str, ...]) -> Values:
    me = reading.user.account_id if reading.user else ""
    return {issue.id for issue in reading.site.data.issues.values() if me in issue.watchers}


def _voted(reading: Reading, _arguments: tuple[str, ...]) -> Values:
    me = reading.user.account_id if reading.user else ""
    return {issue.id for issue in reading.site.data.issues.values() if me in issue.voters}


def _led_by(reading: Reading, arguments: tuple[str, ...]) -> Values:
    lead = arguments[0] if arguments else (reading.user.account_id if reading.user else "")
    return {project.id for project in reading.projects() if project.lead == lead}


def _extreme_version(released: bool) -> Callable[[Reading, tuple[str, ...]], Values | None]:
    """The latest released version of a project, or the earliest that is not: by date, then by their order."""

    def names(reading: Reading, arguments: tuple[str, ...]) -> Values | None:
        projects = resolve_project(reading, arguments[0])
        if projects is None:
            return None
        found = [
            version
            for version in reading.site.data.versions.values()
            if version.project_id in projects and version.released is released and not version.archived
        ]
        order = sorted(found, key=lambda one: (one.release_date or ("" if released else "9999"), int(one.id)))
        return {order[-1 if released else 0].id} if order else set()

    return names


def _with_role(reading: Reading, arguments: tuple[str, ...]) -> Values | None:
    wanted = arguments[0].lower()
    role = next((one for one in reading.site.data.roles.values() if wanted in {one.name.lower(), str(one.id)}), None)
    if role is None:
        return None
    me = reading.user.account_id if reading.user else ""
    groups = {group.group_id for group in reading.site.data.groups.values() if me in group.members}
    return {
        project.id
        for project in reading.projects()
        if any(actor.target in {me, *groups} for actor in project.role_actors.get(role.id, ()))
    }


def _with_permission(reading: Reading, arguments: tuple[str, ...]) -> Values | None:
    wanted = arguments[0].lower()
    found = next((key for key, name in PROJECT_PERMISSIONS.items() if wanted in {key.lower(), name.lower()}), None)
    if found is None:
        return None
    return {project.id for project in reading.projects() if allowed(reading.site, reading.user, found, project)}


# name in lower case: written name, the fields it fits, least and most arguments, whether it gives a list, what it gives
_USERS: Final = frozenset({"assignee", "reporter", "creator", "watcher", "voter", "worklogAuthor"})
_ISSUES: Final = frozenset({"issuekey", "parent", "issueLink", "Epic Link"})
FUNCTIONS: Final[
    dict[str, tuple[str, frozenset[str], int, int, bool, Callable[[Reading, tuple[str, ...]], Values | None]]]
] = {
    "currentuser": ("currentUser", _USERS, 0, 0, False, _current_user),
    "membersof": ("membersOf", _USERS, 1, 1, True, _members_of),
    "opensprints": ("openSprints", frozenset({"Sprint"}), 0, 0, True, _sprints("active")),
    "futuresprints": ("futureSprints", frozenset({"Sprint"}), 0, 0, True, _sprints("future")),
    "closedsprints": ("closedSprints", frozenset({"Sprint"}), 0, 0, True, _sprints("closed")),
    "releasedversions": (
        "releasedVersions", frozenset({"fixVersion", "affectedVersion"}), 0, 20, True, _versions(True)
    ),
    "unreleasedversions": (
        "unreleasedVersions", frozenset({"fixVersion", "affectedVersion"}), 0, 20, True, _versions(False)
    ),
    "standardissuetypes": ("standardIssueTypes", frozenset({"issuetype"}), 0, 0, True, _types(False)),
    "subtaskissuetypes": ("subtaskIssueTypes", frozenset({"issuetype"}), 0, 0, True, _types(True)),
    "linkedissues": ("linkedIssues", _ISSUES, 1, 10, True, _linked_issues),
    "childissuesof": ("childIssuesOf", _ISSUES, 1, 1, True, _children_of),
    "watchedissues": ("watchedIssues", _ISSUES, 0, 0, True, _watched),
    "votedissues": ("votedIssues", _ISSUES, 0, 0, True, _voted),
    "latestreleasedversion": (
        "latestReleasedVersion", frozenset({"fixVersion", "affectedVersion"}), 1, 1, False, _extreme_version(True)
    ),
    "earliestunreleasedversion": (
        "earliestUnreleasedVersion", frozenset({"fixVersion", "affectedVersion"}), 1, 1, False, _extreme_version(False)
    ),
    "projectswhereuserhasrole": ("projectsWhereUserHasRole", frozenset({"project"}), 1, 1, True, _with_role),
    "projectswhereuserhaspermission": (
        "projectsWhereUserHasPermission", frozenset({"project"}), 1, 1, True, _with_permission
    ),
    "projectsleadbyuser": ("projectsLeadByUser", frozenset({"project"}), 0, 1, True, _led_by),
}  # fmt: skip
DATE_FUNCTIONS: Final = (
    *(f"{edge}Of{unit}" for edge in ("start", "end") for unit in ("Day", "Week", "Month", "Year")),
    "now",
)


def evaluate(reading: Reading, function: Function, field: str) -> tuple[Values, str | None]:
    """The strings that a function gives to a field, or none of them and the vendor's refusal."""
    known = FUNCTIONS.get(function.name.lower())
    if known is None:
        return set(), f"Unable to find JQL function '{function.name}({', '.join(function.arguments)})'."
    name, fields, least, most, _, run = known
    if field not in fields:
        return set(), f"The JQL function '{name}' cannot be used with the field '{field}'."
    given = len(function.arguments)
    if not least <= given <= most:
        expected = str(least) if least == most else f"{least} to {most}"
        return set(), f"Function '{name}' expected '{expected}' arguments but received '{given}'."
    found = run(reading, function.arguments)
    if found is None:
        return set(), f"Function '{name}' was given '{function.arguments[0]}', which does not exist."
    return found, None
