"""Plans: the ordered changes that would take the tracker from what is to what should be.

`diff` compares three things and does no I/O: what is desired (template, parameters, team, calendar), what was
recorded (what we last wrote, and what the tracker showed right after), and what is observed now. Desired against
recorded is change, to propose. Recorded against observed is drift, to report: people own what they touched.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from connectors.tracker import (
    ALONG,
    Fields,
    Finding,
    Item,
    ItemKey,
    ItemKind,
    ObservedItem,
    Place,
    ProjectSpec,
    RemoteRef,
    Severity,
)

PLAN_FORMAT = "1.1"
"""Version of a plan's JSON form. Readers accept a higher minor number and ignore fields they do not know."""


class Purpose(StrEnum):
    """What a plan is for."""

    APPLY = "apply"
    """Take the tracker to what template, team and calendar ask for."""
    UNDO = "undo"
    """Take back what one run did and nobody touched since."""
    REMOVE = "remove"
    """Take back what all runs of a project did and nobody touched since, and end the project."""


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
    TOUCHED = "touched"
    """It would be undone, but somebody touched it: it stays, and `note` says what was done to it."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What we know of an item from our own writing.

    `wanted` are the fields as last written, without those not yet written (a ticket that is not yet in its iteration
    has no `iteration`); `seen` are the fields as the tracker showed them to us afterwards, None if not yet read back.
    `ref` is None for an item that was refused.
    """

    key: ItemKey
    kind: ItemKind
    ref: RemoteRef | None
    wanted: Fields
    seen: Fields | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One planned change. `changed` names the fields that an update writes; `note` explains the assignment."""

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
        return self.action in (Action.CREATE, Action.UPDATE, Action.DELETE) or bool(self.changed)


@dataclass(frozen=True, slots=True)
class Drift:
    """Something a person changed since we wrote it. `field` is None when the item itself is gone."""

    key: ItemKey
    kind: ItemKind
    title: str
    field: str | None
    recorded: Any = None
    observed: Any = None


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
    `items` are the desired items that changes refer to; `known` the references of items that exist already.
    `place` is None when the project itself is to be created. `people` names the person behind each account id.
    `undoes` is the run that a plan to undo takes back.
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
    drift: tuple[Drift, ...] = ()
    vacancies: tuple[Vacancy, ...] = ()
    findings: tuple[Finding, ...] = ()
    people: Mapping[str, str] = field(default_factory=dict)
    estimate: Estimate = field(default_factory=lambda: Estimate(0, 0, 0.0))
    purpose: Purpose = Purpose.APPLY
    undoes: str = ""

    @property
    def blocked(self) -> bool:
        """Whether a finding forbids applying."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do: neither in the tracker nor in our records."""
        return all(change.action is Action.KEEP for change in self.changes)

    def counts(self) -> dict[str, int]:
        """How many changes there are of each action, all actions named."""
        seen = Counter(change.action for change in self.changes)
        return {action.value: seen[action] for action in Action}


def diff(
    desired: Sequence[Item],
    recorded: Mapping[ItemKey, Recorded],
    observed: Mapping[ItemKey, ObservedItem],
    notes: Mapping[ItemKey, str] | None = None,
) -> tuple[list[Change], list[Drift]]:
    """Changes in the order of `desired`, then what left the template; and drift, in the same order.

    An item that was recorded and is no longer observed was deleted by a person: it is drift and is not made again.
    A field that both the template and a person changed stays as the person left it, and is drift.
    """
    changes: list[Change] = []
    drift: list[Drift] = []
    refs = {key: item.ref for key, item in observed.items()}
    for item in desired:
        before = recorded.get(item.key)
        if item.kind is ItemKind.LINK:
            change, moved = _diff_link(item, before, observed, refs)
        else:
            change, moved = _diff_item(item, before, observed.get(item.key), (notes or {}).get(item.key, ""))
        drift.extend(moved)
        if change is not None:
            changes.append(change)
    wanted = {item.key for item in desired}
    changes.extend(
        Change(
            key, record.kind, Action.FORGET, Reason.LEFT_THE_TEMPLATE, _title(record.wanted, key), before=record.wanted
        )
        for key, record in recorded.items()
        if key not in wanted and record.kind not in _NOT_PLANNED and record.ref is not None
    )
    return changes, drift


_NOT_PLANNED = ALONG | {ItemKind.PROJECT}
"""Kinds that are recorded although no template asks for them."""


def _diff_item(
    item: Item, before: Recorded | None, now: ObservedItem | None, note: str
) -> tuple[Change | None, list[Drift]]:
    after = item.fields()
    if before is None or before.ref is None:
        if now is None:
            reason = Reason.NEW if before is None else Reason.REFUSED_BEFORE
            return Change(item.key, item.kind, Action.CREATE, reason, item.title, after=after, note=note), []
        # Ours by its marker, but not in our records: take it over as it is; only give it an iteration if it has none,
        # and the rest of a checklist that was begun and broke off.
        misplaced = (*_missing_place(after, now.fields), *_missing_lines(after, now.fields))
        return (
            Change(
                item.key,
                item.kind,
                Action.ADOPT,
                Reason.CARRIES_OUR_MARKER,
                item.title,
                before=now.fields,
                after=after,
                changed=misplaced,
                note=note,
            ),
            [],
        )
    if now is None:
        return None, [Drift(item.key, item.kind, item.title, None, before.ref.key, None)]
    theirs = _drifted(item, before, now)
    owned = {entry.field for entry in theirs}
    ours = tuple(name for name, value in after.items() if name not in owned and before.wanted.get(name) != value)
    if not ours:
        kept = Change(item.key, item.kind, Action.KEEP, Reason.UNCHANGED, item.title, before=before.wanted, after=after)
        return kept, theirs
    unfinished = all(name not in before.wanted for name in ours)
    reason = Reason.UNFINISHED if unfinished else Reason.CHANGED
    change = Change(
        item.key,
        item.kind,
        Action.UPDATE,
        reason,
        item.title,
        before={name: before.wanted.get(name) for name in ours},
        after={name: after[name] for name in ours},
        changed=ours,
        note=note if "assignee" in ours else "",
    )
    return change, theirs


def _diff_link(
    item: Item,
    before: Recorded | None,
    observed: Mapping[ItemKey, ObservedItem],
    refs: Mapping[ItemKey, RemoteRef],
) -> tuple[Change | None, list[Drift]]:
    source = observed.get(item.source) if item.source else None
    target = refs.get(item.target) if item.target else None
    present = source is not None and target is not None and (source.ref.id, target.id) in source.links
    after = item.fields()
    if before is None or before.ref is None:
        if present:
            change = Change(
                item.key, item.kind, Action.ADOPT, Reason.CARRIES_OUR_MARKER, item.title, before=after, after=after
            )
            return change, []
        return Change(item.key, item.kind, Action.CREATE, Reason.NEW, item.title, after=after), []
    if present:
        kept = Change(item.key, item.kind, Action.KEEP, Reason.UNCHANGED, item.title, before=after, after=after)
        return kept, []
    if source is None or target is None:
        return None, []  # the ticket itself is gone, which is said once, there
    return None, [Drift(item.key, item.kind, item.title, None, item.title, None)]


def _drifted(item: Item, before: Recorded, now: ObservedItem) -> list[Drift]:
    """Fields that differ from what the tracker showed us when we last looked (or, where we never looked, wrote).

    Rich text that was never read back is not compared, because trackers rewrite markup; labels that people
    added are theirs and no drift, labels of ours that are gone are.
    """
    known = before.seen if before.seen is not None else {k: v for k, v in before.wanted.items() if k not in UNREAD}
    entries: list[Drift] = []
    for name, was in known.items():
        if name not in now.fields or (name not in before.wanted and name not in item.fields()):
            continue
        current = now.fields[name]
        if name == "labels":
            gone = sorted((set(was) & set(before.wanted.get("labels") or was)) - set(current))
            if gone:
                entries.append(Drift(item.key, item.kind, item.title, name, gone, []))
        elif was != current:
            entries.append(Drift(item.key, item.kind, item.title, name, was, current))
    return entries


UNREAD = frozenset({"text", "checklist", "priority", "starts", "ends", "goal"})
"""Fields a tracker may show in another form than they were written in; compared only with what it showed before."""


def _missing_place(after: Fields, now: Fields) -> tuple[str, ...]:
    wants = after.get("iteration")
    return ("iteration",) if wants is not None and "iteration" in now and now["iteration"] is None else ()


def _missing_lines(after: Fields, now: Fields) -> tuple[str, ...]:
    wants, has = after.get("checklist") or [], now.get("checklist")
    return ("checklist",) if has is not None and len(has) < len(wants) and wants[: len(has)] == has else ()


def _title(fields: Fields, key: ItemKey) -> str:
    return str(fields.get("title") or key)
