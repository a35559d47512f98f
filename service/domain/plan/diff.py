"""What a plan changes: what is desired, what was recorded and what is observed, compared without I/O.

Desired (template, parameters, team, calendar) against recorded (what we last wrote, and what the tracker showed right
after) is change, to propose. Recorded against observed is drift, to report: people own what they touched, until a
person asks for it to be restored.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from connectors.values import ALONG, Fields, Item, ItemKey, ItemKind, ObservedItem
from service.domain.loop.turnover import SETTLED, STATE, is_further, record_number
from service.domain.plan.event_ticket import is_event_ticket
from service.domain.plan.plan import Action, Change, Drift, Reason, Recorded


@dataclass(frozen=True, slots=True)
class Restore:
    """What a person asks to be as planned again: these items, and with `deleted` all that people deleted, which those
    that they `moved` elsewhere are not."""

    keys: frozenset[ItemKey] = frozenset()
    deleted: bool = False
    moved: frozenset[ItemKey] = frozenset()

    def asks_for(self, key: ItemKey, *, gone: bool) -> bool:
        """Whether this item is to be as planned again."""
        return key in self.keys or (gone and self.deleted and key not in self.moved)


NOTHING = Restore()
"""Nothing is restored: what people changed or deleted stays as they left it."""

UNREAD = frozenset({"text", "checklist", "priority", "starts", "ends", "goal"})
"""Fields a tracker may show in another form than they were written in; compared only with what it showed before."""

_MOMENTS = frozenset({"starts", "ends"})
"""Of these the fields whose forms all name the same instant, so that they can be compared all the same."""

_SHOWN = frozenset({ItemKind.EPIC, ItemKind.ITERATION, ItemKind.TICKET})
"""Kinds that a tracker shows as items of their own; links are seen on their tickets."""

_NOT_PLANNED = ALONG | {ItemKind.PROJECT, ItemKind.GUEST}
"""Kinds that are recorded although no template asks for them."""

_HOMES = ("epic", "iteration")
"""Fields of a ticket that name another item."""

_ANSWERED = frozenset({"text", "checklist"})
"""Fields of a record that are a form, for people to write into: written once, and theirs from their first word on."""


def diff(
    desired: Sequence[Item],
    recorded: Mapping[ItemKey, Recorded],
    observed: Mapping[ItemKey, ObservedItem],
    notes: Mapping[ItemKey, str] | None = None,
    restore: Restore = NOTHING,
) -> tuple[list[Change], list[Drift]]:
    """Changes in the order of `desired`, then what left the template; and drift, in the same order.

    An item that was recorded and is no longer observed was deleted by a person: it is drift and is not made again.
    A field that both the template and a person changed stays as the person left it, and is drift. So do the name and
    the dates of an iteration that a person began or closed, not the loop, even if it is to be restored; the drift is
    that they did. What is restored is a change instead: with a ticket come its links, and with what is made again the
    tickets that were in it and are nowhere. What people write into a record is neither (see `never_restored`).
    """
    comparison = _Comparison.of(desired, recorded, observed, restore)
    changes: list[Change] = []
    drift: list[Drift] = []
    for item in desired:
        if item.kind is ItemKind.LINK:
            change, moved = comparison.link(item)
        else:
            change, moved = comparison.item(item, (notes or {}).get(item.key, ""))
        drift.extend(moved)
        if change is not None:
            changes.append(change)
    wanted = {item.key for item in desired}
    changes.extend(
        Change(key, record.kind, Action.FORGET, Reason.LEFT_THE_TEMPLATE, title_of(recorded, key), before=record.wanted)
        for key, record in recorded.items()
        if key not in wanted and record.kind not in _NOT_PLANNED and record.ref is not None and not is_event_ticket(key)
    )
    return changes, drift


def never_restored(key: ItemKey) -> frozenset[str]:
    """The fields of an item that people are asked to write: what they write there is no drift, and not put back."""
    return _ANSWERED if record_number(key) is not None else frozenset()


def lost(
    recorded: Mapping[ItemKey, Recorded], observed: Mapping[ItemKey, ObservedItem], restore: Restore = NOTHING
) -> frozenset[ItemKey]:
    """The items that people deleted, or that they left with nothing to hold tickets by, and that stay so."""
    return frozenset(key for key in _gone(recorded, observed) if not restore.asks_for(key, gone=True))


def closed_to_new(observed: Mapping[ItemKey, ObservedItem]) -> frozenset[ItemKey]:
    """The iterations that are closed in the tracker: nothing can be put into them any more."""
    return frozenset(
        key for key, seen in observed.items() if seen.kind is ItemKind.ITERATION and seen.status == "closed"
    )


def without_lost(
    desired: Sequence[Item],
    recorded: Mapping[ItemKey, Recorded],
    observed: Mapping[ItemKey, ObservedItem],
    restore: Restore = NOTHING,
) -> list[Item]:
    """The items, none of them put anew into an epic or an iteration that a person deleted, or an iteration that is
    closed, which takes no more tickets: those that exist stay where they were put, new ones go without."""
    away = lost(recorded, observed, restore) | closed_to_new(observed)
    return [_without(item, away, recorded, observed) for item in desired]


def adoptions(desired: Sequence[Item], given: Mapping[ItemKey, ObservedItem]) -> list[Change]:
    """The changes that take existing items of the tracker over as these planned ones, as they are."""
    return [
        Change(
            item.key,
            item.kind,
            Action.ADOPT,
            Reason.GIVEN,
            item.title,
            before=given[item.key].fields,
            after=item.fields(),
            note=f"{given[item.key].ref.key}: {given[item.key].fields.get('title')}",
        )
        for item in desired
        if item.key in given
    ]


@dataclass(frozen=True, slots=True)
class _Comparison:
    """One comparison: `again` are items that people deleted and that are made again, `away` those that stay deleted."""

    recorded: Mapping[ItemKey, Recorded]
    observed: Mapping[ItemKey, ObservedItem]
    restore: Restore
    again: frozenset[ItemKey]
    away: frozenset[ItemKey]

    @classmethod
    def of(
        cls,
        desired: Sequence[Item],
        recorded: Mapping[ItemKey, Recorded],
        observed: Mapping[ItemKey, ObservedItem],
        restore: Restore,
    ) -> _Comparison:
        away = lost(recorded, observed, restore)
        again = {item.key for item in desired} & (_gone(recorded, observed) - away)
        return cls(recorded, observed, restore, frozenset(again), away)

    def item(self, item: Item, note: str) -> tuple[Change | None, list[Drift]]:
        before, now = self.recorded.get(item.key), self.observed.get(item.key)
        if before is None or before.ref is None:
            return _unrecorded(item, before, now, note), []
        if now is None and item.key in self.again:
            return _creation(item, Reason.RESTORED, note, before.wanted), []
        if now is not None and not now.holds and item.key not in self.again:
            return _kept(item, before), [Drift(item.key, item.kind, item.title, None, before.ref.key, None)]
        if now is None:
            return None, [Drift(item.key, item.kind, item.title, None, before.ref.key, None)]
        drifted = _drifted(item, before, now)
        settled = _settled(item, before, now)
        kept = settled | never_restored(item.key)
        back = {entry.field for entry in drifted if entry.field not in kept and self._is_restored(item, entry)}
        if not now.holds:
            back.add("title")
        change = _rewrite(item, before, now, {entry.field for entry in drifted} | settled, back, note)
        told = [entry for entry in drifted if entry.field not in back | never_restored(item.key)]
        if any(before.wanted.get(name) != item.fields()[name] for name in settled - {entry.field for entry in drifted}):
            told.append(Drift(item.key, item.kind, item.title, STATE, _brought_to(before), now.status))
        return change, told

    def _is_restored(self, item: Item, entry: Drift) -> bool:
        wanted = item.fields().get(entry.field or "")
        if entry.field in _HOMES and wanted in self.away:
            return False
        put_back = entry.field in _HOMES and entry.observed is None and wanted in self.again
        return put_back or self.restore.asks_for(item.key, gone=False)

    def link(self, item: Item) -> tuple[Change | None, list[Drift]]:
        before = self.recorded.get(item.key)
        ends = {end for end in (item.source, item.target) if end is not None}
        if ends & self.away:
            return None, []  # the ticket itself is gone, which is said once, there
        if self._is_present(item):
            known = before is not None and before.ref is not None
            action, reason = (Action.KEEP, Reason.UNCHANGED) if known else (Action.ADOPT, Reason.CARRIES_OUR_MARKER)
            fields = item.fields()
            return Change(item.key, item.kind, action, reason, item.title, before=fields, after=fields), []
        if before is None or before.ref is None:
            return _creation(item, Reason.NEW), []
        if self.restore.asks_for(item.key, gone=True) or ends & (self.again | self.restore.keys):
            return _creation(item, Reason.RESTORED, before=before.wanted), []
        return None, [Drift(item.key, item.kind, item.title, None, item.title, None)]

    def _is_present(self, item: Item) -> bool:
        source = self.observed.get(item.source) if item.source else None
        target = self.observed.get(item.target) if item.target else None
        return source is not None and target is not None and (source.ref.id, target.ref.id) in source.links


def _gone(recorded: Mapping[ItemKey, Recorded], observed: Mapping[ItemKey, ObservedItem]) -> frozenset[ItemKey]:
    """What is not there any more, or is there and can hold nothing."""
    return frozenset(
        key
        for key, record in recorded.items()
        if record.ref and record.kind in _SHOWN and (key not in observed or not observed[key].holds)
    )


def _without(
    item: Item,
    away: Collection[ItemKey],
    recorded: Mapping[ItemKey, Recorded],
    observed: Mapping[ItemKey, ObservedItem],
) -> Item:
    """The item with the homes that are away replaced by those it was put into, if it exists."""
    before = recorded.get(item.key)
    stands = before is not None and before.ref is not None and item.key in observed
    written = before.wanted if stands and before is not None else {}
    epic = written.get("epic") if item.epic in away else item.epic
    iteration = written.get("iteration") if item.iteration in away else item.iteration
    return replace(item, epic=epic, iteration=iteration)


def _unrecorded(item: Item, before: Recorded | None, now: ObservedItem | None, note: str) -> Change:
    if now is None:
        return _creation(item, Reason.NEW if before is None else Reason.REFUSED_BEFORE, note)
    # Ours by its marker, but not in our records: take it over as it is; only give it an iteration if it has none,
    # and the rest of a checklist that was begun and broke off.
    after = item.fields()
    return Change(
        item.key,
        item.kind,
        Action.ADOPT,
        Reason.CARRIES_OUR_MARKER,
        item.title,
        before=now.fields,
        after=after,
        changed=(*_missing_place(after, now.fields), *_missing_lines(after, now.fields)),
        note=note,
    )


def _kept(item: Item, before: Recorded) -> Change:
    fields = item.fields()
    return Change(item.key, item.kind, Action.KEEP, Reason.UNCHANGED, item.title, before=before.wanted, after=fields)


def _creation(item: Item, reason: Reason, note: str = "", before: Fields | None = None) -> Change:
    return Change(item.key, item.kind, Action.CREATE, reason, item.title, before=before, after=item.fields(), note=note)


def _rewrite(
    item: Item,
    before: Recorded,
    now: ObservedItem,
    drifted: Collection[str | None],
    back: Collection[str | None],
    note: str,
) -> Change:
    """What is written to an item that exists: what is wanted otherwise than before, and what is restored."""
    after = item.fields()
    owned = ({*drifted} | _made_by_people(before, after)) - {*back}
    if "text" in owned and "checklist" not in now.fields:
        owned.add("checklist")  # it stands in the text there, which is people's now
    ours = tuple(
        name
        for name, value in after.items()
        if name not in owned and (name in back or before.wanted.get(name) != value)
    )
    if not ours:
        return _kept(item, before)
    written = {name: after[name] for name in ours}
    if "labels" in written:
        written["labels"] = sorted({*after["labels"], *_their_labels(before, now)})
    unfinished = all(name not in before.wanted for name in ours)
    reason = Reason.RESTORED if {*back} & {*ours} else Reason.UNFINISHED if unfinished else Reason.CHANGED
    return Change(
        item.key,
        item.kind,
        Action.UPDATE,
        reason,
        item.title,
        before={name: now.fields.get(name) if name in back else before.wanted.get(name) for name in ours},
        after=written,
        changed=ours,
        note=note if "assignee" in ours else "",
    )


def is_settled(item: Item, before: Recorded, now: ObservedItem) -> bool:
    """Whether this is an iteration that people brought further than the loop did: its name and dates are theirs."""
    return item.kind is ItemKind.ITERATION and is_further(now.status, _brought_to(before))


def _settled(item: Item, before: Recorded, now: ObservedItem) -> set[str]:
    return {*SETTLED} & item.fields().keys() if is_settled(item, before, now) else set()


def _brought_to(before: Recorded) -> str:
    return before.brought_to or "future"


def _made_by_people(before: Recorded, after: Fields) -> set[str]:
    """Of an item that a person made and gave to us, the fields in which it never was as planned."""
    if not before.given:
        return set()
    seen = before.seen or {}
    return {name for name in after if name not in seen or seen[name] != before.wanted.get(name)}


def _their_labels(before: Recorded, now: ObservedItem) -> set[str]:
    """Labels that people added, which stay whatever the plan does with ours."""
    return set(now.fields.get("labels") or ()) - set(before.wanted.get("labels") or ())


def _drifted(item: Item, before: Recorded, now: ObservedItem) -> list[Drift]:
    """Fields that differ from what the tracker showed us when we last looked (or, where we never looked, wrote).

    Rich text that was never read back is not compared, because trackers rewrite markup; labels that people
    added are theirs and no drift, labels of ours that are gone are. That a ticket is in no iteration is nobody's doing
    where its own was closed: that takes out what was left in it.
    """
    entries: list[Drift] = []
    for name, was in baseline(before).items():
        if name not in now.fields or (name not in before.wanted and name not in item.fields()):
            continue
        current = now.fields[name]
        if name == "iteration" and current is None and before.ended:
            continue
        if name == "labels":
            gone = sorted((set(was) & set(before.wanted.get("labels") or was)) - set(current))
            if gone:
                entries.append(Drift(item.key, item.kind, item.title, name, gone, []))
        elif not _is_same(name, was, current):
            entries.append(Drift(item.key, item.kind, item.title, name, was, current))
    return entries


def baseline(before: Recorded) -> Fields:
    """What the tracker is compared with: how it showed the item, else what was written and can be compared."""
    if before.seen is not None:
        return before.seen
    return {name: value for name, value in before.wanted.items() if name not in UNREAD - _MOMENTS}


def _is_same(name: str, was: Any, current: Any) -> bool:
    if was == current:
        return True
    if name not in _MOMENTS or not isinstance(was, str) or not isinstance(current, str):
        return False
    try:
        return datetime.fromisoformat(was) == datetime.fromisoformat(current)
    except ValueError:
        return False


def _missing_place(after: Fields, now: Fields) -> tuple[str, ...]:
    wants = after.get("iteration")
    return ("iteration",) if wants is not None and "iteration" in now and now["iteration"] is None else ()


def _missing_lines(after: Fields, now: Fields) -> tuple[str, ...]:
    wants, has = after.get("checklist") or [], now.get("checklist")
    return ("checklist",) if has is not None and len(has) < len(wants) and wants[: len(has)] == has else ()


def title_of(recorded: Mapping[ItemKey, Recorded], key: ItemKey) -> str:
    """What people read of what we know: a dependency by the titles of its two ends; the key of what has no title."""
    record = recorded.get(key)
    if record is not None and record.kind is ItemKind.LINK:
        ends = [ItemKey(str(record.wanted.get(end))) for end in ("source", "target")]
        return " waits for ".join(title_of(recorded, end) for end in ends)
    return str((record.wanted.get("title") if record is not None else None) or key)
