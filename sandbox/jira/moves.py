"""Moves on boards: into sprints, to the backlog, up and down in rank, and which issues a board shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sandbox.http import Call
from sandbox.jira import access
from sandbox.jira.changes import Edit
from sandbox.jira.errors import ApiError, bad_request, invalid_payload, not_found
from sandbox.jira.jql import JqlError, parse
from sandbox.jira.jql_search import prepare
from sandbox.jira.ranking import between
from sandbox.jira.state import Board, Issue, Site, Sprint

MOST = 50
MOVE_MEMBERS = ("issues", "rankBeforeIssue", "rankAfterIssue", "rankCustomFieldId")
NO_BOARD = (
    "The requested board cannot be viewed because it either does not exist or you do not have permission to view it."
)
NO_SPRINT = (
    "The requested sprint cannot be viewed because it either does not exist or you do not have permission to view it."
)
NO_SPRINTS = "The board does not support sprints"
SUBTASK = "Sub-tasks cannot be moved to a sprint: they follow their parent."  # wording unsure


# -- finding -------------------------------------------------------------------------------------------------------


def board_for(call: Call, number: str | int | None = None) -> Board:
    """A board that the caller may see; otherwise 404."""
    text = str(number if number is not None else call.path["boardId"])
    board = call.site.data.boards.get(int(text)) if text.isdigit() else None
    if board is None or not sees_board(call, board):
        raise not_found(NO_BOARD)
    return board


def sees_board(call: Call, board: Board) -> bool:
    """Whether the board exists for the caller: with its project, or as its owner; not once its filter was deleted."""
    if board.filter_id not in call.site.data.filters:
        return False
    if board.project_id is None:
        owner = call.site.data.filters[board.filter_id].owner
        return call.user is not None and (call.user.account_id == owner or call.user.role == "admin")
    project = call.site.data.projects.get(board.project_id)
    return project is not None and access.sees(call.site, call.user, project)


def sprint_for(call: Call, number: str | None = None) -> Sprint:
    """A sprint that was created on a board that the caller may see, or that holds an issue they may see; otherwise 404.

    That one whose board was deleted still answers while it is empty is unsure; the document does not say."""
    text = number if number is not None else call.path["sprintId"]
    sprint = call.site.data.sprints.get(int(text)) if text.isdigit() else None
    board = call.site.data.boards.get(sprint.board_id) if sprint else None
    if sprint is None or not (board is None or sees_board(call, board) or _sees_inside(call, sprint)):
        raise not_found(NO_SPRINT)
    return sprint


def _sees_inside(call: Call, sprint: Sprint) -> bool:
    projects = call.site.data.projects
    holding = {issue.project_id for issue in call.site.data.issues.values() if sprint.id in issue.sprint_ids}
    return any(access.sees(call.site, call.user, projects[one]) for one in holding)


def has_sprints(site: Site, board: Board) -> bool:
    """Whether the board plans in sprints: scrum boards do, team-managed ones if the feature is on."""
    if board.type != "simple":
        return board.type == "scrum"
    project = site.data.projects.get(board.project_id or "")
    return project is not None and project.features.get("jsw.agility.sprints") == "ENABLED"


def require_on_board(call: Call, board: Board | None, permission: str) -> None:
    """Refuse with 403 who lacks a permission on the board's project."""
    project = call.site.data.projects.get(board.project_id or "") if board else None
    access.require(call, permission, project)


# -- what a board shows --------------------------------------------------------------------------------------------


def board_issues(call: Call, board: Board) -> list[Issue]:
    """The issues of the board's filter whose status has a column, in rank; scrum boards leave epics out."""
    saved = call.site.data.filters[board.filter_id]
    try:
        found = prepare(call.site, call.user, parse(saved.jql)).run()
    except JqlError as error:
        raise bad_request(*error.messages) from error
    mapped = {status for column in board.columns for status in column.statuses}
    types = call.site.data.issue_types
    kept = [
        issue
        for issue in found
        if issue.status_id in mapped and not (board.type != "kanban" and types[issue.type_id].level == 1)
    ]
    return in_rank(kept)


def board_sprints(call: Call, board: Board) -> list[Sprint]:
    """The sprints of a board, in the order of the backlog: those that were created on it, and every other one that
    holds issues its filter finds, whatever columns there are. An empty sprint of another board is not among them."""
    saved = call.site.data.filters[board.filter_id]
    try:
        found = prepare(call.site, call.user, parse(saved.jql)).run()
    except JqlError as error:
        raise bad_request(*error.messages) from error
    held = {number for issue in found for number in issue.sprint_ids}
    every = call.site.data.sprints.values()
    return sorted((one for one in every if one.board_id == board.id or one.id in held), key=lambda one: one.rank)


def in_rank(issues: Iterable[Issue]) -> list[Issue]:
    """Issues as boards list them."""
    return sorted(issues, key=lambda issue: (issue.rank, int(issue.id)))


def open_sprint(site: Site, issue: Issue) -> Sprint | None:
    """The sprint that is not closed and holds the issue; a sub-task is where its parent is."""
    holder = issue
    parent = site.data.issues.get(issue.parent_id or "")
    if parent is not None and site.data.issue_types[issue.type_id].subtask:
        holder = parent
    sprints = (site.data.sprints.get(number) for number in holder.sprint_ids)
    return next((sprint for sprint in sprints if sprint is not None and sprint.state != "closed"), None)


def is_done(site: Site, board: Board, issue: Issue) -> bool:
    """Whether the board counts the issue as done: its status is in the last column with statuses."""
    mapped = [column for column in board.columns if column.statuses]
    return bool(mapped) and issue.status_id in mapped[-1].statuses


def backlog_issues(call: Call, board: Board) -> list[Issue]:
    """Open issues in no sprint; on a kanban board those in its Backlog column, if it has one."""
    issues = board_issues(call, board)
    if has_sprints(call.site, board):
        return [i for i in issues if open_sprint(call.site, i) is None and not is_done(call.site, board, i)]
    first = board.columns[0] if board.columns else None
    if first is None or first.name.lower() != "backlog":
        return []
    return [issue for issue in issues if issue.status_id in first.statuses]


def sprint_issues(site: Site, sprint: Sprint, issues: Iterable[Issue]) -> list[Issue]:
    """Those of the issues that the sprint holds, or held when it was closed."""

    def inside(issue: Issue) -> bool:
        parent = site.data.issues.get(issue.parent_id or "")
        follows = parent is not None and site.data.issue_types[issue.type_id].subtask
        return sprint.id in issue.sprint_ids or (follows and parent is not None and sprint.id in parent.sprint_ids)

    return in_rank(issue for issue in issues if inside(issue))


# -- moving --------------------------------------------------------------------------------------------------------


def named_issues(call: Call, body: dict[str, Any]) -> list[str]:
    """The ids or keys in a body's ``issues``: one to fifty of them."""
    names = body.get("issues")
    if not isinstance(names, list) or not all(isinstance(name, str | int) for name in names):
        raise invalid_payload()
    if not names:
        raise bad_request("At least one issue must be given.")  # wording unsure
    if len(names) > MOST:
        # The bound is documented, its wording is unsure.
        raise bad_request(f"The number of issues you are trying to move exceeds the limit of {MOST}.")
    return [str(name) for name in names]


def movable(call: Call, names: Sequence[str], permission: str = "SCHEDULE_ISSUES") -> list[Issue]:
    """The issues behind the names, all of which the caller may move; the first that fails refuses the whole move."""
    issues = []
    for name in names:
        issue = access.issue_for(call, name)
        project = access.issue_project(call, issue)
        access.require(call, permission, project)
        issues.append(issue)
    return issues


def to_sprint(call: Call, issues: Sequence[Issue], sprint: Sprint | None) -> None:
    """Put issues into a sprint, or with none into the backlog."""
    types = call.site.data.issue_types
    if sprint is not None and any(types[issue.type_id].subtask for issue in issues):
        raise bad_request(SUBTASK)
    for issue in issues:
        edit = Edit(call.site, issue, call.caller().account_id)
        edit.set_sprint(sprint)
        edit.save()


def ranking_of(body: dict[str, Any], before: str = "rankBeforeIssue", after: str = "rankAfterIssue") -> str | None:
    """Which of the two anchors a body gives; both are refused."""
    given = [name for name in (before, after) if body.get(name)]
    if len(given) > 1:
        raise bad_request(f"Only one of {before} and {after} may be given.")  # wording unsure
    return given[0] if given else None


def rank(call: Call, issues: Sequence[Issue], anchor: Issue, *, before: bool) -> None:
    """Put issues, in the order given, right before or right after another one.

    An issue ranked relative to itself stays where it is (recorded: the vendor answers 204).
    """
    issues = [issue for issue in issues if issue.id != anchor.id]
    moved = {issue.id for issue in issues}
    others = [issue for issue in in_rank(call.site.data.issues.values()) if issue.id not in moved]
    place = next(index for index, issue in enumerate(others) if issue.id == anchor.id) + (0 if before else 1)
    low = others[place - 1].rank if place > 0 else None
    high = others[place].rank if place < len(others) else None
    for issue in issues:
        new = between(low, high)
        edit = Edit(call.site, issue, call.caller().account_id)
        edit.set_rank(new, higher=new < issue.rank)
        edit.save()
        low = new


def rank_as_asked(call: Call, issues: Sequence[Issue], body: dict[str, Any]) -> None:
    """Apply the ranking that a move may carry."""
    chosen = ranking_of(body)
    if chosen is not None:
        anchor = access.issue_for(call, str(body[chosen]))
        rank(call, issues, anchor, before=chosen == "rankBeforeIssue")


def one_by_one(call: Call, names: Sequence[str], move: Callable[[Issue], None]) -> list[dict[str, Any]]:
    """Move each issue for itself; an entry for each with its status, as 207 answers carry them."""
    entries: list[dict[str, Any]] = []
    for name in names:
        issue = access.find_issue_for(call, name)
        entry: dict[str, Any] = {"issueKey": name, "status": 200}
        if issue is not None:
            entry |= {"issueId": int(issue.id), "issueKey": issue.key}
        try:
            (checked,) = movable(call, [name])
            move(checked)
        except ApiError as error:
            entry |= {"status": error.status, "errors": error.messages}
        entries.append(entry)
    return entries
