"""A project as it is found, ours or not: its sprints with their tickets as documents. Reads only.

Which tickets there are, the search index knows; they come with what is on them, a hundred in a call. Web links, and
comments beyond those that come along, take a request for each ticket: they are read for the longest texts only, which
is what records are, and named as unread for the others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.errors import TrackerRefused
from connectors.inferred_iterations import fortnights
from connectors.jira.client import JiraClient, segment
from connectors.jira.dialect import unsupported
from connectors.jira.documents import READ, document
from connectors.jira.fetch import Fetcher
from connectors.jira.layout import READ_BATCH, Layout
from connectors.jira.location import Locator
from connectors.jira.mapping import (
    fields_of,
    instant,
    is_epic,
    last_sprint,
    marker_of,
    number,
    sprint_ref,
    sprint_state,
)
from connectors.jira.records import Archivist
from connectors.pacing import utc_now
from connectors.records import Document, Part, Survey, Surveyed
from connectors.values import ProjectSpec, RemoteRef

EXTRAS = 20
"""How many tickets of a project are asked for more than comes along, and one more for each hundred tickets."""

_ITERATION = re.compile(r"(?:iteration|sprint)[\s:._-]*(\d{1,4})", re.IGNORECASE)


class Explorer:
    """Reads whole projects."""

    def __init__(self, client: JiraClient, locator: Locator, now: Callable[[], datetime] = utc_now) -> None:
        self._client = client
        self._locator = locator
        self._fetcher = Fetcher(client)
        self._archivist = Archivist(client)
        self._now = now

    def survey(self, spec: ProjectSpec) -> Survey | None:
        """See `Tracker.survey`."""
        place = self._locator.locate(ProjectSpec(spec.uid, spec.key, spec.name, method=spec.method))
        if place is None:
            return None
        layout = Layout.model_validate(place.facts)
        if (finding := unsupported(layout.deployment, self._client.host)) is not None:
            raise TrackerRefused(finding.message, fix=finding.fix)
        project = self._client.get_object(f"project/{segment(layout.project_id)}")
        found = self._tickets(layout)
        iterations = self._sprints(layout, found) if layout.sprints else self._stretches(layout, found)
        inside = {one.ref.id for iteration in iterations for one in iteration.documents}
        loose = tuple(one for one in found.documents.values() if one.ref.id not in inside)
        return Survey(place.ref, str(project.get("name") or layout.project_key), iterations, loose)

    # --- tickets ---

    def _tickets(self, layout: Layout) -> _Tickets:
        """All tickets of the project but epics, sub-tasks along, in the order of their keys."""
        fields = [*READ, "issuetype", "parent", *([layout.sprint_field] if layout.sprint_field else [])]
        jql = f"project = {layout.project_id} ORDER BY key ASC"
        read = {str(one["id"]): one for one in self._fetcher.search(jql, fields)}
        issues = [one for one in read.values() if not is_epic(layout, fields_of(one).get("issuetype") or {})]
        histories = self._archivist.histories(layout, issues)
        found = _Tickets({str(one["id"]): one for one in issues})
        for identity, issue in found.issues.items():
            history = histories[identity]
            links: list[Any] | None = None if history.names_links else []
            key = marker_of(issue, layout.uid) if layout.uid else None
            found.documents[identity] = document(layout, issue, history, key=key, links=links)
        lacking = [one for one in found.documents.values() if {Part.LINKS, Part.COMMENTS} & set(one.unread)]
        lacking.sort(key=lambda one: len(one.text), reverse=True)
        for one in lacking[: EXTRAS + len(issues) // READ_BATCH]:
            issue, history = found.issues[one.ref.id], histories[one.ref.id]
            found.documents[one.ref.id] = self._archivist.completed(layout, issue, history, key=one.key)
        return found

    # --- iterations ---

    def _sprints(self, layout: Layout, found: _Tickets) -> tuple[Surveyed, ...]:
        """The sprints that were made on the project's board, and those that its tickets are in."""
        sprints = {str(one["id"]): one for one in self._fetcher.sprints(layout) if _is_of(layout, one)}
        inside: dict[str, list[Document]] = {}
        for identity, one in found.documents.items():
            sprint = found.sprint_of(layout, identity)
            if sprint is not None:
                sprints.setdefault(str(sprint["id"]), sprint)
                inside.setdefault(str(sprint["id"]), []).append(one)
        surveyed = [_surveyed(layout, one, inside.get(identity, ())) for identity, one in sprints.items()]
        return tuple(sorted(surveyed, key=_age))

    def _stretches(self, layout: Layout, found: _Tickets) -> tuple[Surveyed, ...]:
        """Without sprints: by labels that say which iteration a ticket is in; without those, by two weeks."""
        labelled: dict[int, list[Document]] = {}
        for one in found.documents.values():
            numbers = {int(match[1]) for label in one.labels if (match := _ITERATION.fullmatch(label))}
            for each in numbers:
                labelled.setdefault(each, []).append(one)
        if labelled:
            return tuple(_labelled(layout, each, labelled[each]) for each in sorted(labelled))
        return fortnights(found.documents.values(), layout.board_url, self._now())


@dataclass
class _Tickets:
    """The issues of a project as they were read, and as documents, by id."""

    issues: Mapping[str, Mapping[str, Any]]
    documents: dict[str, Document] = field(default_factory=dict)

    def sprint_of(self, layout: Layout, identity: str) -> dict[str, Any] | None:
        """The sprint that a ticket is in, or was in last; a sub-task is where its parent is."""
        for _ in range(3):  # a sub-task, its parent, and no further
            values = fields_of(self.issues.get(identity))
            sprint = last_sprint(values.get(layout.sprint_field)) if layout.sprint_field else None
            kind, parent = values.get("issuetype"), values.get("parent")
            if sprint is not None or not isinstance(kind, dict) or not kind.get("subtask") or not parent:
                return sprint
            identity = str(parent.get("id"))
        return None


def _is_of(layout: Layout, sprint: Mapping[str, Any]) -> bool:
    """Whether a sprint was made on this board: a board also shows those of others whose tickets its filter finds."""
    return sprint.get("originBoardId") in (None, layout.board_id)


def _surveyed(layout: Layout, sprint: Mapping[str, Any], documents: Sequence[Document]) -> Surveyed:
    return Surveyed(
        ref=sprint_ref(layout, sprint),
        title=str(sprint.get("name") or sprint["id"]),
        status=sprint_state(sprint),
        starts=instant(sprint.get("startDate")),
        ends=instant(sprint.get("endDate")) or instant(sprint.get("completeDate")),
        documents=tuple(documents),
    )


def _age(one: Surveyed) -> tuple[bool, float, int]:
    """Oldest first; those without a beginning come last, as they were made."""
    return one.starts is None, one.starts.timestamp() if one.starts else 0.0, number(one.ref.id)


def _labelled(layout: Layout, each: int, documents: Sequence[Document]) -> Surveyed:
    """An iteration that only labels tell of; it has no dates, and is what its tickets are."""
    states = {one.status for one in documents}
    status = "closed" if states == {"done"} else "future" if states == {"todo"} else "active"
    return Surveyed(
        RemoteRef(f"label:{each}", f"Iteration {each}", layout.board_url),
        f"Iteration {each}",
        status,
        None,
        None,
        tuple(documents),
    )
