"""Lists of issues on boards, in sprints, under epics, in backlogs: by number on agile 1.0, by token on software 1.0."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette.responses import Response

from sandbox.http import Call, Routes, answer
from sandbox.jira import access, moves
from sandbox.jira.agile_view import AGILE, agile_bean
from sandbox.jira.epics import epic_for, without_epic
from sandbox.jira.errors import BAD_MAX_RESULTS, bad_request
from sandbox.jira.issue_view import names, schemas, select
from sandbox.jira.jql import JqlError, parse
from sandbox.jira.jql_search import prepare
from sandbox.jira.paging import cut, fingerprint
from sandbox.jira.search import lagged, reconcile_ids
from sandbox.jira.state import Issue
from sandbox.jira.views import Body

agile = Routes(AGILE)
software = Routes("/rest/software/1.0")

Source = Callable[[Call], Sequence[Issue]]


def _board(call: Call) -> list[Issue]:
    return moves.board_issues(call, moves.board_for(call))


def _backlog(call: Call) -> list[Issue]:
    return moves.backlog_issues(call, moves.board_for(call))


def _board_epic(call: Call) -> list[Issue]:
    epic = epic_for(call, call.path["epicId"])
    return [issue for issue in _board(call) if issue.parent_id == epic.id]


def _board_no_epic(call: Call) -> list[Issue]:
    return without_epic(call.site, _board(call))


def _board_sprint(call: Call) -> list[Issue]:
    board = moves.board_for(call)
    sprint = moves.sprint_for(call)
    return moves.sprint_issues(call.site, sprint, moves.board_issues(call, board))


def _sprint(call: Call) -> list[Issue]:
    return moves.sprint_issues(call.site, moves.sprint_for(call), _visible(call))


def _epic(call: Call) -> list[Issue]:
    epic = epic_for(call)
    return moves.in_rank(issue for issue in _visible(call) if issue.parent_id == epic.id)


def _no_epic(call: Call) -> list[Issue]:
    return without_epic(call.site, moves.in_rank(_visible(call)))


def _visible(call: Call) -> list[Issue]:
    projects = {project.id for project in access.visible_projects(call)}
    return [issue for issue in call.site.data.issues.values() if issue.project_id in projects]


def _narrowed(call: Call, issues: Sequence[Issue]) -> list[Issue]:
    """The issues that fit the ``jql`` parameter, in its order if it has one; without those that search still lags."""
    kept = lagged(call.site, issues, reconcile_ids(call.query_list("reconcileIssues")))
    jql = call.query("jql")
    if not jql:
        return kept
    try:
        query = parse(jql)
        search = prepare(call.site, call.user, query)
    except JqlError as error:
        if not call.query_bool("validateQuery", default=True):
            return []
        raise bad_request(*error.messages) from error
    kept = [issue for issue in kept if search.matches(issue)]
    return search.sorted(kept) if query.order_by else kept


def _bodies(call: Call, issues: Sequence[Issue]) -> Body:
    expand = {part.strip() for part in (call.query("expand") or "").split(",") if part.strip()}
    wanted = call.query_list("fields")
    view = call.view
    per_issue = expand - {"names", "schema"}
    body: Body = {"issues": [agile_bean(view, issue, wanted, per_issue) for issue in issues]}
    ids = [key for issue in issues[:1] for key in select(view, issue, wanted, ("*navigable",))]
    if "names" in expand:
        body["names"] = names(view, ids)
    if "schema" in expand:
        body["schema"] = schemas(view, ids)
    return body


def _numbered(call: Call, issues: Sequence[Issue]) -> Response:
    start = call.query_int("startAt", 0)
    size = call.query_int("maxResults", 50, high=100)
    body = {
        "expand": "schema,names",
        "startAt": start,
        "maxResults": size,
        "total": len(issues),
        **_bodies(call, issues[start : start + size]),
    }
    return answer(body)


def _by_token(call: Call, issues: Sequence[Issue]) -> Response:
    size = call.query_int("maxResults", 50)
    if not 1 <= size <= 5000:
        raise bad_request(BAD_MAX_RESULTS)
    owner = fingerprint(call.request.url.path, call.query("jql"))
    page, token = cut(issues, min(size, 100), call.query("nextPageToken"), owner, call.site.clock.now())
    body: Body = {"expand": "schema,names", "isLast": token is None, **_bodies(call, page)}
    if token is not None:
        body["nextPageToken"] = token
    return answer(body)


def _serve(path: str, source: Source, *, count: bool = False) -> None:
    async def numbered(call: Call) -> Response:
        call.caller()
        return _numbered(call, _narrowed(call, source(call)))

    async def by_token(call: Call) -> Response:
        call.caller()
        return _by_token(call, _narrowed(call, source(call)))

    async def counted(call: Call) -> Response:
        call.caller()
        return answer({"count": len(_narrowed(call, source(call)))})

    agile.get(path)(numbered)
    software.get(path)(by_token)
    if count:
        software.get(f"{path}/approximate-count")(counted)


_serve("/board/{boardId}/issue", _board, count=True)
_serve("/board/{boardId}/backlog", _backlog, count=True)
_serve("/board/{boardId}/epic/none/issue", _board_no_epic)
_serve("/board/{boardId}/epic/{epicId}/issue", _board_epic)
_serve("/board/{boardId}/sprint/{sprintId}/issue", _board_sprint)
_serve("/sprint/{sprintId}/issue", _sprint)
_serve("/epic/none/issue", _no_epic)
_serve("/epic/{epicIdOrKey}/issue", _epic)


@agile.get("/issue/{issueIdOrKey}")
async def get_issue(call: Call) -> Response:
    """One issue with the software fields."""
    issue = access.issue_for(call)
    return answer(agile_bean(call.view, issue, call.query_list("fields") or ["*all"], set(call.query_list("expand"))))


@agile.put("/issue/rank")
async def rank_issues(call: Call) -> Response:
    """Rank up to fifty issues before or after another; 207 with an entry for each if some could not be."""
    call.caller()
    body = await call.members(moves.MOVE_MEMBERS)
    wanted = moves.named_issues(call, body)
    chosen = moves.ranking_of(body)
    if chosen is None:
        raise bad_request("One of rankBeforeIssue and rankAfterIssue must be given.")  # wording unsure
    anchor = access.issue_for(call, str(body[chosen]))
    refused = moves.one_by_one(call, wanted, lambda issue: None)
    good = [entry for entry in refused if entry["status"] == 200]
    moves.rank(call, moves.movable(call, [e["issueKey"] for e in good]), anchor, before=chosen == "rankBeforeIssue")
    if len(good) == len(refused):
        return answer(None, 204)
    return answer({"entries": refused}, 207)
