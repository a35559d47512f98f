"""The sprint report and the velocity chart, as the boards' own pages ask for them under ``/rest/greenhopper/1.0``.

The vendor documents neither, and says so; other tools read both all the same. The members here are those that such
tools read, and how issues are told apart is the vendor's page on the sprint report: what was done when the sprint
ended, what was not, what was taken out of it, and what had been done before it began. Dates and further members are
unsure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from sandbox.http import Call, Routes, answer
from sandbox.jira import jql_history, times
from sandbox.jira.access import sees
from sandbox.jira.errors import bad_request
from sandbox.jira.fields import SPRINT
from sandbox.jira.moves import NO_SPRINTS, board_for, has_sprints, sprint_for
from sandbox.jira.state import Board, Issue, Site, Sprint

routes = Routes("/rest/greenhopper/1.0/rapid/charts")

Body = dict[str, Any]
MOST_SPRINTS = 12
"""As many closed sprints as the velocity chart shows."""

_NOT_YET = datetime.max.replace(tzinfo=UTC)
"""The end of a sprint that is not closed: after whatever happens to its issues, be it in this very millisecond."""


@routes.get("/sprintreport")
async def sprint_report(call: Call) -> Response:
    """What became of a sprint's issues."""
    call.caller()
    board = _board(call)
    number = call.query("sprintId")
    if number is None:
        raise bad_request("The sprintId parameter is required.")  # wording unsure
    sprint = sprint_for(call, number)
    report = _report(call, board, sprint)
    contents: Body = {}
    for name, entries in report.items():
        contents[name] = [_issue(call, board, entry) for entry in entries]
    for name, of in (
        ("completedIssues", "completedIssues"),
        ("issuesNotCompleted", "issuesNotCompletedInCurrentSprint"),
        ("puntedIssues", "puntedIssues"),
        ("issuesCompletedInAnotherSprint", "issuesCompletedInAnotherSprint"),
    ):
        contents[f"{name}InitialEstimateSum"] = _sum(entry.initial for entry in report[of])
        contents[f"{name}EstimateSum"] = _sum(entry.final for entry in report[of])
    everything = [entry for name in report if name != "puntedIssues" for entry in report[name]]
    contents["allIssuesEstimateSum"] = _sum(entry.final for entry in everything)
    added = [entry for entries in report.values() for entry in entries if entry.added]
    contents["issueKeysAddedDuringSprint"] = {entry.issue.key: True for entry in added}
    return answer({"contents": contents, "sprint": _sprint(sprint, dates=True), "supportsPages": True})


@routes.get("/velocity", "/velocity.json")
async def velocity(call: Call) -> Response:
    """What the last closed sprints began with, and what was done in them, newest first."""
    call.caller()
    board = _board(call)
    closed = [one for one in call.site.data.sprints.values() if one.board_id == board.id and one.state == "closed"]
    closed.sort(key=lambda one: (one.completed or one.created, one.id), reverse=True)
    entries: Body = {}
    for sprint in closed[:MOST_SPRINTS]:
        report = _report(call, board, sprint)
        begun = [entry for entries_ in report.values() for entry in entries_ if not entry.added]
        entries[str(sprint.id)] = {
            "estimated": _sum(entry.initial for entry in begun),
            "completed": _sum(entry.final for entry in report["completedIssues"]),
        }
    return answer({"sprints": [_sprint(one) for one in closed[:MOST_SPRINTS]], "velocityStatEntries": entries})


def _board(call: Call) -> Board:
    number = call.query("rapidViewId")
    if number is None:
        raise bad_request("The rapidViewId parameter is required.")  # wording unsure
    board = board_for(call, number)
    if not has_sprints(call.site, board):
        raise bad_request(NO_SPRINTS)
    return board


@dataclass(frozen=True)
class _Entry:
    issue: Issue
    initial: float | None
    final: float | None
    added: bool


def _report(call: Call, board: Board, sprint: Sprint) -> dict[str, list[_Entry]]:
    site = call.site
    start = sprint.activated or sprint.start or sprint.created
    end = sprint.completed or _NOT_YET
    found: dict[str, list[_Entry]] = {
        "completedIssues": [],
        "issuesNotCompletedInCurrentSprint": [],
        "puntedIssues": [],
        "issuesCompletedInAnotherSprint": [],
    }
    for issue in sorted(site.data.issues.values(), key=lambda one: one.rank):
        if site.data.issue_types[issue.type_id].level == 1:
            continue
        if not sees(site, call.user, site.data.projects[issue.project_id]):
            continue
        stays = _stays(issue, sprint.id, start, end)
        if not stays:
            continue
        first = max(stays[0][0], start)
        estimate = _estimates(issue, board.estimation_field)
        entry = _Entry(issue, estimate(first), estimate(end), added=stays[0][0] > start)
        if stays[-1][1] is not None and stays[-1][1] < end:
            found["puntedIssues"].append(entry)
        elif not _is_done(site, issue, end):
            found["issuesNotCompletedInCurrentSprint"].append(entry)
        elif _is_done(site, issue, first):
            found["issuesCompletedInAnotherSprint"].append(entry)
        else:
            found["completedIssues"].append(entry)
    return found


def _changes(issue: Issue, field_id: str) -> list[tuple[datetime, str | None, str | None, str | None, str | None]]:
    return [
        (history.created, item.before, item.after, item.before_text, item.after_text)
        for history in issue.history
        for item in history.items
        if item.field_id == field_id
    ]


def _stays(issue: Issue, sprint_id: int, start: datetime, end: datetime) -> list[tuple[datetime, datetime | None]]:
    """From when until when an issue was in a sprint, as far as that touches this time; no end while it is."""
    changes = _changes(issue, SPRINT)
    now = ", ".join(map(str, issue.sprint_ids))
    stood = [(issue.created, changes[0][1] if changes else now), *((at, after) for at, _, after, _, _ in changes)]
    ends = [at for at, _ in stood[1:]]
    found: list[tuple[datetime, datetime | None]] = []
    for (since, value), until in zip(stood, [*ends, None], strict=True):
        inside = str(sprint_id) in _ids_in(value)
        if inside and since < end and (until is None or until > start):
            joined = found.pop()[0] if found and found[-1][1] == since else since
            found.append((joined, until))
    return found


def _ids_in(value: str | None) -> list[str]:
    return [part.strip() for part in (value or "").split(",")]


def _is_done(site: Site, issue: Issue, at: datetime) -> bool:
    for span in jql_history.spans(issue, "status"):
        if span.start <= at and (span.end is None or span.end > at):
            status = site.data.statuses.get(span.value or "")
            return status is not None and status.category == "done"
    return False


def _estimates(issue: Issue, field_id: str | None) -> Callable[[datetime], float | None]:
    """The estimate of an issue at a moment."""

    def at(moment: datetime) -> float | None:
        if field_id is None:
            return None
        changes = _changes(issue, field_id)
        text: object = changes[0][3] if changes else issue.custom.get(field_id)
        for when, _, _, _, after in changes:
            if when <= moment:
                text = after
        try:
            return float(str(text))
        except ValueError:
            return None

    return at


def _sum(values: Iterable[float | None]) -> Body:
    """A sum as the vendor writes one: without any estimate there is no value, and its text is ``null``."""
    known = [value for value in values if value is not None]
    return {"value": sum(known), "text": str(sum(known))} if known else {"text": "null"}


def _sprint(sprint: Sprint, *, dates: bool = False) -> Body:
    body: Body = {
        "id": sprint.id,
        "sequence": sprint.rank,
        "name": sprint.name,
        "state": sprint.state.upper(),
        "goal": sprint.goal or "",
        "linkedPagesCount": 0,
    }
    for name, moment in (("Start", sprint.start), ("End", sprint.end), ("Complete", sprint.completed)):
        if dates:
            body[f"{name.lower()}Date"] = moment.strftime("%d/%b/%y %-I:%M %p") if moment else "None"
            if moment is not None:
                body[f"iso{name}Date"] = times.stamp(moment)
    return body


def _issue(call: Call, board: Board, entry: _Entry) -> Body:
    issue, data = entry.issue, call.site.data
    kind, status = data.issue_types[issue.type_id], data.statuses[issue.status_id]
    person = data.users.get(issue.assignee or "")
    body: Body = {
        "id": int(issue.id),
        "key": issue.key,
        "hidden": False,
        "typeName": kind.name,
        "typeId": kind.id,
        "summary": issue.summary,
        "done": status.category == "done",
        "flagged": False,
        "statusId": status.id,
        "statusName": status.name,
        "status": call.view.status(status),
        "fixVersions": [int(key) for key in issue.fix_version_ids],
        "projectId": int(issue.project_id),
    }
    if issue.priority_id is not None:
        body["priorityId"], body["priorityName"] = issue.priority_id, data.priorities[issue.priority_id].name
    if person is not None:
        body |= {"assignee": person.account_id, "assigneeKey": person.account_id, "assigneeName": person.display_name}
    if board.estimation_field is not None:
        for name, value in (("estimateStatistic", entry.initial), ("currentEstimateStatistic", entry.final)):
            shown = {} if value is None else {"value": value, "text": str(value)}
            body[name] = {"statFieldId": board.estimation_field, "statFieldValue": shown}
    return body
