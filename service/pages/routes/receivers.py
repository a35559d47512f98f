"""The addresses of receivers and of messages: all of them, one, adding, changing, trying and removing it, what a
message would look like, what became of those that were made."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Response

from service.api.given import Id, Named
from service.domain.problems import InvalidInput
from service.pages import deliveries, receivers
from service.pages.frame import MESSAGES
from service.pages.given import Form, Here, PressRoute, Sent, Visit, led_to
from service.pages.receivers import Entered
from service.usecases.errors import Conflict, NotFound
from service.usecases.notice import messages
from service.usecases.notice import receivers as cases
from service.usecases.notice.receivers import Asked, Tried

router = APIRouter(include_in_schema=False)
pressing = APIRouter(include_in_schema=False, route_class=PressRoute)

_Word = Annotated[str, Query(max_length=200)]


@router.get("/receivers")
def show_all(visit: Here) -> Response:
    """All receivers."""
    return visit.page("receivers.html", receivers.page_of(visit.context, visit.caller), MESSAGES)


@router.get("/receivers/new")
def show_new(visit: Here) -> Response:
    """The form to add one with."""
    return visit.page("new-receiver.html", receivers.add_form(), MESSAGES)


@router.get("/receivers/preview")
def show_preview(
    visit: Here, project: _Word = "", kind: _Word = "", form: Annotated[str, Query(alias="as", max_length=40)] = ""
) -> Response:
    """What people would be sent of a kind of notice in a project; nothing is sent."""
    return visit.page("preview.html", receivers.preview_of(visit.context, project, kind, form), MESSAGES)


@pressing.post("/receivers/new")
def add(visit: Here, form: Sent) -> Response:
    """Add one, and lead to it; show the form again where something is wrong. The credential is never shown again."""
    entered = _entered(form)
    kind = entered("kind")
    secret = form(f"r_{kind}_secret", 4000)

    def put() -> str:
        settings = receivers.settings_of(kind, entered.values)
        return cases.add(visit.context, entered("name") or kind, kind, settings, secret, [entered.asked()]).id

    try:
        return led_to(f"/receivers/{visit.once(put)}")
    except (InvalidInput, NotFound, Conflict) as error:
        again = Entered(entered.values, receivers.wrong_of(error, kind))
        return visit.page("new-receiver.html", receivers.add_form(again), MESSAGES, 422)


@router.get("/receivers/{name}")
def show(name: Named, visit: Here) -> Response:
    """One receiver."""
    return _shown(visit, name)


@pressing.post("/receivers/{name}/subscribe")
def subscribe(name: Named, visit: Here, form: Sent) -> Response:
    """Say what is told of projects in a channel; what is said of others stays."""
    entered = _entered(form)
    try:
        return led_to(f"/receivers/{visit.once(lambda: cases.subscribe(visit.context, name, entered.asked()).id)}")
    except (InvalidInput, NotFound, Conflict) as error:
        return _wrong(visit, name, entered, error)


@pressing.post("/receivers/{name}/unsubscribe")
def unsubscribe(name: Named, visit: Here, form: Sent) -> Response:
    """Tell nothing of a project, or of all, in a channel any more."""
    asked = Asked(form("channel"), (form("project"),) if form("project") else ())
    try:
        return led_to(f"/receivers/{visit.once(lambda: cases.subscribe(visit.context, name, asked, off=True).id)}")
    except (InvalidInput, NotFound, Conflict) as error:
        return _wrong(visit, name, receivers.NOTHING, error)


@pressing.post("/receivers/{name}/credential")
def replace_credential(name: Named, visit: Here, form: Sent) -> Response:
    """Give it a new credential, which is never shown again."""
    secret = form("secret", 4000)
    try:
        return led_to(f"/receivers/{visit.once(lambda: cases.change(visit.context, name, secret=secret).id)}")
    except (InvalidInput, Conflict) as error:
        return _wrong(visit, name, receivers.NOTHING, error)


@pressing.post("/receivers/{name}/test")
def try_it(name: Named, visit: Here) -> Response:
    """Post a test message to each of its channels, and say what came of it."""
    found: list[Tried] = []

    def post() -> str:
        found.append(cases.test(visit.context, name))
        return found[0].receiver.id

    number = visit.once(post)
    if not found:
        return led_to(f"/receivers/{number}")
    page = receivers.receiver_of(visit.context, visit.caller, name, tried=found[0])
    return visit.page("receiver.html", page, MESSAGES)


@pressing.post("/receivers/{name}/remove")
def remove(name: Named, visit: Here) -> Response:
    """Remove it with its credential."""
    visit.once(lambda: cases.remove(visit.context, name))
    return led_to("/receivers")


@router.get("/deliveries")
def show_deliveries(
    visit: Here, state: _Word = "", receiver: _Word = "", project: _Word = "", before: _Word = ""
) -> Response:
    """Messages, newest first."""
    page = deliveries.page_of(visit.context, visit.caller, state, receiver, project, before)
    return visit.page("deliveries.html", page, MESSAGES)


@pressing.post("/deliveries/replay")
def replay_all(visit: Here, form: Sent) -> Response:
    """Have all messages in a state sent again, as far as the list is narrowed."""
    of = {"receiver": form("receiver") or None, "project": form("project") or None}
    visit.once(lambda: str(messages.replay_all(visit.context, state=form("state"), **of)))
    return led_to(_list(form))


@pressing.post("/deliveries/{message_id}/replay")
def replay(message_id: Id, visit: Here, form: Sent) -> Response:
    """Have a message sent again."""
    visit.once(lambda: messages.replay(visit.context, message_id).id)
    return led_to(_list(form))


def _list(form: Form) -> str:
    """The list, narrowed to whom it was narrowed to: what was sent again is in no state that it was narrowed to."""
    asked = {name: form(name) for name in ("receiver", "project") if form(name)}
    return f"/deliveries?{urlencode(asked)}" if asked else "/deliveries"


def _entered(form: Form) -> Entered:
    """What was entered, without anything secret."""
    hidden = ("form_token", "press", "secret")
    return Entered({at: form(at, 2000) for at in form.values if at not in hidden and not at.endswith("_secret")}, {})


def _wrong(visit: Visit, name: str, entered: Entered, error: InvalidInput | NotFound | Conflict) -> Response:
    if isinstance(error, NotFound) and error.what == "receiver":
        raise error
    return _shown(visit, name, Entered(entered.values, receivers.wrong_of(error, "")), 422)


def _shown(visit: Visit, name: str, entered: Entered = receivers.NOTHING, status: int = 200) -> Response:
    return visit.page(
        "receiver.html", receivers.receiver_of(visit.context, visit.caller, name, entered), MESSAGES, status
    )
