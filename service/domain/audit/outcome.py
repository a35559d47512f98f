"""What an audit says: the result of each check with its reason and evidence, and the verdict on an iteration."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from connectors.values import ItemKey


class Check(StrEnum):
    """The checks, by their lasting names; what each asks is in `docs/reference/audit.md`."""

    RECORD = "D01"
    GOAL = "D02"
    DATA = "D03"
    EXPERIMENTS = "D04"
    DECISIONS = "D05"
    PERFORMANCE = "D06"
    RISKS = "D07"
    NEXT_STEPS = "D08"
    LINKS = "D09"
    SIGN_OFF = "D10"
    ON_TIME = "D11"
    NEW = "D12"
    DELIVERABLES = "D13"
    RETROSPECTIVE = "D14"
    DONE_TICKETS = "D15"


class Weight(StrEnum):
    """How much a check matters; an iteration's verdict comes from the worst that failed."""

    CRITICAL = "critical"
    MAJOR = "major"
    MINOR = "minor"
    OFF = "off"


class Result(StrEnum):
    """What came of a check. INCONCLUSIVE: we could not look, which is neither a pass nor a fail."""

    PASS = "pass"
    FAIL = "fail"
    NOT_APPLICABLE = "not_applicable"
    UNCLEAR = "unclear"
    """The text was read, and can be understood either way: a person should look."""
    WAIVED = "waived"
    INCONCLUSIVE = "inconclusive"


class Verdict(StrEnum):
    """Whether an iteration is documented."""

    DOCUMENTED = "documented"
    """No critical and no major check failed."""
    PARTLY = "partly"
    """A major check failed."""
    UNDOCUMENTED = "undocumented"
    """A critical check failed."""
    UNCLEAR = "unclear"
    """Nothing failed that decides, and what is unclear could: a person should look."""
    PENDING = "pending"
    """Something is lacking, and it is not due yet."""
    UNKNOWN = "unknown"
    """What decides it could not be read."""


class Clock(StrEnum):
    """How an iteration stands to the time when its record is due, in the order in which these come."""

    UPCOMING = "upcoming"
    DUE_SOON = "due soon"
    DUE = "due"
    IN_GRACE = "in grace"
    OVERDUE = "overdue"
    ESCALATED = "escalated"


class Gate(StrEnum):
    """What an iteration that is not documented does to the advance that closes it."""

    BLOCK = "block"
    """The advance is held until it is documented or waived."""
    WARN = "warn"
    """The loop continues and carries the debt."""
    OFF = "off"
    """Nothing is audited by the clock."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a finding rests on. `quote` is at most 200 characters of what was read, as plain text; `source` says where
    it was (`section Data used`, `comment`, `link`, `attachment`, `checklist`, `history`, `ticket ML-12`); `by` is a
    person's name as known to the team or the tracker; `digest` is that of the text it was read from."""

    source: str
    quote: str = ""
    url: str = ""
    by: str = ""
    at: datetime | None = None
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Waived:
    """That a person lets a check pass: who, why, and until which day (included). `reason` says why."""

    by: str
    reason: str
    until: date
    at: datetime


@dataclass(frozen=True, slots=True)
class Confirmed:
    """That the signer looked at what was unclear and found it good: who, and when."""

    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CheckFinding:
    """The result of one check on one iteration: why, what it rests on, and how to fix it (`fix`, empty for a pass).

    `share` is given for checks that are told as a share, from 0 to 1 (done tickets with evidence). `was` is the result
    without the waiver or the confirmation, where it was waived or confirmed. `confidence`, from 0 to 1, is how sure the
    result is, None where no text was judged. `confirmed` is who looked at what was unclear, and when.
    """

    check: Check
    weight: Weight
    result: Result
    reason: str
    evidence: tuple[Evidence, ...] = ()
    fix: str = ""
    waived: Waived | None = None
    was: Result | None = None
    share: float | None = None
    confidence: float | None = None
    confirmed: Confirmed | None = None

    @property
    def close_call(self) -> bool:
        """Whether a text passed or failed only just. People are told this instead of a number."""
        decided = self.result in (Result.PASS, Result.FAIL) and self.confirmed is None
        return decided and self.confidence is not None and self.confidence < _CLOSE

    @property
    def is_near(self) -> bool:
        """Whether little would turn the result: a close call, or unclear where the second opinion leans to neither
        side. What is unclear for a reason of its own (a doubt, a rule against it) is not near."""
        leaning = self.confidence is not None and self.confidence >= _CLOSE
        return self.close_call or (self.result is Result.UNCLEAR and not leaning)


_CLOSE = 0.75
"""Below this confidence a result is a close call."""


@dataclass(frozen=True, slots=True)
class Audited:
    """One iteration, audited. `score` is 0 to 100, for trends only: the verdict comes from the worst check.
    `unclear_holds`: the rules have an advance held by what is unclear, too."""

    number: int
    verdict: Verdict
    clock: Clock
    score: int
    findings: tuple[CheckFinding, ...]
    record: ItemKey | None = None
    changed_after_sign_off: bool = False
    unclear_holds: bool = False

    @property
    def lacking(self) -> tuple[CheckFinding, ...]:
        """The critical and major checks that failed, the worst first."""
        failed = [one for one in self.findings if one.result is Result.FAIL and one.weight in _DECIDING]
        return tuple(sorted(failed, key=lambda one: (_DECIDING.index(one.weight), one.check.value)))

    @property
    def unclear(self) -> tuple[CheckFinding, ...]:
        """The critical and major checks that a person should look at, the worst first."""
        found = [one for one in self.findings if one.result is Result.UNCLEAR and one.weight in _DECIDING]
        return tuple(sorted(found, key=lambda one: (_DECIDING.index(one.weight), one.check.value)))

    @property
    def settled(self) -> bool:
        """Whether nothing is lacking: documented, by what was written or by a waiver."""
        return self.verdict is Verdict.DOCUMENTED


_DECIDING = (Weight.CRITICAL, Weight.MAJOR)
_MOST_UNCLEAR = 2
"""So many unclear major checks let a record be documented; with more, it is not known to be."""
_PARTS = {Weight.CRITICAL: 5, Weight.MAJOR: 3, Weight.MINOR: 1}


def verdict_of(findings: Iterable[CheckFinding], clock: Clock) -> Verdict:
    """The verdict from the worst check. What fails before the grace is over makes it PENDING, but for nothing else: a
    record that is complete before its time is documented. What could not be read makes it UNKNOWN, unless what was
    read decides it anyway. A waived check lets pass. What is unclear fails nothing; a critical check
    that is, or more than two others, make the whole UNCLEAR."""
    counted = [one for one in findings if one.weight in _DECIDING]
    failed = {one.weight for one in counted if one.result is Result.FAIL}
    unknown = {one.weight for one in counted if one.result is Result.INCONCLUSIVE}
    late = clock in (Clock.OVERDUE, Clock.ESCALATED)
    if failed and not late:
        return Verdict.PENDING
    certain = _worst(failed)
    if _worst(failed | unknown) is not certain:
        return Verdict.UNKNOWN
    return Verdict.UNCLEAR if certain is Verdict.DOCUMENTED and _is_open(counted) else certain


def _is_open(counted: Iterable[CheckFinding]) -> bool:
    """Whether what is unclear is enough to doubt the whole: a critical check, or more than a few others."""
    unclear = [one.weight for one in counted if one.result is Result.UNCLEAR]
    return Weight.CRITICAL in unclear or len(unclear) > _MOST_UNCLEAR


def _worst(failed: Collection[Weight]) -> Verdict:
    if Weight.CRITICAL in failed:
        return Verdict.UNDOCUMENTED
    return Verdict.PARTLY if failed else Verdict.DOCUMENTED


def score_of(findings: Iterable[CheckFinding]) -> int:
    """0 to 100: the share of the weights (5, 3, 1) of the checks that apply and could be read which passed; one
    that is waived or unclear counts half. 0 if none applies."""
    whole = reached = 0.0
    for one in findings:
        part = _PARTS.get(one.weight, 0)
        if one.result in (Result.NOT_APPLICABLE, Result.INCONCLUSIVE):
            continue
        whole += part
        reached += part * {Result.PASS: 1.0, Result.WAIVED: 0.5, Result.UNCLEAR: 0.5}.get(one.result, 0.0)
    return round(100 * reached / whole) if whole else 0


@dataclass(frozen=True, slots=True)
class GateAnswer:
    """Whether the advance that closes an iteration may continue, by what its audit and those before it say.

    `policy` is the gate of the iteration's phase. `lacking` says in words, with what people call the record, what is
    missing or wrong and can be fixed, for the iteration and all earlier ones; empty where all are documented or
    waived. `pending`: none of that is late yet. `unknown` says why it could not be looked at now, empty if it was;
    `lacking` is then what was known before. `audited` are the iterations that are lacking something, `documented` those
    that lack nothing. Under `off` nothing is looked at.
    """

    policy: Gate
    lacking: tuple[str, ...] = ()
    pending: bool = False
    unknown: str = ""
    audited: tuple[Audited, ...] = ()
    documented: frozenset[int] = frozenset()

    @property
    def holds(self) -> bool:
        """Whether the advance is held: under `block`, by what is lacking and by what could not be looked at."""
        return self.policy is Gate.BLOCK and bool(self.lacking or self.unknown)
