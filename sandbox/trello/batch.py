"""Several reads in one call."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote, urlsplit

from sandbox.trello.errors import TrelloError, invalid
from sandbox.trello.http import Call, Json, routes
from sandbox.trello.params import Params

table = routes()

MOST = 10
_CREDENTIALS = frozenset({"key", "token"})


@table.get("/batch")
async def batch(call: Call) -> Json:
    """Up to ten paths, each answered under its status; the order is that of the paths."""
    text = call.params.required("urls")
    # A comma inside one of the addresses has to be encoded, which is how it is told from one between two.
    urls = [part.strip() for part in re.split(r",(?=/)", text) if part.strip()]
    if not 1 <= len(urls) <= MOST or any(not url.startswith("/") for url in urls):
        raise invalid("urls")
    return [await _one(call, url) for url in urls]


async def _one(call: Call, url: str) -> Json:
    parts = urlsplit(url)
    values = {name: value for name, value in parse_qsl(parts.query) if name not in _CREDENTIALS}
    if call.read is None:
        raise invalid("urls")
    try:
        return {"200": await call.read("/1" + unquote(parts.path), Params(dict(values)))}
    except TrelloError as error:
        return error.element
