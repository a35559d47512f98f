"""Whether a text is copied from what phaseloop tells people: its documentation, what findings say to write. It is known
from `told.txt` (`make told`). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib.resources import files

from service.domain.audit.prose import sentences, words
from service.domain.audit.sections import Section

_RUN = 5
"""So many words in a row are known again."""
_FEWEST = 7
"""The fewest words of a sentence that can be a copy: shorter ones are alike by chance."""
_COPIED = 0.7
"""From this share of its runs on, a sentence is copied."""
_MOSTLY = 0.6
"""From this share of its words on, a section says nothing of its own."""


def is_long(sentence: str) -> bool:
    """Whether a sentence is long enough to be known again."""
    return len(words(sentence)) >= _FEWEST


def copied_in(section: Section) -> tuple[str, ...]:
    """The sentences of a section that are phaseloop's, as plain text."""
    return tuple(one for one in _said(section) if _is_copied(words(one)))


def is_copied(section: Section) -> bool:
    """Whether most of a section is phaseloop's."""
    told = [words(one) for one in _said(section)]
    whole, copied = sum(map(len, told)), sum(len(one) for one in told if _is_copied(one))
    return copied > 0 and copied >= _MOSTLY * whole


def _said(section: Section) -> Iterator[str]:
    for line in section.lines:
        yield from (part for cell in line.split(" | ") for part in sentences(cell))


def _is_copied(said: list[str]) -> bool:
    if len(said) < _FEWEST:
        return False
    runs = list(_runs(said))
    return sum(one in _told() for one in runs) >= _COPIED * len(runs)


def _runs(said: list[str]) -> Iterable[tuple[str, ...]]:
    return (tuple(said[n : n + _RUN]) for n in range(len(said) - _RUN + 1))


@lru_cache(maxsize=1)
def _told() -> frozenset[tuple[str, ...]]:
    text = files("service.domain.audit").joinpath("told.txt").read_text(encoding="utf-8")
    return frozenset(run for line in text.splitlines() for run in _runs(words(line)))
