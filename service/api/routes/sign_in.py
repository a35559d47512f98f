"""The pages on which people sign in and out, and see their sessions. They work without a script."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs, urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool

from service import __version__
from service.api import cookies
from service.api.given import Given, Id, Rights
from service.api.problems import ApiProblem
from service.context import Context
from service.domain.access.identity import Kind
from service.domain.commands import typed
from service.usecases.access import grants, provider_sign_in, sessions

router = APIRouter(include_in_schema=False)

WEB = Path(__file__).parents[1] / "web"

_pages = Environment(loader=FileSystemLoader(WEB), autoescape=True, undefined=StrictUndefined)

SIGN_IN = "/sign-in"
PROVIDER = "/sign-in/oidc"
ACCOUNT = "/account"


def page(name: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page of ours."""
    return HTMLResponse(_pages.get_template(name).render(values), status)


@router.get("/assets/style.css")
def style() -> FileResponse:
    """How pages look."""
    return FileResponse(WEB / "style.css", media_type="text/css", headers={"Cache-Control": "max-age=3600"})


@router.get(SIGN_IN)
def show_sign_in(
    context: Given,
    code: Annotated[str, Query(max_length=200)] = "",
    ended: Annotated[bool, Query()] = False,
    following: Annotated[str, Query(alias="next", max_length=2000)] = "",
) -> HTMLResponse:
    """The form. To look at it signs nobody in: programs that look at links before people do spend no code."""
    return _form(context, code=code, ended=ended, following=following)


def _form(
    context: Context, *, status: int = 200, code: str = "", ended: bool = False, error: str = "", following: str = ""
) -> HTMLResponse:
    own = provider_sign_in.own_page(following)
    provider = context.settings.oidc_name if context.provider is not None else ""
    begin = f"{PROVIDER}?{urlencode({'next': own})}" if own else PROVIDER
    shown = {"code": code, "ended": ended, "error": error, "provider": provider, "begin": begin}
    return page("sign-in.html", status, **shown, version=__version__)


@router.post(SIGN_IN)
async def sign_in(request: Request, context: Given) -> Response:
    """Sign in with a code, which is spent by it."""
    cookies.check_same_site(context, request.scope)
    code = _field(await request.body(), "code")
    former = cookies.session_of(context, request.scope)
    source = f"a browser, from {request.client.host if request.client else 'this machine'}"
    try:
        secret = await run_in_threadpool(sessions.sign_in, context, code, source, former)
    except sessions.SignInRefused:
        if (often := request.scope["phaseloop.refused"]()) is not None:
            raise often from None
        error = "This code signs nobody in: it was used, has expired, or is none of this service's."
        return _form(context, status=422, error=error)
    response = RedirectResponse(ACCOUNT, 303)
    cookies.put(response, context, request.scope, secret, sessions.LASTS)
    return response


@router.post("/sign-out")
def sign_out(request: Request, context: Given) -> Response:
    """End this session; whoever signed in with the provider is led on to end that one's, too. By a page, because a form
    may lead nowhere else (`form-action`)."""
    present = _session(request)[0]
    leads_to = provider_sign_in.signing_out(context, present)
    sessions.revoke(context, present)
    response: Response = RedirectResponse(SIGN_IN, 303)
    if leads_to:
        response = page("signed-out.html", leads_to=leads_to, provider=context.settings.oidc_name)
    cookies.put(response, context, request.scope, "", timedelta(0))
    return response


@router.get(ACCOUNT)
def show_account(request: Request, context: Given, identity: Rights) -> HTMLResponse:
    """Who is signed in, with which roles, and in which sessions."""
    present, secret = _session(request)
    return page(
        "account.html",
        login=identity.actor.name,
        typed=typed(identity.actor.name),
        grants=[grants.grant_json(one) for one in identity.grants],
        sessions=[sessions.session_json(one) for one in sessions.listed(context, identity.actor.id)],
        present=present,
        form_token=sessions.form_token(secret),
    )


@router.post(ACCOUNT + "/sessions/{session_id}/revoke")
def end_session(session_id: Id, request: Request, context: Given, identity: Rights) -> Response:
    """End another session of one's own."""
    _session(request)
    sessions.revoke(context, session_id, of=identity.actor.id)
    return RedirectResponse(ACCOUNT, 303)


def _session(request: Request) -> tuple[str, str]:
    """The id of the session and its cookie. Raises the problem that a token is no browser."""
    identity = request.scope["phaseloop.identity"]
    if identity.actor.kind is not Kind.PERSON:
        raise ApiProblem("forbidden", "This is a page for people who are signed in; a token has none.")
    return request.scope["phaseloop.session_id"], request.scope["phaseloop.session"]


def _field(body: bytes, name: str) -> str:
    """A field of a form; empty where there is none that can be read."""
    try:
        return parse_qs(body.decode("ascii"), max_num_fields=20).get(name, [""])[0][:200]
    except ValueError:
        return ""
