"""Tells webhooks of actions: signed, and again after 30, 60 and 120 seconds of the sandbox's clock on failure.

The signature is base64 of HMAC-SHA1 with the application's secret over the body followed by the callback address. That
an answer of 410 ends a webhook, and that long failure turns it off, follows the vendor's page on webhooks; the exact
rule for the latter is unsure (1,000 failures in a row, and 30 days of them).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx

from sandbox.clock import Clock
from sandbox.trello.actions import display, show
from sandbox.trello.state import Action, Trello, Webhook
from sandbox.trello.views import View

RETRY_SECONDS = (30.0, 60.0, 120.0)
MOST_FAILURES, MOST_DAYS = 1000, 30
KEPT = 2000
_LOOK_AGAIN_SECONDS = 0.2


def signature(secret: str, body: bytes, callback_url: str) -> str:
    """The ``X-Trello-Webhook`` of a delivery."""
    digest = hmac.new(secret.encode(), body + callback_url.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


@dataclass
class TrelloDelivery:
    """One action on its way to one webhook. ``attempts`` hold a status or what went wrong, and when."""

    webhook_id: str
    action_id: str
    type: str
    url: str
    body: bytes
    signature: str
    attempts: list[dict[str, Any]] = field(default_factory=list)
    state: str = "pending"
    due: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """The delivery as ``/sandbox/trello-deliveries`` lists it."""
        return {
            "webhookId": self.webhook_id,
            "actionId": self.action_id,
            "type": self.type,
            "url": self.url,
            "state": self.state,
            "attempts": self.attempts,
            "nextAt": self.due.isoformat(timespec="milliseconds") if self.due and self.state == "pending" else None,
        }


class TrelloDeliveries:
    """Listens to a Trello and sends its actions in the running event loop."""

    def __init__(self, trello: Trello, clock: Clock) -> None:
        self.trello = trello
        self.clock = clock
        self.kept: deque[TrelloDelivery] = deque(maxlen=KEPT)
        self.base_url = "https://trello.com"
        self._tasks: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()
        trello.listeners.append(self.tell)

    def tell(self, action: Action) -> None:
        """Send an action to every webhook on a model that it touches. Needs a running event loop."""
        for webhook in self.trello.data.webhooks.values():
            if webhook.active and webhook.model_id in action.models:
                self._send(webhook, action)

    def _send(self, webhook: Webhook, action: Action) -> None:
        view = View(self.trello, self.base_url, None)
        told = show(view, action)
        told["display"] = display(action, self.trello.data.members[action.creator])
        told["appCreator"] = None
        payload = {"action": told, "model": self._model(view, webhook.model_id), "webhook": view.webhook(webhook)}
        body = json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()
        signed = signature(self.trello.data.secret, body, webhook.callback_url)
        delivery = TrelloDelivery(webhook.id, action.id, action.type, webhook.callback_url, body, signed)
        self.kept.append(delivery)
        task = asyncio.get_running_loop().create_task(self._deliver(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _model(self, view: View, number: str) -> dict[str, Any]:
        data = self.trello.data
        if number in data.boards:
            return view.board(data.boards[number])
        if number in data.cards:
            return view.card(data.cards[number])
        if number in data.lists:
            return view.a_list(data.lists[number])
        if number in data.organizations:
            return view.organization(data.organizations[number], "name,displayName,desc,url")
        if number in data.members:
            return view.member(data.members[number])
        return {"id": number}

    def wake(self) -> None:
        """Look at the clock now: it was moved."""
        self._woken.set()

    def clear(self) -> None:
        """Give up what is pending and forget what was sent."""
        for task in self._tasks:
            task.cancel()
        self.kept.clear()

    def as_json(self) -> dict[str, Any]:
        """All deliveries that are remembered, oldest first."""
        return {"deliveries": [delivery.as_json() for delivery in self.kept]}

    async def _deliver(self, delivery: TrelloDelivery) -> None:
        timeout = httpx.Timeout(20, connect=5)
        async with httpx.AsyncClient(timeout=timeout, trust_env=False, follow_redirects=False) as client:
            while await self._try(client, delivery):
                await self._until(delivery)

    async def _try(self, client: httpx.AsyncClient, delivery: TrelloDelivery) -> bool:
        """Send once; true if it has to be sent again."""
        attempt: dict[str, Any] = {"at": self.clock.now().isoformat(timespec="milliseconds")}
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Trello Webhook",
            "X-Trello-Webhook": delivery.signature,
        }
        status: int | None = None
        try:
            response = await client.post(delivery.url, content=delivery.body, headers=headers)
            attempt["status"] = status = response.status_code
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            attempt["error"] = type(error).__name__
        delivery.attempts.append(attempt)
        self._note(delivery.webhook_id, status)
        tries = len(delivery.attempts)
        if status == 200 or status == 410 or tries > len(RETRY_SECONDS):
            delivery.state = "delivered" if status == 200 else "failed"
            return False
        delivery.due = self.clock.now() + timedelta(seconds=RETRY_SECONDS[tries - 1])
        return True

    def _note(self, webhook_id: str, status: int | None) -> None:
        """Count failures on the webhook; end it or turn it off where the vendor would."""
        webhook = self.trello.data.webhooks.get(webhook_id)
        if webhook is None:
            return
        now = self.clock.now()
        if status == 200:
            webhook.failures, webhook.failing_since = 0, None
        elif status == 410:
            del self.trello.data.webhooks[webhook_id]
        else:
            webhook.failures += 1
            webhook.failing_since = webhook.failing_since or now
            if webhook.failures >= MOST_FAILURES and now - webhook.failing_since >= timedelta(days=MOST_DAYS):
                webhook.active = False
        self.trello.touch()

    async def _until(self, delivery: TrelloDelivery) -> None:
        while delivery.due is not None and self.clock.now() < delivery.due:
            self._woken.clear()
            try:
                await asyncio.wait_for(self._woken.wait(), _LOOK_AGAIN_SECONDS)
            except TimeoutError:
                continue
