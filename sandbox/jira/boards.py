"""Boards: list, create, delete, configuration, what is on them, and moves to the board and to its backlog."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from sandbox.http import Call, Routes, answer, no_content, page
from sandbox.jira import access, moves, properties
from sandbox.jira.agile_view import AGILE, board_body, epic_body, sprint_body
from sandbox.jira.errors import bad_request, invalid_payload, not_found
from sandbox.jira.fields import RANK, STORY_POINTS
from sandbox.jira.jql import JqlError, parse
from sandbox.jira.jql_search import prepare
from sandbox.jira.state import Board, BoardColumn, Event, Filter, Issue, Project
from sandbox.jira.views import Body

routes = Routes(AGILE)

STATES = ("future", "active", "closed")
NAME_LIMIT = 255
FEATURES = {  # board feature: the project feature that it shows
    "SPRINTS": "jsw.agility.sprints",
    "BACKLOG": "jsw.agility.backlog",
    "ESTIMATION": "jsw.agility.estimation",
    "REPORTS": "jsw.agility.reports",
    "RELEASES": "jsw.agility.releases",
    "CODE": "jsw.agility.code",
}


@routes.get("/board")
async def list_boards(call: Call) -> Response:
    """Boards that the caller may see, by type, name (part), project and filter."""
    call.caller()
    boards = [board for board in call.site.data.boards.values() if moves.sees_board(call, board)]
    types = set(call.query_list("type"))
    if types - {"scrum", "kanban", "simple"}:
        raise bad_request("The board type must be one of scrum, kanban and simple.")  # wording unsure
    boards = [board for board in boards if not types or board.type in types]
    name = (call.query("name") or "").lower()
    boards = [board for board in boards if name in board.name.lower()]
    where = call.query("projectKeyOrId") or call.query("projectLocation")
    if where:
        project = call.site.find_project(where)
        if project is None or not access.sees(call.site, call.user, project):
            raise bad_request(f"No project could be found with key or id '{where}'.")  # wording unsure
        boards = [board for board in boards if _shows(call, board, project)]
    filter_id = call.query("filterId")
    boards = [board for board in boards if filter_id is None or board.filter_id == filter_id]
    order = call.query("orderBy", "id") or "id"
    boards.sort(key=lambda board: board.name.lower() if order.lstrip("+-") == "name" else board.id)
    if order.startswith("-"):
        boards.reverse()
    expand = frozenset(call.query_list("expand"))
    return answer(agile_page(call, boards, lambda board: board_body(call.view, board, expand)))


def agile_page(call: Call, items: Any, build: Any) -> Body:
    """A page without the links that the agile documents do not have."""
    body = page(call, items, build, cap=50)
    return {key: value for key, value in body.items() if key not in {"self", "nextPage"}}


def _shows(call: Call, board: Board, project: Project) -> bool:
    """Whether the board is in the project, or its filter is about it."""
    if board.project_id == project.id:
        return True
    saved = call.site.data.filters[board.filter_id]
    return any(word.strip("\"'(),=").upper() in {project.key, project.name.upper()} for word in saved.jql.split())


@routes.post("/board")
async def create_board(call: Call) -> Response:
    """A scrum or kanban board on a saved filter; team-managed projects bring their own."""
    user = call.caller()
    body = await call.members(("name", "type", "filterId", "location"))
    name, kind, filter_id = body.get("name"), body.get("type"), body.get("filterId")
    problems: dict[str, str] = {}
    if not isinstance(name, str) or not name.strip() or len(name) >= NAME_LIMIT:
        problems["name"] = "The board name must have 1 to 254 characters."
    if kind not in ("scrum", "kanban"):
        problems["type"] = "The board type must be scrum or kanban."
    saved = call.site.data.filters.get(str(filter_id)) if isinstance(filter_id, int | str) else None  # "1" counts as 1
    if saved is None:
        problems["filterId"] = "The filter does not exist or you do not have permission to use it."
    if problems or saved is None:
        raise bad_request(**problems)
    project = _location(call, body.get("location"), saved)
    if project is not None:
        access.require(call, "CREATE_ISSUES", project)
    number = call.site.next_id("board", 1)
    board = Board(
        number,
        str(name),
        str(kind),
        saved.id,
        project.id if project else None,
        _columns(call, saved, project),
        STORY_POINTS if kind == "scrum" else None,
    )
    call.site.data.boards[number] = board
    call.site.emit(Event("board_created", user.account_id, call.site.clock.now(), extra=_event(call, board)))
    return answer(board_body(call.view, board), 201)


def _event(call: Call, board: Board) -> Body:
    return {"board": {"id": board.id, "name": board.name, "self": call.url(f"{AGILE}/board/{board.id}")}}


def _location(call: Call, location: Any, saved: Filter) -> Project | None:
    """The project of a new board: the one named, or the one of its filter; none for a board of a person."""
    if location is None:
        return next(iter(_filter_projects(call, saved)), None)
    if not isinstance(location, dict) or location.get("type") not in {"project", "user"}:
        raise invalid_payload()
    if location["type"] == "user":
        return None
    project = call.site.find_project(str(location.get("projectKeyOrId", "")))
    if project is None or not access.sees(call.site, call.user, project):
        raise bad_request(location="The project of the location does not exist or you cannot see it.")
    return project


def _filter_projects(call: Call, saved: Filter) -> list[Project]:
    """The projects that the filter's text names; without any, those of the issues it finds."""
    named = {word.strip("\"'(),=").upper() for word in saved.jql.split()}
    projects = [p for p in access.visible_projects(call) if {p.key, p.id} & named]
    if projects:
        return projects
    try:
        found = prepare(call.site, call.user, parse(saved.jql)).run()
    except JqlError:
        return []
    ids = dict.fromkeys(issue.project_id for issue in found)
    return [call.site.data.projects[key] for key in ids]


def _columns(call: Call, saved: Filter, project: Project | None) -> list[BoardColumn]:
    """A column for each status of the board's projects, in workflow order."""
    projects = _filter_projects(call, saved) or ([project] if project else [])
    data = call.site.data
    statuses = list(dict.fromkeys(s for p in projects for s in data.workflows[p.workflow_id].statuses))
    rank = {"new": 0, "indeterminate": 1, "done": 2}
    statuses.sort(key=lambda key: rank.get(data.statuses[key].category, 1))
    return [BoardColumn(data.statuses[key].name, [key]) for key in statuses]


@routes.get("/board/filter/{filterId}")
async def boards_of_filter(call: Call) -> Response:
    """Boards on a filter, in short."""
    call.caller()
    wanted = call.path["filterId"]
    if wanted not in call.site.data.filters:
        raise bad_request("The filter does not exist or you do not have permission to use it.")
    found = [b for b in call.site.data.boards.values() if b.filter_id == wanted and moves.sees_board(call, b)]
    return answer(
        agile_page(
            call,
            found,
            lambda board: {"id": board.id, "name": board.name, "self": call.url(f"{AGILE}/board/{board.id}")},
        )
    )


@routes.get("/board/{boardId}")
async def get_board(call: Call) -> Response:
    """One board."""
    call.caller()
    return answer(board_body(call.view, moves.board_for(call), frozenset(call.query_list("expand"))))


@routes.delete("/board/{boardId}")
async def delete_board(call: Call) -> Response:
    """Remove a board; administrators and its owner may. Its filter, its issues and their sprints stay."""
    user = call.caller()
    board = moves.board_for(call)
    if call.site.data.filters[board.filter_id].owner != user.account_id:
        project = call.site.data.projects.get(board.project_id or "")
        access.require(call, "ADMINISTER_PROJECTS", project)
    del call.site.data.boards[board.id]
    call.site.emit(Event("board_deleted", user.account_id, call.site.clock.now(), extra=_event(call, board)))
    return no_content()


@routes.get("/board/{boardId}/configuration")
async def board_configuration(call: Call) -> Response:
    """Filter, columns, estimation and ranking of a board."""
    call.caller()
    board = moves.board_for(call)
    data = call.site.data
    columns: list[Body] = []
    for column in board.columns:
        body: Body = {
            "name": column.name,
            "statuses": [{"id": key, "self": call.url(f"/rest/api/2/status/{key}")} for key in column.statuses],
        }
        body |= {"min": column.minimum} if column.minimum is not None else {}
        body |= {"max": column.maximum} if column.maximum is not None else {}
        columns.append(body)
    body = {
        "id": board.id,
        "name": board.name,
        "type": board.type,
        "self": call.url(f"{AGILE}/board/{board.id}/configuration"),
        "filter": {"id": board.filter_id, "self": call.url(f"/rest/api/2/filter/{board.filter_id}")},
        "columnConfig": {"columns": columns, "constraintType": "issueCount" if board.type == "kanban" else "none"},
        "ranking": {"rankCustomFieldId": int(RANK.removeprefix("customfield_"))},
    }
    project = data.projects.get(board.project_id or "")
    if project is not None:
        # The document's closed schema and its own example disagree here; the example is what the vendor sends.
        body["location"] = {
            "type": "project",
            "key": project.key,
            "id": project.id,
            "self": call.url(f"/rest/api/2/project/{project.id}"),
            "name": project.name,
        }
    if board.type == "kanban":
        body["subQuery"] = {"query": "fixVersion in unreleasedVersions() OR fixVersion is EMPTY"}
    if board.estimation_field is not None:
        estimation = data.fields[board.estimation_field]
        body["estimation"] = {
            "type": "field",
            "field": {"fieldId": estimation.id, "displayName": estimation.name},
        }
    return answer(body)


@routes.get("/board/{boardId}/sprint")
async def board_sprints(call: Call) -> Response:
    """The board's sprints by state, in the order of the backlog."""
    call.caller()
    board = moves.board_for(call)
    if not moves.has_sprints(call.site, board):
        raise bad_request(moves.NO_SPRINTS)
    states = set(call.query_list("state"))
    if states - set(STATES):
        raise bad_request("The sprint state must be one of future, active and closed.")  # wording unsure
    sprints = moves.board_sprints(call, board)
    order = {"closed": 0, "active": 1, "future": 2}
    sprints = sorted((s for s in sprints if not states or s.state in states), key=lambda s: (order[s.state], s.rank))
    return answer(agile_page(call, sprints, lambda sprint: sprint_body(call.view, sprint)))


@routes.get("/board/{boardId}/epic")
async def board_epics(call: Call) -> Response:
    """The epics of the board's projects, by rank; ``done`` true or false narrows them."""
    call.caller()
    board = moves.board_for(call)
    projects = {project.id for project in _projects(call, board)}
    types = call.site.data.issue_types
    every = call.site.data.issues.values()
    epics = moves.in_rank(i for i in every if i.project_id in projects and types[i.type_id].level == 1)
    done = call.query("done")
    if done is not None:
        epics = [epic for epic in epics if call.site.category_done(epic) == (done.lower() == "true")]
    return answer(agile_page(call, epics, lambda epic: epic_body(call.view, epic)))


def _projects(call: Call, board: Board) -> list[Project]:
    own = call.site.data.projects.get(board.project_id or "")
    return _filter_projects(call, call.site.data.filters[board.filter_id]) or ([own] if own else [])


@routes.get("/board/{boardId}/project", "/board/{boardId}/project/full")
async def board_projects(call: Call) -> Response:
    """The projects that the board's filter is about."""
    call.caller()
    projects = _projects(call, moves.board_for(call))
    return answer(agile_page(call, projects, call.view.project_ref))


@routes.get("/board/{boardId}/version")
async def board_versions(call: Call) -> Response:
    """The versions of the board's projects."""
    call.caller()
    projects = {project.id for project in _projects(call, moves.board_for(call))}
    versions = [v for v in call.site.data.versions.values() if v.project_id in projects]
    released = call.query("released")
    if released is not None:
        versions = [v for v in versions if v.released == (released.lower() == "true")]
    return answer(agile_page(call, versions, lambda v: call.view.version_body(v) | {"id": int(v.id)}))


@routes.get("/board/{boardId}/quickfilter")
async def board_quick_filters(call: Call) -> Response:
    """Quick filters: none, for there is no way to make one over the API."""
    call.caller()
    moves.board_for(call)
    return answer(agile_page(call, [], dict))


@routes.get("/board/{boardId}/quickfilter/{quickFilterId}")
async def board_quick_filter(call: Call) -> Response:
    """404, as there are none."""
    call.caller()
    moves.board_for(call)
    raise not_found("The quick filter does not exist.")  # wording unsure


@routes.get("/board/{boardId}/reports")
async def board_reports(call: Call) -> Response:
    """Reports: the vendor's document leaves their shape open, so that none are listed."""
    call.caller()
    moves.board_for(call)
    return answer({"reports": []})


# -- features ------------------------------------------------------------------------------------------------------


@routes.get("/board/{boardId}/features")
async def board_features(call: Call) -> Response:
    """The features of a team-managed board; others have none to switch."""
    call.caller()
    return answer(_features(call, moves.board_for(call)))


@routes.put("/board/{boardId}/features")
async def set_board_feature(call: Call) -> Response:
    """Switch a feature of a team-managed board."""
    call.caller()
    board = moves.board_for(call)
    body = await call.members(("boardId", "feature", "enabling"))
    project = call.site.data.projects.get(board.project_id or "")
    key = FEATURES.get(str(body.get("feature")))
    if project is None or not project.team_managed or key is None:
        raise bad_request("This feature cannot be switched on this board.")  # wording unsure
    access.require(call, "ADMINISTER_PROJECTS", project)
    project.features[key] = "ENABLED" if body.get("enabling") is True else "DISABLED"
    call.site.touch()
    return answer(_features(call, board))


def _features(call: Call, board: Board) -> Body:
    project = call.site.data.projects.get(board.project_id or "")
    if project is None or not project.team_managed:
        return {"features": []}
    return {
        "features": [
            {
                "boardFeature": name,
                "boardId": board.id,
                "state": project.features.get(key, "DISABLED"),
                "localisedName": name.capitalize(),
                "localisedDescription": "",
                "featureType": "ESTIMATION" if name == "ESTIMATION" else "BASIC",
                "featureId": key,
                "toggleLocked": False,
            }
            for name, key in FEATURES.items()
        ]
    }


# -- moves ---------------------------------------------------------------------------------------------------------


@routes.post("/backlog/issue")
async def move_to_backlog(call: Call) -> Response:
    """Take up to fifty issues out of their sprints; all or none."""
    call.caller()
    body = await call.members(("issues",))
    issues = moves.movable(call, moves.named_issues(call, body))
    moves.to_sprint(call, issues, None)
    return no_content()


@routes.post("/backlog/{boardId}/issue")
async def move_to_board_backlog(call: Call) -> Response:
    """The same for one board, with a ranking; 207 if some could not be moved."""
    board = moves.board_for(call)
    return await _partly(call, lambda issue: _leave(call, board, issue))


def _leave(call: Call, board: Board, issue: Issue) -> None:
    if moves.has_sprints(call.site, board):
        moves.to_sprint(call, [issue], None)
        return
    _to_column(call, board, issue, 0)


@routes.post("/board/{boardId}/issue")
async def move_to_board(call: Call) -> Response:
    """Move issues from the backlog onto the board: on kanban boards with a backlog, to the first column after it."""
    board = moves.board_for(call)
    return await _partly(call, lambda issue: _enter(call, board, issue))


def _enter(call: Call, board: Board, issue: Issue) -> None:
    if moves.has_sprints(call.site, board):
        running = [s for s in moves.board_sprints(call, board) if s.state == "active"]
        if not running:
            raise bad_request("The board has no active sprint.")  # wording unsure
        moves.to_sprint(call, [issue], running[0])
        return
    backlog = bool(board.columns) and board.columns[0].name.lower() == "backlog"
    if backlog and issue.status_id in board.columns[0].statuses:
        _to_column(call, board, issue, 1)


def _to_column(call: Call, board: Board, issue: Issue, number: int) -> None:
    from sandbox.jira.changes import Edit

    if len(board.columns) <= number or not board.columns[number].statuses:
        return
    edit = Edit(call.site, issue, call.caller().account_id)
    edit.set_status(board.columns[number].statuses[0])
    edit.save()


async def _partly(call: Call, move: Any) -> Response:
    call.caller()
    body = await call.members(moves.MOVE_MEMBERS)
    names = moves.named_issues(call, body)
    chosen = moves.ranking_of(body)
    anchor = access.issue_for(call, str(body[chosen])) if chosen else None
    entries = moves.one_by_one(call, names, move)
    good = [entry["issueKey"] for entry in entries if entry["status"] == 200]
    if anchor is not None and good:
        moves.rank(call, moves.movable(call, good), anchor, before=chosen == "rankBeforeIssue")
    if len(good) == len(entries):
        return no_content()
    return answer({"entries": entries}, 207)


# -- properties ----------------------------------------------------------------------------------------------------


def _kept(call: Call, *, write: bool = False) -> dict[str, Any]:
    call.caller()
    board = moves.board_for(call)
    if write:
        moves.require_on_board(call, board, "MANAGE_SPRINTS_PERMISSION")
    return board.properties


@routes.get("/board/{boardId}/properties")
async def board_property_keys(call: Call) -> Response:
    """The keys of a board's properties."""
    return properties.list_keys(call, _kept(call))


@routes.get("/board/{boardId}/properties/{propertyKey}")
async def board_property(call: Call) -> Response:
    """One property."""
    return properties.read(call, _kept(call))


@routes.put("/board/{boardId}/properties/{propertyKey}")
async def set_board_property(call: Call) -> Response:
    """Set a property."""
    return await properties.write(call, _kept(call, write=True))


@routes.delete("/board/{boardId}/properties/{propertyKey}")
async def delete_board_property(call: Call) -> Response:
    """Delete a property."""
    return properties.remove(call, _kept(call, write=True))
