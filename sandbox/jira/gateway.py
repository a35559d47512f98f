"""The vendor's gateway, the only address at which tokens with scopes work, and the cloud id that leads there.

The vendor serves it at ``https://api.atlassian.com/ex/jira/{cloudId}``, here it is on the sandbox's own address. A
token without scopes is refused there, and one with scopes at the site (support.atlassian.com, "Manage API tokens for
your Atlassian account" and "... for service accounts"). Which scopes an operation needs is in ``scopes.txt``, taken
from the vendor's two documents: one line for each operation, its alternatives parted by ``|``, ``-`` for none. What an
operation outside of them needs is not known; it is refused, as the vendor does with its private routes.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope

from sandbox.jira import times
from sandbox.jira.state import ScopedToken, Site, User

_PATH = re.compile(r"/ex/jira/([^/]+)(/.*)?")
_VERSION = re.compile(r"^/rest/api/(?:2|3|latest)(?=/|$)")
_SCOPES = Path(__file__).with_name("scopes.txt")

Alternatives = tuple[frozenset[str], ...]


class Refused(Exception):
    """The gateway's own answer to a call that it does not pass on."""

    def __init__(self, status: int, body: dict[str, object]) -> None:
        super().__init__(status)
        self.status = status
        self.body = body

    def response(self) -> Response:
        """The answer to send."""
        content = json.dumps(self.body, separators=(",", ":")).encode()
        return Response(content, self.status, headers={"content-type": "application/json"})


def split(path: str) -> tuple[str, str] | None:
    """The cloud id and the path at the site that a path of the gateway is made of; None for any other path."""
    match = _PATH.fullmatch(path)
    return (match[1], match[2] or "/") if match else None


def site_path(path: str) -> str:
    """The path at the site, also where it was asked for by way of the gateway."""
    found = split(path)
    return found[1] if found else path


def enter(site: Site, scope: Scope, receive: Receive) -> tuple[Request, User, str]:
    """The request as the site sees it, who calls, and the gateway's own part of the path. Raises Refused."""
    cloud, path = split(scope["path"]) or ("", "")
    if cloud != site.data.cloud_id:
        raise Refused(
            404,
            {
                "timestamp": times.stamp(site.clock.now()),
                "status": 404,
                "error": "Not Found",
                "message": "No message available",
                "path": scope["path"],
            },
        )
    token = _token(site, Request(scope).headers.get("authorization", ""))
    user = site.data.users.get(token.account_id) if token else None
    if token is None or user is None or not user.active:
        raise Refused(401, {"code": 401, "message": "Unauthorized"})
    alternatives = needed(scope["method"], path)
    if not any(scopes <= set(token.scopes) for scopes in alternatives):
        raise Refused(401, {"code": 401, "message": "Unauthorized; scope does not match"})
    inner = {**scope, "path": path, "raw_path": path.encode()}
    return Request(inner, receive), user, f"/ex/jira/{cloud}"


def _token(site: Site, header: str) -> ScopedToken | None:
    """The token with scopes that calls: basic, with the e-mail of its owner, or as bearer."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return site.data.scoped_tokens.get(value.strip())
    if scheme.lower() != "basic":
        return None
    try:
        email, _, secret = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    token, user = site.data.scoped_tokens.get(secret), site.user_by_email(email)
    return token if token and user and token.account_id == user.account_id else None


def needed(method: str, path: str) -> Alternatives:
    """The sets of scopes of which one is enough for an operation; none at all for one that nobody knows."""
    segments = _VERSION.sub("/rest/api", path).strip("/").split("/")
    method = "GET" if method == "HEAD" else method
    best: tuple[int, Alternatives] | None = None
    for template, alternatives in _table().get((method, len(segments)), ()):
        if all(want in ("{}", got) for want, got in zip(template, segments, strict=True)):
            exact = sum(want != "{}" for want in template)
            if best is None or exact > best[0]:
                best = exact, alternatives
    return best[1] if best else ()


def known_scopes() -> frozenset[str]:
    """Every scope that some operation asks for."""
    return frozenset(
        scope for entries in _table().values() for _, sets in entries for scopes in sets for scope in scopes
    )


@cache
def _table() -> dict[tuple[str, int], list[tuple[list[str], Alternatives]]]:
    found: dict[tuple[str, int], list[tuple[list[str], Alternatives]]] = {}
    for line in _SCOPES.read_text(encoding="utf-8").splitlines():
        operation, _, said = line.partition(": ")
        method, _, path = operation.partition(" ")
        template = path.strip("/").split("/")
        sets = tuple(frozenset(part.split()) - {"-"} for part in said.split("|"))
        found.setdefault((method, len(template)), []).append((template, sets))
    return found
