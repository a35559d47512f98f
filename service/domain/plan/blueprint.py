"""The blueprint: a template filled in for one project, before anybody is assigned and without knowing any tracker.

Item keys, which stay when titles and positions change:

    epic:<key>                  an epic of the template
    epic:<key>~<k>              the same, when its phase is entered for the k-th time, from the second on
    iteration:<n>               the n-th iteration of the project, from 1
    ticket:<key>                a ticket of the template
    ticket:<key>~<k>            the same, when its phase is entered for the k-th time, from the second on
    ticket:<key>@<i>            the same, of the i-th iteration of a recurring phase; with ~<k> as above
                                (a ticket that is open when its phase is entered again keeps its key: `continuation`)
    record:<n>                  the record of iteration n
    ceremonies:<n>              the meetings of iteration n
    link:<source>><target>      the source waits for the target; both as above, `ticket:` left out
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from connectors.values import ItemKey, Priority
from service.domain.loop.course import Course, Turn, epic_key, phase_of, planned_iterations
from service.domain.loop.course import course as course_of
from service.domain.loop.ordering import by_needs, without_implied
from service.domain.loop.seeding import NOTHING_CONTINUED, Instance, Seeding, Sown
from service.domain.loop.turnover import ceremonies_key, iteration_key, record_key
from service.domain.plan.ticket_text import Wording, again
from service.domain.team.calendar import Calendar, DateRange
from service.domain.template.parameters import is_on
from service.domain.template.template import Key, ParameterValue, Phase, Template
from service.domain.template.text import render


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
    """An iteration: number `of_phase` of `turns` of its phase in that turn of the loop. `starts` and `ends` are aware;
    `dates` are the calendar dates it covers, weekends included."""

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
    loop: int = 1


@dataclass(frozen=True, slots=True)
class PlannedTicket:
    """A ticket of one iteration. `text` is Markdown, `checklist` is what done means, `role` is as the template has it
    and `reviewers` are the roles that look it over or, for a record, sign it. `phase` is its own, which need not be
    that of the iteration it was carried into."""

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
    """All that should exist, or what of it is live. Iterations are in order; tickets are in the order of their
    iterations and in each of them after what they need; links are in the order of their sources. `outside` has the
    titles of tickets that some here wait for and that are not among them; `passed_by` are the tickets that a phase was
    left before it came to (see `Seeding`). `put_off` are the tickets and epics that come after the end of the course,
    prepared or not, with the titles that they have then: in none, once iterations have begun, is a number that is
    another's."""

    epics: tuple[PlannedEpic, ...]
    iterations: tuple[PlannedIteration, ...]
    tickets: tuple[PlannedTicket, ...]
    links: tuple[PlannedLink, ...]
    outside: Mapping[ItemKey, str] = field(default_factory=dict)
    passed_by: frozenset[ItemKey] = frozenset()
    put_off: Mapping[ItemKey, str] = field(default_factory=dict)


def blueprint(
    template: Template,
    parameters: Mapping[str, ParameterValue],
    project_name: str,
    project_key: str,
    calendar: Calendar,
    course: Course | None = None,
    placed: Mapping[ItemKey, int | None] | None = None,
    live_from: int = 0,
    continued: Mapping[ItemKey, ItemKey] = NOTHING_CONTINUED,
) -> Blueprint:
    """Fill in a checked template with settled parameters, along the given course or else the planned one.

    `placed` says in which iteration tickets are, whatever the template would have (None: in the backlog); it names all
    that were put into an iteration that has begun. `continued` is as for `Seeding`.

    Only what is live is there: the iterations from `live_from` on, as far as the course goes; the tickets that are in
    them and what these wait for; and the epics of every phase that the course comes through.

    Raises `InvalidInput` when an iteration cannot be placed on the calendar, or a live one is of a phase that the
    template no longer has; with `live_from` 0, for all there ever was, such a one is left out.
    """
    along = course if course is not None else course_of(template, parameters, calendar)
    seeding = Seeding(template, parameters, along, placed or {}, continued)
    draft = _Draft(template, parameters, {"name": project_name, "key": project_key}, seeding)
    known = {phase.key for phase in template.phases}
    live = [turn for turn in along.turns if turn.number >= live_from and (live_from or turn.stage.phase in known)]
    iterations = tuple(draft.iteration(turn) for turn in live)
    tickets = tuple(draft.tickets({turn.number for turn in live}))
    outside = draft.outside(tickets)
    links = tuple(_links(tickets, outside))
    later = draft.put_off(len(along.turns))
    return Blueprint(draft.epics(), iterations, tickets, links, outside, seeding.passed_by() - later.keys(), later)


class _Draft:
    """One filling-in, with what all parts of it look up."""

    def __init__(
        self,
        template: Template,
        parameters: Mapping[str, ParameterValue],
        project: Mapping[str, str],
        seeding: Seeding,
    ) -> None:
        self.template, self.parameters, self.seeding = template, parameters, seeding
        self.wording = Wording(template, parameters, {**parameters, "project": project})
        self.sown = {sown.key: sown for sown in seeding.sown()}

    def epics(self) -> tuple[PlannedEpic, ...]:
        """The epics of every phase that the course comes through."""
        return tuple(
            PlannedEpic(
                epic_key(epic.key, instance.entry),
                again(render(epic.title, context), instance.loop if instance.entry > 1 else 1),
                self.wording.epic(epic, instance.phase, context),
                instance.phase.key,
            )
            for instance in self.seeding.instances
            for context in [self.wording.context(instance.phase)]
            for epic in instance.phase.epics
            if is_on(epic.when, self.parameters)
        )

    def iteration(self, turn: Turn) -> PlannedIteration:
        """The iteration with its name and its aim."""
        phase = phase_of(self.template, turn.stage.phase)
        context = self._context(phase, turn)
        return PlannedIteration(
            key=iteration_key(turn.number),
            number=turn.number,
            phase=phase.key,
            of_phase=turn.stage.of_phase,
            turns=turn.turns,
            title=self.wording.iteration(turn.entry, context),
            goal=self.wording.goal(phase, context),
            dates=turn.dates,
            starts=turn.starts,
            ends=turn.ends,
            loop=turn.stage.loop,
        )

    def _context(self, phase: Phase, turn: Turn) -> dict[str, object]:
        stage = turn.stage
        names = {"number": turn.number, "of_phase": stage.of_phase, "last": turn.turns, "loop": stage.loop}
        return self.wording.context(phase, names)

    def tickets(self, live: Collection[int]) -> Iterator[PlannedTicket]:
        """The tickets of these iterations, one after the other: the meetings, the work, the records."""
        parts: dict[int, dict[TicketKind, list[PlannedTicket]]] = {
            n: {kind: [] for kind in TicketKind} for n in sorted(live)
        }
        for n, ticket in self._placed(live):
            parts[n][ticket.kind].append(ticket)
        for part in parts.values():
            work = {ticket.key: ticket for ticket in part[TicketKind.WORK]}
            yield from part[TicketKind.CEREMONIES]
            yield from (work[key] for key in by_needs(list(work), {key: one.needs for key, one in work.items()}))
            yield from part[TicketKind.RECORD]

    def outside(self, tickets: Collection[PlannedTicket]) -> dict[ItemKey, str]:
        """The titles of what the tickets wait for and is not among them."""
        inside = {ticket.key for ticket in tickets}
        wanted = dict.fromkeys(need for ticket in tickets for need in ticket.needs if need not in inside)
        return {key: self._title(self.sown[key]) for key in wanted}

    def put_off(self, end: int) -> dict[ItemKey, str]:
        """The tickets and epics that come after iteration `end`, the last of the course, with their titles: where some
        of them were prepared before the loop went back, they are wanted again when the course comes there."""
        later = self.seeding.foreseen()
        named = {
            epic_key(epic.key, instance.entry): render(epic.title, self.wording.context(instance.phase))
            for instance in later.instances
            if instance.turns[0].number > end
            for epic in instance.phase.epics
        }
        return named | {sown.key: self._title(sown) for sown in later.sown() if sown.home.number > end}

    def _placed(self, live: Collection[int]) -> Iterator[tuple[int, PlannedTicket]]:
        """Every ticket that is in one of these iterations, with its number."""
        for sown in self.sown.values():
            if sown.iteration is not None and sown.iteration in live:
                yield sown.iteration, self._work(sown, sown.iteration)
        for instance in self.seeding.instances:
            for turn in instance.turns:
                held = self.seeding.place(ceremonies_key(turn.number), turn.number)
                if held is not None and held in live and self.wording.events():
                    yield held, self._ceremonies(instance, turn, held)
                n = self.seeding.place(record_key(turn.number), turn.number)
                if n is not None and n in live:
                    yield n, self._record(instance, turn, n)

    def _title(self, sown: Sown) -> str:
        return render(sown.ticket.title, self._context(sown.instance.phase, sown.home))

    def _work(self, sown: Sown, n: int) -> PlannedTicket:
        ticket, phase = sown.ticket, sown.instance.phase
        context = self._context(phase, sown.home)
        return PlannedTicket(
            key=sown.key,
            kind=TicketKind.WORK,
            title=render(ticket.title, context),
            text=self.wording.work(ticket, phase, context),
            checklist=tuple(render(line, context) for line in ticket.done),
            role=ticket.role,
            reviewers=ticket.reviewers,
            points=ticket.points,
            priority=Priority(ticket.priority) if ticket.priority else None,
            phase=phase.key,
            epic=epic_key(ticket.epic, sown.instance.entry),
            iteration=iteration_key(n),
            needs=sown.waits_for,
        )

    def _record(self, instance: Instance, turn: Turn, n: int) -> PlannedTicket:
        record, phase = self.template.record, instance.phase
        context, closes = self._context(phase, turn), self._closes(phase, turn)
        return PlannedTicket(
            key=record_key(turn.number),
            kind=TicketKind.RECORD,
            title=render(record.title, context),
            text=self.wording.record(phase, context, closes=closes),
            checklist=tuple(render(line, context) for line in record.done),
            role=phase.record.author,
            reviewers=(phase.record.sign_off,),
            points=phase.record.points,
            priority=None,
            phase=phase.key,
            epic=epic_key(phase.record.epic, instance.entry),
            iteration=iteration_key(n),
            needs=self._recorded(instance, turn, closes=closes),
        )

    def _ceremonies(self, instance: Instance, turn: Turn, n: int) -> PlannedTicket:
        ceremonies, events = self.template.ceremonies, self.wording.events()
        context = self._context(instance.phase, turn)
        return PlannedTicket(
            key=ceremonies_key(turn.number),
            kind=TicketKind.CEREMONIES,
            title=render(ceremonies.title, context),
            text=self.wording.ceremonies(ceremonies, events, context),
            checklist=tuple(self.wording.meeting(event, context) for event in events),
            role=ceremonies.role,
            reviewers=(),
            points=ceremonies.points,
            priority=None,
            phase=instance.phase.key,
            epic=epic_key(instance.phase.record.epic, instance.entry),
            iteration=iteration_key(n),
            needs=(),
        )

    def _closes(self, phase: Phase, turn: Turn) -> bool:
        """Whether the phase can end with this iteration: in those beyond what was planned, it is to."""
        return phase.recurring or turn.stage.of_phase >= planned_iterations(self.template, self.parameters, phase.key)

    def _recorded(self, instance: Instance, turn: Turn, *, closes: bool) -> tuple[ItemKey, ...]:
        """What a record waits for: where the phase can end, the tickets that end it; elsewhere what was planned for
        the iteration. Only the last of what needs each other, as every link costs a call and says nothing the others
        do not."""
        if closes:
            ends = [key for key in instance.phase.exit.needs if key in self.seeding.needs]
            last = without_implied(ends, self.seeding.needs)
            found = (self.seeding.item_key(instance.phase, key, turn.stage.of_phase, instance.entry) for key in last)
            return tuple(key for key in found if key in self.sown)
        planned = {key: sown.waits_for for key, sown in self.sown.items() if sown.home.number == turn.number}
        return tuple(without_implied(planned, planned))


def _links(tickets: Iterable[PlannedTicket], outside: Mapping[ItemKey, str]) -> Iterator[PlannedLink]:
    tickets = tuple(tickets)
    titles = {**outside, **{ticket.key: ticket.title for ticket in tickets}}
    for ticket in tickets:
        for need in ticket.needs:
            key = ItemKey(f"link:{ticket.key.removeprefix('ticket:')}>{need.removeprefix('ticket:')}")
            yield PlannedLink(key, f"{ticket.title} waits for {titles[need]}", ticket.key, need)
