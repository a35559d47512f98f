"""Views of plans and of what exists in the tracker because of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from service.domain.plan.desired import vacant_role
from service.domain.plan.plan import Plan
from service.domain.plan.plan_json import plan_from_json, published
from service.views.made import instant, made

if TYPE_CHECKING:
    from service.store.tables import ItemRow, PlanRow


@dataclass(frozen=True)
class PlanView:
    """A kept plan: `body` is how it is stored, `plan` what it says. From `expires_at` on it is not applied any more, if
    it was not by then. `run_id` is the newest run of it."""

    id: str
    project_id: str
    serial: int
    body: Mapping[str, Any]
    reads: int
    writes: int
    created_at: datetime
    expires_at: datetime
    made_by: str
    run_id: str | None

    @classmethod
    def of(cls, row: PlanRow, expires_at: datetime) -> PlanView:
        """The view of what is stored."""
        return made(cls, row, expires_at=expires_at)

    @cached_property
    def plan(self) -> Plan:
        """The plan as a value."""
        return plan_from_json(dict(self.body))

    def to_json(self) -> dict[str, Any]:
        """The form that CLI, plan files and REST show."""
        return {
            "id": self.id,
            "created_at": instant(self.created_at),
            "made_by": self.made_by,
            "expires_at": instant(self.expires_at),
            "run": self.run_id,
            **published(self.plan),
            "requests": {"reads": self.reads, "writes": self.writes},
        }


@dataclass(frozen=True, slots=True)
class ItemView:
    """Something that exists in the tracker because of a project, was refused there, or is about to be made. `problems`
    say why it was refused."""

    key: str
    kind: str
    state: str
    title: str
    remote_key: str | None
    url: str | None
    problems: Sequence[str]
    updated_at: datetime
    vacant: str = ""
    """The role that nobody could fill, of a ticket that was given to nobody."""

    @classmethod
    def of(cls, row: ItemRow) -> ItemView:
        """The view of what is stored."""
        roles = (vacant_role(str(one)) for one in row.wanted.get("labels", ()))
        title = str(row.wanted.get("title") or row.key)
        return made(cls, row, title=title, vacant=next((one for one in roles if one), ""))

    def to_json(self) -> dict[str, Any]:
        """The form that CLI and REST show."""
        return {
            "key": self.key,
            "kind": self.kind,
            "state": self.state,
            "title": self.title,
            "remote_key": self.remote_key,
            "url": self.url,
            "problems": list(self.problems),
            "updated_at": instant(self.updated_at),
        }


@dataclass(frozen=True, slots=True)
class PlannedTicket:
    """One ticket of a plan, as it will be. `person` is who has it, empty for nobody; then `vacancy` says why."""

    key: str
    title: str
    action: str
    epic: str
    iteration: str
    person: str
    points: float | None
    vacancy: str = ""

    def to_json(self) -> dict[str, Any]:
        """The form that doors show."""
        return {
            "key": self.key,
            "title": self.title,
            "action": self.action,
            "epic": self.epic,
            "iteration": self.iteration,
            "person": self.person,
            "points": self.points,
            "vacancy": self.vacancy,
        }


@dataclass(frozen=True, slots=True)
class TicketGroup:
    """The tickets of a plan that have one thing in common: `key` and `title` of an epic or an iteration, or a person.
    Both are empty for the tickets that have none."""

    key: str
    title: str
    tickets: tuple[PlannedTicket, ...]

    @property
    def points(self) -> float:
        """Their points together."""
        return sum(one.points or 0 for one in self.tickets)

    @property
    def vacancies(self) -> int:
        """How many of them have nobody."""
        return sum(not one.person for one in self.tickets)

    def to_json(self) -> dict[str, Any]:
        """The form that doors show."""
        return {
            "key": self.key,
            "title": self.title,
            "points": self.points,
            "vacancies": self.vacancies,
            "tickets": [one.to_json() for one in self.tickets],
        }


@dataclass(frozen=True, slots=True)
class GroupedPlan:
    """The tickets of a plan, grouped in three ways; each ticket is in one group of each. Groups come in the plan's
    order, what has no epic, iteration or person last. `vacancies` are the tickets that nobody could be found for."""

    plan: str
    by_epic: tuple[TicketGroup, ...]
    by_iteration: tuple[TicketGroup, ...]
    by_person: tuple[TicketGroup, ...]
    vacancies: tuple[PlannedTicket, ...]

    def to_json(self) -> dict[str, Any]:
        """The form that doors show."""
        return {
            "plan": self.plan,
            "by_epic": [one.to_json() for one in self.by_epic],
            "by_iteration": [one.to_json() for one in self.by_iteration],
            "by_person": [one.to_json() for one in self.by_person],
            "vacancies": [one.to_json() for one in self.vacancies],
        }
