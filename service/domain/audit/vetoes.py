"""What keeps a text from passing however much it sounds like an answer: it speaks of the work and not of the model, was
measured before anybody used it, or says nothing. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from service.domain.audit import examples
from service.domain.audit.about import NOT_OF_A_MODEL, OF_A_TOOL, is_of_a_tool
from service.domain.audit.commitment import (
    ASKED,
    CONDITION,
    ELSEWHERE,
    ELSEWHERE_DECIDED,
    NO_GROUND,
    PUT_FORWARD,
    TENTATIVE,
    uncommitted,
    unexplained,
)
from service.domain.audit.datasets import dataset_in
from service.domain.audit.decisions import turns_down_nothing
from service.domain.audit.indecision import denied, undecided
from service.domain.audit.metrics import metrics_in
from service.domain.audit.numbers import DATE, HASH, SPAN, VERSION, names, numbers
from service.domain.audit.outcome import Check
from service.domain.audit.phrases import (
    COMPARED,
    DROPPED,
    EXCUSE,
    KEPT,
    NO_EXPERIMENTS,
    NO_MODEL,
    PREFERENCE,
    TARGET,
)
from service.domain.audit.prose import count, fold, sentences
from service.domain.audit.rows import rows_of
from service.domain.audit.sections import Section
from service.domain.audit.sense import RECORD, SECTION
from service.domain.audit.traits import has_two, pairs_in
from service.domain.audit.unmeasured import partly_unmeasured, unmeasured
from service.domain.audit.vocabulary import speaks_of

UNDECIDED = "It says that nothing is decided yet."
"""The veto that rests on phrases of any language, also of those in which no sentence is judged else."""
NOTHING_ELSE = "It says that nothing was turned down."
UNMEASURED = (
    "The numbers are expected, asked for, open, simulated or told by others; it does not say that they were measured."
)
PARTLY_UNMEASURED = "Some of the numbers are expected, asked for, simulated or told by others."
EXCUSED = "That there was no time is no reason that tells anything."
ALONE = "A number stands alone, with nothing to compare it with."
NO_NUMBER = "No measure has a number."
NO_RUN = "No measure has a number, and no run is linked."
NO_PERIOD = "No period is given."
NO_VERSION = "No version, date, hash or link stands there."
OF_CODE = "The versions are of code or of a model, not of data."
MEETING = "It speaks of a meeting."
OFFLINE = "It was measured before anybody used it."
OF_WORK = "It speaks of how the work is organised, not of the model."
SETTINGS = "The numbers are settings, not measures."
TOO_SHORT = "That is too short to say anything."
ASKS = "It asks, and does not answer."
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


_CHOOSES = (PREFERENCE, KEPT, DROPPED)


def veto(check: Check, section: Section) -> str:
    """Why a section cannot pass a check, as a sentence; empty where nothing speaks against it."""
    folded = fold(section.plain)
    if not section.links and count(section.plain) < _FEWEST and not any(True for _ in numbers(folded)):
        return TOO_SHORT
    if check is not Check.GOAL and section.lines and all(_ASKED.search(line) for line in section.lines):
        return ASKS
    of_check = _VETOES.get(check)
    return of_check(section, folded) if of_check is not None else ""


_SAID_ALREADY: Mapping[str, tuple[str, ...]] = {
    ALONE: ("nothing to compare it with",),
    NO_NUMBER: ("a measure with a number",),
    NO_PERIOD: ("the period",),
    NO_VERSION: ("not in which version", "with its version"),
    UNDECIDED: ("nothing was decided",),
    NO_RUN: ("No measure has a number", "there were no experiments"),
    NOTHING_ELSE: ("no alternative that was turned down",),
}
"""What rules say in their own words where a veto says the same."""


def told_once(veto: str, reason: str) -> str:
    """A veto and the reason of the rules as one, which says nothing twice."""
    said = not veto or veto in reason or any(one in reason for one in _SAID_ALREADY.get(veto, ()))
    return reason if said else f"{veto} {reason}"


_REMEDIES: Mapping[str, str] = {
    UNDECIDED: "Write what was decided, why, and what was turned down; or that nothing was decided, and why.",
    NOTHING_ELSE: 'Name what was turned down: "instead of ...", or a line "Alternative: ...".',
    TENTATIVE: 'Say what was decided, without "probably", or that it is open: "no decision, because ...".',
    CONDITION: 'Say what holds now; where somebody has yet to agree: "no decision, because ... has not agreed yet".',
    ELSEWHERE_DECIDED: 'Write what was decided, once it is; until then: "no decision, because ...".',
    PUT_FORWARD: 'Write what was decided on the proposal; until then: "no decision, because ...".',
    ELSEWHERE: "Write the decision and its reason here, in a sentence; a link may stand beside it.",
    ASKED: 'Write the answer: what was decided, and why; or "no decision, because ...".',
    NO_GROUND: 'Add why, and what was turned down: "because ...", "instead of ...".',
    UNMEASURED: (
        "Give numbers that this team measured, with what they are compared with; or say that none were measured yet, "
        "why, and when they will be."
    ),
    PARTLY_UNMEASURED: "Say which numbers were measured, and give one of them beside what it is compared with.",
    EXCUSED: "Say what kept the experiments from being run, since when, and where they are planned: a ticket, a date.",
    ALONE: "Put beside the number what it is compared with: the value before, a baseline, or the target.",
    NO_NUMBER: "Give the measure as a number.",
    NO_RUN: "Give a measure as a number next to what it is compared with, or link the runs.",
    NO_PERIOD: 'Say when it was measured: "1-14 October", "last 30 days".',
    NO_VERSION: f'Put beside each dataset its version, a date, hash or link, as in "{examples.DATA}".',
    OF_CODE: f'Name the dataset and its own version, as in "{examples.DATA}".',
    MEETING: f'Name the dataset that was used, and its version, as in "{examples.DATA}".',
    OFFLINE: (
        'Give a measure from use, with its period and target; or "no model in production yet", and when one is to be.'
    ),
    OF_A_TOOL: "Give a measure of the model: how often it is right, how far it is off, what it costs its users.",
    NOT_OF_A_MODEL: (
        "Name the model, its data or the measure that this was about. What was about something else belongs in no "
        "record of a model: waive the check."
    ),
    RECORD: (
        "Say in plain words what was done with which model and data. What was about something else belongs in no "
        "record of a model: waive the check."
    ),
    SECTION: "Say in plain words what it has to do with the model, its data or its measure.",
    SETTINGS: "Give what was measured, not how it was run: a measure, its number, and what it is compared with.",
}
"""What to do about what a veto or a doubt says."""


def remedy(said: str) -> str:
    """What to do about what a veto or a doubt says; empty where what the check asks for says it."""
    return _REMEDIES.get(said, "")


def doubt(check: Check, section: Section) -> str:
    """Why words alone cannot make a section pass, as a sentence: where they would, a person should look. Empty where
    nothing speaks against it."""
    if check is Check.DECISIONS:
        return uncommitted(section) or unexplained(section)
    if check in (Check.EXPERIMENTS, Check.PERFORMANCE) and partly_unmeasured(check, section):
        return PARTLY_UNMEASURED
    return ""


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
        return OF_WORK
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
        return NO_VERSION
    of_code = speaks_of("software", folded) and not speaks_of("data", folded) and not section.links
    if of_code and not _is_named_apart(section):
        return OF_CODE
    if wrong := _of_work(section, folded):
        return wrong
    if not speaks_of("meeting", folded) or _has_dataset(line for _, line in rows_of(section)):
        return ""  # a dataset that was settled in a meeting is a dataset
    return MEETING


def _is_named_apart(section: Section) -> bool:
    """Whether a dataset is named with its version besides the code: `faults-2025 rev 8, loader at commit 1a2b`."""
    told = [part for _, line in rows_of(section) for one in sentences(line) for part in re.split(r"[,;]\s", one)]
    return _has_dataset(one for one in told if not speaks_of("software", fold(one)))


def _has_dataset(lines: Iterable[str]) -> bool:
    """Whether one of these lines names a dataset with a version that is more than a day: a meeting has that, too."""
    return any(VERSION.search(DATE.sub(" ", fold(one))) and dataset_in([(one, one)]).line for one in lines)


def _experiments(section: Section, folded: str) -> str:
    """Nothing can be compared: there are no two values, no word that compares, and no link to runs. Or what can be was
    not measured."""
    if _RUN.search(section.text):
        return ""
    none = denied(section.lines, NO_EXPERIMENTS)
    if none is not None and not none[1] and EXCUSE.first(folded):
        return EXCUSED
    if NO_EXPERIMENTS.first(folded):
        return ""
    if not any(True for _ in numbers(folded)) and none is not None:
        return ""  # the rules say whether it says why
    if not any(True for _ in numbers(folded)):
        return NO_RUN
    if wrong := _of_work(section, folded):
        return wrong
    if unmeasured(Check.EXPERIMENTS, section):
        return UNMEASURED
    measured = metrics_in(section)
    told = any(one.baseline is not None or one.target is not None for one in measured) or has_two(measured)
    plainly = sum(1 for _ in numbers(_ROLES.sub(" ", folded))) > 1
    said = COMPARED.first(folded) or TARGET.first(folded) or pairs_in(section)
    if not told and not plainly and not said:
        return ALONE
    measures = any(True for _ in numbers(_ROLES.sub(" ", folded)))
    return "" if measures else SETTINGS


def is_offline(folded: str) -> bool:
    """Whether a folded text speaks of what was measured before anybody used the model, and not of its use."""
    return speaks_of("offline", folded) > 0 and not speaks_of("production", folded)


def _performance(section: Section, folded: str) -> str:
    if NO_MODEL.first(folded):
        return ""
    if not any(char.isdigit() for char in _bare(folded)):
        return NO_NUMBER
    if is_offline(folded):
        return OFFLINE
    if wrong := _of_work(section, folded):
        return wrong
    if is_of_a_tool(folded):
        return OF_A_TOOL
    if unmeasured(Check.PERFORMANCE, section):
        return UNMEASURED
    period = DATE.search(folded) or SPAN.search(folded) or _SPANNED.search(folded) or speaks_of("period", folded)
    return "" if period else NO_PERIOD


def _decisions(section: Section, folded: str) -> str:
    if undecided(section):
        return UNDECIDED
    if turns_down_nothing(section):
        return NOTHING_ELSE
    acts = any(phrases.first(folded) for phrases in _CHOOSES) or speaks_of("chosen", folded)
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
