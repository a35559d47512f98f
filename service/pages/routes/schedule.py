"""The addresses of the schedule: all projects, one of them, and skipping."""

from __future__ import annotations

from datetime import date
from urllib.parse import quote

from fastapi import APIRouter, Response

from service.api.given import Named
from service.domain.problems import InvalidInput, Problem
from service.pages import schedule
from service.pages.frame import SCHEDULE
from service.pages.given import Form, Here, PressRoute, Sent, led_to
from service.usecases.loop import scheduling

router = APIRouter(include_in_schema=False)
pressing = APIRouter(include_in_schema=False, route_class=PressRoute)


@router.get("/schedule")
def show_all(visit: Here) -> Response:
    """What the clock does next in all projects that somebody may see."""
    return visit.page("schedule.html", schedule.page_of(visit.context), SCHEDULE)


@router.get("/projects/{name}/schedule")
def show(name: Named, visit: Here) -> Response:
    """One project's next times."""
    return visit.page("project-schedule.html", schedule.project_of(visit.context, visit.caller, name), SCHEDULE)


@pressing.post("/projects/{name}/skip")
def skip(name: Named, visit: Here, form: Sent) -> Response:
    """Let one bound pass, the one that the form names: where it was skipped meanwhile, nothing is done."""
    reason, first = form("reason", scheduling.REASON_LIMIT + 1), _first(form)

    def act() -> str:
        return scheduling.skip(visit.context, name, visit.login, reason, expected_first=first).project_id

    return led_to(f"/projects/{quote(visit.once(act))}/schedule")


def _first(form: Form) -> date:
    try:
        return date.fromisoformat(form("first", 20))
    except ValueError:
        problem = Problem("request", None, "first", "is no day", "open the schedule again")
        raise InvalidInput([problem]) from None
