"""Pages by token: a token names the issue after which to continue, belongs to one query, and expires."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import datetime

from sandbox.jira.errors import BAD_PAGE_TOKEN, bad_request
from sandbox.jira.state import Issue

LIFETIME_SECONDS = 7 * 24 * 3600


def fingerprint(*parts: object) -> str:
    """What a token belongs to, in short."""
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()[:16]


def cut(
    issues: Sequence[Issue], size: int, token: str | None, belongs_to: str, now: datetime
) -> tuple[list[Issue], str | None]:
    """A page of the issues and the token for the next one, none on the last. A token that is broken, expired or of
    another query is refused."""
    start = 0
    if token:
        last, offset = _read(token, belongs_to, now)
        places = [place for place, issue in enumerate(issues) if issue.id == last]
        start = places[0] + 1 if places else min(offset, len(issues))
    page = list(issues[start : start + size])
    if start + len(page) >= len(issues) or not page:
        return page, None
    return page, _write(page[-1].id, start + len(page), belongs_to, now)


def _write(last: str, offset: int, belongs_to: str, now: datetime) -> str:
    content = json.dumps([last, offset, belongs_to, int(now.timestamp())], separators=(",", ":"))
    return base64.urlsafe_b64encode(content.encode()).decode()


def _read(token: str, belongs_to: str, now: datetime) -> tuple[str, int]:
    try:
        last, offset, owner, made = json.loads(base64.urlsafe_b64decode(token.encode()))
        fresh = 0 <= now.timestamp() - int(made) + 1 <= LIFETIME_SECONDS
        if owner != belongs_to or not fresh or not isinstance(offset, int) or offset < 0:
            raise bad_request(BAD_PAGE_TOKEN)
    except (ValueError, TypeError) as error:
        raise bad_request(BAD_PAGE_TOKEN) from error
    return str(last), offset
