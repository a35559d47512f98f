"""What somebody inspects of a project: the iterations in their period, samples of the findings, and questions."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from service.api import openapi, room_models
from service.api.given import AUTHENTICATED, IDEMPOTENT, Given, Id, Named, Once, Rights, StartRun
from service.api.problems import placed
from service.api.routes.binders import BINDER_RESPONSES, binder_of
from service.api.routing import CreatingRoute, JsonRoute
from service.domain.audit.outcome import Result
from service.domain.problems import Problem
from service.domain.team.calendar import DateRange
from service.usecases.audit import questions, room
from service.usecases.audit.binder_export import Format
from service.usecases.errors import NotFound
from service.usecases.hook import question_ticket

router = APIRouter(tags=["audit"], dependencies=[AUTHENTICATED], route_class=JsonRoute)
creating = APIRouter(tags=["audit"], dependencies=[AUTHENTICATED], route_class=CreatingRoute)

Number = Annotated[int, Path(ge=1, le=2_000_000_000, description="The iteration.")]
_NAMED = ("not-found", "ambiguous", "invalid-input")
_TRACKER = ("conflict", "loop-not-begun", "advance-in-progress", "project-ended", "plan-blocked")


@router.get(
    "/projects/{name}/room",
    operation_id="getRoom",
    summary="Show what you may inspect",
    response_model=room_models.Room,
    responses=openapi.problems(*openapi.ALWAYS, *_NAMED),
)
def get_room(
    name: Named,
    context: Given,
    caller: Rights,
    seed: Annotated[room_models.Seed | None, Query(description="Draw a sample by it.")] = None,
    size: Annotated[room_models.Size, Query(description="Of how many findings at most.")] = 10,
    result: Annotated[
        Result | None, Query(description="Among the findings with this result; left out: among all.")
    ] = None,
    first: Annotated[date | None, Query(description="Only the iterations with a day from then on.")] = None,
    last: Annotated[date | None, Query(description="Only the iterations with a day until then, included.")] = None,
) -> Any:
    """The iterations by checks that your role was given for, as they were audited last, with what was asked about them;
    with a seed, a sample of the findings. No tracker is read."""
    draw = (seed, size, result) if seed is not None else None
    within = DateRange(first or date.min, last or date.max) if first or last else None
    shown = dict(room.room_json(room.of(context, caller, name, draw, within)))
    shown["questions"] = [{**one, "trouble": ""} for one in shown["questions"]]
    return shown


@router.get(
    "/projects/{name}/room/{number}/binder",
    operation_id="getRoomBinder",
    summary="Download the binder of an iteration",
    response_class=Response,
    responses=BINDER_RESPONSES,
)
def get_room_binder(
    name: Named,
    number: Number,
    request: Request,
    response: Response,
    context: Given,
    caller: Rights,
    format: Annotated[  # noqa: A002 - the name callers see
        Literal["html", "json"], Query(description="`html` is one page that needs nothing else.")
    ] = "html",
) -> Response:
    """As `GET /projects/{name}/binder` gives it, of an iteration that you may inspect."""
    project = room.check(context, caller, name, number)
    return binder_of(room.inspecting(context, caller), project, number, Format(format), request, response)


@creating.post(
    "/projects/{name}/questions",
    operation_id="askQuestion",
    summary="Ask about an iteration",
    response_model=room_models.QuestionShown,
    dependencies=[IDEMPOTENT],
    responses={
        200: {"headers": openapi.REPLAYED},
        **openapi.problems(*openapi.ALWAYS, *openapi.BODY, *openapi.IDEMPOTENCY, *_NAMED),
    },
)
def ask_question(
    name: Named, body: room_models.NewQuestion, context: Given, caller: Rights, start: StartRun, once: Once
) -> dict[str, Any]:
    """It is evidence at once, and becomes a ticket in the current iteration for whoever signs the records; where that
    cannot be made now, `trouble` says why, and `POST /projects/{name}/questions/{question_id}/ticket` tries again."""
    project = room.check(context, caller, name, body.iteration)
    inside = room.inspecting(context, caller)

    with placed(_pointer):
        question = questions.draft(inside, project, body.iteration, body.text, caller.actor.name)
    trouble = ""

    def ask() -> str:
        nonlocal trouble
        trouble = question_ticket.ask(inside, question, start).trouble
        return question.id

    once(ask)
    return {**questions.asked_json(questions.get(inside, project, question.id)), "trouble": trouble}


@creating.post(
    "/projects/{name}/questions/look",
    operation_id="lookForAnswers",
    summary="Look for answers now",
    response_model=room_models.QuestionList,
    dependencies=[IDEMPOTENT],
    responses={
        200: {"headers": openapi.REPLAYED},
        **openapi.problems(*openapi.ALWAYS, *openapi.TRACKER, *openapi.IDEMPOTENCY, *_NAMED),
    },
)
def look_for_answers(name: Named, context: Given, caller: Rights, once: Once) -> dict[str, Any]:
    """Reads the tickets of the questions that you may see, keeps what is new as evidence, and lists them. Each audit
    does that for those that are open."""
    found = room.of(context, caller, name)
    inside, project = room.inspecting(context, caller), found.matrix.project.id
    seen = {one.question.id for one in found.asked}

    def look() -> str:
        questions.look(inside, project, seen)
        return project

    once(look)
    listed = [one for one in questions.listed(inside, project) if one.question.id in seen]
    return {"items": [{**questions.asked_json(one), "trouble": ""} for one in listed], "next": None}


@creating.post(
    "/projects/{name}/questions/{question_id}/ticket",
    operation_id="makeQuestionTicket",
    summary="Make the ticket of a question",
    response_model=room_models.QuestionShown,
    dependencies=[IDEMPOTENT],
    responses={
        200: {"headers": openapi.REPLAYED},
        **openapi.problems(*openapi.ALWAYS, *openapi.TRACKER, *openapi.IDEMPOTENCY, *_NAMED, *_TRACKER),
    },
)
def make_question_ticket(
    name: Named, question_id: Id, context: Given, caller: Rights, start: StartRun, once: Once
) -> dict[str, Any]:
    """Where it could not be made when the question was asked. Repeatable: there is one ticket for a question."""
    found = room.of(context, caller, name)
    if all(one.question.id != question_id for one in found.asked):
        raise NotFound("question", question_id, "Or you may not see it.")
    inside, project = room.inspecting(context, caller), found.matrix.project.id

    def make() -> str:
        question_ticket.make(inside, project, question_id, start)
        return question_id

    once(make)
    return {**questions.asked_json(questions.get(inside, project, question_id)), "trouble": ""}


def _pointer(problem: Problem) -> str | None:
    return problem.pointer if problem.source == "question" else None
