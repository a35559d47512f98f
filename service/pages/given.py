"""What the routes of pages are given: who looks and with which context, and the form that was sent."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from service.api.cookies import MOST_FIELDS
from service.api.problems import ApiProblem
from service.api.routing import Handler, Unkept, done_once
from service.context import Context
from service.domain.access.identity import Caller
from service.domain.access.roles import Permission
from service.pages import rendering
from service.pages.frame import Frame, around
from service.usecases.access import kept_forms, sessions
from service.usecases.errors import NotFound
from service.usecases.queue import Enqueue
from service.usecases.run import idempotency

PATIENCE = 60.0
"""Seconds for which a form that was sent twice waits until the first of them is done."""

LONGEST = 10_000
"""Characters of a line that are shown again where they are too many."""

Page = Annotated[int, Query(ge=1, le=100_000)]
"""Which page of a long list."""

KEPT = "kept"
"""The field that names the form that was kept over signing in, where what is sent is one."""

PRESS = "press"
"""The field of a form that says which form it is: sent twice, it is done once."""

_PRESS = re.compile(r"[A-Za-z0-9_-]{16,64}")


@dataclass(frozen=True)
class Visit:
    """Somebody who looks at a page, or sends a form."""

    request: Request
    context: Context
    caller: Caller

    @property
    def login(self) -> str:
        """Their name, as it stands in what they do."""
        return self.caller.actor.name

    @property
    def enqueue(self) -> Enqueue:
        """The engine's way to start a run."""
        start: Enqueue = self.request.app.state.enqueue
        return start

    def may(self, permission: Permission, project: str | None = None) -> bool:
        """Whether they may do that: in this project, or in all where none is named."""
        return self.caller.may(permission, project)

    def once(self, act: Callable[[], str]) -> str:
        """Do what a form is there for, once however often it is sent; the id of what came of it."""
        return idempotency.once(self.context, act)

    def frame(self, at: str) -> Frame:
        """What is around the page."""
        secret = self.request.scope.get("phaseloop.session")
        token = sessions.form_token(secret) if secret is not None else ""
        return around(self.caller, at, token, secrets.token_urlsafe(18))

    @property
    def session(self) -> str:
        """The id of the session in which they look; empty where they have none, as a token."""
        return str(self.request.scope.get("phaseloop.session_id", ""))

    def once_shown(self, template: str, page: Any, at: str) -> Response:
        """A page that shows a secret: nothing of it is kept for a second press of the same button."""
        return Unkept(rendering.text(template, page, self.frame(at)), headers={"Vary": rendering.PART})

    def page(self, template: str, page: Any, at: str, status: int = 200) -> Response:
        """A page for them."""
        return rendering.shown(self.request, template, page, self.frame(at), status)


def _visit(request: Request) -> Visit:
    context: Context = request.scope.get("phaseloop.context", request.app.state.context)
    return Visit(request, context, request.scope["phaseloop.identity"])


Here = Annotated[Visit, Depends(_visit)]


@dataclass(frozen=True, slots=True)
class Form:
    """What a form holds: the last of several values of one field counts."""

    values: Mapping[str, str]

    def __call__(self, name: str, longest: int = 500) -> str:
        """A field without blanks around it, cut where it is longer than any that is right; empty where there is
        none."""
        return self.values.get(name, "").strip()[:longest]

    def text(self, name: str) -> str:
        """A field of several lines, as it is."""
        return self.values.get(name, "").replace("\r\n", "\n")

    def having(self, prefix: str) -> dict[str, str]:
        """The fields whose names begin so, without that."""
        return {name.removeprefix(prefix): value for name, value in self.values.items() if name.startswith(prefix)}


def form_of(body: bytes) -> Form:
    """The form in a body; an empty one where it is none that can be read."""
    try:
        found = parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        found = {}
    return Form({name: values[-1] for name, values in found.items()})


async def _sent(request: Request) -> Form:
    return form_of(await request.body())


Sent = Annotated[Form, Depends(_sent)]


class PressRoute(APIRoute):
    """A route that takes a form. The same form sent twice, by a second press or a reload, is done once: the second
    waits for the first, and is led to what came of it."""

    def get_route_handler(self) -> Handler:
        """The handler behind the look for what the first press did."""
        handle = super().get_route_handler()
        path = self.path_format

        async def pressed(request: Request) -> Response:
            form = form_of(await request.body()).values
            press = form.get(PRESS, "")
            if not _PRESS.fullmatch(press):
                return await handle(request)
            answer = await _patiently(partial(done_once, request, f"POST {path}", press, handle))
            if KEPT in form and answer.status_code < HTTPStatus.BAD_REQUEST:
                await run_in_threadpool(_keep_no_longer, request, form[KEPT])
            return answer

        return pressed


def _keep_no_longer(request: Request, form: str) -> None:
    """A form that was kept over signing in was sent now."""
    visit = _visit(request)
    with suppress(NotFound):
        kept_forms.discard(replace(visit.context, claim=None), visit.caller.actor.id, form)


async def _patiently(ask: Callable[[], Any]) -> Response:
    """What is answered once nobody else is at it."""
    waited = 0.0
    while True:
        try:
            answer: Response = await ask()
            return answer
        except ApiProblem as problem:
            if problem.kind.code != "idempotency-key-in-use" or waited >= PATIENCE:
                raise
        await asyncio.sleep(0.25)
        waited += 0.25


def led_to(path: str) -> Response:
    """Lead to a page after a form was taken: reloading that sends nothing again."""
    return RedirectResponse(path, 303)
