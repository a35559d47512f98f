"""When a project's loop advances, and manual overrides: what comes next, pause, resume, skip. Writes nothing to a
tracker; what changes is what the next run of the loop does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from service.context import Context
from service.domain.audit import rules
from service.domain.audit.outcome import Gate
from service.domain.audit.rules import ProjectAudit
from service.domain.commands import typed
from service.domain.loop import course as courses
from service.domain.loop import loop_state
from service.domain.loop.course import Begun, Course, Stage, Turn
from service.domain.loop.turnover import Move
from service.domain.plan import run_state
from service.domain.plan.project_settings import SettingsChange
from service.domain.problems import MISSING, InvalidInput, Problem
from service.domain.team.calendar import span_from
from service.domain.template.parameters import number
from service.domain.template.template import Key, Template
from service.store import dues, loops
from service.store.tables import EventRow, IterationRow, LoopRow, ProjectRow, RunRow
from service.usecases.errors import Conflict
from service.usecases.plan.project_state import Material, material
from service.usecases.setup import projects
from service.views.loop import LoopView
from service.views.setup import ProjectView

END = "end"
"""The kind of the firing that closes the last iteration, where a person decided that the project ends."""

REASON_LIMIT = 1000
"""A reason is at most this long."""


@dataclass(frozen=True, slots=True)
class Firing:
    """One time at which the clock starts a run. `kind` is `propose` (for the unfinished work of `iteration`), `advance`
    (which begins `iteration`) or `end` (which closes it); `at` is in the project's time zone. `phase` is that of
    `iteration`, as far as is known now: a phase that has not reached its output lasts longer.

    `run` names the run that is executing it, or is held until then, with its `state`.
    """

    kind: str
    iteration: int
    phase: Key
    at: datetime
    run: str | None = None
    state: str | None = None


def next_firings(context: Context, project: str, count: int = 10) -> list[Firing]:
    """The next times at which the clock starts a run for this project, soonest first. None while the loop is paused and
    after it has ended; before it has begun, those that would come if it were applied as it is set up now.

    Raises NotFound, Conflict, InvalidInput (an iteration cannot be placed on the calendar).
    """
    return firings_of(context, material(context, projects.going_on(context, project).id), count)


def firings_of(context: Context, known: Material, count: int) -> list[Firing]:
    """As `next_firings`, for a project that continues and of which everything is known already. Raises InvalidInput."""
    if known.loop is not None and known.loop.state != loop_state.TURNING:
        return []
    with context.database.session() as session:
        run = _run_at_work(session, known.loop)
        due = dues.at(session, known.project.id, dues.TURN)
    found = _firings(known, course_of(known, ahead=count + 2), run, due)
    return list(islice(found, max(0, count)))


def pause(context: Context, project: str, by: str, reason: str) -> LoopView:
    """Pause the schedule of a project until somebody resumes it. A run in progress is not stopped; one that
    is held does not look again. Repeatable: of a loop that is paused already, who paused it first stays.

    Raises NotFound, Conflict (the loop has not begun, or has ended), InvalidInput (without a reason).
    """
    why = given_reason(reason)
    row = projects.going_on(context, project)
    now = context.now()
    with changing(context, row) as (session, loop):
        if loops.pause(session, row.id, by, why, now):
            tell(session, loop, "paused", f"{row.key} was paused: {why}", by, now, {"reason": why})
        context.done(session, row.id)
        session.refresh(loop)
    return LoopView.of(loop)


def resume(context: Context, project: str, by: str, *, catch_up: bool = False) -> LoopView:
    """Let the loop of a paused project turn again. Repeatable: one that turns is left alone.

    A pause acts as a freeze: where the next iteration should have begun meanwhile, it begins on the same weekday as was
    planned, on the first such day from today on, and the current iteration lasts until then. With `catch_up`, it
    begins with its planned dates at once, and so does every one missed after it. So does one whose run was stopped or
    failed, as long as that iteration is not over.

    Raises NotFound, Conflict (the loop has not begun, or has ended), InvalidInput.
    """
    row = projects.going_on(context, project)
    known = material(context, row.id)
    now = context.now()
    with changing(context, row, known) as (session, loop):
        context.done(session, row.id)
        if loop.state == loop_state.TURNING:
            return LoopView.of(loop)
        course = course_of(known, ahead=2)
        turn = course.turn(known.current + 1)
        missed = turn.starts <= now
        at_once = catch_up or (now < turn.ends and _was_stopped(session, loop))
        text = f"{row.key} was resumed."
        if missed and not at_once:
            today = now.astimezone(known.calendar.zone).date()
            course = _move(session, known, loop, _same_weekday(turn.dates.first, today))
            turn = course.turn(turn.number)
            text += f" Iteration {turn.number} begins on {turn.starts.date()}."
        loop.state, loop.message, loop.changed_by = loop_state.TURNING, "", by
        _look_at_records(session, known, loop, now)
        set_due(session, known, loop, course)
        data = {"iteration": turn.number, "first": turn.dates.first.isoformat(), "catch_up": catch_up}
        tell(session, loop, "resumed", text, by, now, data)
    return LoopView.of(loop)


def skip(context: Context, project: str, by: str, reason: str, *, expected_first: date | None = None) -> LoopView:
    """Let the coming bound pass: the next iteration begins one length later, and the current one lasts until then.
    Dates in the tracker follow with the next plan.

    Raises NotFound, Conflict (the loop has not begun or has ended, a run for that time is in progress, or the next
    iteration does not begin on the day that was `expected_first`), InvalidInput.
    """
    why = given_reason(reason)
    row = projects.going_on(context, project)
    known = material(context, row.id)
    now = context.now()
    with changing(context, row, known) as (session, loop):
        refuse_at_work(session, row, loop)
        first, begins = coming(known).dates.first, coming(known).starts.date()
        if expected_first is not None and expected_first != first:
            message = f"The next iteration of {row.key} begins on {begins} by now."
            raise Conflict("loop-moved-on", message, "Look again, then skip that if it is still meant.")
        course = _move(session, known, loop, first_after_skip(known))
        turn = course.turn(known.current + 1)
        if loop.state == loop_state.TURNING:
            set_due(session, known, loop, course)
        text = f"Iteration {turn.number} of {row.key} begins on {turn.starts.date()} instead of {begins}: {why}"
        data = {
            "reason": why,
            "iteration": turn.number,
            "first": turn.dates.first.isoformat(),
            "was": first.isoformat(),
        }
        tell(session, loop, "skipped", text, by, now, data)
        context.done(session, row.id)
    return LoopView.of(loop)


def follow(context: Context, project_id: str) -> bool:
    """Bring what is due in line with the project as it is set up now: to be called after its settings or its team's
    calendar changed. Returns whether that moved something. A loop that nobody has touched and that has not begun turns
    or waits as `beginning` says. Left alone are any other that does not turn, one whose run is running, and one whose
    iterations cannot be placed on the calendar (its next run says so)."""
    with context.database.session() as session:
        row = ProjectView.of(session.get_one(ProjectRow, project_id))
    try:
        known = material(context, project_id)
        course = course_of(known, ahead=2)
        with changing(context, row, known) as (session, loop):
            if loop.current == 0 and loop.run_id is None and not loop.changed_by:
                had = loop.state, dues.at(session, project_id, dues.TURN)
                due, loop.message = beginning(course.turn(1), context.now())
                loop.state = loop_state.PAUSED if due is None else loop_state.TURNING
                dues.put(session, project_id, dues.TURN, due)
                return (loop.state, due) != had
            if loop.state != loop_state.TURNING:
                return False
            _look_at_records(session, known, loop, context.now())
            was = loop.due, dues.at(session, project_id, dues.TURN)
            if was[1] is None or _run_at_work(session, loop) is not None:
                return False
            set_due(session, known, loop, course)
            return (loop.due, dues.at(session, project_id, dues.TURN)) != was
    except (Conflict, InvalidInput):
        return False


AT_ONCE = 100
"""How many loops the clock has follow their teams before it does something else."""


def keep_up(context: Context, team_id: str | None = None, limit: int | None = AT_ONCE) -> int:
    """As `follow`, for loops whose team (this one, or any) was changed and that do not follow it yet; returns how many
    were moved. Safe to be done by several processes, and to be broken off: what is left is done by the next one."""
    with context.database.session() as session:
        waiting = dues.behind(session, team_id, limit)
    moved = 0
    for project_id, version in waiting:
        moved += follow(context, project_id)
        with context.database.session() as session:
            dues.caught_up(session, project_id, version)
    return moved


def follow_team(context: Context, team_id: str) -> int:
    """As `keep_up`, now and for all projects of a team: for who has no clock that does it."""
    return keep_up(context, team_id, limit=None)


def following(context: Context, team_id: str) -> int:
    """How many projects are yet to follow this team as it is now."""
    with context.database.session() as session:
        return len(dues.behind(session, team_id))


def follow_plan(context: Context, project_id: str, brought: SettingsChange | None, *, team: bool = True) -> None:
    """Bring what is due in line with the settings that a plan brought, with `team` of all projects whose team it
    changed."""
    if brought is None:
        return
    follow(context, project_id)
    if team and brought.team is not None:
        follow_team(context, brought.team.id)


def beginning(first: Turn, now: datetime) -> tuple[datetime | None, str]:
    """When a loop that has not begun does so: with its first iteration, however late that is; not by itself where that
    is over already, and why."""
    if first.ends >= now:
        return first.starts, ""
    return None, (
        f"The first iteration was to last from {first.starts.date()} to {first.ends.date()}, which is past. Resume the "
        "project to begin it now, or with its planned dates to have it catch up."
    )


def coming_json(known: Material) -> dict[str, Any] | None:
    """The iteration that begins next and its first day, also while the loop is paused; None where none does."""
    over = known.project.ended_at is not None or (known.loop is not None and known.loop.state == loop_state.ENDED)
    try:
        turn = coming(known) if not over else None
    except (InvalidInput, KeyError):
        turn = None
    return {"iteration": turn.number, "first": turn.dates.first.isoformat()} if turn is not None else None


def firing_json(firing: Firing) -> dict[str, Any]:
    """A firing as plain values; `at` has the offset of the project's time zone."""
    return {
        "kind": firing.kind,
        "iteration": firing.iteration,
        "phase": firing.phase,
        "at": firing.at.isoformat(),
        "run": firing.run,
        "state": firing.state,
    }


def course_of(known: Material, *, ahead: int | None = None) -> Course:
    """The project's iterations, begun and to come, with what people decided and moved."""
    loop = known.loop
    return courses.course(
        known.template,
        known.parameters,
        known.calendar,
        known.begun,
        coming=_decided(known),
        coming_first=loop.next_first if loop is not None else None,
        ahead=ahead,
    )


def audits(known: Material) -> bool:
    """Whether the clock looks at the project's records: not under the gate `off`, which its phases share."""
    said = ProjectAudit.model_validate(known.project.audit)
    return rules.settle(known.template, known.template.phases[0], said).gate is not Gate.OFF


def _look_at_records(session: Session, known: Material, loop: LoopRow, now: datetime) -> None:
    """Have the clock look at the records at once, if it does at all: when they are due may have changed."""
    if not audits(known):
        dues.put(session, loop.project_id, dues.AUDIT, None)
    elif loop.current:
        dues.put(session, loop.project_id, dues.AUDIT, now)


def coming(known: Material) -> Turn:
    """The iteration after the current one."""
    return course_of(known, ahead=2).turn(known.current + 1)


def first_after_skip(known: Material) -> date:
    """The first day of the next iteration, if the coming bound is skipped."""
    days = number(known.template.cadence.iteration_days, known.parameters)
    return span_from(coming(known).dates.first, days, known.calendar).last + timedelta(days=1)


def course_from(known: Material, begun: Sequence[Begun], first: date) -> Course:
    """The iterations that were `begun`, and the next two as they are if the first of these begins on that day."""
    return courses.course(
        known.template,
        known.parameters,
        known.calendar,
        begun,
        coming=_decided(known),
        coming_first=first,
        ahead=2,
    )


@contextmanager
def changing(context: Context, row: ProjectView, known: Material | None = None) -> Iterator[tuple[Session, LoopRow]]:
    """A unit of work in which nobody else changes the project's loop. With `known`, the loop must be where it was when
    that was read. Raises Conflict, too, where it has not begun or has ended."""
    with context.database.session() as session:
        # To write first is what keeps others out on SQLite, too.
        mine = update(LoopRow).where(LoopRow.project_id == row.id).values(updated_at=context.now())
        session.execute(mine)
        loop = open_loop(row, loops.locked(session, row.id))
        if known is not None and not _is_where(loop, known.loop):
            raise Conflict("loop-moved-on", f"The loop of {row.key} moved on just now.", "Look again, then repeat.")
        yield session, loop


def open_loop(row: projects.Kept, loop: LoopRow | None) -> LoopRow:
    """The loop of a project. Raises Conflict where it has not begun or has ended."""
    if loop is None:
        raise Conflict(
            "loop-not-begun", f"The loop of {row.key} has not begun.", "It begins when a first plan was applied."
        )
    if loop.state == loop_state.ENDED:
        message = f"The loop of {row.key} has ended."
        raise Conflict(
            "loop-ended", message, f"`phaseloop projects remove {typed(row.key)}` frees its key for a new one."
        )
    return loop


def refuse_at_work(session: Session, row: projects.Kept, loop: LoopRow) -> None:
    """Raises Conflict if a run to advance is under way or held: it has looked already."""
    run = _run_at_work(session, loop)
    if run is not None and run.kind == loop_state.ADVANCE:
        raise Conflict(
            "advance-in-progress",
            f"The run {run.id} of {row.key} is {run.state}: it begins iteration {run.iteration} already.",
            f"Wait until it has ended, or cancel it: `phaseloop runs cancel {run.id}`.",
        )


def given_reason(reason: str) -> str:
    """The reason without white space around it. Raises InvalidInput if there is none, or it is too long."""
    why = " ".join(reason.split())
    if not why:
        raise InvalidInput(
            [Problem("request", None, "reason", MISSING, "this needs a reason, which is kept in the history")]
        )
    if len(why) > REASON_LIMIT:
        message = f"has {len(why)} characters, {REASON_LIMIT} at most are kept"
        raise InvalidInput([Problem("request", None, "reason", message, "say it shorter")])
    return why


def tell(session: Session, loop: LoopRow, kind: str, text: str, by: str, now: datetime, data: dict[str, Any]) -> None:
    """Record what a person did to the loop; each time is an event of its own."""
    of_kind = EventRow.project_id == loop.project_id, EventRow.kind == kind
    times = session.scalar(select(func.count()).select_from(EventRow).where(*of_kind)) or 0
    name, iteration = f"{kind}:{times + 1}", loop.current or None
    loops.record_event(session, loop.project_id, name, kind, text, at=now, by=by, iteration=iteration, data=data)


def _firings(known: Material, course: Course, run: RunRow | None, due: datetime | None) -> Iterator[Firing]:
    """What comes. The first is when the store has it `due`, because a held run looks again at a time of its own."""
    zone = known.calendar.zone
    found = _bounds(known, course)
    first = next(found, None)
    if first is not None:
        kind, iteration, stage, at = first
        doing = (run.id, run.state) if run is not None else (None, None)
        yield Firing(kind, iteration, stage.phase, (due or at).astimezone(zone), *doing)
    for kind, iteration, stage, at in found:
        yield Firing(kind, iteration, stage.phase, at.astimezone(zone))


def _bounds(known: Material, course: Course) -> Iterator[tuple[str, int, Stage, datetime]]:
    loop, asks = known.loop, known.turning.carry_over == "ask"
    proposed = loop is None or loop.due == loop_state.ADVANCE
    ends = loop is not None and loop.decision is not None and loop.decision["move"] == Move.END
    for turn in course.turns[known.current :]:
        if turn.number > 1:
            before = course.turn(turn.number - 1)
            if asks and not (proposed and before.number == known.current):
                yield loop_state.PROPOSE, before.number, before.stage, before.ends
            if ends:
                yield END, before.number, before.stage, turn.starts
                return
        yield loop_state.ADVANCE, turn.number, turn.stage, turn.starts


def _decided(known: Material) -> Stage | None:
    """The stage of the coming iteration, where a person decided it."""
    decision = known.loop.decision if known.loop is not None else None
    if decision is None or not known.begun:
        return None
    return stage_after(known.template, known.begun[-1].stage, Move(decision["move"]), decision.get("phase"))


def stage_after(template: Template, stage: Stage, move: Move, phase: Key | None) -> Stage | None:
    """The stage that follows this one by a person's decision; None where none does."""
    match move:
        case Move.STAY:
            return courses.another(stage)
        case Move.NEXT:
            return courses.next_phase(template, stage)
        case Move.BACK if phase is not None:
            return courses.back_to(stage, phase)
        case _:
            return None


def _same_weekday(planned: date, today: date) -> date:
    """The first day from `today` on that is of the same weekday."""
    return today + timedelta(days=(planned - today).days % 7)


def _move(session: Session, known: Material, loop: LoopRow, first: date) -> Course:
    """Let the next iteration begin on that day; the current one lasts until then, and plans made before are stale.
    Returns the course as it is now."""
    loop.next_first = first
    row = session.get(IterationRow, (known.project.id, known.current))
    if row is not None:
        row.last = first - timedelta(days=1)
        session.flush()
    session.execute(update(ProjectRow).where(ProjectRow.id == known.project.id).values(serial=ProjectRow.serial + 1))
    course = course_from(known, loops.begun(session, known.project.id), first)
    if row is not None:
        row.ends = course.turn(row.number).ends
    return course


def set_due(session: Session, known: Material, loop: LoopRow, course: Course) -> None:
    """Set when the clock starts a run next, and what for: `loop` is where it stands now, `course` goes to the next
    iteration."""
    starts = course.turn(loop.current + 1).starts
    asks = known.turning.carry_over == "ask" and loop.current > 0 and loop.updated_at < starts
    if asks and not _told(session, loop, f"proposed:{loop.current}"):
        loop.due, due = loop_state.PROPOSE, course.turn(loop.current).ends
    else:
        loop.due, due = loop_state.ADVANCE, starts
    dues.put(session, loop.project_id, dues.TURN, due)


def _told(session: Session, loop: LoopRow, name: str) -> bool:
    of_this = EventRow.project_id == loop.project_id, EventRow.name == name
    return session.scalar(select(EventRow.id).where(*of_this)) is not None


def _is_where(loop: LoopRow, was: LoopRow | None) -> bool:
    return was is not None and (loop.current, loop.next_first, loop.state) == (was.current, was.next_first, was.state)


def _run_at_work(session: Session, loop: LoopRow | None) -> RunRow | None:
    """The newest run of the loop, unless it has ended."""
    if loop is None or loop.run_id is None:
        return None
    run = session.get(RunRow, loop.run_id)
    return run if run is not None and run.state not in run_state.ENDED else None


def _was_stopped(session: Session, loop: LoopRow) -> bool:
    """Whether the loop's newest run was to begin the next iteration and did not."""
    run = session.get(RunRow, loop.run_id) if loop.run_id is not None else None
    return run is not None and run.kind == loop_state.ADVANCE and run.iteration == loop.current + 1
