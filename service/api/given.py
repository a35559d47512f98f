"""What routes are given: the context, who calls, the engine's way to start a run, the way to do a thing once; and how
`If-Match` is read."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Annotated

from fastapi import Depends, Header, Path, Request, Response, Security
from fastapi.security import HTTPBearer

from service.api.problems import ApiProblem
from service.context import Context
from service.domain.access.identity import Caller as Identity
from service.usecases.queue import Enqueue
from service.usecases.run import idempotency

_BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description="A token made by `phaseloop tokens create NAME`; the first start of the service prints one.",
)
AUTHENTICATED = Security(_BEARER)
"""Declares the token in the OpenAPI document. It is the middleware that looks at it, before any body is read."""


def _context(request: Request) -> Context:
    """That of the process; of a request with an idempotency key the copy that holds its claim."""
    context: Context = request.scope.get("phaseloop.context", request.app.state.context)
    return context


def _once(request: Request) -> Callable[[Callable[[], str]], str]:
    return partial(idempotency.once, _context(request))


def _caller(request: Request) -> str:
    return str(request.scope["phaseloop.caller"])


def _rights(request: Request) -> Identity:
    identity: Identity = request.scope["phaseloop.identity"]
    return identity


def _enqueue(request: Request) -> Enqueue:
    enqueue: Enqueue = request.app.state.enqueue
    return enqueue


async def _raw(request: Request) -> bytes:
    return await request.body()


Given = Annotated[Context, Depends(_context)]
Caller = Annotated[str, Depends(_caller)]
"""The name of whoever calls, as it stands in what they do."""
Rights = Annotated[Identity, Depends(_rights)]
"""Whoever calls, with what they may do; the policy was applied before the route is reached."""
StartRun = Annotated[Enqueue, Depends(_enqueue)]
Once = Annotated[Callable[[Callable[[], str]], str], Depends(_once)]
"""Does what a route is there for and gives the id of what came of it; where the same request was done before, that id
alone. So a handler checks and changes in there, and shows what there is outside of it: that is done again whenever the
answer was lost."""
RawBody = Annotated[bytes, Depends(_raw)]

Named = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$", description="Id or name.")]
Id = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$", description="Id.")]


def _documented(
    _key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            min_length=1,
            max_length=255,
            pattern=r"^[\x21-\x7e]+$",
            description="Any new word, such as a UUID: the same request with the same key is done once in 24 hours, "
            "whatever dies meanwhile, and answered again (`Idempotency-Replayed: true`).",
        ),
    ] = None,
) -> None:
    """Declares the key in the OpenAPI document; `CreatingRoute` reads it."""


IDEMPOTENT = Depends(_documented)

_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"')


def required_version(if_match: str | None, present: int) -> int:
    """The version that `If-Match` asks for: the present one if it is named, else one that it is not."""
    return present if matches(if_match, str(present)) else -1


def matches(if_match: str | None, present: str) -> bool:
    """Whether `If-Match` names the present tag, given without its quotes.

    Raises the problems that the header is missing or unreadable. Weak tags never match (RFC 9110, 13.1.1).
    """
    if if_match is None:
        raise ApiProblem("precondition-required", "Send the ETag that you read as If-Match.")
    if if_match.strip() == "*":
        return True
    tags = _tags(if_match)
    if not tags:
        entry = {"header": "If-Match", "detail": 'must be an ETag such as "3", or *'}
        raise ApiProblem("malformed-request", 'If-Match must be an ETag such as "3", or *.', errors=[entry])
    return present in {tag for weak, tag in tags if not weak}


def unchanged(request: Request, response: Response, etag: str) -> Response | None:
    """Put the ETag into the response; a response without a body instead, if the caller has this version already. Weak
    tags are compared like others (RFC 9110, 13.1.2)."""
    response.headers["ETag"] = etag
    known = request.headers.get("if-none-match", "")
    if known.strip() == "*" or etag.removeprefix("W/").strip('"') in {tag for _weak, tag in _tags(known)}:
        return Response(status_code=304, headers={"ETag": etag})
    return None


def _tags(header: str) -> list[tuple[str, str]]:
    """The tags of a list, as (`W/` or nothing, what stands in the quotes)."""
    return _TAG.findall(header)
