"""The durable run of a project's loop: look and plan, do the plan's batches, record what came of it.

Where it cannot continue it is held: its workflow ends, so that nothing waits for it, and the clock begins the run's
next attempt, a workflow of its own, which looks anew and plans what is left. Nobody has to do anything but fix what
blocks it.
"""

from __future__ import annotations

from typing import Any

from dbos import DBOS

from service import schedule
from service.domain.plan import run_state
from service.runs import apply, run_step
from service.store import runs
from service.store.tables import RunRow

WORKFLOW = "turn-loop"


@DBOS.workflow(name=WORKFLOW)
def turn_loop(run_id: str) -> str:
    """Advance the loop, propose what becomes of unfinished work, or see to the records; returns how it ended:
    completed, incomplete, cancelled, failed or held."""
    return apply.carried_out(run_id, lambda: _turn(run_id))


def _turn(run_id: str) -> str:
    verdict = apply.until_done(run_id, lambda attempt: look_step(run_id, attempt))
    if verdict == run_step.OVER:
        return apply.finish_step(run_id)
    if verdict == "go":
        verdict = apply.batches(run_id)
    if verdict == "go":
        settle_step(run_id)
        return apply.finish_step(run_id)
    return apply.finish_step(run_id, run_state.CANCELLED) if verdict == "cancel" else hold_step(run_id)


@DBOS.step(name="look")
def look_step(run_id: str, attempt: int) -> dict[str, Any]:
    """Read the tracker; make and claim this attempt's plan."""
    context, traffic, turning = apply.given()
    return traffic.patiently(lambda: apply.journaled(run_step.look(context, turning, run_id, attempt)))


@DBOS.step(name="settle")
def settle_step(run_id: str) -> None:
    """Record what the applied plan did to the loop."""
    context, traffic, turning = apply.given()
    traffic.patiently(lambda: turning.settle(context, run_id))


@DBOS.step(name="hold")
def hold_step(run_id: str) -> str:
    """Hold the run until the clock has it look again; one that shall be cancelled is."""
    context, traffic, _turning = apply.given()

    def hold() -> str:
        now = context.now()
        with context.database.session() as session:
            attempt = session.get_one(RunRow, run_id).attempt
            if runs.hold(session, run_id, [], schedule.look_again_at(context.settings, attempt, now), now):
                return run_state.HELD
            return runs.finish(session, run_id, now, run_state.CANCELLED)

    return traffic.patiently(hold)
