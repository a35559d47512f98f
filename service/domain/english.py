"""Numbers with their nouns, as English says them."""

from __future__ import annotations


def counted(count: int, noun: str, several: str = "") -> str:
    """So many of them: `1 entry`, `2 entries`. Where `several` is not given, it is the noun with an s."""
    return f"{count} {noun if count == 1 else several or f'{noun}s'}"


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th and so on."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
