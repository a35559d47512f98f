"""The bodies of the API about projects, plans and runs, each with an example, which the OpenAPI document shows."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, WithJsonSchema

from connectors.registry import KINDS
from service.api import audit_examples, examples
from service.api.models import Body, Finding, ForRest, MappedShown, Name, Shown, TemplateText, with_example
from service.domain.audit.outcome import Check, Weight
from service.domain.audit.rules import Days

Calendar = Annotated[dict[str, Any], WithJsonSchema({"$ref": "#/components/schemas/CalendarSpec"})]
"""The section `calendar` of a team file. The use case reads it, and names what is wrong with it."""

_WEIGHT = {"type": "string", "enum": [weight.value for weight in Weight]}
CheckWeights = Annotated[
    dict[Name, str],
    Field(max_length=100),
    WithJsonSchema(
        {
            "type": "object",
            "properties": {check.value: _WEIGHT for check in Check},
            "additionalProperties": False,
        }
    ),
]
"""Weights by check. The use case looks at them, and names the check that is wrong."""

CarryOver = Literal["ask", "next", "backlog", "leave"]
Ahead = Annotated[int, Field(ge=1, le=104)] | Literal["all"]
WipLimit = Annotated[int, Field(ge=1, le=1000)]
TrackedName = Annotated[
    str, StringConstraints(min_length=1, max_length=250, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")
]

_CARRY_OVER = (
    "What becomes of unfinished work when an iteration is closed; `ask` proposes, and carries unless answered."
)
_AHEAD = "How many iterations are kept prepared, the current one included."
_WIP_LIMIT = "How many tickets may be in progress at once; shown where it is exceeded."


class TrackingSettings(Body):
    """Where the project's runs and models are tracked, for what is filled into its records."""

    url: Annotated[str, StringConstraints(min_length=8, max_length=500, pattern=r"^https?://[^\s]+$")] | None = Field(
        default=None, description="Address of the tracking server; the service's own if left out."
    )
    experiments: list[TrackedName] = Field(default_factory=list, max_length=100, description="Names of experiments.")
    models: list[TrackedName] = Field(default_factory=list, max_length=100, description="Names of registered models.")


class AuditSettings(Body):
    """What a project says of the audit of its records: only what is stricter than its template."""

    model_config = ConfigDict(json_schema_extra=with_example(audit_examples.SETTINGS))

    gate: Literal["block", "warn", "off"] | None = Field(
        default=None, description="What an iteration that is not documented does to the advance that closes it."
    )
    unclear: Literal["block", "warn"] | None = Field(
        default=None, description="What an unclear check does to the advance until the signer confirms it; null: warn."
    )
    grace_working_days: Days | None = Field(default=None, description="Working days until a record is late.")
    due_soon_working_days: Days | None = Field(default=None, description="Working days before the end to remind on.")
    escalate_working_days: Days | None = Field(default=None, description="Working days late until others hear of it.")
    checks: CheckWeights | None = Field(default=None, description="What checks weigh at least, in all phases.")
    hosts: list[Name] | None = Field(
        default=None, max_length=100, description="Hosts that links may lead to, of those of the template."
    )
    tracking: TrackingSettings | None = Field(default=None, description="Where runs and models are tracked.")


class NewProject(Body):
    """A project to set up. Nothing is written to the tracker."""

    model_config = ConfigDict(json_schema_extra=with_example(examples.NEW_PROJECT))

    name: Name = Field(description="What people call it; 80 characters at most.")
    key: Name = Field(description="Key of the tracker's project, such as ML.")
    connection: Name = Field(description="Name or id of a connection.")
    team: Name = Field(description="Name or id of a team.")
    template: Name | TemplateText = Field(description="Name of a built-in template, or a template's text.")
    parameters: dict[Name, str | bool | int] = Field(
        default_factory=dict,
        max_length=100,
        description="The template's parameters; those left out keep their default.",
    )
    time_zone: Name | None = Field(default=None, description="IANA name; the team's, else UTC, if left out.")
    create: bool = Field(default=False, description="Create the tracker's project when the plan is applied.")
    calendar: Calendar | None = Field(default=None, description="Where its working time differs from its team's.")
    carry_over: CarryOver | None = Field(default=None, description=f"{_CARRY_OVER} The template's if left out.")
    ahead: Ahead | None = Field(default=None, description=f"{_AHEAD} The template's if left out.")
    wip_limit: WipLimit | None = Field(default=None, description=f"{_WIP_LIMIT} The template's if left out.")
    audit: AuditSettings | None = Field(default=None, description="How its records are audited.")


class ProjectChanges(Body):
    """What to change about a project; what is left out stays as it is."""

    model_config = ConfigDict(json_schema_extra=with_example(examples.PROJECT_CHANGES))

    name: Name | None = Field(default=None, description="What people call it; 80 characters at most.")
    team: Name | None = Field(default=None, description="Name or id of a team.")
    template: Name | TemplateText | None = Field(
        default=None, description="Name of a built-in template, or a template's text."
    )
    parameters: dict[Name, str | bool | int] = Field(
        default_factory=dict, max_length=100, description="Parameters to set; the others keep their value."
    )
    time_zone: Name | None = Field(default=None, description="IANA name.")
    create: bool | None = Field(default=None, description="Create the tracker's project when the plan is applied.")
    calendar: Calendar | None = Field(
        default=None, description="Where its working time differs from its team's, in place of all it said before."
    )
    carry_over: CarryOver | None = Field(default=None, description=_CARRY_OVER)
    ahead: Ahead | None = Field(default=None, description=_AHEAD)
    wip_limit: WipLimit | None = Field(default=None, description=f"{_WIP_LIMIT} Null takes the limit away.")
    audit: AuditSettings | None = Field(
        default=None,
        description="How its records are audited: what is named is replaced, and as in the template again where null.",
    )


class ProjectEntry(Shown):
    """A project in a list."""

    id: str
    name: str
    key: str
    url: str | None = Field(description="Its page in the tracker, known after the first run.")
    connection: str = Field(description="Id of the connection.")
    team: str = Field(description="Id of the team.")
    template: str = Field(description="SHA-256 of the template's text.")
    parameters: dict[str, Any]
    time_zone: str
    create: bool
    planned: bool = Field(
        description="Whether it is only planned, from the command line: it is in no list before a plan is applied."
    )
    calendar: dict[str, Any] = Field(description="Where its working time differs from its team's.")
    carry_over: CarryOver | None = Field(description=f"{_CARRY_OVER} Null: as its template says.")
    ahead: Ahead | None = Field(description=f"{_AHEAD} Null: as its template says.")
    wip_limit: WipLimit | None = Field(description=f"{_WIP_LIMIT} Null: as its template says, or none.")
    audit: dict[str, Any] = Field(description="What it says of the audit of its records; the rest is its template's.")
    serial: int = Field(description="Grows whenever a plan is applied or a run ends; plans of an older one are stale.")
    created_at: datetime
    ended_at: datetime | None = Field(description="When it was removed; it takes no more plans then.")


class ProjectPage(Shown):
    """Some projects, oldest first."""

    model_config = ConfigDict(json_schema_extra=with_example(examples.PROJECT_PAGE))

    items: list[ProjectEntry]
    next: str | None = Field(description="Cursor of the next page; null on the last.")


class VacancyShown(Shown):
    """A ticket without a person."""

    key: str
    ticket: str | None = Field(description="What people read in the tracker: ML-12.")
    title: str
    url: str | None


class ProjectShown(ProjectEntry):
    """A project and what it has in its tracker."""

    model_config = ConfigDict(json_schema_extra=with_example(examples.PROJECT))

    team_name: str
    template_title: str = Field(description="Name and version of its template.")
    counts: dict[str, int] = Field(description="Items that exist, by kind.")
    vacancies: list[VacancyShown] = Field(description="Tickets that exist and that nobody has.")
    refused: int = Field(description="Items that the tracker refused.")


class ItemShown(Shown):
    """Something that exists in the tracker because of the project, or was refused there."""

    key: str = Field(description="Its lasting key, from the template.")
    kind: str
    state: Literal["intended", "made", "refused"] = Field(
        description="`intended`: a create was sent and its answer is not known yet."
    )
    title: str
    remote_key: str | None = Field(description="What people read in the tracker: ML-12.")
    url: str | None
    problems: list[str] = Field(description="Why it was refused.")
    updated_at: datetime


class ItemPage(Shown):
    """Some items by key."""

    model_config = ConfigDict(json_schema_extra=with_example(examples.ITEM_PAGE))

    items: list[ItemShown]
    next: str | None = Field(description="Cursor of the next page; null on the last.")


class ChangeContent(Shown):
    """What a change does to the fields of its item."""

    action: Literal["create", "update", "adopt", "keep", "forget", "delete"]
    changed: list[str] = Field(description="The fields that are written, for an update.")
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class ChangeShown(Shown):
    """One planned change."""

    key: str
    kind: str
    title: str
    reason: str
    note: str = Field(description="Why this person; or why an item that was to be taken back stays.")
    change: ChangeContent


class DriftShown(Shown):
    """What a person changed in the tracker; it stays as it is."""

    key: str
    kind: str
    title: str
    field: str | None = Field(description="Null when the item itself is gone.")
    recorded: Any
    observed: Any = Field(description="Of an item that is gone: its key where people moved it to another project.")


class PlanVacancy(Shown):
    """A ticket without a person."""

    key: str
    title: str
    role: str
    reason: str


class NewPlan(Body):
    """What a plan is to do besides what template, team and calendar ask for; a plan that adopts does only that."""

    model_config = ConfigDict(json_schema_extra=with_example(examples.NEW_PLAN))

    restore: list[Name] = Field(
        default_factory=list,
        max_length=1000,
        description="Items that people changed or deleted, to be as planned again: by key, by the tracker's key such "
        "as ML-12, or `deleted` for all that were deleted.",
    )
    adopt: dict[Name, Name] = Field(
        default_factory=dict,
        max_length=1000,
        description="Existing items of the tracker to take over as they are: the plan's item, and the tracker's key.",
    )
    settings: ProjectChanges | None = Field(
        default=None,
        description="Settings to make the plan with. They become the project's when the plan is applied, not before.",
    )


class NewRemovalPlan(Body):
    """How a project is to end."""

    model_config = ConfigDict(json_schema_extra=with_example(examples.NEW_REMOVAL_PLAN))

    undo: bool = Field(
        description="Whether to remove from the tracker what its runs made and nobody touched since; else all stays."
    )


class UsageShown(Shown):
    """Requests sent to the tracker."""

    reads: int
    writes: int


class EstimateShown(Shown):
    """What applying is expected to take."""

    reads: int
    writes: int
    seconds: float


class SettingShown(Shown):
    """One setting that a plan changes."""

    field: str = Field(description="Its path, such as `template`, `parameters.start_date` or `team ML engineer 1`.")
    before: Any = Field(description="What it is now, as people read it; null for nothing.")
    after: Any = Field(description="What it is once the plan is applied.")


class PlanContent(Shown):
    """What a plan says, kept or not."""

    format_version: str
    purpose: Literal["apply", "advance", "undo", "remove", "document"]
    undoes: str | None = Field(description="Id of the run that an undo takes back.")
    project: str
    serial: int
    tracker_project: str
    creates_project: bool
    template: str
    turnover: dict[str, Any] | None = Field(
        default=None, description="What an advance does to the loop: which iterations it closes and begins, and why."
    )
    settings: list[SettingShown] = Field(
        default_factory=list,
        description="Settings that the plan was made with and that become the project's when it is applied; of an undo "
        "those that go back.",
    )
    summary: dict[str, int] = Field(description="How many changes there are of each action.")
    blocked: bool = Field(description="Whether findings forbid applying.")
    changes: list[ChangeShown]
    drift: list[DriftShown]
    vacancies: list[PlanVacancy]
    findings: list[Finding]
    people: dict[str, str] = Field(description="Who is behind each account id.")
    mapping: list[MappedShown] = Field(description="Which of the tracker's things stand for what.", default=[])
    estimate: EstimateShown
    requests: UsageShown = Field(description="Requests that making the plan took.")


class Plan(PlanContent):
    """The ordered changes that would take the tracker from what is to what should be. Plans never change."""

    model_config = ConfigDict(extra="allow", json_schema_extra=with_example(examples.PLAN))

    id: str
    created_at: datetime
    made_by: str = Field(description="Who made it: a login, a token's name; empty where an earlier version did.")
    expires_at: datetime = Field(description="From then on it is not applied any more, unless it was before.")
    run: str | None = Field(description="Id of the run that applies it.")


RunState = Literal["queued", "running", "waiting", "held", "completed", "incomplete", "failed", "cancelled"]


class DriftReport(Shown):
    """What people changed in the tracker since, and what a plan would change now."""

    model_config = ConfigDict(json_schema_extra=with_example(examples.DRIFT))

    project: str
    tracker_project: str
    drift: list[DriftShown]
    summary: dict[str, int] = Field(description="How many changes of each action a plan would have.")
    blocked: bool = Field(description="Whether findings forbid applying such a plan.")
    findings: list[Finding]
    people: dict[str, str] = Field(description="Who is behind each account id.")
    requests: UsageShown = Field(description="Requests that looking took.")


class ProgressShown(Shown):
    """How far a run is."""

    steps: int = Field(description="Batches there are; 0 until the project was opened.")
    done: int = Field(description="Batches that are done.")
    items: int = Field(description="Items that the plan creates.")
    written: int = Field(description="Those of them that exist.")
    removals: int = Field(description="Items that the plan removes.")
    removed: int = Field(description="Those of them that are gone.")
    changes: int = Field(description="Other changes of the plan: to items that were there.")
    seconds_left: float | None = Field(
        description="About how long it still takes, waiting included; null once it has ended."
    )


class Run(Shown):
    """One durable execution of a plan."""

    model_config = ConfigDict(extra="allow", json_schema_extra=with_example(examples.RUN))

    id: str
    kind: str = Field(description="`apply`, `undo`, `remove`, `advance`, `propose` or `audit`.")
    state: RunState = Field(description="`held`: it cannot continue, and looks again by itself at `waiting_until`.")
    project: str
    plan: str | None = Field(description="Null while a run of the loop has not made its plan.")
    iteration: int | None = Field(description="The iteration that an advance begins, or that a proposal is about.")
    attempt: int = Field(description="How often it has begun anew after it was held, and once more.")
    started_by: str = Field(description="The token's name, `clock`, or who else started it.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    undone: bool = Field(description="Whether another run has taken back what it wrote.")
    continues: str | None = Field(description="The run whose work this one continues.")
    continued_by: str | None = Field(description="The run that took this one's work up.")
    cancel_requested_at: datetime | None = Field(description="When it was asked to stop.")
    cancelled_by: str | None = Field(description="Who asked.")
    cleaned_at: datetime | None = Field(description="When its steps were cleaned up; its numbers were kept.")
    message: ForRest = Field(description="What it waits for.")
    waiting_until: datetime | None = Field(description="When it looks again, while it waits.")
    tracker: str = Field(description=f"What it works in: {', '.join(kind.title for kind in KINDS.values())}.")
    progress: ProgressShown
    requests: UsageShown
    findings: list[Finding]
    url: str | None = Field(description="The project's page in the tracker.")


class RunEntry(Shown):
    """A run in a list."""

    id: str
    kind: str
    state: RunState
    project: str
    plan: str | None
    iteration: int | None
    started_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    message: str


class RunPage(Shown):
    """Some runs, newest first."""

    model_config = ConfigDict(json_schema_extra=with_example(examples.RUN_PAGE))

    items: list[RunEntry]
    next: str | None = Field(description="Cursor of the next page; null on the last.")


class Step(Shown):
    """One step of a run that has ended."""

    id: int = Field(description="Grows over all runs; it is the id of the step's event.")
    number: int = Field(description="0 opens the project, the batches count from 1; a step that waited comes again.")
    title: str
    state: Literal["go", "again", "stop"] = Field(description="`again`: it waits and is tried again.")
    message: str
    requests: UsageShown
    started_at: datetime
    finished_at: datetime


class StepList(Shown):
    """All steps that have ended, in order."""

    model_config = ConfigDict(json_schema_extra=with_example(examples.STEP_LIST))

    items: list[Step]
    next: str | None = Field(description="Always null: the list is complete.")
