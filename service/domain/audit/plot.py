"""A measure over the iterations as a picture (SVG) and as the table beside it. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from markupsafe import Markup

from service.domain.audit.metrics import Point, Series
from service.domain.audit.shown import visible

WIDTH, HEIGHT = 640, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 72, 16, 16, 40
_MOST_TICKS = 12


def svg(series: Series) -> Markup:
    """The picture as one `svg` element that needs nothing else: text of people escaped, drawn in the colour of the text
    around it (so in light and dark), with a title and a description for those who do not see it. The values are
    drawn as a line, targets as a dashed one. Values that are no finite number are left out; nothing to draw gives a
    picture that says so."""
    points = _drawn(series)
    name = f"plot-{sha256(series.name.encode(errors='replace')).hexdigest()[:12]}"
    inside = _graph(points) if points else _words(WIDTH / 2, HEIGHT / 2, "No values.", "middle")
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        'aria-labelledby="{name}-title {name}-desc" fill="none" stroke="currentColor" font-family="sans-serif" '
        'font-size="12"><title id="{name}-title">{title}</title><desc id="{name}-desc">{told}</desc>{inside}</svg>'
    ).format(
        width=WIDTH,
        height=HEIGHT,
        name=name,
        title=_titled(series),
        told=visible(_told(series, points)),
        inside=inside,
    )


def rows(series: Series) -> Sequence[tuple[int, str, str]]:
    """The table beside the picture: iteration, value and target as people write them, with the unit, in the order of
    the iterations; an empty target where nobody said one."""
    return [
        (
            one.iteration,
            with_unit(one.value, series.unit),
            with_unit(one.target, series.unit) if one.target is not None else "",
        )
        for one in sorted(series.points, key=lambda one: one.iteration)
    ]


def with_unit(value: float, unit: str) -> str:
    """A number as people write it, with its unit: `0.91`, `91%`, `120 ms`."""
    said = f"{value:.6g}"
    if not unit:
        return said
    return f"{said}{unit}" if unit == "%" else f"{said} {unit}"


def _drawn(series: Series) -> list[Point]:
    """The points that can be drawn, by iteration; a target that is no number is as none."""
    found = [
        one if one.target is None or math.isfinite(one.target) else replace(one, target=None)
        for one in series.points
        if math.isfinite(one.value)
    ]
    return sorted(found, key=lambda one: one.iteration)


def _titled(series: Series) -> str:
    return visible(f"{series.name} by iteration" + (f", in {series.unit}" if series.unit else ""))


def _told(series: Series, points: Sequence[Point]) -> str:
    """What the picture shows, in words: from where to where, its least and its greatest."""
    if not points:
        return "There are no values to draw."
    first, last = points[0], points[-1]
    if len(points) == 1:
        return f"One value, {with_unit(first.value, series.unit)} in iteration {first.iteration}."
    least, most = min(points, key=lambda one: one.value), max(points, key=lambda one: one.value)
    return (
        f"From {with_unit(first.value, series.unit)} in iteration {first.iteration} to "
        f"{with_unit(last.value, series.unit)} in iteration {last.iteration}; least "
        f"{with_unit(least.value, series.unit)} in iteration {least.iteration}, most "
        f"{with_unit(most.value, series.unit)} in iteration {most.iteration}. All values are in the table."
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    """From what is drawn (`low` to `high`) to where on the picture (`start` to `end`)."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        # Halves first: the difference of two great numbers of either sign is more than a number can be.
        share = (value / 2 - self.low / 2) / (self.high / 2 - self.low / 2)
        return round(self.start + share * (self.end - self.start), 1)


def _graph(points: Sequence[Point]) -> Markup:
    values = [one.value for one in points] + [one.target for one in points if one.target is not None]
    ticks = _ticks(min(values), max(values))
    across = _Scale(*_apart(points[0].iteration, points[-1].iteration), _LEFT + 12, WIDTH - _RIGHT - 12)
    down = _Scale(ticks[0], ticks[-1], HEIGHT - _BOTTOM, _TOP)
    targets = [(across.at(one.iteration), down.at(one.target)) for one in points if one.target is not None]
    places = [(across.at(one.iteration), down.at(one.value)) for one in points]
    return Markup("").join(
        [
            *(_level(tick, down.at(tick)) for tick in ticks),
            *_columns(points, across),
            _line(targets, "6 4") if targets else Markup(),
            _line(places, ""),
            *(Markup('<circle cx="{}" cy="{}" r="3.5" fill="currentColor"/>').format(x, y) for x, y in places),
        ]
    )


def _apart(low: float, high: float) -> tuple[float, float]:
    return (low, high) if high > low else (low - 1, low + 1)


def _ticks(low: float, high: float) -> list[float]:
    """Three to six round numbers from below the least to above the greatest; just these two where none are between."""
    span = high / 2 - low / 2
    if span <= max(abs(low), abs(high)) * 1e-9:
        margin = abs(low) / 10 or 1.0
        low, high, span = low - margin, high + margin, margin
    if not math.isfinite(low) or not math.isfinite(high) or span > 1e300 or span < 1e-300:
        return [low, high] if math.isfinite(low) and math.isfinite(high) else [-1.7e308, 1.7e308]
    step = 10 ** math.floor(math.log10(span / 2))
    step *= next((by for by in (1, 2, 5, 10) if span * 2 / (step * by) <= 5), 10)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [one * step for one in range(first, max(last, first + 1) + 1)]


def _level(tick: float, y: float) -> Markup:
    line = Markup('<line x1="{}" y1="{}" x2="{}" y2="{}" stroke-opacity="0.25"/>').format(_LEFT, y, WIDTH - _RIGHT, y)
    return line + _words(_LEFT - 8, y + 4, f"{tick:.6g}", "end")


def _columns(points: Sequence[Point], across: _Scale) -> list[Markup]:
    """The numbers of iterations under the picture, no more of them than there is room for."""
    numbers = sorted({one.iteration for one in points})
    step = math.ceil(len(numbers) / _MOST_TICKS)
    named = [_words(across.at(number), HEIGHT - _BOTTOM + 18, str(number), "middle") for number in numbers[::step]]
    return [*named, _words((_LEFT + WIDTH - _RIGHT) / 2, HEIGHT - 6, "iteration", "middle")]


def _line(places: Sequence[tuple[float, float]], dashes: str) -> Markup:
    dashed = Markup(' stroke-dasharray="{}"').format(dashes) if dashes else Markup()
    drawn = " ".join(f"{x},{y}" for x, y in places)
    return Markup('<polyline points="{}" stroke-width="2"{}/>').format(drawn, dashed)


def _words(x: float, y: float, text: str, anchor: str) -> Markup:
    return Markup('<text x="{}" y="{}" text-anchor="{}" fill="currentColor" stroke="none">{}</text>').format(
        x, y, anchor, text
    )
