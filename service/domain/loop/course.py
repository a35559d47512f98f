"""The course of a project: which iteration is of which phase, from the first to as far ahead as is kept seeded.

What has begun is given; what comes follows from it: a phase continues for as many iterations as were planned, then
comes the next one, and the last one goes round. A phase that has not reached its output lasts longer, one that a person
sends back begins the loop anew; both are decided when an iteration begins, and only then (see `turnover`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from connectors.values import ItemKey
from service.domain.problems import InvalidInput, Problem
from service.domain.team.calendar import Calendar, DateRange, bounds, span_from
from service.domain.template.parameters import day, is_on, number
from service.domain.template.template import Key, ParameterValue, Phase, Template


@dataclass(frozen=True, slots=True)
class Stage:
    """Where in the loop an iteration is: the `of_phase`-th (from 1) of this phase in the `loop`-th turn of the loop."""

    phase: Key
    loop: int = 1
    of_phase: int = 1


@dataclass(frozen=True, slots=True)
class Begun:
    """An iteration that was begun, with the calendar dates it covers."""

    number: int
    stage: Stage
    dates: DateRange
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """An iteration, begun or to come. `turns` is how many its phase has in this turn of the loop, as known now, and
    `entry` how often that phase was entered by then, this time included: the loop can turn without coming through it.
    `starts` and `ends` are aware instants on working days; `dates` are the calendar dates, weekends included."""

    number: int
    stage: Stage
    turns: int
    dates: DateRange
    starts: datetime
    ends: datetime
    entry: int = 1


@dataclass(frozen=True, slots=True)
class Course:
    """Iterations by number, from 1 without a gap. `current` is the one that was begun last, 0 before the first was."""

    turns: tuple[Turn, ...]
    current: int = 0

    def turn(self, number: int) -> Turn:
        """The iteration with this number. Raises KeyError."""
        if not 1 <= number <= len(self.turns):
            raise KeyError(number)
        return self.turns[number - 1]


def course(
    template: Template,
    parameters: Mapping[str, ParameterValue],
    calendar: Calendar,
    begun: Sequence[Begun] = (),
    *,
    coming: Stage | None = None,
    coming_first: date | None = None,
    coming_last: date | None = None,
    ahead: int | None = None,
    reach: int = 0,
    rounds: int = 0,
) -> Course:
    """The iterations begun, in order, and those to come.

    `coming` is what the next iteration is, where that was decided; else it follows from the last one begun.
    `coming_first` is its first day, where it does not follow the last one at once, and `coming_last` its last, where it
    is not as long as the others. `ahead` is how many iterations there are to be, counted from the current one (itself
    included; from the one after it if it is closed, before the first from that); None: all that the template plans, and
    at least the current and the next one. It goes up to iteration `reach` in any case: what was prepared once is wanted
    again later, and releasing it in between would make it twice. So does a last phase that recurs and for which so many
    `rounds` are prepared already: where all is planned ahead, each of them has its iteration to come.

    Raises `InvalidInput` when an iteration cannot be placed on the calendar, or follows one of a phase that the
    template no longer has.
    """
    if [one.number for one in begun] != list(range(1, len(begun) + 1)):
        raise ValueError("iterations are begun one after the other, from 1")
    stages = [one.stage for one in begun]
    goes_on = bool(begun) and not begun[-1].closed
    least = max(reach, len(begun) + (1 if ahead is None else ahead - goes_on))

    def all_has_come() -> bool:
        coming = [stage.phase for stage in stages[len(begun) :]]
        return _is_last(template, parameters, stages[-1]) and coming.count(template.phases[-1].key) >= rounds

    while len(stages) < least or (ahead is None and not all_has_come()):
        stages.append(_next(template, parameters, stages, coming if len(stages) == len(begun) else None))
    spans = [one.dates for one in begun]
    while len(spans) < len(stages):
        given = (coming_first, coming_last) if len(spans) == len(begun) else (None, None)
        spans.append(_span(template, parameters, calendar, spans, *given))
    return Course(tuple(_turns(template, parameters, calendar, stages, spans, len(begun))), len(begun))


def foreseen(template: Template, parameters: Mapping[str, ParameterValue], course: Course) -> Course:
    """The course with what follows after its end if nothing is decided, as far as anything can have been prepared for:
    what comes in which iteration, and under which number. When those are is not known: they have the dates of the last
    one. Nothing follows before the first has begun, or one of a phase that the template no longer has."""
    if not course.current or all(phase.key != course.turns[-1].stage.phase for phase in template.phases):
        return course
    stages, last = [turn.stage for turn in course.turns], course.turns[-1]
    planned = sum(planned_iterations(template, parameters, phase.key) for phase in template.phases)
    for _ in range(planned + last.number):
        stages.append(following(template, parameters, stages[-1]))
    known = Counter((stage.phase, stage.loop) for stage in stages)
    more = (
        Turn(number, stage, known[stage.phase, stage.loop], last.dates, last.starts, last.ends, entry)
        for number, (stage, entry) in enumerate(zip(stages, entries(stages), strict=True), 1)
        if number > last.number
    )
    return replace(course, turns=(*course.turns, *more))


def following(template: Template, parameters: Mapping[str, ParameterValue], stage: Stage) -> Stage:
    """The stage after this one if nothing is decided: the same phase while it has planned iterations left, then the
    next phase, and after the last phase that phase again. Raises `InvalidInput` when the template has no such phase."""
    if stage.of_phase < planned_iterations(template, parameters, stage.phase):
        return another(stage)
    return next_phase(template, stage)


def next_phase(template: Template, stage: Stage) -> Stage:
    """The first iteration of the phase after this one; of the last phase, one more iteration of it. Raises
    `InvalidInput` when the template has no such phase."""
    place = template.phases.index(phase_of(template, stage.phase)) + 1
    return Stage(template.phases[place].key, stage.loop, 1) if place < len(template.phases) else another(stage)


def another(stage: Stage) -> Stage:
    """One more iteration of the same phase in the same turn of the loop."""
    return Stage(stage.phase, stage.loop, stage.of_phase + 1)


def back_to(stage: Stage, phase: Key) -> Stage:
    """The first iteration of that phase in a new turn of the loop."""
    return Stage(phase, stage.loop + 1, 1)


def phase_of(template: Template, key: Key) -> Phase:
    """The phase with this key. Raises `InvalidInput` when the template has none: it was there once."""
    for phase in template.phases:
        if phase.key == key:
            return phase
    fix = "put it back, and take it out when the project has left it"
    raise InvalidInput(
        [Problem(f"template {template.name}", None, "phases", f'there is no phase "{key}" any more', fix)]
    )


def planned_iterations(template: Template, parameters: Mapping[str, ParameterValue], phase: Key) -> int:
    """How many iterations the template plans for the phase. Raises `InvalidInput` when it has no such phase."""
    return number(phase_of(template, phase).iterations, parameters)


def entries(stages: Iterable[Stage]) -> Iterator[int]:
    """Of each of these stages, which are in order from the first iteration on, how often its phase was entered by
    then: what was never come to in one turn of the loop is entered for the first time in a later one."""
    entered: dict[Key, dict[int, int]] = {}
    for stage in stages:
        loops = entered.setdefault(stage.phase, {})
        yield loops.setdefault(stage.loop, len(loops) + 1)


def ticket_key(phase: Phase, ticket: Key, of_phase: int, entry: int) -> ItemKey:
    """The item key of one of the phase's tickets, in its `of_phase`-th iteration after it was entered for the
    `entry`-th time. It stays when iterations shift, and when the loop turns before it came to this phase."""
    turn = f"@{of_phase}" if phase.recurring else ""
    return ItemKey(f"ticket:{ticket}{turn}{_entry_mark(entry)}")


def epic_key(epic: Key, entry: int) -> ItemKey:
    """The item key of an epic of a phase that is entered for the `entry`-th time."""
    return ItemKey(f"epic:{epic}{_entry_mark(entry)}")


def exit_tickets(
    template: Template,
    parameters: Mapping[str, ParameterValue],
    stages: Sequence[Stage],
    continued: Mapping[ItemKey, ItemKey] | None = None,
) -> tuple[ItemKey, ...]:
    """The item keys of the tickets that must be done for the phase to end with the last of these stages, which are
    those from the first iteration on; only tickets switched on. What is `continued` (see `continuation`) is asked for
    by the key that it has. Raises `InvalidInput` when the template has no such phase."""
    phase, of_phase = phase_of(template, stages[-1].phase), stages[-1].of_phase
    *_, entry = entries(stages)
    present = {ticket.key for ticket in phase.tickets if is_on(ticket.when, parameters)}
    own = (ticket_key(phase, key, of_phase, entry) for key in phase.exit.needs if key in present)
    return tuple((continued or {}).get(key, key) for key in own)


def _entry_mark(entry: int) -> str:
    return f"~{entry}" if entry > 1 else ""


def _is_last(template: Template, parameters: Mapping[str, ParameterValue], stage: Stage) -> bool:
    """Whether all that is planned has come with this stage."""
    key = template.phases[-1].key
    return stage.phase == key and stage.of_phase >= planned_iterations(template, parameters, key)


def _next(
    template: Template, parameters: Mapping[str, ParameterValue], stages: Sequence[Stage], decided: Stage | None
) -> Stage:
    if decided is not None:
        return decided
    return following(template, parameters, stages[-1]) if stages else Stage(template.phases[0].key)


def _span(
    template: Template,
    parameters: Mapping[str, ParameterValue],
    calendar: Calendar,
    before: Sequence[DateRange],
    first: date | None,
    last: date | None,
) -> DateRange:
    """The dates of the iteration after those before it."""
    if first is None:
        first = before[-1].last + timedelta(days=1) if before else day(template.cadence.start_date, parameters)
    if last is not None:
        return DateRange(first, last)
    return span_from(first, number(template.cadence.iteration_days, parameters), calendar)


def _turns(
    template: Template,
    parameters: Mapping[str, ParameterValue],
    calendar: Calendar,
    stages: Sequence[Stage],
    spans: Sequence[DateRange],
    begun: int,
) -> Iterator[Turn]:
    """The iterations as they are now known. The last phase of the course continues for as long as is planned."""
    known = Counter((stage.phase, stage.loop) for stage in stages)
    newest = (stages[-1].phase, stages[-1].loop) if stages else None
    if newest is not None and any(phase.key == newest[0] for phase in template.phases):
        known[newest] = max(known[newest], planned_iterations(template, parameters, newest[0]))
    for n, (stage, span, entry) in enumerate(zip(stages, spans, entries(stages), strict=True), 1):
        starts, ends = _edges(calendar, span, n, begun=n <= begun)
        yield Turn(n, stage, known[stage.phase, stage.loop], span, starts, ends, entry)


def _edges(calendar: Calendar, span: DateRange, n: int, *, begun: bool) -> tuple[datetime, datetime]:
    """When it starts and ends. One that was begun stays where it is, whatever days were taken off since."""
    try:
        return bounds(span, calendar, n)
    except InvalidInput:
        if not begun:
            raise
        return calendar.at(span.first, calendar.start_time), calendar.at(span.last, calendar.end_time)
