"""What taking back a run's work changes: what it made and nobody touched goes, what it wrote is put back.

Pure: from what is recorded, what the tracker shows and what people left there to changes. Looked at once more right
before it is removed, an item is judged by the same `touches`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from connectors.values import Fields, Item, ItemKey, ItemKind, ObservedItem, Priority, Traces, kind_of
from service.domain.english import counted
from service.domain.loop.turnover import STATE, STATUS
from service.domain.plan.diff import UNREAD, title_of
from service.domain.plan.plan import Action, Change, Purpose, Reason, Recorded

ORDER = (
    ItemKind.LINK,
    ItemKind.TICKET,
    ItemKind.GUEST,
    ItemKind.ITERATION,
    ItemKind.EPIC,
    ItemKind.LABEL,
    ItemKind.COLUMN,
    ItemKind.PROJECT,
)
"""Kinds in the reverse order of their making: what refers to others stands before them."""

_HOLDERS = {ItemKind.EPIC: "epic", ItemKind.ITERATION: "iteration"}
"""Kinds that hold tickets, and the field of a ticket that says in which it is."""

_UNTOUCHED = frozenset({"todo", "future"})
_STATUS = {"doing": "in progress", "done": "done", "active": "started", "closed": "ended"}
_BY_THE_LOOP = {"active": "the loop has begun it", "closed": "the loop has closed it"}
_WORDS = {"starts": "Start", "ends": "End"}
_MOVED = "moved to "
"""How trackers' traces tell that somebody brought an item to another status."""

WRITTEN_SINCE = "written by a later run"
"""Why a field is not put back that another run wrote, too, and that one still counts."""

_NEVER_EMPTY = frozenset({"title", "text", "checklist", "labels", "starts", "ends", "goal"})
"""Fields that no write takes back to where nothing had ever been written."""


@dataclass(frozen=True, slots=True)
class Written:
    """A field as a run found it and as it wrote it. `why_not` says in words why it is not to be put back. `theirs`:
    what the run found was people's own, and stays so when it is put back. `added` are the lines of a checklist that the
    tracker did not show before the run."""

    before: Any
    after: Any
    why_not: str = ""
    theirs: bool = False
    added: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Deeds:
    """What is to be taken back: items `made`, those taken over (`taken`), the fields `written` to others, and the items
    that were `let_go` of and that nobody has had since.

    What was written to those taken over is left to whoever has them then.
    """

    made: frozenset[ItemKey] = frozenset()
    taken: frozenset[ItemKey] = frozenset()
    written: Mapping[ItemKey, Mapping[str, Written]] = field(default_factory=dict)
    let_go: frozenset[ItemKey] = frozenset()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to take back."""
        return not (self.made or self.taken or self.written or self.let_go)

    def without(self, keys: Collection[ItemKey]) -> Deeds:
        """These deeds but for what was done to these items."""
        written = {key: fields for key, fields in self.written.items() if key not in keys}
        return Deeds(self.made.difference(keys), self.taken.difference(keys), written, self.let_go.difference(keys))


@dataclass(frozen=True, slots=True)
class Scene:
    """What is recorded of a project, what its tracker shows of that, and what people left on it.

    `records` hold every item that exists by our records, with its reference, and every one that was refused or was not
    found, and what the run that is taken back released. `closed` are the iterations that were closed, by our records;
    those that the tracker shows as closed count as well. `begun` are those that the run which is taken back began: they
    stay begun, so that what was to be in them later is not put back into them.
    """

    records: Mapping[ItemKey, Recorded]
    observed: Mapping[ItemKey, ObservedItem] = field(default_factory=dict)
    traces: Mapping[ItemKey, Traces] = field(default_factory=dict)
    closed: frozenset[ItemKey] = frozenset()
    begun: frozenset[ItemKey] = frozenset()

    def is_closed(self, iteration: ItemKey) -> bool:
        """Whether nothing can be put back into the iteration."""
        now = self.observed.get(iteration)
        return iteration in self.closed or (now is not None and now.status == "closed")

    def is_over_or_begun(self, iteration: ItemKey) -> str:
        """Why nothing is put back into the iteration, in words; empty if something can be."""
        return "is closed" if self.is_closed(iteration) else "has begun" if iteration in self.begun else ""

    def shows(self, key: ItemKey) -> bool:
        """Whether the item is in the tracker."""
        record = self.records[key]
        if record.kind is not ItemKind.LINK:
            return record.ref is not None and (key in self.observed or key in self.traces)
        ends = self.ends(key)
        source, target = (self.observed.get(end) if end else None for end in ends)
        return source is not None and target is not None and (source.ref.id, target.ref.id) in source.links

    def ends(self, key: ItemKey) -> tuple[ItemKey | None, ItemKey | None]:
        """The tickets that a link is between."""
        wanted = self.records[key].wanted
        return wanted.get("source"), wanted.get("target")


def undo(deeds: Deeds, scene: Scene) -> list[Change]:
    """The changes that take these deeds back, in the reverse order of their making.

    Each item made is in exactly one of them: it is deleted; or kept because somebody touched it, or because something
    that stays hangs on it; or, where it is gone already, only released. What was released and is still there is ours
    again, and takes back what was in it. An iteration stays begun or closed, what was carried out of a closed one stays
    where it is, and people's own tickets are released where they are.
    """
    guests = {key for key in (*deeds.made, *deeds.taken, *deeds.written) if kind_of(key) is ItemKind.GUEST}
    deeds = deeds.without(guests)
    made = [key for key in scene.records if key in deeds.made]
    there = [key for key in made if scene.shows(key)]
    writing = {key: fields for key, fields in deeds.written.items() if key not in deeds.made | deeds.taken}
    back = {key: change for key, fields in writing.items() if (change := _put_back(scene, key, fields)) is not None}
    staying = _stays(there, scene, back, deeds)
    changes = [
        *(_removal(scene, key, staying.get(key)) for key in there),
        *(
            _let_go(scene, scene.records[key], Reason.MADE_BY_RUN, _absence(scene.records[key]))
            for key in made
            if key not in there
        ),
        *back.values(),
        *(
            _let_go(scene, scene.records[key], Reason.TAKEN_OVER_BY_RUN, "it stays in the tracker")
            for key in deeds.taken | guests
            if key in scene.records
        ),
        *(_ours_again(scene, scene.records[key]) for key in deeds.let_go if key in scene.records and scene.shows(key)),
    ]
    position = {key: number for number, key in enumerate(scene.records)}
    return sorted(changes, key=lambda change: (ORDER.index(change.kind), position[change.key]))


def after_the_loop(record: Recorded, states: Mapping[ItemKey, str], purpose: Purpose) -> Recorded:
    """What is recorded of an item, with what the loop did to it. `states` are those it brought its iterations to. That
    it began an iteration counts for nothing only where the whole project goes: an undo leaves what has begun. That it
    completed a ticket counts for nothing in any case."""
    home = record.wanted.get("iteration") or ItemKey("")
    brought, stays = states.get(record.key, ""), purpose is not Purpose.REMOVE
    brought = record.wanted.get(STATUS, brought)
    return replace(record, brought_to=brought, begun_stays=stays, ended=states.get(home) == "closed")


def looped(record: Recorded, now: ObservedItem | None) -> list[str]:
    """Why an iteration stays that is where the loop brought it, in words; nothing where that keeps nothing."""
    stands = record.begun_stays and now is not None and now.status == record.brought_to
    return [_BY_THE_LOOP[record.brought_to]] if stands and record.brought_to in _BY_THE_LOOP else []


def touches(record: Recorded, now: ObservedItem | None, traces: Traces | None) -> list[str]:
    """What people did to an item since we wrote it, in words; nothing if nobody touched it.

    What the loop did is nobody's: that it began or closed an iteration, and so took out what was left in it.
    What was read back is compared with what the tracker shows now. Where that never happened, what was written is,
    as far as trackers show it unchanged, and for the rest the tracker's history counts.
    """
    words = list(traces.additions) if traces else []
    edited: Collection[str] = traces.edited if traces else ()
    if now is not None:
        by_us = record.brought_to == now.status
        if by_us and STATUS in record.wanted:  # the tracker's history tells of our own move as of anybody's
            words = [word for word in words if not word.startswith(_MOVED)]
        if now.status not in _UNTOUCHED and not by_us and not any(word.startswith(_MOVED) for word in words):
            words.append(_STATUS.get(now.status, now.status))
        edited = edited_in(record, now, edited)
    begun = now is not None and _STATUS.get(now.status) in words
    edited = {*edited, *record.theirs} - ({STATUS} if begun else set())  # said already
    return [*words, *(f"{_word(name)} changed" for name in _in_order(edited, record))]


def edited_in(record: Recorded, now: ObservedItem, told: Collection[str] = ()) -> set[str]:
    """The fields that differ from what we know; `told` are those that the tracker's history names."""
    # Who closes an iteration has the tracker take what is left out of it. What a person took out before is not left in.
    closed_out = record.ended and now.left_in is not None and now.left_in == record.wanted.get("iteration")
    by_closing = {"iteration"} if closed_out else set()
    if record.seen is not None:
        differing = {
            name for name, was in record.seen.items() if name in now.fields and not same(name, was, now.fields)
        }
        # A field that no item of this kind shows, such as who has an epic, nobody writes but people.
        return (differing - by_closing) | (set(told) - now.fields.keys())
    comparable = {name: was for name, was in record.wanted.items() if name in now.fields and name not in UNREAD}
    changed = {name for name, was in comparable.items() if not same(name, was, now.fields)}
    # Our own moves stand in the history too, and so may what was written before it could be recorded.
    return (changed - by_closing) | (set(told) - comparable.keys() - {"iteration"})


def same(name: str, was: Any, now: Fields) -> bool:
    """Whether the tracker still shows a field as it was."""
    return set(was or ()) == set(now[name] or ()) if name == "labels" else was == now[name]


def _in_order(names: Collection[str], record: Recorded) -> list[str]:
    known = list(record.seen or record.wanted)
    return sorted(names, key=lambda name: (known.index(name) if name in known else len(known), name))


def _word(name: str) -> str:
    return _WORDS.get(name, name.capitalize())


# --- what stays -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Kept:
    """Why an item stays: what people did to it, and what keeps it besides."""

    touched: Sequence[str]
    besides: Sequence[str]


def _stays(
    there: Sequence[ItemKey], scene: Scene, back: Mapping[ItemKey, Change], deeds: Deeds
) -> dict[ItemKey, _Kept]:
    """Those of the items that stay, and why: somebody touched them, the loop brought them to where they are, or what
    stays hangs on them."""
    own = [key for key in there if scene.records[key].kind is not ItemKind.LINK]
    touched = {key: touches(scene.records[key], scene.observed.get(key), scene.traces.get(key)) for key in own}
    by_loop = {key: looped(scene.records[key], scene.observed.get(key)) for key in own}
    going = {key for key in there if not touched.get(key) and not by_loop.get(key)}
    while held := {key for key in going if any(_hanging(key, going, scene, back, deeds))}:
        going -= held  # what is found to stay may hold others
    return {
        key: _Kept(touched.get(key, ()), [*by_loop.get(key, ()), *_hanging(key, going, scene, back, deeds)])
        for key in there
        if key not in going
    }


def _hanging(
    key: ItemKey, going: Collection[ItemKey], scene: Scene, back: Mapping[ItemKey, Change], deeds: Deeds
) -> Iterator[str]:
    """What of ours stays and needs this item, in words."""
    match scene.records[key].kind:
        case ItemKind.EPIC | ItemKind.ITERATION as kind:
            name = _HOLDERS[kind]
            inside = [one for one in _staying(going, scene) if _home(one, name, back, deeds) == key]
            if inside:
                yield f"{counted(len(inside), 'ticket')} in it that {_stay(inside)}"
        case ItemKind.TICKET:
            links = [link for link in _links_at(key, scene) if link not in deeds.made]
            needing = [link for link in links if not {*scene.ends(link)} - {key} <= set(going)]
            if needing:
                yield f"{counted(len(needing), 'dependency', 'dependencies')} that {_stay(needing)}"
        case ItemKind.LABEL:
            name = _name(scene.records[key])
            using = [one for one in _staying(going, scene) if name in _labels_left(one, back)]
            if using:
                yield f"on {counted(len(using), 'item')} that {_stay(using)}"
        case ItemKind.COLUMN:
            if staying := list(_staying(going, scene)):
                yield f"{counted(len(staying), 'item')} that {_stay(staying)} may need it"
        case ItemKind.PROJECT:
            staying_too = [one for one in scene.records if one != key and one not in going and scene.shows(one)]
            if staying_too:
                yield f"{counted(len(staying_too), 'item')} in it that {_stay(staying_too)}"


def _staying(going: Collection[ItemKey], scene: Scene) -> Iterator[ObservedItem]:
    return (one for key, one in scene.observed.items() if key not in going)


def _labels_left(item: ObservedItem, back: Mapping[ItemKey, Change]) -> set[str]:
    """The labels that an item that stays will have: without those that are taken off it again."""
    labels = set(item.fields.get("labels") or ())
    change = back.get(item.key)
    if change is None or "labels" not in change.changed:
        return labels
    taken_off = set((change.before or {}).get("labels") or ()) - set((change.after or {}).get("labels") or ())
    return labels - taken_off


def _home(item: ObservedItem, name: str, back: Mapping[ItemKey, Change], deeds: Deeds) -> Any:
    """The epic or iteration that a ticket that stays will be in."""
    change = back.get(item.key)
    if change is not None and name in change.changed:
        return (change.after or {}).get(name)
    put = deeds.written.get(item.key, {}).get(name)
    if item.key in deeds.taken and put is not None and put.after == item.fields.get(name):
        return put.before  # the run put it there
    return item.fields.get(name)


def _links_at(ticket: ItemKey, scene: Scene) -> Iterator[ItemKey]:
    for key, record in scene.records.items():
        if record.kind is ItemKind.LINK and ticket in scene.ends(key) and scene.shows(key):
            yield key


def _name(record: Recorded) -> str:
    return record.ref.key if record.ref is not None else record.key


def _stay(things: Sequence[object]) -> str:
    return "stays" if len(things) == 1 else "stay"


# --- changes ----------------------------------------------------------------------------------------------------------


def _removal(scene: Scene, key: ItemKey, kept: _Kept | None) -> Change:
    record = scene.records[key]
    if kept is not None:
        note = "; ".join([*kept.touched, *kept.besides])
        reason = Reason.TOUCHED if kept.touched else Reason.STAYS
        return Change(key, record.kind, Action.KEEP, reason, _title(scene, record), note=note)
    before = record.wanted or None
    return Change(key, record.kind, Action.DELETE, Reason.MADE_BY_RUN, _title(scene, record), before=before)


def _absence(record: Recorded) -> str:
    return "it is gone already" if record.ref is not None else "it was never made"


def _let_go(scene: Scene, record: Recorded, reason: Reason, note: str) -> Change:
    title = _title(scene, record)
    return Change(record.key, record.kind, Action.FORGET, reason, title, before=record.wanted or None, note=note)


def _ours_again(scene: Scene, record: Recorded) -> Change:
    wanted = record.wanted or None
    title = _title(scene, record)
    return Change(record.key, record.kind, Action.ADOPT, Reason.LET_GO_BY_RUN, title, before=wanted, after=wanted)


def _put_back(scene: Scene, key: ItemKey, fields: Mapping[str, Written]) -> Change | None:
    """The change that puts back what was written to an item, or says why it stays as it is; none where it is gone or
    holds nothing of it any more."""
    record, now = scene.records.get(key), scene.observed.get(key)
    if record is None or now is None:
        return None
    back: Fields = {}
    notes: list[str] = []
    touched = False
    for name, written in fields.items():
        if name == STATE:
            notes += looped(record, now) or ([f"it stays {_STATUS[now.status]}"] if now.status == written.after else [])
            continue
        if name == STATUS and name in record.wanted and now.status != record.wanted[name]:
            touched = True
            notes.append(f"{_word(name)} {_CHANGED}")
            continue
        if name not in record.wanted or (record.wanted[name] == written.before != written.after):
            continue  # it was never written, or is put back already
        why = _why_not(scene, record, now, name, written)
        touched = touched or why == _CHANGED
        if why == _CHANGED and name == "labels" and (off := _added(record, now, written.before)):
            back[name] = sorted({*now.fields["labels"]} - off)
            notes.append("Labels changed: only what the run had added is taken off")
        elif why:
            notes.append(f"{_word(name)} {why}")
        else:
            back[name] = _with_theirs(record, now, written.before) if name == "labels" else written.before
    title, note = _title(scene, record), "; ".join(notes)
    if back:
        before = {name: _ours_now(name, record, now, fields[name]) for name in back}
        theirs = all(fields[name].theirs for name in back)
        reason = Reason.GIVEN_BACK if theirs else Reason.WRITTEN_BY_RUN
        return Change(key, record.kind, Action.UPDATE, reason, title, before, back, tuple(back), note)
    reason = Reason.TOUCHED if touched else Reason.STAYS
    return Change(key, record.kind, Action.KEEP, reason, title, note=note) if notes else None


def _ours_now(name: str, record: Recorded, now: ObservedItem, written: Written) -> Any:
    """What stands there of ours before it is put back. Of a checklist with lines of its own these are those of before
    the run and those that it added: others that it found there stay."""
    if name != "checklist" or name not in now.fields:
        return record.wanted[name]
    return [*(written.before or ()), *written.added]


_CHANGED = "changed"
"""Why a field is not put back that people changed since."""


def _added(record: Recorded, now: ObservedItem, before: Any) -> set[str]:
    """The labels of ours that a run added, as far as they are still there."""
    return (set(record.wanted["labels"]) - set(before or ())) & set(now.fields.get("labels") or ())


def _why_not(scene: Scene, record: Recorded, now: ObservedItem, name: str, written: Written) -> str:
    """Why a field is not put back; empty if it is."""
    known = record.seen if record.seen is not None else record.wanted
    compared = name in known and name in now.fields and (record.seen is not None or name not in UNREAD)
    if not _stands(name, record.wanted[name], written.after):
        return WRITTEN_SINCE
    if compared and not same(name, known[name], now.fields):
        return _CHANGED
    if written.why_not:
        return written.why_not
    if written.before is None and name in _NEVER_EMPTY:
        return "was not written before"
    if name in _HOLDERS.values() and written.before is not None and written.before not in scene.observed:
        return f"was {_called(scene, name, written.before)}, which is gone"
    former: set[Any] = {written.before} if name in _HOLDERS.values() else set()
    if name == "labels":
        former = set(written.before or ()) - set(written.after or ())
    iterations = [one for one in former if kind_of(ItemKey(str(one))) is ItemKind.ITERATION]
    for one in iterations:
        if why := scene.is_over_or_begun(one):
            return f"named {one}, which {why}" if name == "labels" else f"was {_called(scene, name, one)}, which {why}"
    return ""


def _called(scene: Scene, name: str, home: Any) -> str:
    """What people call an epic or an iteration that a ticket was in."""
    record = scene.records.get(ItemKey(str(home)))
    title = record.wanted.get("title") if record is not None else None
    return f'"{title}"' if title else f"another {name}"


def _stands(name: str, recorded: Any, written: Any) -> bool:
    """Whether what was written is what is recorded; labels are written together with those that people added."""
    return set(recorded or ()) <= set(written or ()) if name == "labels" else bool(recorded == written)


def _with_theirs(record: Recorded, now: ObservedItem, labels: Any) -> list[str]:
    """The labels together with those that people added."""
    return sorted({*(labels or ()), *(now.fields.get("labels") or ())} - (set(record.wanted["labels"]) - {*labels}))


def _title(scene: Scene, record: Recorded) -> str:
    """As people read it: a link by its tickets' titles, a label or column by its name."""
    if record.kind is ItemKind.LINK:
        return title_of(scene.records, record.key)
    return str(record.wanted.get("title") or _name(record))


def item_of(key: ItemKey, kind: ItemKind, fields: Fields) -> Item:
    """The item with these fields, the inverse of `Item.fields`; a field that is missing is empty."""

    def moment(name: str) -> datetime | None:
        return datetime.fromisoformat(fields[name]) if fields.get(name) else None

    return Item(
        key,
        kind,
        str(fields.get("title") or ""),
        text=str(fields.get("text") or ""),
        checklist=tuple(fields.get("checklist") or ()),
        labels=tuple(fields.get("labels") or ()),
        assignee=fields.get("assignee"),
        points=fields.get("points"),
        priority=Priority(fields["priority"]) if fields.get("priority") else None,
        epic=fields.get("epic"),
        iteration=fields.get("iteration"),
        starts=moment("starts"),
        ends=moment("ends"),
        goal=str(fields.get("goal") or ""),
        source=fields.get("source"),
        target=fields.get("target"),
    )
