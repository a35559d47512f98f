"""Suggestions while somebody types: values of a field of JQL, and people and groups together.

Both routes are outside the vendor's OpenAPI documents at hand; their shapes follow its reference pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape

from starlette.responses import Response

from sandbox.http import Call, Routes, answer
from sandbox.jira.errors import bad_request
from sandbox.jira.jql_fields import Reading, meaning
from sandbox.jira.jql_tree import quoted
from sandbox.jira.platform import PREFIXES
from sandbox.jira.platform.users import found_groups, found_users
from sandbox.jira.views import Body

routes = Routes(*PREFIXES)

MOST_SUGGESTED = 15
Pairs = Iterable[tuple[str, str]]  # value in a query, what people read


def _records(table: str) -> Callable[[Reading], Pairs]:
    return lambda reading: [(record.name, record.name) for record in getattr(reading.site.data, table).values()]


def _people(reading: Reading) -> Pairs:
    return [(user.account_id, user.display_name) for user in reading.site.data.users.values() if user.active]


def _projects(reading: Reading) -> Pairs:
    return [(project.key, f"{project.name} ({project.key})") for project in reading.projects()]


def _labels(reading: Reading) -> Pairs:
    visible = {project.id for project in reading.projects()}
    issues = [issue for issue in reading.site.data.issues.values() if issue.project_id in visible]
    return [(label, label) for label in sorted({label for issue in issues for label in issue.labels})]


def _sprints(reading: Reading) -> Pairs:
    return [(str(sprint.id), sprint.name) for sprint in reading.site.data.sprints.values()]


_VALUES: dict[str, Callable[[Reading], Pairs]] = {
    "project": _projects,
    "issuetype": _records("issue_types"),
    "status": _records("statuses"),
    "priority": _records("priorities"),
    "resolution": _records("resolutions"),
    "component": _records("components"),
    "fixversion": _records("versions"),
    "affectedversion": _records("versions"),
    "labels": _labels,
    "sprint": _sprints,
    **dict.fromkeys(("assignee", "reporter", "creator", "watcher", "voter"), _people),
}


@routes.get("/jql/autocompletedata/suggestions")
async def suggest_values(call: Call) -> Response:
    """Values of a field that begin, or have a word that begins, with what was typed."""
    name, typed = call.query("fieldName"), (call.query("fieldValue") or "").lower()
    reading = Reading(call.site, call.user)
    field = meaning(reading, name) if name else None
    if field is None or call.user is None:
        return answer({"results": []})
    values = _VALUES.get(field.name.lower())
    fitting = {value: shown for value, shown in (values(reading) if values else ()) if _begins(shown, typed)}
    results = [{"value": quoted(value), "displayName": bold(shown, typed)} for value, shown in fitting.items()]
    return answer({"results": results[:MOST_SUGGESTED]})


def _begins(shown: str, typed: str) -> bool:
    return any(word.startswith(typed) for word in (shown.lower(), *shown.lower().replace("(", " ").split()))


def bold(text: str, typed: str) -> str:
    """The text as HTML with what was typed in bold."""
    place = text.lower().find(typed) if typed else -1
    if place < 0:
        return escape(text)
    end = place + len(typed)
    return f"{escape(text[:place])}<b>{escape(text[place:end])}</b>{escape(text[end:])}"


@routes.get("/groupuserpicker")
async def pick_people_and_groups(call: Call) -> Response:
    """People and groups for a pick list."""
    query = call.query("query")
    if query is None:
        raise bad_request("The query parameter 'query' is required.")
    call.caller()
    body: Body = {"users": found_users(call, query), "groups": found_groups(call, query)}
    return answer(body)
