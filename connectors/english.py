"""Numbers with their nouns, as English says them: for every message to people, whoever writes it."""

from __future__ import annotations


def counted(count: float, noun: str, several: str = "") -> str:
    """So many of them: `1 entry`, `2 entries`, `0.5 points`. Where `several` is not given, it is the noun with an s."""
    number = f"{count:g}" if isinstance(count, float) else f"{count}"
    return f"{number} {noun if count == 1 else several or f'{noun}s'}"
