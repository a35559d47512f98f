"""What the batches of an advance do to iterations: close the one that ends, begin the next one, and make sure of both.

Each may run again after a crash: a tracker counts an iteration that is closed or begun already as success.
"""

from __future__ import annotations

from collections.abc import Mapping

from connectors.values import Finding, Item, ItemKey, ItemKind, ObservedItem, Severity
from service.domain.loop.turnover import SETTLED, STATE, Policy, iteration_key
from service.domain.plan import conflicts
from service.domain.plan.batches import Batch
from service.domain.plan.conflicts import WHOLE
from service.domain.plan.diff import baseline
from service.runs import recheck
from service.runs.run_step import Stopped, Work
from service.store import items

ACTIVE = "active"
"""What a tracker shows of an open iteration."""


def close(work: Work, batch: Batch) -> None:
    """Close an iteration, once all that continues elsewhere is there: trackers put what is left in it where they like.

    Raises Stopped where something is not."""
    _everything_in_place(work)
    for key in batch.keys:
        ref = work.ref(key)
        if ref is not None:
            work.tracker.close_iteration(work.place, _item(work, key), ref)


def start(work: Work, batch: Batch) -> None:
    """Begin an iteration. Raises Stopped where it could not be made. Of one that people began, what the plan left to
    them (see `diff`) counts as settled from here on, so that no later plan writes it."""
    for key in batch.keys:
        ref = work.ref(key)
        if ref is None:
            raise Stopped(_not_made(work, key))
        work.tracker.start_iteration(work.place, _item(work, key), ref)
        if work.plan.stood.get(key) == ACTIVE and key in work.desired:
            wanted, recorded = work.desired[key].fields(), work.rows[key].wanted
            theirs = {name: wanted[name] for name in SETTLED if recorded.get(name) != wanted[name]}
            if theirs:
                shown, seen = work.plan.observed.get(key, {}), baseline(items.record(key, work.rows[key]))
                over = {name for name in theirs if not conflicts.is_unchanged(name, seen, shown)}
                with work.context.database.session() as session:
                    items.touched(session, work.project.id, key, {*work.rows[key].theirs, *over})
                    items.written(session, work.project.id, key, theirs, work.run.id, work.context.now())


def make_sure(work: Work, shown: Mapping[ItemKey, ObservedItem]) -> None:
    """Hold what a tracker shows of iterations against what was done to them. Raises Stopped where one that was begun
    does not continue; that one is not closed is only said."""
    for key, seen in shown.items():
        state = (work.changes[key].after or {}).get(STATE)
        if state is None or seen.status == state:
            continue
        title = work.changes[key].title
        if state == ACTIVE:
            message = f'The tracker accepted that "{title}" begins, but shows it as {seen.status}.'
            fix = "Look whether somebody or an automation changed it, and start it there if it is to continue."
            raise Stopped(Finding(Severity.ERROR, "not-begun", message, fix, key))
        message = f'The tracker accepted that "{title}" is closed, but shows it as {seen.status}.'
        fix = "Look whether somebody opened it again, and complete it there."
        work.findings.append(Finding(Severity.WARNING, "not-closed", message, fix, key))


def _everything_in_place(work: Work) -> None:
    turnover = work.plan.turnover
    if turnover is None or not work.place.capabilities.iterations:
        return
    coming = iteration_key(turnover.begins)
    if turnover.begins and work.ref(coming) is None:
        raise Stopped(_not_made(work, coming))
    left = [
        one.title
        for one in turnover.carried
        if one.policy.moves
        and one.key in work.rows
        and not {"iteration", WHOLE} & recheck.left_of(work, one.key).keys()  # people moved, finished or deleted it
        and work.rows[one.key].wanted.get("iteration", "") != (coming if one.policy is Policy.NEXT else None)
    ]
    if left:
        named = ", ".join(f'"{title}"' for title in left[:5]) + (f" and {len(left) - 5} more" if len(left) > 5 else "")
        message = f"The iteration is not closed, because {named} could not be taken out of it."
        fix = "See what the tracker says of each, fix that or move them by hand; the run then resumes automatically."
        raise Stopped(Finding(Severity.ERROR, "not-carried", message, fix, iteration_key(turnover.closes)))


def _not_made(work: Work, key: ItemKey) -> Finding:
    message = f'"{work.changes[key].title if key in work.changes else key}" could not be made, so it cannot begin.'
    fix = "See what the tracker says of it; once that is fixed, the run resumes automatically."
    return Finding(Severity.ERROR, "iteration-not-made", message, fix, key)


def _item(work: Work, key: ItemKey) -> Item:
    return work.desired.get(key) or Item(key, ItemKind.ITERATION, work.changes[key].title)
