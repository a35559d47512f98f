"""Numbers with their nouns, as English says them."""

from __future__ import annotations

from connectors.english import counted

__all__ = ["counted", "ordinal", "sentence"]


def sentence(text: str) -> str:
    """The text with a capital at its beginning; what follows stays as it is written."""
    return text[:1].upper() + text[1:]


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th and so on."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
