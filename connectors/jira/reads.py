"""Reading items back: by reference, by marker, and after a lost answer.

Reads by id or key (`bulkfetch`) see every write at once as far as is known (the vendor documents the lag only for
search, so: unsure); the search index trails behind by seconds to minutes. Nothing is concluded from the index alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import count
from typing import Any

from connectors.errors import NotATracker, NotVisible
from connectors.jira.client import AGILE, JiraClient, segment
from connectors.jira.dialect import CLOUD_DIALECT
from connectors.jira.fetch import Fetcher, is_issue, quoted
from connectors.jira.layout import READ_BATCH, Layout
from connectors.jira.mapping import (
    MARKER,
    fields_of,
    is_elsewhere,
    issue_ref,
    marked_key,
    marker_of,
    number,
    observed_issue,
    observed_sprint,
    read_fields,
    renamed_sprint,
    same_sprint,
    sprint_ref,
)
from connectors.values import Item, ItemKey, ItemKind, ObservedItem, RemoteRef, kind_of

_STRANGE_SPRINTS = 10
"""How many unknown sprints one look asks for their marker, newest first: each costs a request."""

_OPEN = "active,future"


class Reader:
    """Reads the issues and sprints of one project."""

    def __init__(self, client: JiraClient) -> None:
        self._client = client
        self._fetcher = Fetcher(client)

    # --- find ---

    def find(
        self, layout: Layout, known: Mapping[ItemKey, RemoteRef], only: Collection[ItemKey] | None
    ) -> dict[ItemKey, ObservedItem]:
        """See `Tracker.find`."""
        wanted = known if only is None else {key: known[key] for key in only if key in known}
        everything = only is None
        issues = self._known_issues(layout, wanted)
        if any(is_issue(key) and key not in issues for key in wanted):
            self._fetcher.make_sure_of(layout)
        if everything:
            issues |= self._marked_issues(layout, known)
        sprints = self._sprints(layout, wanted, known, everything=everything)
        issue_names = {ref.id: key for key, ref in known.items() if is_issue(key)}
        issue_names |= {str(issue["id"]): key for key, issue in issues.items()}
        sprint_names = {ref.id: key for key, ref in known.items() if kind_of(key) is ItemKind.ITERATION}
        sprint_names |= {str(sprint["id"]): key for key, sprint in sprints.items()}
        found = {key: observed_sprint(layout, key, sprint) for key, sprint in sprints.items()}
        for key, issue in issues.items():
            found[key] = observed_issue(layout, key, issue, issue_names, sprint_names)
        return found

    def _known_issues(self, layout: Layout, wanted: Mapping[ItemKey, RemoteRef]) -> dict[ItemKey, dict[str, Any]]:
        keys = {ref.id: key for key, ref in wanted.items() if is_issue(key)}
        issues = self._fetcher.issues(list(keys), read_fields(layout))
        return {
            keys[str(issue["id"])]: issue
            for issue in issues
            if str(issue["id"]) in keys and not is_elsewhere(layout, issue)
        }

    def elsewhere(self, layout: Layout, missing: Mapping[ItemKey, RemoteRef]) -> dict[ItemKey, RemoteRef]:
        """See `Tracker.elsewhere`."""
        keys = {ref.id: key for key, ref in missing.items() if is_issue(key)}
        issues = self._fetcher.issues(list(keys), ("project",)) if keys else []
        moved = [one for one in issues if str(one["id"]) in keys and is_elsewhere(layout, one)]
        return {keys[str(one["id"])]: issue_ref(layout, one) for one in moved}

    def _marked_issues(self, layout: Layout, known: Mapping[ItemKey, RemoteRef]) -> dict[ItemKey, dict[str, Any]]:
        """Issues that carry our marker without being known. Of several with one marker (a person cloned one), the
        oldest is ours."""
        known_ids = {ref.id for key, ref in known.items() if is_issue(key)}
        found: dict[ItemKey, dict[str, Any]] = {}
        for issue in self._labelled(layout, read_fields(layout)):
            key = marker_of(issue, layout.uid)
            if key is None or key in known or str(issue["id"]) in known_ids:
                continue
            if key not in found or number(issue["id"]) < number(found[key]["id"]):
                found[key] = issue
        return found

    def _labelled(self, layout: Layout, fields: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Issues with this project's label, as the index has them."""
        if layout.label:
            jql = f"project = {layout.project_id} AND labels = {quoted(layout.label)} ORDER BY key ASC"
            yield from self._fetcher.search(jql, fields)

    # --- sprints ---

    def _sprints(
        self,
        layout: Layout,
        wanted: Mapping[ItemKey, RemoteRef],
        known: Mapping[ItemKey, RemoteRef],
        *,
        everything: bool,
    ) -> dict[ItemKey, dict[str, Any]]:
        keys = {ref.id: key for key, ref in wanted.items() if kind_of(key) is ItemKind.ITERATION}
        if not layout.sprints or (not keys and not everything):
            return {}
        listed = list(self._fetcher.sprints(layout))
        there = self._fetcher.sprints_by_id(layout, keys, listed)
        found = {key: there[identity] for identity, key in keys.items() if identity in there}
        if everything:
            known_ids = {ref.id for key, ref in known.items() if kind_of(key) is ItemKind.ITERATION}
            strange = [one for one in listed if str(one["id"]) not in known_ids and one.get("state") != "closed"]
            found |= {key: sprint for key, sprint in self._marked(layout, strange) if key not in known}
        return found

    def _marked(self, layout: Layout, sprints: Sequence[dict[str, Any]]) -> Iterator[tuple[ItemKey, dict[str, Any]]]:
        """The sprints that carry our marker, of the newest few, the newest first."""
        for sprint, value in self._markers(sprints):
            key = marked_key(value, layout.uid)
            if key is not None:
                yield key, sprint

    def _markers(self, sprints: Sequence[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], Any]]:
        """The newest few sprints with their marker, anybody's; None where there is none."""
        newest = sorted(sprints, key=lambda one: number(one["id"]), reverse=True)
        for sprint in newest[:_STRANGE_SPRINTS]:
            yield sprint, self._marker_of(sprint)

    def _marker_of(self, sprint: Mapping[str, Any]) -> Any:
        path = f"sprint/{segment(sprint['id'])}/properties/{MARKER}"
        try:
            return self._client.get_object(path, base=AGILE).get("value")
        except NotVisible:
            return None
        except NotATracker as error:
            if error.status != 404:  # the document promises no body with this 404
                raise
            return None

    # --- after a lost answer ---

    def watermark(self, layout: Layout) -> str:
        """The highest issue number and open sprint id known now, zero-padded so that text order is their order.

        The index may not show the newest issues yet; then the mark is lower than it could be, which costs a request
        later and nothing else.
        """
        body = {
            "jql": f"project = {layout.project_id} ORDER BY key DESC",
            "fields": ["summary"],
            "maxResults": 1,
        }
        issues = self._client.query(CLOUD_DIALECT.search, body).get("issues") or []
        issue = max((_number(one) for one in issues), default=0)
        sprints = self._fetcher.sprints(layout, _OPEN) if layout.sprints else ()
        sprint = max((number(one["id"]) for one in sprints), default=0)
        return _mark(issue, sprint)

    def recover(self, layout: Layout, items: Collection[Item], since: str, *, widely: bool) -> dict[ItemKey, RemoteRef]:
        """See `Tracker.recover`."""
        issue_mark, sprint_mark = marks_of(since)
        missing = {item.key: item for item in items}
        found: dict[ItemKey, RemoteRef] = {}
        if any(is_issue(key) for key in missing):
            found |= self._issues_after(layout, missing, issue_mark)
            if widely and any(is_issue(key) and key not in found for key in missing):
                found |= self._indexed(layout, {key for key in missing if key not in found})
        iterations = [item for item in missing.values() if item.kind is ItemKind.ITERATION]
        if iterations and layout.sprints:
            found |= self._sprints_after(layout, iterations, sprint_mark)
        return found

    def _issues_after(self, layout: Layout, missing: Mapping[ItemKey, Item], mark: int) -> dict[ItemKey, RemoteRef]:
        """Read the keys that follow the mark, a hundred at a time, until a hundred lead nowhere.

        The mark's own key is read along: as long as it is answered, the project is shown to us and an absence means
        something. Without it, the project is asked for.
        """
        wanted = {key for key in missing if is_issue(key)}
        found: dict[ItemKey, RemoteRef] = {}
        read: set[str] = set()
        shown, anchor = False, f"{layout.project_key}-{mark}"
        for page in pages_after(layout, mark):
            issues = [one for one in self._fetcher.issues(page, ["summary"]) if str(one["id"]) not in read]
            shown = shown or any(one.get("key") == anchor for one in issues)
            read |= {str(one["id"]) for one in issues}
            new = [one for one in issues if one.get("key") != anchor]
            for issue in sorted(new, key=lambda one: number(one["id"])):
                key = marker_of(issue, layout.uid)
                if key is not None and key in wanted and key not in found:
                    found[key] = issue_ref(layout, issue)
            if len(found) == len(wanted):
                return found
            if not new:
                break
        if not shown:
            self._fetcher.make_sure_of(layout)
        return found

    def _sprints_after(self, layout: Layout, iterations: Sequence[Item], mark: int) -> dict[ItemKey, RemoteRef]:
        """Sprints made since: by their marker, and where the crash came before the marker, by name and dates; by goal
        and dates where people gave it another name."""
        fresh = [one for one in self._fetcher.sprints(layout, _OPEN) if number(one["id"]) > mark]
        fresh.sort(key=lambda one: number(one["id"]))
        markers = {number(sprint["id"]): value for sprint, value in self._markers(fresh) if value is not None}
        found: dict[ItemKey, RemoteRef] = {}
        for item in iterations:
            mine = [one for one in fresh if marked_key(markers.get(number(one["id"])), layout.uid) == item.key]
            bare = [one for one in fresh if number(one["id"]) not in markers]
            alike = [one for one in bare if same_sprint(item, one)] or [
                one for one in bare if renamed_sprint(item, one)
            ]
            for oldest in (mine or alike)[:1]:
                found[item.key] = sprint_ref(layout, oldest)
        return found

    def _indexed(self, layout: Layout, missing: Collection[ItemKey]) -> dict[ItemKey, RemoteRef]:
        found: dict[ItemKey, RemoteRef] = {}
        for issue in self._labelled(layout, ["summary"]):
            key = marker_of(issue, layout.uid)
            if key is not None and key in missing and key not in found:
                found[key] = issue_ref(layout, issue)
        return found

    def labels(self, layout: Layout, ref: RemoteRef) -> list[str]:
        """The labels of an issue, ours that finds it left out."""
        return [
            str(label)
            for issue in self._fetcher.issues([ref.id], ["labels"])
            for label in fields_of(issue).get("labels") or ()
            if label != layout.label
        ]

    def linked(self, layout: Layout, source: RemoteRef, target: RemoteRef) -> bool:
        """Whether Jira shows that `source` waits for `target`."""
        for issue in self._fetcher.issues([source.id], ["issuelinks"]):
            seen = observed_issue(layout, ItemKey("ticket"), issue, {}, {})
            return (source.id, target.id) in seen.links
        return False


def pages_after(layout: Layout, mark: int) -> Iterator[list[str]]:
    """The keys that follow a mark, page by page, each with the mark's own key if there is one."""
    anchor = [f"{layout.project_key}-{mark}"] if mark else []
    for first in count(mark + 1, READ_BATCH - len(anchor)):
        yield [f"{layout.project_key}-{first + step}" for step in range(READ_BATCH - len(anchor))] + anchor


def _number(issue: Any) -> int:
    return number(str(issue.get("key") or "").rpartition("-")[2]) if isinstance(issue, dict) else 0


def watermark_after(since: str, made: Sequence[tuple[ItemKey, RemoteRef]]) -> str:
    """The mark moved on past issues and sprints that were just created."""
    issue, sprint = marks_of(since)
    for key, ref in made:
        if is_issue(key):
            issue = max(issue, _number({"key": ref.key}))
        elif kind_of(key) is ItemKind.ITERATION:
            sprint = max(sprint, number(ref.id))
    return _mark(issue, sprint)


def _mark(issue: int, sprint: int) -> str:
    """Zero-padded, so that the order of marks as text is theirs in time."""
    return f"{issue:012d}.{sprint:012d}"


def marks_of(since: str) -> tuple[int, int]:
    issue, _, sprint = since.partition(".")
    return int(issue or 0), int(sprint or 0)
