"""The checks of what a record says: D02 to D08 and D12, each a pure function of what was read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from service.domain.audit import about, copies, examples, headings, sense
from service.domain.audit.advice import PARTS, advised
from service.domain.audit.answers import answers_in, answers_of, apart_of, own_of
from service.domain.audit.bearing import bearing_of
from service.domain.audit.cases import Case, Text
from service.domain.audit.fillers import filled
from service.domain.audit.languages import is_measured
from service.domain.audit.learned import taught_by_runs
from service.domain.audit.measured_checks import judge_data, judge_experiments, judge_performance
from service.domain.audit.newness import judge_new
from service.domain.audit.opinions import Question, caution_of, key_of, opinion_of
from service.domain.audit.outcome import Check, CheckFinding, Result, Weight
from service.domain.audit.phrases import (
    NO_MODEL,
)
from service.domain.audit.sections import Kind, Section, body_of
from service.domain.audit.subject import Subject
from service.domain.audit.traits import as_section
from service.domain.audit.vetoes import UNDECIDED, doubt, veto
from service.domain.audit.weighing import cautioned, doubted, unmeasured, weighed
from service.domain.audit.written_checks import GOAL_WORDS, judge_decisions, judge_goal, judge_next_steps, judge_risks

__all__ = ["TEXT_CHECKS", "Text", "questions", "read", "unsettled"]


def read(subject: Subject, signed: bool = False) -> Text:
    """The record's text, ready to be checked. Without a record, or with one whose text could not be read, it is empty;
    the checks then say so. Raises nothing, whatever people wrote."""
    found, own = answers_of(subject), own_of(subject)
    former = answers_in(subject.former, apart_of(subject)).own if subject.former else ""
    rules = subject.rules.sections
    copied = frozenset(key for key, one in found.sections.items() if examples.is_example(one, rules))
    told = frozenset(key for key, one in found.sections.items() if copies.is_copied(one))
    measured = is_measured(own)
    several = sum(not one.empty for one in found.sections.values()) >= about.FEWEST_SECTIONS
    of_model = not (measured and several) or about.is_about_a_model(found.own, taught_by_runs(subject))
    text = Text(found.sections, own, former, found.unanswered, signed, found.loose, measured, copied, told, of_model)
    if not measured or not subject.opinions.scores:
        return text
    asked_for = (one for key, one in found.sections.items() if one.title and key not in found.unanswered)
    said = sense.sense_of_record(subject.opinions, asked_for, whole(text) if found.loose else None)
    return replace(text, sense=said, signs=about.signs_of_a_model(found.own, taught_by_runs(subject)))


_ASKS: Mapping[Check, tuple[str, str, Callable[[Case], CheckFinding]]] = {
    Check.GOAL: (
        headings.GOAL,
        (
            "what this iteration is to find out or achieve, the measure it is judged by, and the value that would "
            f"prove it wrong; at least {GOAL_WORDS} words."
        ),
        judge_goal,
    ),
    Check.DATA: (
        headings.DATA,
        (
            "each dataset by its name with its version: a number, hash, date or link, as in "
            f'"{examples.DATA}". '
            "If no data was used, name what the model in question was trained on."
        ),
        judge_data,
    ),
    Check.EXPERIMENTS: (
        headings.EXPERIMENTS,
        (
            f'a measure as a number next to what it is compared with, as in "{examples.EXPERIMENTS}"; or links to '
            'the runs; or "no experiments, because ...".'
        ),
        judge_experiments,
    ),
    Check.DECISIONS: (
        headings.DECISIONS,
        (
            f'what was decided, why, and what was turned down, as in "{examples.DECISIONS}"; '
            'or "no decision, because ...".'
        ),
        judge_decisions,
    ),
    Check.PERFORMANCE: (
        headings.PERFORMANCE,
        f'a measure from production with its period and target, as in "{examples.PERFORMANCE}".',
        judge_performance,
    ),
    Check.RISKS: (
        headings.RISKS,
        'where the model fails, whom that could harm and what is done about it; or "none known", and have it signed.',
        judge_risks,
    ),
    Check.NEXT_STEPS: (
        headings.NEXT_STEPS,
        f'each step with the key of its ticket, as in "{examples.NEXT_STEPS}", or that it was dropped.',
        judge_next_steps,
    ),
    Check.NEW: ("", "what happened in this iteration.", judge_new),
}


def asked() -> tuple[str, ...]:
    """What findings say to write, check by check."""
    return tuple(ask for _, ask, _ in _ASKS.values())


def _check(check: Check) -> Callable[[Subject, Text], CheckFinding]:
    key, ask, look = _ASKS[check]

    def checked(subject: Subject, text: Text) -> CheckFinding:
        case = Case(check, key, ask, subject, text)
        hindered = case.hindered()
        if hindered is not None:
            return _not_yet(case) if hindered.result is Result.NOT_APPLICABLE else hindered
        found = case.settled(_judged(case, look))
        if check in about.CHECKS and not text.of_model and found.result in _RANKED:
            return doubted(replace(found, result=Result.PASS), about.NOT_OF_A_MODEL)
        why = sense.record_doubt(check, text.sense, text.signs)
        return doubted(found, why) if why else found

    return checked


def _judged(case: Case, look: Callable[[Case], CheckFinding]) -> CheckFinding:
    """What comes of a check where there is a text to look at. What is not there, or has no word of an answer, fails
    without a second opinion."""
    if not case.key:
        return weighed(look(case), opinion_of(case.subject.opinions, case.check, whole(case.text)), "", case.to_write)
    lacking = case.lacking()
    if lacking is None:
        return _weighed(case, look, case.section, placed=True)
    if case.section.title or lacking.result is not Result.FAIL:
        return lacking
    return _elsewhere(case, look) or lacking


def _weighed(case: Case, look: Callable[[Case], CheckFinding], section: Section, *, placed: bool) -> CheckFinding:
    score, against = opinion_of(case.subject.opinions, case.check, section, placed=placed), veto(case.check, section)
    read_by_rules, senseless = look(case), ""
    if case.text.measured or case.check in _OF_ANY_LANGUAGE or against == UNDECIDED:
        bearing = bearing_of(case.check, section, case.text.own)
        caution = cautioned(caution_of(case.subject.opinions, case.check, section))
        senseless = sense.section_doubt(case.check, section, case.subject.opinions, case.text.sense)
        against_words = doubt(case.check, section) or senseless or caution
        finding = weighed(read_by_rules, score, against, case.to_write, bearing, against_words)
    else:
        finding = unmeasured(read_by_rules, case.to_write)
    if not finding.evidence and finding.result is not Result.FAIL:
        finding = replace(finding, evidence=tuple(case.evidence(line) for line in section.lines[:1]))
    if case.check in sense.ASKED and (nothing := filled(section.plain)):
        return doubted(finding, nothing, case.to_write)
    if against or senseless or not placed:
        return finding  # what a rule speaks against, says nothing, or stands elsewhere, no model settles
    return advised(finding, section, case.subject.advice.get(key_of(case.check, section)))


_OF_ANY_LANGUAGE = (Check.NEXT_STEPS, Check.NEW)
"""Checks that rest on keys, links and what was copied or left in, whatever the language."""
_RANKED = (Result.PASS, Result.UNCLEAR)


def _elsewhere(case: Case, look: Callable[[Case], CheckFinding]) -> CheckFinding | None:
    """The best of what stands under none of the headings, where a section has none: a pass or unclear, None if nothing
    there reads like an answer."""
    best: CheckFinding | None = None
    for section in candidates(case.text, case.key):
        apart = replace(case, text=replace(case.text, sections={**case.text.sections, case.key: section}))
        if opinion_of(case.subject.opinions, case.check, section, placed=False) is None:
            continue  # what stands anywhere is nothing that the rules alone can place
        found = _weighed(apart, look, section, placed=False)
        if found.result in _RANKED and (best is None or _order(found) < _order(best)):
            best = _suggested(case, found, section)
    return best


def _order(finding: CheckFinding) -> tuple[int, float]:
    return _RANKED.index(finding.result), -(finding.confidence or 0.0)


def _suggested(case: Case, finding: CheckFinding, section: Section) -> CheckFinding:
    if not section.title:
        return finding
    asked = f'Is "{section.title}" your "{case.title}"? Then call it so, and it is found for sure.'
    return replace(
        finding,
        reason=f'{finding.reason} It stands under "{section.title}".',
        fix=" ".join(filter(None, (finding.fix, asked))),
    )


def whole(text: Text) -> Section:
    """All of a record that is its own, as one section."""
    return as_section(text.own)


_MOST_CANDIDATES = 40


def candidates(text: Text, key: str) -> list[Section]:
    """What may answer for a section that has no heading: all that stands under one heading that is not known, and each
    paragraph, list and table of it."""
    found = []
    for loose in text.loose:
        found.append(replace(loose, key=key))
        if len(loose.blocks) > 1:
            found += [body_of(key, loose.title, [block]) for block in loose.blocks if block.kind is not Kind.ITEM]
        found += [
            body_of(key, loose.title, [replace(block, text=line)])
            for block in loose.blocks
            if block.kind is Kind.PARAGRAPH and "\n" in block.text
            for line in block.text.split("\n")
        ]
    return [one for one in found if not one.empty][:_MOST_CANDIDATES]


def questions(subject: Subject) -> Iterator[Question]:
    """What the second opinion is asked about a record: each check about its section, or about all that may stand for
    one."""
    text = read(subject)
    for check, (key, _, _) in _ASKS.items():
        if subject.rules.weights.get(check, Weight.MAJOR) is Weight.OFF:
            continue
        if not key:
            yield Question(check, whole(text))
            continue
        section = text.sections.get(key)
        if section is None or key in text.unanswered:
            continue
        if section.title and not section.empty:
            yield Question(check, section)
        elif not section.title:
            yield from (Question(check, one, placed=False) for one in candidates(text, key))


def unsettled(subject: Subject) -> Iterator[Question]:
    """What of a record a language model may be asked about: sections that stand in their place and are unclear, with
    no rule against them."""
    text = read(subject)
    for question in questions(subject):
        section, check = question.section, question.check
        asked = question.placed and check in PARTS and not veto(check, section)
        if asked and TEXT_CHECKS[check](subject, text).result is Result.UNCLEAR:
            yield question


def _not_yet(case: Case) -> CheckFinding:
    """What is off; where the record says that no model is in production, in its words."""
    none = [line for line in case.section.lines if NO_MODEL.within(line)][:1]
    if case.check is Check.PERFORMANCE and none:
        return case.not_applicable(
            "No model is in production yet, as the record says; this phase asks for none.", *none
        )
    return case.not_applicable("This is not asked for in this phase.")


TEXT_CHECKS: Mapping[Check, Callable[[Subject, Text], CheckFinding]] = {check: _check(check) for check in _ASKS}
"""The check of each kind. What weighs OFF is not applicable; without a record a check fails; where its text could not
be read it is inconclusive."""
