"""Creating and editing issues from ``fields`` and ``update``: checks everything, collects every refusal, then acts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.jira import access, errors, ranking
from sandbox.jira.changes import Edit
from sandbox.jira.errors import ApiError, bad_request
from sandbox.jira.extras import add_comment, add_link, add_worklog, check_comment, check_link, check_worklog
from sandbox.jira.state import Event, Field, Issue, Project, Site, User
from sandbox.jira.values import Place, Setter, ValueProblem, find_issue_type, setter

PROPERTY_LIMIT = 32_768
ALWAYS = {"summary", "issuetype", "project", "parent"}  # settable on create whatever the screen shows


@dataclass
class Changes:
    """What a request asks for, checked: setters for fields, and what is added beside them."""

    setters: list[Setter] = field(default_factory=list)
    comments: list[dict[str, Any]] = field(default_factory=list)
    worklogs: list[dict[str, Any]] = field(default_factory=list)
    links: list[dict[str, Any]] = field(default_factory=list)
    properties: dict[str, Any] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)


def read_changes(
    place: Place,
    body: Mapping[str, Any],
    *,
    screen: set[str],
    issue: Issue | None,
    skip: frozenset[str] = frozenset(),
) -> Changes:
    """Check ``fields``, ``update`` and ``properties`` of a body. Raises one 400 that names every refused field."""
    fields, update = body.get("fields"), body.get("update")
    if not isinstance(fields or {}, dict) or not isinstance(update or {}, dict):
        raise errors.invalid_payload()
    changes = Changes()
    refused: dict[str, str] = {}
    for key, value in (fields or {}).items():
        if key not in skip:
            _read_field(place, changes, refused, screen, key, value)
    for key, operations in (update or {}).items():
        if key in (fields or {}):
            refused[key] = f"Field '{key}' cannot be updated more than once."
        else:
            _read_update(place, changes, refused, screen, issue, key, operations)
    if refused:
        raise ApiError(400, errors=refused)
    changes.properties = read_properties(body.get("properties"))
    return changes


def read_properties(value: Any) -> dict[str, Any]:
    """Checked entity properties of a body: keys of 1..255 characters, values of at most 32,768."""
    if value is None:
        return {}
    if not isinstance(value, list) or not all(isinstance(part, dict) for part in value):
        raise errors.invalid_payload()
    found = {}
    for part in value:
        key = part.get("key")
        if not isinstance(key, str) or not 0 < len(key) <= 255 or "value" not in part:
            raise errors.invalid_payload()
        check_property(part["value"])
        found[key] = part["value"]
    return found


def check_property(value: Any) -> None:
    """Refuse a property value that is too long."""
    if len(json.dumps(value, ensure_ascii=False, separators=(",", ":"))) > PROPERTY_LIMIT:
        raise bad_request(f"The property value cannot exceed {PROPERTY_LIMIT} characters.")


def _known(place: Place, screen: set[str], key: str) -> Field | None:
    found = place.site.data.fields.get(key)
    return found if found is not None and key in screen else None


def _read_field(
    place: Place, changes: Changes, refused: dict[str, str], screen: set[str], key: str, value: Any
) -> None:
    found = _known(place, screen, key)
    if found is None:
        refused[key] = errors.off_screen(key)
        return
    try:
        changes.setters.append(setter(place, found, value))
        changes.touched.add(key)
    except ValueProblem as problem:
        refused[problem.key or key] = problem.text


def _read_update(
    place: Place,
    changes: Changes,
    refused: dict[str, str],
    screen: set[str],
    issue: Issue | None,
    key: str,
    operations: Any,
) -> None:
    beside = {"comment": changes.comments, "worklog": changes.worklogs, "issuelinks": changes.links}
    found = _known(place, screen | {"comment", "worklog"}, key)
    if found is None:
        refused[key] = errors.off_screen(key)
        return
    if not isinstance(operations, list) or not all(isinstance(o, dict) and len(o) == 1 for o in operations):
        raise errors.invalid_payload()
    try:
        if key in beside:
            for operation in operations:
                beside[key].append(_beside(place, key, operation))
        else:
            value = _combined(found, issue, operations)
            changes.setters.append(setter(place, found, value))
            changes.touched.add(key)
    except ValueProblem as problem:
        refused[problem.key or key] = problem.text


def _beside(place: Place, key: str, operation: dict[str, Any]) -> dict[str, Any]:
    verb, value = next(iter(operation.items()))
    if verb != "add":
        raise ValueProblem(f"Field '{key}' does not support operation '{verb}'")
    check = {"comment": check_comment, "worklog": check_worklog, "issuelinks": check_link}[key]
    return check(place, value)


def _combined(found: Field, issue: Issue | None, operations: list[dict[str, Any]]) -> Any:
    """The value that a list of set, add, remove and edit operations leads to."""
    value = _current(found, issue)
    for operation in operations:
        verb, part = next(iter(operation.items()))
        if verb == "set" or (verb == "edit" and found.id == "timetracking"):
            value = part
        elif verb in {"add", "remove"} and found.schema.get("type") == "array" and "sprint" not in found.kind:
            kept = [v for v in value or [] if not _same(v, part)]
            value = [*kept, part] if verb == "add" else kept
        else:
            raise ValueProblem(f"Field '{found.id}' does not support operation '{verb}'")
    return value


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return any(
            key in other and str(one.get(key)) == str(other[key]) for key in ("id", "name", "value", "accountId")
        )
    return bool(one == other)


def _current(found: Field, issue: Issue | None) -> Any:
    if issue is None:
        return [] if found.schema.get("type") == "array" else None
    lists = {"components": issue.component_ids, "fixVersions": issue.fix_version_ids, "versions": issue.version_ids}
    if found.id in lists:
        return [{"id": key} for key in lists[found.id]]
    return list(issue.labels) if found.id == "labels" else issue.custom.get(found.id)


# -- creating ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Draft:
    """A checked issue that has not been created yet."""

    place: Place
    changes: Changes
    transition: str | None


def read_draft(site: Site, user: User, version: int, body: Mapping[str, Any]) -> Draft:
    """Check everything about an issue to be created. Raises the vendor's 400 (or 403 without the permission)."""
    fields = body.get("fields")
    if not isinstance(fields, dict):
        fields = {}
    project = _project_of(site, user, fields.get("project"))
    issue_type = find_issue_type(site, project, fields.get("issuetype")) if project else None
    if project is None or issue_type is None:
        raise ApiError(400, errors=_missing(project, fields))
    if not access.allowed(site, user, "CREATE_ISSUES", project):
        raise errors.forbidden("You do not have permission to create issues in this project.")
    place = Place(site, project, issue_type, user, version)
    screen = ALWAYS | set(project.screen_fields[issue_type.id])
    missing = _required(place, fields, body.get("update"))
    try:
        changes = read_changes(place, body, screen=screen, issue=None, skip=frozenset({"project", "issuetype"}))
    except ApiError as error:
        error.errors = {**missing, **error.errors}
        raise
    if missing:
        raise ApiError(400, errors=missing)
    return Draft(place, changes, _transition_of(place, body.get("transition")))


def _project_of(site: Site, user: User, value: Any) -> Project | None:
    wanted = (value.get("id") or value.get("key")) if isinstance(value, dict) else None
    project = site.find_project(str(wanted)) if wanted else None
    return project if project is not None and access.sees(site, user, project) and not project.archived else None


def _missing(project: Project | None, fields: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    if project is None:
        found["project"] = errors.BAD_PROJECT
    if fields.get("issuetype") is None or project is None:
        found["issuetype"] = errors.BAD_ISSUE_TYPE
    else:
        found["issuetype"] = "Specify a valid issue type"
    return found


def _required(place: Place, fields: Mapping[str, Any], update: Any) -> dict[str, str]:
    given = {key for key, value in fields.items() if value not in (None, "", [])} | set(update or {})
    found = {}
    if "summary" not in given:
        found["summary"] = errors.SUMMARY_MISSING
    if place.issue_type.subtask and "parent" not in given:
        found["parentId"] = "Issue type is a sub-task but parent issue key or id not specified."
    for key in place.project.required_fields.get(place.issue_type.id, []):
        if key not in given and key not in found:
            found[key] = f"{place.site.data.fields[key].name} is required."
    return found


def _transition_of(place: Place, value: Any) -> str | None:
    if value is None:
        return None
    wanted = str(value.get("id")) if isinstance(value, dict) else ""
    workflow = place.site.data.workflows[place.project.workflow_id]
    found = next((t for t in workflow.transitions if t.id == wanted), None)
    if found is None:
        raise bad_request(f"Transition id '{wanted}' is not valid for this issue.")
    return found.to


def create(draft: Draft) -> Issue:
    """Make the issue of a draft, with everything the draft carries, and announce it."""
    place, site = draft.place, draft.place.site
    now = site.clock.now()
    project = place.project
    project.last_number += 1
    number = site.next_id("issue")
    default = next((p.id for p in site.data.priorities.values() if p.default), None)
    issue = Issue(
        id=str(number),
        key=f"{project.key}-{project.last_number}",
        project_id=project.id,
        type_id=place.issue_type.id,
        status_id=site.data.workflows[project.workflow_id].statuses[0],
        summary="",
        reporter=place.user.account_id,
        creator=place.user.account_id,
        created=now,
        updated=now,
        status_changed=now,
        rank=ranking.last_rank(number),
        priority_id=default,
        watchers=[place.user.account_id],
    )
    if project.assignee_type == "PROJECT_LEAD":
        issue.assignee = project.lead
    site.data.issues[issue.id] = issue
    site.index(issue)
    edit = Edit(site, issue, place.user.account_id)
    for apply in draft.changes.setters:
        apply(edit)
    if draft.transition is not None:
        edit.set_status(draft.transition)
    issue.properties.update(draft.changes.properties)
    extra = {"issue_event_type_name": "issue_created"}
    site.emit(Event("jira:issue_created", place.user.account_id, now, issue=issue, extra=extra))
    apply_beside(place, issue, draft.changes)
    issue.updated = now
    return issue


def apply_beside(place: Place, issue: Issue, changes: Changes) -> None:
    """Add the comments, worklogs and links that came with an edit or a creation."""
    for comment in changes.comments:
        add_comment(place.site, issue, place.user, comment)
    for worklog in changes.worklogs:
        add_worklog(place.site, issue, place.user, worklog)
    for link in changes.links:
        inward, outward = link["inward"] or issue, link["outward"] or issue
        add_link(place.site, place.user, link["type_id"], inward, outward)


# -- editing -------------------------------------------------------------------------------------------------------


def place_of(site: Site, issue: Issue, user: User, version: int) -> Place:
    """Where the values of an existing issue go."""
    project = site.data.projects[issue.project_id]
    return Place(site, project, site.data.issue_types[issue.type_id], user, version)


def edit_issue(place: Place, issue: Issue, body: Mapping[str, Any]) -> None:
    """Apply ``fields``, ``update`` and ``properties`` to an issue."""
    screen = set(place.project.screen_fields[issue.type_id]) | {"summary", "issuetype", "parent"}
    screen.discard("project")
    named = (body.get("fields") or {}).get("project")
    same = isinstance(named, dict) and (named.get("key") == place.project.key or named.get("id") == place.project.id)
    # Clients send whole forms back: naming the issue's own project changes nothing and passes (unsure).
    skip = frozenset({"project"}) if same else frozenset()
    changes = read_changes(place, body, screen=screen, issue=issue, skip=skip)
    required = {"summary", *place.project.required_fields.get(issue.type_id, [])}
    emptied = {k for k, v in (body.get("fields") or {}).items() if k in required and v in (None, "", [])}
    if emptied:
        raise ApiError(400, errors={key: f"{place.site.data.fields[key].name} is required." for key in sorted(emptied)})
    edit = Edit(place.site, issue, place.user.account_id)
    for apply in changes.setters:
        apply(edit)
    issue.properties.update(changes.properties)
    edit.save()
    apply_beside(place, issue, changes)
    place.site.touch()
