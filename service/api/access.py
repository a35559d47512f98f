"""Who calls, and whether they may: the policy at the door, before a body is read and before any route is reached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from re import Pattern
from urllib.parse import parse_qs, quote, urlencode

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.datastructures import Headers
from starlette.routing import compile_path
from starlette.types import Scope

from service.api.cookies import FIELD, MOST_FIELDS, check_same_site, session_of
from service.api.problems import ApiProblem, is_for_people
from service.context import Context
from service.domain.access.identity import Caller
from service.domain.access.policy import API, METHODS, is_exception
from service.store_faults import KeyProblem
from service.usecases.access import kept_forms, rights, sessions, tokens


class SignInNeeded(Exception):
    """A page for people was asked for by nobody who is signed in; `ended` says that somebody was. `following` is the
    page that signing in leads back to."""

    def __init__(self, following: str, *, ended: bool) -> None:
        super().__init__("sign in")
        self.following, self.ended = following, ended

    @property
    def form(self) -> str:
        """The address of the form to sign in with."""
        return "/sign-in?" + urlencode({"next": self.following} | ({"ended": "true"} if self.ended else {}))


def with_what_was_sent(context: Context, scope: Scope, body: bytes, needed: SignInNeeded) -> SignInNeeded:
    """Where signing in leads to after a form was sent in a session that had run out: to the form, kept for whoever sent
    it, where it came from our own page in that session; else to its page."""
    secret = session_of(context, scope)
    if secret is None or scope["method"] != "POST":
        return needed
    try:
        check_same_site(context, scope)
        found = parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except (ApiProblem, ValueError):
        return needed
    fields = {name: values[-1] for name, values in found.items()}
    proof, action = fields.get(FIELD, ""), quote(scope["path"])
    try:
        kept = kept_forms.keep(context, secret, proof, action, needed.following, fields)
    except KeyProblem:  # without the key nothing can be kept, and everybody can sign in
        return needed
    return SignInNeeded(f"/kept/{kept}", ended=True) if kept is not None else needed


@dataclass(frozen=True, slots=True)
class Address:
    """A route as it is matched: its path with parameters, and for which methods."""

    path: str
    path_format: str
    methods: frozenset[str]
    pattern: Pattern[str]

    def matched(self, method: str, path: str) -> Mapping[str, str] | None:
        """The parameters in this path; None where it is another address."""
        if method not in self.methods or (found := self.pattern.match(path)) is None:
            return None
        return found.groupdict()


def addresses(app: FastAPI) -> Iterator[Address]:
    """All routes of the application, in the order in which it looks for one."""
    for route in iter_route_contexts(app.routes):
        pattern, path_format, _ = compile_path(route.path or "")
        methods = METHODS if route.methods is None else frozenset(route.methods)
        yield Address(route.path or "", path_format, methods, pattern)


def admit(context: Context, known: list[Address], scope: Scope) -> None:
    """Let a request pass that may pass, and put into its scope who calls, what they may, and the context that acts for
    them. Raises the problems that it is not known who calls, or that they may not."""
    method, path = scope["method"], scope["path"]
    found = next(((one, named) for one in known if (named := one.matched(method, path)) is not None), None)
    if found is not None and is_exception(method, found[0].path):
        return
    try:
        caller, key = _caller(context, scope)
    except ApiProblem as problem:
        nobody = problem.kind.status == HTTPStatus.UNAUTHORIZED
        if nobody and found is not None and not _is_of_the_api(path) and (method == "GET" or is_for_people(scope)):
            raise SignInNeeded(_page_of(known, scope), ended=session_of(context, scope) is not None) from None
        raise
    scope["phaseloop.identity"], scope["phaseloop.caller"], scope["phaseloop.token"] = caller, caller.actor.name, key
    scope["phaseloop.context"] = context.acting(caller)
    if found is None:
        return  # an unknown address, or a method that it does not take: what is said of that says nothing
    address, named = found
    instead = rights.check(context, caller, method, address.path, named)
    if instead:
        scope["path"] = address.path_format.format(**{**named, **instead})
        scope["raw_path"] = quote(scope["path"]).encode()


def _caller(context: Context, scope: Scope) -> tuple[Caller, str]:
    """Who calls, and what their idempotency keys are kept apart by."""
    sent = Headers(scope=scope).get("authorization")
    if sent is None and (secret := session_of(context, scope)) is not None:
        return _signed_in(context, scope, secret)
    if sent is None:
        raise _unauthorized("Send the header `Authorization: Bearer TOKEN`.")
    scheme, _, token = sent.strip().partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise _unauthorized("The Authorization header must be `Bearer TOKEN`.")
    try:
        return tokens.caller(context, token, f"REST, {_from(scope)}"), token
    except tokens.TokenRefused as error:
        raise _unauthorized(str(error), error="invalid_token") from None


def _signed_in(context: Context, scope: Scope, secret: str) -> tuple[Caller, str]:
    """Who is signed in by the session's cookie, which counts for reading; for more, where the request comes from has to
    be proved, too, because a browser sends the cookie whoever asks it to."""
    try:
        caller, session_id = sessions.caller(context, secret, f"a browser, {_from(scope)}")
    except sessions.SessionOver:
        raise _unauthorized("The session has ended. Sign in again.") from None
    if scope["method"] not in ("GET", "HEAD"):
        check_same_site(context, scope)
    scope["phaseloop.session"], scope["phaseloop.session_id"] = secret, session_id
    return caller, secret


def _page_of(known: list[Address], scope: Scope) -> str:
    """The page that a request is for: a form is sent to the page that it stands on, or to an address below that."""
    path, query = scope["path"], scope["query_string"].decode("ascii", "replace")
    if scope["method"] == "GET":
        return quote(path) + (f"?{query}" if query else "")
    parts = path.split("/")
    above = ("/".join(parts[:n]) for n in range(len(parts), 1, -1))
    return quote(next((one for one in above if any(each.matched("GET", one) is not None for each in known)), "/"))


def _is_of_the_api(path: str) -> bool:
    return path == API or path.startswith(f"{API}/")


def _from(scope: Scope) -> str:
    client = scope.get("client")
    return f"from {client[0]}" if client else "from this machine"


def _unauthorized(detail: str, error: str = "") -> ApiProblem:
    challenge = 'Bearer realm="phaseloop"' + (f', error="{error}"' if error else "")
    return ApiProblem("unauthorized", detail, headers={"WWW-Authenticate": challenge})
