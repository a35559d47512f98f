"""What a run looks for after it was interrupted: things that a late call of the former execution made a second time.

Proofs and waits keep late calls from being sent; one that was on its way when its process was stopped may still arrive.
It is found by what it made. What this run made twice and nobody touched is removed, and said; anything else stays, and
is said, too.
"""

from __future__ import annotations

from connectors.values import Double, Finding, Severity
from service.domain.plan.batches import Batch
from service.runs.run_step import Work


def reconcile(work: Work, batch: Batch) -> None:
    """Look for doubles of what this run made among these items. Nothing is asked in a run
    that no other process had before."""
    if not work.contested:
        return
    made = [
        key
        for key in batch.keys
        if key in work.desired and key in work.rows and work.rows[key].made_by == work.run.id and work.ref(key)
    ]
    if not made:
        return
    since = min(work.rows[key].since or "" for key in made)
    known = work.rows.references
    doubles = work.tracker.reconcile(work.place, [(work.desired[key], known[key]) for key in made], since)
    work.findings += [_removed(double) if not double.why else _left(double) for double in doubles]


def _removed(double: Double) -> Finding:
    message = f'The {double.what} "{double.title}" was there twice, because a call arrived late. The second is removed.'
    return Finding(Severity.INFO, "double-removed", message, "Nothing is to be done.", double.key)


def _left(double: Double) -> Finding:
    message = f'The {double.what} "{double.title}" is there twice ({double.ref.key}): {"; ".join(double.why)}.'
    fix = "Look at both, and remove the one that nobody needs."
    return Finding(Severity.WARNING, "double-left", message, fix, double.key)
