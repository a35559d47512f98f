"""The names of measures that a project uses besides those that everybody knows: learned from tables with a column for
them, in what phaseloop filled in from the tracking server, in the record before, and in the record itself. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from service.domain.audit.cells import filled_rows
from service.domain.audit.numbers import names
from service.domain.audit.phrases import BASELINE, NO_MEASURE, TARGET
from service.domain.audit.prose import fold
from service.domain.audit.sections import body_of, parse
from service.domain.audit.subject import Subject

_LONGEST, _SHORTEST, _MOST = 40, 3, 50
_IN_WORDS = re.compile(r"(?m)^- \*\*([^*\n]{1,80})\*\* \(taken as better")
"""How a metric of the tracking server is told where a record has no form for it."""


def learned(subject: Subject) -> re.Pattern[str] | None:
    """What finds these names in a folded text, the longer ones first; None if there are none."""
    document = subject.record.document
    texts = (*subject.filled, subject.template, subject.former, document.text if document is not None else "")
    found = {name for text in texts if text for name in _names_in(text) if _is_new(name)}
    chosen = sorted(found, key=lambda one: (-len(one), one))[:_MOST]
    return re.compile(rf"(?<![\w.-])(?:{'|'.join(map(re.escape, chosen))})(?![\w-])") if chosen else None


def taught_by_runs(subject: Subject) -> re.Pattern[str] | None:
    """What finds the measures that the tracking server told of, which are of models for sure."""
    return learned(replace(subject, template="", former="", record=replace(subject.record, document=None)))


@lru_cache(maxsize=128)
def _names_in(text: str) -> tuple[str, ...]:
    return tuple(_told(text))


def _told(text: str) -> Iterator[str]:
    for row in filled_rows(body_of("", "", parse(text)), "measure", "value"):
        yield " ".join(fold(row["measure"]).split())
    for found in _IN_WORDS.finditer(text):
        yield " ".join(fold(found[1].replace("\\", "")).split())


def _is_new(name: str) -> bool:
    """Whether it is a name of a measure, and none that is known anyway."""
    if not _SHORTEST <= len(name) <= _LONGEST or not any(map(str.isalpha, name)):
        return False
    return not (any(True for _ in names(name)) or any(one.first(name) for one in (NO_MEASURE, TARGET, BASELINE)))
