"""How a browser is known: the cookie of a session, and what proves that a request came from our own pages."""

from __future__ import annotations

import hmac
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import Response
from starlette.types import Scope

from service.api.problems import ApiProblem
from service.context import Context
from service.usecases.access import sessions

HEADER = "x-form-token"
"""Where a script sends the session's form token; a form has it in the field `form_token`."""

FIELD = "form_token"

OUTLIVES = timedelta(days=1)
"""How long a cookie is sent after its session has run out."""

MOST_FIELDS = 1000
"""Fields of a form; one with more is none."""


def is_secure(context: Context, scope: Scope) -> bool:
    """Whether people reach the service over https."""
    public = context.settings.public_url
    return public.scheme == "https" if public is not None else scope.get("scheme") == "https"


def origin(context: Context, scope: Scope) -> str:
    """The origin of our own pages, as browsers name it."""
    public = context.settings.public_url
    if public is not None:
        parts = urlsplit(str(public))
        return f"{parts.scheme}://{parts.netloc}"
    return f"{scope.get('scheme', 'http')}://{Headers(scope=scope).get('host', '')}"


def cookie_name(context: Context, scope: Scope) -> str:
    """The cookie's name: with a prefix by which browsers keep it to this host and https, where there is https."""
    return "__Host-phaseloop" if is_secure(context, scope) else "phaseloop"


def session_of(context: Context, scope: Scope) -> str | None:
    """What the session's cookie holds; None where none was sent."""
    sent = Headers(scope=scope).get("cookie", "")
    return cookie_parser(sent).get(cookie_name(context, scope)) or None


def put(response: Response, context: Context, scope: Scope, secret: str, lasts: timedelta) -> None:
    """Have the browser keep a session; for no time at all, forget it. The cookie outlives the session, which knows
    itself whether it lasts: a form that is sent too late is known by it as its sender's."""
    response.set_cookie(
        cookie_name(context, scope),
        secret,
        max_age=int((lasts + OUTLIVES if lasts else lasts).total_seconds()),
        path="/",
        secure=is_secure(context, scope),
        httponly=True,
        samesite="lax",
    )


def attempt_of(context: Context, scope: Scope, attempt: str) -> str | None:
    """What this browser keeps for a sign-in with the provider; None where it began none of this id."""
    sent = Headers(scope=scope).get("cookie", "")
    return cookie_parser(sent).get(_attempt_name(context, scope, attempt)) or None


def put_attempt(
    response: Response, context: Context, scope: Scope, attempt: str, secret: str, lasts: timedelta
) -> None:
    """Have the browser keep what completes a sign-in, one cookie for each, for several tabs may sign in at once; for no
    time at all, forget it."""
    response.set_cookie(
        _attempt_name(context, scope, attempt),
        secret,
        max_age=int(lasts.total_seconds()),
        path="/",
        secure=is_secure(context, scope),
        httponly=True,
        samesite="lax",  # the provider's answer comes from its site
    )


def _attempt_name(context: Context, scope: Scope, attempt: str) -> str:
    return f"{cookie_name(context, scope)}-oidc-{attempt.rpartition('_')[2]}"


def check_same_site(context: Context, scope: Scope) -> None:
    """Raise Forbidden's problem unless the browser says that the request came from our own pages, or was typed."""
    headers = Headers(scope=scope)
    fetched = headers.get("sec-fetch-site")
    if fetched is not None:
        fits = fetched in ("same-origin", "none")
    else:
        fits = headers.get("origin") == origin(context, scope)
    if not fits:
        raise ApiProblem("forbidden", "The request did not come from a page of this service.")


def check_form_token(scope: Scope, body: bytes, secret: str) -> None:
    """Raise Forbidden's problem unless the request carries the session's form token."""
    headers = Headers(scope=scope)
    sent = headers.get(HEADER, "")
    if not sent and headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        try:
            sent = parse_qs(body.decode("ascii"), max_num_fields=MOST_FIELDS).get(FIELD, [""])[0]
        except ValueError:
            sent = ""
    if not hmac.compare_digest(sent.encode(), sessions.form_token(secret).encode()):
        detail = "The form is not one of this session: reload the page, and send it again."
        raise ApiProblem("forbidden", detail)
