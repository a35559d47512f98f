"""What issues were: the operators ``was`` and ``changed`` of JQL, answered from the changelog.

The vendor keeps such a history for six fields (support.atlassian.com, "JQL operators"). ``BY`` with ``was`` asks for
who brought the value; where nobody did, it has stood since the issue was created, by its creator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sandbox.jira.state import ChangeItem, History, Issue

FIELDS: Final = {
    "assignee": ("assignee", "assignee"),
    "fixVersion": ("fixVersions", "fix_version_ids"),
    "priority": ("priority", "priority_id"),
    "reporter": ("reporter", "reporter"),
    "resolution": ("resolution", "resolution_id"),
    "status": ("status", "status_id"),
}
"""The fields with a history, by their names in JQL: the field's id in the changelog, and the issue's attribute."""

OPERATORS: Final = ("was", "was not", "was in", "was not in", "changed")
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """A value that an issue had for some time; ``end`` is none while it has it, ``value`` none for empty."""

    value: str | None
    start: datetime
    end: datetime | None
    by: str


@dataclass(frozen=True)
class When:
    """The predicates of one clause, as far as they are given. ``people`` are account ids."""

    before: datetime | None = None
    after: datetime | None = None
    on: datetime | None = None
    during: tuple[datetime, datetime] | None = None
    people: frozenset[str] | None = None
    origin: frozenset[str | None] | None = None
    target: frozenset[str | None] | None = None

    def spans(self, span: Span) -> bool:
        """Whether a value stood at such a time, brought by such a person."""
        end = span.end or datetime.max.replace(tzinfo=UTC)
        return (
            (self.before is None or span.start < self.before)
            and (self.after is None or end > self.after)
            and all(span.start < last and end > first for first, last in self._stretches())
            and (self.people is None or span.by in self.people)
        )

    def is_met(self, history: History, item: ChangeItem) -> bool:
        """Whether a change was made at such a time, by such a person, from and to such values."""
        at = history.created
        return (
            (self.before is None or at < self.before)
            and (self.after is None or at > self.after)
            and all(first <= at < last for first, last in self._stretches())
            and (self.people is None or history.author in self.people)
            and (self.origin is None or item.before in self.origin)
            and (self.target is None or item.after in self.target)
        )

    def _stretches(self) -> Iterator[tuple[datetime, datetime]]:
        if self.on is not None:
            start = self.on.replace(hour=0, minute=0, second=0, microsecond=0)
            yield start, start + _DAY
        if self.during is not None:
            first, last = self.during
            # A day named as the end is meant whole.
            yield first, last + _DAY if (last.hour, last.minute, last.second) == (0, 0, 0) else last


def was(field: str, wanted: frozenset[str | None], when: When) -> Callable[[Issue], bool]:
    """Whether an issue had one of these values at some time."""
    return lambda issue: any(span.value in wanted and when.spans(span) for span in spans(issue, field))


def changed(field: str, when: When) -> Callable[[Issue], bool]:
    """Whether an issue's field was changed so."""
    return lambda issue: any(when.is_met(history, item) for history, item in _changes(issue, FIELDS[field][0]))


def spans(issue: Issue, field: str) -> list[Span]:
    """Everything that a field of an issue was, oldest first; of several values at a time each has its own."""
    field_id, attribute = FIELDS[field]
    now = getattr(issue, attribute)
    changes = list(_changes(issue, field_id))
    if isinstance(now, list):
        return list(_of_many(issue, set(now), changes))
    value = changes[0][1].before if changes else now
    start, by = issue.created, issue.creator
    found = []
    for history, item in changes:
        found.append(Span(value, start, history.created, by))
        value, start, by = item.after, history.created, history.author
    return [*found, Span(value, start, None, by)]


def _of_many(issue: Issue, now: set[str], changes: list[tuple[History, ChangeItem]]) -> Iterator[Span]:
    at_first = set(now)
    for _, item in reversed(changes):
        at_first = (at_first - {item.after or ""}) | ({item.before} if item.before else set())
    begun = (issue.created, issue.creator)
    standing: dict[str | None, tuple[datetime, str]] = dict.fromkeys(at_first, begun) or {None: begun}
    for history, item in changes:
        stroke = (history.created, history.author)
        if item.before in standing and item.before is not None:
            yield Span(item.before, *_until(standing.pop(item.before), history.created))
        if item.after is not None:
            if None in standing:
                yield Span(None, *_until(standing.pop(None), history.created))
            standing[item.after] = stroke
        if not standing:
            standing[None] = stroke
    for value, (start, by) in standing.items():
        yield Span(value, start, None, by)


def _until(begun: tuple[datetime, str], end: datetime) -> tuple[datetime, datetime, str]:
    return begun[0], end, begun[1]


def _changes(issue: Issue, field_id: str) -> Iterator[tuple[History, ChangeItem]]:
    for history in issue.history:
        for item in history.items:
            if item.field_id == field_id:
                yield history, item
