"""Events that arrived by webhook: what came of each, and how it is handled again."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from service.api import hook_models, openapi
from service.api.given import AUTHENTICATED, IDEMPOTENT, Given, Id, Once
from service.api.pages import Asked, invalid_cursor, page
from service.api.routing import CreatingRoute, JsonRoute
from service.usecases.errors import NotFound
from service.usecases.hook import events
from service.views.hook import HookEventView

router = APIRouter(prefix="/events", tags=["webhooks"], dependencies=[AUTHENTICATED], route_class=JsonRoute)
creating = APIRouter(prefix="/events", tags=["webhooks"], dependencies=[AUTHENTICATED], route_class=CreatingRoute)


@router.get(
    "",
    operation_id="listEvents",
    summary="List the events that arrived by webhook",
    response_model=hook_models.HookEventPage,
    responses={
        200: {"headers": openapi.LINK},
        **openapi.problems(*openapi.ALWAYS, "not-found", "invalid-input"),
    },
)
def list_events(
    request: Request,
    response: Response,
    context: Given,
    asked: Asked,
    state: Annotated[hook_models.State | None, Query(description="Only those in this state.")] = None,
    sender: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=200,
            pattern=r"^[^\x00-\x1f\x7f]+$",
            description="Only those of this connection or trigger (id or name).",
        ),
    ] = None,
) -> dict[str, Any]:
    """Newest first, without their payloads. Events about projects that are none of ours are not kept."""
    names = events.owners(context)

    def read(limit: int) -> list[HookEventView]:
        if asked.after is not None:
            try:
                events.get(context, asked.after)
            except NotFound:
                raise invalid_cursor() from None
        return events.listed(context, limit, asked.after, state=state, sender=sender)

    return page(request, response, asked, read, lambda row: row.id, lambda row: row.to_json(names))


@router.get(
    "/{event_id}",
    operation_id="getEvent",
    summary="Show an event",
    response_model=hook_models.HookEventShown,
    responses=openapi.problems(*openapi.ALWAYS, "not-found", "invalid-input"),
)
def get_event(event_id: Id, context: Given) -> dict[str, Any]:
    """The event with its payload, in which what is secret is hidden, and with what triggers did."""
    return events.event_json(context, events.get(context, event_id))


@creating.post(
    "/{event_id}/replay",
    operation_id="replayEvent",
    summary="Handle an event again",
    response_model=hook_models.HookEventShown,
    dependencies=[IDEMPOTENT],
    responses={
        200: {"headers": openapi.REPLAYED},
        **openapi.problems(*openapi.ALWAYS, *openapi.IDEMPOTENCY, "not-found", "invalid-input"),
    },
)
def replay_event(event_id: Id, context: Given, once: Once, request: Request) -> dict[str, Any]:
    """A failed one from where it failed: what was done is not done again. One that was done anew, within the limits of
    its triggers."""
    once(lambda: events.replay(context, event_id).id)
    request.app.state.hooks.wake()
    return events.event_json(context, events.get(context, event_id))


@creating.post(
    "/replay",
    operation_id="replayEvents",
    summary="Handle many events again",
    response_model=hook_models.Replayed,
    dependencies=[IDEMPOTENT],
    responses={
        200: {"headers": openapi.REPLAYED},
        **openapi.problems(*openapi.ALWAYS, *openapi.BODY, *openapi.IDEMPOTENCY, "not-found"),
    },
)
def replay_events(body: hook_models.ReplayRequest, context: Given, once: Once, request: Request) -> dict[str, Any]:
    """All events in a state, those that failed unless another is named."""
    count = once(lambda: str(events.replay_all(context, state=body.state, sender=body.sender, since=body.since)))
    request.app.state.hooks.wake()
    return {"count": int(count)}
