"""A project: where it is, what is missing, what happens next."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from service.context import Context
from service.domain.access.identity import Caller
from service.domain.access.roles import Permission
from service.domain.audit.outcome import Audited, Result, Verdict
from service.domain.english import counted, sentence
from service.domain.loop import loop_state
from service.domain.plan import run_state
from service.domain.plan.plan import Purpose
from service.domain.problems import InvalidInput
from service.pages import burn_up, moments, plan, signs, vacancies
from service.pages.audit import CHECKS
from service.pages.burn_up import BurnUpShown
from service.pages.moments import Moment, moment
from service.pages.new_project import Field
from service.pages.plan import Told
from service.pages.remedies import on_pages
from service.pages.run import RunLine, list_of
from service.pages.sent import NOTHING_SENT, Sent
from service.pages.signs import Part, Sign
from service.pages.timeline import Timeline, timeline
from service.pages.vacancies import VacantRole
from service.usecases.audit import audit_reports
from service.usecases.audit.audit_reports import Line as AuditLine
from service.usecases.audit.history import history
from service.usecases.loop import course_view, loop_status, scheduling
from service.usecases.loop.loop_status import Standing
from service.usecases.loop.scheduling import Firing
from service.usecases.overview.needs import needs_someone
from service.usecases.plan import inventory, planning
from service.usecases.plan.freezes import freezes_of
from service.usecases.run import run_views
from service.usecases.setup import connections, projects, teams
from service.views.course import CourseView, PersonLoad, TicketLine
from service.views.plan import ItemView
from service.views.run import RunView
from service.views.setup import ProjectView

PAUSE = Field("reason", "Why", help="The clock starts nothing until somebody resumes it.", longest=1000)

EVENTS, RUNS = 8, 5
"""How many of the newest are on the page."""

_RESULTS = {
    Result.FAIL: Sign("bad", "bad", "Lacking"),
    Result.UNCLEAR: Sign("warn", "unclear", "Unclear"),
    Result.INCONCLUSIVE: Sign("neutral", "unclear", "Could not be read"),
}
_STATUSES = {
    "done": Sign("ok", "ok", "Done"),
    "doing": Sign("live", "run", "In progress"),
    "todo": Sign("pending", "pending", "To do"),
    "": Sign("pending", "pending", "Not looked at yet"),
}
_HERE = re.compile(r"See (?:which|what is lacking|which and why): the project's page(?:\. |$)")
"""What is told elsewhere to lead to the page that it is told on here."""

_UNDOABLE = frozenset({Purpose.APPLY.value, Purpose.REACT.value, loop_state.ADVANCE})


@dataclass(frozen=True, slots=True)
class LoadRow:
    """A person in an iteration; without a name, what nobody has."""

    person: str
    roles: str
    points: str
    said: str
    bar: tuple[Part, ...]
    note: str
    over: str
    tickets: tuple[TicketLine, ...]
    counts: str


@dataclass(frozen=True, slots=True)
class CheckLine:
    """A check of the record that needs somebody."""

    name: str
    sign: Sign
    reason: str
    fix: str


@dataclass(frozen=True, slots=True)
class RecordShown:
    """The record of an iteration: how it stands, and what is lacking; folded while that is not due."""

    number: int
    sign: Sign
    lead: str
    url: str
    remote: str
    checks: tuple[CheckLine, ...]
    trouble: str
    looked: Moment | None
    folded: bool = False


@dataclass(frozen=True, slots=True)
class ExitLine:
    """A ticket that must be done before the phase ends."""

    ticket: TicketLine
    sign: Sign


@dataclass(frozen=True, slots=True)
class NextLine:
    """Something that the clock does, and when."""

    at: Moment
    does: str


@dataclass(frozen=True, slots=True)
class DriftShown:
    """What people changed, as it was when the tracker was read last."""

    lines: tuple[str, ...]
    looked: Moment


@dataclass(frozen=True, slots=True)
class EventLine:
    """Something that happened to the loop."""

    at: Moment
    text: str
    by: str
    run: str


@dataclass(frozen=True, slots=True)
class ProjectActions:
    """What whoever looks can do now."""

    advance: bool = False
    audit: bool = False
    pause: bool = False
    resume: bool = False
    replan: bool = False
    undo: str = ""
    settings: bool = False
    drift: bool = False


@dataclass(frozen=True, slots=True)
class ProjectPage:
    """A project. `need` is what somebody has to see to first; `lead` says where it is."""

    id: str
    name: str
    key: str
    tracker: str
    url: str
    lead: str
    facts: tuple[tuple[str, str], ...]
    need: Told | None
    need_run: str
    present: RunLine | None
    timeline: Timeline
    freezes: tuple[str, ...]
    load_title: str
    load_note: str
    load: tuple[LoadRow, ...]
    burn_up: BurnUpShown | None
    record: RecordShown | None
    exit_title: str
    exit_note: str
    exit: tuple[ExitLine, ...]
    next: tuple[NextLine, ...]
    next_note: str
    drift: DriftShown | None
    events: tuple[EventLine, ...]
    runs: tuple[RunLine, ...]
    actions: ProjectActions
    zone: str
    ended: bool
    paused: str
    vacant: tuple[tuple[VacantRole, tuple[TicketLine, ...]], ...]
    team: str
    pause: Field
    refused: tuple[tuple[str, str], ...]


def page_of(context: Context, caller: Caller, name: str, sent: Sent = NOTHING_SENT) -> ProjectPage:
    """The project, from our records, with the form that was `sent`. Raises NotFound, Conflict, InvalidInput."""
    project = projects.past_or_present(context, name, ask=False)
    standing, course = loop_status.standing(context, project.id), course_view.course(context, project.id)
    now, zone = context.now(), project.time_zone
    matrix = audit_reports.matrix(context, project.id)
    records = {line.number: _record_sign(line) for line in matrix.lines}
    tracker = connections.kind_title(context, project.connection_id)
    past, runs = history(context, project.id), list_of(context, project.id)
    newest = run_views.listed(context, project.id, 20)
    need = next(iter(needs_someone(context, among=[project.id])), None)
    titles, phase = dict(course.phases), _phase(standing, course)
    there = inventory.of_project(context, project.id)
    latest = planning.latest(context, project.id, (Purpose.APPLY,))
    open_run = next((line for line, run in zip(runs.runs, newest, strict=False) if not run.ended), None)
    paused = standing.loop is not None and standing.loop.state == loop_state.PAUSED
    return ProjectPage(
        id=project.id,
        name=project.name,
        key=project.key,
        tracker=tracker,
        url=project.url or "",
        lead=_lead(standing, project, titles, now),
        facts=_facts(context, project),
        need=told_of(need.message, need.fix, need.who) if need is not None else None,
        need_run=f"/runs/{need.run}" if need is not None and need.run else "",
        present=open_run,
        timeline=timeline(course, records, now.astimezone(ZoneInfo(zone)).date()),
        freezes=tuple(_freezes(context, project, course, now.astimezone(ZoneInfo(zone)).year)),
        load_title=f"Iteration {course.load_of} by person",
        load_note=_load_note(course, now, zone),
        load=tuple(_load(one) for one in course.load),
        burn_up=burn_up.recorded_of(context, project, tracker),
        record=_record(matrix.lines, records, zone, now),
        exit_title=f"{titles.get(phase, phase)} ends when" if phase else "",
        exit_note="and its record is signed" if course.exit_record else "",
        exit=tuple(ExitLine(one, _STATUSES[one.status]) for one in course.exit),
        next=tuple(_next(one, now, zone) for one in _firings(context, standing)),
        next_note=_next_note(standing, project),
        drift=DriftShown(plan.drift_lines(latest.plan), moment(latest.created_at, zone, now))
        if latest is not None and latest.plan.drift
        else None,
        events=tuple(
            EventLine(
                moment(one.at, zone, now), on_pages(one.text), one.by, f"/runs/{one.run_id}" if one.run_id else ""
            )
            for one in reversed(past.events[-EVENTS:])
        ),
        runs=runs.runs[:RUNS],
        actions=_actions(caller, standing, project, newest),
        zone=zone,
        ended=project.ended_at is not None,
        paused=standing.loop.message if paused and standing.loop is not None else "",
        vacant=_vacant(context, project, there.vacancies),
        team=f"/teams/{project.team_id}",
        pause=sent.fill(PAUSE),
        refused=tuple((one.title, "; ".join(one.problems)) for one in there.refused),
    )


def _freezes(context: Context, project: ProjectView, course: CourseView, year: int) -> Iterator[str]:
    """The freezes while the iterations last, with their reasons."""
    if not course.iterations:
        return
    begin, end = course.iterations[0].first, course.iterations[-1].last
    for one in freezes_of(project, teams.get(context, project.team_id).team):
        if one.last >= begin and one.first <= end:
            said = moments.day(one.first, year) if one.first == one.last else moments.days(one.first, one.last, year)
            yield f"{said}: {one.reason}"


def _vacant(
    context: Context, project: ProjectView, there: Sequence[ItemView]
) -> tuple[tuple[VacantRole, tuple[TicketLine, ...]], ...]:
    """The tickets that nobody has, by the role that is missing."""
    if not there:
        return ()
    roles = vacancies.by_role(vacancies.counts(one.vacant for one in there), teams.get(context, project.team_id).team)
    return tuple(
        (
            role,
            tuple(
                TicketLine(one.title, one.remote_key or "", one.url or "", "", None)
                for one in there
                if one.vacant == role.role
            ),
        )
        for role in roles
    )


def told_of(message: str, fix: str, who: str) -> Told:
    """What somebody has to see to."""
    here = _HERE.sub("", on_pages(fix))
    return Told(Sign("warn", "warn", "Needs someone"), on_pages(message), here, sentence(who))


def _phase(standing: Standing, course: CourseView) -> str:
    if standing.turn is not None:
        return standing.turn.stage.phase
    return course.iterations[0].phase if course.iterations else ""


def _lead(standing: Standing, project: ProjectView, titles: object, now: datetime) -> str:
    if project.ended_at is not None:
        return "This project has ended; what happened in it stays to be read."
    if standing.loop is None:
        return "Nothing is built yet: a plan of it is to be applied."
    if standing.loop.state == loop_state.ENDED:
        return "The loop has ended: no iteration follows."
    if standing.turn is None:
        first = standing.next
        begins = f", it begins {moment(first.at, project.time_zone, now).text}" if first is not None else ""
        return f"Iteration 1 of {standing.iterations} is to come{begins}"
    turn = standing.turn
    phase = standing.phases.get(turn.stage.phase, turn.stage.phase)
    ends = turn.ends.astimezone(ZoneInfo(project.time_zone)).date()
    left = (ends - now.astimezone(ZoneInfo(project.time_zone)).date()).days
    again = f", turn {turn.stage.loop} of the loop" if turn.stage.loop > 1 else ""
    said = "its last day" if left == 0 else f"{counted(left, 'day')} left" if left > 0 else "its time is over"
    return f"{phase}, iteration {turn.number}{again}, {said}"


def _facts(context: Context, project: ProjectView) -> tuple[tuple[str, str], ...]:
    settings = inventory.shown(context, project).settings
    said = [("Template", settings.template_title), ("Team", settings.team_name), ("Time zone", project.time_zone)]
    said += [(sentence(name.replace("_", " ")), _value(one)) for name, one in settings.parameters.items()]
    return tuple(said)


def _value(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _load_note(course: CourseView, now: datetime, zone: str) -> str:
    shown = next((one for one in course.iterations if one.number == course.load_of), None)
    if shown is None:
        return ""
    when = moment(shown.starts if shown.state == "to come" else shown.ends, zone, now).text
    return f"{counted(shown.tickets, 'ticket')}; {'begins' if shown.state == 'to come' else 'ends'} {when}"


def _load(one: PersonLoad) -> LoadRow:
    whole = one.done + one.open
    limit = one.capacity
    over = max(0.0, whole - limit) if limit is not None else 0.0
    said = f"{counted(one.done, 'point')} done, {moments.points(one.open)} open"
    if limit is not None:
        said += f", capacity {moments.points(round(limit, 1))}"
    states = [(status, sum(each.status == status for each in one.tickets)) for status in ("done", "doing", "todo")]
    words = {"done": "done", "doing": "in progress", "todo": "to do"}
    counts = ", ".join(f"{number} {words[status]}" for status, number in states if number)
    of = f" of {moments.points(round(limit, 1))}" if limit is not None else ""
    return LoadRow(
        person=one.person,
        roles=", ".join(one.roles),
        points=f"{moments.points(whole)}{of}",
        said=said,
        bar=signs.load(one.done, one.open, limit) if one.person else (),
        note=f"away {counted(one.away, 'day')}" if one.away else "",
        over=f"{moments.points(round(over, 1))} over" if over else "",
        tickets=one.tickets,
        counts=counts or counted(len(one.tickets), "ticket"),
    )


def _record_sign(line: AuditLine) -> Sign:
    if line.audited is None:
        return signs.UNCHECKED
    return signs.of_verdict(line.audited.verdict, line.audited.clock)


def _record(lines: Sequence[AuditLine], records: object, zone: str, now: datetime) -> RecordShown | None:
    """The record that needs somebody: the oldest one that lacks something, else that of the current iteration."""
    lacking = [line for line in lines if line.audited is not None and not line.audited.settled and not line.goes_on]
    if not lines:
        return None
    line = lacking[0] if lacking else lines[-1]
    audited = line.audited
    checks = tuple(_checks(audited)) if audited is not None else ()
    passed = sum(one.result is Result.PASS for one in audited.findings) if audited is not None else 0
    lead = f"{counted(passed, 'check')} pass{'es' if passed == 1 else ''}, {len(checks)} to see to." if audited else ""
    return RecordShown(
        number=line.number,
        sign=_record_sign(line),
        lead=lead,
        url=line.url,
        remote=line.record,
        checks=checks,
        trouble=line.trouble,
        folded=audited is not None and audited.verdict is Verdict.PENDING,
        looked=moment(line.audited_at, zone, now) if line.audited_at is not None else None,
    )


def _checks(audited: Audited) -> Iterator[CheckLine]:
    for one in audited.findings:
        if one.result in _RESULTS:
            yield CheckLine(CHECKS[one.check.value], _RESULTS[one.result], on_pages(one.reason), on_pages(one.fix))


def _firings(context: Context, standing: Standing) -> Sequence[Firing]:
    if standing.project.ended_at is not None or standing.loop is None:
        return ()
    try:
        return scheduling.next_firings(context, standing.project.id, 4)
    except InvalidInput:
        return ()


def _next(one: Firing, now: datetime, zone: str) -> NextLine:
    return NextLine(moment(one.at, zone, now), does(one))


def does(one: Firing) -> str:
    """What the clock does then."""
    return {
        "propose": f"Iteration {one.iteration} ends; what to carry over is proposed",
        "advance": f"Iteration {one.iteration} starts",
    }.get(one.kind, f"Iteration {one.iteration} is closed, and the project ends")


def _next_note(standing: Standing, project: ProjectView) -> str:
    if project.ended_at is not None:
        return "Nothing: the project has ended."
    if standing.loop is None:
        return "Nothing before a plan is applied."
    if standing.loop.state == loop_state.PAUSED:
        return f"Nothing while it is paused by {standing.loop.changed_by or 'phaseloop'}."
    if standing.loop.state == loop_state.ENDED:
        return "Nothing: the loop has ended."
    return ""


def _actions(caller: Caller, standing: Standing, project: ProjectView, runs: Sequence[RunView]) -> ProjectActions:
    if project.ended_at is not None:
        return ProjectActions()
    operates = caller.may(Permission.OPERATE, project.id)
    decides = caller.may(Permission.DECIDE, project.id)
    loop = standing.loop
    turning = loop is not None and loop.state == loop_state.TURNING
    last = next((one for one in runs if one.kind in _UNDOABLE), None)
    done = last is not None and last.state in run_state.ENDED
    return ProjectActions(
        advance=operates and turning,
        audit=operates and loop is not None and loop.state != loop_state.ENDED,
        pause=decides and turning,
        resume=decides and loop is not None and loop.state == loop_state.PAUSED,
        replan=operates,
        undo=last.id if operates and last is not None and done else "",
        settings=decides,
        drift=loop is not None,
    )
