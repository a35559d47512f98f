"""Who plays: the team with its calendar, what everybody is like, and who falls ill. All of it follows from the seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random

from service.domain.team.calendar import Calendar, DateRange
from service.domain.team.calendar_file import CalendarSpec, spec_from_json
from service.domain.team.team import Absence, Member, Team, read_team

TEAM_FILE = Path(__file__).resolve().parent.parent / "service" / "demo_team.yaml"
COUNTRY, SUBDIVISION = "DE", "BE"
"""Whose public holidays the team that comes along keeps."""

HOLIDAY_EVERY = 90
"""Calendar days in which everybody of the team that comes along is on holiday once, about."""

ILL_EVERY = 60
"""Calendar days in which somebody falls ill once, about."""


@dataclass(frozen=True, slots=True)
class Character:
    """What a person is like at work. `pace` is how many points they do in a day, `ill` the days on which they do
    nothing and nobody knew before."""

    email: str
    person: str
    pace: float
    ill: frozenset[date]
    away: tuple[DateRange, ...]

    def works_usually(self, day: date) -> bool:
        """Whether everybody expects the person on that day, if it is a working day."""
        return not any(day in absence for absence in self.away)

    def falls_ill(self, day: date, calendar: Calendar) -> int:
        """For how many working days the person is missed from that day on; 0 if it does not begin then."""

        def missed(on: date) -> bool:
            return on in self.ill and self.works_usually(on) and calendar.is_working(on)

        if not missed(day) or any(missed(day - timedelta(days=back)) for back in (1, 2, 3)):
            return 0
        return sum(missed(day + timedelta(days=ahead)) for ahead in range(4))

    def works(self, day: date) -> bool:
        """Whether the person is there on that day, if anybody is."""
        return day not in self.ill and self.works_usually(day)


def come_along(seed: int, span: DateRange) -> Team:
    """The team of the demonstration, with holidays of their own and the public ones of where they live."""
    team = read_team(TEAM_FILE.read_text(encoding="utf-8"), TEAM_FILE.name)
    members = tuple(_with_holidays(member, seed, span) for member in team.members)
    calendar: CalendarSpec = spec_from_json({"holidays": {"country": COUNTRY, "subdivision": SUBDIVISION}})
    return team.model_copy(update={"members": members, "calendar": calendar})


def characters(team: Team, seed: int, span: DateRange) -> list[Character]:
    """What the members of a team are like; those without an address are not played."""
    return [_character(member, seed, span) for member in team.members if member.email is not None]


def _with_holidays(member: Member, seed: int, span: DateRange) -> Member:
    drawn = Random(f"holidays {seed} {member.person}")
    absences = tuple(
        Absence.model_validate({"from": first, "to": first + timedelta(days=drawn.choice((4, 4, 11)))})
        for first in _now_and_then(drawn, span, HOLIDAY_EVERY)
    )
    return member.model_copy(update={"absences": (*member.absences, *absences)})


def _now_and_then(drawn: Random, span: DateRange, every: int) -> Iterator[date]:
    """Mondays, about one in so many days."""
    day = span.first + timedelta(days=drawn.randrange(every))
    while day <= span.last:
        yield day - timedelta(days=day.weekday())
        day += timedelta(days=every // 2 + drawn.randrange(every))


def _character(member: Member, seed: int, span: DateRange) -> Character:
    drawn = Random(f"character {seed} {member.person}")
    ill: set[date] = set()
    for monday in _now_and_then(drawn, span, ILL_EVERY):
        first = monday + timedelta(days=drawn.randrange(5))
        ill |= {first + timedelta(days=number) for number in range(drawn.choice((1, 1, 2, 3)))}
    assert member.email is not None  # noqa: S101 - by the caller
    capacity = member.capacity if member.capacity is not None else 12
    pace = max(0.2, capacity / 10 * drawn.uniform(1.0, 1.5))
    return Character(member.email, member.person, pace, frozenset(ill), member.away)
