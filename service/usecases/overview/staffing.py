"""How much the people of a team have to do in the current iterations of all its projects. From our records; reads no
tracker."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from service.context import Context
from service.domain.loop.figures import Outcome, TicketRecord
from service.domain.plan.assignment import capacity
from service.domain.problems import InvalidInput
from service.domain.team.calendar import Calendar, DateRange
from service.domain.team.team import Team
from service.store.tables import IterationRow, LoopRow, ProjectRow
from service.usecases.plan import inventory
from service.usecases.setup import projects
from service.views.setup import ProjectView, TeamView

_IN_IT = frozenset({Outcome.OPEN, Outcome.DONE})


@dataclass(frozen=True, slots=True)
class Share:
    """What somebody has in the current iteration of one project."""

    project: ProjectView
    iteration: int
    done: float
    open: float
    tickets: int


@dataclass(frozen=True, slots=True)
class Staffed:
    """What one person has in all current iterations. `capacity` is the most that they can take in one of these with
    their absences, None for no limit."""

    shares: tuple[Share, ...]
    capacity: float | None

    @property
    def done(self) -> float:
        """Points that are done."""
        return sum(one.done for one in self.shares)

    @property
    def open(self) -> float:
        """Points that are not."""
        return sum(one.open for one in self.shares)


@dataclass(frozen=True, slots=True)
class Staffing:
    """The projects of a team that have not ended and may be seen, by key; its people by name; and by id of a project
    how many of its tickets, of all iterations, have nobody, by the role that is missing."""

    projects: tuple[ProjectView, ...]
    people: Mapping[str, Staffed]
    vacant: Mapping[str, Mapping[str, int]]


def staffing(context: Context, team: TeamView) -> Staffing:
    """Who of the team has how much."""
    ours = ProjectRow.team_id == team.id, ProjectRow.ended_at.is_(None), ProjectRow.planned.is_(False)
    query = select(ProjectRow).where(*ours).order_by(ProjectRow.key, ProjectRow.id)
    if context.sees is not None:
        query = query.where(ProjectRow.id.in_(context.sees))
    current = (IterationRow.project_id == LoopRow.project_id) & (IterationRow.number == LoopRow.current)
    with context.database.session() as session:
        rows = session.scalars(query).all()
        calendars = {row.id: calendar for row in rows if (calendar := _calendar(row, team.team)) is not None}
        seen = [ProjectView.of(row) for row in rows]
        found = session.scalars(
            select(IterationRow).join(LoopRow, current).where(IterationRow.project_id.in_([one.id for one in seen]))
        ).all()
        vacant = inventory.vacant_roles(session, [one.id for one in seen])
        iterations = {
            row.project_id: (row.number, (row.first, row.last), [TicketRecord.from_json(one) for one in row.tickets])
            for row in found
            if row.closed_at is None
        }
    shares: defaultdict[str, list[Share]] = defaultdict(list)
    for project in seen:
        if project.id in iterations:
            number, _dates, tickets = iterations[project.id]
            for person, share in _shares(project, number, tickets):
                shares[person].append(share)
    spans = {one: DateRange(*dates) for one, (_, dates, _) in iterations.items() if one in calendars}
    people = {}
    for member in team.team.members:
        limits = [capacity(member, span, calendars[number]) for number, span in spans.items()]
        known = [float(one) for one in limits if one is not None]
        limit = float(member.capacity) if member.capacity is not None else None
        people[member.person] = Staffed(tuple(shares.get(member.person, ())), max(known) if known else limit)
    return Staffing(tuple(seen), people, vacant)


def _calendar(row: ProjectRow, team: Team) -> Calendar | None:
    """The calendar of a project; None where what it says does not go with what its team says, which its plans tell."""
    try:
        return projects.calendar_of(row, team)
    except InvalidInput:
        return None


def _shares(project: ProjectView, number: int, tickets: Sequence[TicketRecord]) -> list[tuple[str, Share]]:
    by: defaultdict[str, list[TicketRecord]] = defaultdict(list)
    for one in tickets:
        if one.outcome in _IN_IT:
            by[one.person].append(one)
    return [
        (
            person,
            Share(
                project,
                number,
                done=sum(one.points or 0 for one in own if one.status == "done"),
                open=sum(one.points or 0 for one in own if one.status != "done"),
                tickets=len(own),
            ),
        )
        for person, own in by.items()
    ]
