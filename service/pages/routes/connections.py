"""The addresses of connections: all of them, one, adding and removing it, and the care of its webhook."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Response

from connectors.errors import TrackerError
from service.api.given import Named
from service.context import Context
from service.domain.problems import InvalidInput
from service.pages import connections, entries
from service.pages.connections import NOTHING, Came, Changing
from service.pages.entries import Given, Wrong
from service.pages.frame import CONNECTIONS
from service.pages.given import Form, Here, PressRoute, Sent, Visit, led_to
from service.pages.remedies import on_pages
from service.usecases.errors import Conflict
from service.usecases.hook import registration, secret
from service.usecases.hook.registration import Cared
from service.usecases.setup import connections as connection_cases
from service.usecases.setup.connections import NotReplaced

router = APIRouter(include_in_schema=False)
pressing = APIRouter(include_in_schema=False, route_class=PressRoute)


@router.get("/connections")
def show_all(visit: Here) -> Response:
    """All connections."""
    return visit.page("connections.html", connections.page_of(visit.context, visit.caller), CONNECTIONS)


@router.get("/connections/new")
def show_new(visit: Here) -> Response:
    """The form to add one with."""
    return visit.page("new-connection.html", connections.add_form(Given({})), CONNECTIONS)


@pressing.post("/connections/new")
def add(visit: Here, form: Sent) -> Response:
    """Add one, and lead to it; show the form again where something is wrong. The credential is never shown again."""
    given = _given(form)
    credential = form(f"c_{given('c_kind')}_secret", 4000)
    try:
        found = visit.once(lambda: _added(visit.context, given, credential))
    except Wrong as error:
        there = connections.taken(visit.context, given, error.problems)
        page = connections.add_form(given, error.problems, there)
        return visit.page("new-connection.html", page, CONNECTIONS, 422)
    return led_to(f"/connections/{found}")


def _added(context: Context, given: Given, credential: str) -> str:
    found = connection_cases.get(context, entries.connect(context, given, credential)).id
    connection_cases.check(context, found)  # what it comes to is told on the page of the connection
    return found


@router.get("/connections/{name}")
def show(name: Named, visit: Here) -> Response:
    """One connection, by our records."""
    return _shown(visit, name)


@router.post("/connections/{name}/check")
def check(name: Named, visit: Here) -> Response:
    """Look at the tracker now: who we are there, and what would be refused. Nothing is written."""
    return _shown(visit, name, connections.of_check(connection_cases.check(visit.context, name)))


@pressing.post("/connections/{name}/credential")
def replace_credential(name: Named, visit: Here, form: Sent) -> Response:
    """Give it a new credential once that is found to work, or whatever comes of it where that is chosen; show the form
    again otherwise. The credential is never shown again."""
    given = _given(form)
    kind = connection_cases.get(visit.context, name).kind
    credential = form(f"c_{kind}_secret", 4000)
    try:
        number = visit.once(lambda: entries.reconnect(visit.context, name, given, credential))
    except Wrong as error:
        return _unchanged(visit, name, Changing(given, error.problems))
    except NotReplaced as error:
        return _unchanged(visit, name, Changing(given, refused=error.found))
    return led_to(f"/connections/{number}")


def _unchanged(visit: Visit, name: str, changing: Changing) -> Response:
    page = connections.connection_of(visit.context, visit.caller, name, changing=changing)
    return visit.page("connection.html", page, CONNECTIONS, 422)


@pressing.post("/connections/{name}/remove")
def remove(name: Named, visit: Here) -> Response:
    """Remove it with its credential."""
    visit.once(lambda: connection_cases.remove(visit.context, name))
    return led_to("/connections")


@router.post("/connections/{name}/hook/check")
def check_hook(name: Named, visit: Here) -> Response:
    """Look at its webhooks at the tracker; nothing is changed there."""
    try:
        cared = registration.check(visit.context, name)
    except (TrackerError, Conflict) as error:
        return _failed(visit, name, error)
    came = connections.of_care("What the check of the webhook found", cared, "Everything is as it should be.")
    return _shown(visit, name, came)


@pressing.post("/connections/{name}/hook/register")
def register(name: Named, visit: Here) -> Response:
    """Have the tracker send events, or put right what it has."""
    return _care(visit, name, registration.register, "The webhook could not be registered")


@pressing.post("/connections/{name}/hook/remove")
def remove_hook(name: Named, visit: Here) -> Response:
    """Remove its webhooks at the tracker, and its secrets."""
    return _care(visit, name, registration.remove, "The webhook could not be removed at the tracker")


@pressing.post("/connections/{name}/hook/secret")
def rotate(name: Named, visit: Here, form: Sent) -> Response:
    """Set the secret of its webhook: the tracker's own where it has one, else one made up here, which is shown in this
    answer and never again. The former one counts for a day, too."""
    whose = secret.owner(visit.context, name, trigger=False)
    given, made = form("secret", secret.LONGEST + 1), []
    own = connections.has_own_secret(whose.source)

    def put() -> str:
        proof = given if own else secret.made_up(whose.source)
        secret.put(visit.context, whose, proof)
        if not own:
            made.append(proof)
        return whose.id

    try:
        visit.once(put)
    except InvalidInput as error:
        wrong = "; ".join(f"{one.message}; {one.fix}" if one.fix else one.message for one in error.problems)
        return _shown(visit, name, wrong=on_pages(wrong), status=422)
    if not made:
        return led_to(f"/connections/{whose.id}")
    came = Came(title="The new secret", secret=made[0])
    page = connections.connection_of(visit.context, visit.caller, name, came)
    return visit.once_shown("connection.html", page, CONNECTIONS)


def _care(visit: Visit, name: str, act: Callable[[Context, str], Cared], title: str) -> Response:
    """Do it once and lead to the connection; where the account may not, say what somebody who may does."""
    found: list[Cared] = []

    def care() -> str:
        found.append(act(visit.context, name))
        return connection_cases.get(visit.context, name).id

    try:
        number = visit.once(care)
    except (TrackerError, Conflict) as error:
        return _failed(visit, name, error)
    if found and (found[0].findings or found[0].steps):
        return _shown(visit, name, connections.of_care(title, found[0], ""), status=409)
    return led_to(f"/connections/{number}")


def _failed(visit: Visit, name: str, error: TrackerError | Conflict) -> Response:
    said = on_pages(f"{error.message} {error.fix}".strip())
    return _shown(visit, name, Came(error=said), status=503 if isinstance(error, TrackerError) else 409)


def _shown(visit: Visit, name: str, came: Came = NOTHING, wrong: str = "", status: int = 200) -> Response:
    page = connections.connection_of(visit.context, visit.caller, name, came, wrong)
    return visit.page("connection.html", page, CONNECTIONS, status)


def _given(form: Form) -> Given:
    kept = {name for name in form.values if name.startswith(("c_", "unchecked")) and not name.endswith("_secret")}
    return Given({name: form(name) for name in kept})
