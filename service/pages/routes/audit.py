"""The addresses of the audit: all projects, one of them by checks, and waiving a check."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Response

from service.api.given import Named
from service.domain.problems import InvalidInput, Problem
from service.pages import audit
from service.pages.frame import AUDIT
from service.pages.given import Form, Here, PressRoute, Sent, led_to
from service.usecases.audit import waiver_log

router = APIRouter(include_in_schema=False)
pressing = APIRouter(include_in_schema=False, route_class=PressRoute)


@router.get("/audit")
def show_all(visit: Here) -> Response:
    """How well all projects are documented."""
    return visit.page("audit.html", audit.page_of(visit.context), AUDIT)


@router.get("/projects/{name}/audit")
def show(name: Named, visit: Here, finding: Annotated[str, Query(max_length=40)] = "") -> Response:
    """One project's iterations by checks, with a finding."""
    return visit.page("matrix.html", audit.matrix_of(visit.context, visit.caller, name, finding), AUDIT)


@pressing.post("/projects/{name}/waivers")
def waive(name: Named, visit: Here, form: Sent) -> Response:
    """Let a check of an iteration pass, for a reason and a time."""
    number, until = _read(form)
    check = form("check", 10)

    def act() -> str:
        reason = form("reason", waiver_log.LONGEST_REASON + 1)
        return waiver_log.waive(
            visit.context, name, check, number=number, by=visit.login, reason=reason, until=until
        ).id

    visit.once(act)
    return led_to(f"/projects/{quote(name)}/audit?finding={number}.{check}#finding")


def _read(form: Form) -> tuple[int, date]:
    """The iteration and the day that a form names. Raises InvalidInput."""
    number, until = form("iteration", 6), form("until", 20)
    problems = []
    if not number.isdecimal():
        problems.append(Problem("waiver", None, "iteration", "is no number", "open the finding again"))
    try:
        day = date.fromisoformat(until)
    except ValueError:
        problems.append(Problem("waiver", None, "until", "is no day", "give one such as 2027-04-21"))
    if problems:
        raise InvalidInput(problems)
    return int(number), day
