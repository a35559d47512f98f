"""Tickets without a person, by the role that is missing: why, and what helps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from service.domain.english import counted
from service.domain.team.team import Team

MANY = 4


@dataclass(frozen=True, slots=True)
class VacantRole:
    """A role that nobody could fill: its key, of how many tickets, why, and what helps."""

    role: str
    number: str
    why: str
    advice: str


def by_role(roles: Mapping[str, int], team: Team | None) -> tuple[VacantRole, ...]:
    """The roles, most tickets first. `team` is who could hold them, where that is known."""
    ordered = sorted(roles.items(), key=lambda one: (-one[1], one[0]))
    return tuple(_shown(role, number, team) for role, number in ordered)


def _shown(role: str, number: int, team: Team | None) -> VacantRole:
    holders = [one.person for one in team.members if role in one.roles] if team is not None else []
    tickets = counted(number, "ticket")
    if not holders:
        return VacantRole(role, tickets, "nobody holds it", "Have somebody of the team hold it.")
    why = f"{_named(holders)} {'holds' if len(holders) == 1 else 'hold'} it and had no room, or was away"
    why = why if len(holders) == 1 else why.replace("was away", "were away")
    return VacantRole(role, tickets, why, "Raise what they can take, or have somebody else hold it, too.")


def _named(people: Sequence[str]) -> str:
    shown = ", ".join(people[:MANY])
    return f"{shown} and {len(people) - MANY} more" if len(people) > MANY else shown


def counts(roles: Iterable[str]) -> dict[str, int]:
    """How often each role is there."""
    found: dict[str, int] = {}
    for one in roles:
        found[one] = found.get(one, 0) + 1
    return found
