"""Where people hear of something outside of a tracker: the port, and what there is to know of a kind of receiver before
one is reached."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Protocol

from pydantic import BaseModel

from connectors.messages import Message
from connectors.network import Network


@dataclass(frozen=True, slots=True)
class Posted:
    """A message that is there: its `id` in the channel, empty where the receiver tells none."""

    id: str = ""


class Gathering(Enum):
    """How the notices for one place become messages."""

    NONE = "each is a message of its own"
    BURSTS = "many that come together are a few messages"
    DAILY = "of each kind there is one message a day at most, for all projects"


class Receiver(Protocol):
    """A place outside of the tracker where people hear of things. Not to be shared between threads.

    What it raises is in `connectors.errors`, and says whether anything was posted: OutcomeUnknown where that is not
    known, everything else where it was not. It sends each message once, and repeats nothing by itself.
    """

    @property
    def looks_up(self) -> bool:
        """Whether `find` can tell if a message whose answer was lost is there."""
        ...

    @property
    def deduplicates(self) -> bool:
        """Whether a message that is sent again under its marker counts as the same one there."""
        ...

    @property
    def threads(self) -> bool:
        """Whether a message can answer another one."""
        ...

    def whoami(self) -> str:
        """Who we are there, in words; empty where that cannot be asked. Posts nothing."""
        ...

    def send(self, channel: str, message: Message, marker: str, thread: str = "") -> Posted:
        """Post the message once, marked by `marker` where people do not see it, below the message `thread`."""
        ...

    def find(self, channel: str, marker: str, since: datetime, thread: str = "") -> Posted | None:
        """The message that carries this marker, posted since then; None where there is none. Only where it
        `looks_up`."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


@dataclass(frozen=True, slots=True)
class ReceiverKind:
    """One kind of receiver. `connect` imports what it needs when it is called. `checked_channel` gives the channel in
    its plain form, or raises ValueError in words; what is asked for hangs on the settings and the credential."""

    name: str
    """What people name it by in commands, such as `notify add`."""
    title: str
    """What people call it."""
    settings: type[BaseModel]
    secret_field: str
    secret_words: str
    """What the credential is, for who is asked for it."""
    connect: Callable[[Any, float | None, Network | None], Receiver]
    checked_channel: Callable[[Any, str], str]
    laid_out: Callable[[Message], Mapping[str, Any]]
    """A message in the vendor's form, within its limits."""
    channel_words: str
    """What a channel is named by, for people; empty where there are none."""
    gathering: Gathering = Gathering.BURSTS
    apart: float = 1.1
    """Seconds between two messages to one channel."""
    for_people: bool = True
    """Whether people read there, who have quiet hours."""
    secret_optional: bool = False
    """Whether the credential may be empty."""
    unsubscribes: bool = False
    """Whether each message leads to a page where its reader ends those of its kind."""

    @property
    def given(self) -> tuple[tuple[str, str, bool], ...]:
        """The settings that people give: name, what to write there, whether it is on or off."""
        return tuple(
            (name, field.description or "", field.annotation is bool)
            for name, field in self.settings.model_fields.items()
            if name != self.secret_field
        )
