"""The blueprint: a template filled in for one project, before anybody is assigned and without knowing any tracker.

Item keys, which stay when titles and positions change:

    epic:<key>                  an epic of the template
    iteration:<n>               the n-th iteration of the project, from 1
    ticket:<key>                a ticket of the template
    ticket:<key>@<n>            the same, in iteration n of a recurring phase
    record:<n>                  the record of iteration n
    ceremonies:<n>              the meetings of iteration n
    link:<source>><target>      the source waits for the target; both as above, `ticket:` left out
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from connectors.tracker import ItemKey, Priority
from service.domain.calendar import Calendar, DateRange, iteration_bounds, iteration_dates
from service.domain.ordering import by_needs, spread, without_implied
from service.domain.parameters import day, effective_role, is_on, needs, number
from service.domain.template import Key, ParameterValue, Phase, Template, Ticket
from service.domain.text import render
from service.domain.wording import Context, Wording


class TicketKind(StrEnum):
    """What a ticket is there for."""

    WORK = "work"
    RECORD = "record"
    CEREMONIES = "ceremonies"


@dataclass(frozen=True, slots=True)
class PlannedEpic:
    """An epic of one phase."""

    key: ItemKey
    title: str
    text: str
    phase: Key


@dataclass(frozen=True, slots=True)
class PlannedIteration:
    """One turn of the loop: number `of_phase` of `turns` in its phase. `starts` and `ends` are aware; `dates` are the
    calendar dates it covers, weekends included."""

    key: ItemKey
    number: int
    phase: Key
    of_phase: int
    turns: int
    title: str
    goal: str
    dates: DateRange
    starts: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class PlannedTicket:
    """A ticket of one iteration. `text` is Markdown, `checklist` is what done means, `role` is as the template has it
    and `reviewers` are the roles that look it over or, for a record, sign it."""

    key: ItemKey
    kind: TicketKind
    title: str
    text: str
    checklist: tuple[str, ...]
    role: Key
    reviewers: tuple[Key, ...]
    points: int
    priority: Priority | None
    phase: Key
    epic: ItemKey
    iteration: ItemKey
    needs: tuple[ItemKey, ...]


@dataclass(frozen=True, slots=True)
class PlannedLink:
    """`source` waits for `target`."""

    key: ItemKey
    title: str
    source: ItemKey
    target: ItemKey


@dataclass(frozen=True, slots=True)
class Blueprint:
    """All that should exist. Iterations are in order; tickets are in the order of their iterations and each comes
    after what it needs; links are in the order of their sources."""

    epics: tuple[PlannedEpic, ...]
    iterations: tuple[PlannedIteration, ...]
    tickets: tuple[PlannedTicket, ...]
    links: tuple[PlannedLink, ...]


def blueprint(
    template: Template,
    parameters: Mapping[str, ParameterValue],
    project_name: str,
    project_key: str,
    calendar: Calendar,
) -> Blueprint:
    """Fill in a checked template with settled parameters.

    Raises `InvalidInput` when an iteration cannot be placed on the calendar.
    """
    draft = _Draft(template, parameters, project_name, project_key, calendar)
    iterations = draft.iterations()
    tickets = tuple(ticket for phase in template.phases for ticket in draft.tickets(phase, iterations))
    return Blueprint(draft.epics(), iterations, tickets, tuple(_links(tickets)))


def phase_iterations(template: Template, parameters: Mapping[str, ParameterValue]) -> dict[Key, range]:
    """The numbers of the iterations of each phase."""
    result: dict[Key, range] = {}
    first = 1
    for phase in template.phases:
        result[phase.key] = range(first, first + number(phase.iterations, parameters))
        first = result[phase.key].stop
    return result


class _Draft:
    """One filling-in, with what all parts of it look up."""

    def __init__(
        self, template: Template, parameters: Mapping[str, ParameterValue], name: str, key: str, calendar: Calendar
    ) -> None:
        self.template, self.parameters, self.calendar = template, parameters, calendar
        self.project = {"name": name, "key": key}
        self.wording = Wording(template, parameters, {**parameters, "project": self.project})
        self.numbers = phase_iterations(template, parameters)
        self.needs = needs(template, parameters)
        self.phase_of = {ticket.key: phase for phase in template.phases for ticket in phase.tickets}

    def epics(self) -> tuple[PlannedEpic, ...]:
        return tuple(
            PlannedEpic(
                _epic_key(epic.key), render(epic.title, context), self.wording.epic(epic, phase, context), phase.key
            )
            for phase in self.template.phases
            for context in [self.wording.context(phase)]
            for epic in phase.epics
            if is_on(epic.when, self.parameters)
        )

    def iterations(self) -> tuple[PlannedIteration, ...]:
        return tuple(self._iteration(phase, turn) for phase in self.template.phases for turn in self.numbers[phase.key])

    def _iteration(self, phase: Phase, turn: int) -> PlannedIteration:
        cadence = self.template.cadence
        start = day(cadence.start_date, self.parameters)
        days = number(cadence.iteration_days, self.parameters)
        starts, ends = iteration_bounds(start, days, turn, self.calendar)
        numbers = self.numbers[phase.key]
        context = self._context(phase, turn)
        return PlannedIteration(
            key=_iteration_key(turn),
            number=turn,
            phase=phase.key,
            of_phase=turn - numbers.start + 1,
            turns=len(numbers),
            title=render(cadence.iteration_name, context),
            goal=self.wording.goal(phase, context),
            dates=iteration_dates(start, days, turn),
            starts=starts,
            ends=ends,
        )

    def _context(self, phase: Phase, turn: int) -> dict[str, object]:
        turns = self.numbers[phase.key]
        names = {"number": turn, "of_phase": turn - turns.start + 1, "last": len(turns)}
        return self.wording.context(phase, names)

    def tickets(self, phase: Phase, iterations: tuple[PlannedIteration, ...]) -> Iterator[PlannedTicket]:
        """The tickets of a phase, iteration by iteration: the meetings, the work, the record."""
        turns = self._spread(phase)
        for turn, work in turns.items():
            context = self._context(phase, turn)
            planned = [self._work(phase, ticket, turn, context) for ticket in work]
            if self.wording.events():
                yield self._ceremonies(phase, turn, context)
            yield from planned
            closes = phase.recurring or turn == self.numbers[phase.key][-1]
            yield self._record(phase, turn, context, self._recorded(phase, turn, planned, closes=closes), closes=closes)

    def _spread(self, phase: Phase) -> dict[int, list[Ticket]]:
        """The phase's tickets by iteration, each after what it needs: all of them in each turn of a recurring phase,
        else spread so that points are even, in all and for each role."""
        present = {ticket.key: ticket for ticket in phase.tickets if is_on(ticket.when, self.parameters)}
        turns = self.numbers[phase.key]
        if phase.recurring:
            ordered = [present[key] for key in by_needs(list(present), self.needs)]
            return dict.fromkeys(turns, ordered)
        parts = spread(
            list(present),
            self.needs,
            {key: ticket.points for key, ticket in present.items()},
            {key: effective_role(self.template, ticket.role, self.parameters) for key, ticket in present.items()},
            len(turns),
        )
        return {turn: [present[key] for key in part] for turn, part in zip(turns, parts, strict=True)}

    def _work(self, phase: Phase, ticket: Ticket, turn: int, context: Context) -> PlannedTicket:
        return PlannedTicket(
            key=self._ticket_key(ticket.key, turn),
            kind=TicketKind.WORK,
            title=render(ticket.title, context),
            text=self.wording.work(ticket, phase, context),
            checklist=tuple(render(line, context) for line in ticket.done),
            role=ticket.role,
            reviewers=ticket.reviewers,
            points=ticket.points,
            priority=Priority(ticket.priority) if ticket.priority else None,
            phase=phase.key,
            epic=_epic_key(ticket.epic),
            iteration=_iteration_key(turn),
            needs=tuple(self._ticket_key(need, turn) for need in self.needs[ticket.key]),
        )

    def _record(
        self, phase: Phase, turn: int, context: Context, recorded: tuple[ItemKey, ...], *, closes: bool
    ) -> PlannedTicket:
        record = self.template.record
        return PlannedTicket(
            key=ItemKey(f"record:{turn}"),
            kind=TicketKind.RECORD,
            title=render(record.title, context),
            text=self.wording.record(phase, context, closes=closes),
            checklist=tuple(render(line, context) for line in record.done),
            role=phase.record.author,
            reviewers=(phase.record.sign_off,),
            points=phase.record.points,
            priority=None,
            phase=phase.key,
            epic=_epic_key(phase.record.epic),
            iteration=_iteration_key(turn),
            needs=recorded,
        )

    def _ceremonies(self, phase: Phase, turn: int, context: Context) -> PlannedTicket:
        ceremonies, events = self.template.ceremonies, self.wording.events()
        return PlannedTicket(
            key=ItemKey(f"ceremonies:{turn}"),
            kind=TicketKind.CEREMONIES,
            title=render(ceremonies.title, context),
            text=self.wording.ceremonies(ceremonies, events, context),
            checklist=tuple(self.wording.meeting(event, context) for event in events),
            role=ceremonies.role,
            reviewers=(),
            points=ceremonies.points,
            priority=None,
            phase=phase.key,
            epic=_epic_key(phase.record.epic),
            iteration=_iteration_key(turn),
            needs=(),
        )

    def _recorded(
        self, phase: Phase, turn: int, planned: Collection[PlannedTicket], *, closes: bool
    ) -> tuple[ItemKey, ...]:
        """What a record waits for: where the phase can end, the tickets that end it; elsewhere the iteration's work.
        Only the last of what needs each other, as every link costs a call and says nothing the others do not."""
        if closes:
            ends = [key for key in phase.exit.needs if key in self.needs]
            return tuple(self._ticket_key(key, turn) for key in without_implied(ends, self.needs))
        return tuple(without_implied([t.key for t in planned], {t.key: t.needs for t in planned}))

    def _ticket_key(self, key: Key, turn: int) -> ItemKey:
        """The key of a template's ticket as seen from iteration `turn`: of a recurring phase the same turn or, from a
        later phase, the last."""
        phase = self.phase_of[key]
        if not phase.recurring:
            return ItemKey(f"ticket:{key}")
        turns = self.numbers[phase.key]
        return ItemKey(f"ticket:{key}@{turn if turn in turns else turns[-1]}")


def _links(tickets: Collection[PlannedTicket]) -> Iterator[PlannedLink]:
    titles = {ticket.key: ticket.title for ticket in tickets}
    for ticket in tickets:
        for need in ticket.needs:
            key = ItemKey(f"link:{ticket.key.removeprefix('ticket:')}>{need.removeprefix('ticket:')}")
            yield PlannedLink(key, f"{ticket.title} waits for {titles[need]}", ticket.key, need)


def _epic_key(key: Key) -> ItemKey:
    return ItemKey(f"epic:{key}")


def _iteration_key(number: int) -> ItemKey:
    return ItemKey(f"iteration:{number}")
