"""Project templates: what a new project of each kind is born with (types, statuses, workflow, screens, board)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sandbox.jira.fields import (
    EPIC_COLOR,
    EPIC_LINK,
    EPIC_NAME,
    FLAGGED,
    SPRINT,
    START_DATE,
    STORY_POINT_ESTIMATE,
    STORY_POINTS,
)
from sandbox.jira.state import (
    Actor,
    Board,
    BoardColumn,
    Filter,
    IssueType,
    Project,
    SiteData,
    Status,
    Transition,
    Workflow,
)

PREFIX = "com.pyxis.greenhopper.jira:gh-simplified-"
_COMMON = [
    "summary",
    "issuetype",
    "project",
    "description",
    "parent",
    "assignee",
    "reporter",
    "labels",
    "attachment",
    "issuelinks",
]
CLASSIC_SCREEN = (
    *_COMMON,
    "priority",
    "components",
    "fixVersions",
    "versions",
    "environment",
    "duedate",
    "timetracking",
    "comment",
    EPIC_LINK,
    START_DATE,
    STORY_POINTS,
    SPRINT,
    FLAGGED,
)
# Types of a team-managed project start with fewer fields: no priority, components, versions or time tracking.
TEAM_SCREEN = (*_COMMON, "duedate", "comment", START_DATE, STORY_POINT_ESTIMATE, SPRINT, FLAGGED)


@dataclass(frozen=True)
class Template:
    """What sets one template apart. ``board`` is the board's type, none for projects without one."""

    style: str
    board: str | None
    sprints: bool
    statuses: tuple[tuple[str, str], ...]  # name, category key
    type_key: str = "software"
    types: tuple[str, ...] = ("Epic", "Story", "Task", "Bug", "Sub-task")


_THREE = (("To Do", "new"), ("In Progress", "indeterminate"), ("Done", "done"))
_FOUR = (("Backlog", "new"), ("Selected for Development", "new"), ("In Progress", "indeterminate"), ("Done", "done"))
_BUSINESS = ("Task", "Sub-task")
TEMPLATES: dict[str, Template] = {
    f"{PREFIX}scrum-classic": Template("classic", "scrum", True, _THREE),
    f"{PREFIX}kanban-classic": Template("classic", "kanban", False, _FOUR),
    f"{PREFIX}basic": Template("classic", "kanban", False, _THREE, types=("Epic", "Task", "Bug", "Sub-task")),
    f"{PREFIX}agility-scrum": Template(
        "next-gen", "simple", True, _THREE, types=("Epic", "Story", "Task", "Bug", "Subtask")
    ),
    f"{PREFIX}agility-kanban": Template("next-gen", "simple", False, _THREE, types=("Epic", "Task", "Subtask")),
    "com.pyxis.greenhopper.jira:gh-cross-team-template": Template("classic", "scrum", True, _THREE),
    "com.pyxis.greenhopper.jira:gh-cross-team-planning-template": Template("classic", "scrum", True, _THREE),
    "com.atlassian.jira-core-project-templates:jira-core-simplified-project-management": Template(
        "classic", None, False, _THREE, "business", _BUSINESS
    ),
    "com.atlassian.jira-core-project-templates:jira-core-simplified-task-tracking": Template(
        "classic", None, False, (("To Do", "new"), ("Done", "done")), "business", _BUSINESS
    ),
    "com.atlassian.jira-core-project-templates:jira-core-simplified-process-control": Template(
        "classic", None, False, _THREE, "business", _BUSINESS
    ),
}
SITE_TYPES = {"Epic": "10000", "Story": "10001", "Task": "10002", "Sub-task": "10003", "Bug": "10004"}
"""The types that every company-managed project of the site shares, by the names that they have at first."""

_TEXTS = {
    "Epic": ("Epics track collections of related bugs, stories, and tasks.", 1, 10307),
    "Story": ("Stories track functionality or features expressed as user goals.", 0, 10315),
    "Task": ("Tasks track small, distinct pieces of work.", 0, 10318),
    "Bug": ("Bugs track problems or errors.", 0, 10303),
    "Subtask": ("Subtasks track small pieces of work that are part of a larger task.", -1, 10316),
}


def _next(data: SiteData, kind: str, start: int) -> int:
    data.counters[kind] = data.counters.get(kind, start - 1) + 1
    return data.counters[kind]


def create(
    data: SiteData,
    now: datetime,
    *,
    key: str,
    name: str,
    template: str,
    lead: str,
    description: str = "",
    url: str = "",
    assignee_type: str = "UNASSIGNED",
    category_id: str | None = None,
) -> Project:
    """Make a project from a template (whole key, or the end of one) with its workflow, screens, filter and board."""
    template = template if template in TEMPLATES else PREFIX + template
    shape = TEMPLATES[template]
    identifier = str(_next(data, "project", 10000))
    owner = identifier if shape.style == "next-gen" else None
    statuses = [_status(data, status, category, owner) for status, category in shape.statuses]
    types = [_issue_type(data, type_name, owner) for type_name in shape.types]
    workflow = _workflow(data, key, statuses, team=owner is not None)
    screen = list(TEAM_SCREEN if owner else CLASSIC_SCREEN)
    if not shape.sprints and not owner:
        screen.remove(SPRINT)
    project = Project(
        id=identifier,
        key=key,
        name=name,
        style=shape.style,
        template=template,
        lead=lead,
        uuid=str(uuid.uuid5(uuid.NAMESPACE_URL, f"project:{identifier}:{key}")),
        workflow_id=workflow.id,
        issue_type_ids=[issue_type.id for issue_type in types],
        screen_fields={t.id: _screen_of(screen, t, team=owner is not None) for t in types},
        type_key=shape.type_key,
        description=description,
        url=url,
        assignee_type=assignee_type,
        category_id=category_id,
        features=_features(shape),
    )
    project.role_actors = _actors(data, lead)
    data.projects[identifier] = project
    if shape.board:
        _board(data, project, shape, statuses)
    return project


def _screen_of(screen: list[str], issue_type: IssueType, *, team: bool) -> list[str]:
    missing: set[str] = set()
    if issue_type.level == 1:
        missing = {STORY_POINTS, STORY_POINT_ESTIMATE, EPIC_LINK}
    if issue_type.subtask:
        missing = {SPRINT, EPIC_LINK}
    fields = [f for f in screen if f not in missing]
    return [*fields, EPIC_NAME, EPIC_COLOR] if issue_type.level == 1 and not team else fields


def _status(data: SiteData, name: str, category: str, project_id: str | None) -> Status:
    if project_id is None:
        known = next((s for s in data.statuses.values() if s.name == name and s.project_id is None), None)
        if known is not None:
            return known
    status = Status(str(_next(data, "status", 10100)), name, category, project_id=project_id)
    data.statuses[status.id] = status
    return status


def _issue_type(data: SiteData, name: str, project_id: str | None) -> IssueType:
    if project_id is None:
        # By id first: a type that was renamed is still the site's own. Whether the vendor goes by name is unsure.
        own = data.issue_types.get(SITE_TYPES.get(name, ""))
        named = (t for t in data.issue_types.values() if t.name == name and t.project_id is None)
        if (known := own or next(named, None)) is not None:
            return known
    text, level, avatar = _TEXTS["Subtask" if name == "Sub-task" else name]
    issue_type = IssueType(str(_next(data, "issue_type", 10100)), name, text, level, project_id, avatar)
    data.issue_types[issue_type.id] = issue_type
    return issue_type


def _workflow(data: SiteData, key: str, statuses: list[Status], *, team: bool) -> Workflow:
    """A simplified workflow: one transition to each status from everywhere, ids 11, 21, 31 ... as the vendor's."""
    transitions = [
        Transition(str(10 * place + 11), status.name, status.id, screen=[]) for place, status in enumerate(statuses)
    ]
    identifier = str(uuid.uuid5(uuid.NAMESPACE_URL, f"workflow:{key}:{_next(data, 'workflow', 1)}"))
    name = f"Software workflow for project {key}" if team else f"Software Simplified Workflow for Project {key}"
    workflow = Workflow(identifier, name, [status.id for status in statuses], transitions)
    data.workflows[identifier] = workflow
    return workflow


def _features(shape: Template) -> dict[str, str]:
    if shape.board is None:
        return {}
    return {
        "jsw.classic.roadmap" if shape.style == "classic" else "jsw.agility.roadmap": "ENABLED",
        "jsw.agility.sprints": "ENABLED" if shape.sprints else "DISABLED",
        "jsw.agility.backlog": "ENABLED" if shape.sprints else "DISABLED",
        "jsw.agility.estimation": "ENABLED" if shape.sprints else "DISABLED",
        "jsw.agility.board": "ENABLED",
        "jsw.agility.reports": "ENABLED",
        "jsw.agility.releases": "DISABLED" if shape.style == "next-gen" else "ENABLED",
        "jsw.agility.code": "ENABLED",
    }


def _actors(data: SiteData, lead: str) -> dict[int, list[Actor]]:
    actors: dict[int, list[Actor]] = {}
    for role in data.roles.values():
        actors[role.id] = [Actor(_next(data, "role_actor", 10300), a.type, a.target) for a in role.default_actors]
        if role.admin:
            actors[role.id].append(Actor(_next(data, "role_actor", 10300), "atlassian-user-role-actor", lead))
    return actors


def _board(data: SiteData, project: Project, shape: Template, statuses: list[Status]) -> Board:
    kind = shape.board or "kanban"
    board_id = _next(data, "board", 1)
    name = f"{project.key} board"
    saved = Filter(
        str(_next(data, "filter", 10000)),
        f"Filter for {name}",
        f"project = {project.key} ORDER BY Rank ASC",
        project.lead,
        share_permissions=[{"id": _next(data, "share_permission", 10000), "type": "project", "project": project.id}],
    )
    data.filters[saved.id] = saved
    columns = [BoardColumn(status.name, [status.id]) for status in statuses]
    estimation = None
    if shape.sprints:
        estimation = STORY_POINT_ESTIMATE if project.team_managed else STORY_POINTS
    board = Board(board_id, name, kind, saved.id, project.id, columns, estimation)
    data.boards[board_id] = board
    return board
