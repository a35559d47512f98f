"""Reads of issues and sprints that see every write at once, as far as is known: by id or key, and a board's list.

The vendor documents a lag only for search, so: unsure. Nothing is concluded from the search index alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.errors import NotATracker, NotVisible, TrackerUnavailable
from connectors.jira.client import AGILE, JiraClient, segment
from connectors.jira.dialect import CLOUD_DIALECT
from connectors.jira.layout import READ_BATCH, Layout
from connectors.jira.mapping import MARKER, fields_of, instant, number, status_of
from connectors.jira.paging import by_index, by_token
from connectors.values import ItemKey, ItemKind, kind_of

HISTORY_BATCH = 1000
"""As many issues as a bulk fetch of changelogs takes, by the vendor's document."""


class Fetcher:
    """Reads the issues and sprints of one project by what they are called."""

    def __init__(self, client: JiraClient) -> None:
        self._client = client

    def issues(self, ids: Sequence[str], fields: Sequence[str], expand: Sequence[str] = ()) -> list[dict[str, Any]]:
        """Issues by id or key with their markers; those that are gone are missing. Raises `TrackerUnavailable` if some
        could not be read: then nothing may be concluded from their absence."""
        found: list[dict[str, Any]] = []
        for start in range(0, len(ids), READ_BATCH):
            pending = list(ids[start : start + READ_BATCH])
            while pending:
                body: dict[str, Any] = {"issueIdsOrKeys": pending, "fields": list(fields), "properties": [MARKER]}
                if expand:
                    body["expand"] = list(expand)
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

    def search(self, jql: str, fields: Sequence[str]) -> Iterator[dict[str, Any]]:
        """The issues that a query finds with their markers, as the index has them."""
        body = {"jql": jql, "fields": list(fields), "properties": [MARKER], "maxResults": READ_BATCH}
        for issue in by_token(self._client, CLOUD_DIALECT.search, body):
            if issue.get("id"):
                yield issue

    def changes(self, ids: Sequence[str], field: str) -> dict[str, list[dict[str, Any]]]:
        """The changes of one field of these issues, oldest first, by issue id; each an item of the history with the
        moment of it under `created`. An issue without any is missing."""
        found: dict[str, list[dict[str, Any]]] = {}
        for start in range(0, len(ids), HISTORY_BATCH):
            body = {"issueIdsOrKeys": list(ids[start : start + HISTORY_BATCH]), "fieldIds": [field]}
            for log in by_token(self._client, "changelog/bulkfetch", body, name="issueChangeLogs"):
                for history in log.get("changeHistories") or ():
                    found.setdefault(str(log.get("issueId")), []).extend(_items(history, field))
        return {issue: sorted(items, key=_when) for issue, items in found.items()}

    def histories(self, ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
        """Every change of these issues, oldest first, by issue id. An issue without any is missing."""
        found: dict[str, list[dict[str, Any]]] = {}
        for start in range(0, len(ids), HISTORY_BATCH):
            body = {"issueIdsOrKeys": list(ids[start : start + HISTORY_BATCH])}
            for log in by_token(self._client, "changelog/bulkfetch", body, name="issueChangeLogs"):
                entries = [one for one in log.get("changeHistories") or () if isinstance(one, dict)]
                found.setdefault(str(log.get("issueId")), []).extend(entries)
        return {issue: sorted(entries, key=_order) for issue, entries in found.items()}

    def categories(self, layout: Layout, issues: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """What each status of the project, and each that one of the issues has, comes to (`todo`, `doing`, `done`), by
        status id."""
        types = self._client.get_list(f"project/{segment(layout.project_id)}/statuses")
        listed = [one for kind in types if isinstance(kind, dict) for one in kind.get("statuses") or ()]
        statuses = [*listed, *(fields_of(issue).get("status") for issue in issues)]
        return {str(one["id"]): status_of(one) for one in statuses if isinstance(one, dict) and one.get("id")}

    def sprints(self, layout: Layout, states: str = "") -> Iterator[dict[str, Any]]:
        """The sprints that the project's board shows, or those in these states; none without a board."""
        if layout.board_id is None:
            return
        params: Mapping[str, str] = {"state": states} if states else {}
        path = f"board/{layout.board_id}/sprint"
        for sprint in by_index(self._client, path, ("values",), params=dict(params), base=AGILE):
            if sprint.get("id") is not None:
                yield sprint

    def sprints_by_id(
        self, layout: Layout, ids: Collection[str], listed: Iterable[dict[str, Any]] | None = None
    ) -> dict[str, dict[str, Any]]:
        """These sprints, wherever they are shown; one that is gone is missing. Those that the project's board lists
        (`listed`, where it was asked already) come with it, and each other takes a request: a sprint outlives the board
        that it was made on."""
        wanted = set(ids)
        shown = listed if listed is not None else self.sprints(layout) if wanted else ()
        found = {str(one["id"]): one for one in shown if str(one["id"]) in wanted}
        for identity in sorted(wanted - found.keys()):
            try:
                found[identity] = self._client.get_object(f"sprint/{segment(identity)}", base=AGILE)
            except NotVisible:
                continue
            except NotATracker as error:
                if error.status != 404:  # the document promises no body with this 404
                    raise
        return found

    def make_sure_of(self, layout: Layout) -> None:
        """Raise unless the project is still shown to us: a bulk fetch leaves out what may not be seen, and then an
        absence would mean nothing."""
        self._client.get_object(f"project/{segment(layout.project_id)}")


def is_issue(key: ItemKey) -> bool:
    """Whether an item is an issue in Jira, ours or people's own."""
    return kind_of(key) in {ItemKind.EPIC, ItemKind.TICKET, ItemKind.GUEST}


def _items(history: Any, field: str) -> Iterator[dict[str, Any]]:
    """What a history entry says of one field."""
    if isinstance(history, dict) and (created := instant(history.get("created"))) is not None:
        for item in history.get("items") or ():
            if isinstance(item, dict) and field in (item.get("fieldId"), item.get("field")):
                yield {**item, "created": created}


def _when(item: dict[str, Any]) -> datetime:
    created: datetime = item["created"]
    return created


_BEGINNING = datetime.min.replace(tzinfo=UTC)


def _order(history: dict[str, Any]) -> tuple[datetime, int]:
    return instant(history.get("created")) or _BEGINNING, number(history.get("id"))


def quoted(text: str) -> str:
    """A value in a query."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _may_come_back(error: Any) -> bool:
    """Whether an issue that was left out may be read another time. By the document, those that do not exist are not
    listed at all; where they are, they say so in the words of a 404."""
    if not isinstance(error, dict) or error.get("id") is None:
        return False
    return "does not exist" not in str(error.get("errorMessage") or "")
