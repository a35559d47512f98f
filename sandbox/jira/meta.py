"""What a client is told about the fields of a screen: create metadata, edit metadata, transition screens."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.jira.fields import EPIC_COLOR, SPRINT
from sandbox.jira.state import Field, Issue, IssueType, Project, Site, Transition
from sandbox.jira.views import Body, View

_ARRAY = ["add", "set", "remove"]
_OPERATIONS = {
    "comment": ["add", "edit", "remove"],
    "worklog": ["add"],
    "timetracking": ["set", "edit"],
    "issuelinks": ["add", "copy"],
    "attachment": ["set", "copy"],
    SPRINT: ["set"],
    EPIC_COLOR: ["set"],
}
_NO_SCREEN = {"comment"}  # on the edit screen only


def create_field_ids(project: Project, issue_type: IssueType) -> list[str]:
    """Field ids of the create screen; a sub-task always shows its parent."""
    return [key for key in project.screen_fields[issue_type.id] if key not in _NO_SCREEN]


def field_meta(view: View, project: Project, issue_type: IssueType, field: Field) -> Body:
    """One field of a screen: schema, whether required, operations, allowed values."""
    body: Body = {
        "required": is_required(project, issue_type, field),
        "schema": field.schema,
        "name": field.name,
        "key": field.id,
        "hasDefaultValue": field.id in {"priority", "reporter"},
        "operations": _OPERATIONS.get(field.id, _ARRAY if field.schema.get("type") == "array" else ["set"]),
    }
    values = allowed_values(view, project, issue_type, field)
    if values is not None:
        body["allowedValues"] = values
    if field.id == "priority":
        default = next((p for p in view.site.data.priorities.values() if p.default), None)
        if default is not None:
            body["defaultValue"] = view.priority(default)
    if field.schema.get("type") == "user" or field.schema.get("items") == "user":
        path = (
            "/user/search?query=" if field.id == "reporter" else f"/user/assignable/search?project={project.key}&query="
        )
        body["autoCompleteUrl"] = view.link(path)
    if field.schema.get("items") == "string" and field.schema.get("system") == "labels":
        body["autoCompleteUrl"] = f"{view.base}/rest/api/1.0/labels/suggest?query="
    return body


def is_required(project: Project, issue_type: IssueType, field: Field) -> bool:
    """Whether the create screen insists on the field."""
    if field.id in {"summary", "issuetype", "project"}:
        return True
    if field.id == "reporter":
        return not project.team_managed
    if field.id == "parent":
        return issue_type.subtask
    return field.id in project.required_fields.get(issue_type.id, [])


def allowed_values(view: View, project: Project, issue_type: IssueType, field: Field) -> list[Any] | None:
    """The closed list of values of a field; none where there is none."""
    data = view.site.data
    if field.id == "issuetype":
        return [view.issue_type(issue_type)]
    if field.id == "project":
        return [view.project_ref(project)]
    if field.id == "priority":
        return [view.priority(p) for p in data.priorities.values()]
    if field.id == "resolution":
        return [view.resolution(r) for r in data.resolutions.values()]
    if field.id == "components":
        return [view.component(c) for c in data.components.values() if c.project_id == project.id]
    if field.id in {"fixVersions", "versions"}:
        found = [v for v in data.versions.values() if v.project_id == project.id and not v.archived]
        return [view.version_body(v, full=False) | {"projectId": int(project.id)} for v in found]
    if field.schema.get("type") == "option" or field.schema.get("items") == "option":
        return [{"self": view.link(f"/customFieldOption/{o['id']}"), **o} for o in field.options]
    return None


def screen_meta(view: View, project: Project, issue_type: IssueType, ids: Iterable[str]) -> dict[str, Body]:
    """The metadata of several fields by id."""
    fields = view.site.data.fields
    return {key: field_meta(view, project, issue_type, fields[key]) for key in ids if key in fields}


def create_meta(view: View, project: Project, issue_type: IssueType) -> list[Body]:
    """The create screen as a list, each field with its id."""
    ids = create_field_ids(project, issue_type)
    return [{**body, "fieldId": key} for key, body in screen_meta(view, project, issue_type, ids).items()]


def edit_meta(view: View, issue: Issue) -> Body:
    """The edit screen of an issue."""
    project = view.site.data.projects[issue.project_id]
    issue_type = view.site.data.issue_types[issue.type_id]
    ids = [key for key in project.screen_fields[issue.type_id] if key not in {"project", "reporter"}]
    if "reporter" in project.screen_fields[issue.type_id]:
        ids.append("reporter")
    fields = screen_meta(view, project, issue_type, ids)
    if "issuetype" in fields:
        same = [view.site.data.issue_types[key] for key in project.issue_type_ids]
        fields["issuetype"]["allowedValues"] = [view.issue_type(t) for t in same if t.subtask == issue_type.subtask]
    return {"fields": fields}


def transitions_of(site: Site, issue: Issue) -> list[Transition]:
    """The transitions an issue may take now."""
    workflow = site.data.workflows[site.data.projects[issue.project_id].workflow_id]
    return [t for t in workflow.transitions if not t.sources or issue.status_id in t.sources]


def transition_body(view: View, issue: Issue, transition: Transition, *, fields: bool) -> Body:
    """A transition as the issue offers it, with the fields of its screen if asked for."""
    body: Body = {
        "id": transition.id,
        "name": transition.name,
        "to": view.status(transition.to),
        "hasScreen": bool(transition.screen),
        "isGlobal": not transition.sources,
        "isInitial": False,
        "isAvailable": True,
        "isConditional": False,
        "looped": False,
    }
    if fields:
        project = view.site.data.projects[issue.project_id]
        issue_type = view.site.data.issue_types[issue.type_id]
        body["fields"] = screen_meta(view, project, issue_type, transition.screen)
    return body
