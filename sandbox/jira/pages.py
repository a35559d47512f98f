"""Pages for people: projects, a ticket, a board with its backlog. Plain HTML without scripts; every value is escaped.

The pages are open to whoever reaches the sandbox and only read; the API is where people log in and change things.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from sandbox.http import Call, Routes
from sandbox.jira import moves
from sandbox.jira.fields import STORY_POINT_ESTIMATE, STORY_POINTS
from sandbox.jira.issue_view import link_on
from sandbox.jira.richtext import as_html
from sandbox.jira.seed import seed
from sandbox.jira.state import Board, Issue, RichText, Site, Sprint, User

routes = Routes("")

CONTROLS = ("clock", "deliveries", "faults", "latency", "limits", "permissions", "requests", "screens", "search")
MOST_SHOWN = 300
LATEST = 12
_MAY = {"admin": "everything", "member": "create and edit, not administer", "viewer": "look"}
page_headers = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'",
    "referrer-policy": "no-referrer",
}

environment = Environment(
    loader=FileSystemLoader(Path(__file__).resolve().parent.parent / "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
)

Shown = dict[str, Any]


def _page(call: Call, template: str, status: int = 200, **values: Any) -> Response:
    boards = sorted(call.site.data.boards.values(), key=lambda board: board.id)
    html = environment.get_template(template).render(
        {"boards": boards[:8], "here": None, "now": moment(call.site.clock.now()), **values}
    )
    return HTMLResponse(html, status_code=status, headers=page_headers)


def moment(value: datetime) -> str:
    """A moment as the pages show it."""
    return value.strftime("%Y-%m-%d %H:%M")


def points_of(issue: Issue) -> str | None:
    """The story points of an issue, in whichever of the two fields its project uses."""
    value = issue.custom.get(STORY_POINTS, issue.custom.get(STORY_POINT_ESTIMATE))
    return None if value is None else f"{value:g}"


def _name(site: Site, account: str | None) -> str | None:
    user = site.data.users.get(account or "")
    return user.display_name if user else None


def _short(site: Site, issue: Issue) -> Shown:
    status = site.data.statuses[issue.status_id]
    parent = site.data.issues.get(issue.parent_id or "")
    return {
        "key": issue.key,
        "summary": issue.summary,
        "status": status.name,
        "category": status.category,
        "type": site.data.issue_types[issue.type_id].name,
        "assignee": _name(site, issue.assignee),
        "points": points_of(issue),
        "epic": parent.summary if parent else None,
        "updated": moment(issue.updated),
    }


def _rich(site: Site, value: RichText) -> Markup:
    # `as_html` escapes every value itself.
    return Markup(as_html(value, lambda account: _name(site, account) or ""))  # noqa: S704


# -- index -----------------------------------------------------------------------------------------------------------


@routes.get("/")
async def index(call: Call) -> Response:
    """Projects, how to log in, what changed last."""
    data = call.site.data
    projects = []
    for project in sorted(data.projects.values(), key=lambda project: int(project.id)):
        if project.deleted_at is None:
            managed = "team-managed" if project.team_managed else "company-managed"
            boards = [board for board in data.boards.values() if board.project_id == project.id]
            kind = {"simple": "scrum" if boards and moves.has_sprints(call.site, boards[0]) else "kanban"}
            words = " and ".join(kind.get(board.type, board.type) for board in boards) or "no board"
            projects.append(
                {
                    "key": project.key,
                    "name": project.name,
                    "kind": f"{words}, {managed}",
                    "count": sum(1 for _ in call.site.issues_of(project.id)),
                    "boards": boards,
                }
            )
    latest = sorted(_live(call.site), key=lambda issue: (issue.updated, int(issue.id)), reverse=True)[:LATEST]
    return _page(
        call,
        "index.html",
        projects=projects,
        users=_logins(call.site),
        base=call.url(""),
        latest=[_short(call.site, issue) for issue in latest],
        controls=CONTROLS,
    )


def _live(site: Site) -> Iterable[Issue]:
    return (issue for issue in site.data.issues.values() if site.find_issue(issue.id) is not None)


def _logins(site: Site) -> list[Shown]:
    """Accounts with the tokens of the seed; tokens that somebody made are not shown."""
    known = {user.email: user.token for user in seed(site.clock.now()).users.values()}
    users: Iterable[User] = site.data.users.values()
    return [
        {"email": user.email, "token": user.token, "may": _MAY.get(user.role, user.role)}
        for user in users
        if user.token and user.active and known.get(user.email) == user.token
    ]


# -- a ticket --------------------------------------------------------------------------------------------------------


@routes.get("/browse/{issueIdOrKey}")
async def browse(call: Call) -> Response:
    """One ticket with all that hangs on it; a project key leads to the project's board."""
    site = call.site
    issue = site.find_issue(call.path["issueIdOrKey"])
    if issue is None:
        project = site.find_project(call.path["issueIdOrKey"])
        board = next((b for b in site.data.boards.values() if project and b.project_id == project.id), None)
        if board is not None:
            return Response(status_code=302, headers={"location": f"/jira/boards/{board.id}"})
        text = f"There is no ticket {call.path['issueIdOrKey']} on this site."
        return _page(call, "message.html", 404, title="No such ticket", text=text)
    data = site.data
    board = next((b for b in data.boards.values() if b.project_id == issue.project_id), None)
    parent = data.issues.get(issue.parent_id or "")
    return _page(
        call,
        "issue.html",
        issue=_short(site, issue),
        board=board,
        here=board.id if board else None,
        epic=_short(site, parent) if parent else None,
        type=data.issue_types[issue.type_id].name,
        description=_rich(site, issue.description) if issue.description else None,
        reporter=_name(site, issue.reporter),
        resolution=data.resolutions[issue.resolution_id].name if issue.resolution_id else None,
        priority=data.priorities[issue.priority_id].name if issue.priority_id else None,
        sprints=[data.sprints[number] for number in issue.sprint_ids if number in data.sprints],
        labels=issue.labels,
        more=_more(site, issue),
        created=moment(issue.created),
        children=[_short(site, child) for child in moves.in_rank(site.children(issue.id))],
        links=_links(call, issue),
        remote=[_remote(link.body) for link in issue.remote_links],
        attachments=[
            {"filename": a.filename, "size": f"{a.size:,}", "created": moment(a.created)} for a in issue.attachments
        ],
        comments=[
            {"author": _name(site, c.author), "created": moment(c.created), "html": _rich(site, c.body)}
            for c in issue.comments
        ],
        history=_history(site, issue),
        properties=[
            (key, json.dumps(value, indent=2, ensure_ascii=False)) for key, value in sorted(issue.properties.items())
        ],
    )


def _more(site: Site, issue: Issue) -> list[tuple[str, str]]:
    """Fields that most tickets leave empty."""
    data = site.data
    pairs = [
        ("Due", issue.due_date),
        ("Components", ", ".join(data.components[key].name for key in issue.component_ids)),
        ("Fix versions", ", ".join(data.versions[key].name for key in issue.fix_version_ids)),
        ("Watchers", ", ".join(filter(None, (_name(site, account) for account in issue.watchers)))),
    ]
    return [(name, value) for name, value in pairs if value]


def _links(call: Call, issue: Issue) -> list[Shown]:
    found = []
    for link in call.site.links_of(issue.id):
        body = link_on(call.view, issue, link)
        outward = "outwardIssue" in body
        other = call.site.data.issues[link.outward_id if outward else link.inward_id]
        reading = body["type"]["outward" if outward else "inward"]
        found.append({"reading": reading, **_short(call.site, other)})
    return found


def _remote(body: Shown) -> Shown:
    target = body.get("object") or {}
    url = str(target.get("url", ""))
    return {
        "relationship": body.get("relationship"),
        "title": target.get("title") or url,
        "summary": target.get("summary"),
        "url": url,
        "safe": url.lower().startswith(("http://", "https://")),
    }


def _history(site: Site, issue: Issue) -> list[Shown]:
    """Every change, newest first."""
    return [
        {
            "when": moment(history.created),
            "who": _name(site, history.author),
            "field": item.field,
            "before": item.before_text or item.before,
            "after": item.after_text or item.after,
        }
        for history in reversed(issue.history)
        for item in history.items
    ]


# -- a board ---------------------------------------------------------------------------------------------------------


# The vendor's own addresses of a board, which clients build from keys and ids, and a short one.
@routes.get(
    "/jira/software/c/projects/{projectKey}/boards/{boardId}",
    "/jira/software/projects/{projectKey}/boards/{boardId}",
    "/jira/boards/{boardId}",
)
async def board_page(call: Call) -> Response:
    """A board: columns (of the active sprint), backlog with its sprints, epics."""
    site = call.site
    number = call.path["boardId"]
    board = site.data.boards.get(int(number)) if number.isdigit() else None
    if board is None or board.filter_id not in site.data.filters:
        return _page(call, "message.html", 404, title="No such board", text=f"There is no board {number} on this site.")
    # The pages show what an administrator sees.
    call.user = next(user for user in site.data.users.values() if user.role == "admin")
    issues = moves.board_issues(call, board)
    sprints = moves.board_sprints(call, board)
    sprints_on = moves.has_sprints(site, board)
    active = next((sprint for sprint in sprints if sprint.state == "active"), None)
    on_board = issues
    if sprints_on:
        on_board = moves.sprint_issues(site, active, issues) if active else []
    waiting = moves.backlog_issues(call, board)
    project = site.data.projects.get(board.project_id or "")
    return _page(
        call,
        "board.html",
        board=board,
        here=board.id,
        project=project,
        sprints_on=sprints_on,
        active=_sprint(site, board, active, issues) if active else None,
        columns=_columns(site, board, on_board) if active or not sprints_on else [],
        planned=[_sprint(site, board, s, issues) for s in sprints if s.state != "closed"],
        closed=[_sprint(site, board, s, issues) for s in reversed(sprints) if s.state == "closed"],
        backlog=[_short(site, issue) for issue in waiting[:MOST_SHOWN]],
        backlog_total=len(waiting),
        epics=_epics(site, project.id) if project else [],
    )


def _columns(site: Site, board: Board, issues: Sequence[Issue]) -> list[Shown]:
    kept = [issue for issue in issues if site.data.issue_types[issue.type_id].level < 1]
    return [
        {
            "name": column.name,
            "issues": [_short(site, issue) for issue in kept if issue.status_id in column.statuses][:MOST_SHOWN],
        }
        for column in board.columns
    ]


def _sprint(site: Site, board: Board, sprint: Sprint, issues: Sequence[Issue]) -> Shown:
    inside = moves.sprint_issues(site, sprint, issues)
    total = sum(float(points) for points in map(points_of, inside) if points is not None)
    return {
        "id": sprint.id,
        "name": sprint.name,
        "state": sprint.state,
        "goal": sprint.goal,
        "dates": _dates(sprint),
        "issues": [_short(site, issue) for issue in inside[:MOST_SHOWN]],
        "total": len(inside),
        "done": sum(moves.is_done(site, board, issue) for issue in inside),
        "points": f"{total:g}" if total else None,
    }


def _dates(sprint: Sprint) -> str:
    if sprint.start is None or sprint.end is None:
        return "no dates"
    return f"{sprint.start:%Y-%m-%d} to {sprint.completed or sprint.end:%Y-%m-%d}"


def _epics(site: Site, project_id: str) -> list[Shown]:
    types = site.data.issue_types
    epics = moves.in_rank(issue for issue in site.issues_of(project_id) if types[issue.type_id].level == 1)
    shown = []
    for epic in epics:
        children = site.children(epic.id)
        done = sum(site.category_done(child) for child in children)
        shown.append(_short(site, epic) | {"total": len(children), "done": done})
    return shown


# -- the page that scripted redirects lead to --------------------------------------------------------------------------


@routes.get("/login")
async def login(call: Call) -> Response:
    """A page that says that one is not logged in, as HTML with status 200: what a proxy in front of a site shows."""
    text = "Your session has ended. Clients that follow redirects land here and must not take this page for an answer."
    return _page(call, "message.html", title="Log in to continue", text=text)
