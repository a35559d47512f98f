"""Slack's Web API and its incoming webhooks, as far as an app that posts needs them.

A refusal of the API is HTTP 200 with `{"ok": false, "error": ...}`; one of a webhook is a status with a word.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from sandbox.slack.blocks import Refused, checked
from sandbox.slack.state import APP, BOT, BOT_USER, TEAM, Channel, Message, Slack

PREFIX = "/slack/"
API, SERVICES = "/slack/api/", "/slack/services/"

Json = dict[str, Any]

DEFAULT_PAGE, LARGEST_PAGE = 100, 999


@dataclass
class SlackLimits:
    """About one message a second for each channel, and short bursts (docs.slack.dev, rate limits). `scale` stretches
    the figures."""

    enabled: Callable[[], bool]
    scale: Callable[[], float]
    burst: int = 3
    _buckets: dict[str, tuple[float, datetime]] = field(default_factory=dict)

    def forget(self) -> None:
        """Start counting anew."""
        self._buckets.clear()

    def wait(self, channel: str, now: datetime) -> float:
        """Seconds to wait before a message to the channel may be sent; 0 if it may be, which counts it."""
        if not self.enabled():
            return 0.0
        rate = self.scale()
        tokens, at = self._buckets.get(channel, (float(self.burst), now))
        tokens = min(float(self.burst), tokens + max(0.0, (now - at).total_seconds()) * rate)
        if tokens < 1:
            self._buckets[channel] = tokens, now
            return (1 - tokens) / rate
        self._buckets[channel] = tokens - 1, now
        return 0.0


class _Limited(Exception):
    def __init__(self, seconds: float) -> None:
        self.seconds = max(1, math.ceil(seconds))


@dataclass
class SlackApp:
    """Answers requests below `/slack/`."""

    state: Slack
    limits: SlackLimits

    async def __call__(self, request: Request) -> Response:
        """Answer one request."""
        path = request.scope["path"]
        try:
            body = await request.body()
        except ClientDisconnect:
            return Response(status_code=400)
        if path.startswith(SERVICES):
            return self._webhook(request, path.removeprefix(SERVICES), body)
        try:
            return JSONResponse({"ok": True, **self._method(request, path.removeprefix(API), body)})
        except Refused as refused:
            more: Json = {"response_metadata": {"messages": refused.said}} if refused.said else {}
            if refused.word == "missing_scope":
                more = {"needed": refused.said[0], "provided": refused.said[1]}
            return JSONResponse({"ok": False, "error": refused.word, **more})
        except _Limited as limited:
            return too_many(limited.seconds)

    # --- the API ------------------------------------------------------------------------------------------------------

    def _method(self, request: Request, method: str, body: bytes) -> Json:
        found = _METHODS.get(method)
        if found is None:
            raise Refused("unknown_method", method)
        scope, takes_json, act = found
        given = _arguments(request, body, takes_json=takes_json)
        self._authenticate(request, given, scope)
        return act(self, given)

    def _authenticate(self, request: Request, given: Mapping[str, Any], scope: str) -> None:
        header = request.headers.get("authorization", "")
        token = header.removeprefix("Bearer ").strip() if header else str(given.get("token") or "")
        if not token:
            raise Refused("not_authed")
        scopes = self.state.data.tokens.get(token)
        if scopes is None:
            raise Refused("invalid_auth")
        if scope and scope not in scopes:
            raise Refused("missing_scope", scope, ",".join(scopes))

    def auth_test(self, _given: Mapping[str, Any]) -> Json:
        """Who asks."""
        return {
            "url": "https://sandbox.slack.com/",
            "team": self.state.data.team,
            "user": "phaseloop",
            "team_id": TEAM,
            "user_id": BOT_USER,
            "bot_id": BOT,
            "is_enterprise_install": False,
        }

    def post_message(self, given: Mapping[str, Any]) -> Json:
        """Post a message, into a channel or below another one."""
        channel = self._channel(given, writes=True)
        content = checked(given)
        thread = given.get("thread_ts")
        if thread is not None and channel.message(str(thread)) is None:
            raise Refused("thread_not_found")
        self._count(channel)
        sent = {**content, "thread_ts": thread, "reply_broadcast": given.get("reply_broadcast")}
        message = self.state.post(channel, BOT_USER, sent)
        return {"channel": channel.id, "ts": message.ts, "message": shown(message, metadata=True)}

    def update(self, given: Mapping[str, Any]) -> Json:
        """Write a message anew."""
        channel = self._channel(given, writes=True)
        message = channel.message(str(given.get("ts")))
        if message is None:
            raise Refused("message_not_found")
        if message.user != BOT_USER:
            raise Refused("cant_update_message")
        content = checked(given)
        message.text, message.blocks = content["text"], content["blocks"]
        message.metadata = content["metadata"] or message.metadata
        message.edited = self.state.new_ts()
        self.state.touch()
        return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": shown(message, metadata=True)}

    def history(self, given: Mapping[str, Any]) -> Json:
        """The messages of a channel, newest first; replies are not among them."""
        channel = self._channel(given)
        return self._page(given, list(reversed(channel.on_top)))

    def replies(self, given: Mapping[str, Any]) -> Json:
        """A message and the replies to it, the oldest first."""
        channel = self._channel(given)
        parent = channel.message(str(given.get("ts")))
        if parent is None:
            raise Refused("thread_not_found")
        parent = channel.message(parent.thread_ts or "") or parent
        return self._page(given, [parent, *channel.replies(parent.ts)], always=parent)

    def lookup(self, given: Mapping[str, Any]) -> Json:
        """A person by e-mail address."""
        email = str(given.get("email") or "").casefold()
        found = [one for one in self.state.data.people.values() if one.email.casefold() == email and not one.deleted]
        if not found:
            raise Refused("users_not_found")
        one = found[0]
        profile = {"email": one.email, "real_name": one.name, "display_name": one.name}
        return {"user": {"id": one.id, "team_id": TEAM, "name": one.name, "deleted": False, "profile": profile}}

    def _channel(self, given: Mapping[str, Any], *, writes: bool = False) -> Channel:
        named = given.get("channel")
        if not named:
            raise Refused("channel_not_found" if writes else "invalid_arguments")
        found = self.state.named(str(named)) if writes else self.state.data.channels.get(str(named))
        if found is None:
            raise Refused("channel_not_found")
        if not found.member:
            raise Refused("not_in_channel")
        if found.archived and writes:
            raise Refused("is_archived")
        return found

    def _count(self, channel: Channel) -> None:
        if seconds := self.limits.wait(channel.id, self.state.clock.now()):
            raise _Limited(seconds)

    def _page(self, given: Mapping[str, Any], messages: list[Message], always: Message | None = None) -> Json:
        try:
            limit = int(given.get("limit") or DEFAULT_PAGE)
            oldest, latest = float(given.get("oldest") or 0), float(given.get("latest") or math.inf)
            start = int(str(given.get("cursor") or "0").removeprefix("page:"))
        except ValueError:
            raise Refused("invalid_arguments") from None
        if not 1 <= limit <= LARGEST_PAGE:
            raise Refused("invalid_limit")
        within = [one for one in messages if one is always or oldest < float(one.ts) < latest]
        page, more = within[start : start + limit], len(within) > start + limit
        metadata = str(given.get("include_all_metadata") or "").lower() in ("true", "1")
        cursor = f"page:{start + limit}" if more else ""
        return {
            "messages": [shown(one, metadata=metadata) for one in page],
            "has_more": more,
            "response_metadata": {"next_cursor": cursor},
        }

    # --- incoming webhooks --------------------------------------------------------------------------------------------

    def _webhook(self, request: Request, secret: str, body: bytes) -> Response:
        if request.method != "POST":
            return PlainTextResponse("invalid_payload", 400)
        channel = self.state.data.channels.get(self.state.data.webhooks.get(secret, ""))
        if channel is None:
            return PlainTextResponse("no_service", 404)
        if channel.archived:
            return PlainTextResponse("channel_is_archived", 410)
        try:
            content = checked(_payload(request, body))
        except Refused as refused:
            return PlainTextResponse(refused.word, 400)
        if seconds := self.limits.wait(channel.id, self.state.clock.now()):
            return PlainTextResponse("rate_limited", 429, {"Retry-After": str(max(1, math.ceil(seconds)))})
        # Metadata needs a token: a webhook's is dropped.
        self.state.post(channel, BOT_USER, {**content, "metadata": None})
        return PlainTextResponse("ok")


_METHODS: Mapping[str, tuple[str, bool, Callable[[SlackApp, Mapping[str, Any]], Json]]] = {
    "auth.test": ("", True, SlackApp.auth_test),
    "chat.postMessage": ("chat:write", True, SlackApp.post_message),
    "chat.update": ("chat:write", True, SlackApp.update),
    "conversations.history": ("channels:history", False, SlackApp.history),
    "conversations.replies": ("channels:history", False, SlackApp.replies),
    "users.lookupByEmail": ("users:read.email", False, SlackApp.lookup),
}
"""What is answered: the scope that it takes, and whether arguments may come as JSON, which Slack reads only where it
writes."""


def too_many(seconds: float) -> Response:
    """429, as the API answers it."""
    return JSONResponse({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": f"{seconds:g}"})


def shown(message: Message, *, metadata: bool) -> Json:
    """A message as the API tells it."""
    found: Json = {
        "type": "message",
        "user": message.user,
        "bot_id": BOT,
        "app_id": APP,
        "team": TEAM,
        "ts": message.ts,
        "text": message.text,
        "blocks": message.blocks,
    }
    if message.thread_ts is not None:
        found["thread_ts"] = message.thread_ts
    if message.edited is not None:
        found["edited"] = {"user": message.user, "ts": message.edited}
    if metadata and message.metadata is not None:
        found["metadata"] = message.metadata
    return found


def _arguments(request: Request, body: bytes, *, takes_json: bool) -> Mapping[str, Any]:
    given: dict[str, Any] = dict(request.query_params)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        if not takes_json:
            return given
        try:
            sent = json.loads(body or b"{}")
        except ValueError:
            raise Refused("invalid_json") from None
        if not isinstance(sent, dict):
            raise Refused("json_not_object")
        return {**given, **sent}
    if kind in ("application/x-www-form-urlencoded", ""):
        return {**given, **dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))}
    raise Refused("invalid_post_type")


def _payload(request: Request, body: bytes) -> Mapping[str, Any]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    raw: str | bytes = body
    if kind == "application/x-www-form-urlencoded":
        raw = dict(parse_qsl(body.decode("utf-8", "replace"))).get("payload", "")
    try:
        sent = json.loads(raw)
    except ValueError:
        raise Refused("invalid_payload") from None
    if not isinstance(sent, dict):
        raise Refused("invalid_payload")
    return sent
