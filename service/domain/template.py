"""The template format: the shape of a team's process, as its author writes it.

These models are the first of three passes (shape, references, tracker). They are strict: an unknown field is an
error. What one part says about another (roles, epics, dependencies, placeholders) is checked by `references`.
The JSON Schema that editors use is generated from them.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

FORMAT = "phaseloop/v1"
"""The format version this code reads. Content versions are the author's and live in `version`."""

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
"""A name the author chose: lower-case words joined by hyphens. It stays when titles change."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=8000, strip_whitespace=True)]
"""Markdown with placeholders (`{{ project.name }}`)."""

Line = Annotated[str, StringConstraints(min_length=1, max_length=250, strip_whitespace=True, pattern=r"^[^\r\n]+$")]
"""One line of text with placeholders."""

Placeholder = Annotated[str, StringConstraints(pattern=r"^\{\{ *[a-z][a-z0-9_]* *\}\}$")]
"""A whole value taken from a parameter: `"{{ iteration_days }}"`."""

ParameterName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]

ParameterValue = bool | int | date | str
"""What a parameter can hold once it is settled."""


class Strict(BaseModel):
    """The base of every part of a template: closed, immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class IntegerParameter(Strict):
    """A whole number in a range, both ends included."""

    type: Literal["integer"]
    description: Line
    default: int
    minimum: int
    maximum: int


class ChoiceParameter(Strict):
    """One of some words."""

    type: Literal["choice"]
    description: Line
    default: Key
    choices: Annotated[tuple[Key, ...], Field(min_length=2)]


class SwitchParameter(Strict):
    """Yes or no."""

    type: Literal["switch"]
    description: Line
    default: bool


class DateParameter(Strict):
    """A calendar date; `today` and `next-monday` are settled when a project is planned for the first time."""

    type: Literal["date"]
    description: Line
    default: date | Literal["today", "next-monday"]


Parameter = Annotated[IntegerParameter | ChoiceParameter | SwitchParameter | DateParameter, Field(discriminator="type")]

When = Annotated[
    dict[ParameterName, bool | Key | tuple[Key, ...]],
    Field(description="Parameter values under which this part exists; all must match, a list means any of."),
]

Origin = Literal["extension"]
SeedRefs = Annotated[
    tuple[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]+(\.[a-z0-9-]+)*$")], ...], Field(min_length=1)
]


class Role(Strict):
    """A kind of work that people of the team answer for."""

    title: Line
    core: bool = Field(description="Core roles are part of every team; the others appear as it grows.")
    responsibility: Text
    skills: Annotated[tuple[Line, ...], Field(min_length=1)]
    fallback: Key | None = Field(default=None, description="The role that takes over when this one is off or empty.")
    when: When = Field(default_factory=dict)


class Epic(Strict):
    """A body of work inside a phase."""

    key: Key
    title: Line
    description: Text
    when: When = Field(default_factory=dict)


class Ticket(Strict):
    """One piece of work for one role."""

    key: Key
    title: Line
    epic: Key
    role: Key
    reviewers: tuple[Key, ...] = Field(default=(), description="Roles that look it over before it is done.")
    description: Text
    done: Annotated[tuple[Line, ...], Field(min_length=1)] = Field(description="What done means, as a checklist.")
    deliverable: Line
    points: Annotated[int, Field(ge=0, le=100)]
    priority: Literal["high", "medium", "low"] | None = None
    needs: tuple[Key, ...] = Field(default=(), description="Keys of tickets that must be done first.")
    seed_ref: SeedRefs | None = Field(default=None, description="What in the template's source this ticket covers.")
    origin: Origin | None = Field(default=None, description="`extension`: not from the source but added by the author.")
    when: When = Field(default_factory=dict)


class PhaseRecord(Strict):
    """Who documents an iteration of the phase; one such ticket in every iteration."""

    epic: Key
    author: Key
    sign_off: Key
    points: Annotated[int, Field(ge=0, le=100)]


class Exit(Strict):
    """When a phase is over: its output exists."""

    output: Text
    needs: Annotated[tuple[Key, ...], Field(min_length=1)]
    record: bool = Field(default=True, description="The iteration's record must be signed as well.")


class Phase(Strict):
    """A stage of the loop."""

    key: Key
    title: Line
    short: Annotated[str, StringConstraints(min_length=1, max_length=12)] = Field(
        description="The phase in a few letters, for iteration names."
    )
    focus: Text
    roles: Annotated[tuple[Key, ...], Field(min_length=1)] = Field(description="Roles at work in this phase.")
    iterations: Annotated[int, Field(ge=1, le=26)] | Placeholder
    recurring: bool = Field(default=False, description="Every iteration has all its tickets again.")
    epics: Annotated[tuple[Epic, ...], Field(min_length=1)]
    tickets: Annotated[tuple[Ticket, ...], Field(min_length=1)]
    record: PhaseRecord
    exit: Exit


class Section(Strict):
    """A heading of the record and what to write under it."""

    key: Key
    title: Line
    prompt: Text


class Record(Strict):
    """The record in which every iteration is documented."""

    title: Line
    description: Text
    done: Annotated[tuple[Line, ...], Field(min_length=1)]
    sections: Annotated[tuple[Section, ...], Field(min_length=1)]
    grace_working_days: Annotated[int, Field(ge=0, le=30)]


class Ceremony(Strict):
    """A meeting of the team, at the start, every working day, or at the end of an iteration."""

    key: Key
    title: Line
    at: Literal["start", "daily", "end"]
    minutes: Annotated[int, Field(ge=5, le=480)]
    purpose: Text
    roles: tuple[Key, ...] = Field(default=(), description="Who comes; empty: everybody.")
    when: When = Field(default_factory=dict)


class Ceremonies(Strict):
    """The team's meetings, kept on one ticket in every iteration so that they are seen and ticked, not scattered."""

    title: Line
    description: Text
    role: Key = Field(description="Who calls the meetings.")
    points: Annotated[int, Field(ge=0, le=100)] = 0
    events: Annotated[tuple[Ceremony, ...], Field(min_length=1)]
    when: When = Field(default_factory=dict)


class Cadence(Strict):
    """How long an iteration lasts and what it is called."""

    iteration_days: Annotated[int, Field(ge=5, le=60)] | Placeholder
    start_date: date | Placeholder
    iteration_name: Line = Field(
        description="Placeholders: project, phase, iteration. 29 characters at most, filled in."
    )


class Template(Strict):
    """A versioned process: roles, phases with epics and tickets, records, meetings, cadence and parameters."""

    format: Literal["phaseloop/v1"]
    kind: Literal["template"]
    name: Key
    version: Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")]
    title: Line
    description: Text
    source: Line | None = Field(default=None, description="Where the process comes from, if it was not invented here.")
    parameters: dict[ParameterName, Parameter]
    roles: Annotated[dict[Key, Role], Field(min_length=1)]
    cadence: Cadence
    ceremonies: Ceremonies
    record: Record
    phases: Annotated[tuple[Phase, ...], Field(min_length=1)]
