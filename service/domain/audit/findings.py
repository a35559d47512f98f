"""How the results of checks are put: one way to write a pass, a fail and the like, and the words in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import MAXYEAR, MINYEAR, datetime, timedelta, timezone

from service.domain.audit.outcome import Check, CheckFinding, Evidence, Result, Weight
from service.domain.audit.prose import clip, plain
from service.domain.audit.subject import Subject

_SHOWN = 5
"""How many of many things are named in a reason."""


def weight_of(subject: Subject, check: Check) -> Weight:
    """What the check weighs for this iteration; one that the rules do not name is off."""
    return subject.rules.weights.get(check, Weight.OFF)


def passed(
    subject: Subject, check: Check, reason: str, *evidence: Evidence, share: float | None = None
) -> CheckFinding:
    """The check passes, and what for."""
    return CheckFinding(check, weight_of(subject, check), Result.PASS, reason, evidence, share=share)


def failed(
    subject: Subject, check: Check, reason: str, fix: str, *evidence: Evidence, share: float | None = None
) -> CheckFinding:
    """The check fails; `fix` says what people do about it."""
    return CheckFinding(check, weight_of(subject, check), Result.FAIL, reason, evidence, fix, share=share)


def not_applicable(subject: Subject, check: Check, reason: str, *evidence: Evidence) -> CheckFinding:
    """The check asks for nothing here, and why."""
    return CheckFinding(check, weight_of(subject, check), Result.NOT_APPLICABLE, reason, evidence)


def inconclusive(
    subject: Subject, check: Check, reason: str, *evidence: Evidence, share: float | None = None
) -> CheckFinding:
    """What decides it could not be read: neither a pass nor a fail."""
    fix = "Nothing, if this was for a moment: it is looked at again. Else let phaseloop's account read the ticket."
    return CheckFinding(check, weight_of(subject, check), Result.INCONCLUSIVE, reason, evidence, fix, share=share)


def quoted(text: str) -> str:
    """What somebody wrote, as a quotation: plain, on one line, cut where it is long."""
    return clip(plain(text[:2000]))


def quoted_address(url: str) -> str:
    """An address as it stands there, to be read and not followed."""
    return clip("".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in url[:400]))


def instant(subject: Subject, at: datetime) -> str:
    """An instant as people read it, on the project's clock as it goes when the record is due: by its offset, so that it
    reads the same when the audit is computed again."""
    zone = timezone(subject.iteration.deadlines.late.utcoffset() or timedelta())
    local = at.astimezone(zone) if MINYEAR < at.year < MAXYEAR else at
    return f"{local:%Y-%m-%d %H:%M} {local.tzinfo}"


def listed(words: Sequence[str]) -> str:
    """Some words in a sentence: `a, b and c`, or the first of many."""
    if len(words) > _SHOWN:
        return f"{', '.join(words[:_SHOWN])} and {len(words) - _SHOWN} more"
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def sentence(text: str) -> str:
    """Words of others as the end of a sentence: on one line, without the full stop."""
    return clip(text).rstrip(".")
