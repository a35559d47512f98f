"""What became of a project's iterations: figures, tickets and events, from our own records. Reads no tracker.

What is here is kept when tickets vanish from the tracker, and after the project has ended.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from service.context import Context
from service.domain.loop.figures import Cycle, Figures, Sum, Tally, TicketRecord, count, cycle_times
from service.domain.sheet import sheet
from service.store.tables import EventRow, IterationRow
from service.usecases.setup import projects
from service.views.loop import EventView, IterationView
from service.views.setup import ProjectView


@dataclass(frozen=True, slots=True)
class Past:
    """One iteration that was begun. While it is open (`row.closed_at` is None) its tickets are those that it began
    with and, where the tracker tells of changes, those in it now, as they stood when it did last; so are its figures.
    """

    row: IterationView
    tickets: tuple[TicketRecord, ...]
    figures: Figures


@dataclass(frozen=True, slots=True)
class History:
    """A project's iterations, oldest first, and what happened to its loop, in order. `cycle` is over the done tickets
    of all its iterations."""

    project: ProjectView
    iterations: tuple[Past, ...]
    events: tuple[EventView, ...]
    cycle: Cycle | None


def history(context: Context, project: str) -> History:
    """The history of a project; where no active project has that key, of the last that did. Raises NotFound,
    Conflict."""
    row = projects.past_or_present(context, project)
    with context.database.session() as session:
        begun = session.scalars(
            select(IterationRow).where(IterationRow.project_id == row.id).order_by(IterationRow.number)
        )
        past = tuple(_past(iteration) for iteration in begun)
        told = session.scalars(select(EventRow).where(EventRow.project_id == row.id).order_by(EventRow.id))
        events = tuple(EventView.of(event) for event in told)
    return History(row, past, events, cycle_times(ticket for one in past for ticket in one.tickets))


def history_json(found: History) -> dict[str, Any]:
    """A history as plain values, the form that the command line and REST show; instants are UTC."""
    return {
        "project": found.project.named(),
        "iterations": [past_json(one) for one in found.iterations],
        "cycle": asdict(found.cycle) if found.cycle else None,
        "events": [event.to_json() for event in found.events],
    }


def past_json(past: Past) -> dict[str, Any]:
    """One iteration as plain values."""
    row = past.row
    return {
        "number": row.number,
        "phase": row.phase,
        "loop": row.loop,
        "of_phase": row.of_phase,
        "title": row.title,
        "first": row.first.isoformat(),
        "last": row.last.isoformat(),
        "starts": row.starts.isoformat(),
        "ends": row.ends.isoformat(),
        "began_at": row.began_at.isoformat(),
        "began_by": row.began_by,
        "closed_at": row.closed_at.isoformat() if row.closed_at else None,
        "closed_by": row.closed_by,
        "figures": past.figures.to_json(),
        "tickets": [ticket.to_json() for ticket in past.tickets],
        "findings": list(row.findings),
    }


_ITERATION = ("iteration", "title", "phase", "loop", "of_phase", "first", "last")
_TIMES = ("starts", "ends", "began_at", "closed_at")
_TALLY = tuple(f"{field.name}_{unit}" for field in fields(Tally) for unit in ("tickets", "points"))
_CYCLE = ("cycle_tickets", "cycle_median_hours", "cycle_p85_hours")
_TICKET = (
    *(
        "iteration",
        "key",
        "ticket",
        "url",
        "title",
        "role",
        "person",
        "points",
        "status",
        "outcome",
        "planned",
        "times",
    ),
    *("created", "started", "done", "cycle_hours"),
)


def csv_text(found: History) -> str:
    """The figures as CSV: a line of headings, then one line an iteration. Instants are in project time."""
    zone = ZoneInfo(found.project.time_zone)
    lines = (
        [*_named(past.row), *_times(past.row, zone), *_sums(past.figures.all), *_cycle(past.figures), _noted(past.row)]
        for past in found.iterations
    )
    return sheet((*_ITERATION, *_TIMES, *_TALLY, *_CYCLE, "findings"), lines)


def roles_csv(found: History) -> str:
    """The figures as CSV, one line for each role of each iteration; an empty role is that of tickets without one."""
    lines = (
        [*_named(past.row), role, *_sums(tally)]
        for past in found.iterations
        for role, tally in past.figures.by_role.items()
    )
    return sheet((*_ITERATION, "role", *_TALLY), lines)


def tickets_csv(found: History) -> str:
    """The tickets as CSV, one line for each ticket of each iteration. Instants are in project time."""
    zone = ZoneInfo(found.project.time_zone)
    lines = (_ticket(past.row.number, ticket, zone) for past in found.iterations for ticket in past.tickets)
    return sheet(_TICKET, lines)


def _past(row: IterationRow) -> Past:
    tickets = tuple(TicketRecord.from_json(ticket) for ticket in row.tickets)
    return Past(
        IterationView.of(row), tickets, Figures.from_json(row.figures) if row.figures is not None else count(tickets)
    )


def _named(row: IterationView) -> list[object]:
    return [row.number, row.title, row.phase, row.loop, row.of_phase, row.first.isoformat(), row.last.isoformat()]


def _times(row: IterationView, zone: ZoneInfo) -> list[object]:
    return [_local(value, zone) for value in (row.starts, row.ends, row.began_at, row.closed_at)]


def _sums(tally: Tally) -> Iterator[object]:
    for field in fields(Tally):
        total: Sum = getattr(tally, field.name)
        yield total.tickets
        yield _number(total.points)


def _cycle(figures: Figures) -> list[object]:
    cycle = figures.cycle
    return [cycle.tickets, _number(cycle.median), _number(cycle.p85)] if cycle else [0, "", ""]


def _noted(row: IterationView) -> str:
    return " ".join(str(finding.get("message", "")) for finding in row.findings)


def _ticket(number: int, ticket: TicketRecord, zone: ZoneInfo) -> list[object]:
    cycle = ticket.cycle
    return [
        *(number, ticket.key, ticket.remote_key, ticket.url, ticket.title, ticket.role, ticket.person),
        *("" if ticket.points is None else _number(ticket.points), ticket.status, ticket.outcome.value),
        *("yes" if ticket.planned else "no", ticket.times),
        *(_local(value, zone) for value in (ticket.created, ticket.started, ticket.done)),
        "" if cycle is None else _number(round(cycle.total_seconds() / 3600, 2)),
    ]


def _local(value: datetime | None, zone: ZoneInfo) -> str:
    return value.astimezone(zone).isoformat(timespec="seconds") if value is not None else ""


def _number(value: float) -> float:
    return int(value) if value == int(value) else value


EVENT_LIMIT = 200
"""At most so many events in one answer."""


def events(context: Context, project: str, after: int = 0, limit: int = EVENT_LIMIT) -> Sequence[Mapping[str, Any]]:
    """What happened to a project's loop after the event with this id, oldest first, as plain values. Raises NotFound,
    Conflict."""
    row = projects.get(context, project)
    query = select(EventRow).where(EventRow.project_id == row.id, EventRow.id > after).order_by(EventRow.id)
    with context.database.session() as session:
        return [EventView.of(event).to_json() for event in session.scalars(query.limit(min(limit, EVENT_LIMIT)))]
