"""The current iteration over its days, as a picture and as the table that says the same: what is planned and done, as
far as anybody knows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from connectors.values import Finding
from service.context import Context
from service.domain.english import counted
from service.domain.loop.burn_up import BurnUp
from service.domain.loop.figures import Sum
from service.pages.moments import Moment, day, moment, points
from service.pages.remedies import on_pages
from service.usecases.loop import burn_up
from service.usecases.setup import connections, projects
from service.views.setup import ProjectView

_LEFT, _RIGHT = 8.0, 99.0
_TOP, _FOOT = 14.0, 128.0
_LABELS = 5
"""Days that are named under the picture, at most."""


@dataclass(frozen=True, slots=True)
class Level:
    """A line across with its number; pixels from above."""

    y: float
    text: str


@dataclass(frozen=True, slots=True)
class DayBar:
    """What was done by the end of a day. Across in percent, down in pixels; of a day that nobody knows anything of
    there is no bar."""

    x: float
    width: float
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class BurnUpPicture:
    """`planned` and `present` are how far down these are, `present` None where it is the same or not known. `until` is
    how far across things are known."""

    levels: tuple[Level, ...]
    bars: tuple[DayBar, ...]
    labels: tuple[tuple[float, str], ...]
    planned: float
    present: float | None
    until: float
    unit: str


@dataclass(frozen=True, slots=True)
class BurnUpShown:
    """The picture with its table. `said` is what it shows, `notes` what is not in it and why; `until` is the last
    instant that is known of. `rows` are day and done; what is not known is said."""

    number: int
    said: str
    notes: tuple[str, ...]
    until: Moment | None
    picture: BurnUpPicture
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class BurnUpPage:
    """The current iteration as the tracker shows it at this moment."""

    id: str
    key: str
    name: str
    tracker: str
    shown: BurnUpShown
    findings: tuple[tuple[str, str], ...]


def recorded_of(context: Context, project: ProjectView, tracker: str) -> BurnUpShown | None:
    """The current iteration of a project by our records; None where there is none."""
    found = burn_up.recorded(context, project.id)
    return shown(found, project.time_zone, context.now(), tracker) if found is not None else None


def page_of(context: Context, name: str) -> BurnUpPage:
    """The same by a look at the tracker. Raises as `burn_up.looked_at` does."""
    found, findings = burn_up.looked_at(context, name)
    project = projects.going_on(context, name)
    tracker = connections.kind_title(context, project.connection_id)
    return BurnUpPage(
        id=project.id,
        key=project.key,
        name=project.name,
        tracker=tracker,
        shown=shown(found, project.time_zone, context.now(), tracker),
        findings=tuple(_told(one) for one in findings),
    )


def shown(found: BurnUp, zone: str, now: datetime, tracker: str) -> BurnUpShown:
    """The picture with its table. Points are drawn or, where no ticket has any, tickets."""
    by_points = bool(found.planned.points or found.present.points)
    return BurnUpShown(
        number=found.number,
        said=_said(found),
        notes=tuple(_notes(found, tracker)),
        until=moment(found.until, zone, now) if found.until is not None else None,
        picture=_picture(found, now.year, by_points=by_points),
        rows=tuple(_rows(found, now.year)),
    )


def _told(one: Finding) -> tuple[str, str]:
    return on_pages(one.message), on_pages(one.fix)


def _amount(one: Sum) -> str:
    return f"{counted(one.tickets, 'ticket')}, {points(one.points)} {'point' if one.points == 1 else 'points'}"


def _said(found: BurnUp) -> str:
    planned = f"Planned at the beginning: {_amount(found.planned)}."
    if found.until is None:
        return planned
    return f"{planned} In it now: {_amount(found.present)}; done: {_amount(found.done)}."


def _notes(found: BurnUp, tracker: str) -> Iterator[str]:
    if found.until is None:
        yield (
            f"Nobody has read {tracker} for it since it began, so nothing is known of what is done. Where {tracker} "
            "tells of changes by a webhook, that is seen here."
        )
        return
    if found.undated.tickets:
        verb = "is" if found.undated.tickets == 1 else "are"
        yield (
            f"{counted(found.undated.tickets, 'ticket')} {verb} done on a day that {tracker} does not tell: in the sum "
            "above, and on no day below."
        )
    if found.planned != found.present:
        yield "On which days tickets came into it or left it is not kept, so there is no line of that."


def _picture(found: BurnUp, year: int, *, by_points: bool) -> BurnUpPicture:
    def size(one: Sum) -> float:
        return one.points if by_points else float(one.tickets)

    levels = _levels(max(size(found.planned), size(found.present), size(found.done), 1.0))
    across = (_RIGHT - _LEFT) / len(found.days)

    def down(value: float) -> float:
        return round(_FOOT - value / levels[-1] * (_FOOT - _TOP), 1)

    known = {one.day: down(size(one.done)) for one in found.known}
    known_to = _LEFT + across * len(known)
    return BurnUpPicture(
        levels=tuple(Level(down(one), f"{one:g}") for one in levels),
        bars=tuple(
            DayBar(round(_LEFT + across * n, 3), round(across, 3), known[one], round(_FOOT - known[one], 1))
            for n, one in enumerate(found.days)
            if one in known
        ),
        labels=tuple(_labels(found.days, across, year)),
        planned=down(size(found.planned)),
        present=down(size(found.present)) if found.until is not None and found.present != found.planned else None,
        until=round(known_to, 3),
        unit="points" if by_points else "tickets",
    )


def _levels(most: float) -> list[float]:
    """Three to six round numbers from 0 to above the most."""
    step = 10 ** math.floor(math.log10(most))
    step = next(by * step for by in (0.2, 0.5, 1, 2) if most / (by * step) <= 5)
    step = max(step, 1.0)
    return [step * n for n in range(max(2, math.ceil(most / step) + 1))]


def _labels(days: Sequence[date], across: float, year: int) -> Iterator[tuple[float, str]]:
    every = math.ceil(len(days) / _LABELS)
    for n, one in enumerate(days):
        if n % every == 0:
            yield round(_LEFT + across * n, 3), day(one, year).partition(" ")[2]


def _rows(found: BurnUp, year: int) -> Iterator[tuple[str, str]]:
    known = {one.day: one.done for one in found.known}
    for one in found.days:
        yield day(one, year), _amount(known[one]) if one in known else "not known"
