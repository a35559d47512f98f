"""Whether what is kept of an audit is what its evidence gives. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from service.domain.audit.audit import audit
from service.domain.audit.chain import digest
from service.domain.audit.forms import audited_from_json, audited_to_json
from service.domain.audit.outcome import Audited, Check, score_of, verdict_of
from service.domain.audit.subject import Subject, subject_from_json, subject_to_json
from service.domain.audit.text_checks import TEXT_CHECKS
from service.domain.audit.version import by_rules_of_now, is_judged_now, version_of

_FOUND = "found"
"""A reading holds the digest of what came of it: rules change, and what they found then stays provable."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An audit as it is kept outside the evidence: `result` as plain values, and what of it stands beside that."""

    verdict: str
    clock: str
    score: int
    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Compared:
    """What came of comparing one audit with its evidence, in words. `differences` are wrong; `note` is what older rules
    found, which stays as it was found. `again` is the audit by the rules of now, None where nothing can be computed."""

    differences: tuple[str, ...] = ()
    note: str = ""
    again: Audited | None = None


_CHANGED = (Check.ON_TIME,)
"""Checks beside those of texts that later rules judge otherwise: since version 3 one that was void
when the grace was over is none in D11."""


def body_of(subject: Subject, audited: Audited) -> dict[str, Any]:
    """A reading as it is sealed: what was read, and the digest of what was found."""
    return {**subject_to_json(subject), _FOUND: digest(audited_to_json(audited))}


def compared(number: int, kept: Kept | None, seq: int, body: Mapping[str, Any] | None) -> Compared:
    """Compare what is kept of an iteration's audit with its newest reading, which is entry `seq`; None: there is none.
    Raises nothing."""
    if body is None:
        return Compared((f"iteration {number}: what was read of it is missing",))
    try:
        subject = subject_from_json(body)
    except ValueError:
        return Compared((f"entry {seq} is not what was read of an iteration",))
    again = audit(subject)
    if kept is None:
        return Compared((f"iteration {number}: what came of it is missing",), again=again)
    if is_judged_now(subject):
        return Compared(tuple(_from_now(number, kept, body, again)), again=again)
    differences = tuple(_from_then(number, kept, body, subject, again))
    return Compared(differences, "" if differences else _older(number, subject, kept, again), again)


def _from_now(number: int, kept: Kept, body: Mapping[str, Any], again: Audited) -> Iterator[str]:
    """Where the rules are those of the evidence: all of it comes out again."""
    if (kept.verdict, kept.clock, kept.score) != (again.verdict.value, again.clock.value, again.score):
        yield f"iteration {number} is {again.verdict.value} by its evidence, and {kept.verdict} is kept"
    said = {one.get("check"): one for one in kept.result.get("findings", ())}
    for finding in audited_to_json(again)["findings"]:
        there = said.get(finding["check"], {})
        if there != finding:
            words = f"{finding['result']} by its evidence, and {there.get('result', 'nothing')} is kept"
            if there.get("result") == finding["result"]:
                words = "the same by its evidence, and for another reason"
            yield f"iteration {number}, {finding['check']}: {words}"


def _from_then(number: int, kept: Kept, body: Mapping[str, Any], subject: Subject, again: Audited) -> Iterator[str]:
    """Where the evidence was judged by older rules: what is kept is what was sealed with it. Evidence from before
    verdicts were sealed bears out what rests on no wording, and a verdict that follows from the findings."""
    try:
        then = audited_from_json(kept.result)
    except ValueError:
        yield f"iteration {number}: what is kept of it is no audit"
        return
    if (kept.verdict, kept.clock, kept.score) != (then.verdict.value, then.clock.value, then.score):
        yield f"iteration {number} is {then.verdict.value} by its findings, and {kept.verdict} is kept"
    if _FOUND in body:
        if body[_FOUND] != digest(dict(kept.result)):
            yield f"iteration {number}: what is kept of it is not what was found when its evidence was sealed"
        return
    follows = verdict_of(then.findings, again.clock)
    score = 0 if subject.record.missing else score_of(then.findings)
    if (then.verdict, then.clock, then.score) != (follows, again.clock, score):
        yield f"iteration {number} is {follows.value} by the findings that are kept, and {then.verdict.value} is kept"
    said = {one.check: one.result for one in then.findings}
    for one in again.findings:
        if one.check not in (*TEXT_CHECKS, *_CHANGED) and said.get(one.check) is not one.result:
            there = said[one.check].value if one.check in said else "nothing"
            yield f"iteration {number}, {one.check.value}: {one.result.value} by its evidence, and {there} is kept"


def _older(number: int, subject: Subject, kept: Kept, again: Audited) -> str:
    then = {one.get("check"): one.get("result") for one in kept.result.get("findings", ())}
    other = [
        f"{one.check.value} ({then.get(one.check.value, 'nothing')} then, {one.result.value} now)"
        for one in again.findings
        if then.get(one.check.value) != one.result.value
    ]
    said = (
        f" The rules of now, version {version_of(by_rules_of_now(subject))}, differ on {', '.join(other)}."
        if other
        else ""
    )
    return (
        f"iteration {number} was judged by the rules of version {version_of(subject)} and found {kept.verdict}, which "
        f"stays as it was found.{said}"
    )
