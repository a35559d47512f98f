"""Texts as they are compared. Pure."""

from __future__ import annotations

import unicodedata


def fold(text: str) -> str:
    """A text for comparing: without case and accents, what joins words as blanks."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    kept = "".join(" " if char in "-_./+%=&?" else char for char in plain if not unicodedata.combining(char))
    return " ".join(kept.split())
