"""What a step of a run does, in words: by what it does alone, and by what it is about."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.values import ItemKey, ItemKind
from service.domain.english import counted
from service.domain.plan.batches import Batch, Op

NAMED = 2
"""How many of the items that a step is about are named; of the others it is said how many they are."""

_TO_SEVERAL = {Op.CREATE: "Create", Op.FINISH: "Finish", Op.UPDATE: "Update", Op.DELETE: "Remove"}

BEFORE = "Project"
"""The part of a run in which its project is opened."""

_PARTS = {
    Op.OPEN: BEFORE,
    Op.MOVE: "Into iterations",
    Op.READ_BACK: "Look at what was written",
    Op.LINK: "Dependencies",
    Op.UNLINK: "Dependencies",
    Op.CLOSE: "Close the iteration",
    Op.START: "Begin the iteration",
    Op.COMPLETE: "Status",
    Op.DELETE: "Remove",
    Op.END: "End the project",
    Op.FILL: "Records",
    Op.COMMENT: "Records",
    Op.NOTE: "Our own records",
}
_KINDS = {ItemKind.EPIC: "Epics", ItemKind.ITERATION: "Iterations", ItemKind.LINK: "Dependencies"}


def part(batch: Batch) -> str:
    """Which part of a run a step belongs to: `Epics`, `Tickets`, `Into iterations`."""
    if batch.op is Op.MARK:
        return "Iterations"
    return _PARTS.get(batch.op) or _KINDS.get(batch.kind, "Tickets")


_BY_NUMBER = {Op.CLOSE: "Close", Op.START: "Begin", Op.COMMENT: "Remind people of"}
"""What is done about one iteration, or about its record."""


def title(batch: Batch) -> str:
    """What the batch does, as a person reads it in a run's list of steps."""
    count = len(batch.keys)
    things = counted(count, batch.kind.value)
    if batch.op is Op.MARK:
        return f"Mark {batch.keys[0]}"
    if batch.op in _BY_NUMBER:
        return f"{_BY_NUMBER[batch.op]} {batch.keys[0].replace(':', ' ')}"  # people read it when it is held
    if batch.op in _TO_SEVERAL:
        return f"{_TO_SEVERAL[batch.op]} {things}"
    match batch.op:
        case Op.MOVE if batch.target is None:
            return f"Take {things} out of their iteration"
        case Op.MOVE:
            return f"Put {things} into {batch.target}"
        case Op.LINK:
            return f"Make sure of {counted(count, 'dependency', 'dependencies')}"
        case Op.COMPLETE:
            return f"Set the status of {things}"
        case Op.READ_BACK:
            return f"Read back {counted(count, 'item')}"
        case Op.UNLINK:
            return f"Make sure that {count} dependenc{'y is' if count == 1 else 'ies are'} gone"
        case Op.END:
            return "End the project"
        case Op.FILL:
            return f"Write what is known into {counted(count, 'record')}"
        case _:
            return f"Note {counted(count, 'item')}"


def named(batch: Batch, titles: Mapping[ItemKey, str]) -> str:
    """The same with what it is about, so that no two steps of a run have one name: `Create 4 tickets: Label the data,
    Split the data and 2 more`. `titles` are those of items; one without is known by its key."""
    if batch.op in _BY_NUMBER or not batch.keys:
        return title(batch)
    shown = [titles.get(key, key) for key in batch.keys]
    if batch.op is Op.MARK:
        return f"Mark {shown[0]}"
    what = title(batch)
    if batch.target is not None and batch.target in titles:
        what = what.replace(batch.target, titles[batch.target])
    rest = len(shown) - NAMED
    if rest > 1:
        return f"{what}: {', '.join(shown[:NAMED])} and {rest} more"
    return f"{what}: {', '.join(shown)}"
