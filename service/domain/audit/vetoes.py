"""What keeps a text from passing however much it sounds like an answer: it speaks of the work and not of the model, was
measured before anybody used it, or says nothing. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from service.domain.audit.metrics import metrics_in
from service.domain.audit.numbers import DATE, HASH, SPAN, VERSION, names, numbers
from service.domain.audit.outcome import Check
from service.domain.audit.phrases import COMPARED, DROPPED, KEPT, NO_EXPERIMENTS, NO_MODEL, PREFERENCE, TARGET
from service.domain.audit.prose import count, fold
from service.domain.audit.sections import Section
from service.domain.audit.traits import has_two, pairs_in
from service.domain.audit.vocabulary import speaks_of

_FEWEST = 3
"""The fewest words that can say anything a check asks for."""

_ASKED = re.compile(r"[?\uff1f]\s*$")
_RUN = re.compile(r"https?://\S+")
_SETTINGS = r"epochs?|epoques?|epocas|epochen|steps?|layers?|trees|folds?|rows|gpus?|轮|条|张"
_ROLES = re.compile(
    rf"(?:{_SETTINGS}|batch(?: size)?|lr|learning rate|dropout|seeds?|torch|python|cuda|rank|team of|exit|run)"
    r"[ :=]{0,3}[\d.,e-]+(?:\s?(?:vs\.?|frente a|instead of|statt)\s?[\d.,e-]+)?"
    rf"|[\d.,]+[km]?\s?(?:{_SETTINGS}|samples|images|clips)|\d{{1,2}}:\d{{2}}"
)
"""Numbers that say how something was run, not how good it is."""
_TIME = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?|(?<![a-z])[a-z]{2,4}(?:-[a-z]+)+-?\d+(?!\w)|kw ?\d+|run \d+")
_SPANNED = re.compile(
    r"\d{1,2}[./]\d{1,2}(?:[./]\d{2,4})?\s?[-\u2013~\u301c]|\d{1,2}\s?[-\u2013]\s?\d{1,2}\.?\s?[a-z]{3}|\d{1,3}\s?[dhw](?!\w)"
)
_INSTEAD_OF_NUMBER = re.compile(r"(?:instead of|statt|en lugar de|en vez de|au lieu de|em vez de)\s[-+]?[\d.,]+")


def veto(check: Check, section: Section) -> str:
    """Why a section cannot pass a check, as a sentence; empty where nothing speaks against it."""
    folded = fold(section.plain)
    if not section.links and count(section.plain) < _FEWEST and not any(True for _ in numbers(folded)):
        return "That is too short to say anything."
    if check is not Check.GOAL and section.lines and all(_ASKED.search(line) for line in section.lines):
        return "It asks, and does not answer."
    of_check = _VETOES.get(check)
    return of_check(section, folded) if of_check is not None else ""


def _bare(folded: str) -> str:
    """The text without what has digits and is no number of a measure: days, times, versions, names of places."""
    for shape in (DATE, VERSION, _TIME):
        folded = shape.sub(" ", folded)
    return folded


_OF_WORK_TOO = frozenset({"coverage"})
"""Measures that are of the work as well: of tests, not of a model."""


def _of_work(section: Section, folded: str) -> str:
    """Talk of sprints and meetings, and of no measure of a model."""
    if any(name not in _OF_WORK_TOO for name, _, _ in names(folded)):
        return ""
    if speaks_of("agile", folded):
        return "It speaks of how the work is organised, not of the model."
    return ""


def _goal(section: Section, folded: str) -> str:
    return _of_work(section, folded)


def _data(section: Section, folded: str) -> str:
    there = (
        section.links
        or any(shape.search(folded) for shape in (DATE, VERSION, HASH))
        or any(char.isdigit() for char in folded)
    )
    if not there:
        return "No version, date, hash or link stands there."
    if speaks_of("software", folded) and not speaks_of("data", folded) and not section.links:
        return "The versions are of code or of a model, not of data."
    return _of_work(section, folded) or ("It speaks of a meeting." if speaks_of("meeting", folded) else "")


def _experiments(section: Section, folded: str) -> str:
    """Nothing can be compared: there are no two values, no word that compares, and no link to runs."""
    if _RUN.search(section.text) or NO_EXPERIMENTS.first(folded):
        return ""
    if not any(True for _ in numbers(folded)):
        return "No measure has a number, and no run is linked."
    if wrong := _of_work(section, folded):
        return wrong
    measured = metrics_in(section)
    told = any(one.baseline is not None or one.target is not None for one in measured) or has_two(measured)
    plainly = sum(1 for _ in numbers(_ROLES.sub(" ", folded))) > 1
    said = COMPARED.first(folded) or TARGET.first(folded) or pairs_in(section)
    if not told and not plainly and not said:
        return "A number stands alone, with nothing to compare it with."
    measures = any(True for _ in numbers(_ROLES.sub(" ", folded)))
    return "" if measures else "The numbers are settings, not measures."


def _performance(section: Section, folded: str) -> str:
    if NO_MODEL.first(folded):
        return ""
    if not any(char.isdigit() for char in _bare(folded)):
        return "No measure has a number."
    if speaks_of("offline", folded) and not speaks_of("production", folded):
        return "It was measured before anybody used it."
    if wrong := _of_work(section, folded):
        return wrong
    period = DATE.search(folded) or SPAN.search(folded) or _SPANNED.search(folded) or speaks_of("period", folded)
    return "" if period else "No period is given."


def _decisions(section: Section, folded: str) -> str:
    acts = any(phrases.first(folded) for phrases in (PREFERENCE, KEPT, DROPPED)) or speaks_of("chosen", folded)
    if not acts and _INSTEAD_OF_NUMBER.search(folded):
        return "It compares numbers; nothing is chosen."
    return _of_work(section, folded)


def _risks(section: Section, folded: str) -> str:
    return _of_work(section, folded)


_VETOES: Mapping[Check, Callable[[Section, str], str]] = {
    Check.GOAL: _goal,
    Check.DATA: _data,
    Check.EXPERIMENTS: _experiments,
    Check.DECISIONS: _decisions,
    Check.PERFORMANCE: _performance,
    Check.RISKS: _risks,
}
