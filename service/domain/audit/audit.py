"""The audit of one iteration: all checks over what was read, the waivers, and the verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from connectors.records import Part
from service.domain.audit.deadlines import clock_of
from service.domain.audit.findings import failed, inconclusive, not_applicable, sentence, weight_of
from service.domain.audit.outcome import (
    Audited,
    Check,
    CheckFinding,
    Result,
    Waived,
    Weight,
    score_of,
    verdict_of,
)
from service.domain.audit.sign_off import signing_of
from service.domain.audit.structure_checks import OTHER_CHECKS, RECORD_CHECKS
from service.domain.audit.subject import Subject
from service.domain.audit.text_checks import TEXT_CHECKS, Text, read

_DECIDING = (Weight.CRITICAL, Weight.MAJOR)


def audit(subject: Subject) -> Audited:
    """What is to be said of this iteration, always the same for the same subject. Never raises.

    There is a finding for every check, in their order. What could not be read is inconclusive. A waiver holds until the
    end of its day in the time zone of `subject.at`, which is that of the project, and changes no other check.
    """
    document = subject.record.document
    signing = signing_of(subject, document) if document is not None else None
    text = read(subject, signing is not None and signing.stands)
    findings = tuple(_waived(subject, _finding(subject, check, text)) for check in Check)
    clock = clock_of(subject.iteration.deadlines, subject.at)
    return Audited(
        number=subject.iteration.number,
        verdict=verdict_of(findings, clock),
        clock=clock,
        score=0 if subject.record.missing else score_of(findings),
        findings=findings,
        record=subject.record.key,
        changed_after_sign_off=signing is not None and bool(signing.changes),
    )


def holding(audited: Audited) -> tuple[CheckFinding, ...]:
    """What keeps a gate closed, the worst first: what is lacking and can still be mended. Being late is not among it:
    nobody can mend that, so it stays in the verdict and the loop goes on."""
    return tuple(one for one in audited.lacking if one.check is not Check.ON_TIME)


def _finding(subject: Subject, check: Check, text: Text) -> CheckFinding:
    if weight_of(subject, check) is Weight.OFF:
        return not_applicable(subject, check, "This check is off for this phase.")
    if check in OTHER_CHECKS:
        return OTHER_CHECKS[check](subject)
    document = subject.record.document
    if document is None:
        return _without_record(subject, check)
    if check in RECORD_CHECKS:
        return RECORD_CHECKS[check](subject)
    if Part.TEXT in document.unread:
        return inconclusive(subject, check, "The text of the record could not be read.")
    of_text: Callable[[Subject, Text], CheckFinding] = TEXT_CHECKS[check]
    return of_text(subject, text)


def _without_record(subject: Subject, check: Check) -> CheckFinding:
    """A check of a record that is not there. That it is not there is told once, by D01, where that decides anything."""
    if subject.record.unread:
        reason = f"The record could not be looked at: {sentence(subject.record.unread)}."
        return inconclusive(subject, check, reason)
    if weight_of(subject, Check.RECORD) in _DECIDING:
        return not_applicable(subject, check, "There is no record to look at; see D01.")
    return failed(subject, check, "There is no record to look at.", "Write the record of this iteration.")


def _waived(subject: Subject, finding: CheckFinding) -> CheckFinding:
    """The finding as a waiver leaves it. What passes needs none, and what was asked of nobody is not let pass."""
    waiver = subject.waivers.get(finding.check)
    if waiver is None or finding.result not in (Result.FAIL, Result.INCONCLUSIVE):
        return finding
    if waiver.until < subject.at.date():
        return replace(finding, reason=f"{finding.reason} {_ended(waiver)}")
    return replace(finding, result=Result.WAIVED, waived=waiver, was=finding.result)


def _ended(waiver: Waived) -> str:
    return f"The waiver of {sentence(waiver.by)} ended with {waiver.until}."
