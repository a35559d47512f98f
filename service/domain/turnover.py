"""From one iteration to the next: what is done, what is carried over, which phase comes. Pure.

An advance closes the iteration that goes on and begins the next one. What it finds in the tracker are `Content`s; what
it decides is a `Turnover`, which its plan carries and which is recorded once the plan was applied.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from connectors.tracker import Content, ItemKey
from service.domain.calendar import DateRange
from service.domain.course import Stage
from service.domain.template import Key


class Policy(StrEnum):
    """What becomes of a ticket that is not done when its iteration is closed."""

    NEXT = "next"
    """It is carried over into the next iteration."""
    BACKLOG = "backlog"
    """It is taken out of every iteration."""
    LEAVE = "leave"
    """It stays where the tracker leaves it."""


class Move(StrEnum):
    """What follows an iteration in the loop."""

    BEGIN = "begin"
    """The first iteration begins."""
    STAY = "stay"
    """Another iteration of the same phase."""
    NEXT = "next"
    """The next phase: this one has reached its output, or a person says that it has."""
    BACK = "back"
    """A phase that was there before, in a new turn of the loop."""
    END = "end"
    """Nothing: the project is over."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided about the coming iteration, and why. `phase` is for BACK only."""

    move: Move
    by: str
    reason: str
    at: datetime
    phase: Key | None = None


@dataclass(frozen=True, slots=True)
class Carried:
    """A ticket that is not done when its iteration is closed. `key` is `guest:<id>` for one of people's own. `to` is
    the iteration it is carried into (None for backlog and leave); `times` how often it was carried, this time
    included; `decided_by` is `policy` or who answered for it."""

    key: ItemKey
    title: str
    policy: Policy
    to: int | None
    times: int
    decided_by: str = "policy"
    person: str = ""
    points: float | None = None


@dataclass(frozen=True, slots=True)
class Turnover:
    """What an advance does to the loop: it closes iteration `closes` (0: none, the first begins) and begins `begins`
    (0: none, the project ends), which is of `stage` and has these dates.

    `lacking` says in words what keeps the phase from its exit, empty if its criterion is met. `contents` are the
    tickets of the closing iteration as they were before anything was moved.
    """

    closes: int
    begins: int
    move: Move
    stage: Stage | None = None
    dates: DateRange | None = None
    starts: datetime | None = None
    ends: datetime | None = None
    title: str = ""
    carried: tuple[Carried, ...] = ()
    lacking: tuple[str, ...] = ()
    decision: Decision | None = None
    contents: tuple[Content, ...] = ()
