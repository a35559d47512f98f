"""Plans: the ordered changes that would take the tracker from what is to what should be, as values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from connectors.values import (
    Fields,
    Finding,
    Item,
    ItemKey,
    ItemKind,
    Place,
    ProjectSpec,
    RemoteRef,
    Severity,
)
from service.domain.loop.turnover import Turnover
from service.domain.plan.project_settings import SettingsChange

PLAN_FORMAT = "1.7"
"""Version of a plan's JSON form. Readers accept a higher minor number and ignore fields they do not know."""


class Purpose(StrEnum):
    """What a plan is for."""

    APPLY = "apply"
    """Take the tracker to what template, team and calendar ask for."""
    UNDO = "undo"
    """Take back what one run did and nobody touched since."""
    ADVANCE = "advance"
    """Close the current iteration and begin the next one."""
    REMOVE = "remove"
    """Take back what all runs of a project did and nobody touched since, and end the project."""
    DOCUMENT = "document"
    """Write what is known of iterations into their records, and remind people of what only they can write."""
    REACT = "react"
    """Do what an event from outside asks for: a ticket added or closed, a line in a record."""


class Action(StrEnum):
    """What a change does."""

    CREATE = "create"
    UPDATE = "update"
    ADOPT = "adopt"
    KEEP = "keep"
    FORGET = "forget"
    DELETE = "delete"

    @property
    def symbol(self) -> str:
        """The sign in front of the change: + create, ~ update, = nothing to write, - let go or remove."""
        return {"create": "+", "update": "~", "adopt": "=", "keep": "=", "forget": "-", "delete": "-"}[self.value]


class Reason(StrEnum):
    """Why a change is in the plan."""

    NEW = "new"
    REFUSED_BEFORE = "refused-before"
    CHANGED = "changed"
    UNFINISHED = "unfinished"
    CARRIES_OUR_MARKER = "carries-our-marker"
    UNCHANGED = "unchanged"
    LEFT_THE_TEMPLATE = "left-the-template"
    RESTORED = "restored"
    """A person deleted it or changed it, and a person asks for it to be made as planned again."""
    GIVEN = "given"
    """A person made it and gives it to us to keep as this item."""
    MADE_BY_RUN = "made-by-run"
    """The run that is being undone created it, and nobody touched it since."""
    WRITTEN_BY_RUN = "written-by-run"
    """The run that is being undone wrote these fields, and nobody touched them since."""
    TAKEN_OVER_BY_RUN = "taken-over-by-run"
    """The run that is being undone took it over; it stays in the tracker and is no longer ours."""
    LET_GO_BY_RUN = "released-by-run"
    """The run that is being undone released it, and it is still there: it is ours again, as it was recorded."""
    CARRIED = "carried"
    """It is not done and its iteration is closed: it continues as the policy or a person says."""
    PASSED_BY = "passed-by"
    """It was prepared, and its phase was left before it came to this: it goes to the backlog, or stays with the people
    who took it up."""
    OVER = "over"
    """Its iteration is over and with it what the ticket stands for, the meetings: it is completed."""
    BEGINS = "begins"
    """The iteration begins."""
    CLOSES = "closes"
    """The iteration is closed."""
    TOUCHED = "touched"
    """It would be undone, but somebody touched it: it stays, and `note` says what was done to it."""
    STAYS = "stays"
    """It would be undone, and nobody touched it: it stays for what `note` says, because something that stays hangs on
    it, the loop brought it to where it is, or nothing can put it back."""
    FACTS = "facts"
    """It is a record, and more is known of its iteration than stands in it."""
    GIVEN_BACK = "given-back"
    """The run that is being undone restored these fields: what people had made of them is put back and stays theirs."""
    ASKED_FOR = "asked-for"
    """An event from outside asks for it; `note` says which trigger handed that on."""
    REMINDER = "reminder"
    """It is a record that lacks something, and the time when it is due came nearer."""


SECTIONS = "sections"
"""A record's field, in a plan to DOCUMENT: what is to stand under its headings, where nobody wrote anything but us."""

COMMENT = "comment"
"""A ticket's field, in a plan to DOCUMENT or to REACT: what is said on it."""

OTHERWISE = "otherwise"
"""Beside `SECTIONS`, in a plan to REACT: what is said on the record where somebody wrote in the section."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What we know of an item from our own writing.

    `wanted` are the fields as last written, without those not yet written (a ticket that is not yet in its iteration
    has no `iteration`); `seen` are the fields as the tracker showed them to us afterwards, None if not yet read back.
    `ref` is None for an item that was refused. `given`: a person made it, so what differs from the plan is theirs.
    `brought_to` is the state that the loop brought an iteration to (`active`, `closed`), empty where it did not;
    `begun_stays`: that keeps the iteration; `ended`: the iteration that a ticket was put into was closed. `theirs` are
    the fields that people had changed before a later write of ours went over them: it is touched in these for good.
    """

    key: ItemKey
    kind: ItemKind
    ref: RemoteRef | None
    wanted: Fields
    seen: Fields | None = None
    given: bool = False
    brought_to: str = ""
    begun_stays: bool = False
    ended: bool = False
    theirs: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Change:
    """One planned change. `changed` names the fields that an update writes; `note` explains the assignment.

    Of a record in a plan to DOCUMENT these are `SECTIONS` (`after` has the text by heading, `before` by heading the
    texts that may give way to it: those that we wrote) and `COMMENT` (`after` has the text, under `mentions` the
    accounts it is addressed to, under `clock` how the record stands to its time); `note` says the latter in words.
    """

    key: ItemKey
    kind: ItemKind
    action: Action
    reason: Reason
    title: str
    before: Fields | None = None
    after: Fields | None = None
    changed: tuple[str, ...] = ()
    note: str = ""

    @property
    def writes(self) -> bool:
        """Whether applying this change writes to the tracker."""
        writing = self.action in (Action.CREATE, Action.UPDATE, Action.DELETE)
        return writing or bool(self.changed) or self.reason is Reason.GIVEN

    @property
    def lines_going(self) -> list[str]:
        """The lines of a checklist that we wrote and that this takes off. What is restored only gets lines: those that
        are besides are people's."""
        if self.reason is Reason.RESTORED or "checklist" not in self.changed:
            return []
        before, after = ((fields or {}).get("checklist") or () for fields in (self.before, self.after))
        return list((Counter(before) - Counter(after)).elements())


@dataclass(frozen=True, slots=True)
class Drift:
    """Something a person changed since we wrote it. `field` is None when the item itself is gone: `observed` is then
    what it is known by in another project, if people moved it there."""

    key: ItemKey
    kind: ItemKind
    title: str
    field: str | None
    recorded: Any = None
    observed: Any = None


def moved_by_people(drift: Iterable[Drift]) -> dict[ItemKey, Any]:
    """The iterations into which people took tickets past us; None: out of every one, or they deleted it."""
    return {entry.key: entry.observed for entry in drift if entry.field in (None, "iteration")}


@dataclass(frozen=True, slots=True)
class Vacancy:
    """A ticket without a person: the role nobody could fill, and why."""

    key: ItemKey
    title: str
    role: str
    reason: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """What applying is expected to take: requests, and seconds at the tracker's usual pace."""

    reads: int
    writes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole instruction for a run: nothing is written that is not in here.

    `serial` is the project's when the plan was made; a plan whose project has moved on is stale and refused.
    `items` are the desired items that changes refer to; `known` the references of items that exist already. `observed`
    are their fields as the tracker showed them, `stood` how they stood (see `conflicts.stands`): what differs from that
    when the plan is applied is people's, and is not written.
    `place` is None when the project itself is to be created. `people` names the person behind each account id.
    `undoes` is the run that a plan to undo takes back, `turnover` what a plan to advance does to the loop. `settings`
    are those that the plan was made with and that become the project's with it; None where it brings none. From
    `expires_at` on it is not applied any more. `former` are, in an undo, the references of items as people had deleted
    them, where the run that is taken back had made them again.
    """

    project: str
    serial: int
    spec: ProjectSpec
    place: Place | None
    template: str
    changes: tuple[Change, ...]
    items: tuple[Item, ...]
    known: Mapping[ItemKey, RemoteRef]
    observed: Mapping[ItemKey, Fields]
    stood: Mapping[ItemKey, str] = field(default_factory=dict)
    drift: tuple[Drift, ...] = ()
    vacancies: tuple[Vacancy, ...] = ()
    findings: tuple[Finding, ...] = ()
    people: Mapping[str, str] = field(default_factory=dict)
    estimate: Estimate = field(default_factory=lambda: Estimate(0, 0, 0.0))
    purpose: Purpose = Purpose.APPLY
    undoes: str = ""
    turnover: Turnover | None = None
    settings: SettingsChange | None = None
    expires_at: datetime | None = None
    former: Mapping[ItemKey, RemoteRef] = field(default_factory=dict)

    @property
    def blocked(self) -> bool:
        """Whether a finding forbids applying."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do: neither in the tracker nor in our records and settings."""
        kept = self.settings is None and all(change.action is Action.KEEP for change in self.changes)
        return kept and self.purpose not in (Purpose.REMOVE, Purpose.ADVANCE)

    def counts(self) -> dict[str, int]:
        """How many changes there are of each action, all actions named."""
        seen = Counter(change.action for change in self.changes)
        return {action.value: seen[action] for action in Action}
