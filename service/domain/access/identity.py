"""Identities: who does something, from where, and what they were granted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from service.domain.access.roles import IN_A_PERIOD, MAY, MEANING, MEANING_IN_A_PERIOD, Permission, Role
from service.domain.team.calendar import DateRange


class Kind(StrEnum):
    """What sort of identity it is. `local` is whoever runs the command line on the machine that has the store: that
    person is its administrator, because the files are theirs already."""

    PERSON = "person"
    TOKEN = "token"
    SERVICE = "service"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: `name` is what runs, plans, decisions and the change log show (a login, a token's name);
    `id` tells two of the same name apart; `source` is where it is done from, in words."""

    kind: Kind
    id: str
    name: str
    source: str = ""


class Origin(StrEnum):
    """Where a role comes from: an administrator gave it by hand, or the provider that somebody signed in with says
    something of them that gives it. The two are kept apart: a sign-in replaces those of the second sort alone."""

    HAND = "hand"
    PROVIDER = "provider"


SERVICE = Actor(Kind.SERVICE, "service", "phaseloop", "the service itself")
"""What nobody asked for in person: the clock, runs, maintenance."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A role that an identity was given: in one project (by id) or, without one, in all; until `expires_at`, if set.
    With a `period` it is for the iterations alone that have a day in it."""

    role: Role
    project: str | None = None
    expires_at: datetime | None = None
    origin: Origin = Origin.HAND
    period: DateRange | None = None

    def allows(self, permission: Permission) -> bool:
        """Whether it gives the right to do this in its project."""
        return permission in (MAY[self.role] if self.period is None else IN_A_PERIOD)

    @property
    def meaning(self) -> str:
        """What it is for, in words."""
        return MEANING[self.role] if self.period is None else MEANING_IN_A_PERIOD


@dataclass(frozen=True, slots=True)
class Caller:
    """An identity together with what it may do now."""

    actor: Actor
    grants: tuple[Grant, ...] = ()

    def at(self, now: datetime) -> Caller:
        """The same with the grants that have not expired by then."""
        return replace(self, grants=tuple(_in_force(self.grants, now)))

    def may(self, permission: Permission, project: str | None = None) -> bool:
        """Whether one of the grants allows it: for this project, or in all where none is named."""
        return any(one.allows(permission) and one.project in (None, project) for one in self.grants)

    def may_somewhere(self, permission: Permission) -> bool:
        """Whether one of the grants allows it in some project."""
        return any(one.allows(permission) for one in self.grants)

    def projects(self, permission: Permission) -> frozenset[str] | None:
        """The ids of the projects in which it is allowed; None for all."""
        if self.may(permission):
            return None
        return frozenset(one.project for one in self.grants if one.project and one.allows(permission))

    def periods(self, project: str) -> tuple[DateRange, ...] | None:
        """The periods whose iterations they may inspect in this project, the earliest first; None for all of them."""
        here = [one for one in self.grants if one.project in (None, project) and one.allows(Permission.INSPECT)]
        if any(one.period is None for one in here):
            return None
        found = {one.period for one in here if one.period is not None}
        return tuple(sorted(found, key=lambda one: (one.first, one.last)))


def _in_force(grants: Iterable[Grant], now: datetime) -> Iterable[Grant]:
    return (one for one in grants if one.expires_at is None or one.expires_at > now)
