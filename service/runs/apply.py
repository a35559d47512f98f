"""The durable run that applies a plan: open the project, do the batches in order, end.

The workflow's argument is the run's id alone; everything else is read from our own tables by its steps. The order of
steps follows from the run's stored batches, so that a resumed run repeats it exactly. What is not a step here
(loops, arithmetic on step results) is deterministic.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from dbos import DBOS

from connectors.values import Finding, Severity
from service.context import Context
from service.domain.plan import batch_words, run_state
from service.domain.plan.batches import Batch, Op
from service.domain.plan.plan import Purpose
from service.domain.plan.plan_json import batches_from_json
from service.domain.problems import InvalidInput
from service.runs import execution, recheck, run_step, storage
from service.runs.active_runs import Traffic
from service.runs.loop_port import Turning
from service.runs.ownership import Registry, present
from service.runs.run_step import Verdict
from service.store import runs
from service.store.tables import RunRow
from service.store_faults import KeyProblem

log = logging.getLogger(__name__)

WORKFLOW = "apply-plan"

LOOK_EVERY = 0.5
"""Seconds between two looks of a waiting run at its record, where others wake or cancel it."""

_bound: tuple[Context, Traffic, Turning, Registry] | None = None


def bind(context: Context, traffic: Traffic, turning: Turning, registry: Registry) -> None:
    """Hand the steps what they need. The engine is one for each process, and so is this; it binds at launch."""
    global _bound  # noqa: PLW0603 - durable steps are module functions: this is their one way in
    _bound = context, traffic, turning, registry


def given() -> tuple[Context, Traffic, Turning]:
    """What the engine handed to the steps; within an execution, what that may write with. Raises RuntimeError before
    the engine was launched."""
    context, traffic, turning, _registry = _handed()
    mine = present()
    return (context if mine is None else mine.context), traffic, turning


def _handed() -> tuple[Context, Traffic, Turning, Registry]:
    if _bound is None:
        msg = "the engine was not launched"
        raise RuntimeError(msg)
    return _bound


@DBOS.workflow(name=WORKFLOW)
def apply_plan(run_id: str) -> str:
    """Apply the run's plan; returns how it ended: completed, incomplete, cancelled or failed."""
    return carried_out(
        run_id, lambda: finish_step(run_id, run_state.CANCELLED if batches(run_id) == "cancel" else None)
    )


def carried_out(run_id: str, steps: Callable[[], str]) -> str:
    """Do the steps of a workflow; what rises from them is a bug in phaseloop, and ends the run as failed."""
    _context, traffic, _turning, registry = _handed()
    with traffic.working(DBOS.workflow_id or run_id), registry.owning(run_id):
        try:
            return steps()
        except Exception as error:
            traffic.check()
            if storage.unusable(error):  # the journal's: steps wait out our own
                raise
            if isinstance(error, KeyProblem):  # how the service is set up, and no bug
                log.error("run %s failed: %s", run_id, error)  # noqa: TRY400
                return fail_step(run_id, type(error).__name__, str(error))
            log.exception("run failed", extra={"run": run_id})
            return fail_step(run_id, type(error).__name__)


def batches(run_id: str) -> str:
    """Open the project and do the batches of the run's plan in order. Returns the last word: go, stop or cancel."""
    verdict = until_done(run_id, lambda attempt: open_step(run_id, attempt))
    if verdict == "go":
        for number in range(1, count_step(run_id) + 1):
            verdict = until_done(run_id, lambda attempt, number=number: batch_step(run_id, number, attempt))  # type: ignore[misc]
            if verdict != "go":
                break
    return verdict


def until_done(run_id: str, attempt_step: Callable[[int], dict[str, Any]]) -> str:
    """Repeat a step as long as it says so, waiting durably in between. Returns its last word: go, stop, cancel, or
    what else the step may say."""
    attempt = 0
    while True:
        verdict = Verdict(**attempt_step(attempt))
        if verdict.next != "again":
            return verdict.next
        if DBOS.patch("waits-that-can-be-ended"):
            wait_step(run_id)
        else:
            DBOS.sleep(verdict.wait)  # the order of steps in which a run of version 0.1 began, and continues
        attempt += 1


@DBOS.step(name="open")
def open_step(run_id: str, attempt: int) -> dict[str, Any]:
    """Find or create the project and lay out the batches."""
    context, traffic, _turning = given()
    return traffic.patiently(
        lambda: journaled(run_step.step(context, run_id, 0, attempt, "Open the project", execution.open_project))
    )


@DBOS.step(name="count")
def count_step(run_id: str) -> int:
    """How many batches there are."""
    context, traffic, _turning = given()

    def count() -> int:
        with context.database.session() as session:
            return len(session.get_one(RunRow, run_id).batches or [])

    return traffic.patiently(count)


@DBOS.step(name="batch")
def batch_step(run_id: str, number: int, attempt: int) -> dict[str, Any]:
    """Do batch `number`, as far as it is not done."""
    context, traffic, _turning = given()

    def do() -> dict[str, Any]:
        with context.database.session() as session:
            batch = batches_from_json(session.get_one(RunRow, run_id).batches or [])[number - 1]
        verdict = run_step.step(
            context, run_id, number, attempt, batch_words.title(batch), lambda job: carry_out(job, batch)
        )
        return journaled(verdict)

    return traffic.patiently(do)


@DBOS.step(name="wait")
def wait_step(run_id: str) -> None:
    """Wait until the time that the run's record says, or until somebody wakes or cancels the run."""
    context, traffic, _turning = given()

    def left() -> float:
        with context.database.session() as session:
            run = session.get_one(RunRow, run_id)
            over = run.state in run_state.ENDED or run.cancel_requested_at is not None or run.waiting_until is None
            return 0.0 if over else (run.waiting_until - context.now()).total_seconds()  # type: ignore[operator]

    while (seconds := traffic.patiently(left)) > 0:
        traffic.pause(min(seconds, LOOK_EVERY))


@DBOS.step(name="finish")
def finish_step(run_id: str, state: str | None = None) -> str:
    """Close the run, in this state or in the one that its findings say. Once a plan was applied, the project's loop
    begins, if it has not yet, and follows the settings that came with the plan."""
    context, traffic, turning = given()

    def finish() -> str:
        with context.database.session() as session:
            ended = runs.finish(session, run_id, context.now(), state)
            kind = session.get_one(RunRow, run_id).kind
        if kind in (Purpose.APPLY, Purpose.UNDO) and ended in (run_state.COMPLETED, run_state.INCOMPLETE):
            _begin_the_loop(context, turning, run_id)
        return ended

    return traffic.patiently(finish)


def _begin_the_loop(context: Context, turning: Turning, run_id: str) -> None:
    """Let the loop begin once a plan was applied. That it cannot is said with the run, which did all the same what it
    was to do."""
    try:
        turning.applied(context, run_id)
    except InvalidInput as error:
        fix = "Fix it and apply once more: the loop begins then."
        found = [Finding(Severity.WARNING, "loop-not-begun", problem.told, fix) for problem in error.problems]
        with context.database.session() as session:
            runs.add_findings(session, run_id, found)


@DBOS.step(name="fail")
def fail_step(run_id: str, error: str, said: str = "") -> str:
    """Close a run that met an error of ours, or what is `said` of a service that is set up wrongly; what it did stays
    recorded, and it can be resumed."""
    context, traffic, _turning = given()
    if said:
        again = f"Then take it up again with: phaseloop runs retry {run_id}"
        return traffic.patiently(lambda: fail(context, run_id, Finding(Severity.ERROR, "wrong-key", said, again)))
    finding = Finding(
        Severity.ERROR,
        "internal-error",
        f"phaseloop itself failed ({error}). What was written so far is recorded.",
        f"Take it up again with: phaseloop runs retry {run_id}. If it fails again, report it together with the "
        "service's log of this time.",
    )
    return traffic.patiently(lambda: fail(context, run_id, finding))


def fail(context: Context, run_id: str, finding: Finding, workflow: str | None = None) -> str:
    """End a run as failed, with what is to be said about it, unless it has ended or is held; returns its state. A run
    whose present attempt is another `workflow` than this one stays as it is."""
    with context.database.session() as session:
        run = session.get_one(RunRow, run_id)
        state = run.state
        if state == run_state.HELD or workflow not in (None, runs.workflow_id(run_id, run.attempt)):
            return state
        if state not in run_state.ENDED:
            runs.add_findings(session, run_id, [finding])
        return runs.finish(session, run_id, context.now(), run_state.FAILED)


def carry_out(job: run_step.Work, batch: Batch) -> None:
    """Do a batch. What could come to be twice is done only once nothing of an earlier attempt is under way any more."""
    job.rows.load([*batch.keys, *batch.rides])
    if batch.op in _COME_LATE:
        job.settle()
    recheck.again(job, lambda: execution.DOERS[batch.op](job, batch))


_COME_LATE = frozenset({Op.FINISH, Op.UPDATE, Op.COMPLETE, Op.FILL, Op.COMMENT})
"""What looks at what is there before it adds to it, and keeps no intents as creates do: a call that arrives after the
look would have it added twice."""


def journaled(verdict: Verdict) -> dict[str, Any]:
    """A verdict as the journal keeps it."""
    return {"next": verdict.next, "wait": verdict.wait}
