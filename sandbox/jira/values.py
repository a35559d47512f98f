"""Reads the values that clients send for issue fields, with the vendor's refusals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.jira import access, durations, times
from sandbox.jira.changes import Edit
from sandbox.jira.errors import (
    NOT_ADF,
    NOT_STRING,
    SPRINT_NOT_NUMBER,
    SUMMARY_LONG,
    SUMMARY_MISSING,
    SUMMARY_NEWLINES,
    ApiError,
    bad_request,
)
from sandbox.jira.fields import CUSTOM, EPIC_LINK, GREENHOPPER, SPRINT, is_rich
from sandbox.jira.richtext import INVALID_INPUT, adf_problem, as_text
from sandbox.jira.state import Field, Issue, IssueType, Project, RichText, Site, User

TEXT_LIMIT = 32_767
TOO_LONG = "The entered text is too long. It exceeds the allowed limit of 32,767 characters."
LINE_TOO_LONG = "The entered text is too long. It exceeds the allowed limit of 255 characters."

Setter = Callable[[Edit], None]


class ValueProblem(Exception):
    """A value that the vendor refuses; ``key`` replaces the field id in the answer where the vendor does so."""

    def __init__(self, text: str, key: str | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.key = key


@dataclass(frozen=True)
class Place:
    """Where a value is to go: the site, the project and type of the issue, who writes, in which API version."""

    site: Site
    project: Project
    issue_type: IssueType
    user: User
    version: int


def rich_text(version: int, value: Any) -> RichText:
    """Checked rich text: a document on version 3, a string on version 2."""
    if version == 3:
        if not isinstance(value, dict):
            raise ValueProblem(NOT_ADF)
        if adf_problem(value) is not None:
            # The vendor says no more than this about a document that breaks the format.
            raise ApiError(400, INVALID_INPUT)
        if len(as_text(value)) > TEXT_LIMIT:  # the name is the vendor's; what exactly it counts is unsure
            raise ValueProblem("CONTENT_LIMIT_EXCEEDED")
        return value
    if not isinstance(value, str):
        raise ValueProblem(NOT_STRING)
    if len(value) > TEXT_LIMIT:
        raise ValueProblem(TOO_LONG)
    return value


def find_user(site: Site, value: Any) -> User:
    """A person by ``accountId`` or ``id``; names and e-mail addresses are not accepted since 2019."""
    if not isinstance(value, dict):
        raise ValueProblem("data was not an object")
    account = value.get("accountId") or value.get("id")
    user = site.data.users.get(account) if isinstance(account, str) else None
    if user is None:
        raise ValueProblem("Specify a valid value for the user: accountId or id." if not account else _no_user(account))
    return user


def _no_user(account: Any) -> str:
    return f"User '{account}' does not exist."


def setter(place: Place, field: Field, value: Any) -> Setter:
    """What must be done to set a field to a value. Raises ``ValueProblem`` for a value the vendor refuses."""
    special = _SETTERS.get(field.id)
    if special is not None:
        return special(place, value)
    if not field.custom:
        raise ValueProblem(f"Field '{field.id}' cannot be set. It is not on the appropriate screen, or unknown.")
    parsed = None if value is None else custom_value(place, field, value)
    return lambda edit: edit.set_custom(field, parsed)


# -- built-in fields -----------------------------------------------------------------------------------------------


def _summary(_place: Place, value: Any) -> Setter:
    if value is None or (isinstance(value, str) and not value.strip()):
        raise ValueProblem(SUMMARY_MISSING)
    if not isinstance(value, str):
        raise ValueProblem(NOT_STRING)
    if "\n" in value or "\r" in value:
        raise ValueProblem(SUMMARY_NEWLINES)
    if len(value) > 255:
        raise ValueProblem(SUMMARY_LONG)
    text = value.strip()
    return lambda edit: edit.set_summary(text)


def _text(field_id: str) -> Callable[[Place, Any], Setter]:
    def read(place: Place, value: Any) -> Setter:
        # An empty string clears the field on version 2, as in the vendor's editor.
        parsed = None if value is None or (value == "" and place.version == 2) else rich_text(place.version, value)
        return lambda edit: edit.set_text(field_id, parsed)

    return read


def _named(
    table: str, what: str, apply: Callable[[Edit, str | None], None], *, clear: bool
) -> Callable[[Place, Any], Setter]:
    """A reader of ``{"id"}`` or ``{"name"}`` against a table of the site."""

    def read(place: Place, value: Any) -> Setter:
        if value is None and clear:
            return lambda edit: apply(edit, None)
        if not isinstance(value, dict):
            raise ValueProblem(f"Specify the {what} (id or name) in the string format")
        records = getattr(place.site.data, table).values()
        wanted_id, wanted_name = value.get("id"), value.get("name")
        found = next((r for r in records if wanted_id is not None and r.id == str(wanted_id)), None)
        if found is None and wanted_id is None:
            found = next((r for r in records if r.name == wanted_name), None)
        if found is None:
            raise ValueProblem(f"The {what.lower()} selected is invalid.")
        return lambda edit: apply(edit, found.id)

    return read


def _assignee(place: Place, value: Any) -> Setter:
    if not access.allowed(place.site, place.user, "ASSIGN_ISSUES", place.project):
        raise ValueProblem("You do not have permission to assign issues.")
    account = assignee_id(place.site, place.project, value)
    return lambda edit: edit.set_person("assignee", account)


def assignee_id(site: Site, project: Project, value: Any) -> str | None:
    """The account to assign, none for unassigned. ``"-1"`` stands for the project's default assignee."""
    account = value.get("accountId", value.get("id")) if isinstance(value, dict) else None
    if value is None or (isinstance(value, dict) and account is None and not value.get("name")):
        return None
    if account == "-1":
        return project.lead if project.assignee_type == "PROJECT_LEAD" else None
    user = find_user(site, value)
    if not access.assignable(site, user, project):
        raise ValueProblem(f"User '{user.account_id}' cannot be assigned issues.")
    return user.account_id


def _reporter(place: Place, value: Any) -> Setter:
    if not access.allowed(place.site, place.user, "MODIFY_REPORTER", place.project):
        raise ValueProblem("You do not have permission to modify the reporter.")
    if value is None:
        return lambda edit: edit.set_person("reporter", None)
    user = find_user(place.site, value)
    if not user.active:
        raise ValueProblem("The reporter specified is not a user.")
    return lambda edit: edit.set_person("reporter", user.account_id)


def labels(value: Any) -> list[str]:
    """Checked labels: strings without spaces, 255 characters at most (that bound is unsure)."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise ValueProblem("data was not an array")
    for place, label in enumerate(value):
        if not isinstance(label, str):
            raise ValueProblem(f"string expected at index {place}")
        if any(character.isspace() for character in label):
            raise ValueProblem(f"The label '{label}' contains spaces which is invalid.")
        if len(label) > 255:
            raise ValueProblem(f"The label '{label}' exceeds the maximum length of 255 characters.")
    return [label for label in value if label]


def _labels(_place: Place, value: Any) -> Setter:
    parsed = labels(value)
    return lambda edit: edit.set_labels(parsed)


def record_ids(place: Place, table: str, what: str, value: Any) -> list[str]:
    """Ids of components or versions of the project, named by ``id`` or ``name``."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise ValueProblem("data was not an array")
    own = [r for r in getattr(place.site.data, table).values() if r.project_id == place.project.id]
    ids = []
    for part in value:
        if not isinstance(part, dict):
            raise ValueProblem("expected Object")
        if part.get("id") is not None:
            found = next((r for r in own if r.id == str(part["id"])), None)
            problem = f"{what} id '{part['id']}' is not valid"
        else:
            found = next((r for r in own if r.name == part.get("name")), None)
            problem = f"{what} name '{part.get('name')}' is not valid"
        if found is None:
            raise ValueProblem(problem)
        ids.append(found.id)
    return ids


def _records(field_id: str, table: str, what: str) -> Callable[[Place, Any], Setter]:
    def read(place: Place, value: Any) -> Setter:
        ids = record_ids(place, table, what, value)
        return lambda edit: edit.set_records(field_id, ids)

    return read


def _due_date(_place: Place, value: Any) -> Setter:
    day = None if value in {None, ""} else _day(value)
    return lambda edit: edit.set_due_date(day)


def _day(value: Any) -> str:
    day = times.parse_day(value)
    if day is None:
        raise ValueProblem(f"Error parsing date string: {value}")
    return day


def _time_tracking(_place: Place, value: Any) -> Setter:
    if not isinstance(value, dict):
        raise ValueProblem("data was not an object")
    parsed = {}
    for name, key in (
        ("originalEstimate", "timetracking_originalestimate"),
        ("remainingEstimate", "timetracking_remainingestimate"),
    ):
        if name in value:
            seconds = durations.parse(value[name])
            if seconds is None:
                raise ValueProblem("The time estimate is invalid: use a form like 3w 4d 12h.", key)
            parsed[name] = seconds

    def apply(edit: Edit) -> None:
        issue = edit.issue
        original = parsed.get("originalEstimate", issue.original_estimate)
        remaining = parsed.get("remainingEstimate", issue.remaining_estimate)
        edit.set_estimates(original, remaining if remaining is not None else original)

    return apply


def find_parent(place: Place, value: Any) -> Issue:
    """The parent named by ``key`` or ``id``, if the hierarchy allows it. The vendor files refusals under parentId."""
    wanted = value.get("key") or value.get("id") if isinstance(value, dict) else None
    parent = place.site.find_issue(str(wanted)) if wanted else None
    if parent is None or not access.sees(place.site, place.user, place.site.data.projects[parent.project_id]):
        raise ValueProblem("Could not find issue by id or key.", "parentId")
    level = place.site.data.issue_types[parent.type_id].level
    same_project = parent.project_id == place.project.id
    if level != place.issue_type.level + 1 or (place.project.team_managed and not same_project):
        raise ValueProblem("Given parent work item does not belong to appropriate hierarchy.", "parentId")
    if place.issue_type.subtask and not same_project:
        raise ValueProblem("Sub-tasks must be created in the same project as the parent.", "parentId")
    return parent


def _parent(place: Place, value: Any) -> Setter:
    if value is None or value in ({}, {"none": True}):  # the last is the documented form, in `update.parent.set`
        if place.issue_type.subtask:
            raise ValueProblem("Issue type is a sub-task but parent issue key or id not specified.", "parentId")
        return lambda edit: edit.set_parent(None)
    parent = find_parent(place, value)
    return lambda edit: edit.set_parent(parent)


def _epic_link(place: Place, value: Any) -> Setter:
    if value is None:
        return lambda edit: edit.set_parent(None)
    if not isinstance(value, str):
        raise ValueProblem(NOT_STRING)
    parent = find_parent(place, {"key": value})
    return lambda edit: edit.set_parent(parent)


def _sprint(place: Place, value: Any) -> Setter:
    if value is None:
        return lambda edit: edit.set_sprint(None)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueProblem(SPRINT_NOT_NUMBER)
    sprint = place.site.data.sprints.get(value)
    if sprint is None:  # wording unsure
        raise ValueProblem(f"Sprint with id '{value}' does not exist or you do not have permission to view it.")
    if sprint.state == "closed":
        raise ValueProblem("Issue can be assigned only active or future sprints.")
    return lambda edit: edit.set_sprint(sprint)


def _issue_type(place: Place, value: Any) -> Setter:
    found = find_issue_type(place.site, place.project, value)
    if found is None:
        raise ValueProblem("The issue type selected is invalid.")
    if found.subtask != place.issue_type.subtask:
        raise ValueProblem("The issue type selected is invalid.")
    return lambda edit: edit.set_type(found.id)


def find_issue_type(site: Site, project: Project, value: Any) -> IssueType | None:
    """A type of the project by id or name."""
    if not isinstance(value, dict):
        return None
    types = [site.data.issue_types[key] for key in project.issue_type_ids]
    if value.get("id") is not None:
        return next((t for t in types if t.id == str(value["id"])), None)
    return next((t for t in types if t.name == value.get("name")), None)


_SETTERS: dict[str, Callable[[Place, Any], Setter]] = {
    "summary": _summary,
    "description": _text("description"),
    "environment": _text("environment"),
    "priority": _named("priorities", "Priority", lambda edit, key: edit.set_priority(key), clear=True),
    "resolution": _named("resolutions", "Resolution", lambda edit, key: edit.set_resolution(key), clear=True),
    "assignee": _assignee,
    "reporter": _reporter,
    "labels": _labels,
    "components": _records("components", "components", "Component"),
    "fixVersions": _records("fixVersions", "versions", "Version"),
    "versions": _records("versions", "versions", "Version"),
    "duedate": _due_date,
    "timetracking": _time_tracking,
    "parent": _parent,
    "issuetype": _issue_type,
    EPIC_LINK: _epic_link,
    SPRINT: _sprint,
}


# -- custom fields -------------------------------------------------------------------------------------------------


def custom_value(place: Place, field: Field, value: Any) -> Any:
    """A custom field's value in the form it is kept; raises ``ValueProblem``."""
    if is_rich(field):
        return rich_text(place.version, value)
    kind = field.schema["type"]
    if kind == "array":
        if not isinstance(value, list):
            raise ValueProblem("data was not an array")
        if field.schema.get("items") == "string":
            return labels(value) or None
        return [_single(place, field, str(field.schema.get("items")), part) for part in value] or None
    return _single(place, field, kind, value)


def _single(place: Place, field: Field, kind: str, value: Any) -> Any:
    if kind == "number":
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueProblem("Operation value must be a number")
        return float(value)
    if kind == "date":
        return _day(value)
    if kind == "datetime":
        moment = times.parse_moment(value)
        if moment is None:
            raise ValueProblem(f"Error parsing time: {value}")
        return times.stamp(moment)
    if kind in {"option", "option-with-child"}:
        return _option(field, value)
    if kind == "user":
        return {"accountId": find_user(place.site, value).account_id}
    if kind == "group":
        return _group(place.site, value)
    return _line(field, value)


def _line(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueProblem(NOT_STRING)
    if len(value) > 255:
        raise ValueProblem(LINE_TOO_LONG)
    if field.kind == f"{CUSTOM}:url" and "://" not in value:
        raise ValueProblem("Invalid URL: enter a whole address, with its protocol.")
    if field.kind == f"{GREENHOPPER}:gh-epic-label" and "\n" in value:
        raise ValueProblem("Epic Name is invalid because it contains newline characters.")
    return value


def _option(field: Field, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueProblem("Specify a valid 'id' or 'value' for " + field.name)
    wanted_id, wanted = value.get("id"), value.get("value")
    by_id = (o for o in field.options if o["id"] == str(wanted_id))
    by_value = (o for o in field.options if o["value"] == wanted)
    found = next(by_id if wanted_id is not None else by_value, None)
    if found is None:
        what = f"id '{wanted_id}'" if wanted_id is not None else f"value '{wanted}'"
        raise ValueProblem(f"Option {what} is not valid")
    return {"value": found["value"], "id": found["id"]}


def _group(site: Site, value: Any) -> dict[str, str]:
    wanted = value if isinstance(value, dict) else {}
    for group in site.data.groups.values():
        if group.group_id == wanted.get("groupId") or group.name == wanted.get("name"):
            return {"name": group.name, "groupId": group.group_id}
    raise ValueProblem("Specify a valid 'name' or 'groupId' for the group")


def assignee_or_refuse(site: Site, project: Project, value: Any) -> str | None:
    """``assignee_id`` for the routes that set nothing else: problems become a 400 on ``assignee``."""
    try:
        return assignee_id(site, project, value)
    except ValueProblem as problem:
        raise bad_request(assignee=problem.text) from None
