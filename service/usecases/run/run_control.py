"""Cancelling a run, taking up again what it left, and having one that waits look again."""

from __future__ import annotations

from sqlalchemy.orm import Session

from connectors.values import ItemKey, Severity
from service import schedule
from service.context import Context
from service.domain.loop import loop_state
from service.domain.plan import run_state
from service.domain.plan.plan_json import batches_from_json, batches_to_json
from service.domain.plan.remainder import Reached, left_to_do
from service.runs import recheck
from service.store import items, loops, runs
from service.store.tables import PlanRow, ProjectRow, RunRow
from service.usecases.errors import Conflict, NotFound, StalePlan
from service.usecases.queue import Enqueue
from service.usecases.run.plan_apply import PLAN_AGAIN
from service.views.run import RunView

ONLY_A_PLAN_MENDS = frozenset({"not-kept", *recheck.CODES.values()})
"""Errors that sending the same again does not fix; they stay with the run that takes the work up."""


def cancel(context: Context, run_id: str, cancelled_by: str) -> RunView:
    """Cancel the run and return it: over at once where it is queued or waits, else about to end at its next step.

    What it wrote stays and is recorded. Asking again changes nothing. Raises NotFound; Conflict if it has ended some
    other way.
    """
    with context.database.session() as session:
        _existing(session, run_id)
        still = runs.request_cancel(session, run_id, cancelled_by, context.now())
        run = session.get_one(RunRow, run_id, populate_existing=True)
        if not still and run.state != run_state.CANCELLED:
            message = f"The run {run_id} has ended: it is {run.state}."
            raise Conflict("run-state", message, f"`phaseloop runs show {run_id}` says what it did.")
        context.done(session, run_id)
    return RunView.of(run)


def retry(context: Context, run_id: str, started_by: str, enqueue: Enqueue) -> RunView:
    """Take an incomplete or failed run up again: a new run, which does what that one left, and sends again what was
    refused. Asking again returns the same new run.

    Raises NotFound; Conflict where there is nothing to retry; StalePlan if something else changed the project since.
    """
    with context.database.session() as session:
        run = _existing(session, run_id)
    match run.state:
        case run_state.HELD:
            return RunView.of(_turned_on(context, run, started_by, enqueue))
        case run_state.INCOMPLETE | run_state.FAILED:
            return RunView.of(_taken_up(context, run_id, started_by, enqueue))
        case run_state.COMPLETED:
            raise _nothing_to_do(run_id)
        case run_state.CANCELLED:
            message, fix = f"The run {run_id} was cancelled.", f"Continue with it: phaseloop runs resume {run_id}"
            raise Conflict("run-state", message, fix)
        case _:
            message, fix = f"The run {run_id} is still running.", f"Follow it: phaseloop runs watch {run_id}"
            raise Conflict("run-state", message, fix)


def resume(context: Context, run_id: str, started_by: str, enqueue: Enqueue) -> RunView:
    """Continue with a run: one that was cancelled is continued by a new run, one that waits or is held looks again now,
    one that is queued or running is returned as it is (and handed to the engine again, should that have lost it).

    Raises NotFound; Conflict where there is nothing to resume; StalePlan if something else changed the project since.
    """
    with context.database.session() as session:
        run = _existing(session, run_id)
    match run.state:
        case run_state.CANCELLED:
            return RunView.of(_taken_up(context, run_id, started_by, enqueue))
        case run_state.COMPLETED:
            raise _nothing_to_do(run_id)
        case run_state.INCOMPLETE | run_state.FAILED:
            message = f"The run {run_id} ended {run.state}."
            fix = f"Fix what its findings name, then: phaseloop runs retry {run_id}"
            raise Conflict("run-state", message, fix)
        case run_state.HELD:
            return RunView.of(_turned_on(context, run, started_by, enqueue))
        case _ if run.cancel_requested_at is not None:
            message, fix = f"The run {run_id} is being cancelled.", "Resume it once it has ended."
            raise Conflict("run-state", message, fix)
        case _:
            return RunView.of(_hurried(context, run, enqueue))


def _hurried(context: Context, run: RunRow, enqueue: Enqueue) -> RunRow:
    with context.database.session() as session:
        runs.wake(session, run.id, context.now())
        context.done(session, run.id)
        partition = session.get_one(ProjectRow, run.project_id).connection_id
    enqueue(runs.workflow_id(run.id, run.attempt), partition)
    return run


def _turned_on(context: Context, run: RunRow, started_by: str, enqueue: Enqueue) -> RunRow:
    """The run of the loop that continues with this one: its next attempt if it is held, else a new run that makes its
    own plan with what is left; the loop turns again then, if it was paused."""
    if run.kind == loop_state.AUDIT:
        return _looked_again(context, run, started_by, enqueue)
    assert run.iteration is not None  # noqa: S101 - runs that turn the loop have one
    with context.database.session() as session:
        loop = loops.locked(session, run.project_id)
        if loop is None or loop.state == loop_state.ENDED:
            raise _nothing_to_do(run.id)
        turned = schedule.begin(session, run.project_id, run.kind, run.iteration, started_by, context.now())
        loop.state, loop.message = loop_state.TURNING, ""
        session.flush()
        context.done(session, turned.id)
        partition = session.get_one(ProjectRow, run.project_id).connection_id
        workflow, over = runs.workflow_id(turned.id, turned.attempt), turned.state in run_state.ENDED
    if not over:
        enqueue(workflow, partition)
    return turned


def _looked_again(context: Context, run: RunRow, started_by: str, enqueue: Enqueue) -> RunRow:
    """The run that looks at the records now: the next attempt of one that is held, else a new one."""
    with context.database.session() as session:
        project = session.get_one(ProjectRow, run.project_id)
        if project.ended_at is not None or loops.locked(session, project.id) is None:
            raise _nothing_to_do(run.id)
        again = schedule.begin_audit(session, project, started_by, context.now())
        session.flush()
        context.done(session, again.id)
        workflow, partition = runs.workflow_id(again.id, again.attempt), project.connection_id
    enqueue(workflow, partition)
    return again


def _turned(session: Session, run: RunRow) -> bool:
    """Whether a run did what it does to the loop, so that only single tickets can be left to do. A look at the records
    is done anew."""
    if run.kind == loop_state.AUDIT:
        return False
    loop, number = loops.find(session, run.project_id), run.iteration or 0
    if loop is None:
        return True
    return number <= loop.current if run.kind == loop_state.ADVANCE else number < loop.current


def _taken_up(context: Context, run_id: str, started_by: str, enqueue: Enqueue) -> RunRow:
    """The run that takes up one that has ended: the one there is, or a new one while nothing else has changed the
    project."""
    with context.database.session() as session:
        former = session.get_one(RunRow, run_id)
        begins_anew = former.kind in loop_state.KINDS and not _turned(session, former)
    if begins_anew:
        return _turned_on(context, former, started_by, enqueue)
    with context.database.session() as session:
        former = session.get_one(RunRow, run_id)
        successor = session.get(RunRow, runs.next_id(former))
        if successor is None and former.plan_id is not None:
            if former.cleaned_at is None and runs.claim(session, former.project_id, former.serial):
                successor = _new_run(context, session, former, started_by)
                session.add(successor)
                session.get_one(PlanRow, former.plan_id).run_id = successor.id
            else:  # there now, if another caller takes it up at the same time
                successor = session.get(RunRow, runs.next_id(former))
        if successor is None:
            message = f"The run {run_id} cannot be resumed any more: its project was changed since it ended, "
            message += "or its steps were cleaned up."
            raise StalePlan("plan-stale", message, PLAN_AGAIN)
        partition = session.get_one(ProjectRow, former.project_id).connection_id
        context.done(session, successor.id)
    if successor.state not in run_state.ENDED:  # after the commit: asking again enqueues what was not
        enqueue(successor.id, partition)
    return successor


def _new_run(context: Context, session: Session, former: RunRow, started_by: str) -> RunRow:
    """A run of the same plan that continues where the former stopped."""
    left = None
    if former.batches is not None:
        left = batches_to_json(left_to_do(batches_from_json(former.batches), _reached(session, former)))
    return RunRow(
        id=runs.next_id(former),
        kind=former.kind,
        project_id=former.project_id,
        plan_id=former.plan_id,
        state=run_state.QUEUED,
        started_by=started_by,
        created_at=context.now(),
        place=former.place,
        batches=left,
        since=former.since,
        findings=[entry for entry in former.findings if entry["code"] in ONLY_A_PLAN_MENDS],
        conflicts=former.conflicts,
        continues=former.id,
        iteration=former.iteration,
    )


def _reached(session: Session, former: RunRow) -> Reached:
    found = items.rows(session, former.project_id)
    made = items.references(found)
    errors = [entry for entry in former.findings if entry["severity"] == Severity.ERROR]
    return Reached(
        done=runs.batches_done(session, former.id),
        made=made.keys(),
        unread={key for key in made if found[key].seen is None},
        recorded=found.keys(),
        failed={ItemKey(entry["subject"]) for entry in errors if entry["code"] not in ONLY_A_PLAN_MENDS},
    )


def _existing(session: Session, run_id: str) -> RunRow:
    run = session.get(RunRow, run_id)
    if run is None:
        raise NotFound("run", run_id, "`phaseloop runs list` names those there are.")
    return run


def _nothing_to_do(run_id: str) -> Conflict:
    fix = "`phaseloop plan` shows whether anything else is to be done."
    return Conflict("run-state", f"There is nothing to do: the run {run_id} has completed.", fix)
