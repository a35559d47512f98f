"""What there is to know of Trello before one is reached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.calls import Permit
from connectors.events import TrackerEvent
from connectors.hooks import HookKeeper
from connectors.kinds import Kind
from connectors.network import Network
from connectors.port import Tracker
from connectors.trello.settings import TrelloSettings


def _connect(settings: Any, timeout: float | None, permit: Permit, network: Network | None) -> Tracker:
    from connectors.trello.tracker import TrelloTracker  # a quarter of a second of imports

    return TrelloTracker.connect(settings, timeout, permit, network)


def _event(payload: Mapping[str, Any]) -> TrackerEvent:
    from connectors.trello.events import event

    return event(payload)


def _hooks(settings: Any, timeout: float | None, network: Network | None) -> HookKeeper:
    from connectors.trello.client import TrelloClient, within
    from connectors.trello.hooks import TrelloHooks
    from connectors.trello.service import TIMEOUT

    waits = TIMEOUT if timeout is None else within(timeout)
    return TrelloHooks(TrelloClient(settings, timeout=waits, network=network))


TRELLO = Kind(
    name="trello",
    title="Trello",
    settings=TrelloSettings,
    secret_field="token",
    connect=_connect,
    project="Trello board",
    trash="Trello's closed boards",
    admission="as a member of the board",
    iteration_title_limit=16_384,
    event=_event,
    hooks=_hooks,
    sandbox=True,
)
