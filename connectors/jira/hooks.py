"""Webhooks at a Jira site: the administrators' route, one webhook for the whole site.

The route is not in the vendor's OpenAPI documents. The other one, for apps, refuses API tokens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.errors import NotVisible
from connectors.hooks import RemoteHook
from connectors.jira.client import JiraClient
from connectors.jira.events import WATCHED

_BASE = "{server}/rest/webhooks/1.0/{path}"
_NAME = "phaseloop"


class JiraHooks:
    """A `HookKeeper` for one site."""

    by_project = False

    def __init__(self, client: JiraClient) -> None:
        self._client = client

    def account(self) -> str:
        """See `HookKeeper.account`."""
        return str(self._client.get_object("myself").get("accountId", ""))

    def listed(self, address: str) -> Sequence[RemoteHook]:
        """See `HookKeeper.listed`. One read."""
        found = self._client.get_list("webhook", base=_BASE)
        return [_hook(one) for one in found if isinstance(one, dict) and one.get("url") == address]

    def add(self, address: str, of: str, secret: str) -> RemoteHook:
        """See `HookKeeper.add`."""
        there = self.listed(address)
        if there:
            return there[0]
        made = self._client.write("POST", "webhook", {"name": _NAME, **_wanted(address, secret)}, base=_BASE)
        return _hook(made.body)

    def repair(self, hook: RemoteHook, address: str, secret: str) -> None:
        """See `HookKeeper.repair`."""
        self._client.write("PUT", f"webhook/{hook.id}", _wanted(address, secret), base=_BASE, empty=True)

    def remove(self, hook: RemoteHook) -> None:
        """See `HookKeeper.remove`."""
        try:
            self._client.write("DELETE", f"webhook/{hook.id}", None, base=_BASE, empty=True)
        except NotVisible:
            return

    def steps(self, address: str) -> Sequence[str]:
        """See `HookKeeper.steps`."""
        return (
            "In Jira, as an administrator, open Settings, System, WebHooks (under Advanced), and create one:",
            f"Name: {_NAME}. Status: enabled. URL: {address}",
            "Secret: the one that `phaseloop hooks secret CONNECTION` prints",
            f"Events, without a JQL filter: {', '.join(WATCHED)}",
            "Leave 'Exclude body' unchecked.",
        )

    def close(self) -> None:
        """See `HookKeeper.close`."""
        self._client.close()


def _wanted(address: str, secret: str) -> dict[str, Any]:
    return {"url": address, "events": list(WATCHED), "excludeBody": False, "enabled": True, "secret": secret}


def _hook(body: Mapping[str, Any]) -> RemoteHook:
    number = str(body.get("self", "")).rstrip("/").rpartition("/")[2]
    events = body.get("events")
    complete = isinstance(events, list) and set(WATCHED) <= set(events) and body.get("excludeBody") is not True
    return RemoteHook(
        number,
        str(body.get("url", "")),
        "",
        active=body.get("enabled") is True,
        signed=body.get("isSigned") is not False,
        complete=complete,
    )
