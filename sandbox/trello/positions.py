"""Positions: numbers that put lists, cards, checklists and items in order, and the words for both ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from sandbox.trello.errors import invalid

STEP = 16384.0
WIDE_STEP = 65536.0
_CLOSEST = 0.01


class Placed(Protocol):
    """Something with a position."""

    pos: float


def resolve(value: Any, others: Iterable[float], *, default: str = "bottom", step: float = WIDE_STEP) -> float:
    """The number that ``top``, ``bottom`` or a positive number means among the positions of the others.

    ``top`` is half of the lowest, ``bottom`` a step above the highest, a number is kept as it is.
    """
    word = default if value is None or value == "" else value
    taken = list(others)
    if word == "bottom":
        return max(taken, default=0.0) + step
    if word == "top":
        return min(taken) / 2 if taken else step
    try:
        number = float(word)
    except (TypeError, ValueError):
        raise invalid("pos") from None
    if isinstance(value, bool) or not 0 <= number < 2**53:
        raise invalid("pos")
    return number


def spread(placed: Sequence[Placed], step: float = WIDE_STEP) -> None:
    """Give the things, which are in order, round positions again once halving has brought them too close together."""
    if placed and placed[0].pos < _CLOSEST:
        for number, thing in enumerate(placed, 1):
            thing.pos = number * step


def plain(pos: float) -> float | int:
    """A position as JSON: whole numbers without a point."""
    return int(pos) if float(pos).is_integer() else pos
