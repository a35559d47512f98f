"""Where the work of a template is along the course of a project, and what it waits for there.

A phase's tickets are spread over as many slots as it has iterations planned, and slot k is in its k-th iteration: when
a phase goes on longer, nothing is spread anew. A recurring phase has all its tickets in every iteration. Each turn of
the loop has its own (see `course.ticket_key`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from connectors.tracker import ItemKey
from service.domain.course import Course, Stage, Turn, planned_iterations, ticket_key
from service.domain.ordering import by_needs, spread
from service.domain.parameters import effective_role, is_on, needs
from service.domain.template import Key, ParameterValue, Phase, Template, Ticket


@dataclass(frozen=True, slots=True)
class Instance:
    """A phase in one turn of the loop, with its iterations as far as the course goes, and the one after them."""

    phase: Phase
    loop: int
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
        Instance(phases[key], loop, tuple(turns), following[turns[-1].number - 1])
        for (key, loop), turns in groups.items()
        if key in phases
    )


class Seeding:
    """The tickets of a template along a course.

    `placed` says where tickets are, whatever the template would have: those that were put into an iteration that has
    begun, or were carried over; None for the backlog. A ticket that is not placed is due in `seed_from` at the earliest
    if its phase (of a recurring one: its iteration) goes on then or ended just before: what a template gains while a
    phase goes on, and what could not be made when it was due, is not too late.
    """

    def __init__(
        self,
        template: Template,
        parameters: Mapping[str, ParameterValue],
        course: Course,
        placed: Mapping[ItemKey, int | None],
        seed_from: int,
    ) -> None:
        self._template, self._parameters = template, parameters
        self._placed, self._seed_from = placed, seed_from
        self.needs = needs(template, parameters)
        self.instances = instances(template, course)
        self._phase_of = {ticket.key: phase for phase in template.phases for ticket in phase.tickets}
        self._slots: dict[Key, list[list[Ticket]]] = {}

    def sown(self) -> tuple[Sown, ...]:
        """Every ticket of the template that the course comes to: phase by phase, each after what it needs."""
        found = [sown for instance in self.instances for sown in self._sow(instance)]
        known = {sown.key for sown in found}
        return tuple(replace(sown, waits_for=tuple(key for key in sown.waits_for if key in known)) for sown in found)

    def place(self, key: ItemKey, home: int, until: int) -> int | None:
        """The number of the iteration that a ticket planned for iteration `home` is in, which makes sense up to
        iteration `until` and in the one after it."""
        if key in self._placed:
            return self._placed[key]
        return max(home, self._seed_from) if until >= self._seed_from - 1 else home

    def key(self, ticket: Key, instance: Instance, stage: Stage) -> ItemKey | None:
        """The item key of a ticket as seen from an iteration: of a recurring phase in the same iteration or, from
        another phase, the last one before; of any phase in this turn of the loop or else the latest before it that
        came through there. None where no turn did."""
        phase = self._phase_of[ticket]
        if phase.key == instance.phase.key:
            return ticket_key(phase, ticket, stage)
        former = [one for one in self.instances if one.phase.key == phase.key and one.loop <= instance.loop]
        return ticket_key(phase, ticket, former[-1].turns[-1].stage) if former else None

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
                key = ticket_key(instance.phase, ticket.key, stage)
                if home is not None or key in self._placed:
                    waits_for = (self.key(need, instance, stage) for need in self.needs[ticket.key])
                    yield self._sown(key, ticket, instance, home or last, waits_for)

    def _sown(
        self, key: ItemKey, ticket: Ticket, instance: Instance, home: Turn, waits_for: Iterable[ItemKey | None]
    ) -> Sown:
        until = home if instance.phase.recurring else instance.turns[-1]
        iteration = self.place(key, home.number, max(home.number, until.number))
        return Sown(key, ticket, instance, home, iteration, tuple(found for found in waits_for if found is not None))


def _home(instance: Instance, slot: int) -> Turn | None:
    """The iteration of a slot (from 0): of a phase that ended early, the first one after it. None where the course does
    not come so far, or the phase was sent back, as all of it comes again then."""
    if slot < len(instance.turns):
        return instance.turns[slot]
    after = instance.after
    return after if after is not None and after.stage.loop == instance.loop else None
