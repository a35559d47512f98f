"""The bodies of the API about a project's loop, its advances and its history, each with an example, which the OpenAPI
document shows."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, WithJsonSchema

from service.api import loop_examples
from service.api.models import Body, Finding, Name, Shown, with_example
from service.api.project_models import PlanContent, RunState
from service.usecases.loop.scheduling import REASON_LIMIT

Why = Annotated[str, StringConstraints(min_length=1, max_length=REASON_LIMIT, pattern=r"^[^\x00]*\S[^\x00]*$")]
"""A reason: some words."""

Becomes = Annotated[str, WithJsonSchema({"type": "string", "enum": ["next", "backlog", "leave"]})]
"""What becomes of a ticket. The use case looks at it: it names the ticket where it is wrong."""

Answers = Annotated[dict[Name, Becomes], Field(max_length=1000)]

_ANSWERS = (
    "By item key, by the tracker's key such as ML-12, or `*` for all that have no answer of their own: `next` (carried "
    "into the next iteration), `backlog` (taken out of every iteration) or `leave` (left where the tracker leaves it)."
)


class Reason(Body):
    """Why; kept in the history."""

    model_config = ConfigDict(json_schema_extra=with_example(loop_examples.REASON))

    reason: Why = Field(description="In a few words.")


class Resuming(Body):
    """How a loop continues."""

    model_config = ConfigDict(json_schema_extra=with_example(loop_examples.RESUMING))

    catch_up: bool = Field(
        default=False,
        description="Whether all that was missed is made up for: one advance after the other, with the planned dates.",
    )


class NewDecision(Body):
    """What follows the current iteration, whatever its phase has reached."""

    model_config = ConfigDict(json_schema_extra=with_example(loop_examples.DECISION))

    move: Literal["stay", "next", "back", "end"] = Field(
        description="Another iteration of the phase, the next phase, back to one that was there before, or the end."
    )
    phase: Name | None = Field(default=None, description="The phase to go back to; for `back` alone.")
    reason: Why = Field(description="Why; kept in the history.")


class NewAnswers(Body):
    """What becomes of tickets that are not done when the current iteration is closed."""

    model_config = ConfigDict(json_schema_extra=with_example(loop_examples.ANSWERS))

    answers: Answers = Field(min_length=1, description=_ANSWERS)


class Advancing(Body):
    """What is said of one advance, besides what stands with the loop."""

    model_config = ConfigDict(json_schema_extra=with_example(loop_examples.ADVANCING))

    answers: Answers = Field(default_factory=dict, description=_ANSWERS)
    decision: NewDecision | None = Field(default=None, description="In place of the one that stands.")
    begins: int | None = Field(
        default=None,
        ge=1,
        description="The iteration that is meant to begin. Where it was begun already the answer is its run, so that "
        "nothing advances twice; left out, it is whichever comes next.",
    )


class ProjectNamed(Shown):
    """Which project."""

    id: str
    key: str
    name: str


class Firing(Shown):
    """One time at which the clock starts a run."""

    kind: Literal["propose", "advance", "end"] = Field(
        description="`propose` says what of `iteration` is not done, `advance` begins it, `end` closes the last one."
    )
    iteration: int
    phase: str = Field(description="As planned: a phase that has not reached its output lasts longer.")
    at: datetime = Field(description="With the offset of the project's time zone.")
    run: str | None = Field(description="The run that is in progress for it, or is held until then.")
    state: RunState | None = Field(description="That run's state.")


class Coming(Shown):
    """The iteration that begins next; of a paused loop not before it is resumed."""

    iteration: int
    first: date = Field(description="Its first working day.")


class Schedule(Shown):
    """What the clock starts next, soonest first. Nothing while the loop is paused and after it has ended."""

    model_config = ConfigDict(json_schema_extra=with_example(loop_examples.SCHEDULE))

    time_zone: str
    items: list[Firing]
    next: str | None = Field(description="Always null: ask for more with `count`.")


class TurningShown(Shown):
    """How the loop turns: what the project says, else what its template says."""

    carry_over: Literal["ask", "next", "backlog", "leave"]
    ahead: int | Literal["all"]
    wip_limit: int | None


class DecisionShown(Shown):
    """What a person decided about the coming iteration."""

    move: Literal["stay", "next", "back", "end"]
    phase: str | None = None
    reason: str
    by: str
    at: datetime


class CarriedOften(Shown):
    """A ticket that was carried over often: it is too large, or nobody means to do it."""

    key: str
    ticket: str = Field(description="What people call it in the tracker.")
    title: str
    times: int


class Loop(Shown):
    """How the loop of a project stands."""

    model_config = ConfigDict(json_schema_extra=with_example(loop_examples.LOOP))

    project: ProjectNamed
    time_zone: str
    state: Literal["turning", "paused", "ended"] | None = Field(
        description="Null before it has begun, which it does when the first plan was applied."
    )
    message: str = Field(description="Why it is paused, or how it ended.")
    changed_by: str = Field(description="Who had a say in it last.")
    current: int = Field(description="The current iteration; 0 before the first.")
    iterations: int = Field(description="How many there are in all, as known now.")
    phase: str | None = Field(description="The phase of the current iteration.")
    of_phase: int | None = Field(description="Which iteration of its phase that is, in this turn of the loop.")
    starts: datetime | None = Field(description="When it was to begin.")
    ends: datetime | None = Field(description="When it is to end.")
    loop: int = Field(description="The turn of the loop: 2 after a person sent it back once.")
    turning: TurningShown
    answers: dict[str, str] = Field(description="What becomes of unfinished tickets at the coming advance.")
    decision: DecisionShown | None = Field(description="What was decided about the coming iteration.")
    proposals: list[DecisionShown] = Field(
        description="Moves that events have proposed and nobody has decided about, the newest first; `by` is the "
        "trigger. One is accepted by deciding so (PUT loop/decision)."
    )
    carried_often: list[CarriedOften] = Field(
        description="Tickets of the current iteration that were carried for the third time or more and, by our "
        "records, are still in it."
    )
    run: str | None = Field(description="The newest run that the loop has started.")
    run_state: RunState | None = Field(description="That run's state; null once it has ended.")
    next: Firing | None = Field(description="What the clock starts next, in project time.")
    next_due: datetime | None = Field(description="When that is, in UTC.")
    coming: Coming | None = Field(description="The iteration that begins next, also while the loop is paused.")
    held: list[Finding] = Field(
        description="Why the newest run cannot continue, and who can fix it; it looks again by itself at `next_due`."
    )
    feed: str | None = Field(
        description="Path of the calendar feed. It holds a secret: whoever knows it may read the feed."
    )


class AdvancePreview(PlanContent):
    """The plan that an advance would apply now. It is not kept: an advance makes its own when it begins."""

    model_config = ConfigDict(extra="allow", json_schema_extra=with_example(loop_examples.PREVIEW))


class SumShown(Shown):
    """So many tickets, with so many points in all."""

    tickets: int
    points: float


class TallyShown(Shown):
    """Tickets by how they came into an iteration (planned, added) and what became of them (the rest)."""

    planned: SumShown
    added: SumShown
    done: SumShown
    carried: SumShown
    backlog: SumShown
    left: SumShown
    removed: SumShown


class Flow(Shown):
    """How work flows in the current iteration, as the tracker shows it now."""

    model_config = ConfigDict(json_schema_extra=with_example(loop_examples.FLOW))

    iteration: int
    key: str = Field(description="The lasting key of that iteration.")
    todo: SumShown
    doing: SumShown
    done: SumShown
    wip_limit: int | None = Field(description="How many tickets may be in progress at once; null for no limit.")
    findings: list[Finding] = Field(description="That the limit is exceeded, or that it cannot be looked at.")


class CycleShown(Shown):
    """How long done tickets were in the works, in hours round the clock."""

    tickets: int = Field(description="How many of them the tracker told it for.")
    median: float = Field(description="Half of them took no longer.")
    p85: float = Field(description="85 of 100 took no longer.")


class FiguresShown(Shown):
    """What an iteration comes to."""

    all: TallyShown
    by_role: dict[str, TallyShown] = Field(description="By role; an empty one is that of tickets without a role.")
    cycle: CycleShown | None = Field(description="Null where the tracker told it for no ticket.")


class TicketShown(Shown):
    """A ticket as it was seen in an iteration."""

    key: str = Field(description="Its lasting key; `guest:` and its id for one that people made themselves.")
    title: str
    remote_id: str
    remote_key: str
    url: str
    role: str
    person: str
    points: float | None
    status: str
    outcome: Literal["open", "done", "carried", "backlog", "left", "removed"] = Field(
        description="What became of it; `open` while the iteration is open."
    )
    planned: bool = Field(description="Whether the iteration began with it.")
    times: int = Field(description="How often it was carried over so far.")
    created: datetime | None
    started: datetime | None
    done: datetime | None


class IterationShown(Shown):
    """An iteration that was begun."""

    number: int
    phase: str
    loop: int
    of_phase: int
    title: str
    first: date
    last: date
    starts: datetime
    ends: datetime
    began_at: datetime
    began_by: str | None = Field(description="The run that began it.")
    closed_at: datetime | None = Field(description="Null while it is open.")
    closed_by: str | None = Field(description="The run that closed it.")
    figures: FiguresShown
    tickets: list[TicketShown]
    findings: list[Finding] = Field(description="What the advance that closed it found.")


class EventShown(Shown):
    """Something that happened to the loop."""

    id: int = Field(description="Grows.")
    name: str = Field(description="Told once in the project by this name.")
    kind: str
    iteration: int | None
    text: str
    data: dict[str, Any]
    by: str
    run: str | None
    at: datetime


class History(Shown):
    """What became of a project's iterations, and what happened to its loop."""

    model_config = ConfigDict(json_schema_extra=with_example(loop_examples.HISTORY))

    project: ProjectNamed
    iterations: list[IterationShown] = Field(description="Oldest first.")
    cycle: CycleShown | None = Field(description="Over the done tickets of all iterations.")
    events: list[EventShown] = Field(description="In order.")
