"""The addresses of the auditor's room."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request, Response

from connectors.errors import TrackerError
from service.api.given import Id, Named
from service.api.routes.binders import binder_of
from service.domain.audit.sampling import LONGEST_SEED
from service.domain.problems import InvalidInput, Problem
from service.pages import room as pages
from service.pages.access import wrong_of
from service.pages.frame import ROOM
from service.pages.given import Form, Here, PressRoute, Sent, Visit, led_to
from service.pages.room import ANY, Shown
from service.usecases.audit import audit_sheet, questions, room
from service.usecases.audit.binder_export import Format
from service.usecases.errors import NotFound, UseCaseError
from service.usecases.hook import question_ticket

router = APIRouter(include_in_schema=False)
pressing = APIRouter(include_in_schema=False, route_class=PressRoute)

ONE = "/projects/{name}/room"
Seed = Annotated[str, Query(max_length=LONGEST_SEED)]
Size = Annotated[str, Query(max_length=10)]
Result = Annotated[str, Query(max_length=20)]


@router.get("/room")
def show_all(visit: Here, q: Annotated[str, Query(max_length=100)] = "") -> Response:
    """The projects that somebody may inspect."""
    return visit.page("rooms.html", pages.rooms_of(visit.context, visit.caller, q.strip()), ROOM)


@router.get(ONE)
def show(
    name: Named,
    visit: Here,
    finding: Annotated[str, Query(max_length=40)] = "",
    seed: Seed = "",
    size: Size = "",
    result: Result = ANY,
) -> Response:
    """One project as somebody may inspect it, with a finding, and with a sample."""
    drawing = {"seed": seed.strip(), "size": size.strip(), "result": result} if seed or size else None
    return _page(visit, name, Shown(opened=finding, drawing=drawing))


@router.get(ONE + "/findings.csv")
def download(name: Named, visit: Here, seed: Seed = "", size: Size = "", result: Result = ANY) -> Response:
    """The findings for a spreadsheet: all, or those of a sample."""
    draw = (seed, int(size) if size.isdecimal() else 0, pages.result_of(result)) if seed or size else None
    found = room.of(visit.context, visit.caller, name, draw)
    text = audit_sheet.findings_csv(room.of_the_sample(found), visit.context.now())
    headers = {"Content-Disposition": 'attachment; filename="findings.csv"'}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


@router.get(ONE + "/{number}/binder")
def binder(
    name: Named,
    number: Annotated[int, Path(ge=1, le=2_000_000_000)],
    visit: Here,
    request: Request,
    response: Response,
) -> Response:
    """The signed binder of one iteration."""
    project = room.check(visit.context, visit.caller, name, number)
    inside = room.inspecting(visit.context, visit.caller)
    return binder_of(inside, project, number, Format.HTML, request, response)


@pressing.post(ONE + "/questions")
def ask(name: Named, visit: Here, form: Sent) -> Response:
    """Ask about an iteration, and have the ticket of the question made."""
    inside, given = room.inspecting(visit.context, visit.caller), _asked(form)
    try:
        number = _number(given["iteration"])
        project = room.check(visit.context, visit.caller, name, number)
        question = questions.draft(inside, project, number, given["text"], visit.login)
    except InvalidInput as error:
        shown = Shown(opened=form("finding", 40), asking=given, problems=wrong_of(error))
        return _page(visit, name, shown, 422)
    trouble = ""

    def act() -> str:
        nonlocal trouble
        trouble = question_ticket.ask(inside, question, visit.enqueue).trouble
        return question.id

    visit.once(act)
    if trouble:
        note = f"The question is kept as evidence. Its ticket could not be made yet: {trouble}"
        return _page(visit, project, Shown(note=note))
    return led_to(f"/projects/{project}/room#questions")


@pressing.post(ONE + "/questions/look")
def look(name: Named, visit: Here) -> Response:
    """Read what was answered."""
    found = room.of(visit.context, visit.caller, name)
    inside, project = room.inspecting(visit.context, visit.caller), found.matrix.project.id
    seen = {one.question.id for one in found.asked}

    def act() -> str:
        questions.look(inside, project, seen)
        return project

    try:
        visit.once(act)
    except TrackerError as error:
        return _page(visit, project, Shown(note=f"The tickets could not be read: {error}"))
    return led_to(f"/projects/{project}/room#questions")


@pressing.post(ONE + "/questions/{question_id}/ticket")
def make_ticket(name: Named, question_id: Id, visit: Here) -> Response:
    """Have the ticket of a question made that has none yet."""
    found = room.of(visit.context, visit.caller, name)
    if all(one.question.id != question_id for one in found.asked):
        raise NotFound("question", question_id, "Or you may not see it.")
    inside, project = room.inspecting(visit.context, visit.caller), found.matrix.project.id
    try:
        visit.once(lambda: question_ticket.make(inside, project, question_id, visit.enqueue).id)
    except (UseCaseError, InvalidInput, TrackerError) as error:
        return _page(visit, project, Shown(note=f"The ticket could not be made yet: {error}"))
    return led_to(f"/projects/{quote(project)}/room#questions")


def _page(visit: Visit, name: str, shown: Shown, status: int = 200) -> Response:
    return visit.page("room.html", pages.room_of(visit.context, visit.caller, name, shown), ROOM, status)


def _asked(form: Form) -> dict[str, str]:
    return {"iteration": form("iteration", 10), "text": form.text("text")[: 2 * questions.LONGEST]}


def _number(given: str) -> int:
    if not given.isdecimal() or not 1 <= int(given) <= 2_000_000_000:
        raise InvalidInput([Problem("question", None, "iteration", "is no number", "choose one of those there are")])
    return int(given)
