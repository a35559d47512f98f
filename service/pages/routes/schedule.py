"""The addresses of the schedule: all projects, one of them, and skipping."""

from __future__ import annotations

from datetime import date
from urllib.parse import quote

from fastapi import APIRouter, Response

from service.api.given import Named
from service.domain.problems import InvalidInput, Problem
from service.pages import schedule
from service.pages.frame import SCHEDULE
from service.pages.given import LONGEST, Form, Here, Page, PressRoute, Sent, Visit, led_to
from service.pages.sent import Sent as Entered
from service.pages.sent import wrong_by
from service.usecases.loop import decisions, scheduling
from service.usecases.plan import freezes

router = APIRouter(include_in_schema=False)
pressing = APIRouter(include_in_schema=False, route_class=PressRoute)


@router.get("/schedule")
def show_all(visit: Here, page: Page = 1) -> Response:
    """What the clock does next in all projects that somebody may see."""
    return visit.page("schedule.html", schedule.page_of(visit.context, page), SCHEDULE)


@router.get("/projects/{name}/schedule")
def show(name: Named, visit: Here) -> Response:
    """One project's next times."""
    return visit.page("project-schedule.html", schedule.project_of(visit.context, visit.caller, name), SCHEDULE)


@pressing.post("/projects/{name}/skip")
def skip(name: Named, visit: Here, form: Sent) -> Response:
    """Let one bound pass, the one that the form names: where it was skipped meanwhile, nothing is done."""
    reason = form("why", LONGEST)

    def act() -> str:
        first = _day(form, "first")
        return scheduling.skip(visit.context, name, visit.login, reason, expected_first=first).project_id

    try:
        project = visit.once(act)
    except InvalidInput as error:
        return _again(visit, name, {"why": reason}, error)
    return led_to(f"/projects/{quote(project)}/schedule")


@pressing.post("/projects/{name}/decision")
def decide(name: Named, visit: Here, form: Sent) -> Response:
    """Decide what follows the current iteration."""
    values = {"move": form("move", 200), "because_of": form("because_of", LONGEST)}
    move, phase = schedule.move_of(values["move"])

    def act() -> str:
        return decisions.decide(visit.context, name, move, phase, values["because_of"], visit.login).project_id

    try:
        project = visit.once(act)
    except InvalidInput as error:
        sent = Entered(values, wrong_by(error, {"move": "move", "phase": "move"}, "because_of"))
        page = schedule.project_of(visit.context, visit.caller, name, sent)
        return visit.page("project-schedule.html", page, SCHEDULE, 422)
    return led_to(f"/projects/{quote(project)}/schedule")


@pressing.post("/projects/{name}/decision/remove")
def take_back(name: Named, visit: Here) -> Response:
    """Let what the phase has reached decide again."""
    project = visit.once(lambda: decisions.take_back(visit.context, name, visit.login).project_id)
    return led_to(f"/projects/{quote(project)}/schedule")


@pressing.post("/projects/{name}/freezes")
def freeze(name: Named, visit: Here, form: Sent) -> Response:
    """Show the plan that adds a freeze; it counts from when that is applied."""
    values = {"from": form("from", LONGEST), "to": form("to", LONGEST), "because": form("because", LONGEST)}
    try:
        made = visit.once(lambda: freezes.plan_freeze(visit.context, name, *values.values()).id)
    except InvalidInput as error:
        return _again(visit, name, values, error)
    return led_to(f"/plans/{made}")


@pressing.post("/projects/{name}/freezes/remove")
def thaw(name: Named, visit: Here, form: Sent) -> Response:
    """Show the plan that takes a freeze away."""
    first, last = _day(form, "from"), _day(form, "to")
    return led_to(f"/plans/{visit.once(lambda: freezes.plan_thaw(visit.context, name, first, last).id)}")


def _again(visit: Visit, name: str, values: dict[str, str], error: InvalidInput) -> Response:
    sent = Entered(values, schedule.wrong_of(error))
    page = schedule.project_of(visit.context, visit.caller, name, sent)
    return visit.page("project-schedule.html", page, SCHEDULE, 422)


def _day(form: Form, name: str) -> date:
    try:
        return date.fromisoformat(form(name, 20))
    except ValueError:
        problem = Problem("request", None, name, "is no day", "open the schedule again")
        raise InvalidInput([problem]) from None
