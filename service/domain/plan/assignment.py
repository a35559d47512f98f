"""Who does what: people for tickets, by role, balanced over the whole plan, within capacity, always with a reason.

How it works is written for people in docs/explanation/assignment.md; in short, iteration by iteration: roles with the
fewest holders first, within a role the largest ticket first, each to the holder with the least work for their
capacity. At the end of an iteration, people who are equal in everything exchange their whole bundles so that who had
least so far gets most. The order in which a team lists its members changes nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from connectors.values import ItemKey
from service.domain.english import counted
from service.domain.plan.blueprint import Blueprint, PlannedIteration, PlannedTicket
from service.domain.plan.plan import Vacancy
from service.domain.team.calendar import Calendar, DateRange, absence_days, working_days
from service.domain.team.team import Member, Team
from service.domain.template.parameters import is_on
from service.domain.template.references import fallbacks
from service.domain.template.template import Key, ParameterValue, Template


@dataclass(frozen=True, slots=True)
class Assigned:
    """What became of one ticket: the role that does it after fallbacks, the person with the handle by which the tracker
    knows them (both None: vacant), and why, in a line for people."""

    role: Key
    person: str | None
    handle: str | None
    note: str


@dataclass(frozen=True, slots=True)
class Load:
    """A person's points in one iteration, and how many they can take there (None: no limit)."""

    person: str
    iteration: int
    points: int
    capacity: Fraction | None


@dataclass(frozen=True, slots=True)
class Assignment:
    """Every ticket of a blueprint has an entry in `tickets`; those without a person are in `vacancies` as well.
    `loads` has an entry for everybody in every iteration, by iteration and then by name."""

    tickets: Mapping[ItemKey, Assigned]
    vacancies: tuple[Vacancy, ...]
    loads: tuple[Load, ...]

    @property
    def notes(self) -> dict[ItemKey, str]:
        """The reason for each ticket's assignment, for a plan."""
        return {key: assigned.note for key, assigned in self.tickets.items()}

    @property
    def people(self) -> frozenset[str]:
        """The handles of everybody who has work."""
        return frozenset(assigned.handle for assigned in self.tickets.values() if assigned.handle is not None)


def assign(
    blueprint: Blueprint,
    template: Template,
    parameters: Mapping[str, ParameterValue],
    team: Team,
    calendar: Calendar,
    holding: Mapping[ItemKey, str] | None = None,
    pinned: Collection[ItemKey] = (),
) -> Assignment:
    """Find a person for every ticket of the blueprint.

    Deterministic, and independent of the order of members. Nobody gets more than their capacity for the iteration,
    scaled down by absences; a ticket is vacant only when no holder of its role has room for it. `holding` names who has
    a ticket already: it stays theirs as long as they hold its role and have room, so that a new plan moves no more
    than it must. What is `pinned` besides stays theirs as long as they hold its role, room or none, and its points
    count before anything else is given: work that has begun changes hands for no calculation.
    """
    roles = _Roles(template, parameters, team)
    by_iteration: defaultdict[ItemKey, list[PlannedTicket]] = defaultdict(list)
    for ticket in blueprint.tickets:
        by_iteration[ticket.iteration].append(ticket)
    totals: Counter[str] = Counter()
    tickets: dict[ItemKey, Assigned] = {}
    loads: list[Load] = []
    for iteration in blueprint.iterations:
        turn = _Turn(roles, iteration, calendar, totals)
        turn.fill(by_iteration[iteration.key], holding or {}, frozenset(pinned))
        turn.even_out()
        totals.update(turn.points)
        tickets.update(turn.outcome(by_iteration[iteration.key]))
        loads += turn.loads()
    vacancies = tuple(
        Vacancy(ticket.key, ticket.title, tickets[ticket.key].role, tickets[ticket.key].note)
        for ticket in blueprint.tickets
        if tickets[ticket.key].person is None
    )
    return Assignment({ticket.key: tickets[ticket.key] for ticket in blueprint.tickets}, vacancies, tuple(loads))


def presence(member: Member, span: DateRange, calendar: Calendar) -> Fraction:
    """Which part of the working days of a span somebody is there."""
    days = len(working_days(span, calendar))
    return Fraction(days - absence_days(member.away, span, calendar), days or 1)


def capacity(member: Member, span: DateRange, calendar: Calendar) -> Fraction | None:
    """The points that somebody can take in an iteration of these dates; None for no limit."""
    return _capacity(member, presence(member, span, calendar))


def _capacity(member: Member, present: Fraction) -> Fraction | None:
    return None if member.capacity is None else member.capacity * present


class _Roles:
    """Who holds which role, and which role a ticket falls to."""

    def __init__(self, template: Template, parameters: Mapping[str, ParameterValue], team: Team) -> None:
        self._template = template
        self.members = sorted(team.members, key=lambda member: (member.person.casefold(), member.person))
        self._on = {key for key, role in template.roles.items() if is_on(role.when, parameters)}
        self.holders: dict[Key, list[Member]] = {
            key: [member for member in self.members if key in member.roles] if key in self._on else []
            for key in template.roles
        }

    def effective(self, role: Key) -> Key:
        """The role itself if somebody holds it, else the first of its fallbacks that somebody holds, else the last of
        them that is switched on: there somebody is missing."""
        chain = fallbacks(self._template, role)
        held = next((key for key in chain if self.holders[key]), None)
        return held or next((key for key in reversed(chain) if key in self._on), role)

    def detour(self, role: Key, effective: Key) -> str:
        """Why `effective` does what is written for `role`; empty when they are the same."""
        if role == effective:
            return ""
        return f"{role} is {'held by nobody' if role in self._on else 'switched off'}"

    def only_reviewer(self, ticket: PlannedTicket, member: Member) -> Key | None:
        """A reviewing role of the ticket that nobody but this member holds."""
        for role in ticket.reviewers:
            holders = self.holders[self.effective(role)]
            if holders and all(holder.person == member.person for holder in holders):
                return role
        return None


class _Turn:
    """The distribution of one iteration's tickets."""

    def __init__(
        self, roles: _Roles, iteration: PlannedIteration, calendar: Calendar, totals: Mapping[str, int]
    ) -> None:
        self._roles, self._iteration, self._totals = roles, iteration, totals
        self._presence = {member.person: presence(member, iteration.dates, calendar) for member in roles.members}
        self._capacity = {member.person: _capacity(member, self._presence[member.person]) for member in roles.members}
        self.points: Counter[str] = Counter()
        self._bundles: dict[str, list[PlannedTicket]] = {member.person: [] for member in roles.members}
        self._refused: dict[ItemKey, str] = {}
        self._kept: set[ItemKey] = set()

    def fill(
        self, tickets: Sequence[PlannedTicket], holding: Mapping[ItemKey, str], pinned: Collection[ItemKey]
    ) -> None:
        """Leave tickets with who has them, give each of the others to a person, or note why nobody can take it."""
        effective = {ticket.key: self._roles.effective(ticket.role) for ticket in tickets}

        def urgency(ticket: PlannedTicket) -> tuple[int, Key, int, ItemKey]:
            role = effective[ticket.key]
            return len(self._roles.holders[role]), role, -ticket.points, ticket.key

        in_order = sorted(tickets, key=urgency)
        for ticket in sorted(in_order, key=lambda ticket: ticket.key not in pinned):
            for member in self._roles.holders[effective[ticket.key]]:
                stays = ticket.key in pinned or self._has_room(member, ticket.points)
                if member.person == holding.get(ticket.key) and stays:
                    self._give(ticket, member)
                    self._kept.add(ticket.key)
        for ticket in in_order:
            if ticket.key in self._kept:
                continue
            holders = self._roles.holders[effective[ticket.key]]
            able = [member for member in holders if self._has_room(member, ticket.points)]
            if able:
                self._give(ticket, self._choose(ticket, able))
            else:
                self._refused[ticket.key] = self._why_vacant(effective[ticket.key], holders, ticket)

    def even_out(self) -> None:
        """Exchange whole bundles among equal people: the heaviest for who had least so far.

        If totals differ by at most one ticket's points and bundles too, they still do afterwards. People who have some
        of these tickets already keep theirs, and nobody exchanges with them.
        """
        groups: defaultdict[object, list[str]] = defaultdict(list)
        for member in self._roles.members:
            groups[frozenset(member.roles), member.capacity, frozenset(member.away)].append(member.person)
        for people in groups.values():
            if any(ticket.key in self._kept for person in people for ticket in self._bundles[person]):
                continue
            bundles = sorted((self._bundles[person] for person in people), key=_weight_first)
            takers = sorted(people, key=lambda person: self._totals[person])
            for person, bundle in zip(takers, bundles, strict=True):
                self._bundles[person] = bundle
                self.points[person] = sum(ticket.points for ticket in bundle)

    def outcome(self, tickets: Collection[PlannedTicket]) -> dict[ItemKey, Assigned]:
        """What became of each ticket."""
        people = {ticket.key: person for person, bundle in self._bundles.items() for ticket in bundle}
        return {ticket.key: self._assigned(ticket, people.get(ticket.key)) for ticket in tickets}

    def loads(self) -> list[Load]:
        """Everybody's load in this iteration."""
        return [
            Load(person, self._iteration.number, self.points[person], self._capacity[person])
            for person in self._bundles
        ]

    def _has_room(self, member: Member, points: int) -> bool:
        limit = self._capacity[member.person]
        if limit is None:
            return self._presence[member.person] > 0
        # What takes no points has room with anybody who is there, also where carried work is too much already.
        return limit > 0 and (points == 0 or self.points[member.person] + points <= limit)

    def _choose(self, ticket: PlannedTicket, able: Sequence[Member]) -> Member:
        """Rather not who alone could review it; then the least busy, then who had least so far, then by name."""
        limited = all(self._capacity[member.person] is not None for member in able)

        def busy(member: Member) -> tuple[bool, Fraction, int]:
            person = member.person
            size = self._capacity[person] if limited else self._presence[person]
            after = self.points[person] + ticket.points
            alone = self._roles.only_reviewer(ticket, member) is not None
            return alone, after / (size or Fraction(1)), self._totals[person]

        return min(able, key=busy)  # `able` is in the order of names, and min keeps the first of equals

    def _give(self, ticket: PlannedTicket, member: Member) -> None:
        self._bundles[member.person].append(ticket)
        self.points[member.person] += ticket.points

    def _why_vacant(self, role: Key, holders: Sequence[Member], ticket: PlannedTicket) -> str:
        where = f"iteration {self._iteration.number}"
        if not holders:
            return f"nobody holds the role {role}"
        if all(self._presence[member.person] == 0 for member in holders):
            return f"everybody who holds the role {role} is absent in {where}"
        return f"nobody who holds the role {role} has {counted(ticket.points, 'point')} left in {where}"

    def _assigned(self, ticket: PlannedTicket, person: str | None) -> Assigned:
        role = self._roles.effective(ticket.role)
        detour = self._roles.detour(ticket.role, role)
        if person is None:
            reason = self._refused[ticket.key]
            return Assigned(role, None, None, f"{reason}, which takes over because {detour}" if detour else reason)
        limit, holders = self._capacity[person], self._roles.holders[role]
        points = self.points[person]
        load = counted(points, "point") if limit is None else f"{points} of {counted(float(limit), 'point')}"
        shared = "the only one" if len(holders) == 1 else f"shared by {len(holders)}"
        note = f"{role}: {person} has {load} in iteration {self._iteration.number}, {shared}"
        member = next(member for member in holders if member.person == person)
        alone = self._roles.only_reviewer(ticket, member)
        remarks = [
            "has it already" if ticket.key in self._kept else "",
            "more than fits" if limit is not None and self.points[person] > limit else "",
            detour,
            f"nobody else can review it as {alone}" if alone else "",
        ]
        return Assigned(role, person, member.handle, "; ".join([note, *filter(None, remarks)]))


def _weight_first(bundle: Sequence[PlannedTicket]) -> tuple[int, list[ItemKey]]:
    return -sum(ticket.points for ticket in bundle), sorted(ticket.key for ticket in bundle)


def _plain(capacity: Fraction) -> str:
    """12, or 10.5: whole where it is whole."""
    return f"{float(capacity):.1f}".removesuffix(".0")
