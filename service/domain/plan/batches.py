"""How a plan's changes become calls: as few as the tracker's limits allow, each item after what it refers to.

Most calls of a bootstrap are dependency links, one a call. Where the tracker lets a new ticket be linked to existing
ones in the call that creates it, tickets are created in stages along their dependencies, so that links ride for free;
how many stages pay is decided by counting.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import accumulate
from sys import maxsize

from connectors.values import Capabilities, Costs, Item, ItemKey, ItemKind
from service.domain.loop.turnover import STATE, STATUS
from service.domain.plan.plan import COMMENT, SECTIONS, Action, Change, Estimate, Purpose, Reason


class Op(StrEnum):
    """What one batch does, in the order in which batches are done; those of an advance are in another one (see
    `batches`)."""

    OPEN = "open"
    NOTE = "note"
    CREATE = "create"
    FINISH = "finish"
    MARK = "mark"
    UPDATE = "update"
    MOVE = "move"
    COMPLETE = "complete"
    READ_BACK = "read-back"
    LINK = "link"
    CLOSE = "close"
    START = "start"
    DELETE = "delete"
    UNLINK = "unlink"
    END = "end"
    FILL = "fill"
    COMMENT = "comment"


@dataclass(frozen=True, slots=True)
class Batch:
    """One durable step of a run: one call to the tracker, but none for NOTE and END, which only write our records, one
    for each key of an UPDATE, LINK or UNLINK, two for each of a FILL or COMMENT; and a look before whatever is written
    to items that people may have changed since the plan was made.

    `keys` are the items it is about; `rides` the links that go along in a create; `target` the iteration of a MOVE,
    None to take tickets out of every one.
    """

    op: Op
    kind: ItemKind
    keys: tuple[ItemKey, ...]
    rides: tuple[ItemKey, ...] = ()
    target: ItemKey | None = None


def written_apart(capabilities: Capabilities) -> frozenset[str]:
    """The fields that no update writes, because a call of their own does: `move`, `finish`, `set_status`, and what
    begins and closes iterations."""
    return frozenset({"iteration", STATE, STATUS, *(() if capabilities.checklists_in_create else ("checklist",))})


LINKS_IN_A_STEP = 20
"""Links take a call each and are recorded one by one; a step does several so that a run's history stays readable."""

UPDATED_IN_A_STEP = 100
"""Items are changed one by one, and each step looks first whether people changed them since the plan was made: one bulk
read for so many."""

REMOVED_IN_A_STEP = 25
"""Most trackers remove items one by one, and each step looks first whether somebody touched them: so many that the
looks cost little, so few that what is looked at is still so when it is removed."""

FILLED_IN_A_STEP = 20
"""Each record takes calls of its own; what is around them, looks at how the texts stand, is for all of a step."""

REMOVAL_ORDER = (
    ItemKind.TICKET,
    ItemKind.LINK,
    ItemKind.ITERATION,
    ItemKind.EPIC,
    ItemKind.LABEL,
    ItemKind.COLUMN,
    ItemKind.PROJECT,
)
"""What is removed before what. Links come after the tickets, which take most of them along."""


def batches(
    changes: Sequence[Change], items: Sequence[Item], capabilities: Capabilities, purpose: Purpose = Purpose.APPLY
) -> list[Batch]:
    """The calls that carry out `changes`, in order. Deterministic; every change is in exactly one batch of its kind,
    but in an ADVANCE what is carried: it is moved, and what else is written to it is in later batches.

    A ticket created into an iteration is in a CREATE and in a MOVE, or in a FINISH, where the tracker needs calls of
    their own for these. A link that rides is named by its CREATE and again
    in the LINK batches, which skip what is found done: some sites ignore riding links without saying so. All that is
    made or changed is read back, for what the tracker shows of it is what people's changes are told from.

    An ADVANCE makes the coming iteration, moves what is carried (people's own tickets in the same calls) and reads it
    back, completes what is over, closes the closing one, then does all the rest, begins the coming one, and reads both
    back. To DOCUMENT, what is known goes into the records first, and people are reminded of the rest after that.
    To REACT, a ticket is brought to its status before it is moved: people's moves are told from ours by that.
    """
    by_key = {item.key: item for item in items}
    writing = [change for change in changes if change.action is not Action.KEEP]
    if purpose is Purpose.DOCUMENT:
        return _records(writing)
    if purpose is Purpose.REACT:
        return _reaction(writing, by_key, capabilities)
    plan = _notes(writing)
    if purpose is Purpose.ADVANCE:
        return [*plan, *_advance(writing, by_key, capabilities)]
    plan += _writes(writing, by_key, capabilities)
    plan += _removals(writing, capabilities)
    if purpose is Purpose.REMOVE:
        plan.append(Batch(Op.END, ItemKind.PROJECT, ()))
    return plan


def _records(writing: Sequence[Change]) -> list[Batch]:
    """Records filled, several in a step; each comment in a step of its own, because it is said once."""
    filled = [change.key for change in writing if SECTIONS in change.changed]
    said = [change.key for change in writing if COMMENT in change.changed]
    return [
        *(Batch(Op.FILL, ItemKind.TICKET, part) for part in _parts(filled, FILLED_IN_A_STEP)),
        *(Batch(Op.COMMENT, ItemKind.TICKET, (key,)) for key in said),
    ]


def _reaction(writing: Sequence[Change], by_key: Mapping[ItemKey, Item], capabilities: Capabilities) -> list[Batch]:
    """Tickets brought to their status, then made and changed, then what is written into records and said."""
    rest = [_only(change, {*change.changed} - {STATUS, SECTIONS, COMMENT}) for change in writing]
    rest = [change for change in rest if change.action is not Action.KEEP]
    return [*_standing(writing, capabilities), *_writes(rest, by_key, capabilities), *_records(writing)]


def _notes(writing: Sequence[Change]) -> list[Batch]:
    """What only our records are changed for. What is restored counts as not written before, and so does the iteration
    of what is carried: people may have pulled a ticket out of the very one it goes to."""
    quiet = tuple(change.key for change in writing if _is_noted(change))
    notes = [Batch(Op.NOTE, ItemKind.PROJECT, quiet)] if quiet else []
    given = [change for change in writing if change.reason is Reason.GIVEN]
    return [*notes, *(Batch(Op.MARK, change.kind, (change.key,)) for change in given)]


def _is_noted(change: Change) -> bool:
    moves = change.reason is Reason.CARRIED and "iteration" in change.changed
    return change.action in (Action.ADOPT, Action.FORGET) or change.reason is Reason.RESTORED or moves


def _advance(writing: Sequence[Change], by_key: Mapping[ItemKey, Item], capabilities: Capabilities) -> list[Batch]:
    """The coming iteration made; what is carried moved into it and read back; what is over completed, before its
    iteration is closed, so that it stays there; that one closed; all else; the coming one begun, and both read back.
    Where something carried is not where it should be, nothing is closed."""
    coming = [change for change in writing if change.action is Action.CREATE and STATE in (change.after or {})]
    carried = [change for change in writing if change.reason is Reason.CARRIED]
    closing = [change for change in writing if change.reason is Reason.CLOSES]
    begins = [change for change in writing if change.reason is Reason.BEGINS]
    placed = [_only(change, _placing(change, capabilities)) for change in carried]
    before = {change.key for change in (*coming, *closing)}
    rest = [_only(one, {*one.changed} - _placing(one, capabilities)) for one in writing if one.key not in before]
    # Where a label says the iteration, a carried ticket is written in one go, with the epic that it comes under.
    epics = [one for one in rest if one.kind is ItemKind.EPIC and one.action is Action.CREATE]
    early = epics if not capabilities.iterations and any("epic" in change.changed for change in placed) else []
    rest = [change for change in rest if change not in early]
    started = tuple(change.key for change in (*coming, *begins))
    ended = tuple(change.key for change in closing)
    return [
        *_epics(early, capabilities),
        *_iterations([change.key for change in coming], capabilities),
        *_updates([_only(change, {*change.changed} - {STATE}) for change in closing], capabilities),
        *_updates(placed, capabilities),
        *_moves(placed, by_key, capabilities),
        *_read_backs([*early, *coming, *placed], capabilities),
        *_standing(writing, capabilities),
        *(Batch(Op.CLOSE, ItemKind.ITERATION, (key,)) for key in ended),
        *_writes(rest, by_key, capabilities),
        *(Batch(Op.START, ItemKind.ITERATION, (key,)) for key in started),
        *([Batch(Op.READ_BACK, ItemKind.ITERATION, (*ended, *started))] if ended or started else []),
    ]


def _placing(change: Change, capabilities: Capabilities) -> set[str]:
    """The fields of a change that are not for the plain batches of an advance: of what is carried the iteration, or
    all that goes along with the label that stands for it; of iterations their state, of what is over its status."""
    if change.reason is not Reason.CARRIED:
        return {STATE, STATUS}
    return {"iteration"} if capabilities.iterations else {*change.changed} - written_apart(capabilities)


def _only(change: Change, names: Collection[str]) -> Change:
    """The change with these of its fields; one that has none left to write is kept as it is."""
    changed = tuple(name for name in change.changed if name in names)
    nothing = change.action is Action.UPDATE and not changed
    return replace(change, changed=changed, action=Action.KEEP if nothing else change.action)


def _writes(writing: Sequence[Change], by_key: Mapping[ItemKey, Item], capabilities: Capabilities) -> list[Batch]:
    """What is made and changed, each after what it refers to, all of it read back, and the links."""
    apart = written_apart(capabilities)
    creates = {
        kind: [c.key for c in writing if c.kind is kind and c.action is Action.CREATE]
        for kind in (ItemKind.ITERATION, ItemKind.TICKET, ItemKind.LINK)
    }
    unfinished = [c.key for c in writing if c.action is not Action.CREATE and "checklist" in apart & set(c.changed)]
    return [
        *_epics(writing, capabilities),
        *_iterations(creates[ItemKind.ITERATION], capabilities),
        *_ticket_batches(creates[ItemKind.TICKET], creates[ItemKind.LINK], by_key, capabilities),
        *_updates(writing, capabilities),
        *_finishes(unfinished, capabilities),
        *_moves(writing, by_key, capabilities),
        *_standing(writing, capabilities),
        *_read_backs(writing, capabilities),
        *(Batch(Op.LINK, ItemKind.LINK, part) for part in _parts(creates[ItemKind.LINK], LINKS_IN_A_STEP)),
    ]


def _epics(writing: Sequence[Change], capabilities: Capabilities) -> list[Batch]:
    keys = [change.key for change in writing if change.kind is ItemKind.EPIC and change.action is Action.CREATE]
    return [Batch(Op.CREATE, ItemKind.EPIC, part) for part in _parts(keys, capabilities.create_batch)]


def _iterations(keys: Sequence[ItemKey], capabilities: Capabilities) -> list[Batch]:
    marks = [Op.MARK] if capabilities.marks_iterations_apart else []
    return [Batch(op, ItemKind.ITERATION, (key,)) for key in keys for op in (Op.CREATE, *marks)]


def _updates(writing: Sequence[Change], capabilities: Capabilities) -> list[Batch]:
    """Fields that an update writes; also to what people made, where only a label says in which iteration it is. Items
    of a kind together, so that one look serves for all of a batch."""
    apart = written_apart(capabilities)
    changed: defaultdict[ItemKind, list[ItemKey]] = defaultdict(list)
    for change in writing:
        carried = change.action is Action.ADOPT and change.reason is Reason.CARRIED
        if (change.action is Action.UPDATE or carried) and set(change.changed) - apart:
            changed[change.kind].append(change.key)
    size = min(capabilities.read_batch, UPDATED_IN_A_STEP)
    return [Batch(Op.UPDATE, kind, part) for kind, keys in changed.items() for part in _parts(keys, size)]


def _standing(writing: Sequence[Change], capabilities: Capabilities) -> list[Batch]:
    """Tickets that are brought to another status."""
    keys = [change.key for change in writing if STATUS in change.changed]
    return [Batch(Op.COMPLETE, ItemKind.TICKET, part) for part in _parts(keys, capabilities.move_batch)]


def _read_backs(writing: Sequence[Change], capabilities: Capabilities) -> list[Batch]:
    return [Batch(Op.READ_BACK, ItemKind.TICKET, part) for part in _parts(_to_read(writing), capabilities.read_batch)]


def _to_read(changes: Sequence[Change]) -> list[ItemKey]:
    """What is made or changed and a tracker shows as items of their own."""
    kinds = (ItemKind.EPIC, ItemKind.ITERATION, ItemKind.TICKET, ItemKind.GUEST)
    written = [change for change in changes if change.writes and change.action is not Action.DELETE]
    return [change.key for kind in kinds for change in written if change.kind is kind]


def _removals(changes: Sequence[Change], capabilities: Capabilities) -> list[Batch]:
    gone = [change for change in changes if change.action is Action.DELETE]
    size = min(capabilities.create_batch, REMOVED_IN_A_STEP)
    return [
        Batch(Op.UNLINK if kind is ItemKind.LINK else Op.DELETE, kind, part)
        for kind in REMOVAL_ORDER
        for part in _parts([change.key for change in gone if change.kind is kind], size)
    ]


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
    leaving = {key for batch in plan if batch.op is Op.DELETE for key in batch.keys}
    writes = costs.project if creates_project else 0
    lists: set[tuple[str, ...]] = set()
    for batch in plan:
        writes += _single_writes(batch, costs)
        match batch.op:
            case Op.CREATE if batch.kind is ItemKind.ITERATION:
                writes += costs.iteration * len(batch.keys)
            case Op.CREATE:
                writes += 1 if costs.bulk else len(batch.keys)
            case Op.START if not costs.bulk:  # its tickets that stand with the planned ones are brought along
                writes += sum(item.iteration in batch.keys for item in items if item.kind is ItemKind.TICKET)
            case Op.LINK:
                writes += sum(key not in riding for key in batch.keys)
            case Op.FINISH:
                new = {by_key[key].checklist for key in batch.keys if key in by_key} - lists - {()}
                writes += sum(1 + len(lines) for lines in new)
                lists |= new
            case Op.DELETE:
                writes += len(batch.keys) * (costs.iteration if batch.kind is ItemKind.ITERATION else 1)
            case Op.UNLINK:
                writes += len(_staying(batch, by_key, leaving))
    created = [by_key[key] for batch in plan if batch.op is Op.CREATE for key in batch.keys if key in by_key]
    writes += costs.label * len({label for item in created for label in (*item.labels, item.priority) if label})
    # One look at where the tracker's numbering stands.
    made = {item.key for item in created}
    reads = bool(created) + sum(_looks(batch, by_key, leaving, costs, made) for batch in plan)
    return Estimate(reads=reads, writes=writes, seconds=_seconds(reads + writes, capabilities, seconds_per_call))


def _single_writes(batch: Batch, costs: Costs) -> int:
    """Writes of a batch that takes so many for each of its items, whatever they are."""
    match batch.op:
        case Op.MOVE:
            return 1 if costs.bulk else len(batch.keys) * costs.move
        case Op.MARK | Op.START | Op.CLOSE | Op.UPDATE | Op.COMPLETE | Op.FILL | Op.COMMENT:
            return len(batch.keys)
        case _:
            return 0


def _looks(
    batch: Batch, by_key: Mapping[ItemKey, Item], leaving: Collection[ItemKey], costs: Costs, made: Collection[ItemKey]
) -> int:
    """Requests that a batch reads with: one before finishing, closing and beginning, and after writing; before what
    exists is changed or moved, one for the whole batch (none where all of it is `made` by the same run); some for what
    is there and what people did to it before removing, more where nothing is done in bulk; a link's id before it is
    taken back; a text and what was said before something is added to them, and how texts stood before and after."""
    match batch.op:
        case Op.UPDATE:
            return costs.look
        case Op.COMPLETE:
            return costs.look + costs.status * len(batch.keys)
        case Op.MOVE:
            return costs.look if set(batch.keys) - set(made) else 0
        case Op.FINISH:
            return 1 + (costs.look if set(batch.keys) - set(made) else 0)
        case Op.READ_BACK | Op.START | Op.CLOSE:
            return 1
        case Op.DELETE:
            return 3 if costs.bulk else 5
        case Op.UNLINK:
            return len(_staying(batch, by_key, leaving))
        case Op.FILL:
            return 2 + len(batch.keys)
        case Op.COMMENT:
            return len(batch.keys)
        case _:
            return 0


def _staying(batch: Batch, by_key: Mapping[ItemKey, Item], leaving: Collection[ItemKey]) -> list[ItemKey]:
    """The links of an UNLINK batch that no ticket takes along."""
    ends = {key: {by_key[key].source, by_key[key].target} for key in batch.keys if key in by_key}
    return [key for key, pair in ends.items() if not pair & set(leaving)]


def _seconds(calls: int, capabilities: Capabilities, seconds_per_call: float) -> float:
    """The time that so many calls take: as fast as answers come, but no faster than the tracker allows."""
    costs = capabilities.costs
    answering = calls * seconds_per_call / costs.parallel
    waiting = (calls - 1) // costs.per_window * costs.window if costs.per_window and calls else 0.0
    return round(max(answering, waiting), 1)


def _moves(changes: Sequence[Change], by_key: Mapping[ItemKey, Item], capabilities: Capabilities) -> list[Batch]:
    """Tickets into their iterations, or out of every one, by iteration in the order of the first ticket of each."""
    groups: defaultdict[ItemKey | None, list[ItemKey]] = defaultdict(list)
    for change in changes:
        if change.kind not in (ItemKind.TICKET, ItemKind.GUEST) or change.key not in by_key:
            continue
        iteration = by_key[change.key].iteration
        placed_later = change.action is Action.CREATE and iteration is not None and not capabilities.places_in_create
        if placed_later or (change.action is not Action.CREATE and "iteration" in change.changed):
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
    needed_by: defaultdict[ItemKey, list[ItemKey]] = defaultdict(list)
    for key, targets in needs.items():
        for target in targets:
            needed_by[target].append(key)
    order = {key: number for number, key in enumerate(keys)}
    waits_for = {key: len(targets) for key, targets in needs.items()}
    result: list[list[ItemKey]] = []
    ready = [key for key in keys if not waits_for[key]]
    while ready:
        result.append(ready)
        following = []
        for key in ready:
            for dependent in needed_by[key]:
                waits_for[dependent] -= 1
                if not waits_for[dependent]:
                    following.append(dependent)
        ready = sorted(following, key=order.__getitem__)
    if left := [key for key in keys if waits_for[key]]:
        result.append(left)
    return result


def cheapest_stages(
    depth: Sequence[Sequence[ItemKey]], edges: Collection[Item], size: int
) -> list[tuple[ItemKey, ...]]:
    """The levels merged into consecutive create calls so that calls plus links that cannot ride are fewest.

    Dynamic programming over the levels: the best way to do the first n levels ends with some last group i..n done
    together, whose cost is its own calls plus the links that stay inside one of them. A group is filled level by level
    from its start, so that the calls before stay as they are: the time is that of the levels times the tickets.
    """
    keys = [key for level in depth for key in level]
    begins = [0, *accumulate(len(level) for level in depth)]
    place = {key: number for number, key in enumerate(keys)}
    targets: list[list[int]] = [[] for _ in keys]
    for edge in edges:
        if edge.source in place and edge.target in place:
            targets[place[edge.source]].append(place[edge.target])
    # For the first n levels: calls and links, calls, and where their last group begins.
    best: list[tuple[int, int, int]] = [(0, 0, 0), *((maxsize, maxsize, 0) for _ in depth)]
    for start, base in enumerate(begins[:-1]):
        cost, calls, _ = best[start]
        inside, call = 0, base
        for end in range(start + 1, len(begins)):
            for number in range(begins[end - 1], begins[end]):
                if number - call == size:
                    call = number
                for target in targets[number]:
                    inside += target >= call
            filled = -(-(begins[end] - base) // size)
            option = cost + filled + inside, calls + filled
            if option < best[end][:2]:
                best[end] = (*option, start)
    parts: list[tuple[ItemKey, ...]] = []
    end = len(depth)
    while end:
        start = best[end][2]
        parts = [*_parts(keys[begins[start] : begins[end]], size), *parts]
        end = start
    return parts


def _rides(edge: Item, position: Mapping[ItemKey, int]) -> bool:
    """A link rides with its source if its target exists by then: made in an earlier call, or before this plan."""
    if edge.source is None or edge.target is None:
        return False
    return edge.target not in position or position[edge.target] < position[edge.source]


def _parts(keys: Sequence[ItemKey], size: int) -> list[tuple[ItemKey, ...]]:
    return [tuple(keys[start : start + size]) for start in range(0, len(keys), size)]
