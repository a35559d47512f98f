"""Bodies about what somebody inspects: the room, samples, questions; each with an example, which the OpenAPI document
shows."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from service.api import audit_examples
from service.api.access_models import PeriodShown
from service.api.audit_models import CheckName, Matrix
from service.api.models import Body, Shown, with_example
from service.domain.audit.outcome import Result
from service.domain.audit.sampling import LARGEST, LONGEST_SEED
from service.usecases.audit.questions import LONGEST, SHORTEST

Seed = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_SEED, pattern=r"^[^\x00-\x1f\x7f]+$")]
Size = Annotated[int, Field(ge=1, le=LARGEST)]


class SaidShown(Shown):
    """What somebody wrote on the ticket of a question."""

    person: str = Field(description="What the tracker calls them.")
    text: str = Field(description="In Markdown.")
    at: datetime


class QuestionShown(Shown):
    """What somebody asked the people of an iteration."""

    model_config = ConfigDict(json_schema_extra=with_example(audit_examples.QUESTION))

    id: str
    iteration: int
    text: str
    by: str
    at: datetime
    evidence: int = Field(description="The entry of the evidence that holds it.")
    ticket: str | None = Field(description="Its ticket, as people call it; null where it has none yet.")
    url: str | None = Field(description="Opens the ticket.")
    status: Literal["todo", "doing", "done", "gone"] | None = Field(
        description="Of its ticket, as it was read last; `gone`: somebody deleted it. Null before anything was read."
    )
    said: list[SaidShown] = Field(description="What stood on its ticket then.")
    read_at: datetime | None = Field(description="When that was seen first.")
    answer_evidence: int | None = Field(description="The entry of the evidence that holds the answer.")
    trouble: str = Field(description="Why its ticket could not be made just now; empty where nothing went wrong.")


class QuestionList(Shown):
    """Questions, oldest first."""

    model_config = ConfigDict(json_schema_extra=with_example(audit_examples.QUESTION_LIST))

    items: list[QuestionShown]
    next: str | None = Field(description="Always null: the list is complete.")


class NewQuestion(Body):
    """What is to be asked."""

    model_config = ConfigDict(json_schema_extra=with_example(audit_examples.NEW_QUESTION))

    iteration: Annotated[int, Field(ge=1, le=2_000_000_000)] = Field(description="About which iteration.")
    text: Annotated[str, StringConstraints(min_length=1, max_length=2 * LONGEST)] = Field(
        description=f"{SHORTEST} to {LONGEST} characters; white space within a line counts as one blank."
    )


class DrawnFinding(Shown):
    """A finding that was drawn; the room holds it under its iteration."""

    iteration: int
    check: CheckName


class SampleShown(Shown):
    """A sample that anybody can draw again: the findings whose SHA-256 of `seed:project:iteration:check` comes first,
    with the id of the project."""

    seed: str
    size: int
    result: Result | None = Field(description="Drawn among the findings with it; null: among all that say something.")
    among: int = Field(description="How many there are to draw from.")
    findings: list[DrawnFinding]


class Room(Matrix):
    """What somebody may inspect of a project: its iterations by checks, all or those in periods."""

    model_config = ConfigDict(json_schema_extra=with_example(audit_examples.ROOM))

    periods: list[PeriodShown] | None = Field(description="The periods; null: all iterations may be inspected.")
    questions: list[QuestionShown] = Field(description="About these iterations, oldest first.")
    sample: SampleShown | None = Field(description="The one that was asked for; null where none was.")
