"""The addresses of the audit: all projects, one of them by checks, and waiving a check."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Response

from service.api.given import Id, Named
from service.domain.problems import InvalidInput, Problem
from service.pages import audit
from service.pages.frame import AUDIT
from service.pages.given import LONGEST, Form, Here, Page, PressRoute, Sent, led_to
from service.pages.sent import Sent as Entered
from service.pages.sent import wrong_by
from service.usecases.audit import waiver_log
from service.usecases.errors import NotFound
from service.usecases.setup import projects

router = APIRouter(include_in_schema=False)
pressing = APIRouter(include_in_schema=False, route_class=PressRoute)


@router.get("/audit")
def show_all(visit: Here, page: Page = 1) -> Response:
    """How well all projects are documented."""
    return visit.page("audit.html", audit.page_of(visit.context, page), AUDIT)


@router.get("/projects/{name}/audit")
def show(name: Named, visit: Here, finding: Annotated[str, Query(max_length=40)] = "") -> Response:
    """One project's iterations by checks, with a finding."""
    return visit.page("matrix.html", audit.matrix_of(visit.context, visit.caller, name, finding), AUDIT)


@pressing.post("/projects/{name}/waivers")
def waive(name: Named, visit: Here, form: Sent) -> Response:
    """Let a check of an iteration pass, for a reason and a time."""
    check, values = form("check", 10), {"reason": form("reason", LONGEST), "until": form("until", 20)}
    opened = f"{form('iteration', 6)}.{check}"

    def act() -> str:
        number, until = _read(form)
        return waiver_log.waive(
            visit.context, name, check, number=number, by=visit.login, reason=values["reason"], until=until, anew=False
        ).id

    try:
        visit.once(act)
    except InvalidInput as error:
        sent = Entered(values, wrong_by(error, {"until": "until"}, "reason"))
        page = audit.matrix_of(visit.context, visit.caller, name, opened, sent)
        if page.finding is None or not page.finding.may_waive:
            raise
        return visit.page("matrix.html", page, AUDIT, 422)
    return led_to(f"/projects/{quote(name)}/audit?finding={opened}#finding")


@pressing.post("/projects/{name}/waivers/{waiver_id}/revoke")
def revoke(name: Named, waiver_id: Id, visit: Here) -> Response:
    """Have a check that was waived count again."""
    project = projects.get(visit.context, name).id

    def act() -> str:
        if waiver_log.get(visit.context, waiver_id).project_id != project:
            raise NotFound("waiver", waiver_id, "Its project has others.")
        return waiver_log.revoke(visit.context, waiver_id, by=visit.login).id

    visit.once(act)
    return led_to(f"/projects/{quote(project)}/audit")


def _read(form: Form) -> tuple[int, date]:
    """The iteration and the day that a form names. Raises InvalidInput with what is wrong with the reason as well."""
    number, until = form("iteration", 6), form("until", 20)
    problems = []
    if not number.isdecimal():
        problems.append(Problem("waiver", None, "iteration", "is no number", "open the finding again"))
    try:
        day = date.fromisoformat(until)
    except ValueError:
        problems += waiver_log.wrong_reason(form("reason", LONGEST))
        problems.append(Problem("waiver", None, "until", "is no day", "give one such as 2027-04-21"))
    if problems:
        raise InvalidInput(problems)
    return int(number), day
