"""Where the work of a template is along the course of a project, and what it waits for there.

A phase's tickets are spread over as many slots as it has iterations planned, and slot k is in its k-th iteration: when
a phase lasts longer, nothing is spread anew. A recurring phase has all its tickets in every iteration. Each time that
a phase is entered it has its own (see `course.ticket_key`), or what is still open of those of before (`continuation`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from connectors.values import ItemKey
from service.domain.loop.course import Course, Stage, Turn, foreseen, planned_iterations, ticket_key
from service.domain.loop.ordering import by_needs, spread
from service.domain.template.parameters import effective_role, is_on, needs
from service.domain.template.template import Key, ParameterValue, Phase, Template, Ticket

NOTHING_CONTINUED: Mapping[ItemKey, ItemKey] = MappingProxyType({})
"""No phase was entered again while tickets of it were open."""


@dataclass(frozen=True, slots=True)
class Instance:
    """A phase in one turn of the loop, in which it is entered for the `entry`-th time, with its iterations as far as
    the course goes, and the one after them."""

    phase: Phase
    loop: int
    entry: int
    turns: tuple[Turn, ...]
    after: Turn | None


@dataclass(frozen=True, slots=True)
class Sown:
    """A ticket of the template at its place. `home` is the iteration it is planned for; `iteration` is the number of
    the one it is in, None for none. `waits_for` may lead to any other one sown, wherever that is."""

    key: ItemKey
    ticket: Ticket
    instance: Instance
    home: Turn
    iteration: int | None
    waits_for: tuple[ItemKey, ...]


def instances(template: Template, course: Course) -> tuple[Instance, ...]:
    """The phases the course comes through, in its order; without those that the template no longer has."""
    phases = {phase.key: phase for phase in template.phases}
    groups: dict[tuple[Key, int], list[Turn]] = {}
    for turn in course.turns:
        groups.setdefault((turn.stage.phase, turn.stage.loop), []).append(turn)
    following = [*course.turns[1:], None]
    return tuple(
        Instance(phases[key], loop, turns[0].entry, tuple(turns), following[turns[-1].number - 1])
        for (key, loop), turns in groups.items()
        if key in phases
    )


class Seeding:
    """The tickets of a template along a course.

    `placed` says where tickets are, whatever the template would have: those that were put into an iteration that has
    begun, or were carried over; None for the backlog. `continued` gives, by the keys of tickets of phases entered
    again, the tickets of before that they stand for: each is in one place, that of the phase entered last.
    """

    def __init__(
        self,
        template: Template,
        parameters: Mapping[str, ParameterValue],
        course: Course,
        placed: Mapping[ItemKey, int | None],
        continued: Mapping[ItemKey, ItemKey] = NOTHING_CONTINUED,
    ) -> None:
        self._template, self._parameters, self._placed = template, parameters, placed
        self._continued = continued
        self._course = course
        self.needs = needs(template, parameters)
        self.instances = instances(template, course)
        self._phase_of = {ticket.key: phase for phase in template.phases for ticket in phase.tickets}
        self._slots: dict[Key, list[list[Ticket]]] = {}
        self._owners = {continued.get(key, key): key for one in self.instances for key in self._own_keys(one)}

    def sown(self) -> tuple[Sown, ...]:
        """Every ticket of the template that the course comes to: phase by phase, each after what it needs."""
        found = [sown for instance in self.instances for sown in self._sow(instance)]
        known = {sown.key for sown in found}
        return tuple(replace(sown, waits_for=tuple(key for key in sown.waits_for if key in known)) for sown in found)

    def passed_by(self) -> frozenset[ItemKey]:
        """The tickets that a phase was left before it came to: the slots of one that was sent back for which it had no
        iteration, and what a recurring one would have had in further iterations. Where the phase is not entered again,
        nobody asks for these any more."""
        passed = (key for instance in self.instances if instance.after for key in self._not_come_to(instance))
        stood_for = ((own, self._continued.get(own, own)) for own in passed)
        return frozenset(key for own, key in stood_for if self._owners.get(key, own) == own)

    def foreseen(self) -> Seeding:
        """The same along the course as it continues if nothing is decided (see `course.foreseen`)."""
        along = foreseen(self._template, self._parameters, self._course)
        return Seeding(self._template, self._parameters, along, self._placed, self._continued)

    def _not_come_to(self, instance: Instance) -> Iterator[ItemKey]:
        phase, last = instance.phase, instance.turns[-1].stage.of_phase
        if phase.recurring:
            yield from self._recurring(phase, last + 1, instance.entry)
            return
        for index, slot in enumerate(self.slots(phase)):
            if _home(instance, index) is None:
                yield from (ticket_key(phase, ticket.key, last, instance.entry) for ticket in slot)

    def _recurring(self, phase: Phase, first: int, entry: int) -> Iterator[ItemKey]:
        """The tickets of a recurring phase from an iteration of it on, as far as any were ever prepared."""
        for of_phase in range(first, len(self._course.turns) + 1):
            yield from (ticket_key(phase, ticket.key, of_phase, entry) for ticket in self.slots(phase)[0])

    def place(self, key: ItemKey, home: int) -> int | None:
        """The number of the iteration that a ticket planned for iteration `home` is in."""
        return self._placed.get(key, home)

    def key(self, ticket: Key, instance: Instance, stage: Stage) -> ItemKey | None:
        """The item key of a ticket as seen from an iteration: of a recurring phase in the same iteration or, from
        another phase, the last one before; of any phase in this turn of the loop or else the latest before it that
        came through there. None where no turn did."""
        phase = self._phase_of[ticket]
        if phase.key == instance.phase.key:
            return self.item_key(phase, ticket, stage.of_phase, instance.entry)
        former = [one for one in self.instances if one.phase.key == phase.key and one.loop <= instance.loop]
        return self.item_key(phase, ticket, former[-1].turns[-1].stage.of_phase, former[-1].entry) if former else None

    def item_key(self, phase: Phase, ticket: Key, of_phase: int, entry: int) -> ItemKey:
        """The item key of one of the phase's tickets, or that of the open one of before which it stands for."""
        own = ticket_key(phase, ticket, of_phase, entry)
        return self._continued.get(own, own)

    def _own_keys(self, instance: Instance) -> Iterator[ItemKey]:
        """The keys of an instance's tickets, without regard to what they stand for."""
        for turn in instance.turns if instance.phase.recurring else instance.turns[:1]:
            for ticket in instance.phase.tickets:
                yield ticket_key(instance.phase, ticket.key, turn.stage.of_phase, instance.entry)

    def slots(self, phase: Phase) -> Sequence[Sequence[Ticket]]:
        """The phase's tickets by planned iteration, each after what it needs: all of them in each one of a recurring
        phase, else spread so that points are even, in all and for each role."""
        if phase.key not in self._slots:
            self._slots[phase.key] = self._spread(phase)
        return self._slots[phase.key]

    def _spread(self, phase: Phase) -> list[list[Ticket]]:
        present = {ticket.key: ticket for ticket in phase.tickets if is_on(ticket.when, self._parameters)}
        if phase.recurring:
            return [[present[key] for key in by_needs(list(present), self.needs)]]
        parts = spread(
            list(present),
            self.needs,
            {key: ticket.points for key, ticket in present.items()},
            {key: effective_role(self._template, ticket.role, self._parameters) for key, ticket in present.items()},
            planned_iterations(self._template, self._parameters, phase.key),
        )
        return [[present[key] for key in part] for part in parts]

    def _sow(self, instance: Instance) -> Iterator[Sown]:
        slots, last = self.slots(instance.phase), instance.turns[-1]
        if instance.phase.recurring:
            rows: list[tuple[Turn | None, Sequence[Ticket]]] = [(turn, slots[0]) for turn in instance.turns]
        else:
            rows = [(_home(instance, index), slot) for index, slot in enumerate(slots)]
        for home, slot in rows:
            stage = home.stage if home is not None and instance.phase.recurring else last.stage
            for ticket in slot:
                own = ticket_key(instance.phase, ticket.key, stage.of_phase, instance.entry)
                key = self._continued.get(own, own)
                if self._owners.get(key, own) == own and (home is not None or key in self._placed):
                    waits_for = (self.key(need, instance, stage) for need in self.needs[ticket.key])
                    yield self._sown(key, ticket, instance, home or last, waits_for)

    def _sown(
        self, key: ItemKey, ticket: Ticket, instance: Instance, home: Turn, waits_for: Iterable[ItemKey | None]
    ) -> Sown:
        iteration = self.place(key, home.number)
        return Sown(key, ticket, instance, home, iteration, tuple(found for found in waits_for if found is not None))


def _home(instance: Instance, slot: int) -> Turn | None:
    """The iteration of a slot (from 0): of a phase that ended early, the first one after it. None where the course does
    not come so far, or the phase was sent back, as all of it comes again then."""
    if slot < len(instance.turns):
        return instance.turns[slot]
    after = instance.after
    return after if after is not None and after.stage.loop == instance.loop else None
