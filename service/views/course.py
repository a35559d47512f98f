"""Views of a project's iterations, those to come included: when they are, what is in them, and for whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from service.views.made import instant


@dataclass(frozen=True, slots=True)
class IterationLine:
    """One iteration of a project's course. `state`: `closed`, `open` (it has begun) or `to come`. `tickets` are those
    in it by our records, `points` theirs, `done` the points that were done when it was last checked."""

    number: int
    phase: str
    state: str
    first: date
    last: date
    starts: datetime
    ends: datetime
    tickets: int
    points: float
    done: float

    def to_json(self) -> dict[str, Any]:
        """The form that doors show."""
        return {
            "number": self.number,
            "phase": self.phase,
            "state": self.state,
            "first": self.first.isoformat(),
            "last": self.last.isoformat(),
            "starts": instant(self.starts),
            "ends": instant(self.ends),
            "tickets": self.tickets,
            "points": self.points,
            "done": self.done,
        }


@dataclass(frozen=True, slots=True)
class TicketLine:
    """A ticket by our records. `status` is `todo`, `doing` or `done`, empty where it was not looked at."""

    title: str
    remote_key: str
    url: str
    status: str
    points: float | None

    def to_json(self) -> dict[str, Any]:
        """The form that doors show."""
        return {
            "title": self.title,
            "ticket": self.remote_key,
            "url": self.url,
            "status": self.status,
            "points": self.points,
        }


@dataclass(frozen=True, slots=True)
class PersonLoad:
    """The tickets of one person in an iteration. `person` is empty for those that nobody has, `roles` are titles.
    `capacity` is how many points they can take with their absences, None for no limit; `away` counts working days."""

    person: str
    roles: tuple[str, ...]
    capacity: float | None
    away: int
    tickets: tuple[TicketLine, ...]

    def _sum(self, *, done: bool) -> float:
        return sum(one.points or 0 for one in self.tickets if (one.status == "done") is done)

    @property
    def done(self) -> float:
        """Points that are done."""
        return self._sum(done=True)

    @property
    def open(self) -> float:
        """Points that are not."""
        return self._sum(done=False)

    def to_json(self) -> dict[str, Any]:
        """The form that doors show."""
        return {
            "person": self.person,
            "roles": list(self.roles),
            "capacity": self.capacity,
            "away": self.away,
            "done": self.done,
            "open": self.open,
            "tickets": [one.to_json() for one in self.tickets],
        }


@dataclass(frozen=True, slots=True)
class CourseView:
    """The iterations of a project and its current one by person; before the first has begun, that one. `load_of` is its
    number. `exit` are the tickets that must be done before the phase ends, `exit_record` whether its record must be
    signed, too."""

    iterations: tuple[IterationLine, ...]
    phases: tuple[tuple[str, str], ...]
    current: int
    load_of: int
    load: tuple[PersonLoad, ...]
    exit: tuple[TicketLine, ...]
    exit_record: bool

    def to_json(self) -> dict[str, Any]:
        """The form that doors show."""
        return {
            "iterations": [one.to_json() for one in self.iterations],
            "phases": [{"key": key, "title": title} for key, title in self.phases],
            "current": self.current,
            "load_of": self.load_of,
            "load": [one.to_json() for one in self.load],
            "exit": [one.to_json() for one in self.exit],
            "exit_record": self.exit_record,
        }
