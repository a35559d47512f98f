"""Samples that can be drawn again: by a seed, from a population that is named. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from service.domain.audit.outcome import Audited, Check, Result

Place = tuple[int, Check]
"""A finding: the number of its iteration, and its check."""

LARGEST = 200
LONGEST_SEED = 40


def population(audited: Iterable[Audited], result: Result | None = None) -> list[Place]:
    """The findings that a sample is drawn from, in order: those with this result, or (None) all that say something."""
    return [
        (one.number, finding.check)
        for one in audited
        for finding in one.findings
        if (finding.result is result if result is not None else finding.result is not Result.NOT_APPLICABLE)
    ]


def sample(population: Iterable[Place], project: str, seed: str, size: int) -> list[Place]:
    """At most `size` of them, in their order: those whose SHA-256 of seed, project, iteration and check, as text with
    colons between them, comes first. So anybody can draw them again, and what is added later moves nothing that stays
    in."""
    among = list(population)

    def lot(place: Place) -> str:
        number, check = place
        return sha256(f"{seed}:{project}:{number}:{check.value}".encode()).hexdigest()

    drawn = set(sorted(among, key=lot)[:size])
    return [one for one in among if one in drawn]
