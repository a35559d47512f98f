"""Triggers: what events from outside start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Header, Response, status

from service.api import hook_models, openapi
from service.api.given import AUTHENTICATED, IDEMPOTENT, Caller, Given, Named, Once, matches
from service.api.problems import ApiProblem, placed
from service.api.routing import CreatingRoute, JsonRoute
from service.domain.hook.trigger import trigger_from_json
from service.domain.problems import InvalidInput, Problem
from service.usecases.hook import secret, triggers

router = APIRouter(prefix="/triggers", tags=["webhooks"], dependencies=[AUTHENTICATED], route_class=JsonRoute)
creating = APIRouter(prefix="/triggers", tags=["webhooks"], dependencies=[AUTHENTICATED], route_class=CreatingRoute)

_CHANGED: dict[int | str, dict[str, Any]] = {200: {"headers": openapi.etag_header("trigger") | openapi.REPLAYED}}
IfMatch = Annotated[str | None, Header(description="The ETag that was read; without it nothing is done.")]


def _pointer(problem: Problem) -> str:
    return f"/definition{problem.pointer}"


@router.get(
    "",
    operation_id="listTriggers",
    summary="List the triggers",
    response_model=hook_models.TriggerList,
    responses=openapi.problems(*openapi.ALWAYS),
)
def list_triggers(context: Given) -> dict[str, Any]:
    """All triggers by name."""
    return {"items": [triggers.trigger_json(context, row) for row in triggers.listed(context)], "next": None}


@creating.post(
    "",
    operation_id="addTrigger",
    summary="Add a trigger",
    status_code=status.HTTP_201_CREATED,
    response_model=hook_models.TriggerShown,
    dependencies=[IDEMPOTENT],
    responses={
        201: {"headers": openapi.location_header("trigger") | openapi.etag_header("trigger") | openapi.REPLAYED},
        **openapi.problems(*openapi.ALWAYS, *openapi.BODY, *openapi.IDEMPOTENCY, "name-taken"),
    },
)
def add_trigger(
    body: hook_models.TriggerDefinition, context: Given, caller: Caller, once: Once, response: Response
) -> dict[str, Any]:
    """What is delivered to it is refused until its secret is set."""
    with placed(_pointer):
        number = once(lambda: triggers.put(context, trigger_from_json(body.definition), caller).id)
    response.headers["Location"] = f"/api/v1/triggers/{number}"
    return _shown(context, number, response)


@router.post(
    "/test",
    operation_id="testTrigger",
    summary="Try a trigger",
    response_model=hook_models.TriggerTried,
    responses=openapi.problems(
        *openapi.ALWAYS, *openapi.BODY, *openapi.TRACKER, "not-found", "ambiguous", "conflict", "project-ended"
    ),
)
def test_trigger(body: hook_models.TriggerTrial, context: Given) -> dict[str, Any]:
    """What it would make of a payload and what it would do, with the plan where there is one. Writes nothing."""
    with placed(_pointer):
        trigger = trigger_from_json(body.definition)
        return triggers.try_out(context, trigger, body.payload, body.headers, body.event)


@router.get(
    "/{name}",
    operation_id="getTrigger",
    summary="Show a trigger",
    response_model=hook_models.TriggerShown,
    responses={
        200: {"headers": openapi.etag_header("trigger")},
        **openapi.problems(*openapi.ALWAYS, "not-found", "invalid-input"),
    },
)
def get_trigger(name: Named, context: Given, response: Response) -> dict[str, Any]:
    """The trigger without its secret."""
    return _shown(context, name, response)


@creating.put(
    "/{name}",
    operation_id="replaceTrigger",
    summary="Replace a trigger",
    response_model=hook_models.TriggerShown,
    dependencies=[IDEMPOTENT],
    responses={
        **_CHANGED,
        **openapi.problems(
            *openapi.ALWAYS,
            *openapi.BODY,
            *openapi.IDEMPOTENCY,
            "not-found",
            "version-mismatch",
            "precondition-required",
        ),
    },
)
def replace_trigger(
    name: Named,
    body: hook_models.TriggerDefinition,
    context: Given,
    caller: Caller,
    once: Once,
    response: Response,
    if_match: IfMatch = None,
) -> dict[str, Any]:
    """Its secret and its address stay; one that was parked begins anew. The name cannot be changed."""

    def replace() -> str:
        present = _present(context, name, if_match)
        trigger = trigger_from_json(body.definition)
        if trigger.name != present:
            fix = "add another trigger, and remove this one"
            raise InvalidInput([Problem("trigger", None, "name", f"it is called {present}", fix)])
        return triggers.put(context, trigger, caller, replace=True).id

    with placed(_pointer):
        number = once(replace)
    return _shown(context, number, response)


@creating.patch(
    "/{name}",
    operation_id="switchTrigger",
    summary="Switch a trigger on or off",
    response_model=hook_models.TriggerShown,
    dependencies=[IDEMPOTENT],
    responses={
        **_CHANGED,
        **openapi.problems(*openapi.ALWAYS, *openapi.BODY, *openapi.IDEMPOTENCY, "not-found"),
    },
)
def switch_trigger(
    name: Named, body: hook_models.TriggerState, context: Given, once: Once, response: Response
) -> dict[str, Any]:
    """Events for one that is off are kept, and start nothing."""
    return _shown(context, once(lambda: triggers.set_state(context, name, body.state).id), response)


@creating.delete(
    "/{name}",
    operation_id="removeTrigger",
    summary="Remove a trigger",
    response_model=hook_models.Removed,
    dependencies=[IDEMPOTENT],
    responses={
        200: {"headers": openapi.REPLAYED},
        **openapi.problems(*openapi.ALWAYS, *openapi.IDEMPOTENCY, "not-found", "invalid-input", "conflict"),
    },
)
def remove_trigger(name: Named, context: Given, once: Once) -> dict[str, Any]:
    """With its secrets. What it was sent stays in the list of events. One whose events others have (`address_of`) goes
    after these."""
    return {"id": once(lambda: triggers.remove(context, name))}


@creating.put(
    "/{name}/secret",
    operation_id="setTriggerSecret",
    summary="Set or rotate the secret of a trigger's sender",
    response_model=hook_models.TriggerShown,
    dependencies=[IDEMPOTENT],
    responses={
        **_CHANGED,
        **openapi.problems(*openapi.ALWAYS, *openapi.BODY, *openapi.IDEMPOTENCY, "not-found"),
    },
)
def set_trigger_secret(
    name: Named, body: hook_models.NewSecret, context: Given, once: Once, response: Response
) -> dict[str, Any]:
    """The former one counts, too, until the overlap is over. For a sender of Standard Webhooks it begins with
    `whsec_`, and base64 follows."""
    put = _setter(context, name, body)
    with placed(lambda problem: f"/{problem.path}"):
        number = once(put)
    return _shown(context, number, response)


def _setter(context: Given, name: str, body: hook_models.NewSecret) -> Callable[[], str]:
    def put() -> str:
        whose = secret.owner(context, name, trigger=True)
        secret.put(context, whose, body.secret.get_secret_value(), body.overlap_hours)
        return whose.id

    return put


def _present(context: Given, name: str, if_match: str | None) -> str:
    """The name of the trigger, if it is as the caller read it."""
    row = triggers.get(context, name)
    if not matches(if_match, str(row.version)):
        raise ApiProblem("version-mismatch", "The trigger changed since it was read.")
    return row.name


def _shown(context: Given, name: str, response: Response) -> dict[str, Any]:
    row = triggers.get(context, name)
    response.headers["ETag"] = f'"{row.version}"'
    return triggers.trigger_json(context, row)
