"""The pages on which people sign in with their OpenID Connect provider: the way there, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from connectors.oidc_metadata import ProviderError
from service.api import cookies
from service.api.given import Given
from service.api.problems import ApiProblem, request_id_of
from service.api.problems import answer as problem_of
from service.pages import rendering
from service.pages.account import NotSignedInPage
from service.pages.routes.sign_in import HOME, PROVIDER, SIGN_IN
from service.usecases.access import provider_sign_in
from service.usecases.access.provider_sign_in import CALLBACK, NoRole, SignInRefused

router = APIRouter(include_in_schema=False)

UNAVAILABLE = (
    "Nobody can sign in with the provider just now. Try again later; an administrator sees the reason with: "
    "phaseloop oidc check"
)
"""What everybody is told; the reason is for whoever runs the service."""

_PARAMETERS = ("state", "code", "error", "iss")
_LONGEST = 8000


@router.get(PROVIDER)
def begin(
    request: Request, context: Given, following: Annotated[str, Query(alias="next", max_length=2000)] = ""
) -> Response:
    """Lead to the provider. A link and no form, because a form may lead nowhere else (`form-action`)."""
    if context.provider is None:
        return RedirectResponse(SIGN_IN, 303)
    try:
        begun = provider_sign_in.begin(context, following)
    except ProviderError:
        return _refused(request, "sign-in-unavailable", UNAVAILABLE)
    response = RedirectResponse(begun.leads_to, 303)
    cookies.put_attempt(response, context, request.scope, begun.id, begun.secret, provider_sign_in.LASTS)
    return response


@router.get(CALLBACK)
def come_back(request: Request, context: Given) -> Response:
    """Take the provider's answer, and begin a session."""
    if context.provider is None:
        return RedirectResponse(SIGN_IN, 303)
    scope = request.scope
    source = f"a browser, from {request.client.host if request.client else 'this machine'}"
    former = cookies.session_of(context, scope)
    secret_of = partial(cookies.attempt_of, context, scope)
    try:
        done = provider_sign_in.finish(context, _answer(request), secret_of, source, former)
    except NoRole as refused:  # who it is was proved
        return _over(request, context, refused.attempt, _refused(request, _CODE, refused.message, refused.asks))
    except SignInRefused as refused:
        if (often := scope["phaseloop.refused"]()) is not None:
            raise often from None
        return _over(request, context, refused.attempt, _refused(request, _CODE, refused.message))
    except ProviderError:
        return _refused(request, "sign-in-unavailable", UNAVAILABLE)
    response = RedirectResponse(done.following or HOME, 303)
    cookies.put(response, context, scope, done.secret, done.lasts)
    return _over(request, context, done.attempt, response)


_CODE = "sign-in-refused"


def _over(request: Request, context: Given, attempt: str, response: Response) -> Response:
    """The response, with which the browser forgets what it kept for an attempt that is over."""
    if attempt:
        cookies.put_attempt(response, context, request.scope, attempt, "", timedelta(0))
    return response


def _answer(request: Request) -> dict[str, str]:
    """The parameters that count; one that is there twice or is too long is none."""
    sent = request.query_params
    found = {name: sent.getlist(name) for name in _PARAMETERS}
    return {name: values[0] for name, values in found.items() if len(values) == 1 and len(values[0]) <= _LONGEST}


def _refused(request: Request, code: str, message: str, asks: Mapping[str, str] | None = None) -> Response:
    """Why nobody was signed in: a page for a browser, a problem for anything else."""
    problem = ApiProblem(code, message, headers={"Retry-After": "5"} if code == "sign-in-unavailable" else {})
    if "text/html" not in request.headers.get("accept", ""):
        return problem_of(problem, request_id_of(request))
    page = NotSignedInPage(message, asks or {})
    return rendering.shown(request, "not-signed-in.html", page, status=problem.kind.status)
