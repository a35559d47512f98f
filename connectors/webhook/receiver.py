"""A program that is told what happens, by signed webhooks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
from standardwebhooks import Webhook

from connectors.calls import Call
from connectors.deadline import Deadline
from connectors.httpx_faults import CAUGHT
from connectors.messages import Message
from connectors.network import Network, said_by
from connectors.pacing import retry_after_seconds
from connectors.receiving import Posted
from connectors.webhook.failures import broken, refused
from connectors.webhook.payload import event_of
from connectors.webhook.settings import WebhookSettings

SECONDS = 20.0
"""How long an answer is waited for, in all."""

_NO_LIMITS = httpx.Limits(max_keepalive_connections=0)


class WebhookReceiver:
    """One address. Of an answer the status alone counts; nothing of it is read or shown."""

    def __init__(self, settings: WebhookSettings, timeout: float | None = None, network: Network | None = None) -> None:
        self._settings = settings
        self._way = (network or Network()).way_to(settings.url)
        self._seconds = SECONDS if timeout is None else min(timeout, SECONDS)
        self._signers = [Webhook(secret) for secret in settings.secrets]
        self._http = httpx.Client(
            headers={"User-Agent": "phaseloop", "Accept": "*/*"},
            timeout=httpx.Timeout(self._seconds, connect=min(5.0, self._seconds)),
            follow_redirects=False,  # who may be told what happens is who was named
            **self._way.for_httpx(_NO_LIMITS),
        )

    def __repr__(self) -> str:
        return f"WebhookReceiver({self._settings.host})"

    @property
    def looks_up(self) -> bool:
        """Nobody can be asked what arrived."""
        return False

    @property
    def deduplicates(self) -> bool:
        """What is sent again has the same `webhook-id`."""
        return True

    @property
    def threads(self) -> bool:
        """An event answers none."""
        return False

    def whoami(self) -> str:
        """Nobody: who we are is proven by each signature."""
        return ""

    def send(self, channel: str, message: Message, marker: str, thread: str = "") -> Posted:
        """Post the event once, signed by every secret."""
        body = json.dumps(event_of(message), ensure_ascii=False, separators=(",", ":"))
        headers = {"Content-Type": "application/json", **self._signed(marker, body)}
        call = Call("POST", "/…", self._settings.host, True, self._way)
        try:
            with Deadline(self._seconds) as deadline:

                def seen(event: str, about: Mapping[str, Any]) -> None:
                    if event == "connection.connect_tcp.complete":
                        deadline.watch(about["return_value"].get_extra_info("socket"))

                request = self._http.build_request(
                    "POST", self._settings.url, content=body.encode(), headers=headers, extensions={"trace": seen}
                )
                answer = self._http.send(request, stream=True)
                answer.close()
        except CAUGHT as error:
            raise broken(call, error, said_by(error)) from None  # the original holds the request
        if not answer.is_success:
            raise refused(call, answer.status_code, retry_after_seconds(answer.headers))
        return Posted(marker)

    def _signed(self, marker: str, body: str) -> dict[str, str]:
        now = datetime.now(UTC)  # receivers hold it against their own clocks
        return {
            "webhook-id": marker,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signer.sign(marker, now, body) for signer in self._signers),
        }

    def find(self, channel: str, marker: str, since: datetime, thread: str = "") -> Posted | None:
        """Nobody can be asked."""
        return None

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
