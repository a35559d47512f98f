"""The call that a handler of the Trello routes gets, and how it answers."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from sandbox.http import Routes
from sandbox.trello import access
from sandbox.trello.errors import INVALID_TOKEN, MAY_NOT_WRITE, TrelloError, invalid_id, missing_scopes, not_found
from sandbox.trello.params import ID, Params
from sandbox.trello.state import (
    SHORT_LINK_LENGTH,
    Action,
    Board,
    Card,
    Checklist,
    CustomField,
    Label,
    Member,
    Organization,
    Token,
    Trello,
    TrelloList,
)

Json = Any
Reader = Callable[[str, Params], Awaitable[Json]]
Handler = Callable[["Call"], Awaitable[Json]]
TrelloRoutes = Routes[Handler]

_SHORT_LINK = re.compile(rf"[0-9A-Za-z]{{{SHORT_LINK_LENGTH}}}")
_NAME = re.compile(r"[0-9A-Za-z_.\-]{1,100}")
_ANY = re.compile(r"[^/]+")
# What a path parameter may look like; everything else is 24 hex digits.
_SHAPES: dict[str, tuple[re.Pattern[str], ...]] = {
    "board": (ID, _SHORT_LINK),
    "card": (ID, _SHORT_LINK),
    "member": (ID, _NAME),
    "organization": (ID, _NAME),
    "token": (_ANY,),
    "field": (_ANY,),
    "filter": (_ANY,),
    "channel": (_ANY,),
    "keys": (_ANY,),
}


def routes() -> TrelloRoutes:
    """An empty table of routes below ``/1``."""
    return TrelloRoutes("/1")


def check_path(path: dict[str, str]) -> None:
    """Refuse ids that cannot be ids; the vendor does so before it looks at key and token."""
    for name, value in path.items():
        if not any(shape.fullmatch(value) for shape in _SHAPES.get(name, (ID,))):
            raise invalid_id()


def answer(body: Json) -> Response:
    """200 with JSON, the vendor's only way to say that all is well."""
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(content, media_type="application/json; charset=utf-8")


@dataclass
class Call:
    """One request. A handler returns what is to be sent as JSON, or a response."""

    trello: Trello
    method: str
    path: dict[str, str]
    params: Params
    base_url: str
    token: Token | None = None
    read: Reader | None = None  # reads another path as the same caller, for batches

    @property
    def member(self) -> Member | None:
        """Who calls, if anybody."""
        return None if self.token is None else self.trello.data.members[self.token.member_id]

    def caller(self) -> Member:
        """Who calls; 401 for a key alone."""
        if self.member is None:
            raise missing_scopes()
        return self.member

    def writer(self) -> Member:
        """Who calls, with a token that may write."""
        member = self.caller()
        if self.token is not None and "write" not in self.token.scopes:
            raise TrelloError(401, MAY_NOT_WRITE)
        return member

    # -- the models that the path names ------------------------------------------------------------------------------

    def board(self, *, write: bool = False, admin: bool = False) -> Board:
        """The board of the path, if the caller may see (change, administer) it."""
        board = self.trello.board(self.path["board"])
        if board is None:
            raise not_found()
        return self.open_board(board, "board", write=write, admin=admin)

    def open_board(self, board: Board, what: str, *, write: bool = False, admin: bool = False) -> Board:
        """The board, if the caller may see (change, administer) it; 401 names ``what`` was asked for."""
        if write or admin:
            self.writer()
        access.require(self.trello, board, self.member, what, write=write, admin=admin)
        return board

    def card(self, *, write: bool = False) -> Card:
        """The card of the path."""
        card = self.trello.card(self.path["card"])
        if card is None:
            raise not_found()
        self.open_board(self.trello.data.boards[card.board_id], "card", write=write)
        return card

    def list(self, *, write: bool = False) -> TrelloList:
        """The list of the path."""
        found = self.trello.data.lists.get(self.path["list"].lower())
        if found is None:
            raise not_found()
        self.open_board(self.trello.data.boards[found.board_id], "list", write=write)
        return found

    def label(self, *, write: bool = False) -> Label:
        """The label of the path."""
        label = self.trello.data.labels.get(self.path["label"].lower())
        if label is None:
            raise not_found()
        self.open_board(self.trello.data.boards[label.board_id], "label", write=write)
        return label

    def checklist(self, *, write: bool = False) -> Checklist:
        """The checklist of the path."""
        checklist = self.trello.data.checklists.get(self.path["checklist"].lower())
        if checklist is None:
            raise not_found()
        self.open_board(self.trello.data.boards[checklist.board_id], "checklist", write=write)
        return checklist

    def custom_field(self, *, write: bool = False) -> CustomField:
        """The custom field of the path."""
        found = self.trello.data.custom_fields.get(self.path["customField"].lower())
        if found is None:
            raise not_found()
        self.open_board(self.trello.data.boards[found.board_id], "custom field", write=write)
        return found

    def action(self) -> Action:
        """The action of the path, if the caller may see its board or made it."""
        number = self.path["action"].lower()
        action = next((a for a in reversed(self.trello.data.actions) if a.id == number), None)
        if action is None:
            raise not_found()
        board = next((self.trello.data.boards[m] for m in action.models if m in self.trello.data.boards), None)
        if board is not None:
            self.open_board(board, "action")
        elif self.caller().id != action.creator:
            raise TrelloError(401, "unauthorized action permission requested")
        return action

    def any_member(self, name: str = "member") -> Member:
        """The member of the path; ``me`` is the caller."""
        text = self.path[name]
        if text == "me":
            return self.caller()
        member = self.trello.member(text)
        if member is None:
            raise not_found()
        return member

    def own_member(self, *, write: bool = False) -> Member:
        """The member of the path, who must be the caller."""
        caller = self.writer() if write else self.caller()
        member = self.any_member()
        if member.id != caller.id:
            raise TrelloError(401, "unauthorized member permission requested")
        return member

    def organization(self, *, admin: bool = False) -> Organization:
        """The workspace of the path, if the caller is in it (administers it)."""
        organization = self.trello.organization(self.path["organization"])
        if organization is None:
            raise not_found()
        if admin:
            self.writer()
        access.require_organization(organization, self.member, admin=admin)
        return organization

    def named_token(self) -> Token:
        """The token of the path; only its own member may ask about it."""
        found = self.trello.data.tokens.get(self.path["token"])
        if found is None:
            found = next((t for t in self.trello.data.tokens.values() if t.id == self.path["token"]), None)
        if found is None:
            raise TrelloError(401, INVALID_TOKEN)
        if found.member_id != self.caller().id:
            raise TrelloError(401, "unauthorized token permission requested")
        return found
