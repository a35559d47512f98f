"""The bodies that the API takes and gives, each with an example, which the OpenAPI document shows."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from service.api import examples

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
"""One line of text."""

Severity = Literal["error", "warning", "info"]


def _shown(example: dict[str, Any]) -> Any:
    return {"examples": [example]}


class Body(BaseModel):
    """The base of what callers send: closed, and nothing is taken for what it is not."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class Shown(BaseModel):
    """The base of what callers get."""

    model_config = ConfigDict(frozen=True)


class ProblemError(Shown):
    """One thing that is wrong. Exactly one of `pointer`, `parameter`, `header` and `subject` says where."""

    pointer: str | None = Field(
        default=None, description="JSON pointer (RFC 6901) into the body or the document in it."
    )
    parameter: str | None = Field(default=None, description="Name of a parameter of the path or query.")
    header: str | None = Field(default=None, description="Name of a header.")
    subject: str | None = Field(default=None, description="What it is about, where that is not in the request.")
    code: str | None = Field(default=None, description="Stable word for the kind of finding.")
    detail: str = Field(description="What is wrong.")
    line: int | None = Field(default=None, description="Line of the document, from 1.")
    fix: str | None = Field(default=None, description="What would be right, or what to do.")


class Problem(Shown):
    """Why a request was not done (RFC 9457)."""

    model_config = ConfigDict(json_schema_extra=_shown(examples.PROBLEM))

    type: str = Field(description="`urn:phaseloop:problem:` and a stable word; the reference lists them all.")
    title: str = Field(description="The kind of problem in words, the same every time.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What happened this time, and what to do.")
    instance: str = Field(description="`urn:phaseloop:request:` and the request's id.")
    errors: list[ProblemError] | None = Field(default=None, description="Everything that was found, where it is many.")


class Finding(Shown):
    """One checked fact: what is so, where, and what to do about it."""

    severity: Severity = Field(description="Errors keep a plan from being applied.")
    code: str = Field(description="Stable word for the kind of finding.")
    subject: str = Field(description="What it is about: an item's key, a person, a project.")
    message: str = Field(description="What is so.")
    fix: str = Field(description="What to do.")


class Alive(Shown):
    """The process is alive."""

    model_config = ConfigDict(json_schema_extra=_shown(examples.ALIVE))

    status: Literal["ok"] = Field(description="Always `ok`.")


class TemplateEntry(Shown):
    """A built-in template in a list."""

    name: str = Field(description="Its lasting name.")
    version: str = Field(description="Version of its content.")
    title: str = Field(description="What the process is called.")
    digest: str = Field(description="SHA-256 of its text.")


class TemplateList(Shown):
    """All built-in templates."""

    model_config = ConfigDict(json_schema_extra=_shown(examples.TEMPLATE_LIST))

    items: list[TemplateEntry]
    next: str | None = Field(description="Always null: the list is complete.")


class ParameterShown(Shown):
    """What can be decided when a project is started."""

    name: str
    type: Literal["integer", "choice", "switch", "date"]
    description: str
    default: bool | int | str
    minimum: int | None = None
    maximum: int | None = None
    choices: list[str] | None = None


class RoleShown(Shown):
    """A kind of work."""

    key: str
    title: str
    core: bool
    responsibility: str
    fallback: str | None = Field(description="The role that takes over when nobody holds this one.")


class PhaseShown(Shown):
    """A stage of the process."""

    key: str
    title: str
    focus: str
    iterations: int | str = Field(description="A number, or the placeholder of a parameter.")
    recurring: bool = Field(description="Whether every iteration has all its tickets again.")
    roles: list[str]
    epics: int = Field(description="How many epics it has.")
    tickets: int = Field(description="How many tickets it has, those under conditions included.")


class TemplateShown(TemplateEntry):
    """A template in short."""

    model_config = ConfigDict(json_schema_extra=_shown(examples.TEMPLATE))

    description: str
    source: str | None = Field(description="Where the process comes from.")
    tickets: int = Field(description="How many tickets it has, those under conditions included.")
    parameters: list[ParameterShown]
    roles: list[RoleShown]
    phases: list[PhaseShown]


class TemplateText(Body):
    """A template's text."""

    model_config = ConfigDict(json_schema_extra=_shown(examples.TEMPLATE_TEXT))

    text: str = Field(max_length=1_000_000, description="The YAML document.")
    source: Name = Field(default="template.yaml", description="What to call it in problems.")


class TemplateVerdict(TemplateEntry):
    """What a template is that can be used."""

    model_config = ConfigDict(json_schema_extra=_shown(examples.TEMPLATE_VERDICT))

    valid: Literal[True]
    tickets: int = Field(description="How many tickets it has, those under conditions included.")
    warnings: list[ProblemError] = Field(description="What works and is worth a look.")


class ConnectionSettings(Body):
    """A connection as it is written."""

    model_config = ConfigDict(json_schema_extra=_shown(examples.CONNECTION_SETTINGS))

    kind: Name = Field(description="The kind of tracker: `jira` or `trello`.")
    settings: dict[Name, str | bool | int] = Field(
        max_length=20,
        description="For jira `url` and `email`, for trello `key`; a 422 names what is missing.",
    )
    secret: Annotated[SecretStr, Field(min_length=1, max_length=4000)] = Field(
        description="The API token. Stored encrypted; no answer ever shows it."
    )


class NewConnection(ConnectionSettings):
    """A connection to add."""

    model_config = ConfigDict(json_schema_extra=_shown(examples.NEW_CONNECTION))

    name: Name = Field(description="What you call it; 80 characters at most.")


class Connection(Shown):
    """A connection, without its credential."""

    model_config = ConfigDict(json_schema_extra=_shown(examples.CONNECTION))

    id: str
    name: str
    kind: str
    settings: dict[str, Any]
    created_at: datetime


class ConnectionList(Shown):
    """All connections by name."""

    model_config = ConfigDict(json_schema_extra=_shown(examples.CONNECTION_LIST))

    items: list[Connection]
    next: str | None = Field(description="Always null: the list is complete.")


class CheckRequest(Body):
    """What to check a connection for."""

    model_config = ConfigDict(json_schema_extra=_shown(examples.CHECK_REQUEST))

    project_key: Name | None = Field(default=None, description="A project of the tracker; without it only who we are.")
    create: bool = Field(default=False, description="Whether that project is to be created.")


class AccountShown(Shown):
    """An account in the tracker."""

    id: str
    name: str
    email: str | None


class PlaceShown(Shown):
    """A project in the tracker."""

    key: str
    url: str
    board_url: str
    iterations: bool = Field(description="Whether it has sprints.")
    points: bool = Field(description="Whether its tickets can be estimated.")
    links: bool = Field(description="Whether tickets can wait for each other.")


class Preflight(Shown):
    """What a check found. Nothing was written."""

    model_config = ConfigDict(json_schema_extra=_shown(examples.PREFLIGHT))

    ok: bool = Field(description="Whether nothing stands in the way.")
    account: AccountShown | None = Field(description="Who we are there; null if the tracker did not say.")
    project: PlaceShown | None = Field(description="The project, if it was asked for and is there.")
    findings: list[Finding]


class TeamEntry(Shown):
    """A team in a list."""

    id: str
    name: str
    version: int = Field(description="Grows with every change; it is the ETag.")
    people: int
    updated_at: datetime


class TeamList(Shown):
    """All teams by name."""

    model_config = ConfigDict(json_schema_extra=_shown(examples.TEAM_LIST))

    items: list[TeamEntry]
    next: str | None = Field(description="Always null: the list is complete.")


class TeamShown(TeamEntry):
    """A team."""

    model_config = ConfigDict(json_schema_extra=_shown(examples.TEAM_SHOWN))

    team: dict[str, Any] = Field(description="The team as PUT takes it: `name`, `time_zone`, `members`.")


class NewProject(Body):
    """A project to set up. Nothing is written to the tracker."""

    model_config = ConfigDict(json_schema_extra=_shown(examples.NEW_PROJECT))

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


class ProjectChanges(Body):
    """What to change about a project; what is left out stays as it is."""

    model_config = ConfigDict(json_schema_extra=_shown(examples.PROJECT_CHANGES))

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
    serial: int = Field(description="Grows whenever a plan is applied or a run ends; plans of an older one are stale.")
    created_at: datetime
    ended_at: datetime | None = Field(description="When it was removed; it takes no more plans then.")


class ProjectPage(Shown):
    """Some projects, oldest first."""

    model_config = ConfigDict(json_schema_extra=_shown(examples.PROJECT_PAGE))

    items: list[ProjectEntry]
    next: str | None = Field(description="Cursor of the next page; null on the last.")


class VacancyShown(Shown):
    """A ticket without a person."""

    key: str
    title: str
    url: str | None


class ProjectShown(ProjectEntry):
    """A project and what it has in its tracker."""

    model_config = ConfigDict(json_schema_extra=_shown(examples.PROJECT))

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

    model_config = ConfigDict(json_schema_extra=_shown(examples.ITEM_PAGE))

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
    observed: Any


class PlanVacancy(Shown):
    """A ticket without a person."""

    key: str
    title: str
    role: str
    reason: str


class NewPlan(Body):
    """What a plan is to do besides what template, team and calendar ask for; a plan that adopts does only that."""

    model_config = ConfigDict(json_schema_extra=_shown(examples.NEW_PLAN))

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


class NewRemovalPlan(Body):
    """How a project is to end."""

    model_config = ConfigDict(json_schema_extra=_shown(examples.NEW_REMOVAL_PLAN))

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


class Plan(Shown):
    """The ordered changes that would take the tracker from what is to what should be. Plans never change."""

    model_config = ConfigDict(extra="allow", json_schema_extra=_shown(examples.PLAN))

    id: str
    created_at: datetime
    run: str | None = Field(description="Id of the run that applies it.")
    format_version: str
    purpose: Literal["apply", "undo", "remove"]
    undoes: str | None = Field(description="Id of the run that an undo takes back.")
    project: str
    serial: int
    tracker_project: str
    creates_project: bool
    template: str
    summary: dict[str, int] = Field(description="How many changes there are of each action.")
    blocked: bool = Field(description="Whether findings forbid applying.")
    changes: list[ChangeShown]
    drift: list[DriftShown]
    vacancies: list[PlanVacancy]
    findings: list[Finding]
    people: dict[str, str] = Field(description="Who is behind each account id.")
    estimate: EstimateShown
    requests: UsageShown = Field(description="Requests that making the plan took.")


RunState = Literal["queued", "running", "waiting", "completed", "incomplete", "failed", "cancelled"]


class DriftReport(Shown):
    """What people changed in the tracker since, and what a plan would change now."""

    model_config = ConfigDict(json_schema_extra=_shown(examples.DRIFT))

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

    model_config = ConfigDict(extra="allow", json_schema_extra=_shown(examples.RUN))

    id: str
    kind: str = Field(description="`apply`, `undo` or `remove`.")
    state: RunState
    project: str
    plan: str
    started_by: str = Field(description="The token's name, or who else started it.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    continues: str | None = Field(description="The run whose work this one took up.")
    continued_by: str | None = Field(description="The run that took this one's work up.")
    cancel_requested_at: datetime | None = Field(description="When it was asked to stop.")
    cancelled_by: str | None = Field(description="Who asked.")
    cleaned_at: datetime | None = Field(description="When its steps were cleaned up; its numbers were kept.")
    message: str = Field(description="What it waits for.")
    waiting_until: datetime | None = Field(description="When it looks again, while it waits.")
    tracker: str = Field(description="What it works in: Jira, Trello.")
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
    plan: str
    started_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    message: str


class RunPage(Shown):
    """Some runs, newest first."""

    model_config = ConfigDict(json_schema_extra=_shown(examples.RUN_PAGE))

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

    model_config = ConfigDict(json_schema_extra=_shown(examples.STEP_LIST))

    items: list[Step]
    next: str | None = Field(description="Always null: the list is complete.")


def example_of(name: str) -> examples.Example | None:
    """The example of the model of that name, if there is one and it has one."""
    extra = getattr(globals().get(name), "model_config", {}).get("json_schema_extra")
    return extra["examples"][0] if extra else None
