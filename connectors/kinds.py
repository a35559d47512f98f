"""What there is to know of a kind of tracker before one is reached: its settings, how to connect, and the words for
what is done by hand there. Each vendor's folder holds its own, in `kind.py`; `registry.py` lists them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from connectors.calls import Permit
from connectors.events import TrackerEvent
from connectors.hooks import HookKeeper
from connectors.network import Network
from connectors.port import Tracker


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of a connection that people give: its name, what to write there, whether it is on or off, and whether
    a connection cannot do without it."""

    name: str
    help: str
    switch: bool
    needed: bool


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of tracker.

    `settings` are the fields of a connection, each with a description for people; the credential is the one named
    `secret_field`. `connect`, `event` and `hooks` import what they need when they are called: a command that reaches no
    tracker loads none. A kind whose tracker sends no events has neither `event` nor `hooks`.
    """

    name: str
    """What connections name it by, such as `jira`."""
    title: str
    """What people call it."""
    settings: type[BaseModel]
    secret_field: str
    connect: Callable[[Any, float | None, Permit, Network | None], Tracker]
    project: str
    """What a project of ours is there, in words that follow "a"."""
    trash: str
    """Where a deleted project can be put back from."""
    admission: str
    """How an account is let in so that it can be given work, in words that follow "lets the account in"."""
    iteration_title_limit: int
    """The most characters of an iteration's title. A template is for every kind: `values.ITERATION_TITLE_LIMIT` is the
    least."""
    event: Callable[[Mapping[str, Any]], TrackerEvent] | None = None
    """Reads an event that the tracker sends."""
    hooks: Callable[[Any, float | None, Network | None], HookKeeper] | None = None
    """Who keeps the webhooks of a tracker of these settings."""
    learned: frozenset[str] = frozenset()
    """Settings that a tracker finds out by itself: nobody sets them, and they go when the connection is replaced."""
    address_field: str = "url"
    """The setting that says where the tracker is."""
    account_field: str = ""
    """The setting that says which account phaseloop acts as, where one does."""
    ticket_page: str = ""
    """The page of a ticket, with `{site}`, `{project}` and `{number}`, where tickets are numbered in order."""
    wrong_key: Callable[[str], tuple[str, str] | None] = lambda _key: None
    """What is wrong with the key of a project that is to be made there, and what would be right; None where nothing
    is."""
    sandbox: bool = False
    """Whether the sandbox has one of these, for `demo` and `simulate`."""

    @property
    def given(self) -> tuple[Setting, ...]:
        """The settings that people give, in the order of the form."""
        return tuple(
            Setting(name, field.description or "", field.annotation is bool, field.is_required())
            for name, field in self.settings.model_fields.items()
            if name != self.secret_field and name not in self.learned
        )
