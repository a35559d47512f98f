"""What people answered in a record: its sections without the text that was seeded there, as the prompts are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType

from connectors.memory import remembered
from connectors.records import Part
from service.domain.audit.prose import fold, plain, sentences, word_spans, words
from service.domain.audit.sections import Block, Kind, Section, Table, loose_from, parse, plain_of, sections_from
from service.domain.audit.subject import SectionRule, Subject

_SHORTEST = 4
"""The fewest words of a sentence of a prompt that is taken out of the middle of a text."""
_AFTER = re.compile(r"[\s?.!:;\"'*_>)\u3002\uff1f\uff01]*")


@dataclass(frozen=True, slots=True)
class Answers:
    """A record without what was seeded. `sections` has every section of the rules by key, `own` is the plain text of
    all of it but the headings; `unanswered` are the keys of sections in which nothing else stood. `loose`
    is what stands under none of the headings of the rules."""

    sections: Mapping[str, Section]
    own: str
    unanswered: tuple[str, ...]
    loose: tuple[Section, ...] = ()


def answers_of(subject: Subject) -> Answers:
    """The answers of an iteration's record; none if there is no record, or its text could not be read."""
    document = subject.record.document
    return answers_in("" if document is None or Part.TEXT in document.unread else document.text, subject)


def apart_of(subject: Subject) -> Subject:
    """The subject as if what phaseloop filled in had been seeded: what is left are the words of people."""
    return replace(subject, template="\n\n".join((subject.template, *subject.filled)))


def own_of(subject: Subject) -> str:
    """What people wrote into an iteration's record, as plain text: neither seeded nor filled in."""
    return answers_of(apart_of(subject) if subject.filled else subject).own


def answers_in(text: str, subject: Subject) -> Answers:
    """The answers in a text that was seeded as the subject's record was."""
    return _answers(text, subject.template, tuple(subject.rules.sections))


# A record is read at every look and for every check that asks.
@remembered(128)
def _answers(text: str, template: str, rules: tuple[SectionRule, ...]) -> Answers:
    blocks = parse(text)
    seeded = _seeded(template, tuple(rule.prompt for rule in rules))
    kept = tuple(one for block in blocks if (one := seeded.out_of(block)) is not None)
    sections = sections_from(kept, rules)
    before = sections_from(blocks, rules)
    unanswered = tuple(key for key, section in sections.items() if section.empty and not before[key].empty)
    titles = {fold(section.title).strip(" :") for section in sections.values()}
    written = (block for block in kept if block.kind is not Kind.HEADING)
    lines = (line for block in written for line in plain_of(block)[seeded.has_head(block.table) :])
    own = "\n".join(line for line in lines if fold(line).strip(" :") not in titles)
    return Answers(MappingProxyType(dict(sections)), own, unanswered, loose_from(kept, rules))


class _Seeded:
    """The text that was seeded: whole blocks of it, and the sentences of the prompts."""

    def __init__(self, seeded: str, prompts: tuple[str, ...]) -> None:
        template = parse(seeded)
        quoted = [block.text for block in template if block.kind is Kind.QUOTE]
        self._whole = {_compared(block) for block in template if block.kind is not Kind.HEADING}
        self._whole.update(" ".join(words(plain(prompt))) for prompt in prompts)
        tables = [block.table for block in template if block.table is not None]
        self._headers = {_row(table.header) for table in tables}
        self._rows = {_row(row) for table in tables for row in table.rows}
        self._sentences = tuple(dict.fromkeys(_sentences([*prompts, *quoted])))

    def out_of(self, block: Block) -> Block | None:
        """The block without what was seeded; None if nothing is left of it. Headings stay."""
        if block.kind is Kind.HEADING:
            return block
        if _compared(block) in self._whole:
            return None
        if block.table is not None:
            return self._rows_out_of(block, block.table)
        if block.kind is Kind.CODE:
            return block
        text = _cut(block.text, self._sentences)
        if text == block.text:
            return block
        return replace(block, text=text) if words(plain(text)) else None

    def _rows_out_of(self, block: Block, table: Table) -> Block | None:
        """The table without the rows that were seeded; None if there are no others."""
        rows = tuple(row for row in table.rows if _row(row) not in self._rows)
        if rows == table.rows:
            return block
        return replace(block, table=replace(table, rows=rows)) if rows else None

    def has_head(self, table: Table | None) -> bool:
        """Whether the columns of a table are as they were seeded."""
        return table is not None and _row(table.header) in self._headers


@lru_cache(maxsize=64)
def _seeded(seeded: str, prompts: tuple[str, ...]) -> _Seeded:
    return _Seeded(seeded, prompts)


def _compared(block: Block) -> str:
    return " ".join(words(" ".join(plain_of(block))))


def _row(cells: Iterable[str]) -> str:
    return " | ".join(" ".join(words(plain(cell))) for cell in cells)


def _sentences(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        for sentence in (text, *sentences(plain(text))):
            spelt, spans = word_spans(sentence)
            if len(spans) >= _SHORTEST:
                yield spelt


def _cut(text: str, told: Sequence[str]) -> str:
    """A text without the sentences; `told` are as `word_spans` spells them."""
    spelt, spans = word_spans(text)
    found = sorted(place for sentence in told for place in _places(spelt, sentence))
    kept, begin = [], 0
    for first, last in found:
        start, end = spans[first][0], spans[last][1]
        if start >= begin:
            kept.append(text[begin:start])
            begin = _AFTER.match(text, end).end()  # type: ignore[union-attr]  # it matches the empty text too
    return "".join([*kept, text[begin:]]).strip()


def _places(spelt: str, sentence: str) -> Iterator[tuple[int, int]]:
    """Where a sentence stands, as the numbers of its first and last word."""
    length = sentence.count(" ") - 2
    at, counted, number = spelt.find(sentence), 0, 0
    while at >= 0:
        number += spelt.count(" ", counted, at)
        yield number, number + length
        counted, at = at, spelt.find(sentence, at + len(sentence) - 1)
