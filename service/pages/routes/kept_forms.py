"""The addresses of a form that was sent after a session had ended."""

from __future__ import annotations

from fastapi import APIRouter, Response

from service.api.given import Id
from service.pages import kept_form
from service.pages.frame import ACCOUNT
from service.pages.given import Here, PressRoute, led_to
from service.usecases.access import kept_forms

router = APIRouter(include_in_schema=False)
pressing = APIRouter(include_in_schema=False, route_class=PressRoute)


@router.get("/kept/{form_id}")
def show(form_id: Id, visit: Here) -> Response:
    """What was entered, to be sent now or not at all. Nothing is done by looking."""
    return visit.page("kept-form.html", kept_form.page_of(visit.context, visit.caller, form_id), ACCOUNT)


@pressing.post("/kept/{form_id}/discard")
def discard(form_id: Id, visit: Here) -> Response:
    """Keep it no longer, and lead home."""
    visit.once(lambda: kept_forms.discard(visit.context, visit.caller.actor.id, form_id).id)
    return led_to("/")
