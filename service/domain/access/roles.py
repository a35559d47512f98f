"""Roles, and what each of them may do. Which address needs which permission is in `policy`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """What a person or a token is, in one project or in all."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    LEAD = "lead"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Permission(StrEnum):
    """A kind of thing that can be done."""

    INSPECT = "inspect"
    """See how iterations are documented: all of them, or those in the period that the role was given for."""
    ASK = "ask questions"
    """Ask the people of an iteration something. It is kept as evidence, and becomes a ticket of theirs."""
    READ = "read"
    """See projects, plans, runs, history, audits and evidence."""
    OPERATE = "operate"
    """Make and apply plans, advance the loop, look after runs. What is written to a tracker was shown before."""
    DECIDE = "decide"
    """Decide for a project: its phases, settings, waivers, that it is paused or removed; set projects and teams up."""
    READ_LOG = "read the change log"
    """See who changed what."""
    ADMINISTER = "administer"
    """Connections with their credentials, identities, roles and sessions."""


_R, _O, _D, _L, _A = Permission.READ, Permission.OPERATE, Permission.DECIDE, Permission.READ_LOG, Permission.ADMINISTER
_I, _Q = Permission.INSPECT, Permission.ASK

MAY: Mapping[Role, frozenset[Permission]] = {
    Role.VIEWER: frozenset({_I, _R}),
    Role.OPERATOR: frozenset({_I, _Q, _R, _O}),
    Role.LEAD: frozenset({_I, _Q, _R, _O, _D}),
    Role.AUDITOR: frozenset({_I, _Q, _R, _L}),
    Role.ADMIN: frozenset({_I, _Q, _R, _O, _D, _L, _A}),
}
"""What each role may do. What is not here is not allowed."""

IN_A_PERIOD = frozenset({_I, _Q})
"""What a role may do that was given for a period: nothing whose answer could hold more than that period."""

MEANING: Mapping[Role, str] = {
    Role.VIEWER: "sees everything of its projects",
    Role.OPERATOR: "makes and applies plans, advances the loop, looks after runs",
    Role.LEAD: "an operator who also decides phases, changes settings and waives checks",
    Role.AUDITOR: "sees everything of its projects and the change log, and asks questions; changes and waives nothing",
    Role.ADMIN: "may do everything, and manages connections, identities and roles",
}
"""Each role in words."""

MEANING_IN_A_PERIOD = "sees how the iterations of that period are documented, and asks questions; nothing else"
"""A role that was given for a period, in words."""
