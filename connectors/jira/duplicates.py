"""What calls that came late made a second time: issues with the marker of one that is recorded, sprints with its title
and dates. They go only if they came since the run began and nobody touched them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from connectors.errors import NotVisible
from connectors.jira.client import AGILE, JiraClient, segment
from connectors.jira.fetch import Fetcher, is_issue
from connectors.jira.layout import Layout
from connectors.jira.mapping import fields_of, issue_ref, marker_of, number, same_sprint, sprint_ref, status_of
from connectors.jira.reads import marks_of, pages_after
from connectors.jira.traces import Tracer
from connectors.values import Double, Item, ItemKey, ItemKind, RemoteRef

_READ = ("summary", "creator", "status")
_OPEN = "active,future"


class Reconciler:
    """Finds doubles in one project, and removes those that nobody touched."""

    def __init__(self, client: JiraClient, tracer: Tracer, me: Callable[[], str]) -> None:
        self._client, self._tracer, self._me = client, tracer, me
        self._fetcher = Fetcher(client)

    def reconcile(self, layout: Layout, items: Sequence[tuple[Item, RemoteRef]], since: str) -> list[Double]:
        """See `Tracker.reconcile`."""
        issue_mark, sprint_mark = marks_of(since)
        issues = {item.key: (item, ref) for item, ref in items if is_issue(item.key)}
        found = []
        if issues:
            known = {key: ref for key, (_, ref) in issues.items()}
            for key, issue in list(self._twins(layout, known, issue_mark)):
                found.append(self._issue(layout, key, issue, known))
        turns = [(item, ref) for item, ref in items if item.kind is ItemKind.ITERATION]
        if turns and layout.sprints:
            found += self._sprints(layout, turns, sprint_mark)
        return found

    def _twins(
        self, layout: Layout, known: Mapping[ItemKey, RemoteRef], mark: int
    ) -> Iterator[tuple[ItemKey, dict[str, Any]]]:
        """Issues after the mark that carry the marker of a known one, until a page leads nowhere."""
        read: set[str] = set()
        for page in pages_after(layout, mark):
            new = [one for one in self._fetcher.issues(page, _READ) if str(one["id"]) not in read]
            read |= {str(one["id"]) for one in new}
            for issue in new:
                key = marker_of(issue, layout.uid)
                is_later = number(str(issue.get("key") or "").rpartition("-")[2]) > mark
                if key is not None and key in known and str(issue["id"]) != known[key].id and is_later:
                    yield key, issue
            if len(new) < len(page) // 2 or not new:
                return

    def _issue(
        self, layout: Layout, key: ItemKey, issue: Mapping[str, Any], known: Mapping[ItemKey, RemoteRef]
    ) -> Double:
        ref, fields = issue_ref(layout, issue), fields_of(issue)
        why = []
        creator = fields.get("creator")
        if not isinstance(creator, dict) or creator.get("accountId") != self._me():
            why.append("made by somebody else")
        if status_of(fields.get("status") or {}) != "todo":
            why.append("begun")
        traces = self._tracer.traces(layout, {**known, key: ref}, [key]).get(key)
        if traces is not None:
            why += [*traces.additions, *(f"its {name} was changed" for name in sorted(traces.edited))]
        if not why:
            with suppress(NotVisible):  # somebody was faster
                self._client.write("DELETE", f"issue/{segment(ref.id)}", None, empty=True)
        return Double(key, ref, "issue", str(fields.get("summary") or ref.key), tuple(why))

    def _sprints(self, layout: Layout, turns: Sequence[tuple[Item, RemoteRef]], mark: int) -> list[Double]:
        fresh = [one for one in self._fetcher.sprints(layout, _OPEN) if number(one["id"]) > mark]
        ours = {ref.id for _, ref in turns}
        found = []
        for item, _ in turns:
            alike = [one for one in fresh if str(one["id"]) not in ours and same_sprint(item, one)]
            found += [self._sprint(layout, item.key, one) for one in alike]
        return found

    def _sprint(self, layout: Layout, key: ItemKey, sprint: Mapping[str, Any]) -> Double:
        ref = sprint_ref(layout, sprint)
        traces = self._tracer.traces(layout, {key: ref}, [key]).get(key)  # any ticket in it is a stranger's then
        why = [*traces.additions] if traces is not None else []
        if sprint.get("state") != "future":
            why.append("started")
        if not why:
            with suppress(NotVisible):
                self._client.write("DELETE", f"sprint/{segment(ref.id)}", None, base=AGILE, empty=True)
        return Double(key, ref, "sprint", str(sprint.get("name") or ref.key), tuple(why))
