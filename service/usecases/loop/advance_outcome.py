"""Recording what an advance did: the iteration it closed with its figures, the one it began, what was carried, what
people should hear of, and what is due next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.values import ItemKey, RemoteRef
from service.context import Context
from service.domain.english import ordinal
from service.domain.loop import figures, loop_state
from service.domain.loop.course import course
from service.domain.loop.figures import TicketRecord
from service.domain.loop.turnover import OFTEN, STATUS, Carried, Move, Policy, Turnover, key_of
from service.domain.plan import conflicts, placement, run_state
from service.domain.plan.plan import Plan, Purpose, Recorded, moved_by_people
from service.domain.plan.plan_json import finding_to_json, plan_from_json
from service.store import dues, items, loops, runs
from service.store.tables import CarryRow, IterationRow, LoopRow, PlanRow, ProjectRow, RunRow
from service.usecases.loop import scheduling
from service.usecases.plan import record_gate
from service.usecases.plan.project_state import Material, material


@dataclass(frozen=True, slots=True)
class _Done:
    """What an advance came to: its plan's turnover as it was carried out, and what was found."""

    run: RunRow
    plan: Plan
    turnover: Turnover
    refs: Mapping[ItemKey, RemoteRef]
    findings: Sequence[dict[str, Any]]
    now: datetime


def settle(context: Context, run_id: str) -> None:
    """Record what the run's plan did, in one unit of work. Repeatable: what is recorded already stays."""
    with context.database.session() as session:
        project_id = session.get_one(RunRow, run_id).project_id
    ours = material(context, project_id)
    with context.database.session() as session:
        run = session.get_one(RunRow, run_id)
        loop = loops.locked(session, project_id)
        plan = plan_from_json(session.get_one(PlanRow, run.plan_id).body)
        assert plan.turnover is not None  # noqa: S101 - plans of this purpose have one
        if loop is None or _is_settled(loop, plan.turnover):
            return
        recorded = items.recorded(session, project_id)
        found = [finding_to_json(finding) for finding in plan.findings]
        done = _Done(
            run,
            plan,
            _carried_out(_finished(plan.turnover, run, context.now()), recorded),
            {key: record.ref for key, record in recorded.items() if record.ref is not None},
            [*found, *(entry for entry in run.findings if entry not in found)],
            context.now(),
        )
        _close(session, done)
        _begin(session, done)
        _carry(session, done)
        _tell(session, ours, done)
        _move_on(session, ours, loop, done)


def _is_settled(loop: LoopRow, turnover: Turnover) -> bool:
    return loop.state == loop_state.ENDED or 0 < turnover.begins <= loop.current


def _finished(turnover: Turnover, run: RunRow, now: datetime) -> Turnover:
    """The turnover without what people finished between the look and the move: that was done, not carried."""
    done = {key for key, fields in (run.conflicts or {}).items() if conflicts.Kind.DONE in fields.values()}
    contents = [
        replace(one, status="done", done_at=one.done_at or now) if key_of(one) in done else one
        for one in turnover.contents
    ]
    carried = tuple(one for one in turnover.carried if one.key not in done)
    return replace(turnover, contents=tuple(contents), carried=carried)


def _carried_out(turnover: Turnover, recorded: Mapping[ItemKey, Recorded]) -> Turnover:
    """The turnover as it was done: what could not be moved was left."""

    def outcome(one: Carried) -> Carried:
        record = recorded.get(one.key)
        there = record is not None and record.ref is not None
        if record is not None and one.policy.moves:
            there = there and placement.iteration_of(record) == one.to
        elif record is not None and one.policy is Policy.COMPLETE:
            there = there and record.wanted.get(STATUS) == "done"
        return one if there or one.policy is Policy.LEAVE else replace(one, policy=Policy.LEAVE, to=None)

    return replace(turnover, carried=tuple(outcome(one) for one in turnover.carried))


def _close(session: Session, done: _Done) -> None:
    row = session.get(IterationRow, (done.run.project_id, done.turnover.closes))
    if row is None:
        return
    planned = figures.as_begun(TicketRecord.from_json(ticket) for ticket in row.tickets)
    tickets = figures.closed(planned, done.turnover.contents, done.turnover.carried, done.plan.people)
    row.tickets = [ticket.to_json() for ticket in tickets]
    row.figures = figures.count(tickets).to_json()
    row.findings = [*row.findings, *done.findings]
    row.closed_at, row.closed_by = done.now, done.run.id


def _begin(session: Session, done: _Done) -> None:
    turnover, plan = done.turnover, done.plan
    if turnover.stage is None or turnover.dates is None or turnover.starts is None or turnover.ends is None:
        return  # the project ends
    moved = moved_by_people(plan.drift)
    tickets = figures.planned(turnover.begins, plan.items, done.refs, plan.people, turnover.carried, moved=moved)
    session.add(
        IterationRow(
            project_id=done.run.project_id,
            number=turnover.begins,
            phase=turnover.stage.phase,
            loop=turnover.stage.loop,
            of_phase=turnover.stage.of_phase,
            title=turnover.title,
            first=turnover.dates.first,
            last=turnover.dates.last,
            starts=turnover.starts,
            ends=turnover.ends,
            began_at=done.now,
            began_by=done.run.id,
            tickets=[ticket.to_json() for ticket in tickets],
            findings=[] if turnover.closes else list(done.findings),
        )
    )


def _carry(session: Session, done: _Done) -> None:
    for one in done.turnover.carried:
        session.add(
            CarryRow(
                project_id=done.run.project_id,
                ticket=one.key,
                number=done.turnover.closes,
                policy=one.policy.value,
                to=one.to,
                run_id=done.run.id,
                at=done.now,
            )
        )


def _tell(session: Session, ours: Material, done: _Done) -> None:
    """Record what people should hear of."""
    turnover, key = done.turnover, ours.project.key

    def tell(name: str, kind: str, text: str, iteration: int, **data: Any) -> None:
        loops.record_event(
            session,
            done.run.project_id,
            name,
            kind,
            text,
            at=done.now,
            by=done.run.started_by,
            iteration=iteration,
            data=data,
            run_id=done.run.id,
        )

    if turnover.closes:
        counted = {policy: [c for c in turnover.carried if c.policy is policy] for policy in Policy}
        finished = sum(content.status == "done" for content in turnover.contents)
        numbers = {policy.value: len(found) for policy, found in counted.items()}
        text = f"Iteration {turnover.closes} of {key} was closed: {finished} done, {numbers['next']} carried over, "
        text += f"{numbers['backlog']} to the backlog, {numbers['leave']} left"
        text += f", {numbers['complete']} completed with it." if numbers["complete"] else "."
        tell(f"closed:{turnover.closes}", "closed", text, turnover.closes, done=finished, **numbers)
    for one in turnover.carried:
        if one.policy is Policy.NEXT and one.times >= OFTEN:
            text = f'"{one.title}" was carried over for the {ordinal(one.times)} time.'
            name = f"carried-often:{one.key}:{one.times}"
            tell(name, "carried-often", text, turnover.closes, key=one.key, times=one.times, person=one.person)
    debts = [one for one in done.plan.findings if one.code == record_gate.UNDOCUMENTED]
    if debts and turnover.closes:
        text = f"Iteration {turnover.closes} of {key} was closed while records are not complete. "
        text += " ".join(f"{one.message.rstrip('.')}." for one in debts)
        tell(f"debt:{turnover.closes}", "debt", text, turnover.closes, records=[one.subject for one in debts])
    if turnover.begins and turnover.stage is not None:
        stage = turnover.stage
        text = f'Iteration {turnover.begins} of {key} began: "{turnover.title}".'
        data = {"phase": stage.phase, "loop": stage.loop, "of_phase": stage.of_phase, "move": turnover.move.value}
        reason = {"decision": _said(turnover)} if turnover.decision is not None else {}
        tell(
            f"began:{turnover.begins}", "began", text, turnover.begins, **data, lacking=list(turnover.lacking), **reason
        )
    if turnover.move is Move.END:
        text = f"{key} has ended with iteration {turnover.closes}."
        tell(loop_state.ENDED, loop_state.ENDED, text, turnover.closes, decision=_said(turnover))


def _said(turnover: Turnover) -> dict[str, Any] | None:
    decision = turnover.decision
    if decision is None:
        return None
    return {
        "move": decision.move.value,
        "phase": decision.phase,
        "reason": decision.reason,
        "by": decision.by,
        "at": decision.at.isoformat(),
    }


def _move_on(session: Session, ours: Material, loop: LoopRow, done: _Done) -> None:
    """Let the loop stand where the advance took it, and set what is due next."""
    turnover, now = done.turnover, done.now
    loop.answers, loop.decision, loop.next_first, loop.updated_at = {}, None, None, now
    loop.continued = {str(new): str(key) for new, key in turnover.continued.items()}
    dues.put(session, loop.project_id, dues.TURN, None)
    if not turnover.begins:
        session.flush()
        decided_by = turnover.decision.by if turnover.decision is not None else done.run.started_by
        loops.end(session, loop.project_id, decided_by, "The project was ended.", now)
    else:
        loop.current = turnover.begins
        session.flush()
        if loop.state == loop_state.TURNING:
            set_next(session, ours, loop)
    if scheduling.audits(ours):  # what is known of the one that was closed, and of the one that began
        session.flush()
        loops.set_audit_due(session, loop.project_id, now)


def set_next(session: Session, ours: Material, loop: LoopRow) -> None:
    """Set what is due next, from the iterations that have begun by now."""
    begun = loops.begun(session, loop.project_id)
    way = course(ours.template, ours.parameters, ours.calendar, begun, coming_first=loop.next_first, ahead=2)
    scheduling.set_due(session, ours, loop, way)


def begin_loop(context: Context, project_id: str) -> None:
    """Let the project's loop begin, after its first apply: the first iteration is due when it starts. One whose first
    iteration is over already is paused. One whose first apply did not get as far as opening the project in the tracker
    waits for the apply that does. Repeatable."""
    ours = material(context, project_id)
    if ours.loop is not None or ours.project.url is None:
        return
    first = course(ours.template, ours.parameters, ours.calendar, (), ahead=1).turn(1)
    now = context.now()
    due, message = scheduling.beginning(first, now)
    state = loop_state.TURNING if due is not None else loop_state.PAUSED
    with context.database.session() as session:
        loops.create_if_missing(session, project_id, now, next_due=due, state=state, message=message)


def take_back_loop(context: Context, project_id: str) -> None:
    """Let a project's loop be one that has not begun, after its last apply was undone, or the one that had opened the
    project in the tracker: the clock would build again what a person took back, by a plan that nobody saw. A loop whose
    first iteration began stays. Repeatable."""
    with context.database.session() as session:
        loop = session.get(LoopRow, project_id)
        gone = session.get_one(ProjectRow, project_id).url is None
        if loop is not None and loop.current == 0 and (gone or not _is_applied(session, project_id)):
            dues.clear(session, project_id)
            session.delete(loop)


def _is_applied(session: Session, project_id: str) -> bool:
    """Whether there is an apply that was not taken back."""
    done = RunRow.project_id == project_id, RunRow.state.in_((run_state.COMPLETED, run_state.INCOMPLETE))
    applied = select(RunRow.id).where(*done, RunRow.kind == Purpose.APPLY)
    return bool(set(session.scalars(applied)) - runs.taken_back(session, project_id))
