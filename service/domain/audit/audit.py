"""The audit of one iteration: all checks over what was read, the waivers, and the verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from connectors.records import Part
from service.domain.audit.deadlines import clock_of
from service.domain.audit.findings import failed, inconclusive, instant, not_applicable, sentence, weight_of
from service.domain.audit.outcome import (
    Audited,
    Check,
    CheckFinding,
    Confirmed,
    Evidence,
    Gate,
    Result,
    Waived,
    Weight,
    score_of,
    verdict_of,
)
from service.domain.audit.sign_off import confirmations_of, signing_of
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
    confirmed = confirmations_of(subject, signing) if signing is not None else {}
    findings = tuple(
        _waived(subject, _confirmed(subject, _finding(subject, check, text), confirmed)) for check in Check
    )
    clock = clock_of(subject.iteration.deadlines, subject.at)
    return Audited(
        number=subject.iteration.number,
        verdict=verdict_of(findings, clock),
        clock=clock,
        score=0 if subject.record.missing else score_of(findings),
        findings=findings,
        record=subject.record.key,
        changed_after_sign_off=signing is not None and bool(signing.changes),
        unclear_holds=subject.rules.unclear is Gate.BLOCK,
    )


def holding(audited: Audited) -> tuple[CheckFinding, ...]:
    """What keeps a gate closed, the worst first: what is lacking and can still be fixed. Being late is not among it:
    nobody can fix that, so it stays in the verdict and the loop continues. What is unclear is among it where the rules
    say so, until the signer confirms it."""
    lacking = tuple(one for one in audited.lacking if one.check is not Check.ON_TIME)
    return (*lacking, *audited.unclear) if audited.unclear_holds else lacking


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


def _confirmed(
    subject: Subject, finding: CheckFinding, confirmed: Mapping[Check, tuple[Confirmed, Evidence]]
) -> CheckFinding:
    """The finding as the signer's confirmation leaves it: what was unclear passes, with who says so as its evidence."""
    if finding.result is not Result.UNCLEAR or finding.check not in confirmed:
        return finding
    who, evidence = confirmed[finding.check]
    reason = f"{who.by} looked at it and confirmed it on {instant(subject, who.at)}. {finding.reason}"
    return replace(
        finding,
        result=Result.PASS,
        was=Result.UNCLEAR,
        reason=reason,
        fix="",
        evidence=(*finding.evidence, evidence),
        confirmed=who,
    )


def _waived(subject: Subject, finding: CheckFinding) -> CheckFinding:
    """The finding as a waiver leaves it. What passes needs none, and what was asked of nobody is not waived."""
    waiver = subject.waivers.get(finding.check)
    if waiver is None or finding.result not in (Result.FAIL, Result.UNCLEAR, Result.INCONCLUSIVE):
        return finding
    if waiver.until < subject.at.date():
        return replace(finding, reason=f"{finding.reason} {_ended(waiver)}")
    return replace(finding, result=Result.WAIVED, waived=waiver, was=finding.result)


def _ended(waiver: Waived) -> str:
    return f"The waiver of {sentence(waiver.by)} ended with {waiver.until}."
