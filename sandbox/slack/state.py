"""What a Slack workspace holds, and how it begins."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sandbox.clock import Clock

TEAM, BOT, BOT_USER, APP = "T0000000001", "B0000000001", "U0000000001", "A0000000001"
TOKEN = "xoxb-sandbox-token"
HALF_TOKEN = "xoxb-sandbox-posts-only"
"""A token of the same bot that may post and not read channels."""

GENERAL, ML_TEAM, OPS, ELSEWHERE, OLD = "C0000000001", "C0000000002", "C0000000003", "C0000000004", "C0000000005"
WEBHOOK = f"{TEAM}/B0000000010/sandbox-webhook"
OLD_WEBHOOK = f"{TEAM}/B0000000011/sandbox-webhook-of-old"

SCOPES = ("chat:write", "channels:history", "users:read.email")


@dataclass
class Message:
    """A message in a channel. `metadata` is for programs; people do not see it."""

    ts: str
    user: str
    text: str
    blocks: list[dict[str, Any]] = field(default_factory=list)
    thread_ts: str | None = None
    metadata: dict[str, Any] | None = None
    edited: str | None = None
    broadcast: bool = False


@dataclass
class Channel:
    """A channel; `member` says whether the bot is in it."""

    id: str
    name: str
    archived: bool = False
    member: bool = True
    messages: list[Message] = field(default_factory=list)

    def message(self, ts: str) -> Message | None:
        """The message of that time stamp, which is its id."""
        return next((one for one in self.messages if one.ts == ts), None)

    @property
    def on_top(self) -> list[Message]:
        """The messages that stand in the channel itself: no replies, unless they were sent there, too."""
        return [one for one in self.messages if one.thread_ts in (None, one.ts) or one.broadcast]

    def replies(self, ts: str) -> list[Message]:
        """The replies to a message, the oldest first."""
        return [one for one in self.messages if one.thread_ts == ts and one.ts != ts]


@dataclass
class Person:
    """Somebody of the workspace."""

    id: str
    name: str
    email: str
    deleted: bool = False


@dataclass
class SlackData:
    """Everything that is kept."""

    team: str = "Sandbox"
    channels: dict[str, Channel] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    tokens: dict[str, list[str]] = field(default_factory=dict)
    """The bot's tokens, each with its scopes."""
    webhooks: dict[str, str] = field(default_factory=dict)
    """Incoming webhooks by the secret part of their address, each with its channel."""


def seed() -> SlackData:
    """A workspace at its beginning, the same each time."""
    channels = [
        Channel(GENERAL, "general"),
        Channel(ML_TEAM, "ml-team"),
        Channel(OPS, "ops"),
        Channel(ELSEWHERE, "elsewhere", member=False),
        Channel(OLD, "old-project", archived=True),
    ]
    named = ("pm-1", "ml-1", "ml-2", "data-1", "devops-1", "qa-1", "ux-1", "gov-lead-1", "compliance-1")
    people = [Person(f"U00000001{n:02}", one, f"{one}@example.com") for n, one in enumerate(named)]
    people.append(Person("U0000000199", "left-1", "left-1@example.com", deleted=True))
    return SlackData(
        channels={one.id: one for one in channels},
        people={one.id: one for one in people},
        tokens={TOKEN: list(SCOPES), HALF_TOKEN: ["chat:write"]},
        webhooks={WEBHOOK: ML_TEAM, OLD_WEBHOOK: OLD},
    )


class Slack:
    """A live workspace. `revision` grows with every change."""

    def __init__(self, data: SlackData, clock: Clock) -> None:
        self.data, self.clock = data, clock
        self.revision = 0
        self._last = 0

    def touch(self) -> None:
        """Note that something changed."""
        self.revision += 1

    def replace(self, data: SlackData) -> None:
        """Start over with other data."""
        self.data = data
        self.touch()

    def new_ts(self) -> str:
        """The time stamp of a message, which no other has."""
        micros = int(self.clock.now().timestamp() * 1_000_000)
        newest = max(
            (int(one.ts.replace(".", "")) for c in self.data.channels.values() for one in c.messages), default=0
        )
        self._last = max(micros, self._last + 1, newest + 1)
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06}"

    def post(self, channel: Channel, user: str, sent: dict[str, Any]) -> Message:
        """Put a message into a channel."""
        found = Message(
            self.new_ts(),
            user,
            sent["text"],
            sent["blocks"],
            sent.get("thread_ts"),
            sent.get("metadata"),
            broadcast=bool(sent.get("reply_broadcast")),
        )
        channel.messages.append(found)
        self.touch()
        return found

    def named(self, name: str) -> Channel | None:
        """A channel by its id, or by its name with or without `#`."""
        by_name = {one.name: one for one in self.data.channels.values()}
        return self.data.channels.get(name) or by_name.get(name.removeprefix("#"))
