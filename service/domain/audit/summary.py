"""How audited iterations stand, in plain words: for the head of a report and the first page of a binder. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from service.domain.audit.outcome import Audited, Check, CheckFinding, Result, Verdict
from service.domain.english import counted

ADVISORY = "language model, advisory"
"""What the evidence is called that a language model gave."""
_FAILING = (Verdict.PARTLY, Verdict.UNDOCUMENTED)


def standing(audited: Sequence[Audited]) -> str:
    """How iterations stand, in a sentence: `5 of 6 iterations fail, all on D05`. Empty if none was looked at."""
    failing = [one for one in audited if one.verdict in _FAILING]
    open_ones = sum(1 for one in audited if one.unclear)
    look = f" In {open_ones} there is something for the signer to look at." if open_ones else ""
    if not audited:
        return ""
    if not failing:
        settled = sum(1 for one in audited if one.settled)
        of = counted(len(audited), "iteration is", "iterations are")
        return f"{settled} of {of} documented, none fails.{look}"
    lacking = Counter(finding.check.value for one in failing for finding in one.lacking)
    everywhere = [check for check, count in sorted(lacking.items()) if count == len(failing)]
    most = ", ".join(f"{check} ({count})" for check, count in lacking.most_common(3))
    why = f"all on {' and '.join(everywhere)}" if everywhere else f"mostly on {most}"
    verb = "fails" if len(failing) == 1 else "fail"
    return f"{len(failing)} of {counted(len(audited), 'iteration')} {verb}, {why}.{look}"


@dataclass(frozen=True, slots=True)
class Summary:
    """What the first page says of one iteration: what is lacking and what a person should look at, who signed it (empty
    for nobody), what a person confirmed and who, and what passes by the advice of a language model and which."""

    number: int
    verdict: Verdict
    lacking: tuple[Check, ...]
    unclear: tuple[Check, ...]
    signed: str
    confirmed: tuple[tuple[Check, str], ...]
    advised: tuple[tuple[Check, str], ...]


def summary_of(one: Audited) -> Summary:
    """What the first page says of an iteration."""
    signing = (found for found in one.findings if found.check is Check.SIGN_OFF and found.result is Result.PASS)
    signed = next((piece.by for found in signing for piece in found.evidence if piece.by), "")
    return Summary(
        one.number,
        one.verdict,
        tuple(found.check for found in one.lacking),
        tuple(found.check for found in one.unclear),
        signed,
        tuple((found.check, found.confirmed.by) for found in one.findings if found.confirmed is not None),
        tuple((found.check, by) for found in one.findings for by in _advisers(found)),
    )


def _advisers(found: CheckFinding) -> Iterable[str]:
    return dict.fromkeys(piece.by for piece in found.evidence if piece.source == ADVISORY)
