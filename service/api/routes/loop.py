"""How a project's loop turns: how it stands, what comes next, manual overrides, and advancing now."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response, status

from service.api import loop_models, openapi, project_models
from service.api.given import (
    AUTHENTICATED,
    IDEMPOTENT,
    Caller,
    Given,
    Named,
    Once,
    Rights,
    StartRun,
    matches,
    unchanged,
)
from service.api.problems import ApiProblem, placed, pointer_of
from service.api.routes.feeds import address
from service.api.routing import CreatingRoute, JsonRoute
from service.context import Context
from service.domain.access.roles import Permission
from service.domain.loop.turnover import Decision
from service.domain.plan.plan_json import published
from service.domain.problems import Problem
from service.usecases.access import rights
from service.usecases.loop import advances, decisions, feeds, flow, loop_status, scheduling
from service.usecases.run import run_views
from service.usecases.setup import projects

router = APIRouter(prefix="/projects/{name}", tags=["loop"], dependencies=[AUTHENTICATED], route_class=JsonRoute)
creating = APIRouter(prefix="/projects/{name}", tags=["loop"], dependencies=[AUTHENTICATED], route_class=CreatingRoute)

MOST_FIRINGS = 100

IfMatch = Annotated[str | None, Header(description="The ETag that was read; without it nothing is done.")]

_NAMED = ("not-found", "ambiguous", "invalid-input")
_BEGUN = (*_NAMED, "project-ended", "loop-not-begun", "loop-ended")
_ACTED = (*openapi.ALWAYS, *openapi.BODY, *openapi.IDEMPOTENCY, *_BEGUN, "loop-moved-on")
_SAID = (
    *(*_ACTED, "no-iteration", "advance-in-progress"),
    *("version-mismatch", "precondition-required"),
)
_SHOWN: openapi.Responses = {200: {"headers": openapi.etag_header("loop")}}
_REPLAYABLE: openapi.Responses = {200: {"headers": openapi.etag_header("loop") | openapi.REPLAYED}}


@router.get(
    "/loop",
    operation_id="getLoop",
    summary="Show how the loop stands",
    response_model=loop_models.Loop,
    responses={**_SHOWN, **openapi.NOT_MODIFIED, **openapi.problems(*openapi.ALWAYS, *_NAMED)},
)
def get_loop(name: Named, request: Request, response: Response, context: Given) -> Any:
    """Its iteration and phase, what people decided, what comes next; where it cannot continue, why."""
    shown = _shown(context, name)
    return unchanged(request, response, _etag(shown)) or shown


@router.get(
    "/schedule",
    operation_id="getSchedule",
    summary="Show what comes next",
    response_model=loop_models.Schedule,
    responses=openapi.problems(*openapi.ALWAYS, *_NAMED, "project-ended"),
)
def get_schedule(
    name: Named,
    context: Given,
    count: Annotated[int, Query(ge=1, le=MOST_FIRINGS, description="So many times at most.")] = 10,
) -> dict[str, Any]:
    """The next times at which the clock starts something. Before the loop has begun: those that would come if the
    project were applied as it is set up now."""
    with placed(_pointer):
        firings = scheduling.next_firings(context, name, count)
    zone = projects.get(context, name).time_zone
    return {"time_zone": zone, "items": [scheduling.firing_json(one) for one in firings], "next": None}


@router.get(
    "/flow",
    operation_id="getFlow",
    summary="Show how work flows",
    response_model=loop_models.Flow,
    responses=openapi.problems(*openapi.ALWAYS, *openapi.TRACKER, *_NAMED, "project-ended", "no-iteration"),
)
def get_flow(name: Named, context: Given) -> dict[str, Any]:
    """Reads the tracker: what of the current iteration is begun and done, people's own tickets included, and
    whether more is in progress than the limit says. Nothing is written and nothing kept."""
    return flow.flow_json(flow.flow(context, name))


@creating.post(
    "/loop/pause",
    operation_id="pauseLoop",
    summary="Pause the loop",
    response_model=loop_models.Loop,
    dependencies=[IDEMPOTENT],
    responses={**_REPLAYABLE, **openapi.problems(*_ACTED)},
)
def pause_loop(
    name: Named, body: loop_models.Reason, context: Given, caller: Caller, once: Once, response: Response
) -> dict[str, Any]:
    """The clock starts nothing until it is resumed. A run in progress is not stopped, one that is held does not look
    again. One that is paused already stays so."""
    with placed(_pointer):
        project_id = once(lambda: scheduling.pause(context, name, caller, body.reason).project_id)
    return _answered(context, project_id, response)


@creating.post(
    "/loop/resume",
    operation_id="resumeLoop",
    summary="Resume the loop",
    response_model=loop_models.Loop,
    dependencies=[IDEMPOTENT],
    responses={**_REPLAYABLE, **openapi.problems(*_ACTED)},
)
def resume_loop(
    name: Named,
    context: Given,
    caller: Caller,
    once: Once,
    response: Response,
    body: loop_models.Resuming | None = None,
) -> dict[str, Any]:
    """A pause acts as a freeze: an iteration that should have begun meanwhile begins on the next such weekday. One that
    turns already is left alone."""
    asked = body or loop_models.Resuming()
    with placed(_pointer):
        project_id = once(lambda: scheduling.resume(context, name, caller, catch_up=asked.catch_up).project_id)
    return _answered(context, project_id, response)


@creating.post(
    "/loop/skip",
    operation_id="skipBound",
    summary="Skip the coming bound",
    response_model=loop_models.Loop,
    dependencies=[IDEMPOTENT],
    responses={**_REPLAYABLE, **openapi.problems(*_ACTED, "advance-in-progress")},
)
def skip_bound(
    name: Named, body: loop_models.Reason, context: Given, caller: Caller, once: Once, response: Response
) -> dict[str, Any]:
    """The next iteration begins one length later, and the current one lasts until then. Skipping twice moves it by
    two lengths, so send an `Idempotency-Key`."""
    with placed(_pointer):
        project_id = once(lambda: scheduling.skip(context, name, caller, body.reason).project_id)
    return _answered(context, project_id, response)


@creating.post(
    "/loop/renew-feed",
    operation_id="renewFeed",
    summary="Rotate the URL of the calendar feed",
    response_model=loop_models.Loop,
    dependencies=[IDEMPOTENT],
    responses={
        **_REPLAYABLE,
        **openapi.problems(*openapi.ALWAYS, *openapi.IDEMPOTENCY, *_BEGUN),
    },
)
def renew_feed(name: Named, context: Given, caller: Caller, once: Once, response: Response) -> dict[str, Any]:
    """The former address leads nowhere from now on."""
    return _answered(context, once(lambda: feeds.renew_feed(context, name, caller).project_id), response)


@creating.put(
    "/loop/decision",
    operation_id="decidePhase",
    summary="Decide what follows the iteration",
    response_model=loop_models.Loop,
    dependencies=[IDEMPOTENT],
    responses={**_REPLAYABLE, **openapi.problems(*_SAID)},
)
def decide_phase(
    name: Named,
    body: loop_models.NewDecision,
    context: Given,
    caller: Caller,
    once: Once,
    response: Response,
    if_match: IfMatch = None,
) -> dict[str, Any]:
    """Whatever its phase has reached. It holds for the next advance, and replaces what was decided for that before."""

    def decide() -> str:
        _check_version(context, name, if_match)
        return decisions.decide(context, name, body.move, body.phase, body.reason, caller).project_id

    with placed(_pointer):
        project_id = once(decide)
    return _answered(context, project_id, response)


@creating.delete(
    "/loop/decision",
    operation_id="takeDecisionBack",
    summary="Let the phase decide again",
    response_model=loop_models.Loop,
    dependencies=[IDEMPOTENT],
    responses={
        **_REPLAYABLE,
        **openapi.problems(
            *(*openapi.ALWAYS, *openapi.IDEMPOTENCY),
            *(*_BEGUN, "loop-moved-on", "advance-in-progress", "version-mismatch", "precondition-required"),
            "malformed-request",
        ),
    },
)
def take_decision_back(
    name: Named, context: Given, caller: Caller, once: Once, response: Response, if_match: IfMatch = None
) -> dict[str, Any]:
    """What follows goes by the exit criterion of the phase, as if nobody had decided."""

    def take_back() -> str:
        _check_version(context, name, if_match)
        return decisions.take_back(context, name, caller).project_id

    return _answered(context, once(take_back), response)


@creating.patch(
    "/loop/answers",
    operation_id="answer",
    summary="Say what becomes of unfinished work",
    response_model=loop_models.Loop,
    dependencies=[IDEMPOTENT],
    responses={**_REPLAYABLE, **openapi.problems(*_SAID)},
)
def answer(
    name: Named,
    body: loop_models.NewAnswers,
    context: Given,
    caller: Caller,
    once: Once,
    response: Response,
    if_match: IfMatch = None,
) -> dict[str, Any]:
    """When the current iteration is closed. Added to the answers given before; of two for one ticket the later
    counts."""

    def answer() -> str:
        _check_version(context, name, if_match)
        return decisions.answer(context, name, body.answers, caller).project_id

    with placed(_pointer):
        project_id = once(answer)
    return _answered(context, project_id, response)


@router.post(
    "/advance/preview",
    operation_id="previewAdvance",
    summary="See what an advance would do now",
    response_model=loop_models.AdvancePreview,
    responses=openapi.problems(*openapi.ALWAYS, *openapi.BODY, *openapi.TRACKER, *_BEGUN, "no-iteration"),
)
def preview_advance(
    name: Named, context: Given, caller: Caller, body: loop_models.Advancing | None = None
) -> dict[str, Any]:
    """Reads the tracker, writes nothing and keeps nothing: what is carried, closed, seeded and begun, which phase comes
    and why."""
    with placed(_pointer):
        answers, decision = _wishes(context, name, caller, body)
        found = advances.preview(context, name, answers=answers, decision=decision)
    return {**published(found.plan), "requests": {"reads": found.reads, "writes": found.writes}}


@creating.post(
    "/advance",
    operation_id="advance",
    summary="Advance now",
    status_code=status.HTTP_202_ACCEPTED,
    response_model=project_models.Run,
    dependencies=[IDEMPOTENT],
    responses={
        202: {"headers": openapi.location_header("run") | openapi.REPLAYED},
        **openapi.problems(
            *(*openapi.ALWAYS, *openapi.BODY, *openapi.IDEMPOTENCY, *_BEGUN),
            "no-iteration",
            "loop-paused",
            "loop-moved-on",
        ),
    },
)
def advance(
    name: Named,
    context: Given,
    identity: Rights,
    start: StartRun,
    once: Once,
    response: Response,
    body: loop_models.Advancing | None = None,
) -> dict[str, Any]:
    """Closes the current iteration and begins the next one, today. Starts the run that the clock would start and
    answers at once; follow it at `Location`. While it is running, asking again is the same run (one that is held looks
    again); once it has ended, it is the next advance, so say which iteration `begins` or send an `Idempotency-Key`."""

    caller = identity.actor.name

    def begin() -> str:
        if body is not None and body.decision is not None:
            rights.require(identity, Permission.DECIDE, projects.get(context, name).id)
        answers, decision = _wishes(context, name, caller, body)
        begins = body.begins if body is not None else None
        return advances.advance(context, name, caller, start, answers=answers, decision=decision, begins=begins).id

    with placed(_pointer):
        run_id = once(begin)
    response.headers["Location"] = f"/api/v1/runs/{run_id}"
    return run_views.run_json(run_views.progress(context, run_id))


def _wishes(
    context: Context, name: str, caller: str, body: loop_models.Advancing | None
) -> tuple[Mapping[str, str] | None, Decision | None]:
    """What was said of this advance, by item key, as far as anything was. Raises InvalidInput."""
    if body is None:
        return None, None
    answers = decisions.answers_of(context, name, body.answers) if body.answers else None
    said = body.decision
    if said is None:
        return answers, None
    with placed(lambda problem: f"/decision{_pointer(problem) or ''}"):
        return answers, decisions.decision_of(context, name, said.move, said.phase, said.reason, caller)


def _pointer(problem: Problem) -> str | None:
    """Where in the body a problem lies."""
    match problem.source:
        case "decision" | "request":
            return problem.pointer
        case "answers":
            return pointer_of("answers", *([problem.path] if problem.path else []))
        case _:
            return None


def _shown(context: Context, name: str) -> dict[str, Any]:
    """The loop as the use cases show it, with the feed's address."""
    with placed(_pointer):
        found = loop_status.standing(context, name)
    secret = found.loop.feed if found.loop is not None else None
    return {**found.to_json(), "feed": address(secret) if secret is not None else None}


def _answered(context: Context, name: str, response: Response) -> dict[str, Any]:
    shown = _shown(context, name)
    response.headers["ETag"] = _etag(shown)
    return shown


def _check_version(context: Context, name: str, if_match: str | None) -> None:
    if not matches(if_match, _etag(_shown(context, name)).strip('"')):
        raise ApiProblem("version-mismatch", "The loop was changed meanwhile. Read it again first.")


def _etag(shown: Mapping[str, Any]) -> str:
    return f'"{sha256(json.dumps(shown, default=str, sort_keys=True).encode()).hexdigest()[:24]}"'
