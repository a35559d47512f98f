"""Pages for people: a board with its lists, and a card. Plain HTML without scripts; every value is escaped."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from sandbox.trello.state import Trello


def respond(trello: Trello, request: Request) -> Response | None:
    """The page that a request is for; none if it is for no page of Trello's."""
    return None
