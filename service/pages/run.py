"""A run: whether it is moving, until when it waits, what was refused and who can fix that; and all runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from connectors.values import Severity
from service.context import Context
from service.domain.access.identity import Caller
from service.domain.access.roles import Permission
from service.domain.english import counted, sentence
from service.domain.loop import loop_state
from service.domain.plan import run_state
from service.domain.plan.plan import Purpose
from service.pages import moments, signs
from service.pages.moments import Moment, moment
from service.pages.plan import Told, told
from service.pages.remedies import on_pages
from service.pages.signs import Part, Sign
from service.schedule import BY_CLOCK
from service.usecases.errors import NotFound
from service.usecases.run import run_steps, run_views
from service.usecases.run.run_views import Progress
from service.usecases.setup import projects
from service.views.run import ItemResult, RunStep, RunView, StepResult

PAGE = 50
"""Runs on one page of the list."""

_STEPS = {
    "done": Sign("ok", "ok", "Done"),
    "in progress": Sign("live", "run", "In progress"),
    "waiting": Sign("warn", "wait", "Waiting"),
    "stopped": Sign("bad", "stop", "Stopped"),
    "to do": Sign("pending", "pending", "To do"),
}
_ITEMS = {
    "done": Sign("ok", "ok", "Done"),
    "failed": Sign("bad", "bad", "Refused"),
    "left": Sign("neutral", "drift", "Left to people"),
    "unknown": Sign("warn", "unclear", "Not known yet"),
    "to do": Sign("pending", "pending", "To do"),
}
_CAN_UNDO = frozenset({Purpose.APPLY.value, Purpose.REACT.value, loop_state.ADVANCE})


@dataclass(frozen=True, slots=True)
class StepLine:
    """One step, with what it took."""

    number: int
    name: str
    sign: Sign
    took: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class StepGroup:
    """Steps of one part of the run; open where something happens or needs somebody. `key` is its own on the page."""

    key: str
    title: str
    sign: Sign
    sums: str
    open: bool
    steps: tuple[StepLine, ...]


@dataclass(frozen=True, slots=True)
class ItemLine:
    """What became of one item; `cause`, `who` and `fix` where it is not done."""

    title: str
    sign: Sign
    remote: str
    url: str
    cause: str
    who: str
    fix: str


@dataclass(frozen=True, slots=True)
class Detail:
    """One step, with each of its items."""

    number: int
    name: str
    when: Moment | None
    calls: str
    message: str
    items: tuple[ItemLine, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A finding of a run, and what it says of other items in the same way."""

    first: Told
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Actions:
    """What can be done about the run now, by whoever looks."""

    cancel: bool = False
    retry: bool = False
    resume: str = ""
    undo: bool = False

    @property
    def any(self) -> bool:
        """Whether anything can."""
        return self.cancel or self.retry or bool(self.resume) or self.undo


@dataclass(frozen=True, slots=True)
class RunPage:
    """A run. `said` is how it stands in a line, `wait` until when it waits; `links` lead to what it made. `events` is
    where a script hears of changes, empty for one that has ended. `detail` is the chosen step, or what needs somebody.
    """

    id: str
    heading: str
    project: str
    project_name: str
    plan: str
    started_by: str
    started: Moment
    ended: Moment | None
    sign: Sign
    said: str
    wait: Moment | None
    amount: str
    explains: str
    bar: tuple[Part, ...]
    groups: tuple[StepGroup, ...]
    findings: tuple[Found, ...]
    detail: Detail | None
    actions: Actions
    events: str
    requests: str
    tracker: str
    tracker_url: str
    continued_by: str
    continues: str
    undone: bool


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run in a list."""

    id: str
    heading: str
    project: str
    project_name: str
    sign: Sign
    started: Moment
    by: str
    took: str
    message: str


@dataclass(frozen=True, slots=True)
class RunsPage:
    """Runs, newest first; `older` is the id of the last one where there are more."""

    runs: tuple[RunLine, ...]
    older: str
    project: str
    project_name: str


def page_of(context: Context, caller: Caller, run_id: str, step: int = 0) -> RunPage:
    """The run of that id, with one of its steps in detail. Raises NotFound."""
    found, now = run_views.progress(context, run_id), context.now()
    run, project = found.run, found.project
    known = run_steps.steps(context, run_id)
    refused = {entry["subject"] for entry in run.findings if entry["severity"] == Severity.ERROR}
    detail = _detail(context, run_id, step, project.time_zone, now) if step else None
    return RunPage(
        id=run.id,
        heading=_heading(run, project.name, found.tracker, makes=bool(found.planned)),
        project=f"/projects/{project.id}",
        project_name=project.name,
        plan=f"/plans/{run.plan_id}" if run.plan_id is not None and run.cleaned_at is None else "",
        started_by=_starter(run),
        started=moment(run.started_at or run.created_at, project.time_zone, now),
        ended=moment(run.finished_at, project.time_zone, now) if run.finished_at is not None else None,
        sign=signs.of_run(run.state),
        said=_said(found, next((one.name for one in known.steps if one.state == "in progress"), "")),
        wait=moment(run.waiting_until, project.time_zone, now, seconds=True) if run.waiting_until else None,
        amount=_amount(found, known.done, known.total, len(refused)),
        explains=_explains(found),
        bar=_bar(found, known.done, known.total),
        groups=tuple(_groups(known.steps, step)),
        findings=tuple(_found(run.findings)),
        detail=detail,
        actions=_actions(found) if caller.may(Permission.OPERATE, project.id) else Actions(),
        events="" if run.ended else f"/api/v1/runs/{run.id}/events",
        requests=f"{counted(found.requests.reads, 'read')} and {counted(found.requests.writes, 'write')} so far"
        if not run.ended
        else f"{counted(found.requests.reads, 'read')} and {counted(found.requests.writes, 'write')}",
        tracker=found.tracker,
        tracker_url=project.url or "",
        continued_by=f"/runs/{found.continued_by}" if found.continued_by else "",
        continues=f"/runs/{run.continues}" if run.continues else "",
        undone=found.undone,
    )


def list_of(context: Context, project: str = "", before: str = "") -> RunsPage:
    """Runs that somebody may see, of all projects or of one. Raises NotFound."""
    of = projects.get(context, project) if project else None
    rows = run_views.listed(context, of.id if of is not None else None, PAGE + 1, before or None)
    shown, now = rows[:PAGE], context.now()
    known = projects.some(context, {run.project_id for run in shown})
    lines = []
    for run in shown:
        one = known.get(run.project_id)
        zone, name = (one.time_zone, one.name) if one is not None else ("UTC", "a project that was only planned")
        seconds = (run.finished_at - run.started_at).total_seconds() if run.finished_at and run.started_at else None
        lines.append(
            RunLine(
                id=run.id,
                heading=_heading(run, name, "", makes=True),
                project=f"/projects/{run.project_id}" if one is not None else "",
                project_name=name,
                sign=signs.of_run(run.state),
                started=moment(run.started_at or run.created_at, zone, now),
                by=_starter(run),
                took=moments.lasting(seconds) if seconds is not None else "",
                message=on_pages(run.message),
            )
        )
    older = shown[-1].id if len(rows) > PAGE else ""
    return RunsPage(tuple(lines), older, f"{of.id}" if of is not None else "", of.name if of is not None else "")


def _starter(run: RunView) -> str:
    return "the clock" if run.started_by == BY_CLOCK else run.started_by


def _heading(run: RunView, project: str, tracker: str, *, makes: bool) -> str:
    where = f" in {tracker}" if tracker else ""
    match run.kind:
        case Purpose.UNDO.value:
            return f"Take back a run of {project}"
        case Purpose.REMOVE.value:
            return f"End {project}"
        case Purpose.REACT.value:
            return f"Act on an event in {project}"
        case loop_state.ADVANCE:
            return f"Begin iteration {run.iteration} of {project}"
        case loop_state.PROPOSE:
            return f"Propose what iteration {run.iteration} of {project} carries over"
        case loop_state.AUDIT:
            return f"Look at the records of {project}"
        case _:
            return f"Build {project}{where}" if makes else f"Change {project}{where}"


def _said(found: Progress, present: str) -> str:
    """How it stands; of one in progress its `present` step, of one that waits not until when."""
    run = found.run
    if run.cancel_requested_at is not None and not run.ended:
        return "Being cancelled after the present step"
    match run.state:
        case run_state.QUEUED:
            return f"Queued: it begins as soon as no other run writes to {found.tracker}"
        case run_state.RUNNING:
            return present or "Begun"
        case run_state.WAITING:
            return f"Waiting for {found.tracker}"
        case run_state.HELD:
            return "Held: it cannot continue before somebody fixes what is below"
        case run_state.COMPLETED if found.undone:
            return "Completed, and taken back since"
        case run_state.COMPLETED:
            return "Completed"
        case run_state.INCOMPLETE:
            return "Incomplete: what is below could not be done"
        case run_state.FAILED:
            return "Failed: a bug in phaseloop stopped it"
        case _:
            return "Cancelled: what it wrote stays, and is recorded"


def _amount(found: Progress, done: int, total: int, refused: int) -> str:
    parts = []
    if found.planned:
        parts.append(f"{found.written} of {counted(found.planned, 'item')} made")
    if found.removals:
        parts.append(f"{found.removed} of {counted(found.removals, 'item')} removed")
    if refused:
        parts.append(f"{refused} refused or left")
    steps = f"{done} of {counted(total, 'step')}" if total else ""
    return "; ".join(part for part in (", ".join(parts), steps) if part)


def _explains(found: Progress) -> str:
    run = found.run
    if run.ended:
        return on_pages(run.message)
    left = f"About {moments.lasting(found.seconds_left)} are left. " if found.seconds_left else ""
    if run.state == run_state.WAITING:
        return f"{_stopped(on_pages(run.message))} It resumes automatically. You can close this page."
    if run.state == run_state.HELD:
        return f"{_stopped(on_pages(run.message))} It looks again by the clock."
    return f"{left}You can close this page."


def _stopped(text: str) -> str:
    """A text that ends as a sentence does."""
    return sentence(text).rstrip(". ") + "." if text else ""


def _bar(found: Progress, done: int, total: int) -> tuple[Part, ...]:
    part, whole = (found.written, found.planned) if found.planned else (done, total)
    if found.removals and not found.planned:
        part, whole = found.removed, found.removals
    if not whole:
        return ()
    return (Part("b1", 0, round(100 * part / whole, 1)),)


def _found(findings: Sequence[Mapping[str, Any]]) -> Iterator[Found]:
    """The findings, those of one kind with one remedy together, the gravest first."""
    alike: dict[tuple[str, str, str], list[str]] = {}
    for one in findings:
        alike.setdefault((one["severity"], one["code"], one["fix"]), []).append(str(one["message"]))
    order = [severity.value for severity in Severity]
    for (severity, code, fix), messages in sorted(alike.items(), key=lambda one: order.index(one[0][0])):
        first = told(Severity(severity), code, messages[0], fix)
        yield Found(first, tuple(on_pages(message) for message in messages[1:]))


def _groups(steps: Sequence[RunStep], chosen: int) -> Iterator[StepGroup]:
    for number, (title, members) in enumerate(groupby(steps, key=lambda one: one.part)):
        own = list(members)
        states = [one.state for one in own]
        sign = _STEPS[next((s for s in ("stopped", "waiting", "in progress") if s in states), "to do")]
        if all(state == "done" for state in states):
            sign = _STEPS["done"]
        elif sign is _STEPS["to do"] and "done" in states:
            sign = _STEPS["in progress"]
        if refused := sum(one.failed for one in own):
            sign = Sign("bad", "bad", f"{refused} refused")
        seconds = sum(_seconds(one) for one in own)
        took = moments.lasting(seconds) if seconds else ""
        # The one that opens the project is counted nowhere: it is no step of the plan.
        counting = [one.state for one in own if one.number]
        sums = f"{counting.count('done')} of {counted(len(counting), 'step')}" if counting else ""
        yield StepGroup(
            key=f"part-{number}",
            title=title,
            sign=sign,
            sums=", ".join(part for part in (sums, took) if part),
            open=sign.word not in ("Done", "To do") or any(one.number == chosen for one in own if chosen),
            steps=tuple(_step(one, chosen) for one in own),
        )


def _seconds(one: RunStep) -> float:
    if one.started_at is None or one.finished_at is None:
        return 0.0
    return (one.finished_at - one.started_at).total_seconds()


def _step(one: RunStep, chosen: int) -> StepLine:
    took = moments.lasting(_seconds(one)) if one.finished_at is not None else ""
    sign = _STEPS[one.state]
    if one.failed:
        sign, took = Sign("bad", "bad", "Refused"), f"{one.failed} refused"
    return StepLine(one.number, one.name, sign, took, one.number == chosen and chosen > 0)


def _detail(context: Context, run_id: str, number: int, zone: str, now: datetime) -> Detail | None:
    try:
        found: StepResult = run_steps.results(context, run_id, number)
    except NotFound:
        return None
    step = found.step
    calls = ", ".join(counted(count, noun) for count, noun in ((step.reads, "read"), (step.writes, "write")) if count)
    return Detail(
        number=step.number,
        name=step.name,
        when=moment(step.started_at, zone, now, seconds=True) if step.started_at is not None else None,
        calls=calls,
        message=on_pages(step.message),
        items=tuple(_item(one) for one in found.items),
    )


def _item(one: ItemResult) -> ItemLine:
    return ItemLine(
        title=one.title,
        sign=_ITEMS[one.state],
        remote=one.remote_key or "",
        url=one.url or "",
        cause=on_pages(one.cause),
        who=sentence(one.who),
        fix=on_pages(one.fix),
    )


def _actions(found: Progress) -> Actions:
    run = found.run
    if run.ended:
        repeated = found.continued_by is None and not found.undone
        return Actions(
            retry=repeated and run.state in (run_state.INCOMPLETE, run_state.FAILED),
            resume="Continue" if repeated and run.state == run_state.CANCELLED else "",
            undo=run.kind in _CAN_UNDO and not found.undone and run.cleaned_at is None,
        )
    waits = run.state in (run_state.WAITING, run_state.HELD)
    cancelling = run.cancel_requested_at is not None
    return Actions(cancel=not cancelling, resume="Look again now" if waits and not cancelling else "")
