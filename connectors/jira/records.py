"""Tickets as evidence: what people wrote on them, who and when, and what of it could not be read.

A hundred tickets are one request, a thousand changes one more. Only web links, and comments beyond those that come with
a ticket, take a request for each; where such a one fails, that part of that ticket is named as unread, and the others
stand. What is read for all tickets together raises: then nothing was looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from connectors.errors import CredentialsRefused, PermissionMissing, TrackerRefused, TrackerUnavailable
from connectors.jira.client import JiraClient, segment
from connectors.jira.documents import READ, History, document, lacks_comments
from connectors.jira.fetch import Fetcher
from connectors.jira.layout import Layout
from connectors.jira.paging import by_index
from connectors.records import Document
from connectors.retries import TOO_MANY
from connectors.values import ItemKey, ItemKind, RemoteRef, kind_of

_COMMENTS_PAGE = 100
_MOST_FAILURES = 3
"""As many tickets in a row may fail for a Jira that does not answer; then it is Jira that is down, not a ticket."""


class Archivist:
    """Reads the tickets of one project as documents."""

    def __init__(self, client: JiraClient) -> None:
        self._client = client
        self._fetcher = Fetcher(client)
        self._failed = 0

    def documents(
        self, layout: Layout, known: Mapping[ItemKey, RemoteRef], whole: Collection[ItemKey]
    ) -> dict[ItemKey, Document]:
        """See `Tracker.documents`."""
        self._failed = 0
        keys = {ref.id: key for key, ref in known.items() if kind_of(key) in {ItemKind.TICKET, ItemKind.GUEST}}
        read = {str(one["id"]): one for one in self._fetcher.issues(list(keys), READ)} if keys else {}
        if len(read) < len(keys):
            self._fetcher.make_sure_of(layout)
        issues = {issue: read[issue] for issue in keys if issue in read}
        histories = self.histories(layout, list(issues.values()))
        found: dict[ItemKey, Document] = {}
        for issue_id, issue in issues.items():
            key = keys[issue_id]
            found[key] = self.completed(layout, issue, histories[issue_id], key=key, whole=key in whole)
        return found

    def completed(
        self,
        layout: Layout,
        issue: Mapping[str, Any],
        history: History,
        *,
        key: ItemKey | None,
        whole: bool = False,
    ) -> Document:
        """An issue as evidence, with what takes a request of its own: web links if it is `whole` or there are some by
        its history, and comments beyond those that came along."""
        issue_id = str(issue["id"])
        links = self._links(layout, issue_id) if whole or history.names_links else []
        comments = self._comments(issue_id) if lacks_comments(issue) else None
        return document(layout, issue, history, key=key, links=links, comments=comments)

    def histories(self, layout: Layout, issues: Sequence[Mapping[str, Any]]) -> dict[str, History]:
        """What the changes of these issues tell, by issue id."""
        changes = self._fetcher.histories([str(one["id"]) for one in issues]) if issues else {}
        moved = any(History(one).moved for one in changes.values())
        categories = self._fetcher.categories(layout, issues) if moved else {}
        return {str(one["id"]): History(changes.get(str(one["id"]), ()), categories) for one in issues}

    def _links(self, layout: Layout, issue_id: str) -> list[Any] | None:
        """The web links of an issue as Jira tells them, None if it does not."""

        def read() -> list[Any]:
            try:
                return self._client.get_list(f"issue/{segment(issue_id)}/remotelink")
            except PermissionMissing:
                if layout.link_type is None:  # links are switched off for the whole site: then there are none
                    return []
                raise

        return self._read(read)

    def _comments(self, issue_id: str) -> list[Any] | None:
        """All comments of an issue, None if a page of them cannot be read."""
        path = f"issue/{segment(issue_id)}/comment"
        return self._read(lambda: list(by_index(self._client, path, ("comments",), size=_COMMENTS_PAGE)))

    def _read(self, read: Callable[[], list[Any]]) -> list[Any] | None:
        """What is read of one ticket alone, None if that ticket's cannot be read. Raises what the next ticket would
        meet just so: a limit of rates, a refused token, a Jira that fails several times in a row."""
        found: list[Any] | None
        try:
            found = read()
        except CredentialsRefused:
            raise
        except TrackerRefused:
            found = None
        except TrackerUnavailable as error:
            self._failed += 1
            if error.status == TOO_MANY or self._failed >= _MOST_FAILURES:
                raise
            return None
        self._failed = 0
        return found
