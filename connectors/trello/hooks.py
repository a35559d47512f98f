"""Webhooks of a Trello account's token: one for each board."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.errors import NotVisible
from connectors.hooks import RemoteHook
from connectors.trello.client import TrelloClient, segment


class TrelloHooks:
    """A `HookKeeper` for one token."""

    by_project = True

    def __init__(self, client: TrelloClient) -> None:
        self._client = client

    def account(self) -> str:
        """See `HookKeeper.account`."""
        return str(self._client.get_object("members/me", {"fields": "id"}).get("id", ""))

    def listed(self, address: str) -> Sequence[RemoteHook]:
        """See `HookKeeper.listed`. One read, in whose path no token is."""
        tokens = self._client.get_list("members/me/tokens", {"webhooks": "true"})
        return [one for token in tokens for one in _hooks(token) if one.address == address]

    def add(self, address: str, of: str, secret: str) -> RemoteHook:
        """See `HookKeeper.add`. Trello signs with the secret of the Power-Up; it is not told here."""
        there = next((one for one in self.listed(address) if one.of == of), None)
        if there is not None:
            return there
        wanted = {"callbackURL": address, "idModel": of, "description": "phaseloop", "active": True}
        return _hook(self._client.write("POST", "webhooks", wanted))

    def repair(self, hook: RemoteHook, address: str, secret: str) -> None:
        """See `HookKeeper.repair`."""
        self._client.write("PUT", f"webhooks/{segment(hook.id)}", {"active": True, "callbackURL": address})

    def remove(self, hook: RemoteHook) -> None:
        """See `HookKeeper.remove`."""
        try:
            self._client.write("DELETE", f"webhooks/{segment(hook.id)}")
        except NotVisible:
            return

    def steps(self, address: str) -> Sequence[str]:
        """See `HookKeeper.steps`."""
        return (
            "Trello has no page for webhooks. Give the connection a token that may write, then register again:",
            "phaseloop connections add NAME --kind trello --replace ...; phaseloop hooks register NAME",
        )

    def close(self) -> None:
        """See `HookKeeper.close`."""
        self._client.close()


def _hooks(token: Any) -> Iterator[RemoteHook]:
    found = token.get("webhooks") if isinstance(token, Mapping) else None
    for one in found if isinstance(found, list) else ():
        if isinstance(one, Mapping):
            yield _hook(one)


def _hook(body: Mapping[str, Any]) -> RemoteHook:
    failures = body.get("consecutiveFailures")
    return RemoteHook(
        str(body.get("id", "")),
        str(body.get("callbackURL", "")),
        str(body.get("idModel", "")),
        active=body.get("active") is not False,
        failures=failures if isinstance(failures, int) else 0,
    )
