"""How a plan's changes become calls: as few as the tracker's limits allow, each item after what it refers to.

Most calls of a bootstrap are dependency links, one a call. Where the tracker lets a new ticket be linked to existing
ones in the call that creates it, tickets are created in stages along their dependencies, so that links ride for free;
how many stages pay is decided by counting.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil

from connectors.tracker import Capabilities, Item, ItemKey, ItemKind
from service.domain.plan import Action, Change, Estimate


class Op(StrEnum):
    """What one batch does, in the order in which batches are done."""

    OPEN = "open"
    NOTE = "note"
    CREATE = "create"
    FINISH = "finish"
    MARK = "mark"
    UPDATE = "update"
    MOVE = "move"
    READ_BACK = "read-back"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Batch:
    """One durable step of a run: one call to the tracker, but none for NOTE, which only writes our records, and one
    for each key of a LINK.

    `keys` are the items it is about; `rides` the links that go along in a create; `target` the iteration of a MOVE.
    """

    op: Op
    kind: ItemKind
    keys: tuple[ItemKey, ...]
    rides: tuple[ItemKey, ...] = ()
    target: ItemKey | None = None


READ_BACK_LIMIT = 100
"""How many new items a run reads back to make sure that the tracker kept what it accepted: one call."""


def written_apart(capabilities: Capabilities) -> frozenset[str]:
    """The fields of a ticket that no update writes, because a call of their own does: `move`, `finish`."""
    return frozenset({"iteration"} if capabilities.checklists_in_create else {"iteration", "checklist"})


LINKS_IN_A_STEP = 20
"""Links take a call each and are recorded one by one; a step does several so that a run's history stays readable."""


def batches(changes: Sequence[Change], items: Sequence[Item], capabilities: Capabilities) -> list[Batch]:
    """The calls that carry out `changes`, in order. Deterministic; every change is in exactly one batch of its kind.

    A ticket created into an iteration is in a CREATE and in a MOVE, or in a FINISH, where the tracker needs calls of
    their own for these. A link that rides is named by its CREATE and again
    in the LINK batches, which skip what is found done: some sites ignore riding links without saying so.
    """
    by_key = {item.key: item for item in items}
    apart = written_apart(capabilities)
    writing = [change for change in changes if change.action is not Action.KEEP]
    plan: list[Batch] = []
    quiet = tuple(c.key for c in writing if c.action in (Action.ADOPT, Action.FORGET))
    if quiet:
        plan.append(Batch(Op.NOTE, ItemKind.PROJECT, quiet))
    creates = {
        kind: [c.key for c in writing if c.kind is kind and c.action is Action.CREATE]
        for kind in (ItemKind.EPIC, ItemKind.ITERATION, ItemKind.TICKET, ItemKind.LINK)
    }
    plan += [
        Batch(Op.CREATE, ItemKind.EPIC, part) for part in _parts(creates[ItemKind.EPIC], capabilities.create_batch)
    ]
    for key in creates[ItemKind.ITERATION]:
        plan.append(Batch(Op.CREATE, ItemKind.ITERATION, (key,)))
        if capabilities.marks_iterations_apart:
            plan.append(Batch(Op.MARK, ItemKind.ITERATION, (key,)))
    plan += _ticket_batches(creates[ItemKind.TICKET], creates[ItemKind.LINK], by_key, capabilities)
    plan += [
        Batch(Op.UPDATE, change.kind, (change.key,))
        for change in writing
        if change.action is Action.UPDATE and set(change.changed) - apart
    ]
    unfinished = [c.key for c in writing if c.action is not Action.CREATE and "checklist" in apart & set(c.changed)]
    plan += _finishes(unfinished, capabilities)
    plan += _moves(writing, by_key, capabilities)
    made = [key for kind in (ItemKind.EPIC, ItemKind.TICKET) for key in creates[kind]]
    if made:
        plan.append(Batch(Op.READ_BACK, ItemKind.TICKET, _sample(made, READ_BACK_LIMIT)))
    plan += [Batch(Op.LINK, ItemKind.LINK, part) for part in _parts(creates[ItemKind.LINK], LINKS_IN_A_STEP)]
    return plan


def estimate(
    plan: Sequence[Batch],
    items: Sequence[Item],
    capabilities: Capabilities,
    *,
    creates_project: bool,
    seconds_per_call: float,
) -> Estimate:
    """Requests and seconds that carrying out these batches is expected to take: riding links counted as arrived,
    copied checklists as copied, labels as not there yet."""
    by_key = {item.key: item for item in items}
    costs = capabilities.costs
    riding = {key for batch in plan for key in batch.rides}
    writes = costs.project if creates_project else 0
    lists: set[tuple[str, ...]] = set()
    for batch in plan:
        match batch.op:
            case Op.CREATE if batch.kind is ItemKind.ITERATION:
                writes += costs.iteration * len(batch.keys)
            case Op.CREATE | Op.MOVE:
                writes += 1 if costs.bulk else len(batch.keys)
            case Op.MARK | Op.UPDATE:
                writes += 1
            case Op.LINK:
                writes += sum(key not in riding for key in batch.keys)
            case Op.FINISH:
                new = {by_key[key].checklist for key in batch.keys if key in by_key} - lists - {()}
                writes += sum(1 + len(lines) for lines in new)
                lists |= new
    created = [by_key[key] for batch in plan if batch.op is Op.CREATE for key in batch.keys if key in by_key]
    writes += costs.label * len({label for item in created for label in (*item.labels, item.priority) if label})
    # One look at where the tracker's numbering stands, one read of what was made, one before finishing.
    reads = (2 if created else 0) + sum(batch.op is Op.FINISH for batch in plan)
    return Estimate(reads=reads, writes=writes, seconds=_seconds(reads + writes, capabilities, seconds_per_call))


def _seconds(calls: int, capabilities: Capabilities, seconds_per_call: float) -> float:
    """The time that so many calls take: as fast as answers come, but no faster than the tracker allows."""
    costs = capabilities.costs
    answering = calls * seconds_per_call / costs.parallel
    waiting = (calls - 1) // costs.per_window * costs.window if costs.per_window and calls else 0.0
    return round(max(answering, waiting), 1)


def _moves(changes: Sequence[Change], by_key: Mapping[ItemKey, Item], capabilities: Capabilities) -> list[Batch]:
    """Tickets into their iterations, by iteration in the order of the first ticket of each."""
    groups: defaultdict[ItemKey, list[ItemKey]] = defaultdict(list)
    for change in changes:
        if change.kind is not ItemKind.TICKET:
            continue
        iteration = by_key[change.key].iteration if change.key in by_key else None
        placed_later = change.action is Action.CREATE and not capabilities.places_in_create
        if iteration and (placed_later or "iteration" in change.changed):
            groups[iteration].append(change.key)
    return [
        Batch(Op.MOVE, ItemKind.TICKET, part, target=iteration)
        for iteration, keys in groups.items()
        for part in _parts(keys, capabilities.move_batch)
    ]


def _ticket_batches(
    keys: Sequence[ItemKey],
    links: Sequence[ItemKey],
    by_key: Mapping[ItemKey, Item],
    capabilities: Capabilities,
) -> list[Batch]:
    size = capabilities.create_batch
    if not capabilities.links_in_create:
        # A checklist that is there is copied: so the first ticket of each is finished before the others are made.
        groups = [keys] if capabilities.checklists_in_create else _first_and_again(keys, by_key)
        return [
            batch
            for group in groups
            for batch in (
                *(Batch(Op.CREATE, ItemKind.TICKET, part) for part in _parts(group, size)),
                *_finishes(group, capabilities),
            )
        ]
    edges = [by_key[link] for link in links]
    stages = cheapest_stages(levels(keys, edges), edges, size)
    position = {key: number for number, part in enumerate(stages) for key in part}
    carried: defaultdict[int, list[ItemKey]] = defaultdict(list)
    for edge in edges:
        if edge.source in position and _rides(edge, position):
            carried[position[edge.source]].append(edge.key)
    return [
        *(Batch(Op.CREATE, ItemKind.TICKET, part, rides=tuple(carried[number])) for number, part in enumerate(stages)),
        *_finishes(keys, capabilities),
    ]


def _finishes(keys: Sequence[ItemKey], capabilities: Capabilities) -> list[Batch]:
    """Tickets whose checklists and long texts take calls of their own; steps find out which of them are complete."""
    if capabilities.checklists_in_create:
        return []
    return [Batch(Op.FINISH, ItemKind.TICKET, part) for part in _parts(keys, capabilities.create_batch)]


def _first_and_again(keys: Sequence[ItemKey], by_key: Mapping[ItemKey, Item]) -> list[list[ItemKey]]:
    """The first ticket of each checklist (and all without one), and those that repeat one."""
    seen: set[tuple[str, ...]] = set()
    first: list[ItemKey] = []
    again: list[ItemKey] = []
    for key in keys:
        lines = by_key[key].checklist
        (again if lines and lines in seen else first).append(key)
        seen.add(lines)
    return [first, again]


def levels(keys: Sequence[ItemKey], edges: Collection[Item]) -> list[list[ItemKey]]:
    """The tickets by depth: those that need nothing new first, then those that need only these, and so on.

    Within a level the given order is kept. A cycle cannot come out of a checked template; its tickets, should one be
    handed in, form the last level, so that every ticket is in exactly one level.
    """
    needs: dict[ItemKey, set[ItemKey]] = {key: set() for key in keys}
    for edge in edges:
        if edge.source in needs and edge.target in needs and edge.target is not None:
            needs[edge.source].add(edge.target)
    result: list[list[ItemKey]] = []
    placed: set[ItemKey] = set()
    left = list(keys)
    while left:
        ready = [key for key in left if needs[key] <= placed] or left
        result.append(ready)
        placed.update(ready)
        left = [key for key in left if key not in placed]
    return result


def cheapest_stages(
    depth: Sequence[Sequence[ItemKey]], edges: Collection[Item], size: int
) -> list[tuple[ItemKey, ...]]:
    """The levels merged into consecutive create calls so that calls plus links that cannot ride are fewest.

    Dynamic programming over the levels: the best way to do the first n levels ends with some last group i..n done
    together, whose cost is its own calls plus the links that stay inside one of them.
    """
    best: list[tuple[int, list[tuple[ItemKey, ...]]]] = [(0, [])]
    for end in range(1, len(depth) + 1):
        options = []
        for start in range(end):
            cost, done = best[start]
            group = _parts([key for level in depth[start:end] for key in level], size)
            options.append((cost + len(group) + _inside(group, edges), done + group))
        best.append(min(options, key=lambda option: (option[0], len(option[1]))))
    return best[-1][1]


def _inside(parts: Sequence[Sequence[ItemKey]], edges: Collection[Item]) -> int:
    """How many links of these calls cannot ride because their target is not created in an earlier one."""
    position = {key: number for number, part in enumerate(parts) for key in part}
    return sum(1 for e in edges if e.source in position and e.target in position and not _rides(e, position))


def _rides(edge: Item, position: Mapping[ItemKey, int]) -> bool:
    """A link rides with its source if its target exists by then: made in an earlier call, or before this plan."""
    if edge.source is None or edge.target is None:
        return False
    return edge.target not in position or position[edge.target] < position[edge.source]


def _parts(keys: Sequence[ItemKey], size: int) -> list[tuple[ItemKey, ...]]:
    return [tuple(keys[start : start + size]) for start in range(0, len(keys), size)]


def _sample(keys: Sequence[ItemKey], limit: int) -> tuple[ItemKey, ...]:
    """At most `limit` of the keys, spread evenly, always the same ones."""
    if len(keys) <= limit:
        return tuple(keys)
    step = ceil(len(keys) / limit)
    return tuple(keys[::step])
