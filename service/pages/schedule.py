"""The schedule: what the clock does next in all projects; one project's next times, and a say in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from service.context import Context
from service.domain.access.identity import Caller
from service.domain.access.roles import Permission
from service.domain.english import counted, sentence
from service.domain.loop import loop_state
from service.domain.loop.turnover import Move, decision_words
from service.domain.plan import run_state
from service.domain.problems import InvalidInput
from service.domain.team.calendar_file import Freeze
from service.pages import moments, signs
from service.pages.home import next_of
from service.pages.moments import Moment, moment
from service.pages.new_project import Choice, Field
from service.pages.paging import WHOLE, Paging, paged
from service.pages.project import PAUSE, does
from service.pages.remedies import on_pages
from service.pages.sent import NOTHING_SENT, Sent, wrong_by
from service.pages.signs import Sign
from service.usecases.loop.outlook import Outlook, outlook
from service.usecases.loop.scheduling import Firing
from service.usecases.overview.standing import project_standings
from service.usecases.setup import connections
from service.views.loop import LoopView
from service.views.overview import ProjectStanding

TURNING = Sign("ok", "run", "Turning")
PAUSED = Sign("warn", "hold", "Paused")
ENDED = Sign("neutral", "stop", "Ended")
NOT_BEGUN = Sign("pending", "pending", "Not begun")

_SIGNS = {loop_state.TURNING: TURNING, loop_state.PAUSED: PAUSED, loop_state.ENDED: ENDED}


@dataclass(frozen=True, slots=True)
class ScheduleLine:
    """A project: what the clock does in it next, and when."""

    href: str
    name: str
    key: str
    sign: Sign
    does: str
    at: Moment | None
    note: str
    run: str


@dataclass(frozen=True, slots=True)
class SchedulePage:
    """All projects that somebody may see, what comes soonest first; then those in which nothing comes."""

    said: str
    rows: tuple[ScheduleLine, ...]
    paging: Paging = WHOLE


@dataclass(frozen=True, slots=True)
class FiringLine:
    """One time at which the clock does something."""

    at: Moment
    does: str
    note: str


@dataclass(frozen=True, slots=True)
class SkipShown:
    """What skipping means, in words, and what the button is called; `first` says which iteration is meant."""

    means: str
    button: str
    first: str


@dataclass(frozen=True, slots=True)
class FreezeLine:
    """A freeze, with the days that say which it is."""

    days: str
    reason: str
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class ProjectSchedulePage:
    """One project's schedule. `feed` is the address of its calendar; `skip` is None where nothing can be skipped, and
    `no_skip` says why. `why`, `pause` and `freeze` are the fields
    of the forms to skip, to pause and to freeze."""

    id: str
    name: str
    key: str
    zone: str
    sign: Sign
    paused: str
    firings: tuple[FiringLine, ...]
    nothing: str
    skip: SkipShown | None
    no_skip: str
    freezes: tuple[FreezeLine, ...]
    days_off: tuple[str, ...]
    feed: str
    may_decide: bool
    may_pause: bool
    may_resume: bool
    decide: tuple[Field, ...]
    decided: str
    why: Field
    pause: Field
    freeze: tuple[Field, ...]
    tracker: str


def page_of(context: Context, page: int = 1) -> SchedulePage:
    """All projects that may be seen, those of that page."""
    now = context.now()
    found = project_standings(context)
    found.sort(key=lambda one: (one.due is None or not _turns(one), one.due or now, one.project.key))
    turning = sum(_turns(one) for one in found)
    paused = sum(one.loop is not None and one.loop.state == loop_state.PAUSED for one in found)
    soon = sum(_turns(one) and one.due is not None and one.due <= now + timedelta(days=7) for one in found)
    said = (
        f"{counted(turning, 'loop')} turning, {soon or 'none'} with something within 7 days; {paused or 'none'} paused."
    )
    shown, paging = paged(found, page, "/schedule")
    return SchedulePage(said if found else "", tuple(_line(one, now) for one in shown), paging)


def _turns(one: ProjectStanding) -> bool:
    return one.loop is not None and one.loop.state == loop_state.TURNING


def _line(one: ProjectStanding, now: datetime) -> ScheduleLine:
    at = moment(one.due, one.project.time_zone, now) if one.due is not None and _turns(one) else None
    said = next_of(one)
    note, run = "", ""
    if one.run is not None and one.run.state not in run_state.ENDED:
        note, run = f"A run is {signs.of_run(one.run.state).word.lower()}", f"/runs/{one.run.id}"
    elif one.loop is not None and one.loop.state == loop_state.PAUSED:
        note = _paused(one.loop.changed_by, one.loop.message)
    sign = _SIGNS[one.loop.state] if one.loop is not None else NOT_BEGUN
    does_ = f"{said[0].upper()}{said[1:]}"
    href = f"/projects/{one.project.id}/schedule"
    return ScheduleLine(href, one.project.name, one.project.key, sign, does_, at, note, run)


def _paused(by: str, message: str) -> str:
    return f"By {by or 'phaseloop'}{f': {on_pages(message)}' if message else ''}"


# --- one project ------------------------------------------------------------------------------------------------------


def project_of(context: Context, caller: Caller, name: str, sent: Sent = NOTHING_SENT) -> ProjectSchedulePage:
    """One project's schedule, with what was `sent`. Raises NotFound, Conflict where it has ended, InvalidInput."""
    found = outlook(context, name)
    loop, project = found.loop, found.project
    now = context.now()
    decides = caller.may(Permission.DECIDE, project.id)
    state = loop.state if loop is not None else ""
    year = now.astimezone(ZoneInfo(project.time_zone)).year
    return ProjectSchedulePage(
        id=project.id,
        name=project.name,
        key=project.key,
        zone=project.time_zone,
        sign=_SIGNS[state] if state else NOT_BEGUN,
        paused=_paused(loop.changed_by, loop.message) if loop is not None and state == loop_state.PAUSED else "",
        firings=tuple(_firings(found, now)) if loop is not None else (),
        nothing=_nothing(state),
        skip=_skip(found, now),
        no_skip=on_pages(found.why),
        freezes=tuple(_freeze(one, year) for one in found.freezes),
        days_off=tuple(_days(found.days_off, year)),
        feed=f"/feeds/{loop.feed}.ics" if loop is not None else "",
        may_decide=decides,
        may_pause=decides and state == loop_state.TURNING,
        may_resume=decides and state == loop_state.PAUSED,
        decide=tuple(sent.fill(one) for one in _decide(found, sent)) if loop is not None and loop.current else (),
        decided=_decided(loop),
        why=sent.fill(_WHY),
        pause=sent.fill(PAUSE),
        freeze=tuple(sent.fill(one) for one in _FREEZE),
        tracker=connections.kind_title(context, project.connection_id),
    )


_BACK = "back:"


def _decide(found: Outlook, sent: Sent) -> Iterator[Field]:
    """The fields of a decision of what follows the current iteration."""
    ways = [
        (Move.NEXT.value, "The next phase, whatever this one has reached"),
        (Move.STAY.value, "Another iteration of this phase"),
        *((f"{_BACK}{key}", f"Back to {title}, in a new turn of the loop") for key, title in found.back),
        (Move.END.value, "Nothing: the project ends"),
    ]
    chosen = sent.values.get("move", Move.NEXT.value)
    yield Field("move", "What follows", chosen, "choice", choices=tuple(Choice(*one, one[0] == chosen) for one in ways))
    yield Field("because_of", "Why", help="Kept in the history, with your name.", longest=1000)


def move_of(value: str) -> tuple[str, str | None]:
    """What was chosen: a move, and the phase that it goes back to."""
    return (Move.BACK.value, value.removeprefix(_BACK)) if value.startswith(_BACK) else (value, None)


def _decided(loop: LoopView | None) -> str:
    decision = loop.decided if loop is not None else None
    if decision is None:
        return ""
    return f"{sentence(decision_words(decision.move, decision.phase))}, decided by {decision.by}: {decision.reason}"


_WHY = Field("why", "Why", help="Kept in the history. Dates in the tracker follow with the next plan.", longest=1000)
_FREEZE = (
    Field("from", "First day", kind="date"),
    Field("to", "Last day", kind="date"),
    Field("because", "Why", help="Shown where the iterations are.", longest=120),
)


def _freeze(one: Freeze, year: int) -> FreezeLine:
    said = moments.day(one.first, year) if one.first == one.last else moments.days(one.first, one.last, year)
    return FreezeLine(said, one.reason, one.first.isoformat(), one.last.isoformat())


def wrong_of(error: InvalidInput) -> dict[str, str]:
    """What is wrong with a skip or a freeze, by the field that it is about."""
    if any(one.source == "request" for one in error.problems):
        return wrong_by(error, {}, "why")
    return wrong_by(error, {"from": "from", "to": "to", "reason": "because"}, "from")


def _nothing(state: str) -> str:
    return {
        "": "Nothing before a plan is applied.",
        loop_state.PAUSED: "Nothing before it is resumed.",
        loop_state.ENDED: "Nothing: the loop has ended.",
    }.get(state, "Nothing is due.")


def _firings(found: Outlook, now: datetime) -> Iterator[FiringLine]:
    for one in found.firings:
        yield FiringLine(moment(one.at, found.project.time_zone, now), does(one), _note(one))


def _note(one: Firing) -> str:
    return f"A run is {signs.of_run(one.state).word.lower()}" if one.state is not None else ""


def _skip(found: Outlook, now: datetime) -> SkipShown | None:
    one, zone = found.skipping, found.project.time_zone
    if one is None:
        return None
    was, then = moment(one.now, zone, now), moment(one.then, zone, now)
    current = f", and iteration {one.number - 1} lasts until then" if one.number > 1 else ""
    means = f"Iteration {one.number} begins on {then.text} instead of {was.text}{current}. What follows moves with it."
    button = f"Skip one: begin iteration {one.number} on {moments.day(one.then.date(), now.year)}"
    return SkipShown(means, button, one.first.isoformat())


def _days(found: Sequence[date], year: int) -> Iterator[str]:
    return (moments.day(one, year) for one in found)
