"""Examples of a good answer, as phaseloop gives them to people: in what a finding says to write, in prompts, in the
documentation. Copied into a record they answer nothing. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from service.domain.audit.prose import plain, words
from service.domain.audit.rows import rows_of
from service.domain.audit.sections import Section
from service.domain.audit.subject import SectionRule

DATA = "orders, version 2026-03-12"
EXPERIMENTS = "F1 0.83, baseline 0.79"
DECISIONS = "We keep model B because its recall is higher, instead of model A"
PERFORMANCE = "recall 0.81 over the last 14 days, target 0.80"
PERFORMANCE_SHORT = "recall 0.81 over 14 days, target 0.80"
RELEASE = "with ML-31, in May"
NEXT_STEPS = "ML-14: add holidays"
OF_THE_REFERENCE = ("recall 0.74 for model B", "recall 0.69 for model A", "we keep model B instead of model A")

EXAMPLES = (
    DATA,
    EXPERIMENTS,
    DECISIONS,
    PERFORMANCE,
    PERFORMANCE_SHORT,
    RELEASE,
    NEXT_STEPS,
    *OF_THE_REFERENCE,
)
"""All that phaseloop itself gives, wherever it does."""

_QUOTED = re.compile(
    r"\"([^\"\n]{8,300})\"|\u201c([^\u201d\n]{8,300})\u201d|\u201e([^\u201c\n]{8,300})\u201c|\u00ab([^\u00bb\n]{8,300})\u00bb"
)
_FEWEST = 4
"""The fewest words of what is quoted in a prompt to be an example; less names a thing."""
_LONG = 8
"""From so many words on an example is known in the middle of other text."""
_SOME, _BESIDE = 6, 2
"""From so many words on it is one with so many others beside it (`Example: ...`); a shorter one is all of a line."""
_OF_COLUMNS = frozenset({"version", "baseline", "target", "because", "instead", "of", "over", "the", "last"})
"""Words of an example that a table says by its columns."""


def examples_in(section: Section, rules: Iterable[SectionRule]) -> tuple[str, ...]:
    """The lines of a section that are examples of phaseloop's or of the prompts, as plain lines; a table's are rows."""
    known = _known(tuple(rule.prompt for rule in rules))
    found = [line for raw, line in rows_of(section) if any(_is_copy(raw, line, example) for example in known)]
    told = _spelt(section.plain)
    apart = [" ".join(one) for one in known if len(one) >= _LONG and f" {' '.join(one)} " in told]
    return tuple(found) or tuple(apart)


def is_example(section: Section, rules: Iterable[SectionRule]) -> bool:
    """Whether a section says nothing but examples."""
    rules = tuple(rules)
    lines = [line for _, line in rows_of(section)]
    copied = examples_in(section, rules)
    if not copied:
        return False
    return all(line in copied for line in lines) or _spelt(section.plain).strip() in copied


def _is_copy(raw: str, line: str, example: tuple[str, ...]) -> bool:
    said = words(line)
    if "|" in raw and _bare(said) == _bare(example):
        return True
    if len(example) >= _LONG and f" {' '.join(example)} " in _spelt(line):
        return True
    if len(example) >= _SOME and len(said) <= len(example) + _BESIDE:
        return f" {' '.join(example)} " in _spelt(line)
    return tuple(said) == example


def _bare(told: Iterable[str]) -> list[str]:
    return [one for one in told if one not in _OF_COLUMNS]


def _spelt(text: str) -> str:
    return f" {' '.join(words(text))} "


@lru_cache(maxsize=64)
def _known(prompts: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    quoted = (one for prompt in prompts for one in _quoted(plain(prompt)))
    return tuple(dict.fromkeys(tuple(words(one)) for one in (*EXAMPLES, *quoted)))


def _quoted(text: str) -> Iterator[str]:
    for found in _QUOTED.finditer(text):
        said = next(part for part in found.groups() if part)
        if len(words(said)) >= _FEWEST:
            yield said
