"""The phrases of `vocabulary.toml`: what a text speaks of, besides numbers and names. Data, read once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

from service.domain.audit.prose import Phrases

LANGUAGES = ("en", "de", "es", "fr", "pt", "zh", "ja")
"""The languages that the corpus measures; records in others are judged by structure, numbers and links."""


@lru_cache(maxsize=1)
def vocabulary() -> Mapping[str, Phrases]:
    """The phrases of every table by its name, all languages together: a record may mix them."""
    text = files("service.domain.audit").joinpath("vocabulary.toml").read_text(encoding="utf-8")
    return {
        name: Phrases(*("|".join(phrases) for phrases in by_language.values()))
        for name, by_language in tomllib.loads(text).items()
    }


def speaks_of(name: str, folded: str) -> int:
    """How many phrases of a table a folded text has."""
    return sum(1 for _ in vocabulary()[name].all(folded))
