"""Identities: who does something, from where, and what they were granted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from service.domain.access.roles import MAY, Permission, Role


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
    """A role that an identity was given: in one project (by id) or, without one, in all; until `expires_at`, if set."""

    role: Role
    project: str | None = None
    expires_at: datetime | None = None
    origin: Origin = Origin.HAND


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
        return any(permission in MAY[one.role] and one.project in (None, project) for one in self.grants)

    def may_somewhere(self, permission: Permission) -> bool:
        """Whether one of the grants allows it in some project."""
        return any(permission in MAY[one.role] for one in self.grants)

    def projects(self, permission: Permission) -> frozenset[str] | None:
        """The ids of the projects in which it is allowed; None for all."""
        if self.may(permission):
            return None
        return frozenset(one.project for one in self.grants if one.project and permission in MAY[one.role])


def _in_force(grants: Iterable[Grant], now: datetime) -> Iterable[Grant]:
    return (one for one in grants if one.expires_at is None or one.expires_at > now)
