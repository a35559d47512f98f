"""Sprints and their state machine: future, active, closed, and no other way.

Where the vendor's wording of a refusal is known only by report, a comment says unsure; the statuses are documented.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from starlette.responses import Response

from sandbox.http import Call, Routes, answer, no_content
from sandbox.jira import access, moves, properties, times
from sandbox.jira.agile_view import AGILE, sprint_body
from sandbox.jira.changes import Edit
from sandbox.jira.errors import bad_request, invalid_payload
from sandbox.jira.moves import board_for, sprint_for
from sandbox.jira.state import Event, Issue, Sprint

routes = Routes(AGILE)

NAME_LIMIT = 30
MEMBERS = (
    "id",
    "self",
    "state",
    "name",
    "startDate",
    "endDate",
    "completeDate",
    "createdDate",
    "originBoardId",
    "goal",
)
MANAGE = "MANAGE_SPRINTS_PERMISSION"


@routes.post("/sprint")
async def create_sprint(call: Call) -> Response:
    """A future sprint on a board that plans in sprints."""
    user = call.caller()
    body = await call.members(("name", "originBoardId", "startDate", "endDate", "goal"))
    origin = body.get("originBoardId")
    if isinstance(origin, str) and origin.strip().isdecimal():
        origin = int(origin)  # the vendor's typed body takes a number that is written as text
    if not isinstance(origin, int) or isinstance(origin, bool):
        raise bad_request(originBoardId="The origin board must be given.")  # wording unsure
    board = board_for(call, origin)
    if not moves.has_sprints(call.site, board):
        raise bad_request(moves.NO_SPRINTS)
    moves.require_on_board(call, board, MANAGE)
    name = _name(body)
    start, end = _dates(body)
    number = call.site.next_id("sprint", 1)
    now = call.site.clock.now()
    sprint = Sprint(number, name, "future", board.id, now, start, end, goal=_goal(body), rank=number)
    call.site.data.sprints[number] = sprint
    call.site.emit(Event("sprint_created", user.account_id, now, subject=sprint))
    return answer(sprint_body(call.view, sprint), 201)


def _name(body: dict[str, Any]) -> str:
    name = body.get("name")
    if not isinstance(name, str) or not name.strip():
        raise bad_request(name="Sprint name is required.")  # wording unsure
    if len(name.strip()) >= NAME_LIMIT:
        raise bad_request(f"Sprint name must be shorter than {NAME_LIMIT} characters.")
    return name.strip()


def _goal(body: dict[str, Any]) -> str | None:
    goal = body.get("goal")
    if goal is not None and not isinstance(goal, str):
        raise invalid_payload()
    return goal or None


def _moment(body: dict[str, Any], name: str, default: datetime | None) -> datetime | None:
    if name not in body:
        return default
    moment = times.parse_moment(body[name])
    if body[name] and moment is None:
        raise bad_request(**{name: f"The {name} is not a valid date: {body[name]}"})  # wording unsure
    return moment


def _dates(body: dict[str, Any], start: datetime | None = None, end: datetime | None = None) -> tuple[Any, Any]:
    """Both dates, those in the body instead of those given; refused if not dates or the wrong way round."""
    first, last = _moment(body, "startDate", start), _moment(body, "endDate", end)
    if first is not None and last is not None and last <= first:
        raise bad_request(endDate="The end date of a sprint must be after the start date.")  # wording unsure
    return first, last


@routes.get("/sprint/{sprintId}")
async def get_sprint(call: Call) -> Response:
    """One sprint."""
    call.caller()
    return answer(sprint_body(call.view, sprint_for(call)))


@routes.post("/sprint/{sprintId}")
async def update_sprint(call: Call) -> Response:
    """Change what is sent."""
    return await _update(call, full=False)


@routes.put("/sprint/{sprintId}")
async def replace_sprint(call: Call) -> Response:
    """Change everything: what is not sent becomes null, so that a name is needed."""
    return await _update(call, full=True)


async def _update(call: Call, *, full: bool) -> Response:
    user = call.caller()
    sprint = sprint_for(call)
    moves.require_on_board(call, call.site.data.boards.get(sprint.board_id), MANAGE)
    body = await call.members(MEMBERS)
    old = sprint_body(call.view, sprint)
    name = _name(body) if full or "name" in body else sprint.name
    goal = _goal(body) if full or "goal" in body else sprint.goal
    if sprint.state == "closed":
        # Only name and goal of a closed sprint change; the rest is ignored, but not a change of state.
        _refuse_state(sprint, body.get("state"))
        sprint.name, sprint.goal = name, goal
    else:
        start, end = _dates(body) if full else _dates(body, sprint.start, sprint.end)
        state = body.get("state") or sprint.state
        _check_state(call, sprint, state, start, end)
        sprint.name, sprint.goal, sprint.start, sprint.end = name, goal, start, end
        _enter(call, sprint, state, user.account_id)
    now = call.site.clock.now()
    if sprint_body(call.view, sprint) != old:
        call.site.emit(Event("sprint_updated", user.account_id, now, subject=sprint, extra={"oldValue": old}))
    return answer(sprint_body(call.view, sprint))


def _refuse_state(sprint: Sprint, state: Any) -> None:
    if state and state != sprint.state:
        raise bad_request(f"The sprint is {sprint.state} and cannot become {state}.")  # wording unsure


def _check_state(call: Call, sprint: Sprint, state: Any, start: datetime | None, end: datetime | None) -> None:
    """Refuse every change of state but future to active and active to closed."""
    if state == sprint.state:
        return
    if (sprint.state, state) not in {("future", "active"), ("active", "closed")}:
        _refuse_state(sprint, state)
    if state == "active":
        if start is None or end is None:
            raise bad_request("A sprint needs a start date and an end date to be started.")  # wording unsure
        board = call.site.data.boards.get(sprint.board_id)
        shown = moves.board_sprints(call, board) if board is not None and moves.sees_board(call, board) else []
        others = [*shown, *(one for one in call.site.data.sprints.values() if one.board_id == sprint.board_id)]
        if any(other.state == "active" for other in others):
            # Parallel sprints are off, as on a new site.
            raise bad_request("The board already has an active sprint. Complete it first.")  # wording unsure


def _enter(call: Call, sprint: Sprint, state: str, actor: str) -> None:
    """Start or complete. Issues that are not done stay without an open sprint: they are back in the backlog, and keep
    the closed sprint in their Sprint field."""
    if state == sprint.state:
        return
    now = call.site.clock.now()
    sprint.state = state
    if state == "active":
        sprint.activated = now
    else:
        sprint.completed = now
    call.site.emit(Event("sprint_started" if state == "active" else "sprint_closed", actor, now, subject=sprint))


@routes.delete("/sprint/{sprintId}")
async def delete_sprint(call: Call) -> Response:
    """Remove a sprint; its issues go to the backlog."""
    user = call.caller()
    sprint = sprint_for(call)
    moves.require_on_board(call, call.site.data.boards.get(sprint.board_id), MANAGE)
    for issue in call.site.data.issues.values():
        if sprint.id in issue.sprint_ids:
            _take_out(call, issue, sprint, user.account_id)
    del call.site.data.sprints[sprint.id]
    call.site.emit(Event("sprint_deleted", user.account_id, call.site.clock.now(), subject=sprint))
    return no_content()


def _take_out(call: Call, issue: Issue, sprint: Sprint, actor: str) -> None:
    if sprint.state == "closed":
        issue.sprint_ids.remove(sprint.id)
        return
    edit = Edit(call.site, issue, actor)
    edit.set_sprint(None)
    edit.save()


@routes.post("/sprint/{sprintId}/swap")
async def swap_sprint(call: Call) -> Response:
    """Let two sprints change places in the backlog."""
    call.caller()
    sprint = sprint_for(call)
    moves.require_on_board(call, call.site.data.boards.get(sprint.board_id), MANAGE)
    body = await call.members(("sprintToSwapWith",), required=("sprintToSwapWith",))
    other = sprint_for(call, str(body["sprintToSwapWith"]))
    sprint.rank, other.rank = other.rank, sprint.rank
    call.site.touch()
    return no_content()


@routes.post("/sprint/{sprintId}/issue")
async def move_to_sprint(call: Call) -> Response:
    """Put up to fifty issues into an open sprint, all or none, with a ranking."""
    call.caller()
    sprint = sprint_for(call)
    body = await call.members(moves.MOVE_MEMBERS)
    names = moves.named_issues(call, body)
    if sprint.state == "closed":
        # The document: "Issues can only be moved to open or active sprints." The answer's wording is unsure.
        raise bad_request("Issues can only be moved to open or active sprints.")
    chosen = moves.ranking_of(body)
    if chosen is not None:
        access.issue_for(call, str(body[chosen]))
    issues = moves.movable(call, names)
    moves.to_sprint(call, issues, sprint)
    moves.rank_as_asked(call, issues, body)
    return no_content()


# -- estimation ----------------------------------------------------------------------------------------------------


def _estimation_field(call: Call) -> str:
    number = call.query("boardId")
    if number is None:
        raise bad_request("The boardId parameter is required.")  # wording unsure
    field_id = board_for(call, number).estimation_field
    if field_id is None:
        raise bad_request("The board has no estimation field.")  # that it is refused is recorded, its wording unsure
    return field_id


@routes.get("/issue/{issueIdOrKey}/estimation")
async def get_estimation(call: Call) -> Response:
    """The issue's value in the board's estimation field."""
    call.caller()
    issue = access.issue_for(call)
    return answer(_estimation(issue, _estimation_field(call)))


def _estimation(issue: Issue, field_id: str) -> dict[str, Any]:
    value = issue.custom.get(field_id)
    return {"fieldId": field_id} | ({} if value is None else {"value": value})


@routes.put("/issue/{issueIdOrKey}/estimation")
async def set_estimation(call: Call) -> Response:
    """Set it; the body's value is a text with a number in it, or empty."""
    issue = access.issue_for(call)
    user = access.require(call, "EDIT_ISSUES", access.issue_project(call, issue))
    body = await call.members(("value",))
    field_id = _estimation_field(call)
    text = body.get("value")
    try:
        value = None if text in (None, "") else float(text)
    except (TypeError, ValueError):
        raise bad_request(**{field_id: "The estimation must be a number."}) from None  # wording unsure
    edit = Edit(call.site, issue, user.account_id)
    edit.set_custom(call.site.data.fields[field_id], value)
    edit.save()
    return answer(_estimation(issue, field_id))


# -- properties ----------------------------------------------------------------------------------------------------


def _kept(call: Call, *, write: bool = False) -> dict[str, Any]:
    call.caller()
    sprint = sprint_for(call)
    if write:
        moves.require_on_board(call, call.site.data.boards.get(sprint.board_id), MANAGE)
    return sprint.properties


@routes.get("/sprint/{sprintId}/properties")
async def sprint_property_keys(call: Call) -> Response:
    """The keys of a sprint's properties."""
    return properties.list_keys(call, _kept(call))


@routes.get("/sprint/{sprintId}/properties/{propertyKey}")
async def sprint_property(call: Call) -> Response:
    """One property."""
    return properties.read(call, _kept(call))


@routes.put("/sprint/{sprintId}/properties/{propertyKey}")
async def set_sprint_property(call: Call) -> Response:
    """Set a property."""
    return await properties.write(call, _kept(call, write=True))


@routes.delete("/sprint/{sprintId}/properties/{propertyKey}")
async def delete_sprint_property(call: Call) -> Response:
    """Delete a property."""
    return properties.remove(call, _kept(call, write=True))
