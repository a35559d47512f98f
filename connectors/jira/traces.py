"""What people left on issues, in sprints and in the project: comments, files, work logs, changes, tickets of their own.

Comments and the like come with the same bulk fetch as the history, so they are as fresh as can be. Which tickets of
others are in an epic or a sprint only the search index knows; what it names is read again before it counts, so that a
ticket that left is not held against an item. The whole project is read by its keys instead.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import count, islice
from typing import Any

from connectors.jira.client import JiraClient
from connectors.jira.documents import REMOTE_LINK
from connectors.jira.fetching import Fetcher, is_issue
from connectors.jira.layout import READ_BATCH, Layout
from connectors.jira.mapping import fields_of, link_ends, number
from connectors.tracker import ItemKey, ItemKind, RemoteRef, Traces, kind_of

_READ = ("status", "comment", "attachment", "worklog", "subtasks", "issuelinks")

_MOST_HISTORIES = 40
"""As many changes as a bulk fetch tells of one issue, by the vendor's document."""

_OUR_NAMES = {
    "summary": "title",
    "description": "text",
    "labels": "labels",
    "assignee": "assignee",
    "priority": "priority",
    "parent": "epic",
    "issueparentassociation": "epic",
    "epic link": "epic",
    "sprint": "iteration",
}
_TOLD_OTHERWISE = frozenset(
    {"status", "resolution", "link", "attachment", "comment", "worklogid", "timespent", "timeestimate", "rank"}
)
"""What the history names that is shown by the issue itself, follows from something else, or is no content."""


class Tracer:
    """Looks for what is not phaseloop's on and around the items of one project."""

    def __init__(self, client: JiraClient) -> None:
        self._fetcher = Fetcher(client)

    def traces(
        self,
        layout: Layout,
        known: Mapping[ItemKey, RemoteRef],
        only: Collection[ItemKey],
        own: Collection[str] = (),
    ) -> dict[ItemKey, Traces]:
        """See `Tracker.traces`. A link bears none, and a guest is itself what people left."""
        known = {key: ref for key, ref in known.items() if kind_of(key) is not ItemKind.GUEST}
        wanted = {key: known[key] for key in only if key in known}
        ours = {ref.id for key, ref in known.items() if is_issue(key)}
        found = self._of_issues(layout, wanted, ours, own)
        found |= self._of_sprints(layout, wanted, ours)
        for key in wanted:
            if kind_of(key) is ItemKind.PROJECT:
                found[key] = self._of_project(layout, known, ours)
            elif kind_of(key) is ItemKind.LINK:
                found[key] = Traces()
        return {key: found[key] for key in wanted if key in found}

    def _of_issues(
        self, layout: Layout, wanted: Mapping[ItemKey, RemoteRef], ours: Collection[str], own: Collection[str]
    ) -> dict[ItemKey, Traces]:
        keys = {ref.id: key for key, ref in wanted.items() if is_issue(key)}
        read = self._fetcher.issues(list(keys), _READ, ["changelog"])
        issues = {keys[str(one["id"])]: one for one in read if str(one["id"]) in keys}
        if len(issues) < len(keys):
            self._fetcher.make_sure_of(layout)
        epics = {str(one["id"]): str(one["key"]) for key, one in issues.items() if kind_of(key) is ItemKind.EPIC}
        children = self._children(epics, ours)
        return {
            key: issue_traces(layout, issue, ours, foreign=children.get(str(issue["id"]), 0), own=own)
            for key, issue in issues.items()
        }

    def _children(self, epics: Mapping[str, str], ours: Collection[str]) -> dict[str, int]:
        """How many tickets that are not ours each epic has. `epics` are keys by id."""
        strangers = self._strangers("parent", list(epics.values()), ours, ["parent"])
        parents = [_id_of(fields_of(issue).get("parent")) for issue in strangers]
        return {epic: parents.count(epic) for epic in epics}

    def _of_sprints(
        self, layout: Layout, wanted: Mapping[ItemKey, RemoteRef], ours: Collection[str]
    ) -> dict[ItemKey, Traces]:
        keys = {ref.id: key for key, ref in wanted.items() if kind_of(key) is ItemKind.ITERATION}
        if not keys or not layout.sprints:
            return {}
        there = list(self._fetcher.sprints_by_id(layout, keys))
        inside: list[str | None] = []
        if layout.sprint_field is not None:
            for issue in self._strangers("sprint", there, ours, [layout.sprint_field]):
                sprints = fields_of(issue).get(layout.sprint_field)
                inside += {_id_of(one) for one in sprints} if isinstance(sprints, list) else ()
        return {keys[sprint]: Traces(_words([(inside.count(sprint), _FOREIGN_TICKET)])) for sprint in there}

    def _strangers(
        self, field: str, containers: Sequence[str], ours: Collection[str], fields: Sequence[str]
    ) -> list[dict[str, Any]]:
        """Issues that are in these epics or sprints by the index and not ours, as they are now."""
        ids: dict[str, None] = {}
        for start in range(0, len(containers), READ_BATCH):
            jql = f"{field} in ({', '.join(containers[start : start + READ_BATCH])}) ORDER BY key ASC"
            ids |= {str(one["id"]): None for one in self._fetcher.search(jql, ["summary"])}
        return self._fetcher.issues([one for one in ids if one not in ours], fields)

    def _of_project(self, layout: Layout, known: Mapping[ItemKey, RemoteRef], ours: Collection[str]) -> Traces:
        """Reads every key that is not of a known issue, up to the first page that leads nowhere beyond the last of
        them; of a project with many tickets of others only as many as one page shows are counted."""
        numbers = {number(ref.key.rpartition("-")[2]) for key, ref in known.items() if is_issue(key)}
        last = max(numbers, default=0)
        unknown = (one for one in count(1) if one not in numbers)
        foreign: list[dict[str, Any]] = []
        while not foreign:
            page = list(islice(unknown, READ_BATCH))
            read = self._fetcher.issues([f"{layout.project_key}-{one}" for one in page], ["summary"])
            foreign = [one for one in read if str(one["id"]) not in ours]
            if page[-1] >= last and not read:
                break
        if not foreign:
            self._fetcher.make_sure_of(layout)
        sprints = {ref.id for key, ref in known.items() if kind_of(key) is ItemKind.ITERATION}
        others = (
            [one for one in self._fetcher.sprints(layout) if str(one["id"]) not in sprints] if layout.sprints else ()
        )
        return Traces(_words([(len(foreign), _FOREIGN_TICKET), (len(others), _FOREIGN_SPRINT)]))


# --- one issue, pure -------------------------------------------------------------------------------------------------

_Noun = tuple[str, str]
_FOREIGN_TICKET: _Noun = ("ticket that is not ours", "tickets that are not ours")
_FOREIGN_SPRINT: _Noun = ("sprint that is not ours", "sprints that are not ours")


def issue_traces(
    layout: Layout, issue: Mapping[str, Any], ours: Collection[str], *, foreign: int = 0, own: Collection[str] = ()
) -> Traces:
    """What people left on an issue that was read with its history; `foreign` tickets of others are in it, and comments
    that are `own` are not people's. Of more comments than are read with an issue, those that were not read are."""
    values = fields_of(issue)
    comments = values.get("comment")
    mine = sum(_id_of(one) in own for one in _list(comments.get("comments"))) if isinstance(comments, dict) else 0
    edited, additions = _changes(layout, issue.get("changelog"), values.get("status"))
    links = [one for one in _list(values.get("issuelinks")) if not _is_among_ours(layout, str(issue["id"]), one, ours)]
    counted = [
        (_total(comments, "comments") - mine, ("comment", "comments")),
        (len(_list(values.get("attachment"))), ("attachment", "attachments")),
        (_total(values.get("worklog"), "worklogs"), ("work log", "work logs")),
        (len(_list(values.get("subtasks"))), ("sub-task", "sub-tasks")),
        (len(links), ("link to something that is not ours", "links to things that are not ours")),
        (foreign, _FOREIGN_TICKET),
    ]
    return Traces((*_words(counted), *additions), frozenset(edited))


def _changes(layout: Layout, changelog: Any, status: Any) -> tuple[set[str], list[str]]:
    """The fields that the history names, and in words what else it says."""
    if not isinstance(changelog, dict) or not isinstance(changelog.get("histories"), list):
        return set(), ["changes that Jira does not tell"]  # nothing may be taken for untouched
    histories = [one for one in changelog["histories"] if isinstance(one, dict)]
    names = {**_OUR_NAMES, layout.points_field or "": "points", layout.sprint_field or "": "iteration"}
    edited: set[str] = set()
    others: dict[str, None] = {}
    for item in (one for history in histories for one in _list(history.get("items")) if isinstance(one, dict)):
        called = str(item.get("field") or item.get("fieldId") or "")
        ours = names.get(str(item.get("fieldId") or "-")) or names.get(called.casefold())
        if ours:
            edited.add(ours)
        elif called.casefold() == "status":
            others[f"moved to {_name(status)}"] = None
        elif called.casefold() in REMOTE_LINK:
            others["web links"] = None
        elif called.casefold() not in _TOLD_OTHERWISE:
            others[f"{called} changed"] = None
    total = changelog.get("total")
    if len(histories) < (total if isinstance(total, int) else 0) or len(histories) >= _MOST_HISTORIES:
        others["more changes than Jira tells at once"] = None
    return edited, list(others)


def _is_among_ours(layout: Layout, own_id: str, link: Any, ours: Collection[str]) -> bool:
    ends = link_ends(layout, own_id, link)
    return ends is not None and set(ends) <= {own_id, *ours}


def _words(counted: Sequence[tuple[int, _Noun]]) -> tuple[str, ...]:
    return tuple(f"{many} {noun[0] if many == 1 else noun[1]}" for many, noun in counted if many > 0)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _total(page: Any, name: str) -> int:
    """How many entries a page of an issue stands for."""
    if not isinstance(page, dict):
        return 0
    total = page.get("total")
    return max(total if isinstance(total, int) else 0, len(_list(page.get(name))))


def _id_of(thing: Any) -> str | None:
    return str(thing["id"]) if isinstance(thing, dict) and thing.get("id") is not None else None


def _name(thing: Any) -> str:
    return str(thing.get("name") or "another status") if isinstance(thing, dict) else "another status"
