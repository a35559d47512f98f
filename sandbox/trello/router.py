"""Answers everything under ``/1``: finds the handler, checks ids, then the caller, then asks the handler."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from sandbox.http import PathTable, broken_off
from sandbox.trello import access, params
from sandbox.trello.errors import TrelloError
from sandbox.trello.http import Call, Handler, Json, TrelloRoutes, answer, check_path
from sandbox.trello.params import Params
from sandbox.trello.state import Token, Trello

_LOG = logging.getLogger(__name__)

PREFIX = "/1/"
# The vendor's own pages and older clients write some models in the singular.
_PLURALS = {
    "action": "actions",
    "board": "boards",
    "card": "cards",
    "checklist": "checklists",
    "customField": "customFields",
    "label": "labels",
    "list": "lists",
    "member": "members",
    "organization": "organizations",
    "token": "tokens",
    "webhook": "webhooks",
}


class Router:
    """The vendor's REST API over one live state."""

    def __init__(self, trello: Trello, tables: Sequence[TrelloRoutes]) -> None:
        self.trello = trello
        self.table: PathTable[Handler] = PathTable(tables)

    async def __call__(self, request: Request) -> Response:
        """The answer to a request, refusals included."""
        response = await self._respond(request)
        milliseconds = int(self.trello.clock.now().timestamp() * 1000)
        response.headers["X-Trello-Environment"] = "Production"
        response.headers["X-Server-Time"] = str(milliseconds)
        response.headers["Cache-Control"] = "max-age=0, must-revalidate, no-cache, no-store"
        response.headers["Access-Control-Allow-Origin"] = "*"
        return response

    async def _respond(self, request: Request) -> Response:
        path = request.scope["path"]
        base = f"{request.base_url.scheme}://{request.base_url.netloc}"
        try:
            handler, named = self._handler(request.method, path)
            check_path(named)
            sent = await params.read(request)
            header = request.headers.get("authorization", "")
            token = access.authenticate(self.trello, *access.credentials(header, sent, path))
            found = await handler(self._call(request.method, named, sent, base, token))
            return found if isinstance(found, Response) else answer(found)
        except TrelloError as error:
            return error.answer
        except ClientDisconnect:
            return broken_off()
        except Exception:  # noqa: BLE001  a fault of ours: told to whoever runs it, and to the client in shape
            _LOG.exception("%s %s failed", request.method, path)
            return PlainTextResponse("Internal Server Error", 500)

    def _handler(self, method: str, path: str) -> tuple[Handler, dict[str, str]]:
        segments = path.removeprefix(PREFIX).strip("/").split("/")
        segments[0] = _PLURALS.get(segments[0], segments[0])
        found = self.table.find("GET" if method == "HEAD" else method, PREFIX + "/".join(segments))
        if found is None:
            raise TrelloError(404, f"Cannot {method} {path}")
        return found[0], found[1]

    def _call(self, method: str, named: dict[str, str], sent: Params, base: str, token: Token | None) -> Call:
        async def read(path: str, values: Params) -> Json:
            handler, named = self._handler("GET", path)
            check_path(named)
            return await handler(self._call("GET", named, values, base, token))

        return Call(self.trello, method, named, sent, base, token, read)
