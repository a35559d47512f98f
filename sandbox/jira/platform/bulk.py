"""The asynchronous bulk operations: delete, transition, move, edit, watch; their progress is read from the queue.

The sandbox does the work before it answers, so the first look at the queue finds it complete.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from sandbox.http import Call, Routes, answer
from sandbox.jira import access, edits, meta, tasks, times
from sandbox.jira.changes import Edit
from sandbox.jira.errors import ApiError
from sandbox.jira.extras import delete_issue
from sandbox.jira.platform import PREFIXES
from sandbox.jira.platform.issue_meta import make_transition
from sandbox.jira.state import Issue, Project, User
from sandbox.jira.values import ValueProblem, find_parent
from sandbox.jira.views import Body

routes = Routes(*PREFIXES)

LIMIT = 1000


def refuse(text: str, status: int = 400) -> ApiError:
    """A refusal in the shape of this family: a list of messages."""
    return ApiError(status, body={"errors": [{"message": text}]})


def _starter(call: Call) -> User:
    if call.user is None:
        raise refuse("Client must be authenticated to access this resource.", 401)
    if not access.allowed(call.site, call.user, "BULK_CHANGE"):
        raise refuse("You do not have the global permission to make bulk changes.", 403)
    return call.user


def _keys(value: Any) -> list[str]:
    if not isinstance(value, list) or not value or not all(isinstance(key, str | int) for key in value):
        raise refuse("The selected issues must be a list of issue IDs or keys that is not empty.")
    if len(value) > LIMIT:
        raise refuse(f"At most {LIMIT} issues can be selected.")
    return [str(key) for key in value]


class Run:
    """One bulk operation: does something with each issue and keeps count for the queue."""

    def __init__(self, call: Call, user: User) -> None:
        self.call = call
        self.user = user
        self.total = 0
        self.unseen = 0
        self.done: list[int] = []
        self.failed: dict[str, list[str]] = {}

    def each(self, keys: list[str], permission: str, work: Callable[[Issue], None]) -> None:
        """Do the work on every issue the user may see and has the permission for; note what fails."""
        self.total += len(keys)
        for key in keys:
            issue = access.find_issue_for(self.call, key)
            if issue is None:
                self.unseen += 1
            elif not access.allowed(self.call.site, self.user, permission, access.issue_project(self.call, issue)):
                self.failed[issue.id] = ["You do not have the permission to do this."]
            else:
                self._one(issue, work)

    def _one(self, issue: Issue, work: Callable[[Issue], None]) -> None:
        try:
            work(issue)
            self.done.append(int(issue.id))
        except ApiError as error:
            self.failed[issue.id] = [*error.messages, *error.errors.values()]

    def answer(self, kind: str) -> Response:
        """Note the finished task and answer with its id."""
        progress: Body = {
            "progressPercent": 100,
            "totalIssueCount": self.total,
            "invalidOrInaccessibleIssueCount": self.unseen,
            "processedAccessibleIssues": self.done,
            "failedAccessibleIssues": self.failed,
        }
        task = tasks.finish(self.call.site, kind, self.user.account_id, result=progress)
        return answer({"taskId": task.id}, 201)


@routes.get("/bulk/queue/{taskId}")
async def progress(call: Call) -> Response:
    """How far a bulk operation is."""
    user = call.caller()
    task = call.site.data.tasks.get(call.path["taskId"])
    if task is None or not isinstance(task.result, dict) or "progressPercent" not in task.result:
        raise refuse(f"No bulk operation with task ID {call.path['taskId']} was found.")
    if task.submitted_by != user.account_id and not access.allowed(call.site, user, "ADMINISTER"):
        raise refuse("You do not have permission to see this task.")
    moment = times.stamp(task.submitted)
    return answer(
        {
            "taskId": task.id,
            "status": task.status,
            "submittedBy": call.view.user(task.submitted_by),
            "created": moment,
            "started": moment,
            "updated": moment,
            **task.result,
        }
    )


@routes.post("/bulk/issues/delete")
async def bulk_delete(call: Call) -> Response:
    """Delete up to a thousand issues, sub-tasks included."""
    user = _starter(call)
    body = await call.members(allowed=("selectedIssueIdsOrKeys", "sendBulkNotification"))
    keys = _keys(body.get("selectedIssueIdsOrKeys"))
    run = Run(call, user)

    def work(issue: Issue) -> None:
        types = call.site.data.issue_types
        for child in [c for c in call.site.children(issue.id) if types[c.type_id].subtask]:
            delete_issue(call.site, user, child)
        delete_issue(call.site, user, issue)

    run.each(keys, "DELETE_ISSUES", work)
    return run.answer("Bulk delete")


@routes.get("/bulk/issues/transition")
async def bulk_transitions(call: Call) -> Response:
    """The transitions that some issues may take, by workflow."""
    _starter(call)
    keys = _keys(call.query_list("issueIdsOrKeys"))
    by_workflow: dict[str, list[Issue]] = {}
    for key in keys:
        issue = access.find_issue_for(call, key)
        if issue is not None:
            by_workflow.setdefault(access.issue_project(call, issue).workflow_id, []).append(issue)
    offered = [
        {
            "issues": [issue.key for issue in issues],
            "isTransitionsFiltered": False,
            "transitions": [
                {
                    "transitionId": int(t.id),
                    "transitionName": t.name,
                    "to": {"statusId": int(t.to), "statusName": call.site.data.statuses[t.to].name},
                }
                for t in meta.transitions_of(call.site, issues[0])
            ],
        }
        for issues in by_workflow.values()
    ]
    return answer({"availableTransitions": offered})


@routes.post("/bulk/issues/transition")
async def bulk_transition(call: Call) -> Response:
    """Make one transition per group of issues."""
    user = _starter(call)
    body = await call.members(allowed=("bulkTransitionInputs", "sendBulkNotification"))
    inputs = body.get("bulkTransitionInputs")
    if not isinstance(inputs, list) or not inputs or not all(isinstance(part, dict) for part in inputs):
        raise refuse("The transition inputs must be a list that is not empty.")
    groups = [(_keys(part.get("selectedIssueIdsOrKeys")), str(part.get("transitionId"))) for part in inputs]
    run = Run(call, user)
    for keys, transition in groups:
        _transition(call, run, keys, transition)
    return run.answer("Bulk transition")


def _transition(call: Call, run: Run, keys: list[str], transition: str) -> None:
    def work(issue: Issue) -> None:
        make_transition(call, issue, {"transition": {"id": transition}}, run.user.account_id)

    run.each(keys, "TRANSITION_ISSUES", work)


# -- move ----------------------------------------------------------------------------------------------------------


@routes.post("/bulk/issues/move")
async def bulk_move(call: Call) -> Response:
    """Move issues to a project and type: the mapping's keys are ``PROJECT,typeId[,parent]``."""
    user = _starter(call)
    body = await call.members(allowed=("targetToSourcesMapping", "sendBulkNotification"))
    mapping = body.get("targetToSourcesMapping")
    if not isinstance(mapping, dict) or not mapping:
        raise refuse("The mapping of targets to issues must not be empty.")
    targets = []
    for target, part in mapping.items():
        if not isinstance(part, dict):
            raise refuse(f"The mapping of '{target}' is not valid.")
        targets.append((*_target(call, target), _keys(part.get("issueIdsOrKeys"))))
    run = Run(call, user)
    for project, type_id, parent, keys in targets:
        _move(call, run, project, type_id, parent, keys)
    return run.answer("Bulk move")


def _target(call: Call, text: str) -> tuple[Project, str, str | None]:
    parts = [part.strip() for part in text.split(",")]
    project = call.site.find_project(parts[0])
    if project is None or not access.sees(call.site, call.user, project):
        raise refuse(f"No project could be found with key or ID '{parts[0]}'.")
    if len(parts) < 2 or parts[1] not in project.issue_type_ids:
        raise refuse(f"The target '{text}' does not name an issue type of the project {project.key}.")
    return project, parts[1], parts[2] if len(parts) > 2 else None


def _move(call: Call, run: Run, project: Project, type_id: str, parent: str | None, keys: list[str]) -> None:
    site = call.site

    def work(issue: Issue) -> None:
        if not access.allowed(site, run.user, "CREATE_ISSUES", project):
            raise refuse("You do not have permission to create issues in the target project.")
        edit = Edit(site, issue, run.user.account_id)
        if issue.project_id != project.id:
            _change_project(edit, project)
        edit.set_type(type_id)
        if parent is not None:
            try:
                edit.set_parent(find_parent(edits.place_of(site, issue, run.user, 3), {"key": parent}))
            except ValueProblem as problem:
                raise ApiError(400, problem.text) from None
        edit.issue_event = "issue_moved"
        edit.save()

    run.each(keys, "MOVE_ISSUES", work)


def _change_project(edit: Edit, project: Project) -> None:
    """Give an issue the project's next key and a status of its workflow; what belongs to the old project is dropped."""
    site, issue = edit.site, edit.issue
    before = site.data.projects[issue.project_id]
    edit.set_records("components", [])
    edit.set_records("fixVersions", [])
    edit.set_records("versions", [])
    edit.set_sprint(None)
    project.last_number += 1
    old_key = issue.key
    issue.old_keys.append(old_key)
    issue.project_id, issue.key = project.id, f"{project.key}-{project.last_number}"
    site.index(issue)
    edit.note("project", "project", (before.id, before.name), (project.id, project.name))
    edit.note("Key", None, (None, old_key), (None, issue.key))
    statuses = site.data.workflows[project.workflow_id].statuses
    if issue.status_id not in statuses:
        category = site.data.statuses[issue.status_id].category
        alike = (key for key in statuses if site.data.statuses[key].category == category)
        edit.set_status(next(alike, statuses[0]))


# -- edit ----------------------------------------------------------------------------------------------------------


@routes.get("/bulk/issues/fields")
async def bulk_editable_fields(call: Call) -> Response:
    """The fields that can be edited on all of some issues."""
    _starter(call)
    issues = [access.find_issue_for(call, key) for key in _keys(call.query_list("issueIdsOrKeys"))]
    seen = [issue for issue in issues if issue is not None]
    shared: set[str] | None = None
    for issue in seen:
        ids = set(access.issue_project(call, issue).screen_fields[issue.type_id])
        shared = ids if shared is None else shared & ids
    words = (call.query("searchText") or "").lower()
    fields = [call.site.data.fields[key] for key in sorted((shared or set()) - {"project", "attachment", "comment"})]
    found = [
        {
            "id": f.id,
            "name": f.name,
            "type": f.kind,
            "isRequired": f.id == "summary",
            "description": f.description,
            **({"multiSelectFieldOptions": ["ADD", "REMOVE", "REPLACE", "REMOVE_ALL"]} if _is_multi(f.id) else {}),
        }
        for f in fields
        if words in f.name.lower()
    ]
    return answer({"fields": found[:50]})


def _is_multi(field_id: str) -> bool:
    return field_id in {"labels", "components", "fixVersions", "versions"}


@routes.post("/bulk/issues/fields")
async def bulk_edit(call: Call) -> Response:
    """Set fields on up to a thousand issues; ``selectedActions`` names the fields that ``editedFieldsInput`` sets."""
    user = _starter(call)
    allowed = ("editedFieldsInput", "selectedActions", "selectedIssueIdsOrKeys", "sendBulkNotification")
    body = await call.members(allowed=allowed)
    keys = _keys(body.get("selectedIssueIdsOrKeys"))
    actions, wanted = body.get("selectedActions"), body.get("editedFieldsInput")
    if not isinstance(actions, list) or not actions or not isinstance(wanted, dict):
        raise refuse("The selected actions and the edited fields are required.")
    read = _read_edits(wanted)
    missing = [str(key) for key in actions if key not in read]
    if missing:
        raise refuse(f"No value was given for the selected fields: {', '.join(missing)}.")
    run = Run(call, user)

    def work(issue: Issue) -> None:
        fields = {key: value(issue) for key, value in read.items() if key in actions}
        edits.edit_issue(edits.place_of(call.site, issue, user, 3), issue, {"fields": fields})

    run.each(keys, "EDIT_ISSUES", work)
    return run.answer("Bulk edit")


_Value = Callable[[Issue], Any]


def _fixed(value: Any) -> _Value:
    return lambda _issue: value


def _combine(mode: str, current: Callable[[Issue], list[Any]], given: list[Any]) -> _Value:
    """A multiple-choice field after ADD, REMOVE, REPLACE or REMOVE_ALL."""

    def value(issue: Issue) -> list[Any]:
        have = current(issue)
        return {
            "ADD": have + [part for part in given if part not in have],
            "REMOVE": [part for part in have if part not in given],
            "REPLACE": given,
            "REMOVE_ALL": [],
        }[mode]

    return value


def _mode(part: dict[str, Any]) -> str:
    mode = part.get("bulkEditMultiSelectFieldOption")
    if mode not in ("ADD", "REMOVE", "REPLACE", "REMOVE_ALL"):
        raise refuse("The multi-select option must be ADD, REMOVE, REPLACE or REMOVE_ALL.")
    return str(mode)


def _object(holder: dict[str, Any], name: str) -> dict[str, Any]:
    """A member that is an object; none counts as empty."""
    value = holder.get(name) or {}
    if not isinstance(value, dict):
        raise refuse(f"The value of {name} must be an object.")
    return value


def _objects(holder: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """A member that is a list of objects; none counts as empty."""
    value = holder.get(name) or []
    if not isinstance(value, list) or not all(isinstance(part, dict) for part in value):
        raise refuse(f"The value of {name} must be a list of objects.")
    return value


# Member of the body: how to read the value of one entry as the field's own form.
_SINGLE: dict[str, Callable[[dict[str, Any]], Any]] = {
    "clearableNumberFields": lambda part: part.get("value"),
    "datePickerFields": lambda part: _object(part, "date").get("formattedDate"),
    "dateTimePickerFields": lambda part: _object(part, "dateTime").get("formattedDateTime"),
    "richTextFields": lambda part: _object(part, "richText").get("adfValue"),
    "singleLineTextFields": lambda part: part.get("text"),
    "singleSelectClearableUserPickerFields": lambda part: part.get("user"),
    "multipleSelectClearableUserPickerFields": lambda part: part.get("users"),
    "singleSelectFields": lambda part: {"id": _object(part, "option").get("optionId")},
    "multipleSelectFields": lambda part: [{"id": option.get("optionId")} for option in _objects(part, "options")],
    "urlFields": lambda part: part.get("url"),
}


def _read_edits(wanted: dict[str, Any]) -> dict[str, _Value]:
    """The new value of each field, by field id, as a function of the issue."""
    found: dict[str, _Value] = {}
    for member, read in _SINGLE.items():
        for part in _objects(wanted, member):
            found[str(part.get("fieldId"))] = _fixed(read(part))
    for part in _objects(wanted, "labelsFields"):
        names = [label.get("name") for label in _objects(part, "labels")]
        found[str(part.get("fieldId"))] = _combine(_mode(part), lambda issue: list(issue.labels), names)
    if wanted.get("multiselectComponents"):
        part = _object(wanted, "multiselectComponents")
        ids = [{"id": str(c.get("componentId"))} for c in _objects(part, "components")]
        found["components"] = _combine(_mode(part), lambda issue: [{"id": key} for key in issue.component_ids], ids)
    for part in _objects(wanted, "multipleVersionPickerFields"):
        key = str(part.get("fieldId"))
        ids = [{"id": str(v.get("versionId"))} for v in _objects(part, "versions")]
        attribute = "fix_version_ids" if key == "fixVersions" else "version_ids"
        found[key] = _combine(_mode(part), _version_ids(attribute), ids)
    if wanted.get("priority"):
        found["priority"] = _fixed({"id": str(_object(wanted, "priority").get("priorityId"))})
    if wanted.get("issueType"):
        found["issuetype"] = _fixed({"id": str(_object(wanted, "issueType").get("issueTypeId"))})
    return found


def _version_ids(attribute: str) -> Callable[[Issue], list[Any]]:
    return lambda issue: [{"id": key} for key in getattr(issue, attribute)]


# -- watch ---------------------------------------------------------------------------------------------------------


async def _watching(call: Call, *, on: bool) -> Response:
    user = _starter(call)
    body = await call.members(allowed=("selectedIssueIdsOrKeys",))
    run = Run(call, user)

    def work(issue: Issue) -> None:
        issue.watchers = [key for key in issue.watchers if key != user.account_id]
        if on:
            issue.watchers.append(user.account_id)

    run.each(_keys(body.get("selectedIssueIdsOrKeys")), "BROWSE_PROJECTS", work)
    return run.answer("Bulk watch" if on else "Bulk unwatch")


@routes.post("/bulk/issues/watch")
async def bulk_watch(call: Call) -> Response:
    """Watch issues."""
    return await _watching(call, on=True)


@routes.post("/bulk/issues/unwatch")
async def bulk_unwatch(call: Call) -> Response:
    """Stop watching issues."""
    return await _watching(call, on=False)
