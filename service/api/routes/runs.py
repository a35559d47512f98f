"""Runs: their state, their steps, and their progress as it happens."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response, status
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from service.api import events, openapi, project_models
from service.api.given import AUTHENTICATED, IDEMPOTENT, Caller, Given, Id, Once, StartRun
from service.api.pages import Asked, invalid_cursor, page
from service.api.routing import CreatingRoute, JsonRoute
from service.usecases.errors import NotFound
from service.usecases.run import run_control, run_views
from service.usecases.setup import projects
from service.views.run import RunView

router = APIRouter(prefix="/runs", tags=["runs"], dependencies=[AUTHENTICATED], route_class=JsonRoute)
creating = APIRouter(prefix="/runs", tags=["runs"], dependencies=[AUTHENTICATED], route_class=CreatingRoute)

_STARTED: dict[int | str, dict[str, Any]] = {202: {"headers": openapi.location_header("run") | openapi.REPLAYED}}
_PROBLEMS = (*openapi.ALWAYS, *openapi.IDEMPOTENCY, "not-found", "run-state", "invalid-input")


@router.get(
    "",
    operation_id="listRuns",
    summary="List the runs",
    response_model=project_models.RunPage,
    responses={
        200: {"headers": openapi.LINK},
        **openapi.problems(*openapi.ALWAYS, "not-found", "ambiguous", "invalid-input"),
    },
)
def list_runs(
    request: Request,
    response: Response,
    context: Given,
    asked: Asked,
    project: Annotated[
        str | None, Query(min_length=1, max_length=200, description="Only those of this project (id or key).")
    ] = None,
) -> dict[str, Any]:
    """Newest first."""
    project_id = projects.get(context, project).id if project is not None else None

    def read(limit: int) -> list[RunView]:
        if asked.after is not None:
            _known(context, asked.after)
        return run_views.listed(context, project_id, limit, asked.after)

    return page(request, response, asked, read, lambda row: row.id, RunView.to_json)


@router.get(
    "/{run_id}",
    operation_id="getRun",
    summary="Show a run",
    response_model=project_models.Run,
    responses=openapi.problems(*openapi.ALWAYS, "not-found", "invalid-input"),
)
def get_run(run_id: Id, context: Given) -> dict[str, Any]:
    """How far it is, what it waits for, what it found."""
    return run_views.run_json(run_views.progress(context, run_id))


@router.get(
    "/{run_id}/steps",
    operation_id="listSteps",
    summary="List a run's steps",
    response_model=project_models.StepList,
    responses=openapi.problems(*openapi.ALWAYS, "not-found", "invalid-input"),
)
def list_steps(run_id: Id, context: Given) -> dict[str, Any]:
    """Those that have ended, in order, each attempt on its own."""
    run_views.pulse(context, run_id)
    return {"items": [row.to_json() for row in run_views.steps(context, run_id)], "next": None}


@router.get(
    "/{run_id}/events",
    operation_id="watchRun",
    summary="Follow a run",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "`step` (its `id` is the step's, for `Last-Event-ID`), `progress` (the run) and, last, "
            "`end` (the run). A comment every 15 seconds keeps the line open.",
            "content": {"text/event-stream": {"schema": {"type": "string"}, "example": events.EXAMPLE}},
        },
        **openapi.problems(*openapi.ALWAYS, "not-found", "invalid-input"),
    },
)
async def watch_run(
    run_id: Id,
    request: Request,
    context: Given,
    last_event_id: Annotated[
        int | None, Header(ge=0, le=2**53, description="Continue after this event; a browser sends it by itself.")
    ] = None,
) -> Response:
    """Server-sent events until the run has ended, or your access to it has. All steps so far come first."""
    await run_in_threadpool(run_views.pulse, context, run_id)
    headers = {"X-Accel-Buffering": "no"}  # or a proxy keeps events back until it has a buffer full
    if request.scope.get("phaseloop.head"):
        return Response(media_type="text/event-stream", headers=headers)
    state = request.app.state

    def stopping() -> bool:
        return bool(state.stopping())  # asked for each time: whoever serves the app may set it late

    admitted = request.scope["phaseloop.admitted"]
    after = last_event_id or 0
    stream = events.follow(context, run_id, after, stopping=stopping, admitted=admitted, pace=state.pace)
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


@creating.post(
    "/{run_id}/cancel",
    operation_id="cancelRun",
    summary="Cancel a run",
    status_code=status.HTTP_202_ACCEPTED,
    response_model=project_models.Run,
    dependencies=[IDEMPOTENT],
    responses={**_STARTED, **openapi.problems(*_PROBLEMS)},
)
def cancel_run(run_id: Id, context: Given, caller: Caller, once: Once, response: Response) -> dict[str, Any]:
    """A queued or waiting run is over at once, one in progress after the step it is in. What it wrote stays,
    recorded."""
    return _answered(context, once(lambda: run_control.cancel(context, run_id, caller).id), response)


@creating.post(
    "/{run_id}/retry",
    operation_id="retryRun",
    summary="Retry what failed",
    status_code=status.HTTP_202_ACCEPTED,
    response_model=project_models.Run,
    dependencies=[IDEMPOTENT],
    responses={**_STARTED, **openapi.problems(*_PROBLEMS, "plan-stale")},
)
def retry_run(
    run_id: Id, context: Given, caller: Caller, start: StartRun, once: Once, response: Response
) -> dict[str, Any]:
    """For an incomplete or failed run: starts a new one that does what that one left and sends again what was refused,
    as long as nothing else has changed the project. Asked for again it is the same new run."""
    return _answered(context, once(lambda: run_control.retry(context, run_id, caller, start).id), response)


@creating.post(
    "/{run_id}/resume",
    operation_id="resumeRun",
    summary="Continue with a run",
    status_code=status.HTTP_202_ACCEPTED,
    response_model=project_models.Run,
    dependencies=[IDEMPOTENT],
    responses={**_STARTED, **openapi.problems(*_PROBLEMS, "plan-stale")},
)
def resume_run(
    run_id: Id, context: Given, caller: Caller, start: StartRun, once: Once, response: Response
) -> dict[str, Any]:
    """For a cancelled run: starts a new one that does what that one left. One that waits or is held looks again now."""
    return _answered(context, once(lambda: run_control.resume(context, run_id, caller, start).id), response)


def _answered(context: Given, run_id: str, response: Response) -> dict[str, Any]:
    response.headers["Location"] = f"/api/v1/runs/{run_id}"
    return run_views.run_json(run_views.progress(context, run_id))


def _known(context: Given, run_id: str) -> None:
    try:
        run_views.pulse(context, run_id)
    except NotFound as error:
        raise invalid_cursor() from error
