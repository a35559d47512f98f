"""Views of a project's loop, of its iterations, and of what happened to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from service.domain.loop.turnover import Decision
from service.views.made import instant, made

if TYPE_CHECKING:
    from service.store.tables import EventRow, IterationRow, LoopRow

_DECISION = TypeAdapter(Decision)


@dataclass(frozen=True, slots=True)
class LoopView:
    """How the loop of one project stands: `state` is one of `service.domain.loop.loop_state`, `current` the number of
    the current iteration, 0 before the first. `decision` is what a person decided of the coming iteration, `feed` the
    secret in the calendar feed's address."""

    project_id: str
    state: str
    current: int
    next_first: date | None
    run_id: str | None
    answers: Mapping[str, str]
    decision: Mapping[str, Any] | None
    message: str
    changed_by: str
    feed: str

    @classmethod
    def of(cls, row: LoopRow) -> LoopView:
        """The view of what is stored."""
        return made(cls, row)

    @property
    def decided(self) -> Decision | None:
        """The decision as a value."""
        return _DECISION.validate_python(self.decision) if self.decision is not None else None


@dataclass(frozen=True, slots=True)
class IterationView:
    """An iteration that was begun, and its dates."""

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
    closed_at: datetime | None
    began_by: str | None
    closed_by: str | None
    findings: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, row: IterationRow) -> IterationView:
        """The view of what is stored."""
        return made(cls, row)


@dataclass(frozen=True, slots=True)
class EventView:
    """Something that happened to a loop, in words and as data."""

    id: int
    name: str
    kind: str
    iteration: int | None
    text: str
    data: Mapping[str, Any]
    by: str
    run_id: str | None
    at: datetime

    @classmethod
    def of(cls, row: EventRow) -> EventView:
        """The view of what is stored."""
        return made(cls, row)

    def to_json(self) -> dict[str, Any]:
        """The form that CLI and REST show."""
        return {
            "id": self.id,
            "name": self.name,
            "kind": self.kind,
            "iteration": self.iteration,
            "text": self.text,
            "data": dict(self.data),
            "by": self.by,
            "run": self.run_id,
            "at": instant(self.at),
        }


@dataclass(frozen=True, slots=True)
class PhaseForecast:
    """The phase of one iteration: `planned` as the template lays the phases out from the first iteration on, None where
    it plans no such iteration; `expected` as the loop stands now, None where it is expected to end before. `why` says
    why the two differ, or what is expected for what reason; empty where nothing is to be said. The current iteration is
    `open`."""

    iteration: int
    planned: str | None
    expected: str | None
    why: str
    open: bool = False

    @property
    def differs(self) -> bool:
        """Whether it is expected to be another one than was planned."""
        return self.planned != self.expected

    def to_json(self) -> dict[str, Any]:
        """The form that doors show."""
        return {
            "iteration": self.iteration,
            "planned": self.planned,
            "expected": self.expected,
            "why": self.why,
            "open": self.open,
        }
