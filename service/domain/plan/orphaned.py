"""What was prepared for an iteration that did not come, because its phase was left first: it is taken out of there, for
that is another iteration now. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from connectors.values import Capabilities, Fields, Item, ItemKey, ObservedItem
from service.domain.plan.diff import diff
from service.domain.plan.placement import number_in
from service.domain.plan.plan import Action, Change, Reason, Recorded
from service.domain.plan.undo import item_of

_TAKEN_OUT = "the phase was left before it came to this"
_PUT_OFF = "it comes later now"
_TAKEN_UP = "the phase was left before it came to this, but somebody took it up: it stays as it is"


def taken_out(
    keys: Iterable[ItemKey],
    put_off: Mapping[ItemKey, str],
    recorded: Mapping[ItemKey, Recorded],
    observed: Mapping[ItemKey, ObservedItem],
    able: Capabilities,
) -> tuple[list[Change], list[Item]]:
    """The changes that take these tickets, which exist by our records, to the backlog, and the items that the changes
    refer to. What people moved, changed, began or deleted is theirs: it is only released, but for what was `put_off`,
    as that comes again; it waits under the title that it has then. Where the tracker has no iterations, the label that
    stands for one is taken off."""
    changes: list[Change] = []
    items: list[Item] = []
    for key in sorted(keys):
        record = recorded[key]
        item = item_of(key, record.kind, _without_place(record.wanted, able))
        item = replace(item, title=put_off.get(key, item.title))
        change = _out(item, record, observed, "iteration" if able.iterations else "labels")
        if change is not None:
            changes.append(replace(change, note=_PUT_OFF if key in put_off else _TAKEN_OUT))
            items.append(item)
        elif key not in put_off:
            wanted = record.wanted
            let_go = Change(key, record.kind, Action.FORGET, Reason.PASSED_BY, item.title, wanted, note=_TAKEN_UP)
            changes.append(let_go)
    return changes, items


def _without_place(wanted: Fields, able: Capabilities) -> Fields:
    if able.iterations:
        return {**wanted, "iteration": None}
    return {**wanted, "labels": [label for label in wanted.get("labels") or () if number_in(label) is None]}


def _out(item: Item, record: Recorded, observed: Mapping[ItemKey, ObservedItem], place: str) -> Change | None:
    """The change that takes a ticket out of its iteration and names it; None if people touched it."""
    now = observed.get(item.key)
    if now is None or now.status != "todo":
        return None
    (change, *_), drift = diff([item], {item.key: record}, observed)
    if drift or place not in change.changed:
        return None
    names = tuple(name for name in (place, "title") if name in change.changed)
    before, after = ({name: (side or {}).get(name) for name in names} for side in (change.before, change.after))
    return replace(change, reason=Reason.PASSED_BY, before=before, after=after, changed=names)
