"""Every change of an issue goes through here, so that changelog, times and events are never forgotten."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sandbox.jira import texts
from sandbox.jira.fields import EPIC_LINK, RANK, SPRINT
from sandbox.jira.state import ChangeItem, Comment, Event, Field, History, Issue, RichText, Site, Sprint, User

# The attribute of an issue, and the name the changelog gives the field, by field id.
_ID_LISTS = {
    "components": ("component_ids", "Component", "components"),
    "fixVersions": ("fix_version_ids", "Fix Version", "versions"),
    "versions": ("version_ids", "Version", "versions"),
}


class Edit:
    """A set of changes that one person makes to one issue at one moment.

    Setters write the value and note the change; ``save`` writes one history and sends one ``jira:issue_updated``.
    Setting a field to the value it has notes nothing. ``issue_event`` is the vendor's ``issue_event_type_name``.
    """

    def __init__(self, site: Site, issue: Issue, actor: str) -> None:
        self.site = site
        self.issue = issue
        self.actor = actor
        self.items: list[ChangeItem] = []
        self.issue_event = "issue_updated"

    def note(
        self,
        name: str,
        field_id: str | None,
        before: tuple[str | None, str | None],
        after: tuple[str | None, str | None],
    ) -> None:
        """Note a change of a field by (id, text) before and after; nothing if they are the same."""
        if before == after:
            return
        kind = "custom" if (field_id or "").startswith("customfield_") else "jira"
        self.items.append(ChangeItem(name, kind, field_id, *before, *after))

    def _plain(self, name: str, field_id: str, attribute: str, value: Any, show: Callable[[Any], str | None]) -> None:
        before = getattr(self.issue, attribute)
        if before == value:
            return
        setattr(self.issue, attribute, value)
        self.note(name, field_id, (None, show(before)), (None, show(value)))

    def set_summary(self, value: str) -> None:
        """Set the summary."""
        self._plain("summary", "summary", "summary", value, str)

    def set_text(self, field_id: str, value: RichText | None) -> None:
        """Set description or environment."""
        self._plain(field_id, field_id, field_id, value, texts.plain)

    def set_due_date(self, value: str | None) -> None:
        """Set the due day; the changelog carries it in both columns."""
        before, self.issue.due_date = self.issue.due_date, value
        self.note("duedate", "duedate", (before, before), (value, value))

    def set_labels(self, value: Sequence[str]) -> None:
        """Replace the labels; they are a set, kept in order of first use."""
        self._plain("labels", "labels", "labels", list(dict.fromkeys(value)), " ".join)

    def set_reference(
        self, name: str, field_id: str, attribute: str, value: str | None, records: Any, label: str
    ) -> None:
        """Set a field that names a record of the site (priority, resolution, assignee, reporter, status, type)."""
        before = getattr(self.issue, attribute)
        setattr(self.issue, attribute, value)

        def pair(key: str | None) -> tuple[str | None, str | None]:
            record = records.get(key) if key else None
            return key, (getattr(record, label) if record else None)

        self.note(name, field_id, pair(before), pair(value))

    def set_person(self, field_id: str, account: str | None) -> None:
        """Set assignee or reporter."""
        self.set_reference(field_id, field_id, field_id, account, self.site.data.users, "display_name")
        if field_id == "assignee" and self.issue_event == "issue_updated":
            self.issue_event = "issue_assigned"

    def set_priority(self, priority_id: str | None) -> None:
        """Set the priority."""
        self.set_reference("priority", "priority", "priority_id", priority_id, self.site.data.priorities, "name")

    def set_resolution(self, resolution_id: str | None) -> None:
        """Set or clear the resolution and the moment of it."""
        if resolution_id == self.issue.resolution_id:
            return
        self.set_reference(
            "resolution", "resolution", "resolution_id", resolution_id, self.site.data.resolutions, "name"
        )
        self.issue.resolved = self.site.clock.now() if resolution_id else None

    def set_status(self, status_id: str) -> None:
        """Move to a status. As in the vendor's simplified workflow, reaching a done status resolves the issue."""
        before = self.site.data.statuses[self.issue.status_id]
        after = self.site.data.statuses[status_id]
        self.set_reference("status", "status", "status_id", status_id, self.site.data.statuses, "name")
        self.issue_event = "issue_generic"
        if before.category != after.category:
            self.issue.status_changed = self.site.clock.now()
        if after.category == "done" and self.issue.resolution_id is None:
            self.set_resolution("10000" if "10000" in self.site.data.resolutions else None)
        elif after.category != "done" and before.category == "done":
            self.set_resolution(None)

    def set_type(self, type_id: str) -> None:
        """Change the issue's type."""
        self.set_reference("issuetype", "issuetype", "type_id", type_id, self.site.data.issue_types, "name")

    def set_records(self, field_id: str, ids: Sequence[str]) -> None:
        """Replace components, fixVersions or versions; the changelog has one item for each that came or went."""
        attribute, name, table = _ID_LISTS[field_id]
        records = getattr(self.site.data, table)
        before: list[str] = getattr(self.issue, attribute)
        after = list(dict.fromkeys(ids))
        setattr(self.issue, attribute, after)
        for gone in (key for key in before if key not in after):
            self.note(name, field_id, (gone, records[gone].name if gone in records else gone), (None, None))
        for new in (key for key in after if key not in before):
            self.note(name, field_id, (None, None), (new, records[new].name))

    def set_parent(self, parent: Issue | None) -> None:
        """Put the issue under a parent, or take it from there."""
        before_id = self.issue.parent_id
        before = self.site.data.issues.get(before_id) if before_id else None
        self.issue.parent_id = parent.id if parent else None
        self.note(
            "IssueParentAssociation",
            None,
            (before.id, before.key) if before else (None, None),
            (parent.id, parent.key) if parent else (None, None),
        )

    def set_sprint(self, sprint: Sprint | None) -> None:
        """Put the issue into a sprint that is not closed, or into the backlog; closed sprints stay in the field."""
        sprints = self.site.data.sprints
        before = list(self.issue.sprint_ids)
        kept = [key for key in before if key in sprints and sprints[key].state == "closed"]
        after = kept + ([sprint.id] if sprint is not None and sprint.id not in kept else [])
        self.issue.sprint_ids = after

        def pair(ids: list[int]) -> tuple[str | None, str | None]:
            known = [sprints[key] for key in ids if key in sprints]
            return ", ".join(str(s.id) for s in known) or "", ", ".join(s.name for s in known) or ""

        if before != after:
            self.note("Sprint", SPRINT, pair(before), pair(after))

    def set_rank(self, rank: str, *, higher: bool) -> None:
        """Move the issue in its lists."""
        if rank != self.issue.rank:
            self.issue.rank = rank
            self.note("Rank", RANK, ("", ""), ("", "Ranked higher" if higher else "Ranked lower"))

    def set_estimates(self, original: int | None, remaining: int | None) -> None:
        """Set both time estimates, in seconds."""
        for field_id, attribute, value in (
            ("timeoriginalestimate", "original_estimate", original),
            ("timeestimate", "remaining_estimate", remaining),
        ):
            before = getattr(self.issue, attribute)
            setattr(self.issue, attribute, value)
            texts_ = tuple(None if number is None else str(number) for number in (before, value))
            self.note(field_id, field_id, (texts_[0], texts_[0]), (texts_[1], texts_[1]))

    def set_custom(self, field: Field, value: Any) -> None:
        """Set a custom field other than sprint and rank; ``value`` is as the field reads back, none clears it."""
        before = self.issue.custom.get(field.id)
        if before == value:
            return
        if value is None:
            self.issue.custom.pop(field.id, None)
        else:
            self.issue.custom[field.id] = value
        show = texts.custom_value
        name = "Epic Link" if field.id == EPIC_LINK else field.name
        self.note(name, field.id, (None, show(before)), (None, show(value)))

    def save(self, *, comment: Comment | None = None) -> History | None:
        """Write the history and tell the listeners; none if nothing changed. A comment made alongside goes along."""
        if not self.items:
            return None
        now = self.site.clock.now()
        history = History(str(self.site.next_id("history")), self.actor, now, self.items)
        self.issue.history.append(history)
        self.issue.updated = now
        self.site.emit(
            Event(
                "jira:issue_updated",
                self.actor,
                now,
                issue=self.issue,
                history=history,
                comment=comment,
                extra={"issue_event_type_name": self.issue_event},
            )
        )
        self.items = []
        return history


def note_beside(
    site: Site,
    issue: Issue,
    user: User,
    name: str,
    *,
    before: tuple[str | None, str | None] = (None, None),
    after: tuple[str | None, str | None] = (None, None),
) -> None:
    """Write into the history that something that is no field came or went: by its id and what people read."""
    item = ChangeItem(name, "jira", None, *before, *after)
    now = site.clock.now()
    issue.history.append(History(str(site.next_id("history")), user.account_id, now, [item]))
    issue.updated = now


def touch(site: Site, issue: Issue, event: Event | None = None) -> None:
    """Note that something beside the fields changed (a comment, a worklog): the updated time moves, nothing else."""
    issue.updated = site.clock.now()
    if event is not None:
        site.emit(event)
    else:
        site.touch()
