"""Refusals in the vendor's words: plain text for most, JSON where newer routes write it.

What is known is from public reports of the vendor's answers; where a wording is *unsure* it says so, and the status is
the part to rely on.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response

INVALID_ID = "invalid id"
INVALID_KEY = "invalid key"
INVALID_TOKEN = "invalid token"
EXPIRED_TOKEN = "expired token"  # unsure
NOT_FOUND = "The requested resource was not found."
MAY_NOT_WRITE = "unauthorized permission requested"
ON_CARD_MEMBER = "member is already on the card"
OFF_CARD_MEMBER = "member is not on the card"  # unsure
ON_CARD_LABEL = "that label is already on the card"
OFF_CARD_LABEL = "that label is not on the card"  # unsure
BOARD_CLOSED = "board is closed"  # unsure
DUPLICATE_WEBHOOK = "A webhook with that callback, model, and token already exists"  # unsure


class TrelloError(Exception):
    """A refusal: a status with a text, or with a JSON body."""

    def __init__(self, status: int, text: str = "", body: dict[str, Any] | None = None) -> None:
        super().__init__(status, text or body)
        self.status = status
        self.text = text
        self.body = body

    @property
    def answer(self) -> Response:
        """The refusal as it is sent."""
        if self.body is not None:
            content = json.dumps(self.body, separators=(",", ":"))
            return Response(content, self.status, media_type="application/json; charset=utf-8")
        return Response(self.text, self.status, media_type="text/plain; charset=utf-8")

    @property
    def element(self) -> dict[str, Any]:
        """The refusal as one element of a batch (unsure of the members, sure that no status is a key)."""
        message = self.text or str((self.body or {}).get("message", ""))
        return {"name": _NAMES.get(self.status, "Error"), "message": message, "statusCode": self.status}


_NAMES = {400: "BadRequestError", 401: "UnauthorizedError", 403: "ForbiddenError", 404: "NotFoundError"}


def invalid(name: str) -> TrelloError:
    """400 for a parameter that is missing or makes no sense."""
    return TrelloError(400, f"invalid value for {name}")


def invalid_id() -> TrelloError:
    """400 for an id in a path that cannot be one; it comes before authentication."""
    return TrelloError(400, INVALID_ID)


def not_found() -> TrelloError:
    """404 for a model that is not there."""
    return TrelloError(404, NOT_FOUND)


def unauthorized(what: str) -> TrelloError:
    """401 for a model that the caller may not see or change."""
    return TrelloError(401, f"unauthorized {what} permission requested")


def missing_scopes() -> TrelloError:
    """401 for a key without a token."""
    return TrelloError(401, body={"message": "missing scopes"})


def too_many(what: str) -> TrelloError:
    """403 when a board, card or checklist is full. Unsure: the vendor documents the limits, not the answer."""
    return TrelloError(403, body={"error": f"{what}_LIMIT_EXCEEDED", "message": f"{what} limit exceeded"})
