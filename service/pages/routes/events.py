"""The addresses of events that arrived by webhook: all of them, one, and what has them handled again."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Response

from service.api.given import Id
from service.pages import events
from service.pages.frame import EVENTS
from service.pages.given import Here, PressRoute, Sent, Visit, led_to
from service.usecases.hook import events as event_cases

router = APIRouter(include_in_schema=False)
pressing = APIRouter(include_in_schema=False, route_class=PressRoute)

_Word = Annotated[str, Query(max_length=200)]


@router.get("/events")
def show_all(visit: Here, state: _Word = "", sender: _Word = "", source: _Word = "", before: _Word = "") -> Response:
    """Events, newest first."""
    page = events.page_of(visit.context, visit.caller, state, sender, source, before)
    return visit.page("events.html", page, EVENTS)


@router.get("/events/{event_id}")
def show(event_id: Id, visit: Here) -> Response:
    """One event: what it holds, and what came of it."""
    return visit.page("event.html", events.event_of(visit.context, visit.caller, event_id), EVENTS)


@pressing.post("/events/replay")
def replay_all(visit: Here, form: Sent) -> Response:
    """Have all that failed handled again, as far as the list is narrowed."""
    sender, source = form("sender", 200) or None, form("source", 200) or None
    visit.once(lambda: str(event_cases.replay_all(visit.context, sender=sender, source=source)))
    _wake(visit)
    asked = {name: value for name, value in (("sender", sender), ("source", source)) if value}
    return led_to(f"/events?{urlencode(asked)}" if asked else "/events")


@pressing.post("/events/{event_id}/replay")
def replay(event_id: Id, visit: Here) -> Response:
    """Have it handled again."""
    found = visit.once(lambda: event_cases.replay(visit.context, event_cases.get(visit.context, event_id).id).id)
    _wake(visit)
    return led_to(f"/events/{found}")


def _wake(visit: Visit) -> None:
    visit.request.app.state.hooks.wake()
