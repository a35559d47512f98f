"""Sends webhooks as the vendor does: signed, at least once, repeated on failure, in no promised order.

What is known of the vendor's way (its webhooks page and its notice on retries): the same identifier on every try, a
retry header from the second on, 5 s to connect and 20 s to answer, five more tries on 408, 409, 425, 429, 5xx and
transport failures, none on other answers.  How far apart the tries are is unsure: 5 to 15 minutes with some chance in
it, counted on the sandbox's clock, unless ``/sandbox/deliveries`` sets another delay.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
import uuid
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx

from sandbox.clock import Clock

RETRIED = frozenset({408, 409, 425, 429})
MOST_RETRIES = 5
DELAY_SECONDS = (300.0, 900.0)
KEPT = 2000
_LOOK_AGAIN_SECONDS = 0.2


@dataclass
class Delivery:
    """One event on its way to one webhook. ``attempts`` hold a status or what went wrong, and when."""

    webhook_id: int
    event: str
    url: str
    secret: str | None
    body: bytes
    identifier: str = field(default_factory=lambda: str(uuid.uuid4()))
    attempts: list[dict[str, Any]] = field(default_factory=list)
    state: str = "pending"
    due: datetime | None = None

    def headers(self) -> dict[str, str]:
        """The headers of the next try."""
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Atlassian Webhook HTTP Client",
            "X-Atlassian-Webhook-Identifier": self.identifier,
            "X-Atlassian-Webhook-Flow": "Primary",
        }
        if self.attempts:
            headers["X-Atlassian-Webhook-Retry"] = str(len(self.attempts))
        if self.secret:
            headers["X-Hub-Signature"] = signature(self.secret, self.body)
        return headers

    def as_json(self) -> dict[str, Any]:
        """The delivery as ``/sandbox/deliveries`` lists it."""
        return {
            "identifier": self.identifier,
            "webhookId": self.webhook_id,
            "event": self.event,
            "url": self.url,
            "state": self.state,
            "attempts": self.attempts,
            "nextAt": self.due.isoformat(timespec="milliseconds") if self.due and self.state == "pending" else None,
        }


def signature(secret: str, body: bytes) -> str:
    """The ``X-Hub-Signature`` of a body: method and hex digest."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class Deliveries:
    """Sends deliveries in the running event loop, and remembers the last ones."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.kept: deque[Delivery] = deque(maxlen=KEPT)
        self.delay: float | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()

    def send(self, webhook_id: int, event: str, url: str, secret: str | None, payload: dict[str, Any] | None) -> None:
        """Start delivering a payload (none: an empty body). Needs a running event loop."""
        body = b"" if payload is None else json.dumps(payload, separators=(",", ":")).encode()
        delivery = Delivery(webhook_id, event, url, secret, body)
        self.kept.append(delivery)
        task = asyncio.get_running_loop().create_task(self._deliver(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def wake(self) -> None:
        """Look at the clock now: it was moved."""
        self._woken.set()

    def clear(self) -> None:
        """Give up what is pending and forget what was sent."""
        for task in self._tasks:
            task.cancel()
        self.kept.clear()
        self.delay = None

    def as_json(self) -> dict[str, Any]:
        """All deliveries that are remembered, oldest first."""
        return {"retryDelaySeconds": self.delay, "deliveries": [delivery.as_json() for delivery in self.kept]}

    async def _deliver(self, delivery: Delivery) -> None:
        timeout = httpx.Timeout(20, connect=5)
        async with httpx.AsyncClient(timeout=timeout, trust_env=False, follow_redirects=False) as client:
            while await self._try(client, delivery):
                await self._until(delivery)

    async def _try(self, client: httpx.AsyncClient, delivery: Delivery) -> bool:
        """Send once; true if it has to be sent again."""
        attempt: dict[str, Any] = {"at": self.clock.now().isoformat(timespec="milliseconds")}
        try:
            response = await client.post(delivery.url, content=delivery.body, headers=delivery.headers())
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            attempt["error"] = type(error).__name__
            again = True
        else:
            attempt["status"] = response.status_code
            again = response.status_code in RETRIED or response.status_code >= 500
            if response.is_success:
                delivery.state = "delivered"
        delivery.attempts.append(attempt)
        if delivery.state == "delivered":
            return False
        if not again or len(delivery.attempts) > MOST_RETRIES:
            delivery.state = "failed"
            return False
        wait = self.delay if self.delay is not None else random.uniform(*DELAY_SECONDS)  # noqa: S311  no secret
        delivery.due = self.clock.now() + timedelta(seconds=wait)
        return True

    async def _until(self, delivery: Delivery) -> None:
        while delivery.due is not None and self.clock.now() < delivery.due:
            self._woken.clear()
            try:
                await asyncio.wait_for(self._woken.wait(), _LOOK_AGAIN_SECONDS)
            except TimeoutError:
                continue
