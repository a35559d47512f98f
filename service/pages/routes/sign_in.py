"""The pages on which people sign in and out, and see their sessions."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from service.api import cookies
from service.api.given import Given, Id
from service.api.problems import ApiProblem
from service.context import Context
from service.domain.access.identity import Kind
from service.pages import account, rendering
from service.pages.account import SignedOutPage, SignInPage
from service.pages.frame import ACCOUNT as HERE
from service.pages.given import Here, Sent, led_to
from service.usecases.access import provider_sign_in, sessions

router = APIRouter(include_in_schema=False)

SIGN_IN = "/sign-in"
PROVIDER = "/sign-in/oidc"
ACCOUNT = "/account"
HOME = "/"

REFUSED = "This code signs nobody in: it was used, has expired, or is none of this service's."


@router.get(SIGN_IN)
def show_sign_in(
    request: Request,
    context: Given,
    code: Annotated[str, Query(max_length=200)] = "",
    ended: Annotated[bool, Query()] = False,
    following: Annotated[str, Query(alias="next", max_length=2000)] = "",
) -> Response:
    """The form. To look at it signs nobody in: programs that look at links before people do spend no code."""
    return rendering.shown(request, "sign-in.html", _form(context, following, code=code, ended=ended))


def _form(context: Context, following: str, *, code: str = "", ended: bool = False, error: str = "") -> SignInPage:
    own = provider_sign_in.own_page(following)
    provider = context.settings.oidc_name if context.provider is not None else ""
    begin = f"{PROVIDER}?{urlencode({'next': own})}" if own else PROVIDER
    return SignInPage(code, ended, error, provider, begin, own, kept=own.startswith("/kept/"))


@router.post(SIGN_IN)
async def sign_in(request: Request, context: Given, form: Sent) -> Response:
    """Sign in with a code, which is spent by it; leads to the page that was asked for, else home."""
    cookies.check_same_site(context, request.scope)
    former = cookies.session_of(context, request.scope)
    source = f"a browser, from {request.client.host if request.client else 'this machine'}"
    following = form("next", 2000)
    try:
        secret = await run_in_threadpool(sessions.sign_in, context, form("code", 200), source, former)
    except sessions.SignInRefused:
        if (often := request.scope["phaseloop.refused"]()) is not None:
            raise often from None
        return rendering.shown(request, "sign-in.html", _form(context, following, error=REFUSED), status=422)
    response = led_to(provider_sign_in.own_page(following) or HOME)
    cookies.put(response, context, request.scope, secret, sessions.LASTS)
    return response


@router.post("/sign-out")
def sign_out(request: Request, context: Given) -> Response:
    """End this session; whoever signed in with the provider is led on to end that one's, too. By a page, because a form
    may lead nowhere else (`form-action`)."""
    present = _session(request)
    leads_to = provider_sign_in.signing_out(context, present)
    sessions.revoke(context, present)
    response = led_to(SIGN_IN)
    if leads_to:
        response = rendering.shown(request, "signed-out.html", SignedOutPage(leads_to, context.settings.oidc_name))
    cookies.put(response, context, request.scope, "", timedelta(0))
    return response


@router.get(ACCOUNT)
def show_account(visit: Here) -> Response:
    """Who is signed in, with which roles, and in which sessions."""
    present = _session(visit.request)
    return visit.page("account.html", account.page_of(visit.context, visit.caller, present), HERE)


@router.post(ACCOUNT + "/sessions/{session_id}/revoke")
def end_session(session_id: Id, visit: Here) -> Response:
    """End another session of one's own."""
    _session(visit.request)
    sessions.revoke(visit.context, session_id, of=visit.caller.actor.id)
    return led_to(ACCOUNT)


def _session(request: Request) -> str:
    """The id of the session. Raises the problem that a token is no browser."""
    if request.scope["phaseloop.identity"].actor.kind is not Kind.PERSON:
        raise ApiProblem("forbidden", "This is a page for people who are signed in; a token has none.")
    found: str = request.scope["phaseloop.session_id"]
    return found
