"""Which numbers of a section were measured, and which are only expected, asked for, open, told by others, or from a
simulation. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import Enum, auto

from service.domain.audit.cells import column_of
from service.domain.audit.numbers import DATE, SPAN, VERSION, numbers
from service.domain.audit.outcome import Check
from service.domain.audit.phrases import (
    AS_EXPECTED,
    BASELINE,
    DROPPED,
    EXPECTED,
    KEPT,
    NOT_MEASURED,
    OF_OTHERS,
    OTHERS,
    OWN,
    PLANNED_VALUE,
    PREFERENCE,
    REASON,
    SIMULATED,
    TARGET,
    WOULD,
)
from service.domain.audit.placeholders import is_placeholder
from service.domain.audit.prose import fold, plain, sentences
from service.domain.audit.sections import Section, Table, plain_of

_DENSE_FROM = "\u3040"
_CHOOSES = (PREFERENCE, KEPT, DROPPED)
_CAME_OUT = re.compile(
    r"(?<!\w)(?:is|was|has|got|reached|measured|achieved|came|ist|war|erreicht\w?|fue|est|obtenu\w?)(?!\w)"
)
_PART = re.compile(r"[,;](?!\d)|\u3001")
"""Between the parts of a folded sentence, in which wide commas are narrow ones."""
_ASIDE = re.compile(r"[(\uff08]([^()\uff08\uff09]{1,120})[)\uff09]")
_TARGET_AFTER = re.compile(
    r"^\W{0,3}(?:%\s?)?(?:\w+\s){0,2}?(?:(?:is|was|are|as) (?:the|our|a) (?:target|goal|aim)"
    r"|(?:ist|sind) (?:das|unser) ziel|(?:es|era) (?:el|la) (?:objetivo|meta)|est (?:la cible|l'objectif)"
    r"|e (?:a meta|o objetivo)|(?:を|か|は)目標|是目标|为目标)"
)
"""After a number: that it is the target."""


class Told(Enum):
    """How a number is told."""

    MEASURED = auto()
    ASKED = auto()
    """As what is to be reached, or what is not known yet."""
    OTHER = auto()
    """As what is expected, simulated, or measured by others."""


def unmeasured(check: Check, section: Section) -> bool:
    """Whether a section has numbers, and none of them was measured: by this team, and for D06 in use."""
    told = list(_items(check, section))
    return bool(told) and Told.MEASURED not in told


def partly_unmeasured(check: Check, section: Section) -> bool:
    """Whether some numbers of a section were measured, and others are expected, simulated or told by others."""
    told = list(_items(check, section))
    return Told.MEASURED in told and Told.OTHER in told


def is_measured_row(check: Check, row: Mapping[str, str]) -> bool:
    """Whether the value in a row of the form, by column, was measured."""
    return _cell(check, row["value"], fold(" ".join(row.get(one, "") for one in ("measure", "period"))))


def _items(check: Check, section: Section) -> Iterator[Told]:
    """How the sentences and rows of a section tell their numbers; without those that have none."""
    missing = any(NOT_MEASURED.within(line) for line in section.lines)
    for block in section.blocks:
        if block.table is not None:
            yield from _rows(check, block.table)
        else:
            for line in plain_of(block):
                told = (_told(check, fold(one), missing) for one in sentences(line))
                yield from (one for one in told if one is not None)


def _rows(check: Check, table: Table) -> Iterator[Told]:
    columns = [column_of(head) for head in table.header]
    for row in table.rows:
        cells = {name: plain(cell) for name, cell in zip(columns, row, strict=False) if name is not None}
        value = cells.get("value")
        if value is None:
            told = _told(check, fold(" | ".join(map(plain, row))), missing=False)
            yield from () if told is None else (told,)
        elif any(map(str.isdigit, " ".join(row))):
            beside = " ".join(cells.get(one, "") for one in ("measure", "period"))
            yield Told.MEASURED if _cell(check, value, fold(beside)) else Told.ASKED


def _cell(check: Check, value: str, beside: str) -> bool:
    """Whether the value of a row was measured; `beside` are what is measured and when."""
    folded = AS_EXPECTED.without(fold(value))
    if not any(map(str.isdigit, folded)) or is_placeholder(value):
        return False
    shapes = (EXPECTED, WOULD, NOT_MEASURED, TARGET, OF_OTHERS, OTHERS, PLANNED_VALUE)
    if any(one.first(folded) for one in shapes):
        return False
    around = AS_EXPECTED.without(beside)
    if any(one.first(around) for one in (EXPECTED, NOT_MEASURED, OTHERS)):
        return False
    return check is not Check.PERFORMANCE or not (SIMULATED.first(folded) or SIMULATED.first(around))


def _told(check: Check, folded: str, missing: bool) -> Told | None:
    """How a sentence tells its numbers, None where it has none; `missing`: the section says elsewhere that something
    was not measured."""
    folded = AS_EXPECTED.without(_without_asides(folded))
    if not any(True for _ in numbers(_bare(folded))):
        return None
    if _of_others(check, folded) or (missing and OF_OTHERS.first(folded) and not OWN.first(folded)):
        return Told.OTHER
    if check is Check.PERFORMANCE and SIMULATED.first(folded):
        return Told.OTHER
    if _is_target(folded):
        return Told.ASKED
    if _is_hoped(folded):
        return Told.ASKED if TARGET.first(folded) else Told.OTHER
    return Told.MEASURED


def _bare(folded: str) -> str:
    for shape in (DATE, VERSION, SPAN):
        folded = shape.sub(" ", folded)
    return folded


def _without_asides(folded: str) -> str:
    """The sentence without what it tells in brackets of others or of what was hoped for, with a number of its own."""

    def kept(found: re.Match[str]) -> str:
        said = found[1]
        aside = any(one.first(said) for one in (OF_OTHERS, OTHERS, EXPECTED, AS_EXPECTED, TARGET, BASELINE))
        return " " if aside and any(True for _ in numbers(said)) else found[0]

    return _ASIDE.sub(kept, folded)


def _of_others(check: Check, folded: str) -> bool:
    """Whether a sentence tells what others say they measured, and nothing of this team's own."""
    said = OF_OTHERS.first(folded) or (OTHERS.first(folded) if check is Check.PERFORMANCE else None)
    if said is None:
        return False
    for own in OWN.all(folded):
        other = OTHERS.first(folded[own.start() : own.end() + 24])  # `our rival` is another
        following = re.split(r"[,;]\s", folded[own.end() :])[0]
        if other is None and (any(True for _ in numbers(following)) or own.start() < said.start()):
            return False
    return True


def _is_hoped(folded: str) -> bool:
    """Whether a sentence tells its numbers as what is hoped for or asked for: it says so before the first of them or
    right behind it, and none stands after a word of what came out. What is chosen for its numbers was measured."""
    first = next(iter(numbers(_bare_of_dates(folded))), None)
    if first is None:
        return False
    if _dense_hoped(folded):
        return True
    said = next((one for shape in (EXPECTED, WOULD) if (one := shape.first(folded)) is not None), None)
    if said is None or said.group(0)[0] >= _DENSE_FROM:
        return False
    behind = re.match(r"^\s?(?:%\s?)?[(\[]?\s?", folded[first.end :])
    right_behind = behind is not None and said.start() <= first.end + len(behind[0])
    if not right_behind and said.start() > first.start:
        return False
    if any(one.first(folded) for one in (*_CHOOSES, REASON)):
        return False
    parts = re.split(r"[,;]\s", folded[first.end :])
    others = [one for one in parts if any(True for _ in numbers(one))]
    return all(TARGET.first(one) or BASELINE.first(one) or not _CAME_OUT.search(one) for one in others)


def _dense_hoped(folded: str) -> bool:
    """The same in scripts without blanks, where what says so may stand behind: in the part of the first number, or in
    one before it that has none."""
    before = ""
    for part in _PART.split(folded):
        before += part
        if not any(True for _ in numbers(_bare_of_dates(part))):
            continue
        said = EXPECTED.first(before) or WOULD.first(before)
        return said is not None and said.group(0)[0] >= _DENSE_FROM
    return False


def _is_target(folded: str) -> bool:
    """Whether all numbers of a sentence are what is to be reached or what was before, and what is measured is open or
    not told."""
    targets, last = 0, 0
    open_ones = NOT_MEASURED.first(folded) is not None or is_placeholder(folded)
    for found in numbers(_bare_of_dates(folded)):
        lead = re.split(r"[,;(](?!\d)", folded[last : found.start])[-1]
        is_target = TARGET.first(lead) is not None or _TARGET_AFTER.match(folded[found.end :]) is not None
        if not is_target and not (open_ones and BASELINE.first(folded[: found.start])):
            return False
        targets, last = targets + is_target, found.end
    return targets > 0


def _bare_of_dates(folded: str) -> str:
    """The sentence with its dates and lengths of time blanked, each to its length."""
    for shape in (DATE, VERSION, SPAN):
        folded = shape.sub(lambda found: " " * len(found[0]), folded)
    return folded
