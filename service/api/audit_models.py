"""The bodies of the API about the audit of records, each with an example, which the OpenAPI document shows."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, WithJsonSchema

from connectors.registry import KINDS
from service.api import audit_examples
from service.api.models import Body, Day, ForRest, Name, Shown, TemplateText, with_example
from service.domain.audit.chain import ANSWER, QUESTION, READING, REVOKED, WAIVER
from service.domain.audit.outcome import Check, Clock, Gate, Result, Verdict, Weight
from service.usecases.audit.waiver_log import LONGEST_DAYS, LONGEST_REASON, SHORTEST_REASON

CheckName = Annotated[str, WithJsonSchema({"type": "string", "enum": [check.value for check in Check]})]
"""A check. The use case looks at it, and names those there are."""

Why = Annotated[
    str, StringConstraints(min_length=SHORTEST_REASON, max_length=LONGEST_REASON, pattern=r"^[^\x00-\x08\x0e-\x1f]*$")
]


# --- the matrix -------------------------------------------------------------------------------------------------------


class EvidenceShown(Shown):
    """What a finding rests on."""

    source: str = Field(description="Where it was: `section Data used`, `comment`, `link`, `history`, `ticket ML-12`.")
    quote: str = Field(description="What was read there, as plain text of at most 200 characters.")
    url: str
    by: str = Field(description="Who wrote it.")
    at: datetime | None
    digest: str = Field(description="SHA-256 of the text that it was read from.")


class WaivedShown(Shown):
    """That a person lets the check pass."""

    by: str
    reason: str
    until: date = Field(description="The last day on which it holds.")
    at: datetime


class ConfirmedShown(Shown):
    """That the signer looked at what was unclear and found it good."""

    by: str
    at: datetime


class CheckShown(Shown):
    """The result of one check on one iteration."""

    check: Check
    weight: Weight
    result: Result = Field(description="`inconclusive`: it could not be looked at; `unclear`: a person should look.")
    reason: str
    evidence: list[EvidenceShown]
    fix: ForRest = Field(description="How to fix it; empty for a pass.")
    waived: WaivedShown | None
    was: Result | None = Field(description="The result without the waiver, where it was waived.")
    share: float | None = Field(description="From 0 to 1, for a check that is told as a share.")
    confidence: float | None = Field(default=None, description="From 0 to 1: how sure it is, where a text was judged.")
    close_call: bool = Field(default=False, description="A text that passed or failed only just.")
    confirmed: ConfirmedShown | None = Field(default=None, description="Who looked at what was unclear.")


class AuditedIteration(Shown):
    """One iteration as it was audited last."""

    model_config = ConfigDict(json_schema_extra=with_example(audit_examples.ITERATION))

    number: int
    title: str
    phase: str
    goes_on: bool = Field(description="It is not closed yet.")
    verdict: Verdict = Field(description="From the worst check; `unknown` also for one that was never looked at.")
    clock: Clock | None = Field(description="How it stood to its time. Null if it was never looked at, as is `score`.")
    score: int | None = Field(description="0 to 100, for trends only.")
    record: str = Field(description="What people call its record in the tracker; empty if there is none.")
    url: str = Field(description="Opens the record.")
    changed_after_sign_off: bool
    results: dict[str, Result] = Field(description="By check.")
    findings: list[CheckShown] = Field(description="The same with reason, evidence and how to fix it.")
    audited_at: datetime | None = Field(description="When it was last checked.")
    trouble: str = Field(description="Why a look since then failed; empty if none did.")


class ProjectAudited(Shown):
    """Which project; `id` is null for one that never used phaseloop."""

    id: str | None
    key: str
    name: str
    url: str | None


class WaiverShown(Shown):
    """That a person lets a check pass, for an iteration or (null) for all, until a day."""

    model_config = ConfigDict(json_schema_extra=with_example(audit_examples.WAIVER))

    id: str
    check: Check
    iteration: int | None
    by: str
    reason: str
    until: date = Field(description="The last day on which it holds, in the project's time zone.")
    state: Literal["holds", "over", "revoked"]
    at: datetime
    revoked_at: datetime | None
    revoked_by: str | None


class Matrix(Shown):
    """A project's iterations by checks."""

    model_config = ConfigDict(json_schema_extra=with_example(audit_examples.MATRIX))

    project: ProjectAudited
    gate: Gate = Field(description="What an iteration that is not documented does to the advance that closes it.")
    checks: list[Check]
    iterations: list[AuditedIteration] = Field(description="Those that have begun, oldest first.")
    waivers: list[WaiverShown] = Field(description="Oldest first, those that are over or were taken back included.")


class SurveyedIteration(AuditedIteration):
    """One iteration of a project that never used phaseloop."""

    told_by: str = Field(description="By what its record was recognised; empty where none was.")


class Surveyed(Shown):
    """A project that never used phaseloop, as it was found now."""

    model_config = ConfigDict(json_schema_extra=with_example(audit_examples.SURVEYED))

    project: ProjectAudited
    template: str = Field(description="Whose rules it was audited by, with the version.")
    gate: Gate
    checks: list[Check]
    iterations: list[SurveyedIteration] = Field(description="Those that have begun, oldest first.")
    waivers: list[WaiverShown] = Field(description="Always empty.")
    assumed: list[str] = Field(description="What was not known and therefore taken for granted.")
    reads: int = Field(description="Requests that it took.")


class NewSurvey(Body):
    """An existing project of the connection, to be read and audited."""

    model_config = ConfigDict(json_schema_extra=with_example(audit_examples.NEW_SURVEY))

    key: Name = Field(description=f"Key, address or id of a {' or a '.join(kind.project for kind in KINDS.values())}.")
    template: Name | TemplateText | None = Field(
        default=None,
        description="By whose rules: name of a built-in template, or a template's text; iterative-ml if left out.",
    )
    team: Name | None = Field(default=None, description="Name or id of a team: who may sign is known then.")
    time_zone: Name = Field(default="UTC", description="IANA name, where the team has none.")


class PortfolioProject(Shown):
    """Which project."""

    id: str
    key: str
    name: str


class Standing(Shown):
    """How one project stands."""

    project: PortfolioProject
    iterations: int = Field(description="How many have begun.")
    verdicts: dict[Verdict, int] = Field(description="How many came to which verdict; never audited ones to none.")
    worst: Verdict | None = Field(description="Null if none was audited.")
    late: int = Field(description="How many are late and not documented.")
    score: float | None = Field(description="The mean, for trends only; null if none was audited.")
    waivers: int = Field(description="How many are in force.")
    troubles: int = Field(description="How many iterations could not be checked last time.")
    audited_at: datetime | None = Field(description="When one of them was last checked.")


class Portfolio(Shown):
    """Some projects, the worst first."""

    model_config = ConfigDict(json_schema_extra=with_example(audit_examples.PORTFOLIO))

    items: list[Standing]
    next: str | None = Field(description="Cursor of the next page; null on the last.")


# --- waivers ----------------------------------------------------------------------------------------------------------


class NewWaiver(Body):
    """A check to waive."""

    model_config = ConfigDict(json_schema_extra=with_example(audit_examples.NEW_WAIVER))

    check: CheckName
    iteration: int | None = Field(
        default=None, ge=1, le=100_000, description="An iteration that has begun; all of them if left out."
    )
    reason: Why = Field(description="Why; it is part of the evidence.")
    until: Day = Field(description=f"The last day on which it holds, at most {LONGEST_DAYS} days ahead.")
    by: (
        Annotated[
            str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")
        ]
        | None
    ) = Field(
        default=None,
        description="Who answers for it; the token's name stands beside it. Left out, it is the token's name alone.",
    )


class WaiverList(Shown):
    """All waivers of a project, oldest first, those that are over or were taken back included."""

    model_config = ConfigDict(json_schema_extra=with_example(audit_examples.WAIVER_LIST))

    items: list[WaiverShown]
    next: str | None = Field(description="Always null: the list is complete.")


# --- evidence and binders ---------------------------------------------------------------------------------------------


SealedAt = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
"""An instant, written as it was sealed: digests are of the very words."""


class EvidenceOutline(Shown):
    """One entry of a project's evidence, without its body."""

    seq: int = Field(description="Counts from 1.")
    iteration: int | None
    kind: Literal["reading", "waiver", "revoked", "question", "answer"] = Field(
        description=f"`{READING}`: what was read of a record; `{WAIVER}`; `{REVOKED}`: taken back; `{QUESTION}`: "
        f"somebody asked something; `{ANSWER}`: what stands on the ticket of a question."
    )
    at: SealedAt
    previous: str = Field(description="Digest of the entry before; empty for the first.")
    digest: str = Field(description="SHA-256 of all else in the entry, its body included, as the reference says.")


class EvidencePage(Shown):
    """Some entries, oldest first."""

    model_config = ConfigDict(json_schema_extra=with_example(audit_examples.EVIDENCE_PAGE))

    items: list[EvidenceOutline]
    next: str | None = Field(description="Cursor of the next page; null on the last.")


class EvidenceEntry(EvidenceOutline):
    """One entry of a project's evidence."""

    model_config = ConfigDict(json_schema_extra=with_example(audit_examples.EVIDENCE_ENTRY))

    project: str
    body: dict[str, Any] = Field(description="What was read, with the rules that it was judged by; or the waiver.")


class Proof(Shown):
    """Whether a project's evidence is whole and bears its audits out."""

    model_config = ConfigDict(json_schema_extra=with_example(audit_examples.PROOF))

    ok: bool
    entries: int
    head: str = Field(description="Digest of the last entry; empty if there is none.")
    audits: int = Field(description="How many were computed again.")
    breaks: list[str] = Field(description="Where the chain is broken.")
    differences: list[str] = Field(description="What comes out otherwise when it is computed from evidence alone.")


class MismatchShown(Shown):
    """Something in a binder that is not what was signed, or does not follow from its evidence."""

    place: str
    text: str


class Verified(Shown):
    """What came of verifying a binder; where it is none, `mismatches` says so and the rest is empty."""

    model_config = ConfigDict(json_schema_extra=with_example(audit_examples.VERIFIED))

    ok: bool = Field(description="Nothing was changed since it was signed, and by the key that was given, if one was.")
    mismatches: list[MismatchShown]
    notes: list[str] = Field(description="What a reader must know though nothing is wrong.")
    fingerprint: str = Field(description="Of the key in the file, whoever's it is.")
    expected: bool | None = Field(description="Whether that is the key that was given; null if none was.")
    project: str
    iteration: int | None = Field(description="Null for a binder of a whole project.")
    made_at: datetime | None
    iterations: int
    entries: int


class SigningKey(Shown):
    """A key that binders are signed with (Ed25519)."""

    public: str = Field(description="The public key in hexadecimal.")
    fingerprint: str = Field(description="What people compare.")
    created_at: datetime


class SigningKeys(Shown):
    """The keys of this service, the one that signs now first."""

    model_config = ConfigDict(json_schema_extra=with_example(audit_examples.SIGNING_KEYS))

    items: list[SigningKey]
    next: str | None = Field(description="Always null: the list is complete.")


# --- how the model evolved --------------------------------------------------------------------------------------------


class LinkShown(Shown):
    """A link in a record. It was never opened."""

    title: str
    url: str


class DecisionTaken(Shown):
    """A decision that a record tells."""

    iteration: int
    title: str
    phase: str
    decision: str
    reason: str = Field(description="Empty where none is given, as is `alternative`.")
    alternative: str
    links: list[LinkShown]
    record: str = Field(description="Address of the record.")
    by: str = Field(description="Who wrote the record; empty if that is not known.")
    at: datetime | None = Field(description="When it was written to last.")


class DecisionList(Shown):
    """Decisions in the order of time, or those found for a question, the best first."""

    model_config = ConfigDict(json_schema_extra=with_example(audit_examples.DECISION_LIST))

    items: list[DecisionTaken]
    next: str | None = Field(description="Always null: the list is complete.")


class PointShown(Shown):
    """The value of a measure in one iteration."""

    iteration: int
    title: str
    value: float
    target: float | None


class Measure(Shown):
    """One measure over the iterations that report it."""

    name: str
    unit: str
    points: list[PointShown]


class MeasureList(Shown):
    """The measures of a project's records by name."""

    model_config = ConfigDict(json_schema_extra=with_example(audit_examples.MEASURE_LIST))

    items: list[Measure]
    next: str | None = Field(description="Always null: the list is complete.")
