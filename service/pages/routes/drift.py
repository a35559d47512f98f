"""The address of what people changed in a project's tracker: to look, and to choose what becomes of it."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter, Response

from service.api.given import Named
from service.domain.problems import InvalidInput
from service.pages import drift
from service.pages.drift import Chosen
from service.pages.frame import PROJECTS
from service.pages.given import Here, PressRoute, Sent, Visit, led_to
from service.usecases.plan import drift_choices, planning
from service.usecases.plan.plan_options import DELETED, NO_WISH, Wish

router = APIRouter(include_in_schema=False)
pressing = APIRouter(include_in_schema=False, route_class=PressRoute)

KEPT = "Everything stays as people left it: nothing is to be planned. Choose something else for an item first."


@router.get("/projects/{name}/drift")
def show(name: Named, visit: Here) -> Response:
    """What people changed, as the tracker shows it now; nothing is kept."""
    return visit.page("drift.html", drift.page_of(visit.context, visit.caller, name), PROJECTS)


@pressing.post("/projects/{name}/drift")
def choose(name: Named, visit: Here, form: Sent) -> Response:
    """Show the plan of what was chosen; nothing is written before that is applied."""
    every = form("deleted", 5) == "yes"
    chosen = Chosen(form.having("choice."), {key: one[:500] for key, one in form.having("other.").items()})
    try:
        # The button for all that was deleted stands for itself: it takes no other choice along.
        wish = Wish((DELETED,)) if every else drift_choices.wish_of(chosen.choices, chosen.others)
        if wish == NO_WISH:
            return _shown(visit, name, replace(chosen, note=KEPT), 200)
        return led_to(f"/plans/{visit.once(lambda: planning.make_plan(visit.context, name, wish).id)}")
    except InvalidInput as error:
        return _shown(visit, name, replace(chosen, wrong=drift.wrong_of(error, chosen.restored)), 422)


def _shown(visit: Visit, name: str, chosen: Chosen, status: int) -> Response:
    return visit.page("drift.html", drift.page_of(visit.context, visit.caller, name, chosen), PROJECTS, status)
