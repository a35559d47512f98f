"""By which version of the rules a record is judged: a number that goes up when the rules judge otherwise, and the
digest of the words that they know. Both are part of the evidence. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import lru_cache
from importlib.resources import files
from typing import Final

from service.domain.audit.subject import Subject

JUDGED_BY: Final = 6
"""The version of the rules. 1 were phrases alone, without a second opinion and without `unclear`; 2 had no band in
which the second opinion cannot tell, and knew no indecision, no examples and no copies; 3 let decisions that are
tentative or conditional, numbers that nobody measured and records of no model pass where the second opinion did; 4 did
not ask whether a text that passes is worded like those that leave things open; 5 did not ask whether a record reads
like work on a model at all, nor whether its words are words."""

DATA: Final = ("languages.toml", "phrases.toml", "told.txt", "vocabulary.toml")
"""What the rules know as data. Who changes it has the digest change, and with it the version."""


@lru_cache(maxsize=1)
def data_digest() -> str:
    """The digest of the data of the rules, short."""
    seal = hashlib.sha256()
    for name in DATA:
        seal.update(files("service.domain.audit").joinpath(name).read_bytes())
    return seal.hexdigest()[:12]


def by_rules_of_now(subject: Subject) -> Subject:
    """The subject as one that the rules of now judge."""
    return replace(subject, judged_by=JUDGED_BY, judged_with=data_digest())


def is_judged_now(subject: Subject) -> bool:
    """Whether the rules of now are those by which it was judged."""
    return (subject.judged_by, subject.judged_with) == (JUDGED_BY, data_digest())


def version_of(subject: Subject) -> str:
    """The version of the rules by which a subject was judged, for people: `3`, or `3 (words 0123456789ab)`."""
    return f"{subject.judged_by} (words {subject.judged_with})" if subject.judged_with else str(subject.judged_by)
