"""What an iteration that is not documented does to the advance that closes it: hold it, be carried along as a debt, or
nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from connectors.port import Tracker
from connectors.values import Finding, Place, Severity
from service.context import Context
from service.domain.audit.audit import holding
from service.domain.audit.outcome import Audited, Gate, GateAnswer, Verdict
from service.domain.commands import typed
from service.domain.loop.course import phase_of
from service.domain.loop.turnover import record_key
from service.usecases.plan.project_state import Material

Ask = Callable[[Context, Material, Tracker, int, Place], GateAnswer]
"""Look at the records of this iteration and of those before it, and say whether the advance that closes it may
continue."""

UNDOCUMENTED = "undocumented"
"""The code of a finding about an iteration that is not documented: as an ERROR it holds the advance, as a WARNING it is
a debt that goes along."""

UNREAD = "records-unread"
"""The code of a finding that says that records could not be looked at."""


def counts(answer: GateAnswer | None) -> bool:
    """Whether what is in the records counts when an iteration is closed, and not just that their tickets are done."""
    return answer is not None and answer.policy is not Gate.OFF


def findings(ours: Material, answer: GateAnswer | None, *, let_through: bool = False) -> Iterator[Finding]:
    """What is to be said of the records when an iteration is closed. `let_through`: an earlier attempt of the same
    advance was not held, so neither is this one, which may have closed the iteration already."""
    if answer is None or not counts(answer):
        return
    holds = answer.policy is Gate.BLOCK and not let_through
    severity = Severity.ERROR if holds else Severity.WARNING
    for audited, words in zip(answer.audited, answer.lacking, strict=True):
        said = (
            "The advance is held until this is documented"
            if holds
            else "This is not documented, and continues all the same"
        )
        message = f"{said}: {words}."
        subject = audited.record or record_key(audited.number)
        yield Finding(severity, UNDOCUMENTED, message, _fix(ours, audited), subject)
    if answer.unknown:
        message = f"Whether everything is documented could not be found out: {answer.unknown}"
        fix = "See that the records can be read."
        fix += " The advance then resumes automatically." if holds else " The advance continued all the same."
        yield Finding(severity, UNREAD, message, fix, ours.project.key)


def keeping(ours: Material, answer: GateAnswer | None) -> tuple[str, ...]:
    """What keeps the phase from its exit, in words: where that asks for the record, those of this phase that are late.
    One that is not late yet keeps nothing."""
    if answer is None or not counts(answer) or not ours.begun:
        return ()
    stage = ours.begun[-1].stage
    if not phase_of(ours.template, stage.phase).exit.record:
        return ()
    same = {one.number for one in ours.begun if (one.stage.phase, one.stage.loop) == (stage.phase, stage.loop)}
    return tuple(
        words
        for audited, words in zip(answer.audited, answer.lacking, strict=True)
        if audited.number in same and audited.verdict is not Verdict.PENDING
    )


def _fix(ours: Material, audited: Audited) -> str:
    """How to fix what is worst, where the rest is told, and what to do where that cannot be fixed."""
    key = typed(ours.project.key)
    fix = next((" ".join(one.fix.split()) for one in holding(audited) if one.fix), "")
    first = fix if not fix or fix[-1] in ".!?" else f"{fix}."
    rest = f"What else is lacking, and how to fix it, is in: phaseloop audit report {key}."
    check = typed(next((one.check.value for one in holding(audited) if one.fix), "CHECK"))
    number = typed(audited.number)
    waive = (
        f"To waive it, for a reason and a time: phaseloop audit waive {key} {check} --iteration {number} "
        "--reason REASON --until YYYY-MM-DD"
    )
    return f"{first} {rest} {waive}".strip()
