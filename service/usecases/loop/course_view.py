"""The iterations of a project with what is in them, and the current one by person. From our records; reads no
tracker."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

from sqlalchemy import select

from connectors.values import ItemKey
from service.context import Context
from service.domain.loop import figures
from service.domain.loop.course import Course, Stage, Turn, exit_tickets, phase_of
from service.domain.loop.figures import Outcome, TicketRecord
from service.domain.plan import placement
from service.domain.plan.assignment import capacity
from service.domain.plan.plan import Recorded
from service.domain.team.calendar import absence_days
from service.store.tables import IterationRow
from service.usecases.loop import scheduling
from service.usecases.plan.project_state import Material, material
from service.usecases.setup import projects
from service.views.course import CourseView, IterationLine, PersonLoad, TicketLine

CLOSED, OPEN, COMING = "closed", "open", "to come"

_IN_IT = frozenset({Outcome.OPEN, Outcome.DONE})
"""What became of tickets that are still in their iteration, or were done in it."""


def course(context: Context, project: str) -> CourseView:
    """The course of a project by our records. Raises NotFound, Conflict, InvalidInput."""
    ours = material(context, projects.get(context, project).id)
    turns = scheduling.course_of(ours)
    begun, closed = _begun(context, ours)
    placed: defaultdict[int, list[ItemKey]] = defaultdict(list)
    for key, number in placement.tickets_in(ours.recorded).items():
        placed[number].append(key)
    shown = max(ours.current, 1)
    return CourseView(
        iterations=_without_overlap(
            [
                _line(ours, turn, begun.get(turn.number), placed[turn.number], closed.get(turn.number))
                for turn in turns.turns
            ]
        ),
        phases=tuple((phase.key, phase.title) for phase in ours.template.phases),
        current=ours.current,
        load_of=shown,
        load=tuple(_load(ours, turns, shown, _tickets(ours, begun.get(shown), placed[shown]))),
        exit=tuple(_exit(ours, turns, begun)),
        exit_record=phase_of(ours.template, turns.turn(shown).stage.phase).exit.record,
    )


def _begun(context: Context, ours: Material) -> tuple[dict[int, list[TicketRecord]], dict[int, date]]:
    """The tickets of each iteration that was begun, as they were seen last; and the days on which those that are closed
    were."""
    columns = IterationRow.number, IterationRow.tickets, IterationRow.closed_at
    query = select(*columns).where(IterationRow.project_id == ours.project.id)
    with context.database.session() as session:
        rows = session.execute(query).all()
    closed = {number: at.astimezone(ours.calendar.zone).date() for number, _, at in rows if at is not None}
    return {number: [TicketRecord.from_json(one) for one in tickets] for number, tickets, _ in rows}, closed


def _without_overlap(lines: Sequence[IterationLine]) -> tuple[IterationLine, ...]:
    """The iterations, each of which that is closed ends before the next one begins."""
    ends = [
        min(one.last, following.first - timedelta(days=1)) if one.state == CLOSED else one.last
        for one, following in pairwise(lines)
    ]
    last = [one.last for one in lines[-1:]]
    return tuple(replace(one, last=max(one.first, end)) for one, end in zip(lines, [*ends, *last], strict=True))


def _line(
    ours: Material,
    turn: Turn,
    records: Sequence[TicketRecord] | None,
    placed: Sequence[ItemKey],
    closed_on: date | None,
) -> IterationLine:
    """One iteration, from the day on which it starts (what a freeze takes at its beginning is none of it) to its last,
    or to the day on which it was closed where that was earlier."""
    closed = {one.number for one in ours.begun if one.closed}
    state = CLOSED if turn.number in closed else OPEN if records is not None else COMING
    if records is None:
        points = [_points(ours.recorded[key]) for key in placed]
        tickets, done = len(placed), 0.0
    else:
        points = [one.points for one in records]
        tickets = len(records)
        done = sum(one.points or 0 for one in records if one.status == "done")
    return IterationLine(
        number=turn.number,
        phase=turn.stage.phase,
        state=state,
        first=turn.starts.astimezone(ours.calendar.zone).date(),
        last=min(turn.dates.last, closed_on) if closed_on is not None else turn.dates.last,
        starts=turn.starts,
        ends=turn.ends,
        tickets=tickets,
        points=sum(one or 0 for one in points),
        done=done,
    )


def _points(record: Recorded) -> float | None:
    """The estimate, told by a label where the tracker has none."""
    said = record.wanted.get("points")
    return said if isinstance(said, int | float) else figures.points_said(record.wanted.get("labels") or ())


def _tickets(
    ours: Material, records: Sequence[TicketRecord] | None, placed: Sequence[ItemKey]
) -> Mapping[str, list[TicketLine]]:
    """The tickets of an iteration by who has them."""
    found: defaultdict[str, list[TicketLine]] = defaultdict(list)
    if records is None:
        for key in placed:
            found[_holder(ours, key)].append(_recorded(ours.recorded[key], ""))
    else:
        for one in records:
            if one.outcome in _IN_IT:
                found[one.person].append(TicketLine(one.title, one.remote_key, one.url, one.status, one.points))
    return found


def _holder(ours: Material, key: ItemKey) -> str:
    record = ours.recorded[key]
    account = (record.seen or record.wanted).get("assignee")
    return ours.people.get(str(account), "") if account else ""


def _recorded(record: Recorded, status: str) -> TicketLine:
    ref = record.ref
    return TicketLine(
        title=str(record.wanted.get("title") or record.key),
        remote_key=ref.key if ref is not None else "",
        url=(ref.url or "") if ref is not None else "",
        status=status,
        points=_points(record),
    )


def _load(ours: Material, turns: Course, number: int, tickets: Mapping[str, list[TicketLine]]) -> list[PersonLoad]:
    """Who has what, those without a person first, then by name; people of the team who have nothing, too."""
    span = turns.turn(number).dates
    titles = {key: role.title for key, role in ours.template.roles.items()}
    found = []
    if tickets.get(""):
        found.append(PersonLoad("", (), None, 0, tuple(tickets[""])))
    members = {one.person: one for one in ours.team.members}
    for person in sorted({*members, *tickets} - {""}, key=str.casefold):
        member = members.get(person)
        limit = capacity(member, span, ours.calendar) if member is not None else None
        found.append(
            PersonLoad(
                person=person,
                roles=tuple(titles.get(one, one) for one in member.roles) if member is not None else (),
                capacity=float(limit) if limit is not None else None,
                away=absence_days(member.away, span, ours.calendar) if member is not None else 0,
                tickets=tuple(tickets.get(person, ())),
            )
        )
    return found


def _exit(ours: Material, turns: Course, begun: Mapping[int, Sequence[TicketRecord]]) -> list[TicketLine]:
    """The tickets that must be done before the current phase ends, or the first one."""
    stages: list[Stage] = [one.stage for one in ours.begun] or [turns.turn(1).stage]
    seen = {one.key: one for records in begun.values() for one in records}
    found = []
    for key in exit_tickets(ours.template, ours.parameters, stages, ours.continued):
        if (record := ours.recorded.get(key)) is None:
            continue
        found.append(_recorded(record, seen[key].status if key in seen else ""))
    return found
