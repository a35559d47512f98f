"""What people did to an item between the look that a plan was made from and the moment before the item is written.

Pure. Field by field, what the tracker showed then is compared with what it shows now: what differs is people's, and is
not written. What already is as the plan wants it, we may have written ourselves before a crash; that is no conflict.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from connectors.values import Fields, ItemKey, ItemKind, ObservedItem, RemoteRef
from service.domain.loop.turnover import SETTLED, STATUS, is_further
from service.domain.plan.diff import baseline
from service.domain.plan.field_words import HOMES, MOMENTS, PROSE, called, differing, said
from service.domain.plan.plan import Change, Reason, Recorded
from service.domain.plan.undo import edited_in

ARCHIVED = "archived"
"""How an item stands that people put out of the way; else it stands as its status says."""

WHOLE = "*"
"""In place of a field's name: the conflict is about all of the item."""

_WORDS = re.compile(r"[^\W_]+")


class Kind(StrEnum):
    """What people did."""

    CHANGED = "changed"
    GONE = "gone"
    ARCHIVED = "archived"
    DONE = "done"
    BEGUN = "begun"
    EMPTIED = "emptied"


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field that is not written, because people changed it since the plan was made; or (`WHOLE`) an item that is
    gone or archived, or holds nothing any more, or (`iteration`) that is done and so stays where it is, or a name or
    date of an iteration that they began or closed. `then` and `now` are what the tracker showed."""

    key: ItemKey
    kind: Kind
    field: str
    then: Any = None
    now: Any = None


@dataclass(frozen=True, slots=True)
class Shown:
    """An item as the tracker showed it when the plan was made; `stood` is empty where that is not known."""

    fields: Fields
    stood: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of the fields that a change writes: those to `write`, those that are `there` already and need only
    be recorded, and the `conflicts`, which are left. `labels` are all that the item is to have, where they are written.
    """

    write: tuple[str, ...] = ()
    there: tuple[str, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    labels: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Writing:
    """What is about to be written to one item: the `names` of `wanted` (see `Item.fields`). `forms` are fields as the
    tracker shows them once they are written, where that differs; `recorded` is what we wrote last."""

    change: Change
    names: Sequence[str]
    wanted: Fields
    forms: Fields
    recorded: Fields


def stands(item: ObservedItem) -> str:
    """How an item stands, as plans keep it."""
    return ARCHIVED if item.archived else item.status


def judged(
    writing: Writing, then: Shown, now: ObservedItem | None, known: Sequence[Mapping[ItemKey, RemoteRef]]
) -> Verdict:
    """Hold what is about to be written against what the tracker shows now (None: nothing). `known` lead from keys to
    references, by the plan and by our records: an epic may have got a key, or lost it, since the plan was made."""
    key = writing.change.key
    if now is None:
        return Verdict(conflicts=(Conflict(key, Kind.GONE, WHOLE),))
    if now.archived and then.stood not in ("", ARCHIVED):
        return Verdict(conflicts=(Conflict(key, Kind.ARCHIVED, WHOLE),))
    if not now.holds and writing.change.reason is not Reason.RESTORED:
        return Verdict(conflicts=(Conflict(key, Kind.EMPTIED, WHOLE),))
    names = list(writing.names)
    left: list[Conflict] = []
    if writing.change.kind is ItemKind.ITERATION and is_further(now.status, then.stood):
        settled = [name for name in SETTLED if name in names and not _is_there(name, writing, now.fields, known)]
        names = [name for name in names if name not in settled]
        left += [Conflict(key, Kind.BEGUN, name, then.stood, now.status) for name in settled]
    if now.status == "done" and then.stood not in ("", "done", ARCHIVED):
        place = _place_of(writing)
        if place in names and not _is_there(place, writing, now.fields, known):
            names.remove(place)
            left.append(Conflict(key, Kind.DONE, place, then.stood, now.status))
    write: list[str] = []
    there: list[str] = []
    labels: tuple[str, ...] | None = None
    for name in names:
        if name == "labels" and "labels" in now.fields:
            labels, to_write, differing = _labels(writing, then.fields, now.fields)
            (write if to_write else there).append(name)
            left += [Conflict(key, Kind.CHANGED, name, was, became) for was, became in differing]
            continue
        if _is_there(name, writing, now.fields, known):
            # With the title of an iteration that holds nothing comes what it lacks.
            (there if now.holds and _needs_no_write(name, writing, now.fields) else write).append(name)
        elif is_unchanged(name, then.fields, now.fields, known) or _is_begun(name, writing, then.fields, now.fields):
            write.append(name)
        elif not _was_written_since(name, writing):
            shown = _shown_as(name, now.fields)
            left.append(Conflict(key, Kind.CHANGED, name, then.fields.get(shown), now.fields.get(shown)))
    return Verdict(tuple(write), tuple(there), tuple(left), labels)


def judged_status(
    change: Change,
    then: Shown,
    now: ObservedItem | None,
    known: Sequence[Mapping[ItemKey, RemoteRef]],
    grounds: Sequence[str] = (),
) -> Verdict:
    """The same for a ticket that is brought to another status: one that people brought to another one since, or into
    another iteration, is left. So is one that changed in a field which is among the `grounds` for the new status: a
    record is completed because of what was written in it."""
    key, was, wanted = change.key, (change.before or {}).get(STATUS), (change.after or {}).get(STATUS)
    if now is None:
        return Verdict(conflicts=(Conflict(key, Kind.GONE, WHOLE),))
    if now.archived and then.stood != ARCHIVED:
        return Verdict(conflicts=(Conflict(key, Kind.ARCHIVED, WHOLE),))
    if now.status == wanted:
        return Verdict(there=(STATUS,))
    if now.status != was:
        return Verdict(conflicts=(Conflict(key, Kind.CHANGED, STATUS, was, now.status),))
    for name in ("iteration", *grounds):
        if not is_unchanged(name, then.fields, now.fields, known):
            values = then.fields.get(name), now.fields.get(name)
            return Verdict(conflicts=(Conflict(key, Kind.CHANGED, name, *values),))
    return Verdict(write=(STATUS,))


def written_over(
    writing: Writing,
    record: Recorded,
    now: ObservedItem,
    verdict: Verdict,
    known: Sequence[Mapping[ItemKey, RemoteRef]],
) -> frozenset[str]:
    """The fields that people changed since we wrote them, and that are about to be written all the same: that an
    iteration continues elsewhere takes a ticket along that they had moved, labels of ours come beside theirs. What we
    may have written ourselves before a crash is none of these."""
    edited = edited_in(replace(record, ended=True), now)  # what a person closed is as good as what we did
    seen = baseline(record)
    return frozenset(
        name for name in verdict.write if name in edited and _is_theirs(name, seen.get(name), writing, now, known)
    )


def _is_theirs(
    name: str, was: Any, writing: Writing, now: ObservedItem, known: Sequence[Mapping[ItemKey, RemoteRef]]
) -> bool:
    current, wanted = now.fields[name], writing.wanted.get(name)
    if name not in ("labels", "checklist"):
        return not _is_there(name, writing, now.fields, known)
    added = Counter(current or ()) - Counter(was or ()) - Counter(wanted or ())
    taken = Counter(was or ()) - Counter(current or ()) - Counter(writing.change.lines_going)
    return bool(added or taken)


def _place_of(writing: Writing) -> str:
    """The field that says in which iteration a ticket is: a ticket that people finished stays in its own."""
    return "labels" if writing.change.reason is Reason.CARRIED and "iteration" not in writing.names else "iteration"


def is_unchanged(name: str, then: Fields, now: Fields, known: Sequence[Mapping[ItemKey, RemoteRef]] = ()) -> bool:
    """Whether the tracker shows a field as it did then. What it does not show cannot have been seen to change."""
    shown = _shown_as(name, now)
    if shown not in now or shown not in then:
        return True
    was, current = then[shown], now[shown]
    if shown in HOMES:
        return _is_same_place(was, current, known)
    return _is_same(shown, was, current)


def _shown_as(name: str, now: Fields) -> str:
    """The field in which a tracker shows what is written: a checklist stands in the text where there is none."""
    return "text" if name == "checklist" and "checklist" not in now else name


def _is_same(name: str, was: Any, current: Any) -> bool:
    if name in MOMENTS and isinstance(was, str) and isinstance(current, str):
        try:
            return datetime.fromisoformat(was) == datetime.fromisoformat(current)
        except ValueError:
            return was == current
    if name in PROSE or name == "title":
        return str(was or "").strip() == str(current or "").strip()
    if name == "labels":
        return set(was or ()) == set(current or ())
    return bool(was == current)


def _is_same_place(was: Any, current: Any, known: Sequence[Mapping[ItemKey, RemoteRef]]) -> bool:
    return was == current or bool(_names_of(was, known) & _names_of(current, known))


def _names_of(place: Any, known: Sequence[Mapping[ItemKey, RemoteRef]]) -> set[str]:
    """All that an epic or iteration goes by: our key, the tracker's key, its id."""
    if place is None:
        return set()
    refs = [refs[ItemKey(place)] for refs in known if ItemKey(place) in refs]
    return {str(place)} | {name for ref in refs for name in (ref.id, ref.key)}


def _is_there(name: str, writing: Writing, now: Fields, known: Sequence[Mapping[ItemKey, RemoteRef]]) -> bool:
    """Whether the tracker shows a field as it is to be written."""
    shown = _shown_as(name, now)
    if shown not in now or shown == "labels":
        return False
    return is_shown(shown, writing.forms.get(shown, writing.wanted.get(shown)), now[shown], known)


def is_shown(name: str, wanted: Any, current: Any, known: Sequence[Mapping[ItemKey, RemoteRef]]) -> bool:
    """Whether what a tracker shows of a field is what was written: a text in other markup is the same."""
    if name in HOMES:
        return _is_same_place(wanted, current, known)
    if name == "checklist":
        return list(wanted or ()) == list(current or ())
    return _is_same(name, wanted, current) or (name in PROSE and _says_the_same(wanted, current))


def _says_the_same(wanted: Any, current: Any) -> bool:
    """Whether two texts have the same words: trackers rewrite markup."""
    return _WORDS.findall(str(wanted or "")) == _WORDS.findall(str(current or ""))


def _needs_no_write(name: str, writing: Writing, now: Fields) -> bool:
    """Whether a field that is there already needs no call. What takes several calls may have broken off between them;
    so it is written once more, which changes nothing, unless it is recorded as written. A text in other markup than
    ours stays as it is."""
    shown = _shown_as(name, now)
    recorded = name in writing.recorded and writing.recorded[name] == writing.wanted.get(name)
    exactly = _is_same(shown, writing.forms.get(shown, writing.wanted.get(shown)), now[shown])
    return recorded or (shown in PROSE and not exactly)


def _is_begun(name: str, writing: Writing, then: Fields, now: Fields) -> bool:
    """Whether a checklist only has lines more than it had that are to be written, and lacks only those that are to go:
    we were interrupted."""
    if name != "checklist" or "checklist" not in now:
        return False
    was, current = Counter(then.get(name) or ()), Counter(now[name] or ())
    lacks, has_besides = was - current, current - was
    return not lacks - Counter(writing.change.lines_going) and not has_besides - Counter(writing.wanted.get(name) or ())


def _was_written_since(name: str, writing: Writing) -> bool:
    """Whether this plan has written the field already: then what the tracker shows is our text in its own form, or
    what people made of it later, which is drift as any other. What is restored was on record all along."""
    if writing.change.reason is Reason.RESTORED:
        return False
    before = (writing.change.before or {}).get(name)
    wanted = writing.wanted.get(name)
    return name in writing.recorded and writing.recorded[name] == wanted and before != wanted


def _labels(
    writing: Writing, then: Fields, now: Fields
) -> tuple[tuple[str, ...], bool, list[tuple[list[str], list[str]]]]:
    """The labels that the item is to have: as it has them now, with what the plan puts on and without what it takes
    off; whether that is a change; and which labels of ours people took off since, with what they put in their place.

    Of labels such as `points:5` an item has one of a family: where people chose another one, theirs stays."""
    current = set(now["labels"] or ())
    was = set(then["labels"] or ()) if "labels" in then else current
    planned = set((writing.change.after or {}).get("labels") or ())
    on, off = planned - was, was - planned
    families: dict[str, set[str]] = {}
    for label in current - was - on:
        families.setdefault(_family(label), set()).add(label)
    chosen = {label for label in on - current if families.get(_family(label))}
    replaced = [
        (sorted(one for one in off if _family(one) == family), sorted(families[family]))
        for family in sorted({_family(label) for label in chosen})
    ]
    on -= chosen
    ours = set() if writing.change.kind is ItemKind.GUEST else set(writing.wanted.get("labels") or ())
    lost: list[tuple[list[str], list[str]]] = [([label], []) for label in sorted((ours & was & planned) - current)]
    return tuple(sorted((current | on) - off)), bool(on - current or off & current), [*replaced, *lost]


def _family(label: str) -> str:
    """What a label says something about: of `points:5` it is `points:`; a label without a value is alone."""
    name, sign, _ = label.partition(":")
    return f"{name}:" if sign else label


def without(changed: Collection[str], left: Mapping[str, str]) -> list[str]:
    """The fields of a change but for those that were left, in their order."""
    return [] if WHOLE in left else [name for name in changed if name not in left]


def described(conflict: Conflict, title: str, names: Mapping[str, str]) -> str:
    """What happened, for people; `names` are titles of items and people by their keys and accounts."""
    match conflict.kind:
        case Kind.GONE:
            return f'"{title}" is gone since this was planned: it was deleted, moved elsewhere, or hidden from us.'
        case Kind.ARCHIVED:
            return f'"{title}" was archived since this was planned, so nothing was written to it.'
        case Kind.DONE:
            return f'"{title}" was finished since this was planned, so it stays in its iteration.'
        case Kind.BEGUN:
            did = "closed" if conflict.now == "closed" else "begun"
            return f'"{title}" was {did} since this was planned, so its name and dates stay as they are.'
        case Kind.EMPTIED:
            return (
                f'What says which tickets are in "{title}" was removed since this was planned, so nothing was written'
                " to it."
            )
    if conflict.field == "labels":
        was, became = ", ".join(conflict.then) or "none", ", ".join(conflict.now)
        if became:
            return f'"{title}": its label was {was} when this was planned and is {became} now, so it stays so.'
        return f'"{title}": the label {was} was taken off since this was planned, and stays off.'
    then, now = (said(conflict.field, value, names) for value in differing(conflict.field, conflict.then, conflict.now))
    name = called(conflict.field)
    return f'"{title}": its {name} was {then} when this was planned and is {now} now, so it stays so.'
