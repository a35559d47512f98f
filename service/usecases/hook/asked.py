"""What an action of a trigger asks for, what is to be done about it, and what all have in common that write to a
tracker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from connectors.port import Tracker
from connectors.values import Capabilities, ItemKey, ObservedItem, Place, ProjectSpec, RemoteRef
from service.context import Context
from service.domain.plan import conflicts, run_state
from service.domain.plan.event_ticket import event_ticket_key
from service.domain.plan.plan import Plan, Purpose
from service.store import items
from service.store.tables import EventRow, ProjectRow, RunRow
from service.usecases.audit import record_audit
from service.usecases.errors import Conflict
from service.usecases.plan import planning
from service.usecases.plan.planning import Draft
from service.usecases.plan.project_state import Material

LONGEST_TEXT = 8000
"""Characters of what is written into a tracker."""

Drafted = tuple[Plan, Mapping[ItemKey, ObservedItem]]
"""A plan, and what was seen of what it is about."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an action asks for: its name, its arguments, filled in, the project, in whose name, and the firing's id."""

    action: str
    given: Mapping[str, Any]
    project: ProjectRow
    by: str
    once: str

    def text(self, name: str) -> str:
        """An argument as text, empty where it is not given."""
        return str(self.given.get(name, "")).strip()

    @property
    def key(self) -> ItemKey:
        """The key of the ticket that it is about."""
        return event_ticket_key(self.text("ticket"))


@dataclass(frozen=True, slots=True)
class Event:
    """What the history is told, once by its name."""

    name: str
    kind: str
    text: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reaction:
    """What is to be done: the plan, None where nothing is to be written; what came of it in words; and what the
    history is told. `current` is the iteration that it was made for; `absent`: there is no ticket that it is about."""

    made: Draft | None
    text: str
    current: int
    events: tuple[Event, ...] = ()
    absent: bool = False


def drafted(
    context: Context,
    ours: Material,
    make: Callable[[Tracker, Place], Drafted],
) -> tuple[Draft, Mapping[ItemKey, ObservedItem]]:
    """The plan that `make` makes while the tracker is open, and what it saw."""
    seen: dict[ItemKey, ObservedItem] = {}

    def made(tracker: Tracker) -> tuple[Plan, Capabilities]:
        place = record_audit.located(context, tracker, ours)
        plan, observed = make(tracker, place)
        seen.update(observed)
        return plan, place.capabilities

    return planning.drafted(context, ours, made), seen


def look(ours: Material, tracker: Tracker, place: Place, keys: Sequence[ItemKey]) -> Mapping[ItemKey, ObservedItem]:
    """What the tracker shows of these items, where there are any."""
    known = items.readable(ours.known)
    only = [key for key in keys if key in known]
    return tracker.find(place, known, only=only) if only else {}


def bare(ours: Material, place: Place, observed: Mapping[ItemKey, ObservedItem]) -> Plan:
    """A plan without changes for what an event writes."""
    known: dict[ItemKey, RemoteRef] = planning.known_to(ours, observed)
    return replace(
        planning.bare_plan(ours, spec(ours), place, Purpose.REACT),
        known=known,
        observed={key: one.fields for key, one in observed.items()},
        stood={key: conflicts.stands(one) for key, one in observed.items()},
    )


def spec(ours: Material) -> ProjectSpec:
    """The project as it is there."""
    return replace(planning.spec_of(ours.project, ours.method), create=False)


def refuse_beside(session: Session, asked: Asked, what: str, *told: ColumnElement[bool], code: str) -> None:
    """Raises Conflict while the run of another event about the same is in progress: one that told the history of it, as
    the conditions `told` say. `what` names it. Called with the loop locked."""
    busy = RunRow.project_id == asked.project.id, RunRow.kind == Purpose.REACT, RunRow.state.not_in(run_state.ENDED)
    query = select(EventRow.id).join(RunRow, RunRow.id == EventRow.run_id).where(*busy, *told)
    if session.scalar(query.limit(1)) is not None:
        raise Conflict(code, f"Another event about {what} is running.", "It is tried again.")
