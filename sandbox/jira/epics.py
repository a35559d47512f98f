"""Epics on the agile routes. Changes of those of team-managed projects are refused, as the vendor's document says.

That document says of reading too that it "does not work" there, without a status for it; here it does (unsure)."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.responses import Response

from sandbox.http import Call, Routes, answer, no_content
from sandbox.jira import access, moves
from sandbox.jira.agile_view import AGILE, epic_body
from sandbox.jira.changes import Edit
from sandbox.jira.errors import bad_request, invalid_payload, not_found
from sandbox.jira.fields import EPIC_COLOR, EPIC_NAME
from sandbox.jira.state import Issue, Site

routes = Routes(AGILE)

NO_EPIC = "The requested epic does not exist or you do not have permission to view it."  # wording unsure
# Reported for moves into an epic; that the other writes say the same is unsure.
NEXT_GEN = (
    "The request contains a next-gen issue. This operation can't add next-gen issues to epics. To add a next-gen issue"
    ' to an epic, use the Edit issue operation and set the parent property (i.e., \'"parent":{"key":"PROJ-123"}\' where'
    ' "PROJ-123" has an issue type at level one of the issue type hierarchy).'
)
COLORS = frozenset(f"color_{number}" for number in range(1, 15))


def epic_for(call: Call, name: str | None = None) -> Issue:
    """An epic that the caller may see; otherwise 404."""
    issue = access.find_issue_for(call, name if name is not None else call.path["epicIdOrKey"])
    if issue is None or call.site.data.issue_types[issue.type_id].level != 1:
        raise not_found(NO_EPIC)
    return issue


def without_epic(site: Site, issues: Iterable[Issue]) -> list[Issue]:
    """Standard issues under no epic; epics themselves and sub-tasks are not listed."""
    types = site.data.issue_types
    return [issue for issue in issues if issue.parent_id is None and types[issue.type_id].level == 0]


def _classic(call: Call, issue: Issue) -> None:
    if access.issue_project(call, issue).team_managed:
        raise bad_request(NEXT_GEN)


@routes.get("/epic/{epicIdOrKey}")
async def get_epic(call: Call) -> Response:
    """One epic."""
    call.caller()
    return answer(epic_body(call.view, epic_for(call)))


@routes.post("/epic/{epicIdOrKey}")
async def update_epic(call: Call) -> Response:
    """Change name, summary, colour or done; members that are not sent stay."""
    epic = epic_for(call)
    user = access.require(call, "EDIT_ISSUES", access.issue_project(call, epic))
    _classic(call, epic)
    body = await call.members(("name", "summary", "color", "done"))
    data = call.site.data
    edit = Edit(call.site, epic, user.account_id)
    color = body.get("color")
    if color is not None and (not isinstance(color, dict) or color.get("key") not in COLORS):
        raise bad_request("The color key must be one of color_1 to color_14.")
    if any(name in body and not isinstance(body[name], str) for name in ("name", "summary")):
        raise invalid_payload()
    if "name" in body:
        edit.set_custom(data.fields[EPIC_NAME], body["name"])
    if body.get("summary"):
        edit.set_summary(body["summary"])
    if color is not None:
        edit.set_custom(data.fields[EPIC_COLOR], color["key"])
    if "done" in body and bool(body["done"]) != call.site.category_done(epic):
        workflow = data.workflows[access.issue_project(call, epic).workflow_id]
        wanted = "done" if body["done"] else "new"
        target = next((key for key in workflow.statuses if data.statuses[key].category == wanted), None)
        if target is not None:
            edit.set_status(target)
    edit.save()
    return answer(epic_body(call.view, epic))


@routes.post("/epic/none/issue")
async def remove_from_epics(call: Call) -> Response:
    """Take up to fifty issues out of their epics."""
    return await _assign(call, None)


@routes.post("/epic/{epicIdOrKey}/issue")
async def move_to_epic(call: Call) -> Response:
    """Put up to fifty issues into an epic."""
    epic = epic_for(call)
    _classic(call, epic)
    return await _assign(call, epic)


async def _assign(call: Call, epic: Issue | None) -> Response:
    call.caller()
    body = await call.members(("issues",))
    issues = moves.movable(call, moves.named_issues(call, body), "EDIT_ISSUES")
    types = call.site.data.issue_types
    for issue in issues:
        _classic(call, issue)
        if types[issue.type_id].level != 0:
            raise bad_request(f"{issue.key} is an epic or a sub-task and cannot be put into an epic.")  # wording unsure
    for issue in issues:
        edit = Edit(call.site, issue, call.caller().account_id)
        edit.set_parent(epic)
        edit.save()
    return no_content()


@routes.put("/epic/{epicIdOrKey}/rank")
async def rank_epic(call: Call) -> Response:
    """Rank an epic before or after another."""
    epic = epic_for(call)
    access.require(call, "SCHEDULE_ISSUES", access.issue_project(call, epic))
    _classic(call, epic)
    body = await call.members(("rankBeforeEpic", "rankAfterEpic", "rankCustomFieldId"))
    chosen = moves.ranking_of(body, "rankBeforeEpic", "rankAfterEpic")
    if chosen is None:
        raise bad_request("One of rankBeforeEpic and rankAfterEpic must be given.")  # wording unsure
    moves.rank(call, [epic], epic_for(call, str(body[chosen])), before=chosen == "rankBeforeEpic")
    return no_content()
