"""The page that the link in a mail leads to. Nobody signs in for it: the link itself is the secret."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from service.api.given import Given
from service.pages import rendering
from service.pages.given import Sent
from service.pages.unsubscribe import page_of
from service.usecases.errors import NotFound
from service.usecases.notice import unsubscribing

router = APIRouter(include_in_schema=False)

Secret = Annotated[str, Path(max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]


@router.get(unsubscribing.PATH + "{secret}")
def show(secret: Secret, request: Request, context: Given) -> Response:
    """What the link ends. To look at it ends nothing: programs look at links before people do."""
    try:
        found = unsubscribing.get(context, secret)
    except NotFound:
        _guessed(request)
        raise
    return rendering.shown(request, "unsubscribe.html", page_of(found))


@router.post(unsubscribing.PATH + "{secret}")
async def switch(secret: Secret, request: Request, context: Given, form: Sent) -> Response:
    """End what the link is about, or with `again` have it come again. Mail programs post here, too, from anywhere."""
    wanted = form("again", 10) == "yes"
    try:
        found = await run_in_threadpool(unsubscribing.switch, context, secret, wanted=wanted)
    except NotFound:
        _guessed(request)
        raise
    return rendering.shown(request, "unsubscribe.html", page_of(found, done=True))


def _guessed(request: Request) -> None:
    """Count a link that is none. Raises the problem that there were too many."""
    if (often := request.scope["phaseloop.refused"]()) is not None:
        raise often
