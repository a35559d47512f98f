"""The bodies of boards, sprints and epics as the agile routes write them."""

from __future__ import annotations

from typing import Any

from sandbox.jira import times
from sandbox.jira.fields import EPIC_COLOR, EPIC_NAME, FLAGGED
from sandbox.jira.issue_view import bean, value_of
from sandbox.jira.state import Board, Issue, Sprint
from sandbox.jira.views import Body, View, without_none

AGILE = "/rest/agile/1.0"
SOFTWARE_FIELDS = ("flagged", "sprint", "closedSprints", "epic")


def board_body(view: View, board: Board, expand: frozenset[str] = frozenset()) -> Body:
    """A board with its location; ``expand`` may ask for admins, permissions and favourite."""
    project = view.site.data.projects.get(board.project_id or "")
    owner = view.site.data.filters[board.filter_id].owner
    body: Body = {
        "id": board.id,
        "self": f"{view.base}{AGILE}/board/{board.id}",
        "name": board.name,
        "type": board.type,
        "isPrivate": board.private,
    }
    if project is not None:
        body["location"] = {
            "projectId": int(project.id),
            "displayName": f"{project.name} ({project.key})",
            "projectName": project.name,
            "projectKey": project.key,
            "projectTypeKey": project.type_key,
            "avatarURI": f"{view.avatar('project', project.avatar_id)}?size=small",
            "name": f"{project.name} ({project.key})",
        }
    else:
        user = view.site.data.users[owner]
        body["location"] = {"userAccountId": owner, "displayName": user.display_name, "name": user.display_name}
    if "admins" in expand:
        user_body = view.user(owner)
        kept = ("accountId", "active", "avatarUrls", "displayName", "self")
        body["admins"] = {"users": [{key: user_body[key] for key in kept}], "groups": []}
    if "permissions" in expand:
        body["canEdit"] = view.viewer is not None and (view.viewer.role == "admin" or view.viewer.account_id == owner)
    if "favourite" in expand:
        body["favourite"] = False
    return body


def sprint_body(view: View, sprint: Sprint) -> Body:
    """A sprint; dates that it has not are left out."""
    return without_none(
        {
            "id": sprint.id,
            "self": f"{view.base}{AGILE}/sprint/{sprint.id}",
            "state": sprint.state,
            "name": sprint.name,
            "startDate": times.zulu(sprint.start) if sprint.start else None,
            "endDate": times.zulu(sprint.end) if sprint.end else None,
            "completeDate": times.zulu(sprint.completed) if sprint.completed else None,
            "createdDate": times.zulu(sprint.created),
            "originBoardId": sprint.board_id,
            "goal": sprint.goal or "",
        }
    )


def epic_body(view: View, epic: Issue) -> Body:
    """An epic: its own name if it has one, otherwise the summary."""
    return {
        "id": int(epic.id),
        "key": epic.key,
        "self": f"{view.base}{AGILE}/epic/{epic.id}",
        "name": str(epic.custom.get(EPIC_NAME) or epic.summary),
        "summary": epic.summary,
        "color": {"key": str(epic.custom.get(EPIC_COLOR) or "color_1")},
        "done": view.site.category_done(epic),
    }


def agile_bean(view: View, issue: Issue, wanted: list[str], expand: set[str]) -> Body:
    """An issue with the software fields: flagged, sprint, closedSprints, epic."""
    chosen = [word for word in wanted if word not in SOFTWARE_FIELDS]
    path = f"{AGILE}/issue/{issue.id}"
    body = bean(view, issue, chosen, default=("*navigable",), expand=expand, self_path=path)
    if wanted and not chosen:
        body["fields"] = {}
    asked = [
        key for key in SOFTWARE_FIELDS if not wanted or key in wanted or "*all" in wanted or "*navigable" in wanted
    ]
    for key in asked:
        if f"-{key}" not in wanted:
            body["fields"][key] = _software(view, issue, key)
    return body


def _software(view: View, issue: Issue, key: str) -> Any:
    sprints = [view.site.data.sprints[number] for number in issue.sprint_ids if number in view.site.data.sprints]
    if key == "flagged":
        return bool(value_of(view, issue, FLAGGED))
    if key == "sprint":
        return next((sprint_body(view, sprint) for sprint in sprints if sprint.state != "closed"), None)
    if key == "closedSprints":
        return [sprint_body(view, sprint) for sprint in sprints if sprint.state == "closed"]
    parent = view.site.data.issues.get(issue.parent_id or "")
    is_epic = parent is not None and view.site.data.issue_types[parent.type_id].level == 1
    return epic_body(view, parent) if parent is not None and is_epic else None
