"""Signing in and out, and one's own account: what these pages show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from service import __version__
from service.context import Context
from service.domain.access.identity import Caller, Origin
from service.domain.commands import typed
from service.pages.access import bounds_of
from service.pages.moments import Moment, moment
from service.usecases.access import sessions
from service.usecases.errors import UseCaseError
from service.usecases.setup import projects

UTC = "UTC"


@dataclass(frozen=True, slots=True)
class SignInPage:
    """The form to sign in with. `begin` leads to the `provider`, where there is one; `following` is the page that
    signing in leads to, and `kept` says that it is a form that was sent."""

    code: str
    ended: bool
    error: str
    provider: str
    begin: str
    following: str
    kept: bool = False
    version: str = __version__


@dataclass(frozen=True, slots=True)
class SignedOutPage:
    """That somebody is signed out here and is led on to do the same at the provider."""

    leads_to: str
    provider: str


@dataclass(frozen=True, slots=True)
class NotSignedInPage:
    """Why the provider's answer signed nobody in. `asks` is what an administrator needs to know to let them in."""

    message: str
    asks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GrantShown:
    """A role, what it does, and where it counts."""

    role: str
    where: str
    meaning: str
    by_provider: bool


@dataclass(frozen=True, slots=True)
class SessionShown:
    """A browser in which somebody is signed in; `own` for the one that looks."""

    id: str
    source: str
    begun: Moment
    used: Moment
    own: bool


@dataclass(frozen=True, slots=True)
class AccountPage:
    """Who is signed in; `typed` is their login as a command takes it."""

    login: str
    typed: str
    grants: tuple[GrantShown, ...]
    sessions: tuple[SessionShown, ...]


def page_of(context: Context, caller: Caller, present: str) -> AccountPage:
    """The account of whoever looks, in the session of that id."""
    now = context.now()
    grants = tuple(
        GrantShown(
            one.role.value,
            (f"in {_project(context, one.project)}" if one.project else "in all projects") + bounds_of(one),
            one.meaning,
            one.origin is Origin.PROVIDER,
        )
        for one in caller.grants
    )
    shown = tuple(
        SessionShown(
            one.row.id,
            one.row.source,
            moment(one.row.created_at, UTC, now),
            moment(one.row.last_used_at, UTC, now),
            one.row.id == present,
        )
        for one in sessions.listed(context, caller.actor.id)
    )
    return AccountPage(caller.actor.name, typed(caller.actor.name), grants, shown)


def _project(context: Context, project: str) -> str:
    try:
        found = projects.get(context, project, ask=False)
    except UseCaseError:
        return "a project that is gone"
    return f"{found.name} ({found.key})"
