"""In which language a record is written, as far as that matters: whether its judging is measured in it. Pure."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

LONGEST = 20_000
"""So many characters of a record are looked at."""
_FEWEST, _CLEARLY = 6, 1.5
"""So many small words of another language tell it, and so many times those of any measured one."""
_MOSTLY = 0.3
_WORD = re.compile(r"[^\W\d_]+")
_OTHER_SCRIPTS = re.compile(
    "[\u0370-\u03ff\u0400-\u052f\u0590-\u05ff\u0600-\u06ff\u0900-\u0d7f\u0e00-\u0e7f\uac00-\ud7af]"
)
"""Greek, Cyrillic, Hebrew, Arabic, the scripts of India, Thai, Hangul."""

NAMES = "English, German, Spanish, French, Portuguese, Chinese and Japanese"
"""The languages in which the judging is measured, for people."""


def is_measured(text: str) -> bool:
    """Whether a plain text is in one of the languages whose judging is measured. A text that does not tell is taken to
    be."""
    letters = [one for one in text[:LONGEST] if one.isalpha()]
    if not letters:
        return True
    if sum(map(bool, map(_OTHER_SCRIPTS.match, letters))) > _MOSTLY * len(letters):
        return False
    spoken = Counter(_WORD.findall(text[:LONGEST].casefold()))
    ours, others = ({name: sum(spoken[one] for one in told) for name, told in each.items()} for each in _words())
    most = max(others.values())
    return most < _FEWEST or most < _CLEARLY * max(ours.values())


@lru_cache(maxsize=1)
def _words() -> tuple[Mapping[str, frozenset[str]], Mapping[str, frozenset[str]]]:
    """The small words of the measured languages and of others, by language."""
    text = files("service.domain.audit").joinpath("languages.toml").read_text(encoding="utf-8")
    measured, other = (
        {name: frozenset(told.split()) for name, told in tomllib.loads(text)[table].items()}
        for table in ("measured", "other")
    )
    return measured, other
