"""Advancing a project's loop: close the current iteration, carry over what is not done, begin the next one.

The clock and people start the same run; it looks and plans by `Advancing.look`, is applied like any plan, and is
recorded by `Advancing.settle`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.values import Finding, Severity
from service import schedule
from service.context import Context
from service.domain.loop import loop_state
from service.domain.loop.turnover import Decision, Policy, Turnover
from service.domain.plan import run_state
from service.domain.plan.plan import Plan, Purpose
from service.domain.plan.plan_json import plan_from_json
from service.notify.port import Notifier, Outbox
from service.runs.loop_port import Looked
from service.store import loops, runs
from service.store.tables import EventRow, LoopRow, PlanRow, RunRow
from service.usecases.audit import record_audit, record_upkeep
from service.usecases.errors import Conflict
from service.usecases.loop import advance_outcome, decisions, scheduling
from service.usecases.plan import advance_plan, record_gate
from service.usecases.plan.advance_plan import Wishes
from service.usecases.plan.planning import Draft, plan_row
from service.usecases.plan.project_state import Material, material
from service.usecases.queue import Enqueue
from service.usecases.setup import project_identity, projects
from service.views.run import RunView
from service.views.setup import ProjectView

TRIES = 3
"""How often an advance looks anew when the project was changed while it looked, before it is held."""


def preview(
    context: Context, project: str, *, answers: Mapping[str, str] | None = None, decision: Decision | None = None
) -> Draft:
    """The plan that an advance would apply if it were begun now, with these answers and this decision besides those
    that stand. Reads only.

    Raises NotFound; Conflict where the loop has not begun or has ended; InvalidInput; TrackerError when the tracker
    cannot be read.
    """
    row = projects.going_on(context, project)
    project_identity.make_sure_of(context, row.id, project)
    ours = material(context, row.id)
    loop = _turning(row, ours.loop)
    wishes = _wishes(context, loop, None, ours.pending)
    given = {name: Policy(policy).value for name, policy in (answers or {}).items()}
    wishes = replace(wishes, answers={**wishes.answers, **given}, decision=decision or wishes.decision)
    return advance_plan.drafted(context, ours, wishes, record_audit.gate_of)


def advance(
    context: Context,
    project: str,
    started_by: str,
    enqueue: Enqueue,
    *,
    answers: Mapping[str, str] | None = None,
    decision: Decision | None = None,
    begins: int | None = None,
) -> RunView:
    """Advance now, not at the planned time, and return the run: the one that the clock would start. Asking again
    returns the same run, and has one that is held look again. The next iteration begins today and ends as planned.

    `begins` is the iteration that the caller means to begin: where that was begun meanwhile its run is returned, so
    that a second click does not advance twice. Raises NotFound; Conflict where the loop has not begun, is paused or has
    ended, or where `begins` is not the one that comes next.
    """
    row = projects.going_on(context, project)
    project_identity.make_sure_of(context, row.id, project)
    with context.database.session() as session:
        loop = loops.locked(session, row.id)
        loop = _turning(row, loop)
        number = loop.current + 1 if begins is None else begins
        if not 1 <= number <= loop.current + 1:
            message = f"Iteration {number} of {row.key} is not the one that comes next: {loop.current + 1} is."
            raise Conflict("loop-moved-on", message, "Look at the loop again, and advance from there.")
        run = None
        if number > loop.current:
            run = _at_the_next(context, session, row, loop, answers, decision, started_by)
        if run is None or run.state == run_state.HELD:
            run = schedule.begin(session, row.id, loop_state.ADVANCE, number, started_by, context.now())
        session.flush()
        context.done(session, run.id)
        workflow, partition, over = (
            runs.workflow_id(run.id, run.attempt),
            row.connection_id,
            run.state in run_state.ENDED,
        )
    if not over:  # after the commit: asking again enqueues what was not
        enqueue(workflow, partition)
    return RunView.of(run)


def _at_the_next(
    context: Context,
    session: Session,
    row: ProjectView,
    loop: LoopRow,
    answers: Mapping[str, str] | None,
    decision: Decision | None,
    by: str,
) -> RunRow | None:
    """The run that is at the next iteration, if there is one. What is said is kept with the loop, unless that run has
    planned already. Raises Conflict where the loop is paused."""
    _refuse_paused(row, loop)
    run = _advance_at_work(session, loop)
    if run is None or run.state == run_state.HELD:
        if answers:
            given = {name: Policy(policy).value for name, policy in answers.items()}
            decisions.keep_answers(session, row, loop, given, by, context.now())
        if decision is not None:
            decisions.keep_decision(session, row, loop, decision)
    return run


def refuse_paused(context: Context, row: projects.Kept) -> None:
    """Raises Conflict where the project cannot be advanced because its loop is paused."""
    with context.database.session() as session:
        loop = loops.find(session, row.id)
    if loop is not None:
        _refuse_paused(row, loop)


def _refuse_paused(row: projects.Kept, loop: LoopRow) -> None:
    if loop.state == loop_state.PAUSED:
        raise Conflict("loop-paused", f"The loop of {row.key} is paused: {loop.message}", "Resume it first.")


def _turning(row: ProjectView, loop: LoopRow | None) -> LoopRow:
    if loop is None:
        message = f"The loop of {row.key} has not begun."
        raise Conflict("loop-not-begun", message, "It begins when a first plan was applied.")
    if loop.state == loop_state.ENDED:
        raise Conflict("loop-ended", f"The loop of {row.key} has ended.", "A new project can be set up.")
    return loop


def _advance_at_work(session: Session, loop: LoopRow) -> RunRow | None:
    run = session.get(RunRow, loop.run_id) if loop.run_id is not None else None
    return run if run is not None and run.kind == loop_state.ADVANCE and run.state not in run_state.ENDED else None


def _wishes(context: Context, loop: LoopRow, run: RunRow | None, earlier: Turnover | None = None) -> Wishes:
    """What people said about the coming advance, and what an earlier attempt of this run planned."""
    decision = loops.decision(loop)
    answered = EventRow.project_id == loop.project_id, EventRow.kind == "answered", EventRow.iteration == loop.current
    with context.database.session() as session:
        last = session.scalar(select(EventRow.by).where(*answered).order_by(EventRow.id.desc()).limit(1))
    started = run.started_by if run is not None and run.started_by != schedule.BY_CLOCK else ""
    return Wishes(dict(loop.answers), last or started, decision, earlier)


@dataclass(frozen=True, slots=True)
class Advancing:
    """How runs of the loop look and are recorded (see `runs.turning.Turning`). `gate` is asked whether an iteration is
    documented before it is closed; by `notifier` people hear of what their records lack."""

    gate: record_gate.Ask = record_audit.gate_of
    notifier: Notifier = field(default_factory=Outbox)

    def look(self, context: Context, run_id: str) -> Looked:
        """Make, keep and claim the plan of this run, for its present attempt; or make and tell a proposal."""
        if _kind(context, run_id) == loop_state.AUDIT:
            return record_upkeep.look(context, run_id, self.notifier)
        reads = 0
        for _ in range(TRIES):
            with context.database.session() as session:
                run = session.get_one(RunRow, run_id)
                busy = _busy(session, run)
            if run.kind == loop_state.ADVANCE and run.plan_id is not None:
                return Looked(ready=True)
            ours = material(context, run.project_id)
            if (over := _over(ours, run)) is not None:
                return Looked(ready=False, over=True, message=over)
            assert ours.loop is not None  # noqa: S101 - else it is over
            proposes = run.kind == loop_state.PROPOSE
            if busy is not None and not proposes:
                return Looked(ready=False, findings=(busy,))
            wishes = replace(_wishes(context, ours.loop, run, ours.pending), as_planned=proposes)
            made = advance_plan.drafted(context, ours, wishes, self.gate)
            reads += made.reads
            if made.plan.turnover is None or (made.plan.blocked and not proposes):
                return Looked(ready=False, findings=made.plan.findings, reads=reads)
            if proposes:
                message = _propose(context, ours, run, made, made.plan.turnover)
                return Looked(ready=False, over=True, message=message, reads=reads)
            if _claim(context, run_id, made):
                return Looked(ready=True, findings=_worth_saying(made.plan), reads=reads)
        return Looked(ready=False, findings=(_changed_meanwhile(ours),), reads=reads)

    def settle(self, context: Context, run_id: str) -> None:
        """Record what the applied plan did."""
        if _kind(context, run_id) == loop_state.AUDIT:
            record_upkeep.settle(context, run_id, self.notifier)
        else:
            advance_outcome.settle(context, run_id)

    def keep_up(self, context: Context) -> int:
        """Bring what is due in line for loops whose teams were changed."""
        return scheduling.keep_up(context)

    def applied(self, context: Context, run_id: str) -> None:
        """Let the loop begin after a project's first apply, and follow the settings that the plan brought; once the
        last apply was undone, it has not begun."""
        with context.database.session() as session:
            run = session.get_one(RunRow, run_id)
            plan = plan_from_json(session.get_one(PlanRow, run.plan_id).body)
        if run.kind == Purpose.APPLY:
            advance_outcome.begin_loop(context, run.project_id)
        else:
            advance_outcome.take_back_loop(context, run.project_id)
        scheduling.follow_plan(context, run.project_id, plan.settings)


def _kind(context: Context, run_id: str) -> str:
    with context.database.session() as session:
        return session.get_one(RunRow, run_id).kind


def _over(ours: Material, run: RunRow) -> str | None:
    """Why there is nothing to do for this run, None if there is."""
    loop, number = ours.loop, run.iteration or 0
    if ours.project.ended_at is not None or loop is None or loop.state == loop_state.ENDED:
        return "The project has ended."
    if run.kind == loop_state.ADVANCE and number <= loop.current:
        return f"Iteration {number} has begun already."
    if run.kind == loop_state.PROPOSE and number != loop.current:
        return f"Iteration {number} is not current any more."
    return None


def _busy(session: Session, run: RunRow) -> Finding | None:
    """That a plan which was made before waits to be applied: it would find another tracker than it was made for."""
    others = RunRow.project_id == run.project_id, RunRow.id != run.id, RunRow.kind.not_in(loop_state.KINDS)
    query = select(RunRow.id).where(*others, RunRow.state.not_in(run_state.ENDED)).limit(1)
    other = session.scalar(query)
    if other is None:
        return None
    return Finding(
        Severity.ERROR,
        "another-run",
        f"The run {other} of this project is to be done first.",
        "Nothing needs to be done: the advance resumes automatically.",
        other,
    )


def _changed_meanwhile(ours: Material) -> Finding:
    return Finding(
        Severity.ERROR,
        "project-changed",
        f"{ours.project.key} was changed again and again while its tracker was read.",
        "Nothing needs to be done: the advance resumes automatically.",
        ours.project.key,
    )


def _claim(context: Context, run_id: str, made: Draft) -> bool:
    """Keep the plan as this run's and claim it; False if the project was changed since it was read."""
    with context.database.session() as session:
        if not runs.claim(session, made.project.id, made.project.serial):
            return False
        row = plan_row(context, made, run_id)
        session.add(row)
        session.flush()
        session.get_one(RunRow, run_id).plan_id = row.id
    return True


def _worth_saying(plan: Plan) -> tuple[Finding, ...]:
    return tuple(finding for finding in plan.findings if finding.severity is not Severity.INFO)


def _propose(context: Context, ours: Material, run: RunRow, made: Draft, turnover: Turnover) -> str:
    """Keep the plan of the coming advance to be looked at, tell what it carries over, and set when it is due. Returns
    what was said."""
    text, data = _proposal(ours, run, turnover, made.plan.findings)
    with context.database.session() as session:
        loop = loops.locked(session, ours.project.id)
        if loop is None or loop.current != run.iteration or run.plan_id is not None:
            return text
        row = plan_row(context, made)
        session.add(row)
        session.flush()
        session.get_one(RunRow, run.id).plan_id = row.id
        loops.record_event(
            session,
            ours.project.id,
            f"proposed:{run.iteration}",
            "proposed",
            text,
            at=context.now(),
            by=run.started_by,
            iteration=run.iteration,
            data={**data, "plan": row.id},
            run_id=run.id,
        )
        if loop.state == loop_state.TURNING:
            advance_outcome.set_next(session, ours, loop)
    return text


def _proposal(
    ours: Material, run: RunRow, turnover: Turnover, findings: Sequence[Finding]
) -> tuple[str, dict[str, Any]]:
    """What is to be said of unfinished work, in words and as data."""
    carried = [
        {"key": one.key, "title": one.title, "policy": one.policy.value, "person": one.person}
        for one in turnover.carried
    ]
    of = f"Iteration {run.iteration} of {ours.project.key} has ended"
    said: Counter[Policy] = Counter(one.policy for one in turnover.carried if one.policy is not Policy.COMPLETE)
    count = said.total()
    due = scheduling.coming(ours).starts.astimezone(ours.calendar.zone)
    when = f"{due:%a} {due.day} {due:%b %Y at %H:%M} {due.isoformat()[-6:]}"
    words = [f"{of}, and nothing in it is left to do."]
    if count:
        then = ", ".join(f"{said[policy]} will be {fate}" for policy, fate in _FATES.items() if said[policy])
        what = f"{count} ticket{' is' if count == 1 else 's are'} not done"
        words = [f"{of}: {what}. On {when} {then}, unless somebody answers otherwise."]
    if turnover.lacking and turnover.decision is None:
        words.append(f"Its phase continues, unless this is fixed by then: {'; '.join(turnover.lacking)}.")
    words += [one.message for one in findings if one.code == record_gate.UNDOCUMENTED]
    return " ".join(words), {"carried": carried, "lacking": list(turnover.lacking)}


_FATES = {Policy.NEXT: "carried over", Policy.BACKLOG: "taken to the backlog", Policy.LEAVE: "left as they are"}
