"""The durable run that applies a plan: open the project, do the batches in order, end.

The workflow's argument is the run's id alone; everything else is read from our own tables by its steps. The order of
steps follows from the run's stored batches, so that a resumed run repeats it exactly. What is not a step here
(loops, arithmetic on step results) is deterministic.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from dbos import DBOS

from connectors.tracker import Finding, Severity
from service.context import Context
from service.domain.batches import Batch, Op
from service.domain.wire import batches_from_json
from service.runs import doing, work
from service.runs.work import Verdict
from service.store import runs
from service.store.tables import RunRow

log = logging.getLogger(__name__)

WORKFLOW = "apply-plan"

LONGEST_PAUSE = 30.0
"""Seconds between two attempts to use our own database."""

_T = TypeVar("_T")

_context: Context | None = None


def bind(context: Context) -> None:
    """Hand the steps their context. The engine is one for each process, and so is this; it binds at launch."""
    global _context  # noqa: PLW0603 - durable steps are module functions: this is their one way in
    _context = context


def _bound() -> Context:
    if _context is None:
        msg = "the engine was not launched"
        raise RuntimeError(msg)
    return _context


@DBOS.workflow(name=WORKFLOW)
def apply_plan(run_id: str) -> str:
    """Apply the run's plan; returns how it ended: completed, incomplete, cancelled or failed."""
    try:
        state = _work(run_id)
        return _patiently(lambda: finish_step(run_id, state))
    except Exception as error:
        log.exception("run failed", extra={"run": run_id})
        name = type(error).__name__
        return _patiently(lambda: fail_step(run_id, name))


def _work(run_id: str) -> str | None:
    """Do the run's steps in order; the state to end it in, None for what its findings say."""
    verdict = _until_done(lambda attempt: open_step(run_id, attempt))
    if verdict == "go":
        for number in range(1, _patiently(lambda: count_step(run_id)) + 1):
            verdict = _until_done(lambda attempt, number=number: batch_step(run_id, number, attempt))  # type: ignore[misc]
            if verdict != "go":
                break
    return runs.CANCELLED if verdict == "cancel" else None


def _until_done(attempt_step: Callable[[int], dict[str, Any]]) -> str:
    """Repeat a step as long as it says so, sleeping durably in between. Returns its last word: go, stop or cancel."""
    attempt = 0
    while True:
        verdict = Verdict(**_patiently(lambda: attempt_step(attempt)))  # noqa: B023 - called at once
        if verdict.next != "again":
            return verdict.next
        DBOS.sleep(verdict.wait)
        attempt += 1


def _patiently(call: Callable[[], _T]) -> _T:
    """Repeat a step as long as our own database cannot be used; what was done meanwhile is looked up by the step."""
    pause = 1.0
    while True:
        try:
            return call()
        except work.StoreUnavailable as error:
            log.warning("the database cannot be used, trying again in %.0f s: %s", pause, error)
            DBOS.sleep(pause)
            pause = min(LONGEST_PAUSE, pause * 2)


@DBOS.step(name="open")
def open_step(run_id: str, attempt: int) -> dict[str, Any]:
    """Find or create the project and lay out the batches."""
    with work.stored():
        return _journaled(work.step(_bound(), run_id, 0, attempt, "Open the project", doing.open_project))


@DBOS.step(name="count")
def count_step(run_id: str) -> int:
    """How many batches there are."""
    with work.stored(), _bound().database.session() as session:
        return len(session.get_one(RunRow, run_id).batches or [])


@DBOS.step(name="batch")
def batch_step(run_id: str, number: int, attempt: int) -> dict[str, Any]:
    """Do batch `number`, as far as it is not done."""
    context = _bound()
    with work.stored():
        with context.database.session() as session:
            batch = batches_from_json(session.get_one(RunRow, run_id).batches or [])[number - 1]
        action = doing.DOERS[batch.op]
        verdict = work.step(context, run_id, number, attempt, title(batch), lambda job: action(job, batch))
        return _journaled(verdict)


@DBOS.step(name="finish")
def finish_step(run_id: str, state: str | None = None) -> str:
    """Close the run, in this state or in the one that its findings say."""
    context = _bound()
    with work.stored(), context.database.session() as session:
        return runs.finish(session, run_id, context.now(), state)


@DBOS.step(name="fail")
def fail_step(run_id: str, error: str) -> str:
    """Close a run that met an error of ours; what it did stays recorded, and a new plan shows the rest."""
    context = _bound()
    finding = Finding(
        Severity.ERROR,
        "internal-error",
        f"phaseloop itself failed ({error}). What was written so far is recorded.",
        "Plan and apply again; if it fails again, report it together with the service's log of this time.",
    )
    with work.stored(), context.database.session() as session:
        runs.add_findings(session, run_id, [finding])
        return runs.finish(session, run_id, context.now(), runs.FAILED)


def _journaled(verdict: Verdict) -> dict[str, Any]:
    return {"next": verdict.next, "wait": verdict.wait}


def title(batch: Batch) -> str:
    """What the batch does, as a person reads it in a run's list of steps."""
    count = len(batch.keys)
    things = f"{count} {batch.kind.value}{'' if count == 1 else 's'}"
    match batch.op:
        case Op.CREATE:
            return f"Create {things}"
        case Op.FINISH:
            return f"Finish {things}"
        case Op.MARK:
            return f"Mark {batch.keys[0]}"
        case Op.UPDATE:
            return f"Update {batch.keys[0]}"
        case Op.MOVE:
            return f"Put {things} into {batch.target}"
        case Op.LINK:
            return f"Make sure of {count} dependenc{'y' if count == 1 else 'ies'}"
        case Op.READ_BACK:
            return f"Read back {count} items"
        case _:
            return f"Note {count} items"
