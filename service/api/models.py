"""What the bodies of the API have in common, and those about templates, connections and teams; each with an example,
which the OpenAPI document shows. Those about projects and their work are in `project_models.py`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from connectors.registry import KINDS
from service.api import examples
from service.api.remedies import over_rest

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
"""One line of text."""


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        msg = "must be in the years 1 to 9999 of UTC"
        raise ValueError(msg) from error


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A time with its offset, as callers give it; in UTC from there on."""

Day = Annotated[date, Field(strict=False)]
"""A day, which JSON has no word for: it is text there."""

ForRest = Annotated[str, AfterValidator(over_rest)]
"""Text that proposes requests in place of commands."""

Severity = Literal["error", "warning", "info"]


def with_example(example: dict[str, Any]) -> Any:
    """What a model's configuration says to show this example."""
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

    model_config = ConfigDict(json_schema_extra=with_example(examples.PROBLEM))

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
    message: ForRest = Field(description="What is so.")
    fix: ForRest = Field(description="What to do.")


class Alive(Shown):
    """The process is alive."""

    model_config = ConfigDict(json_schema_extra=with_example(examples.ALIVE))

    status: Literal["ok"] = Field(description="Always `ok`.")


class TemplateEntry(Shown):
    """A built-in template in a list."""

    name: str = Field(description="Its lasting name.")
    version: str = Field(description="Version of its content.")
    title: str = Field(description="What the process is called.")
    digest: str = Field(description="SHA-256 of its text.")


class TemplateList(Shown):
    """All built-in templates."""

    model_config = ConfigDict(json_schema_extra=with_example(examples.TEMPLATE_LIST))

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
    unit: Literal["days"] | None = Field(default=None, description="What is counted; days can be given as weeks, too.")
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

    model_config = ConfigDict(json_schema_extra=with_example(examples.TEMPLATE))

    description: str
    source: str | None = Field(description="Where the process comes from.")
    tickets: int = Field(description="How many tickets it has, those under conditions included.")
    parameters: list[ParameterShown]
    roles: list[RoleShown]
    phases: list[PhaseShown]


class TemplateText(Body):
    """A template's text."""

    model_config = ConfigDict(json_schema_extra=with_example(examples.TEMPLATE_TEXT))

    text: str = Field(max_length=1_000_000, description="The YAML document.")
    source: Name = Field(default="template.yaml", description="What to call it in problems.")


class TemplateVerdict(TemplateEntry):
    """What a template is that can be used."""

    model_config = ConfigDict(json_schema_extra=with_example(examples.TEMPLATE_VERDICT))

    valid: Literal[True]
    tickets: int = Field(description="How many tickets it has, those under conditions included.")
    warnings: list[ProblemError] = Field(description="What works and is worth a look.")


def _needed_settings() -> str:
    """Which settings each kind of tracker cannot do without."""
    needed = {name: [f"`{one.name}`" for one in kind.given if one.needed] for name, kind in KINDS.items()}
    return ", ".join(f"for {name} {' and '.join(names)}" for name, names in needed.items()).capitalize()


class ConnectionSettings(Body):
    """A connection as it is written."""

    model_config = ConfigDict(json_schema_extra=with_example(examples.CONNECTION_SETTINGS))

    kind: Name = Field(description=f"The kind of tracker: {' or '.join(f'`{name}`' for name in KINDS)}.")
    settings: dict[Name, str | bool | int] = Field(
        max_length=20,
        description=f"{_needed_settings()}; a 422 names what is missing.",
    )
    secret: Annotated[SecretStr, Field(min_length=1, max_length=4000)] = Field(
        description="The API token. Stored encrypted; no answer ever shows it."
    )


class NewConnection(ConnectionSettings):
    """A connection to add."""

    model_config = ConfigDict(json_schema_extra=with_example(examples.NEW_CONNECTION))

    name: Name = Field(description="What you call it; 80 characters at most.")


class Connection(Shown):
    """A connection, without its credential."""

    model_config = ConfigDict(json_schema_extra=with_example(examples.CONNECTION))

    id: str
    name: str
    kind: str
    settings: dict[str, Any]
    created_at: datetime


class ConnectionList(Shown):
    """All connections by name."""

    model_config = ConfigDict(json_schema_extra=with_example(examples.CONNECTION_LIST))

    items: list[Connection]
    next: str | None = Field(description="Always null: the list is complete.")


class CheckRequest(Body):
    """What to check a connection for."""

    model_config = ConfigDict(json_schema_extra=with_example(examples.CHECK_REQUEST))

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


class MappedShown(Shown):
    """One role, and the thing of the tracker that stands for it."""

    role: str = Field(description="What the thing is for, such as `ticket-type`.")
    id: str | None = Field(description="The tracker's own id, which decides; null where nothing stands for it.")
    name: str | None = Field(description="What the tracker calls it now.")
    found: str = Field(
        description="How it was found: set, convention, only, order, own, shared, off; or why it was not: ambiguous,"
        " missing, gone."
    )
    how: str = Field(description="The same in words.")


class CandidateShown(Shown):
    """A thing of the tracker's that could stand for a role."""

    id: str
    name: str
    note: str = Field(description="What tells it from others.")


class MappedRole(MappedShown):
    """One role, with what could stand for it."""

    model_config = ConfigDict(json_schema_extra=with_example(examples.MAPPED))

    purpose: str = Field(description="The role in words.")
    set_by: str | None = Field(description="Who set it; null where nobody did.")
    candidates: list[CandidateShown]
    special: list[str] = Field(description="What can be set besides: `none` to do without, `new` to have one made.")


class MappingShown(Shown):
    """What stands for what in a project of the tracker, now."""

    model_config = ConfigDict(json_schema_extra=with_example(examples.MAPPING))

    connection: str
    project: str = Field(description="The tracker's key.")
    project_id: str = Field(description="The tracker's own id, under which the mapping is kept.")
    version: int = Field(description="Grows with every change of what is kept; 0 while nothing is.")
    roles: list[MappedRole]
    findings: list[Finding] = Field(description="What has to be said, or should be looked at.")


class MappingSet(Body):
    """All that people say of a mapping. A role that is not among them is found by phaseloop."""

    model_config = ConfigDict(json_schema_extra=with_example(examples.MAPPING_SET))

    roles: dict[Name, Name] = Field(
        max_length=50, description="By role: an id or a name of the tracker's, or `none`, or `new`."
    )


class Preflight(Shown):
    """What a check found. Nothing was written."""

    model_config = ConfigDict(json_schema_extra=with_example(examples.PREFLIGHT))

    connection: str = Field(description="Name of the connection.")
    ok: bool = Field(description="Whether nothing blocks it.")
    account: AccountShown | None = Field(description="Who we are there; null if the tracker did not say.")
    project: PlaceShown | None = Field(description="The project, if it was asked for and is there.")
    mapping: list[MappedShown] = Field(default=[], description="Which of the project's things stand for what.")
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

    model_config = ConfigDict(json_schema_extra=with_example(examples.TEAM_LIST))

    items: list[TeamEntry]
    next: str | None = Field(description="Always null: the list is complete.")


class TeamShown(TeamEntry):
    """A team."""

    model_config = ConfigDict(json_schema_extra=with_example(examples.TEAM_SHOWN))

    team: dict[str, Any] = Field(description="The team as PUT takes it: `name`, `time_zone`, `members`.")
    notes: list[ForRest] = Field(
        default_factory=list,
        description="What of a table was passed over, or guessed; in how many projects what is due follows.",
    )


def example_of(name: str) -> examples.Example | None:
    """The example of the model of that name, if there is one and it has one."""
    models = {model.__name__: model for base in (Body, Shown) for model in _below(base)}
    extra: Any = models[name].model_config.get("json_schema_extra") if name in models else None
    return extra["examples"][0] if extra else None


def _below(base: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for model in base.__subclasses__():
        yield model
        yield from _below(model)
