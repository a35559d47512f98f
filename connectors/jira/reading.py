"""Reading items back: by reference, by marker, and after a lost answer.

Reads by id or key (`bulkfetch`) see every write at once as far as is known (the vendor documents the lag only for
search, so: unsure); the search index trails behind by seconds to minutes. Nothing is concluded from the index alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from connectors.errors import NotATracker, NotVisible, TrackerUnavailable
from connectors.jira.client import AGILE, JiraClient, segment
from connectors.jira.dialect import CLOUD_DIALECT
from connectors.jira.layout import READ_BATCH, Layout
from connectors.jira.mapping import (
    MARKER,
    marked_key,
    marker_of,
    number,
    observed_issue,
    observed_sprint,
    read_fields,
    same_sprint,
    sprint_ref,
)
from connectors.jira.paging import by_index, by_token
from connectors.tracker import Item, ItemKey, ItemKind, ObservedItem, RemoteRef, kind_of

_STRANGE_SPRINTS = 10
"""How many unknown sprints one look asks for their marker, newest first: each costs a request."""

_QUIET_LOOKS = 3
"""How many looks in a row must find nothing new before an item counts as not created."""

_OPEN = {"state": "active,future"}


class Reader:
    """Reads the issues and sprints of one project."""

    def __init__(self, client: JiraClient) -> None:
        self._client = client

    # --- find ---

    def find(
        self, layout: Layout, known: Mapping[ItemKey, RemoteRef], only: Collection[ItemKey] | None
    ) -> dict[ItemKey, ObservedItem]:
        """See `Tracker.find`."""
        wanted = known if only is None else {key: known[key] for key in only if key in known}
        everything = only is None
        issues = self._known_issues(layout, wanted)
        if any(_is_issue(key) and key not in issues for key in wanted):
            self._make_sure_of(layout)
        if everything:
            issues |= self._marked_issues(layout, known)
        sprints = self._sprints(layout, wanted, known, everything=everything)
        issue_names = {ref.id: key for key, ref in known.items() if _is_issue(key)}
        issue_names |= {str(issue["id"]): key for key, issue in issues.items()}
        sprint_names = {ref.id: key for key, ref in known.items() if kind_of(key) is ItemKind.ITERATION}
        sprint_names |= {str(sprint["id"]): key for key, sprint in sprints.items()}
        found = {key: observed_sprint(layout, key, sprint) for key, sprint in sprints.items()}
        for key, issue in issues.items():
            found[key] = observed_issue(layout, key, issue, issue_names, sprint_names)
        return found

    def _known_issues(self, layout: Layout, wanted: Mapping[ItemKey, RemoteRef]) -> dict[ItemKey, dict[str, Any]]:
        keys = {ref.id: key for key, ref in wanted.items() if _is_issue(key)}
        issues = self._fetch(list(keys), read_fields(layout))
        return {keys[str(issue["id"])]: issue for issue in issues if str(issue["id"]) in keys}

    def _marked_issues(self, layout: Layout, known: Mapping[ItemKey, RemoteRef]) -> dict[ItemKey, dict[str, Any]]:
        """Issues that carry our marker without being known. Of several with one marker (a person cloned one), the
        oldest is ours."""
        known_ids = {ref.id for key, ref in known.items() if _is_issue(key)}
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
        if not layout.label:
            return
        body = {
            "jql": f"project = {_quoted(layout.project_key)} AND labels = {_quoted(layout.label)} ORDER BY key ASC",
            "fields": list(fields),
            "properties": [MARKER],
            "maxResults": READ_BATCH,
        }
        for issue in by_token(self._client, CLOUD_DIALECT.search, body):
            if issue.get("id"):
                yield issue

    def _fetch(self, ids: Sequence[str], fields: Sequence[str]) -> list[dict[str, Any]]:
        """Issues by id or key; those that are gone are missing. Raises `TrackerUnavailable` if some could not be
        read: then nothing may be concluded from their absence."""
        found: list[dict[str, Any]] = []
        for start in range(0, len(ids), READ_BATCH):
            pending = list(ids[start : start + READ_BATCH])
            while pending:
                body = {"issueIdsOrKeys": pending, "fields": list(fields), "properties": [MARKER]}
                answer = self._client.query(CLOUD_DIALECT.bulk_fetch, body)
                found += [one for one in answer.get("issues") or () if isinstance(one, dict) and one.get("id")]
                unread = [str(one["id"]) for one in answer.get("issueErrors") or () if _may_come_back(one)]
                if unread and len(unread) >= len(pending):
                    raise TrackerUnavailable(
                        f"Jira at {self._client.host} could not read {len(unread)} issues just now.",
                        request=f"POST /rest/api/2/{CLOUD_DIALECT.bulk_fetch}",
                    )
                pending = unread  # the vendor names those it left out for size; ask for them alone
        return found

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
        listed = list(self._board_sprints(layout, {}))
        found = {keys[str(sprint["id"])]: sprint for sprint in listed if str(sprint["id"]) in keys}
        if everything:
            known_ids = {ref.id for key, ref in known.items() if kind_of(key) is ItemKind.ITERATION}
            strange = [one for one in listed if str(one["id"]) not in known_ids and one.get("state") != "closed"]
            found |= {key: sprint for key, sprint in self._marked(layout, strange) if key not in known}
        return found

    def _board_sprints(self, layout: Layout, states: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        path = f"board/{layout.board_id}/sprint"
        for sprint in by_index(self._client, path, ("values",), params=dict(states), base=AGILE):
            if sprint.get("id") is not None:
                yield sprint

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
            "jql": f"project = {_quoted(layout.project_key)} ORDER BY key DESC",
            "fields": ["summary"],
            "maxResults": 1,
        }
        issues = self._client.query(CLOUD_DIALECT.search, body).get("issues") or []
        issue = max((_number(one) for one in issues), default=0)
        sprints = self._board_sprints(layout, _OPEN) if layout.sprints else ()
        sprint = max((number(one["id"]) for one in sprints), default=0)
        return f"{issue:012d}.{sprint:012d}"

    def recover(self, layout: Layout, items: Collection[Item], since: str) -> dict[ItemKey, RemoteRef]:
        """See `Tracker.recover`.

        A lost answer may mean that Jira is still at work on the call, so one look is not enough: it looks again
        after a pause until several looks in a row find nothing new.
        """
        issue_mark, _, sprint_mark = since.partition(".")
        missing = {item.key: item for item in items}
        found: dict[ItemKey, RemoteRef] = {}
        quiet = 0
        while missing and quiet < _QUIET_LOOKS:
            if quiet and not self._client.patience.try_pause(float(quiet)):
                break
            new = self._created(layout, missing, int(issue_mark or 0), int(sprint_mark or 0))
            found |= new
            quiet = 1 if new else quiet + 1
            missing = {key: item for key, item in missing.items() if key not in found}
        if missing:
            self._make_sure_of(layout)
        if any(_is_issue(key) for key in missing):
            found |= self._indexed(layout, missing)
        return found

    def _make_sure_of(self, layout: Layout) -> None:
        """Raise unless the project is still shown to us: a bulk fetch leaves out what may not be seen, and then an
        absence would mean nothing."""
        self._client.get_object(f"project/{segment(layout.project_id)}")

    def _created(
        self, layout: Layout, missing: Mapping[ItemKey, Item], issue_mark: int, sprint_mark: int
    ) -> dict[ItemKey, RemoteRef]:
        found: dict[ItemKey, RemoteRef] = {}
        if any(_is_issue(key) for key in missing):
            found |= self._issues_after(layout, missing, issue_mark)
        iterations = [item for item in missing.values() if item.kind is ItemKind.ITERATION]
        if iterations and layout.sprints:
            found |= self._sprints_after(layout, iterations, sprint_mark)
        return found

    def _issues_after(self, layout: Layout, missing: Mapping[ItemKey, Item], mark: int) -> dict[ItemKey, RemoteRef]:
        """Read the keys that follow the mark, a hundred at a time, until a hundred lead nowhere."""
        found: dict[ItemKey, RemoteRef] = {}
        read: set[str] = set()
        while True:
            page = [f"{layout.project_key}-{number}" for number in range(mark + 1, mark + READ_BATCH + 1)]
            issues = [one for one in self._fetch(page, ["summary"]) if str(one["id"]) not in read]
            read |= {str(one["id"]) for one in issues}
            for issue in sorted(issues, key=lambda one: number(one["id"])):
                key = marker_of(issue, layout.uid)
                if key is not None and key in missing and key not in found:
                    found[key] = _issue_ref(layout, issue)
            if not issues or len(found) == len(missing):
                return found
            mark += READ_BATCH

    def _sprints_after(self, layout: Layout, iterations: Sequence[Item], mark: int) -> dict[ItemKey, RemoteRef]:
        """Sprints made since: by their marker, and where the crash came before the marker, by name and dates."""
        fresh = [one for one in self._board_sprints(layout, _OPEN) if number(one["id"]) > mark]
        fresh.sort(key=lambda one: number(one["id"]))
        markers = {number(sprint["id"]): value for sprint, value in self._markers(fresh) if value is not None}
        found: dict[ItemKey, RemoteRef] = {}
        for item in iterations:
            mine = [one for one in fresh if marked_key(markers.get(number(one["id"])), layout.uid) == item.key]
            alike = [one for one in fresh if number(one["id"]) not in markers and same_sprint(item, one)]
            for oldest in (mine or alike)[:1]:
                found[item.key] = sprint_ref(layout, oldest)
        return found

    def _indexed(self, layout: Layout, missing: Mapping[ItemKey, Item]) -> dict[ItemKey, RemoteRef]:
        found: dict[ItemKey, RemoteRef] = {}
        for issue in self._labelled(layout, ["summary"]):
            key = marker_of(issue, layout.uid)
            if key is not None and key in missing and key not in found:
                found[key] = _issue_ref(layout, issue)
        return found

    def linked(self, layout: Layout, source: RemoteRef, target: RemoteRef) -> bool:
        """Whether Jira shows that `source` waits for `target`."""
        for issue in self._fetch([source.id], ["issuelinks"]):
            seen = observed_issue(layout, ItemKey("ticket"), issue, {}, {})
            return (source.id, target.id) in seen.links
        return False


def _may_come_back(error: Any) -> bool:
    """Whether an issue that was left out may be read another time. By the document, those that do not exist are not
    listed at all; where they are, they say so in the words of a 404."""
    if not isinstance(error, dict) or error.get("id") is None:
        return False
    return "does not exist" not in str(error.get("errorMessage") or "")


def _is_issue(key: ItemKey) -> bool:
    return kind_of(key) in {ItemKind.EPIC, ItemKind.TICKET}


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _number(issue: Any) -> int:
    return number(str(issue.get("key") or "").rpartition("-")[2]) if isinstance(issue, dict) else 0


def _issue_ref(layout: Layout, issue: Mapping[str, Any]) -> RemoteRef:
    key = str(issue.get("key") or issue["id"])
    return RemoteRef(str(issue["id"]), key, layout.browse(key))
