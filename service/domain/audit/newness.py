"""D12: whether a record is this iteration's own, and no copy, prompt or unfilled form. Pure."""

from __future__ import annotations

import re
from dataclasses import replace

from service.domain.audit import headings
from service.domain.audit.cases import Case, Text
from service.domain.audit.copies import copied_in
from service.domain.audit.examples import examples_in
from service.domain.audit.outcome import Check, CheckFinding, Weight
from service.domain.audit.prose import count, likeness, short

COPIED = 0.9
"""From this likeness on, a record is a copy of the one before it."""
_NEW_WORDS = 20
"""The fewest words of a record that can be a copy: shorter ones are alike by chance."""
_UNCOUNTED = (headings.LINKS, headings.SIGN_OFF)
"""Sections whose prompt may stay: other checks look at links and signatures wherever they are."""

_SECTIONS = {
    headings.GOAL: Check.GOAL,
    headings.DATA: Check.DATA,
    headings.EXPERIMENTS: Check.EXPERIMENTS,
    headings.DECISIONS: Check.DECISIONS,
    headings.PERFORMANCE: Check.PERFORMANCE,
    headings.RISKS: Check.RISKS,
    headings.NEXT_STEPS: Check.NEXT_STEPS,
}


def judge_new(case: Case) -> CheckFinding:
    """Whether a record is this iteration's own."""
    text, rules = case.text, case.subject.rules
    off = {key for key, check in _SECTIONS.items() if rules.weights.get(check, Weight.MAJOR) is Weight.OFF}
    if not count(text.own):
        fix = "Fill in the record: every section under its heading."
        return case.failed("Nothing stands in the record beyond what was there from the start.", fix=fix)
    reasons, fixes, evidence = [], [], []
    alike = likeness(text.own, text.former) if count(text.own) >= _NEW_WORDS else 0.0
    if said := _copied(text, alike):
        reasons.append(said)
        fixes.append("Write what happened in this iteration.")
        evidence.append(case.evidence(text.own, headings.GOAL))
    left = [key for key in text.unanswered if key not in off and key not in _UNCOUNTED]
    if left:
        titles = ", ".join(f'"{case.title_of(key)}"' for key in left)
        reasons.append(f"Only the prompt stands under {titles}.")
        fixes.append(f"Answer the prompt under {titles}.")
    copied = [
        (key, line)
        for key, section in (*text.sections.items(), *(("", one) for one in text.loose))
        if key not in off
        for line in (*examples_in(section, rules.sections), *copied_in(section))
    ]
    if copied:
        reasons.append("An example or a sentence of phaseloop, or one of a prompt, stands as an answer.")
        fixes.append(f'Write what this team did instead of "{short(copied[0][1])}".')
        evidence += [case.evidence(line, key or headings.GOAL) for key, line in copied[:3]]
    unfilled = [(key, line) for key, line in case.unfilled() if key != headings.SIGN_OFF and key not in off]
    if unfilled:
        titles = ", ".join(dict.fromkeys(f'"{case.title_of(key)}"' for key, _ in unfilled))
        reasons.append(f"Something stands where an answer should be, under {titles}.")
        fixes.append(f'Replace "{short(unfilled[0][1])}" under {titles} by the answer.')
        evidence += [case.evidence(line, key) for key, line in unfilled[:3]]
    if reasons:
        return replace(case.failed(" ".join(reasons), fix=" ".join(fixes)), evidence=tuple(evidence))
    against = f" {alike:.0%} of its words are as in the record before it." if text.former else ""
    return case.passed(f"The text is this iteration's own.{against}")


_FACT = re.compile(r"(?<![\w.,/%-])[\w.,/%-]*?\d[\w.,/%-]*")
_FACTS_TELL, _MOSTLY, _REWORDED = 6, 0.5, 0.5
"""From so many numbers, dates and keys on they tell whether a record is new; the share of them that makes one new; and
how alike two texts are at least of which one is the other in other words."""


def _copied(text: Text, alike: float) -> str:
    """Why a record is a copy of the one before it, in words; empty where it is none. Numbers, dates and keys tell more
    than words: a form that is filled in anew is alike in words and says something else."""
    facts, before = set(_FACT.findall(text.own)), set(_FACT.findall(text.former))
    told = len(facts) >= _FACTS_TELL
    if alike >= COPIED and not (told and len(facts - before) >= _MOSTLY * len(facts)):
        return f"The text is that of the record before it: {alike:.0%} of its words are the same."
    if told and alike >= _REWORDED and facts <= before:
        return f"All its {len(facts)} numbers, dates and keys are those of the record before it."
    return ""
