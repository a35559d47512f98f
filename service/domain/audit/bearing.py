"""What a text bears on: whether it is about a model at all, and whether it names something concrete. Pure."""

from __future__ import annotations

from enum import Enum, auto

from service.domain.audit.numbers import names
from service.domain.audit.outcome import Check
from service.domain.audit.phrases import EVERYDAY
from service.domain.audit.prose import fold
from service.domain.audit.sections import Section
from service.domain.audit.vocabulary import speaks_of


class Bearing(Enum):
    """How a text bears on what a check asks."""

    CONCRETE = auto()
    """It is about a model, and names what the check wants to know by a number or a measure."""
    PLAIN = auto()
    BESIDE = auto()
    """Nothing in it is of a model, its data or a measure: it may be about anything."""


def bearing_of(check: Check, section: Section, around: str = "") -> Bearing:
    """How a section bears on what a check asks, with the text of the record `around` it: few words need not name the
    model that all of it is about. PLAIN for checks where words of a model settle nothing."""
    if check not in (Check.GOAL, Check.DECISIONS):
        return Bearing.PLAIN
    if not is_of_models(section.plain):
        return Bearing.PLAIN if is_of_models(around) else Bearing.BESIDE
    measures = check is Check.DECISIONS or any(True for _ in names(fold(section.plain)))
    return Bearing.CONCRETE if measures and _has_digit(section) and not is_of_life(section.plain) else Bearing.PLAIN


def is_of_models(text: str) -> bool:
    """Whether a plain text has a word of models, of what they are made of, or a measure's name."""
    folded = fold(text)
    return speaks_of("model", folded) > 0 or any(True for _ in names(folded))


def is_of_life(text: str) -> bool:
    """Whether a plain text is praise, of a meeting, of how work is organised or of everyday life: then its words count,
    not the cells that it stands in."""
    folded = fold(text)
    return any(speaks_of(one, folded) for one in ("hollow", "meeting", "agile")) or EVERYDAY.first(folded) is not None


def _has_digit(section: Section) -> bool:
    return any(map(str.isdigit, section.plain))
