"""The port through which webhooks are kept at a tracker: registered, looked at, put right, removed. Apart from
`Tracker`, because no run does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class RemoteHook:
    """A webhook as the tracker has it. `of` is what it watches: a board's id, or empty for the whole site. `failures`
    is how many deliveries failed in a row, as far as the tracker tells."""

    id: str
    address: str
    of: str
    active: bool
    failures: int = 0
    signed: bool = True
    complete: bool = True
    """Whether it tells of all that we ask for."""


class HookKeeper(Protocol):
    """Keeps webhooks at one tracker. Every method may raise what `Tracker`'s raise; `PermissionMissing` where the
    account may not, which is what `steps` are for."""

    @property
    def by_project(self) -> bool:
        """Whether each project has a webhook of its own; else one tells of the whole site."""
        ...

    def account(self) -> str:
        """The id of the account that this connection acts as."""
        ...

    def listed(self, address: str) -> Sequence[RemoteHook]:
        """The webhooks that deliver to this address."""
        ...

    def add(self, address: str, of: str, secret: str) -> RemoteHook:
        """Register a webhook. The tracker may ask the address while this waits (HEAD). One that is there already is
        returned as it is."""
        ...

    def repair(self, hook: RemoteHook, address: str, secret: str) -> None:
        """Have a webhook deliver again, all that we ask for, signed with this secret. Repeatable."""
        ...

    def remove(self, hook: RemoteHook) -> None:
        """Remove a webhook. Repeatable: one that is gone is success."""
        ...

    def steps(self, address: str) -> Sequence[str]:
        """What somebody who may does by hand in place of `add`, step by step."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...
