"""Asks the second opinion about a record; the scores become part of what was read."""

from __future__ import annotations

from dataclasses import replace

from service.domain.audit.opinions import answered
from service.domain.audit.outcome import Check
from service.domain.audit.subject import JUDGED_BY, Opinions, Subject
from service.domain.audit.text_checks import questions
from service.opinion.heads import Heads, shipped

NAME = "heads 1"
"""What the scores are by, beside the encoder's name."""


def with_opinions(subject: Subject) -> Subject:
    """The subject with the second opinion on its record, by the heads that ship with phaseloop; as it is read now, by
    the rules of now. Without an encoder there are no scores."""
    return opined(subject, shipped())


def as_judged_now(subject: Subject) -> Subject:
    """A subject that was read before, as it is judged today: one that older rules judged has no second opinion yet."""
    return subject if subject.judged_by == JUDGED_BY else with_opinions(subject)


def opined(subject: Subject, heads: Heads | None, only: Check | None = None) -> Subject:
    """The subject with the second opinion of these heads on its record, on one check only where that is all that is
    asked."""
    if heads is None:
        return replace(subject, judged_by=JUDGED_BY, opinions=Opinions())
    asked = (one for one in questions(subject) if only is None or one.check is only)
    scores = {key: heads.score(one.check, one.section, placed=one.placed) for key, one in answered(asked).items()}
    return replace(subject, judged_by=JUDGED_BY, opinions=Opinions(f"{heads.encoder}, {NAME}", scores))
