"""The iterations of a project along its phases, as a picture and as the table that says the same. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from service.domain.english import counted
from service.pages.moments import days, points
from service.pages.signs import Sign
from service.views.course import CourseView, IterationLine

MOST = 12
"""Iterations in the picture; of more, those around the current one. The table has all."""

_LATER = Sign("pending", "pending", "Later")


@dataclass(frozen=True, slots=True)
class Cell:
    """One iteration in the picture, in percent of its width."""

    x: float
    width: float
    look: str
    number: int
    amount: str
    sign: Sign
    begins: str


@dataclass(frozen=True, slots=True)
class Span:
    """A phase above its iterations."""

    x: float
    width: float
    title: str


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """One iteration in the table."""

    number: int
    phase: str
    when: str
    amount: str
    sign: Sign


@dataclass(frozen=True, slots=True)
class Timeline:
    """The picture and the table; `said` is the picture in words, `today` where today is in it, None outside."""

    said: str
    spans: tuple[Span, ...]
    cells: tuple[Cell, ...]
    today: float | None
    rows: tuple[TimelineRow, ...]


def timeline(course: CourseView, records: Mapping[int, Sign], today: date) -> Timeline:
    """The course; `records` say how each iteration's documentation stands."""
    shown = _window(course.iterations, course.current)
    titles = dict(course.phases)
    each = 100 / max(1, len(shown))
    cells = tuple(
        Cell(
            x=round(number * each, 3),
            width=round(each - 0.5, 3),
            look={"closed": "b3", "open": "b1"}.get(one.state, "b2"),
            number=one.number,
            amount=_amount(one),
            sign=_sign(one, records),
            begins=f"{one.first.day} {one.first:%b}",
        )
        for number, one in enumerate(shown)
    )
    return Timeline(
        said=_said(course, titles),
        spans=tuple(_spans(shown, titles, each)),
        cells=cells,
        today=_today(shown, course.current, each, today),
        rows=tuple(
            TimelineRow(
                one.number,
                titles.get(one.phase, one.phase),
                days(one.first, one.last, today.year),
                _amount(one),
                _sign(one, records),
            )
            for one in course.iterations
        ),
    )


def _window(iterations: Sequence[IterationLine], current: int) -> Sequence[IterationLine]:
    if len(iterations) <= MOST:
        return iterations
    begin = min(max(0, current - MOST // 2), len(iterations) - MOST)
    return iterations[begin : begin + MOST]


def _amount(one: IterationLine) -> str:
    if not one.tickets:
        return "\N{EN DASH}"
    if one.state == "to come":
        return points(one.points)
    return f"{points(one.done)} of {points(one.points)}"


def _sign(one: IterationLine, records: Mapping[int, Sign]) -> Sign:
    if one.state == "to come":
        return _LATER
    return records.get(one.number, Sign("neutral", "neutral", "Not checked"))


def _spans(shown: Sequence[IterationLine], titles: Mapping[str, str], each: float) -> list[Span]:
    found, number = [], 0
    for phase, members in groupby(shown, key=lambda one: one.phase):
        size = len(list(members))
        found.append(Span(round(number * each, 3), round(size * each - 0.5, 3), titles.get(phase, phase)))
        number += size
    return found


def _today(shown: Sequence[IterationLine], current: int, each: float, today: date) -> float | None:
    """Where today is: in the current iteration, also before its first day and after its last."""
    for number, one in enumerate(shown):
        if (one.number == current and one.state == "open") or (
            one.first <= today <= one.last and all(each.number != current or each.state != "open" for each in shown)
        ):
            share = (today - one.first).days / max(1, (one.last - one.first).days)
            return round((number + min(1.0, max(0.0, share))) * each, 2)
    return None


def _said(course: CourseView, titles: Mapping[str, str]) -> str:
    number = counted(len(course.iterations), "iteration")
    phases = counted(len({one.phase for one in course.iterations}), "phase")
    current = next((one for one in course.iterations if one.number == course.current), None)
    if current is None:
        return f"{number} in {phases}, none of which has begun; the table below says the same."
    phase = titles.get(current.phase, current.phase)
    return f"{number} in {phases}. Iteration {current.number}, of {phase}, is current; the table below says the same."
