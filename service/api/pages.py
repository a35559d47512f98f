"""Cursor pages: `{items, next}` and a `Link` header. A cursor is opaque to callers; inside is the last item's key."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query, Request, Response

from service.api.problems import ApiProblem

Row = TypeVar("Row")

DEFAULT_LIMIT = 50
LARGEST_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of a collection was asked for: at most `limit` after the item with the key `after`."""

    limit: int
    after: str | None


def window(
    limit: Annotated[int, Query(ge=1, le=LARGEST_LIMIT, description="Items on a page.")] = DEFAULT_LIMIT,
    cursor: Annotated[
        str | None, Query(max_length=400, description="`next` of the page before; left out for the first page.")
    ] = None,
) -> Window:
    """The window that the query asks for."""
    return Window(limit, None if cursor is None else _decoded(cursor))


Asked = Annotated[Window, Depends(window)]


def page(
    request: Request,
    response: Response,
    asked: Window,
    read: Callable[[int], Sequence[Row]],
    key: Callable[[Row], str],
    show: Callable[[Row], Any],
) -> dict[str, Any]:
    """One page. `read` is asked for one row more than the page holds: whether it comes says whether there are more."""
    rows = read(asked.limit + 1)
    following = _encoded(key(rows[asked.limit - 1])) if len(rows) > asked.limit else None
    if following is not None:
        url = request.url.include_query_params(limit=asked.limit, cursor=following)
        response.headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'
    return {"items": [show(row) for row in rows[: asked.limit]], "next": following}


def invalid_cursor() -> ApiProblem:
    """The cursor is none of ours."""
    entry = {"parameter": "cursor", "detail": "is not one that this collection has given", "fix": "begin without it"}
    return ApiProblem("invalid-input", "The cursor is not one that this collection has given.", errors=[entry])


def _encoded(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def _decoded(cursor: str) -> str:
    try:
        key = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise invalid_cursor() from error
    if not key or not key.isprintable():
        raise invalid_cursor()
    return key
