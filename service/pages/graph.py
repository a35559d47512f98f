"""What waits for what, laid out as a picture: boxes in rows, what is waited for above what waits, few crossings. Pure.

A row is as far down as the longest way to it is; an arrow that passes a row has a place of its own in it. Places within
rows follow the middle of what a box is joined with, a few times down and up. An arrow that follows from others is left
out, for the picture has to be read; whoever shows it has a table with all of them beside it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

WIDE, HIGH = 176, 50
_APART, _BELOW = 16, 30
_MARGIN = 8
_LANE = 20
"""Pixels across that an arrow takes where it passes a row."""

_LETTERS = 27
"""Letters that a line of a box has room for."""

_SWEEPS = 8

_SHELF = 640
"""Pixels up to which parts that are not joined stand beside each other."""


@dataclass(frozen=True, slots=True)
class Node:
    """What a box stands for: `more` is its last line; what is `outside` is there for its arrows."""

    key: str
    title: str
    more: str
    href: str
    outside: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    """A box in the picture, with its lines cut to what it has room for; `title` is the whole of it."""

    x: float
    y: float
    look: str
    lines: tuple[tuple[float, str], ...]
    more: str
    title: str
    href: str


@dataclass(frozen=True, slots=True)
class Picture:
    """The picture in pixels. An arrow is the path of a line with its heads, and whether it leads up, in a circle."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    arrows: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class _Arrow:
    """A way from a box to one below it, by the keys of what it joins in each row, and at which ends it has heads."""

    chain: tuple[str, ...]
    down: bool
    up: bool


def picture(nodes: Sequence[Node], waits: Mapping[str, Iterable[str]]) -> Picture:
    """The picture of these, where each key of `waits` waits for its values; what is no node is left out. What is not
    joined stands apart: beside the rest where there is room for it, else below."""
    known = {one.key: one for one in nodes}
    after = {key: [one for one in waits.get(key, ()) if one in known and one != key] for key in known}
    boxes: list[Box] = []
    arrows: list[tuple[str, bool]] = []
    left = top = right = bottom = 0.0
    for group in _groups(after):
        part = _Part({key: after[key] for key in known if key in group})
        if left and left + part.width > _SHELF:
            left, top = 0.0, bottom
        boxes += [_box(known[key], part.x[key] + left - WIDE / 2, part.y(key) + top) for key in known if key in group]
        arrows += [(part.line(one, left, top), one.up and not one.down) for one in part.arrows]
        left += part.width
        right, bottom = max(right, left), max(bottom, top + part.height)
    return Picture(round(right + _MARGIN), bottom, tuple(boxes), tuple(arrows))


def _groups(after: Mapping[str, Sequence[str]]) -> list[set[str]]:
    """What is joined with each other, in the order given; what is joined with nothing comes last."""
    group = {key: {key} for key in after}
    for key, of in after.items():
        for one in of:
            if group[key] is not group[one]:
                group[key] |= group[one]
                for each in group[one]:
                    group[each] = group[key]
    found = list({id(one): one for one in group.values()}.values())
    return sorted(found, key=lambda one: len(one) == 1)


def _apart(after: Mapping[str, Sequence[str]]) -> tuple[dict[str, list[str]], list[tuple[str, str]]]:
    """What each waits for without what would close a circle, and what was left out, as (waited for, waiting). Whatever
    waits for something that stands before it counts first."""
    down: dict[str, list[str]] = {key: [] for key in after}
    back: list[tuple[str, str]] = []
    place = {key: number for number, key in enumerate(after)}
    arrows = [(one, key) for key, of in after.items() for one in of]
    for one, key in sorted(arrows, key=lambda arrow: place[arrow[0]] > place[arrow[1]]):
        if key in _before(down, one):
            back.append((one, key))
        else:
            down[key].append(one)
    return down, back


def _before(down: Mapping[str, Sequence[str]], key: str) -> set[str]:
    """All that comes before that, near and far, itself included."""
    found, open_ = {key}, [key]
    while open_:
        new = [one for one in down[open_.pop()] if one not in found]
        found.update(new)
        open_ += new
    return found


def _depths(down: Mapping[str, Sequence[str]]) -> dict[str, int]:
    depth: dict[str, int] = {}
    open_ = list(down)
    while open_:
        key = open_[-1]
        unknown = [one for one in down[key] if one not in depth]
        if unknown and key not in depth:
            open_ += unknown
            continue
        depth[open_.pop()] = max((depth[one] + 1 for one in down[key]), default=0)
    return depth


def _needed(down: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """The arrows that do not follow from others."""
    far = {key: _before(down, key) for key in down}
    return [
        (one, key)
        for key, of in down.items()
        for one in of
        if not any(one in far[other] for other in of if other != one)
    ]


def _arrows(
    down: Mapping[str, Sequence[str]], back: Sequence[tuple[str, str]], depth: Mapping[str, int]
) -> list[_Arrow]:
    """Each arrow with a place in every row that it passes; one that leads up again is laid as if it led down, and two
    things that wait for each other have one with two heads."""
    led = set(_needed(down)) | {(key, one) for one, key in back if key in down[one]}
    ways = {**dict.fromkeys(led, True), **{(key, one): (key, one) in led for one, key in back}}
    upward = {(key, one) for one, key in back}
    return [
        _Arrow(
            (one, *(f"{one} {key} {row}" for row in range(depth[one] + 1, depth[key])), key),  # no key has a blank
            down=goes_down,
            up=(one, key) in upward,
        )
        for (one, key), goes_down in sorted(ways.items(), key=lambda way: list(down).index(way[0][1]))
    ]


class _Part:
    """What is joined with each other, laid out: the place of everything across, by its key."""

    def __init__(self, after: Mapping[str, Sequence[str]]) -> None:
        down, back = _apart(after)
        self.depth = _depths(down)
        self.arrows = _arrows(down, back, self.depth)
        self.rows: list[list[str]] = [[] for _ in range(max(self.depth.values()) + 1)]
        self.x: dict[str, float] = {}
        self._above: dict[str, list[str]] = {}
        self._below: dict[str, list[str]] = {}
        for key in after:
            self.rows[self.depth[key]].append(key)
        for arrow in self.arrows:
            self._join(arrow.chain)
        self._settle()
        edges = [(self.x[key] - _width(key) / 2, self.x[key] + _width(key) / 2) for key in self.x]
        least = min(low for low, _high in edges)
        self.x = {key: at + _MARGIN - least for key, at in self.x.items()}
        self.width = max(high for _low, high in edges) - least + _APART
        self.height = _MARGIN + len(self.rows) * (HIGH + _BELOW)

    def y(self, key: str) -> float:
        """How far down the top of a box is."""
        return _MARGIN + self.depth[key] * (HIGH + _BELOW)

    def line(self, arrow: _Arrow, left: float, top: float) -> str:
        """The path of an arrow with its heads."""
        first, last = arrow.chain[0], arrow.chain[-1]
        x, y = self.x[first] + left, self.y(first) + HIGH + top
        path = f"M{x:.0f} {y:.0f}"
        heads = f"M{x - 4:.0f} {y + 6:.0f}L{x:.0f} {y:.0f}L{x + 4:.0f} {y + 6:.0f}" if arrow.up else ""
        for key in arrow.chain[1:]:
            to, end = self.x[key] + left, self.y(key) + top
            path += f"C{x:.0f} {(y + end) / 2:.0f} {to:.0f} {(y + end) / 2:.0f} {to:.0f} {end:.0f}"
            x, y = to, end + HIGH
            if key != last:
                path += f"V{y:.0f}"
        if arrow.down:
            end = self.y(last) + top
            heads += f"M{x - 4:.0f} {end - 6:.0f}L{x:.0f} {end:.0f}L{x + 4:.0f} {end - 6:.0f}"
        return path + heads

    def _join(self, chain: Sequence[str]) -> None:
        for step, (one, key) in enumerate(pairwise(chain), start=self.depth[chain[0]] + 1):
            self._below.setdefault(one, []).append(key)
            self._above.setdefault(key, []).append(one)
            if key not in self.depth:
                self.depth[key] = step
                self.rows[step].append(key)

    def _settle(self) -> None:
        """Order the rows and give everything its place across."""
        for row in self.rows:
            self._place(row, {})
        for sweep in range(_SWEEPS):
            joined = self._above if sweep % 2 == 0 else self._below
            for row in self.rows if sweep % 2 == 0 else self.rows[::-1]:
                middle = {key: self._middle(joined.get(key, ()), self.x[key]) for key in row}
                row.sort(key=middle.__getitem__)  # stable: what is level stays in the order of the template
                self._place(row, middle)

    def _middle(self, joined: Sequence[str], own: float) -> float:
        return sum(self.x[one] for one in joined) / len(joined) if joined else own

    def _place(self, row: Sequence[str], wanted: Mapping[str, float]) -> None:
        """Put a row's boxes as near to where they are wanted as their widths allow: what is too near is moved to the
        right, and then all of them back by what that moved them on the whole."""
        edge: float | None = None
        moved = 0.0
        for key in row:
            half = _width(key) / 2
            least = edge + half if edge is not None else None
            at = wanted.get(key, least or 0.0)
            self.x[key] = at if least is None else max(at, least)
            moved += self.x[key] - at
            edge = self.x[key] + half + _APART
        for key in row:
            self.x[key] -= moved / len(row)


def _width(key: str) -> float:
    return _LANE if " " in key else WIDE


def _box(one: Node, x: float, y: float) -> Box:
    lines = textwrap.wrap(one.title, _LETTERS, max_lines=2, placeholder=" …", break_on_hyphens=False) or [""]
    first = y + (20 if len(lines) == 1 else 15)
    return Box(
        x=round(x),
        y=y,
        look="b3" if one.outside else "b2",
        lines=tuple((first + 13 * place, line) for place, line in enumerate(lines)),
        more=one.more,
        title=one.title,
        href=one.href,
    )
