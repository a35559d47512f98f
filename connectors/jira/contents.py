"""What is in an iteration: the tickets of a sprint, or under Kanban those with its label, and how long they took.

Tickets of ours are read by id, so their membership is as fresh as can be. Which tickets of others are inside, only the
search index knows; what it names is read again before it counts. The moments come from the history of the status,
which one request tells for a thousand tickets.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.errors import TrackerRefused
from connectors.jira.client import JiraClient
from connectors.jira.fetch import Fetcher, quoted
from connectors.jira.layout import Layout
from connectors.jira.mapping import fields_of, instant, is_epic, issue_ref, last_sprint, marker_of, number, status_of
from connectors.values import Content, ItemKey, ItemKind, RemoteRef, kind_of

_READ = (
    "summary",
    "issuetype",
    "status",
    "labels",
    "assignee",
    "parent",
    "created",
    "statuscategorychangedate",
)


class Surveyor:
    """Looks at what the iterations of one project hold."""

    def __init__(self, client: JiraClient) -> None:
        self._fetcher = Fetcher(client)

    def contents(
        self,
        layout: Layout,
        known: Mapping[ItemKey, RemoteRef],
        iterations: Mapping[ItemKey, RemoteRef],
        labels: Mapping[ItemKey, str],
    ) -> dict[ItemKey, Sequence[Content]]:
        """See `Tracker.contents`."""
        if layout.sprints and iterations and layout.sprint_field is None:
            raise TrackerRefused(
                f"{layout.site} does not show its Sprint field, so nothing tells what is in a sprint.",
                fix="An administrator of the site looks why the field list (Settings, Issues, Custom fields) lacks it.",
            )
        if layout.sprints:
            there = self._fetcher.sprints_by_id(layout, [ref.id for ref in iterations.values()])
            names = {ref.id: key for key, ref in iterations.items() if ref.id in there}
        else:
            names = {label: key for key, label in labels.items()}
        if not names:
            return {}
        issues = self._issues(layout, known, names)
        keys = _keys(layout, known, issues)
        inside = [(one, places) for one in issues if (places := _places(layout, one, names))]
        moments = self._moments(layout, [one for one, _ in inside])
        found: dict[ItemKey, list[Content]] = {key: [] for key in names.values()}
        for issue, places in inside:
            one = content(layout, issue, keys.get(str(issue["id"])), moments[str(issue["id"])])
            for place in places:
                found[place].append(one)
        return dict(found)

    def _issues(
        self, layout: Layout, known: Mapping[ItemKey, RemoteRef], names: Collection[str]
    ) -> list[dict[str, Any]]:
        """Every ticket that may be in one of the iterations, as it is now, in the order of creation."""
        fields = [*_READ, *(extra for extra in (layout.sprint_field, layout.points_field) if extra)]
        wanted = [ref.id for key, ref in known.items() if kind_of(key) in {ItemKind.TICKET, ItemKind.GUEST}]
        ours = self._fetcher.issues(wanted, fields)
        if len(ours) < len(wanted):
            self._fetcher.make_sure_of(layout)
        read = set(wanted)
        strangers = [one for one in self._indexed(layout, names) if one not in read]
        issues = {str(one["id"]): one for one in [*ours, *self._fetcher.issues(strangers, fields)]}
        return sorted((one for one in issues.values() if _is_ticket(layout, one)), key=lambda one: number(one["id"]))

    def _indexed(self, layout: Layout, names: Collection[str]) -> Iterator[str]:
        """The ids of issues that are in these sprints or have these labels, by the index."""
        if layout.sprints:
            jql = f"sprint in ({', '.join(names)}) ORDER BY key ASC"
        else:
            jql = f"project = {layout.project_id} AND labels in ({', '.join(map(quoted, names))})"
            jql += " ORDER BY key ASC"
        for issue in self._fetcher.search(jql, ["summary"]):
            yield str(issue["id"])

    def _moments(
        self, layout: Layout, issues: Sequence[dict[str, Any]]
    ) -> dict[str, tuple[datetime | None, datetime | None]]:
        """When work on each issue began first and was done last, by issue id."""
        changes = self._fetcher.changes([str(one["id"]) for one in issues], "status")
        categories = self._fetcher.categories(layout, issues) if changes else {}
        return {str(one["id"]): moments(one, changes.get(str(one["id"]), ()), categories) for one in issues}


# --- pure ------------------------------------------------------------------------------------------------------------


def content(
    layout: Layout,
    issue: Mapping[str, Any],
    key: ItemKey | None,
    times: tuple[datetime | None, datetime | None],
) -> Content:
    """An issue as it stands in an iteration; `times` are when work on it began and when it was done."""
    values = fields_of(issue)
    person, parent = values.get("assignee"), values.get("parent")
    points = values.get(layout.points_field) if layout.points_field else None
    began, done = times
    return Content(
        ref=issue_ref(layout, issue),
        title=str(values.get("summary") or ""),
        status=status_of(values.get("status")),
        key=key,
        points=float(points) if isinstance(points, int | float) else None,
        assignee=(person.get("accountId") or person.get("id")) if isinstance(person, dict) else None,
        person=str(person.get("displayName") or "") if isinstance(person, dict) else "",
        epic=str(fields_of(parent).get("summary") or "") if isinstance(parent, dict) else "",
        labels=tuple(sorted(str(one) for one in values.get("labels") or ())),
        created_at=instant(values.get("created")),
        started_at=began,
        done_at=done,
    )


def moments(
    issue: Mapping[str, Any], changes: Sequence[Mapping[str, Any]], categories: Mapping[str, str]
) -> tuple[datetime | None, datetime | None]:
    """When an issue left `todo` first and when it was done last (None: it is not), by the changes of its status in
    their order. What nothing tells is None: a status that is no more has no category."""
    values = fields_of(issue)
    created, status = instant(values.get("created")), status_of(values.get("status"))
    first = categories.get(str(changes[0].get("from"))) if changes else status
    states = [(created, first)] + [(one["created"], categories.get(str(one.get("to")))) for one in changes]
    began = next((moment for moment, state in states if state in {"doing", "done"}), None)
    if status != "done":
        return began, None
    finished: datetime | None = None
    before: str | None = None
    for moment, state in states:
        if state == "done" and before != "done":
            finished = moment
        before = state
    # The history may lag behind the status; Jira also keeps the moment of the last change between categories.
    return began, finished if before == "done" else instant(values.get("statuscategorychangedate"))


def _keys(layout: Layout, known: Mapping[ItemKey, RemoteRef], issues: Sequence[dict[str, Any]]) -> dict[str, ItemKey]:
    """Which issues are which items of ours: the known ones, and those whose marker names an item that is not known.
    Of several with one marker (a person cloned one), the oldest."""
    found = {ref.id: key for key, ref in known.items() if kind_of(key) is ItemKind.TICKET}
    taken = set(known)
    for issue in issues:
        key = marker_of(issue, layout.uid)
        if key is not None and key not in taken and kind_of(key) is ItemKind.TICKET:
            found[str(issue["id"])] = key
            taken.add(key)
    return found


def _places(layout: Layout, issue: Mapping[str, Any], names: Mapping[str, ItemKey]) -> list[ItemKey]:
    """The iterations an issue is in. Of a closed sprint that is whatever was in it when it was closed and is in no
    other one now."""
    values = fields_of(issue)
    if not layout.sprints:
        return [names[label] for label in values.get("labels") or () if label in names]
    sprint = last_sprint(values.get(layout.sprint_field)) if layout.sprint_field else None
    return [names[str(sprint["id"])]] if sprint is not None and str(sprint["id"]) in names else []


def _is_ticket(layout: Layout, issue: Mapping[str, Any]) -> bool:
    """Whether an issue is neither an epic nor a sub-task, which follows its parent."""
    kind = fields_of(issue).get("issuetype")
    kind = kind if isinstance(kind, dict) else {}
    return not is_epic(layout, kind) and not kind.get("subtask")
