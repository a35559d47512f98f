"""What the batches of a run do to items that exist: update fields, put tickets into iterations, complete checklists,
bring tickets to another status.

Each looks right before it writes (see `recheck`), so it may run again after a crash: what is there already is recorded,
and what people changed since the plan was made is left to them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from connectors.values import (
    Done,
    Fields,
    Finding,
    Item,
    ItemKey,
    ObservedItem,
    Outcome,
    RemoteRef,
    Severity,
)
from service.domain.loop.turnover import STATUS
from service.domain.plan.batches import Batch, written_apart
from service.domain.plan.conflicts import Verdict
from service.domain.plan.plan import Action
from service.runs import recheck
from service.runs.run_step import Work
from service.store import items


def update(work: Work, batch: Batch) -> None:
    """Write fields of these items, those that are still as the plan saw them."""
    apart = written_apart(work.place.capabilities)
    present = recheck.ref_of(work, batch.keys)
    names: dict[ItemKey, list[str]] = {}
    for key, _ in present:
        values = work.desired[key].fields()
        names[key] = [name for name in work.changes[key].changed if name in values and name not in apart]
    looked, verdicts = work.context.now(), recheck.judge(work, names)
    for place, (key, ref) in enumerate(present):
        if not recheck.holds(work, looked):
            left = {later: names[later] for later, _ in present[place:]}
            looked, verdicts = work.context.now(), recheck.judge(work, left)
        verdict, shown = verdicts[key]
        if shown is not None:
            _update(work, key, ref, verdict, shown)


def _update(work: Work, key: ItemKey, ref: RemoteRef, verdict: Verdict, shown: ObservedItem) -> None:
    item = work.desired[key]
    if verdict.write:
        done = False
        with recheck.refusals_told(work, item):
            whole = item if verdict.labels is None else replace(item, labels=verdict.labels)
            epic = work.ref(item.epic)
            known = {**work.plan.known, **work.rows.references}
            work.tracker.update(work.place, item.kind, ref, whole, verdict.write, epic, shown.fields, known)
            done = True
        if not done:
            return
    values = item.fields()
    fields = {name: values[name] for name in (*verdict.write, *verdict.there)}
    if fields and not recheck.is_given_back(work.changes[key]):
        with work.context.database.session() as session:
            items.written(session, work.project.id, key, fields, work.run.id, work.context.now())
            if "checklist" in fields and "checklist" not in shown.fields:  # it stands in the text
                form = work.tracker.written_as(work.place, item).get("text")
                if form is not None:
                    items.shown_as(session, work.project.id, key, {"text": form}, work.context.now())


def move(work: Work, batch: Batch) -> None:
    """Put these tickets into their iteration, those that are still where the plan saw them and not done since."""
    target = work.ref(batch.target)
    present = recheck.ref_of(work, batch.keys)
    if (target is None and batch.target is not None) or not present:
        return
    fresh = {key for key, _ in present if _is_fresh(work, key)}
    placed = {key for key in fresh if _is_in(work.rows[key].wanted, batch.target)}
    verdicts = recheck.judge(work, {key: ["iteration"] for key, _ in present if key not in fresh})
    moving = [(key, ref) for key, ref in present if key not in placed and _is_going(verdicts.get(key))]
    there = [key for key, (verdict, _) in verdicts.items() if verdict.there]
    outcomes: list[Outcome] = [Done(key, ref) for key, ref in present if key in there]
    if fresh:
        recheck.rely(work)
    if moving:
        outcomes += work.tracker.move(work.place, moving, target)
    theirs = {key for key, _ in present if recheck.is_given_back(work.changes[key])}
    fields: dict[ItemKey, Fields] = {
        one.key: {} if one.key in theirs else {"iteration": batch.target} for one in outcomes
    }
    record_written(work, outcomes, fields)


def complete(work: Work, batch: Batch) -> None:
    """Bring these tickets to the status that their changes say, those that stand as the plan saw them and where it saw
    them. One that the tracker does not let there stays, which is told and stops nothing."""
    present = dict(recheck.ref_of(work, batch.keys))
    verdicts = recheck.judge_status(work, list(present))
    wanted: dict[ItemKey, str] = {key: (work.changes[key].after or {})[STATUS] for key in present}
    outcomes: list[Outcome] = [Done(key, present[key]) for key, verdict in verdicts.items() if verdict.there]
    going = [key for key, verdict in verdicts.items() if verdict.write]
    for status in dict.fromkeys(wanted[key] for key in going):
        those = [(key, present[key]) for key in going if wanted[key] == status]
        outcomes += work.tracker.set_status(work.place, those, status)
    done = [outcome for outcome in outcomes if isinstance(outcome, Done)]
    record_written(work, done, {one.key: {STATUS: wanted[one.key]} for one in done})
    work.findings += [
        recheck.kept_status(work.changes[outcome.key], outcome.problems)
        for outcome in outcomes
        if not isinstance(outcome, Done)
    ]


def _is_going(found: tuple[Verdict, ObservedItem | None] | None) -> bool:
    """Whether a ticket is moved: the look says so, or there was none."""
    return found is None or bool(found[0].write)


def _is_fresh(work: Work, key: ItemKey) -> bool:
    """Whether this run has only just made a ticket: as long as a look holds, it is as it was written."""
    row = work.rows[key]
    made = work.changes[key].action is Action.CREATE and row.made_by == work.run.id
    return made and recheck.holds(work, row.updated_at)


def _is_in(written: Fields, iteration: ItemKey | None) -> bool:
    """Whether a ticket was put into this iteration; into none counts, never having been put anywhere does not."""
    return "iteration" in written and written["iteration"] == iteration


def finish(work: Work, batch: Batch) -> None:
    """Have the tracker complete the tickets whose create call could not carry everything, and those whose checklist
    changed and is still as the plan saw it."""
    present = recheck.ref_of(work, batch.keys)
    changed = {key for key, _ in present if work.changes[key].action is not Action.CREATE}
    verdicts = recheck.judge(work, {key: ["checklist"] for key in changed})
    left = {
        key: _left(work.rows[key].wanted, work.desired[key], rewritten=key in changed)
        for key, _ in present
        if _is_going(verdicts.get(key))
    }
    unfinished = [(work.desired[key], ref) for key, ref in present if left.get(key)]
    outcomes: list[Outcome] = [Done(key, ref) for key, ref in present if key in verdicts and verdicts[key][0].there]
    left |= {outcome.key: {"checklist": work.desired[outcome.key].fields()["checklist"]} for outcome in outcomes}
    if unfinished:
        going = {item.key: lines for item, _ in unfinished if (lines := work.changes[item.key].lines_going)}
        outcomes += work.tracker.finish(work.place, unfinished, going)
    record_written(work, outcomes, left)
    work.findings += [
        _kept_lines(work.desired[one.key], one.kept) for one in outcomes if isinstance(one, Done) and one.kept
    ]


def _kept_lines(item: Item, lines: Sequence[str]) -> Finding:
    """That lines of a checklist stay that a run had added, because people use them by now."""
    named = ", ".join(f'"{line}"' for line in lines)
    message = f'"{item.title}" keeps of its checklist {named}: ticked, given to somebody or due since it was added.'
    return Finding(Severity.INFO, "lines-kept", message, "Remove by hand what nobody needs.", item.key)


def _left(written: Fields, item: Item, *, rewritten: bool) -> Fields:
    """What of a ticket is still to be finished: its text only if none was written, its checklist also if it changed."""
    wanted = item.fields()
    left = {name: wanted[name] for name in ("text", "checklist") if name not in written}
    done = written.get("checklist") == wanted["checklist"] and not rewritten
    return left if done else {**left, "checklist": wanted["checklist"]}


def record_written(work: Work, outcomes: Sequence[Outcome], fields: Mapping[ItemKey, Fields]) -> None:
    """Record which of the items were written, with the `fields` of each, and a finding for each that was refused."""
    if not outcomes:
        return
    now = work.context.now()
    with work.context.database.session() as session:
        items.load(session, work.project.id, [outcome.key for outcome in outcomes])
        for outcome in outcomes:
            if isinstance(outcome, Done):
                items.written(session, work.project.id, outcome.key, fields[outcome.key], work.run.id, now)
    work.findings += [
        recheck.refusal(work.desired[outcome.key], [str(problem) for problem in outcome.problems])
        for outcome in outcomes
        if not isinstance(outcome, Done)
    ]


def seen_labels(shown: Collection[str], wanted: Collection[str], before: Collection[str]) -> list[str]:
    """The labels that people's changes are told from, after an update: those shown, and ours that were there before and
    that people took off, which is theirs to do and is to be seen as such."""
    return sorted({*shown, *(set(wanted) & set(before))})
