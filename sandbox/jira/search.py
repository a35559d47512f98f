"""Searching: ``search/jql`` with token pages, counts, parsing and matching of queries, the data of auto-completion."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from starlette.responses import Response

from sandbox.http import Call, Routes, answer
from sandbox.jira import errors, jql_history
from sandbox.jira.errors import ApiError, bad_request, invalid_payload
from sandbox.jira.issue_view import bean, names, schemas, select, with_fewer_comments
from sandbox.jira.jql import RESERVED, JqlError, Query, parse
from sandbox.jira.jql_fields import Reading, all_meanings, meaning
from sandbox.jira.jql_functions import DATE_FUNCTIONS, FUNCTIONS
from sandbox.jira.jql_search import Search, prepare
from sandbox.jira.jql_tree import quoted, structure
from sandbox.jira.paging import cut, fingerprint
from sandbox.jira.platform import PREFIXES
from sandbox.jira.platform.issues import extend
from sandbox.jira.state import Issue, Site
from sandbox.jira.suggestions import bold
from sandbox.jira.views import Body

routes = Routes(*PREFIXES)

MOST_RECONCILED = 50
MOST_PROPERTIES = 5
FULL_PAGE = 100  # what the vendor gives at most when more than id and key is asked for
_SEARCH_MEMBERS = {
    "jql": str,
    "nextPageToken": str,
    "maxResults": int,
    "fields": list,
    "expand": str,
    "properties": list,
    "fieldsByKeys": bool,
    "failFast": bool,
    "reconcileIssues": list,
}


# -- what searches share -------------------------------------------------------------------------------------------


def lagged(site: Site, issues: Iterable[Issue], reconciled: frozenset[str]) -> list[Issue]:
    """The issues that the search index has: not those made within the lag, unless the caller names their ids."""
    since = site.clock.now() - timedelta(seconds=site.data.search_lag_seconds)
    lag = site.data.search_lag_seconds > 0
    return [issue for issue in issues if not lag or issue.created <= since or issue.id in reconciled]


def reconcile_ids(values: Sequence[Any]) -> frozenset[str]:
    """The ids to reconcile: whole numbers, fifty at most."""
    if len(values) > MOST_RECONCILED:
        # The bound is documented, its wording is unsure.
        raise bad_request(f"The number of issues to reconcile must not exceed {MOST_RECONCILED}.")
    if not all(str(value).isdigit() for value in values):
        raise invalid_payload()
    return frozenset(str(value) for value in values)


def bounded(call: Call, jql: str | None) -> tuple[Query, Search]:
    """The checked query; one without any restriction is refused."""
    try:
        query = parse(jql or "")
        if query.where is None:
            raise bad_request(errors.UNBOUNDED_JQL)
        return query, prepare(call.site, call.user, query)
    except JqlError as error:
        raise bad_request(*error.messages) from error


# -- search --------------------------------------------------------------------------------------------------------


@routes.get("/search")
@routes.post("/search")
async def removed_search(call: Call) -> Response:
    """410: the vendor has removed the offset-paged search."""
    raise ApiError(410, errors.SEARCH_REMOVED)


@routes.get("/search/jql")
async def search_by_query(call: Call) -> Response:
    """Search with query parameters."""
    raw_size = call.query("maxResults")
    size = 50
    if raw_size is not None:
        try:
            size = int(raw_size)
        except ValueError:
            raise bad_request(errors.BAD_MAX_RESULTS) from None
    return _search(
        call,
        {
            "jql": call.query("jql"),
            "nextPageToken": call.query("nextPageToken"),
            "maxResults": size,
            "fields": call.query_list("fields"),
            "expand": ",".join(call.query_list("expand")),
            "properties": call.query_list("properties"),
            "reconcileIssues": call.query_list("reconcileIssues"),
        },
    )


@routes.post("/search/jql")
async def search_by_body(call: Call) -> Response:
    """Search with a body; its members are closed and typed."""
    body = await call.members(_SEARCH_MEMBERS)
    for name, value in body.items():
        kind = _SEARCH_MEMBERS[name]
        if value is not None and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
            raise invalid_payload()
    if any(not isinstance(part, str) for name in ("fields", "properties") for part in body.get(name) or []):
        raise invalid_payload()
    if any(not isinstance(part, int) for part in body.get("reconcileIssues") or []):
        raise invalid_payload()
    return _search(call, body)


def _search(call: Call, asked: dict[str, Any]) -> Response:
    size = asked.get("maxResults")
    size = 50 if size is None else size
    if not 1 <= size <= 5000:
        raise bad_request(errors.BAD_MAX_RESULTS)
    properties = asked.get("properties") or []
    if len(properties) > MOST_PROPERTIES:
        # The bound is documented, its wording is unsure.
        raise bad_request(f"The number of properties must not exceed {MOST_PROPERTIES}.")
    wanted = [part.strip() for field in asked.get("fields") or [] for part in field.split(",") if part.strip()]
    expand = {part.strip() for part in (asked.get("expand") or "").split(",") if part.strip()}
    reconciled = reconcile_ids(asked.get("reconcileIssues") or [])
    _, search = bounded(call, asked.get("jql"))
    found = lagged(call.site, search.run(), reconciled)
    bare = set(wanted) <= {"id", "key"} and not expand and not properties
    owner = fingerprint(asked.get("jql"), sorted(reconciled))
    most = size if bare else min(size, FULL_PAGE)
    page, token = cut(found, most, asked.get("nextPageToken"), owner, call.site.clock.now())
    if set(wanted) <= {"id"} and bare:
        issues: list[Body] = [{"id": issue.id} for issue in page]
    else:
        issues = [_issue(call, issue, wanted, expand, properties) for issue in page]
    body: Body = {"issues": issues, "isLast": token is None}
    if token is not None:
        body["nextPageToken"] = token
    if {"names", "schema"} & expand:
        known = {key for issue in page for key in select(call.view, issue, wanted, ("id",))}
        body |= {"names": names(call.view, known)} if "names" in expand else {}
        body |= {"schema": schemas(call.view, known)} if "schema" in expand else {}
    return answer(body)


def _issue(call: Call, issue: Issue, wanted: list[str], expand: set[str], properties: list[str]) -> Body:
    own = expand - {"names", "schema"}
    body = bean(call.view, issue, wanted, default=("id",), expand=own, properties=properties)
    return extend(call, issue, with_fewer_comments(body), own)


@routes.post("/search/approximate-count")
async def approximate_count(call: Call) -> Response:
    """How many issues a bounded query finds."""
    body = await call.members(("jql",))
    if not isinstance(body.get("jql", ""), str):
        raise invalid_payload()
    _, search = bounded(call, body.get("jql"))
    return answer({"count": len(lagged(call.site, search.run(), frozenset()))})


# -- queries themselves --------------------------------------------------------------------------------------------


@routes.post("/jql/parse")
async def parse_queries(call: Call) -> Response:
    """The syntax tree of each query, or its errors; ``validation`` is strict, warn or none."""
    body = await call.members(("queries",), required=("queries",))
    queries = body["queries"]
    if not isinstance(queries, list) or not queries or not all(isinstance(text, str) for text in queries):
        raise invalid_payload()
    validation = call.query("validation", "strict")
    if validation not in {"strict", "warn", "none"}:
        raise bad_request("The validation must be one of strict, warn and none.")
    return answer({"queries": [_parsed(call, text, str(validation)) for text in queries]})


def _parsed(call: Call, text: str, validation: str) -> Body:
    try:
        query = parse(text)
    except JqlError as error:
        return {"query": text, "errors": error.messages}
    found: Body = {"query": text, "structure": structure(query)}
    if validation == "none":
        return found
    try:
        problems = prepare(call.site, call.user, query).problems
    except JqlError as error:
        problems = error.messages
    if problems and validation == "strict":
        return {"query": text, "errors": problems}
    return found | ({"warnings": problems} if problems else {})


@routes.post("/jql/match")
async def match_issues(call: Call) -> Response:
    """Which of the issues each query matches."""
    body = await call.members(("issueIds", "jqls"), required=("issueIds", "jqls"))
    ids, jqls = body["issueIds"], body["jqls"]
    if not isinstance(ids, list) or not isinstance(jqls, list):
        raise invalid_payload()
    if not all(isinstance(key, int) for key in ids) or not all(isinstance(jql, str) for jql in jqls):
        raise invalid_payload()
    return answer({"matches": [_matches(call, jql, {str(key) for key in ids}) for jql in jqls]})


def _matches(call: Call, jql: str, ids: set[str]) -> Body:
    try:
        query = parse(jql)
    except JqlError as error:
        return {"matchedIssues": [], "errors": error.messages}
    try:
        search = prepare(call.site, call.user, query)
    except JqlError:  # recorded: a query that names a project that is not there matches nothing, without an error
        return {"matchedIssues": [], "errors": []}
    return {"matchedIssues": sorted(int(issue.id) for issue in search.run() if issue.id in ids), "errors": []}


# -- auto-completion -----------------------------------------------------------------------------------------------


@routes.get("/jql/autocompletedata")
async def autocomplete_data(call: Call) -> Response:
    """Fields, functions and reserved words of the language."""
    return answer(_reference(call))


@routes.post("/jql/autocompletedata")
async def autocomplete_data_filtered(call: Call) -> Response:
    """The same; the project filter narrows nothing, for every field here is everywhere."""
    await call.members(("includeCollapsedFields", "projectIds"))
    return answer(_reference(call))


def _reference(call: Call) -> Body:
    own = [field for field in call.site.data.fields.values() if field.custom]
    reading = Reading(call.site, call.user)
    known = {m.name.lower(): m for m in all_meanings()}
    for field in own:
        found = meaning(reading, field.name)
        if found is not None:
            known.setdefault(found.name.lower(), found)
    fields = []
    for found in known.values():
        entry: Body = {
            "value": quoted(found.name),
            "displayName": found.name,
            "orderable": str(found.sort is not None).lower(),
            "searchable": str(bool(found.operators)).lower(),
            "operators": [
                *sorted(found.operators),
                *(jql_history.OPERATORS if found.name in jql_history.FIELDS else ()),
            ],
            "types": [_TYPES.get(found.kind, "java.lang.String")],
        }
        if (found.field_id or "").startswith("customfield_"):
            entry["cfid"] = f"cf[{str(found.field_id).removeprefix('customfield_')}]"
        fields.append(entry)
    functions = [
        {
            "value": f"{name}()" if least == 0 else f'{name}("")',
            "displayName": f"{name}()",
            "isList": str(is_list).lower(),
            "types": ["java.lang.String"],
        }
        for name, _, least, _, is_list, _ in FUNCTIONS.values()
    ]
    functions += [
        {"value": f"{name}()", "displayName": f"{name}()", "isList": "false", "types": ["java.util.Date"]}
        for name in DATE_FUNCTIONS
    ]
    return {
        "visibleFieldNames": fields,
        "visibleFunctionNames": functions,
        "jqlReservedWords": sorted(RESERVED),
    }


_TYPES = {
    "date": "java.util.Date",
    "day": "java.util.Date",
    "stamp": "java.util.Date",
    "number": "java.lang.Number",
    "key": "com.atlassian.jira.issue.Issue",
}


@routes.get("/issue/picker")
async def pick_issue(call: Call) -> Response:
    """Issues whose key or summary fits what somebody types; the history section is what was changed last."""
    typed = (call.query("query") or "").strip().lower()
    visible = {project.id for project in Reading(call.site, call.user).projects()}
    issues = [issue for issue in call.site.data.issues.values() if issue.project_id in visible]
    jql = call.query("currentJQL")
    if jql:
        try:
            search = prepare(call.site, call.user, parse(jql))
        except JqlError as error:
            raise bad_request(*error.messages) from error
        issues = [issue for issue in issues if search.matches(issue)]
    skipped = call.query("currentIssueKey")
    fitting = [
        issue
        for issue in sorted(issues, key=lambda issue: issue.updated, reverse=True)
        if issue.key != skipped and (typed in issue.key.lower() or typed in issue.summary.lower())
    ][:20]
    suggestions = [_suggestion(call, issue, typed) for issue in fitting]
    section: Body = {"label": "Current Search", "sub": f"Showing {len(fitting)} of {len(fitting)} matching issues"}
    section |= {"id": "cs", "issues": suggestions}
    if not fitting:
        section = {"label": "Current Search", "id": "cs", "msg": "No matching issues found", "issues": []}
    return answer({"sections": [section]})


def _suggestion(call: Call, issue: Issue, typed: str) -> Body:
    issue_type = call.site.data.issue_types[issue.type_id]
    return {
        "id": int(issue.id),
        "key": issue.key,
        "keyHtml": bold(issue.key, typed),
        "img": call.view.avatar("issuetype", issue_type.avatar_id),
        "summary": bold(issue.summary, typed),
        "summaryText": issue.summary,
    }
