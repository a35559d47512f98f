"""Who calls, and what they may see and change."""

from __future__ import annotations

import re
from urllib.parse import unquote

from starlette.requests import Request
from starlette.types import Message, Scope

from sandbox.trello.errors import (
    EXPIRED_TOKEN,
    INVALID_KEY,
    INVALID_TOKEN,
    TrelloError,
    unauthorized,
)
from sandbox.trello.params import Params, read
from sandbox.trello.state import Board, Member, Organization, Token, Trello, membership

_PART = re.compile(r'(\w+)="([^"]*)"')
_TOKEN_PATH = re.compile(r"^/1/tokens?/([^/]+)(?:/|$)")
Credentials = tuple[str | None, str | None]


def from_header(authorization: str) -> Credentials:
    """Key and token of an ``Authorization: OAuth ...`` header, signed or not. The signature is not looked at."""
    if not authorization.lower().startswith("oauth "):
        return None, None
    parts = {name: unquote(value) for name, value in _PART.findall(authorization)}
    return parts.get("oauth_consumer_key") or None, parts.get("oauth_token") or None


def credentials(authorization: str, params: Params, path: str) -> Credentials:
    """Key and token, wherever they are. The routes of a token carry it in their path, which is enough for them."""
    key, token = from_header(authorization)
    key = key or _text(params, "key", "oauth_consumer_key")
    token = token or _text(params, "token", "oauth_token")
    if token is None and (match := _TOKEN_PATH.match(path)):
        token = match[1]
    return key, token


def _text(params: Params, *names: str) -> str | None:
    return next((str(params.raw(name)) for name in names if params.raw(name)), None)


def authenticate(trello: Trello, key: str | None, token: str | None) -> Token | None:
    """The token that calls, none for a key alone; 401 in the vendor's words for anything wrong."""
    if key != trello.data.key:
        raise TrelloError(401, INVALID_KEY)
    if token is None:
        return None
    found = trello.data.tokens.get(token)
    if found is None:
        raise TrelloError(401, INVALID_TOKEN)
    if found.expires is not None and found.expires <= trello.clock.now():
        raise TrelloError(401, EXPIRED_TOKEN)
    return found


def role(board: Board, member: Member | None) -> str | None:
    """What the member is on the board: admin, normal, observer or nothing."""
    entry = membership(board, member.id) if member else None
    return entry.type if entry and not entry.deactivated else None


def may_see(trello: Trello, board: Board, member: Member | None) -> bool:
    """Whether the board is shown: to everybody, to its workspace, or to its members."""
    level = board.prefs.get("permissionLevel")
    if level == "public" or role(board, member) is not None:
        return True
    organization = trello.data.organizations.get(board.organization_id or "")
    return level == "org" and member is not None and organization is not None and in_organization(organization, member)


def may_comment(trello: Trello, board: Board, member: Member) -> bool:
    """Whether the board's setting for comments lets the member comment: its members if it says nothing else."""
    level, found = board.prefs.get("comments", "members"), role(board, member)
    if level == "disabled":
        return False
    if found in {"admin", "normal"} or level == "public":
        return True
    if level not in {"observers", "org"}:
        return False
    organization = trello.data.organizations.get(board.organization_id or "")
    inside = organization is not None and in_organization(organization, member)
    return found is not None or (level == "org" and inside)


def in_organization(organization: Organization, member: Member) -> bool:
    """Whether the member is in the workspace."""
    entry = membership(organization, member.id)
    return entry is not None and not entry.deactivated


def require(
    trello: Trello, board: Board, member: Member | None, what: str, *, write: bool = False, admin: bool = False
) -> None:
    """Refuse who may not see (change, administer) the board; ``what`` is the model that was asked for."""
    found = role(board, member)
    allowed = found == "admin" if admin else found in {"admin", "normal"} if write else may_see(trello, board, member)
    if not allowed:
        raise unauthorized(what)


def require_organization(organization: Organization, member: Member | None, *, admin: bool = False) -> None:
    """Refuse who is not in the workspace, or does not administer it."""
    entry = membership(organization, member.id) if member else None
    if entry is None or entry.deactivated or (admin and entry.type != "admin"):
        raise unauthorized("org")


async def credentials_of(scope: Scope, body: bytes) -> Credentials:
    """Key and token of a request whose body has been read already; none for what cannot be understood."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    request = Request(scope, receive)
    try:
        sent = await read(request)
    except TrelloError:
        sent = Params()
    return credentials(request.headers.get("authorization", ""), sent, scope["path"])
