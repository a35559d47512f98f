"""The addresses of triggers: all of them, one, trying one, switching and removing it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from connectors.errors import TrackerError
from service.api.given import Named
from service.pages import triggers
from service.pages.entries import Given, Wrong
from service.pages.frame import EVENTS
from service.pages.given import Form, Here, PressRoute, Sent, led_to
from service.pages.remedies import on_pages
from service.usecases.hook import triggers as trigger_cases

router = APIRouter(include_in_schema=False)
pressing = APIRouter(include_in_schema=False, route_class=PressRoute)

_LONGEST = 1_000_000

_Word = Annotated[str, Query(max_length=200)]


@router.get("/triggers")
def show_all(visit: Here) -> Response:
    """All triggers."""
    return visit.page("triggers.html", triggers.page_of(visit.context, visit.caller), EVENTS)


@router.get("/triggers/test")
def show_test(visit: Here, trigger: _Word = "", event: _Word = "") -> Response:
    """The form to try a trigger with; the address can name one that is there, and an event that arrived."""
    given = triggers.prefilled(visit.context, trigger, event)
    return visit.page("try-trigger.html", triggers.try_form(visit.context, given), EVENTS)


@router.post("/triggers/test")
def test(visit: Here, form: Sent) -> Response:
    """What a trigger would make of a payload; nothing is written."""
    given = _given(form)
    try:
        page = triggers.tried(visit.context, given)
    except Wrong as error:
        page = triggers.try_form(visit.context, given, error.problems)
        return visit.page("try-trigger.html", page, EVENTS, 422)
    except TrackerError as error:
        problems = {"": on_pages(f"{error.message} {error.fix}".strip())}
        return visit.page("try-trigger.html", triggers.try_form(visit.context, given, problems), EVENTS, 503)
    return visit.page("try-trigger.html", page, EVENTS)


@router.get("/triggers/{name}")
def show(name: Named, visit: Here) -> Response:
    """One trigger, and what it did."""
    return visit.page("trigger.html", triggers.trigger_of(visit.context, visit.caller, name), EVENTS)


@pressing.post("/triggers/{name}/state")
def switch(name: Named, visit: Here, form: Sent) -> Response:
    """Switch it on or off; one that was parked is on again then."""
    found = visit.once(lambda: trigger_cases.set_state(visit.context, name, form("state", 20)).id)
    return led_to(f"/triggers/{found}")


@pressing.post("/triggers/{name}/remove")
def remove(name: Named, visit: Here) -> Response:
    """Remove it with its secrets."""
    visit.once(lambda: trigger_cases.remove(visit.context, name))
    return led_to("/triggers")


def _given(form: Form) -> Given:
    return Given(
        {"yaml": form.text("yaml")[:_LONGEST], "payload": form.text("payload")[:_LONGEST], "event": form("event", 200)}
    )
