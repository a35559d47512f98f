"""Jira's two ways of giving a list in pieces: by start index, and by token."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.errors import NotATracker
from connectors.jira.client import PLATFORM, JiraClient

_MOST_PAGES = 1000


def by_index(
    client: JiraClient,
    path: str,
    names: tuple[str, ...],
    *,
    params: Mapping[str, str | int] | None = None,
    size: int = 50,
    base: str = PLATFORM,
) -> Iterator[dict[str, Any]]:
    """Every entry of a list paged with `startAt`; `names` are the names its entries may be under.

    The end is where `isLast` says so, where `total` is reached, or where a page is short: not every list has both.
    """
    start = 0
    for _ in range(_MOST_PAGES):
        page = client.get_object(path, {**(params or {}), "startAt": start, "maxResults": size}, base=base)
        found: list[Any] = next((page[name] for name in names if isinstance(page.get(name), list)), [])
        yield from (entry for entry in found if isinstance(entry, dict))
        start += len(found)
        if not found or _is_last(page, start, len(found), size):
            return
    raise _endless(client, path)


def _is_last(page: Mapping[str, Any], seen: int, got: int, asked: int) -> bool:
    if isinstance(page.get("isLast"), bool):
        return bool(page["isLast"])
    if isinstance(page.get("total"), int):
        return seen >= int(page["total"])
    granted = page.get("maxResults")
    return got < (granted if isinstance(granted, int) and granted > 0 else asked)


def by_token(
    client: JiraClient, path: str, body: Mapping[str, Any], *, name: str = "issues"
) -> Iterator[dict[str, Any]]:
    """Every entry under `name` of a search paged with `nextPageToken`. It has no total; the end is `isLast` or a
    missing token."""
    token: str | None = None
    for _ in range(_MOST_PAGES):
        page = client.query(path, {**body, "nextPageToken": token} if token else body)
        yield from (entry for entry in page.get(name) or () if isinstance(entry, dict))
        following = page.get("nextPageToken")
        if page.get("isLast") is True or not following:
            return
        if following == token:
            raise _endless(client, path)
        token = following
    raise _endless(client, path)


def _endless(client: JiraClient, path: str) -> NotATracker:
    return NotATracker(
        f"{client.host} does not come to an end listing {path}.", fix="Check the connection's URL.", request=path
    )
