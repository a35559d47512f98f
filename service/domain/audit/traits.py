"""What a text shows, as numbers: which concrete things are in it, what it speaks of, and what the rules read in it.
With what an encoder makes of its words, this is what the second opinion rests on. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType
from typing import Final

from service.domain.audit import numbers, phrases
from service.domain.audit.datasets import dataset_in
from service.domain.audit.decisions import decisions_in
from service.domain.audit.metrics import Metric, metrics_in
from service.domain.audit.numbers import DATE, HASH, SPAN, VERSION
from service.domain.audit.placeholders import is_placeholder
from service.domain.audit.prose import Phrases, count, fold, plain
from service.domain.audit.rows import rows_of
from service.domain.audit.sections import Section, parse, sections_from
from service.domain.audit.subject import SectionRule
from service.domain.audit.tickets import TICKET
from service.domain.audit.vocabulary import speaks_of, vocabulary

_ACTS: Final[Mapping[str, Phrases]] = {
    "reason": phrases.REASON,
    "alternative": phrases.ALTERNATIVE,
    "preference": phrases.PREFERENCE,
    "kept": phrases.KEPT,
    "versus": phrases.VERSUS,
    "compared": phrases.COMPARED,
    "target": phrases.TARGET,
    "window": phrases.WINDOW,
    "dropped": phrases.DROPPED,
    "data noun": phrases.DATA_NOUN,
    "baseline": phrases.BASELINE,
    "moved": phrases.MOVED,
    "no model": phrases.NO_MODEL,
    "no experiments": phrases.NO_EXPERIMENTS,
    "no decision": phrases.NO_DECISION,
    "none known": phrases.NONE_KNOWN,
}
_SHORT, _MANY_NUMBERS = 4, 4
_ADDRESS = re.compile(r"(?:https?|s3|gs|abfss?|hdfs)://")
_EMPTY_LABEL = re.compile(r"[:\uff1a]\s*$")
_ASKS = re.compile(r"[?\uff1f]")
_WHOLE = (SectionRule("text", ("Text",), ""),)


def as_section(text: str) -> Section:
    """A text that stands alone, as the body of one section."""
    return sections_from(parse(f"# Text\n\n{_HEADING.sub('', text)}"), _WHOLE)["text"]


_HEADING = re.compile(r"(?m)^#{1,6}\s+")


@lru_cache(maxsize=1024)
def traits(section: Section) -> Mapping[str, float]:
    """What a section shows, each trait by its name. Always the same names, in the same order."""
    folded = fold(section.plain)
    lines = section.lines
    found: dict[str, float] = {"words": math.log1p(count(section.plain)), "short": count(section.plain) < _SHORT}
    for name in (one for one in vocabulary() if not one.startswith("column-")):
        said = speaks_of(name, folded)
        found |= {name: said > 0, f"{name} often": said > 1}
    found |= {name: shape.first(folded) is not None for name, shape in _ACTS.items()}
    counted = sum(1 for _ in numbers.numbers(folded))
    found |= {
        "no number": counted == 0,
        "two numbers": counted > 1,
        "many numbers": counted >= _MANY_NUMBERS,
        "measure": any(True for _ in numbers.names(folded)),
        "date": DATE.search(folded) is not None,
        "version": VERSION.search(folded) is not None,
        "hash": HASH.search(folded) is not None,
        "span": SPAN.search(folded) is not None,
        "link": _ADDRESS.search(section.text) is not None,
        "ticket": TICKET.search(section.plain) is not None,
        "placeholder": any(is_placeholder(line) for line in lines),
        "nothing but placeholders": all(is_placeholder(line) for line in lines),
        "empty label": any(_EMPTY_LABEL.search(line) for line in lines),
        "question": _ASKS.search(section.plain) is not None,
        "table": bool(section.tables),
    }
    found |= _read(section)
    return MappingProxyType({name: float(value) for name, value in found.items()})


def _read(section: Section) -> dict[str, bool]:
    """What the rules read in a section, whatever it is a section of."""
    rows = [row for row in rows_of(section) if not is_placeholder(row[1])]
    data, measured, decided = dataset_in(rows), metrics_in(section), decisions_in(section)
    return {
        "dataset with version": bool(data.line),
        "dataset named": bool(data.named),
        "metric": bool(measured),
        "metric with baseline": any(one.baseline is not None for one in measured),
        "metric with target": any(one.target is not None for one in measured),
        "metric twice": has_two(measured),
        "pair in a line": any(_has_pair(line) for _, line in rows),
        "column of numbers": _has_column(section),
        "decision with reason": any(one.reason for one in decided),
        "decision with alternative": any(one.alternative for one in decided),
        "decision with both": any(one.reason and one.alternative for one in decided),
    }


def has_two(measured: Iterable[Metric]) -> bool:
    """Whether one measure has two values: something is compared, whatever the words."""
    values: dict[str, set[float]] = {}
    for one in measured:
        values.setdefault(one.name, set()).add(one.value)
    return any(len(several) > 1 for several in values.values())


def _has_pair(line: str) -> bool:
    """Whether two numbers of one kind stand near each other: fractions, or numbers with the same unit."""
    found = [one for one in numbers.numbers(fold(line)) if one.unit or one.value != int(one.value)]
    return any(one.unit == other.unit and other.start - one.end < _APART for one, other in pairwise(found))


_APART = 80
"""How many characters may stand between two numbers that are compared."""


def pairs_in(section: Section) -> bool:
    """Whether two numbers that can be compared stand in a line or in a column."""
    return _has_column(section) or any(_has_pair(line) for _, line in rows_of(section))


def _has_column(section: Section) -> bool:
    for table in section.tables:
        for column in zip(*table.rows, strict=False):
            told = [any(True for _ in numbers.numbers(fold(plain(cell)))) for cell in column]
            if sum(told) > 1:
                return True
    return False
