"""The course of a project: which iteration is of which phase, from the first to as far ahead as is kept seeded.

What has begun is given; what comes follows from it: a phase goes on for as many iterations as were planned, then comes
the next one, and the last one goes round. A phase that has not reached its output goes on longer, one that a person
sends back begins the loop anew; both are decided when an iteration begins, and only then (see `turnover`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from service.domain.calendar import Calendar, DateRange
from service.domain.template import Key, ParameterValue, Template


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
    """An iteration, begun or to come. `turns` is how many its phase has in this turn of the loop, as known now.
    `starts` and `ends` are aware instants on working days; `dates` are the calendar dates, weekends included."""

    number: int
    stage: Stage
    turns: int
    dates: DateRange
    starts: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Course:
    """Iterations by number, from 1 without a gap. `current` is the one that goes on, 0 before the first has begun."""

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
    ahead: int | None = None,
) -> Course:
    """The iterations begun, in order, and those to come.

    `coming` is what the next iteration is, where that was decided; else it follows from the last one begun.
    `coming_first` is its first day, where it does not follow the last one at once. `ahead` is how many iterations there
    are to be, counted from the current one (itself included; before the first, from the first); None: all that the
    template plans, and at least the current and the next one.

    Raises `InvalidInput` when an iteration cannot be placed on the calendar.
    """
    raise NotImplementedError(template, parameters, calendar, begun, coming, coming_first, ahead)


def following(template: Template, parameters: Mapping[str, ParameterValue], stage: Stage) -> Stage:
    """The stage after this one if nothing is decided: the same phase while it has planned iterations left, then the
    next phase, and after the last phase that phase again."""
    raise NotImplementedError(template, parameters, stage)


def next_phase(template: Template, stage: Stage) -> Stage:
    """The first iteration of the phase after this one; of the last phase, one more iteration of it."""
    raise NotImplementedError(template, stage)


def back_to(stage: Stage, phase: Key) -> Stage:
    """The first iteration of that phase in a new turn of the loop."""
    return Stage(phase, stage.loop + 1, 1)
