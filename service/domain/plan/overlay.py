"""A turnover as changes: what is carried, closed and begun, laid over what the ordinary comparison found.

An advance is one plan: what the template asks for now (see `diff`) and what the turn of the loop does come together in
one change for each item.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from connectors.values import (
    Capabilities,
    Content,
    Fields,
    Finding,
    Item,
    ItemKey,
    ItemKind,
    ObservedItem,
    RemoteRef,
    Severity,
    kind_of,
)
from service.domain.commands import typed
from service.domain.english import ordinal
from service.domain.loop.turnover import (
    OFTEN,
    STATE,
    STATUS,
    Carried,
    Policy,
    Turnover,
    carried_label,
    is_iteration_label,
    is_turn_label,
    iteration_key,
    iteration_label,
    key_of,
    record_number,
)
from service.domain.plan.plan import Action, Change, Drift, Reason, Recorded
from service.domain.plan.undo import item_of

_ACTIVE, _CLOSED = "active", "closed"
EMPTIED = "somebody removed the label that says which tickets are in it"
"""What is said of an iteration that is there and can hold nothing."""


def overlay(
    changes: Sequence[Change],
    turnover: Turnover,
    desired: Sequence[Item],
    observed: Mapping[ItemKey, ObservedItem],
    recorded: Mapping[ItemKey, Recorded],
    able: Capabilities,
) -> list[Change]:
    """The changes of a plan that also advances the loop: one for each item, in the order of `changes`, then others.

    What is carried moves to where it goes; what is left where the tracker leaves it is not released; where nothing is
    left to do, the ticket is completed. The closing
    iteration is closed unless it is already, the coming one begun: as `STATE` among the fields that are changed, and
    in `after` where it is created. Where the tracker has no iterations, carrying is a change of labels. What is done in
    the closing iteration is not written to any more.
    """
    items = {item.key: item for item in (*desired, *extra_items(turnover, desired, recorded, able))}
    done = {content.key for content in turnover.contents if content.status == "done"}
    merged = {change.key: _let_be(change) if change.key in done else change for change in changes}
    for one, content in _carried(turnover):
        ordinary = merged.get(one.key)
        if ordinary is not None and ordinary.action is Action.FORGET:
            merged.pop(one.key)
            ordinary = None
        if one.policy is Policy.COMPLETE:
            merged[one.key] = _together(_completion(one, content), ordinary)
        elif one.policy.moves:
            merged[one.key] = _carry(one, _place(one, content, turnover, ordinary, able), ordinary, recorded, able)
    if able.iterations:
        for change in _states(turnover, items, observed, merged):
            merged[change.key] = change
    return list(merged.values())


def extra_items(
    turnover: Turnover, desired: Sequence[Item], recorded: Mapping[ItemKey, Recorded], able: Capabilities
) -> list[Item]:
    """The items that the changes of an advance refer to and the template does not ask for now: people's own tickets,
    and tickets that go to the backlog. They belong to the plan's items, after those desired."""
    wanted = {item.key for item in desired}
    found = []
    for one, content in _carried(turnover):
        if one.key in wanted or not one.policy.moves:
            continue
        iteration = iteration_key(one.to) if one.to is not None and able.iterations else None
        known = recorded.get(one.key)
        item = item_of(one.key, kind_of(one.key), known.wanted if known is not None else {})
        labels = item.labels if able.iterations else tuple(_labels(item.labels or content.labels, one))
        found.append(replace(item, title=item.title or one.title, iteration=iteration, labels=labels))
    return found


def guest_refs(turnover: Turnover) -> dict[ItemKey, RemoteRef]:
    """Where the people's own tickets are that are carried; they belong to what a plan knows."""
    return {one.key: content.ref for one, content in _carried(turnover) if kind_of(one.key) is ItemKind.GUEST}


def guests_shown(turnover: Turnover) -> dict[ItemKey, Fields]:
    """The people's own tickets that are carried, as far as something is written to them."""
    place = iteration_key(turnover.closes)
    return {
        one.key: {"iteration": place, "labels": sorted(content.labels)}
        for one, content in _carried(turnover)
        if kind_of(one.key) is ItemKind.GUEST
    }


def guests_standing(turnover: Turnover) -> dict[ItemKey, str]:
    """How those tickets stand."""
    return {one.key: content.status for one, content in _carried(turnover) if kind_of(one.key) is ItemKind.GUEST}


def without_carried(drift: Sequence[Drift], turnover: Turnover, able: Capabilities) -> list[Drift]:
    """The drift without what the turnover settles: in which iteration a ticket is that is carried."""
    settled = {one.key for one in turnover.carried if one.policy.moves and not one.moved}
    place = "iteration" if able.iterations else "labels"
    return [entry for entry in drift if entry.key not in settled or entry.field != place]


def _carried(turnover: Turnover) -> Iterator[tuple[Carried, Content]]:
    """What is still to be carried, as it stands in the closing iteration."""
    contents = {key_of(content): content for content in turnover.contents}
    return ((one, contents[one.key]) for one in turnover.carried if one.key in contents and not one.moved)


def _let_be(change: Change) -> Change:
    if change.action is not Action.UPDATE:
        return change
    return Change(change.key, change.kind, Action.KEEP, Reason.UNCHANGED, change.title, note="it is done")


def _carry(
    one: Carried,
    place: tuple[Any, Any],
    ordinary: Change | None,
    recorded: Mapping[ItemKey, Recorded],
    able: Capabilities,
) -> Change:
    """The change that takes a ticket to where it goes, together with what else is written to it."""
    name = "iteration" if able.iterations else "labels"
    known = recorded.get(one.key)
    first = kind_of(one.key) is ItemKind.GUEST and (known is None or known.ref is None)
    carry = Change(
        one.key,
        kind_of(one.key),
        Action.ADOPT if first else Action.UPDATE,
        Reason.CARRIED,
        one.title,
        {name: place[0]},
        {name: place[1]},
        (name,),
        _note(one),
    )
    return _together(carry, ordinary)


def _completion(one: Carried, content: Content) -> Change:
    """The change that completes a ticket in which nothing is left to do."""
    before, after = {STATUS: content.status}, {STATUS: "done"}
    note = "it is documented" if record_number(one.key) is not None else "its iteration is over"
    return Change(one.key, kind_of(one.key), Action.UPDATE, Reason.OVER, one.title, before, after, (STATUS,), note)


def _together(turn: Change, ordinary: Change | None) -> Change:
    """What the turn of the loop writes to an item and what is written to it besides, as one change for the turn's
    reason. What is taken over stays so."""
    if ordinary is None:
        return turn
    if ordinary.action not in (Action.UPDATE, Action.ADOPT):
        return replace(turn, title=ordinary.title)
    return replace(
        ordinary,
        reason=turn.reason,
        before={**(ordinary.before or {}), **(turn.before or {})},
        after={**(ordinary.after or {}), **(turn.after or {})},
        changed=(*turn.changed, *(name for name in ordinary.changed if name not in turn.changed)),
        note="; ".join(note for note in (turn.note, ordinary.note) if note),
    )


def _place(
    one: Carried, content: Content, turnover: Turnover, ordinary: Change | None, able: Capabilities
) -> tuple[Any, Any]:
    """The field that says where the ticket is, as it is and as it will be."""
    if able.iterations:
        return iteration_key(turnover.closes), iteration_key(one.to) if one.to is not None else None
    now = sorted(content.labels)
    written = (ordinary.after or {}).get("labels") if ordinary is not None and "labels" in ordinary.changed else None
    return now, _labels(now if written is None else written, one)


def _labels(labels: Collection[str], one: Carried) -> list[str]:
    """These labels, of those of iterations only that of the one it goes to, and on ours how often it was carried."""
    ours = kind_of(one.key) is not ItemKind.GUEST
    gone = is_turn_label if ours else is_iteration_label
    kept = {label for label in labels if not gone(label)}
    if one.to is not None:
        kept.add(iteration_label(one.to))
        if ours and one.times >= OFTEN:
            kept.add(carried_label(one.times))
    return sorted(kept)


def _note(one: Carried) -> str:
    """How it came that the ticket is carried, for people."""
    where = "carried over" if one.policy is Policy.NEXT else "taken out of the iteration"
    again = f", for the {ordinal(one.times)} time" if one.policy is Policy.NEXT and one.times > 1 else ""
    return f"{where}{again}, by {one.decided_by}" if one.decided_by != "policy" else f"{where}{again}"


def _states(
    turnover: Turnover,
    items: Mapping[ItemKey, Item],
    observed: Mapping[ItemKey, ObservedItem],
    merged: Mapping[ItemKey, Change],
) -> Iterator[Change]:
    """The closing iteration closed and the coming one begun, as far as they are there or will be made."""
    for number, state, reason in (
        (turnover.closes, _CLOSED, Reason.CLOSES),
        (turnover.begins, _ACTIVE, Reason.BEGINS),
    ):
        key = iteration_key(number)
        ordinary, now = merged.get(key), observed.get(key)
        if number == turnover.begins and ordinary is not None and ordinary.action is Action.CREATE:
            yield replace(ordinary, after={**(ordinary.after or {}), STATE: state})
        elif number and now is not None and now.status != _CLOSED:
            note = "it was begun by hand" if now.status == state else ""
            title = items[key].title if key in items else str(now.fields.get("title") or key)
            before, after = {STATE: now.status}, {STATE: state}
            change = Change(key, ItemKind.ITERATION, Action.UPDATE, reason, title, before, after, (STATE,), note)
            yield _together(change, ordinary)


def turnover_findings(
    turnover: Turnover,
    observed: Mapping[ItemKey, ObservedItem],
    recorded: Mapping[ItemKey, Recorded],
    able: Capabilities,
    project_key: str,
) -> list[Finding]:
    """What an advance cannot continue with, and what people should know of it; see `Severity`."""
    findings = [*_iteration_findings(turnover, observed, recorded, project_key)] if able.iterations else []
    findings += [
        Finding(
            Severity.WARNING,
            "carried-often",
            f'"{one.title}" is carried over for the {ordinal(one.times)} time.',
            _often_fix(one.key),
            one.key,
        )
        for one in turnover.carried
        if one.policy is Policy.NEXT and one.times >= OFTEN
    ]
    findings += _waiting_for_the_backlog(turnover, recorded)
    if turnover.lacking and turnover.stage is not None and turnover.decision is None:
        findings.append(
            Finding(
                Severity.INFO,
                "phase-goes-on",
                f"The phase is not over: {'; '.join(turnover.lacking)}.",
                "Finish what is named, or decide, with a reason, that the next phase comes.",
                turnover.stage.phase,
            )
        )
    return findings


def _waiting_for_the_backlog(turnover: Turnover, recorded: Mapping[ItemKey, Recorded]) -> Iterator[Finding]:
    """Carried tickets that wait for one that goes to the backlog, where nobody will come across it."""
    titles = {one.key: one.title for one in turnover.carried}
    shelved = {one.key for one in turnover.carried if one.policy is Policy.BACKLOG}
    onward = {one.key for one in turnover.carried if one.policy is Policy.NEXT}
    for record in recorded.values():
        source, target = record.wanted.get("source"), record.wanted.get("target")
        if record.kind is ItemKind.LINK and record.ref is not None and source in onward and target in shelved:
            yield Finding(
                Severity.WARNING,
                "waits-for-backlog",
                f'"{titles[source]}" is carried over and waits for "{titles[target]}", which goes to the backlog.',
                "Carry both over or neither (`phaseloop carry` says so), or remove the dependency.",
                source,
            )


def _often_fix(key: ItemKey) -> str:
    """What to do about a ticket that is carried over again and again: a record is not cut into parts."""
    if record_number(key) is not None:
        return "Have its author complete it, or waive with a reason what it lacks (`phaseloop audit waive`)."
    return "Cut it into parts that fit an iteration, or take it out of the iteration if nobody means to do it."


def _iteration_findings(
    turnover: Turnover,
    observed: Mapping[ItemKey, ObservedItem],
    recorded: Mapping[ItemKey, Recorded],
    project_key: str,
) -> Iterator[Finding]:
    closing, coming = iteration_key(turnover.closes), iteration_key(turnover.begins)
    if turnover.closes and closing not in observed:
        yield Finding(
            Severity.WARNING,
            "closing-iteration-deleted",
            "The iteration that ends is no longer in the tracker: there is nothing to close. What was planned for it "
            "and is not done continues as usual; what people had added to it cannot be told.",
            "Put people's own tickets of it that continue into the one that begins.",
            closing,
        )
    elif turnover.closes and not observed[closing].holds:
        yield Finding(
            Severity.WARNING,
            "closing-iteration-emptied",
            f"The iteration that ends is there, but {EMPTIED}. What was planned for it and is not done is carried "
            "over as usual; what people had added to it cannot be told.",
            "Put people's own tickets of it that continue into the one that begins.",
            closing,
        )
    elif turnover.closes and observed[closing].status == _CLOSED:
        yield Finding(
            Severity.INFO,
            "closed-by-hand",
            "The iteration that ends was closed by hand.",
            "What was left in it and is in no other iteration continues as usual.",
            closing,
        )
    known = recorded.get(coming)
    if not turnover.begins or known is None or known.ref is None:
        return
    again = f"phaseloop plan {typed(project_key)} --restore {typed(coming)}; then apply that plan."
    if coming not in observed:
        yield Finding(
            Severity.ERROR,
            "next-iteration-deleted",
            "The iteration that is to begin was deleted in the tracker.",
            f"Somebody who plans the project has it made again: {again} The loop resumes automatically.",
            coming,
        )
    elif not observed[coming].holds:
        yield Finding(
            Severity.ERROR,
            "next-iteration-emptied",
            f"The iteration that is to begin is there, but {EMPTIED}.",
            f"Somebody who plans the project has that made again, and its tickets put into it: {again} The loop "
            "resumes automatically.",
            coming,
        )
    elif observed[coming].status == _CLOSED:
        yield Finding(
            Severity.ERROR,
            "next-iteration-closed",
            "The iteration that is to begin was closed by hand.",
            "Somebody who may manage iterations opens it again where the tracker can, or deletes it there and has it "
            f"made again: {again} The loop resumes automatically.",
            coming,
        )
