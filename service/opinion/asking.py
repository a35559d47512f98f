"""Asks the second opinion about a record; the scores become part of what was read."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import lru_cache

from service.domain.audit.opinions import answered, caution_key, sense_key
from service.domain.audit.outcome import Check
from service.domain.audit.sense import ASKED
from service.domain.audit.subject import Opinions, Subject
from service.domain.audit.text_checks import questions
from service.domain.audit.version import by_rules_of_now, is_judged_now
from service.opinion.heads import Heads, absent, shipped

log = logging.getLogger(__name__)


def with_opinions(subject: Subject) -> Subject:
    """The subject with the second opinion on its record, by the heads that ship with phaseloop; as it is read now, by
    the rules of now. Without an encoder there are no scores, which is logged once."""
    heads = shipped()
    if heads is None:
        _say_once(absent())
    return opined(subject, heads)


def as_judged_now(subject: Subject) -> Subject:
    """A subject that was read before, as it is judged today: one that older rules judged has no second opinion yet."""
    return subject if is_judged_now(subject) else with_opinions(subject)


@lru_cache(maxsize=1)
def _say_once(said: str) -> None:
    log.warning("%s", said)


def opined(subject: Subject, heads: Heads | None, only: Check | None = None) -> Subject:
    """The subject with the second opinion of these heads on its record, on one check only where that is all that is
    asked."""
    if heads is None:
        return replace(by_rules_of_now(subject), opinions=Opinions())
    asked = (one for one in questions(subject) if only is None or one.check is only)
    found = answered(asked)
    scores = {key: heads.score(one.check, one.section, placed=one.placed) for key, one in found.items()}
    for one in found.values():
        if (caution := heads.caution(one.check, one.section)) is not None:
            scores[caution_key(one.check, one.section)] = caution
        if one.check in ASKED:
            scores[sense_key(one.section)] = heads.makes_sense(one.section)
    return replace(by_rules_of_now(subject), opinions=Opinions(heads.called, scores))
