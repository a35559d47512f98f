"""The vendor's rate limits: requests per token and per key in windows of ten seconds, and of 900 for members.

Figures and bodies are from the vendor's page on rate limits: 300 in 10 s per key, 100 in 10 s per token, 100 in
900 s below ``/1/members/`` (and, by its support, ``/1/search``); a key with more than 200 refusals in a window gets
nothing else until the window ends. A window begins with the first request in it. No ``Retry-After`` is documented, so
none is sent.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from starlette.responses import Response

KEY_LIMIT, TOKEN_LIMIT, WINDOW_SECONDS = 300, 100, 10
MEMBER_LIMIT, MEMBER_WINDOW_SECONDS = 100, 900
MOST_REFUSALS = 200
_MEMBERS = re.compile(r"^/1/(?:members?|search|membersSearch)(?:/|$)")


@dataclass
class _Window:
    ends: datetime
    used: int = 0
    refused: int = 0


@dataclass
class TrelloLimits:
    """Counts requests in windows."""

    _windows: dict[tuple[str, str], _Window] = field(default_factory=dict)

    def forget(self) -> None:
        """Start counting anew."""
        self._windows.clear()

    def _window(self, kind: str, name: str, seconds: int, now: datetime) -> _Window:
        window = self._windows.get((kind, name))
        if window is None or window.ends <= now:
            window = self._windows[kind, name] = _Window(now + timedelta(seconds=seconds))
        return window

    def check(
        self, path: str, key: str | None, token: str | None, scale: float, now: datetime
    ) -> tuple[Response | None, dict[str, str]]:
        """A refusal, or none; and the headers that the answer carries either way."""
        by_key = self._window("key", key or "", WINDOW_SECONDS, now)
        by_token = self._window("token", token or "", WINDOW_SECONDS, now) if token else None
        by_member = None
        if token and _MEMBERS.match(path):
            by_member = self._window("members", token, MEMBER_WINDOW_SECONDS, now)
        key_most, token_most = max(1, int(KEY_LIMIT * scale)), max(1, int(TOKEN_LIMIT * scale))
        refusal: Response | None = None
        if by_key.used >= key_most or by_key.refused > MOST_REFUSALS:
            refusal = too_many("API_KEY_LIMIT_EXCEEDED")
        elif by_token is not None and by_token.used >= token_most:
            refusal = too_many("API_TOKEN_LIMIT_EXCEEDED")
        elif by_member is not None and by_member.used >= max(1, int(MEMBER_LIMIT * scale)):
            refusal = too_many("RATE_LIMIT_EXCEEDED")
        if refusal is not None:
            by_key.refused += 1
        else:
            for window in (by_key, by_token, by_member):
                if window is not None:
                    window.used += 1
        headers = _headers("key", key_most, by_key)
        if by_token is not None:
            headers |= _headers("token", token_most, by_token)
        return refusal, headers


def _headers(kind: str, most: int, window: _Window) -> dict[str, str]:
    name = f"x-rate-limit-api-{kind}"
    return {
        f"{name}-interval-ms": str(WINDOW_SECONDS * 1000),
        f"{name}-max": str(most),
        f"{name}-remaining": str(max(0, most - window.used)),
    }


def too_many(error: str = "API_TOKEN_LIMIT_EXCEEDED", headers: dict[str, str] | None = None) -> Response:
    """429 with the vendor's body."""
    message = "Exceeded rate limit to /1/member" if error == "RATE_LIMIT_EXCEEDED" else "Rate limit exceeded"
    body = json.dumps({"error": error, "message": message}, separators=(",", ":"))
    return Response(body, 429, media_type="application/json; charset=utf-8", headers=headers)
