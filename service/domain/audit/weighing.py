"""What the rules read in a text and what the second opinion says of it, put together: pass, fail, or unclear. Pure.

Who leads, and how far, was measured (docs/reference/audit.md, `make eval`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from service.domain.audit.bearing import Bearing
from service.domain.audit.cases import LOOK
from service.domain.audit.languages import NAMES
from service.domain.audit.outcome import Check, CheckFinding, Result, Weight
from service.domain.audit.vetoes import remedy, told_once

_LOW, _HIGH = 0.40, 0.60
"""The band around the middle in which the second opinion cannot tell: where structure does not settle it either, a
person should look, whatever the check. Chosen from one corpus to the other, of bands as wide on either side: it is the
widest with which no check's precision falls (docs/reference/audit.md, How good it is)."""


@dataclass(frozen=True, slots=True)
class Bar:
    """From which score on a check passes and up to which it fails, where the rules say otherwise (`against`) and where
    they agree. In between a person should look. `passes_concrete` is for what the rules let pass and is concrete,
    `passes_beside` for what may be about anything, whatever the rules say."""

    passes_against: float
    fails_against: float
    passes_with_rules: float = _HIGH
    fails_with_rules: float = _LOW
    passes_concrete: float = _HIGH
    passes_beside: float = 0.0

    def passes_from(self, bearing: Bearing, *, by_rules: bool) -> float:
        """The score from which on a text passes."""
        if by_rules and bearing is Bearing.CONCRETE:
            return min(self.passes_concrete, self.passes_with_rules)
        bar = self.passes_with_rules if by_rules else self.passes_against
        return max(bar, self.passes_beside) if bearing is Bearing.BESIDE else bar


_BARS: Mapping[Check, Bar] = {
    Check.GOAL: Bar(0.60, 0.20, passes_concrete=0.40, passes_beside=0.75),
    Check.DATA: Bar(0.65, 0.20),
    Check.EXPERIMENTS: Bar(0.65, 0.25),
    # Where the rules read decision, reason and alternative, and something concrete in them, no bad answer of either
    # corpus has a score between 0.18 and 0.67.
    Check.DECISIONS: Bar(0.60, 0.20, passes_concrete=0.30, passes_beside=0.75),
    Check.PERFORMANCE: Bar(0.65, 0.25),
    Check.RISKS: Bar(0.65, 0.25),
    # Keys, links and what was copied or left in are structure: they settle it.
    Check.NEXT_STEPS: Bar(1.01, 0.00, passes_with_rules=0.10, fails_with_rules=0.90),
    Check.NEW: Bar(1.01, 0.15, passes_with_rules=0.35, fails_with_rules=1.00),
}
_CAUTION = 0.25
"""Below this score of caution no text passes by words: a person should look. From one corpus to the other it makes
fewer than one in a hundred more unclear; of twelve bad answers in words that nothing was trained on it catches five."""
CAUTION = "It is worded like texts that leave open what is asked."
_VETOED = 0.90
"""From this score on, what is vetoed is looked at by a person."""
_RULES_ALONE = 0.8
"""How sure the rules are where they decide alone: a little less than the share that is right then (`make eval`)."""
_AT_LEAST = 0.6
"""How sure what the rules or a veto decide is at least, where the second opinion says otherwise."""


def weighed(
    finding: CheckFinding,
    score: float | None,
    veto: str = "",
    ask: str = "",
    bearing: Bearing = Bearing.PLAIN,
    doubt: str = "",
) -> CheckFinding:
    """A finding of the rules about a text that is there, as the second opinion and a veto leave it.

    Without a score the rules decide alone. A critical check never fails on wording alone: without a second opinion that
    agrees it is unclear. `ask` says what to write, for a finding that has no fix of its own. A finding
    that already says how sure it is rests on no wording. A `doubt` is why a text cannot pass by words alone: where it
    would, a person should look.
    """
    found = _decided(finding, score, veto, ask, bearing)
    return doubted(found, doubt, ask) if doubt and finding.confidence is None else found


def cautioned(score: float | None) -> str:
    """The doubt that a score of caution raises, as a sentence; empty where it raises none."""
    return CAUTION if score is not None and score < _CAUTION else ""


def doubted(finding: CheckFinding, doubt: str, ask: str = "") -> CheckFinding:
    """A finding as a doubt leaves it: where it would pass, a person should look."""
    if finding.result is not Result.PASS:
        return finding
    told = doubt[0].lower() + doubt[1:].rstrip(".")
    fix = LOOK.format(finding.check.value, remedy(doubt) or finding.fix or ask)
    sure = max(finding.confidence or _AT_LEAST, _AT_LEAST)
    reason = f"A person should look: {told}."
    return replace(finding, result=Result.UNCLEAR, reason=reason, fix=fix, confidence=sure)


def _decided(finding: CheckFinding, score: float | None, veto: str, ask: str, bearing: Bearing) -> CheckFinding:
    if finding.confidence is not None:
        return finding
    if score is None:
        return _alone(finding, veto, ask)
    bar, passes = _BARS[finding.check], finding.result is Result.PASS
    if veto:
        return _unclear(finding, score, ask) if score >= _VETOED and not passes else _fails(finding, score, veto, ask)
    if score >= bar.passes_from(bearing, by_rules=passes):
        return _passes(finding, score)
    if score <= (bar.fails_against if passes else bar.fails_with_rules):
        return _fails(finding, score, "", ask)
    return _unclear(finding, score, ask, bearing)


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
    sure = max(score, _AT_LEAST)
    if finding.result is Result.PASS:
        return replace(finding, confidence=sure)
    reason = "It reads like an answer to what is asked, in words that the rules do not know."
    return replace(finding, result=Result.PASS, reason=reason, fix="", confidence=sure)


def _fails(finding: CheckFinding, score: float, veto: str, ask: str) -> CheckFinding:
    sure = round(max(1 - score, _AT_LEAST), 3)
    if finding.result is Result.FAIL:
        told = told_once(veto, finding.reason)
        fix = finding.fix if told == finding.reason else remedy(veto) or finding.fix
        return replace(finding, reason=told, fix=fix, confidence=sure)
    reason = veto or "It has the words, but does not read like an answer to what is asked."
    fix = remedy(veto) or finding.fix or ask
    return replace(finding, result=Result.FAIL, reason=reason, fix=fix, confidence=sure)


def _unclear(finding: CheckFinding, score: float | None, ask: str, bearing: Bearing = Bearing.PLAIN) -> CheckFinding:
    if score is None:
        return _open(finding, "the rules alone cannot tell", 0.5, ask)
    if bearing is Bearing.BESIDE and finding.result is Result.PASS:
        return _open(finding, "it may not be about the model or its data", round(max(score, 1 - score), 3), ask)
    return _open(finding, _differs(finding, score), round(max(score, 1 - score), 3), ask)


def _differs(finding: CheckFinding, score: float) -> str:
    """Why the second opinion settles nothing, in words."""
    if _LOW < score < _HIGH:
        return "the second opinion cannot tell"
    likes = score >= _HIGH
    if likes is (finding.result is Result.PASS):
        return "the second opinion is not sure enough"
    return "the second opinion reads an answer" if likes else "the second opinion reads no answer"


def _open(finding: CheckFinding, told: str, confidence: float, ask: str) -> CheckFinding:
    """Unclear: what is `told` is why a person should look."""
    said = "The rules read an answer here" if finding.result is Result.PASS else finding.reason.rstrip(".")
    fix = LOOK.format(finding.check.value, finding.fix or ask)
    reason = f"A person should look: {told}. {said}."
    return replace(finding, result=Result.UNCLEAR, reason=reason, fix=fix, confidence=confidence)
