"""What the fields of JQL mean: which operators each takes, what its values name, and how it sorts.

A ``Meaning`` reads a set of comparable strings from an issue (ids, keys, words) and turns a value of the query into
the strings it stands for.  Dates, numbers and text have their own comparisons in ``jql_search.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from sandbox.jira.access import sees
from sandbox.jira.fields import CUSTOM, EPIC_LINK, RANK, SPRINT
from sandbox.jira.jql_brackets import split_type, types_of
from sandbox.jira.richtext import as_text
from sandbox.jira.state import Field, Issue, Project, RichText, Site, User

EQUALITY: Final = frozenset({"=", "!=", "in", "not in", "is", "is not"})
ORDER: Final = frozenset({"<", ">", "<=", ">="})
TEXT: Final = frozenset({"~", "!~", "is", "is not"})

Reader = Callable[["Reading", Issue], Iterable[str]]
Resolver = Callable[["Reading", str], "set[str] | None"]


@dataclass(frozen=True)
class Reading:
    """Who searches, where: what a query's words are resolved against."""

    site: Site
    user: User | None

    def projects(self) -> list[Project]:
        """The projects that exist for the searcher."""
        return [p for p in self.site.data.projects.values() if sees(self.site, self.user, p)]

    def find_issue(self, id_or_key: str) -> Issue | None:
        """An issue that exists for the searcher."""
        issue = self.site.find_issue(id_or_key)
        if issue is None or not sees(self.site, self.user, self.site.data.projects[issue.project_id]):
            return None
        return issue


@dataclass(frozen=True)
class Meaning:
    """A field of the language. ``kind`` is ids, text, date, number or key; ``rank`` orders values for < and >."""

    name: str
    kind: str
    operators: frozenset[str]
    read: Callable[[Reading, Issue], Any]
    resolve: Resolver | None = None
    rank: Callable[[Reading, str], Any] | None = None
    sort: Callable[[Reading, Issue], Any] | None = None
    field_id: str | None = None
    descending: bool = False  # which way it sorts when the query does not say


# -- reading issues ------------------------------------------------------------------------------------------------


def _one(attribute: str) -> Reader:
    def read(_reading: Reading, issue: Issue) -> list[str]:
        value = getattr(issue, attribute)
        return [] if value is None else [str(value)]

    return read


def _many(attribute: str) -> Reader:
    return lambda _reading, issue: [str(value) for value in getattr(issue, attribute)]


def _moment(attribute: str) -> Callable[[Reading, Issue], Any]:
    return lambda _reading, issue: getattr(issue, attribute)


def _words(*parts: str) -> Callable[[Reading, Issue], str | None]:
    def read(_reading: Reading, issue: Issue) -> str | None:
        texts: list[str] = []
        for part in parts:
            if part == "comment":
                texts += [as_text(comment.body) for comment in issue.comments]
            else:
                value: RichText | None = getattr(issue, part)
                texts.append(value if part == "summary" and isinstance(value, str) else as_text(value or ""))
        return "\n".join(text for text in texts if text) or None

    return read


def _category(reading: Reading, issue: Issue) -> list[str]:
    return [reading.site.data.statuses[issue.status_id].category]


def _level(reading: Reading, issue: Issue) -> list[str]:
    return [str(reading.site.data.issue_types[issue.type_id].level)]


def _project_category(reading: Reading, issue: Issue) -> list[str]:
    category = reading.site.data.projects[issue.project_id].category_id
    return [category] if category else []


def _linked_types(reading: Reading, issue: Issue) -> list[str]:
    return [link.type_id for link in reading.site.links_of(issue.id)]


def _linked_issues(reading: Reading, issue: Issue) -> list[str]:
    return [
        link.outward_id if link.inward_id == issue.id else link.inward_id for link in reading.site.links_of(issue.id)
    ]


def _worklog_days(_reading: Reading, issue: Issue) -> list[str]:
    return sorted({log.started.date().isoformat() for log in issue.worklogs})


def _worklog_authors(_reading: Reading, issue: Issue) -> list[str]:
    return [log.author for log in issue.worklogs]


def _spent(issue: Issue) -> float | None:
    return float(sum(log.seconds for log in issue.worklogs)) if issue.worklogs else None


def _estimated(attribute: str) -> Callable[[Reading, Issue], float | None]:
    def read(_reading: Reading, issue: Issue) -> float | None:
        seconds = getattr(issue, attribute)
        return None if seconds is None else float(seconds)

    return read


def _work_ratio(_reading: Reading, issue: Issue) -> float | None:
    """Per cent of the original estimate that was spent; none without an estimate."""
    if not issue.original_estimate:
        return None
    return float(int(100 * (_spent(issue) or 0) / issue.original_estimate))


def _nothing(_reading: Reading, _issue: Issue) -> None:
    return None


def _no_values(_reading: Reading, _issue: Issue) -> list[str]:
    return []


def _unknown(_reading: Reading, _text: str) -> set[str] | None:
    return None


def _epic(reading: Reading, issue: Issue) -> list[str]:
    parent = reading.site.data.issues.get(issue.parent_id or "")
    is_epic = parent is not None and reading.site.data.issue_types[parent.type_id].level == 1
    return [parent.id] if parent is not None and is_epic else []


# -- resolving values ----------------------------------------------------------------------------------------------


def _named(table: str, *, projects: bool = False) -> Resolver:
    """Records of the site by id or by name, letter case ignored; several may share a name (team-managed projects)."""

    def resolve(reading: Reading, text: str) -> set[str] | None:
        records = getattr(reading.site.data, table)
        visible = {p.id for p in reading.projects()} if projects else None
        wanted = text.lower()
        found = set()
        for key, record in records.items():
            if visible is not None and record.project_id is not None and record.project_id not in visible:
                continue
            if wanted in {str(key), record.name.lower()}:
                found.add(str(key))
        return found or None

    return resolve


def resolve_project(reading: Reading, text: str) -> set[str] | None:
    """Projects by id, name or any key that they have or had."""
    wanted = text.lower()
    found = {
        project.id
        for project in reading.projects()
        if wanted in {project.id, project.key.lower(), project.name.lower(), *(k.lower() for k in project.old_keys)}
    }
    return found or None


def _resolve_user(reading: Reading, text: str) -> set[str] | None:
    wanted = text.lower()
    found = {
        user.account_id
        for user in reading.site.data.users.values()
        if wanted in {user.account_id.lower(), user.email.lower(), user.display_name.lower()}
    }
    return found or None


def _resolve_category(_reading: Reading, text: str) -> set[str] | None:
    known = {
        "new": "new", "to do": "new", "2": "new", "indeterminate": "indeterminate", "in progress": "indeterminate",
        "4": "indeterminate", "done": "done", "complete": "done", "3": "done",
    }  # fmt: skip
    return {known[text.lower()]} if text.lower() in known else None


def _resolve_resolution(reading: Reading, text: str) -> set[str] | None:
    # "Unresolved" is the vendor's word for an empty resolution; an empty set of ids stands for it.
    return set() if text.lower() == "unresolved" else _named("resolutions")(reading, text)


def _resolve_issue(reading: Reading, text: str) -> set[str] | None:
    issue = reading.find_issue(text)
    return {issue.id} if issue else None


def _resolve_link_type(reading: Reading, text: str) -> set[str] | None:
    wanted = text.lower()
    found = {
        link_type.id
        for link_type in reading.site.data.link_types.values()
        if wanted in {link_type.id, link_type.name.lower(), link_type.inward.lower(), link_type.outward.lower()}
    }
    return found or None


def _any_text(_reading: Reading, text: str) -> set[str]:
    return {text}


def _any_text_lower(_reading: Reading, text: str) -> set[str]:
    return {text.lower()}


# -- ordering ------------------------------------------------------------------------------------------------------


def key_order(key: str) -> tuple[str, int]:
    """Issue keys by project, then by number."""
    project, _, number = key.rpartition("-")
    return project, int(number) if number.isdigit() else 0


def _priority_rank(reading: Reading, priority_id: str) -> int:
    """Highest is the greatest, so that ``priority > Medium`` means more urgent."""
    return -list(reading.site.data.priorities).index(priority_id)


def _by_name(table: str, attribute: str, label: str = "name") -> Callable[[Reading, Issue], Any]:
    def sort(reading: Reading, issue: Issue) -> Any:
        record = getattr(reading.site.data, table).get(getattr(issue, attribute))
        return getattr(record, label).lower() if record else None

    return sort


def _status_order(reading: Reading, issue: Issue) -> Any:
    workflow = reading.site.data.workflows[reading.site.data.projects[issue.project_id].workflow_id]
    place = workflow.statuses.index(issue.status_id) if issue.status_id in workflow.statuses else 0
    return place, issue.status_id


def _first_name(table: str, attribute: str) -> Callable[[Reading, Issue], Any]:
    def sort(reading: Reading, issue: Issue) -> Any:
        ids = getattr(issue, attribute)
        record = getattr(reading.site.data, table).get(ids[0]) if ids else None
        return record.name.lower() if record else None

    return sort


# -- the fields ----------------------------------------------------------------------------------------------------


def _ids(name: str, read: Reader, resolve: Resolver, **more: Any) -> Meaning:
    operators = EQUALITY | ORDER if more.get("rank") else EQUALITY
    return Meaning(name, "ids", operators, read, resolve, **more)


def _text(name: str, *parts: str, field_id: str | None = None) -> Meaning:
    read = _words(*parts)
    return Meaning(name, "text", TEXT, read, sort=read if name == "summary" else None, field_id=field_id)


def _date(name: str, attribute: str, kind: str = "date", field_id: str | None = None) -> Meaning:
    read = _moment(attribute)
    return Meaning(name, kind, EQUALITY | ORDER, read, sort=read, field_id=field_id, descending=kind == "date")


def _user(name: str, attribute: str) -> Meaning:
    sort = _by_name("users", attribute, "display_name")
    return _ids(name, _one(attribute), _resolve_user, sort=sort, field_id=name)


def _number(name: str, read: Callable[[Reading, Issue], float | None], field_id: str | None = None) -> Meaning:
    return Meaning(name, "number", EQUALITY | ORDER, read, sort=read, field_id=field_id, descending=True)


def _duration(name: str, read: Callable[[Reading, Issue], float | None], field_id: str) -> Meaning:
    return Meaning(name, "duration", EQUALITY | ORDER, read, sort=read, field_id=field_id, descending=True)


PERSON: Final = _user("assignee", "assignee")
_KEY: Final = Meaning(
    "issuekey",
    "key",
    EQUALITY | ORDER,
    _one("id"),
    _resolve_issue,
    sort=lambda _reading, issue: key_order(issue.key),
    field_id="issuekey",
    descending=True,
)
_PARENT: Final = Meaning("parent", "key", EQUALITY, _one("parent_id"), _resolve_issue, field_id="parent")
_SPRINT: Final = _ids(
    "Sprint",
    _many("sprint_ids"),
    _named("sprints"),
    sort=_first_name("sprints", "sprint_ids"),
    field_id=SPRINT,
)
_EPIC_LINK: Final = Meaning("Epic Link", "key", EQUALITY, _epic, _resolve_issue, field_id=EPIC_LINK)
_VERSION: Final = _named("versions")

_SYSTEM: Final[dict[str, Meaning]] = {
    "issuekey": _KEY,
    "project": _ids(
        "project",
        _one("project_id"),
        resolve_project,
        sort=_by_name("projects", "project_id"),
        field_id="project",
    ),
    "issuetype": _ids(
        "issuetype",
        _one("type_id"),
        _named("issue_types", projects=True),
        sort=_by_name("issue_types", "type_id"),
        field_id="issuetype",
    ),
    "status": _ids(
        "status",
        _one("status_id"),
        _named("statuses", projects=True),
        sort=_status_order,
        field_id="status",
    ),
    "statuscategory": _ids("statusCategory", _category, _resolve_category, field_id="statusCategory"),
    "priority": _ids(
        "priority",
        _one("priority_id"),
        _named("priorities"),
        rank=_priority_rank,
        sort=lambda reading, issue: _priority_rank(reading, issue.priority_id) if issue.priority_id else None,
        field_id="priority",
        descending=True,
    ),
    "resolution": _ids(
        "resolution",
        _one("resolution_id"),
        _resolve_resolution,
        sort=_by_name("resolutions", "resolution_id"),
        field_id="resolution",
    ),
    "assignee": _user("assignee", "assignee"),
    "reporter": _user("reporter", "reporter"),
    "creator": _user("creator", "creator"),
    "watcher": _ids("watcher", _many("watchers"), _resolve_user),
    "voter": _ids("voter", _many("voters"), _resolve_user),
    "labels": Meaning(
        "labels",
        "ids",
        EQUALITY,
        _many("labels"),
        _any_text,
        sort=lambda _reading, issue: issue.labels[0].lower() if issue.labels else None,
        field_id="labels",
    ),
    "component": _ids(
        "component",
        _many("component_ids"),
        _named("components"),
        sort=_first_name("components", "component_ids"),
        field_id="components",
    ),
    "fixversion": _ids(
        "fixVersion",
        _many("fix_version_ids"),
        _VERSION,
        sort=_first_name("versions", "fix_version_ids"),
        field_id="fixVersions",
    ),
    "affectedversion": _ids("affectedVersion", _many("version_ids"), _VERSION, field_id="versions"),
    "parent": _PARENT,
    "sprint": _SPRINT,
    "epic link": _EPIC_LINK,
    "hierarchylevel": _ids("hierarchyLevel", _level, _any_text),
    "category": _ids("category", _project_category, _named("categories")),
    "issuelinktype": _ids("issueLinkType", _linked_types, _resolve_link_type, field_id="issuelinks"),
    "issuelink": Meaning("issueLink", "key", EQUALITY, _linked_issues, _resolve_issue, field_id="issuelinks"),
    "created": _date("created", "created", field_id="created"),
    "updated": _date("updated", "updated", field_id="updated"),
    "resolved": _date("resolved", "resolved", field_id="resolutiondate"),
    "statuscategorychangeddate": _date("statusCategoryChangedDate", "status_changed"),
    "due": _date("due", "due_date", "day", field_id="duedate"),
    "summary": _text("summary", "summary", field_id="summary"),
    "description": _text("description", "description", field_id="description"),
    "environment": _text("environment", "environment", field_id="environment"),
    "comment": _text("comment", "comment", field_id="comment"),
    "text": _text("text", "summary", "description", "environment", "comment"),
    "votes": _number("votes", lambda _reading, issue: float(len(issue.voters)), "votes"),
    "watchers": _number("watchers", lambda _reading, issue: float(len(issue.watchers)), "watches"),
    "worklogdate": Meaning("worklogDate", "day", EQUALITY | ORDER, _worklog_days),
    "worklogauthor": _ids("worklogAuthor", _worklog_authors, _resolve_user),
    "timespent": _duration("timeSpent", lambda _reading, issue: _spent(issue), "timespent"),
    "originalestimate": _duration("originalEstimate", _estimated("original_estimate"), "timeoriginalestimate"),
    "remainingestimate": _duration("remainingEstimate", _estimated("remaining_estimate"), "timeestimate"),
    "workratio": _number("workRatio", _work_ratio, "workratio"),
    # Only looking at an issue's page counts as viewing, and nobody is signed in on the sandbox's pages.
    "lastviewed": Meaning(
        "lastViewed", "date", EQUALITY | ORDER, _nothing, sort=_nothing, field_id="lastViewed", descending=True
    ),
    # The site has no levels of security: no issue has one, and no name of one is known.
    "level": _ids("level", _no_values, _unknown, field_id="security"),
    "rank": Meaning(
        "Rank", "rank", frozenset(), lambda _r, issue: issue.rank, sort=lambda _r, issue: issue.rank, field_id=RANK
    ),
}
ALIASES: Final = {
    "key": "issuekey",
    "issue": "issuekey",
    "id": "issuekey",
    "type": "issuetype",
    "createddate": "created",
    "updateddate": "updated",
    "resolutiondate": "resolved",
    "duedate": "due",
    "components": "component",
    "fixversions": "fixversion",
    "affectsversion": "affectedversion",
    "affectedversions": "affectedversion",
    "label": "labels",
    "epic": "epic link",
    "parentepic": "epic link",
    f"cf[{SPRINT.removeprefix('customfield_')}]": "sprint",
    f"cf[{EPIC_LINK.removeprefix('customfield_')}]": "epic link",
    f"cf[{RANK.removeprefix('customfield_')}]": "rank",
    "statuscategorychangedate": "statuscategorychangeddate",
    "timeoriginalestimate": "originalestimate",
    "timeestimate": "remainingestimate",
}


def meaning(reading: Reading, name: str) -> Meaning | None:
    """The field that a query names, by any of its names, by ``cf[number]`` or by custom field id and name."""
    low = name.lower()
    low = ALIASES.get(low, low)
    if low in _SYSTEM:
        return _SYSTEM[low]
    if match := re.fullmatch(r"customfield_(\d+)", low):
        low = f"cf[{match[1]}]"
        low = ALIASES.get(low, low)
        if low in _SYSTEM:
            return _SYSTEM[low]
    plain, typed = split_type(low)
    for field in reading.site.data.fields.values():
        if not field.custom:
            continue
        clauses = {clause.lower() for clause in field.clauses}
        if low in clauses or (typed and plain in clauses and typed in types_of(field)):
            return _system_of(field) or _custom(field)
    return None


def _system_of(field: Field) -> Meaning | None:
    low = ALIASES.get(f"cf[{field.id.removeprefix('customfield_')}]", "")
    return _SYSTEM.get(low)


def all_meanings() -> list[Meaning]:
    """Every built-in field of the language, for auto-completion."""
    return list(_SYSTEM.values())


def _custom(field: Field) -> Meaning:
    kind, key = field.schema.get("type"), field.id
    value = lambda _reading, issue: issue.custom.get(key)  # noqa: E731
    if kind == "number":
        return _number(field.name, value, key)
    if kind in {"date", "datetime"}:
        shape = "day" if kind == "date" else "stamp"
        return Meaning(field.name, shape, EQUALITY | ORDER, value, sort=value, field_id=key)
    if kind == "string" and field.schema.get("custom") != f"{CUSTOM}:url":
        return Meaning(field.name, "text", TEXT, _custom_text(key), sort=_custom_text(key), field_id=key)
    return Meaning(field.name, "ids", EQUALITY, _custom_words(key), _any_text_lower, field_id=key)


def _custom_text(key: str) -> Callable[[Reading, Issue], str | None]:
    def read(_reading: Reading, issue: Issue) -> str | None:
        value = issue.custom.get(key)
        return None if value is None else as_text(value)

    return read


def _custom_words(key: str) -> Reader:
    """Everything that a query may call a value by: its id, name, key or text."""

    def words(value: Any) -> list[str]:
        if value is None:
            return []
        if isinstance(value, list):
            return [word for part in value for word in words(part)]
        if isinstance(value, dict):
            names = ("id", "value", "name", "key", "accountId", "displayName")
            return [str(value[name]).lower() for name in names if value.get(name) is not None]
        return [str(value).lower()]

    return lambda _reading, issue: words(issue.custom.get(key))
