"""Results that are kept in memory, but not those of huge texts."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Concatenate, ParamSpec, TypeVar

LONGEST = 50_000
"""The most characters of a text whose result is kept."""

Also = ParamSpec("Also")
Found = TypeVar("Found")
OfText = Callable[Concatenate[str, Also], Found]


def remembered(most: int) -> Callable[[OfText[Also, Found]], OfText[Also, Found]]:
    """A pure function of a text (and of hashable values after it) keeps so many results, the last ones asked for. What
    it says of a text longer than LONGEST is worked out each time."""

    def of(function: OfText[Also, Found]) -> OfText[Also, Found]:
        kept: Callable[..., Found] = lru_cache(maxsize=most)(function)

        @wraps(function)
        def ask(text: str, /, *also: Also.args, **named: Also.kwargs) -> Found:
            return (kept if len(text) <= LONGEST else function)(text, *also, **named)

        return ask

    return of
