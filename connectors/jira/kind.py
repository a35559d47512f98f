"""What there is to know of Jira before one is reached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.calls import Permit
from connectors.events import TrackerEvent
from connectors.hooks import HookKeeper
from connectors.jira.project_key import wrong_key
from connectors.jira.settings import JiraSettings
from connectors.kinds import Kind
from connectors.network import Network
from connectors.port import Tracker


def _connect(settings: Any, timeout: float | None, permit: Permit, network: Network | None) -> Tracker:
    from connectors.jira.tracker import JiraTracker  # half a second of imports, for commands that reach no tracker

    return JiraTracker.connect(settings, timeout, permit, network)


def _event(payload: Mapping[str, Any]) -> TrackerEvent:
    from connectors.jira.events import event

    return event(payload)


def _hooks(settings: Any, timeout: float | None, network: Network | None) -> HookKeeper:
    from connectors.jira.client import TIMEOUT, JiraClient, within
    from connectors.jira.hooks import JiraHooks

    waits = TIMEOUT if timeout is None else within(timeout)
    return JiraHooks(JiraClient(settings, timeout=waits, network=network))


JIRA = Kind(
    name="jira",
    title="Jira",
    settings=JiraSettings,
    secret_field="token",
    connect=_connect,
    project="Jira project",
    trash="Jira's trash",
    admission="with the permission Assignable user in the project",
    iteration_title_limit=29,
    event=_event,
    hooks=_hooks,
    learned=frozenset({"api_url"}),
    account_field="email",
    ticket_page="{site}/browse/{project}-{number}",
    wrong_key=wrong_key,
    sandbox=True,
)
