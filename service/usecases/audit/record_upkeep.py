"""Seeing to the records of a project: look at them, keep what was seen, write in what is known, remind people of the
rest. The clock and people start the same run, which makes a plan of what is to be written, applies and records it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from connectors.errors import TrackerError
from connectors.port import Tracker
from connectors.records import Fill, Part
from connectors.values import Capabilities, Content, Finding, ItemKey, ItemKind, Place
from service import schedule
from service.context import Context
from service.domain.audit.audit import holding
from service.domain.audit.deadlines import clock_of, next_change
from service.domain.audit.forms import audited_from_json
from service.domain.audit.nudges import Nudge, nudge_of
from service.domain.audit.outcome import Audited, Check, Clock, Gate, Result, Verdict
from service.domain.audit.subject import Person, Subject
from service.domain.loop.turnover import record_key
from service.domain.plan.plan import COMMENT, SECTIONS, Action, Change, Plan, Purpose, Reason
from service.notify.port import Notice, Notifier
from service.runs.loop_port import Looked
from service.store import audits, loops, runs
from service.store.tables import ProjectRow, RunRow
from service.usecases.audit import questions, record_audit, record_prefill
from service.usecases.audit.audit_inputs import gate_policy, iteration_of, past_of, roles_of, rules_of
from service.usecases.errors import Conflict
from service.usecases.plan import advance_plan, deletions, planning
from service.usecases.plan.project_state import Material, material
from service.usecases.queue import Enqueue
from service.usecases.setup import project_identity, projects
from service.views.run import RunView

LOOK_AGAIN = timedelta(days=1)
"""A record that is not complete when it should be is looked at so often: so that it shows when it was fixed."""

NOTICE = "record-due"
"""The kind of the notice that a record lacks something."""

LOOK_LATER = timedelta(days=7)
"""One that is late for so long that others have heard of it is looked at so often."""

_WAITING = {Clock.IN_GRACE: LOOK_AGAIN, Clock.OVERDUE: LOOK_AGAIN, Clock.ESCALATED: LOOK_LATER}


def begin(context: Context, project: str, by: str, enqueue: Enqueue) -> RunView:
    """Have the project's records looked at now: the run that the clock would start, by hand. Asking again while it is
    running returns the same run, and has one that is held look again. Under the gate `off` nobody is reminded.

    Raises NotFound; Conflict where the project has ended, or its loop has not begun.
    """
    row = projects.going_on(context, project)
    with context.database.session() as session:
        if loops.locked(session, row.id) is None:
            raise _not_begun(row)
        run = schedule.begin_audit(session, session.get_one(ProjectRow, row.id), by, context.now())
        session.flush()
        context.done(session, run.id)
        workflow = runs.workflow_id(run.id, run.attempt)
    enqueue(workflow, row.connection_id)  # after the commit: asking again enqueues what was not
    return RunView.of(run)


def refuse_before_the_loop(context: Context, row: projects.Kept) -> None:
    """Raises Conflict as `begin` does where the loop has not begun."""
    with context.database.session() as session:
        if loops.find(session, row.id) is None:
            raise _not_begun(row)


def _not_begun(row: projects.Kept) -> Conflict:
    message = f"The loop of {row.key} has not begun, so there is nothing to be documented."
    return Conflict("loop-not-begun", message, "It begins when a first plan was applied.")


def look(context: Context, run_id: str, notifier: Notifier) -> Looked:
    """Read and audit the records, keep what was seen, and make and keep the plan of what is to be written. Where that
    is nothing, the run is over: who is to hear of something is told, and the next look is set.

    Raises TrackerError, after keeping that the records could not be looked at; InvalidInput.
    """
    with context.database.session() as session:
        run = session.get_one(RunRow, run_id)
    if run.plan_id is not None:
        return Looked(ready=True)
    ours = material(context, run.project_id)
    unasked = run.started_by == schedule.BY_CLOCK and gate_policy(ours) is Gate.OFF
    if ours.project.ended_at is not None or not ours.current or unasked:
        return Looked(ready=False, over=True, message="Nothing is to be documented.")
    made = planning.drafted(context, ours, lambda tracker: _plan(context, ours, tracker))
    if made.plan.blocked:
        return Looked(ready=False, findings=made.plan.findings, reads=made.reads)
    if made.plan.changes:
        with context.database.session() as session:
            row = planning.plan_row(context, made, run_id)
            session.add(row)
            session.flush()
            session.get_one(RunRow, run_id).plan_id = row.id
        return Looked(ready=True, findings=made.plan.findings, reads=made.reads)
    settle(context, run_id, notifier)
    message = "The records were looked at, and need nothing written."
    return Looked(ready=False, over=True, message=message, findings=made.plan.findings, reads=made.reads)


def settle(context: Context, run_id: str, notifier: Notifier) -> None:
    """Have people told of the records that lack something, and set when these are looked at next. In one unit of work;
    repeatable: nobody is told twice."""
    with context.database.session() as session:
        run = session.get_one(RunRow, run_id)
    ours = material(context, run.project_id)
    now = context.now()
    due = next_look(context, ours, now)
    with context.database.session() as session:
        for nudge in _nudges(session, ours):
            notifier.notify(session, _notice(ours, run, nudge, now))
            audits.note(session, run.project_id, nudge.number, nudged=nudge.clock.value)
        loops.audit_again(session, run, due)


def next_look(context: Context, ours: Material, now: datetime) -> datetime | None:
    """When the clock looks at the records next: when one of them comes nearer to its time; and daily, or weekly once it
    is escalated, while one that should be complete lacks what can still be fixed. None: there is none to look at, or
    the gate is off. Raises InvalidInput."""
    if gate_policy(ours) is Gate.OFF:
        return None
    past = past_of(context, ours)
    found: list[datetime] = []
    for number in past.unsettled:
        times = iteration_of(past, number, rules_of(context, past, number)).deadlines
        row = past.audits.get(number)
        clock = clock_of(times, now)
        if row is None or row.trouble or row.verdict == Verdict.UNKNOWN:
            found.append(now + LOOK_AGAIN)
        elif clock in _WAITING and holding(audited_from_json(row.result)):
            found.append(now + _WAITING[clock])
        if (change := next_change(times, now)) is not None:
            found.append(change)
    return min(found, default=None)


# --- the plan ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Record:
    """A record that is there: what was read, what came of it, and what is to be done about it."""

    subject: Subject
    audited: Audited
    fills: tuple[Fill, ...] = ()
    nudge: Nudge | None = None

    @property
    def number(self) -> int:
        return self.audited.number


def _plan(context: Context, ours: Material, tracker: Tracker) -> tuple[Plan, Capabilities]:
    spec = replace(planning.spec_of(ours.project, ours.method), create=False)
    try:
        located = project_identity.locate(context, tracker, ours.project, spec)
        spec, place = located.spec, located.place
        if place is None:
            found = located.findings or tuple(deletions.project_findings(ours.project, ours.kind, located.put_away))
            record_audit.failed(context, ours, None, " ".join(finding.message for finding in found))
            plan = planning.bare_plan(ours, spec, None, Purpose.DOCUMENT)
            return replace(plan, findings=tuple(found)), tracker.assumed(spec)
        subjects = record_audit.look(context, ours, tracker, place)
    except TrackerError as error:
        record_audit.failed(context, ours, None, error.message)
        raise
    audited = record_audit.keep(context, ours, subjects)
    questions.read(context, ours, tracker, place, questions.open_ones(context, ours))
    records = [_Record(subject, one) for subject, one in zip(subjects, audited, strict=True)]
    with context.database.session() as session:
        due = {nudge.number: nudge for nudge in _nudges(session, ours)}
        said = {number: audits.nudged(row) for number, row in audits.rows(session, ours.project.id).items()}
    due = {number: nudge for number, nudge in due.items() if nudge.clock.value not in said.get(number, ())}
    findings: list[Finding] = []
    changes = []
    for record in records:
        fills: Sequence[Fill] = ()
        if _may_fill(record):
            filled = record_prefill.prefill(
                context, ours, record.number, _contents(ours, tracker, place, record.audited)
            )
            fills, findings = filled.fills, [*findings, *(one for one in filled.findings if one not in findings)]
        change = _change(replace(record, fills=tuple(fills), nudge=due.get(record.number)))
        changes += [change] if change is not None else []
    plan = planning.bare_plan(ours, spec, place, Purpose.DOCUMENT)
    people = _addressed(due.values())
    return replace(plan, changes=tuple(changes), findings=tuple(findings), people=people), place.capabilities


def may_fill(subject: Subject, audited: Audited) -> bool:
    """Whether something may be written into this record: it is there, could be read, and is not complete or signed."""
    return _may_fill(_Record(subject, audited))


def _may_fill(record: _Record) -> bool:
    """Whether something may be written into a record: it is there and could be read, and is not complete or signed."""
    document = record.subject.record.document
    if document is None or {Part.TEXT, Part.HISTORY} & set(document.unread) or record.audited.settled:
        return False
    return all(one.result is not Result.PASS for one in record.audited.findings if one.check is Check.SIGN_OFF)


def _contents(ours: Material, tracker: Tracker, place: Place, audited: Audited) -> Sequence[Content] | None:
    """The tickets as they stand now of an open iteration, once it comes to its end."""
    if audited.number != ours.current or audited.clock is Clock.UPCOMING:
        return None
    return advance_plan.going_on(tracker, place, ours)


def _change(record: _Record) -> Change | None:
    """What is to be written to a record: sections, a reminder, both or nothing."""
    document = record.subject.record.document
    if document is None or not (record.fills or record.nudge is not None):
        return None
    after: dict[str, object] = {}
    before: dict[str, object] = {}
    if record.fills:
        after[SECTIONS] = {one.heading: one.body for one in record.fills}
        before[SECTIONS] = {one.heading: list(one.former) for one in record.fills}
    if record.nudge is not None:
        after[COMMENT] = record.nudge.text
        after["mentions"] = list(record.nudge.mentions)
        after["clock"] = record.nudge.clock.value
    return Change(
        key=_key(record),
        kind=ItemKind.TICKET,
        action=Action.UPDATE,
        reason=Reason.REMINDER if record.nudge is not None else Reason.FACTS,
        title=document.title,
        before=before or None,
        after=after,
        changed=tuple(name for name in (SECTIONS, COMMENT) if name in after),
        note=record.nudge.headline if record.nudge is not None else "",
    )


def _key(record: _Record) -> ItemKey:
    return record.audited.record or record_key(record.number)


def _addressed(nudges: Iterable[Nudge]) -> dict[str, str]:
    return {account: name for nudge in nudges for account, name in zip(nudge.mentions, nudge.to, strict=True)}


# --- who is told ------------------------------------------------------------------------------------------------------


def _nudges(session: Session, ours: Material) -> list[Nudge]:
    """The reminders that are due by what was audited last, given or not; none under the gate `off`."""
    if gate_policy(ours) is Gate.OFF:
        return []
    rows = audits.rows(session, ours.project.id)
    lacking = {number: audited_from_json(row.result) for number, row in rows.items() if not row.trouble}
    lacking = {number: one for number, one in lacking.items() if one.lacking and one.clock is not Clock.UPCOMING}
    read = audits.readings(session, ours.project.id, lacking) if lacking else {}
    others = _others(ours)
    found = (
        nudge_of(read[number], one, ours.project.key, ours.calendar.zone, others)
        for number, one in lacking.items()
        if number in read
    )
    return [nudge for nudge in found if nudge is not None]


def _others(ours: Material) -> Mapping[str, Person]:
    """Those who hear of a record that is escalated, by account."""
    wanted, roles = set(ours.template.record.escalate_to), roles_of(ours)
    return {
        account: Person(name, roles.get(name, ()))
        for account, name in sorted(ours.people.items())
        if wanted & set(roles.get(name, ()))
    }


def _notice(ours: Material, run: RunRow, nudge: Nudge, now: datetime) -> Notice:
    return Notice(
        project=ours.project.id,
        name=f"{NOTICE}:{nudge.number}:{nudge.clock.value.replace(' ', '-')}",
        kind=NOTICE,
        text=nudge.headline,
        at=now,
        by=run.started_by,
        iteration=nudge.number,
        to=nudge.to,
        data={"clock": nudge.clock.value, "record": record_key(nudge.number)},
        run=run.id,
    )
