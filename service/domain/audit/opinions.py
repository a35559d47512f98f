"""The second opinion on a record's text, which questions it is asked. Pure; who answers them is `service.opinion`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from service.domain.audit.outcome import Check
from service.domain.audit.sections import Section
from service.domain.audit.subject import Opinions


@dataclass(frozen=True, slots=True)
class Question:
    """Whether a section answers what a check asks; `placed`: it stands under the heading that asks for it. If not,
    it is also asked whether it belongs there."""

    check: Check
    section: Section
    placed: bool = True

    @property
    def key(self) -> str:
        """The name of the question: the check, and the digest of the text."""
        return key_of(self.check, self.section, placed=self.placed)


def key_of(check: Check, section: Section, *, placed: bool = True) -> str:
    """The name of a question: the check, whether the text stands under its heading, and the digest of the text."""
    return f"{check.value}{'' if placed else '?'}:{_digest(section)}"


def caution_key(check: Check, section: Section) -> str:
    """The name of the other question about a text: whether it still passes with those who know how texts get past."""
    return f"{check.value}!:{_digest(section)}"


def sense_key(section: Section) -> str:
    """The name of the question whether a text reads like work on a model, whatever it is to answer."""
    return f"sense:{_digest(section)}"


def _digest(section: Section) -> str:
    return hashlib.sha256(section.text.encode(errors="surrogatepass")).hexdigest()[:16]


def answered(questions: Iterator[Question]) -> Mapping[str, Question]:
    """The questions by their keys, each once."""
    return {one.key: one for one in questions}


def opinion_of(opinions: Opinions, check: Check, section: Section, *, placed: bool = True) -> float | None:
    """How sure the second opinion is that a section answers a check; None where it was not asked."""
    return opinions.scores.get(key_of(check, section, placed=placed))


def caution_of(opinions: Opinions, check: Check, section: Section) -> float | None:
    """How sure it is beside what is known of texts that only sound like an answer; None where it was not asked."""
    return opinions.scores.get(caution_key(check, section))


def sense_of(opinions: Opinions, section: Section) -> float | None:
    """How sure it is that a text reads like work on a model; None where it was not asked."""
    return opinions.scores.get(sense_key(section))
