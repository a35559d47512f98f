"""What the rules read in a text and what the second opinion says of it, put together: pass, fail, or unclear. Pure.

Who leads, and how far, was measured (docs/reference/audit.md, `make eval`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from service.domain.audit.languages import NAMES
from service.domain.audit.outcome import Check, CheckFinding, Result, Weight


@dataclass(frozen=True, slots=True)
class Bar:
    """From which score on a check passes and up to which it fails, where the rules agree (`with_rules`) and where they
    say otherwise (`against`). In between a person should look."""

    passes_with_rules: float
    passes_against: float
    fails_with_rules: float
    fails_against: float


_BARS: Mapping[Check, Bar] = {
    Check.GOAL: Bar(0.45, 0.55, 0.45, 0.20),
    Check.DATA: Bar(0.35, 0.65, 0.45, 0.20),
    Check.EXPERIMENTS: Bar(0.45, 0.65, 0.45, 0.25),
    # Where the rules read decision, reason and alternative, the highest score of a bad answer in the corpora but one is
    # 0.31 and the lowest of a good one 0.34.
    Check.DECISIONS: Bar(0.32, 0.60, 0.40, 0.20),
    Check.PERFORMANCE: Bar(0.40, 0.65, 0.40, 0.25),
    Check.RISKS: Bar(0.55, 0.65, 0.40, 0.25),
    Check.NEXT_STEPS: Bar(0.10, 1.01, 0.90, 0.00),
    Check.NEW: Bar(0.35, 1.01, 1.00, 0.15),
}
_VETOED = 0.90
"""From this score on, what is vetoed is looked at by a person."""
_RULES_ALONE = 0.6
"""How sure the rules are where they decide alone."""

LOOK = (
    "Have the signer look at it: if it is good, they confirm it with the comment `/approve {}`. Or make it plainer: {}"
)


def weighed(finding: CheckFinding, score: float | None, veto: str = "", ask: str = "") -> CheckFinding:
    """A finding of the rules about a text that is there, as the second opinion and a veto leave it.

    Without a score the rules decide alone. A critical check never fails on wording alone: without a second opinion that
    agrees it is unclear. `ask` says what to write, for a finding that has no fix of its own. A finding
    that already says how sure it is rests on no wording.
    """
    if finding.confidence is not None:
        return finding
    if score is None:
        return _alone(finding, veto, ask)
    bar, passes = _BARS[finding.check], finding.result is Result.PASS
    if veto:
        return _unclear(finding, score, ask) if score >= _VETOED and not passes else _fails(finding, score, veto, ask)
    if score >= (bar.passes_with_rules if passes else bar.passes_against):
        return _passes(finding, score)
    if score <= (bar.fails_against if passes else bar.fails_with_rules):
        return _fails(finding, score, "", ask)
    return _unclear(finding, score, ask)


def unmeasured(finding: CheckFinding, ask: str = "") -> CheckFinding:
    """A finding of the rules about a text in a language in which the judging is not measured: what rests on structure,
    numbers and links stands, and a person looks at the rest."""
    if finding.confidence is not None:
        return finding
    said = f"it is in a language other than {NAMES}, in which alone sentences are judged"
    return _open(finding, said, 0.5, ask)


def _alone(finding: CheckFinding, veto: str, ask: str) -> CheckFinding:
    if veto and finding.result is Result.PASS:
        finding = _fails(finding, 1 - _RULES_ALONE, veto, ask)
    if finding.result is Result.FAIL and finding.weight is Weight.CRITICAL and not veto:
        return _unclear(finding, None, ask)
    return replace(finding, confidence=_RULES_ALONE)


def _passes(finding: CheckFinding, score: float) -> CheckFinding:
    if finding.result is Result.PASS:
        return replace(finding, confidence=score)
    reason = (
        f"It reads like an answer to what is asked (second opinion {score:.2f}), in words that the rules do not know."
    )
    return replace(finding, result=Result.PASS, reason=reason, fix="", confidence=score)


def _fails(finding: CheckFinding, score: float, veto: str, ask: str) -> CheckFinding:
    sure = round(max(1 - score, _RULES_ALONE), 3)
    if finding.result is Result.FAIL:
        return replace(finding, reason=f"{veto} {finding.reason}" if veto else finding.reason, confidence=sure)
    reason = (
        veto or f"It has the words, but does not read like an answer to what is asked (second opinion {score:.2f})."
    )
    return replace(finding, result=Result.FAIL, reason=reason, fix=finding.fix or ask, confidence=sure)


def _unclear(finding: CheckFinding, score: float | None, ask: str) -> CheckFinding:
    if score is None:
        return _open(finding, "the rules alone cannot tell", 0.5, ask)
    return _open(finding, f"second opinion {score:.2f}", round(max(score, 1 - score), 3), ask)


def _open(finding: CheckFinding, told: str, confidence: float, ask: str) -> CheckFinding:
    """Unclear: what is `told` is why a person should look."""
    said = "The rules read an answer here" if finding.result is Result.PASS else finding.reason.rstrip(".")
    fix = LOOK.format(finding.check.value, finding.fix or ask)
    reason = f"A person should look: {told}. {said}."
    return replace(finding, result=Result.UNCLEAR, reason=reason, fix=fix, confidence=confidence)
