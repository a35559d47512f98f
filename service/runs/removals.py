"""What the batches of an undo do: remove what nobody touched, take links back, end the project.

Each may run again after a crash or a lost answer: what is gone is success, and our record of it goes after the answer.
Right before something is removed it is looked at again, because people may have touched it since the plan was made.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from connectors.values import (
    NAME_STAYS_TAKEN,
    Done,
    Finding,
    ItemKey,
    ItemKind,
    Link,
    ObservedItem,
    RemoteRef,
    Severity,
    Traces,
)
from service.domain.english import counted
from service.domain.loop import loop_state
from service.domain.plan.batches import REMOVAL_ORDER, Batch
from service.domain.plan.plan import Action, Recorded
from service.domain.plan.undo import after_the_loop, looped, touches
from service.runs import recheck
from service.runs.run_step import Work
from service.store import identities, items, loops
from service.store.tables import ProjectRow


def delete(work: Work, batch: Batch) -> None:
    """Remove these items, but those that somebody touched meanwhile or that the tracker does not remove. Where it takes
    longer than a look holds, the rest is looked at again."""
    refs = {key: ref for key in batch.keys if key in work.rows and (ref := _ref(work, key)) is not None}
    pace = 0.0  # seconds that one removal takes: not known before the first
    while refs:
        looked = work.context.now()
        going, refs = _untouched(work, batch.kind, refs), {}
        while going:
            part, started = going[: _as_many(work, pace)], work.context.now()
            outcomes = work.tracker.delete(work.place, batch.kind, part)
            pace = (work.context.now() - started).total_seconds() / len(part)
            forget(work, [outcome.key for outcome in outcomes if isinstance(outcome, Done)])
            if batch.kind is ItemKind.PROJECT and any(isinstance(outcome, Done) for outcome in outcomes):
                work.findings += [one for one in work.plan.findings if one.code == NAME_STAYS_TAKEN]
            work.findings += [
                _not_removed(work, outcome.key, [str(problem) for problem in outcome.problems])
                for outcome in outcomes
                if not isinstance(outcome, Done)
            ]
            going = going[len(part) :]
            if going and not recheck.holds(work, looked):
                going, refs = [], dict(going)


def _as_many(work: Work, pace: float) -> int:
    """How many items are removed by one call, so that the look before it still holds at its end."""
    return max(1, int(work.context.settings.look_seconds / pace)) if pace else 1


def _untouched(work: Work, kind: ItemKind, refs: Mapping[ItemKey, RemoteRef]) -> list[tuple[ItemKey, RemoteRef]]:
    """Those of the items that nobody touched, as of one look; of the others people are told, and of what is gone our
    records go."""
    shown, traces = _look(work, kind, refs)
    with work.context.database.session() as session:
        states = loops.brought_to(session, work.project.id)
    gone = [key for key in refs if key not in shown and key not in traces]
    forget(work, gone)
    going = []
    for key, ref in refs.items():
        if key in gone:
            continue
        record = _record(work, key, states)
        why = [*touches(record, shown.get(key), traces.get(key)), *looped(record, shown.get(key)), *_in_it(work, kind)]
        if why:
            work.findings.append(_kept(work, key, why))
        else:
            going.append((key, ref))
    return going


def unlink(work: Work, batch: Batch) -> None:
    """Take back the links that no ticket took along."""
    for key in batch.keys:
        if key not in work.rows:
            continue
        item = work.desired[key]
        source, target = _ref(work, item.source), _ref(work, item.target)
        both = item.source in work.rows and item.target in work.rows
        before = len(work.findings)
        if both and source is not None and target is not None:
            with recheck.refusals_told(work, item):
                work.tracker.unlink(work.place, Link(key, source, target))
        if len(work.findings) == before:
            forget(work, [key])


def end(work: Work, _batch: Batch) -> None:
    """End the project, unless something went wrong before: then it can be asked for again."""
    if any(entry["severity"] == Severity.ERROR for entry in work.run.findings):
        message = "The project was not ended, because of the errors above."
        fix = "Fix them and remove the project again; only what is left will be done."
        work.findings.append(Finding(Severity.WARNING, "not-ended", message, fix, work.plan.spec.key))
        return
    with work.context.database.session() as session:
        project = session.get_one(ProjectRow, work.project.id)
        project.ended_at = project.ended_at or work.context.now()
        by, now = work.run.started_by, work.context.now()
        loops.end(session, project.id, by, "The project was ended.", now)
        text = f"{project.key} was ended by {by}."
        loops.record_event(
            session, project.id, loop_state.ENDED, loop_state.ENDED, text, at=now, by=by, run_id=work.run.id
        )


def forget(work: Work, keys: Collection[ItemKey]) -> None:
    """Record that these items are gone, and the links at them with them."""
    if not keys:
        return
    links = [
        key
        for key, row in work.rows.items()
        if row.kind == ItemKind.LINK and {row.wanted.get("source"), row.wanted.get("target")} & set(keys)
    ]
    with work.context.database.session() as session:
        items.forget(session, work.project.id, [*keys, *links])
        for key in keys:
            if (
                ref := work.plan.former.get(key)
            ) is not None:  # people had deleted it: that is so again, and stays theirs
                row, now = work.rows[key], work.context.now()
                kind, wanted = ItemKind(row.kind), row.wanted
                items.made(session, work.project.id, key, kind, ref, wanted, work.run.id, now, seen=row.seen)
        if any(work.changes[key].kind is ItemKind.PROJECT for key in keys):
            session.get_one(ProjectRow, work.project.id).url = None
            identities.let_go(session, work.project.id)
    work.reload()


def _ref(work: Work, key: ItemKey | None) -> RemoteRef | None:
    """Where an item is: as recorded or, where the answer to its creation was lost, as the plan found it."""
    return (work.ref(key) or work.plan.known.get(key)) if key is not None else None


def _record(work: Work, key: ItemKey, states: Mapping[ItemKey, str]) -> Recorded:
    row, change = work.rows[key], work.changes[key]
    record = replace(
        items.record(key, row), kind=change.kind, ref=_ref(work, key), wanted=row.wanted or change.before or {}
    )
    return after_the_loop(record, states, work.plan.purpose)


def _look(
    work: Work, kind: ItemKind, refs: Mapping[ItemKey, RemoteRef]
) -> tuple[Mapping[ItemKey, ObservedItem], Mapping[ItemKey, Traces]]:
    """How the tracker shows these items now, and what people left on them."""
    known = {**work.plan.known, **work.rows.references}
    shown: Mapping[ItemKey, ObservedItem] = {}
    if readable := items.readable(refs):
        shown = work.tracker.find(work.place, items.readable(known), only=list(readable))
    if kind is not ItemKind.TICKET:
        # What stays although it was to go counts like anybody's: it must not lose what it hangs on.
        going = {change.key for change in work.plan.changes if change.action is Action.DELETE}
        known = {key: ref for key, ref in known.items() if key in going.difference(_stayed(work, kind))}
    own = {comment for row in work.rows.values() for comment in row.comments}
    traces = work.tracker.traces(work.place, {**known, **refs}, list(refs), own)
    recheck.rely(work)
    return shown, traces


def _stayed(work: Work, kind: ItemKind) -> list[ItemKey]:
    """What was to be removed before this kind of item, and was not."""
    before = REMOVAL_ORDER[: REMOVAL_ORDER.index(kind)]
    return [
        change.key
        for change in work.plan.changes
        if change.action is Action.DELETE and change.kind in before and change.key in work.rows
    ]


def _in_it(work: Work, kind: ItemKind) -> list[str]:
    """What stays in a project or on its board, which is not removed then."""
    if kind not in (ItemKind.COLUMN, ItemKind.PROJECT):
        return []
    count = sum(work.changes[key].kind is not ItemKind.LABEL for key in _stayed(work, kind))
    return [f"{counted(count, 'item in it that stays', 'items in it that stay')}"] if count else []


def _kept(work: Work, key: ItemKey, why: Sequence[str]) -> Finding:
    message = f'"{work.changes[key].title}" stays: {"; ".join(why)}.'
    return Finding(Severity.INFO, "kept", message, "Remove it by hand if nobody needs it.", key)


def _not_removed(work: Work, key: ItemKey, problems: Sequence[str]) -> Finding:
    message = f'The tracker did not remove "{work.changes[key].title}": ' + "; ".join(problems)
    fix = "Fix what it names and undo again, or remove it by hand; or leave it."
    return Finding(Severity.WARNING, "not-removed", message, fix, key)
