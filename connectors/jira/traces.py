"""What people left on issues, in sprints and in the project: comments, files, work logs, changes, tickets of their own.

Comments and the like come with the same bulk fetch as the history, so they are as fresh as can be. Which tickets of
others are in an epic or a sprint only the search index knows; what it names is read again before it counts, so that a
ticket that left is not held against an item. The whole project is read by its keys instead. Issue properties of other
programs are not looked for: that takes a request for each issue.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import count, islice
from typing import Any

from connectors.errors import CredentialsRefused, NotATracker, TrackerRefused
from connectors.jira.client import AGILE, PLATFORM, JiraClient, segment
from connectors.jira.documents import REMOTE_LINK
from connectors.jira.fetch import Fetcher, is_issue
from connectors.jira.layout import READ_BATCH, Layout
from connectors.jira.mapping import fields_of, link_ends, number
from connectors.jira.paging import by_index
from connectors.values import ItemKey, ItemKind, RemoteRef, Traces, kind_of

_READ = (
    "status",
    "labels",
    "comment",
    "attachment",
    "worklog",
    "subtasks",
    "issuelinks",
    "watches",
    "votes",
    "creator",
)

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


_SPELLED = {"duedate": "due date", "timeoriginalestimate": "original estimate"}
"""What people call fields that the history names otherwise."""


class Tracer:
    """Looks for what is not phaseloop's on and around the items of one project."""

    def __init__(self, client: JiraClient, me: Callable[[], str]) -> None:
        """`me` asks which account this is."""
        self._client, self._me = client, me
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
        me = self._me() if any(_watched(issue) for issue in issues.values()) else ""
        return {
            key: issue_traces(layout, issue, ours, foreign=children.get(str(issue["id"]), 0), own=own, me=me)
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
        counted = [(len(foreign), _FOREIGN_TICKET), (len(others), _FOREIGN_SPRINT)]
        return Traces((*_words(counted), *self._beside(layout)))

    def _beside(self, layout: Layout) -> list[str]:
        """What people made in the project beside issues and sprints, of which Jira makes none by itself but a board and
        its filter."""
        project = f"project/{segment(layout.project_id)}"
        itself = self._client.get_object(project)
        where = {"projectKeyOrId": layout.project_id}
        boards = self._listed("board", ("values",), where, AGILE)
        here = sorted((one for one in boards or () if _is_in(one, layout)), key=lambda one: number(str(one.get("id"))))
        filters = self._listed("filter/search", ("values",), {"projectId": layout.project_id})
        if filters:
            of_boards = {self._filter_of(str(one.get("id"))) for one in here}
            filters = [one for one in filters if _id_of(one) not in of_boards]
        found: list[tuple[list[Any] | None, _Noun]] = [
            ([itself] if itself.get("description") else [], ("description", "descriptions")),
            (self._listed(f"{project}/version", ("values",)), ("version", "versions")),
            (self._listed(f"{project}/component", ("values",)), ("component", "components")),
            (self._properties(f"{project}/properties"), ("project property", "project properties")),
            (here[1:] if boards is not None else None, ("more board", "more boards")),
            (filters, ("filter that is shared with it", "filters that are shared with it")),
        ]
        unseen = [f"{noun[1]}, which this account may not see" for things, noun in found if things is None]
        return [*_words([(len(things or ()), noun) for things, noun in found]), *unseen]

    def _listed(
        self, path: str, names: tuple[str, ...], params: Mapping[str, str] | None = None, base: str = PLATFORM
    ) -> list[dict[str, Any]] | None:
        """A list, None where this account may not see it; of a site that does not have it, an empty one."""
        try:
            return list(by_index(self._client, path, names, params=dict(params or {}), base=base))
        except CredentialsRefused:
            raise
        except TrackerRefused:
            return None
        except NotATracker as error:
            if error.status != 404:
                raise
            return []

    def _properties(self, path: str) -> list[Any] | None:
        try:
            return _list(self._client.get_object(path).get("keys"))
        except CredentialsRefused:
            raise
        except TrackerRefused:
            return None

    def _filter_of(self, board: str) -> str | None:
        try:
            found = self._client.get_object(f"board/{segment(board)}/configuration", base=AGILE)
        except CredentialsRefused:
            raise
        except TrackerRefused:
            return None
        return _id_of(found.get("filter"))


# --- one issue, pure -------------------------------------------------------------------------------------------------

_Noun = tuple[str, str]
_FOREIGN_TICKET: _Noun = ("ticket that is not ours", "tickets that are not ours")
_FOREIGN_SPRINT: _Noun = ("sprint that is not ours", "sprints that are not ours")


def issue_traces(
    layout: Layout,
    issue: Mapping[str, Any],
    ours: Collection[str],
    *,
    foreign: int = 0,
    own: Collection[str] = (),
    me: str = "",
) -> Traces:
    """What people left on an issue that was read with its history; `foreign` tickets of others are in it, and comments
    that are `own` are not people's. Of more comments than are read with an issue, those that were not read are.
    `me` is the account that asks; Jira has whoever makes an issue watch it."""
    values = fields_of(issue)
    comments = values.get("comment")
    mine = sum(_id_of(one) in own for one in _list(comments.get("comments"))) if isinstance(comments, dict) else 0
    edited, additions = _changes(layout, issue.get("changelog"), values.get("status"))
    if layout.label not in _list(values.get("labels")) and _had_label(layout.label, issue.get("changelog")):
        additions.append(f"label {layout.label} taken off")
    links = [one for one in _list(values.get("issuelinks")) if not _is_among_ours(layout, str(issue["id"]), one, ours)]
    counted = [
        (_total(comments, "comments") - mine, ("comment", "comments")),
        (len(_list(values.get("attachment"))), ("attachment", "attachments")),
        (_total(values.get("worklog"), "worklogs"), ("work log", "work logs")),
        (len(_list(values.get("subtasks"))), ("sub-task", "sub-tasks")),
        (len(links), ("link to something that is not ours", "links to things that are not ours")),
        (_watched(issue, me), ("watcher", "watchers")),
        (_count(values.get("votes"), "votes"), ("vote", "votes")),
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
            others[f"{_SPELLED.get(called.casefold(), called)} changed"] = None
    total = changelog.get("total")
    if len(histories) < (total if isinstance(total, int) else 0) or len(histories) >= _MOST_HISTORIES:
        others["more changes than Jira tells at once"] = None
    return edited, list(others)


def _had_label(label: str, changelog: Any) -> bool:
    """Whether the history says that somebody took the label off."""
    histories = changelog.get("histories") if isinstance(changelog, dict) else None
    items = (one for history in _list(histories) if isinstance(history, dict) for one in _list(history.get("items")))
    return any(
        label in str(one.get("fromString") or "").split() and label not in str(one.get("toString") or "").split()
        for one in items
        if isinstance(one, dict) and str(one.get("field") or one.get("fieldId") or "").casefold() == "labels"
    )


def _watched(issue: Mapping[str, Any], me: str = "") -> int:
    """How many people watch an issue, this account and its maker aside. Where it is not known who asks (`me`), its
    maker is somebody else."""
    values = fields_of(issue)
    watches, creator = values.get("watches"), values.get("creator")
    others = _count(watches, "watchCount") - (isinstance(watches, dict) and watches.get("isWatching") is True)
    made_by = creator.get("accountId") if isinstance(creator, dict) else None
    return max(0, others - (bool(me) and made_by not in (None, me)))


def _count(thing: Any, name: str) -> int:
    count = thing.get(name) if isinstance(thing, dict) else None
    return count if isinstance(count, int) else 0


def _is_in(board: Mapping[str, Any], layout: Layout) -> bool:
    """Whether a board is one of the project itself, not one that shows it among others."""
    location = board.get("location")
    return isinstance(location, dict) and str(location.get("projectId")) == layout.project_id


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
