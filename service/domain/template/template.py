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

Name = Annotated[str, StringConstraints(min_length=1, max_length=250, strip_whitespace=True, pattern=r"^[^\r\n]+$")]
"""One line of plain text, shown before there is a project and so without placeholders."""

Plain = Annotated[str, StringConstraints(min_length=1, max_length=8000, strip_whitespace=True)]
"""Markdown without placeholders."""

ParameterName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]

ParameterValue = bool | int | date | str
"""What a parameter can hold once it is settled."""


class Strict(BaseModel):
    """The base of every part of a template: closed, immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class IntegerParameter(Strict):
    """A whole number in a range, both ends included."""

    type: Literal["integer"]
    description: Name = Field(description="What it decides, for the person who starts a project.")
    default: int
    minimum: int = Field(description="The least value that can be given.")
    maximum: int = Field(description="The greatest value that can be given.")
    unit: Literal["days"] | None = Field(
        default=None, description="What it counts; `days` can be given as weeks, too, such as `2 weeks`."
    )


class ChoiceParameter(Strict):
    """One of some words."""

    type: Literal["choice"]
    description: Name = Field(description="What it decides, for the person who starts a project.")
    default: Key
    choices: Annotated[tuple[Key, ...], Field(min_length=2)] = Field(description="The words to choose from.")


class SwitchParameter(Strict):
    """Yes or no."""

    type: Literal["switch"]
    description: Name = Field(description="What it decides, for the person who starts a project.")
    default: bool


DateWord = Literal[
    "today",
    "next-monday",
    "next-tuesday",
    "next-wednesday",
    "next-thursday",
    "next-friday",
    "next-saturday",
    "next-sunday",
]


class DateParameter(Strict):
    """A calendar date; words such as `today` and `next-monday` are settled when a project is planned for the first
    time."""

    type: Literal["date"]
    description: Name = Field(description="What it decides, for the person who starts a project.")
    default: date | DateWord


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

    title: Name = Field(description="What people call the role.")
    core: bool = Field(description="Core roles are part of every team; the others appear as it grows.")
    responsibility: Plain = Field(description="What the role answers for.")
    skills: Annotated[tuple[Name, ...], Field(min_length=1)] = Field(description="What somebody in the role can do.")
    fallback: Key | None = Field(default=None, description="The role that takes over when this one is off or empty.")
    when: When = Field(default_factory=dict)


class Epic(Strict):
    """A body of work inside a phase."""

    key: Key = Field(description="Its lasting name, unique in the template.")
    title: Line = Field(description="What it is called in the tracker.")
    description: Text = Field(description="What the work is about.")
    when: When = Field(default_factory=dict)


class Ticket(Strict):
    """One piece of work for one role."""

    key: Key = Field(description="Its lasting name, unique in the template.")
    title: Line = Field(description="What it is called in the tracker.")
    epic: Key = Field(description="Key of an epic of the same phase.")
    role: Key = Field(description="The role that does it.")
    reviewers: tuple[Key, ...] = Field(default=(), description="Roles that look it over before it is done.")
    description: Text = Field(description="What to do and why.")
    done: Annotated[tuple[Line, ...], Field(min_length=1)] = Field(description="What done means, as a checklist.")
    deliverable: Line = Field(description="What exists afterwards.")
    points: Annotated[int, Field(ge=0, le=100)] = Field(description="The size of the work, in story points.")
    priority: Literal["high", "medium", "low"] | None = Field(
        default=None, description="Unset: whatever the tracker gives new work."
    )
    needs: tuple[Key, ...] = Field(default=(), description="Keys of tickets that must be done first.")
    before: tuple[Key, ...] = Field(
        default=(), description="Keys of tickets that wait for this one whenever it exists: `needs` from the other end."
    )
    seed_ref: SeedRefs | None = Field(default=None, description="What in the template's source this ticket covers.")
    origin: Origin | None = Field(default=None, description="`extension`: not from the source but added by the author.")
    when: When = Field(default_factory=dict)


CheckId = Annotated[str, StringConstraints(pattern=r"^D(0[1-9]|1[0-5])$")]
"""A documentation check, D01 to D15; see docs/reference/audit.md."""

CheckWeight = Literal["critical", "major", "minor", "off"]


class PhaseRecord(Strict):
    """Who documents an iteration of the phase; one such ticket in every iteration."""

    epic: Key = Field(description="Key of the epic of the phase that holds the records.")
    author: Key = Field(description="The role that writes the record.")
    sign_off: Key = Field(description="The role that signs it; never the author's.")
    points: Annotated[int, Field(ge=0, le=100)] = Field(description="The size of the work, in story points.")
    checks: dict[CheckId, CheckWeight] = Field(
        default_factory=dict, description="Checks that weigh otherwise in this phase than in the others."
    )
    links: tuple[Key, ...] = Field(default=(), description="Kinds of links that a record of this phase must have.")


class Exit(Strict):
    """When a phase is over: its output exists."""

    output: Text = Field(description="What exists when the phase is over.")
    needs: Annotated[tuple[Key, ...], Field(min_length=1)] = Field(description="Keys of tickets that must be done.")
    record: bool = Field(default=True, description="The iteration's record must be signed as well.")


class Phase(Strict):
    """A stage of the loop."""

    key: Key = Field(description="Its lasting name, unique in the template.")
    title: Line = Field(description="What the phase is called.")
    short: Annotated[
        str, StringConstraints(min_length=1, max_length=12, strip_whitespace=True, pattern=r"^[^\r\n]+$")
    ] = Field(description="The phase in a few letters, for iteration names; no placeholders.")
    focus: Text = Field(description="What the phase is for.")
    roles: Annotated[tuple[Key, ...], Field(min_length=1)] = Field(description="Roles at work in this phase.")
    iterations: Annotated[int, Field(ge=1, le=26)] | Placeholder = Field(
        description="How many iterations are planned: a number or the placeholder of an integer parameter."
    )
    recurring: bool = Field(default=False, description="Every iteration has all its tickets again.")
    epics: Annotated[tuple[Epic, ...], Field(min_length=1)] = Field(description="The bodies of work of the phase.")
    tickets: Annotated[tuple[Ticket, ...], Field(min_length=1)] = Field(description="Its work, in the order to do it.")
    record: PhaseRecord = Field(description="Who documents its iterations.")
    exit: Exit = Field(description="When the phase is over.")


class Section(Strict):
    """A heading of the record and what to write under it."""

    key: Key = Field(
        description="Its lasting name, unique in the record. The checks look for goal, data, experiments, decisions, "
        "performance, risks, next-steps, links and sign-off."
    )
    title: Line = Field(description="The heading.")
    aliases: tuple[Name, ...] = Field(default=(), description="What else people call it, translations included.")
    prompt: Text = Field(description="What to write under it.")
    form: tuple[Name, ...] = Field(
        default=(),
        max_length=6,
        description="The columns of a table to fill in below the prompt, with a first empty row; none: free text.",
    )


class LinkRule(Strict):
    """A kind of link that records may have to have, and what it is told by."""

    key: Key = Field(description="Its lasting name, unique in the record.")
    title: Name = Field(description="What it is called where it is lacking.")
    words: tuple[Name, ...] = Field(default=(), description="Words beside such a link or in it, in any case.")
    addresses: tuple[Name, ...] = Field(default=(), description="Shapes of its address, `*` stands for anything.")


class Record(Strict):
    """The record in which every iteration is documented."""

    title: Line = Field(description="What the record's ticket is called.")
    description: Text = Field(description="What to write and why; stands above the sections.")
    done: Annotated[tuple[Line, ...], Field(min_length=1)] = Field(description="What done means, as a checklist.")
    sections: Annotated[tuple[Section, ...], Field(min_length=1)] = Field(description="The headings, in order.")
    grace_working_days: Annotated[int, Field(ge=0, le=30)] = Field(
        description="Working days after the end of an iteration until its record is late."
    )
    due_soon_working_days: Annotated[int, Field(ge=0, le=30)] = Field(
        default=2, description="Working days before the end of an iteration from which on people are reminded."
    )
    escalate_working_days: Annotated[int, Field(ge=0, le=30)] = Field(
        default=3, description="Working days after a record became late until others hear of it."
    )
    escalate_to: tuple[Key, ...] = Field(default=(), description="Roles that hear of it then, besides the signer.")
    gate: Literal["block", "warn", "off"] = Field(
        default="off",
        description="What an iteration that is not documented does to the advance that closes it: hold it, warn and "
        "carry the debt, or nothing; `off` has the clock audit nothing.",
    )
    sign_off_by: Annotated[tuple[Literal["comment", "tick", "done"], ...], Field(min_length=1)] = Field(
        default=("comment", "tick", "done"),
        description="What signs a record: a comment /approve, a ticked line that says signed off, moving it to done.",
    )
    checks: dict[CheckId, CheckWeight] = Field(
        default_factory=dict, description="Checks that weigh otherwise than usual, in all phases."
    )
    links: tuple[LinkRule, ...] = Field(default=(), description="Kinds of links, told by words and addresses.")
    hosts: tuple[Name, ...] = Field(
        default=(), description="Hosts that links may lead to, *.example.com for all below; empty: any public one."
    )


class Ceremony(Strict):
    """A meeting of the team, at the start, every working day, or at the end of an iteration."""

    key: Key = Field(description="Its lasting name, unique among the meetings.")
    title: Line = Field(description="What the meeting is called.")
    at: Literal["start", "daily", "end"] = Field(description="When in the iteration it is held.")
    minutes: Annotated[int, Field(ge=5, le=480)] = Field(description="How long it takes.")
    purpose: Text = Field(description="What is clear afterwards.")
    roles: tuple[Key, ...] = Field(default=(), description="Who comes; empty: everybody.")
    when: When = Field(default_factory=dict)


class Ceremonies(Strict):
    """The team's meetings, kept on one ticket in every iteration so that they are seen and ticked, not scattered."""

    title: Line = Field(description="What the ticket of the meetings is called.")
    description: Text = Field(description="What to do with the ticket.")
    role: Key = Field(description="Who calls the meetings.")
    points: Annotated[int, Field(ge=0, le=100)] = Field(default=0, description="The size, in story points.")
    events: Annotated[tuple[Ceremony, ...], Field(min_length=1)] = Field(description="The meetings.")
    when: When = Field(default_factory=dict)


class Cadence(Strict):
    """How long an iteration lasts and what it is called."""

    iteration_days: Annotated[int, Field(ge=5, le=60)] | Placeholder = Field(
        description="Calendar days from one start to the next: a number or the placeholder of an integer parameter."
    )
    start_date: date | Placeholder = Field(description="First day: a date or the placeholder of a date parameter.")
    iteration_name: Line = Field(
        description="Placeholders: project, phase, iteration. 29 characters at most, filled in."
    )


class Loop(Strict):
    """How the loop turns: what becomes of unfinished work, and how far ahead iterations are prepared."""

    carry_over: Literal["ask", "next", "backlog", "leave"] = Field(
        default="ask",
        description="What becomes of unfinished work when an iteration is closed: carried into the next iteration, "
        "taken to the backlog, left; or proposed when it ends and, unless somebody answers, carried at the next start.",
    )
    ahead: Annotated[int, Field(ge=1, le=104)] | Literal["all"] = Field(
        default="all",
        description="How many iterations are kept prepared, the current one included; or all that are planned.",
    )
    wip_limit: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        default=None, description="How many tickets may be in progress at once; shown where it is exceeded."
    )


class Template(Strict):
    """A versioned process: roles, phases with epics and tickets, records, meetings, cadence and parameters."""

    format: Literal["phaseloop/v1"] = Field(description="The version of the format, not of the content.")
    kind: Literal["template"] = Field(description="What this document is.")
    name: Key = Field(description="Its lasting name; projects hold on to it.")
    version: Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")] = Field(
        description="The version of the content, the author's own."
    )
    title: Name = Field(description="What the process is called.")
    description: Plain = Field(description="Whom the process is for and what it gives them.")
    source: Name | None = Field(default=None, description="Where the process comes from, if it was not invented here.")
    parameters: dict[ParameterName, Parameter] = Field(description="What can be decided when a project is started.")
    roles: Annotated[dict[Key, Role], Field(min_length=1)] = Field(description="The kinds of work, by key.")
    cadence: Cadence = Field(description="How long iterations are and what they are called.")
    loop: Loop = Field(default=Loop(), description="How the loop turns; a project may differ.")
    ceremonies: Ceremonies = Field(description="The meetings of every iteration.")
    record: Record = Field(description="How every iteration is documented.")
    phases: Annotated[tuple[Phase, ...], Field(min_length=1)] = Field(description="The stages, in order.")
