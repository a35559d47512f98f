"""Words that stand for nothing: what people write where any word would do, and keys that lie side by side. Pure."""

from __future__ import annotations

import re

from service.domain.audit.phrases import COMMON, STAND_IN
from service.domain.audit.prose import fold

_ROWS = tuple(
    way
    for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "yxcvbnm", "azertyuiop", "qsdfghjklm", "wxcvbn")
    for way in (row, row[::-1])
)
"""The keys of the usual keyboards, in both directions."""
_SHORTEST = 4
"""So many keys side by side are no word of any language."""
_LETTERS = re.compile(r"[^\W\d_]{3,}")
_MANY, _SHARE = 2, 3
"""So many different ones, or one in so many words, and the text says nothing."""
_BESIDE = ("bar", "thing", "stuff")
"""Words that stand for nothing beside those that always do."""
_NAMED = 3
"""So many of them are quoted."""


def fillers_in(text: str) -> list[str]:
    """The different words of a plain text that stand for nothing, in order; empty where they are few beside what it
    says otherwise."""
    said = [one for one in _LETTERS.findall(fold(text)) if one not in COMMON]
    found = dict.fromkeys(one for one in said if _is_filler(one))
    if found:
        found |= dict.fromkeys(one for one in said if one in _BESIDE)
    often = sum(one in found for one in said)
    return list(found) if len(found) >= _MANY or (found and often * _SHARE >= len(said)) else []


def filled(text: str) -> str:
    """Why a text cannot answer anything, as a sentence; empty where its words are words."""
    found = ", ".join(f'"{one}"' for one in fillers_in(text)[:_NAMED])
    return f"It has words that stand for nothing: {found}." if found else ""


def _is_filler(word: str) -> bool:
    return STAND_IN.first(word) is not None or (len(word) >= _SHORTEST and any(word in row for row in _ROWS))
