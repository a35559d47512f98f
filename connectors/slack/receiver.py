"""Slack as a receiver of messages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.errors import NotVisible
from connectors.messages import Message
from connectors.network import Network
from connectors.receiving import Posted
from connectors.slack.blocks import body_of
from connectors.slack.client import SlackClient
from connectors.slack.settings import SlackSettings

EVENT = "phaseloop_notice"
"""The type of the metadata that marks a message as ours. People do not see it."""

_PAGE = 200
_MOST_PAGES = 25
"""How far back a channel is searched: five thousand messages since the one in doubt was sent."""


class SlackReceiver:
    """A workspace by a bot's token, or one channel by an incoming webhook."""

    def __init__(self, settings: SlackSettings, client: SlackClient) -> None:
        self._settings, self._client = settings, client

    @classmethod
    def connect(cls, settings: SlackSettings, timeout: float | None, network: Network | None) -> SlackReceiver:
        """A receiver of these settings; nothing is sent yet."""
        return cls(settings, SlackClient(settings, timeout, network))

    def __repr__(self) -> str:
        return f"SlackReceiver({self._settings.host})"

    @property
    def looks_up(self) -> bool:
        """A webhook reads nothing."""
        return not self._settings.is_webhook

    @property
    def deduplicates(self) -> bool:
        """Slack shows what it is sent as often as it is sent."""
        return False

    @property
    def threads(self) -> bool:
        """A webhook is told no message's id."""
        return not self._settings.is_webhook

    def whoami(self) -> str:
        """The bot and its workspace."""
        if self._settings.is_webhook:
            return ""
        found = self._client.read("auth.test", {})
        return f"{found.get('user') or 'a bot'} in {found.get('team') or 'its workspace'}"

    def send(self, channel: str, message: Message, marker: str, thread: str = "") -> Posted:
        """Post the message once."""
        body = {**body_of(message), "unfurl_links": False, "unfurl_media": False}
        if self._settings.is_webhook:
            self._client.post(body)
            return Posted()
        marked = {"event_type": EVENT, "event_payload": {"delivery": marker}}
        more = {"thread_ts": thread} if thread else {}
        sent = {"channel": channel, **body, "parse": "none", "link_names": False, "metadata": marked, **more}
        return Posted(str(self._client.write("chat.postMessage", sent).get("ts") or ""))

    def find(self, channel: str, marker: str, since: datetime, thread: str = "") -> Posted | None:
        """Look through the channel, or through the thread, for our metadata: replies are not in a channel's history."""
        asked: dict[str, str | int] = {
            "channel": channel,
            "include_all_metadata": "true",
            "oldest": f"{since.timestamp():.6f}",
            "limit": _PAGE,
        }
        method = "conversations.history"
        if thread:
            method, asked["ts"] = "conversations.replies", thread
        for _page in range(_MOST_PAGES):
            found = self._client.read(method, asked)
            for one in found.get("messages") or ():
                if _marker(one) == marker:
                    return Posted(str(one.get("ts") or ""))
            cursor = str((found.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return None
            asked["cursor"] = cursor
        raise NotVisible(
            f"Slack at {self._settings.host} has more messages in the channel than are looked through.",
            fix="Look into the channel whether the message is there.",
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _marker(message: Mapping[str, Any]) -> str:
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != EVENT:
        return ""
    return str((metadata.get("event_payload") or {}).get("delivery") or "")
